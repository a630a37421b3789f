//! Sends nothing of its own: a script plays on the connection.

use super::Role;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Sends nothing.
pub struct Silent;

impl Role for Silent {
    fn reads_messages(&self) -> bool {
        false
    }

    fn message(&mut self, _opcode: Opcode, _payload: &[u8], _sender: &mut Sender<'_>) {}
}
