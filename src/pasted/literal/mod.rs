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
use super::{Pasted, Recognized, base64, hex, shape};

/// Words of declarations and calls around bytes. Other words are allowed next to an equals sign, or as the name of
/// something that is called.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "Array", "ArrayBuffer", "Buffer", "Byte", "ByteArray", "ByteString", "Bytes", "BytesMut", "Int8Array", "List",
    "Data", "Int8", "String", "UInt8", "Uint8", "Uint8Array", "Uint8ClampedArray", "Uint8Contents", "Uint8List", "Vec", "alignas", "array", "as",
    "auto", "b", "buffer", "byte", "byteLength", "bytea", "bytearray", "bytes", "cast", "char", "const", "constexpr",
    "data", "echo", "final", "from", "i8", "int8", "int8_t", "let", "memoryview", "mut", "new", "of", "printf",
    "private", "public", "return", "sbyte", "send", "signed", "slice", "stackalloc", "static", "std", "str", "string",
    "type", "u8", "u_char", "ubyte", "uchar", "uint8", "uint8_t", "unsigned", "val", "var", "vec", "vector", "view",
    "void", "volatile", "_",
];

/// Names of encodings, which follow a string in a call: `Buffer.from("8105", "hex")`.
#[rustfmt::skip]
const ENCODINGS: &[&str] = &[
    "hex", "base64", "base64url", "latin1", "binary", "utf8", "utf-8", "ascii", "B", "BINARY", "ASCII-8BIT", "H*", "m", "m0",
];

/// Calls whose arguments are the codes of characters, also if there is only one.
const CHARACTERS: &[&str] = &["chr", "fromCharCode", "char", "Chr", "CHR"];

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
    if let Some(found) = bare_list(text) {
        return Some(found.map(|bytes| Pasted::new(Form::List, split_heads(bytes))));
    }
    // Of other text in quotes, it is not certain which part is meant.
    let has_quotes = ['"', '\'', '`'].into_iter().any(|quote| text.matches(quote).count() > 1);
    if !escape::has_byte(text) || !is_escaped && has_quotes {
        return None;
    }
    let at = trimmed.as_ptr() as usize - text.as_ptr() as usize;
    match escape::bytes(trimmed) {
        // What is before the escapes may be any text.
        Ok(bytes) if is_escaped || shape::is_plausible(&bytes) => {
            Some(Ok(Pasted::new(Form::Escapes, split_heads(bytes))))
        }
        Err((inside, escape)) if is_escaped => Some(Err(escape_error(text, at + inside, escape))),
        _ => None,
    }
}

/// Items of a list without its brackets: `(byte) 0x81, 0x05`. Decimal numbers alone are no list.
fn bare_list(text: &str) -> Recognized<Vec<u8>> {
    let mut tokens = token::tokens(text)?;
    let shows = |token: &Token<'_>| match &token.kind {
        TokenKind::Number(digits) => digits.contains(['x', 'X', 'u', 'b']),
        TokenKind::Quoted(_) => true,
        _ => false,
    };
    let is_separate = tokens.iter().any(|token| token.kind == TokenKind::Sign(','));
    if !is_separate || !tokens.iter().any(shows) {
        return None;
    }
    let sign = |at, sign| Token { at, is_spaced: false, kind: TokenKind::Sign(sign) };
    tokens.insert(0, sign(0, '{'));
    tokens.push(sign(text.len(), '}'));
    let (list, after) = List::read(&tokens, 0)?;
    let is_text = |quoted: &Quoted<'_>| quoted.bytes().is_ok_and(|bytes| bytes.len() != 1);
    let is_bytes = list.numbers().next().is_some() && !list.strings().any(is_text);
    (after == tokens.len() && is_bytes).then(|| list.bytes(text, false))
}

/// Text with escapes, without quotes, as bytes; `None` if an escape is damaged.
pub(super) fn escaped(text: &str) -> Option<Vec<u8>> {
    escape::bytes(text).ok()
}

/// A list or string of bytes in a line of a log.
pub(super) struct Embedded {
    /// The offset where it begins.
    pub at: usize,
    /// The offset where it ends.
    pub end: usize,
    pub bytes: Vec<u8>,
    /// Whether the program that printed it left bytes out at its end.
    pub is_shortened: bool,
}

