//! Literals of C, Rust, Go, Java, JavaScript and Python: lists of numbers and strings, with the declaration around them.

mod escape;
mod list;
mod number;
mod token;

use self::list::List;
use self::token::{Quoted, Token, TokenKind};
use super::conversation::{Sided, split_heads};
use super::error::{PasteError, Place, excerpt};
use super::form::{Form, Remark};
use super::{Pasted, Recognized, base64, hex};

/// Words of declarations and calls around bytes. Other words are allowed next to an equals sign, or as the name of
/// something that is called.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "Array", "ArrayBuffer", "Buffer", "Byte", "ByteArray", "ByteString", "Bytes", "BytesMut", "Int8Array", "List",
    "String", "Uint8Array", "Uint8ClampedArray", "Uint8Contents", "Uint8List", "Vec", "alignas", "array", "as",
    "auto", "b", "byte", "byteLength", "bytearray", "bytes", "char", "const", "constexpr", "data", "echo", "final",
    "from", "i8", "int8", "int8_t", "let", "memoryview", "mut", "new", "of", "printf", "private", "public", "return",
    "sbyte", "send", "signed", "slice", "static", "std", "str", "string", "type", "u8", "u_char", "uchar", "uint8",
    "uint8_t", "unsigned", "val", "var", "vec", "vector", "view", "void", "volatile",
];

/// Names of encodings, which follow a string in a call: `Buffer.from("8105", "hex")`.
const ENCODINGS: &[&str] = &["hex", "base64", "base64url", "latin1", "binary", "utf8", "utf-8", "ascii", "B"];

/// Reads literals, or text with escapes and without quotes. `None` if there is nothing of the kind.
///
/// # Errors
/// A number is no byte, or an escape is damaged.
pub(super) fn read(text: &str) -> Recognized<Pasted> {
    let trimmed = text.trim();
    let is_escaped = trimmed.starts_with('\\');
    if !is_escaped
        && let Some(tokens) = token::tokens(text)
        && let Some(found) = Scan::new(text, &tokens).run()
    {
        return Some(found);
    }
    // Of other text in quotes, it is not certain which part is meant.
    let has_quotes = ['"', '\'', '`'].into_iter().any(|quote| text.matches(quote).count() > 1);
    (escape::has_byte(text) && (is_escaped || !has_quotes)).then(|| {
        let at = trimmed.as_ptr() as usize - text.as_ptr() as usize;
        let bytes = escape::bytes(trimmed).map_err(|(inside, escape)| escape_error(text, at + inside, escape))?;
        Ok(Pasted { form: Form::Escapes, remark: None, content: split_heads(bytes) })
    })
}

fn escape_error(text: &str, at: usize, escape: &str) -> PasteError {
    PasteError::Escape { place: Place::of(text, at), escape: excerpt(escape) }
}

