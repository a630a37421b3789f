//! The formats of our own files: pcapng with its comments and markers, and the schema of NDJSON.

pub(in crate::capture) mod blocks;
pub mod comments;
pub mod file_markers;
pub(in crate::capture) mod interface;
pub mod pcapng;
pub mod schema;
