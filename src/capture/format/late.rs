//! Facts about records that were written before: IPv4 packets without content, whose comments say what became known later.

use super::comments;
use super::file_markers::{Marker, ProxiedLate};
use super::pcapng::enhanced_packet;
use crate::proto::time::Time;

/// An IPv4 header from 127.0.0.1 to itself. Protocol 253 is for experiments (RFC 3692), so that no reader takes it for traffic.
const EMPTY: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0x7b, 0xeb, 127, 0, 0, 1, 127, 0, 0, 1];

/// Appends the note on a record: the one that is `back` records before the latest in the file, and has that `time`.
pub(in crate::capture) fn note(out: &mut Vec<u8>, back: u64, time: Time, note: &str) {
    let note = &note[..note.floor_char_boundary(comments::MAX_NOTE)];
    let comments = [Marker::Note { back, time: time.0 }.comment(), comments::note(note).into_owned()];
    enhanced_packet(out, 0, &EMPTY, &[], time, &comments);
}

/// Appends what `proxy` did with a record. `time` is that of the record, or of the one that was sent in its place.
pub fn proxied(out: &mut Vec<u8>, proxied: ProxiedLate, time: Time) {
    enhanced_packet(out, 0, &EMPTY, &[], time, &[Marker::Proxied(proxied).comment()]);
}