/// Goes through the tokens: collects lists and strings, and checks that everything else is a declaration around them.
struct Scan<'t> {
    text: &'t str,
    tokens: &'t [Token<'t>],
    lists: Vec<(usize, List<'t>)>,
    strings: Vec<(usize, &'t Quoted<'t>)>,
    /// Whether a string is the key of another value.
    has_keys: bool,
    /// The side of a conversation, after a name such as `peer1_0` (Wireshark's C arrays).
    side: Option<usize>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, tokens: &'t [Token<'t>]) -> Self {
        Self { text, tokens, lists: Vec::new(), strings: Vec::new(), has_keys: false, side: None }
    }

    fn run(mut self) -> Recognized<Pasted> {
        let assigns = self.tokens.iter().any(|token| token.kind == TokenKind::Sign('='));
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            match &token.kind {
                TokenKind::Sign('[' | '{' | '(' | '<') => {
                    if let Some(after) = self.list(at) {
                        at = after;
                        continue;
                    }
                }
                TokenKind::Quoted(quoted) => {
                    self.has_keys |= self.is_key(at);
                    self.strings.push((self.side.unwrap_or(0), quoted));
                }
                TokenKind::Word(word) => {
                    if let Some(side) = peer(word) {
                        self.side = Some(side);
                    }
                    let is_called = matches!(
                        self.tokens.get(at + 1).map(|next| &next.kind),
                        Some(TokenKind::Sign('(' | '.' | '!' | ':'))
                    );
                    if !assigns && !is_called && !WORDS.contains(word) {
                        return None;
                    }
                }
                TokenKind::Number(_) if !self.is_measure(at) => return None,
                TokenKind::Number(_) | TokenKind::Sign(_) => {}
            }
            at += 1;
        }
        self.content()
    }

    /// Takes the list whose bracket is at `at`; returns the position after it. `None` if it is no list of bytes.
    fn list(&mut self, at: usize) -> Option<usize> {
        let (list, after) = List::read(self.tokens, at)?;
        let side = self.side.unwrap_or(0);
        // `printf(3)` is the name of a page.
        let is_argument = list.items.len() == 1 && self.tokens[at].kind == TokenKind::Sign('(');
        if list.items.is_empty() || is_argument || self.is_dimension(at, after, &list) {
            return None;
        }
        if list.numbers().next().is_none() {
            self.strings.extend(list.strings().map(|quoted| (side, quoted)));
            return Some(after);
        }
        // Among numbers, only single characters are bytes.
        if list.strings().any(|quoted| quoted.bytes().is_ok_and(|bytes| bytes.len() != 1)) {
            return None;
        }
        self.lists.push((side, list));
        Some(after)
    }

    fn before(&self, at: usize, back: usize) -> Option<&TokenKind<'t>> {
        at.checked_sub(back).and_then(|at| self.tokens.get(at)).map(|token| &token.kind)
    }

    fn content(self) -> Recognized<Pasted> {
        let (text, has_sides) = (self.text, self.side.is_some());
        let pasted = |form, remark, said: Vec<Sided>| {
            let form = if has_sides { Form::Follow } else { form };
            Pasted { form, remark, content: Sided::content(said) }
        };
        if self.lists.is_empty() {
            if self.has_keys {
                return None;
            }
            // The name of an encoding, after what is encoded.
            let named = self.strings.len() > 1;
            let strings: Vec<_> =
                self.strings.into_iter().filter(|(_, quoted)| !(named && ENCODINGS.contains(&quoted.inside))).collect();
            return match strings.as_slice() {
                [] => None,
                // Without escapes it is text, or holds another form.
                all if all.iter().all(|(_, quoted)| !quoted.is_bytes()) => within_quotes(all),
                all => Some(strings_bytes(text, all).map(|said| pasted(Form::String, None, said))),
            };
        }
        // The keys and the type of a Buffer in JSON are no bytes.
        let strings: Vec<&str> = self.strings.iter().map(|(_, quoted)| quoted.inside).collect();
        if strings != ["type", "Buffer", "data"] && strings.iter().any(|string| !ENCODINGS.contains(string)) {
            return None;
        }
        let in_hex = number::are_hex(self.lists.iter().flat_map(|(_, list)| list.numbers()));
        let missing = self.lists.iter().map(|(_, list)| list.missing).sum();
        let remark = (missing > 0).then_some(Remark::Shortened { missing });
        let said: Result<Vec<Sided>, PasteError> = self
            .lists
            .iter()
            .map(|(side, list)| Ok(Sided { side: *side, bytes: list.bytes(text, in_hex || list.is_hex)? }))
            .collect();
        Some(said.map(|said| pasted(Form::List, remark, said)))
    }

    /// Whether a list of at most one number is the length of an array: `p[7] = `, `[7]byte{`, `Uint8Array(7) [`.
    fn is_dimension(&self, at: usize, after: usize, list: &List<'_>) -> bool {
        let is_word = |token: Option<&Token<'_>>| matches!(token.map(|token| &token.kind), Some(TokenKind::Word(_)));
        let next = self.tokens.get(after);
        let opens = matches!(next.map(|token| &token.kind), Some(TokenKind::Sign('=' | '[' | '{' | '(' | '<')));
        list.items.len() == 1 && (matches!(self.before(at, 1), Some(TokenKind::Word(_))) && opens || is_word(next))
    }

    /// Whether a string is the key of another value: `"data": `, `map["data"]`.
    fn is_key(&self, at: usize) -> bool {
        let is_subscript =
            matches!((self.before(at, 2), self.before(at, 1)), (Some(TokenKind::Word(_)), Some(TokenKind::Sign('['))));
        is_subscript || self.tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Sign(':'))
    }

    /// Whether a number outside of lists is a length or the number of a value: `[u8; 7]`, `byteLength: 7`, `p_len = 7`,
    /// `(7) [` of Chrome, `$1 = ` of gdb.
    fn is_measure(&self, at: usize) -> bool {
        let sign_after = |after: usize| match self.tokens.get(at + after).map(|token| &token.kind) {
            Some(TokenKind::Sign(sign)) => Some(*sign),
            _ => None,
        };
        match (self.before(at, 2), self.before(at, 1)) {
            (Some(TokenKind::Word(name)), Some(TokenKind::Sign('=' | ':'))) => {
                let name = name.to_ascii_lowercase();
                ["len", "length", "size"].iter().any(|end| name.ends_with(end))
            }
            (Some(TokenKind::Word(_)), Some(TokenKind::Sign(';' | '[' | '('))) => true,
            (None, Some(TokenKind::Sign('('))) => (sign_after(1), sign_after(2)) == (Some(')'), Some('[')),
            (_, Some(TokenKind::Sign('$'))) => sign_after(1) == Some('='),
            _ => matches!(self.before(at, 1), Some(TokenKind::Sign('['))),
        }
    }
}

/// The side that a name of Wireshark's C arrays has: `peer0_12`.
fn peer(word: &str) -> Option<usize> {
    let (side, number) = word.strip_prefix("peer")?.split_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    side.parse().ok().filter(|side| *side < 2 && is_number)
}

fn strings_bytes(text: &str, strings: &[(usize, &Quoted<'_>)]) -> Result<Vec<Sided>, PasteError> {
    let bytes = |(side, quoted): &(usize, &Quoted<'_>)| {
        let bytes = quoted.bytes().map_err(|(inside, escape)| escape_error(text, quoted.at + inside, escape))?;
        Ok(Sided { side: *side, bytes })
    };
    strings.iter().map(bytes).collect()
}

/// Hex or base64 in quotes, as in `bytes.fromhex("81 05")` and `"gQVIZWxsbw=="`.
fn within_quotes(strings: &[(usize, &Quoted<'_>)]) -> Recognized<Pasted> {
    let inside = strings.iter().map(|(_, quoted)| quoted.inside).collect::<Vec<_>>().join("\n");
    let (form, bytes) = match hex::read(&inside) {
        // An error would name a place in the joined text.
        Some(bytes) => (Form::Hex, bytes.ok()?),
        None => (Form::Base64, base64::read(&inside)?.ok()?),
    };
    Some(Ok(Pasted { form, remark: None, content: split_heads(bytes) }))
}

#[cfg(test)]
mod tests;
