//! The parts of a log line that may be its bytes.

use super::direction::is_label;
use super::scan::{Part, PartKind};
use crate::pasted::literal::{self, Embedded};
use crate::pasted::{base64, bits, hex, shape};

/// The fewest digits of a number that counts time since an epoch, in seconds.
const EPOCH_DIGITS: usize = 10;

/// The fewest bytes of a run of hex digits with other text in its line: a frame has two.
const SHORTEST: usize = 2;

/// Why the bytes of a line are uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Decimal numbers or odd groups at this offset, so many bytes long.
    Odd(usize, usize),
    /// Several parts may be the bytes.
    Several,
    /// The first group may be a number that does not belong to the bytes.
    First,
    /// What follows the bytes may be further bytes, or damaged ones.
    After,
}

/// A part of a line that may be its bytes.
#[derive(Debug)]
pub(super) struct Candidate {
    pub at: usize,
    pub end: usize,
    pub bytes: Vec<u8>,
    pub is_labelled: bool,
    pub is_counted: bool,
    /// Whether the program that printed it left bytes out.
    pub is_shortened: bool,
    /// Whether quotes or brackets show where it ends.
    pub is_closed: bool,
    pub doubt: Option<Doubt>,
}

impl Candidate {
    pub fn is_outside(&self, other: &Self) -> bool {
        self.end <= other.at || other.end <= self.at
    }
}

