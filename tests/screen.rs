//! The screen: keys go in, what stands there comes out. No terminal is needed.

mod support;

use framescope::capture::search::Toward;
use framescope::tui::app::overlay::Overlay;
use framescope::tui::app::{Effect, Panel};
use framescope::tui::event::Report;
use framescope::wire::opcode::Opcode;
use support::{DOWN, Screen, UP, Wire, frame};

const SIZES: [(u16, u16); 5] = [(120, 36), (80, 24), (200, 60), (60, 20), (40, 10)];

fn ticker() -> Wire {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    wire
}

#[test]
fn an_empty_capture_says_what_to_do() {
    let wire = Wire::new();
    for size in SIZES {
        let screen = Screen::live(&wire, size);
        let text = screen.text();
        assert!(text.contains("http://127.0.0.1:6455/"), "{size:?}\n{text}");
        assert!(text.contains("o  opens it") && text.contains("d  starts a demo client"), "{size:?}\n{text}");
    }
}

#[test]
fn at_80_by_24_list_bits_and_bytes_stand() {
    let wire = ticker();
    let screen = Screen::live(&wire, (80, 24));
    let text = screen.text();
    assert!(text.contains("client: echo 2") && text.contains("opcode") && text.contains("0000  81 8e"), "{text}");
}

#[test]
fn it_follows_until_the_cursor_moves_and_counts_what_is_new() {
    let mut wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    assert_eq!(screen.app.cursor, 8);
    assert!(screen.text().contains("following"));
    screen.press(&["up"]);
    wire.ticks(2);
    screen.app.refresh();
    assert_eq!(screen.app.cursor, 7, "the place is held");
    assert!(screen.text().contains("+4 new"));
    screen.press(&["G"]);
    assert_eq!(screen.app.cursor, 12);
    wire.ticks(1);
    screen.app.refresh();
    assert_eq!(screen.app.cursor, 14);
    screen.press(&["space"]);
    wire.ticks(1);
    screen.app.refresh();
    assert_eq!(screen.app.cursor, 14);
}

#[test]
fn one_selection_joins_field_and_byte() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    let field = |screen: &Screen| {
        let detail = screen.app.detail.as_ref().expect("a record");
        detail.field_of_row(screen.app.row).expect("a field").name.clone()
    };
    assert_eq!(field(&screen), "FIN");
    screen.press(&["right", "right", "right", "right"]);
    assert_eq!((field(&screen).as_str(), screen.app.byte), ("opcode", 0));
    screen.press(&["right", "right", "right"]);
    assert_eq!((field(&screen).as_str(), screen.app.byte), ("masking key", 2));
    screen.press(&["right"]);
    assert_eq!((field(&screen).as_str(), screen.app.byte), ("payload", 6));
    // The byte cursor leads the field.
    screen.press(&["tab", "tab"]);
    assert_eq!(screen.app.focus, Panel::Bytes);
    screen.press(&["left"]);
    assert_eq!((field(&screen).as_str(), screen.app.byte), ("masking key", 5));
    screen.press(&["home"]);
    assert_eq!(screen.app.byte, 0);
    screen.press(&["end"]);
    assert_eq!((field(&screen).as_str(), screen.app.byte), ("payload", 19));
    screen.press(&["right", "down"]);
    assert_eq!(screen.app.byte, 19, "the end is the end");
    // Another record keeps the field.
    screen.press(&["backtab", "backtab", "up", "up"]);
    assert_eq!(field(&screen), "payload");
}

#[test]
fn a_payload_byte_shows_how_it_is_unmasked() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["tab", "tab", "tab", "right", "right", "right"]);
    let text = screen.text();
    assert!(text.contains("payload byte 3 of 14 ─ RFC 6455 §5.3"), "{text}");
    assert!(!screen.lines_with("65   0110 0101   e").is_empty(), "{text}");
    assert!(!screen.lines_with("key[3]").is_empty(), "{text}");
}

#[test]
fn a_handshake_shows_requirements_and_the_accept_key() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["g", "down"]);
    let text = screen.text();
    for part in [
        "✓ status 101 Switching Protocols",
        "✓ Sec-WebSocket-Accept",
        "258EAFA5-E914-47DA-95CA-",
        "C5AB0DC85B11",
        "b3 7a 4f 2c c0 62 4f 16 90 f6",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "=  received ✓",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    screen.press(&["up"]);
    assert_eq!(screen.lines_with("✓ ").len(), 9, "{}", screen.text());
}

