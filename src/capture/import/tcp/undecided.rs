//! Connections that may be TLS, of which it is not known yet whether they can be decrypted: holds their bytes until it is.

use std::time::Instant;

use super::Flows;
use super::held::{Held, Step};
use crate::capture::import::tls::{Event, Handshake, Output, Progress, Session, Undecryptable};
use crate::proto::dissected::EndReason;
use crate::wire::tls::CLOSE_NOTIFY;

/// The most steps of all connections that are held.
const MAX_HELD: usize = 1 << 18;

/// The most steps of a connection that are held until its hellos are complete.
const MAX_OPENING: usize = 1 << 14;

/// How long to hold a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Until it is known whether it can be decrypted.
    IfKnown,
    /// No longer: nothing more comes, or it took too long.
    Over,
    /// No longer: the connection was reset.
    Closed,
}

impl Flows {
    /// No further bytes or secrets of a connection are awaited.
    pub(super) fn settle_encryption(&mut self, i: usize, decision: Decision) {
        if let (Some(_), Some(number)) = (self.flows[i].held(), self.flows[i].number) {
            self.advance(i, number, decision);
        }
    }

    /// Looks for secrets that connections wait for. Returns true if connections still wait.
    pub fn look_for_secrets(&mut self) -> bool {
        if self.awaiting.is_empty() {
            return false;
        }
        let found = self.decryption.look_again();
        let patience = self.decryption.patience();
        for i in std::mem::take(&mut self.awaiting) {
            let Some(held) = self.flows[i].held() else { continue };
            let is_over = held.since.is_some_and(|since| since.elapsed() >= patience);
            let decision = if is_over { Decision::Over } else { Decision::IfKnown };
            match self.flows[i].number {
                Some(number) if found || is_over => self.advance(i, number, decision),
                _ => self.awaiting.push(i),
            }
        }
        !self.awaiting.is_empty()
    }

    /// A section of a pcapng file begins.
    pub const fn begin_section(&mut self) {
        self.decryption.begin_section();
    }

    /// The capture contains these lines of a key log.
    pub fn add_secrets(&mut self, lines: &[u8]) {
        self.decryption.add_lines(lines);
        for i in std::mem::take(&mut self.awaiting) {
            if let Some(number) = self.flows[i].number {
                self.advance(i, number, Decision::IfKnown);
            }
        }
    }

    /// Holds the next bytes of a connection, and decides about it if that is possible.
    pub(super) fn hold(&mut self, i: usize, number: u32, step: Step) {
        let Some(held) = self.flows[i].held_mut() else { return };
        held.steps.push(step);
        self.held += 1;
        let is_awaited = held.since.is_some();
        let is_refused = matches!(held.opening.handshake(), Handshake::Refused { code: Some(_), .. });
        if !is_awaited || is_refused || self.held >= MAX_HELD {
            self.advance(i, number, Decision::IfKnown);
        }
    }

    /// Decides whether a connection can be decrypted, if that is known.
    fn advance(&mut self, i: usize, number: u32, decision: Decision) {
        let flow = &self.flows[i];
        let Some(held) = flow.held() else { return };
        let is_complete = flow.sides.iter().all(|side| side.ended);
        let is_closed = is_complete || decision == Decision::Closed;
        let may_hold = decision == Decision::IfKnown && self.held < MAX_HELD;
        let is_opening = may_hold && !is_complete && held.steps.len() < MAX_OPENING;
        let refused = match held.opening.progress() {
            Progress::More if is_opening => return,
            Progress::More if !held.opening.is_tls() => None,
            Progress::More if is_closed && flow.begun => Some(Undecryptable::Incomplete),
            Progress::More => Some(Undecryptable::NotCaptured),
            // The other side begins inside a record.
            Progress::Other => (!flow.begun && held.opening.is_tls()).then_some(Undecryptable::NotCaptured),
            Progress::Undecryptable(reason) => Some(reason),
            Progress::Agreed => match self.session(i) {
                Ok(session) => return self.decrypt(i, number, session),
                Err(reason) if reason.may_change() => match self.refusal(i, is_closed) {
                    Some(refusal) => Some(refusal),
                    None if may_hold && self.decryption.may_find_more() => return self.await_secrets(i),
                    None if is_opening && self.is_shaking_hands(i) => return,
                    None => match self.session_of_part(i) {
                        Some(session) => return self.decrypt(i, number, session),
                        None => Some(reason),
                    },
                },
                Err(reason) => Some(reason),
            },
        };
        if let Some(reason) = refused {
            self.refuse_all(i, number, reason);
        }
        for step in self.release(i, None) {
            match step {
                Step::Bytes { direction, position, len, time } => match self.capture.read_file(position, len) {
                    Ok(bytes) => self.feed_plain(i, number, direction, &bytes, position, time),
                    Err(_) => self.lose_plain(i, number, direction, (len as u64).into(), time),
                },
                Step::Lost { direction, missing, time } => self.lose_plain(i, number, direction, missing, time),
                Step::Fin { direction, time } => self.end_plain(i, number, direction, EndReason::Fin, time),
            }
        }
    }

