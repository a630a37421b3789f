//! Reads the values of a HAR from their JSON text, each on its own: one of an unexpected type costs nothing but itself.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The value is of another type than the reader of the HAR expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// A value; `None` if it is null.
pub type Read<T> = Result<Option<T>, WrongType>;

/// The members of a JSON object with their values as JSON text.
#[derive(Default)]
pub struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object.
    pub fn of(json: &'a RawValue) -> Read<Self> {
        read(json, b'{')
    }

    /// The value of a member; of members with the same name the last one, as in JavaScript.
    pub fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// Reads the value of a member, if there is one.
    pub fn get<T>(&self, name: &str, read: impl FnOnce(&'a RawValue) -> Read<T>) -> Read<T> {
        self.value(name).map_or(Ok(None), read)
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// Reads an array.
pub fn elements(json: &RawValue) -> Read<Vec<&RawValue>> {
    read(json, b'[')
}

/// Reads text. A lone surrogate, which some programs write, becomes U+FFFD.
pub fn text(json: &RawValue) -> Read<String> {
    Ok(bytes(json)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads text or a number, as text.
pub fn text_or_number(json: &RawValue) -> Read<String> {
    match json.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Ok(Some(json.get().to_owned())),
        _ => text(json),
    }
}

/// Reads text as bytes, which are UTF-8 but for lone surrogates.
pub fn bytes(json: &RawValue) -> Read<Vec<u8>> {
    read(json, b'"').map(|bytes| bytes.map(|JsonBytes(bytes)| bytes))
}

/// Reads a number, also one that is written as text.
pub fn number(json: &RawValue) -> Read<f64> {
    let Some(text) = text_or_number(json)? else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| WrongType)
}

/// Reads a value that begins with `first`.
fn read<'a, T: Deserialize<'a>>(json: &'a RawValue, first: u8) -> Read<T> {
    match json.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(byte) if *byte == first => serde_json::from_str(json.get()).map(Some).map_err(|_| WrongType),
        _ => Err(WrongType),
    }
}

/// The bytes of a JSON string. A lone surrogate is not an error.
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

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((JsonBytes(name), value)) = map.next_entry()? {
                    members.push((String::from_utf8_lossy(&name).into_owned(), value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