#[test]
fn findings_are_shown_first_and_jumped_to() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Text, None, b"not masked"));
    wire.ticks(2);
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["["]);
    assert_eq!(screen.app.cursor, 9);
    let text = screen.text();
    assert!(text.contains("✗ a client must mask every frame; MASK is 0 · RFC 6455 §5.1"), "{text}");
    let row = screen.app.row;
    assert_eq!(screen.app.detail.as_ref().and_then(|d| d.field_of_row(row)).map(|f| f.name.as_str()), Some("MASK"));
    screen.press(&["]"]);
    assert!(screen.text().contains("no finding after this record"));
}

#[test]
fn a_finding_hides_neither_another_finding_nor_the_fields_nor_the_xor() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Pong, Some([0; 4]), b"x"));
    let mut screen = Screen::live(&wire, (120, 36));
    let text = screen.text();
    assert!(text.contains("the masking key is zero") && text.contains("a pong that answers no ping"), "{text}");
    assert!(text.contains("FIN ─ RFC 6455 §5.5") && text.contains("1, as in every control frame"), "{text}");
    screen.press(&["tab", "tab", "tab"]);
    let text = screen.text();
    assert!(text.contains("payload byte 0 of 1") && text.contains("key[0]") && text.contains("2 findings"), "{text}");
}

#[test]
fn partners_are_a_key_away() {
    let mut wire = Wire::upgraded();
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"p"));
    wire.ticks(1);
    wire.say(UP, &frame(true, Opcode::Pong, Some([1, 2, 3, 4]), b"p"));
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"one "));
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b""));
    wire.say(DOWN, &frame(false, Opcode::Continuation, None, b"two "));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"three"));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["p"]);
    assert_eq!(screen.app.cursor, 7, "from the last fragment to the first");
    screen.press(&["p"]);
    assert_eq!(screen.app.cursor, 9);
    screen.press(&["g", "p"]);
    assert_eq!(screen.app.cursor, 2, "the response");
    screen.press(&["down", "p"]);
    assert_eq!(screen.app.cursor, 6, "the pong");
    screen.press(&["p"]);
    assert_eq!(screen.app.cursor, 3, "the ping");
    screen.press(&["down", "p"]);
    assert!(screen.text().contains("no partner"));
}

#[test]
fn text_and_bytes_are_found() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    let find = |screen: &mut Screen| {
        let Some(Effect::Find { pattern, from, toward, .. }) = screen.app.effects.pop() else { panic!("a search") };
        let (looked, cancel) = Default::default();
        let hit = framescope::capture::search::find(&screen.app.capture, &pattern, from, toward, &looked, &cancel);
        screen.app.report(Report::Found(hit));
        hit.map(|hit| (hit.no, hit.byte))
    };
    screen.press(&["/"]).type_text("CLIENT: echo 1").press(&["enter"]);
    assert_eq!(find(&mut screen), Some((6, 6)));
    assert_eq!((screen.app.cursor, screen.app.byte), (6, 6));
    screen.press(&["n"]);
    assert_eq!(find(&mut screen), Some((6, 6)), "all around, to itself");
    screen.press(&["/"]).type_text("x 81 06").press(&["enter"]);
    assert_eq!(find(&mut screen), Some((7, 0)));
    screen.press(&["N"]);
    assert!(matches!(screen.app.effects.last(), Some(Effect::Find { toward: Toward::Earlier, .. })));
    assert_eq!(find(&mut screen), Some((5, 0)));
    screen.press(&["/"]).type_text("no such thing").press(&["enter"]);
    assert_eq!(find(&mut screen), None);
    assert!(screen.text().contains("not found"));
    screen.press(&["/"]).type_text("\"x 81\"").press(&["enter"]);
    assert_eq!(find(&mut screen), None, "text that begins like bytes");
    screen.press(&["/"]).type_text("x 8").press(&["enter"]);
    assert!(screen.text().contains("not hex"), "{}", screen.text());
}

