//! Parses the JSON of a HAR as a stream: entries and messages are handed on one at a time, unknown keys are skipped.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::events::Events;
use super::model::{Creator, HarMessage, Text};

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
    while let Some(message) = seq.next_element::<HarMessage>()? {
        events.message(message).map_err(A::Error::custom)?;
    }
});

fn ignore<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}
