//! What a learner types as the answer of a task. The right answer is computed from the record.

use std::io;

use strum::{IntoStaticStr, VariantArray};

use crate::capture::query::messages::{self, Messages};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::wire::http::Head;
use crate::wire::printable;

/// The largest part of a response head that is read, in bytes.
const MAX_HEAD: u64 = 64 * 1024;

/// The most characters of an accept key: base64 of 20 bytes.
const ACCEPT_KEY: u64 = 28;

/// Numbers that may be typed as words.
const WORDS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// What a task asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    about: Fact,
    /// A payload byte, counted from 0, or a number of characters; 0 for a fact that needs neither.
    at: u64,
}

/// A fact about a record that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
enum Fact {
    /// The length of a frame's payload.
    PayloadLength,
    /// The 7 bits of the length.
    LengthCode,
    Opcode,
    CloseCode,
    /// The number of frames of a message.
    MessageFrames,
    /// The byte of the masking key for a payload byte: 0 to 3.
    KeyByteIndex,
    /// The value of that byte of the key.
    KeyByte,
    /// A payload byte as it crossed the wire.
    WireByte,
    /// A payload byte after XOR.
    XorResult,
    /// The first characters of the accept key.
    AcceptKeyPrefix,
}

/// Why a text is no [`Question`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// There is no such answer.
    #[error("unknown answer {0:?}; answers are {known}", known = names())]
    Unknown(String),
    /// The number in parentheses is missing, superfluous or not a number.
    #[error("{0} needs a number in parentheses, as in {0}(4)")]
    Number(&'static str),
    /// There must not be a number.
    #[error("{0} takes no number")]
    NoNumber(&'static str),
}

/// The judgement of an answer. The texts are for the learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong, or cannot be read: what to think about, in one line.
    Wrong(String),
    /// The record does not have what the task asks for.
    Absent,
}

/// The right answer.
enum Expected {
    Number(u64),
    Byte(u8),
    /// The whole value; the learner types its beginning.
    Text(String),
}

