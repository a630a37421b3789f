//! Feeds the next bytes of a stream to the dissector, and its records to the capture.

use super::held::Layer;
use super::{Flows, is_request};
use crate::capture::format::file_markers::ProxiedLate;
use crate::capture::store::index::{ConnectionEntry, Extent};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason, Kind, Missing};
use crate::proto::resync;
use crate::proto::stated::StatedRecord;
use crate::proto::time::Time;
use crate::wire::proxy_header::{ProxyHeader, ProxyReading};

impl Flows {
    /// Puts a note on a record that was read before: see [`IndexBatch::late_note`](crate::capture::store::index::IndexBatch::late_note).
    pub fn note(&mut self, back: u64, time: Time, note: String) {
        self.batch.late_note(back, time, note);
    }

    /// Says what was done with a record that was read before: see [`IndexBatch::proxied`](crate::capture::store::index::IndexBatch::proxied).
    pub fn proxied(&mut self, proxied: ProxiedLate, time: Time) {
        self.batch.proxied(proxied, time);
    }

    /// Applies the collected changes to the index.
    pub fn commit(&mut self) {
        self.capture.index_mut().apply(&mut self.batch, 0);
        self.keep_handshakes();
        self.capture.changed();
    }

    #[inline]
    pub(super) fn feed(&mut self, i: usize, direction: Direction, bytes: &[u8], position: u64, time: Time) {
        if bytes.is_empty() {
            return;
        }
        let number = self.number_of(i, direction, bytes, time);
        if self.flows[i].is_mid_stream && !self.port_reported {
            self.report_port(i, number, direction, bytes);
        }
        if self.flows[i].search.is_some() {
            self.search_tls(i, number, direction, bytes);
        }
        let flow = &mut self.flows[i];
        let side = &mut flow.sides[direction.index()];
        flow.latest[direction.index()] = Some(Extent::new(side.taken, position, bytes.len()));
        side.taken += bytes.len() as u64;
        self.feed_layer(Layer::outermost(i, number), direction, bytes, position, time);
    }

    /// The next bytes of a direction for the dissectors: those of the stream, or decrypted ones.
    #[inline]
    pub(super) fn feed_plain(
        &mut self,
        i: usize,
        number: u32,
        direction: Direction,
        bytes: &[u8],
        position: u64,
        time: Time,
    ) {
        let flow = &mut self.flows[i];
        let other = direction.opposite();
        let is_uncertain = flow.layers.iter().any(|layer| layer.is_uncertain(other));
        let outstanding = flow.outstanding || is_uncertain || flow.sides[other.index()].is_incomplete();
        if let Some(connection) = &mut flow.connection {
            self.batch.extend(number, direction, Extent::new(connection.position(direction), position, bytes.len()));
            connection.outstanding(other, outstanding);
            connection.feed(direction, bytes, time, &mut self.records);
        }
        self.enter(i, number);
    }

    /// The next bytes of a direction are lost.
    pub(super) fn gap(&mut self, i: usize, direction: Direction, missing: impl Into<Missing>, time: Time) {
        let missing = missing.into();
        if missing.bytes == 0 {
            return;
        }
        let number = self.number_of(i, direction, &[], time);
        let flow = &mut self.flows[i];
        flow.sides[direction.index()].taken += missing.bytes;
        if let Some(search) = flow.search.as_mut().filter(|_| flow.layers.is_empty()) {
            search.lose(direction, missing.bytes);
        }
        self.lose_layer(Layer::outermost(i, number), direction, missing, time);
    }

    /// The dissectors lack the next bytes of a direction.
    pub(super) fn lose_plain(&mut self, i: usize, number: u32, direction: Direction, missing: Missing, time: Time) {
        self.batch.skip(number, direction, missing.bytes);
        if let Some(connection) = &mut self.flows[i].connection {
            connection.gap(direction, missing, time, &mut self.records);
        }
        self.enter(i, number);
    }

    /// A marker gives the stream offset at which the next frame or head begins.
    pub(super) fn begins(&mut self, i: usize, direction: Direction, at: Option<u64>) {
        let flow = &mut self.flows[i];
        if !flow.layers.is_empty() {
            return;
        }
        if let (Some(at), Some(number), Some(connection)) = (at, flow.number, &mut flow.connection) {
            let _ = connection.begins(direction, at, &mut self.records);
            self.enter(i, number);
        }
    }

