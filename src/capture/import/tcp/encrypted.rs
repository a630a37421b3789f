//! Connections with TLS: holds their bytes until it is known whether they can be decrypted, and feeds the decrypted bytes to the
//! dissectors. All others are fed as they are.

use std::time::{Duration, Instant};

use super::Flows;
use super::held::{Encrypted, Step};
use crate::capture::import::tls::{Event, Phase, Progress, Session, Undecryptable};
use crate::proto::dissected::{Direction, EndReason, Missing};
use crate::proto::time::Time;
use crate::wire::tls;

/// How long the secrets of a connection are awaited while capture and key log grow.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most steps of all connections that are held.
const MAX_HELD: usize = 1 << 18;

/// The most steps of a connection that are held until its hellos are complete.
const MAX_OPENING: usize = 1 << 14;

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
                session.push(direction, bytes, time, &mut self.output, &mut self.decryption.secrets);
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
            Some(Encrypted::Held(_)) => self.settle_encryption(i),
            _ => {}
        }
        self.end_decrypted(i, number, direction, time);
        false
    }

    /// The last bytes of a direction were decrypted, as far as possible.
    fn end_decrypted(&mut self, i: usize, number: u32, direction: Direction, time: Time) {
        let Some(Encrypted::Decrypted(session)) = &mut self.flows[i].encrypted else { return };
        session.end(direction, time, &mut self.output);
        let side = session.side(direction);
        if side.unread() > 0 && side.phase().is_none_or(|phase| phase == Phase::Early) {
            self.decryption.refuse(number, Undecryptable::Unfit);
        }
        self.take_decrypted(i, number);
    }

    /// No further bytes or secrets of a connection are awaited.
    pub(super) fn settle_encryption(&mut self, i: usize) {
        if let (Some(Encrypted::Held(_)), Some(number)) = (&self.flows[i].encrypted, self.flows[i].number) {
            self.advance(i, number, true);
        }
    }

    /// Looks for secrets that connections wait for. Returns true if connections still wait.
    pub fn look_for_secrets(&mut self) -> bool {
        if self.awaiting.is_empty() {
            return false;
        }
        let found = self.decryption.look_again();
        for i in std::mem::take(&mut self.awaiting) {
            let Some(Encrypted::Held(held)) = &self.flows[i].encrypted else { continue };
            let is_over = held.since.is_some_and(|since| since.elapsed() >= PATIENCE);
            match self.flows[i].number {
                Some(number) if found || is_over => self.advance(i, number, is_over),
                _ => self.awaiting.push(i),
            }
        }
        !self.awaiting.is_empty()
    }

    /// The capture contains these lines of a key log.
    pub fn add_secrets(&mut self, lines: &[u8]) {
        self.decryption.add_lines(lines);
        for i in std::mem::take(&mut self.awaiting) {
            if let Some(number) = self.flows[i].number {
                self.advance(i, number, false);
            }
        }
    }

    fn hold(&mut self, i: usize, number: u32, step: Step) {
        let Some(Encrypted::Held(held)) = &mut self.flows[i].encrypted else { return };
        held.steps.push(step);
        self.held += 1;
        let is_awaited = held.since.is_some();
        if !is_awaited || self.held >= MAX_HELD {
            self.advance(i, number, false);
        }
    }

    /// Decides whether a connection can be decrypted, if that is known. With `is_over`, it must be decided now.
    fn advance(&mut self, i: usize, number: u32, is_over: bool) {
        let flow = &self.flows[i];
        let Some(Encrypted::Held(held)) = &flow.encrypted else { return };
        let is_complete = flow.sides.iter().all(|side| side.ended);
        let refused = match held.opening.progress() {
            Progress::More if !is_over && !is_complete && held.steps.len() < MAX_OPENING => return,
            Progress::More => held.opening.is_tls().then_some(Undecryptable::NotCaptured),
            Progress::Other => None,
            Progress::Undecryptable(reason) => Some(reason),
            Progress::Agreed => {
                let reason = match self.session(i) {
                    Ok(session) => return self.decrypt(i, number, session),
                    Err(reason) => reason,
                };
                let can_wait = !is_over && self.decryption.may_find_more() && self.held < MAX_HELD;
                if reason.may_change() && can_wait {
                    return self.await_secrets(i);
                }
                Some(reason)
            }
        };
        if let Some(reason) = refused {
            self.decryption.refuse(number, reason);
        }
        for step in self.release(i, None) {
            match step {
                Step::Bytes { direction, position, len, time } => match self.capture.read_file(position, len) {
                    Ok(bytes) => self.feed_plain(i, number, direction, &bytes, position, time),
                    Err(_) => self.lose_plain(i, number, direction, (len as u64).into(), time),
                },
                Step::Lost { direction, len, time } => self.lose_plain(i, number, direction, len.into(), time),
                Step::Fin { direction, time } => self.end_plain(i, number, direction, EndReason::Fin, time),
            }
        }
    }

    /// The session of a connection whose hellos are known.
    fn session(&mut self, i: usize) -> Result<Box<Session>, Undecryptable> {
        let Some(Encrypted::Held(held)) = &self.flows[i].encrypted else { return Err(Undecryptable::NotCaptured) };
        let (client, server) = held.opening.hellos().ok_or(Undecryptable::NotCaptured)?;
        let session = match Session::new(client, server, &mut self.decryption.secrets) {
            Err(reason) if reason.may_change() && self.decryption.look_again() => {
                Session::new(client, server, &mut self.decryption.secrets)
            }
            session => session,
        };
        session.map(Box::new)
    }

    fn await_secrets(&mut self, i: usize) {
        if let Some(Encrypted::Held(held)) = &mut self.flows[i].encrypted {
            held.since.get_or_insert_with(Instant::now);
            self.awaiting.push(i);
        }
    }

    /// Decrypts a connection from its beginning on.
    fn decrypt(&mut self, i: usize, number: u32, session: Box<Session>) {
        let params = session.params();
        self.capture.index_mut().set_decrypted(number, params);
        for step in self.release(i, Some(session)) {
            match step {
                Step::Bytes { direction, position, len, time } => match self.capture.read_file(position, len) {
                    Ok(bytes) => self.feed_encrypted(i, number, direction, &bytes, position, time),
                    Err(_) => self.lose_encrypted(i, number, direction, len as u64, time),
                },
                Step::Lost { direction, len, time } => self.lose_encrypted(i, number, direction, len, time),
                Step::Fin { direction, time } => {
                    self.end_decrypted(i, number, direction, time);
                    self.end_plain(i, number, direction, EndReason::Fin, time);
                }
            }
        }
    }

    /// Ends holding: the steps follow, decrypted or as they are.
    fn release(&mut self, i: usize, session: Option<Box<Session>>) -> Vec<Step> {
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

    /// A connection begins with these bytes. Decides whether it may be TLS that can be decrypted.
    pub(super) fn begin_encryption(&mut self, i: usize, number: u32, bytes: &[u8]) {
        if let Some(params) = self.flows[i].was_encrypted {
            self.capture.index_mut().set_decrypted(number, params);
            return;
        }
        let is_mid_stream = tls::begins_encrypted(bytes) && !self.flows[i].begun;
        let is_possible = tls::may_begin_hello(bytes) && !bytes.is_empty();
        self.flows[i].is_tls = tls::begins_with_hello(bytes);
        match (is_possible, is_mid_stream) {
            (true, _) if self.decryption.has_secrets() => {
                let connection = self.connection(self.flows[i].server);
                let flow = &mut self.flows[i];
                flow.encrypted = Some(Encrypted::held());
                // What markers state about encrypted bytes is not true of decrypted ones.
                flow.connection = Some(connection);
                for (kept, notes) in flow.encrypted_notes.iter_mut().zip(&mut flow.notes) {
                    kept.append(notes);
                }
            }
            (true, _) if self.flows[i].is_tls => self.decryption.refuse(number, Undecryptable::NoKeyLog),
            (_, true) if self.decryption.has_secrets() => self.decryption.refuse(number, Undecryptable::NotCaptured),
            _ => {}
        }
    }
}
