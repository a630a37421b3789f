//! Reads the packets of a file in order, and hands their TCP segments to the reassembly.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::fragments::{Fragments, Reassembled};
use super::link::{self, PacketContent, TcpHead};
use super::options::ImportOptions;
use super::packet_ring::PacketRing;
use super::stream::StreamCopy;
use super::tcp::Flows;
use super::tcp::segment::Segment;
use super::tls::{Decryption, KeySource};
use crate::capture::format::blocks::{BlockEvent, Blocks, Packet};
use crate::capture::format::comments::Comment;
use crate::capture::format::file_markers::Marker;
use crate::capture::store::Capture;
use crate::proto::rules::count;
use crate::proto::time::Time;

/// How many packets are read before their records are committed.
const BATCH: usize = 512;

/// Poll interval for the growth of a followed file.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Poll interval for a key log, while connections wait for their secrets.
pub(super) const SECRETS_INTERVAL: Duration = Duration::from_millis(60);

/// Counts of packets that were not read.
#[derive(Default)]
struct Unread {
    /// IP fragments of incomplete packets.
    fragments: u64,
    /// Packets without TCP.
    others: u64,
    /// Packets in encapsulations that may contain TCP, by the name of the encapsulation.
    encapsulated: BTreeMap<&'static str, u64>,
    /// Packets by their LINKTYPE.
    unsupported_links: BTreeMap<u16, u64>,
}

/// Whether a file gets longer while it is read.
pub enum Growth {
    /// It does not.
    Complete,
    /// Another program writes it.
    Followed(Arc<File>),
    /// A thread copies a stream into it.
    Stream(Arc<StreamCopy>),
    /// Packets arrive in a ring of files.
    Ring(Box<PacketRing>),
}

/// Why waiting for more bytes ended.
pub(super) enum Waited {
    /// There are more, reading was cancelled, or it is time to look for secrets.
    More,
    /// There will be no more.
    End,
    /// There will be no more, for this reason.
    Failed(String),
    /// The file has become shorter than what was read.
    Shorter,
}

/// Reads the file into the capture. At the first damage it stops, and adds it to the capture's trouble. A file that grows is read
/// while it grows, until `cancel` is set.
pub fn read(capture: &Capture, options: &ImportOptions, keys: KeySource, mut growth: Growth, cancel: &AtomicBool) {
    let is_live = !matches!(growth, Growth::Complete);
    let decryption = Decryption::new(capture.clone(), is_live, keys);
    let mut flows = Flows::new(capture.clone(), options.clone(), decryption);
    let mut blocks = Blocks::new(capture.files().clone());
    let mut unread = Unread::default();
    let mut fragments = Fragments::new(capture.files().clone());
    if let Growth::Ring(ring) = &growth {
        ring.begin(capture, &mut flows);
    }
    let mut packets = 0;
    while !cancel.load(Ordering::Relaxed) {
        let position = blocks.position();
        let damage = match blocks.next() {
            BlockEvent::Packet(packet) => {
                read_packet(&packet, &mut flows, &mut fragments, &mut unread);
                packets += 1;
                if packets % BATCH == 0 {
                    flows.look_for_secrets();
                    flows.commit();
                }
                continue;
            }
            BlockEvent::Section(section) => {
                flows.begin_section();
                if let Some(Marker::Reconstructed { from }) = section.comments().find_map(Marker::read) {
                    capture.set_reconstructed(&from);
                }
                if let Growth::Ring(ring) = &mut growth {
                    ring.begin_section(capture, &mut flows, (position, blocks.position()));
                }
                continue;
            }
            BlockEvent::Interface => {
                if let Growth::Ring(ring) = &mut growth {
                    ring.add_to_head(capture, (position, blocks.position()));
                }
                continue;
            }
            BlockEvent::Secrets(lines) => {
                flows.add_secrets(lines);
                continue;
            }
            BlockEvent::Other => continue,
            BlockEvent::End(left) => {
                let mut awaits_secrets = false;
                if is_live {
                    awaits_secrets = flows.look_for_secrets();
                    flows.commit();
                    capture.set_loading(false);
                    capture.set_awaiting_secrets(awaits_secrets);
                }
                let waited = match &mut growth {
                    Growth::Ring(ring) => ring.wait(capture, &mut flows, left, awaits_secrets, cancel),
                    growth => growth.wait(position, position + left, awaits_secrets, cancel),
                };
                match waited {
                    Waited::More => continue,
                    Waited::Shorter => {
                        capture.add_damage(
                            "the file became shorter while it was followed; records that were read before are shown",
                        );
                        break;
                    }
                    Waited::Failed(failure) => {
                        capture.add_failure(&failure);
                        break;
                    }
                    Waited::End if left == 0 && position > 0 => break,
                    Waited::End if position == 0 => "the capture ends inside its header",
                    Waited::End => "the capture ends inside a block",
                }
            }
            BlockEvent::Damaged => "the file is damaged",
            BlockEvent::Unreadable => {
                capture.add_failure(&format!("cannot read byte {position}; records before it are shown"));
                break;
            }
        };
        let end = capture.files().end().unwrap_or(position);
        capture.add_damage(&format!("{damage}, at byte {position} of {end}; records before that are shown"));
        break;
    }
    if let Growth::Ring(ring) = &growth {
        ring.finish(capture);
    }
    capture.set_awaiting_secrets(false);
    fragments.finish();
    unread.fragments = fragments.dropped;
    let notices = flows.finish();
    notices.iter().chain(&unread.lines(capture.is_empty())).for_each(|line| capture.add_notice(line));
}

