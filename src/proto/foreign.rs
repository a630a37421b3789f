//! Recognizes bytes that a peer wrote where a frame is due, and that have an explanation: HTTP, line breaks, text, NUL bytes, TLS, a
//! PROXY header.
//!
//! Read as frames, such bytes give findings that are true and mislead. They are recognized only where a frame that starts with
//! them is malformed in any case, so a finding that names them never accuses a correct peer.

pub mod run;

use super::direction::Direction;
use super::resync;
use super::time::Time;
use crate::wire::proxy_header::{ProxyHeader, ProxyReading};

/// The shortest text that is recognized: if a frame follows it, if the stream ends after it, or in any case. Shorter runs of line
/// breaks are called so.
const TEXT_BEFORE_FRAME: usize = 4;
const TEXT_AT_END: usize = 8;
const TEXT: usize = 16;

/// Text of this length is recognized whatever frame length its beginning announces. The longest look-ahead of [`recognize`].
const MUCH_TEXT: usize = 256;

/// The request methods that are recognized.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// The head of an HTTP response with this status.
    HttpResponse(u16),
    /// The head of an HTTP request.
    HttpRequest,
    /// CR and LF.
    LineBreak,
    /// UTF-8 text, such as HTML.
    Text,
    /// NUL bytes.
    Nul,
    /// A TLS record with this content type.
    Tls(u8),
    /// A header of the PROXY protocol.
    Proxy(ProxyHeader),
}

/// The place in the stream where a frame is due.
#[derive(Clone, Copy, Debug)]
pub struct Boundary {
    /// The direction.
    pub direction: Direction,
    /// True directly after the head of the handshake.
    pub after_head: bool,
    /// True if a continuation frame may start here.
    pub continues: bool,
    /// True if an extension may use RSV1.
    pub rsv1: bool,
    /// True if an extension that framescope does not know was negotiated. It may define the bits and opcodes of most text.
    pub extended: bool,
}

/// What comes after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// Nothing so far.
    Unknown,
    /// The end of the stream, or missing bytes.
    Nothing,
    /// Another record: the caller knows that one ends here.
    Record,
}

/// The bytes that are read, with their times.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Bytes that were undecided, then new ones.
    pub bytes: &'a [u8],
    /// The ends of the pieces of the undecided bytes, and their times.
    earlier: &'a [(usize, Time)],
    /// The time of the new bytes.
    now: Time,
    /// What comes after them.
    pub follows: Follows,
}

/// Bytes of which it is not known yet what they are.
#[derive(Debug, Default)]
pub struct Undecided {
    bytes: Vec<u8>,
    pieces: Vec<(usize, Time)>,
}

impl<'a> Input<'a> {
    /// Bytes of one time, if none before them are undecided.
    #[inline]
    pub const fn new(bytes: &'a [u8], now: Time, follows: Follows) -> Self {
        Self { bytes, earlier: &[], now, follows }
    }

    /// The time of the byte before this position.
    #[inline]
    pub fn time_before(&self, at: usize) -> Time {
        self.earlier.iter().find(|(end, _)| at <= *end).map_or(self.now, |(_, time)| *time)
    }

    /// Keeps the bytes from this position on until more arrive.
    pub fn undecided(&self, from: usize) -> Undecided {
        let later = self.earlier.iter().filter(|(end, _)| *end > from).map(|(end, time)| (end - from, *time));
        let mut pieces: Vec<_> = later.collect();
        let bytes = self.bytes[from..].to_vec();
        if pieces.last().is_none_or(|(end, _)| *end < bytes.len()) {
            pieces.push((bytes.len(), self.now));
        }
        Undecided { bytes, pieces }
    }
}

