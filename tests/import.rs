//! Files by others: segments in any order, overlapping, repeated; and files that are damaged anywhere.

mod support;

use std::sync::atomic::AtomicBool;

use framescope::capture::import;
use framescope::capture::record::Record;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;
use support::{REQUEST, RESPONSE, UP, frame};

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;

#[derive(Clone, Debug)]
struct Segment {
    up: bool,
    seq: u32,
    flags: u8,
    payload: Vec<u8>,
}

/// A little-endian pcap of raw IPv4 packets.
fn pcap(segments: &[Segment]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(262_144u32.to_le_bytes());
    out.extend(101u32.to_le_bytes());
    for (n, segment) in segments.iter().enumerate() {
        let (client, server) = (([10, 0, 0, 1], 40_000u16), ([10, 0, 0, 2], 80u16));
        let (from, to) = if segment.up { (client, server) } else { (server, client) };
        let mut packet = vec![0x45, 0];
        packet.extend((40 + segment.payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(from.0);
        packet.extend(to.0);
        packet.extend(from.1.to_be_bytes());
        packet.extend(to.1.to_be_bytes());
        packet.extend(segment.seq.to_be_bytes());
        packet.extend(0u32.to_be_bytes());
        packet.extend([0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(&segment.payload);
        let len = packet.len() as u32;
        for word in [n as u32, 0, len, len] {
            out.extend(word.to_le_bytes());
        }
        out.extend(packet);
    }
    out
}

/// The records of a file's bytes with their wire bytes; none when it is refused.
fn opened(bytes: &[u8]) -> Option<Vec<(Record, Vec<u8>)>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, bytes).expect("written");
    let (capture, loader) = import::open(&path).ok()?;
    loader.run(&AtomicBool::new(false));
    let records = capture.records(1..u64::MAX).into_iter();
    Some(records.map(|record| (record.clone(), capture.wire(&record, 0..u64::MAX).unwrap_or_default())).collect())
}

fn bytes_up(records: &[(Record, Vec<u8>)]) -> Vec<u8> {
    records.iter().filter(|(record, _)| record.direction == UP).flat_map(|(_, wire)| wire.clone()).collect()
}

#[test]
fn a_longer_repetition_of_what_waits_is_not_lost() {
    let request = REQUEST.as_bytes();
    let segment = |from: usize, to: usize| Segment {
        up: true,
        seq: 1 + from as u32,
        flags: PSH_ACK,
        payload: request[from..to].to_vec(),
    };
    let syn = Segment { up: true, seq: 0, flags: SYN, payload: vec![] };
    let file = [syn, segment(100, 110), segment(100, request.len()), segment(0, 100)];
    assert_eq!(bytes_up(&opened(&pcap(&file)).expect("a pcap")), request);
}

#[test]
fn blocks_that_nobody_knows_are_passed_over_whatever_their_size() {
    let sample = include_bytes!("../assets/samples/hello.pcapng");
    let expected = opened(sample).expect("a sample").len();
    let header = u32::from_le_bytes(sample[4..8].try_into().expect("four bytes")) as usize;
    let mut unknown = Vec::new();
    let len: u32 = 12 + 3_000_000;
    unknown.extend(0x0bad_u32.to_le_bytes());
    unknown.extend(len.to_le_bytes());
    unknown.resize(unknown.len() + 3_000_000, b'x');
    unknown.extend(len.to_le_bytes());
    let file = [&sample[..header], &unknown, &sample[header..]].concat();
    assert_eq!(opened(&file).map(|records| records.len()), Some(expected));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..Default::default() })]

    #[test]
    fn segments_in_any_order_make_the_stream(
        isn: u32,
        repeated in vec((0usize..600, 1usize..200), 0..12),
        order in vec(any::<u16>(), 40),
    ) {
        let text = frame(true, Opcode::Text, Some([1, 2, 3, 4]), &[b'x'; 250]);
        let stream = [REQUEST.as_bytes(), &text].concat();
        let piece = |from: usize, to: usize| Segment {
            up: true,
            seq: isn.wrapping_add(1).wrapping_add(from as u32),
            flags: PSH_ACK,
            payload: stream[from..to.min(stream.len())].to_vec(),
        };
        let mut pieces: Vec<Segment> = (0..stream.len()).step_by(90).map(|at| piece(at, at + 90)).collect();
        pieces.extend(repeated.iter().filter(|(at, _)| *at < stream.len()).map(|(at, len)| piece(*at, at + len)));
        let mut shuffled: Vec<(u16, Segment)> = pieces.into_iter().enumerate().map(|(n, s)| (order[n % order.len()], s)).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let mut file = vec![
            Segment { up: true, seq: isn, flags: SYN, payload: vec![] },
            Segment { up: false, seq: 77, flags: SYN | ACK, payload: vec![] },
        ];
        file.extend(shuffled.into_iter().map(|(_, segment)| segment));
        file.push(Segment { up: false, seq: 78, flags: PSH_ACK, payload: RESPONSE.as_bytes().to_vec() });
        let records = opened(&pcap(&file)).expect("a pcap");
        prop_assert!(bytes_up(&records) == stream);
    }

    #[test]
    fn no_segments_make_it_panic(
        segments in vec((any::<bool>(), prop_oneof![0u32..400, any::<u32>()], 0u8..0x20, vec(any::<u8>(), 0..60)), 0..14),
    ) {
        let segments: Vec<Segment> =
            segments.into_iter().map(|(up, seq, flags, payload)| Segment { up, seq, flags, payload }).collect();
        prop_assert!(opened(&pcap(&segments)).is_some());
    }

    #[test]
    fn no_damage_makes_it_panic(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut: prop::sample::Index) {
        let mut file = include_bytes!("../assets/samples/ticker.pcapng").to_vec();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        let _ = opened(&file);
    }
}
