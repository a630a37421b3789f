//! Payloads as trees: JSON indented, MessagePack and CBOR in the notation of RFC 8949 §8, which is that of JSON with `h'…'`
//! for bytes and `tag(…)` for tags. The order and all that stands twice stay as they are. All text is safe for a terminal.

use serde::de::IgnoredAny;

use crate::wire::printable;

/// The most of a payload that is read, in bytes.
pub const MAX_BYTES: u64 = 256 * 1024;

/// How deep a tree may be.
const MAX_DEPTH: usize = 64;

/// How many lines a tree may have.
const MAX_LINES: usize = 10_000;

/// The longest text of a line, in bytes.
const MAX_TEXT: usize = 4096;

/// What a payload is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 8259.
    Json,
    /// msgpack.org.
    MessagePack,
    /// RFC 8949.
    Cbor,
}

impl Format {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
            Self::Cbor => "CBOR",
        }
    }
}

/// A payload as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// What it is written in.
    pub format: Format,
    /// Its lines, from the top.
    pub lines: Vec<Line>,
    /// Whether there are more lines than are kept.
    pub cut: bool,
}

/// A line of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands.
    pub depth: usize,
    /// The key in front of a value, as it is written.
    pub name: String,
    /// The value, or the bracket that begins or ends one.
    pub text: String,
}

/// The trees that a payload can be read as: the likeliest first. A binary one may be several things at once.
///
/// # Errors
/// Why it is none: a sentence for a person.
pub fn read(bytes: &[u8], is_text: bool) -> Result<Vec<Tree>, String> {
    if bytes.is_empty() {
        return Err("an empty payload is no tree".to_owned());
    }
    let json = json(bytes);
    if is_text {
        return json.map(|tree| vec![tree]).map_err(|why| format!("no JSON: {why}"));
    }
    let (packed, cbor) = (message_pack(bytes), cbor(bytes));
    match (json, packed, cbor) {
        (Err(_), Err(packed), Err(cbor)) => Err(format!("no JSON, no MessagePack ({packed}), no CBOR ({cbor})")),
        (json, packed, cbor) => Ok(json.into_iter().chain(packed).chain(cbor).collect()),
    }
}

/// JSON; in front of it may stand the digits and the name that Socket.IO writes there.
fn json(bytes: &[u8]) -> Result<Tree, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let check = |text: &str| serde_json::from_str::<IgnoredAny>(text);
    let mut front = "";
    let mut rest = text;
    if let Err(e) = check(text) {
        let start = text.find(['[', '{']).filter(|start| *start > 0 && text.starts_with(|c: char| c.is_ascii_digit()));
        let start = start.ok_or_else(|| printable::text(&e.to_string()).into_owned())?;
        (front, rest) = text.split_at(start);
        check(rest).map_err(|e| printable::text(&e.to_string()).into_owned())?;
    }
    let mut lines = Lines::default();
    if !front.is_empty() {
        lines.leaf("", front);
    }
    indent(rest, &mut lines);
    Ok(lines.tree(Format::Json))
}

/// Puts JSON that is known to be whole into lines, token by token: nothing in it changes but the white space.
fn indent(text: &str, lines: &mut Lines) {
    let (mut name, mut value) = (String::new(), String::new());
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        match c {
            '"' => {
                let mut end = start + 1;
                let mut escaped = false;
                for (at, c) in chars.by_ref() {
                    end = at + c.len_utf8();
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
                value.push_str(&text[start..end]);
            }
            ':' => name = std::mem::take(&mut value),
            '{' | '[' => lines.open(&std::mem::take(&mut name), c),
            '}' | ']' => {
                if !value.is_empty() {
                    lines.leaf(&std::mem::take(&mut name), &std::mem::take(&mut value));
                }
                lines.close(c);
            }
            ',' if value.is_empty() => {}
            ',' => lines.leaf(&std::mem::take(&mut name), &std::mem::take(&mut value)),
            c if c.is_ascii_whitespace() => {}
            c => value.push(c),
        }
    }
    if !value.is_empty() {
        lines.leaf("", &value);
    }
}

