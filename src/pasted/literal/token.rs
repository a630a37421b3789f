//! The tokens of literals: what C, Rust, Go, Java, JavaScript and Python have in common.

use super::escape;

/// A token and its place.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// The offset of its first byte in the text.
    pub at: usize,
    /// Whether white space or a comment is before it.
    pub is_spaced: bool,
    pub kind: TokenKind<'t>,
}

/// What a token is.
#[derive(Debug, PartialEq)]
pub(super) enum TokenKind<'t> {
    /// A name or keyword.
    Word(&'t str),
    /// Starts with a digit: `129`, `0x81u8`, `6c`.
    Number(&'t str),
    /// A string or character.
    Quoted(Quoted<'t>),
    /// One character of punctuation.
    Sign(char),
}

/// A string or character.
#[derive(Debug, PartialEq)]
pub(super) struct Quoted<'t> {
    /// What is between the quotes, as written.
    pub inside: &'t str,
    /// The offset of the first byte between the quotes.
    pub at: usize,
    /// The letters before the first quote: `b`, `rb`.
    prefix: &'t str,
    /// The quote.
    quote: char,
}

impl<'t> Quoted<'t> {
    /// Whether the bytes are meant: it has a prefix b, or escapes.
    pub fn is_bytes(&self) -> bool {
        self.prefix.contains(['b', 'B']) || self.inside.contains('\\') && !self.is_raw()
    }

    /// Its bytes.
    ///
    /// # Errors
    /// An escape that cannot be read, and its offset between the quotes.
    pub fn bytes(&self) -> Result<Vec<u8>, (usize, &'t str)> {
        if self.is_raw() { Ok(self.inside.as_bytes().to_vec()) } else { escape::bytes(self.inside) }
    }

    /// Whether it is hex, as in SQL: `X'8105'`.
    pub fn is_hex(&self) -> bool {
        matches!(self.prefix, "x" | "X")
    }

    /// The digits after `\x`, if the rest of the string consists of hex digits, as PostgreSQL writes bytes: `'\x8105'`; and
    /// whether it is certain that they are not the byte of an escape and text.
    pub fn hex_after_escape(&self) -> Option<(&'t str, bool)> {
        let (digits, is_escaped) = match self.inside.strip_prefix("\\\\x") {
            Some(digits) => (digits, true),
            None => (self.inside.strip_prefix("\\x")?, false),
        };
        let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_sql = is_escaped || self.quote == '\'' && self.prefix.is_empty();
        (is_hex && digits.len() > 2 && is_sql).then_some((digits, is_escaped))
    }

    /// Whether it has a prefix for bytes and no escapes, so that it may be hex or base64 in a variable of bytes.
    pub fn is_plain_bytes(&self) -> bool {
        self.prefix.contains(['b', 'B']) && !self.inside.contains('\\')
    }

    fn is_raw(&self) -> bool {
        self.prefix.contains(['r', 'R'])
    }
}

/// The tokens of a text, without comments; `None` if a string or comment has no end, or a character belongs to no language.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    scan(text, true)
}

/// The tokens of a line of a log, in which nothing is a comment.
pub(super) fn line_tokens(line: &str) -> Option<Vec<Token<'_>>> {
    scan(line, false)
}

fn scan(text: &str, has_comments: bool) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut is_spaced = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, len) = match c {
            _ if c.is_whitespace() => (None, c.len_utf8()),
            '/' if has_comments && rest.starts_with("/*") => (None, comment_len(rest)?),
            '/' if has_comments && rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
            '#' if has_comments && (at == 0 || text[..at].ends_with(char::is_whitespace)) => {
                (None, rest.find('\n').unwrap_or(rest.len()))
            }
            // A string continues on the next line.
            '\\' if rest[1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') || rest.trim_end() == "\\" => {
                (None, 1)
            }
            '"' | '\'' | '`' => {
                let (quoted, len) = quoted(rest, at, "")?;
                (Some(TokenKind::Quoted(quoted)), len)
            }
            _ if c.is_ascii_digit() => {
                let word = word(rest);
                (Some(TokenKind::Number(word)), word.len())
            }
            _ if c.is_alphabetic() || c == '_' => {
                let word = word(rest);
                let is_prefix = word.len() <= 2
                    && word.chars().all(|c| {
                        matches!(c, 'b' | 'B' | 'r' | 'R' | 'u' | 'U' | 'f' | 'L' | '8' | 'c' | 'x' | 'X' | 'E')
                    });
                match rest[word.len()..].chars().next() {
                    Some('"' | '\'') if is_prefix => {
                        let (quoted, len) = quoted(&rest[word.len()..], at + word.len(), word)?;
                        (Some(TokenKind::Quoted(quoted)), word.len() + len)
                    }
                    _ => (Some(TokenKind::Word(word)), word.len()),
                }
            }
            '…' => (Some(TokenKind::Sign(c)), c.len_utf8()),
            _ if c.is_ascii_punctuation() => (Some(TokenKind::Sign(c)), 1),
            _ => return None,
        };
        is_spaced |= kind.is_none();
        if let Some(kind) = kind {
            tokens.push(Token { at, is_spaced: std::mem::take(&mut is_spaced), kind });
        }
        at += len;
    }
    Some(tokens)
}

/// The length of a comment. In Wireshark's C arrays a comment shows the bytes of its line, and `*/` may be among them: then
/// the comment ends at the last `*/` of the line, unless items of a list are before it.
fn comment_len(rest: &str) -> Option<usize> {
    /// The most bytes in which the other ends are looked for: a line of Wireshark has fewer.
    const LONGEST: usize = 64;
    let first = rest[2..].find("*/")? + 4;
    let line = rest[first..].bytes().take(LONGEST).take_while(|byte| *byte != b'\n').count();
    let after = &rest.as_bytes()[first..first + line];
    let last = after.windows(2).rposition(|pair| pair == b"*/").map_or(first, |at| first + at + 2);
    let between = &rest[first..last];
    Some(if between.contains("0x") || between.contains(',') { first } else { last })
}

fn word(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    &rest[..end]
}

/// A string from its quote on, and its length with both quotes; `None` if it has no end.
fn quoted<'t>(rest: &'t str, at: usize, prefix: &'t str) -> Option<(Quoted<'t>, usize)> {
    let quote = rest.chars().next()?;
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // Only a backtick string has several lines.
            '\n' if quote != '`' => return None,
            c if c == quote => return Some((Quoted { inside: &rest[1..i], at: at + 1, prefix, quote }, i + 1)),
            _ => {}
        }
    }
    None
}
