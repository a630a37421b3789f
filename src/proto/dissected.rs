//! The output of a dissector: one record per HTTP message, frame, gap or end. Records hold positions, not bytes.

pub use super::direction::Direction;
use super::rules::Finding;
use super::time::Time;
use crate::wire::field::Span;

/// The longest HTTP head that is parsed, in bytes. A longer head becomes unrecognized bytes.
pub const MAX_HTTP_HEAD: usize = 64 * 1024;

/// The longest record of unrecognized bytes, in bytes. Further bytes start another record.
pub const MAX_JUNK: u64 = 64 * 1024;

/// Why a direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndReason {
    /// A TCP FIN: this side sends no more data.
    Fin,
    /// A TCP RST: one side reset the connection.
    Rst,
    /// The capture ended before the direction did.
    Capture,
}

impl EndReason {
    /// The name in exports and lists: `fin`, `rst` or `capture`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Capture => "capture",
        }
    }
}

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An HTTP request with its body.
    Request,
    /// An HTTP response with its body.
    Response,
    /// A WebSocket frame.
    Frame,
    /// Bytes that the capture lacks.
    Gap,
    /// The end of a direction, without bytes.
    End(EndReason),
    /// Unrecognized bytes: neither HTTP nor frames.
    Junk,
    /// An HTTP message that was truncated: the stream ended, or the server refused the request before all of it was sent.
    CutHttp,
    /// A frame that was truncated because the stream ended.
    CutFrame,
}

impl Kind {
    /// The value of the NDJSON key `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Frame => "frame",
            Self::Gap => "gap",
            Self::End(_) => "end",
            Self::Junk => "junk",
            Self::CutHttp | Self::CutFrame => "cut",
        }
    }
}

/// The message or the earlier record that a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordLink {
    /// None.
    None,
    /// A data frame belongs to the message with this ordinal in its direction, counted from 1.
    Message(u32),
    /// The record answers the record with this ordinal in the connection, counted from 0: a response its request, a
    /// Pong its Ping, a Close the peer's Close.
    Answers(u32),
}

/// The Sec-WebSocket-Key of a request, for comparison with the keys of other connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeKey {
    /// The 16 bytes that the key encodes in base64 (RFC 6455 §4.1).
    pub nonce: [u8; 16],
    /// The header line with the key.
    pub span: Span,
}

/// One record of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DissectedRecord {
    /// Its kind.
    pub kind: Kind,
    /// The direction in which it was sent.
    pub direction: Direction,
    /// Position of its first byte in the stream of its direction, in bytes.
    pub offset: u64,
    /// Its length on the wire in bytes: for a gap the number of missing bytes, for an end 0.
    pub wire_len: u64,
    /// The time at which its last byte was captured.
    pub time: Time,
    /// The first two bytes of a frame; 0 for a byte that is missing and for other records.
    pub lead: [u8; 2],
    /// The message or the earlier record that it belongs to.
    pub link: RecordLink,
    /// The status of a response or the code of a Close; 0 if it has none.
    pub code: u16,
    /// True for a frame of a compressed message (RFC 7692 §6).
    pub compressed: bool,
    /// True if the direction is unknown, and `direction` is only the one that the caller passed: a frame that was
    /// truncated before its MASK bit, in [`super::connection::Connection::in_frames`].
    pub undirected: bool,
    /// True if the receiver had acknowledged bytes of the other direction which were not fed yet, so that they may contain
    /// what the record answers. Readers that get the records in this order need to know it.
    pub outstanding: bool,
    /// Why the bytes of a gap are missing; [`Loss::Lost`] for other records.
    pub loss: Loss,
    /// The Sec-WebSocket-Key of a request, if it has exactly one and it is well-formed.
    pub key: Option<Box<HandshakeKey>>,
    /// Rules that it violates, and other facts worth knowing.
    pub findings: Vec<Finding>,
    /// A new checkpoint for inflating the messages of its direction, if this record adds one.
    pub checkpoint: Option<Box<Checkpoint>>,
}

impl DissectedRecord {
    /// A record without relations and findings.
    pub(super) const fn new(kind: Kind, direction: Direction, offset: u64, wire_len: u64, time: Time) -> Self {
        Self {
            kind,
            direction,
            offset,
            wire_len,
            time,
            lead: [0; 2],
            link: RecordLink::None,
            code: 0,
            compressed: false,
            undirected: false,
            outstanding: false,
            loss: Loss::Lost,
            key: None,
            findings: Vec::new(),
            checkpoint: None,
        }
    }
}

/// How many bytes a capture lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The number of bytes; about that many for [`Loss::Estimated`].
    pub bytes: u64,
    /// Why.
    pub loss: Loss,
}

/// Why a capture lacks bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// They were not captured.
    #[default]
    Lost,
    /// They were not captured, and TLS had encrypted them: their number is an estimate, so that it is not known how what comes next
    /// relates to what came before.
    Estimated,
    /// A proxy relayed them without reading them: TLS in a tunnel.
    Unread,
    /// A proxy delivered them unchanged: the connection with what the sides sent has them.
    Unchanged,
}

impl Loss {
    /// Every reason that files name, with its name there.
    pub const NAMED: [(Self, &str); 3] =
        [(Self::Estimated, "estimated"), (Self::Unread, "unread"), (Self::Unchanged, "unchanged")];

    /// The name in files; `None` for [`Self::Lost`].
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.into_iter().find(|(loss, _)| *loss == self).map(|(_, name)| name)
    }
}

impl Missing {
    /// About this many bytes.
    pub const fn about(bytes: u64) -> Self {
        Self { bytes, loss: Loss::Estimated }
    }
}

impl From<u64> for Missing {
    /// Exactly this many bytes.
    fn from(bytes: u64) -> Self {
        Self { bytes, loss: Loss::Lost }
    }
}

/// A position between two messages at which a reader can start to inflate (RFC 7692 §7.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Position in the stream of its direction, in bytes. A frame starts there, and no message is unfinished.
    pub offset: u64,
    /// The inflated bytes that later messages may refer to: at most 32 KiB; empty at the start and without context
    /// takeover.
    pub window: Box<[u8]>,
}
