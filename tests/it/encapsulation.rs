//! TCP inside other things: link layers, tunnels, exported PDUs; and what is named because it is not read.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::import::{Opened, expected, opened, stream};
use crate::support::encapsulation::{
    LINK_LAYERS, Tunnel, TunnelKind, aggregated, any_tunnel, ethernet, file, ip, pdu, tunnelled, udp, wireless,
};
use crate::support::packets::{Form, PLAIN};
use crate::support::tcp::{Segment, Tcp, said};
use crate::support::{DOWN, REQUEST, RESPONSE, START, UP, cases, frame};
use framescope::proto::dissected::Kind;
use framescope::proto::rules::Rule;
use framescope::wire::opcode::Opcode;

/// The records of the conversation, and nothing else.
fn assert_whole(opened: &Opened, name: &str) {
    assert_eq!(opened.trouble, "", "{name}");
    assert_eq!(opened.rules(), [], "{name}");
    for direction in [UP, DOWN] {
        assert_eq!(opened.kinds(direction), expected(direction), "{name}");
        assert!(opened.bytes(direction) == stream(direction), "{name}");
    }
}

#[test]
fn the_same_conversation_on_every_link_layer() {
    let talk = Tcp::conversation(1000, 70_000).segments;
    for layer in LINK_LAYERS {
        for v6 in [false, true] {
            assert_whole(&opened(&tunnelled(&talk, v6, &[], layer)), layer.0);
        }
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn the_same_conversation_in_any_tunnels(
        tunnels in vec(any_tunnel(), 0..5), layer in 0..LINK_LAYERS.len(), v6: bool, isn: [u32; 2],
    ) {
        let talk = Tcp::conversation(isn[0], isn[1]).segments;
        assert_whole(&opened(&tunnelled(&talk, v6, &tunnels, &LINK_LAYERS[layer])), "tunnels");
    }

    #[test]
    fn no_damage_to_a_packet_makes_it_panic(
        tunnels in vec(any_tunnel(), 0..4), layer in 0..LINK_LAYERS.len(), v6: bool,
        changes in vec((any::<Index>(), any::<u8>()), 0..12), cut: Index,
    ) {
        let mut whole = tunnelled(&Tcp::conversation(1, 2).segments[..8], v6, &tunnels, &LINK_LAYERS[layer]);
        for (at, byte) in changes {
            let at = 40 + at.index(whole.len() - 40);
            whole[at] = byte;
        }
        whole.truncate(24 + cut.index(whole.len() - 23));
        let _ = opened(&whole);
    }

    #[test]
    fn no_exported_pdu_makes_it_panic(
        pdus in vec((any::<bool>(), any::<bool>(), vec((30u16..36, vec(any::<u8>(), 0..24)), 0..3), vec(any::<u8>(), 0..60)), 0..12),
        cut: Index,
    ) {
        let packets: Vec<Vec<u8>> = pdus.iter().map(|(v6, up, tags, payload)| pdu(*v6, *up, tags, payload)).collect();
        let mut whole = file(252, &packets);
        whole.truncate(24 + cut.index(whole.len() - 23));
        let _ = opened(&whole);
    }
}

#[test]
fn several_segments_in_one_wireless_frame_are_all_read() {
    let talk = Tcp::conversation(1000, 70_000).segments;
    let packets: Vec<Vec<u8>> = talk.iter().enumerate().map(|(n, segment)| PLAIN.wrapped(segment, n)).collect();
    for count in [2, 3, 7] {
        let frames: Vec<Vec<u8>> =
            packets.chunks(count).map(|some| aggregated(&some.iter().map(Vec::as_slice).collect::<Vec<_>>())).collect();
        assert_whole(&opened(&file(105, &frames)), "several");
        // Without the checksum.
        let bare: Vec<Vec<u8>> = frames.iter().map(|frame| frame[..frame.len() - 4].to_vec()).collect();
        assert_whole(&opened(&file(105, &bare)), "no checksum");
    }
}

#[test]
fn control_packets_and_other_messages_of_tunnels_are_not_read() {
    let inner = PLAIN.wrapped(&Tcp::open(1, 2).segments[0], 0);
    let nothing = opened(&file(101, &[ip(false, 17, &udp(53, b"a question"), None, 1).remove(0)])).trouble;
    for (port, head) in [
        (6081, &[0u8, 0x80, 0x08, 0, 0, 0, 5, 0][..]),
        (2152, &[0x30, 26, 0, 40, 0, 0, 0, 7]),
        (2152, &[0x34, 0xff, 0, 44, 0, 0, 0, 7, 0, 1, 0, 0x85, 0, 0, 0, 0]),
    ] {
        let packet = ip(false, 17, &udp(port, &[head, &inner].concat()), None, 1).remove(0);
        assert_eq!(opened(&file(101, &[packet])).trouble, nothing, "port {port}: {head:02x?}");
    }
}

#[test]
fn a_lost_fragment_inside_a_tunnel_is_counted_and_its_bytes_are_a_gap() {
    let tunnel = Tunnel { fragment: Some(64), ..Tunnel::of(TunnelKind::Vxlan(4789)) };
    let talk = Tcp::conversation(1, 2).segments;
    let mut packets: Vec<Vec<Vec<u8>>> =
        talk.iter().enumerate().map(|(n, s)| tunnel.around(&PLAIN.wrapped(s, n), n as u16)).collect();
    assert_whole(&opened(&file(101, &packets.concat())), "nothing lost");
    let long = packets.iter_mut().find(|fragments| fragments.len() > 8).expect("a long segment");
    long.remove(3);
    let left = long.len();
    let lossy = opened(&file(101, &packets.concat()));
    assert!(lossy.trouble.starts_with(&format!("{left} IP fragments ")), "{}", lossy.trouble);
    assert!(lossy.records.iter().any(|(record, _)| record.kind == Kind::Gap));
}

#[test]
fn the_last_address_of_a_routing_header_is_the_destination() {
    let talk = Tcp::conversation(1000, 70_000).segments;
    let plain = Form { v6: true, ..PLAIN };
    let by_way = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xde, 0xad];
    // The kind, the addresses in the order of the header without the destination's place, and whether the destination comes first.
    for (kind, others, first) in [(0, 0, true), (0, 2, false), (2, 0, true), (4, 0, true), (4, 3, true)] {
        for arrived in [false, true] {
            let route = |(n, segment): (usize, &Segment)| {
                // Each third packet has extension headers of its own.
                let mut packet = plain.wrapped(segment, n);
                let destination = packet[24..40].to_vec();
                let mut addresses = vec![by_way.to_vec(); others];
                addresses.insert(if first { 0 } else { others }, destination);
                let len = 2 * addresses.len() as u8;
                let header =
                    [&[packet[6], len, kind, u8::from(!arrived), 0, 0, 0, 0], &addresses.concat()[..]].concat();
                let payload = u16::from_be_bytes([packet[4], packet[5]]) + header.len() as u16;
                packet[4..6].copy_from_slice(&payload.to_be_bytes());
                packet[6] = 43;
                if !arrived {
                    packet[24..40].copy_from_slice(&by_way);
                }
                packet.splice(40..40, header);
                packet
            };
            // One direction takes another way.
            let packets: Vec<Vec<u8>> = talk
                .iter()
                .enumerate()
                .map(|(n, segment)| if segment.up { route((n, segment)) } else { plain.wrapped(segment, n) })
                .collect();
            assert_whole(&opened(&file(101, &packets)), "a routing header");
        }
    }
}

