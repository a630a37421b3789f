//! Connections with TLS: feeds the decrypted bytes to the dissectors. [`undecided`](super::undecided) has the connections of which it is
//! not known yet whether they can be decrypted; all others are fed as they are.

use super::Flows;
use super::held::{Encrypted, Step};
use super::undecided::Decision;
use crate::capture::import::tls::{Event, Found, Session, Undecryptable};
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, EndReason, Missing};
use crate::proto::time::Time;
use crate::wire::tls::{self, CLOSE_NOTIFY, Protection, USER_CANCELED};

/// The identifier of HTTP/2 in ALPN (RFC 9113 §3.1).
const HTTP_2: &[u8] = b"h2";

impl Flows {
    /// Takes the next bytes of a connection with TLS.
    pub(super) fn feed_encrypted(
        &mut self,
        i: usize,
        number: u32,
        direction: Direction,
        bytes: &[u8],
        position: u64,
        time: Time,
    ) {
        match &mut self.flows[i].encrypted {
            Some(Encrypted::Decrypted(session)) => {
                session.push(direction, bytes, time, &mut self.output, &mut self.decryption);
                self.take_decrypted(i, number);
            }
            Some(Encrypted::Held(held)) => {
                held.opening.push(direction, bytes);
                self.hold(i, number, Step::Bytes { direction, position, len: bytes.len(), time });
            }
            None => self.feed_plain(i, number, direction, bytes, position, time),
        }
    }

    /// The next bytes of a connection with TLS are lost.
    pub(super) fn lose_encrypted(&mut self, i: usize, number: u32, direction: Direction, len: u64, time: Time) {
        match &mut self.flows[i].encrypted {
            Some(Encrypted::Decrypted(session)) => {
                session.lose(direction, len, time, &mut self.output);
                self.take_decrypted(i, number);
            }
            Some(Encrypted::Held(held)) => {
                held.opening.lose(direction);
                self.hold(i, number, Step::Lost { direction, len, time });
            }
            None => self.lose_plain(i, number, direction, len.into(), time),
        }
    }

    /// Ends a direction of a connection with TLS. Returns false if the end can be passed to the dissectors now.
    pub(super) fn end_encrypted(
        &mut self,
        i: usize,
        number: u32,
        direction: Direction,
        how: EndReason,
        time: Time,
    ) -> bool {
        match &mut self.flows[i].encrypted {
            Some(Encrypted::Held(_)) if how == EndReason::Fin => {
                self.hold(i, number, Step::Fin { direction, time });
                return true;
            }
            Some(Encrypted::Held(_)) if how == EndReason::Rst => self.settle_encryption(i, Decision::Closed),
            Some(Encrypted::Held(_)) => self.settle_encryption(i, Decision::Over),
            _ => {}
        }
        self.end_decrypted(i, number, direction, how, time);
        false
    }

    /// The last bytes of a direction were decrypted, as far as possible.
    fn end_decrypted(&mut self, i: usize, number: u32, direction: Direction, how: EndReason, time: Time) {
        let Some(Encrypted::Decrypted(session)) = &mut self.flows[i].encrypted else { return };
        session.end(direction, time, &mut self.output, &mut self.decryption);
        let failure = session.failure(how);
        self.take_decrypted(i, number);
        // The other direction may still show why.
        let is_last = self.flows[i].open == 1;
        if let Some(reason) = failure.filter(|_| is_last) {
            self.refuse(i, number, reason);
        }
    }

