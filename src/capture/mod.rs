//! The capture: recording traffic, keeping it, asking about it, opening files.
//!
//! Every capture is a pcapng file. [`live`] appends traffic to its file as it crosses the sockets; [`import`] reads a user's
//! file in place. Both fill the same index in [`store`] through the same dissectors, and [`Capture`](store::Capture) reads
//! bytes back by position. [`query`] answers questions about a capture: filters, search, summaries.
//!
//! Imports go one way: `format, store ← {live, query} ← import`.

#![cfg_attr(not(test), warn(clippy::cast_possible_truncation))]

pub mod format;
pub mod import;
pub mod live;
pub mod query;
pub mod store;
