//! Finds the end of an HTTP body (RFC 9112 §6).

use crate::wire::http::Head;

/// Counts the bytes of a body as they arrive. Keeps none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// This many bytes are still to come.
    Length(u64),
    /// Chunked transfer coding (RFC 9112 §7.1).
    Chunked(ChunkPosition),
    /// All bytes until the stream ends; so many were taken.
    UntilEnd(u64),
}

/// The position in a chunked body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkPosition {
    /// In a size line: the size read so far, and whether all its digits were read.
    Size(u64, bool),
    /// In the data of a chunk or in the line break after it: the number of bytes still to come.
    Data(u64),
    /// In the trailer: the number of bytes in the current line so far.
    Trailer(usize),
}

impl Body {
    /// The body of a request with this head.
    pub fn of_request(head: &Head<'_>) -> Self {
        if head.has_token("transfer-encoding", "chunked") {
            return Self::Chunked(ChunkPosition::Size(0, false));
        }
        Self::Length(content_length(head).unwrap_or(0))
    }

    /// The body of a response with this head to a request with this method; empty if unknown (RFC 9112 §6.3).
    pub fn of_response(head: &Head<'_>, method: &[u8]) -> Self {
        match (method, head.status().unwrap_or(0)) {
            (b"HEAD", _) | (_, 100..=199 | 204 | 304) => return Self::Length(0),
            // The bytes after it belong to the tunnel (RFC 9110 §9.3.6).
            (b"CONNECT", 200..=299) => return Self::Length(0),
            _ => {}
        }
        if head.has_token("transfer-encoding", "chunked") {
            return Self::Chunked(ChunkPosition::Size(0, false));
        }
        content_length(head).map_or(Self::UntilEnd(0), Self::Length)
    }

    /// Takes the bytes that belong to the body from the start of `bytes`. Returns how many it took, and whether the body is
    /// complete.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self {
            Self::Length(left) => {
                let taken = (*left).min(bytes.len() as u64);
                *left -= taken;
                (taken as usize, *left == 0)
            }
            Self::UntilEnd(taken) => {
                *taken += bytes.len() as u64;
                (bytes.len(), false)
            }
            Self::Chunked(chunk) => take_chunked(chunk, bytes),
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
}

fn content_length(head: &Head<'_>) -> Option<u64> {
    std::str::from_utf8(head.value("content-length")?).ok()?.trim().parse().ok()
}

fn take_chunked(chunk: &mut ChunkPosition, bytes: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while at < bytes.len() {
        match chunk {
            ChunkPosition::Size(size, over) => {
                let byte = bytes[at];
                at += 1;
                match (byte as char).to_digit(16) {
                    Some(digit) if !*over => *size = size.saturating_mul(16).saturating_add(u64::from(digit)),
                    _ if byte == b'\n' => {
                        *chunk = if *size == 0 {
                            ChunkPosition::Trailer(0)
                        } else {
                            ChunkPosition::Data(size.saturating_add(2))
                        };
                    }
                    _ => *over = true,
                }
            }
            ChunkPosition::Data(left) => {
                let taken = (*left).min((bytes.len() - at) as u64);
                at += taken as usize;
                *left -= taken;
                if *left == 0 {
                    *chunk = ChunkPosition::Size(0, false);
                }
            }
            ChunkPosition::Trailer(line) => {
                let byte = bytes[at];
                at += 1;
                match byte {
                    b'\n' if *line == 0 => return (at, true),
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                }
            }
        }
    }
    (at, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(head: &[u8], body: &[u8]) -> (usize, bool) {
        let head = Head::read(head);
        let mut whole = Body::of_response(&head, b"");
        let result = whole.take(body);
        // The result is the same if the body arrives byte by byte.
        let mut single = Body::of_response(&head, b"");
        let mut at = 0;
        while at < body.len() {
            let (n, done) = single.take(&body[at..=at]);
            at += n;
            if done || n == 0 {
                break;
            }
        }
        assert_eq!(at, result.0);
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
    fn a_body_ends_according_to_its_framing() {
        assert_eq!(taken(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"abcdef"), (3, true));
        assert_eq!(taken(b"HTTP/1.1 200 OK\r\n\r\n", b"abc"), (3, false));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(taken(chunked, b"3;x=1\r\nabc\r\n0\r\nTrailer: 1\r\n\r\nnext"), (29, true));
        assert_eq!(taken(chunked, b"fffffffffffffffffff\r\nabc"), (24, false));
    }
}
