//! The index entry of a record.

use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, EndReason, Kind, Loss};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// The index entry of a record: 38 bytes. Packed, as padding would take 2 bytes for each record of the capture.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))]
pub(in crate::capture) struct Entry {
    pub offset: u64,
    pub wire_len: u64,
    pub time: u64,
    pub connection: u32,
    /// A message's ordinal, or the ordinal in the connection, plus one, of the record that this one answers. 0: none.
    pub link: u32,
    pub code: u16,
    pub lead: [u8; 2],
    /// Kind and direction.
    pub what: u8,
    pub flags: u8,
}

const _: () = assert!(size_of::<Entry>() == 38, "with an extent of 8 bytes: at most 48 bytes a record");

pub(in crate::capture) const COMPRESSED: u8 = 1;
pub(in crate::capture) const HAS_FINDINGS: u8 = 2;
pub(in crate::capture) const UNDIRECTED: u8 = 4;
pub(in crate::capture) const OUTSTANDING: u8 = 8;
/// The position of the [`Loss`] of a gap, in two bits.
const LOSS: u32 = 4;

impl Entry {
    /// The record without its findings and what it answers.
    #[inline]
    pub fn bare(&self, no: u64) -> Record {
        let (kind, direction) = kind_and_direction(self.what);
        let in_message = match kind {
            Kind::Frame | Kind::CutFrame => !Opcode::from_wire(self.lead[0]).is_control(),
            _ => false,
        };
        Record {
            no,
            kind,
            connection: self.connection,
            direction,
            time: Time(self.time),
            offset: self.offset,
            wire_len: self.wire_len,
            lead: self.lead,
            message: (in_message && self.link > 0).then_some(self.link),
            answers: None,
            code: self.code,
            compressed: self.flags & COMPRESSED != 0,
            undirected: self.flags & UNDIRECTED != 0,
            outstanding: self.flags & OUTSTANDING != 0,
            loss: LOSSES[usize::from(self.flags >> LOSS & 3)],
            findings: Vec::new(),
        }
    }
}

const LOSSES: [Loss; 4] = [Loss::Lost, Loss::Estimated, Loss::Unread, Loss::Unchanged];

/// The flags of a gap with this reason.
pub(in crate::capture) const fn loss_flags(loss: Loss) -> u8 {
    // The place in `LOSSES`.
    let at = match loss {
        Loss::Lost => 0,
        Loss::Estimated => 1,
        Loss::Unread => 2,
        Loss::Unchanged => 3,
    };
    at << LOSS
}

const KINDS: [Kind; 10] = [
    Kind::Request,
    Kind::Response,
    Kind::Frame,
    Kind::Gap,
    Kind::Junk,
    Kind::CutHttp,
    Kind::CutFrame,
    Kind::End(EndReason::Fin),
    Kind::End(EndReason::Rst),
    Kind::End(EndReason::Capture),
];

pub(in crate::capture) fn what(kind: Kind, direction: Direction) -> u8 {
    let kind = (0..).zip(KINDS).find_map(|(i, k)| (k == kind).then_some(i)).unwrap_or(0u8);
    kind << 1 | direction as u8
}

#[inline]
pub(in crate::capture) fn kind_and_direction(what: u8) -> (Kind, Direction) {
    (KINDS[usize::from(what >> 1)], Direction::BOTH[usize::from(what & 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_directions_survive_packing() {
        for kind in KINDS {
            for direction in Direction::BOTH {
                assert_eq!(kind_and_direction(what(kind, direction)), (kind, direction));
            }
        }
    }
}
