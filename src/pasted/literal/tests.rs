use super::*;
use crate::pasted::Content;

const HELLO: &[u8] = b"\x81\x05Hello";

fn pasted(text: &str) -> Pasted {
    match read(text) {
        Some(Ok(pasted)) => pasted,
        other => panic!("{other:?}\n{text}"),
    }
}

#[test]
fn lists_of_all_languages() {
    for text in [
        "{0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
        "{ 0x81, 0x5, 'H', 'e', 'l', 'l', 'o', }",
        "unsigned char p[] = { 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };",
        "unsigned char f_bin[] = {\n  0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f\n};\nunsigned int f_bin_len = 7;",
        "static const uint8_t p[7] = {0x81,5,72,101,108,108,111};",
        "std::vector<uint8_t> p = {129, 5, 72, 101, 108, 108, 111};",
        "/* Frame (7 bytes) */\nstatic const unsigned char pkt1[7] = {\n0x81, 0x05, 0x48, 0x65, /* ..He */\n0x6c, 0x6c, 0x6f // 0x99\n};",
        "&[0x81u8, 0x05, b'H', 0x65, 0x6c, 0x6c, 0x6f]",
        "let p: [u8; 7] = [129, 5, 72, 101, 108, 108, 111];",
        "vec![0x81u8, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0b0110_1111]",
        "[81, 05, 48, 65, 6c, 6c, 6f]",
        "[]byte{0x81, 5, 'H', 101, 108, 108, 111}",
        "[7]byte{129, 5, 72, 101, 108, 108, 111}",
        "[129 5 72 101 108 108 111]",
        "byte[] p = new byte[] {(byte) 0x81, 5, 72, 101, 108, 108, 111};",
        "new byte[]{-127, 5, 72, 101, 108, 108, 111}",
        "[-127, 5, 72, 101, 108, 108, 111]",
        "byteArrayOf(0x81.toByte(), 5, 72, 101, 108, 108, 111)",
        "[129, 5, 72, 101, 108, 108, 111]",
        "[[129], [5, 72, 101, 108, 108, 111]]",
        "<Buffer 81 05 48 65 6c 6c 6f>",
        "<81054865 6c6c6f>",
        "(byte) 0x81, (byte)0x05, 72, 101, 108, 108, 111",
        "0x81u8, 5, 72, 101, 108, 108, 111",
        "Uint8Array(7) [\n  129, 5, 72,\n  101, 108, 108, 111\n]",
        "Int8Array(7) [ -127, 5, 72, 101, 108, 108, 111 ]",
        "new Uint8Array([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])",
        "const p = Uint8Array.from([129, 5, 72, 101, 108, 108, 111]);",
        "ArrayBuffer { [Uint8Contents]: <81 05 48 65 6c 6c 6f>, byteLength: 7 }",
        "{\"type\":\"Buffer\",\"data\":[129,5,72,101,108,108,111]}",
        "{\"0\":129,\"1\":5,\"2\":72,\"3\":101,\"4\":108,\"5\":108,\"6\":111}",
        "bytes([0x81, 0x05, 72, 101, 108, 108, 0o157])  # a frame",
        "bytearray((129, 5, 72, 101, 108, 108, 111))",
        "<<129, 5, 72, 101, 108, 108, 111>>",
        "<<0x81, 5, \"Hello\">>",
        "<<129:8, 5:8, \"Hello\"/utf8>>",
        "<<16#81, 16#05, 16#48, \"ello\">>",
        "ubyteArrayOf(0x81u, 0x05u, 0x48u, 0x65u, 0x6cu, 0x6cu, 0x6fu)",
        "let p: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]",
        "[UInt8]([129, 5, 72, 101, 108, 108, 111])",
        "Data([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])",
        "byte[] p = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];",
        "ReadOnlySpan<byte> p = stackalloc byte[] { 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };",
        "[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f].pack('C*')",
        "pack(\"C*\", 0x81, 5, 72, 101, 108, 108, 111)",
        "struct.pack('7B', 129, 5, 72, 101, 108, 108, 111)",
        "array(0x81, 5, 72, 101, 108, 108, 111)",
        "chr(0x81).chr(5).chr(72).chr(101).chr(108).chr(108).chr(111)",
        "String.fromCharCode(129, 5, 72, 101, 108, 108, 111)",
        "Array[Byte](-127, 5, 72, 101, 108, 108, 111)",
        "(byte-array [-127 5 72 101 108 108 111])",
        "const p = [_]u8{ 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };",
        "$1 = {0x81, 0x5, 0x48, 0x65, 0x6c <repeats 2 times>, 0x6f}",
        // As Chrome's console and gdb print them.
        "(7) [129, 5, 72, 101, 108, 108, 111]",
        "Uint8Array(7) [129, 5, 72, 101, 108, 108, 111, buffer: ArrayBuffer(7), byteLength: 7, byteOffset: 0, length: 7, Symbol(Symbol.toStringTag): 'Uint8Array']",
        "$1 = {0x81, 0x5, 0x48, 0x65, 0x6c, 0x6c, 0x6f}",
    ] {
        assert_eq!(pasted(text), Pasted::new(Form::List, Content::Bytes(HELLO.to_vec())), "{text}");
    }
    assert_eq!(pasted("[129 -1]").content, Content::Bytes(vec![129, 255]), "signed, as Go prints them");
    assert_eq!(pasted("[10, 20, 30]").content, Content::Bytes(vec![10, 20, 30]), "decimal, between brackets");
    assert_eq!(pasted("[129, 0]\n[138, 0]").content, Content::Bytes(vec![129, 0, 138, 0]), "two frames");
}

