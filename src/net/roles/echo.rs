//! `/echo` returns every message unchanged; a fragmented message comes back in one frame.

use super::Role;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Returns every message to the client.
pub struct Echo;

impl Role for Echo {
    fn message(&mut self, opcode: Opcode, payload: &[u8], sender: &mut Sender<'_>) {
        sender.message(opcode, payload);
    }
}