impl Undecided {
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), pieces: Vec::new() }
    }

    /// These bytes of one time.
    pub fn of(bytes: Vec<u8>, time: Time) -> Self {
        let pieces = if bytes.is_empty() { Vec::new() } else { vec![(bytes.len(), time)] };
        Self { bytes, pieces }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True if all bytes so far are decided.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Passes these bytes and further ones to `read`.
    #[inline]
    pub fn with(self, further: &[u8], now: Time, follows: Follows, read: impl FnOnce(Input<'_>)) {
        let mut bytes = self.bytes;
        bytes.extend_from_slice(further);
        read(Input { bytes: &bytes, earlier: &self.pieces, now, follows });
    }
}

/// The result of [`recognize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// A frame, valid or not.
    Frame,
    /// Undecided: pass more bytes. At most [`MUCH_TEXT`] bytes stay undecided.
    NeedMore,
    /// These bytes are no frame.
    Foreign(Foreign),
}

/// Recognizes one kind of foreign bytes.
type Attempt = fn(&[u8], &Boundary, Follows) -> Recognition;

/// Recognizes the bytes at the place of a frame. They must not be empty.
pub fn recognize(bytes: &[u8], at: &Boundary, follows: Follows) -> Recognition {
    use Recognition::{Frame, NeedMore};
    let tries: &[Attempt] = match bytes[0] {
        // With FIN it is a frame. A frame of one of these kinds may start without.
        0x80.. | 0x01 | 0x02 => &[],
        _ if at.extended => &[http, proxy],
        _ => &[http, tls, proxy, nul, text],
    };
    for attempt in tries {
        match attempt(bytes, at, follows) {
            Frame => {}
            NeedMore if follows != Follows::Unknown => {}
            found => return found,
        }
    }
    Frame
}

/// Names bytes that are known to be no frame. They must not be empty.
pub fn name(bytes: &[u8], at: &Boundary) -> Foreign {
    match recognize(bytes, at, Follows::Record) {
        Recognition::Foreign(what) => what,
        _ if bytes[0] == 0 => Foreign::Nul,
        _ if bytes.iter().all(|byte| b"\r\n".contains(byte)) => Foreign::LineBreak,
        _ => Foreign::Text,
    }
}

/// Returns true if a valid frame may start with these two bytes.
pub fn may_start_frame(two: &[u8], at: &Boundary) -> bool {
    (two[0] & 0xf != 0 || at.continues) && resync::may_start_frame(&two[..2], at.direction, at.rsv1)
}

/// The length of the text at the start of `bytes`, and whether it ends there: UTF-8 without control characters, except tabs and
/// line breaks. The first byte of a frame is no text, except of one with reserved bits.
pub fn text_len(bytes: &[u8]) -> (usize, bool) {
    let (valid, ends) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            (valid, error.error_len().is_some())
        }
    };
    let control = valid.find(|c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
    control.map_or((valid.len(), ends), |at| (at, true))
}

/// `HTTP/1.1 400` from any side, `GET /` from the client.
fn http(bytes: &[u8], at: &Boundary, _: Follows) -> Recognition {
    const PATTERN: &[u8] = b"HTTP/1.0 000";
    let fits = |(have, want): (&u8, &u8)| have == want || *want == b'0' && have.is_ascii_digit();
    if bytes.iter().zip(PATTERN).all(fits) {
        let Some(head) = bytes.get(..PATTERN.len()) else { return Recognition::NeedMore };
        let status = head[9..].iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        return Recognition::Foreign(Foreign::HttpResponse(status));
    }
    if at.direction == Direction::ServerToClient {
        return Recognition::Frame;
    }
    let begins = |method: &str| bytes.iter().zip(method.as_bytes()).all(|(have, want)| have == want);
    let Some(method) = METHODS.iter().find(|method| begins(method)) else { return Recognition::Frame };
    match bytes.get(method.len()..) {
        None | Some([] | [b' ']) => Recognition::NeedMore,
        Some([b' ', target, ..]) if b"/*h".contains(target) || *method == "CONNECT" && target.is_ascii_graphic() => {
            Recognition::Foreign(Foreign::HttpRequest)
        }
        Some(_) => Recognition::Frame,
    }
}

