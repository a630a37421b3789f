//! One row of a dump: its offset and the words after it.

use super::super::{hex, text_column};
use crate::pasted::error::{PasteError, Place, excerpt};
use crate::pasted::log::direction::{self, Mark};

/// A row of a dump.
#[derive(Debug)]
pub(super) struct Row<'t> {
    /// Its line, from 1.
    pub line: usize,
    /// 1 for a row that is indented, if others are not: in a followed stream, those are of the other side.
    pub side: usize,
    /// The digits of its offset, without `0x`.
    pub offset: &'t str,
    /// Whether `0x` is before the offset, as in tcpdump and debuggers.
    pub is_prefixed: bool,
    /// Whether a colon follows the offset, as in xxd and tcpdump, or another sign that no hex digits have.
    pub has_colon: bool,
    /// Whether a tab follows it, as gdb prints.
    pub has_tab: bool,
    /// Whether it is certainly an address: WinDbg prints the two halves with a grave accent between them.
    is_address: bool,
    /// Whether its parts are the cells of a table, so that the text column is not among its words.
    pub is_table: bool,
    /// What the line above the rows says about the direction.
    pub mark: Option<Mark>,
    /// What is separated by white space after the offset: bytes, then perhaps a text column.
    pub words: Vec<Word<'t>>,
    /// Whether a line with an asterisk follows: the row is repeated up to the next offset.
    pub repeated: bool,
}

/// A part of a row between white space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    pub text: &'t str,
    /// The number of white space characters before it.
    pub gap: usize,
    /// The row from this word on.
    pub rest: &'t str,
    /// The characters in it that are not white space.
    pub signs: usize,
}

impl<'t> Word<'t> {
    /// Its digits, if it consists of hex digits, also after `0x`.
    pub fn digits(&self) -> Option<&'t str> {
        let digits = self.text.strip_prefix("0x").unwrap_or(self.text);
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
    }
}

impl Row<'_> {
    /// The number of words at its start that may be bytes.
    pub fn hex_words(&self) -> usize {
        self.words.iter().take_while(|word| word.digits().is_some()).count()
    }

    /// Whether its text column shows the bytes before it. Then its first digits are an offset.
    fn shows_column(&self) -> bool {
        let words = &self.words[..self.hex_words()];
        let mut bytes = Vec::new();
        words.iter().zip(self.words.iter().skip(1)).any(|(word, next)| {
            bytes.extend(hex::bytes(word.digits().unwrap_or_default()));
            let is_apart = next.gap > 1 || next.digits().is_none();
            bytes.len() > 1 && is_apart && next.signs <= bytes.len() + 2 && text_column::shows(next.rest, &bytes)
        })
    }

    /// The error for a word that is no byte.
    pub fn damaged_at(&self, text: &str, word: usize) -> PasteError {
        let Some(word) = self.words.get(word) else { return PasteError::NoOffset { line: self.line } };
        let at = word.text.as_ptr() as usize - text.as_ptr() as usize;
        PasteError::InDump { place: Place::of(text, at), found: excerpt(word.text) }
    }
}

/// The rows of a dump; `None` if the text is no dump. Lines that are no rows are left out.
pub(super) fn rows(text: &str) -> Option<Vec<Row<'_>>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut mark = None;
    for (line, number) in text.lines().zip(1..) {
        if line.trim() == "*" {
            if let Some(row) = rows.last_mut() {
                row.repeated = true;
            }
        } else if let Some(row) = row(number, line).or_else(|| row(number, without_prefix(line)?)) {
            rows.push(Row { mark: mark.clone(), ..row });
        } else {
            mark = direction::mark(line).or(mark);
        }
    }
    let has_colons = rows.iter().any(proves_dump_with_colon);
    rows.retain(|row| row.has_colon == has_colons);
    if !has_colons && !is_bare_dump(&rows) {
        return None;
    }
    // Sides need rows of both kinds with bytes: the last row of hexdump and od has only an offset.
    let is_side = |side: usize| rows.iter().any(|row| row.side == side && !row.words.is_empty());
    if !(is_side(0) && is_side(1)) {
        rows.iter_mut().for_each(|row| row.side = 0);
    }
    Some(rows)
}

