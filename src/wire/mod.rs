//! Converts between bytes and fields. Pure functions over byte slices: no sockets, files or clocks.
//!
//! Parsers here are lenient: they accept any byte sequence. [`crate::proto`] judges the result.

pub mod absolute_form;
pub mod authority;
pub mod close;
pub mod field;
pub mod frame;
pub mod grid;
pub mod host_pattern;
pub mod http;
pub mod mask;
pub mod opcode;
pub mod partial_head;
pub mod printable;
pub mod proxy_header;
pub mod tls;
pub mod url;
