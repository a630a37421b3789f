//! The language, and what it selects.

use proptest::prelude::*;

use super::*;
use crate::capture::live::recorder::{Chunk, Recorder};
use crate::capture::live::spool::Spool;
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::Capture;
use crate::proto::dissected::Direction::{self, ClientToServer, ServerToClient};
use crate::proto::time::Time;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// Expressions in their canonical form.
const CANONICAL: [&str; 26] = [
    "op == ping",
    "op in {ping pong 3}",
    "op != 12",
    "dir == c2s",
    "len > 65536",
    "len in {0 125 126..65535}",
    "time >= 3.5s",
    "time < 0.000000001s",
    "fin",
    "not fin",
    "websocket.fin",
    "mask == false",
    "text contains \"echo \\\"1\\\" \\\\ \\u{1b}\\n\"",
    "text matches \"^echo \\\\d+$\"",
    "bytes contains 81:05",
    "bytes contains \"GET /\"",
    "websocket.masking_key == 37:fa:21:3d",
    "close.code in {1000..1003 1011}",
    "close.code",
    "finding == masking-key-zero",
    "finding >= warning",
    "finding contains \"mask\"",
    "path == \"/ticker\" or host contains \"local\"",
    "(op == text or op == binary) and not (len > 5 and fin)",
    "not not (type == request or websocket)",
    "tcp.stream == 0 and no > 3 and conn in {1 2}",
];

#[test]
fn an_expression_prints_as_it_is_read() {
    for text in CANONICAL {
        let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(filter.to_string(), text);
        assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter));
    }
}

#[test]
fn other_spellings_mean_the_same() {
    for (typed, canonical) in [
        ("websocket.opcode==0x9&&!(tcp.stream eq 0)", "op == ping and not tcp.stream == 0"),
        ("len>64KiB", "len > 65536"),
        ("len >= 1.5kB", "len >= 1500"),
        ("time gt 250ms || time<.5s", "time > 0.25s or time < 0.5s"),
        ("time > 2min", "time > 120s"),
        ("op in {ping, pong}", "op in {ping pong}"),
        ("fin == 1 and fin == false", "fin and fin == false"),
        ("bytes contains 0x8105", "bytes contains 81:05"),
        ("bytes contains 81-05", "bytes contains 81:05"),
        ("path == /ticker", "path == \"/ticker\""),
        ("text ~ 'a\\d'", "text matches \"a\\\\d\""),
        ("((fin) or mask) or rsv1", "fin or mask or rsv1"),
        ("websocket.mask == 1", "mask"),
        ("op = ping and len=3", "op == ping and len == 3"),
        ("http.host == localhost:6455", "host == \"localhost:6455\""),
    ] {
        assert_eq!(Filter::parse(typed).map(|f| f.to_string()).as_deref(), Ok(canonical), "{typed}");
    }
}

#[test]
fn an_error_points_at_the_wrong_word() {
    for (text, word, says) in [
        ("", "", "expected a field"),
        ("opcod == 9", "opcod", "did you mean op?"),
        ("fin and opcode == 9", "opcode", "did you mean op?"),
        ("op == pin", "pin", "did you mean ping?"),
        ("op == 16", "16", "4 bits"),
        ("op ==", "", "expected a value for op"),
        ("op == ping = 3", "=", "one =="),
        ("fin & mask", "&", "write &&"),
        ("len > big", "big", "64KiB"),
        ("time > 3.5.1s", "3.5.1s", "250ms"),
        ("dir == up", "up", "c2s"),
        ("dir < c2s", "<", "no order"),
        ("op contains 3", "contains", "has no parts"),
        ("text matches \"(\"", "\"(\"", "unclosed group"),
        ("text matches \"(a{1000}){1000}\"", "\"(a{1000}){1000}\"", "too large"),
        ("text contains \"abc", "\"abc", "no end"),
        ("(fin or mask", "(", "never closed"),
        ("fin) or mask", ")", "no ("),
        ("fin mask", "mask", "expected and, or, or the end"),
        ("op in ping", "ping", "expected a set"),
        ("op in {}", "}", "empty"),
        ("finding == mask-key-zero", "mask-key-zero", "did you mean masking-key-zero?"),
        ("finding > masking-key-zero", "masking-key-zero", "no order"),
        ("bytes contains 8", "8", "pairs of hex digits"),
        ("websocket == 1", "==", "has no value"),
        ("frame.number == 3", "frame.number", "no counts records"),
        ("fin and", "", "something is missing"),
        ("text contains and", "and", "in quotes"),
        ("größe > 3", "größe", "no such field"),
    ] {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!(&text[error.span.clone()], word, "{text}: {error}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    let error = Filter::parse("fin and opcode == 9").expect_err("no field");
    assert_eq!(error.carets(), ["fin and opcode == 9", "        ^^^^^^"]);
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for text in ["(".repeat(4000), "not ".repeat(1000), "!".repeat(4000), "(".repeat(70) + "fin" + &")".repeat(70)] {
        assert!(Filter::parse(&text).expect_err("deep").to_string().contains("too deep"), "{text}");
    }
    assert!(Filter::parse(&format!("{}fin", "fin or ".repeat(1000))).is_err());
    assert!(Filter::parse(&format!("{}fin", "fin or ".repeat(500))).is_ok());
}

proptest! {
    #[test]
    fn nothing_that_is_typed_panics(text in any::<String>()) {
        if let Err(error) = Filter::parse(&text) {
            let _ = error.carets();
        }
        let _ = complete(&text);
    }

    #[test]
    fn words_of_the_language_in_any_order_do_not_panic_and_print_back(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..12)
    ) {
        let text = words.join(" ");
        if let Ok(filter) = Filter::parse(&text) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed).map(|f| f.to_string()), Ok(printed));
        }
        let _ = complete(&text);
    }

    #[test]
    fn what_is_joined_prints_back(
        parts in prop::collection::vec((0..CANONICAL.len(), any::<bool>(), 0..3u8), 1..9)
    ) {
        let mut text = String::new();
        for (i, (part, all, around)) in parts.iter().enumerate() {
            let join = if *all { " and " } else { " or " };
            if i > 0 { text.push_str(join); }
            text.push_str(CANONICAL[*part]);
            text = match around { 0 => text, 1 => format!("({text})"), _ => format!("not ({text})") };
        }
        let filter = Filter::parse(&text).expect("sound");
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }
}