/// The first line, from 1, that has only hex digits and no offset.
pub(super) fn line_without_offset(text: &str, rows: &[Row<'_>]) -> Option<usize> {
    let is_row = |line: usize| rows.binary_search_by_key(&line, |row| row.line).is_ok();
    let has_only_digits = |line: &str| {
        line.bytes().all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace()) && !line.trim().is_empty()
    };
    // PowerShell's Format-Hex prints the numbers of the columns over them.
    let is_heading = |line: &str| {
        let numbers = || line.split_whitespace().map(|word| usize::from_str_radix(word, 16).ok());
        numbers().count() == 16 && numbers().eq((0..16).map(Some))
    };
    let is_wrong = |line: &str| has_only_digits(line) && !is_heading(line);
    text.lines().zip(1..).find(|(line, number)| is_wrong(line) && !is_row(*number)).map(|(_, number)| number)
}

/// A line as a row, if it starts with an offset of four digits or more.
fn row(number: usize, line: &str) -> Option<Row<'_>> {
    let body = line.trim_start_matches([' ', '\t']);
    let plain = Row {
        line: number,
        side: usize::from(body.len() < line.len()),
        offset: "",
        is_prefixed: false,
        has_colon: false,
        has_tab: false,
        is_address: false,
        is_table: false,
        mark: None,
        words: Vec::new(),
        repeated: false,
    };
    if let Some((offset, bytes)) = cells(body) {
        return Some(Row { side: 0, offset, has_colon: true, is_table: true, words: words(bytes), ..plain });
    }
    let digits = body.strip_prefix("0x").unwrap_or(body);
    let (offset, after) = digits.split_at(hex_len(digits));
    // gdb prints the symbol at an address: `0x7ffe10 <frame+8>:`.
    let symbol = after.strip_prefix(" <").and_then(|rest| rest.find(">:")).filter(|_| digits.len() < body.len());
    let after = symbol.map_or(after, |end| &after[2 + end + 1..]);
    let (has_colon, after) = after.strip_prefix(':').map_or((false, after), |after| (true, after));
    // OpenSSL prints `0000 - 81 05`.
    let bio = after.strip_prefix(" - ").filter(|bytes| hex_len(bytes) == 2);
    let low = after.strip_prefix('`').filter(|low| offset.len() == 8 && hex_len(low) == 8);
    let (offset, after) = match (bio, low) {
        (Some(bytes), _) => (offset, &after[after.len() - bytes.len() - 1..]),
        (None, Some(low)) => low.split_at(8),
        (None, None) => (offset, after),
    };
    if !(4..=16).contains(&offset.len()) || !(after.is_empty() || after.starts_with(char::is_whitespace)) {
        return None;
    }
    Some(Row {
        offset,
        is_prefixed: digits.len() < body.len(),
        has_colon: has_colon || bio.is_some(),
        has_tab: after.starts_with('\t'),
        is_address: low.is_some(),
        words: words(after),
        ..plain
    })
}

/// A line without the sign of a quotation, or without the time in brackets and the level that libwebsockets prints.
fn without_prefix(line: &str) -> Option<&str> {
    if let Some(quoted) = line.strip_prefix("> ") {
        return Some(quoted);
    }
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let is_time = time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':');
    let (level, rest) = rest.split_once(": ")?;
    (is_time && level.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(rest)
}

/// The offset and the bytes of a row that is a table with lines between its cells, as Netty and hexyl print it.
fn cells(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix(['|', '│'])?.split(['|', '│']);
    let (offset, bytes) = (cells.next()?.trim(), cells.next()?);
    cells.next()?;
    ((4..=16).contains(&offset.len()) && hex_len(offset) == offset.len()).then_some((offset, bytes))
}

