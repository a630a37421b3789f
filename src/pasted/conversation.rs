//! Both directions of a connection, when a paste shows them.

use super::{Content, shape};
use crate::proto::dissected::Direction;
use crate::wire::frame::FrameHead;
use crate::wire::http;

/// Bytes of both directions of one connection, in the order in which they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// True if it starts with an HTTP head; otherwise its first bytes are frames.
    pub has_handshake: bool,
    /// The bytes.
    pub pieces: Vec<Piece>,
}

/// Bytes that one side sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Their direction.
    pub direction: Direction,
    /// At least one byte.
    pub bytes: Vec<u8>,
}

/// Bytes that one of two sides sent. The paste does not say which side is the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sided {
    pub side: usize,
    pub bytes: Vec<u8>,
}

impl Sided {
    /// The content of bytes of both sides. The bytes show which side is the client.
    pub fn content(mut all: Vec<Self>) -> Content {
        all.retain(|said| !said.bytes.is_empty());
        let Some(first) = all.first().map(|said| said.side) else { return Content::Bytes(Vec::new()) };
        if all.iter().all(|said| said.side == first) {
            return split_heads(all.into_iter().flat_map(|said| said.bytes).collect());
        }
        let client = client(&all).unwrap_or(first);
        Self::between(client, all)
    }

    /// The content of bytes whose sides are known, although the paste may not say which is the client. If the bytes do not show it
    /// either, MASK gives the direction of each frame. `None` if that is impossible, because a side's bytes are no whole frames.
    pub fn marked(all: Vec<Self>) -> Option<Content> {
        let first = all.first()?.side;
        let has_sides = all.iter().any(|said| said.side != first);
        if let Some(client) = client(&all).filter(|_| has_sides) {
            return Some(Self::between(client, all));
        }
        let is_possible = !has_sides || all.iter().all(|said| shape::is_whole(&said.bytes));
        is_possible.then(|| split_heads(all.into_iter().flat_map(|said| said.bytes).collect()))
    }

    /// The content of bytes of both sides; the side `client` is the client.
    pub fn between(client: usize, all: Vec<Self>) -> Content {
        let mut pieces: Vec<Piece> = Vec::new();
        for said in all {
            let up = said.side == client;
            let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
            pieces.push(Piece { direction, bytes: said.bytes });
        }
        let has_handshake = pieces.iter().any(|piece| head_of(&piece.bytes).is_some() || begins_head(&piece.bytes));
        Content::Conversation(Conversation { has_handshake, pieces })
    }
}

/// The side that is the client: it sends a request, or masks its first frame (RFC 6455 §5.1).
fn client(all: &[Sided]) -> Option<usize> {
    let sides = [0, 1].map(|side| {
        let bytes: Vec<u8> =
            all.iter().filter(|said| said.side == side).flat_map(|said| &said.bytes).copied().collect();
        bytes
    });
    let is = |shows: fn(&[u8]) -> bool| (0..2).find(|side| shows(&sides[*side]) && !shows(&sides[1 - side]));
    is(|bytes| matches!(head_of(bytes), Some((Direction::ClientToServer, _))))
        .or_else(|| is(|bytes| begins_head(bytes) && bytes.starts_with(b"HTTP/")).map(|server| 1 - server))
        .or_else(|| is(|bytes| bytes.get(1).is_some_and(|second| second & 0x80 != 0)))
}

/// The content of bytes without directions: HTTP heads at their beginning have one, and MASK shows that of a frame.
pub(super) fn split_heads(bytes: Vec<u8>) -> Content {
    let mut pieces = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((direction, len)) = head_of(rest) {
        pieces.push(Piece { direction, bytes: rest[..len].to_vec() });
        rest = &rest[len..];
    }
    if pieces.is_empty() {
        return Content::Bytes(bytes);
    }
    pieces.extend(frames(rest).map(|(direction, bytes)| Piece { direction, bytes: bytes.to_vec() }));
    Content::Conversation(Conversation { has_handshake: true, pieces })
}