    /// Decrypts a connection from its beginning on.
    pub(super) fn decrypt(&mut self, i: usize, number: u32, session: Box<Session>) {
        for step in self.release(i, Some(session)) {
            match step {
                Step::Bytes { direction, position, len, time } => match self.capture.read_file(position, len) {
                    Ok(bytes) => self.feed_encrypted(i, number, direction, &bytes, position, time),
                    Err(_) => self.lose_encrypted(i, number, direction, len as u64, time),
                },
                Step::Lost { direction, len, time } => self.lose_encrypted(i, number, direction, len, time),
                Step::Fin { direction, time } => {
                    self.end_decrypted(i, number, direction, EndReason::Fin, time);
                    self.end_plain(i, number, direction, EndReason::Fin, time);
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
        let Some(Encrypted::Held(held)) = std::mem::replace(&mut flow.encrypted, session.map(Encrypted::Decrypted))
        else {
            return Vec::new();
        };
        self.held -= held.steps.len();
        held.steps
    }

    /// Feeds what was decrypted to the dissectors.
    fn take_decrypted(&mut self, i: usize, number: u32) {
        self.note_decryption(i, number);
        let mut output = std::mem::take(&mut self.output);
        let position = if output.bytes.is_empty() { Ok(0) } else { self.decryption.keep(&output.bytes) };
        for event in output.events.drain(..) {
            match event {
                Event::Data { direction, from, to, time } => {
                    self.place_notes(i, direction, (to - from) as u64);
                    match &position {
                        Ok(position) => {
                            let bytes = &output.bytes[from..to];
                            self.feed_plain(i, number, direction, bytes, position + from as u64, time);
                        }
                        Err(_) => self.lose_plain(i, number, direction, ((to - from) as u64).into(), time),
                    }
                }
                Event::Lost { direction, bytes, time } => {
                    self.lose_plain(i, number, direction, Missing::about(bytes), time);
                }
                Event::Alert { direction, code } if !is_end(code) && self.has_no_data(i) => {
                    self.refuse(i, number, Undecryptable::Alert { by: direction, code: Some(code) });
                }
                Event::Alert { .. } | Event::Extensions(_) | Event::Ticket(_) => {}
            }
        }
        output.clear();
        self.output = output;
        let flow = &mut self.flows[i];
        if let Some(Encrypted::Decrypted(session)) = &flow.encrypted
            && session.alpn() == HTTP_2
            && !std::mem::replace(&mut flow.is_http_2, true)
        {
            self.decryption.found_http_2(number);
        }
    }

    /// Takes note of a connection of which a record was decrypted.
    fn note_decryption(&mut self, i: usize, number: u32) {
        let flow = &mut self.flows[i];
        if let Some(Encrypted::Decrypted(session)) = &flow.encrypted
            && !flow.is_decrypted
            && session.has_opened()
        {
            flow.is_decrypted = true;
            self.capture.index_mut().set_decrypted(number, Protection::Between(session.params()));
        }
    }

    /// Returns true if no application data was decrypted.
    fn has_no_data(&self, i: usize) -> bool {
        let connection = self.flows[i].connection.as_ref();
        connection.is_some_and(|connection| Direction::BOTH.iter().all(|side| connection.position(*side) == 0))
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
            self.refuse(i, number, Undecryptable::NoKeyLog);
        } else if !is_possible && (!self.flows[i].begun || bytes.is_empty()) {
            // The capture lacks the beginning, of which TLS may have been.
            self.flows[i].search = Some(Box::default());
        }
    }

    /// A tunnel through a proxy begins with these bytes of the client. Decides whether it may be TLS that can be decrypted.
    pub(super) fn begin_tunnel(&mut self, i: usize, number: u32, bytes: &[u8]) {
        if !tls::may_begin_hello(bytes) {
            return;
        }
        if self.decryption.may_decrypt() {
            self.hold_encrypted(i);
        } else if tls::begins_with_hello(bytes) {
            self.refuse(i, number, Undecryptable::NoKeyLog);
        }
    }

    /// Holds the bytes of a connection from here on.
    fn hold_encrypted(&mut self, i: usize) {
        let flow = &mut self.flows[i];
        flow.encrypted = Some(Encrypted::held());
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
                self.refuse(i, number, Undecryptable::NotCaptured);
            }
        }
    }
}

/// Returns true if a side that sends this alert ends the connection in order (RFC 8446 §6.1).
const fn is_end(code: u8) -> bool {
    matches!(code, CLOSE_NOTIFY | USER_CANCELED)
}