fn message_pack(bytes: &[u8]) -> Result<Tree, String> {
    if bytes.first() == Some(&0xc1) {
        return Err("0xc1 is no type".to_owned());
    }
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH).map_err(|e| safe(&e.to_string()))?;
    if !rest.is_empty() {
        return Err(format!("{} more bytes behind it", rest.len()));
    }
    let mut lines = Lines::default();
    pack(&mut lines, "", &value);
    Ok(lines.tree(Format::MessagePack))
}

fn pack(lines: &mut Lines, name: &str, value: &rmpv::Value) {
    use rmpv::Value;
    if lines.is_full() {
        return;
    }
    match value {
        Value::Array(items) => {
            lines.open(name, '[');
            items.iter().for_each(|item| pack(lines, "", item));
            lines.close(']');
        }
        Value::Map(pairs) => {
            lines.open(name, '{');
            pairs.iter().for_each(|(key, value)| pack(lines, &packed(key), value));
            lines.close('}');
        }
        other => lines.leaf(name, &packed(other)),
    }
}

/// A value in one line.
fn packed(value: &rmpv::Value) -> String {
    use rmpv::Value;
    match value {
        Value::Nil => "null".to_owned(),
        Value::String(text) => text.as_str().map_or_else(|| hex(text.as_bytes()), quoted),
        Value::Binary(bytes) => hex(bytes),
        Value::Ext(kind, bytes) => format!("ext {kind}({})", hex(bytes)),
        Value::Array(items) => format!("[… {} items]", items.len()),
        Value::Map(pairs) => format!("{{… {} pairs}}", pairs.len()),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(whether) => whether.to_string(),
    }
}

fn cbor(bytes: &[u8]) -> Result<Tree, String> {
    let mut rest = bytes;
    let read = ciborium::de::from_reader_with_recursion_limit::<ciborium::Value, _>(&mut rest, MAX_DEPTH);
    let value = read.map_err(|e| match e {
        ciborium::de::Error::Io(_) => "it ends too early".to_owned(),
        ciborium::de::Error::Syntax(at) => format!("wrong at byte {at}"),
        ciborium::de::Error::Semantic(_, why) => safe(&why),
        ciborium::de::Error::RecursionLimitExceeded => format!("deeper than {MAX_DEPTH}"),
    })?;
    if !rest.is_empty() {
        return Err(format!("{} more bytes behind it", rest.len()));
    }
    let mut lines = Lines::default();
    concise(&mut lines, "", &value);
    Ok(lines.tree(Format::Cbor))
}

fn concise(lines: &mut Lines, name: &str, value: &ciborium::Value) {
    use ciborium::Value;
    if lines.is_full() {
        return;
    }
    match value {
        Value::Array(items) => {
            lines.open(name, '[');
            items.iter().for_each(|item| concise(lines, "", item));
            lines.close(']');
        }
        Value::Map(pairs) => {
            lines.open(name, '{');
            pairs.iter().for_each(|(key, value)| concise(lines, &in_line(key), value));
            lines.close('}');
        }
        Value::Tag(tag, inner) if matches!(**inner, Value::Array(_) | Value::Map(_)) => {
            let gap = if name.is_empty() { "" } else { ": " };
            concise(lines, &format!("{name}{gap}tag {tag}"), inner);
        }
        other => lines.leaf(name, &in_line(other)),
    }
}

