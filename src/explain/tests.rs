//! Tests of all texts: none is missing, none is unused, and each fits its place on the screen.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr as _;

use super::code::close_topic;
use super::frame::{frame_brief, frame_field, frame_gloss};
use super::frame_context::{Extensions, FrameContext, MessagePart};
use super::texts::{self, Chapter, TextKey};
use super::{DeflateContext, Explanation, closing_handshake, compressed_payload, http_field, http_gloss, record, rule};
use crate::proto::dissected::{Direction, EndReason, Kind, Loss};
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::Rule;
use crate::wire::close::CloseCode;
use crate::wire::field::FieldId;
use crate::wire::frame::{FrameHead, fields};
use crate::wire::http::Head;
use crate::wire::opcode::Opcode;

const PARTS: [MessagePart; 6] = [
    MessagePart::Control,
    MessagePart::Whole,
    MessagePart::First,
    MessagePart::Middle,
    MessagePart::Last,
    MessagePart::Stray,
];

/// Checks that a text is filled in completely, has at most four sentences and at most 320 characters.
fn check(words: &Explanation) {
    assert!(!words.title.is_empty() && !words.section.is_empty(), "{words:?}");
    let text = words.text.as_str();
    assert!(text.ends_with('.') || text.ends_with(')'), "{text}");
    assert!(!text.contains(['{', '}', '!']), "{text}");
    assert!(!words.title.contains(['{', '}']), "{words:?}");
    assert!(!text.contains("  "), "{text}");
    assert!(text.chars().count() <= 320, "{} characters: {text}", text.chars().count());
    // Three lines at 60 columns, the smallest screen.
    let first = text.split(". ").next().map_or(0, |first| first.chars().count());
    assert!(first <= 3 * 57, "{first} characters in the first sentence: {text}");
    let sentences = text.matches(". ").count() + 1;
    assert!(sentences <= 4, "{sentences} sentences: {text}");
}

/// The width of the last column of the table of frame fields at 120×36, without the sign of a finding.
const FRAME_GLOSS: usize = 30;
/// The width of a brief gloss beside the grid at 60×20.
const FRAME_BRIEF: usize = 10;
const HTTP_GLOSS: usize = 36;

fn check_gloss(gloss: &str, widest: usize) {
    assert!(!gloss.is_empty() && !gloss.contains(['{', '}', '\n']), "{gloss}");
    assert!(gloss.width() <= widest, "{} columns: {gloss}", gloss.width());
}

/// Heads with all combinations of values that lead to different texts.
fn heads() -> impl Iterator<Item = FrameHead> {
    let lengths =
        [(0, 0), (1, 1), (125, 125), (126, 3), (126, 300), (127, 3), (127, 300), (127, 65_536), (127, u64::MAX)];
    let keys = [None, Some([0x37, 0xfa, 0x21, 0x3d]), Some([0; 4])];
    (0x0..=0xf_u8).flat_map(move |nibble| {
        [false, true].into_iter().flat_map(move |fin| {
            keys.into_iter().flat_map(move |key| {
                lengths.into_iter().flat_map(move |(len_code, payload_len)| {
                    [false, true].map(move |rsv| FrameHead {
                        rsv1: rsv,
                        rsv2: rsv,
                        rsv3: rsv,
                        len_code,
                        ..FrameHead::new(fin, Opcode::from_wire(nibble), key, payload_len)
                    })
                })
            })
        })
    })
}

