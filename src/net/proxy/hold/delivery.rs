//! Records the delivered bytes of a connection from its first change on: they are a connection of their own in the capture, and notes link
//! the records of both.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::queue::Item;
use crate::capture::format::proxied::Proxied;
use crate::capture::live::recorder::Chunk;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::net::proxy::tap::Tap;
use crate::net::stream::Stream;
use crate::net::wiretap::{Remark, Wiretap};
use crate::proto::dissected::{Direction, EndReason, Loss};
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::count;

/// The most records that are searched for the latest compressed message of a connection.
const REACH: i64 = 100_000;

/// Begins the recording of the delivered bytes of a connection, and adds notes to the records of held messages.
pub struct Delivery {
    /// The tap with the bytes that the sides send.
    tap: Arc<Tap>,
    /// The head of the request, as the proxy sent it to the server.
    request: Vec<u8>,
    /// The addresses of the connection to the server: the proxy's own, and the server's.
    ends: Option<(SocketAddr, SocketAddr)>,
    /// Whether TLS protects it.
    is_tls: bool,
    /// The recording; `None` before the first change.
    recording: Mutex<Option<Wiretap>>,
    /// The number of the connection with the recording in the capture; 0 before the first change.
    number: AtomicU32,
    /// Whether the capture says, for each direction, that its receiver does not get the recorded bytes.
    altered: [AtomicBool; 2],
}

/// The recording of the delivered bytes.
#[derive(Clone)]
pub struct Delivered(Wiretap);

impl Delivery {
    pub fn new(tap: &Arc<Tap>, request: Vec<u8>, server: &Stream) -> Self {
        let (ends, is_tls) = (server.addresses(), matches!(server, Stream::Tls(_)));
        Self {
            tap: Arc::clone(tap),
            request,
            ends,
            is_tls,
            recording: Mutex::default(),
            number: AtomicU32::new(0),
            altered: Default::default(),
        }
    }

    /// Records the delivered bytes of a direction from here on; `passed` bytes after the handshake were delivered unchanged. `None` if
    /// capturing has stopped.
    pub fn begin(&self, direction: Direction, passed: u64) -> Option<Delivered> {
        let mut recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        if recording.is_none() {
            *recording = self.start();
        }
        let wiretap = recording.clone()?;
        wiretap.not_kept(direction, passed, Loss::Unchanged);
        self.alter(direction);
        Some(Delivered(wiretap))
    }

    /// Reports, once, that the receiver of a direction does not get the recorded bytes, or gets them later.
    pub fn alter(&self, direction: Direction) {
        if !self.altered[direction.index()].swap(true, Ordering::SeqCst) {
            // The bytes so far answer unchanged ones.
            self.tap.drain_all();
            self.tap.wiretap().altered(direction);
        }
    }

    /// Begins the recording with the heads of the handshake.
    fn start(&self) -> Option<Wiretap> {
        let (source, capture) = (self.tap.wiretap(), self.tap.wiretap().capture()?);
        let number = source.number()?;
        let [_, response] = capture.handshake(number)?;
        let response = capture.wire(&response, 0..u64::MAX).ok()?;
        let (client, server) = self.ends?;
        let wiretap = source.delivered(client, server)?;
        let [up, down] = Direction::BOTH;
        let note = format!("what framescope delivered in place of connection {number}, from its first change on");
        let request = Chunk { direction: up, time: wiretap.now(), bytes: &self.request };
        wiretap.crossed_with(request, &Remark::note(note));
        wiretap.crossed(&[Chunk { direction: down, time: wiretap.now(), bytes: &response }]);
        if self.is_tls {
            wiretap.decrypted(false, true);
        }
        self.number.store(wiretap.number().unwrap_or(0), Ordering::SeqCst);
        Some(wiretap)
    }

    /// The number of the connection with the recording in the capture, from the first change on.
    pub fn recorded_as(&self) -> Option<u32> {
        Some(self.number.load(Ordering::SeqCst)).filter(|number| *number > 0)
    }

