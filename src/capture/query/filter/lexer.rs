//! An expression in pieces, each with its place.

use std::ops::Range;

use super::FilterError;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub what: What,
    /// Its place in the expression, in bytes.
    pub span: Range<usize>,
}

/// Sorts of pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A bare word: a name, a keyword, a number.
    Word(String),
    /// Text in quotes, without them.
    Quoted(String),
    /// An operator that is written with signs.
    Sign(&'static str),
}

/// The signs, the longer ones first.
const SIGNS: [&str; 17] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "{", "}", ",", "~", "=", "&"];

/// The sign before which a word need not end with white space.
fn sign_at(rest: &str) -> Option<&'static str> {
    SIGNS.into_iter().find(|sign| rest.starts_with(sign))
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "=!<>&|(){},~\"'\\".contains(c)
}

/// Words that join or compare: no values without quotes.
pub(super) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 14] =
        ["and", "or", "not", "in", "contains", "matches", "eq", "ne", "lt", "le", "gt", "ge", "xor", "any"];
    KEYWORDS.contains(&word)
}

/// Takes an expression apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (what, len) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '"' || c == '\'' {
            quoted(rest, c)
                .ok_or_else(|| FilterError::new(text, at..text.len(), format!("this text has no end: {c} closes it")))?
        } else if let Some(sign) = sign_at(rest) {
            (What::Sign(sign), sign.len())
        } else {
            let len = rest.find(ends_word).unwrap_or(rest.len());
            if len == 0 {
                let sentence = format!("{c:?} has no meaning here; put text in quotes");
                return Err(FilterError::new(text, at..at + c.len_utf8(), sentence));
            }
            (What::Word(rest[..len].to_owned()), len)
        };
        tokens.push(Token { what, span: at..at + len });
        at += len;
    }
    Ok(tokens)
}

/// Reads text in quotes from the beginning of `rest`: the text, and how long it is with its quotes. A backslash that means
/// nothing stays, so that regular expressions need not double theirs.
fn quoted(rest: &str, quote: char) -> Option<(What, usize)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((What::Quoted(out), at + 1));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let (at, escaped) = chars.next()?;
        match escaped {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '\\' | '"' | '\'' => out.push(escaped),
            'u' if let Some((c, len)) = unicode(&rest[at + 1..]) => {
                out.push(c);
                chars.nth(len - 1);
            }
            other => out.extend(['\\', other]),
        }
    }
    None
}

/// `{1f600}`: the character, and how many characters name it.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let digits = rest.strip_prefix('{')?.split_once('}')?.0;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, digits.len() + 2))
}

/// Text in quotes, as an expression takes it.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !crate::wire::printable::is_plain(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