/// All candidates of a line with these parts.
pub(super) fn candidates(line: &str, parts: &[Part<'_>]) -> Vec<Candidate> {
    let mut candidates = literals(line, parts);
    let mut runs = runs(line, parts);
    runs.retain(|run| candidates.iter().all(|literal| run.is_outside(literal)));
    candidates.extend(runs);
    candidates.extend(escapes(line, parts));
    if !candidates.iter().any(|one| shape::is_whole(&one.bytes)) {
        candidates.extend(base64(line));
    }
    candidates
}

/// Lists and strings of programming languages in the line.
fn literals(line: &str, parts: &[Part<'_>]) -> Vec<Candidate> {
    let candidate = |Embedded { at, end, bytes, is_shortened }: Embedded| {
        let is_labelled = is_labelled(line, parts, at, end);
        Candidate { at, end, bytes, is_labelled, is_closed: true, is_counted: false, is_shortened, doubt: None }
    };
    literal::embedded(line).into_iter().map(candidate).collect()
}

/// Runs of hex groups in the line.
fn runs(line: &str, parts: &[Part<'_>]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let len = run_len(line, &parts[at..]);
        if let Some(candidate) = run(line, parts, at, len) {
            candidates.push(candidate);
        }
        at += len.max(1);
    }
    candidates
}

/// The number of parts in the run of hex groups that starts with the first part; 0 if that is no group.
fn run_len(line: &str, parts: &[Part<'_>]) -> usize {
    let is_alike = |part: &Part<'_>| part.kind == parts[0].kind && matches!(part.kind, PartKind::Group { .. });
    let (mut len, mut last) = (0, None);
    for (at, part) in parts.iter().enumerate() {
        let joins = |last: usize| is_separator(&line[last..part.at]);
        if is_alike(part) && last.is_none_or(joins) {
            (len, last) = (at + 1, Some(part.end));
        } else if !matches!(part.kind, PartKind::Sign(',' | ';' | ':' | '-')) {
            break;
        }
    }
    len
}

/// What may be between two groups: white space, or one sign without or before white space.
fn is_separator(text: &str) -> bool {
    match text.trim_end() {
        "" => true,
        "," | ";" => true,
        ":" | "-" => text.len() == 1,
        _ => false,
    }
}

fn run(line: &str, parts: &[Part<'_>], first: usize, len: usize) -> Option<Candidate> {
    let groups: Vec<&Part<'_>> =
        parts[first..first + len].iter().filter(|part| matches!(part.kind, PartKind::Group { .. })).collect();
    let mut bytes: Vec<u8> = groups.iter().flat_map(|group| hex::bytes(group.text)).collect();
    let (mut at, end) = (groups.first()?.at, groups.last()?.end);
    if let Some(bits) = bits::read(&line[at..end]) {
        bytes = bits;
    }
    let is_line = line.trim().len() == end - at;
    if bytes.len() < SHORTEST && !is_line {
        return None;
    }
    let is_beside = |part: Option<&Part<'_>>, text: &str| {
        part.is_some_and(|part| part.kind == PartKind::Number) && is_separator(text)
    };
    let before = first.checked_sub(1).and_then(|before| parts.get(before));
    let after = parts.get(first + len);
    let is_count = |part: Option<&Part<'_>>| part.is_some_and(|part| part.text.parse() == Ok(bytes.len()));
    let is_whole = shape::is_whole(&bytes);
    // `RX 7 81 05 48 65 6c 6c 6f`, `81 05 48 65 6c 6c 6f 7 bytes`
    let is_counted = is_whole && (is_count(before) || is_count(after));
    let odd = |part: &Part<'_>| Doubt::Odd(part.at, part.end - part.at);
    let mut doubt = if is_counted {
        None
    } else if is_beside(before, &line[before.map_or(at, |part| part.end)..at]) {
        before.map(odd)
    } else if is_beside(after, &line[end..after.map_or(end, |part| part.at)]) {
        after.map(odd)
    } else {
        None
    };
    let mut is_counted = false;
    // A number in front: a count of the bytes, or of the frames so far.
    let rest: Vec<u8> = groups[1..].iter().flat_map(|group| hex::bytes(group.text)).collect();
    if !is_whole && shape::is_whole(&rest) {
        let number = groups[0].text;
        let counts = [10, 16].into_iter().any(|radix| usize::from_str_radix(number, radix) == Ok(rest.len()));
        let is_epoch = number.len() >= EPOCH_DIGITS && digits_alone(number.as_bytes());
        is_counted = counts || is_epoch;
        if is_counted {
            (at, bytes) = (groups[1].at, rest);
        } else {
            doubt = Some(Doubt::First);
        }
    } else if !is_whole && hex::begins_with_offset(&groups.iter().map(|group| group.text).collect::<Vec<_>>()) {
        doubt = Some(Doubt::First);
    }
    // A number alone is more often a length or an address.
    let is_number = groups.len() == 1 && digits_alone(&line.as_bytes()[at..end]);
    let is_labelled = is_labelled(line, parts, at, end);
    (!is_number || is_line || shape::is_whole(&bytes)).then_some(Candidate {
        at,
        end,
        bytes,
        is_labelled,
        is_counted,
        is_closed: false,
        is_shortened: false,
        doubt,
    })
}

pub(super) fn digits_alone(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// Text with escapes from the first one to the end of the line: `recv: \x81\x05Hello`.
fn escapes(line: &str, parts: &[Part<'_>]) -> Option<Candidate> {
    let at = parts.iter().find(|part| line[part.at..].starts_with("\\x"))?.at;
    let is_quoted = line[..at].contains(['"', '\'', '`']);
    let text = line[at..].trim_end();
    let bytes = literal::escaped(text)?;
    let end = at + text.len();
    (!is_quoted && shape::is_whole(&bytes)).then(|| {
        let is_labelled = is_labelled(line, parts, at, end);
        Candidate { at, end, bytes, is_labelled, is_closed: true, is_counted: false, is_shortened: false, doubt: None }
    })
}

/// A word that is base64 of whole frames.
fn base64(line: &str) -> Option<Candidate> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let words = line.split(|c| !is_sign(c)).flat_map(|word| {
        // `data=gQVI…`: the equals sign is no padding.
        let padding = word.len() - word.trim_end_matches('=').len();
        word[..word.len() - padding]
            .rsplit_once('=')
            .map_or([word, ""], |(_, value)| [word, &word[word.len() - padding - value.len()..]])
    });
    words.filter(|word| !word.is_empty()).find_map(|word| {
        let bytes = base64::read(word)?.ok().filter(|bytes| shape::is_whole(bytes))?;
        let at = word.as_ptr() as usize - line.as_ptr() as usize;
        Some(Candidate {
            at,
            end: at + word.len(),
            bytes,
            is_labelled: false,
            is_closed: true,
            is_counted: false,
            is_shortened: false,
            doubt: None,
        })
    })
}

/// Whether a label or an arrow is before the bytes, or nothing else is in the line.
pub(super) fn is_labelled(line: &str, parts: &[Part<'_>], at: usize, end: usize) -> bool {
    let before =
        line[..at].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '[' | '{'));
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')' | ']' | '}' | ',' | ';' | '.' | '…');
    let after = line[end..].trim_end_matches(is_end);
    if before.is_empty() || before == "<" && after.trim_start() == ">" {
        return after.is_empty() || before == "<";
    }
    let is_arrow = |c: char| matches!(c, '>' | '<' | '→' | '←' | '⇒' | '⇐' | '▲' | '▼' | '↑' | '↓' | '⬆' | '⬇');
    if before.ends_with(is_arrow) {
        return true;
    }
    let words = parts.iter().take_while(|part| part.end <= before.len()).filter(|part| part.kind == PartKind::Word);
    let last = words.last();
    // Between the word and the bytes are only signs, and perhaps a number: `recv(3, `, `RX 7: `, `TX [3] `.
    last.is_some_and(|word| {
        let between = &before[word.end..];
        let is_number = |c: char| {
            c.is_ascii_digit() || c.is_whitespace() || c.is_ascii_punctuation() && !matches!(c, '"' | '\'' | '`')
        };
        let is_cast = between.starts_with(')') && before[..word.at].ends_with('(');
        !is_cast && is_label(word.text) && between.trim_start_matches(['"', '\'']).chars().all(is_number)
    })
}
