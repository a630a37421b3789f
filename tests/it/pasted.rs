//! The reader of pasted bytes: every form gives the bytes that were written, in every way that they can be given.

use std::fs;
use std::process::Command;

use crate::support::forms::{BASE64, FORMS, Writer};
use crate::support::program::run_with;
use crate::support::{cases, frame};
use framescope::pasted::{Content, Form, ReadAs, read};
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

const HELLO: &[u8] = b"\x81\x05Hello";

/// Payloads of the kinds that make dumps ambiguous: hex digits, spaces, equal rows, end-of-comment signs.
fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "[0-9a-f ]{0,80}".prop_map(String::into_bytes),
        "[*/|>' \"\\\\#a]{0,60}".prop_map(String::into_bytes),
        (any::<u8>(), 0..200usize).prop_map(|(byte, len)| std::vec![byte; len]),
    ]
}

fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let one = (any::<bool>(), 0u8..16, proptest::option::of(any::<[u8; 4]>()), any_payload())
        .prop_map(|(fin, opcode, key, payload)| frame(fin, Opcode::from_wire(opcode), key, &payload));
    vec(one, 1..4).prop_map(|frames| frames.concat())
}

/// Forms whose bytes are uncertain if they are not frames of RFC 6455.
#[rustfmt::skip]
const MAY_BE_REFUSED: &[&str] = &[
    "groups-of-four", "hexdump", "od-x", "text-column", "powershell-7", "curl-trace", "log-line", "log-hex", "log-lines", "log-python", "log-json", "log-buffer", "strace", "python-hexlify",
];

proptest! {
    #![proptest_config(cases(24))]
    #[test]
    fn frames_read_back_from_every_form(bytes in any_frames()) {
        for (name, write) in FORMS {
            let text = write(&bytes);
            let pasted = match read(text.as_bytes(), None) {
                // The frames in them settle what their digits are.
                Err(_) if MAY_BE_REFUSED.contains(name) => continue,
                // A comment that shows the end of a comment may be refused.
                Err(_) if text.contains("/* ") && text.matches("*/").count() != text.matches("/* ").count() => continue,
                pasted => pasted.map_err(|e| TestCaseError::fail(format!("{name}: {e}\n{text}")))?,
            };
            prop_assert_eq!(&pasted.content, &Content::Bytes(bytes.clone()), "{}:\n{}", name, text);
        }
        for (name, write) in BASE64 {
            let text = write(&bytes);
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace());
            if text.trim_end().len() < 8 || is_hex {
                continue;
            }
            let pasted = read(text.as_bytes(), None);
            let pasted = pasted.map_err(|e| TestCaseError::fail(format!("{name}: {e}\n{text}")))?;
            prop_assert_eq!(&pasted.content, &Content::Bytes(bytes.clone()), "{}:\n{}", name, text);
        }
        prop_assert_eq!(read(&bytes, Some(ReadAs::Raw)).map(|pasted| pasted.content), Ok(Content::Bytes(bytes)));
    }

    #[test]
    fn bytes_that_are_not_text_are_raw(bytes in any_frames()) {
        prop_assume!(std::str::from_utf8(&bytes).is_err());
        let pasted = read(&bytes, None).expect("raw bytes");
        prop_assert_eq!((pasted.form, pasted.content), (Form::Raw, Content::Bytes(bytes)));
    }

    #[test]
    fn no_input_panics(bytes in vec(any::<u8>(), 0..300), text in "\\PC{0,100}") {
        for read_as in std::iter::once(None).chain(ReadAs::ALL.map(Some)) {
            let _ = read(&bytes, read_as);
            let _ = read(text.as_bytes(), read_as).map_err(|error| error.to_string());
        }
    }

    /// Parts of all forms, in any order.
    #[test]
    fn no_mixture_of_forms_panics(parts in vec(0..PARTS.len(), 0..40)) {
        let text: String = parts.iter().map(|part| PARTS[*part]).collect();
        for read_as in std::iter::once(None).chain(ReadAs::ALL.map(Some)) {
            let _ = read(text.as_bytes(), read_as).map_err(|error| error.to_string());
        }
    }

    /// A form with a damaged character is read as other bytes or refused, and never panics.
    #[test]
    fn no_damaged_form_panics(bytes in any_frames(), form in 0..FORMS.len(), at: prop::sample::Index, with: char) {
        let mut text: Vec<char> = FORMS[form].1(&bytes).chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        let _ = read(String::from_iter(text).as_bytes(), None).map_err(|error| error.to_string());
    }
}

