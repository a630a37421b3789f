//! `decode`: the bit layout of frames given as hex or raw bytes, without a connection.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::{export, stdio};
use crate::capture::live::recorder::{Chunk, Recorder};
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::cli::Decode;
use crate::export::{ExportOptions, ExportSelection, Format, Progress, grid, words};
use crate::proto::accept::accept_key;
use crate::proto::dissected::{Direction, EndReason, Kind};
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::wire::frame::{self, FrameHead};

/// The most bytes of a payload that are shown.
const SHOWN_PAYLOAD: u64 = 256;

/// The Sec-WebSocket-Key of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The addresses of the invented client and server: addresses for documentation (RFC 5737).
const ADDRESSES: [SocketAddr; 2] = [
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 49152),
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)), 80),
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    #[error(
        "bad hex: {found:?} at character {at} is not a hex digit; write bytes as 81 05, or give raw bytes with @FILE or -"
    )]
    Digit {
        /// The position in characters, from 1.
        at: usize,
        found: char,
    },
    #[error("bad hex: odd number of hex digits (at character {at}); write each byte with two, such as 05")]
    Odd {
        /// The position in characters, from 1.
        at: usize,
    },
}

/// Runs `decode`: reads the input and prints its frames.
pub fn decode(args: &Decode) -> anyhow::Result<ExitCode> {
    if args.input.is_empty() && io::stdin().is_terminal() {
        stdio::say("decode: no input; give hex digits, @FILE or -, such as: framescope decode 81 05 48 65 6c 6c 6f");
        return Ok(ExitCode::from(2));
    }
    let bytes = input(&args.input)?;
    if bytes.is_empty() {
        bail!("decode: the input is empty; give hex digits, @FILE, or bytes on stdin");
    }
    let format = if args.json { Some(Format::Ndjson) } else { args.to };
    match format {
        None => {
            let capture = capture_frames(&bytes, false)?;
            stdio::print(layouts(&capture)?.as_bytes())?;
        }
        // The input itself: the wire bytes of all frames, whatever their direction.
        Some(Format::Wire) if !stdio::stdout_is_terminal() => stdio::print(&bytes)?,
        Some(Format::Pcapng) => {
            let capture = capture_frames(&bytes, true)?;
            export::to_stdout(&capture, Format::Pcapng, &ExportOptions::default(), &Progress::default())?;
            if bytes.len() == split(&bytes).last().map_or(0, |(_, last)| last.start + 1) {
                stdio::say("the last byte begins a frame whose MASK is missing; it is written as sent by the server");
            }
            stdio::say("a handshake was added before the frames, so that other programs recognize WebSocket");
        }
        Some(format) => {
            let capture = capture_frames(&bytes, false)?;
            let frames = frames(&capture).iter().map(|record| record.no).collect();
            let options = ExportOptions { selection: ExportSelection::Records(frames), ..ExportOptions::default() };
            export::to_stdout(&capture, format, &options, &Progress::default())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes that the arguments name.
fn input(words: &[String]) -> anyhow::Result<Vec<u8>> {
    let raw = match words {
        [] => stdin()?,
        [one] if one == "-" => stdin()?,
        [one] if one.starts_with('@') => {
            let path = &one[1..];
            fs::read(path)
                .with_context(|| format!("cannot read {path:?}"))
                .map_err(|e| anyhow::anyhow!("{e}: {}; name a file after the @", e.root_cause()))?
        }
        words => return Ok(argument_hex(&words.join(" "))?),
    };
    let is_hex =
        raw.iter().all(|b| b.is_ascii_hexdigit() || b.is_ascii_whitespace()) && raw.iter().any(u8::is_ascii_hexdigit);
    match std::str::from_utf8(&raw) {
        Ok(text) if is_hex => Ok(hex_digits(text.char_indices().filter(|(_, c)| !c.is_whitespace()))?),
        _ => Ok(raw),
    }
}

fn stdin() -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|e| anyhow::anyhow!("cannot read stdin: {e}; try @FILE"))?;
    Ok(bytes)
}

/// Parses hex as people write it on a command line, also `0x81 0x05` and `81:05`.
fn argument_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let mut digits = Vec::new();
    let mut characters = text.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        let begins = digits.len() % 2 == 0;
        match c {
            '0' if begins && characters.peek().is_some_and(|(_, next)| matches!(next, 'x' | 'X')) => {
                characters.next();
            }
            c if c.is_whitespace() => {}
            ':' | ',' if begins && !digits.is_empty() => {}
            c => digits.push((at, c)),
        }
    }
    hex_digits(digits.into_iter())
}

/// Joins pairs of digits to bytes. Each digit comes with its position in the input, from 0.
fn hex_digits(digits: impl Iterator<Item = (usize, char)>) -> Result<Vec<u8>, HexError> {
    let mut bytes = Vec::new();
    let mut high = None;
    for (at, found) in digits {
        let digit = found.to_digit(16).ok_or(HexError::Digit { at: at + 1, found })? as u8;
        high = match high {
            None => Some((at, digit)),
            Some((_, high)) => {
                bytes.push(high << 4 | digit);
                None
            }
        };
    }
    match high {
        Some((at, _)) => Err(HexError::Odd { at: at + 1 }),
        None => Ok(bytes),
    }
}

