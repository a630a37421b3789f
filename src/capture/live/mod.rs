//! Recording live traffic: connections are dissected, appended to the spool and entered into the index.

pub(in crate::capture) mod connection_recorder;
mod flush_timer;
pub mod recorder;
pub mod ring;
pub mod spool;
mod writer;
