//! A capture in memory and on disk: an index entry per record, and the files that hold the bytes.

mod capture;
mod connections;
pub(in crate::capture) mod files;
mod findings;
pub(in crate::capture) mod index;
pub mod message_reader;
pub mod reader;
pub mod record;
pub mod scratch;

pub use self::capture::{Capture, Hold, Trouble};
pub use self::connections::ConnectionInfo;
pub use self::index::{Tally, Totals};
