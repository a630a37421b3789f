//! A frame whose header a person chooses, such as one that breaks a rule: `/frame op=3 rsv1=1 mask=0 len=200 text Hello`.

use std::fmt::Write as _;

use super::hex_digits::parse_hex;
use super::quotable::quotable;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// The masking key of a frame with MASK that a server sends: that of RFC 6455 §5.7.
const EXAMPLE_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The longest payload with a 7-bit length.
const MAX_LEN_7: u64 = 125;

/// A frame to send. Fields that are `None` take the value that the protocol requires of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomFrame {
    /// FIN.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3. With `deflate`, RSV1 is also set on the first frame of a message.
    pub rsv: [bool; 3],
    /// The opcode.
    pub opcode: Opcode,
    /// MASK.
    pub mask: Option<bool>,
    /// The masking key; MASK is set.
    pub key: Option<[u8; 4]>,
    /// The length that the header states, in bytes.
    pub len: Option<u64>,
    /// How many bits the length has: 7, 16 or 64.
    pub form: Option<u8>,
    /// Whether the payload is compressed, if permessage-deflate was negotiated.
    pub deflate: bool,
    /// The payload, neither masked nor compressed.
    pub payload: Vec<u8>,
}

/// Why a line is no frame.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameLineError {
    /// A word is no field.
    #[error(
        "/frame knows no {0:?}; write op=text fin=0 rsv1=1 rsv2=1 rsv3=1 mask=0 key=37fa213d len=200 form=16 deflate=1, then text TEXT or hex DIGITS"
    )]
    Unknown(String),
    /// A flag is neither 0 nor 1.
    #[error("{0} is 0 or 1, such as {0}=1")]
    Flag(String),
    /// The opcode is unknown.
    #[error("op is continuation, text, binary, close, ping, pong, or a number from 0 to 15")]
    Opcode,
    /// The key is not four bytes.
    #[error("key is four bytes in hex, such as key=37fa213d")]
    Key,
    /// The key contradicts `mask=0`.
    #[error("a frame with mask=0 has no key; leave one of them out")]
    KeyWithoutMask,
    /// The length is no number.
    #[error("len is a number of bytes, from 0 to 18446744073709551615")]
    Len,
    /// The form is unknown, or the length does not fit.
    #[error("form is the number of bits of the length: 7 for at most 125 bytes, 16 for at most 65535, or 64")]
    Form,
    /// The payload is not hex.
    #[error("hex takes pairs of hex digits, such as hex 00ff")]
    Hex,
}

impl CustomFrame {
    /// A frame with FIN, and right otherwise.
    pub const fn new(opcode: Opcode, payload: Vec<u8>) -> Self {
        Self {
            fin: true,
            rsv: [false; 3],
            opcode,
            mask: None,
            key: None,
            len: None,
            form: None,
            deflate: false,
            payload,
        }
    }