const PARTS: &[&str] = &[
    "00000000: ",
    "00000010: ",
    "0x0000:  ",
    "0000000 ",
    "0000020 ",
    "0000  ",
    "81",
    "05 ",
    "8105 ",
    "4865",
    "  ",
    " ",
    "\t",
    "\n",
    "*\n",
    "|..He|",
    ">..<",
    "..Hello",
    "0x81",
    ", ",
    "\\x81",
    "\\",
    "\\u0081",
    "\\ud834",
    "b'",
    "'",
    "\"",
    "`",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "<Buffer ",
    "byte",
    "=",
    ";",
    "-",
    "-127",
    "129",
    "...",
    " 12 more bytes",
    "/*",
    "*/",
    "//",
    "#",
    "Node 0: a",
    "Follow: tcp,raw\n",
    "Follow: tcp,hex\n",
    "===\n",
    "gQVI",
    "ZWxsbw==",
    "é",
    "4500 0028 ",
    "peer0_0",
    "0201",
    ":",
    "GET / HTTP/1.1\r\n\r\n",
    "12:00:01 ",
    "12:00",
    "2026-11-26 ",
    "recv: ",
    "TX ",
    "> ",
    "<- ",
    "client -> server: ",
    "read(3, \"",
    "\\x8105",
    "%81",
    "<<",
    ">>",
    "X'",
    "::bytea",
    "pack('C*', ",
    "16#",
    "│",
    "┊",
    " - ",
    "00000000`0012ff60",
    "\u{1b}[0m",
    "\u{fffd}",
    "data:;base64,",
];

/// The stdout and the exit status of `decode`.
fn decode(arguments: &[&str], stdin: &[u8]) -> (String, Option<i32>) {
    let (status, out, _) = run_with(&[&["decode"], arguments].concat(), stdin);
    (out, status)
}

#[test]
fn every_form_reads_alike_from_an_argument_from_stdin_and_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pasted");
    let refused: &[(&str, Writer)] = &[("decimal", |_| "129 5 72".to_owned()), ("text", |_| "hello, world".to_owned())];
    for (n, (name, write)) in FORMS.iter().chain(BASE64).chain(refused).enumerate() {
        let text = write(HELLO);
        fs::write(&path, &text).expect("written");
        let argument = decode(&["--", &text], b"");
        let is_read = !refused.iter().any(|(other, _)| other == name);
        assert_eq!(argument.1, Some(i32::from(!is_read)), "{name}: {text}");
        assert_eq!(argument.0.contains("    Hello\n"), is_read, "{name}: {}", argument.0);
        // A process for each way and form takes long: the forms take turns.
        let other = match n % 3 {
            0 => decode(&["-"], text.as_bytes()),
            1 => decode(&[], text.as_bytes()),
            _ => decode(&[&format!("@{}", path.display())], b""),
        };
        assert_eq!(other, argument, "{name}");
    }
}

#[test]
fn several_arguments_are_one_text() {
    for (words, text) in
        [("81 05 48 65 6c 6c 6f", "Hello"), ("[129, 5, 72, 101, 108, 108, 111]", "Hello"), ("0x89, 0x0", "ping")]
    {
        let (shown, status) = decode(&words.split(' ').collect::<Vec<_>>(), b"");
        assert_eq!((status, shown.contains(text)), (Some(0), true), "{shown}");
        assert_eq!(decode(&[words], b""), (shown, status));
    }
    assert_eq!(decode(&["129", "5", "72", "101"], b"").1, Some(1));
    assert!(decode(&["--as", "decimal", "129", "5", "72", "101", "108", "108", "111"], b"").0.contains("Hello"));
    assert!(decode(&["--as", "decimal", "-127", "0"], b"").0.contains("frame 1 · text"));
}

