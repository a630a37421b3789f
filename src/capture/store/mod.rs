//! A capture in memory and on disk: an index entry per record, and the files that hold the bytes.

mod bytes;
mod capture;
mod connections;
pub(in crate::capture) mod files;
mod findings;
pub(in crate::capture) mod index;
pub mod message_reader;
pub mod output;
pub mod record;
pub mod record_reader;
pub mod scratch;
pub mod trouble;

pub use self::capture::{Capture, EvictionDelay};
pub use self::connections::ConnectionInfo;
pub use self::index::{Tally, Totals};
pub use self::trouble::Trouble;

/// A length as `usize`. One that does not fit, on a 32-bit machine, becomes the largest: allocating that fails.
#[inline]
pub(in crate::capture) fn to_usize(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
