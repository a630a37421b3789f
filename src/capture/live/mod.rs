//! Recording of live traffic: bytes become records, are appended to the spool and enter the index.
//!
//! | file | what it does |
//! | --- | --- |
//! | `recorder` | the handles that callers record with |
//! | `connection_recorder` | one connection: bytes → records → packets, batched; describes one commit |
//! | `writer` | appends the batches of all connections to the spool and applies them to the index, in one order |
//! | `flush_timer` | commits batches that are 5 ms old |
//! | `spool` | the file, or the files of a ring |
//! | `ring` | when a ring rotates, and what its files begin with; describes one rotation |

pub(in crate::capture) mod connection_recorder;
mod flush_timer;
pub mod recorder;
pub mod ring;
pub mod spool;
mod writer;
