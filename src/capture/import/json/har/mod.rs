//! HAR: the messages of WebSocket entries become frames again, as far as HAR tells them; what we wrote ourselves has its
//! records beside them, and is what it was.
//!
//! Entries stand one after the other while their messages were sent side by side. So what they tell goes into a scratch
//! file first, with a small note of each event in memory, and then in order into the recorder.

mod entry;
mod events;
mod handshake;
mod model;
mod url;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeSeed as _;

use crate::capture::live::recorder::Recorder;
use crate::capture::store::Capture;
use crate::proto::rules::grouped;
use crate::wire::printable;
use events::Events;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Reads the file into the capture: everything before the first damage, and a line about that.
pub fn read(capture: &Capture, file: File, recorder: Recorder, cancel: &AtomicBool) {
    let mut events = match Events::new() {
        Ok(events) => events,
        Err(e) => return capture.add_trouble(&format!("there is no place to convert the HAR: {e}")),
    };
    if let Err(e) = parse(&mut events, file, cancel)
        && !cancel.load(Ordering::Relaxed)
    {
        events.interrupted();
        capture.add_trouble(&format!("{}; what stands before it is shown", printable::text(&e.to_string())));
    }
    if let Some(words) = events.trouble() {
        capture.add_trouble(&words);
    }
    if let Some(words) = reconstructed(&events) {
        recorder.mark_reconstructed(&words);
    }
    if let Err(e) = events.replay(recorder, cancel) {
        capture.add_trouble(&format!("the scratch file of the conversion cannot be read: {e}"));
    }
}

fn parse(events: &mut Events, mut file: File, cancel: &AtomicBool) -> Result<(), serde_json::Error> {
    file.rewind().map_err(serde_json::Error::io)?;
    let mut reader = BufReader::with_capacity(BUFFER, Watched { file, cancel });
    // serde_json takes no byte order mark.
    let mark: &[u8] = b"\xef\xbb\xbf";
    if io::BufRead::fill_buf(&mut reader).map_err(serde_json::Error::io)?.starts_with(mark) {
        io::BufRead::consume(&mut reader, mark.len());
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    model::Root(events).deserialize(&mut json)?;
    json.end()
}

/// What the capture was made from, when a part of it never was on a wire.
fn reconstructed(events: &Events) -> Option<String> {
    let others = match events.skipped {
        0 => String::new(),
        1 => "; 1 entry that is no WebSocket is left out".to_owned(),
        n => format!("; {} entries that are no WebSockets are left out", grouped(n)),
    };
    match (&events.marked, events.reconstructed) {
        (Some(words), _) => Some(words.clone()),
        (None, 0) => None,
        (None, _) => {
            let by = events.creator.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
            Some(format!("the messages of a HAR{by}: these are not the bytes of the wire{others}"))
        }
    }
}

/// A file that ends in an error when reading is called off.
struct Watched<'a> {
    file: File,
    cancel: &'a AtomicBool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("called off"));
        }
        self.file.read(buffer)
    }
}
