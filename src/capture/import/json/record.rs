//! A record as a line of NDJSON: the keys from which traffic is replayed. The other keys follow from the bytes and are not read.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::{Deserialize, Deserializer};

use super::event::{RecordEvent, ReplayHints};
use crate::capture::format::NDJSON_VERSION;
use crate::capture::format::pcapng::MAX_STREAM;
use crate::proto::dissected::{Direction, EndReason, Kind, Loss, Missing};
use crate::proto::rules::{Rule, count};
use crate::proto::stated::{Answers, StatedKind, StatedRecord};
use crate::proto::time::Time;

/// How many bytes are decoded from hex at once.
const PIECE: usize = 256 * 1024;

/// The longest value that an error quotes, in characters.
const MAX_QUOTED: usize = 40;

/// A record as it was parsed; [`JsonRecord::validate`] checks it.
#[derive(Debug, Deserialize)]
pub struct JsonRecord<'a> {
    v: Option<u64>,
    /// Its number in the file.
    #[serde(default)]
    pub no: u64,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    /// Its connection's number in the file.
    pub conn: u64,
    #[serde(borrow, default)]
    of: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    dir: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// The offset of its first byte in its direction.
    #[serde(default)]
    pub offset: u64,
    wire_len: Option<u64>,
    missing: Option<u64>,
    #[serde(borrow, default)]
    how: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    client: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    server: Option<Cow<'a, str>>,
    #[serde(default)]
    outstanding: bool,
    #[serde(default)]
    estimated: bool,
    #[serde(default)]
    unread: bool,
    #[serde(default)]
    unchanged: bool,
    /// Whether its connection has what the sides of an earlier one received.
    #[serde(default)]
    pub delivered: bool,
    /// The number of the record that a response answers; null if it answers none, absent in files of earlier versions.
    #[serde(default, deserialize_with = "present")]
    answers: Option<Option<u64>>,
    #[serde(borrow, default)]
    wire: Cow<'a, str>,
    /// The note on the record.
    #[serde(borrow, default)]
    pub note: Option<Cow<'a, str>>,
    /// What `proxy` did with it.
    #[serde(borrow, default)]
    pub proxied: Option<Cow<'a, str>>,
    /// The number of the record that was sent in its place, and the number of the record that it replaces.
    #[serde(default)]
    pub replaced_by: Option<u64>,
    #[serde(default)]
    pub in_place_of: Option<u64>,
    #[serde(borrow, default)]
    findings: Vec<JsonFinding<'a>>,
}

/// A finding: the importer makes most of them again from the bytes, and reads the values of those that it cannot make.
#[derive(Debug, Deserialize)]
struct JsonFinding<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(default)]
    number: Option<u64>,
    #[serde(borrow, default)]
    by: Option<Cow<'a, str>>,
}

/// Why a record cannot be replayed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("version {0}; this framescope reads version {NDJSON_VERSION}")]
    Version(u64),
    #[error("the type {0:?} is not known")]
    Type(String),
    #[error("a record of type {of} without {key:?}")]
    Missing { of: String, key: &'static str },
    #[error("{key} is {value:?}")]
    Value {
        key: &'static str,
        /// Its value, at most 40 characters of it.
        value: String,
    },
    #[error("wire is not hex")]
    NotHex,
    #[error("wire has {}, but wire_len is {wire_len}", count(*.held, "byte"))]
    Length { held: u64, wire_len: u64 },
}

/// The checked values of a record that can be replayed.
#[derive(Clone, Copy, Debug)]
pub struct ValidRecord {
    pub direction: Direction,
    /// When its last byte crossed.
    pub time: Time,
    pub event: RecordEvent,
    /// By how many bytes it moves the offset of its direction.
    pub len: u64,
}

