//! The formats of our own files: pcapng with its comments and markers, and the schema of NDJSON. Blocks are read here too.

pub(in crate::capture) mod blocks;
pub mod comments;
pub mod file_markers;
pub(in crate::capture) mod interface;
pub mod pcapng;
pub mod schema;
pub(in crate::capture) mod sequence;