#[test]
fn copying_offers_what_the_record_has() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    let copied = |screen: &mut Screen, key: &str| {
        screen.press(&["y", key]);
        match screen.app.effects.pop() {
            Some(Effect::Copy(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copied(&mut screen, "p"), "client: echo 2");
    assert_eq!(copied(&mut screen, "x"), hex::encode("client: echo 2"));
    assert_eq!(copied(&mut screen, "f"), "1", "the field is FIN");
    assert!(copied(&mut screen, "r").starts_with("818e37fa21"));
    screen.press(&["y", "esc"]);
    assert!(screen.app.overlay.is_none() && screen.app.effects.is_empty());
}

/// To the record with that number.
fn go_to(screen: &mut Screen, no: u64) {
    screen.press(&["g"]);
    for _ in 1..no {
        screen.press(&["down"]);
    }
    assert_eq!(screen.app.cursor, no);
}

#[test]
fn a_compressed_message_stands_inflated_below_its_bytes() {
    for size in [(120, 36), (80, 24), (200, 60)] {
        let mut screen = Screen::sample("deflate", size);
        go_to(&mut screen, 3);
        let text = screen.text();
        assert!(text.contains("Unmasked payload ─ 7 bytes, compressed"), "{size:?}\n{text}");
        let words = if size.0 == 80 { "5 bytes, from 7 (140 %)" } else { "5 bytes of text, from 7 (140 %)" };
        assert!(text.contains(&format!("Inflated ─ {words}")), "{size:?}\n{text}");
        assert!(!screen.lines_with("0000  48 65 6c 6c 6f").is_empty(), "{size:?}\n{text}");
    }
    let mut screen = Screen::sample("deflate", (120, 36));
    go_to(&mut screen, 3);
    screen.press(&["right"; 8]);
    let text = screen.text();
    assert!(text.contains("agreed: permessage-deflate; server_max_window_bits=12"), "{text}");
    assert!(text.contains("7 bytes of DEFLATE data, inflated 5 bytes (140 %). Context takeover: it may"), "{text}");
    screen.press(&["down"]);
    assert!(screen.text().contains("within 4,096 bytes (12 window bits)"), "{}", screen.text());
}

#[test]
fn only_the_last_fragment_shows_what_they_inflate_to() {
    let mut screen = Screen::sample("deflate", (120, 36));
    let records = screen.app.capture.records(1..99);
    let first = records.iter().find(|record| record.compressed && !record.fin()).expect("a fragment").no;
    go_to(&mut screen, first);
    assert!(screen.text().contains("Inflated ─ on the message's last frame"), "{}", screen.text());
    screen.press(&["tab", "tab", "tab"]);
    assert_eq!(screen.app.focus, Panel::Payload);
    screen.press(&["tab"]);
    assert_eq!(screen.app.focus, Panel::List, "there is nothing to enter");
    let last =
        records.iter().find(|record| record.compressed && record.fin() && record.no > first).expect("the end").no;
    go_to(&mut screen, last);
    let text = screen.text();
    assert!(text.contains("of text, from ") && text.contains("Row, row, row yo"), "{text}");
    // The panel scrolls with its own cursor.
    screen.press(&["tab", "tab", "tab", "tab"]);
    assert_eq!(screen.app.focus, Panel::Inflated);
    let byte = screen.app.byte;
    screen.press(&["right", "down", "end"]);
    let len = screen.app.inflated().expect("inflated").bytes.len() as u64;
    assert_eq!((screen.app.inflated_at, screen.app.byte), (len - 1, byte));
    assert!(screen.text().contains("fragments joined are"), "{}", screen.text());
    screen.press(&["pgup", "home", "\\"]);
    assert_eq!(screen.app.inflated_at, 0);
    assert!(screen.text().contains("Row, row, row yo"), "{}", screen.text());
    screen.press(&["y", "i"]);
    let Some(Effect::Copy(text)) = screen.app.effects.pop() else { panic!("a copy") };
    assert!(text.starts_with("Row, row") && text.ends_with('✓'));
}

#[test]
fn what_cannot_be_inflated_says_why() {
    let mut wire = Wire::new();
    let with = |head: &str| head.replacen("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1);
    wire.say(UP, with(support::REQUEST).as_bytes());
    wire.say(DOWN, with(support::RESPONSE).as_bytes());
    for _ in 0..2 {
        let mut broken = frame(true, Opcode::Text, None, &[0x07, 0xff, 0xff]);
        broken[0] |= 0x40;
        wire.say(DOWN, &broken);
    }
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["right"; 7]);
    let text = screen.text();
    assert!(
        text.contains("Inflated ─ impossible: its context is lost") && text.contains("cannot be inflated: an ea"),
        "{text}"
    );
    screen.press(&["up"]);
    let text = screen.text();
    assert!(text.contains("Inflated ─ 0 bytes, then no further"), "{text}");
    assert!(text.contains("✗ the compressed message cannot be inflated"), "{text}");
}

#[test]
fn a_long_compressed_message_is_inflated_beside_the_screen() {
    use framescope::proto::deflate::Deflater;
    use framescope::tui::app::inflated::Unpacked;
    let mut wire = Wire::new();
    let with = |head: &str| head.replacen("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1);
    wire.say(UP, with(support::REQUEST).as_bytes());
    wire.say(DOWN, with(support::RESPONSE).as_bytes());
    let mut payload = Vec::new();
    Deflater::new(15, true).message(&vec![b'a'; 17 << 20], &mut payload);
    let mut long = frame(true, Opcode::Text, None, &payload);
    long[0] |= 0x40;
    wire.say(DOWN, &long);
    let mut screen = Screen::live(&wire, (120, 36));
    assert!(screen.text().contains("Inflated ─ a long message, in a moment"), "{}", screen.text());
    let Some(Effect::Inflate(no)) = screen.app.effects.pop() else { panic!("it is asked for") };
    screen.press(&["up", "down"]);
    assert!(screen.app.effects.is_empty(), "once is enough");
    screen.app.report(Report::Inflated(no, Unpacked::load_long(&screen.app.capture, no)));
    assert!(screen.text().contains("Inflated ─ 17,825,792 bytes of text, from"), "{}", screen.text());
    assert_eq!(screen.app.inflated().map(|inflated| inflated.bytes.len()), Some(16 << 20));
}

#[test]
fn export_asks_for_scope_format_and_path() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["m", "up", "up", "m", "e"]);
    let text = screen.text();
    assert!(text.contains("record 6") && text.contains("2 marked") && text.contains("all 8"), "{text}");
    assert!(text.contains("marked.pcapng"), "{text}");
    screen.press(&["down", "right"]);
    assert!(screen.text().contains("marked.ndjson"), "the suggestion follows the format");
    screen.press(&["enter"]);
    let Some(Effect::Export(request)) = screen.app.effects.pop() else { panic!("an export") };
    assert_eq!((request.records.as_deref(), request.format, request.force), (Some(&[6, 8][..]), "ndjson", false));
    screen.app.report(Report::Exists(request));
    assert!(screen.text().contains("marked.ndjson exists."), "{}", screen.text());
    screen.press(&["r"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(request)) if request.force));
    screen.app.report(Report::Wrote("wrote 2 records".to_owned()));
    assert!(screen.text().contains("✓ wrote 2 records"));
}

