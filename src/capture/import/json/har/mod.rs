//! Reads a HAR: the messages of its WebSocket entries become frames, the headers a handshake.
//!
//! The entries of a HAR follow one another, but their messages were sent at the same time. So the bytes are first written to a
//! scratch file, with a small note of each event in memory; then the events are sorted by time and replayed into the recorder.

mod entry;
mod events;
mod handshake;
mod model;
mod oddities;
mod parser;
mod time;
mod url;
mod utf8;
mod value;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeSeed as _;

use crate::capture::live::recorder::Recorder;
use crate::capture::store::output::way_out;
use crate::capture::store::{Capture, scratch};
use crate::proto::rules::grouped;
use crate::wire::printable;
use events::Events;
use utf8::Utf8;

/// How much is read from the file at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Reads the file into the capture: the messages before the first damage, which is added to the capture's trouble.
pub fn read(capture: &Capture, file: &File, recorder: Recorder, cancel: &AtomicBool) {
    let mut events = match Events::new() {
        Ok(events) => events,
        Err(e) => {
            return scratch_failed(capture, &e);
        }
    };
    let parsed = parse(&mut events, file, cancel);
    if let Some(e) = events.write_error.take() {
        return scratch_failed(capture, &e);
    }
    if let Err(e) = parsed
        && !cancel.load(Ordering::Relaxed)
    {
        events.interrupted();
        let words = printable::text(&e.to_string()).into_owned();
        match e.is_io() {
            true => capture.add_failure(&format!("the file cannot be read: {words}; messages before that are shown")),
            false => capture.add_damage(&format!("{words}; messages before the damage are shown")),
        }
    }
    events.notices().iter().for_each(|words| capture.add_notice(words));
    if events.connections > 0 {
        recorder.mark_reconstructed(&source(&events));
    }
    if let Err(e) = events.replay(recorder, cancel) {
        scratch_failed(capture, &e);
    }
}

/// Reports that the scratch file cannot be created, written or read.
fn scratch_failed(capture: &Capture, error: &io::Error) {
    let folder = scratch::folder();
    capture.add_failure(&format!(
        "cannot convert the file, with a scratch file in {}: {error}; {}",
        folder.display(),
        way_out(error)
    ));
}

fn parse(events: &mut Events, mut file: &File, cancel: &AtomicBool) -> Result<(), serde_json::Error> {
    file.rewind().map_err(serde_json::Error::io)?;
    let mut reader = BufReader::with_capacity(BUFFER, Utf8::new(Cancellable { file, cancel }));
    // serde_json does not accept a byte order mark.
    let mark: &[u8] = b"\xef\xbb\xbf";
    if io::BufRead::fill_buf(&mut reader).map_err(serde_json::Error::io)?.starts_with(mark) {
        io::BufRead::consume(&mut reader, mark.len());
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    parser::PartReader::new(events).deserialize(&mut json)?;
    json.end()
}

/// What the capture is reconstructed from, and how many entries were left out.
fn source(events: &Events) -> String {
    let by = events.creator.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    let left_out = match events.skipped {
        0 => String::new(),
        1 => "; 1 entry that is not a WebSocket is left out".to_owned(),
        n => format!("; {} entries that are not WebSockets are left out", grouped(n)),
    };
    format!("the messages of a HAR{by}: these are not the bytes of the wire{left_out}")
}

/// A file whose reads fail once the conversion is cancelled.
struct Cancellable<'a> {
    file: &'a File,
    cancel: &'a AtomicBool,
}

impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        self.file.read(buffer)
    }
}