fn hex_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(is_gap);
        if trimmed.is_empty() {
            let mut signs = 0;
            for word in words.iter_mut().rev() {
                signs += word.text.chars().count();
                word.signs = signs;
            }
            return words;
        }
        let gap = rest[..rest.len() - trimmed.len()].chars().count();
        let len = trimmed.find(is_gap).unwrap_or(trimmed.len());
        // WinDbg and OpenSSL print a minus between two bytes in the middle of a row.
        if let [a, b, b'-', ..] = trimmed.as_bytes()[..len]
            && len == 5
            && [a, b].iter().all(u8::is_ascii_hexdigit)
            && hex_len(&trimmed[3..]) >= 2
            && words.iter().all(|word| word.digits().is_some())
        {
            words.push(Word { text: &trimmed[..2], gap, rest: trimmed.trim_end(), signs: 0 });
            rest = &trimmed[3..];
            words.push(Word { text: &rest[..2], gap: 1, rest: rest.trim_end(), signs: 0 });
            rest = &rest[2..];
            continue;
        }
        words.push(Word { text: &trimmed[..len], gap, rest: trimmed.trim_end(), signs: 0 });
        rest = &trimmed[len..];
    }
}

/// White space, or the line that hexyl prints in the middle of a row.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '┊'
}

/// A row that only xxd, tcpdump and their kind print: an offset with a colon that is zero, has eight digits, or `0x`.
fn proves_dump_with_colon(row: &Row<'_>) -> bool {
    let is_offset = is_zero(row.offset) || row.is_prefixed || row.offset.len() >= 8 && row.offset.starts_with('0');
    row.has_colon && row.hex_words() > 0 && (is_offset || row.is_table || row.shows_column())
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

/// Whether offsets without colons are offsets, and not bytes.
fn is_bare_dump(rows: &[Row<'_>]) -> bool {
    let Some(first) = rows.first().filter(|row| row.hex_words() > 0) else { return false };
    if rows.iter().any(|row| row.is_address || row.shows_column()) {
        return true;
    }
    // No number of bytes has seven digits.
    if counts_up(rows) || is_zero(first.offset) && first.offset.len() == 7 {
        return true;
    }
    let is_single = |word: &Word<'_>| word.digits().is_some_and(|digits| digits.len() == 2);
    let bytes = first.words.iter().enumerate().take_while(|(at, word)| *at == 0 || word.gap == 1).map(|(_, word)| word);
    let has_column = first.words.get(first.hex_words()).is_some_and(|word| word.text.starts_with(['|', '>']));
    is_zero(first.offset)
        && (has_column
            || first.words[0].gap > 1
                && (first.offset.len() >= 6 || bytes.take_while(|word| word.digits().is_some()).all(is_single)))
}

/// Whether each offset is the one before plus the bytes of its row, for two rows or more.
fn counts_up(rows: &[Row<'_>]) -> bool {
    let len = |row: &Row<'_>| -> u64 {
        let words = row.words[..row.hex_words()].iter();
        words.filter_map(Word::digits).map(|digits| hex::bytes(digits).count() as u64).sum()
    };
    rows.len() > 1
        && [16, 8, 10].into_iter().any(|radix| {
            let offsets: Vec<Option<u64>> =
                rows.iter().map(|row| u64::from_str_radix(row.offset, radix).ok()).collect();
            offsets.windows(2).zip(rows).all(|(pair, row)| match pair {
                // A text column may look like more bytes; words of two bytes may end with a half.
                [Some(this), Some(next)] if next > this => {
                    row.repeated || next - this <= len(row) && next - this + 16 > len(row)
                }
                // The next packet.
                [Some(_), Some(0)] => true,
                _ => false,
            }) && offsets.windows(2).any(|pair| pair[1] > pair[0])
        })
}
