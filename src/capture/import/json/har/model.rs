//! The parts of a HAR that are read. A value of an unexpected type is counted, and read as a missing one.

use serde_json::value::RawValue;

use super::oddities::{Oddities, Oddity};
use super::time::time;
use super::value::{self, Members, Read, elements};
use crate::proto::dissected::Direction;
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// A message of a WebSocket that a frame can carry.
#[derive(Debug)]
pub struct HarMessage {
    pub direction: Direction,
    pub opcode: Opcode,
    /// When it was sent or received; 0 if that is not known.
    pub time: Time,
    /// UTF-8 for the opcode of text, base64 for others.
    pub data: Vec<u8>,
}

/// A request or a response.
#[derive(Debug, Default)]
pub struct Half {
    pub method: String,
    pub url: String,
    /// The status; 0 if it is missing.
    pub status: f64,
    pub reason: String,
    pub headers: Vec<Header>,
}

#[derive(Clone, Debug)]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// The end of a WebSocket, as HTTP Toolkit writes it.
#[derive(Debug)]
pub struct Close {
    pub code: f64,
    pub reason: String,
    pub time: Time,
}

impl Header {
    /// Returns true if the header has this name and this value. Case does not matter.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) && self.value.eq_ignore_ascii_case(value)
    }
}

impl HarMessage {
    /// Reads a message; `None` if no frame can carry it, which is counted.
    pub fn read(json: &RawValue, oddities: &mut Oddities) -> Option<Self> {
        let Some(members) = Members::of(json).ok().flatten() else {
            oddities.add(Oddity::Message);
            return None;
        };
        let word = |name: &str| members.get(name, value::text).ok().flatten().unwrap_or_default().to_ascii_lowercase();
        let kind = word("type");
        // Some programs write the kind of the message into its type, and the direction into a member of its own.
        let Some(direction) = direction(&kind).or_else(|| direction(&word("direction"))) else {
            oddities.add(Oddity::Direction);
            return None;
        };
        let opcode = match members.get("opcode", opcode) {
            // Without an opcode, nothing says that the data is base64.
            Ok(None) => Some(opcode_named(&kind).unwrap_or(Opcode::Text)),
            Ok(Some(opcode)) => opcode,
            Err(_) => None,
        };
        let Some(opcode) = opcode else {
            oddities.add(Oddity::Opcode);
            return None;
        };
        let data = ["data", "payloadData", "payload"].iter().find_map(|name| members.value(name));
        let Ok(data) = data.map_or(Ok(None), value::bytes) else {
            oddities.add(Oddity::Data);
            return None;
        };
        let time = or_counted(members.get("time", time), Oddity::Time, oddities);
        Some(Self { direction, opcode, time, data: data.unwrap_or_default() })
    }
}

/// The direction that a word names. A HAR is the view of a client.
fn direction(word: &str) -> Option<Direction> {
    match word {
        "send" | "sent" | "outgoing" | "request" | "out" | "c2s" => Some(Direction::ClientToServer),
        "receive" | "received" | "incoming" | "response" | "in" | "s2c" => Some(Direction::ServerToClient),
        _ => None,
    }
}

/// Reads an opcode; the inner `None` is one that no message has.
fn opcode(json: &RawValue) -> Read<Option<Opcode>> {
    if let Ok(number) = value::number(json) {
        return Ok(number.map(|number| match number {
            1.0 => Some(Opcode::Text),
            2.0 => Some(Opcode::Binary),
            8.0 => Some(Opcode::Close),
            9.0 => Some(Opcode::Ping),
            10.0 => Some(Opcode::Pong),
            _ => None,
        }));
    }
    Ok(value::text(json)?.map(|name| opcode_named(&name.trim().to_ascii_lowercase())))
}

fn opcode_named(name: &str) -> Option<Opcode> {
    [Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong]
        .into_iter()
        .find(|opcode| opcode.name() == name)
}

/// Reads headers: an array of objects with name and value, or an object.
pub fn headers(json: &RawValue, oddities: &mut Oddities) -> Vec<Header> {
    if let Ok(Some(list)) = elements(json) {
        let pair = |json: &RawValue| {
            let members = Members::of(json).ok()??;
            let name = members.get("name", value::text).ok()?.unwrap_or_default();
            Some(Header { name, value: members.get("value", value::text_or_number).ok()?.unwrap_or_default() })
        };
        let read = list.into_iter().map(pair).collect::<Vec<_>>();
        return counted(read, oddities);
    }
    let members = or_counted(Members::of(json), Oddity::Value, oddities);
    let pair = |(name, json): (&str, &RawValue)| {
        Some(Header { name: name.to_owned(), value: value::text_or_number(json).ok()?.unwrap_or_default() })
    };
    let read = members.iter().map(pair).collect();
    counted(read, oddities)
}

/// The headers that could be read; the others are counted.
fn counted(read: Vec<Option<Header>>, oddities: &mut Oddities) -> Vec<Header> {
    read.iter().filter(|header| header.is_none()).for_each(|_| oddities.add(Oddity::Header));
    read.into_iter().flatten().collect()
}

/// Reads the milliseconds from the start of an entry until its response. Negative ones are steps that were not taken.
pub fn millis_to_response(json: &RawValue, oddities: &mut Oddities) -> f64 {
    let timings = or_counted(Members::of(json), Oddity::Value, oddities);
    let steps = ["blocked", "dns", "connect", "send", "wait"];
    let millis = steps.map(|step| or_counted(timings.get(step, value::number), Oddity::Time, oddities));
    millis.into_iter().map(|millis| millis.max(0.0)).sum()
}

impl Close {
    /// Reads the end of a WebSocket; `None` if it has no close code.
    pub fn read(json: &RawValue, oddities: &mut Oddities) -> Option<Self> {
        // A word says how it ended instead.
        if value::text(json).is_ok() {
            return None;
        }
        let members = or_counted(Members::of(json), Oddity::Value, oddities);
        let code = or_counted(members.get("code", value::number), Oddity::Value, oddities);
        let reason = or_counted(members.get("reason", value::text), Oddity::Value, oddities);
        let time = or_counted(members.get("timestamp", time), Oddity::Time, oddities);
        Some(Self { code, reason, time })
    }
}

/// A value that was read; the default if it is missing, or of another type, which is counted.
pub fn or_counted<T: Default>(read: Read<T>, oddity: Oddity, oddities: &mut Oddities) -> T {
    match read {
        Ok(value) => value.unwrap_or_default(),
        Err(_) => {
            oddities.add(oddity);
            T::default()
        }
    }
}