const WORDS: [&str; 30] = [
    "op",
    "len",
    "fin",
    "text",
    "bytes",
    "finding",
    "path",
    "time",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "{",
    "}",
    "(",
    ")",
    "and",
    "or",
    "not",
    "contains",
    "matches",
    "ping",
    "81:05",
    "3s",
    "\"a\\\"b\"",
    "1..3",
    "error",
    "&&",
    "websocket.fin",
];

/// A conversation: 1 request, 2 response, 3 text `echo 0` down, 4 masked text up, 5 ping up with a zero key, 6 pong down,
/// 7 binary down, 8 Close up.
fn capture() -> (tempfile::TempDir, Recorder) {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("an address");
    let connection = recorder.connection(address, address);
    let say = |direction: Direction, millis: u64, bytes: &[u8]| {
        connection.record(&[Chunk { direction, time: Time(millis * 1_000_000), bytes }]);
    };
    let frame = |opcode, key, payload: &[u8]| {
        let mut wire = Vec::new();
        FrameHead::new(true, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
        wire
    };
    say(
        ClientToServer,
        1000,
        b"GET /ticker?x=1 HTTP/1.1\r\nHost: localhost:6455\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    say(
        ServerToClient,
        1001,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    say(ServerToClient, 2000, &frame(Opcode::Text, None, b"echo 0"));
    say(ClientToServer, 2500, &frame(Opcode::Text, Some([0x37, 0xfa, 0x21, 0x3d]), "client: größer".as_bytes()));
    say(ClientToServer, 3000, &frame(Opcode::Ping, Some([0; 4]), b"beat"));
    say(ServerToClient, 3001, &frame(Opcode::Pong, None, b"beat"));
    say(ServerToClient, 4000, &frame(Opcode::Binary, None, &[7; 300]));
    say(ClientToServer, 6000, &frame(Opcode::Close, Some([1, 2, 3, 4]), b"\x03\xe8bye"));
    drop(connection);
    (folder, recorder)
}

fn selected(capture: &Capture, text: &str) -> Vec<u64> {
    let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut selection = SelectedRecords::default();
    assert!(FilterEvaluator::new(&filter, capture).extend(&mut selection, |_| true).expect("read"));
    assert_eq!(selection.looked_at(), capture.len());
    let mut evaluator = FilterEvaluator::new(&filter, capture);
    let one_by_one: Vec<u64> = capture
        .records(1..capture.len() + 1)
        .iter()
        .filter(|record| evaluator.passes(record).expect("read"))
        .map(|record| record.no)
        .collect();
    let all: Vec<u64> = selection.numbers().collect();
    assert_eq!(all, one_by_one, "{text}");
    all
}

#[test]
fn a_filter_selects() {
    let (_folder, recorder) = capture();
    let capture = recorder.capture();
    let frames = [3, 4, 5, 6, 7, 8];
    let all: Vec<u64> = (1..=capture.len()).collect();
    for (text, expected) in [
        ("op == ping", vec![5]),
        ("websocket.opcode == 9", vec![5]),
        ("op in {ping pong}", vec![5, 6]),
        ("dir == c2s and websocket", vec![4, 5, 8]),
        ("type == request or http.response", vec![1, 2]),
        ("no in {2..3}", vec![2, 3]),
        ("tcp.stream == 0 and no < 3", vec![1, 2]),
        ("status == 101", vec![2]),
        ("close.code == 1000", vec![8]),
        ("close.code", vec![8]),
        ("mask", vec![4, 5, 8]),
        ("len == 300", vec![7]),
        ("websocket.payload_length == 126", vec![7]),
        ("time > 1.5s and op != close", vec![5, 6, 7]),
        ("text == \"echo 0\"", vec![3]),
        ("text contains \"größer\"", vec![4]),
        ("text matches \"^(ECHO|client)\"", vec![3, 4]),
        ("text == bye", vec![8]),
        ("bytes contains 81:06", vec![3]),
        ("bytes contains \"client: \"", vec![4]),
        ("bytes contains \"HTTP/1.1\"", vec![1, 2]),
        ("bytes matches \"^client\"", vec![4]),
        ("websocket.payload == \"beat\"", vec![5, 6]),
        ("websocket.masking_key == 37:fa:21:3d", vec![4]),
        ("finding == masking-key-zero", vec![5]),
        ("finding >= warning", vec![5]),
        ("path == /ticker and op == text", vec![3, 4]),
        ("path == /ticker and not websocket", all.iter().copied().filter(|no| !frames.contains(no)).collect()),
        ("host contains localhost and type == response", vec![2]),
        ("message == 1 and dir == s2c", vec![3]),
        ("compressed or rsv1", vec![]),
    ] {
        assert_eq!(selected(capture, text), expected, "{text}");
    }
}

#[test]
fn a_field_that_a_record_lacks_selects_it_in_no_comparison_and_no_negation() {
    let (_folder, recorder) = capture();
    let capture = recorder.capture();
    let all: Vec<u64> = (1..=capture.len()).collect();
    for (text, expected) in [
        ("not (len > 5)", vec![5, 6, 8]),
        ("len <= 5", vec![5, 6, 8]),
        ("len != 300", vec![3, 4, 5, 6, 8]),
        ("not (len == 300)", vec![3, 4, 5, 6, 8]),
        ("not fin", vec![]),
        ("not mask", vec![3, 6, 7]),
        ("close.code != 1000", vec![]),
        ("not (op == ping or dir == s2c)", vec![4, 8]),
        ("not (op == ping and dir == c2s) and no < 3", vec![2]),
        ("finding != masking-key-zero and websocket", vec![]),
        ("not websocket.fin and no < 4", vec![1, 2]),
        ("not close.code and no > 6 and websocket", vec![7]),
        ("not (text contains echo)", vec![4, 5, 6, 8]),
        ("not text and websocket", vec![7]),
    ] {
        assert_eq!(selected(capture, text), expected, "{text}");
    }
    let clean = selected(capture, "not finding");
    let found = selected(capture, "finding");
    let mut both = [clean, found].concat();
    both.sort_unstable();
    assert_eq!(both, all);
}

#[test]
fn a_selection_grows_with_the_capture_and_stops_when_told() {
    let (_folder, recorder) = capture();
    let capture = recorder.capture();
    let filter = Filter::parse("text contains e").expect("sound");
    assert!(filter.reads_bytes());
    let (mut evaluator, mut selection) = (FilterEvaluator::new(&filter, capture), SelectedRecords::default());
    assert!(!evaluator.extend(&mut selection, |looked| looked < 4).expect("read"));
    assert_eq!(selection.looked_at(), 4);
    assert!(evaluator.extend(&mut selection, |_| true).expect("read"));
    let before = selection.len();
    let address = "127.0.0.1:1".parse().expect("an address");
    let connection = recorder.connection(address, address);
    connection.record(&[Chunk { direction: ClientToServer, time: Time(1), bytes: b"GET / HTTP/1.1\r\n\r\n" }]);
    assert!(evaluator.extend(&mut selection, |_| true).expect("read"));
    assert_eq!((selection.len(), selection.looked_at()), (before, capture.len()));
}

#[test]
fn what_can_come_next_is_offered() {
    for (text, from, first) in [
        ("", 0, "op"),
        ("cl", 0, "close.code"),
        ("op ", 3, "=="),
        ("op == p", 6, "ping"),
        ("op in {ping p", 12, "ping"),
        ("fin and ty", 8, "type"),
        ("finding == masking-key-z", 11, "masking-key-zero"),
        ("op == ping ", 11, "and"),
        ("websocket.op", 0, "websocket.opcode"),
    ] {
        let completion = complete(text);
        assert_eq!((completion.from, completion.words.first().copied()), (from, Some(first)), "{text}");
    }
    assert!(complete("text contains \"op").words.is_empty());
}
