//! What a server answered: its messages and its Close, compared with those of another connection.

use std::io;

use super::steps::{Gap, each_record, ends_message};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::grouped;
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// The most bytes of a message that are compared; its length is compared too.
const MAX_COMPARED: u64 = 64 << 20;

/// The most differences that are shown.
const MAX_LINES: usize = 20;

/// How many bytes before a difference are shown.
const SHOWN_BEFORE: usize = 8;

/// How many bytes from a difference on are shown.
const SHOWN_AFTER: usize = 24;

/// The messages of a server, and its Close, in order.
#[derive(Debug, Default)]
pub struct Answers {
    list: Vec<Answer>,
    /// Where the capture lacks bytes of the server. The list ends there.
    pub gap: Option<Gap>,
}

/// A message or a Close.
#[derive(Debug)]
struct Answer {
    /// The numbers of the records of its frames.
    frames: Vec<u64>,
    is_close: bool,
}

/// The content of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    opcode: Opcode,
    len: u64,
    /// The first bytes; `None` if the message cannot be inflated.
    bytes: Option<Vec<u8>>,
}

/// Where two servers' answers differ.
pub struct Differences {
    /// How many answers differ, are missing or are additional.
    pub count: usize,
    /// The first of them, in one line each.
    pub lines: Vec<String>,
}

impl Answers {
    /// The answers on a connection.
    pub fn of(capture: &Capture, connection: u32) -> Self {
        let mut answers = Self::default();
        let mut frames = Vec::new();
        each_record(capture, connection, |record| {
            if record.direction != Direction::ServerToClient || answers.gap.is_some() {
                return;
            }
            answers.gap = Gap::of(record);
            if record.kind != Kind::Frame {
                return;
            }
            if record.opcode() == Some(Opcode::Close) {
                answers.list.push(Answer { frames: vec![record.no], is_close: true });
            } else if record.message.is_some() {
                if record.opcode() != Some(Opcode::Continuation) {
                    frames.clear();
                }
                frames.push(record.no);
                if ends_message(record) {
                    answers.list.push(Answer { frames: std::mem::take(&mut frames), is_close: false });
                }
            }
        });
        answers
    }

    /// How many answers there are, with the Close.
    pub fn len(&self) -> u64 {
        self.list.len() as u64
    }

    /// How many messages there are.
    pub fn messages(&self) -> u64 {
        self.list.iter().filter(|answer| !answer.is_close).count() as u64
    }

    /// True if the server sent a Close.
    pub fn has_close(&self) -> bool {
        self.list.iter().any(|answer| answer.is_close)
    }
}

impl Answer {
    /// The number of its last record.
    fn no(&self) -> u64 {
        self.frames.last().copied().unwrap_or(0)
    }

    fn content(&self, capture: &Capture, inflater: &mut MessageReader) -> io::Result<Content> {
        let records = capture.pick(self.frames.iter().copied());
        let opcode = records.first().and_then(Record::opcode).unwrap_or(Opcode::Binary);
        if let Some(last) = records.last().filter(|record| record.compressed) {
            let message = inflater.message(capture, last, MAX_COMPARED)?;
            let len = message.as_ref().map_or(0, |message| message.len);
            return Ok(Content { opcode, len, bytes: message.map(|message| message.bytes) });
        }
        let (mut bytes, mut len) = (Vec::new(), 0);
        for record in &records {
            bytes.extend(capture.payload(record, 0..MAX_COMPARED.saturating_sub(len))?);
            len += record.payload_len().unwrap_or(0);
        }
        Ok(Content { opcode, len, bytes: Some(bytes) })
    }
}

impl Differences {
    /// Compares the answers of a capture with those of its repetition, up to a gap in the capture. Without a captured Close, that of the repetition is ignored: it
    /// answers the client.
    ///
    /// # Errors
    /// If a capture cannot be read.
    pub fn between(captured: (&Capture, &Answers), repeated: (&Capture, &Answers)) -> io::Result<Self> {
        let has_close = captured.1.has_close();
        let wanted = &captured.1.list;
        let mut found: Vec<&Answer> = repeated.1.list.iter().filter(|answer| has_close || !answer.is_close).collect();
        if captured.1.gap.is_some() {
            // The capture may lack the answers after these.
            found.truncate(wanted.len());
        }
        let mut differences = Self { count: 0, lines: Vec::new() };
        let mut inflaters = (MessageReader::default(), MessageReader::default());
        for i in 0..wanted.len().max(found.len()) {
            let line = match (wanted.get(i), found.get(i)) {
                (Some(wanted), Some(found)) => {
                    let contents =
                        (wanted.content(captured.0, &mut inflaters.0)?, found.content(repeated.0, &mut inflaters.1)?);
                    if contents.0 == contents.1 {
                        continue;
                    }
                    let records = format!("record {} in the capture, {} in the replay", wanted.no(), found.no());
                    format!("{records}: {}", difference(&contents.0, &contents.1))
                }
                (Some(wanted), None) => {
                    let content = wanted.content(captured.0, &mut inflaters.0)?;
                    format!(
                        "record {} in the capture has no counterpart in the replay: {}",
                        wanted.no(),
                        content.words()
                    )
                }
                (None, Some(found)) => {
                    let content = found.content(repeated.0, &mut inflaters.1)?;
                    format!(
                        "record {} in the replay has no counterpart in the capture: {}",
                        found.no(),
                        content.words()
                    )
                }
                (None, None) => break,
            };
            differences.count += 1;
            if differences.count <= MAX_LINES {
                differences.lines.push(format!("answer {}: {line}", i + 1));
            }
        }
        if differences.count > MAX_LINES {
            differences.lines.push(format!("and {} more", differences.count - MAX_LINES));
        }
        Ok(differences)
    }
}

impl Content {
    /// Kind and beginning.
    fn words(&self) -> String {
        let name = self.opcode.name();
        match &self.bytes {
            None => format!("a compressed {name} that cannot be inflated"),
            Some(bytes) if self.opcode == Opcode::Close => match bytes.first_chunk() {
                Some(code) => {
                    let code = CloseCode(u16::from_be_bytes(*code));
                    format!("close {} {}", code.0, printable::bytes(&bytes[2..])).trim_end().to_owned()
                }
                None => "close without a code".to_owned(),
            },
            Some(bytes) => format!("{name} of {} bytes: {}", grouped(self.len), self.shown(bytes, 0)),
        }
    }

    /// The bytes around a position.
    fn shown(&self, bytes: &[u8], at: usize) -> String {
        let start = at.saturating_sub(SHOWN_BEFORE).min(bytes.len());
        let end = (at + SHOWN_AFTER).min(bytes.len());
        let part = &bytes[start..end];
        let words = match self.opcode {
            Opcode::Text => format!("\"{}\"", printable::bytes(part)),
            _ => hex::encode(part),
        };
        let (before, after) = (if start > 0 { "…" } else { "" }, if end < bytes.len() { "…" } else { "" });
        format!("{before}{words}{after}")
    }
}

/// Where two contents differ first.
fn difference(wanted: &Content, found: &Content) -> String {
    let (Some(a), Some(b)) = (&wanted.bytes, &found.bytes) else {
        return format!("{} ≠ {}", wanted.words(), found.words());
    };
    if wanted.opcode != found.opcode || wanted.opcode == Opcode::Close {
        return format!("{} ≠ {}", wanted.words(), found.words());
    }
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    format!(
        "{} from byte {} on: {} ≠ {}",
        wanted.opcode.name(),
        grouped(at as u64 + 1),
        wanted.shown(a, at),
        found.shown(b, at)
    )
}
