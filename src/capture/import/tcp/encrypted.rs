//! Connections with TLS: feeds the decrypted bytes to the dissectors. [`undecided`](super::undecided) has the connections of which it is
//! not known yet whether they can be decrypted; all others are fed as they are.

use super::Flows;
use super::held::{Encrypted, Layer, Step};
use super::undecided::Decision;
use crate::capture::import::tls::{Event, Found, Session, Undecryptable};
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, EndReason, Missing};
use crate::proto::time::Time;
use crate::wire::http;
use crate::wire::proxy_header::{ProxyHeader, ProxyReading};
use crate::wire::tls::{self, CLOSE_NOTIFY, Protection, USER_CANCELED};

/// The identifier of HTTP/2 in ALPN (RFC 9113 §3.1).
const HTTP_2: &[u8] = b"h2";

/// The most layers of TLS in a connection.
const MAX_LAYERS: usize = 4;

impl Flows {
    /// Takes the next bytes of a layer: of the stream, or what the layer outside it has decrypted. Those of the innermost layer are for
    /// the dissectors.
    #[inline]
    pub(super) fn feed_layer(&mut self, layer: Layer, direction: Direction, bytes: &[u8], position: u64, time: Time) {
        let Layer { flow: i, number, depth } = layer;
        match self.flows[i].layers.get_mut(depth) {
            Some(Encrypted::Decrypted(session)) => {
                session.push(direction, bytes, time, &mut self.output, &mut self.decryption);
                self.take_decrypted(layer);
            }
            Some(Encrypted::Held(_)) => self.feed_held(layer, direction, bytes, position, time),
            None => match self.tls_begins_at(i, direction, bytes) {
                Some(at) => self.feed_beginning(layer, bytes, at, position, time),
                None => self.feed_plain(i, number, direction, bytes, position, time),
            },
        }
    }

    /// Takes the next bytes of a layer that is held.
    fn feed_held(&mut self, layer: Layer, direction: Direction, bytes: &[u8], position: u64, time: Time) {
        let Layer { flow: i, number, .. } = layer;
        let flow = &mut self.flows[i];
        let awaits = flow.connection.as_ref().is_some_and(|connection| connection.awaits_tunnel());
        let Some(held) = flow.held_mut() else { return };
        if direction == Direction::ServerToClient && awaits && !held.opening.has_begun(direction) {
            // The client did not wait for the answer of the proxy.
            let (answer, rest) = bytes.split_at(http::head_len(bytes, 0).unwrap_or(bytes.len()));
            self.feed_plain(i, number, direction, answer, position, time);
            if !rest.is_empty() {
                self.feed_layer(layer, direction, rest, position + answer.len() as u64, time);
            }
            return;
        }
        held.opening.push(direction, bytes);
        self.hold(i, number, Step::Bytes { direction, position, len: bytes.len(), time });
    }

    /// Takes bytes of the client; those from `at` on begin another layer.
    fn feed_beginning(&mut self, layer: Layer, bytes: &[u8], at: usize, position: u64, time: Time) {
        let Layer { flow: i, number, .. } = layer;
        let direction = Direction::ClientToServer;
        let (before, rest) = bytes.split_at(at);
        if !before.is_empty() {
            self.feed_plain(i, number, direction, before, position, time);
        }
        let position = position + before.len() as u64;
        self.begin_layer(i, number, rest);
        match self.flows[i].held() {
            Some(_) => self.feed_layer(layer, direction, rest, position, time),
            None => self.feed_plain(i, number, direction, rest, position, time),
        }
    }

    /// The next bytes of a layer are lost.
    pub(super) fn lose_layer(&mut self, layer: Layer, direction: Direction, missing: Missing, time: Time) {
        let Layer { flow: i, number, depth } = layer;
        match self.flows[i].layers.get_mut(depth) {
            Some(Encrypted::Decrypted(session)) => {
                session.lose(direction, missing.bytes, time, &mut self.output);
                self.take_decrypted(layer);
            }
            Some(Encrypted::Held(held)) => {
                held.opening.lose(direction);
                self.hold(i, number, Step::Lost { direction, missing, time });
            }
            None => self.lose_plain(i, number, direction, missing, time),
        }
    }