impl Growth {
    /// Waits until the file is longer than `known` bytes, or `cancel` is set; with `awaits_secrets`, only for a short time. The next
    /// block begins at `position`.
    fn wait(&self, position: u64, known: u64, awaits_secrets: bool, cancel: &AtomicBool) -> Waited {
        match self {
            Self::Complete | Self::Ring(_) => Waited::End,
            Self::Stream(copy) => {
                if copy.wait(known, awaits_secrets.then_some(SECRETS_INTERVAL), cancel) {
                    return Waited::More;
                }
                copy.failure().map_or(Waited::End, Waited::Failed)
            }
            Self::Followed(file) => {
                while !cancel.load(Ordering::Relaxed) {
                    match file.metadata().map_or(0, |metadata| metadata.len()) {
                        len if len < position => return Waited::Shorter,
                        len if len > known => return Waited::More,
                        _ if awaits_secrets => {
                            thread::sleep(SECRETS_INTERVAL);
                            return Waited::More;
                        }
                        _ => thread::sleep(POLL_INTERVAL),
                    }
                }
                Waited::More
            }
        }
    }
}

#[inline]
fn read_packet(packet: &Packet<'_>, flows: &mut Flows, fragments: &mut Fragments, unread: &mut Unread) {
    let (mut marker, mut notes) = (None, Vec::new());
    for comment in packet.comments() {
        match Comment::read(comment) {
            Comment::Marker(read) if marker.is_none() => marker = Some(read),
            Comment::Note(note) => notes.push(note.into_owned()),
            _ => {}
        }
    }
    if let Some(Marker::Note { back, time }) = marker {
        return flows.note(back, Time(time), notes.pop().unwrap_or_default());
    }
    if let Some(Marker::Proxied(proxied)) = marker {
        return flows.proxied(proxied, packet.time);
    }
    let comments = PacketComments { marker, notes };
    match link::read(packet.link, packet.bytes) {
        PacketContent::Aggregate(at) => {
            let mut comments = Some(comments);
            for content in link::aggregated(packet.bytes, at) {
                take_content(content, packet, comments.take().unwrap_or_default(), flows, fragments, unread);
            }
        }
        content => take_content(content, packet, comments, flows, fragments, unread),
    }
}

/// What the comments of a packet say.
#[derive(Default)]
struct PacketComments {
    marker: Option<Marker>,
    notes: Vec<String>,
}

/// Takes what `packet` contains.
#[inline]
fn take_content(
    content: PacketContent,
    packet: &Packet<'_>,
    PacketComments { marker, notes }: PacketComments,
    flows: &mut Flows,
    fragments: &mut Fragments,
    unread: &mut Unread,
) {
    match content {
        PacketContent::Tcp(tcp) => {
            let (from, to) = tcp.payload;
            let marker = marker.filter(|marker| *marker == Marker::Outstanding || from == to);
            flows.take(segment(packet, tcp, notes, marker));
        }
        PacketContent::Exported(tcp) => flows.append(segment(packet, tcp, notes, None)),
        PacketContent::Fragment(head) => {
            let position = packet.position + head.bytes.0 as u64;
            if let Some(whole) = fragments.take(&head, position, packet.time, notes.into_iter().next()) {
                read_reassembled(whole, packet, flows, unread);
            }
        }
        content => unread.add(&content, packet.link, 1),
    }
}

/// The segment of a packet that was not fragmented.
fn segment<'a>(packet: &Packet<'a>, tcp: TcpHead, notes: Vec<String>, marker: Option<Marker>) -> Segment<'a> {
    let (from, to) = tcp.payload;
    let position = packet.position + from as u64;
    Segment { payload: &packet.bytes[from..to], position, block: packet.block, time: packet.time, notes, marker, tcp }
}

/// Reads a packet whose last fragment was in `packet`.
fn read_reassembled(mut whole: Reassembled, packet: &Packet<'_>, flows: &mut Flows, unread: &mut Unread) {
    let PacketContent::Tcp(tcp) = whole.content else {
        return unread.add(&whole.content, packet.link, whole.count);
    };
    let mut note = whole.note.take();
    for (tcp, payload, position) in whole.segments(tcp) {
        let notes = note.take().into_iter().collect();
        let block = packet.block;
        flows.take(Segment { tcp, payload, position, block, time: packet.time, notes, marker: None });
    }
}

impl Unread {
    /// Counts `packets` packets with this content.
    fn add(&mut self, content: &PacketContent, link: u16, packets: u64) {
        *match content {
            PacketContent::Unread(name) => self.encapsulated.entry(name).or_default(),
            PacketContent::UnsupportedLink => self.unsupported_links.entry(link).or_default(),
            _ => &mut self.others,
        } += packets;
    }

    /// One line for each kind of packet that was not read. Packets without TCP are reported only if the capture is empty.
    fn lines(&self, empty: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if self.fragments > 0 {
            let fragments = count(self.fragments, "IP fragment");
            lines.push(format!("{fragments} dropped: other fragments of the same packet are missing"));
        }
        let mut unread = |packets: u64, what: &str| {
            lines.push(format!("{} {what}, which framescope does not read", count(packets, "packet")));
        };
        for (link, packets) in &self.unsupported_links {
            let name = link::link_name(*link).map(|name| format!(" ({name})")).unwrap_or_default();
            unread(*packets, &format!("of link type {link}{name}"));
        }
        for (name, packets) in &self.encapsulated {
            unread(*packets, &format!("in {name}"));
        }
        if empty && self.others > 0 {
            lines.push(format!("no TCP in {}", count(self.others, "packet")));
        }
        lines
    }
}
