//! The tokens of an expression, each with its place.

use std::ops::Range;

use super::error::{FilterError, FilterProblem};

/// A token of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    /// Its place in the expression, in bytes.
    pub span: Range<usize>,
}

/// Kinds of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word: a name, a keyword, a number.
    Word(String),
    /// Text in quotes, without them.
    Quoted(String),
    /// An operator or bracket.
    Sign(&'static str),
}

/// The signs, the longer ones first.
const SIGNS: [&str; 17] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "{", "}", ",", "~", "=", "&"];

/// The sign that `rest` begins with. A word ends at a sign without white space.
fn sign_at(rest: &str) -> Option<&'static str> {
    SIGNS.into_iter().find(|sign| rest.starts_with(sign))
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "=!<>&|(){},~\"'\\".contains(c)
}

/// Whether a word joins or compares: it is a value only in quotes.
pub(super) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 14] =
        ["and", "or", "not", "in", "contains", "matches", "eq", "ne", "lt", "le", "gt", "ge", "xor", "any"];
    KEYWORDS.contains(&word)
}

/// Splits an expression into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, len) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '"' || c == '\'' {
            quoted(rest, c).ok_or_else(|| FilterError::new(text, at..text.len(), FilterProblem::OpenText(c)))?
        } else if let Some(sign) = sign_at(rest) {
            (TokenKind::Sign(sign), sign.len())
        } else {
            let len = rest.find(ends_word).unwrap_or(rest.len());
            if len == 0 {
                return Err(FilterError::new(text, at..at + c.len_utf8(), FilterProblem::Character(c)));
            }
            (TokenKind::Word(rest[..len].to_owned()), len)
        };
        tokens.push(Token { kind, span: at..at + len });
        at += len;
    }
    Ok(tokens)
}

/// Reads text in quotes from the beginning of `rest`. Returns the text, and its length in bytes with the quotes. A backslash that
/// escapes nothing is kept, so that regular expressions need not double theirs.
fn quoted(rest: &str, quote: char) -> Option<(TokenKind, usize)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((TokenKind::Quoted(out), at + 1));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let (at, escaped) = chars.next()?;
        match escape(&rest[at..]) {
            Some((c, 1)) => out.push(c),
            Some((c, len)) => {
                out.push(c);
                chars.nth(len - 2);
            }
            None => out.extend(['\\', escaped]),
        }
    }
    None
}

/// The character of an escape, and the length of the escape without its backslash, in bytes; `None` if the escape is unknown.
fn escape(rest: &str) -> Option<(char, usize)> {
    match rest.chars().next()? {
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        c @ ('\\' | '"' | '\'') => Some((c, 1)),
        'u' => unicode(&rest[1..]).map(|(c, len)| (c, 1 + len)),
        _ => None,
    }
}

/// The place of the first unknown escape in a text, in bytes.
pub fn unknown_escape(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        let after = start + 1;
        match escape(&text[after..]) {
            Some((_, len)) => at = after + len,
            None => return Some(start..after + text[after..].chars().next().map_or(0, char::len_utf8)),
        }
    }
    None
}

/// Reads `{1f600}`. Returns the character, and the number of bytes that name it.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let digits = rest.strip_prefix('{')?.split_once('}')?.0;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, digits.len() + 2))
}

/// The text in quotes, if `typed` is nothing but one text in quotes.
pub fn unquote(typed: &str) -> Option<String> {
    let tokens = tokens(typed).ok()?;
    match tokens.as_slice() {
        [Token { kind: TokenKind::Quoted(text), .. }] => Some(text.clone()),
        _ => None,
    }
}

/// Puts text in quotes, as an expression expects it.
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