#[test]
fn fragments_that_were_captured_twice_are_not_missing() {
    let talk = Tcp::conversation(1, 2).segments;
    let tunnel = Tunnel { fragment: Some(64), ..Tunnel::of(TunnelKind::Vxlan(4789)) };
    // The identification of a packet is used again for the one after the next.
    let around = |(n, segment): (usize, &Segment)| tunnel.around(&PLAIN.wrapped(segment, n), n as u16 % 2);
    let once: Vec<Vec<Vec<u8>>> = talk.iter().enumerate().map(around).collect();
    let twice =
        |fragments: &Vec<Vec<u8>>| fragments.iter().flat_map(|fragment| [fragment.clone(), fragment.clone()]).collect();
    let twice: Vec<Vec<Vec<u8>>> = once.iter().map(twice).collect();
    for (packets, what) in [(once, "once"), (twice, "twice")] {
        // 300 milliseconds apart.
        let times = packets.iter().enumerate().flat_map(|(n, fragments)| fragments.iter().map(move |f| (f, n as u64)));
        let records = times.map(|(fragment, n)| PLAIN.packet(fragment, START + n * 300_000_000));
        assert_whole(&opened(&[PLAIN.head(), records.collect::<Vec<_>>().concat()].concat()), what);
    }
}

#[test]
fn what_is_not_read_is_named_and_counted() {
    let inner = PLAIN.wrapped(&Tcp::open(1, 2).segments[0], 0);
    let over_udp = |port: u16, payload: &[u8]| (101, ip(false, 17, &udp(port, payload), None, 1).remove(0));
    let over_ip = |protocol: u8, v6: bool| (101, ip(v6, protocol, &[7; 64], None, 1).remove(0));
    let on_ethernet = |kind: u16| {
        let mut frame = ethernet(&inner);
        frame[12..14].copy_from_slice(&kind.to_be_bytes());
        (1, frame)
    };
    let cases: &[(&str, (u32, Vec<u8>))] = &[
        ("VXLAN-GPE", over_udp(4790, &[&[0x0c, 0, 0, 1, 0, 0, 5, 0], &inner[..]].concat())),
        ("L2TP", over_udp(1701, &[&[0, 2, 0, 1, 0, 1], &inner[..]].concat())),
        ("L2TP", over_ip(115, false)),
        ("LISP", over_udp(4341, &[&[0x80, 0, 0, 0, 0, 0, 0, 1], &inner[..]].concat())),
        ("TZSP", over_udp(37_008, &[&[1, 0, 0, 1, 1], &ethernet(&inner)[..]].concat())),
        ("CAPWAP", over_udp(5247, &[0, 0x10, 2, 0, 0, 0, 0, 0, 8, 1, 0, 0])),
        ("Teredo", over_udp(3544, &Form { v6: true, ..PLAIN }.wrapped(&Tcp::open(1, 2).segments[0], 0))),
        ("ESP", over_udp(4500, &[1, 2, 3, 4, 0, 0, 0, 1, 9, 9, 9, 9])),
        ("ESP", over_ip(50, true)),
        ("IPComp", over_ip(108, false)),
        ("SCTP", over_ip(132, true)),
        ("WireGuard", over_udp(51_820, &[&[4, 0, 0, 0], &[8; 60][..]].concat())),
        ("WireGuard", over_udp(443, &[&[1, 0, 0, 0], &[8; 144][..]].concat())),
        ("MACsec", on_ethernet(0x88e5)),
        ("PPP with compressed TCP headers", (9, vec![0, 0x2d, 1, 2, 3])),
        ("compressed or encrypted PPP", (9, vec![0xff, 3, 0, 0xfd, 1, 2, 3])),
        ("encrypted 802.11 frames", (105, wireless(0x88, 0x41, &inner))),
        ("fragmented 802.11 frames", (105, wireless(0x08, 0x05, &inner))),
        ("802.11 frames with a wrong checksum", {
            (127, [&[0, 0, 9, 0, 2, 0, 0, 0, 0x50], &wireless(0x08, 0x01, &inner)[..]].concat())
        }),
        ("exported PDUs without addresses and ports", (252, [&[0, 12, 0, 4], &b"http"[..], &[0; 4], b"GET"].concat())),
    ];
    for (name, (link, packet)) in cases {
        let three = vec![packet.clone(); 3];
        let named = |packets: &[Vec<u8>]| {
            let trouble = opened(&file(*link, packets)).trouble;
            assert!(trouble.starts_with(&format!("{} packets in {name}, ", packets.len())), "{trouble}");
        };
        named(&three);
        // Inside a tunnel too.
        if *link == 101 {
            let tunnel = Tunnel { fragment: Some(32), ..Tunnel::of(TunnelKind::Gre(0x2000)) };
            let inside: Vec<Vec<u8>> = (0..3).flat_map(|n| tunnel.around(packet, n)).collect();
            named(&inside);
        }
    }
}

