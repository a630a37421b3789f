//! What a dissector hands out: one record of the wire, small, without its bytes.

use super::rules::Finding;
use super::time::Time;
use crate::wire::field::Span;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Client to server.
    ClientToServer,
    /// Server to client.
    ServerToClient,
}

impl Direction {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::ClientToServer, Self::ServerToClient];

    /// 0 for client to server, 1 for server to client: a position in pairs.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }

    /// `c2s` or `s2c`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientToServer => "c2s",
            Self::ServerToClient => "s2c",
        }
    }

    /// `client → server` or `server → client`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ClientToServer => "client → server",
            Self::ServerToClient => "server → client",
        }
    }

    /// Who sends: `client` or `server`.
    pub const fn sender(self) -> &'static str {
        match self {
            Self::ClientToServer => "client",
            Self::ServerToClient => "server",
        }
    }

    /// ▲ up to the server, ▼ down to the client.
    pub const fn arrow(self) -> char {
        match self {
            Self::ClientToServer => '▲',
            Self::ServerToClient => '▼',
        }
    }
}

/// How a direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndReason {
    /// A TCP FIN: the side has no more to say.
    Fin,
    /// A TCP RST: the connection was torn down.
    Rst,
    /// The capture stops here; what came after is not known.
    Capture,
}

impl EndReason {
    /// The word that exports and lists show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Capture => "capture",
        }
    }
}

/// What sort of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An HTTP request, its body included.
    Request,
    /// An HTTP response, its body included.
    Response,
    /// A WebSocket frame.
    Frame,
    /// Bytes missing from the capture.
    Gap,
    /// The end of a direction.
    End(EndReason),
    /// Bytes that are no HTTP and no frame.
    Junk,
    /// The beginning of a head or body, where the stream ended, or a refusal came, before the rest.
    CutHttp,
    /// The beginning of a frame, where the stream ended before the rest.
    CutFrame,
}

impl Kind {
    /// The record's type in exports: the word of NDJSON's `type`.
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

/// What else a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordLink {
    /// Nothing.
    None,
    /// A data frame: the ordinal of its message in its direction, from 1.
    Message(u32),
    /// The ordinal in the connection (from 0) of the earlier record that this one answers: a response its request, a
    /// pong its ping, a Close the other side's Close.
    Answers(u32),
}

/// The key of a handshake, to be held against those of other connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeKey {
    /// The 16 bytes that its base64 stands for (RFC 6455 §4.1).
    pub nonce: [u8; 16],
    /// The header line that holds it.
    pub span: Span,
}

/// One record of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DissectedRecord {
    /// What it is.
    pub kind: Kind,
    /// Which way it went.
    pub direction: Direction,
    /// Position of its first byte in its direction's stream.
    pub offset: u64,
    /// Its length on the wire in bytes; for a gap the bytes missing, for an end 0.
    pub wire_len: u64,
    /// When its last byte was seen.
    pub time: Time,
    /// A frame's first two bytes; 0 where there are none.
    pub lead: [u8; 2],
    /// What else it belongs to.
    pub link: RecordLink,
    /// A response's status or a Close frame's code; 0 where there is none.
    pub code: u16,
    /// Whether it is a frame of a compressed message (RFC 7692 §6).
    pub compressed: bool,
    /// Whether nothing tells which way it went, so that `direction` is only where it was fed: a frame that was cut before its
    /// MASK, in [`super::connection::Connection::in_frames`].
    pub undirected: bool,
    /// Of a request: its Sec-WebSocket-Key, when there is one that is well-formed.
    pub key: Option<Box<HandshakeKey>>,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
    /// Where the compressed messages of its direction can be begun to read, when it adds such a place.
    pub checkpoint: Option<Box<Checkpoint>>,
}

/// A place between two messages from which compressed messages can be inflated (RFC 7692 §7.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Position in its direction's stream: a frame begins there, and no message is unfinished.
    pub offset: u64,
    /// What messages from there on may refer to: at most 32 KiB, empty at the beginning and where nothing is referred to.
    pub window: Box<[u8]>,
}
