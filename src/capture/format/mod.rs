//! The formats of our own files: pcapng with its comments and markers. Blocks are read here too.

pub(in crate::capture) mod blocks;
pub mod comments;
pub mod file_markers;
pub(in crate::capture) mod interface;
pub mod late;
pub mod pcapng;
pub mod proxied;
pub(crate) mod sequence;

/// The version of NDJSON that is written and read: the value of its key `v`. `docs/formats.md` describes the keys.
pub const NDJSON_VERSION: u64 = 1;