    /// Ends a direction of the layers from `depth` on. Returns false if the end can be passed to the dissectors now.
    pub(super) fn end_layers(&mut self, layer: Layer, direction: Direction, how: EndReason, time: Time) -> bool {
        let Layer { flow: i, number, mut depth } = layer;
        loop {
            match self.flows[i].layers.get(depth) {
                Some(Encrypted::Decrypted(_)) => {
                    self.end_session(Layer { flow: i, number, depth }, direction, how, time);
                    depth += 1;
                }
                Some(Encrypted::Held(_)) if how == EndReason::Fin => {
                    self.hold(i, number, Step::Fin { direction, time });
                    return true;
                }
                Some(Encrypted::Held(_)) if how == EndReason::Rst => self.settle_encryption(i, Decision::Closed),
                Some(Encrypted::Held(_)) => self.settle_encryption(i, Decision::Over),
                None => return false,
            }
        }
    }

    /// The last bytes of a direction were decrypted, as far as possible.
    fn end_session(&mut self, layer: Layer, direction: Direction, how: EndReason, time: Time) {
        let Layer { flow: i, number, depth } = layer;
        let Some(Encrypted::Decrypted(session)) = self.flows[i].layers.get_mut(depth) else { return };
        session.end(direction, time, &mut self.output, &mut self.decryption);
        let failure = session.failure(how);
        self.take_decrypted(layer);
        // The other direction may still show why.
        let is_last = self.flows[i].open == 1;
        if let Some(reason) = failure.filter(|_| is_last) {
            self.refuse(i, number, reason);
        }
    }

    /// Decrypts the layer that is held, from its beginning on.
    pub(super) fn decrypt(&mut self, i: usize, number: u32, session: Box<Session>) {
        let layer = Layer { flow: i, number, depth: self.flows[i].layers.len().saturating_sub(1) };
        for step in self.release(i, Some(session)) {
            match step {
                Step::Bytes { direction, position, len, time } => match self.capture.read_file(position, len) {
                    Ok(bytes) => self.feed_layer(layer, direction, &bytes, position, time),
                    Err(_) => self.lose_layer(layer, direction, (len as u64).into(), time),
                },
                Step::Lost { direction, missing, time } => self.lose_layer(layer, direction, missing, time),
                Step::Fin { direction, time } => {
                    if !self.end_layers(layer, direction, EndReason::Fin, time) {
                        self.end_plain(i, number, direction, EndReason::Fin, time);
                    }
                }
            }
        }
    }

    /// Ends holding: the steps follow, decrypted or as they are.
    pub(super) fn release(&mut self, i: usize, session: Option<Box<Session>>) -> Vec<Step> {
        let flow = &mut self.flows[i];
        if session.is_none() {
            // Their offsets are those of the stream.
            for (notes, kept) in flow.notes.iter_mut().zip(&mut flow.encrypted_notes) {
                notes.extend(std::mem::take(kept));
            }
        }
        let Some(Encrypted::Held(held)) = flow.layers.pop() else { return Vec::new() };
        flow.layers.extend(session.map(Encrypted::Decrypted));
        self.held -= held.steps.len();
        held.steps
    }