/// Records the frames into a temporary capture, each in the direction that its MASK implies; with `handshake`, after an
/// invented handshake. Every time is 1970-01-01, because the input has none.
fn capture_frames(bytes: &[u8], handshake: bool) -> anyhow::Result<Capture> {
    let recorder = Recorder::new(Spool::temporary_in(&std::env::temp_dir())?);
    let capture = recorder.capture().clone();
    let [client, server] = ADDRESSES;
    let connection = if handshake { recorder.connection(client, server) } else { recorder.frames(client, server) };
    let [request, response] = heads();
    let mut chunks = Vec::new();
    if handshake {
        for (direction, bytes) in Direction::BOTH.into_iter().zip([request.as_bytes(), response.as_bytes()]) {
            chunks.push(Chunk { direction, time: Time(0), bytes });
        }
    }
    chunks.extend(split(bytes).into_iter().map(|(direction, range)| Chunk {
        direction,
        time: Time(0),
        bytes: &bytes[range],
    }));
    connection.record(&chunks);
    if let Some(last) = chunks.last() {
        // This records a truncated frame before the ends.
        connection.end(last.direction, EndReason::Capture, Time(0));
    }
    drop(connection);
    if let Some(reason) = capture.trouble().reason {
        bail!("{reason}; set TMPDIR to a folder with free space");
    }
    Ok(capture)
}

/// The direction and the range of each frame.
fn split(bytes: &[u8]) -> Vec<(Direction, Range<usize>)> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let masked = rest.get(1).is_some_and(|second| second & 0x80 != 0);
        let direction = if masked { Direction::ClientToServer } else { Direction::ServerToClient };
        let len = match FrameHead::read(rest) {
            Some(head) => usize::try_from(head.wire_len()).unwrap_or(usize::MAX).min(rest.len()),
            None => rest.len(),
        };
        frames.push((direction, at..at + len));
        at += len;
    }
    frames
}

/// An invented handshake, for programs that recognize frames only after one.
fn heads() -> [String; 2] {
    let accept = accept_key(KEY.as_bytes());
    [
        format!(
            "GET / HTTP/1.1\r\nHost: 192.0.2.2\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ),
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ),
    ]
}

fn frames(capture: &Capture) -> Vec<Record> {
    let mut records = capture.records(1..u64::MAX);
    records.retain(|record| matches!(record.kind, Kind::Frame | Kind::CutFrame));
    records
}

/// The drawing, fields, payload and findings of each frame.
fn layouts(capture: &Capture) -> io::Result<String> {
    let mut lines = Vec::new();
    for record in frames(capture) {
        layout(capture, &record, &mut lines)?;
        lines.push(String::new());
    }
    lines.pop();
    Ok(lines.join("\n") + "\n")
}

fn layout(capture: &Capture, record: &Record, lines: &mut Vec<String>) -> io::Result<()> {
    let opcode = record.opcode().map_or("frame", |opcode| opcode.name());
    let truncated = if record.kind == Kind::CutFrame { " · truncated" } else { "" };
    lines.push(format!(
        "frame {} · {opcode}{} · {} on the wire{truncated}",
        record.no,
        words::direction(record),
        count(record.wire_len, "byte")
    ));
    let beginning = capture.wire(record, 0..grid::SHOWN_BYTES)?;
    let fields = frame::fields(&beginning, record.wire_len);
    lines.extend(grid::draw(&fields, &beginning));
    lines.extend(grid::table(&fields).into_iter().map(|row| format!(" {row}").trim_end().to_owned()));
    let payload = capture.payload(record, 0..SHOWN_PAYLOAD)?;
    let len = record.payload_len().unwrap_or(0);
    if !payload.is_empty() {
        let which = if record.masked() { "unmasked payload" } else { "payload" };
        lines.push(format!(" {which}"));
        for (i, row) in payload.chunks(16).enumerate() {
            lines.push(format!("  {:04x}  {:<48}  {}", i * 16, words::hex_row(row), words::characters(row)));
        }
        if len > SHOWN_PAYLOAD {
            lines.push(format!("  … {} more; --to payload prints all", count(len - SHOWN_PAYLOAD, "byte")));
        }
    }
    if let (Kind::CutFrame, Some(head)) = (record.kind, capture.frame_head(record)?) {
        let missing = head.payload_len.saturating_sub(len);
        lines.push(format!(" the input ends inside the frame: {} missing", count(missing, "byte")));
    } else if record.kind == Kind::CutFrame {
        lines.push(" the input ends inside the head of the frame".to_owned());
    }
    lines.extend(record.findings.iter().map(|finding| format!(" {}", words::finding(finding))));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_may_have_spaces_colons_and_prefixes() {
        for text in ["8105", "81 05", "81:05", "0x81 0x05", "0X8105", "0x81,0x05", " 8 1 0 5 "] {
            assert_eq!(argument_hex(text), Ok(vec![0x81, 0x05]), "{text}");
        }
    }

    #[test]
    fn an_error_in_hex_has_its_position() {
        assert_eq!(argument_hex("81 0g"), Err(HexError::Digit { at: 5, found: 'g' }));
        assert_eq!(argument_hex("81 05 4"), Err(HexError::Odd { at: 7 }));
        assert_eq!(argument_hex("8:1"), Err(HexError::Digit { at: 2, found: ':' }));
    }

    #[test]
    fn frames_are_split_at_their_ends_and_mask_determines_the_direction() {
        use Direction::{ClientToServer as Up, ServerToClient as Down};
        assert_eq!(split(&[0x8a, 0x80, 1, 2, 3, 4, 0x89, 0x01, 0, 0x81]), [(Up, 0..6), (Down, 6..9), (Down, 9..10)]);
        assert_eq!(split(&[0x82, 0x7f, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1]), [(Down, 0..11)]);
    }
}
