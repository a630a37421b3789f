//! The fuzz targets. Each takes bytes; a panic, a failed assertion, a leak or too much memory is a failure.
//!
//! `fuzz/run SECONDS [TARGET ...]` runs them.

mod files;
mod language;
mod protocol;

pub use files::{capture, har, ndjson, reassembly, tls};
pub use language::{filter, pasted, script};
pub use protocol::{connection, extensions, frames, http, inflate};

/// Takes the next byte of the input as a number.
fn byte(data: &mut &[u8]) -> Option<u8> {
    let (first, rest) = data.split_first()?;
    *data = rest;
    Some(*first)
}

/// Takes the next `n` bytes of the input, or what is left.
fn take<'a>(data: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (taken, rest) = data.split_at(n.min(data.len()));
    *data = rest;
    taken
}
