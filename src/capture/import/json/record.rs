//! A record as a line of NDJSON tells it, or a record of a HAR's `_framescope`: the keys that make it traffic again. The
//! others follow from the bytes and are not looked at.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::Deserialize;

use super::event::{Event, Next};
use crate::capture::format::pcapng::MAX_STREAM;
use crate::capture::format::schema::VERSION;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::rules::{Rule, count};
use crate::proto::time::Time;

/// How many bytes are decoded from hex at once.
const PIECE: usize = 256 * 1024;

/// The keys of a record that are needed.
#[derive(Debug, Deserialize)]
pub struct Told<'a> {
    v: Option<u64>,
    /// Its number where it was recorded.
    #[serde(default)]
    pub no: u64,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    /// Its connection's number where it was recorded.
    pub conn: u64,
    #[serde(borrow, default)]
    of: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    dir: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Of its first byte in its direction's stream.
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
    #[serde(borrow, default)]
    wire: Cow<'a, str>,
    #[serde(borrow, default)]
    findings: Vec<ToldFinding<'a>>,
}

#[derive(Debug, Deserialize)]
struct ToldFinding<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(default)]
    about: Option<u64>,
}

/// Why a record cannot become traffic again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToldError {
    /// Another version of the schema.
    #[error("version {0}; this framescope reads version {VERSION}")]
    Version(u64),
    /// A type that the schema lacks.
    #[error("the type {0:?} is not known")]
    Type(String),
    /// A key that its type has is missing.
    #[error("a record of type {of} without {key:?}")]
    Missing {
        /// The type.
        of: String,
        /// The key.
        key: &'static str,
    },
    /// A key has a value that it cannot have.
    #[error("{key} is {value:?}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value, at most 40 characters of it.
        value: String,
    },
    /// What `wire` holds is no hex.
    #[error("wire is not hex")]
    NotHex,
    /// What `wire` holds is not what `wire_len` says.
    #[error("wire holds {}, wire_len says {said}", count(*.held, "byte"))]
    Length {
        /// Bytes in `wire`.
        held: u64,
        /// Bytes that `wire_len` says.
        said: u64,
    },
}

/// A record that was found sound.
#[derive(Clone, Copy, Debug)]
pub struct Sound {
    /// Which way.
    pub direction: Direction,
    /// When.
    pub time: Time,
    /// What happens.
    pub event: Event,
    /// How far the direction's stream goes on with it, in bytes.
    pub len: u64,
}

impl Told<'_> {
    /// Looks whether it can become traffic again.
    ///
    /// # Errors
    /// See [`ToldError`].
    pub fn sound(&self) -> Result<Sound, ToldError> {
        if let Some(version) = self.v.filter(|version| *version != VERSION) {
            return Err(ToldError::Version(version));
        }
        let time = time(&self.time).ok_or_else(|| value("time", &self.time))?;
        let missing = |key| ToldError::Missing { of: self.r#type.clone().into_owned(), key };
        let direction = match (self.dir.as_deref(), &*self.r#type) {
            (Some("c2s"), _) => Direction::ClientToServer,
            (Some("s2c"), _) => Direction::ServerToClient,
            // A frame that was cut before its MASK.
            (None, "cut") => Direction::ClientToServer,
            (Some(other), _) => return Err(value("dir", other)),
            (None, _) => return Err(missing("dir")),
        };
        let (event, len) = match &*self.r#type {
            "request" | "response" | "frame" | "junk" | "cut" => (Event::Bytes, self.wire_len()?),
            "gap" => {
                let lost = self.missing.ok_or_else(|| missing("missing"))?;
                if !(1..=MAX_STREAM).contains(&lost) {
                    return Err(value("missing", &lost.to_string()));
                }
                (Event::Gap(lost), lost)
            }
            "end" => {
                let how = self.how.as_deref().ok_or_else(|| missing("how"))?;
                let how =
                    [EndReason::Fin, EndReason::Rst, EndReason::Capture].into_iter().find(|known| known.name() == how);
                let how = how.ok_or_else(|| value("how", self.how.as_deref().unwrap_or_default()))?;
                (Event::End(how, self.reset_by()), 0)
            }
            other => return Err(ToldError::Type(short(other))),
        };
        Ok(Sound { direction, time, event, len })
    }

    /// What there is to know of it besides what it makes happen.
    pub fn next(&self) -> Next {
        let early = self.findings.iter().find(|finding| finding.rule == Rule::DataBeforeResponse.id());
        Next {
            no: self.no,
            begins: matches!(&*self.r#type, "request" | "response" | "frame" | "cut"),
            is_request: self.r#type == "request",
            is_frame: self.r#type == "frame" || self.of.as_deref() == Some("frame"),
            unanswered: early.and_then(|finding| finding.about),
            overlapped: self.overlapped(),
        }
    }

    /// Whether it does not tell which way it went: a frame that was cut before its MASK.
    pub const fn is_undirected(&self) -> bool {
        self.dir.is_none()
    }

    /// The addresses of client and server, where it tells them.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((self.client.as_deref()?.parse().ok()?, self.server.as_deref()?.parse().ok()?))
    }

    /// Hands out the bytes of a sound record in pieces.
    pub fn pieces(&self, buffer: &mut Vec<u8>, mut take: impl FnMut(&[u8])) {
        for digits in self.wire.as_bytes().chunks(2 * PIECE) {
            buffer.resize(digits.len() / 2, 0);
            if hex::decode_to_slice(digits, buffer).is_ok() {
                take(buffer);
            }
        }
    }

    fn wire_len(&self) -> Result<u64, ToldError> {
        let digits = self.wire.as_bytes();
        if digits.len() % 2 == 1 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(ToldError::NotHex);
        }
        let held = digits.len() as u64 / 2;
        match self.wire_len.filter(|said| *said != held) {
            Some(said) => Err(ToldError::Length { held, said }),
            None => Ok(held),
        }
    }

    /// How many bytes came again with another content, as the finding on that tells.
    fn overlapped(&self) -> u64 {
        let told = self.findings.iter().find(|finding| finding.rule == Rule::SegmentOverlap.id());
        let digits = told.and_then(|told| {
            told.text
                .split(|c: char| !c.is_ascii_digit() && c != ',')
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        });
        digits.and_then(|digits| digits.replace(',', "").parse().ok()).unwrap_or(0)
    }

    /// Who tore the connection down, as the finding on a reset tells.
    fn reset_by(&self) -> Option<Direction> {
        let told = self.findings.iter().find(|finding| finding.rule == Rule::TcpReset.id())?;
        let by = |side: &Direction| told.text.strip_prefix("the ").is_some_and(|rest| rest.starts_with(side.sender()));
        Direction::BOTH.into_iter().find(by)
    }
}

/// An RFC 3339 time from 1970 on, to the nanosecond.
pub fn time(text: &str) -> Option<Time> {
    let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    u64::try_from(nanos).ok().map(Time)
}

fn value(key: &'static str, value: &str) -> ToldError {
    ToldError::Value { key, value: short(value) }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
