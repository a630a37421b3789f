//! Why a paste cannot be read.

use std::fmt;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub character: usize,
}

impl Place {
    /// The place of a byte of `text`.
    pub fn of(text: &str, at: usize) -> Self {
        let before = &text.as_bytes()[..at.min(text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
        // A byte that continues a character of UTF-8 begins with the bits 10.
        let character = before[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
        Self { line, character }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, character {}", self.line, self.character)
    }
}

/// Why a paste cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    /// There is no byte.
    #[error("the input is empty; give bytes in any form, such as 81 05 48 65 6c 6c 6f, @FILE, or - for stdin")]
    Empty,
    /// The text has none of the known forms.
    #[error(
        "cannot recognize the input ({place}: {found:?}): it is not hex digits, a list or string literal, a dump (xxd, hexdump -C, \
         od -tx1, tcpdump -X, Wireshark), log lines, a stream of tshark, percent-encoding or base64; paste only the bytes, or add \
         --as hex|decimal|base64|text|raw"
    )]
    Unrecognized {
        /// Where the text starts.
        place: Place,
        /// Its first character.
        found: char,
    },
    /// A group of hex digits that is odd, and not a decimal number of a byte.
    #[error("odd number of hex digits in {group:?} ({place}); write each byte with two digits, such as 05")]
    OddHex {
        /// Where the group starts.
        place: Place,
        /// The group, or its beginning.
        group: String,
    },
    /// Groups that may be decimal numbers.
    #[error(
        "this may be hex or decimal: {group:?} ({place}) has an odd number of digits; add --as decimal for decimal numbers, \
         or write each byte with two hex digits, such as 05"
    )]
    HexOrDecimal {
        /// Where the group starts.
        place: Place,
        /// The group.
        group: String,
    },
    /// A time, a number or an offset before hex digits, which may be bytes as well.
    #[error(
        "{found:?} ({place}) may be bytes, or a time, number or offset before them; remove it, or add --as hex if it is bytes"
    )]
    LabelOrBytes {
        /// Where it is.
        place: Place,
        /// It, or its beginning.
        found: String,
    },
    /// Hex digits that may be the text column of those before them.
    #[error(
        "{found:?} ({place}) may be bytes, or the text column of the bytes before it; remove it, or add --as hex if it is bytes"
    )]
    BytesOrText {
        /// Where it is.
        place: Place,
        /// It, or its beginning.
        found: String,
    },
    /// A line without a text column, among lines that have one.
    #[error(
        "{found:?} ({place}) has no text column that shows its bytes, as other lines have; paste the dump as it was printed, or only \
         the bytes"
    )]
    NoColumn {
        /// Where the line starts.
        place: Place,
        /// Its beginning.
        found: String,
    },
    /// Groups that are frames if the bytes in each are swapped.
    #[error(
        "{group:?} ({place}) may be a little-endian word: with the bytes of each group swapped, this is frames; print it with \
         xxd, hexdump -C or od -tx1, or add --as hex if the order is right"
    )]
    SwappedWords {
        /// Where the first group starts.
        place: Place,
        /// The first group.
        group: String,
    },
    /// `\x` before more than two hex digits.
    #[error(
        "{found:?} ({place}) may be hex digits, or the byte of an escape and text; write all bytes as \\x81, or only the hex digits"
    )]
    EscapeOrHex {
        /// Where it is.
        place: Place,
        /// It, or its beginning.
        found: String,
    },
    /// A line of a log whose bytes are uncertain.
    #[error("cannot read line {line}: {what}")]
    Log {
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// A percent sign without two hex digits, or a plus, in percent-encoding.
    #[error(
        "cannot read the percent-encoding at {place}: {found:?}; write bytes as %81, a plus as %2B and a space as %20"
    )]
    Percent {
        /// Where it is.
        place: Place,
        /// It, or its beginning.
        found: String,
    },
    /// A gzip file that cannot be inflated.
    #[error(
        "the input is a damaged or truncated gzip file; give the complete file, or add --as raw if these are the bytes"
    )]
    Gzip,
    /// Text with a control character that is neither a tab nor a line break.
    #[error(
        "the input is text with the control character {found:?} ({place}); remove it, or add --as raw if these are the bytes of frames"
    )]
    Control {
        /// Where it is.
        place: Place,
        /// The character.
        found: char,
    },
    /// Text whose characters are the bytes of frames.
    #[error(
        "the input is frames of which a program wrote each byte as a character, in UTF-8; copy the bytes as hex or base64 instead, \
         or add --as raw if these are the bytes"
    )]
    Latin1,
    /// Characters in the place of bytes.
    #[error(
        "the input has the character U+FFFD, which a program put in the place of bytes that are no UTF-8; copy the bytes as hex or \
         base64 instead, or add --as raw if these are the bytes"
    )]
    Replaced,
    /// With `--as hex`: a character that is no hex digit.
    #[error("{found:?} ({place}) is not a hex digit; write bytes as 81 05, or remove --as hex")]
    NotHex {
        /// Where it is.
        place: Place,
        /// The character.
        found: char,
    },
    /// With `--as decimal`: something that is no number.
    #[error("{found:?} ({place}) is not a decimal number; write bytes as 129 5, or remove --as decimal")]
    NotDecimal {
        /// Where it is.
        place: Place,
        /// It, or its beginning.
        found: String,
    },
    /// A number that is no byte.
    #[error("{number} ({place}) is not a byte; a byte is 0 to 255, or -128 to 127")]
    NotAByte {
        /// Where it is.
        place: Place,
        /// The number as written.
        number: String,
    },
    /// A number whose leading zero has different meanings in different languages.
    #[error("{number} ({place}) may be octal or decimal; write it without the leading zero, or as 0x")]
    LeadingZero {
        /// Where it is.
        place: Place,
        /// The number as written.
        number: String,
    },
    /// A literal with something in it that is no byte.
    #[error("cannot read the literal at {place}: {found:?} is not a byte; remove it, or paste only the list or string")]
    InLiteral {
        /// Where it is.
        place: Place,
        /// What is there, or its beginning.
        found: String,
    },
    /// An escape that no language has, or that is cut.
    #[error("cannot read the escape {escape:?} ({place}); write bytes as \\x81, or a backslash as \\\\")]
    Escape {
        /// Where the backslash is.
        place: Place,
        /// The escape.
        escape: String,
    },
    /// Something in a row of a dump that is no byte.
    #[error("cannot read the dump: {found:?} ({place}) is not a byte in hex; paste the dump as it was printed")]
    InDump {
        /// Where it is.
        place: Place,
        /// What is there, or its beginning.
        found: String,
    },
    /// A row of a dump that has fewer or more bytes than the offsets around it say.
    #[error(
        "cannot read the dump: the row at line {line} has {found} bytes, and the next offset requires {expected}; paste the \
         dump as it was printed, with its line breaks"
    )]
    RowLength {
        /// The row's line, from 1.
        line: usize,
        /// The bytes in the row.
        found: usize,
        /// The bytes up to the next offset.
        expected: u64,
    },
    /// A dump that cannot be read in one way only.
    #[error("cannot read the dump at line {line}: {what}; print it with xxd, hexdump -C or od -tx1")]
    Dump {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A line that has no offset, in a dump.
    #[error("cannot read the dump: line {line} has no offset; remove the line, or paste only hex digits")]
    NoOffset {
        /// The line, from 1.
        line: usize,
    },
    /// A dump of packets that has none of TCP, or of two connections.
    #[error("cannot read the dump of packets: {0}")]
    Packets(&'static str),
    /// A followed stream that cannot be read.
    #[error("cannot read the followed stream at {place}: {what}")]
    Follow {
        /// Where.
        place: Place,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// Not base64.
    #[error("the input is not base64 (at character {at} without white space); check that it is complete")]
    NotBase64 {
        /// The first wrong character, from 1. White space does not count.
        at: usize,
    },
    /// The rows of a dump, with their repetitions, have too many bytes.
    #[error("the input has more than {} MiB; give a file of raw bytes with @FILE --as raw", .most >> 20)]
    TooLong {
        /// The most bytes.
        most: usize,
    },
    /// The input is read as text, and is none.
    #[error("the input is not text (byte {at} is not UTF-8); remove --as, or use --as raw")]
    NotText {
        /// The first wrong byte, from 1.
        at: usize,
    },
}

/// The beginning of a text, for an error.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 24;
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
