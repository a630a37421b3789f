//! The readers of files.

use std::io::Write as _;
use std::sync::atomic::AtomicBool;

use etherparse::PacketBuilder;
use framescope::capture::import;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::proto::dissected::Kind;

use crate::{byte, take};

/// Any file: it is read or refused, and what was read can be looked at.
pub fn capture(data: &[u8]) {
    let Some(capture) = opened(data) else { return };
    look(&capture);
}

/// Lines of NDJSON.
pub fn ndjson(data: &[u8]) {
    // The beginning tells what a file is.
    if data.starts_with(b"{\"v\":") {
        capture(data);
    }
}

/// A HAR.
pub fn har(data: &[u8]) {
    if data.starts_with(b"{\"log\":") {
        capture(data);
    }
}

/// TCP segments as the input says: out of order, again, overlapping, lost, reset.
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
        // Small sequence numbers, around the place where they wrap.
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
    look(&opened(&file).expect("a pcap file"));
}

fn opened(bytes: &[u8]) -> Option<Capture> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let (capture, loader) = import::open(file.path()).ok()?;
    loader.run(&AtomicBool::new(false));
    Some(capture)
}

/// What every screen and export looks at.
fn look(capture: &Capture) {
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