#[test]
fn the_named_form_settles_what_the_text_means() {
    let bytes = |text: &str, read_as| read(text.as_bytes(), Some(read_as)).map(|pasted| pasted.content.bytes()).ok();
    assert_eq!(bytes("10 20 30", ReadAs::Decimal), Some(vec![10, 20, 30]));
    assert_eq!(bytes("10 20 30", ReadAs::Hex), Some(vec![0x10, 0x20, 0x30]));
    assert_eq!(bytes("8 1 0 5", ReadAs::Hex), Some(vec![0x81, 0x05]));
    assert_eq!(bytes("gQVIZWxsbw", ReadAs::Base64).as_deref(), Some(HELLO));
    assert_eq!(bytes("81 05\r\n", ReadAs::Text).as_deref(), Some(&b"81 05"[..]));
    assert_eq!(bytes("81 05\r\n", ReadAs::Raw).as_deref(), Some(&b"81 05\r\n"[..]));
    assert_eq!(bytes("8105", ReadAs::Raw).as_deref(), Some(&b"8105"[..]));
    assert_eq!(bytes("81 0g", ReadAs::Hex), None);
}

#[test]
fn a_followed_stream_is_decoded_with_its_directions() {
    let hex = |text: &str| hex::encode(text);
    let text = format!(
        "\n====\nFollow: tls,raw\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:443\nNode 1: :0\n\t{}\n{}\n\t{}\n{}\n====\n",
        hex(crate::support::REQUEST),
        hex(crate::support::RESPONSE),
        "818237fa213d5f93",
        "880203e8",
    );
    let (lines, status) = decode(&["--json", "-"], text.as_bytes());
    let records: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let facts: Vec<_> = records.iter().map(|record| (record["type"].as_str(), record["dir"].as_str())).collect();
    assert_eq!(
        facts,
        [
            (Some("request"), Some("c2s")),
            (Some("response"), Some("s2c")),
            (Some("frame"), Some("c2s")),
            (Some("frame"), Some("s2c")),
        ]
    );
    assert_eq!((records[2]["text"].as_str(), status), (Some("hi"), Some(0)));
    let (shown, _) = decode(&["-"], text.as_bytes());
    assert!(shown.contains("record 1 · request · client → server"), "{shown}");
    assert!(shown.contains("frame 4 · close · server → client"), "{shown}");
}

#[test]
fn the_form_is_reported_on_stdout_or_for_json_on_stderr() {
    assert_eq!(decode(&["8900"], b"").0.lines().next(), Some("read as hex digits: 2 bytes"));
    let (_, out, err) = run_with(&["decode", "--json", "8900"], b"");
    assert_eq!(err, "framescope: read as hex digits: 2 bytes\n");
    assert!(out.starts_with("{\"v\":1"));
    assert!(run_with(&["decode", "--to", "hex", "8900"], b"").2.starts_with("framescope: read as hex digits"));
}