    /// A marker says which record comes next in a direction.
    pub(super) fn state_record(&mut self, i: usize, direction: Direction, stated: StatedRecord) {
        let flow = &mut self.flows[i];
        let Some(connection) = flow.connection.as_mut().filter(|_| flow.layers.is_empty()) else { return };
        flow.stated = true;
        let known = connection.about().websocket;
        connection.state_record(direction, stated, &mut self.records);
        let inferred = connection.about().websocket != known;
        if let Some(number) = flow.number {
            self.enter(i, number);
            if inferred {
                self.batch.set_handshake(number, self.flows[i].about());
            }
        }
    }

    /// The number of a flow's connection. If it has none yet, the connection begins with these bytes.
    #[inline]
    fn number_of(&mut self, i: usize, direction: Direction, bytes: &[u8], time: Time) -> u32 {
        match self.flows[i].number {
            Some(number) => number,
            None => self.open(i, direction, bytes, time),
        }
    }

    fn open(&mut self, i: usize, direction: Direction, bytes: &[u8], time: Time) -> u32 {
        let flow = &mut self.flows[i];
        let is_head = match direction {
            Direction::ClientToServer => is_request(bytes),
            Direction::ServerToClient => bytes.starts_with(b"HTTP/"),
        };
        let is_http = is_head || begins_with_proxy_header(bytes);
        let ports = [flow.client.port(), flow.server.port()];
        if !is_http && self.options.port.is_some_and(|port| ports.contains(&port)) {
            let connection = Connection::mid_stream(flow.server).assume_deflate(self.options.deflate);
            flow.connection = Some(Box::new(connection));
        }
        let mut entry = ConnectionEntry::new(flow.client, flow.server, time);
        entry.about = flow.about();
        let number = self.capture.index_mut().open(entry);
        self.flows[i].number = Some(number);
        self.begin_encryption(i, number, bytes);
        let flow = &mut self.flows[i];
        flow.is_mid_stream = !is_http && !flow.begun && !flow.is_tls && self.options.port.is_none();
        number
    }

    /// Suggests `--port`, once, if a packet without handshake begins with a frame.
    fn report_port(&mut self, i: usize, number: u32, direction: Direction, packet: &[u8]) {
        if resync::begins_with_frame(packet, direction, true) {
            self.port_reported = true;
            let port = self.flows[i].server.port();
            self.capture.add_notice(&format!(
                "connection {number} begins without its handshake; --port {port} reads it as WebSocket frames"
            ));
        }
    }

    pub(super) fn end(&mut self, i: usize, direction: Direction, reason: EndReason, time: Time) {
        let number = match self.flows[i].number {
            Some(number) => number,
            // It has bytes, of a record that comes later.
            None if self.flows[i].stated => self.open(i, direction, &[], time),
            None => return,
        };
        let flow = &mut self.flows[i];
        if std::mem::replace(&mut flow.sides[direction.index()].ended, true) {
            return;
        }
        self.late += flow.sides[direction.index()].drop_waiting();
        if self.end_layers(Layer::outermost(i, number), direction, reason, time) {
            return;
        }
        self.end_plain(i, number, direction, reason, time);
    }

    /// Ends a direction for the dissectors.
    pub(super) fn end_plain(&mut self, i: usize, number: u32, direction: Direction, reason: EndReason, time: Time) {
        let flow = &mut self.flows[i];
        if let Some(connection) = &mut flow.connection {
            connection.end(direction, reason, time, &mut self.records);
        }
        self.enter(i, number);
        let flow = &mut self.flows[i];
        flow.open -= 1;
        if flow.open == 0 {
            (flow.connection, flow.layers) = (None, Vec::new());
            (flow.notes, flow.encrypted_notes) = Default::default();
        }
    }

    #[inline]
    fn enter(&mut self, i: usize, number: u32) {
        let mut handshake = false;
        for record in self.records.drain(..) {
            handshake |= matches!(record.kind, Kind::Request | Kind::Response);
            let (direction, end) = (record.direction, record.offset.saturating_add(record.wire_len));
            self.batch.push(number, record);
            let notes = &mut self.flows[i].notes[direction.index()];
            while let Some(note) = notes.first_entry().filter(|note| *note.key() <= end) {
                self.batch.note(note.remove());
            }
        }
        if handshake {
            let about = self.flows[i].about();
            if self.keeps_openings && about.websocket {
                self.upgraded.push(number);
            }
            self.batch.set_handshake(number, about);
        }
    }
}

/// Returns true if bytes begin with a header of the PROXY protocol, or with enough of one to be certain.
fn begins_with_proxy_header(bytes: &[u8]) -> bool {
    bytes.len() >= 12 && ProxyHeader::read(bytes) != ProxyReading::Other
}
