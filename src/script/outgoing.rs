//! A message or control frame to send.

use super::custom_frame::CustomFrame;
use crate::proto::endpoint::Sender;
use crate::wire::close::CloseCode;
use crate::wire::frame::MAX_CONTROL_PAYLOAD;
use crate::wire::opcode::Opcode;

/// The longest payload of a control frame, in bytes (RFC 6455 §5.5).
const MAX_CONTROL: usize = MAX_CONTROL_PAYLOAD as usize;

/// A message or control frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A text message in fragments of these sizes in bytes, and a last one with the rest of the text, if bytes are left. It is not compressed,
    /// so the sizes are those of the frames.
    Fragments {
        /// The text.
        text: String,
        /// The sizes of the first fragments. Together they are no longer than the text.
        sizes: Vec<usize>,
    },
    /// A frame: one of a fragmented message, or text that is not UTF-8.
    Frame {
        /// Whether it is the last frame of its message.
        fin: bool,
        /// Its opcode.
        opcode: Opcode,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether it is compressed, if permessage-deflate was negotiated.
        deflate: bool,
    },
    /// A frame whose header a person has chosen. [`Self::encode`] encodes it even after a Close; a client refuses it then.
    Custom(CustomFrame),
    /// A Ping with at most 125 bytes.
    Ping(Vec<u8>),
    /// A Pong with at most 125 bytes.
    Pong(Vec<u8>),
    /// A Close.
    Close {
        /// Its code, if it has one. Any number: a test may need one that no endpoint may send.
        code: Option<CloseCode>,
        /// Its reason, of at most 123 bytes; empty without a code.
        reason: String,
    },
}

/// Why something cannot be sent.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum OutgoingError {
    /// A Ping or Pong is too long.
    #[error("a {name} carries at most {MAX_CONTROL} bytes; this one has {len}")]
    ControlTooLong {
        /// `ping` or `pong`.
        name: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// The code of a Close is no number of 16 bits.
    #[error("a close code is a number from 0 to 65535, such as 1000")]
    CloseCode,
    /// The reason of a Close is too long.
    #[error("the reason of a close has at most {} bytes; this one has {len}", MAX_CONTROL - 2)]
    ReasonTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A size of a fragment is no number.
    #[error("write the sizes of the fragments in bytes with commas between them, such as 3,4")]
    FragmentSizes,
    /// The fragments are longer than the text.
    #[error("the fragments take {sizes} bytes, but the text has {len}; make them smaller")]
    TextTooShort {
        /// The sizes together.
        sizes: u64,
        /// The length of the text in bytes.
        len: usize,
    },
}

impl Outgoing {
    /// The opcode of its first frame.
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::Text(_) | Self::Fragments { .. } => Opcode::Text,
            Self::Binary(_) => Opcode::Binary,
            Self::Frame { opcode, .. } => *opcode,
            Self::Custom(frame) => frame.opcode,
            Self::Ping(_) => Opcode::Ping,
            Self::Pong(_) => Opcode::Pong,
            Self::Close { .. } => Opcode::Close,
        }
    }

    /// How many bytes of payload it has, before compression.
    pub const fn payload_len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Fragments { text, .. } => text.len(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
            Self::Frame { payload, .. } => payload.len(),
            Self::Custom(frame) => frame.payload.len(),
            Self::Close { code, reason } => reason.len() + if code.is_some() { 2 } else { 0 },
        }
    }

    /// The content of a file: a text message if it is UTF-8, otherwise a binary one.
    pub fn file(content: Vec<u8>) -> Self {
        String::from_utf8(content).map_or_else(|e| Self::Binary(e.into_bytes()), Self::Text)
    }

    pub(super) fn ping(payload: &str) -> Result<Self, OutgoingError> {
        Ok(Self::Ping(control("ping", payload)?))
    }

    pub(super) fn pong(payload: &str) -> Result<Self, OutgoingError> {
        Ok(Self::Pong(control("pong", payload)?))
    }

    pub(super) fn close(code: &str, reason: &str) -> Result<Self, OutgoingError> {
        let is_number = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
        let code = code.parse().ok().filter(|_| is_number).ok_or(OutgoingError::CloseCode)?;
        let len = reason.len();
        if len > MAX_CONTROL - 2 {
            return Err(OutgoingError::ReasonTooLong { len });
        }
        Ok(Self::Close { code: Some(CloseCode(code)), reason: reason.to_owned() })
    }

    pub(super) fn fragments(sizes: &str, text: &str) -> Result<Self, OutgoingError> {
        let parsed = sizes.split(',').map(|size| size.parse::<u32>().ok().map(|size| size as usize));
        let sizes: Vec<usize> = parsed.collect::<Option<_>>().ok_or(OutgoingError::FragmentSizes)?;
        let (sum, len) = (sizes.iter().map(|size| *size as u64).sum(), text.len());
        if sum > len as u64 {
            return Err(OutgoingError::TextTooShort { sizes: sum, len });
        }
        Ok(Self::Fragments { text: text.to_owned(), sizes })
    }

    /// Encodes it. After a Close, only a Pong and a custom frame are encoded (RFC 6455 §5.5.1).
    pub fn encode(&self, sender: &mut Sender<'_>) {
        match self {
            Self::Text(text) => sender.text(text),
            Self::Binary(bytes) => sender.message(Opcode::Binary, bytes),
            Self::Fragments { text, sizes } => sender.fragments(Opcode::Text, &parts(text.as_bytes(), sizes)),
            Self::Frame { fin, opcode, payload, deflate } => sender.frame(*fin, *opcode, payload, *deflate),
            Self::Custom(frame) => {
                sender.raw(frame.fin, &frame.payload, frame.deflate, |key, len| frame.head(key, len));
            }
            Self::Ping(payload) => sender.ping(payload),
            Self::Pong(payload) => sender.pong(payload),
            Self::Close { code, reason } => sender.close(*code, reason),
        }
    }

    /// True for a Close, after which a side sends no data (RFC 6455 §5.5.1).
    pub const fn is_close(&self) -> bool {
        matches!(self, Self::Close { .. })
    }
}

fn control(name: &'static str, payload: &str) -> Result<Vec<u8>, OutgoingError> {
    if payload.len() > MAX_CONTROL {
        return Err(OutgoingError::ControlTooLong { name, len: payload.len() });
    }
    Ok(payload.into())
}

/// Cuts a text into parts of these sizes, and a last one with the rest. Parts may end inside a character (RFC 6455 §5.6).
fn parts<'a>(text: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = text;
    let mut parts = Vec::with_capacity(sizes.len() + 1);
    for size in sizes {
        let (part, after) = rest.split_at((*size).min(rest.len()));
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}
