//! Records that the caller states: see [`crate::proto::stated`].

use super::{Body, ConnectionState, DissectedRecord, Dissector, FrameReader, Kind, Resync, State};
use crate::proto::stated::{StatedJunk, StatedKind, StatedRecord, Unfinished};

impl Dissector {
    /// Notes the record that starts here. Has no effect inside another record.
    pub fn state_record(&mut self, stated: StatedRecord, connection: &mut ConnectionState) {
        self.end_stated(connection);
        match &self.state {
            State::Frames(_) => self.record_ended(connection),
            State::Resync(_) => self.end_junk(connection),
            State::Body { body: Body::UntilEnd(_), then, .. } => self.emit_body(*then, self.position, connection),
            _ => {}
        }
        let start = self.position;
        if let State::Body { .. } = self.state {
            self.stated.get_or_insert_default().after_body = Some((start, stated));
        }
        if self.record_start() != start {
            return;
        }
        let unfinished = match stated.kind {
            StatedKind::Http | StatedKind::CutHttp => {
                self.state = State::Head { start, kept: Vec::new() };
                let cut = stated.kind == StatedKind::CutHttp;
                Some(Unfinished::Http { end: start.saturating_add(stated.len), cut })
            }
            StatedKind::Frame | StatedKind::Undirected => {
                self.enter_frames(true);
                None
            }
            StatedKind::Foreign => {
                self.enter_frames(false);
                Some(Unfinished::Junk(StatedJunk::new(start, true, stated.len)))
            }
            StatedKind::Junk => Some(Unfinished::Junk(StatedJunk::new(start, false, stated.len))),
        };
        self.stated.get_or_insert_default().current = unfinished;
    }

    /// Takes the bytes at the start of `bytes` that belong to a stated record which is not read in the common way; returns how many.
    /// Then returns how many of the next bytes may be read at once.
    pub(super) fn take_stated(&mut self, bytes: &[u8], connection: &mut ConnectionState) -> (usize, usize) {
        let current = self.stated.as_mut().and_then(|stated| stated.current.as_mut());
        let (taken, limit) = match current {
            None => (0, bytes.len()),
            Some(Unfinished::Junk(junk)) => (junk.take(bytes), 0),
            Some(Unfinished::Http { end, .. }) => {
                let left = usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX);
                (0, left.min(bytes.len()))
            }
        };
        self.position += taken as u64;
        self.end_stated_if_whole(connection);
        (taken, limit)
    }

    /// Appends the stated record if its last byte was fed.
    pub(super) fn end_stated_if_whole(&mut self, connection: &mut ConnectionState) {
        let current = self.stated.as_ref().and_then(|stated| stated.current.as_ref());
        let whole = match current {
            None => false,
            Some(Unfinished::Junk(junk)) => junk.is_whole(),
            Some(Unfinished::Http { end, .. }) => self.position >= *end,
        };
        if whole {
            self.end_stated(connection);
        }
    }

    /// Appends the stated record, as far as its bytes were fed.
    pub(super) fn end_stated(&mut self, connection: &mut ConnectionState) {
        match self.stated.as_mut().and_then(|stated| stated.current.take()) {
            Some(Unfinished::Junk(junk)) if !junk.bytes.is_empty() => self.end_junk_record(&junk, connection),
            Some(Unfinished::Http { end, cut }) if self.position >= end => self.end_http(cut, connection),
            _ => {}
        }
    }

    fn end_http(&mut self, cut: bool, connection: &mut ConnectionState) {
        let (here, last) = (self.position, self.last);
        match &mut self.state {
            State::Body { body: Body::UntilEnd(_), then, .. } if !cut => {
                let then = *then;
                self.emit_body(then, here, connection);
            }
            // The next byte is malformed.
            State::Body { record, .. } if !cut => {
                let record = DissectedRecord { time: last, ..(**record).clone() };
                self.stated.get_or_insert_default().is_body_over = true;
                connection.emit(record);
            }
            State::Body { record, body, then } if cut => {
                let record = DissectedRecord { kind: Kind::CutHttp, time: last, ..(**record).clone() };
                let next = match body {
                    Body::UntilEnd(_) => State::Junk { start: here, why: None },
                    _ => {
                        let then = *then;
                        self.after(then, here)
                    }
                };
                self.state = next;
                self.emit_answerable(record, connection);
            }
            State::BeforeResponse { start, kept } if !cut => {
                let (start, bytes) = (*start, std::mem::take(kept));
                self.emit_before_response(start, bytes.bytes(), last, connection);
                self.state = State::Head { start: here, kept: Vec::new() };
            }
            State::Head { start, kept } if cut && !kept.is_empty() => {
                let (start, kind) = (*start, super::head::unfinished(self.direction, kept));
                self.state = State::Head { start: here, kept: Vec::new() };
                self.emit_answerable(self.begun(kind, start), connection);
            }
            _ => {}
        }
    }

    fn end_junk_record(&mut self, junk: &StatedJunk, connection: &mut ConnectionState) {
        let here = self.position;
        if let State::Frames(reader) = &mut self.state
            && (junk.foreign || reader.is_in_foreign())
        {
            return reader.take_stated(&junk.bytes, junk.foreign, self.last, connection);
        }
        let mut record = self.begun(Kind::Junk, junk.start);
        if let State::Junk { why, .. } = &mut self.state {
            record.findings.extend(why.take());
        }
        self.emit_answerable(record, connection);
        match &mut self.state {
            State::Resync(resync) => *resync = Resync::until_certain(here, resync.then, resync.frames.take()),
            State::Early { start, .. } => *start = here,
            // Line breaks before a head.
            State::Head { start, .. } if junk.bytes.iter().all(|byte| b"\r\n".contains(byte)) => *start = here,
            State::Frames(reader) if !reader.is_first() => reader.resume(here),
            // The bytes were unrecognized before the other direction showed that frames follow.
            _ => self.state = State::Junk { start: here, why: None },
        }
    }

    fn emit_answerable(&mut self, record: DissectedRecord, connection: &mut ConnectionState) {
        self.stated.get_or_insert_default().add_answerable(record.offset, connection.next_ordinal());
        connection.emit(record);
    }

    /// The ordinal of the stated record at this offset that a response may answer.
    pub fn answerable(&self, offset: u64) -> Option<u32> {
        let all = &self.stated.as_ref()?.answerable;
        all.iter().find(|(start, _)| *start == offset).map(|(_, ordinal)| *ordinal)
    }

    /// Reads frames from here on: with the reader that missing bytes interrupted, or with a new one. The next record is a frame if
    /// `stated`.
    fn enter_frames(&mut self, stated: bool) {
        let (direction, start) = (self.direction, self.position);
        let state = std::mem::replace(&mut self.state, State::Junk { start, why: None });
        let mut reader = match state {
            State::Frames(reader) | State::Resync(Resync { frames: Some(reader), .. }) => reader,
            _ => Box::new(FrameReader::mid_stream(direction, start)),
        };
        reader.resume(start);
        if stated {
            reader.state_frame();
        }
        self.state = State::Frames(reader);
    }
}
