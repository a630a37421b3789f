//! The summary of a message.

use std::io;

use super::{PREVIEW, Summary, hex_preview, of, payload_preview, unreadable};
use crate::capture::query::messages::Message;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::rules::{Rule, grouped};
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// Summarizes a message from its first record `opener`: its length, the number of its frames, how well it is compressed, and the
/// beginning of its text or bytes. A long compressed message is not inflated to its end: if its length is not known from a
/// finding either, `length` is that of the compressed payload, and `bits` says "compressed" instead of a percentage.
pub fn of_message(capture: &Capture, opener: &Record, message: &Message, reader: &mut MessageReader) -> Summary {
    let mut summary = if message.frames == 1 {
        of(capture, opener, reader)
    } else {
        let preview = joined_preview(capture, message, reader);
        Summary {
            kind: opener.opcode().map_or("frame", Opcode::name).to_owned(),
            length: Some(message.len),
            bits: String::new(),
            is_read: preview.is_ok(),
            brief: None,
            preview: preview.unwrap_or_else(|e| unreadable(&e)),
        }
    };
    let mut facts = Vec::new();
    if message.frames > 1 {
        facts.push(format!("{} frames{}", grouped(u64::from(message.frames)), if message.whole { "" } else { " …" }));
    }
    if message.compressed
        && message.whole
        && let Some((len, fact)) = compression(capture, message, reader)
    {
        summary.length = len.or(summary.length);
        facts.push(fact);
    }
    summary.bits = facts.join(" · ");
    summary
}

/// The inflated length of a compressed message in bytes, if it is known without inflating a long message to its end, and a word on
/// how well it is compressed. `None` if it cannot be inflated.
fn compression(capture: &Capture, message: &Message, reader: &mut MessageReader) -> Option<(Option<u64>, String)> {
    let last = capture.record(message.last)?;
    let long = last.findings.iter().find(|finding| finding.rule == Rule::InflatedLong);
    let len = match long.and_then(|finding| finding.number) {
        Some(len) => len,
        None => {
            let beginning = reader.beginning(capture, &last, PREVIEW).ok().flatten()?;
            if !beginning.complete {
                return Some((None, "compressed".to_owned()));
            }
            beginning.fault.is_none().then_some(beginning.len)?
        }
    };
    let percent = message.len.saturating_mul(100).saturating_add(len / 2).checked_div(len)?;
    Some((Some(len), format!("{percent} %")))
}

/// The beginning of the joined payload of a message.
fn joined_preview(capture: &Capture, message: &Message, reader: &mut MessageReader) -> io::Result<String> {
    if message.compressed {
        return match capture.record(message.last) {
            Some(last) if message.whole => payload_preview(capture, &last, reader),
            _ => Ok("compressed, and incomplete".to_owned()),
        };
    }
    let beginning = message.beginning(capture, PREVIEW)?;
    Ok(match beginning.text() {
        Some(text) => printable::text(text).into_owned(),
        None => hex_preview(&beginning.bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;
    use crate::capture::query::messages::Messages;
    use crate::proto::deflate::Deflater;
    use crate::proto::dissected::Direction;
    use crate::proto::time::Time;
    use crate::wire::frame::FrameHead;

    /// Records a server's compressed messages: each as its payload, fragmented into that many frames.
    fn compressed(folder: &std::path::Path, messages: &[(&[u8], usize)]) -> Recorder {
        let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
        let address = "127.0.0.1:1".parse().expect("an address");
        let connection = recorder.connection(address, address);
        let record = |direction, bytes: &[u8]| connection.record(&[Chunk { direction, time: Time(0), bytes }]);
        let extension = "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        record(Direction::ClientToServer, format!("GET / HTTP/1.1\r\nHost: a\r\n{extension}").as_bytes());
        record(Direction::ServerToClient, format!("HTTP/1.1 101 Switching Protocols\r\n{extension}").as_bytes());
        let mut deflater = Deflater::new(15, true);
        for (message, frames) in messages {
            let mut payload = Vec::new();
            deflater.message(message, &mut payload);
            let pieces = payload.chunks(payload.len().div_ceil(*frames));
            let last = pieces.len() - 1;
            for (i, piece) in pieces.enumerate() {
                let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
                let head = FrameHead::new(i == last, opcode, None, piece.len() as u64);
                let mut wire = Vec::new();
                FrameHead { rsv1: i == 0, ..head }.encode_with(piece, &mut wire);
                record(Direction::ServerToClient, &wire);
            }
        }
        recorder
    }

    #[test]
    fn a_long_compressed_message_is_inflated_only_as_far_as_its_line_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = |len: usize| "0123456789 abcdefgh ".repeat(len / 20);
        let (short, long, longest) = (text(1_000), text(4 << 20), text(20 << 20));
        let all =
            [(short.as_bytes(), 1), (long.as_bytes(), 1), (long.as_bytes(), 9), (longest.as_bytes(), 1), (b"end", 1)];
        let recorder = compressed(folder.path(), &all);
        let capture = recorder.capture();
        let (mut messages, mut reader) = (Messages::default(), MessageReader::default());
        let mut summaries = Vec::new();
        for record in capture.records(3..u64::MAX) {
            if let Some(message) = messages.look(capture, &record) {
                let last = capture.record(message.last).expect("a record");
                let beginning = MessageReader::default().beginning(capture, &last, PREVIEW).expect("readable");
                let beginning = beginning.expect("a message");
                let whole = MessageReader::default().message(capture, &last, PREVIEW).expect("readable");
                let whole = whole.expect("a message");
                assert!(whole.complete && whole.text() == beginning.text());
                assert!(beginning.complete || beginning.len < 1 << 20, "{}", beginning.len);
                let summary = of_message(capture, &record, message, &mut reader);
                let percent = (message.len * 100 + whole.len / 2) / whole.len;
                summaries.push((beginning.complete, summary, message.len, format!("{percent} %")));
            }
        }
        let [short, one, nine, longest, end] = summaries.try_into().expect("five messages");
        // The messages of 4 MiB and more are not inflated to their end. The length of 20 MiB is known from a finding.
        assert_eq!([short.0, one.0, nine.0, longest.0, end.0], [true, false, false, false, true]);
        assert_eq!((short.1.length, &short.1.bits), (Some(1_000), &short.3));
        assert_eq!((one.1.length, one.1.bits.as_str()), (Some(one.2), "compressed"));
        assert_eq!((nine.1.length, nine.1.bits.as_str()), (Some(nine.2), "9 frames · compressed"));
        assert_eq!((longest.1.length, &longest.1.bits), (Some((20 << 20) / 20 * 20), &longest.3));
        assert_eq!((end.1.length, &end.1.bits, end.1.preview.as_str()), (Some(3), &end.3, "end"));
        for long in [one, nine, longest] {
            assert!(long.1.preview.starts_with("0123456789 abcdefgh 01"), "{}", long.1.preview);
        }
    }
}
