//! Bytes ↔ fields: pure functions over byte slices, with no idea of sockets, files or time.
//!
//! Everything here reads leniently: any byte sequence has a reading, and judging it is the business of
//! [`crate::proto`].

pub mod close;
pub mod field;
pub mod frame;
pub mod grid;
pub mod http;
pub mod mask;
pub mod opcode;
pub mod partial_head;
pub mod printable;
