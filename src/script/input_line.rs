//! A line that a person types: text, or a command that begins with a slash.

use std::path::PathBuf;

use super::custom_frame::{CustomFrame, FrameLineError};
use super::hex_digits::parse_hex;
use super::outgoing::{Outgoing, OutgoingError};
use super::quotable::quotable;

/// The commands, as help and errors show them.
const COMMANDS: &str = "/hex /file /ping /pong /close /fragment /frame /connect";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputLine {
    /// To send this.
    Send(Outgoing),
    /// To send the content of this file: see [`Outgoing::file`].
    File(PathBuf),
    /// To connect again after the connection has ended.
    Connect,
}

/// Why a line cannot be sent.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LineError {
    /// An unknown command.
    #[error("no command is named {0:?}; the commands are {COMMANDS}; to send text that begins with /, write // first")]
    Unknown(String),
    /// What follows `/hex` is not hex.
    #[error("/hex takes pairs of hex digits, such as /hex 00ff or /hex 81 05")]
    Hex,
    /// `/file` without a path.
    #[error("/file takes the path of a file, such as /file message.json")]
    NoPath,
    /// `/fragment` without a text.
    #[error("/fragment takes sizes in bytes and a text, such as /fragment 3,4 some text")]
    NoFragments,
    /// A field of `/frame` is wrong.
    #[error(transparent)]
    Frame(#[from] FrameLineError),
    /// It cannot be sent.
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
}

impl InputLine {
    /// Reads a line without its line break. A line that begins with `//` is text that begins with `/`.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let Some(command) = line.strip_prefix('/') else { return Ok(Self::Send(Outgoing::Text(line.to_owned()))) };
        if command.starts_with('/') {
            return Ok(Self::Send(Outgoing::Text(command.to_owned())));
        }
        // The text after one space is kept as it was typed.
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let outgoing = match name {
            "hex" => Outgoing::Binary(parse_hex(rest).ok_or(LineError::Hex)?),
            "file" if rest.trim().is_empty() => return Err(LineError::NoPath),
            "file" => return Ok(Self::File(rest.trim().into())),
            "connect" => return Ok(Self::Connect),
            "ping" => Outgoing::ping(rest)?,
            "pong" => Outgoing::pong(rest)?,
            "close" if rest.trim().is_empty() => Outgoing::Close { code: None, reason: String::new() },
            "close" => {
                let (code, reason) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
                Outgoing::close(code, reason)?
            }
            "fragment" => {
                let (sizes, text) = rest.split_once(' ').ok_or(LineError::NoFragments)?;
                Outgoing::fragments(sizes, text)?
            }
            "frame" => Outgoing::Custom(CustomFrame::parse(rest)?),
            name => return Err(LineError::Unknown(quotable(&format!("/{name}")))),
        };
        Ok(Self::Send(outgoing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::endpoint::{Endpoint, Limits};
    use crate::wire::close::CloseCode;

    fn sent(line: &str) -> Vec<u8> {
        let Ok(InputLine::Send(outgoing)) = InputLine::parse(line) else { panic!("{line} sends nothing") };
        let mut out = Vec::new();
        outgoing.encode(&mut Endpoint::server(Limits::default()).sender(&mut out));
        out
    }

    #[test]
    fn a_line_sends_text_or_what_its_command_names() {
        for (line, bytes) in [
            ("hello", &b"\x81\x05hello"[..]),
            ("", b"\x81\x00"),
            (" spaces are kept ", b"\x81\x11 spaces are kept "),
            ("//ping", b"\x81\x05/ping"),
            ("/hex 00 FF", b"\x82\x02\x00\xff"),
            ("/hex 0x8105", b"\x82\x02\x81\x05"),
            ("/hex 00 ff:01-02 ", b"\x82\x04\x00\xff\x01\x02"),
            ("/hex", b"\x82\x00"),
            ("/ping p1", b"\x89\x02p1"),
            ("/pong", b"\x8a\x00"),
            ("/close", b"\x88\x00"),
            ("/close 1000 good bye", b"\x88\x0a\x03\xe8good bye"),
            ("/close 4999", b"\x88\x02\x13\x87"),
            ("/fragment 3,4 Hello, world", b"\x01\x03Hel\x00\x04lo, \x80\x05world"),
            ("/fragment 5,0 Hello", b"\x01\x05Hello\x80\x00"),
            ("/frame op=3 rsv1=1 text a b", b"\xc3\x03a b"),
            ("/fragment 1 \u{e9}", b"\x01\x01\xc3\x80\x01\xa9"),
        ] {
            assert_eq!(sent(line), bytes, "{line}");
        }
        assert_eq!(InputLine::parse("/file  a b.json "), Ok(InputLine::File("a b.json".into())));
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        let long = format!("/ping {}", "x".repeat(126));
        for (line, error) in [
            ("/pings", LineError::Unknown("/pings".to_owned())),
            ("/", LineError::Unknown("/".to_owned())),
            (&format!("/{}", "x".repeat(99)), LineError::Unknown(format!("/{}…", "x".repeat(39)))),
            ("/hex 0", LineError::Hex),
            ("/hex 0 1", LineError::Hex),
            ("/hex xy", LineError::Hex),
            ("/file ", LineError::NoPath),
            ("/fragment 3,4", LineError::NoFragments),
            ("/fragment 3;4 Hello, world", OutgoingError::FragmentSizes.into()),
            ("/fragment 3,4 Hello", OutgoingError::TextTooShort { sizes: 7, len: 5 }.into()),
            (&long, OutgoingError::ControlTooLong { name: "ping", len: 126 }.into()),
            ("/close bye", OutgoingError::CloseCode.into()),
            ("/close +1000", OutgoingError::CloseCode.into()),
            ("/close 65536", OutgoingError::CloseCode.into()),
            (&format!("/close 1000 {}", "x".repeat(124)), OutgoingError::ReasonTooLong { len: 124 }.into()),
        ] {
            assert_eq!(InputLine::parse(line), Err(error), "{line}");
        }
    }

    #[test]
    fn a_file_is_text_if_it_is_utf_8() {
        assert_eq!(Outgoing::file(b"{}".to_vec()), Outgoing::Text("{}".to_owned()));
        assert_eq!(Outgoing::file(vec![0xff]), Outgoing::Binary(vec![0xff]));
        assert!(Outgoing::Close { code: Some(CloseCode(1000)), reason: String::new() }.is_close());
    }
}
