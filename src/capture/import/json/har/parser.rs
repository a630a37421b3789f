//! Parses the JSON of a HAR as a stream: entries and messages are handed on one at a time, unknown keys are skipped.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::events::Events;
use super::model::{Creator, HarMessage, Text};

/// The objects and arrays of a HAR that are read piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The whole file: an object with the key `log`.
    File,
    Log,
    Entries,
    Entry,
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
        f.write_str(match self.part {
            Part::File => "a HAR",
            Part::Log => "the log of a HAR",
            Part::Entries => "entries",
            Part::Entry => "an entry",
            Part::Messages => "messages",
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if matches!(self.part, Part::Entries | Part::Messages) {
            return Err(A::Error::invalid_type(de::Unexpected::Map, &self));
        }
        while let Some(key) = map.next_key::<String>()? {
            let entry = &mut self.events.entry;
            match (self.part, key.as_str()) {
                (Part::File, "log") => map.next_value_seed(self.inner(Part::Log))?,
                (Part::Log, "creator") => self.events.created_by(&map.next_value::<Creator>()?.name.0),
                (Part::Log, "entries") => map.next_value_seed(self.inner(Part::Entries))?,
                (Part::Entry, "startedDateTime") => entry.started = map.next_value::<Text>()?.0,
                (Part::Entry, "timings") => entry.timings = map.next_value()?,
                (Part::Entry, "request") => entry.request = Some(map.next_value()?),
                (Part::Entry, "response") => entry.response = Some(map.next_value()?),
                (Part::Entry, "serverIPAddress") => entry.server = map.next_value::<Text>()?.0,
                (Part::Entry, "_resourceType") => entry.kind = map.next_value::<Text>()?.0,
                (Part::Entry, "_webSocketMessages") => map.next_value_seed(self.inner(Part::Messages))?,
                (Part::Entry, "_webSocketClose") => entry.close = map.next_value()?,
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
            }
            Part::Messages => {
                self.events.entry.has_messages = true;
                while let Some(message) = seq.next_element::<HarMessage>()? {
                    self.events.message(message).map_err(A::Error::custom)?;
                }
            }
            Part::File | Part::Log | Part::Entry => return Err(A::Error::invalid_type(de::Unexpected::Seq, &self)),
        }
        Ok(())
    }
}