impl Question {
    /// Reads a question: `close-code`, `key-byte-index(6)`.
    pub(super) fn parse(text: &str) -> Result<Self, QuestionError> {
        let (name, at) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((name, at)) => (name, Some(at)),
            None => (text, None),
        };
        let about = Fact::VARIANTS.iter().copied().find(|fact| fact.name() == name);
        let about = about.ok_or_else(|| QuestionError::Unknown(name.to_owned()))?;
        let at = match (about.needs_number(), at) {
            (true, at) => at.and_then(|at| at.parse().ok()).ok_or(QuestionError::Number(about.name()))?,
            (false, None) => 0,
            (false, Some(_)) => return Err(QuestionError::NoNumber(about.name())),
        };
        if about == Fact::AcceptKeyPrefix && !(1..=ACCEPT_KEY).contains(&at) {
            return Err(QuestionError::Number(about.name()));
        }
        Ok(Self { about, at })
    }

    /// How the answer is typed, in a few words.
    pub const fn form(&self) -> &'static str {
        match self.about {
            Fact::KeyByte | Fact::WireByte | Fact::XorResult => "a byte: 6d, 0x6d or its eight bits",
            Fact::AcceptKeyPrefix => "with capital and small letters",
            Fact::KeyByteIndex => "a number from 0 to 3",
            Fact::CloseCode => "a number, such as 1000",
            _ => "a number: 2, 0x02 or two",
        }
    }

    /// Judges what was typed about a record.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn judge(&self, capture: &Capture, record: &Record, typed: &str) -> io::Result<Verdict> {
        let typed = typed.trim();
        Ok(match self.expected(capture, record)? {
            None => Verdict::Absent,
            Some(Expected::Text(whole)) => prefix(typed, &whole, self.at),
            Some(Expected::Number(right)) => match number(typed) {
                Some(typed) if typed == right => Verdict::Right,
                Some(typed) => Verdict::Wrong(self.think_again(capture, record, typed, right)?),
                None => Verdict::Wrong(self.unreadable_number(capture, record, typed)?),
            },
            Some(Expected::Byte(right)) => match byte(typed) {
                Some(typed) if typed == right => Verdict::Right,
                Some(typed) => Verdict::Wrong(self.think_again(capture, record, typed.into(), right.into())?),
                None => Verdict::Wrong(format!("type {}", self.form())),
            },
        })
    }

    /// The right answer; `None` if the record does not have it.
    fn expected(&self, capture: &Capture, record: &Record) -> io::Result<Option<Expected>> {
        if self.about == Fact::AcceptKeyPrefix {
            let head = capture.wire(record, 0..record.wire_len.min(MAX_HEAD))?;
            let value = Head::read(&head).value("sec-websocket-accept");
            return Ok(value.map(|value| Expected::Text(String::from_utf8_lossy(value).into_owned())));
        }
        let Some(head) = capture.frame_head(record)? else { return Ok(None) };
        let key = head.masking_key.filter(|_| self.at < head.payload_len);
        let byte = |bytes: Vec<u8>| bytes.first().copied().map(Expected::Byte);
        let here = self.at..self.at.saturating_add(1);
        Ok(match self.about {
            Fact::PayloadLength => Some(Expected::Number(head.payload_len)),
            Fact::LengthCode => Some(Expected::Number(head.len_code.into())),
            Fact::Opcode => Some(Expected::Number(head.opcode.to_wire().into())),
            Fact::CloseCode => match capture.payload(record, 0..head.payload_len.min(2))?[..] {
                [high, low] => Some(Expected::Number(u16::from_be_bytes([high, low]).into())),
                _ => None,
            },
            Fact::MessageFrames => {
                let opener = if messages::opens(record) { Some(record.no) } else { messages::opener(capture, record) };
                let mut messages = Messages::default();
                let opener = opener.and_then(|no| capture.record(no));
                let message = opener.as_ref().and_then(|opener| messages.look(capture, opener));
                message.map(|message| Expected::Number(message.frames.into()))
            }
            Fact::KeyByteIndex => key.map(|_| Expected::Number(self.at % 4)),
            Fact::KeyByte => key.map(|key| Expected::Byte(key[(self.at % 4) as usize])),
            Fact::WireByte if self.at < head.payload_len => {
                let start = head.header_len() as u64 + self.at;
                byte(capture.wire(record, start..start + 1)?)
            }
            Fact::XorResult if self.at < head.payload_len => byte(capture.payload(record, here)?),
            Fact::WireByte | Fact::XorResult | Fact::AcceptKeyPrefix => None,
        })
    }

    /// A line about an answer that is no number.
    fn unreadable_number(&self, capture: &Capture, record: &Record, typed: &str) -> io::Result<String> {
        let key = if self.about == Fact::KeyByteIndex { self.value(capture, record, Fact::KeyByte)? } else { None };
        Ok(match byte(typed).filter(|typed| key == Some((*typed).into())) {
            Some(byte) => format!("{byte:02x} is the value of that key byte; which of the four is it, counted from 0?"),
            None => format!("type {}", self.form()),
        })
    }

    /// A line that leads from a wrong answer to the right one.
    fn think_again(&self, capture: &Capture, record: &Record, typed: u64, right: u64) -> io::Result<String> {
        let Some(head) = capture.frame_head(record)? else { return Ok(String::new()) };
        let at = self.at;
        Ok(match self.about {
            Fact::KeyByteIndex if typed > 3 => {
                format!(
                    "the key has only the bytes 0 to 3: after key byte 3 comes key byte 0 again, up to payload byte {at}"
                )
            }
            Fact::KeyByteIndex if typed == right + 1 => "almost: count both from 0, not from 1".to_owned(),
            Fact::KeyByteIndex => format!("divide {at} by 4: the remainder is the byte of the key"),
            Fact::PayloadLength | Fact::LengthCode if typed == head.wire_len() => {
                "this is the length of the whole frame; the head is not part of the payload".to_owned()
            }
            Fact::PayloadLength if typed == u64::from(head.len_code) => {
                format!("{typed} in the 7 bits only says that the bytes after it hold the length")
            }
            Fact::PayloadLength => "the length is in the second byte, or in the bytes after it".to_owned(),
            Fact::LengthCode => "these are the last 7 bits of the second byte".to_owned(),
            Fact::Opcode => "the opcode is the last four bits of the first byte".to_owned(),
            Fact::CloseCode if typed == right.swap_bytes() >> 48 => "almost: the high byte comes first".to_owned(),
            Fact::CloseCode => format!(
                "not {typed}: the code is the first two bytes of the payload, after XOR; the row \"close code\" has it as a number"
            ),
            Fact::MessageFrames => {
                "count from the frame with the opcode of the message to the one with FIN 1; pings do not count"
                    .to_owned()
            }
            Fact::XorResult if Some(typed) == self.value(capture, record, Fact::WireByte)? => {
                "this is the byte on the wire, before the XOR".to_owned()
            }
            Fact::WireByte if Some(typed) == self.value(capture, record, Fact::XorResult)? => {
                "this is the byte after the XOR; the task asks for the one on the wire".to_owned()
            }
            Fact::XorResult if Some(typed) == self.value(capture, record, Fact::KeyByte)? => {
                "this is the byte of the key".to_owned()
            }
            Fact::XorResult => {
                "write the two bytes as bits, one below the other: equal bits give 0, others 1".to_owned()
            }
            Fact::WireByte => format!("payload byte {at} is the one after {at} others; the first one follows the head"),
            Fact::KeyByte => format!("payload byte {at} takes key byte {at} mod 4 = {}", at % 4),
            Fact::AcceptKeyPrefix => String::new(),
        })
    }

    /// Another fact about the same payload byte.
    fn value(&self, capture: &Capture, record: &Record, about: Fact) -> io::Result<Option<u64>> {
        Ok(match (Self { about, at: self.at }).expected(capture, record)? {
            Some(Expected::Byte(byte)) => Some(byte.into()),
            Some(Expected::Number(number)) => Some(number),
            Some(Expected::Text(_)) | None => None,
        })
    }
}

