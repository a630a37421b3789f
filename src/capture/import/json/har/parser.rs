//! Parses the JSON of a HAR as a stream: entries and messages are handed on one at a time, unknown keys are skipped.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::events::Events;
use super::model::{Close, Half, headers, millis_to_response, or_counted};
use super::oddities::Oddity;
use super::time::time;
use super::value::{self, JsonBytes, Members};

/// The objects and arrays of a HAR that are read piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The whole file: an object with the key `log`.
    File,
    Log,
    Entries,
    Entry,
    Request,
    Response,
    Messages,
}

/// Fills [`Events`] from one part of a HAR.
pub struct PartReader<'a> {
    events: &'a mut Events,
    part: Part,
}

impl<'a> PartReader<'a> {
    /// A reader of the whole file.
    pub const fn new(events: &'a mut Events) -> Self {
        Self { events, part: Part::File }
    }

    const fn inner(&mut self, part: Part) -> PartReader<'_> {
        PartReader { events: self.events, part }
    }

    /// Counts the part, which is of another type.
    fn odd<E>(self) -> Result<(), E> {
        let is_entry = self.part == Part::Entry;
        self.events.entry.is_odd |= is_entry;
        self.events.oddities.add(if is_entry { Oddity::Entry } else { Oddity::Value });
        Ok(())
    }

    /// Takes the value of a member that is not read piece by piece. Returns false for a member that is not read.
    fn takes(&self, key: &str) -> bool {
        match self.part {
            Part::Log => matches!(key, "creator" | "browser"),
            Part::Entry => {
                matches!(key, "startedDateTime" | "timings" | "serverIPAddress" | "_resourceType" | "_webSocketClose")
            }
            Part::Request | Part::Response => matches!(key, "method" | "url" | "status" | "statusText" | "headers"),
            Part::File | Part::Entries | Part::Messages => false,
        }
    }

    /// Reads the value of a member that [`Self::takes`] returned true for.
    fn take(&mut self, key: &str, json: &RawValue) {
        let Events { entry, oddities, .. } = &mut *self.events;
        let mut text = || or_counted(value::text(json), Oddity::Value, oddities);
        let half = match self.part {
            Part::Request => &mut entry.request,
            _ => &mut entry.response,
        };
        match (self.part, key) {
            (Part::Log, _) => {
                let members = or_counted(Members::of(json), Oddity::Value, oddities);
                let name = or_counted(members.get("name", value::text), Oddity::Value, oddities);
                self.events.made_by(&name, key == "creator");
            }
            (Part::Entry, "startedDateTime") => entry.started = or_counted(time(json), Oddity::Time, oddities),
            (Part::Entry, "timings") => entry.millis_to_response = millis_to_response(json, oddities),
            (Part::Entry, "serverIPAddress") => entry.server = text(),
            (Part::Entry, "_resourceType") => entry.kind = text(),
            (Part::Entry, _) => entry.close = Close::read(json, oddities),
            (_, "method") => half.get_or_insert_default().method = text(),
            (_, "url") => half.get_or_insert_default().url = text(),
            (_, "statusText") => half.get_or_insert_default().reason = text(),
            (_, "status") => {
                half.get_or_insert_default().status = or_counted(value::number(json), Oddity::Value, oddities);
            }
            _ => half.get_or_insert_default().headers = headers(json, oddities),
        }
    }
}

/// Returns true for the key of the messages: `_webSocketMessages`, or how other programs spell it.
fn holds_messages(key: &str) -> bool {
    let key = key.trim_start_matches('_');
    ["webSocketMessages", "webSocketFrames"].iter().any(|name| key.eq_ignore_ascii_case(name))
}

impl<'de> DeserializeSeed<'de> for PartReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a HAR")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        if self.part == Part::Entry { self.odd() } else { Ok(()) }
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.odd()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.odd()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.odd()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.odd()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.odd()
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        match self.part {
            Part::Entries | Part::Messages => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return self.odd();
            }
            Part::Request => self.events.entry.request = Some(Half::default()),
            Part::Response => self.events.entry.response = Some(Half::default()),
            Part::File | Part::Log | Part::Entry => {}
        }
        while let Some(JsonBytes(key)) = map.next_key()? {
            let key = String::from_utf8_lossy(&key);
            match (self.part, key.as_ref()) {
                (Part::File, "log") => map.next_value_seed(self.inner(Part::Log))?,
                (Part::Log, "entries") => map.next_value_seed(self.inner(Part::Entries))?,
                (Part::Entry, "request") => map.next_value_seed(self.inner(Part::Request))?,
                (Part::Entry, "response") => map.next_value_seed(self.inner(Part::Response))?,
                (Part::Entry, key) if holds_messages(key) => map.next_value_seed(self.inner(Part::Messages))?,
                (_, key) if self.takes(key) => self.take(key, &map.next_value::<Box<RawValue>>()?),
                _ => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        match self.part {
            Part::Entries => {
                while seq.next_element_seed(self.inner(Part::Entry))?.is_some() {
                    self.events.entry_ends().map_err(A::Error::custom)?;
                }
                Ok(())
            }
            Part::Messages => {
                self.events.entry.has_messages = true;
                while let Some(message) = seq.next_element::<Box<RawValue>>()? {
                    self.events.message(&message).map_err(A::Error::custom)?;
                }
                Ok(())
            }
            _ => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                self.odd()
            }
        }
    }
}
