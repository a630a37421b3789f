//! What is searched for.

use super::super::filter;

/// A pattern to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Text in HTTP heads, unmasked payloads and inflated messages. ASCII letters match in either case.
    Text(String),
    /// Bytes on the wire or in unmasked payloads.
    Bytes(Vec<u8>),
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// It is empty.
    #[error("nothing to find: type text, or bytes such as 81:05 or 0x8105")]
    Empty,
    /// It begins with `0x` but is not pairs of hex digits.
    #[error("0x takes pairs of hex digits, such as 0x8105; put text in quotes")]
    Hex,
}

impl Pattern {
    /// Parses typed text, with the values of filters: `81:05` and `0x8105` mean bytes, and quotes contain text. Anything else is
    /// text as it is.
    ///
    /// # Errors
    /// If there is nothing to search for: see [`PatternError`].
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        let text = filter::unquote(typed);
        if text.is_none() && typed.starts_with("0x") {
            return filter::hex_bytes(typed).map(Self::Bytes).ok_or(PatternError::Hex);
        }
        if text.is_none()
            && typed.contains(':')
            && let Some(bytes) = filter::hex_bytes(typed)
        {
            return Ok(Self::Bytes(bytes));
        }
        match text.as_deref().unwrap_or(typed) {
            "" => Err(PatternError::Empty),
            text => Ok(Self::Text(text.to_ascii_lowercase())),
        }
    }

    /// The number of bytes that match.
    pub fn byte_count(&self) -> u64 {
        self.bytes().len() as u64
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_becomes_a_pattern() {
        let text = |text: &str| Ok(Pattern::Text(text.to_owned()));
        assert_eq!(Pattern::parse("Echo"), text("echo"));
        for bytes in ["81:05", "0x8105"] {
            assert_eq!(Pattern::parse(bytes), Ok(Pattern::Bytes(vec![0x81, 0x05])), "{bytes}");
        }
        assert_eq!(Pattern::parse(r#""81:05""#), text("81:05"));
        assert_eq!(Pattern::parse(r#""say \"a\"""#), text("say \"a\""));
        assert_eq!(Pattern::parse("0x8"), Err(PatternError::Hex));
        assert_eq!(Pattern::parse(r#""0x8""#), text("0x8"));
        for typed in ["8105", "81-05", "8:05", "a: b", r"\", r"\n", r#""id":5"#, r#""a" "b""#, "x 81"] {
            assert_eq!(Pattern::parse(typed), text(typed), "{typed}");
        }
        for typed in ["", r#""""#] {
            assert_eq!(Pattern::parse(typed), Err(PatternError::Empty));
        }
    }
}
