use super::*;
use crate::capture::format::file_markers::Gap;
use crate::proto::dissected::Loss;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// Checks a packet's checksums with another implementation.
fn check(packet: &[u8], payload: &[u8]) {
    let sliced = SlicedPacket::from_ip(packet).expect("an IP packet");
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("TCP") };
    let expected = match sliced.net.as_ref().expect("IP") {
        NetSlice::Ipv4(ip) => {
            assert_eq!(ip.header().header_checksum(), ip.header().to_header().calc_header_checksum());
            tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination()).expect("checksum")
        }
        NetSlice::Ipv6(ip) => {
            tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination()).expect("checksum")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(tcp.checksum(), expected);
    assert_eq!(tcp.payload(), payload);
}

#[test]
fn checksums_are_right_in_both_address_families_at_any_length() {
    for (client, server) in [("127.0.0.1:50000", "127.0.0.1:6455"), ("[::1]:50000", "[2001:db8::1]:6455")] {
        let mut segments = Segments::new(client.parse().expect("address"), server.parse().expect("address"), 7);
        for len in [0, 1, 2, 3, 20, 1001, MAX_SEGMENT] {
            let payload: Vec<u8> = (0..len).map(|i| (i * 7 % 256) as u8).collect();
            let mut out = Vec::new();
            let at = segments.data(&mut out, Direction::ServerToClient, &payload, Time(1), &[]);
            assert_eq!(&out[at..at + len], payload);
            assert_eq!(out.len() % 4, 0);
            let caplen = u32::from_le_bytes(out[20..24].try_into().expect("4 bytes")) as usize;
            check(&out[28..28 + caplen], &payload);
        }
    }
}

#[test]
fn sequence_numbers_count_the_payload_and_acknowledge_the_other_side() {
    let address = "127.0.0.1:1".parse().expect("address");
    let mut segments = Segments::new(address, address, 3);
    let [c, s] = segments.next;
    let mut out = Vec::new();
    segments.open(&mut out, Time(0));
    segments.data(&mut out, Direction::ClientToServer, b"abc", Time(0), &[]);
    segments.fin(&mut out, Direction::ServerToClient, Time(0), &["framescope: a comment".to_owned()]);
    assert_eq!(segments.next, [c + 4, s + 2]);
}

/// The sequence number of the packet in the block at the start of `out`.
fn sequence_number(out: &[u8]) -> u32 {
    let caplen = u32::from_le_bytes(out[20..24].try_into().expect("4 bytes")) as usize;
    let sliced = SlicedPacket::from_ip(&out[28..28 + caplen]).expect("an IP packet");
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { panic!("TCP") };
    tcp.sequence_number()
}

#[test]
fn sequence_numbers_skip_lost_bytes_and_not_those_that_were_delivered_unchanged() {
    let address = "127.0.0.1:1".parse().expect("address");
    for (loss, in_ring, skipped) in [
        (Loss::Lost, false, 1000),
        (Loss::Unread, false, 1000),
        (Loss::Unchanged, false, 0),
        // Each file of a ring begins with the sequence number of a stream offset.
        (Loss::Unchanged, true, 1000),
    ] {
        let mut segments = Segments::new(address, address, 3);
        if in_ring {
            segments.skip_unchanged();
        }
        let (up, [client, _]) = (Direction::ClientToServer, segments.next);
        segments.open(&mut Vec::new(), Time(0));
        segments.data(&mut Vec::new(), up, b"head", Time(0), &[]);
        let (mut gap, mut data) = (Vec::new(), Vec::new());
        segments.skip(&mut gap, up, (1000, Gap { to: Some(1004), begins: None, loss }), Time(0), &[]);
        segments.data(&mut data, up, b"next", Time(0), &[]);
        let next = (client + 5 + skipped).0;
        assert_eq!([sequence_number(&gap), sequence_number(&data)], [next; 2], "{loss:?}");
        assert!(gap.windows(8).any(|word| word == b" to=1004"), "{loss:?}");
    }
}
