//! Payloads as trees: JSON indented, MessagePack and CBOR in the diagnostic notation of RFC 8949 §8, which is that of JSON with
//! `h'…'` for bytes and `tag(…)` for tags. Keys keep their order, and duplicate keys are all shown. All text is safe for a terminal.

mod binary;
mod error;
mod json;
mod tree;

pub use self::error::{FormatError, PayloadTreeError};
pub use self::tree::{Tree, TreeFormat, TreeLine};

/// The longest payload that is read, in bytes.
pub const MAX_BYTES: u64 = 256 * 1024;

/// Reads a payload as a tree, in every format in which it is one, the likeliest first. Binary payloads may be valid in several.
///
/// # Errors
/// If it is a tree in no format.
pub fn read(bytes: &[u8], is_text: bool) -> Result<Vec<Tree>, PayloadTreeError> {
    if bytes.is_empty() {
        return Err(PayloadTreeError::Empty);
    }
    let json = json::read(bytes);
    if is_text {
        return json.map(|tree| vec![tree]).map_err(PayloadTreeError::Text);
    }
    match (json, binary::message_pack(bytes), binary::cbor(bytes)) {
        (Err(_), Err(message_pack), Err(cbor)) => Err(PayloadTreeError::Binary { message_pack, cbor }),
        (json, message_pack, cbor) => Ok(json.into_iter().chain(message_pack).chain(cbor).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::tree::MAX_LINES;
    use super::*;

    fn text(tree: &Tree) -> String {
        let line = |line: &TreeLine| {
            let gap = if line.name.is_empty() { "" } else { ": " };
            format!("{}{}{gap}{}\n", "  ".repeat(line.depth), line.name, line.text)
        };
        tree.lines.iter().map(line).collect()
    }

    #[test]
    fn json_keeps_the_order_the_numbers_and_duplicate_keys() {
        let trees = read(br#"{"b":1.0e400,"a":{"x\"]":[]}, "a" : [ true ,{"c":null}],"e":{}}"#, true).expect("JSON");
        let expected = "{\n  \"b\": 1.0e400\n  \"a\": {\n    \"x\\\"]\": []\n  }\n  \"a\": [\n    true\n    {\n      \"c\": null\n    }\n  ]\n  \"e\": {}\n}\n";
        assert_eq!(text(&trees[0]), expected);
        assert_eq!(text(&read(br#"42["chat",1]"#, true).expect("Socket.IO")[0]), "42\n[\n  \"chat\"\n  1\n]\n");
        assert!(read(b"hello", true).expect_err("text").to_string().starts_with("not JSON: expected value"));
        assert!(read(&[b'['; 1000], true).is_err());
    }

    #[test]
    fn message_pack_and_cbor_values_end_with_the_payload() {
        // {"compact": true, "schema": 0}, from msgpack.org.
        let packed = b"\x82\xa7compact\xc3\xa6schema\x00";
        let trees = read(packed, false).expect("a tree");
        assert_eq!(trees[0].format, TreeFormat::MessagePack);
        assert_eq!(text(&trees[0]), "{\n  \"compact\": true\n  \"schema\": 0\n}\n");
        // {1: 2, 3: [h'01', 1(1363896240)]}, by RFC 8949 appendix A.
        let cbor = b"\xa2\x01\x02\x03\x82\x41\x01\xc1\x1a\x51\x4b\x67\xb0";
        let trees = read(cbor, false).expect("a tree");
        let cbor = trees.iter().find(|tree| tree.format == TreeFormat::Cbor).expect("CBOR");
        assert_eq!(text(cbor), "{\n  1: 2\n  3: [\n    h'01'\n    1(1363896240)\n  ]\n}\n");
        let why = read(b"\xc1", false).expect_err("neither").to_string();
        assert!(why.starts_with("not JSON, not MessagePack") && why.contains("not CBOR"), "{why}");
    }

    #[test]
    fn deep_and_long_payloads_are_bounded_and_escapes_are_shown() {
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
