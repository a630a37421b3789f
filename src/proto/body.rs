//! Finds the end of an HTTP body (RFC 9112 §6).

use super::chunked::Chunked;
use crate::wire::http::Head;

/// Counts the bytes of a body as they arrive. Keeps none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// This many bytes are still to come.
    Length(u64),
    /// Chunked transfer coding (RFC 9112 §7.1).
    Chunked(Chunked),
    /// All bytes until the stream ends; so many were taken.
    UntilEnd(u64),
}

/// Whether a body ends in the bytes that [`Body::take`] was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes belong to the body.
    Incomplete,
    /// The bytes that were taken are the last ones of the body.
    Complete,
    /// The first byte that was not taken violates the chunked transfer coding: where the body ends is unknown.
    Malformed(BodyFault),
}

/// Why the end of a body is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// Content-Length is no number, a number over 2⁶⁴ − 1, or several different ones (RFC 9112 §6.3, item 5).
    #[error("Content-Length is not one decimal number below 2^64")]
    Length,
    /// The last coding in the Transfer-Encoding of a request is not `chunked` (RFC 9112 §6.3, item 4).
    #[error("the last coding in Transfer-Encoding is not chunked")]
    Coding,
    /// The size of a chunk does not begin with a hexadecimal digit.
    #[error("the size of a chunk is not a hexadecimal number")]
    ChunkSize,
    /// The size of a chunk is over 2⁶⁴ − 1 bytes.
    #[error("the size of a chunk is 2^64 bytes or more")]
    ChunkTooLarge,
    /// Neither an extension nor a line break follows the size of a chunk, or a lone CR or LF is in the line.
    #[error("the line with the size of a chunk is malformed")]
    ChunkLine,
    /// No CR LF follows the data of a chunk.
    #[error("CR LF does not follow the data of a chunk")]
    ChunkEnd,
}

impl Body {
    /// The body of a request with this head.
    ///
    /// # Errors
    /// If its end is unknown: a server must answer 400 and close the connection (RFC 9112 §6.3).
    pub fn of_request(head: &Head<'_>) -> Result<Self, BodyFault> {
        match (is_chunked(head), content_length(head)) {
            (Some(true), _) => Ok(Self::Chunked(Chunked::default())),
            (Some(false), _) => Err(BodyFault::Coding),
            (None, length) => Ok(Self::Length(length?.unwrap_or(0))),
        }
    }

    /// The body of a response with this head to a request with this method; empty if unknown (RFC 9112 §6.3). If its length is
    /// malformed, it ends with the stream: the client must close the connection.
    pub fn of_response(head: &Head<'_>, method: &[u8]) -> Self {
        match (method, head.status().unwrap_or(0)) {
            (b"HEAD", _) | (_, 100..=199 | 204 | 304) => return Self::Length(0),
            // The bytes after it belong to the tunnel (RFC 9110 §9.3.6).
            (b"CONNECT", 200..=299) => return Self::Length(0),
            _ => {}
        }
        match (is_chunked(head), content_length(head)) {
            (Some(true), _) => Self::Chunked(Chunked::default()),
            (None, Ok(Some(length))) => Self::Length(length),
            _ => Self::UntilEnd(0),
        }
    }

    /// Takes the bytes that belong to the body from the start of `bytes`. Returns how many it took.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Progress) {
        match self {
            Self::Length(left) => {
                let taken = (*left).min(bytes.len() as u64);
                *left -= taken;
                (taken as usize, if *left == 0 { Progress::Complete } else { Progress::Incomplete })
            }
            Self::UntilEnd(taken) => {
                *taken += bytes.len() as u64;
                (bytes.len(), Progress::Incomplete)
            }
            Self::Chunked(chunked) => chunked.take(bytes),
        }
    }

    /// True if no bytes are missing.
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Length(0))
    }

    /// True if the body is complete when the stream ends here.
    pub const fn may_end_here(&self) -> bool {
        matches!(self, Self::Length(0) | Self::UntilEnd(_))
    }

    /// True in the trailer of a chunked body, or directly before it.
    pub const fn is_in_trailer(&self) -> bool {
        matches!(self, Self::Chunked(Chunked::Trailer { .. }))
    }
}

/// Whether `chunked` is the last coding in Transfer-Encoding; `None` without one.
fn is_chunked(head: &Head<'_>) -> Option<bool> {
    let codings = head.values("transfer-encoding").flat_map(|value| value.split(|b| *b == b','));
    let last = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty()).last();
    let is_present = head.value("transfer-encoding").is_some();
    is_present.then(|| last.is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")))
}

