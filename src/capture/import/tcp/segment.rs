//! A TCP segment as a file contains it.

use crate::capture::format::file_markers::Marker;
use crate::capture::format::sequence::SeqNumber;
use crate::capture::import::link::TcpHead;
use crate::proto::time::Time;

/// A TCP segment and its place in the file.
#[derive(Debug)]
pub struct Segment<'a> {
    pub tcp: TcpHead,
    /// The captured part of its payload.
    pub payload: &'a [u8],
    /// File position of the payload's first byte.
    pub position: u64,
    /// File positions where the block of the packet begins and ends.
    pub block: (u64, u64),
    pub time: Time,
    /// The notes of people on the packet. Only a reset has two, of which one may be empty: see [`super::Flows::reset`].
    pub notes: Vec<String>,
    /// The marker on the packet, if it is one of ours.
    pub marker: Option<Marker>,
}

impl Segment<'_> {
    /// The initial sequence number of the connection, where a marker says that the SYN carries another one.
    pub const fn initial_sequence(&self) -> Option<SeqNumber> {
        match self.marker {
            Some(Marker::InitialSequence { first }) if self.tcp.flags.syn => Some(SeqNumber(first)),
            _ => None,
        }
    }
}