/// A value in one line.
fn in_line(value: &ciborium::Value) -> String {
    use ciborium::Value;
    match value {
        Value::Integer(number) => i128::from(*number).to_string(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::Bool(whether) => whether.to_string(),
        Value::Null => "null".to_owned(),
        Value::Tag(tag, inner) => format!("{tag}({})", in_line(inner)),
        Value::Array(items) => format!("[… {} items]", items.len()),
        Value::Map(pairs) => format!("{{… {} pairs}}", pairs.len()),
        _ => "?".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("h'{}'", hex::encode(&bytes[..bytes.len().min(MAX_TEXT / 2)]))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", &text[..text.floor_char_boundary(MAX_TEXT)])
}

fn safe(text: &str) -> String {
    printable::text(text).into_owned()
}

/// Lines as they are written.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    depth: usize,
    cut: bool,
}

impl Lines {
    fn is_full(&mut self) -> bool {
        self.cut |= self.lines.len() >= MAX_LINES;
        self.cut
    }

    fn leaf(&mut self, name: &str, text: &str) {
        if !self.is_full() {
            let beginning = |text: &str| safe(&text[..text.floor_char_boundary(MAX_TEXT)]);
            self.lines.push(Line { depth: self.depth, name: beginning(name), text: beginning(text) });
        }
    }

    fn open(&mut self, name: &str, bracket: char) {
        self.leaf(name, bracket.encode_utf8(&mut [0; 4]));
        self.depth += 1;
    }

    /// Ends what was begun last; what holds nothing stands in one line.
    fn close(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        match self.lines.last_mut() {
            Some(line) if line.depth == self.depth && matches!(line.text.as_str(), "{" | "[") => {
                line.text.push(bracket);
            }
            _ => self.leaf("", bracket.encode_utf8(&mut [0; 4])),
        }
    }

    fn tree(self, format: Format) -> Tree {
        Tree { format, lines: self.lines, cut: self.cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tree: &Tree) -> String {
        let line = |line: &Line| {
            let gap = if line.name.is_empty() { "" } else { ": " };
            format!("{}{}{gap}{}\n", "  ".repeat(line.depth), line.name, line.text)
        };
        tree.lines.iter().map(line).collect()
    }

    #[test]
    fn json_keeps_its_order_its_numbers_and_what_stands_twice() {
        let trees = read(br#"{"b":1.0e400,"a":{"x\"]":[]}, "a" : [ true ,{"c":null}],"e":{}}"#, true).expect("JSON");
        let expected = "{\n  \"b\": 1.0e400\n  \"a\": {\n    \"x\\\"]\": []\n  }\n  \"a\": [\n    true\n    {\n      \"c\": null\n    }\n  ]\n  \"e\": {}\n}\n";
        assert_eq!(text(&trees[0]), expected);
        assert_eq!(text(&read(br#"42["chat",1]"#, true).expect("Socket.IO")[0]), "42\n[\n  \"chat\"\n  1\n]\n");
        assert!(read(b"hello", true).expect_err("text").starts_with("no JSON: expected value"));
        assert!(read(&[b'['; 1000], true).is_err());
    }

    #[test]
    fn message_pack_and_cbor_are_told_by_whether_they_end_with_the_payload() {
        // {"compact": true, "schema": 0}, from msgpack.org.
        let packed = b"\x82\xa7compact\xc3\xa6schema\x00";
        let trees = read(packed, false).expect("a tree");
        assert_eq!(trees[0].format, Format::MessagePack);
        assert_eq!(text(&trees[0]), "{\n  \"compact\": true\n  \"schema\": 0\n}\n");
        // {1: 2, 3: [h'01', 1(1363896240)]}, by RFC 8949 appendix A.
        let cbor = b"\xa2\x01\x02\x03\x82\x41\x01\xc1\x1a\x51\x4b\x67\xb0";
        let trees = read(cbor, false).expect("a tree");
        let cbor = trees.iter().find(|tree| tree.format == Format::Cbor).expect("CBOR");
        assert_eq!(text(cbor), "{\n  1: 2\n  3: [\n    h'01'\n    1(1363896240)\n  ]\n}\n");
        let why = read(b"\xc1", false).expect_err("neither");
        assert!(why.starts_with("no JSON, no MessagePack") && why.contains("no CBOR"), "{why}");
    }

    #[test]
    fn what_is_deep_or_long_stays_bounded_and_no_escape_passes() {
        for byte in [0x91, 0x81, 0xc6, 0xdd, 0x9f, 0xbf] {
            let _ = read(&vec![byte; 100_000], false);
        }
        let mut many = vec![0xdd, 0, 1, 0, 0];
        many.extend(vec![0xc0; 65_536]);
        let tree = &read(&many, false).expect("an array")[0];
        assert!(tree.cut && tree.lines.len() <= MAX_LINES);
        let tree = &read(b"\xa3a\x1bb", false).expect("a string")[0];
        assert_eq!(text(tree), "\"a\u{241b}b\"\n");
    }
}