#[test]
fn notes_stand_on_their_record() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["a"]).type_text("look here").press(&["enter"]);
    assert_eq!(wire.recorder.capture().note(8).as_deref(), Some("look here"));
    assert!(!screen.lines_with("✎ look here").is_empty());
}

#[test]
fn quitting_asks_when_records_would_be_lost() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["q"]);
    assert!(screen.text().contains("8 records in this capture are not saved"), "{}", screen.text());
    screen.press(&["esc"]);
    assert!(screen.app.effects.is_empty());
    screen.press(&["q", "s"]);
    assert!(matches!(screen.app.overlay, Some(Overlay::Prompt(_))));
    screen.press(&["enter"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(request)) if request.records.is_none()));
    screen.app.report(Report::Said("the demo client has closed its connection".to_owned()));
    assert!(screen.app.effects.is_empty(), "what others say does not end it");
    screen.app.report(Report::Wrote("saved".to_owned()));
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Quit)));
    screen.press(&["ctrl-c"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Quit)));
}

#[test]
fn help_lists_every_binding() {
    let wire = ticker();
    for size in [(120, 36), (80, 24)] {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["?"]);
        let mut text = screen.text();
        for _ in 0..3 {
            screen.press(&["pgdn"]);
            text.push_str(&screen.text());
        }
        for binding in screen.app.keymap.groups.iter().flat_map(|group| &group.bindings) {
            assert!(text.contains(&binding.help), "{}\n{text}", binding.help);
        }
    }
}

