//! The forms of a paste, and their names.

use std::fmt;

use crate::proto::rules::count;

/// The form in which bytes were pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Hex digits, with or without separators and prefixes.
    Hex,
    /// Hex digits with a text column beside them, without offsets.
    Columns,
    /// Groups of eight binary digits.
    Bits,
    /// Decimal numbers; only on request.
    Decimal,
    /// A list of numbers, of a programming language.
    List,
    /// A string literal of a programming language.
    String,
    /// Text with escapes such as `\x81`, without quotes.
    Escapes,
    /// Percent-encoding, as in URLs.
    Percent,
    /// A dump with offsets: xxd, hexdump, od, Wireshark.
    Dump,
    /// A dump of whole packets: tcpdump -X, Wireshark. Its bytes are the TCP payload.
    Packets,
    /// The output of `tshark -z follow`, or a conversation that Wireshark shows as C arrays.
    Follow,
    /// Lines of a log, which have text before the bytes.
    Log,
    /// Base64 or base64url.
    Base64,
    /// The characters themselves; only on request.
    Text,
    /// The bytes themselves.
    Raw,
}

impl Form {
    /// The form in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hex => "hex digits",
            Self::Columns => "hex digits with a text column",
            Self::Bits => "binary digits",
            Self::Decimal => "decimal numbers",
            Self::List => "a list of numbers",
            Self::String => "a string literal",
            Self::Escapes => "text with escapes",
            Self::Percent => "percent-encoding",
            Self::Dump => "a dump with offsets",
            Self::Packets => "a dump of packets",
            Self::Follow => "a followed stream",
            Self::Log => "log lines",
            Self::Base64 => "base64",
            Self::Text => "text",
            Self::Raw => "raw bytes",
        }
    }
}

/// What a person must know about a reading, besides its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The dump contains packets, and only the payload of their TCP segments was taken.
    TcpPayload {
        /// The number of packets with TCP.
        packets: u64,
        /// The number of packets without TCP, which were ignored.
        ignored: u64,
        /// The number of bytes between packets that the paste lacks.
        missing: u64,
    },
    /// The dump contains little-endian words, and their bytes were swapped.
    LittleEndian,
    /// Lines of a log without bytes were ignored, or the last line is shortened.
    Lines {
        /// The number of lines without bytes.
        ignored: u64,
        /// Whether the program that wrote the log left bytes out at the end of the last line.
        is_shortened: bool,
    },
    /// The tool that printed the list left elements out at its end.
    Shortened {
        /// Their number.
        missing: u64,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TcpPayload { packets, ignored, missing } => {
                write!(f, "the TCP payload of {}", count(*packets, "packet"))?;
                if *ignored > 0 {
                    write!(f, "; {} without TCP ignored", count(*ignored, "packet"))?;
                }
                if *missing > 0 {
                    write!(f, "; {} missing between the packets", count(*missing, "byte"))?;
                }
                Ok(())
            }
            Self::LittleEndian => f.write_str("little-endian words, put in the order of the bytes"),
            Self::Lines { ignored, is_shortened } => {
                if *ignored > 0 {
                    write!(f, "{} without bytes ignored", count(*ignored, "line"))?;
                }
                if *ignored > 0 && *is_shortened {
                    f.write_str("; ")?;
                }
                f.write_str(if *is_shortened { "the end left out by the program that printed it" } else { "" })
            }
            Self::Shortened { missing } => {
                write!(f, "{} left out by the program that printed them", count(*missing, "byte"))
            }
        }
    }
}

/// A form that a person names with `--as`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// Hex digits. Groups do not count: all digits are joined.
    Hex,
    /// Decimal numbers from −128 to 255.
    Decimal,
    /// Base64 or base64url, with or without padding.
    Base64,
    /// The characters themselves, without the last line break.
    Text,
    /// The bytes themselves.
    Raw,
}

impl ReadAs {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hex, Self::Decimal, Self::Base64, Self::Text, Self::Raw];

    /// The value of `--as`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Decimal => "decimal",
            Self::Base64 => "base64",
            Self::Text => "text",
            Self::Raw => "raw",
        }
    }
}