#[test]
fn every_field_of_every_frame_is_explained_and_every_text_is_used() {
    let mut seen = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for head in heads() {
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        bytes.extend([0x03, 0xe8]);
        let whole = head.wire_len();
        let table = fields(&bytes[..bytes.len().min(usize::try_from(whole).unwrap_or(usize::MAX))], whole);
        for (direction, part) in Direction::BOTH.into_iter().flat_map(|d| PARTS.map(|p| (d, p))) {
            let whole = head.payload_len;
            use Extensions::{Deflate, None, Unknown};
            for (extensions, compressed, captured_payload, unsolicited) in [
                (None, false, whole, false),
                (Deflate, false, whole, false),
                (Unknown, false, whole, false),
                (Deflate, true, whole, false),
                (Unknown, true, whole, false),
                (None, false, whole, true),
                (None, false, 0, false),
            ] {
                let ctx = FrameContext { head, direction, part, extensions, compressed, captured_payload, unsolicited };
                for field in &table {
                    let words = frame_field(&ctx, field);
                    let gloss = frame_gloss(&ctx, field);
                    keys.insert(field.id.key());
                    if seen.insert((words.text.clone(), gloss.clone())) {
                        check(&words);
                        check_gloss(&gloss, FRAME_GLOSS);
                        if let Some(brief) = frame_brief(&ctx, field) {
                            check_gloss(brief, FRAME_BRIEF);
                        }
                    }
                }
            }
        }
    }
    for key in [
        "fin",
        "rsv1",
        "rsv2",
        "rsv3",
        "opcode",
        "mask",
        "payload-len",
        "extended-len-16",
        "extended-len-64",
        "masking-key",
        "payload",
        "close-code",
        "close-reason",
    ] {
        assert!(keys.contains(key), "{key}");
    }
    // A case was shown if the parts of its text between the names occur in a shown text.
    for key in texts::keys().filter(|p| matches!(p.chapter, Chapter::Frame | Chapter::Opcode)) {
        let (text, gloss) = (key.explanation(|_| Some("\0".to_owned())).text, key.gloss(|_| Some("\0".to_owned())));
        let parts: Vec<&str> = text.split('\0').collect();
        let used = seen.iter().any(|(seen, seen_gloss)| {
            parts.iter().all(|part| seen.contains(part)) && (gloss.contains('\0') || *seen_gloss == gloss)
        });
        assert!(used, "{key:?} is never shown");
    }
}

#[test]
fn every_compressed_payload_is_explained_and_every_text_is_used() {
    let mut seen = BTreeSet::new();
    let agreed = [
        None,
        Some(DeflateParams::default()),
        Some(DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: Some(9),
            client_max_window_bits: Some(9),
        }),
    ];
    let flags = [false, true];
    for (params, direction) in agreed.into_iter().flat_map(|p| Direction::BOTH.map(|d| (p, d))) {
        for inflated in [None, Some((1, 0)), Some((12_345_678, 12_345_678)), Some((98_765_432, 1))] {
            for (ends_message, lost) in flags.into_iter().flat_map(|a| flags.map(|b| (a, b))) {
                for failed in flags {
                    let payload_len = 12_345_678;
                    let ctx = DeflateContext { params, direction, payload_len, ends_message, lost, inflated, failed };
                    let words = compressed_payload(&ctx);
                    check(&words);
                    seen.insert(words.text);
                }
            }
        }
    }
    for key in texts::keys().filter(|key| key.chapter == Chapter::Deflate) {
        let text = key.explanation(|_| Some("\0".to_owned())).text;
        let used = seen.iter().any(|seen| text.split('\0').all(|part| seen.contains(part)));
        assert!(used, "{key:?} is never shown");
    }
}

#[test]
fn every_close_code_is_explained() {
    let mut topics = BTreeSet::new();
    for code in 0..=u16::MAX {
        let key = close_topic(CloseCode(code));
        let value = |name: &str| (name == "code").then(|| code.to_string());
        let words = TextKey::new(Chapter::Close, &key, "code").explanation(value);
        check(&words);
        assert!(words.text.starts_with(&code.to_string()), "{}", words.text);
        topics.insert(words.text.replacen(&code.to_string(), "", 1));
        if (1000..=1015).contains(&code) {
            assert!(texts::has_topic(Chapter::Close, &code.to_string()));
            let forbidden = words.text.contains("must not be sent") || words.text.contains("is reserved");
            assert_eq!(forbidden, !CloseCode(code).may_be_sent(), "{}", words.text);
        }
    }
    assert_eq!(topics.len(), texts::keys().filter(|p| p.chapter == Chapter::Close).count());
    for key in texts::keys().filter(|p| p.chapter == Chapter::Close) {
        check_gloss(&key.gloss(|_| None), FRAME_GLOSS);
    }
}

#[test]
fn every_rule_is_explained_and_no_other() {
    for one in Rule::ALL {
        let words = rule(*one);
        assert_ne!(words.text, "", "{} has no text", one.id());
        check(&words);
    }
    let known: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    let written: BTreeSet<_> = texts::rule_ids().collect();
    assert_eq!(known, written);
}