impl JsonRecord<'_> {
    /// Checks whether the record can be replayed.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn validate(&self) -> Result<ValidRecord, RecordError> {
        if let Some(version) = self.v.filter(|version| *version != NDJSON_VERSION) {
            return Err(RecordError::Version(version));
        }
        let time = time(&self.time).ok_or_else(|| value("time", &self.time))?;
        let missing = |key| RecordError::Missing { of: self.r#type.clone().into_owned(), key };
        let direction = match (self.dir.as_deref(), &*self.r#type) {
            (Some("c2s"), _) => Direction::ClientToServer,
            (Some("s2c"), _) => Direction::ServerToClient,
            // A frame that ends before its MASK bit.
            (None, "cut") => Direction::ClientToServer,
            (Some(other), _) => return Err(value("dir", other)),
            (None, _) => return Err(missing("dir")),
        };
        let (event, len) = match &*self.r#type {
            "request" | "response" | "frame" | "junk" | "cut" => (RecordEvent::Bytes, self.wire_len()?),
            "gap" => {
                let lost = self.missing.ok_or_else(|| missing("missing"))?;
                if !(1..=MAX_STREAM).contains(&lost) {
                    return Err(value("missing", &lost.to_string()));
                }
                let named =
                    [(Loss::Estimated, self.estimated), (Loss::Unread, self.unread), (Loss::Unchanged, self.unchanged)];
                let loss = named.into_iter().find(|(_, is_named)| *is_named).map_or(Loss::Lost, |(loss, _)| loss);
                (RecordEvent::Gap(Missing { bytes: lost, loss }), lost)
            }
            "end" => {
                let how = self.how.as_deref().ok_or_else(|| missing("how"))?;
                let reasons = [EndReason::Fin, EndReason::Rst, EndReason::Capture];
                let reason = reasons.into_iter().find(|reason| reason.name() == how);
                (RecordEvent::End(reason.ok_or_else(|| value("how", how))?, self.reset_by()), 0)
            }
            other => return Err(RecordError::Type(quoted(other))),
        };
        Ok(ValidRecord { direction, time, event, len })
    }

    /// What the replay needs besides the event. `offset_of` gives the offset of an earlier record that is no request.
    pub fn hints(&self, offset_of: impl Fn(u64) -> Option<u64>) -> ReplayHints {
        let answers = match self.answers {
            Some(None) => Answers::Nothing,
            Some(Some(no)) => offset_of(no).map_or(Answers::Next, Answers::At),
            _ => Answers::Next,
        };
        let early = self.finding(Rule::DataBeforeResponse).is_some();
        let len = self.wire.len() as u64 / 2;
        ReplayHints {
            stated: self.stated_kind().map(|kind| StatedRecord { kind, len, early, answers }),
            outstanding: (!self.wire.is_empty()).then_some(self.outstanding),
            altered: self.outstanding && &*self.r#type == "end",
            overlapped: self.finding(Rule::SegmentOverlap).and_then(|finding| finding.values().0).unwrap_or(0),
        }
    }

    /// Returns true if a response may answer the record, although it is no complete request.
    pub fn may_be_answered(&self) -> bool {
        self.dir.as_deref() == Some("c2s") && matches!(&*self.r#type, "junk" | "cut")
    }

    /// How the bytes of the record are read.
    fn stated_kind(&self) -> Option<StatedKind> {
        let kind = match &*self.r#type {
            "request" => Kind::Request,
            "response" => Kind::Response,
            "frame" => Kind::Frame,
            "junk" => Kind::Junk,
            "cut" if self.of.as_deref() == Some("frame") => Kind::CutFrame,
            "cut" => Kind::CutHttp,
            _ => return None,
        };
        let rule = |finding: &JsonFinding<'_>| Rule::ALL.iter().copied().find(|rule| rule.id() == finding.rule);
        StatedKind::of(kind, self.is_undirected(), self.findings.iter().filter_map(rule))
    }

    /// Returns true for a record without a direction: a frame that ends before its MASK bit.
    pub const fn is_undirected(&self) -> bool {
        self.dir.is_none()
    }

    /// The addresses of client and server, if the record has them.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((self.client.as_deref()?.parse().ok()?, self.server.as_deref()?.parse().ok()?))
    }

    /// Hands the bytes of a valid record to `take`, in pieces.
    pub fn pieces(&self, buffer: &mut Vec<u8>, mut take: impl FnMut(&[u8])) {
        for digits in self.wire.as_bytes().chunks(2 * PIECE) {
            buffer.resize(digits.len() / 2, 0);
            if hex::decode_to_slice(digits, buffer).is_ok() {
                take(buffer);
            }
        }
    }

    fn wire_len(&self) -> Result<u64, RecordError> {
        let digits = self.wire.as_bytes();
        if digits.len() % 2 == 1 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(RecordError::NotHex);
        }
        let held = digits.len() as u64 / 2;
        match self.wire_len.filter(|wire_len| *wire_len != held) {
            Some(wire_len) => Err(RecordError::Length { held, wire_len }),
            None => Ok(held),
        }
    }

    fn finding(&self, rule: Rule) -> Option<&JsonFinding<'_>> {
        self.findings.iter().find(|finding| finding.rule == rule.id())
    }

    /// The side that reset the connection, if a finding names it.
    fn reset_by(&self) -> Option<Direction> {
        self.finding(Rule::TcpReset)?.values().1
    }
}

