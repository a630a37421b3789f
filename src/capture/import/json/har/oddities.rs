//! Counts the values of a HAR that cannot be shown, by what is wrong with them.

use crate::proto::rules::grouped;

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A message that is not an object.
    Message,
    /// A message that was neither sent nor received: Chrome writes errors so.
    Direction,
    /// A message with another opcode than those of a WebSocket.
    Opcode,
    /// A message whose data is not text.
    Data,
    /// A message whose data is not base64, although its opcode is not that of text.
    Base64,
    /// A time of another type, or text that is no time.
    Time,
    /// A header of another type.
    Header,
    /// An entry that is not an object.
    Entry,
    /// Another value of another type.
    Value,
}

/// What is counted: its name in the singular and the plural, and what is done with it.
const WORDS: [(Oddity, [&str; 2], &str); 9] = [
    (Oddity::Message, ["message", "messages"], "left out: not an object"),
    (Oddity::Direction, ["message", "messages"], "left out: the type is neither send nor receive"),
    (
        Oddity::Opcode,
        ["message", "messages"],
        "left out: the opcode is not that of a text, binary, close, ping or pong",
    ),
    (Oddity::Data, ["message", "messages"], "left out: the data is not text"),
    (Oddity::Base64, ["message", "messages"], "shown as text: the data is not base64"),
    (Oddity::Time, ["time", "times"], "ignored: neither a number nor a date"),
    (Oddity::Header, ["header", "headers"], "left out: name and value are not text"),
    (Oddity::Entry, ["entry", "entries"], "left out: not an object"),
    (Oddity::Value, ["value", "values"], "ignored: not of the type that a HAR requires"),
];

/// How many values have each oddity.
#[derive(Debug, Default)]
pub struct Oddities([u64; WORDS.len()]);

impl Oddities {
    /// Counts a value.
    pub fn add(&mut self, oddity: Oddity) {
        self.0[oddity as usize] += 1;
    }

    /// A line for each oddity that was counted.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        WORDS.iter().filter_map(|(oddity, [one, many], what)| match self.0[*oddity as usize] {
            0 => None,
            1 => Some(format!("1 {one} {what}")),
            count => Some(format!("{} {many} {what}", grouped(count))),
        })
    }
}