#[test]
fn every_kind_of_record_is_explained_and_no_other() {
    use Kind::{CutFrame, CutHttp, End, Frame, Gap, Junk, Request, Response};
    let kinds = [
        Request,
        Response,
        Frame,
        Gap,
        End(EndReason::Fin),
        End(EndReason::Rst),
        End(EndReason::Capture),
        Junk,
        CutHttp,
        CutFrame,
    ];
    for (kind, direction) in kinds.into_iter().flat_map(|kind| Direction::BOTH.map(|direction| (kind, direction))) {
        check(&record(kind, Loss::Lost, direction));
        check(&record(Gap, Loss::Unread, direction));
        check(&record(Gap, Loss::Unchanged, direction));
    }
    check(&closing_handshake());
    // Two other reasons for a gap, and the closing handshake.
    assert_eq!(kinds.len() + 3, texts::keys().filter(|p| p.chapter == Chapter::Record).count());
}

#[test]
fn every_field_of_a_head_is_explained_and_every_text_is_used() {
    let mut seen = BTreeSet::new();
    for start in [
        "GET /chat HTTP/1.1",
        "GET /chat HTTP/1.0",
        "POST /chat HTTP/1.1",
        "GET http://localhost/chat HTTP/1.1",
        "CONNECT localhost:80 HTTP/1.1",
        "GET",
        "HTTP/1.1 100 Continue",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 302 Found",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 400 Bad Request",
        "HTTP/1.1 401 Unauthorized",
        "HTTP/1.1 403 Forbidden",
        "HTTP/1.1 404 Not Found",
        "HTTP/1.1 418 I'm a teapot",
        "HTTP/1.1 426 Upgrade Required",
        "HTTP/1.1 431",
        "HTTP/1.1 429 Too Many Requests",
        "HTTP/1.1 500",
        "HTTP/1.1 502",
        "HTTP/1.1 503 Later",
        "HTTP/1.1 504",
        "HTTP/1.1 505",
        "HTTP/1.1 x",
    ] {
        for lines in [
            "",
            "Upgrade: websocket",
            "Upgrade: h2c",
            "Connection: Upgrade\r\nUpgrade: websocket",
            "Connection: close\r\nUpgrade: websocket",
            "Connection: close",
            "Connection: keep-alive",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost: localhost\r\nOrigin: http://localhost",
            "Host: ws://example.com/",
            "Sec-WebSocket-Key: x\r\nHost: example.com\r\nOrigin: http://localhost\r\nX-Thing: 1",
            "Sec-WebSocket-Key: x\r\nSec-WebSocket-Key: y\r\nOrigin: null\r\nSec-WebSocket-Thing: 1",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "Sec-WebSocket-Accept: x",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 8, 7",
            "Sec-WebSocket-Protocol: chat",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Extensions: foo",
            "Content-Length: 4",
            "Content-Length: four",
            "Transfer-Encoding: chunked",
            "X-Thing: 1\r\nSec-Fetch-Site: none\r\nSec-CH-UA: x",
            "no colon",
            "X : 1",
            "X: 1\r\n 2",
            "X: \0",
            "Cookie: a=b\r\nAuthorization: Basic x\r\nUser-Agent: x\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\
             Accept-Language: en\r\nCache-Control: no-cache\r\nPragma: no-cache\r\nContent-Type: text/html\r\nDate: x\r\n\
             Server: x\r\nSet-Cookie: a=b\r\nProxy-Authorization: x\r\nWWW-Authenticate: Basic\r\nReferer: x\r\n\
             Content-Encoding: gzip\r\nContent-Security-Policy: x\r\nX-Content-Type-Options: nosniff\r\nLocation: /\r\n\
             ETag: x\r\nLast-Modified: x\r\nVary: x\r\nUpgrade-Insecure-Requests: 1\r\nProxy-Connection: x\r\nProxy-Status: x",
        ] {
            let long = lines.replace(": x", &format!(": {}", "x".repeat(200)));
            for lines in [lines, &long] {
                let break_ = if lines.is_empty() { "" } else { "\r\n" };
                let wire = format!("{start}\r\n{lines}{break_}\r\nbody");
                let head = Head::read(wire.as_bytes());
                for mut field in head.fields(wire.len() as u64) {
                    check(&http_field(&head, &field));
                    check_gloss(&http_gloss(&head, &field), HTTP_GLOSS);
                    seen.extend(super::http::choose(&head, &field));
                    field.id = FieldId::Opaque;
                    seen.extend(super::http::choose(&head, &field));
                }
            }
        }
    }
    let written: BTreeSet<_> = texts::keys().filter(|p| matches!(p.chapter, Chapter::Http | Chapter::Header)).collect();
    let unused: Vec<_> = written.difference(&seen).collect();
    assert!(unused.is_empty(), "never shown: {unused:?}");
    let missing: Vec<_> = seen.difference(&written).collect();
    assert!(missing.is_empty(), "not written: {missing:?}");
}
