//! The parts of a HAR that are read, as serde structs. Values of an unexpected type are read as missing ones.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

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
    /// Seconds or milliseconds since 1970; −1 or 0 if it is unknown.
    pub time: Number,
    pub opcode: Number,
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
        timestamp: Number,
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

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The integer part of a JSON number; 0 for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "this cast saturates")]
pub const fn to_integer(number: f64) -> u64 {
    number as u64
}
