use std::fs::File;
use std::sync::Arc;

use super::*;
use crate::capture::format::sequence::SeqNumber;
use crate::capture::import::link::{TcpFlags, VirtualNetwork};
use crate::capture::import::tls::KeySource;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const REQUEST: &[u8] = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
/// The compressed "Hello" of RFC 7692 §7.2.3.1.
const HELLO_UP: &[u8] = &[0xc1, 0x87, 0, 0, 0, 0, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const HELLO_DOWN: &[u8] = &[0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// The packets of a file that exists only as segments.
struct Packets {
    flows: Flows,
    _file: tempfile::NamedTempFile,
    time: u64,
}

impl Packets {
    fn new() -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let opened = Arc::new(File::open(file.path()).expect("the file"));
        let capture = Capture::over(opened, file.path());
        let decryption = Decryption::new(capture.clone(), true, KeySource::default());
        Self { flows: Flows::new(capture, ImportOptions::default(), decryption), _file: file, time: 0 }
    }

    /// Takes the next segment of a direction; `sent` counts its bytes.
    fn send(&mut self, port: u16, direction: Direction, sent: &mut u32, payload: &[u8], flags: TcpFlags) {
        let (client, server) = (SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from(([127, 0, 0, 1], 9001)));
        let (source, destination) = if direction == UP { (client, server) } else { (server, client) };
        self.time += 1;
        self.flows.take(Segment {
            tcp: TcpHead {
                network: VirtualNetwork::default(),
                source,
                destination,
                seq: SeqNumber(*sent),
                ack: SeqNumber(0),
                flags,
                payload: (0, payload.len()),
                wire_len: u32::try_from(payload.len()).expect("a length"),
            },
            payload,
            position: 0,
            block: (self.time, self.time + 1),
            time: Time(self.time),
            notes: Vec::new(),
            marker: None,
        });
        *sent += u32::try_from(payload.len()).expect("a length") + u32::from(flags.syn || flags.fin);
    }
}

const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false };
const PLAIN: TcpFlags = TcpFlags { syn: false, ..SYN };
const FIN: TcpFlags = TcpFlags { fin: true, ..PLAIN };

#[test]
fn a_connection_has_dissectors_until_both_directions_have_ended() {
    let mut packets = Packets::new();
    for n in 0..50_u16 {
        let (port, mut up, mut down) = (10_000 + n, 7, 9);
        packets.send(port, UP, &mut up, &[], SYN);
        packets.send(port, UP, &mut up, REQUEST, PLAIN);
        packets.send(port, DOWN, &mut down, RESPONSE, PLAIN);
        packets.send(port, UP, &mut up, HELLO_UP, PLAIN);
        packets.send(port, DOWN, &mut down, HELLO_DOWN, PLAIN);
        packets.send(port, DOWN, &mut down, &[], FIN);
        let flow = usize::from(n);
        assert!(packets.flows.flows[flow].connection.is_some(), "the client has not ended");
        packets.send(port, UP, &mut up, &[], FIN);
        assert!(packets.flows.flows[flow].connection.is_none());
        // A packet that arrives late changes nothing.
        packets.send(port, UP, &mut up, b"late", PLAIN);
        packets.flows.commit();
        assert_eq!((packets.flows.flows.len(), packets.flows.capture.len()), (flow + 1, 6 * (u64::from(n) + 1)));
    }
    assert_eq!(packets.flows.finish(), ["200 bytes after the end of their connection are not shown"]);
}

#[test]
fn a_reset_drops_the_dissectors_too() {
    let mut packets = Packets::new();
    let mut up = 7;
    packets.send(10_000, UP, &mut up, REQUEST, PLAIN);
    packets.send(10_000, UP, &mut up, &[], TcpFlags { rst: true, ..PLAIN });
    assert!(packets.flows.flows[0].connection.is_none());
}

#[test]
fn a_ring_forgets_connections_of_which_no_packet_is_kept() {
    let mut packets = Packets::new();
    packets.flows.keep_openings();
    let sent = |packets: &mut Packets, port: u16, ends: bool| {
        let (mut up, mut down) = (7, 9);
        packets.send(port, UP, &mut up, &[], SYN);
        packets.send(port, UP, &mut up, REQUEST, PLAIN);
        packets.send(port, DOWN, &mut down, RESPONSE, PLAIN);
        if ends {
            packets.send(port, UP, &mut up, &[], FIN);
            packets.send(port, DOWN, &mut down, &[], FIN);
        }
        [up, down]
    };
    // One without a byte, one that has ended, one that is open, and one whose packets are kept.
    packets.send(10_000, UP, &mut 7, &[], SYN);
    sent(&mut packets, 10_001, true);
    let [mut up, _] = sent(&mut packets, 10_002, false);
    let kept = packets.time;
    sent(&mut packets, 10_003, true);
    packets.flows.commit();
    packets.flows.forget_before(kept + 1);
    let ports: Vec<u16> = packets.flows.flows.iter().map(|flow| flow.client.port()).collect();
    assert_eq!(ports, [10_002, 10_003]);
    let records = packets.flows.capture.len();
    packets.send(10_002, UP, &mut up, HELLO_UP, PLAIN);
    packets.flows.commit();
    assert_eq!((packets.flows.flows.len(), packets.flows.capture.len()), (2, records + 1), "it goes on");
    // If the capture lacks the ends of many connections, those that were silent longest are ended.
    for port in 20_000..20_000 + u16::try_from(forget::MAX_SILENT).expect("a port") + 5 {
        sent(&mut packets, port, false);
    }
    packets.flows.forget_before(packets.time + 2);
    packets.flows.commit();
    assert_eq!(packets.flows.flows.len(), forget::MAX_SILENT);
    assert_eq!(packets.flows.flows[0].client.port(), 20_005);
}
