//! The JSON of a HAR, parsed as a stream: entries and messages are handed on one at a time, unknown keys are skipped.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

use super::events::Events;

/// Declares a seed that fills [`Events`] from an object, key by key.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident, $what:literal, |$events:ident, $key:ident, $map:ident| $body:expr) => {
        $(#[$doc])*
        pub struct $name<'a>(pub &'a mut Events);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }

            fn visit_unit<E: de::Error>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<(), A::Error> {
                let $events = self.0;
                while let Some($key) = $map.next_key::<String>()? {
                    $body
                }
                Ok(())
            }
        }
    };
}

/// Declares a seed that fills [`Events`] from an array, item by item.
macro_rules! array {
    ($name:ident, $what:literal, |$events:ident, $seq:ident| $body:block) => {
        struct $name<'a>(&'a mut Events);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }

            fn visit_unit<E: de::Error>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut $seq: A) -> Result<(), A::Error> {
                let $events = self.0;
                $body
                Ok(())
            }
        }
    };
}

object! {
    /// The whole file.
    Root, "a HAR", |events, key, map| match key.as_str() {
        "log" => map.next_value_seed(Log(events))?,
        _ => ignore(&mut map)?,
    }
}

object! {
    /// `log`
    Log, "the log of a HAR", |events, key, map| match key.as_str() {
        "creator" => events.created_by(&map.next_value::<Creator>()?.name),
        "entries" => map.next_value_seed(Entries(events))?,
        _ => ignore(&mut map)?,
    }
}

object! {
    /// An entry.
    Item, "an entry", |events, key, map| match key.as_str() {
        "startedDateTime" => events.entry.started = map.next_value::<Text>()?.0,
        "timings" => events.entry.timings = map.next_value()?,
        "request" => events.entry.request = Some(map.next_value()?),
        "response" => events.entry.response = Some(map.next_value()?),
        "serverIPAddress" => events.entry.server = map.next_value::<Text>()?.0,
        "_resourceType" => events.entry.kind = map.next_value::<Text>()?.0,
        "_webSocketMessages" => map.next_value_seed(Messages(events))?,
        "_webSocketClose" => events.entry.close = map.next_value()?,
        _ => ignore(&mut map)?,
    }
}

array!(Entries, "entries", |events, seq| {
    while seq.next_element_seed(Item(events))?.is_some() {
        events.entry_ends().map_err(A::Error::custom)?;
    }
});

array!(Messages, "messages", |events, seq| {
    events.entry.has_messages = true;
    while let Some(message) = seq.next_element::<Message>()? {
        events.message(message).map_err(A::Error::custom)?;
    }
});

fn ignore<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

#[derive(Deserialize)]
struct Creator {
    #[serde(default, deserialize_with = "text")]
    name: String,
}

/// A message of a WebSocket.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// `send` or `receive`.
    #[serde(default, deserialize_with = "text")]
    pub r#type: String,
    /// Seconds or milliseconds since 1970; −1 if it is missing.
    #[serde(default, deserialize_with = "number")]
    pub time: f64,
    #[serde(default, deserialize_with = "number")]
    pub opcode: f64,
    pub data: Option<Data>,
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
pub struct Data(pub Vec<u8>);

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Data, E> {
                Ok(Data(bytes.to_vec()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Data, E> {
                Ok(Data(text.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Text(String);

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
