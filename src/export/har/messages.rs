//! `_webSocketMessages`: one entry per data message, at the position of its last frame.

use std::io::Write as _;
use std::ops::Range;

use super::data::MessageData;
use super::{Run, Writer};
use crate::capture::store::record::Record;
use crate::export::ExportError;
use crate::export::json::{key, number_field, string_field};
use crate::export::sink::Sink;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

const SECOND: u64 = 1_000_000_000;

/// A message whose last frame has not been found yet.
struct Unfinished {
    /// Position of its first frame in the run.
    at: u64,
    first: Record,
    /// How many of its frames have been found.
    frames: u64,
}

impl Writer<'_> {
    /// Appends the messages that end in a range of positions.
    pub fn messages(&mut self, run: &Run<'_>, range: Range<u64>, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let mut unfinished: [Option<Unfinished>; 2] = [None, None];
        let mut first = true;
        for (at, record) in run.records(range.start).take_while(|(at, _)| *at < range.end) {
            self.progress.check()?;
            let Some(opcode) = record.opcode().filter(|opcode| !opcode.is_control() && record.kind == Kind::Frame)
            else {
                continue;
            };
            let slot = &mut unfinished[record.direction.index()];
            match slot {
                _ if opcode != Opcode::Continuation => {
                    *slot = Some(Unfinished { at, first: record.clone(), frames: 1 });
                }
                Some(message) => message.frames += 1,
                // Skip fragments whose first one is missing.
                None => {}
            }
            let Some(start) = slot.take_if(|_| record.fin()) else { continue };
            self.written += start.frames;
            sink.buffer.extend_from_slice(if first { b"\n" } else { b",\n" });
            first = false;
            self.message(run, &start, &record, at, sink)?;
            sink.write_if_full()?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        run: &Run<'_>,
        start: &Unfinished,
        last: &Record,
        at: u64,
        sink: &mut Sink<'_>,
    ) -> Result<(), ExportError> {
        let first = &start.first;
        let opcode = first.opcode().unwrap_or(Opcode::Text);
        let out = &mut sink.buffer;
        out.push(b'{');
        string_field(out, "type", if last.direction == Direction::ClientToServer { "send" } else { "receive" });
        key(out, "time");
        seconds(out, last.time);
        number_field(out, "opcode", u64::from(opcode.to_wire()));
        key(out, "data");
        out.push(b'"');
        let mut data = MessageData::new(opcode == Opcode::Text);
        if last.compressed {
            if let Some(inflated) = self.bytes.inflated(last)? {
                data.push(&mut sink.buffer, &inflated.bytes);
            }
        } else {
            let fragments = run.records(start.at).take_while(|(position, _)| *position <= at);
            let own = |record: &Record| record.direction == last.direction && record.message == first.message;
            for (_, fragment) in fragments.filter(|(_, record)| own(record)) {
                self.payload(&fragment, &mut data, sink)?;
            }
        }
        data.finish(&mut sink.buffer);
        sink.buffer.extend_from_slice(b"\"}");
        Ok(())
    }

    fn payload(&mut self, frame: &Record, data: &mut MessageData, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let Some(head) = self.bytes.frame_head(frame, &mut self.buffer)? else { return Ok(()) };
        let mut at = 0;
        while at < head.payload_len {
            self.bytes.payload(frame, &head, at, &mut self.buffer)?;
            if self.buffer.is_empty() {
                break;
            }
            data.push(&mut sink.buffer, &self.buffer);
            at += self.buffer.len() as u64;
            sink.write_if_full()?;
        }
        Ok(())
    }
}

/// Seconds since 1970, with nanoseconds as decimals.
fn seconds(out: &mut Vec<u8>, time: Time) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{}.{:09}", time.0 / SECOND, time.0 % SECOND);
}