    /// Feeds what a layer decrypted to the next one.
    fn take_decrypted(&mut self, layer: Layer) {
        let Layer { flow: i, number, depth } = layer;
        self.note_decryption(layer);
        let mut output = std::mem::take(&mut self.output);
        // What is decrypted in vain is bounded for all layers together.
        std::mem::swap(&mut self.output.effort, &mut output.effort);
        let position = if output.bytes.is_empty() { Ok(0) } else { self.decryption.keep(&output.bytes) };
        for event in output.events.drain(..) {
            match event {
                Event::Data { direction, from, to, time } => {
                    let bytes = &output.bytes[from..to];
                    if let Some(Encrypted::Decrypted(session)) = self.flows[i].layers.get_mut(depth) {
                        session.has_data = true;
                    }
                    if depth + 1 == self.flows[i].layers.len() {
                        self.place_notes(i, direction, bytes.len() as u64);
                    }
                    match &position {
                        Ok(at) => {
                            self.feed_layer(layer.inner(), direction, bytes, at + from as u64, time);
                        }
                        Err(_) => {
                            let missing = (bytes.len() as u64).into();
                            self.lose_layer(layer.inner(), direction, missing, time);
                        }
                    }
                }
                Event::Lost { direction, bytes, time } => {
                    self.lose_layer(layer.inner(), direction, Missing::about(bytes), time);
                }
                Event::Alert { direction, code } if !is_end(code) && !self.has_data(layer) => {
                    self.refuse(i, number, Undecryptable::Alert { by: direction, code: Some(code) });
                }
                Event::Alert { .. } | Event::Extensions(_) | Event::Ticket(_) => {}
            }
        }
        output.clear();
        std::mem::swap(&mut self.output.effort, &mut output.effort);
        self.output = output;
        let flow = &mut self.flows[i];
        if let Some(Encrypted::Decrypted(session)) = flow.layers.get(depth)
            && session.alpn() == HTTP_2
            && !std::mem::replace(&mut flow.is_http_2, true)
        {
            self.decryption.found_http_2(number);
        }
    }

    /// Takes note of a connection of which a record was decrypted.
    fn note_decryption(&mut self, layer: Layer) {
        let Layer { flow: i, number, depth } = layer;
        let flow = &mut self.flows[i];
        if let Some(Encrypted::Decrypted(session)) = flow.layers.get(depth)
            && !flow.is_decrypted
            && session.has_opened()
        {
            flow.is_decrypted = true;
            self.capture.index_mut().set_decrypted(number, Protection::Between(session.params()));
        }
    }

    /// Returns true if application data of a layer was decrypted.
    fn has_data(&self, layer: Layer) -> bool {
        let decrypted = self.flows[layer.flow].layers.get(layer.depth);
        decrypted.is_some_and(|layer| matches!(layer, Encrypted::Decrypted(session) if session.has_data))
    }

    /// Takes note why nothing that follows is decrypted. It is shown as it is.
    pub(super) fn refuse_all(&mut self, i: usize, number: u32, reason: Undecryptable) {
        self.refuse(i, number, reason);
        if let Some(connection) = &mut self.flows[i].connection {
            connection.read_no_further();
        }
    }

    /// Takes note why a connection is not decrypted, or not to its end. The first reason counts.
    pub(super) fn refuse(&mut self, i: usize, number: u32, reason: Undecryptable) {
        if !std::mem::replace(&mut self.flows[i].is_refused, true) {
            self.decryption.refuse(number, reason);
        }
    }

    /// Gives the notes on the packets so far to the record that has the last of the next `len` bytes.
    fn place_notes(&mut self, i: usize, direction: Direction, len: u64) {
        let flow = &mut self.flows[i];
        let notes = std::mem::take(&mut flow.encrypted_notes[direction.index()]);
        let Some(connection) = &flow.connection else { return };
        let end = connection.position(direction) + len;
        for note in notes.into_values() {
            flow.notes[direction.index()]
                .entry(end)
                .and_modify(|known| *known = format!("{known}; {note}"))
                .or_insert(note);
        }
    }

    /// A marker says that TLS had encrypted the bytes of a connection, or those from here on.
    pub(super) fn was_encrypted(&mut self, i: usize, tls: Protection) {
        self.flows[i].was_encrypted = Some(tls);
        if let Some(number) = self.flows[i].number {
            self.capture.index_mut().set_decrypted(number, tls);
        }
    }

