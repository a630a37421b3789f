//! Writes the payload of a message into a JSON string, from pieces that may split characters.

use crate::export::json;

/// Writes pieces as text or base64.
pub struct MessageData {
    is_text: bool,
    /// The first bytes of a character, or of a group of three bytes, that continues in the next piece.
    carried: Vec<u8>,
}

impl MessageData {
    pub const fn new(is_text: bool) -> Self {
        Self { is_text, carried: Vec::new() }
    }

    /// Appends a piece. Bytes of a text that are not UTF-8 are replaced by U+FFFD.
    pub fn push(&mut self, out: &mut Vec<u8>, piece: &[u8]) {
        if self.carried.is_empty() {
            return self.take(out, piece);
        }
        let mut joined = std::mem::take(&mut self.carried);
        joined.extend_from_slice(piece);
        self.take(out, &joined);
    }

    /// Appends the bytes that were kept for the next piece: there is none.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.is_text {
            true => json::escape(out, &String::from_utf8_lossy(&self.carried)),
            false => json::base64(out, &self.carried),
        }
    }

    fn take(&mut self, out: &mut Vec<u8>, mut piece: &[u8]) {
        if !self.is_text {
            let (whole, rest) = piece.split_at(piece.len() - piece.len() % 3);
            json::base64(out, whole);
            return self.carried.extend_from_slice(rest);
        }
        loop {
            let error = match std::str::from_utf8(piece) {
                Ok(text) => return json::escape(out, text),
                Err(error) => error,
            };
            let (valid, rest) = piece.split_at(error.valid_up_to());
            json::escape(out, std::str::from_utf8(valid).unwrap_or_default());
            let Some(wrong) = error.error_len() else { return self.carried.extend_from_slice(rest) };
            json::escape(out, "\u{fffd}");
            piece = &rest[wrong..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use proptest::prelude::*;

    fn written(is_text: bool, bytes: &[u8], step: usize) -> String {
        let mut data = MessageData::new(is_text);
        let mut out = vec![b'"'];
        bytes.chunks(step).for_each(|piece| data.push(&mut out, piece));
        data.finish(&mut out);
        out.push(b'"');
        serde_json::from_slice(&out).expect("a JSON string")
    }

    proptest! {
        #[test]
        fn the_cut_does_not_show(bytes: Vec<u8>, text: String, step in 1usize..9) {
            prop_assert_eq!(written(true, text.as_bytes(), step), text);
            prop_assert_eq!(written(true, &bytes, step), String::from_utf8_lossy(&bytes));
            let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(written(false, &bytes, step), base64);
        }
    }
}
