//! Reads bytes that people paste: hex digits, literals of programming languages, dumps of other tools, base64.
//!
//! [`read`] is the only reader, for an argument, for stdin and for a file, so the same text gives the same bytes everywhere.
//! It recognizes the form by its content. Text that fits no form, or two, is refused: nothing is guessed.

mod base64;
mod bits;
mod capture;
mod columns;
mod conversation;
mod decimal;
mod doubt;
mod dump;
mod error;
mod follow;
mod form;
mod hex;
mod literal;
mod log;
mod packing;
mod percent;
mod shape;
mod text_column;

pub use self::capture::{CaptureError, PasteOptions, to_capture};
pub use self::conversation::{Conversation, Piece};
pub use self::error::{PasteError, Place};
pub use self::form::{Form, ReadAs, Remark};

use std::borrow::Cow;

use self::conversation::Sided;
use crate::proto::rules::count;

/// The most bytes of a dump: a line with an asterisk can repeat a row without end.
const MAX_BYTES: usize = 64 << 20;

/// What a paste contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasted {
    /// The form that was recognized, or that the caller named.
    pub form: Form,
    /// What else a person must know about the reading.
    pub remark: Option<Remark>,
    /// Whether the paste is a gzip file, which was inflated.
    pub is_gzip: bool,
    /// Its bytes.
    pub content: Content,
}

impl Pasted {
    /// Bytes without a known direction, read in a form.
    const fn new(form: Form, content: Content) -> Self {
        Self { form, remark: None, is_gzip: false, content }
    }

    /// Whether its frames come after their handshake.
    pub const fn has_handshake(&self) -> bool {
        matches!(&self.content, Content::Conversation(conversation) if conversation.has_handshake)
    }

    /// The form that was recognized, in one line: `read as hex digits: 7 bytes`.
    pub fn recognized(&self) -> String {
        let len = count(self.content.len() as u64, "byte");
        let remark = self.remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
        let gzip = if self.is_gzip { ", compressed with gzip" } else { "" };
        format!("read as {}{gzip}: {len}{remark}", self.form.words())
    }
}

/// The bytes of a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Frames, one after the other. The paste does not say in which direction they were sent.
    Bytes(Vec<u8>),
    /// Both directions of a connection, or one that starts with its handshake.
    Conversation(Conversation),
}

impl Content {
    /// The number of bytes, of both directions together.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Conversation(conversation) => conversation.pieces.iter().map(|piece| piece.bytes.len()).sum(),
        }
    }

    /// True if there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes, in their order, without their directions.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Conversation(conversation) => {
                conversation.pieces.iter().flat_map(|piece| &piece.bytes).copied().collect()
            }
        }
    }
}

/// The result of one form's reader: `None` if the text is not of that form at all, an error if it is, but damaged.
type Recognized<T> = Option<Result<T, PasteError>>;

/// Reads a paste. With `read_as` it is read as that form, and otherwise as the form that it has.
///
/// # Errors
/// If the paste is empty, has no known form, or is damaged. The error names the place.
pub fn read(input: &[u8], read_as: Option<ReadAs>) -> Result<Pasted, PasteError> {
    let pasted = |form, bytes| Pasted::new(form, conversation::split_heads(bytes));
    let (inflated, is_gzip) = match read_as {
        Some(ReadAs::Raw) => (Cow::Borrowed(input), false),
        _ => packing::inflated(input)?,
    };
    let pasted = match read_as {
        Some(ReadAs::Raw) => pasted(Form::Raw, input.to_vec()),
        Some(named) => {
            let wrong =
                || PasteError::NotText { at: inflated.utf8_chunks().next().map_or(0, |first| first.valid().len()) + 1 };
            let text = packing::decoded(&inflated).ok_or_else(wrong)?;
            match named {
                ReadAs::Hex => pasted(Form::Hex, hex::joined(&text)?),
                ReadAs::Decimal => pasted(Form::Decimal, decimal::read(&text)?),
                ReadAs::Base64 => pasted(Form::Base64, base64::lenient(&text)?),
                ReadAs::Text | ReadAs::Raw => pasted(Form::Text, without_last_break(&text).into()),
            }
        }
        None => match packing::text(&inflated)? {
            Some(text) => recognize(&text)?,
            None => pasted(Form::Raw, inflated.into_owned()),
        },
    };
    if pasted.content.is_empty() {
        return Err(PasteError::Empty);
    }
    Ok(Pasted { is_gzip, ..pasted })
}

fn without_last_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Recognizes the form of a text. The forms with the strictest shape come first.
fn recognize(text: &str) -> Result<Pasted, PasteError> {
    if text.trim().is_empty() {
        return Err(PasteError::Empty);
    }
    let pasted = |form, bytes| Pasted::new(form, conversation::split_heads(bytes));
    if let Some(found) = follow::read(text) {
        return Ok(Pasted::new(Form::Follow, Sided::content(found?)));
    }
    if let Some(found) = dump::read(text) {
        return found;
    }
    let log = log::read(text);
    // Other forms would join the bytes of both directions.
    if let Some(Ok(Pasted { content: Content::Conversation(_), .. })) = &log
        && let Some(found) = log
    {
        return found;
    }
    if let Some(bytes) = bits::read(text) {
        return Ok(pasted(Form::Bits, bytes));
    }
    if let Some(found) = columns::read(text) {
        return found.map(|bytes| pasted(Form::Columns, bytes));
    }
    if let Some(found) = hex::read(text) {
        let bytes = match found {
            Ok(bytes) => bytes,
            Err(error) => return log.and_then(Result::ok).filter(|_| doubt::has_labels(text)).ok_or(error),
        };
        return match doubt::about_hex(text, &bytes) {
            None => Ok(pasted(Form::Hex, bytes)),
            Some(doubt::HexDoubt::Escapes(bytes)) => Ok(pasted(Form::Escapes, bytes)),
            Some(doubt::HexDoubt::Label(error)) => log.and_then(Result::ok).ok_or(error),
            Some(doubt::HexDoubt::Error(error)) => Err(error),
        };
    }
    if let Some(found) = hex::commented(text) {
        return found.map(|bytes| pasted(Form::Hex, bytes));
    }
    if let Some(found) = percent::read(text) {
        return found.map(|(form, bytes)| pasted(form, bytes));
    }
    if let Some(found) = literal::read(text) {
        return found;
    }
    if let Some(found) = base64::read(text) {
        return found.map(|bytes| pasted(Form::Base64, bytes));
    }
    if let Some(found) = log {
        return found;
    }
    let first = text.len() - text.trim_start().len();
    Err(PasteError::Unrecognized { place: Place::of(text, first), found: text[first..].chars().next().unwrap_or(' ') })
}