#[test]
fn packets_on_a_tunnels_port_that_are_something_else_are_not_named() {
    let nothing = opened(&file(101, &[ip(false, 17, &udp(53, b"a question"), None, 1).remove(0)])).trouble;
    for (port, payload) in [(6081, [0xff; 20]), (2152, [0x32; 20]), (1701, [0; 20]), (4500, [0; 20]), (51_820, [5; 20])]
    {
        let packet = ip(false, 17, &udp(port, &payload), None, 1).remove(0);
        assert_eq!(opened(&file(101, &[packet])).trouble, nothing, "port {port}");
    }
    // The first fragment of a packet, which is enough to know that it contains no TCP.
    let long = ip(false, 17, &udp(5060, &[b'x'; 3000]), Some(1480), 9).remove(0);
    assert_eq!(opened(&file(101, &[long])).trouble, "");
    // A beacon, and a data frame without data.
    for control in [0x80, 0x48] {
        assert_eq!(opened(&file(105, &[wireless(control, 0, &[0x45; 40])])).trouble, nothing);
    }
}

mod exported {
    use super::*;

    /// The sequence numbers that Wireshark writes when it exports OSI layer 4.
    fn tcp_info(seq: u32, next: u32, ack: u32, reassembled: bool) -> (u16, Vec<u8>) {
        let numbers = [seq, next, ack].map(u32::to_be_bytes).concat();
        (34, [&[0, 1], &numbers[..], &[u8::from(reassembled), 0, 0x18, 0, 0]].concat())
    }