    /// Reports the end of a direction.
    pub fn ended(&self, direction: Direction, how: EndReason) {
        let recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wiretap) = recording {
            wiretap.ended(direction, how);
        }
    }

    /// The parameters of permessage-deflate, if it was negotiated.
    pub fn deflate(&self) -> Option<DeflateParams> {
        let wiretap = self.tap.wiretap();
        wiretap.capture()?.connection(wiretap.number()?)?.about.deflate
    }

    /// The inflated bytes that the messages after the one that ends with this record may refer to.
    pub fn window_after(&self, record: u64) -> Option<Vec<u8>> {
        let capture = self.tap.wiretap().capture()?;
        window_after(&capture, &capture.record(record)?)
    }

    /// The inflated bytes that a message of a direction from this offset on may refer to; `None` if they are not captured.
    pub fn window_before(&self, direction: Direction, offset: u64) -> Option<Vec<u8>> {
        self.tap.drain_all();
        let (capture, number) = (self.tap.wiretap().capture()?, self.tap.wiretap().number()?);
        let before = |record: &Record| record.direction == direction && record.offset + record.wire_len <= offset;
        let mut records = (1..=REACH).map_while(|steps| capture.record(capture.neighbour(number, u64::MAX, -steps)?));
        let last = records.by_ref().find(|record| before(record) && record.compressed && record.fin());
        match last {
            Some(record) => window_after(&capture, &record),
            // No compressed message came before, as far as the capture goes back.
            None => (capture.first_ordinal(number) == Some(0)).then(Vec::new),
        }
    }

    /// Adds a line for people.
    pub fn notice(&self, line: &str) {
        self.tap.wiretap().notice(line);
    }

    /// The number of the connection.
    pub fn number(&self) -> u32 {
        self.tap.wiretap().number().unwrap_or(0)
    }

    /// Notes on the record of an item that it was sent on.
    pub fn note_sent(&self, item: &Item) {
        if item.was_held {
            self.note(item, &format!("held {} by framescope, then sent on", time(item)));
        }
    }

    /// Notes on the record of an item that it was dropped.
    pub fn note_dropped(&self, item: &Item) {
        self.note(item, &format!("held {}, then dropped by framescope", time(item)));
        self.set_dropped(item);
    }

    /// Notes on the record of an item that its connection ended before it was sent.
    pub fn note_lost(&self, item: &Item) {
        let why = if item.was_held { "held by framescope" } else { "waited for a held message" };
        self.note(item, &format!("{why} for {}; its connection ended before it was sent", time(item)));
        self.set_dropped(item);
    }

    /// Notes on a ping or pong that it was sent before the incomplete message around it.
    pub fn note_overtook(&self, record: Option<u64>) {
        if let Some(no) = record {
            self.tap.wiretap().note(no, "sent on by framescope before the unfinished message around it");
        }
    }

    /// Notes on the record of an item which record was sent in its place.
    pub fn note_replaced(&self, item: &Item) {
        let proxied = item.records.and_then(|[first, _]| self.tap.wiretap().capture()?.proxied(first));
        let place = match (proxied, self.recorded_as()) {
            (Some(Proxied::ReplacedBy(went)), Some(connection)) => format!("record {went} of connection {connection}"),
            // Its length says that more bytes belong to it.
            (_, Some(connection)) => format!("an unfinished frame of connection {connection}"),
            (_, None) => "other bytes, which are not captured,".to_owned(),
        };
        self.note(item, &format!("held {}; framescope sent {place} in its place", time(item)));
    }

    fn set_dropped(&self, item: &Item) {
        if let Some([first, _]) = item.records {
            self.tap.wiretap().proxied(first, Proxied::Dropped);
        }
    }

    fn note(&self, item: &Item, note: &str) {
        if let Some([first, _]) = item.records {
            self.tap.wiretap().note(first, note);
        }
    }
}

impl Delivered {
    /// Records bytes that go to the receiver now, with a remark on their record.
    pub fn record(&self, direction: Direction, bytes: &[u8], remark: Option<&Remark>) {
        let chunk = Chunk { direction, time: self.0.now(), bytes };
        match remark {
            None => self.0.crossed(&[chunk]),
            Some(remark) => {
                self.0.crossed_with(chunk, remark);
                self.0.crossed(&[]);
            }
        }
    }
}

fn window_after(capture: &Capture, record: &Record) -> Option<Vec<u8>> {
    let mut reader = MessageReader::default();
    reader.message(capture, record, 0).ok()??;
    reader.window_after(record).map(<[u8]>::to_vec)
}

/// How long an item was held, in words.
fn time(item: &Item) -> String {
    let held = item.since.elapsed();
    if held < Duration::from_secs(1) {
        return format!("{} ms", held.as_millis());
    }
    if held < Duration::from_secs(60) {
        format!("{:.1} s", held.as_secs_f64())
    } else {
        count(held.as_secs(), "second")
    }
}