#[test]
fn explain_prints_the_words_of_each_field() {
    let (shown, _) = decode(&["--explain", "8105 48656c6c6f", "c100"], b"");
    // The texts are those of the screen, on as many lines as they need.
    let joined = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains("1 says how to read the payload: as UTF-8 text."), "{shown}");
    assert!(joined.matches("(RFC 6455 §5.2)").count() > 8 && !decode(&["8100"], b"").0.contains("(RFC"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
    assert_eq!(decode(&["--explain", "--json", "8100"], b"").1, Some(2));
}

#[test]
fn a_compressed_message_that_needs_earlier_ones_says_so() {
    let (again, hello) = ("c105f200110000", "c107f248cdc9c90700");
    let why = "it refers to earlier messages";
    for flags in [&[][..], &["--deflate"]] {
        assert!(decode(&[flags, &[again]].concat(), b"").0.contains(why));
        let (shown, _) = decode(&[flags, &[hello, again]].concat(), b"");
        assert_eq!((shown.matches("  Hello").count(), shown.contains(why)), (2, false), "{shown}");
    }
    let (fragment, _) = decode(&["4103f248cd"], b"");
    assert!(!fragment.contains("inflated"), "not the end of the message: {fragment}");
}

#[test]
fn with_deflate_a_message_is_inflated_without_a_condition() {
    let (by_flag, _) = decode(&["--deflate", "c107f248cdc9c90700"], b"");
    assert!(
        by_flag.contains("  Hello") && by_flag.contains("as --deflate says") && !by_flag.contains(" if "),
        "{by_flag}"
    );
    let (untold, _) = decode(&["c107f248cdc9c90700"], b"");
    assert!(untold.contains("if permessage-deflate was negotiated"), "{untold}");
}

#[test]
fn a_paste_has_no_end_records() {
    let request = crate::support::REQUEST;
    for text in ["8900", "8a80010203048105", &hex::encode(format!("{request}HTTP/1.1 101 Switching Protocols\r\n\r\n"))]
    {
        for format in ["ndjson", "hex"] {
            let (status, out, _) = run_with(&["export", "-", "--to", format, "-o", "-"], text.as_bytes());
            assert_eq!(
                (status, out.contains("capture ends") || out.contains("\"type\":\"end\"")),
                (Some(0), false),
                "{out}"
            );
            assert_eq!(out, run_with(&["decode", "-", "--to", format], text.as_bytes()).1, "{text}");
        }
    }
    // The truncated frame is a record, also without an end.
    assert!(decode(&["--json", "8105"], b"").0.contains("\"of\":\"frame\""));
    let (status, _, err) = run_with(&["check", "-", "--fail-on", "info"], b"8900");
    assert_eq!(status, Some(0), "{err}");
}

#[test]
fn groups_of_binary_digits_are_bits_unless_hex_is_named() {
    let read_as = |named| read(b"10001001 00000000\n", named).map(|pasted| (pasted.form, pasted.content));
    assert_eq!(read_as(None), Ok((Form::Bits, Content::Bytes(vec![0x89, 0]))));
    assert_eq!(read_as(Some(ReadAs::Hex)), Ok((Form::Hex, Content::Bytes(vec![0x10, 0, 0x10, 1, 0, 0, 0, 0]))));
}

#[test]
fn the_head_is_drawn_in_bits() {
    let (shown, _) = decode(&["82fe", "0003", "37fa213d", "7f9f4d"], b"");
    for bits in
        ["0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1", "0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0", "0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1"]
    {
        assert!(shown.contains(bits), "{bits}\n{shown}");
    }
}

#[test]
#[ignore = "needs xxd, hexdump and od"]
fn what_the_real_tools_print_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frame.bin");
    let frames = [
        frame(true, Opcode::Text, None, &[b'a'; 120]),
        frame(true, Opcode::Binary, Some([1, 2, 3, 4]), b"ab cd ef 01 23 45 67"),
    ];
    for bytes in [HELLO.to_vec(), frames.concat(), [HELLO, HELLO, HELLO].concat()] {
        fs::write(&path, &bytes).expect("written");
        for line in [
            "xxd",
            "xxd -p",
            "xxd -i",
            "xxd -u",
            "xxd -g1",
            "xxd -g4",
            "xxd -e",
            "xxd -b",
            "xxd -c 5",
            "xxd -c 8 -g 1",
            "hexdump -C",
            "hexdump",
            "hexdump -x",
            "od -tx1",
            "od -tx1z",
            "od -A x -tx1",
            "od -A d -tx1",
            "od -A n -tx1",
            "od -tx2",
            "od -tx4",
            "od -x",
            "base64",
        ] {
            let mut words = line.split(' ');
            let output = Command::new(words.next().expect("a word")).args(words).arg(&path).output().expect("it runs");
            let text = String::from_utf8(output.stdout).expect("text");
            // Without offsets, the number of equal rows is unknown.
            if text.contains("\n*\n") && line == "od -A n -tx1" {
                assert!(read(text.as_bytes(), None).is_err());
                continue;
            }
            let pasted = read(text.as_bytes(), None).unwrap_or_else(|e| panic!("{line}: {e}\n{text}"));
            assert_eq!(pasted.content, Content::Bytes(bytes.clone()), "{line}\n{text}");
        }
    }
}
