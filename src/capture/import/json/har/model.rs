//! The parts of a HAR that are read, as serde structs. Values of an unexpected type are read as missing ones.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

use crate::capture::import::json::record;
use crate::proto::time::Time;

/// The program that wrote the HAR.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Creator {
    pub name: Text,
}

/// A message of a WebSocket.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HarMessage {
    /// `send` or `receive`.
    pub r#type: Text,
    pub time: HarTime,
    pub opcode: Option<Number>,
    pub data: Option<JsonBytes>,
}

/// A request or a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Half {
    pub method: Text,
    pub url: Text,
    pub status: Number,
    #[serde(rename = "statusText")]
    pub reason: Text,
    #[serde(deserialize_with = "or_default")]
    pub headers: Vec<Header>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Header {
    pub name: Text,
    pub value: Text,
}

impl Header {
    /// Returns true if the header has this name and this value. Case does not matter.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.name.0.eq_ignore_ascii_case(name) && self.value.0.eq_ignore_ascii_case(value)
    }
}

/// Milliseconds; negative for a step that was not taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Timings {
    pub blocked: Number,
    pub dns: Number,
    pub connect: Number,
    pub send: Number,
    pub wait: Number,
}

/// The end of a WebSocket, which HTTP Toolkit writes as an object or as a word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Close {
    Code {
        #[serde(default)]
        code: Number,
        #[serde(default)]
        reason: Text,
        #[serde(default)]
        timestamp: HarTime,
    },
    Word(IgnoredAny),
}

/// The bytes of a JSON string. A lone surrogate, which some programs write, is not an error.
#[derive(Debug)]
pub struct JsonBytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for JsonBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = JsonBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<JsonBytes, E> {
                Ok(JsonBytes(bytes.to_vec()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<JsonBytes, E> {
                Ok(JsonBytes(text.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Text; a number becomes text, anything else is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub struct Text(pub String);

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        })
    }
}

/// A number; −1 for anything else, 0 if it is missing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub struct Number(pub f64);

impl From<Value> for Number {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Number(number) => number.as_f64().unwrap_or(-1.0),
            Value::String(text) => text.parse().unwrap_or(-1.0),
            _ => -1.0,
        })
    }
}

/// A larger time is in milliseconds: as seconds it would be after the year 5000. A still larger one is in micro- or nanoseconds.
const MAX_SECONDS: f64 = 1e11;

/// A time; 0 if it is unknown. Numbers are seconds since 1970 or parts of seconds, text is that of RFC 3339 or a number.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub struct HarTime(pub Time);

impl From<Value> for HarTime {
    fn from(value: Value) -> Self {
        if let Some(time) = value.as_str().and_then(record::time) {
            return Self(time);
        }
        let Number(number) = value.into();
        let nanos = number
            * match number {
                _ if number > 1e6 * MAX_SECONDS => 1.0,
                _ if number > 1e3 * MAX_SECONDS => 1e3,
                _ if number > MAX_SECONDS => 1e6,
                _ => 1e9,
            };
        // A double has a precision of microseconds here; finer digits are noise.
        Self(Time(to_integer((nanos / 1e3).round()).saturating_mul(1000)))
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The integer part of a JSON number; 0 for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "this cast saturates")]
pub const fn to_integer(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_whatever_their_unit() {
        let read = |value: Value| HarTime::from(value).0;
        assert_eq!(read(json!(1_795_375_800.123_456_7)), Time(1_795_375_800_123_457_000));
        assert_eq!(read(json!(1_795_375_800_123.456)), Time(1_795_375_800_123_456_000));
        assert_eq!(read(json!(1_795_375_800_123_456_i64)), Time(1_795_375_800_123_456_000));
        assert_eq!(read(json!(1_795_375_800_123_456_000_i64)), Time(1_795_375_800_123_456_000));
        assert_eq!(read(json!("1795375800.5")), Time(1_795_375_800_500_000_000));
        assert_eq!(read(json!("2026-11-22T20:30:00.25+01:00")), Time(1_795_375_800_250_000_000));
        for nothing in [json!(-1), json!(0), json!(null), json!("soon"), json!([1])] {
            assert_eq!(read(nothing), Time(0));
        }
        assert!(read(json!(1e308)).0 > 0);
    }
}
