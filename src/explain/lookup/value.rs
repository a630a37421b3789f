//! The values that a message contains.

use super::words::Word;

/// The most words that a number has: `1,048,576`.
const MAX_NUMBER: usize = 5;

/// The meaning of a name in braces. `assets/explain/errors.toml` describes the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ValueKind {
    Text,
    Number,
    CloseCode(Codes),
    Status,
    ReservedOpcode,
    RsvNumber,
    RsvByte,
    RsvIndex,
    /// One reserved bit, as the mask 4, 2 or 1.
    RsvBit(u8),
}

/// The numbers that a message may have as a close code. The less certain it is that its number is one, the fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Codes {
    Any,
    From1000,
    /// Those that are defined, and those of libraries and applications.
    Usual,
}

/// A value that matters for the meaning of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    CloseCode(u16),
    Status(u16),
    /// Reserved bits: 4 is RSV1, 2 is RSV2, 1 is RSV3.
    Rsv(u8),
    /// A value without a meaning of its own.
    Other,
}

impl ValueKind {
    pub fn of(name: &str) -> Self {
        match name {
            "n" => Self::Number,
            "code" => Self::CloseCode(Codes::Any),
            "wide-code" => Self::CloseCode(Codes::From1000),
            "close-code" => Self::CloseCode(Codes::Usual),
            "status" => Self::Status,
            "reserved" => Self::ReservedOpcode,
            "rsv" => Self::RsvNumber,
            "rsv-byte" => Self::RsvByte,
            "rsv-index" => Self::RsvIndex,
            "rsv1" => Self::RsvBit(4),
            "rsv2" => Self::RsvBit(2),
            "rsv3" => Self::RsvBit(1),
            _ => Self::Text,
        }
    }

    /// The values that start with word number `at`, and the number of the word after each.
    pub fn ends(self, message: &str, words: &[Word], at: usize) -> impl Iterator<Item = (usize, Value)> {
        // The `1` of `RSV1` is no value, and `-1005` is no close code.
        let is_negative = |word: &Word| self != Self::Number && message[..word.bytes.start].ends_with('-');
        let is_none = words.get(at).is_none_or(|word| word.is_inside_run || is_negative(word));
        let words = if is_none { &[] } else { words };
        let run_end = words.get(at).map_or(0, |word| word.run_end);
        let in_run = words[at.min(words.len())..].iter().take_while(|word| word.bytes.end <= run_end).count();
        // `0x1f` is one value, and `500` of `500ms` is one.
        let run = words.get(at).map(|word| (at + in_run, &message[word.bytes.start..run_end]));
        let one = words.get(at).filter(|_| in_run > 1).map(|word| (at + 1, word.text.as_str()));
        let mut ends: Vec<_> =
            run.into_iter().chain(one).filter_map(|(end, text)| Some((end, self.read(text)?))).collect();
        if self == Self::Number {
            let digits = words[at.min(words.len())..].iter().take(MAX_NUMBER).take_while(|word| word.is_number());
            ends.extend((2..=digits.count()).map(|count| (at + count, Value::Other)));
        }
        ends.into_iter()
    }

    /// Reads a value from letters and digits.
    fn read(self, text: &str) -> Option<Value> {
        let number = || text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let small = |most: u64| number().filter(|number| *number <= most).and_then(|number| u16::try_from(number).ok());
        let hex_digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let hex = |digits: &str| u64::from_str_radix(digits, 16).ok();
        match self {
            Self::Text => None,
            Self::Number => {
                let is_number = text.starts_with(|c: char| c.is_ascii_digit())
                    && hex_digits.unwrap_or(text).bytes().all(|b| b.is_ascii_hexdigit());
                is_number.then_some(Value::Other)
            }
            Self::CloseCode(codes) => {
                let code = small(u64::from(u16::MAX))?;
                let fits = match codes {
                    Codes::Any => true,
                    Codes::From1000 => code >= 1000,
                    Codes::Usual => matches!(code, 1000..=1015 | 3000..=4999),
                };
                fits.then_some(Value::CloseCode(code))
            }
            Self::Status => small(599).filter(|status| *status >= 100).map(Value::Status),
            Self::ReservedOpcode => {
                let opcode = match hex_digits {
                    Some(digits) => hex(digits),
                    None => number().or_else(|| (text.len() == 1).then(|| hex(text)).flatten()),
                };
                matches!(opcode?, 3..=7 | 11..=15).then_some(Value::Other)
            }
            Self::RsvNumber => small(7).and_then(|bits| u8::try_from(bits).ok()).map(Value::Rsv),
            Self::RsvByte => {
                let byte = hex(hex_digits.unwrap_or(text)).filter(|byte| *byte <= 0xff)?;
                u8::try_from((byte & 0x70) >> 4).ok().filter(|bits| *bits > 0).map(Value::Rsv)
            }
            Self::RsvIndex => {
                let index = small(3).filter(|index| *index > 0)?;
                Some(Value::Rsv(4 >> (index - 1)))
            }
            Self::RsvBit(mask) => match text.to_ascii_lowercase().as_str() {
                "1" | "true" => Some(Value::Rsv(mask)),
                "0" | "false" => Some(Value::Rsv(0)),
                _ => None,
            },
        }
    }
}