/// The lists and strings of bytes in a line of a log.
pub(super) fn embedded(line: &str) -> Vec<Embedded> {
    let Some(tokens) = token::line_tokens(line) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let end = |at: usize| tokens.get(at).map_or(line.len(), |next| next.at);
        match &token.kind {
            TokenKind::Sign('[' | '{' | '<') => {
                if let Some((list, after)) = List::read(&tokens, at)
                    && let Some(bytes) = list.line_bytes(line)
                {
                    // White space before the next token is no part of the list.
                    let end = line[..end(after)].trim_end().len();
                    found.push(Embedded { at: token.at, end, bytes, is_shortened: list.missing > 0 });
                    at = after;
                    continue;
                }
            }
            TokenKind::Quoted(quoted) if quoted.is_bytes() || is_transferred(&tokens[..at]) => {
                if let Ok(bytes) = quoted.bytes() {
                    let end = quoted.at + quoted.inside.len() + 1;
                    found.push(Embedded { at: token.at, end, bytes, is_shortened: false });
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether a string is what a system call transfers, as strace prints it: `read(3, "…"`.
fn is_transferred(before: &[Token<'_>]) -> bool {
    let [.., call, open, file, comma] = before else { return false };
    let calls = ["read", "write", "recv", "send", "recvfrom", "sendto", "pread64", "pwrite64"];
    matches!(call.kind, TokenKind::Word(name) if calls.contains(&name))
        && (&open.kind, &comma.kind) == (&TokenKind::Sign('('), &TokenKind::Sign(','))
        && matches!(file.kind, TokenKind::Number(_))
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
    /// Whether a string without escapes is set apart from others.
    has_apart: bool,
    /// The side of a conversation, after a name such as `peer1_0` (Wireshark's C arrays).
    side: Option<usize>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, tokens: &'t [Token<'t>]) -> Self {
        Self { text, tokens, lists: Vec::new(), strings: Vec::new(), has_keys: false, has_apart: false, side: None }
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
                    self.has_apart |= !quoted.is_bytes() && !is_encoding(quoted.inside) && !self.is_continued(at);
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
        let is_code = matches!(self.before(at, 1), Some(TokenKind::Word(name)) if CHARACTERS.contains(name));
        let is_argument = !is_code && list.items.len() == 1 && self.tokens[at].kind == TokenKind::Sign('(');
        if list.items.is_empty()
            || is_argument
            || self.is_dimension(at, after, &list)
            || self.is_index(at, after, &list)
        {
            return None;
        }
        if list.numbers().next().is_none() {
            self.strings.extend(list.strings().map(|quoted| (side, quoted)));
            return Some(after);
        }
        // Among numbers, only single characters are bytes, except in Erlang.
        if !list.is_binary && list.strings().any(|quoted| quoted.bytes().is_ok_and(|bytes| bytes.len() != 1)) {
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
        let is_bytea = self.tokens.iter().any(|token| token.kind == TokenKind::Word("bytea"));
        let pasted = |form, remark, said: Vec<Sided>| {
            let form = if has_sides { Form::Follow } else { form };
            Pasted { remark, ..Pasted::new(form, Sided::content(said)) }
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
                [(_, quoted)] if quoted.is_hex() => Some(sql_hex(text, quoted)),
                [(_, quoted)] if quoted.hex_after_escape().is_some() => hex_or_escape(text, quoted, is_bytea),
                // Without escapes it is text, or holds another form.
                all if all.iter().all(|(_, quoted)| !quoted.is_bytes()) => within_quotes(all),
                all if all.iter().all(|(_, quoted)| quoted.is_plain_bytes()) => plain_bytes(all)
                    .unwrap_or_else(|| Some(strings_bytes(text, all).map(|said| pasted(Form::String, None, said)))),
                // It may be something else than bytes.
                _ if self.has_apart => None,
                all => Some(strings_bytes(text, all).map(|said| pasted(Form::String, None, said))),
            };
        }
        // The keys and the type of a Buffer in JSON are no bytes.
        let strings: Vec<&str> = self.strings.iter().map(|(_, quoted)| quoted.inside).collect();
        if strings != ["type", "Buffer", "data"] && strings.iter().any(|string| !is_encoding(string)) {
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

    /// Whether a list of one number is the index of the value after it: `[0] => 129`.
    fn is_index(&self, at: usize, after: usize, list: &List<'_>) -> bool {
        let next = self.tokens.get(after).map(|token| &token.kind);
        let is_word = matches!(self.before(at, 1), Some(TokenKind::Word(_)));
        list.items.len() == 1 && !is_word && next == Some(&TokenKind::Sign('='))
    }

    /// Whether a string without a prefix or escapes continues another one, or another one continues it: `"\x81" "a"`, `"\x81" + "a"`.
    fn is_continued(&self, at: usize) -> bool {
        let kind = |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).map(|token| &token.kind);
        let is_string = |near: Option<usize>, far: Option<usize>| match kind(near) {
            Some(TokenKind::Quoted(_)) => true,
            Some(TokenKind::Sign('+' | '.')) => matches!(kind(far), Some(TokenKind::Quoted(_))),
            _ => false,
        };
        is_string(at.checked_sub(1), at.checked_sub(2)) || is_string(Some(at + 1), Some(at + 2))
    }

    /// Whether a string is the key of another value: `"data": `, `map["data"]`.
    fn is_key(&self, at: usize) -> bool {
        let is_subscript =
            matches!((self.before(at, 2), self.before(at, 1)), (Some(TokenKind::Word(_)), Some(TokenKind::Sign('['))));
        let is_colon = |at: usize| self.tokens.get(at).is_some_and(|next| next.kind == TokenKind::Sign(':'));
        // `::` is a cast of PostgreSQL.
        is_subscript || is_colon(at + 1) && !is_colon(at + 2)
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
            (Some(TokenKind::Word(_)), Some(TokenKind::Sign('('))) => {
                sign_after(1) == Some(')') && matches!(sign_after(2), Some('[' | '{' | '(' | '<'))
            }
            (Some(TokenKind::Word(_)), Some(TokenKind::Sign(';' | '['))) => true,
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

/// Whether a string names an encoding, or is a template of `pack`.
fn is_encoding(text: &str) -> bool {
    ENCODINGS.contains(&text) || list::is_template(text)
}

/// `X'8105'`
fn sql_hex(text: &str, quoted: &Quoted<'_>) -> Result<Pasted, PasteError> {
    let error = || PasteError::InLiteral { place: Place::of(text, quoted.at), found: excerpt(quoted.inside) };
    let bytes = hex::read(quoted.inside).and_then(Result::ok).ok_or_else(error)?;
    Ok(Pasted::new(Form::Hex, split_heads(bytes)))
}

/// `'\x8105'`: hex digits in PostgreSQL, and the byte 0x81 and text elsewhere. Frames settle which.
fn hex_or_escape(text: &str, quoted: &Quoted<'_>, is_bytea: bool) -> Recognized<Pasted> {
    let (digits, is_certain) = quoted.hex_after_escape()?;
    let hex: Vec<u8> = hex::bytes(digits).collect();
    let escaped = quoted.bytes().unwrap_or_default();
    if is_certain || is_bytea || shape::is_whole(&hex) && !shape::is_whole(&escaped) {
        return Some(Ok(Pasted::new(Form::Hex, split_heads(hex))));
    }
    if shape::is_whole(&escaped) && !shape::is_whole(&hex) {
        return Some(Ok(Pasted::new(Form::String, split_heads(escaped))));
    }
    let (place, found) = (Place::of(text, quoted.at), excerpt(quoted.inside));
    Some(Err(PasteError::EscapeOrHex { place, found }))
}

/// `b'8105'`: hex or base64 that a Python program has as bytes. `None` if the characters themselves may be frames.
fn plain_bytes(strings: &[(usize, &Quoted<'_>)]) -> Option<Recognized<Pasted>> {
    let characters: String = strings.iter().map(|(_, quoted)| quoted.inside).collect();
    let inside = within_quotes(strings)?;
    (!shape::is_plausible(characters.as_bytes())).then_some(Some(inside))
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
    Some(Ok(Pasted::new(form, split_heads(bytes))))
}

#[cfg(test)]
mod tests;
