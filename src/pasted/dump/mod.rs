//! Dumps with offsets: xxd, `hexdump -C`, hexdump, od, `tcpdump -X`, Wireshark.
//!
//! The offsets say how many bytes each row has, so that a text column is never read as bytes. Of the last row, the text
//! column or the space before it shows where the bytes end.

mod layout;
mod packets;
mod row;

use self::layout::Layout;
use self::row::Row;
use super::conversation::{Sided, split_heads};
use super::error::PasteError;
use super::form::{Form, Remark};
use super::log::direction::{self, Mark};
use super::{MAX_BYTES, Pasted, Recognized};

/// Consecutive rows of one block: a packet, or bytes that one side sent.
struct Block {
    side: usize,
    /// What the line above it says about the direction.
    mark: Option<Mark>,
    bytes: Vec<u8>,
}

/// Reads a dump. `None` if the text has no offsets.
///
/// # Errors
/// A row contradicts its offsets, is damaged, or can be read in more than one way; or the packets have no TCP.
pub(super) fn read(text: &str) -> Recognized<Pasted> {
    let Some(rows) = row::rows(text) else {
        // Only `od -A n` prints asterisks without offsets.
        let line = text.lines().position(|line| line.trim() == "*")? + 1;
        let what = "an asterisk replaces equal rows, and without offsets their number is unknown";
        return Some(Err(PasteError::Dump { line, what }));
    };
    Some(pasted(text, &rows))
}

fn pasted(text: &str, rows: &[Row<'_>]) -> Result<Pasted, PasteError> {
    if let Some(line) = row::line_without_offset(text, rows) {
        return Err(PasteError::NoOffset { line });
    }
    layout::check_numbers(rows)?;
    let layout = Layout::of(text, rows)?;
    let blocks = blocks(rows, &layout)?;
    let packets: Vec<&[u8]> = blocks.iter().map(|block| block.bytes.as_slice()).collect();
    if let Some(read) = packets::read(&packets) {
        let (content, remark) = read?;
        return Ok(Pasted { remark: Some(remark), ..Pasted::new(Form::Packets, content) });
    }
    let remark = layout.is_swapped().then_some(Remark::LittleEndian);
    let marks: Vec<Mark> = blocks.iter().filter_map(|block| block.mark.clone()).collect();
    let is_absolute = !marks.is_empty() && marks.iter().all(Mark::is_absolute);
    let sides = direction::sides(&marks).filter(|sides| sides.len() == blocks.len() && sides.contains(&1));
    let content = match (blocks.iter().any(|block| block.side == 1), sides) {
        (true, _) => Sided::content(sided(blocks, None)),
        (false, Some(sides)) if is_absolute => Sided::between(0, sided(blocks, Some(sides))),
        (false, Some(sides)) => {
            let what = "a side has part of a frame, and the bytes do not show which side is the client; paste those of one side";
            Sided::marked(sided(blocks, Some(sides))).ok_or(PasteError::Dump { line: rows[0].line, what })?
        }
        (false, None) => split_heads(blocks.into_iter().flat_map(|block| block.bytes).collect()),
    };
    Ok(Pasted { remark, ..Pasted::new(Form::Dump, content) })
}

/// The bytes of blocks with their sides: those of the blocks, or others.
fn sided(blocks: Vec<Block>, sides: Option<Vec<usize>>) -> Vec<Sided> {
    let sides = sides.unwrap_or_else(|| blocks.iter().map(|block| block.side).collect());
    blocks.into_iter().zip(sides).map(|(block, side)| Sided { side, bytes: block.bytes }).collect()
}

/// The bytes of the rows; a new block begins where the offsets start again, or the side changes.
fn blocks(rows: &[Row<'_>], layout: &Layout) -> Result<Vec<Block>, PasteError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut total = 0;
    for (at, row) in rows.iter().enumerate() {
        let bytes = layout.bytes(rows, at)?;
        let is_same = |before: &Row<'_>| before.side == row.side && before.mark == row.mark;
        let continues = at > 0 && is_same(&rows[at - 1]) && layout.delta(rows, at - 1).is_some();
        if !continues {
            blocks.push(Block { side: row.side, mark: row.mark.clone(), bytes: Vec::new() });
        }
        let repeats = layout.repeats(rows, at, bytes.len());
        total = usize::try_from(repeats).unwrap_or(usize::MAX).saturating_mul(bytes.len()).saturating_add(total);
        if total > MAX_BYTES {
            return Err(PasteError::TooLong { most: MAX_BYTES });
        }
        if let Some(block) = blocks.last_mut() {
            (0..repeats).for_each(|_| block.bytes.extend_from_slice(&bytes));
        }
    }
    blocks.retain(|block| !block.bytes.is_empty());
    Ok(blocks)
}

#[cfg(test)]
mod tests;