    /// The session of a connection whose hellos are known.
    fn session(&mut self, i: usize) -> Result<Box<Session>, Undecryptable> {
        let Some(held) = self.flows[i].held() else { return Err(Undecryptable::NotCaptured) };
        let (client, server) = held.opening.hellos().ok_or(Undecryptable::NotCaptured)?;
        let session = match Session::new(client, server, &mut self.decryption.secrets) {
            Err(reason) if reason.may_change() && self.decryption.look_again() => {
                Session::new(client, server, &mut self.decryption.secrets)
            }
            session => session,
        };
        session.map(Box::new)
    }

    /// The session of a connection, if the log has the secrets of one side only.
    fn session_of_part(&self, i: usize) -> Option<Box<Session>> {
        let held = self.flows[i].held()?;
        let (client, server) = held.opening.hellos()?;
        let session = Session::of_part(client, server, &self.decryption.secrets)?;
        session.may_read_data().then(|| Box::new(session))
    }

    /// Why a session has no secrets, if that is because its handshake failed. `is_closed`: no more bytes follow.
    fn refusal(&self, i: usize, is_closed: bool) -> Option<Undecryptable> {
        let held = self.flows[i].held()?;
        match held.opening.handshake() {
            Handshake::Refused { by, code: Some(code) } => Some(Undecryptable::Alert { by, code: Some(code) }),
            Handshake::Refused { by, code: None } if is_closed => {
                Some(self.encrypted_alert(held).unwrap_or(Undecryptable::Alert { by, code: None }))
            }
            Handshake::Open if is_closed => Some(Undecryptable::Incomplete),
            _ => None,
        }
    }

    /// Returns true if the next bytes of a connection can show that its handshake fails.
    fn is_shaking_hands(&self, i: usize) -> bool {
        self.flows[i].held().is_some_and(|held| held.opening.handshake() != Handshake::Done)
    }

    /// The alert that ended a handshake, if the log has the secrets of the handshake.
    fn encrypted_alert(&self, held: &Held) -> Option<Undecryptable> {
        let (client, server) = held.opening.hellos()?;
        let mut session = Session::of_part(client, server, &self.decryption.secrets)?;
        let mut output = Output::default();
        for step in &held.steps {
            match *step {
                Step::Bytes { direction, position, len, time } => {
                    let bytes = self.capture.read_file(position, len).ok()?;
                    session.push_handshake(direction, &bytes, time, &mut output);
                }
                Step::Lost { direction, missing, time } => session.lose(direction, missing.bytes, time, &mut output),
                Step::Fin { .. } => {}
            }
        }
        output.events.into_iter().find_map(|event| match event {
            Event::Alert { direction, code } if code != CLOSE_NOTIFY => {
                Some(Undecryptable::Alert { by: direction, code: Some(code) })
            }
            _ => None,
        })
    }

    fn await_secrets(&mut self, i: usize) {
        if let Some(held) = self.flows[i].held_mut() {
            held.since.get_or_insert_with(Instant::now);
            self.awaiting.push(i);
        }
    }
}
