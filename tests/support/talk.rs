//! Conversations, sound and broken, for property tests.

use framescope::proto::dissected::Direction;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{DOWN, REQUEST, RESPONSE, UP, frame};

/// Who says what.
pub type Said = (Direction, Vec<u8>);

pub fn any_frame(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), 0u8..16, any::<[u8; 4]>(), vec(any::<u8>(), 0..200)).prop_map(move |(fin, opcode, key, payload)| {
        frame(fin, Opcode::from_wire(opcode), masked.then_some(key), &payload)
    })
}

fn said_by_client() -> impl Strategy<Value = Vec<u8>> {
    let long_head = [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(12_000)].concat();
    prop_oneof![
        3 => Just(REQUEST.as_bytes().to_vec()),
        2 => Just(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        1 => Just(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n".to_vec()),
        1 => Just(REQUEST.replace("User-Agent", "Content-Length: 5\r\nUser-Agent").into_bytes()),
        1 => Just(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nHost: a\r\n\r\n".to_vec()),
        1 => Just(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n".to_vec()),
        1 => Just(b"0\r\n\r\n".to_vec()),
        1 => Just(b"hello".to_vec()),
        1 => Just(vec![b'z'; 70_000]),
        1 => Just(long_head),
        1 => Just(vec![0x82; 1_100_000]),
        4 => any_frame(true),
        2 => vec(any::<u8>(), 0..100),
    ]
}

fn said_by_server() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(RESPONSE.as_bytes().to_vec()),
        1 => Just(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n".to_vec()),
        1 => Just(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".to_vec()),
        1 => Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        1 => Just(b"HTTP/1.1 200 OK\r\n\r\nabc".to_vec()),
        1 => Just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()),
        4 => any_frame(false),
        1 => vec(any::<u8>(), 0..100),
    ]
}

pub fn conversation() -> impl Strategy<Value = Vec<Said>> {
    let said = prop_oneof![said_by_client().prop_map(|b| (UP, b)), said_by_server().prop_map(|b| (DOWN, b))];
    vec(said, 0..10)
}