/// The value of Content-Length. It may be repeated, on one line or on several (RFC 9112 §6.3, item 5).
fn content_length(head: &Head<'_>) -> Result<Option<u64>, BodyFault> {
    let mut length = None;
    for value in head.values("content-length").flat_map(|value| value.split(|b| *b == b',')) {
        let digits =
            std::str::from_utf8(value.trim_ascii()).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).ok_or(BodyFault::Length)?;
        if *length.get_or_insert(number) != number {
            return Err(BodyFault::Length);
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes of `body` belong to the body of this message, and how it ends.
    fn taken(head: &str, body: &[u8]) -> (usize, Progress) {
        let head = Head::read(head.as_bytes());
        let new = || match head.method() {
            Some(_) => Body::of_request(&head).expect("a body"),
            None => Body::of_response(&head, b""),
        };
        let result = new().take(body);
        // The result is the same if the body arrives byte by byte.
        let (mut single, mut at, mut progress) = (new(), 0, Progress::Incomplete);
        while at < body.len() && progress == Progress::Incomplete {
            let (n, next) = single.take(&body[at..=at]);
            (at, progress) = (at + n, next);
        }
        assert_eq!((at, progress), result, "{}", body.escape_ascii());
        result
    }

    #[test]
    fn some_responses_have_no_body() {
        let length = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        for (head, method, whole) in [
            (&length[..], &b"HEAD"[..], true),
            (length, b"CONNECT", true),
            (length, b"GET", false),
            (length, b"", false),
            (b"HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n", b"CONNECT", false),
            (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", b"GET", true),
        ] {
            assert_eq!(Body::of_response(&Head::read(head), method).is_whole(), whole);
        }
    }

    #[test]
    fn rfc_9112_section_6_3_the_headers_say_where_a_body_ends() {
        let chunked = || Ok(Body::Chunked(Chunked::default()));
        for (lines, request, response) in [
            ("A: b", Ok(Body::Length(0)), Body::UntilEnd(0)),
            ("Content-Length: 3", Ok(Body::Length(3)), Body::Length(3)),
            ("Content-Length: 3, 03\r\nContent-Length: 3", Ok(Body::Length(3)), Body::Length(3)),
            ("Content-Length: 3\r\nContent-Length: 4", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Content-Length: 3, 4", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Content-Length: +3", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Content-Length: 0x3", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Content-Length:", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Content-Length: 18446744073709551615", Ok(Body::Length(u64::MAX)), Body::Length(u64::MAX)),
            ("Content-Length: 18446744073709551616", Err(BodyFault::Length), Body::UntilEnd(0)),
            ("Transfer-Encoding: gzip, Chunked", chunked(), chunked().expect("chunked")),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", chunked(), chunked().expect("chunked")),
            ("Transfer-Encoding: chunked\r\nContent-Length: x", chunked(), chunked().expect("chunked")),
            ("Transfer-Encoding: chunked, gzip", Err(BodyFault::Coding), Body::UntilEnd(0)),
            ("Transfer-Encoding: xchunked\r\nContent-Length: 3", Err(BodyFault::Coding), Body::UntilEnd(0)),
            ("Transfer-Encoding:", Err(BodyFault::Coding), Body::UntilEnd(0)),
        ] {
            let head = |start: &str| format!("{start}\r\n{lines}\r\n\r\n");
            let (asked, answered) = (head("POST / HTTP/1.1"), head("HTTP/1.1 200 OK"));
            assert_eq!(Body::of_request(&Head::read(asked.as_bytes())), request, "{lines}");
            assert_eq!(Body::of_response(&Head::read(answered.as_bytes()), b"GET"), response, "{lines}");
        }
    }

    #[test]
    fn a_body_ends_according_to_its_framing() {
        assert_eq!(taken("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"abcdef"), (3, Progress::Complete));
        assert_eq!(taken("HTTP/1.1 200 OK\r\n\r\n", b"abc"), (3, Progress::Incomplete));
    }

    #[test]
    fn rfc_9112_section_7_1_a_chunked_body_ends_with_its_trailer_or_where_it_is_malformed() {
        use BodyFault::{ChunkEnd, ChunkLine, ChunkSize, ChunkTooLarge};
        use Progress::{Complete, Incomplete, Malformed};
        for (body, result) in [
            (&b"3;x=1\r\nabc\r\n0\r\nTrailer: 1\r\n\r\nnext"[..], (29, Complete)),
            (b"0a \t;x=\";\"\r\n0123456789\r\n00\r\n\r\nnext", (30, Complete)),
            (b"1\na\r\n0\n\nnext", (8, Complete)),
            (b"0\r\n\r\r\n\r\nnext", (8, Complete)),
            (b"0\r\n", (3, Incomplete)),
            (b"ffffffffffffffff\r\nabc", (21, Incomplete)),
            (b"0000000000000000000001\r\na\r\n", (27, Incomplete)),
            (b"zz\r\nGET / HTTP/1.1\r\n\r\n", (0, Malformed(ChunkSize))),
            (b"1\r\na\r\n\r\n", (6, Malformed(ChunkSize))),
            (b"-1\r\n", (0, Malformed(ChunkSize))),
            (b";x\r\n", (0, Malformed(ChunkSize))),
            (b"3z\r\nabc\r\n", (1, Malformed(ChunkLine))),
            (b"0x3\r\nabc\r\n", (1, Malformed(ChunkLine))),
            (b"3 3\r\nabc\r\n", (2, Malformed(ChunkLine))),
            (b"3\rabc\r\n", (2, Malformed(ChunkLine))),
            (b"3;x\nabc\r\n", (3, Malformed(ChunkLine))),
            (b"3;x\ry\r\nabc\r\n", (4, Malformed(ChunkLine))),
            (b"10000000000000000\r\n", (16, Malformed(ChunkTooLarge))),
            (b"3\r\nabcd\r\n0\r\n\r\n", (6, Malformed(ChunkEnd))),
            (b"3\r\nabc\n0\r\n\r\n", (6, Malformed(ChunkEnd))),
            (b"3\r\nabc\rX", (7, Malformed(ChunkEnd))),
        ] {
            let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
            assert_eq!(taken(head, body), result, "{}", body.escape_ascii());
        }
    }
}
