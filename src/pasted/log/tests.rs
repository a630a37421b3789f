use super::*;
use crate::pasted::conversation::Piece;

const HELLO: &[u8] = b"\x81\x05Hello";
/// "Hello" masked, as in RFC 6455 §5.7.
const MASKED: &str = "81 85 37 fa 21 3d 7f 9f 4d 51 58";

fn found(text: &str) -> Pasted {
    match read(text) {
        Some(Ok(pasted)) => pasted,
        other => panic!("{other:?}\n{text}"),
    }
}

/// The direction and the length of each piece; nothing if the directions are unknown.
fn directions(text: &str) -> Vec<(&'static str, usize)> {
    let piece = |piece: &Piece| (piece.direction.name(), piece.bytes.len());
    match found(text).content {
        Content::Conversation(conversation) => conversation.pieces.iter().map(piece).collect(),
        Content::Bytes(_) => Vec::new(),
    }
}

fn error(text: &str) -> PasteError {
    read(text).expect("a log").expect_err(text)
}

#[test]
fn one_line_or_lines_of_one_direction_are_frames() {
    for text in [
        "recv: 81 05 48 65 6c 6c 6f",
        "12:00 81 05 48 65 6c 6c 6f",
        "2026-11-26 12:00:01 DEBUG frame=810548656c6c6f",
        "RX 7 bytes:\n81 05 48 65 6c 6c 6f",
        "RX: 81 05 48 65\n    6c 6c\n    6f",
        "RX 07\n81 05 48 65 6c 6c 6f",
        "recv: 81 05\nrecv: 48 65 6c 6c\nrecv: 6f",
        "RX:\n  payload: 81 05 48 65 6c 6c 6f",
        "[1] read 81 05 48\n[2] read 65 6c 6c 6f\n",
        r#"read(3, "\201\5He", 4096) = 4"#,
    ] {
        let bytes = found(text).content.bytes();
        assert!(HELLO.starts_with(&bytes) && bytes.len() >= 4, "{text}: {bytes:x?}");
    }
    assert_eq!(
        found("opened\n> 81 05 48 65 6c 6c 6f\n\nclosed").remark,
        Some(Remark::Lines { ignored: 2, is_shortened: false })
    );
    assert_eq!(found("recv: 89 00").remark, None);
    let shortened = Some(Remark::Lines { ignored: 0, is_shortened: true });
    assert_eq!(found("recv <Buffer 81 7e 00 7f 48 ... 77 more bytes>").remark, shortened);
    assert_eq!(found("recv: 81 7e 00 7f 48 ...").remark, shortened);
}

#[test]
fn two_directions_are_known_if_the_bytes_show_the_client() {
    let expected = [("c2s", 11), ("s2c", 7)];
    let hello = "81 05 48 65 6c 6c 6f";
    for (sent, received) in [
        ("[12:00:01] TX", "[12:00:02] RX"),
        ("send:", "recv:"),
        (">", "<"),
        ("->", "<-"),
        ("12:00:01.250 DEBUG >>>", "12:00:01.250 DEBUG <<<"),
        ("OUT", "IN"),
        ("client -> server:", "server -> client:"),
        ("10.0.0.1:5000 > 10.0.0.2:80:", "10.0.0.2:80 > 10.0.0.1:5000:"),
        ("client:", "server:"),
        ("C:", "S:"),
        ("c2s", "s2c"),
        ("conn 7 write 11 bytes:\n", "conn 7 read 7 bytes:\n"),
    ] {
        assert_eq!(directions(&format!("{sent} {MASKED}\n{received} {hello}\n")), expected, "{sent}");
        // The log of the server.
        assert_eq!(directions(&format!("{received} {MASKED}\n{sent} {hello}\n")).len(), 2, "{sent}");
    }
    let strace = r#"
sendto(3, "\201\2057\372!=\177\237MQX", 11, MSG_NOSIGNAL, NULL, 0) = 11
recvfrom(3, "\201\5", 4096, 0, NULL, NULL) = 2
recvfrom(3, "Hello", 4096, 0, NULL, NULL) = 5
"#;
    assert_eq!(directions(strace), [("c2s", 11), ("s2c", 2), ("s2c", 5)]);
}

#[test]
fn without_proof_mask_gives_the_direction() {
    assert_eq!(directions("send: 89 00\nrecv: 8a 00"), []);
    assert_eq!(found("send: 89 00\nrecv: 8a 00").content, Content::Bytes(vec![0x89, 0, 0x8a, 0]));
    // A client that does not mask is one only if the log says so.
    assert_eq!(directions("c2s 89 00\ns2c 8a 00"), [("c2s", 2), ("s2c", 2)]);
    assert_eq!(directions("c2s 89 00"), [("c2s", 2)]);
}

#[test]
fn what_is_uncertain_is_refused_with_its_line() {
    for (text, line) in [
        ("recv: 89 00\n81 05\nseq=12 81 05 48 65 6c 6c 6f", 3),
        ("send: 89 00\nframe: 8a 00", 2),
        ("send: 81 05 48\nrecv: 8a 00", 1),
        ("recv: 81 7e 01 00 48 ...\nrecv: 89 00", 1),
        ("send 8900 recv 8a00", 1),
        ("Frame(fin=True, opcode=1, data=b'Hello')", 1),
        ("recv: 89 00\nsend: 48 65 6c 6c 6f", 2),
        ("received b'ABC'", 1),
        ("read(3, \"\\x89\\0\", 9) = 2\nread(4, \"\\x89\\0\", 9) = 2", 2),
        ("recv: 81 7e 01 00 48\nrecv: 31323334", 2),
        ("recv: 00000000 81 7e 01 00 48", 1),
        ("recv: 81 05 48 65 6c 6c 6f\nrecv: 02 89 00", 2),
    ] {
        let PasteError::Log { line: found, .. } = error(text) else { panic!("{}", error(text)) };
        assert_eq!(found, line, "{text}");
    }
    let place = Place { line: 2, character: 10 };
    assert_eq!(
        error("recv: 89 00\nrecv: 129 5 72 101 108 108 111").to_string(),
        PasteError::HexOrDecimal { place: Place { character: 7, ..place }, group: "129".to_owned() }.to_string()
    );
    for text in
        ["see commit deadbeef12", "{\"a\":1}|^", "connected", "id 81 05 48", "call 0612345678", "add 1024 bytes", ""]
    {
        assert!(read(text).is_none(), "{text}: {:?}", read(text));
    }
}
