//! Lines of a log, with text before the bytes: `[12:00:01] TX 81 85 …`, `recv: 8105`, `DEBUG frame=8105`.
//!
//! A line's bytes are certain if the line calls them bytes or names their direction, or if they are whole frames. Anything else is
//! refused.

mod candidate;
pub(super) mod direction;
mod line;
mod scan;

pub(super) use self::scan::begins_with_time;

use self::candidate::Doubt;
use self::direction::Mark;
use super::conversation::Sided;
use super::error::{PasteError, Place, excerpt};
use super::form::{Form, Remark};
use super::{Content, Pasted, Recognized, shape};
use crate::proto::dissected::Direction;

/// The longest line in bytes: the parts of a line take several times its length in memory.
const LONGEST: usize = 1 << 20;

/// What is wrong with a line whose first digits may be no bytes.
const FIRST: &str = "its first digits may be bytes or a number; paste only the bytes";

/// The bytes of one line.
#[derive(Clone)]
struct Entry {
    line: usize,
    mark: Option<Mark>,
    /// The file descriptor of the system call that transfers them.
    descriptor: Option<String>,
    bytes: Vec<u8>,
    is_labelled: bool,
    is_number: bool,
    is_counted: bool,
    is_shortened: bool,
}

/// Reads the lines of a log. `None` if no line has bytes, or one is too long.
///
/// # Errors
/// The bytes of a line are uncertain, or only some lines have a direction.
pub(super) fn read(text: &str) -> Recognized<Pasted> {
    if text.lines().any(|line| line.len() > LONGEST) {
        return None;
    }
    let mut entries: Vec<Entry> = Vec::new();
    let (mut ignored, mut heading) = (0, None);
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        match line::bytes(line) {
            Ok(None) => {
                ignored += 1;
                // `RX 7 bytes:` is the heading of the lines after it.
                heading = direction::mark(line).or(heading.filter(|_| line.trim_end().ends_with(':')));
            }
            Ok(Some(found)) => {
                let line::Found { prefix, bytes, is_labelled, is_number, is_counted, is_shortened } = found;
                // A line without text of its own, or with an indent, continues the line before it.
                let continues = prefix.trim().is_empty() || line.starts_with([' ', '\t']);
                let mark = direction::mark(prefix).or(heading.filter(|_| continues));
                heading = mark.clone();
                let descriptor = descriptor(prefix);
                entries.push(Entry {
                    line: number,
                    mark,
                    descriptor,
                    bytes,
                    is_labelled,
                    is_number,
                    is_counted,
                    is_shortened,
                });
            }
            Err(doubt) => return doubtful(text, line, number, doubt),
        }
    }
    match without_numbers(&mut entries) {
        Ok(numbers) => ignored += numbers,
        Err(error) => return Some(Err(error)),
    }
    if entries.is_empty() {
        return None;
    }
    if let Some(entry) = entries.iter().find(|entry| begins_with_text(entry, &entries)) {
        let what =
            "its bytes begin with text and not with a frame; paste the bytes of the frames, not only their payload";
        return Some(Err(PasteError::Log { line: entry.line, what }));
    }
    let counted = entries.iter().filter(|entry| entry.is_counted).count();
    if let Some(entry) = entries.iter().find(|entry| entry.is_counted).filter(|_| counted < entries.len()) {
        return Some(Err(PasteError::Log { line: entry.line, what: FIRST }));
    }
    if let Some(entry) = entries.iter().rev().skip(1).find(|entry| entry.is_shortened) {
        let what =
            "its bytes are shortened, so that those of the next line do not follow them; print the log with all bytes";
        return Some(Err(PasteError::Log { line: entry.line, what }));
    }
    let is_shortened = entries.last().is_some_and(|entry| entry.is_shortened);
    let is_certain = entries.iter().all(|entry| entry.is_labelled);
    match content(entries) {
        Ok(content) if is_certain || is_whole(&content) => {
            let remark = (ignored > 0 || is_shortened).then_some(Remark::Lines { ignored, is_shortened });
            Some(Ok(Pasted { remark, ..Pasted::new(Form::Log, content) }))
        }
        // The text may be anything.
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Removes lines with what may be a number or bytes if only the other lines are whole frames; returns how many.
///
/// # Errors
/// The frames do not settle whether they are bytes.
fn without_numbers(entries: &mut Vec<Entry>) -> Result<u64, PasteError> {
    let Some(line) = entries.iter().find(|entry| entry.is_number).map(|entry| entry.line) else { return Ok(0) };
    let others: Vec<Entry> = entries.iter().filter(|entry| !entry.is_number).cloned().collect();
    let removed = (entries.len() - others.len()) as u64;
    let is_whole =
        |entries: &[Entry]| !entries.is_empty() && content(entries.to_vec()).is_ok_and(|content| is_whole(&content));
    match (is_whole(entries), is_whole(&others)) {
        (true, false) => Ok(0),
        (false, true) => {
            *entries = others;
            Ok(removed)
        }
        // Nothing but numbers.
        (false, false) if others.is_empty() => {
            entries.clear();
            Ok(0)
        }
        _ => Err(PasteError::Log { line, what: "its digits may be a number or bytes; paste only the bytes" }),
    }
}

/// The error for a line whose bytes are uncertain.
fn doubtful(text: &str, line: &str, number: usize, doubt: Doubt) -> Recognized<Pasted> {
    let what = match doubt {
        Doubt::Odd(at, len) => {
            let start = line.as_ptr() as usize - text.as_ptr() as usize;
            let (place, group) = (Place::of(text, start + at), excerpt(&line[at..at + len]));
            return Some(Err(PasteError::HexOrDecimal { place, group }));
        }
        Doubt::Several => "several parts of it may be the bytes; paste only the bytes",
        Doubt::First => FIRST,
        Doubt::After => "what follows its bytes may be bytes too; paste only the bytes",
    };
    Some(Err(PasteError::Log { line: number, what }))
}

/// The bytes of all lines, with their directions if they are certain.
fn content(entries: Vec<Entry>) -> Result<Content, PasteError> {
    let error = |line, what| Err(PasteError::Log { line, what });
    let marks: Vec<Mark> = entries.iter().filter_map(|entry| entry.mark.clone()).collect();
    if !marks.is_empty()
        && let Some(entry) = entries.iter().find(|entry| entry.mark.is_none())
    {
        let what = "it names no direction, as other lines do; paste the lines of one direction, or only the bytes";
        return error(entry.line, what);
    }
    let (first, descriptor) = (entries[0].line, entries[0].descriptor.clone());
    if let Some(entry) = entries.iter().find(|entry| entry.descriptor != descriptor) {
        return error(entry.line, "it is of another file descriptor than the first one; paste the lines of one");
    }
    let is_absolute = !marks.is_empty() && marks.iter().all(Mark::is_absolute);
    let sides = direction::sides(&marks).unwrap_or_default().into_iter().chain(std::iter::repeat(0));
    let said: Vec<Sided> =
        entries.into_iter().zip(sides).map(|(entry, side)| Sided { side, bytes: entry.bytes }).collect();
    if is_absolute {
        return Ok(Sided::between(0, said));
    }
    let what =
        "it has part of a frame, and the bytes do not show which side is the client; paste the lines of one direction";
    Sided::marked(said).map_or_else(|| error(first, what), Ok)
}

/// Whether the bytes that a side sends first are text, such as the payload of a message.
fn begins_with_text(entry: &Entry, entries: &[Entry]) -> bool {
    let is_text = |byte: &u8| matches!(byte, 0x20..=0x7e);
    let first = entries.iter().find(|other| other.mark == entry.mark);
    let begins = entry.bytes.first().is_some_and(is_text) && !shape::is_whole(&entry.bytes);
    let is_frame = shape::is_plausible(&entry.bytes) && !entry.bytes.iter().all(is_text);
    begins && !is_frame && first.is_some_and(|first| first.line == entry.line)
}

/// The file descriptor in `read(3, "`.
fn descriptor(prefix: &str) -> Option<String> {
    let (_, digits) = prefix.trim_end_matches('"').trim_end().strip_suffix(',')?.rsplit_once('(')?;
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.to_owned())
}

/// Whether each direction consists of whole frames.
fn is_whole(content: &Content) -> bool {
    match content {
        Content::Bytes(bytes) => shape::is_whole(bytes),
        Content::Conversation(conversation) => Direction::BOTH.into_iter().all(|direction| {
            let pieces = conversation.pieces.iter().filter(|piece| piece.direction == direction);
            let bytes: Vec<u8> = pieces.flat_map(|piece| &piece.bytes).copied().collect();
            bytes.is_empty() || shape::is_whole(&bytes)
        }),
    }
}

#[cfg(test)]
mod tests;
