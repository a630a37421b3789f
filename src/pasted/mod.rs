//! Reads bytes that people paste: hex digits, literals of programming languages, dumps of other tools, base64.
//!
//! [`read`] is the only reader, for an argument, for stdin and for a file, so the same text gives the same bytes everywhere.
//! It recognizes the form by its content. Text that fits no form, or two, is refused: nothing is guessed.

mod base64;
mod bits;
mod capture;
mod conversation;
mod decimal;
mod dump;
mod error;
mod follow;
mod form;
mod hex;
mod literal;

pub use self::capture::{CaptureError, PasteOptions, to_capture};
pub use self::conversation::{Conversation, Piece};
pub use self::error::{PasteError, Place};
pub use self::form::{Form, ReadAs, Remark};

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
    /// Its bytes.
    pub content: Content,
}

impl Pasted {
    /// Whether its frames come after their handshake.
    pub const fn has_handshake(&self) -> bool {
        matches!(&self.content, Content::Conversation(conversation) if conversation.has_handshake)
    }

    /// The form that was recognized, in one line: `read as hex digits: 7 bytes`.
    pub fn recognized(&self) -> String {
        let len = count(self.content.len() as u64, "byte");
        let remark = self.remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
        format!("read as {}: {len}{remark}", self.form.words())
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
    let pasted = |form, bytes| Pasted { form, remark: None, content: conversation::split_heads(bytes) };
    let pasted = match read_as {
        Some(ReadAs::Raw) => pasted(Form::Raw, input.to_vec()),
        Some(named) => {
            let text = std::str::from_utf8(input).map_err(|e| PasteError::NotText { at: e.valid_up_to() + 1 })?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            match named {
                ReadAs::Hex => pasted(Form::Hex, hex::joined(text)?),
                ReadAs::Decimal => pasted(Form::Decimal, decimal::read(text)?),
                ReadAs::Base64 => pasted(Form::Base64, base64::lenient(text)?),
                ReadAs::Text | ReadAs::Raw => pasted(Form::Text, without_last_break(text).into()),
            }
        }
        None => match text_of(input) {
            Some(text) => recognize(text)?,
            None => pasted(Form::Raw, input.to_vec()),
        },
    };
    if pasted.content.is_empty() {
        return Err(PasteError::Empty);
    }
    Ok(pasted)
}

/// The input as text, if it is text: UTF-8 without control characters other than tabs and line breaks.
fn text_of(input: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(input).ok()?;
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    (!text.contains(is_control)).then(|| text.strip_prefix('\u{feff}').unwrap_or(text))
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
    if let Some(found) = follow::read(text) {
        let content = Sided::content(found?);
        return Ok(Pasted { form: Form::Follow, remark: None, content });
    }
    if let Some(found) = dump::read(text) {
        return found;
    }
    if let Some(bytes) = bits::read(text) {
        return Ok(Pasted { form: Form::Bits, remark: None, content: conversation::split_heads(bytes) });
    }
    if let Some(found) = hex::read(text).or_else(|| hex::commented(text)) {
        return Ok(Pasted { form: Form::Hex, remark: None, content: conversation::split_heads(found?) });
    }
    if let Some(found) = literal::read(text) {
        return found;
    }
    if let Some(found) = base64::read(text) {
        return Ok(Pasted { form: Form::Base64, remark: None, content: conversation::split_heads(found?) });
    }
    let first = text.len() - text.trim_start().len();
    Err(PasteError::Unrecognized { place: Place::of(text, first), found: text[first..].chars().next().unwrap_or(' ') })
}