    /// A connection begins with these bytes. Decides whether it may be TLS that can be decrypted.
    pub(super) fn begin_encryption(&mut self, i: usize, number: u32, bytes: &[u8]) {
        if let Some(tls) = self.flows[i].was_encrypted {
            self.capture.index_mut().set_decrypted(number, tls);
            return;
        }
        let flow = &mut self.flows[i];
        let is_possible = tls::may_begin_hello(bytes) && !bytes.is_empty();
        flow.is_tls = tls::begins_with_hello(bytes);
        if is_possible && self.decryption.may_decrypt() {
            // What markers state about encrypted bytes is not true of decrypted ones.
            let connection = self.connection(self.flows[i].server);
            self.flows[i].connection = Some(connection);
            self.hold_encrypted(i);
        } else if self.flows[i].is_tls {
            self.refuse_all(i, number, Undecryptable::NoKeyLog);
        } else if !is_possible && (!self.flows[i].begun || bytes.is_empty()) {
            // The capture lacks the beginning, of which TLS may have been.
            self.flows[i].search = Some(Box::default());
        }
    }

    /// Where in these bytes TLS begins, after others: in a tunnel through a proxy, after a header of the PROXY protocol, or where a
    /// protocol changes to TLS.
    #[inline]
    fn tls_begins_at(&self, i: usize, direction: Direction, bytes: &[u8]) -> Option<usize> {
        match bytes {
            [tls::HANDSHAKE | b'C' | b'P' | b'\r', ..] if direction == Direction::ClientToServer => {}
            _ => return None,
        }
        let flow = &self.flows[i];
        let connection = flow.connection.as_ref().filter(|connection| !connection.about().websocket)?;
        if flow.is_refused || flow.layers.len() == MAX_LAYERS {
            return None;
        }
        if connection.begins_tunnel() && tls::may_begin_hello(bytes) {
            return Some(0);
        }
        let at = match ProxyHeader::read(bytes) {
            ProxyReading::Header(header) => header.len,
            // The client need not wait for the answer of the proxy.
            _ if bytes.starts_with(b"CONNECT ") => http::head_len(bytes, 0)?,
            _ => 0,
        };
        tls::begins_with_client_hello(&bytes[at..]).then_some(at)
    }

    /// A layer may begin with these bytes of the client. Holds it if it can perhaps be decrypted.
    fn begin_layer(&mut self, i: usize, number: u32, bytes: &[u8]) {
        if self.decryption.may_decrypt() {
            self.hold_encrypted(i);
        } else if tls::begins_with_hello(bytes) {
            self.refuse_all(i, number, Undecryptable::NoKeyLog);
        }
    }

    /// Holds the bytes of a connection from here on.
    fn hold_encrypted(&mut self, i: usize) {
        let flow = &mut self.flows[i];
        flow.layers.push(Encrypted::held());
        for (kept, notes) in flow.encrypted_notes.iter_mut().zip(&mut flow.notes) {
            kept.append(notes);
        }
    }

    /// Looks for TLS in a connection whose beginning the capture lacks.
    pub(super) fn search_tls(&mut self, i: usize, number: u32, direction: Direction, bytes: &[u8]) {
        let flow = &mut self.flows[i];
        let is_read = |about: &HandshakeSummary| about.websocket || about.target.is_some();
        let is_known = flow.connection.as_ref().is_none_or(|connection| is_read(connection.about()));
        let Some(search) = flow.search.as_mut().filter(|_| !is_known) else {
            flow.search = None;
            return;
        };
        match search.push(direction, bytes) {
            Found::More => {}
            Found::Nothing => flow.search = None,
            Found::Tls => {
                flow.search = None;
                flow.is_tls = true;
                self.refuse_all(i, number, Undecryptable::NotCaptured);
            }
        }
    }
}

/// Returns true if a side that sends this alert ends the connection in order (RFC 8446 §6.1).
const fn is_end(code: u8) -> bool {
    matches!(code, CLOSE_NOTIFY | USER_CANCELED)
}
