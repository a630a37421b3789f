//! How the rows of a dump are written: the radix of the offsets, and the bytes of a word.

use super::super::{hex, shape, text_column};
use super::row::{Row, Word};
use crate::pasted::error::PasteError;

/// The most words of a row among which the end of the bytes is looked for: xxd prints up to 256.
const MAX_WORDS: usize = 256;

/// How a word is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Two hex digits per byte, in their order.
    Bytes,
    /// Eight binary digits per byte (`xxd -b`).
    Bits,
    /// A little-endian number: its last byte comes first (hexdump, `od -x`, `xxd -e`).
    Swapped,
}

/// How a dump is written.
#[derive(Debug)]
pub(super) struct Layout {
    unit: Unit,
    radix: u32,
    /// For each row, the number of its words that are bytes.
    ends: Vec<usize>,
}

/// How well a layout fits the rows.
struct Fit {
    layout: Layout,
    /// Whether the rows have the lengths that the offsets require.
    has_lengths: bool,
    /// Whether all text columns show their bytes.
    has_texts: bool,
    /// Whether at least one text column shows the bytes.
    is_proved: bool,
}

impl Layout {
    /// Finds the layout of rows.
    ///
    /// # Errors
    /// No layout fits, or more than one.
    pub fn of(text: &str, rows: &[Row<'_>]) -> Result<Self, PasteError> {
        let bare = rows.iter().any(|row| !row.has_colon);
        let units = if bare { bare_units(rows)? } else { &[Unit::Bytes, Unit::Bits, Unit::Swapped][..] };
        let mut fits: Vec<Fit> = units.iter().filter_map(|unit| fit(rows, *unit)).collect();
        if bare && fits.len() > 1 {
            fits.retain(|fit| fit.is_proved && fit.has_texts);
            if fits.len() != 1 {
                let what = "the order of the bytes in its words is unknown";
                return Err(PasteError::Dump { line: rows[0].line, what });
            }
        }
        // A text column may be in another character set. Then the first unit is right: the order of the bytes.
        let best = fits.iter().position(|fit| fit.has_lengths && fit.has_texts).unwrap_or_else(|| {
            fits.iter().position(|fit| fit.has_lengths && fit.layout.unit != Unit::Swapped).unwrap_or(0)
        });
        if fits.is_empty() {
            let damaged = rows.iter().find(|row| row.hex_words() < row.words.len() || row.words.is_empty());
            let row = damaged.unwrap_or(&rows[0]);
            return Err(row.damaged_at(text, row.hex_words().min(row.words.len().saturating_sub(1))));
        }
        let layout = fits.swap_remove(best).layout;
        layout.check(text, rows)?;
        layout.check_order(rows)?;
        Ok(layout)
    }

    /// True if the words are little-endian.
    pub fn is_swapped(&self) -> bool {
        self.unit == Unit::Swapped
    }

    /// The bytes from a row to the next one of its side; `None` if none follows, or the offsets start again.
    pub fn delta(&self, rows: &[Row<'_>], at: usize) -> Option<u64> {
        delta(rows, at, self.radix)
    }

    /// How often a row of `len` bytes occurs: more than once if an asterisk follows it.
    pub fn repeats(&self, rows: &[Row<'_>], at: usize, len: usize) -> u64 {
        match self.delta(rows, at) {
            Some(delta) if rows[at].repeated && len > 0 => delta / len as u64,
            _ => 1,
        }
    }

    /// The bytes of a row.
    ///
    /// # Errors
    /// They are not as many as the offsets require.
    pub fn bytes(&self, rows: &[Row<'_>], at: usize) -> Result<Vec<u8>, PasteError> {
        let row = &rows[at];
        let mut bytes = row_bytes(row, self.ends[at], self.unit);
        let Some(expected) = self.delta(rows, at) else { return Ok(bytes) };
        let len = bytes.len() as u64;
        if row.repeated && len > 0 && expected.is_multiple_of(len) {
            return Ok(bytes);
        }
        // The last word of a file with an odd length is filled with zeros.
        if is_filled(rows, at, len, expected, self.unit) && bytes[expected as usize..].iter().all(|byte| *byte == 0) {
            bytes.truncate(expected as usize);
        }
        match bytes.len() as u64 == expected {
            true => Ok(bytes),
            false => Err(PasteError::RowLength { line: row.line, found: bytes.len(), expected }),
        }
    }

    /// Checks that little-endian words are not frames in the other order, as `od --endian=big` prints them.
    fn check_order(&self, rows: &[Row<'_>]) -> Result<(), PasteError> {
        if !self.is_swapped() {
            return Ok(());
        }
        let all = |unit: Unit| -> Vec<u8> {
            rows.iter().zip(&self.ends).flat_map(|(row, end)| row_bytes(row, *end, unit)).collect()
        };
        let is_frames = |mut bytes: Vec<u8>| {
            // The last word may be filled with zeros.
            let filled = rows[0].words.first().map_or(0, |word| self.unit.len(word)).saturating_sub(1);
            let zeros = bytes.iter().rev().take(filled).take_while(|byte| **byte == 0).count();
            (0..=zeros).any(|_| shape::is_whole(&bytes) || bytes.pop().is_none())
        };
        match is_frames(all(Unit::Bytes)) && !is_frames(all(Unit::Swapped)) {
            true => {
                let what = "its words may be big-endian or little-endian";
                Err(PasteError::Dump { line: rows[0].line, what })
            }
            false => Ok(()),
        }
    }

    /// Checks what the lengths do not show.
    fn check(&self, text: &str, rows: &[Row<'_>]) -> Result<(), PasteError> {
        for (at, (row, end)) in rows.iter().zip(&self.ends).enumerate() {
            if let Some(word) = row.words[..*end].iter().position(|word| !self.unit.takes(word)) {
                return Err(row.damaged_at(text, word));
            }
            let Some(after) = row.words.get(*end) else { continue };
            let is_column = after.gap > 1 || after.text.starts_with(['|', '>']);
            let bytes = row_bytes(row, *end, self.unit);
            if !is_column && !text_column::shows(after.rest, &bytes) {
                return Err(row.damaged_at(text, *end));
            }
            self.bytes(rows, at)?;
            if text_column::inside(after.rest).chars().filter(|c| !c.is_whitespace()).count() > bytes.len() {
                let what =
                    "its text column is longer than its bytes: the line breaks are missing, or a byte is damaged";
                return Err(PasteError::Dump { line: row.line, what });
            }
        }
        let has_columns = rows.len() == 1 || rows.iter().zip(&self.ends).any(|(row, end)| *end < row.words.len());
        for (at, row) in rows.iter().enumerate().filter(|_| has_columns) {
            let is_whole = self.ends[at] == row.words.len() && self.delta(rows, at).is_none();
            if is_whole && !shown_ends(row, self.unit).is_empty() {
                // Perhaps these are bytes and their text, and the wider space between them is lost.
                let what = "its last words may be bytes or text";
                return Err(PasteError::Dump { line: row.line, what });
            }
        }
        let last = rows.len() - 1;
        if self.unit == Unit::Swapped && !rows[last].has_colon && self.bytes(rows, last)?.last() == Some(&0) {
            let what = "the last line, with the number of bytes, is missing, and the last word may be half filled";
            return Err(PasteError::Dump { line: rows[last].line, what });
        }
        Ok(())
    }
}

/// Checks that the numbers are bytes in hex, which debuggers and od print in other ways, too.
///
/// # Errors
/// They may be decimal, or words in the order of the machine.
pub(super) fn check_numbers(rows: &[Row<'_>]) -> Result<(), PasteError> {
    let has_prefix = |word: &Word<'_>| word.text.starts_with("0x");
    for row in rows.iter().filter(|row| row.is_prefixed && row.has_colon) {
        let words = &row.words[..row.hex_words()];
        if row.has_tab && !words.iter().all(has_prefix) {
            let what = "its numbers may be decimal; with gdb, use x/16xb";
            return Err(PasteError::Dump { line: row.line, what });
        }
        if words.iter().any(|word| has_prefix(word) && word.digits().is_some_and(|digits| digits.len() > 2)) {
            let what = "its words have the order of the machine; with gdb, use x/16xb";
            return Err(PasteError::Dump { line: row.line, what });
        }
    }
    // od prints decimal bytes with a wider space, and od of macOS also bytes in hex.
    let may_be_decimal = |word: &Word<'_>| {
        let digits = word.text.as_bytes();
        word.gap > 1 && digits.len() == 2 && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit)
    };
    let is_wide = |row: &Row<'_>| row.offset.len() == 7 && !row.has_colon && row.hex_words() == row.words.len();
    let mut with_bytes = rows.iter().filter(|row| !row.words.is_empty());
    if with_bytes.all(|row| is_wide(row) && row.words.iter().all(may_be_decimal)) {
        return Err(PasteError::Dump { line: rows[0].line, what: "its numbers may be decimal" });
    }
    Ok(())
}

impl Unit {
    /// Whether a word can be read as this unit.
    fn takes(self, word: &Word<'_>) -> bool {
        word.digits().is_some_and(|digits| match self {
            Self::Bytes | Self::Swapped => digits.len().is_multiple_of(2),
            Self::Bits => digits.len() == 8 && digits.bytes().all(|digit| matches!(digit, b'0' | b'1')),
        })
    }

    /// The number of bytes of a word.
    fn len(self, word: &Word<'_>) -> usize {
        word.digits().map_or(0, str::len) / if self == Self::Bits { 8 } else { 2 }
    }

    /// The bytes of a word that this unit takes.
    fn bytes(self, word: &Word<'_>) -> Vec<u8> {
        let digits = word.digits().unwrap_or_default();
        match self {
            Self::Bytes => hex::bytes(digits).collect(),
            Self::Bits => u8::from_str_radix(digits, 2).into_iter().collect(),
            Self::Swapped => {
                let mut bytes: Vec<u8> = hex::bytes(digits).collect();
                bytes.reverse();
                bytes
            }
        }
    }
}

/// The units of a dump without colons.
///
/// # Errors
/// Its words are no hex.
fn bare_units(rows: &[Row<'_>]) -> Result<&'static [Unit], PasteError> {
    let first = rows.iter().find(|row| row.hex_words() > 0).unwrap_or(&rows[0]);
    let len = first.words.first().and_then(Word::digits).map_or(0, str::len);
    match (len, first.offset.len()) {
        (2, _) => Ok(&[Unit::Bytes]),
        // od and hexdump print the words of the machine, and almost all machines are little-endian.
        (4 | 8 | 16, 6 | 7) => Ok(&[Unit::Swapped]),
        (4 | 8 | 16, _) => Ok(&[Unit::Bytes, Unit::Swapped]),
        _ => Err(PasteError::Dump { line: first.line, what: "its words are not bytes in hex" }),
    }
}

/// Fits a unit to the rows; `None` if the unit cannot be.
fn fit(rows: &[Row<'_>], unit: Unit) -> Option<Fit> {
    let natural: Vec<usize> = rows.iter().map(|row| natural_end(row, unit)).collect();
    let is_wrong = |(row, end): (&Row<'_>, &usize)| row.words[..*end].iter().any(|word| !unit.takes(word));
    if unit == Unit::Bits && rows.iter().zip(&natural).any(is_wrong) {
        return None;
    }
    let offset_len = rows[0].offset.len();
    // od prints octal offsets of seven digits, hexdump hex ones: rows of 16 bytes differ.
    let radixes = if offset_len == 7 && !rows[0].has_colon { [8, 16, 10] } else { [16, 8, 10] };
    let lengths = |ends: &[usize], radix: u32| {
        rows.iter().all(|row| u64::from_str_radix(row.offset, radix).is_ok())
            && (0..rows.len()).all(|at| fits_delta(rows, at, row_bytes(&rows[at], ends[at], unit).len(), unit, radix))
    };
    let radix = radixes.into_iter().find(|radix| lengths(&natural, *radix));
    let (radix, mut ends, has_lengths) = match radix {
        Some(radix) => (radix, natural, true),
        None => {
            // A text column that was read as bytes: the offsets say where it begins.
            let cut = ends_by_offsets(rows, &natural, unit);
            let has_lengths = cut.is_some();
            (16, cut.unwrap_or(natural), has_lengths)
        }
    };
    shorten_last(rows, &mut ends, unit, radix);
    let columns: Vec<bool> = rows
        .iter()
        .zip(&ends)
        .filter_map(|(row, end)| Some(text_column::shows(row.words.get(*end)?.rest, &row_bytes(row, *end, unit))))
        .collect();
    let (has_texts, is_proved) = (columns.iter().all(|shown| *shown), columns.contains(&true));
    Some(Fit { layout: Layout { unit, radix, ends }, has_lengths, has_texts, is_proved })
}

/// Shortens rows without a next offset that have more bytes than all others: the rest is a text column of hex digits.
fn shorten_last(rows: &[Row<'_>], ends: &mut [usize], unit: Unit, radix: u32) {
    let len = |at: usize, end: usize| row_bytes(&rows[at], end, unit).len();
    let is_last = |at: usize| delta(rows, at, radix).is_none();
    let width = (0..rows.len()).filter(|at| !is_last(*at)).map(|at| len(at, ends[at])).max().unwrap_or(usize::MAX);
    for (at, end) in ends.iter_mut().enumerate() {
        if is_last(at) && len(at, *end) > width {
            let shown = shown_ends(&rows[at], unit).into_iter().rev().find(|end| len(at, *end) <= width);
            *end = shown.unwrap_or(*end);
        }
    }
}

/// Where the bytes of each row end if hex offsets decide; `None` if they cannot.
fn ends_by_offsets(rows: &[Row<'_>], natural: &[usize], unit: Unit) -> Option<Vec<usize>> {
    (0..rows.len())
        .map(|at| {
            let row = &rows[at];
            let end = |end: &usize| fits_delta(rows, at, row_bytes(row, *end, unit).len(), unit, 16);
            if delta(rows, at, 16).is_none() {
                Some(natural[at])
            } else {
                (0..=row.hex_words().min(MAX_WORDS)).find(end)
            }
        })
        .collect()
}

/// The bytes of the first `end` words.
fn row_bytes(row: &Row<'_>, end: usize, unit: Unit) -> Vec<u8> {
    row.words[..end].iter().flat_map(|word| unit.bytes(word)).collect()
}

/// Whether a row of `len` bytes ends at the next offset.
fn fits_delta(rows: &[Row<'_>], at: usize, len: usize, unit: Unit, radix: u32) -> bool {
    let len = len as u64;
    let Some(delta) = delta(rows, at, radix) else { return true };
    let repeated = rows[at].repeated && len > 0 && delta.is_multiple_of(len);
    delta == len || repeated || is_filled(rows, at, len, delta, unit)
}

/// Whether the last word of a row may be filled, so that only `delta` of its `len` bytes are meant.
fn is_filled(rows: &[Row<'_>], at: usize, len: u64, delta: u64, unit: Unit) -> bool {
    let word = rows[at].words.first().map_or(0, |word| unit.bytes(word).len() as u64);
    unit == Unit::Swapped && rows[at + 1].words.is_empty() && delta < len && len - delta < word
}

fn delta(rows: &[Row<'_>], at: usize, radix: u32) -> Option<u64> {
    let offset = |row: &Row<'_>| u64::from_str_radix(row.offset, radix).ok();
    let is_alike = |next: &&Row<'_>| next.side == rows[at].side && next.mark == rows[at].mark;
    let next = rows[at + 1..].iter().find(is_alike)?;
    offset(next)?.checked_sub(offset(&rows[at])?).filter(|delta| *delta > 0)
}

/// Where the bytes of a row end, by its words alone.
fn natural_end(row: &Row<'_>, unit: Unit) -> usize {
    let most = row.hex_words();
    if row.is_table {
        return most;
    }
    let is_od = row.offset.len() == 7 && !row.has_colon;
    // Between 8 bytes and the next 8 is a wider space in dumps of single bytes.
    let is_middle = |at: usize| at == 8 && row.words[at].gap == 2 && row.words[at].text.len() == 2 && at < most;
    let by_gap = (1..most).find(|at| row.words[*at].gap > 1 && !is_od && !is_middle(*at)).unwrap_or(most);
    let proved = shown_ends(row, unit);
    let is_column = |end: &usize| row.words[*end].gap > 1 && !is_od || !is_hex(row.words[*end].rest);
    match proved.contains(&by_gap) {
        true => by_gap,
        false => proved.into_iter().rev().find(is_column).unwrap_or(by_gap),
    }
}

/// The numbers of words after which the rest of a row shows the bytes of these words.
fn shown_ends(row: &Row<'_>, unit: Unit) -> Vec<usize> {
    let mut len = 0;
    let last = row.hex_words().min(row.words.len().saturating_sub(1)).min(MAX_WORDS);
    (1..=last)
        .filter(|end| {
            len += unit.len(&row.words[*end - 1]);
            let rest = &row.words[*end];
            // Comparing lengths first keeps this fast. Two characters may be signs around the column.
            rest.signs <= len + 2 && text_column::shows(rest.rest, &row_bytes(row, *end, unit))
        })
        .collect()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b' ')
}