#[test]
fn the_mouse_selects_rows_fields_bits_and_bytes() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    let find = |screen: &Screen, what: &str, skip: usize| {
        let text = screen.text();
        let (y, line) = text.lines().enumerate().filter(|(_, line)| line.contains(what)).nth(skip).expect(what);
        let byte = line.find(what).expect(what);
        (line[..byte].chars().count() as u16, y as u16)
    };
    let click = |screen: &mut Screen, (column, row): (u16, u16)| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        screen.app.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        let detail = screen.app.detail.as_ref().expect("a record");
        detail.field_of_row(screen.app.row).map(|field| field.name.clone()).unwrap_or_default()
    };
    let at = find(&screen, "client: echo 1", 0);
    click(&mut screen, at);
    assert_eq!(screen.app.cursor, 6);
    let at = find(&screen, "opcode ", 0);
    assert_eq!(click(&mut screen, at), "opcode", "a name in the grid");
    let at = find(&screen, "masking key  ", 0);
    assert_eq!(click(&mut screen, at), "masking key", "a row of the table");
    let at = find(&screen, "81 8e", 0);
    assert_eq!(click(&mut screen, (at.0 + 3, at.1)), "MASK", "the second byte");
    let at = find(&screen, "client: echo 1", 1);
    assert_eq!(click(&mut screen, (at.0 + 3, at.1)), "payload", "a character of the payload");
    assert_eq!(screen.app.byte, 9);
    // The wheel over the payload, while the cursor stands in the head.
    screen.press(&["tab", "tab"]);
    screen.app.mouse(MouseEvent {
        kind: MouseEventKind::ScrollDown,
        column: 80,
        row: 20,
        modifiers: KeyModifiers::NONE,
    });
    screen.app.mouse(MouseEvent { kind: MouseEventKind::ScrollUp, column: 80, row: 20, modifiers: KeyModifiers::NONE });
    let wheel = MouseEvent { kind: MouseEventKind::ScrollUp, column: 10, row: 4, modifiers: KeyModifiers::NONE };
    screen.app.mouse(wheel);
    assert_eq!(screen.app.cursor, 3);
}

#[test]
fn payloads_of_megabytes_are_moved_through() {
    let mut wire = Wire::upgraded();
    let payload: Vec<u8> = (0..3_000_000u32).map(|i| (i / 1000) as u8).collect();
    wire.say(UP, &frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &payload));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["tab", "tab", "tab", "end"]);
    assert_eq!(screen.app.byte, 3_000_013);
    assert!(screen.text().contains("2dc6b0"), "{}", screen.text());
    screen.press(&["pgup", "home"]);
    assert_eq!(screen.app.byte, 14);
}

#[test]
fn no_size_and_no_key_makes_it_panic() {
    let mut wire = ticker();
    wire.say(DOWN, &[0x81, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    wire.connection.reset(DOWN, framescope::proto::time::Time(1));
    let keys = [
        "up", "down", "left", "right", "tab", "pgdn", "g", "G", "\\", "?", "esc", "e", "esc", "y", "esc", "t", "p",
        "m", "'",
    ];
    for width in (1..=130).step_by(7) {
        for height in (1..=44).step_by(3) {
            let mut screen = Screen::live(&wire, (width, height));
            for no in 1..=screen.app.totals.records {
                screen.press(&["up"]);
                let _ = (no, screen.text());
            }
            for key in keys {
                screen.press(&[key]);
                screen.text();
            }
        }
    }
}

#[test]
fn nothing_captured_reaches_the_terminal_raw() {
    let mut wire = Wire::new();
    wire.say(UP, b"GET /\x1b[31m HTTP/1.1\r\nHost: \x1b]0;evil\x07\r\nX\x1b: \xe2\x80\xae\r\n\r\n");
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["a"]).type_text("x").press(&["enter"]);
    for _ in 0..8 {
        let text = screen.text();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text}");
        screen.press(&["right"]);
    }
}

#[test]
fn the_pictures_of_the_screen_stay_as_they_are() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Ping, Some([1, 2, 3, 4]), &[b'a'; 126]));
    for (name, size, keys) in [
        ("text_120x36", (120, 36), &["up", "right", "right", "right", "right"][..]),
        ("text_80x24", (80, 24), &["up"]),
        ("text_60x20", (60, 20), &["up"]),
        ("ping_200x60", (200, 60), &[]),
        ("handshake_120x36", (120, 36), &["g", "down", "right", "right", "right"]),
        ("handshake_80x24", (80, 24), &["g", "down", "right", "right", "right"]),
    ] {
        let mut screen = Screen::live(&wire, size);
        screen.press(keys);
        insta::assert_snapshot!(name, screen.text());
    }
    for (name, size) in [("deflate_120x36", (120, 36)), ("deflate_80x24", (80, 24))] {
        let mut screen = Screen::sample("deflate", size);
        go_to(&mut screen, 6);
        screen.press(&["right"; 7]);
        insta::assert_snapshot!(name, screen.text());
    }
}