/// The head of a TLS record (RFC 8446 §5.1): content type, version, length.
fn tls(bytes: &[u8], _: &Boundary, _: Follows) -> Recognition {
    const MAX_RECORD: u16 = (1 << 14) + 2048;
    match *bytes {
        [0x14..=0x17] | [0x14..=0x17, 3] | [0x14..=0x17, 3, 0..=4] | [0x14..=0x17, 3, 0..=4, _] => {
            Recognition::NeedMore
        }
        [content, 3, 0..=4, high, low, ..]
            if (0x14..=0x17).contains(&content) && (1..=MAX_RECORD).contains(&u16::from_be_bytes([high, low])) =>
        {
            Recognition::Foreign(Foreign::Tls(content))
        }
        _ => Recognition::Frame,
    }
}

/// NUL bytes where no continuation frame may start: two or more, or one between the server's head and a frame, as from a C string.
/// That frame has FIN; read as the second byte of a continuation frame, it would have MASK, which a server never sets.
fn nul(bytes: &[u8], at: &Boundary, follows: Follows) -> Recognition {
    let terminator = at.after_head && at.direction == Direction::ServerToClient;
    match *bytes {
        _ if at.continues => Recognition::Frame,
        [0, 0, ..] => Recognition::Foreign(Foreign::Nul),
        [0] if follows == Follows::Record => Recognition::Foreign(Foreign::Nul),
        [0] => Recognition::NeedMore,
        [0, 0x80..=0xff] if terminator => Recognition::NeedMore,
        [0, first @ 0x80..=0xff, second, ..] if terminator && may_start_frame(&[first, second], at) => {
            Recognition::Foreign(Foreign::Nul)
        }
        _ => Recognition::Frame,
    }
}

/// A header of the PROXY protocol. Both versions begin with a reserved opcode or reserved bits.
fn proxy(bytes: &[u8], _: &Boundary, _: Follows) -> Recognition {
    match ProxyHeader::read(bytes) {
        ProxyReading::Header(header) => Recognition::Foreign(Foreign::Proxy(header)),
        ProxyReading::NeedMore if bytes.len() < MUCH_TEXT => Recognition::NeedMore,
        ProxyReading::NeedMore | ProxyReading::Other => Recognition::Frame,
    }
}

/// Line breaks and text. A frame of the length that the text announces is a frame.
fn text(bytes: &[u8], at: &Boundary, follows: Follows) -> Recognition {
    let (len, ends) = text_len(bytes);
    if len == 0 {
        return if ends { Recognition::Frame } else { Recognition::NeedMore };
    }
    // RSV1 on the first frame of a compressed message: `A` and `B`.
    if at.rsv1 && matches!(bytes[0], 0x41 | 0x42) {
        match bytes.get(..2) {
            None => return Recognition::NeedMore,
            Some(two) if may_start_frame(two, at) => return Recognition::Frame,
            Some(_) => {}
        }
    }
    // The length of the frame that would start here; its length code is a character, so it is at most 126.
    let frame = match bytes.get(1) {
        Some(code @ ..=125) => usize::from(*code) + 2,
        _ => usize::MAX,
    };
    if len >= TEXT && len > frame || len >= MUCH_TEXT {
        return Recognition::Foreign(Foreign::Text);
    }
    let breaks = len < TEXT && bytes[..len].iter().all(|byte| b"\r\n".contains(byte));
    let certain = match bytes.get(len..) {
        _ if !ends && follows == Follows::Unknown => return Recognition::NeedMore,
        // It is a record: a complete frame, or no frame.
        _ if !ends && follows == Follows::Record => len != frame,
        // The text ends with the stream, maybe inside a character.
        _ if !ends => {
            if breaks {
                len > 1 || at.after_head
            } else {
                len >= TEXT_AT_END
            }
        }
        // Too short, or the frame that it announces.
        _ if !breaks && (len < TEXT_BEFORE_FRAME || len == frame) => false,
        Some([first, second, ..]) => may_start_frame(&[*first, *second], at),
        _ if follows != Follows::Unknown => false,
        _ => return Recognition::NeedMore,
    };
    match certain {
        true if breaks => Recognition::Foreign(Foreign::LineBreak),
        true => Recognition::Foreign(Foreign::Text),
        false => Recognition::Frame,
    }
}

#[cfg(test)]
mod tests;
