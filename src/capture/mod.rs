//! What was seen: recording it, keeping it, opening it again.
//!
//! Every capture is a pcapng file. Live traffic is appended to a [`spool`] as it crosses the sockets; a user's file is read
//! where it lies. Either way the same dissectors fill the same index, and [`Capture`](store::Capture) reads bytes back
//! by position. For long runs the spool is a [`ring`] of files, of which the oldest go; their records leave the index with them.

pub mod comments;
mod files;
pub mod filter;
pub mod heartbeat;
pub mod import;
mod index;
pub mod inflate;
mod linger;
pub mod marks;
pub mod message;
pub mod overview;
pub mod partner;
pub mod pcapng;
pub mod reader;
pub mod record;
pub mod recorder;
mod recording;
pub mod ring;
pub mod samples;
pub mod schema;
pub mod search;
pub mod selection;
pub mod spool;
pub mod store;
pub mod summary;
pub mod timeline;
pub mod tree;
mod windows;
