//! The byte order of a section, its interfaces, and the options of blocks (draft-ietf-opsawg-pcapng §3.5, §4.2).

use super::pcapng::{OPT_END, OPT_IF_TSRESOL};
use crate::proto::time::Time;

const OPT_IF_TSOFFSET: u16 = 14;

/// The byte order of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

/// The properties of an interface that its packets need.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    pub link: u16,
    /// Timestamp units per second.
    pub units: u64,
    /// Seconds to add.
    pub offset: i64,
    /// The most bytes that are captured of a packet; 0 means no limit.
    pub snap_len: u32,
}

impl Interface {
    /// Reads an interface description block, which has at least 20 bytes.
    pub fn read(order: ByteOrder, block: &[u8]) -> Self {
        let mut interface =
            Self { link: order.u16(block, 8), units: 1_000_000, offset: 0, snap_len: order.u32(block, 12) };
        for (code, value) in options(order, &block[16..block.len() - 4]) {
            match (code, value) {
                (OPT_IF_TSRESOL, [resolution, ..]) => {
                    let power = u32::from(resolution & 0x7f);
                    let units = if resolution & 0x80 != 0 { 1u64.checked_shl(power) } else { 10u64.checked_pow(power) };
                    interface.units = units.unwrap_or(interface.units);
                }
                (OPT_IF_TSOFFSET, [.., _, _, _, _, _, _, _, _]) => {
                    let [low, high] = [order.u32(value, 0), order.u32(value, 4)];
                    let (low, high) = if order == ByteOrder::Little { (low, high) } else { (high, low) };
                    interface.offset = (u64::from(high) << 32 | u64::from(low)).cast_signed();
                }
                _ => {}
            }
        }
        interface
    }

    /// Converts a timestamp in the interface's units. Times before 1970 become 0.
    #[inline]
    pub fn time(&self, raw: u64) -> Time {
        match (self.units, self.offset) {
            (1_000_000_000, 0) => Time(raw),
            (1_000_000, 0) => Time(raw.saturating_mul(1000)),
            (units, offset) => {
                let nanos = i128::from(raw) * 1_000_000_000 / i128::from(units.max(1));
                let nanos = nanos + i128::from(offset) * 1_000_000_000;
                Time(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
            }
        }
    }
}

impl ByteOrder {
    #[inline]
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self == Self::Little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) }
    }

    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let word = [bytes[at], bytes[at + 1]];
        if self == Self::Little { u16::from_le_bytes(word) } else { u16::from_be_bytes(word) }
    }
}

/// The options at the end of a block: code and value.
pub fn options(order: ByteOrder, bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.len() < 4 {
            return None;
        }
        let (code, len) = (order.u16(rest, 0), usize::from(order.u16(rest, 2)));
        let value = rest.get(4..4 + len).filter(|_| code != OPT_END)?;
        rest = rest.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}