#[test]
fn strings_of_all_languages() {
    for text in [
        r"b'\x81\x05Hello'",
        r#"b"\x81\x05Hello""#,
        r"'\x81\x05Hello'",
        r#"p = b"\x81\x05" b"Hello""#,
        r#"p = "\x81\x05" + "Hello""#,
        r#"const char *p = "\x81\x05" "Hello";"#,
        r#""\201\005Hello""#,
        r#"var p = []byte("\x81\x05Hello")"#,
        r#"socket.send("\u0081\u0005Hello");"#,
        "\"\\x81\\x05\\x48\" \\\n\"\\x65\\x6c\\x6c\\x6f\"\n",
        r"[b'\x81\x05', b'Hello']",
        r#"$2 = "\201\005Hello""#,
        r#""\x{81}\x{05}Hello""#,
        r#""\u{81}\u{5}Hello""#,
        r#""\x81\x05Hello".force_encoding("ASCII-8BIT")"#,
        r#""\x81\x05Hello"u8.ToArray()"#,
        r"$'\x81\x05Hello'",
    ] {
        assert_eq!(pasted(text), Pasted::new(Form::String, Content::Bytes(HELLO.to_vec())), "{text}");
    }
    assert_eq!(pasted(r"\x81\x05Hello").form, Form::Escapes);
    assert_eq!(pasted(r#"\x81\x08{"a":"b"}"#).content, Content::Bytes(b"\x81\x08{\"a\":\"b\"}".to_vec()));
}

#[test]
fn hex_and_base64_in_quotes_are_read() {
    for (text, form) in [
        ("Buffer.from('810548656c6c6f', 'hex')", Form::Hex),
        ("bytes.fromhex(\"81 05 48 65 6c 6c 6f\")", Form::Hex),
        ("hex!(\"810548656c6c6f\")", Form::Hex),
        ("\"gQVIZWxsbw==\"", Form::Base64),
        ("atob('gQVIZWxsbw==')", Form::Base64),
        ("Convert.FromHexString(\"810548656c6c6f\")", Form::Hex),
        ("\"810548656c6c6f\".hexToByteArray()", Form::Hex),
        ("['810548656c6c6f'].pack('H*')", Form::Hex),
        ("pack('H*', '810548656c6c6f')", Form::Hex),
        ("['810548656c6c6f'].pack('H*')", Form::Hex),
        ("X'810548656c6c6f'", Form::Hex),
        ("UNHEX('810548656c6c6f')", Form::Hex),
        (r"'\x810548656c6c6f'::bytea", Form::Hex),
        (r"E'\\x810548656c6c6f'", Form::Hex),
        ("decode('810548656c6c6f', 'hex')", Form::Hex),
        // As Python prints what hexlify and b64encode return.
        ("b'810548656c6c6f'", Form::Hex),
        ("b'gQVIZWxsbw=='", Form::Base64),
        ("Data(base64Encoded: \"gQVIZWxsbw==\")", Form::Base64),
    ] {
        let found = pasted(text);
        assert_eq!((found.form, found.content), (form, Content::Bytes(HELLO.to_vec())), "{text}");
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let found = pasted("<Buffer 81 7e 00 7f 48 ... 77 more bytes>");
    assert_eq!((found.content.len(), found.remark), (5, Some(Remark::Shortened { missing: 77 })));
    assert_eq!(pasted("[ 129, 5,\n  ... 5 more items ]").remark, Some(Remark::Shortened { missing: 5 }));
}

#[test]
fn the_c_arrays_of_a_stream_have_two_sides() {
    let text = "char peer0_0[] = { /* Packet 4 */\n0x89, 0x00 };\nchar peer1_0[] = { /* Packet 6 */\n0x8a, 0x80, 1, 2, 3, 4 };";
    let Content::Conversation(found) = pasted(text).content else { panic!("a conversation") };
    let found: Vec<_> = found.pieces.iter().map(|piece| (piece.direction.name(), piece.bytes.len())).collect();
    assert_eq!(found, [("s2c", 2), ("c2s", 6)]);
}

#[test]
fn a_comment_with_the_end_of_a_comment_in_it_is_a_comment() {
    let text = "char p[] = {\n0x2a, 0x2f, 0x31 /* */1 */\n};";
    assert_eq!(pasted(text).content, Content::Bytes(b"*/1".to_vec()));
}

#[test]
fn damage_is_named_with_its_place() {
    let place = |line, character| Place { line, character };
    let error = |text: &str| read(text).expect("a literal").expect_err("damage");
    assert_eq!(error("{0x81,\n 0x1ff}"), PasteError::NotAByte { place: place(2, 2), number: "0x1ff".to_owned() });
    assert_eq!(error("[129, 256]"), PasteError::NotAByte { place: place(1, 7), number: "256".to_owned() });
    assert_eq!(error("[-129]"), PasteError::NotAByte { place: place(1, 3), number: "129".to_owned() });
    assert_eq!(error("[010, 2]"), PasteError::LeadingZero { place: place(1, 2), number: "010".to_owned() });
    for text in ["\"\\129\\5Hello\"", "\"\\130\\ETXabc\""] {
        assert!(matches!(error(text), PasteError::Escape { .. }), "decimal escapes: {text}");
    }
    assert!(matches!(error(r"'\x81056c'"), PasteError::EscapeOrHex { .. }));
    assert_eq!(error(r"b'é\x8'"), PasteError::Escape { place: place(1, 4), escape: "\\x8".to_owned() });
}

#[test]
fn other_text_is_no_literal() {
    for text in [
        "hello",
        "\"Hello\"",
        "[\"Hello\",\"x\"]",
        "{\"op\":\"x\",\"d\":[1,2]}",
        "{\"data\":[1,2]}",
        "[129, \"Hello\"]",
        "printf(3)",
        "see [1, 2] and (3)",
        "x=[]",
        "it's",
        "\"a",
        "/* a",
        "[1, x]",
        "[",
        "<b>hi</b>",
        "He said \"hi\\n\" to me",
        "",
        "1.5",
        r#"{'data': b'\x81\0'}"#,
        r#"env["a"] = b'\x81\0'"#,
        "[81-15-48]",
        "printf \"\\x81\" | nc",
        "((((((((1))))))))",
        "<<1:1, 0:3, 1:4>>",
        "<<129, 5>> <> \"Hello\"",
        "chr(0x81) . \"\\x05Hello\"",
        "pack(\"n*\", 0x8105, 0x4865)",
        "[0x81; 5]",
        "p[0] = 0x81; p[1] = 0x05;",
        "  data\n------\n \\x81054865\n(1 row)",
        "data \\x81\\x05Hello",
        "129, 5, 'Hello'",
        "array(2) {\n  [0]=>\n  int(129)\n  [1]=>\n  int(5)\n}",
        "FRAME='\\x81\\x05Hello'; printf \"$FRAME\"",
    ] {
        assert!(read(text).is_none(), "{text}: {:?}", read(text));
    }
}
