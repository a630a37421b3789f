//! Questions about a capture: which records match, which belong together, and what they look like in a line.

pub mod filter;
pub mod heartbeats;
pub mod messages;
pub mod overview;
pub mod partner;
pub mod payload_tree;
pub mod search;
pub mod selection;
pub mod summary;
pub mod timeline;
