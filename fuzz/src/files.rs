//! Targets that read capture files.

use std::io::Write as _;
use std::sync::atomic::AtomicBool;

use etherparse::PacketBuilder;
use framescope::capture::import;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::proto::dissected::Kind;

use crate::{byte, take};

/// Reads any file. If it is a capture, its records can be read.
pub fn capture(data: &[u8]) {
    let Some(capture) = opened(data) else { return };
    read_records(&capture);
}

/// Reads NDJSON.
pub fn ndjson(data: &[u8]) {
    // The importer recognizes a format by its first bytes.
    if data.starts_with(b"{\"v\":") {
        capture(data);
    }
}

/// Reads a HAR.
pub fn har(data: &[u8]) {
    if data.starts_with(b"{\"log\":") {
        capture(data);
    }
}

/// Reassembles TCP segments, which the input describes: out of order, repeated, overlapping, lost, reset.
pub fn reassembly(data: &[u8]) {
    let mut rest = data;
    let mut file = Vec::new();
    for part in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend_from_slice(&part.to_le_bytes());
    }
    let mut clock = 0u32;
    while let (Some(what), Some(at), Some(len)) = (byte(&mut rest), byte(&mut rest), byte(&mut rest)) {
        let payload = take(&mut rest, usize::from(len));
        let up = what & 1 == 0;
        let (source, destination) = if up { (50_000, 6455) } else { (6455, 50_000) };
        // Sequence numbers close to the point where they wrap.
        let scale = if what & 0x80 != 0 { 257 } else { 1 };
        let seq = (u32::MAX - 100).wrapping_add(u32::from(at) * scale);
        let mut builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64).tcp(source, destination, seq, 65_535);
        for (bit, set) in [(1, 'S'), (2, 'F'), (3, 'R')] {
            if what >> bit & 7 == 7 {
                builder = match set {
                    'S' => builder.syn(),
                    'F' => builder.fin(),
                    _ => builder.rst(),
                };
            }
        }
        if what & 0x40 != 0 {
            builder = builder.ack((u32::MAX - 100).wrapping_add(u32::from(what) * 16));
        }
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).expect("a packet");
        clock += 1;
        for part in [0, clock, packet.len() as u32, packet.len() as u32] {
            file.extend_from_slice(&part.to_le_bytes());
        }
        file.extend_from_slice(&packet);
    }
    read_records(&opened(&file).expect("a pcap file"));
}

/// Decrypts records that a client and a server sent, which the input describes, with the key log in front of them: pieces of any
/// length, in any order, and missing ones.
pub fn tls(data: &[u8]) {
    let mut rest = data;
    let Some(lines) = rest.iter().position(|byte| *byte == 0) else { return };
    let key_log = take(&mut rest, lines);
    take(&mut rest, 1);
    let mut file = Vec::new();
    for part in [0x0a0d_0d0au32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 101, 0, 20] {
        file.extend_from_slice(&part.to_le_bytes());
    }
    let total = 20 + key_log.len().next_multiple_of(4) as u32;
    for part in [10, total, 0x544c_534b, key_log.len() as u32] {
        file.extend_from_slice(&part.to_le_bytes());
    }
    file.extend_from_slice(key_log);
    file.resize(file.len().next_multiple_of(4), 0);
    file.extend_from_slice(&total.to_le_bytes());
    let mut next = [1u32, 70_000];
    while let (Some(what), Some(high), Some(low)) = (byte(&mut rest), byte(&mut rest), byte(&mut rest)) {
        let payload = take(&mut rest, usize::from(u16::from_be_bytes([high, low])));
        let side = usize::from(what & 1);
        let (source, destination) = if side == 0 { (50_000, 443) } else { (443, 50_000) };
        let begins = next[side];
        next[side] = begins.wrapping_add(payload.len() as u32);
        // One in four is lost or late.
        let seq = if what & 0x06 == 0x06 { begins.wrapping_add(u32::from(what >> 3)) } else { begins };
        if what & 0x0e == 0x04 {
            continue;
        }
        let builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64);
        let builder = builder.tcp(source, destination, seq, 65_535).ack(next[1 - side]);
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).expect("a packet");
        let total = 32 + packet.len().next_multiple_of(4) as u32;
        for part in [6, total, 0, 0, 1, packet.len() as u32, packet.len() as u32] {
            file.extend_from_slice(&part.to_le_bytes());
        }
        file.extend_from_slice(&packet);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend_from_slice(&total.to_le_bytes());
    }
    read_records(&opened(&file).expect("a pcapng file"));
}

fn opened(bytes: &[u8]) -> Option<Capture> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let (capture, loader) = import::open(file.path()).ok()?;
    loader.run(&AtomicBool::new(false));
    Some(capture)
}

/// Reads what the screen and the exports read of each record.
fn read_records(capture: &Capture) {
    for record in capture.records(1..200) {
        let wire = capture.wire(&record, 0..1 << 20).expect("the file is readable");
        if record.kind != Kind::Gap {
            assert_eq!(wire.len() as u64, record.wire_len.min(1 << 20), "record {}", record.no);
        }
        capture.payload(&record, 0..1 << 16).expect("the file is readable");
        MessageReader::default().message(capture, &record, 1 << 16).expect("the file is readable");
        for finding in &record.findings {
            finding.sentence();
        }
    }
}
