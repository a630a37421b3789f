//! `/echo`: every message comes back as it was, a fragmented one in one frame.

use super::Role;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Sends back what it hears.
pub struct Echo;

impl Role for Echo {
    fn message(&mut self, opcode: Opcode, payload: &[u8], sender: &mut Sender<'_>) {
        sender.message(opcode, payload);
    }
}