    /// Reads what follows `/frame `.
    ///
    /// # Errors
    /// [`FrameLineError`].
    pub fn parse(line: &str) -> Result<Self, FrameLineError> {
        let mut frame = Self::new(Opcode::Text, Vec::new());
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            match word {
                // The text after one space is kept as it was typed.
                "text" => {
                    frame.payload = after.into();
                    break;
                }
                "hex" => {
                    frame.payload = parse_hex(after).ok_or(FrameLineError::Hex)?;
                    break;
                }
                word => frame.set(word)?,
            }
            rest = after.trim_start();
        }
        if frame.mask == Some(false) && frame.key.is_some() {
            return Err(FrameLineError::KeyWithoutMask);
        }
        let len = frame.len.unwrap_or(frame.payload.len() as u64);
        let fits = match frame.form {
            Some(7) => len <= MAX_LEN_7,
            Some(16) => u16::try_from(len).is_ok(),
            _ => true,
        };
        if fits { Ok(frame) } else { Err(FrameLineError::Form) }
    }

    /// Takes one `NAME=VALUE`.
    fn set(&mut self, word: &str) -> Result<(), FrameLineError> {
        let unknown = || FrameLineError::Unknown(quotable(word));
        let (name, value) = word.split_once('=').ok_or_else(unknown)?;
        let flag = || match value {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(FrameLineError::Flag(name.to_owned())),
        };
        match name {
            "fin" => self.fin = flag()?,
            "rsv1" => self.rsv[0] = flag()?,
            "rsv2" => self.rsv[1] = flag()?,
            "rsv3" => self.rsv[2] = flag()?,
            "mask" => self.mask = Some(flag()?),
            "deflate" => self.deflate = flag()?,
            "op" => self.opcode = opcode(value).ok_or(FrameLineError::Opcode)?,
            "key" => {
                let bytes = parse_hex(value).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
                self.key = Some(bytes.ok_or(FrameLineError::Key)?);
            }
            "len" => {
                let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                self.len = Some(value.parse().ok().filter(|_| is_number).ok_or(FrameLineError::Len)?);
            }
            "form" => {
                let form = value.parse().ok().filter(|form| [7, 16, 64].contains(form));
                self.form = Some(form.ok_or(FrameLineError::Form)?);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// The head of the frame. `usual` is a new masking key if the side that sends it masks; `len` is the length of the payload after compression.
    pub fn head(&self, usual: Option<[u8; 4]>, len: u64) -> FrameHead {
        let masks = self.mask.unwrap_or(self.key.is_some() || usual.is_some());
        let key = masks.then(|| self.key.or(usual).unwrap_or(EXAMPLE_KEY));
        let mut head = FrameHead::new(self.fin, self.opcode, key, self.len.unwrap_or(len));
        match self.form {
            Some(16) => head.len_code = 126,
            Some(64) => head.len_code = 127,
            _ => {}
        }
        let [rsv1, rsv2, rsv3] = self.rsv;
        FrameHead { rsv1: rsv1 || self.deflate && self.opcode != Opcode::Continuation, rsv2, rsv3, ..head }
    }

    /// The line that reads back as this frame; with `as_text`, the payload is text if it is UTF-8.
    pub fn line(&self, as_text: bool) -> String {
        let mut line = format!("/frame op={}", name(self.opcode));
        let flags = [("fin", self.fin, true), ("rsv1", self.rsv[0], false), ("rsv2", self.rsv[1], false)];
        let flags = flags.into_iter().chain([("rsv3", self.rsv[2], false), ("deflate", self.deflate, false)]);
        for (name, value, _) in flags.filter(|(name, value, usual)| *name == "fin" || value != usual) {
            let _ = write!(line, " {name}={}", u8::from(value));
        }
        if let Some(mask) = self.mask {
            let _ = write!(line, " mask={}", u8::from(mask));
        }
        if let Some([a, b, c, d]) = self.key {
            let _ = write!(line, " key={a:02x}{b:02x}{c:02x}{d:02x}");
        }
        if let Some(len) = self.len {
            let _ = write!(line, " len={len}");
        }
        if let Some(form) = self.form {
            let _ = write!(line, " form={form}");
        }
        match std::str::from_utf8(&self.payload) {
            Ok(text) if as_text => line + " text " + text,
            _ => line + " hex " + &hex::encode(&self.payload),
        }
    }
}

fn opcode(value: &str) -> Option<Opcode> {
    let known = (0..16).map(Opcode::from_wire).find(|opcode| name(*opcode) == value);
    known.or_else(|| value.parse().ok().filter(|number| *number < 16).map(Opcode::from_wire))
}

/// The name of an opcode; the number of a reserved one.
fn name(opcode: Opcode) -> String {
    match opcode {
        Opcode::Reserved(number) => number.to_string(),
        known => known.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_part_of_the_header_can_be_wrong() {
        let usual = Some([1, 2, 3, 4]);
        for (line, masked, bytes) in [
            ("text Hello", usual, &b"\x81\x85\x01\x02\x03\x04IgohnC"[..6]),
            ("text Hello", None, b"\x81\x05"),
            ("op=3 fin=0 rsv2=1 hex 00ff", None, b"\x23\x02"),
            ("op=text mask=0 text Hi", usual, b"\x81\x02"),
            ("op=pong mask=1 text ", None, b"\x8a\x80\x37\xfa\x21\x3d"),
            ("key=00000000 text a", None, b"\x81\x81\0\0\0\0"),
            ("len=200 text Hi", None, b"\x81\x7e\x00\xc8"),
            ("form=64 text Hi", None, b"\x81\x7f\0\0\0\0\0\0\0\x02"),
            ("form=16 len=1 op=15", None, b"\x8f\x7e\x00\x01"),
            ("len=18446744073709551615", None, b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
        ] {
            let frame = CustomFrame::parse(line).expect(line);
            let mut head = Vec::new();
            frame.head(masked, frame.payload.len() as u64).encode(&mut head);
            assert_eq!(head, bytes, "{line}");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (line, error) in [
            ("opcode=1", FrameLineError::Unknown("opcode=1".to_owned())),
            ("Hello", FrameLineError::Unknown("Hello".to_owned())),
            ("fin=2", FrameLineError::Flag("fin".to_owned())),
            ("op=16", FrameLineError::Opcode),
            ("key=0011", FrameLineError::Key),
            ("mask=0 key=00112233", FrameLineError::KeyWithoutMask),
            ("len=-1", FrameLineError::Len),
            ("form=8", FrameLineError::Form),
            ("form=7 len=126", FrameLineError::Form),
            ("hex 0", FrameLineError::Hex),
        ] {
            assert_eq!(CustomFrame::parse(line), Err(error), "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_line_reads_back(
            fin: bool, rsv: [bool; 3], op in 0u8..16, mask: Option<bool>, key: Option<[u8; 4]>, len: Option<u64>, deflate: bool,
            payload: Vec<u8>, as_text: bool,
        ) {
            let key = key.filter(|_| mask != Some(false));
            let frame =
                CustomFrame { fin, rsv, opcode: Opcode::from_wire(op), mask, key, len, form: Some(64), deflate, payload };
            let line = frame.line(as_text);
            prop_assert_eq!(CustomFrame::parse(line.strip_prefix("/frame ").unwrap()), Ok(frame));
        }
    }
}
