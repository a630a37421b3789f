//! The parts of a HAR that are read, as serde structs. Values of an unexpected type are read as missing ones.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

/// The program that wrote the HAR.
#[derive(Deserialize)]
pub struct Creator {
    #[serde(default, deserialize_with = "text")]
    pub name: String,
}

/// A message of a WebSocket.
#[derive(Debug, Deserialize)]
pub struct HarMessage {
    /// `send` or `receive`.
    #[serde(default, deserialize_with = "text")]
    pub r#type: String,
    /// Seconds or milliseconds since 1970; −1 if it is missing.
    #[serde(default, deserialize_with = "number")]
    pub time: f64,
    #[serde(default, deserialize_with = "number")]
    pub opcode: f64,
    pub data: Option<JsonBytes>,
}

/// A request or a response.
#[derive(Debug, Default, Deserialize)]
pub struct Half {
    #[serde(default, deserialize_with = "text")]
    pub method: String,
    #[serde(default, deserialize_with = "text")]
    pub url: String,
    #[serde(default, deserialize_with = "number")]
    pub status: f64,
    #[serde(default, rename = "statusText", deserialize_with = "text")]
    pub reason: String,
    #[serde(default, deserialize_with = "or_default")]
    pub headers: Vec<Header>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Header {
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    #[serde(default, deserialize_with = "text")]
    pub value: String,
}

/// Milliseconds; negative for a step that was not taken.
#[derive(Debug, Default, Deserialize)]
pub struct Timings {
    #[serde(default, deserialize_with = "number")]
    pub blocked: f64,
    #[serde(default, deserialize_with = "number")]
    pub dns: f64,
    #[serde(default, deserialize_with = "number")]
    pub connect: f64,
    #[serde(default, deserialize_with = "number")]
    pub send: f64,
    #[serde(default, deserialize_with = "number")]
    pub wait: f64,
}

/// The end of a WebSocket, which HTTP Toolkit writes as an object or as a word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Close {
    Code {
        #[serde(default, deserialize_with = "number")]
        code: f64,
        #[serde(default, deserialize_with = "text")]
        reason: String,
        #[serde(default, deserialize_with = "number")]
        timestamp: f64,
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

/// Text, see [`text`].
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

/// Text; a number becomes text, anything else is empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// A number; −1 for anything else.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64().unwrap_or(-1.0),
        Value::String(text) => text.parse().unwrap_or(-1.0),
        _ => -1.0,
    })
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The integer part of a JSON number; 0 for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "this cast saturates")]
pub const fn to_integer(number: f64) -> u64 {
    number as u64
}
