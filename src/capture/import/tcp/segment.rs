//! A TCP segment as a file holds it.

use crate::capture::format::file_markers::Gap;
use crate::capture::import::link::TcpHead;
use crate::proto::time::Time;

/// What a packet of our own files says besides its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    /// The connection began with that sequence number, whatever the SYN has.
    BegunAt(u32),
    /// Nothing is known of its direction from here on.
    EndOfCapture,
    /// Bytes of its direction are missing for good.
    Gap(Gap),
    /// So many bytes of its direction came again with another content.
    Overlap(u64),
}

/// A TCP segment and its place in the file.
#[derive(Debug)]
pub struct Segment<'a> {
    pub tcp: TcpHead,
    /// What was captured of its payload.
    pub payload: &'a [u8],
    /// File position of the payload's first byte.
    pub position: u64,
    pub time: Time,
    /// A person's comment on the packet.
    pub comment: Option<String>,
    pub mark: Mark,
}