    fn text(up: bool, words: &str) -> Vec<u8> {
        frame(true, Opcode::Text, up.then_some([1, 2, 3, words.len() as u8]), words.as_bytes())
    }

    fn handshake() -> Vec<Vec<u8>> {
        vec![pdu(false, true, &[], REQUEST.as_bytes()), pdu(false, false, &[], RESPONSE.as_bytes())]
    }

    fn kinds(opened: &Opened) -> Vec<(Kind, u64)> {
        let records = opened.records.iter().map(|(record, _)| (record.kind, record.wire_len));
        records.filter(|(kind, _)| !matches!(kind, Kind::End(_))).collect()
    }

    #[test]
    fn each_pdu_continues_its_direction() {
        for v6 in [false, true] {
            let pdus: Vec<_> = said().iter().map(|(up, bytes)| pdu(v6, *up, &[], bytes)).collect();
            let opened = opened(&file(252, &pdus));
            assert_eq!((opened.trouble.as_str(), opened.rules()), ("", vec![]));
            for direction in [UP, DOWN] {
                let ends = |kind: &(Kind, u64)| matches!(kind.0, Kind::End(_));
                let mut kinds = expected(direction);
                kinds.retain(|kind| !ends(kind));
                let mut seen = opened.kinds(direction);
                seen.retain(|kind| !ends(kind));
                assert_eq!(seen, kinds);
                assert!(opened.bytes(direction) == stream(direction));
            }
            let connection = &opened.records[0].0;
            assert_eq!(connection.direction, UP);
        }
    }

