//! Records that a caller states before it feeds their bytes: what an earlier dissection decided, which an export keeps.
//!
//! In an export, the bytes of each record follow one another, in the order in which the records were complete. Live, the bytes of
//! both directions alternate, and bytes that are missing change what the next ones mean. So the bytes of an export alone do not always
//! lead to the same records again.

use std::collections::VecDeque;

use super::dissected::{Kind, MAX_JUNK};
use super::rules::Rule;

/// The number of records besides requests that are kept because a response may answer them.
const MAX_ANSWERABLE: usize = 8;

/// The record that starts at the current position of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedRecord {
    /// How its bytes are read.
    pub kind: StatedKind,
    /// Its length in bytes.
    pub len: u64,
    /// True if the client sent it before the response to its handshake request.
    pub early: bool,
    /// What it answers, if it is a response.
    pub answers: Answers,
}

/// How the bytes of a record are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedKind {
    /// As a complete HTTP message, as a header of the PROXY protocol, or as bytes in front of a response.
    Http,
    /// As a truncated HTTP message.
    CutHttp,
    /// As a frame, complete or truncated.
    Frame,
    /// As the beginning of a frame that ends before its MASK bit, so that its direction is unknown.
    Undirected,
    /// As bytes in place of a frame, which a finding names.
    Foreign,
    /// Not at all, or as the continuation of earlier bytes in place of a frame.
    Junk,
}

/// What a response answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// The oldest request without a response. A 101 answers the request whose key it accepts.
    #[default]
    Next,
    /// Nothing: no request was known when its head was complete.
    Nothing,
    /// A truncated request, or unrecognized bytes, at this offset of the client's stream.
    At(u64),
}

impl StatedRecord {
    /// A record of this kind without bytes, for struct update syntax.
    pub const fn new(kind: StatedKind) -> Self {
        Self { kind, len: 0, early: false, answers: Answers::Next }
    }
}

impl StatedKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Http, Self::CutHttp, Self::Frame, Self::Undirected, Self::Foreign, Self::Junk];

    /// How the bytes of a record of this kind, with findings of these rules, were read; `None` if it has no bytes.
    pub fn of(kind: Kind, undirected: bool, mut rules: impl Iterator<Item = Rule>) -> Option<Self> {
        Some(match kind {
            Kind::Request | Kind::Response => Self::Http,
            Kind::CutHttp => Self::CutHttp,
            Kind::CutFrame if undirected => Self::Undirected,
            Kind::Frame | Kind::CutFrame => Self::Frame,
            Kind::Junk => {
                let named = rules.find_map(|rule| match rule {
                    Rule::ProxyHeader | Rule::ProxyHeaderFromServer | Rule::BytesBeforeResponse | Rule::HeadTooLong => {
                        Some(Self::Http)
                    }
                    rule => rule.is_foreign_bytes().then_some(Self::Foreign),
                });
                named.unwrap_or(Self::Junk)
            }
            Kind::Gap | Kind::End(_) => return None,
        })
    }

    /// The name in exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::CutHttp => "cut-http",
            Self::Frame => "frame",
            Self::Undirected => "undirected",
            Self::Foreign => "foreign",
            Self::Junk => "junk",
        }
    }

    /// True if the record is in a stream of frames.
    pub const fn is_in_frames(self) -> bool {
        matches!(self, Self::Frame | Self::Undirected | Self::Foreign)
    }
}

/// The records of a direction that the caller has stated.
#[derive(Debug, Default)]
pub(super) struct Stated {
    /// The unfinished one.
    pub current: Option<Unfinished>,
    /// One that starts at this offset, where a body has not ended so far. It counts if the body is malformed there.
    pub after_body: Option<(u64, StatedRecord)>,
    /// True after the record of a message whose body is malformed at its next byte.
    pub is_body_over: bool,
    /// The offsets and ordinals of the latest ones that a response may answer, besides requests.
    pub answerable: VecDeque<(u64, u32)>,
}

/// An unfinished record that the caller has stated.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// An HTTP message that ends at this offset. It is read as any other.
    Http { end: u64, cut: bool },
    /// Unrecognized bytes.
    Junk(StatedJunk),
}

/// Unrecognized bytes. They are few enough to be kept.
#[derive(Debug)]
pub(super) struct StatedJunk {
    /// Their offset in the stream.
    pub start: u64,
    /// True if a finding names the bytes.
    pub foreign: bool,
    /// The bytes so far.
    pub bytes: Vec<u8>,
    /// The number of bytes that are still to come.
    left: usize,
}

impl Stated {
    /// Notes a record that a response may answer.
    pub fn add_answerable(&mut self, offset: u64, ordinal: u32) {
        self.answerable.truncate(MAX_ANSWERABLE - 1);
        self.answerable.push_front((offset, ordinal));
    }
}

impl StatedJunk {
    /// A record of `len` bytes.
    pub fn new(start: u64, foreign: bool, len: u64) -> Self {
        Self { start, foreign, bytes: Vec::new(), left: len.min(MAX_JUNK) as usize }
    }

    /// Takes the bytes that belong to the record; returns how many.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let taken = self.left.min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.left -= taken;
        taken
    }

    /// True if no bytes are still to come.
    pub const fn is_whole(&self) -> bool {
        self.left == 0
    }
}
