//! Explains the unmasking of single bytes (RFC 6455 §5.3).

use super::{Explanation, texts};
use crate::proto::rules::grouped;

/// Explains how the payload byte at that offset, of `len` in all, is unmasked.
pub fn unmasked_byte(at: u64, len: u64) -> Explanation {
    let look = |name: &str| {
        Some(match name {
            "last" => grouped(len.saturating_sub(1)),
            "place" => (at % 4).to_string(),
            _ => grouped(at),
        })
    };
    Explanation {
        title: texts::fill(texts::phrase("unmasked-byte"), look),
        section: "RFC 6455 §5.3".to_owned(),
        text: texts::fill(texts::phrase("xor"), look),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_5_3_a_byte_uses_the_byte_of_the_key_at_the_remainder() {
        let words = unmasked_byte(6, 14);
        assert!(words.title.contains("6 of 0 to 13") && words.text.contains(": 6 ÷ 4 leaves 2"), "{words:?}");
        assert!(!words.text.contains('{'));
    }
}
