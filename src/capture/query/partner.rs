//! Records that belong together: request and response, ping and pong, the two Closes, the fragments of a message, a message and
//! its echo, a message that a proxy received and the one that it sent in its place.

use std::time::Duration;

use super::filter::path_of;
use super::messages::{self, Messages};
use crate::capture::format::proxied::Proxied;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::wire::opcode::Opcode;

/// Records of the connection that are searched in each direction.
const REACH: i64 = 100_000;

/// Longest message that is compared with its echo, in bytes.
const MAX_ECHO: u64 = 1 << 20;

/// The numbers of `record` and of the records that belong to it, in ascending order. Only its own if it has no partner, or none
/// among the 100,000 records before and after it.
pub fn partners(capture: &Capture, record: &Record) -> Vec<u64> {
    let mut numbers = whole(capture, record);
    let other = |no: &u64| match capture.proxied(*no)? {
        Proxied::ReplacedBy(other) | Proxied::InPlaceOf(other) => Some(other),
        Proxied::Rewritten | Proxied::Dropped | Proxied::Added => None,
    };
    if let Some(other) = numbers.iter().find_map(other).and_then(|no| capture.record(no)) {
        numbers.extend(whole(capture, &other));
    }
    if record.message.is_some() {
        numbers.extend(echo(capture, record));
    } else {
        let answered = record.answers;
        numbers.extend(answered);
        let may_be_answered = match record.kind {
            Kind::Request => true,
            Kind::Frame => matches!(record.opcode(), Some(Opcode::Ping | Opcode::Close)),
            _ => false,
        };
        if may_be_answered {
            numbers
                .extend(walk(capture, record, 1).find(|other| other.answers == Some(record.no)).map(|other| other.no));
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The partner after `record`; the first one after the last.
pub fn next_partner(capture: &Capture, record: &Record) -> Option<u64> {
    let numbers = partners(capture, record);
    let at = numbers.iter().position(|no| *no == record.no)?;
    let next = numbers[(at + 1) % numbers.len()];
    (next != record.no).then_some(next)
}

/// The round-trip time of a pong: from the last byte of the ping that it answers to its own last byte. `None` if the record is not
/// a pong, if it answers no ping, or if the clock was set back.
pub fn round_trip(capture: &Capture, record: &Record) -> Option<Duration> {
    if record.opcode() != Some(Opcode::Pong) {
        return None;
    }
    let ping = capture.record(record.answers?)?;
    u64::try_from(record.time.nanos_since(ping.time)).ok().map(Duration::from_nanos)
}

/// The numbers of a record and of the other fragments of its message.
fn whole(capture: &Capture, record: &Record) -> Vec<u64> {
    let mut numbers = vec![record.no];
    if record.message.is_some() {
        numbers.extend(fragments(capture, record, -1));
        numbers.extend(fragments(capture, record, 1));
    }
    numbers
}

/// The other fragments of a data frame's message: earlier ones for a `step` of -1, later ones for 1.
fn fragments(capture: &Capture, record: &Record, step: i64) -> Vec<u64> {
    let opens = |r: &Record| r.opcode().is_some_and(Opcode::opens_message);
    let mut found = Vec::new();
    let over = if step < 0 { opens(record) } else { record.fin() };
    if over {
        return found;
    }
    for other in walk(capture, record, step) {
        if other.direction != record.direction || other.message.is_none() {
            continue;
        }
        if other.message != record.message {
            break;
        }
        found.push(other.no);
        let over = if step < 0 { opens(&other) } else { other.fin() };
        if over {
            break;
        }
    }
    found
}

/// The first record of the message that echoes the message of `record`, or of the message that it echoes. On a connection whose path
/// ends in `/echo`, this is the message with the same ordinal in the other direction, if type and content are the same.
fn echo(capture: &Capture, record: &Record) -> Option<u64> {
    let target = capture.connection(record.connection)?.about.target?;
    if !path_of(&target).ends_with("/echo") {
        return None;
    }
    let step = if record.direction == Direction::ClientToServer { 1 } else { -1 };
    let is_other = |other: &Record| {
        other.direction != record.direction && other.message == record.message && messages::opens(other)
    };
    let other = walk(capture, record, step).find(is_other)?;
    let own = if messages::opens(record) { record.no } else { messages::opener(capture, record)? };
    let own = content(capture, &capture.record(own)?)?;
    (own == content(capture, &other)?).then_some(other.no)
}

/// The type and content of the message that a record opens; `None` if it is incomplete or long, or cannot be read.
fn content(capture: &Capture, opener: &Record) -> Option<(Option<Opcode>, Vec<u8>)> {
    let mut messages = Messages::default();
    let message = messages.look(capture, opener).filter(|message| message.whole && message.len <= MAX_ECHO)?;
    let content = if message.compressed {
        let last = capture.record(message.last)?;
        let inflated = MessageReader::default().message(capture, &last, MAX_ECHO).ok()??;
        Some(inflated).filter(|inflated| inflated.complete && inflated.fault.is_none())?
    } else {
        message.joined(capture, MAX_ECHO).ok()?.0
    };
    (content.len == content.bytes.len() as u64).then(|| (opener.opcode(), content.bytes))
}

/// The records of the same connection before (`step` -1) or after (1) `record`.
fn walk<'a>(capture: &'a Capture, record: &'a Record, step: i64) -> impl Iterator<Item = Record> + 'a {
    (1..=REACH).map_while(move |n| capture.record(capture.neighbour(record.connection, record.no, n * step)?))
}
