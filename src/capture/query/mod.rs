//! Queries over a capture: filters and searches, related records, summaries of records, connections and spans of time.

pub mod closing;
pub mod contents;
pub mod filter;
pub mod heartbeats;
pub mod messages;
pub mod overview;
pub mod page_requests;
pub mod partner;
pub mod payload_tree;
pub mod search;
pub mod selection;
pub mod summary;
pub mod timeline;
