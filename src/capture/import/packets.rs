//! The packets of a file, one after the other, into the connections that they belong to.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::ImportOptions;
use super::fragments::Fragments;
use super::link::{self, Holds};
use super::tcp::Flows;
use super::tcp::segment::Segment;
use crate::capture::format::blocks::{Blocks, Next, Packet};
use crate::capture::format::comments::Comment;
use crate::capture::format::file_markers::Marker;
use crate::capture::store::Capture;
use crate::proto::rules::{count, grouped};

/// How many packets are entered under one lock.
const BATCH: usize = 512;

/// How often a file that grows is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Packets that were not read, by the reason.
#[derive(Default)]
struct Unread {
    /// IP fragments whose others are missing.
    fragments: u64,
    others: u64,
    unknown_link: u64,
    /// The first LINKTYPE that nobody here knows.
    link: u16,
}

/// Reads the file into the capture: everything before the first damage, and a line about that. A file that is followed is read
/// on while it grows, until `cancel` is set.
pub fn read(capture: &Capture, file: &Arc<File>, options: &ImportOptions, cancel: &AtomicBool) {
    let mut flows = Flows::new(capture.clone(), options.clone());
    let mut blocks = Blocks::new(Arc::clone(file));
    let mut unread = Unread::default();
    let mut fragments = Fragments::new(Arc::clone(file));
    let mut packets = 0;
    while !cancel.load(Ordering::Relaxed) {
        let position = blocks.position();
        let damage = match blocks.next() {
            Next::Packet(packet) => {
                enter(&packet, &mut flows, &mut fragments, &mut unread);
                packets += 1;
                if packets % BATCH == 0 {
                    flows.commit();
                }
                continue;
            }
            Next::Section(section) => {
                if let Some(Marker::Reconstructed { from }) = section.comments().find_map(Marker::read) {
                    capture.set_reconstructed(&from);
                }
                continue;
            }
            Next::Other => continue,
            Next::End(left) if options.follow => {
                flows.commit();
                capture.set_loading(false);
                if !has_grown(file, position, position + left, cancel) {
                    capture.add_trouble("the file was cut while it was followed");
                    break;
                }
                continue;
            }
            Next::End(0) if position > 0 => break,
            Next::End(_) if position == 0 => "the file ends inside its header",
            Next::End(_) => "the file ends inside a block",
            Next::Damaged => "the file is damaged",
            Next::Unreadable => "the file cannot be read",
        };
        let end = file.metadata().map_or(position, |metadata| metadata.len());
        capture.add_trouble(&format!("{damage}, at byte {position} of {end}; what stands before it is shown"));
        break;
    }
    fragments.finish();
    unread.fragments = fragments.given_up;
    let said = flows.finish();
    said.iter().chain(&unread.lines(capture.is_empty())).for_each(|line| capture.add_trouble(line));
}

/// Waits until the file goes on behind `known`, or `cancel` is set; false when it has become shorter than `position`.
fn has_grown(file: &File, position: u64, known: u64, cancel: &AtomicBool) -> bool {
    while !cancel.load(Ordering::Relaxed) {
        match file.metadata().map_or(0, |metadata| metadata.len()) {
            len if len < position => return false,
            len if len > known => return true,
            _ => thread::sleep(LOOK_AGAIN),
        }
    }
    true
}

#[inline]
fn enter(packet: &Packet<'_>, flows: &mut Flows, fragments: &mut Fragments, unread: &mut Unread) {
    let (mut marker, mut notes) = (None, Vec::new());
    for comment in packet.comments() {
        match Comment::read(comment) {
            Comment::Marker(read) if marker.is_none() => marker = Some(read),
            Comment::Note(note) => notes.push(note.into_owned()),
            _ => {}
        }
    }
    match link::read(packet.link, packet.bytes) {
        Holds::Tcp(tcp) => {
            let (from, to) = tcp.payload;
            flows.take(Segment {
                payload: &packet.bytes[from..to],
                position: packet.position + from as u64,
                time: packet.time,
                notes,
                marker: marker.filter(|_| from == to),
                tcp,
            });
        }
        Holds::Fragment(head) => {
            let position = packet.position + head.bytes.0 as u64;
            let Some(mut whole) = fragments.take(head, position, packet.time, notes.into_iter().next()) else { return };
            let mut note = whole.note.take();
            for (tcp, payload, position) in whole.segments() {
                let notes = note.take().into_iter().collect();
                flows.take(Segment { tcp, payload, position, time: packet.time, notes, marker: None });
            }
        }
        Holds::Other => unread.others += 1,
        Holds::UnknownLink => {
            unread.unknown_link += 1;
            unread.link = packet.link;
        }
    }
}

impl Unread {
    /// What there is to say of it; more when the capture is empty.
    fn lines(&self, empty: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if self.fragments > 0 {
            let fragments = count(self.fragments, "IP fragment");
            lines.push(format!("{fragments} without the others of their packet: what they carry is missing"));
        }
        if self.unknown_link > 0 {
            lines.push(format!(
                "{} of link type {}, which framescope does not read",
                count(self.unknown_link, "packet"),
                self.link
            ));
        }
        if empty && self.others > 0 {
            lines.push(format!("no TCP in {} packets that were read", grouped(self.others)));
        }
        lines
    }
}