    #[test]
    fn a_pdu_that_repeats_the_unfinished_record_counts_once() {
        let (first, second) = (text(false, "one"), text(false, &"two ".repeat(100)));
        let request = REQUEST.as_bytes();
        let stream = [&first[..], &second, &text(false, "hi"), &text(false, "hi")].concat();
        let third = first.len() + second.len();
        let pdus = [
            pdu(false, true, &[], &request[..50]),
            pdu(false, true, &[], request),
            pdu(false, false, &[], RESPONSE.as_bytes()),
            // The first bytes of a message, then more of them, then all.
            pdu(false, false, &[], &stream[..first.len() + 60]),
            pdu(false, false, &[], &stream[first.len()..first.len() + 90]),
            pdu(false, false, &[], &stream[first.len()..third]),
            // Equal messages are not repetitions.
            pdu(false, false, &[], &stream[third..third + 4]),
            pdu(false, false, &[], &stream[third + 4..]),
        ];
        let opened = opened(&file(252, &pdus));
        let frames = [first.len(), second.len(), 4, 4].map(|len| (Kind::Frame, len as u64));
        let heads = [(Kind::Request, request.len() as u64), (Kind::Response, RESPONSE.len() as u64)];
        assert_eq!(kinds(&opened), [&heads[..], &frames].concat());
        assert_eq!((opened.rules(), opened.trouble.as_str()), (vec![], ""));
    }

    #[test]
    fn sequence_numbers_place_pdus_and_show_what_is_missing() {
        let mut pdus = vec![
            pdu(false, true, &[tcp_info(1, 1 + REQUEST.len() as u32, 1, false)], REQUEST.as_bytes()),
            pdu(false, false, &[tcp_info(1, 1 + RESPONSE.len() as u32, 1, false)], RESPONSE.as_bytes()),
        ];
        let mut seq = 1 + RESPONSE.len() as u32;
        for n in 0..4 {
            let message = text(false, &format!("message {n}"));
            let next = seq + message.len() as u32;
            if n == 3 {
                pdus.push(pdu(false, false, &[tcp_info(seq, seq + 5, 1, false)], &message[..5]));
            }
            if n != 1 {
                // Reassembled, from a segment that contains the next PDU too.
                pdus.push(pdu(false, false, &[tcp_info(seq, next + 7, 1, true)], &message));
            }
            seq = next;
        }
        let opened = opened(&file(252, &pdus));
        let expected = [Kind::Response, Kind::Frame, Kind::Gap, Kind::Frame, Kind::Frame];
        let seen: Vec<Kind> = opened.kinds(DOWN).into_iter().map(|(kind, _)| kind).take(5).collect();
        assert_eq!((seen.as_slice(), opened.rules()), (&expected[..], vec![]));
    }

    #[test]
    fn sequence_numbers_that_are_always_the_same_are_ignored() {
        let constant = [tcp_info(1, 1, 1, true)];
        let pdus: Vec<_> = said().iter().map(|(up, bytes)| pdu(false, *up, &constant, bytes)).collect();
        let opened = opened(&file(252, &pdus));
        assert!(opened.bytes(UP) == stream(UP) && opened.bytes(DOWN) == stream(DOWN));
        assert_eq!(opened.rules(), []);
    }

    #[test]
    fn a_request_after_frames_begins_another_connection() {
        let mut pdus = handshake();
        pdus.push(pdu(false, true, &[], &text(true, "hello")));
        pdus.extend(handshake());
        pdus.push(pdu(false, false, &[], &text(false, "hi")));
        let opened = opened(&file(252, &pdus));
        let of = |connection| opened.records.iter().filter(|(record, _)| record.connection == connection).count();
        // The second handshake has the same key.
        assert_eq!(([1, 2, 3].map(of), opened.rules()), ([5, 5, 0], vec![Rule::KeyReused]));
    }

    #[test]
    fn pdus_of_udp_are_left_out_and_ip_packets_are_read() {
        let message = text(true, "hello");
        let mut pdus = handshake();
        pdus.push(pdu(false, true, &[(24, vec![0, 0, 0, 3])], &message));
        pdus.push(pdu(false, true, &[(14, b"udp.port".to_vec())], &message));
        assert_eq!(kinds(&opened(&file(252, &pdus))).len(), 2);
        let talk = Tcp::conversation(1, 2).segments;
        let as_ip = |(n, segment)| pdu(false, true, &[(12, b"ip\0\0".to_vec())], &PLAIN.wrapped(segment, n));
        assert_whole(&opened(&file(252, &talk.iter().enumerate().map(as_ip).collect::<Vec<_>>())), "IP");
    }
}
