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
use super::{MAX_BYTES, Pasted, Recognized};

/// Consecutive rows of one block: a packet, or bytes that one side sent.
struct Block {
    side: usize,
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
    let layout = Layout::of(text, rows)?;
    let blocks = blocks(rows, &layout)?;
    let packets: Vec<&[u8]> = blocks.iter().map(|block| block.bytes.as_slice()).collect();
    if let Some(read) = packets::read(&packets) {
        let (content, remark) = read?;
        return Ok(Pasted { form: Form::Packets, remark: Some(remark), content });
    }
    let remark = layout.is_swapped().then_some(Remark::LittleEndian);
    let content = match blocks.iter().any(|block| block.side == 1) {
        true => {
            Sided::content(blocks.into_iter().map(|block| Sided { side: block.side, bytes: block.bytes }).collect())
        }
        false => split_heads(blocks.into_iter().flat_map(|block| block.bytes).collect()),
    };
    Ok(Pasted { form: Form::Dump, remark, content })
}

/// The bytes of the rows; a new block begins where the offsets start again, or the side changes.
fn blocks(rows: &[Row<'_>], layout: &Layout) -> Result<Vec<Block>, PasteError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut total = 0;
    for (at, row) in rows.iter().enumerate() {
        let bytes = layout.bytes(rows, at)?;
        let continues = at > 0 && rows[at - 1].side == row.side && layout.delta(rows, at - 1).is_some();
        if !continues {
            blocks.push(Block { side: row.side, bytes: Vec::new() });
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