impl JsonFinding<'_> {
    /// The number and the side of the finding.
    fn values(&self) -> (Option<u64>, Option<Direction>) {
        if self.number.is_none() && self.by.is_none() {
            return self.legacy();
        }
        let by = self.by.as_deref();
        (self.number, Direction::BOTH.into_iter().find(|side| by == Some(side.sender())))
    }

    /// The number and the side of a finding that an earlier version wrote, which has them only in its sentence.
    fn legacy(&self) -> (Option<u64>, Option<Direction>) {
        let number = |rest: &str| rest.split_once(';')?.0.replace(',', "").parse().ok();
        if self.rule == Rule::SegmentOverlap.id() {
            // "a TCP segment repeats bytes of an earlier one with another content: bytes that differ: 1,203; those that …"
            return (self.text.split_once("bytes that differ: ").and_then(|(_, rest)| number(rest)), None);
        }
        if self.rule == Rule::TcpReset.id() {
            // "the server tore the TCP connection down (RST)"
            let side = self.text.strip_prefix("the ").and_then(|rest| rest.split_once(" tore")).map(|(side, _)| side);
            return (None, Direction::BOTH.into_iter().find(|direction| side == Some(direction.sender())));
        }
        (None, None)
    }
}

/// Reads a key that may be null, if it is present.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// An RFC 3339 time from 1970 on, in nanoseconds.
pub fn time(text: &str) -> Option<Time> {
    let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    u64::try_from(nanos).ok().map(Time)
}

fn value(key: &'static str, value: &str) -> RecordError {
    RecordError::Value { key, value: quoted(value) }
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(json: &str) -> (Option<u64>, Option<Direction>) {
        serde_json::from_str::<JsonFinding<'_>>(json).expect("a finding").values()
    }

    #[test]
    fn values_are_data_and_the_sentence_does_not_matter() {
        let server = Some(Direction::ServerToClient);
        assert_eq!(values(r#"{"rule":"segment-overlap","text":"any words","number":1203}"#), (Some(1203), None));
        assert_eq!(values(r#"{"rule":"tcp-reset","text":"the client tore","by":"server"}"#), (None, server));
        assert_eq!(values(r#"{"rule":"tcp-reset","by":"somebody"}"#), (None, None));
    }

    #[test]
    fn sentences_of_earlier_versions_give_the_values() {
        let overlap = "a TCP segment repeats bytes of an earlier one with another content: bytes that differ: 1,203; \
                       those that came first are shown";
        assert_eq!(values(&format!(r#"{{"rule":"segment-overlap","text":"{overlap}"}}"#)), (Some(1203), None));
        let reset = r#"{"rule":"tcp-reset","text":"the server tore the TCP connection down (RST)"}"#;
        assert_eq!(values(reset), (None, Some(Direction::ServerToClient)));
        assert_eq!(values(r#"{"rule":"tcp-reset","text":"reworded"}"#), (None, None));
        assert_eq!(values(r#"{"rule":"bare-lf","text":"bytes that differ: 5;"}"#), (None, None));
    }
}
