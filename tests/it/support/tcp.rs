//! TCP segments: a conversation, and what a network does to its segments.

use super::{REQUEST, RESPONSE, frame};
use framescope::wire::opcode::Opcode;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;
pub const PSH_ACK: u8 = 0x18;

/// The largest payload of a segment.
pub const MSS: usize = 500;

/// A TCP segment between one client and one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub up: bool,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub payload: Vec<u8>,
}

/// A TCP connection that is written down as it is spoken.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// The next sequence number of the client, and of the server.
    pub next: [u32; 2],
    pub segments: Vec<Segment>,
}

impl Tcp {
    /// With its SYN exchange.
    pub fn open(client: u32, server: u32) -> Self {
        let mut tcp = Self { next: [client, server], segments: Vec::new() };
        tcp.send(true, SYN, &[]);
        tcp.next[0] = client.wrapping_add(1);
        tcp.send(false, SYN | ACK, &[]);
        tcp.next[1] = server.wrapping_add(1);
        tcp.send(true, ACK, &[]);
        tcp
    }

    /// One segment.
    pub fn send(&mut self, up: bool, flags: u8, payload: &[u8]) {
        let [own, other] = if up { [0, 1] } else { [1, 0] };
        let ack = if flags & ACK != 0 { self.next[other] } else { 0 };
        self.segments.push(Segment { up, seq: self.next[own], ack, flags, payload: payload.to_vec() });
        self.next[own] = self.next[own].wrapping_add(payload.len() as u32);
    }

    /// Bytes in segments, which the other side acknowledges.
    pub fn say(&mut self, up: bool, bytes: &[u8]) {
        bytes.chunks(MSS).for_each(|piece| self.send(up, PSH_ACK, piece));
        self.send(!up, ACK, &[]);
    }

    /// Both sides end it.
    pub fn close(&mut self) {
        for up in [false, true] {
            self.send(up, FIN | ACK, &[]);
            let own = usize::from(!up);
            self.next[own] = self.next[own].wrapping_add(1);
            self.send(!up, ACK, &[]);
        }
    }

    /// A handshake, texts both ways, a ping and its pong, a message in several segments, fragments, Closes.
    pub fn conversation(client: u32, server: u32) -> Self {
        let mut tcp = Self::open(client, server);
        for (up, bytes) in said() {
            tcp.say(up, &bytes);
        }
        tcp.close();
        tcp
    }
}

/// What is said in the conversation, a step each.
pub fn said() -> Vec<(bool, Vec<u8>)> {
    let down = |fin, opcode, payload: &[u8]| (false, frame(fin, opcode, None, payload));
    let up = |n: u8, opcode, payload: &[u8]| (true, frame(true, opcode, Some([n, 0x9a, 0x3c, 7]), payload));
    let two = [frame(false, Opcode::Text, None, b"in two "), frame(true, Opcode::Continuation, None, b"fragments")];
    vec![
        (true, REQUEST.as_bytes().to_vec()),
        (false, RESPONSE.as_bytes().to_vec()),
        down(true, Opcode::Text, b"echo 0"),
        up(1, Opcode::Text, b"client: echo 0"),
        down(true, Opcode::Ping, b"are you there"),
        up(2, Opcode::Pong, b"are you there"),
        down(true, Opcode::Text, "a long text ".repeat(200).as_bytes()),
        up(3, Opcode::Binary, &[0xa5; 1234]),
        (false, two.concat()),
        down(true, Opcode::Text, b"echo 1"),
        up(4, Opcode::Text, b"client: echo 1"),
        down(true, Opcode::Text, b"echo 2"),
        down(true, Opcode::Close, b"\x03\xe8"),
        up(5, Opcode::Close, b"\x03\xe8"),
    ]
}

/// Each pair of neighbours that both carry payload the same way, and their acknowledgment, swapped.
pub fn reordered(segments: &[Segment]) -> Vec<Segment> {
    let mut out = segments.to_vec();
    let mut i = 0;
    while i + 1 < out.len() {
        if !out[i].payload.is_empty() && out[i].up == out[i + 1].up && !out[i + 1].payload.is_empty() {
            out.swap(i, i + 1);
            i += 2;
        } else {
            i += 1;
        }
    }
    out
}

/// Each segment with payload comes twice, later once more with its neighbour in one.
pub fn repeated(segments: &[Segment]) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for segment in segments {
        let joined = out
            .iter()
            .rev()
            .find(|before| before.up == segment.up && !before.payload.is_empty())
            .filter(|before| before.seq.wrapping_add(before.payload.len() as u32) == segment.seq)
            .map(|before| Segment { payload: [&before.payload[..], &segment.payload].concat(), ..before.clone() });
        out.push(segment.clone());
        if !segment.payload.is_empty() {
            out.extend(joined);
            out.push(segment.clone());
        }
    }
    out
}

/// Each direction is asked now and then whether it is still there: its last byte again, with another value.
pub fn probed(segments: &[Segment]) -> Vec<Segment> {
    let mut out = Vec::new();
    for segment in segments {
        out.push(segment.clone());
        if !segment.payload.is_empty() {
            let seq = segment.seq.wrapping_add(segment.payload.len() as u32).wrapping_sub(1);
            out.push(Segment { seq, flags: ACK, payload: vec![0], ..segment.clone() });
        }
    }
    out
}
