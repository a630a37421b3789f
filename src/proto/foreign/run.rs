//! A run of bytes that are no frames: finds its end.

use super::{Boundary, Foreign, may_start_frame, text_len};
use crate::proto::body::{Body, Progress};
use crate::proto::direction::Direction;
use crate::proto::dissected::MAX_HTTP_HEAD;
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::field::Span;
use crate::wire::http::{self, Head};

/// The number of bytes at their start that are kept for the finding.
const MAX_LEAD: usize = 60;

/// Bytes that are no frames, from the first one on.
#[derive(Debug)]
pub struct ForeignRun {
    /// What they are; `None` after the first record, which has the finding.
    pub what: Option<Foreign>,
    /// The place where they start.
    at: Boundary,
    /// The first bytes.
    lead: Vec<u8>,
    /// The number of bytes that are not part of a record yet, and the time of the last one.
    pub len: u64,
    pub last: Time,
    until: Until,
}

/// Where the bytes end.
#[derive(Debug)]
enum Until {
    /// After the HTTP head that these bytes start, and its body.
    Head(Vec<u8>),
    /// After this body.
    Body(Body),
    /// Where the text ends, if a frame follows: also the end of a body without a length.
    Text,
    /// Where the NUL bytes end, if a frame follows.
    Nul,
    /// With the stream.
    Stream,
}

/// The next part of the bytes.
pub enum Part {
    /// So many bytes, and maybe more.
    Some(usize),
    /// So many bytes. More are needed to decide about the rest.
    Undecided(usize),
    /// So many bytes, the last ones.
    Last(usize),
}

impl ForeignRun {
    /// Starts with these bytes, at this place.
    pub fn new(what: Foreign, at: Boundary) -> Self {
        let until = match what {
            Foreign::HttpResponse(_) | Foreign::HttpRequest => Until::Head(Vec::new()),
            Foreign::LineBreak | Foreign::Text => Until::Text,
            Foreign::Nul => Until::Nul,
            Foreign::Tls(_) => Until::Stream,
            Foreign::Proxy(header) => Until::Body(Body::Length(header.len as u64)),
        };
        Self { what: Some(what), at, lead: Vec::new(), len: 0, last: Time::default(), until }
    }

    /// Finds the next part in `bytes`, which are not empty.
    pub fn part(&mut self, bytes: &[u8]) -> Part {
        match &mut self.until {
            Until::Head(kept) => {
                let had = kept.len();
                kept.extend_from_slice(&bytes[..bytes.len().min(MAX_HTTP_HEAD + 1 - had)]);
                match http::head_len(kept, had).filter(|end| *end <= MAX_HTTP_HEAD) {
                    Some(end) => {
                        kept.truncate(end);
                        let head = Head::read(kept);
                        let body = match head.method() {
                            Some(_) => Body::of_request(&head).ok(),
                            None => Some(Body::of_response(&head, b"")),
                        };
                        self.until = match body {
                            None | Some(Body::UntilEnd(_)) => Until::Text,
                            Some(body) if body.is_whole() => return Part::Last(end - had),
                            Some(body) => Until::Body(body),
                        };
                        Part::Some(end - had)
                    }
                    None if kept.len() > MAX_HTTP_HEAD => {
                        self.until = Until::Stream;
                        Part::Some(0)
                    }
                    None => Part::Some(bytes.len()),
                }
            }
            Until::Body(body) => match body.take(bytes) {
                (taken, Progress::Complete) => Part::Last(taken),
                (taken, Progress::Incomplete) => Part::Some(taken),
                (taken, Progress::Malformed(_)) => {
                    self.until = Until::Text;
                    Part::Some(taken)
                }
            },
            Until::Text => match text_len(bytes) {
                (len, true) => self.end(bytes, len),
                // A character may be incomplete.
                (len, false) if len < bytes.len() => Part::Undecided(len),
                (len, false) => Part::Some(len),
            },
            Until::Nul => match bytes.iter().position(|byte| *byte != 0) {
                Some(len) => self.end(bytes, len),
                None => Part::Some(bytes.len()),
            },
            Until::Stream => Part::Some(bytes.len()),
        }
    }

    /// The bytes may end after `len` of these.
    fn end(&mut self, bytes: &[u8], len: usize) -> Part {
        let Some(two) = bytes.get(len..len + 2) else { return Part::Undecided(len) };
        if may_start_frame(two, &self.at) {
            return Part::Last(len);
        }
        self.until = Until::Stream;
        Part::Some(len)
    }

    /// Adds bytes to the next record. `last` is the time of the last one.
    pub fn add(&mut self, bytes: &[u8], last: Time) {
        let lead = MAX_LEAD.saturating_sub(self.lead.len()).min(bytes.len());
        self.lead.extend_from_slice(&bytes[..lead]);
        self.len += bytes.len() as u64;
        self.last = last;
    }

    /// Returns true if the bytes end with the stream.
    pub const fn ends_with_stream(&self) -> bool {
        matches!(self.until, Until::Stream)
    }

    /// The finding for the first record, which has `len` bytes.
    pub fn finding(&self, what: Foreign, len: u64) -> Finding {
        let lines = self.lead.split(|byte| b"\r\n".contains(byte));
        let line = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or(b"white space");
        let line = String::from_utf8_lossy(line);
        // What follows may be a secret.
        let beginning =
            |ends: &[u8]| line.split(|c: char| c.is_ascii() && ends.contains(&(c as u8))).next().unwrap_or_default();
        let of = |rule| Finding::new(rule, Some(Span::bytes(0, len)));
        match what {
            Foreign::HttpResponse(status) => of(Rule::HttpResponseInStream).number(u64::from(status)).text(&line),
            Foreign::HttpRequest => of(Rule::HttpRequestInStream).text(beginning(b" ")),
            Foreign::LineBreak => of(Rule::LineBreakInStream).text(&self.line_break_words()),
            Foreign::Text => of(Rule::TextInStream).text(beginning(b":=")),
            Foreign::Nul => of(Rule::NulInStream),
            Foreign::Proxy(header) => {
                of(Rule::ProxyHeaderInStream).number(u64::from(header.version)).text(&header.words())
            }
            Foreign::Tls(content) => of(Rule::TlsInStream).text(match content {
                0x14 => "change cipher spec",
                0x15 => "alert",
                0x16 => "handshake",
                _ => "application data",
            }),
        }
    }

    fn line_break_words(&self) -> String {
        let what = match self.lead.as_slice() {
            b"\r\n" => "a CR LF follows".to_owned(),
            b"\n" => "an LF follows".to_owned(),
            b"\r" => "a CR follows".to_owned(),
            many => format!("{} bytes of CR and LF follow", many.len()),
        };
        let after = match (self.at.after_head, self.at.direction) {
            (true, Direction::ServerToClient) => "the head of the response",
            (true, Direction::ClientToServer) => "the head of the request",
            (false, _) => "a frame",
        };
        format!("{what} {after}")
    }
}