impl Fact {
    fn name(self) -> &'static str {
        self.into()
    }

    const fn needs_number(self) -> bool {
        matches!(self, Self::KeyByteIndex | Self::KeyByte | Self::WireByte | Self::XorResult | Self::AcceptKeyPrefix)
    }
}

fn names() -> String {
    let name = |fact: &Fact| format!("{}{}", fact.name(), if fact.needs_number() { "(N)" } else { "" });
    Fact::VARIANTS.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Judges the beginning of a text.
fn prefix(typed: &str, whole: &str, len: u64) -> Verdict {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let wanted: String = whole.chars().take(len).collect();
    let given: String = typed.chars().take(len).collect();
    match () {
        () if given == wanted && whole.starts_with(typed) => Verdict::Right,
        () if given.eq_ignore_ascii_case(&wanted) && given != wanted => {
            Verdict::Wrong("the letters are right, but base64 distinguishes capital and small letters".to_owned())
        }
        () if given == wanted => {
            Verdict::Wrong(format!("the first {len} characters are right; what you typed after them is not"))
        }
        () if typed.chars().count() < len && whole.starts_with(typed) => {
            Verdict::Wrong(format!("go on: {len} characters are asked for"))
        }
        () if typed.chars().count() > len && !whole.starts_with(&given) => {
            Verdict::Wrong(format!("type {len} characters: you typed {}", typed.chars().count()))
        }
        () => Verdict::Wrong(format!(
            "the value does not begin with {}: copy what follows Sec-WebSocket-Accept, not the key of the request",
            printable::text(&given)
        )),
    }
}

/// A number in decimal, hex (`0x02`), binary (`0b10`) or in words.
fn number(typed: &str) -> Option<u64> {
    let typed = typed.to_lowercase();
    let digits = typed.replace([',', '_', ' '], "");
    if let Some(word) = WORDS.iter().position(|word| *word == typed) {
        return Some(word as u64);
    }
    if let Some(hex) = digits.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    match digits.strip_prefix("0b") {
        Some(bits) => u64::from_str_radix(bits, 2).ok(),
        // The two bytes of a close code, as the screen shows them.
        None => digits.parse().ok().or_else(|| {
            let is_hex = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(&digits, 16).ok())?
        }),
    }
}

/// A byte in hex (`6d`, `0x6d`), as eight bits, or as its ASCII character.
fn byte(typed: &str) -> Option<u8> {
    let bits: String = typed.trim_start_matches("0b").chars().filter(|c| !matches!(c, ' ' | '_')).collect();
    if bits.len() == 8 && bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) {
        return u8::from_str_radix(&bits, 2).ok();
    }
    match typed.trim_matches(['\'', '"']).as_bytes() {
        [one] => Some(*one),
        _ => {
            let hex = typed.to_lowercase();
            let hex = hex.strip_prefix("0x").unwrap_or(&hex);
            let is_byte = hex.len() == 2 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_byte.then(|| u8::from_str_radix(hex, 16).ok())?
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_notations_are_equal() {
        assert_eq!(["2", "0x02", "two", "Two", "0b10", "0x2"].map(number), [Some(2); 6]);
        assert_eq!(["1,000", "1_000", "1 000", "0x3e8", "03 e8", "03e8"].map(number), [Some(1000); 6]);
        assert_eq!(["", "x", "0x", "-1", "two three", "2.5"].map(number), [None; 6]);
        assert_eq!(["6d", "6D", "0x6d", "m", "'m'", "0110 1101", "0b01101101"].map(byte), [Some(0x6d); 7]);
        assert_eq!(["", "6dd", "zz", "0x", "é", "+5"].map(byte), [None; 6]);
    }

    #[test]
    fn the_beginning_of_a_text_may_be_longer_than_asked() {
        let whole = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert_eq!(prefix("s3pP", whole, 4), Verdict::Right);
        assert_eq!(prefix(whole, whole, 4), Verdict::Right);
        for wrong in ["", "s3p", "S3PP", "dGhl", "s3pPx"] {
            assert!(matches!(prefix(wrong, whole, 4), Verdict::Wrong(_)), "{wrong}");
        }
    }
}