/// Each frame of `bytes` with the direction that its MASK shows. A frame that ends before its MASK is taken as the server's.
pub(super) fn frames(bytes: &[u8]) -> impl Iterator<Item = (Direction, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let first = rest.first().map(|_| rest)?;
        let masked = first.get(1).is_some_and(|second| second & 0x80 != 0);
        let direction = if masked { Direction::ClientToServer } else { Direction::ServerToClient };
        let len = match FrameHead::read(first) {
            Some(head) => usize::try_from(head.wire_len()).unwrap_or(usize::MAX).min(first.len()),
            None => first.len(),
        };
        let (frame, after) = first.split_at(len);
        rest = after;
        Some((direction, frame))
    })
}

/// The direction and the length of the HTTP head that `bytes` starts with, if it is complete.
fn head_of(bytes: &[u8]) -> Option<(Direction, usize)> {
    if !begins_head(bytes) {
        return None;
    }
    let direction = match bytes.starts_with(b"HTTP/") {
        true => Direction::ServerToClient,
        false => Direction::ClientToServer,
    };
    Some((direction, http::head_len(bytes, 0)?))
}

/// The number of complete HTTP heads that `bytes` starts with, and the bytes after them.
pub(super) fn after_heads(bytes: &[u8]) -> (usize, &[u8]) {
    let (mut heads, mut rest) = (0, bytes);
    while let Some((_, len)) = head_of(rest) {
        (heads, rest) = (heads + 1, &rest[len..]);
    }
    (heads, rest)
}

/// Returns true if `bytes` starts with the first line of a request or response (RFC 9112 §3, §4). A frame cannot: its
/// first byte would have a reserved opcode.
pub(super) fn begins_head(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    bytes.starts_with(b"HTTP/1.") || http::may_be_request(bytes) && line.windows(8).any(|part| part == b" HTTP/1.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{ClientToServer as Up, ServerToClient as Down};

    #[test]
    fn frames_are_split_at_their_ends_and_mask_determines_the_direction() {
        let split = |bytes: &[u8]| frames(bytes).map(|(direction, frame)| (direction, frame.len())).collect::<Vec<_>>();
        assert_eq!(split(&[0x8a, 0x80, 1, 2, 3, 4, 0x89, 0x01, 0, 0x81]), [(Up, 6), (Down, 3), (Down, 1)]);
        assert_eq!(split(&[0x82, 0x7f, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1]), [(Down, 11)]);
    }

    #[test]
    fn heads_before_frames_have_their_directions() {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let response = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
        let Content::Conversation(found) = split_heads([&request[..], response, &[0x89, 0]].concat()) else {
            panic!("a conversation")
        };
        let found: Vec<_> = found.pieces.iter().map(|piece| (piece.direction, piece.bytes.len())).collect();
        assert_eq!(found, [(Up, request.len()), (Down, response.len()), (Down, 2)]);
        assert_eq!(split_heads(b"GET".to_vec()), Content::Bytes(b"GET".to_vec()));
    }

    #[test]
    fn the_bytes_show_which_side_is_the_client() {
        let said = |side, bytes: &[u8]| Sided { side, bytes: bytes.to_vec() };
        let directions = |all: Vec<Sided>| match Sided::content(all) {
            Content::Conversation(found) => found.pieces.iter().map(|piece| piece.direction).collect::<Vec<_>>(),
            Content::Bytes(_) => Vec::new(),
        };
        assert_eq!(directions(vec![said(1, b"GET / HTTP/1.1\r\n\r\n"), said(0, b"HTTP/1.1 101 \r\n\r\n")]), [Up, Down]);
        assert_eq!(directions(vec![said(0, &[0x89, 0]), said(1, &[0x8a, 0x80, 1, 2, 3, 4])]), [Down, Up]);
        assert_eq!(directions(vec![said(1, &[0x89, 0])]), []);
    }
}
