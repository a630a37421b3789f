//! Prints the records of a headless run. A thread follows the capture by record number, so that connections never wait for the
//! reader of stdout.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::stderr_writer::StderrWriter;
use super::{export, stdio};
use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::export::ndjson::NdjsonLines;
use crate::export::{ExportError, ExportOptions, Sink};
use crate::proto::time::Time;
use crate::wire::printable;

/// How many records are taken from the index at once.
const BATCH: u64 = 256;

/// The longest time until a printed record is flushed while more records arrive.
const FLUSH: Duration = Duration::from_millis(50);

/// A thread that prints records.
pub struct Follower {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    printed: Arc<AtomicU64>,
    done: Receiver<()>,
}

impl Follower {
    /// Starts to print the records of `capture` that match `filter`: for people, or with `json` as NDJSON. Calls `ended_early` if printing ends before
    /// [`Self::finish`].
    pub fn start(
        capture: &Capture,
        json: bool,
        filter: Option<&Filter>,
        stderr: &StderrWriter,
        ended_early: impl FnOnce(ExportError) + Send + 'static,
    ) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let (finished, done) = sync_channel(1);
        let changed = wake.clone();
        // If the queue is full, the thread wakes anyway.
        capture.on_change(move || {
            let _ = changed.try_send(());
        });
        let stop = Arc::<AtomicBool>::default();
        let printed = Arc::<AtomicU64>::default();
        let work = Work {
            capture: capture.clone(),
            json,
            evaluator: filter.map(|filter| FilterEvaluator::new(filter, capture)),
            stop: Arc::clone(&stop),
            printed: Arc::clone(&printed),
            woken,
            stderr: stderr.clone(),
            messages: MessageReader::default(),
        };
        let out = stdio::stdout()?;
        thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            if let Err(e) = work.run(out) {
                ended_early(e);
            }
            let _ = finished.send(());
        })?;
        Ok(Self { stop, wake, printed, done })
    }

    /// Prints the remaining records until `deadline`. Returns how many records were printed or did not match the filter, in all.
    pub fn finish(self, deadline: Instant) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.wake.try_send(());
        let _ = self.done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        self.printed.load(Ordering::SeqCst)
    }
}

struct Work {
    capture: Capture,
    json: bool,
    /// Selects the records to print.
    evaluator: Option<FilterEvaluator>,
    stop: Arc<AtomicBool>,
    printed: Arc<AtomicU64>,
    woken: Receiver<()>,
    stderr: StderrWriter,
    messages: MessageReader,
}

impl Work {
    /// Prints a record if it matches the filter.
    fn print_line(&mut self, record: &Record, lines: &mut NdjsonLines, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        if let Some(evaluator) = &mut self.evaluator
            && !export::passes(evaluator, &self.capture, record)?
        {
            return Ok(());
        }
        if self.json {
            return lines.write_record(record, sink);
        }
        let start = self.capture.origin().unwrap_or(record.time);
        sink.buffer.extend_from_slice(plain(&self.capture, record, start, &mut self.messages).as_bytes());
        Ok(())
    }

    fn run(mut self, mut out: File) -> Result<(), ExportError> {
        let mut sink = Sink::new(&mut out);
        let mut lines = NdjsonLines::new(&self.capture, &ExportOptions::default());
        let mut next = 1;
        let mut flushed = Instant::now();
        // Records that were evicted before they were printed.
        let mut evicted = 0;
        loop {
            let stopping = self.stop.load(Ordering::SeqCst);
            self.capture.arm();
            let delay = self.capture.delay_eviction();
            let from = next.max(self.capture.first());
            let records = self.capture.records(from..from + BATCH);
            let from = records.first().map_or(from, |record| record.no);
            evicted += from - next;
            next = from;
            for record in &records {
                let line = sink.begin();
                let printed = self.print_line(record, &mut lines, &mut sink);
                if self.capture.is_evicted(record) {
                    // The line may lack bytes. What is left of the record, if anything, is printed next.
                    if !sink.take_back(line) {
                        // A part of a very long line is printed already.
                        sink.buffer.push(b'\n');
                        let no = record.no;
                        self.stderr
                            .say(&format!("record {no} was evicted while it was printed: its line is truncated"));
                    }
                    break;
                }
                printed.and_then(|()| sink.end())?;
                next = record.no + 1;
            }
            drop(delay);
            if records.is_empty() || flushed.elapsed() > FLUSH {
                sink.flush()?;
                self.printed.store(next - 1 - evicted, Ordering::SeqCst);
                flushed = Instant::now();
            }
            if records.is_empty() && next > self.capture.len() {
                if stopping {
                    return Ok(());
                }
                // The sender lives as long as the `Follower`.
                let _ = self.woken.recv();
            }
        }
    }
}

/// A record's line: number, seconds since the first record, connection, direction, kind, length, bits, findings, preview, note.
fn plain(capture: &Capture, record: &Record, start: Time, messages: &mut MessageReader) -> String {
    let summary = summary::of(capture, record, messages);
    let micros = record.time.nanos_since(start) / 1000;
    let sign = if micros < 0 { "-" } else { "" };
    let time = format!("{sign}{}.{:06}", micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let length = summary.length.map(|length| length.to_string()).unwrap_or_default();
    let mut line = format!(
        "{:>7} {time:>12} {:>4} {} {:<12} {length:>9} {:<9} ",
        record.no,
        record.connection,
        record.direction.arrow(),
        summary.kind,
        summary.bits
    );
    if !record.findings.is_empty() {
        let rules: Vec<String> =
            record.findings.iter().map(|f| format!("{} {}", f.rule.severity().name(), f.rule.id())).collect();
        line.push_str(&format!("[{}] ", rules.join(", ")));
    }
    line.push_str(&summary.preview);
    if let Some(note) = capture.note(record.no) {
        line.push_str(&format!(" ✎ {}", printable::text(&note)));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;
    use crate::proto::dissected::Direction;

    #[test]
    fn a_line_shows_the_note_and_the_notes_of_pipelined_requests_reach_their_records() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let address = "127.0.0.1:6455".parse().expect("an address");
        let connection = recorder.connection(address, address);
        // The meaning of bytes after a request with Upgrade is known with the response.
        for (at, head) in
            ["GET /1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "GET /2 HTTP/1.1\r\n\r\n", "GET /3 HTTP/1.1\r\n\r\n"]
                .iter()
                .enumerate()
        {
            let chunk = Chunk { direction: Direction::ClientToServer, time: Time(1), bytes: head.as_bytes() };
            connection.record_with_note(chunk, &format!("note {at}"));
        }
        let response = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        connection.record(&[Chunk { direction: Direction::ServerToClient, time: Time(2), bytes: response }]);
        let (capture, mut messages) = (recorder.capture(), MessageReader::default());
        let notes: Vec<_> = (1..=4).map(|no| capture.note(no)).collect();
        assert_eq!(notes, [Some("note 0".to_owned()), None, Some("note 1".to_owned()), Some("note 2".to_owned())]);
        let line = plain(capture, &capture.record(1).expect("a record"), Time(1), &mut messages);
        assert!(line.contains("/1") && line.ends_with("note 0\n"), "{line}");
    }
}
