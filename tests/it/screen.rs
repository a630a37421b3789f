//! The screen: keys in, drawn text out. No terminal is needed.

use crate::support::program::numbers;
use crate::support::tcp::Tcp;
use crate::support::{
    DEFLATE, DOWN, REQUEST, RESPONSE, Screen, UP, Wire, compressed_frame, deflated, frame, packets, several,
};
use framescope::capture::import;
use framescope::capture::query::search::{Hit, Toward};
use framescope::capture::query::selection::SelectedRecords;
use framescope::proto::deflate::InflateError;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Rule;
use framescope::tui::app::App;
use framescope::tui::effect::Effect;
use framescope::tui::event::Report;
use framescope::tui::host::FormatChoice;
use framescope::tui::keymap::Context;
use framescope::tui::panel::{Panel, View};
use framescope::tui::state::dialogs::{Dialog, Question};
use framescope::tui::state::notice::Notice;
use framescope::tui::state::unpacked::Unpacked;
use framescope::wire::close::CloseCode;
use framescope::wire::opcode::Opcode;

/// The connection and direction of the record under the cursor.
fn lane(screen: &Screen) -> Option<(u32, Direction)> {
    screen.app.detail.current().map(|detail| (detail.record.connection, detail.record.direction))
}

const SIZES: [(u16, u16); 5] = [(120, 36), (80, 24), (200, 60), (60, 20), (40, 10)];

fn ticker() -> Wire {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    wire
}

#[test]
fn an_empty_capture_shows_the_address_and_the_keys() {
    let wire = Wire::new();
    for size in SIZES {
        Screen::live(&wire, size).assert_shows(&["http://127.0.0.1:6455/", " o  ", " d  "]);
    }
}

#[test]
fn an_empty_capture_offers_the_samples() {
    let wire = Wire::new();
    for size in SIZES {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["down", "down", "up", "enter"]);
        let Some(Effect::Sample(sample)) = screen.app.effects.pop() else { panic!("{size:?}: a sample") };
        assert_eq!(sample.name, "ticker");
        screen.app.report(Report::Sample(sample, sample.capture()));
        assert!(screen.app.is_above() && screen.app.counts.totals.records > 20, "{}", screen.text());
        screen.press(&["esc"]);
        assert!(!screen.app.is_above() && screen.app.counts.totals.records == 0);
    }
    let screen = Screen::live(&wire, (80, 24));
    screen.assert_shows(&["81 85 37 fa 21 3d 7f 9f 4d 51 58", "\"Hello\", masked", "violations"]);
}

#[test]
fn a_filter_that_lets_nothing_through_shows_no_record() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["&"]).type_text("op == close").press(&["enter"]);
    screen.assert_shows(&["op == close"]);
    assert!(screen.lines_with("record 8").is_empty() && screen.lines_with("opcode").is_empty(), "{}", screen.text());
    let hints = screen.app.panel_hints();
    assert!(hints.iter().all(|hint| !["↑↓", "←→", "Enter"].contains(&hint.key.as_str())), "{hints:?}");
    screen.press(&["m", "a", "y"]);
    assert!(screen.app.list.marks.is_empty() && screen.app.dialogs.open.is_none() && screen.app.notice.is_some());
    screen.press(&["esc"]);
    screen.assert_shows(&["record 8 · text"]);
}

#[test]
fn space_follows_only_where_records_arrive() {
    let mut screen = Screen::sample("ticker", (120, 36));
    let cursor = screen.app.list.cursor;
    screen.press(&["space"]);
    assert!(screen.app.list.cursor == cursor && screen.app.notice.is_some(), "{}", screen.text());
}

#[test]
fn page_requests_share_a_row_until_they_are_unfolded() {
    let mut screen = Screen::sample("ticker", (120, 36));
    let rows = |screen: &Screen| {
        let rows = &screen.app.list.rows;
        (0..rows.len()).filter_map(|row| rows.number(row)).collect::<Vec<_>>()
    };
    let records = screen.app.counts.totals.records;
    // The page and its answer, and the ends of its connection, which come after the handshake.
    let page = [1, 2, 5, 6];
    let others: Vec<u64> = (1..=records).filter(|no| *no == 1 || !page.contains(no)).collect();
    assert_eq!(rows(&screen), others);
    assert_eq!(screen.app.list.cursor, 3, "the handshake");
    screen.press(&["g"]);
    assert_eq!(screen.app.list.cursor, 1);
    screen.press(&["enter", "down", "down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child, rows(&screen).len()), (5, true, others.len() + 4));
    screen.press(&["enter"]);
    assert_eq!((screen.app.list.cursor, rows(&screen)), (1, others.clone()));
    // What the user asks for is not hidden.
    screen.press(&["&"]).type_text("type == request").press(&["enter"]);
    assert_eq!(rows(&screen), [1, 3]);
    screen.press(&["esc", "3", "home", "enter"]);
    assert_eq!(rows(&screen), page);
    screen.press(&["esc", "1", "z"]);
    assert_eq!(rows(&screen), (1..=records).collect::<Vec<_>>());
    // The other rows find their place in every choice of rows.
    screen.press(&["z", "2", "z", "end", "home", "down"]);
    assert_eq!((rows(&screen), screen.app.list.cursor), (others, 3));
}

#[test]
fn the_record_of_an_end_shows_both_closes_and_tcp() {
    let mut screen = Screen::sample("ticker", (120, 36));
    screen.press(&["G"]);
    let closing = screen.app.closing.clone().expect("the end of a connection");
    let steps: Vec<_> = closing.steps.iter().map(|step| (step.no, step.direction)).collect();
    let last = screen.app.counts.totals.records;
    assert_eq!(steps, [(last - 3, UP), (last - 2, DOWN), (last - 1, DOWN), (last, UP)]);
    assert_eq!([UP, DOWN].map(|side| closing.code_for(side)), [Some(CloseCode::NORMAL); 2]);
    screen.assert_shows(&[
        "how connection 2 closed",
        "── Close 1000 normal closure · seen enough ──",
        "◄──",
        " TCP FIN ──│",
    ]);
    screen.press(&["up", "up"]);
    assert!(screen.app.closing.is_none(), "a Close has bits of its own");
}

#[test]
fn of_a_reset_one_side_sends_rst_and_the_other_is_torn_down() {
    let (wire, _connections) = several();
    let mut screen = Screen::live(&wire, (120, 36));
    let end = screen.app.capture.clone();
    let reset = (1..=end.totals().records).filter_map(|no| end.record(no));
    let ends: Vec<u64> =
        reset.filter(|record| record.kind == Kind::End(EndReason::Rst)).map(|record| record.no).collect();
    assert_eq!(ends.len(), 2, "one for each direction");
    go_to(&mut screen, ends[1]);
    assert_eq!(screen.lines_with(" TCP RST ──").len(), 1, "{}", screen.text());
    screen.assert_shows(&["torn down by the RST of the server"]);
}

#[test]
fn rows_of_the_table_that_do_not_fit_below_the_bits_are_below_the_bytes() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

    let mut wire = Wire::upgraded();
    wire.text(UP, "Hello");
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["g", "down", "down", "tab"]);
    let detail = &screen.app.detail;
    let (rows, below) = (detail.current().expect("a record").rows.len(), detail.further_table);
    assert_eq!((detail.rows_in_view(), below.is_empty()), (rows, false), "{}", screen.text());
    assert_eq!(usize::from(detail.table.height + below.height), rows);
    // A click selects the field there.
    let at = (below.x + 3, below.y);
    let first = usize::from(detail.table.height);
    screen.app.mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: at.0,
        row: at.1,
        modifiers: KeyModifiers::NONE,
    });
    assert_eq!((screen.app.detail.row, screen.app.panels.focus), (first, Panel::Bits));
}

#[test]
fn the_words_of_an_end_are_whole_at_each_size() {
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Close, Some([5, 6, 7, 8]), b"\x03\xe8seen enough"));
    for direction in [UP, DOWN] {
        wire.connection.end(direction, EndReason::Fin, wire.recording.now());
    }
    for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["G"]);
        let closing = screen.app.closing.clone().expect("the end of a connection");
        let codes = [UP, DOWN].map(|side| closing.code_for(side));
        assert_eq!(codes, [Some(CloseCode::ABNORMAL), Some(CloseCode::NORMAL)], "the server sent no Close");
        let text = screen.text();
        assert!(text.contains("no Close from the server"), "{text}");
        // With a finding and its reason, the words need more lines than small screens have.
        assert_eq!(text.contains("r all"), size.1 < 36, "{text}");
        // Bits are the only panel of an end, and Tab leads back to the list.
        screen.press(&["tab"]);
        assert_eq!(screen.app.panels.focus, Panel::Bits);
        screen.press(&["tab"]);
        assert_eq!(screen.app.panels.focus, Panel::List);
    }
}

#[test]
fn the_end_of_a_connection_marks_closes_that_break_a_rule() {
    let mut screen = Screen::sample("violations", (80, 24));
    go_to(&mut screen, 36);
    let closing = screen.app.closing.clone().expect("the end of a connection");
    assert_eq!((closing.closes(), closing.faulty()), (vec![DOWN, UP], vec![DOWN, UP]));
    assert_eq!([UP, DOWN].map(|side| closing.code_for(side)), [None; 2], "nobody knows what the peer makes of them");
    screen.assert_shows(&["1 byte, not a code ✗", "1005 ✗ must not be sent"]);
    screen.press(&["3"]);
    screen.assert_shows(&["1 byte, not a code ✗", "1005 ✗ must not be sent"]);
}

#[test]
fn an_echo_is_the_partner_of_its_message() {
    let mut screen = Screen::sample("fragments", (120, 36));
    let records = screen.app.capture.records(1..99);
    let data = |direction| {
        records
            .iter()
            .filter(move |r| r.direction == direction && r.message.is_some())
            .map(|r| r.no)
            .collect::<Vec<_>>()
    };
    let (up, down) = (data(UP), data(DOWN));
    // Three fragments, then their echo in one frame.
    go_to(&mut screen, down[0]);
    screen.press(&["p"]);
    assert_eq!(screen.app.list.cursor, up[0]);
    go_to(&mut screen, up[2]);
    screen.press(&["p"]);
    assert_eq!(screen.app.list.cursor, down[0]);
    go_to(&mut screen, up[3]);
    screen.press(&["p"]);
    assert_eq!(screen.app.list.cursor, down[1], "an empty message has an echo too");
    // Elsewhere the same content may be a coincidence.
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"same"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"same"));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["p"]);
    assert!(screen.app.list.cursor == 4 && screen.app.notice.is_some());
}

#[test]
fn at_80_by_24_list_bits_and_bytes_are_shown() {
    let wire = ticker();
    Screen::live(&wire, (80, 24)).assert_shows(&["client: echo 2", "opcode", "0000  81 8e"]);
}

#[test]
fn at_80_by_24_the_words_explain_what_is_selected() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Ping, Some([1, 2, 3, 4]), &[b'a'; 126]));
    let mut screen = Screen::live(&wire, (80, 24));
    let lines = |screen: &Screen| screen.text().lines().map(str::to_owned).collect::<Vec<_>>();
    screen.press(&["up", "right", "right"]);
    let text = lines(&screen);
    assert!(text[18].starts_with(" opcode ─ RFC 6455 §5.2"), "{}", screen.text());
    assert!(text[19].starts_with(" 1 "), "{}", text[19]);
    // The XOR of a payload byte.
    screen.press(&["tab", "tab", "tab"]);
    let text = lines(&screen);
    let title = text.iter().position(|line| line.contains("RFC 6455 §5.3")).expect("the title");
    assert_eq!(numbers(&text[title])[..3], [0, 0, 13], "the byte, of which ones: {}", screen.text());
    for (line, parts) in [(1, ["masked", "54", "0101 0100"]), (2, ["key[0]", "37", "0011 0111"])] {
        assert!(parts.iter().all(|part| text[title + line].contains(part)), "{text:?}");
    }
    assert!(text[title + 3].contains("63   0110 0011   c"), "{text:?}");
    assert!(!text.iter().any(|line| line.ends_with("r all")), "the whole explanation is shown: {text:?}");
    // What is wrong is first.
    screen.press(&["backtab", "backtab", "backtab", "down"]);
    let text = lines(&screen);
    let title = text.iter().position(|line| line.contains("✗ 1 ")).expect("the title with the number of findings");
    assert!(numbers(&text[title + 1]).starts_with(&[125, 126]), "{}", screen.text());
}

#[test]
fn at_80_by_24_the_computation_of_the_accept_key_is_complete() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["g", "down"]);
    screen.assert_shows(&[
        "dGhlIHNhbXBsZSBub25jZQ==",
        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "46 06 cf 38 59 45 b2 be c4 ea",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        " ✓",
        "record 2 · 101",
    ]);
    assert!(screen.lines_with("258EAFA5")[0].ends_with("fixed text of RFC 6455"), "{}", screen.text());
    screen.press(&["right", "right", "right"]);
    let line = screen.text().lines().nth(19).map(str::to_owned).expect("a line");
    assert!(line.starts_with(" s3pPLMBiTxaQ9kYGzzhZRbK+xOo=: "), "{line}");
}

#[test]
fn a_wrong_accept_key_is_shown_below_the_right_one() {
    let mut wire = Wire::new();
    wire.say(UP, REQUEST.as_bytes());
    wire.say(DOWN, RESPONSE.replace("s3pP", "S3pP").as_bytes());
    for size in [(80, 24), (120, 36)] {
        let mut screen = Screen::live(&wire, size);
        let parts = ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "≠"];
        screen.press(&["tab", "\\"]).assert_shows(&parts);
    }
}

#[test]
fn a_notice_that_is_too_narrow_is_wrapped_and_keeps_the_file_name() {
    let wire = Wire::new();
    let path = "/home/somebody/.cache/framescope/live-AbCdEf.pcapng";
    for (width, shown) in [(120, path), (60, path), (45, "…/live-AbCdEf.pcapng")] {
        let mut screen = Screen::live(&wire, (width, 24));
        screen.app.notice = Some(Notice::Info(format!("unsaved capture found: framescope open {path}")));
        screen.assert_shows(&[shown]);
    }
}

#[test]
fn it_follows_until_the_cursor_moves_and_counts_what_is_new() {
    let mut wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    assert_eq!((screen.app.list.cursor, screen.app.list.following), (8, true));
    screen.press(&["up"]);
    wire.ticks(2);
    screen.app.refresh();
    assert_eq!(screen.app.list.cursor, 7, "the place is held");
    screen.assert_shows(&[" +4 "]);
    screen.press(&["G"]);
    assert_eq!(screen.app.list.cursor, 12);
    wire.ticks(1);
    screen.app.refresh();
    assert_eq!(screen.app.list.cursor, 14);
    screen.press(&["space"]);
    wire.ticks(1);
    screen.app.refresh();
    assert_eq!(screen.app.list.cursor, 14);
}

#[test]
fn one_selection_joins_field_and_byte() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    assert_eq!(screen.field(), "FIN");
    screen.press(&["right"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("RSV1", 0), "the reserved bits share a row");
    screen.press(&["right"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("opcode", 0));
    screen.press(&["right", "right", "right"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("masking key", 2));
    screen.press(&["right"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("payload", 6));
    // The byte cursor leads the field.
    screen.press(&["tab", "tab"]);
    assert_eq!(screen.app.panels.focus, Panel::Bytes);
    screen.press(&["left"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("masking key", 5));
    screen.press(&["home"]);
    assert_eq!(screen.app.detail.byte, 0);
    screen.press(&["end"]);
    assert_eq!((screen.field().as_str(), screen.app.detail.byte), ("payload", 19));
    screen.press(&["right", "down"]);
    assert_eq!(screen.app.detail.byte, 19, "the end is the end");
    // Another record keeps the field.
    screen.press(&["backtab", "backtab", "up", "up"]);
    assert_eq!(screen.field(), "payload");
}

#[test]
fn a_payload_byte_shows_how_it_is_unmasked() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["tab", "tab", "tab", "right", "right", "right"]);
    assert_eq!(screen.app.detail.byte, 6 + 3);
    screen.assert_shows(&["payload byte 3 of 0 to 13", "65   0110 0101   e"]);
    assert!(screen.lines_with("key[3]")[0].ends_with(" 3 mod 4 = 3"), "{}", screen.text());
    screen.press(&["end"]);
    screen.assert_shows(&["payload byte 13 of 0 to 13"]);
}

#[test]
fn a_handshake_shows_requirements_and_the_accept_key() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["g", "down"]);
    screen.assert_shows(&[
        "✓ status 101 Switching Protocols",
        "✓ Sec-WebSocket-Accept",
        "258EAFA5-E914-47DA-95CA-",
        "C5AB0DC85B11",
        "b3 7a 4f 2c c0 62 4f 16 90 f6",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ]);
    screen.press(&["up"]);
    assert_eq!(screen.lines_with("✓ ").len(), 10, "{}", screen.text());
}

#[test]
fn findings_are_shown_first_and_jumped_to() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Text, None, b"not masked"));
    wire.ticks(2);
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["["]);
    assert_eq!(screen.app.list.cursor, 9);
    let rule = Rule::ClientFrameUnmasked;
    screen.assert_shows(&[&format!("✗ {}", rule.summary()), &format!("MASK ─ {}", rule.section())]);
    assert_eq!(screen.field(), "MASK");
    screen.press(&["]"]);
    assert!(screen.app.notice.is_some() && screen.app.list.cursor == 9, "there is no later finding");
}

#[test]
fn a_finding_hides_neither_another_finding_nor_the_fields_nor_the_xor() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Pong, Some([0; 4]), b"x"));
    let mut screen = Screen::live(&wire, (120, 36));
    let [zero, unsolicited] = [Rule::MaskingKeyZero, Rule::PongUnsolicited].map(Rule::summary);
    screen.assert_shows(&[&zero, &unsolicited, "masking key ─ RFC 6455 §5.3"]);
    screen.press(&["tab", "tab", "tab"]);
    screen.assert_shows(&["payload byte 0 of 0 to 0", "key[0]", "⚠ 2 "]);
}

/// Four unmasked frames, one of them with RSV2 too, and a zero key.
fn broken() -> Wire {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Text, None, b"bare"));
    wire.say(UP, &frame(true, Opcode::Text, Some([0; 4]), b"zero"));
    wire.say(UP, &frame(true, Opcode::Text, None, b"bare again"));
    wire.say(UP, b"\xa1\x03rsv");
    wire.ticks(1);
    wire.say(UP, &frame(true, Opcode::Text, None, b"and again"));
    wire
}

#[test]
fn findings_are_counted_by_rule_the_worst_and_most_often_broken_first() {
    let mut wire = broken();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["f"]);
    let rules = |screen: &Screen| {
        screen.app.counts.tallies.iter().map(|tally| (tally.rule.id(), tally.findings)).collect::<Vec<_>>()
    };
    assert_eq!(rules(&screen), [("client-frame-unmasked", 4), ("rsv2-set", 1), ("masking-key-zero", 1)]);
    screen.assert_shows(&["rule 1 of 3 · 6 "]);
    let row = screen.lines_with("client-frame-unmasked").remove(0);
    assert!(row.contains("✗") && row.contains(" 4 ") && row.contains("RFC 6455 §5.1"), "{row}");
    assert!(row.contains(" 9 11 12 15 "), "the records that break it: {row}");
    screen.assert_shows(&[&Rule::ClientFrameUnmasked.summary(), "3.002120"]);
    // Live: counts grow, and the cursor stays with its rule.
    screen.press(&["down"]);
    wire.say(UP, b"\xb1\x81\x01\x02\x03\x04r");
    wire.say(UP, b"\xb1\x81\x01\x02\x03\x05r");
    screen.app.refresh();
    assert_eq!(rules(&screen)[1..3], [("rsv2-set", 3), ("rsv3-set", 2)]);
    let row = screen.lines_with("rsv2-set").remove(0);
    assert!(row.starts_with('▌') && row.contains(" 3 "), "{row}");
}

#[test]
fn enter_lists_the_records_of_a_rule_and_n_goes_to_the_next_one() {
    let wire = broken();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["f", "enter"]);
    assert!(screen.app.dialogs.open.is_none());
    let listed = |screen: &Screen| {
        let rows = &screen.app.list.rows;
        (0..rows.len()).filter_map(|row| rows.number(row)).collect::<Vec<_>>()
    };
    assert_eq!((listed(&screen), screen.app.list.cursor, screen.field()), (vec![9, 11, 12, 15], 9, "MASK".to_owned()));
    screen.press(&["esc"]);
    assert_eq!(listed(&screen).len(), 15);
    // From another view too.
    screen.press(&["3", "f", "down", "enter"]);
    assert_eq!((listed(&screen), screen.app.panels.view), (vec![12], View::Frames));
    assert_eq!(screen.field(), "RSV2", "the field that this rule is about");
    screen.press(&["esc", "f"]);
    let row = screen.lines_with("rsv2-set").remove(0);
    assert!(row.starts_with('▌'), "where it was left: {row}");
    screen.press(&["up"]);
    let mut seen = Vec::new();
    for key in ["n", "n", "n", "n", "n", "[", "]", "N"] {
        screen.press(&[key]);
        assert!(screen.app.dialogs.open.is_none(), "it makes way for the record");
        seen.push(screen.app.list.cursor);
        screen.press(&["f"]);
    }
    assert_eq!(seen, [9, 11, 12, 15, 9, 15, 9, 15], "all around");
}

#[test]
fn the_panel_of_findings_uses_its_rows_and_shows_all_words_on_a_key() {
    for size in [(60, 20), (80, 24), (120, 36)] {
        let mut screen = Screen::sample("violations", size);
        screen.press(&["f"]);
        for _ in 0..8 {
            let shape = screen.app.findings_layout().expect("the areas");
            let rules = screen.app.counts.tallies.len();
            let records = screen.app.breaches.lines.rows().len();
            let words = screen.app.findings_words().expect("the words");
            let drawn = screen.text();
            let empty = drawn.lines().rev().skip(1).take_while(|line| line.trim().is_empty()).count();
            assert!(empty <= 2 || usize::from(shape.rows.height) == rules, "{size:?}, {records}: {drawn}");
            // The box shows the last words, at the latest when it is scrolled.
            screen.press(&["r", "pgdn", "pgdn"]);
            let last = words.paragraphs.last().expect("what to do").text.split(' ').next_back().unwrap_or_default();
            assert!(matches!(screen.app.dialogs.open, Some(Dialog::Words(_))));
            screen.assert_shows(&[&words.title, last]);
            screen.press(&["esc"]);
            assert!(matches!(screen.app.dialogs.open, Some(Dialog::Findings(_))), "{}", screen.text());
            screen.press(&["down"]);
        }
        screen.press(&["?"]);
        assert!(matches!(screen.app.dialogs.open, Some(Dialog::Help(_))));
        screen.press(&["esc"]);
        assert!(matches!(screen.app.dialogs.open, Some(Dialog::Findings(_))));
        screen.press(&["2"]);
        assert!(screen.app.dialogs.open.is_none() && screen.app.panels.view == View::Messages);
    }
}

#[test]
fn no_findings_are_no_empty_panel() {
    let wire = ticker();
    for size in SIZES {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["f", "enter", "down", "up", "pgdn"]);
        assert!(matches!(screen.app.dialogs.open, Some(Dialog::Findings(_))), "{size:?}");
        assert!(screen.text().lines().filter(|line| !line.trim().is_empty()).count() > 3, "{}", screen.text());
    }
}

#[test]
fn the_bytes_at_fault_are_underlined() {
    use ratatui::style::Modifier;
    let wire = broken();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["g", "]"]);
    let underlined = |screen: &Screen| {
        let (buffer, area) = (screen.buffer(), screen.app.layout.bytes);
        (area.x..area.right())
            .filter(|x| {
                buffer[(*x, area.y)].symbol() != "·" && buffer[(*x, area.y)].modifier.contains(Modifier::UNDERLINED)
            })
            .map(|x| buffer[(x, area.y)].symbol().to_owned())
            .collect::<String>()
    };
    assert_eq!(screen.app.list.cursor, 9);
    assert_eq!(underlined(&screen), "04", "MASK is in the second byte: {}", screen.text());
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
    assert_eq!(screen.app.list.cursor, 7, "from the last fragment to the first");
    screen.press(&["p"]);
    assert_eq!(screen.app.list.cursor, 9);
    screen.press(&["g", "p"]);
    assert_eq!(screen.app.list.cursor, 2, "the response");
    screen.press(&["down", "p"]);
    assert_eq!(screen.app.list.cursor, 6, "the pong");
    screen.press(&["p"]);
    assert_eq!(screen.app.list.cursor, 3, "the ping");
    screen.press(&["down", "p"]);
    assert_eq!((screen.app.notice.is_some(), screen.app.list.cursor), (true, 4), "a text frame has no partner");
}

#[test]
fn text_and_bytes_are_found() {
    let mut wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    let find = |screen: &mut Screen| {
        let Some(Effect::Find { pattern, from, toward, .. }) = screen.app.effects.pop() else { panic!("a search") };
        let (looked, cancel) = Default::default();
        let hit =
            framescope::capture::query::search::find(&screen.app.capture, &pattern, from, toward, &looked, &cancel);
        screen.app.report(Report::Found(hit));
        hit.map(|hit| (hit.no, hit.byte))
    };
    screen.press(&["/"]).type_text("CLIENT: echo 1").press(&["enter"]);
    assert_eq!(find(&mut screen), Some((6, 6)));
    assert_eq!((screen.app.list.cursor, screen.app.detail.byte), (6, 6));
    screen.press(&["n"]);
    assert_eq!(find(&mut screen), Some((6, 6)), "all around, to itself");
    screen.press(&["/"]).type_text("81:06").press(&["enter"]);
    assert_eq!(find(&mut screen), Some((7, 0)));
    screen.press(&["N"]);
    assert!(matches!(screen.app.effects.last(), Some(Effect::Find { toward: Toward::Earlier, .. })));
    assert_eq!(find(&mut screen), Some((5, 0)));
    screen.press(&["/"]).type_text("no such thing").press(&["enter"]);
    assert_eq!(find(&mut screen), None);
    assert!(screen.app.notice.is_some());
    screen.press(&["/"]).type_text("0x8").press(&["enter"]);
    for size in [(120, 36), (60, 20)] {
        screen.resize(size);
        screen.assert_shows(&["0x8105"]);
    }
    assert!(matches!(screen.app.dialogs.open, Some(Dialog::Prompt(_))), "one hex digit is not a byte");
    screen.resize((120, 36));
    screen.press(&["esc"]);
    wire.text(DOWN, "81:06");
    screen.app.refresh();
    screen.press(&["/"]).type_text("81:06");
    screen.assert_shows(&["2 bytes: 81 06", r#""81:06""#]);
    screen.press(&["ctrl-u"]).type_text(r#""81:06""#).press(&["enter"]);
    assert_eq!(find(&mut screen), Some((9, 2)));
}

#[test]
fn a_find_says_which_match_it_is_and_when_it_starts_over() {
    use framescope::capture::query::search::{find, matching};
    let mut wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    // Does what the background job does, and returns the numbers of the notice.
    let run = |screen: &mut Screen| {
        let Some(Effect::Find { pattern, from, toward, counted, cancel }) = screen.app.effects.pop() else {
            panic!("a search")
        };
        let capture = screen.app.capture.clone();
        screen.app.report(Report::Found(find(&capture, &pattern, from, toward, &Default::default(), &cancel)));
        let (matches, to) = (matching(&capture, &pattern, counted + 1..capture.len() + 1, &cancel), capture.len());
        screen.app.report(Report::Counted { pattern, after: counted, numbers: matches, to });
        let line = screen.text().lines().last().expect("a line").to_owned();
        (numbers(&line)[..2.max(numbers(&line).len() - 1)].to_vec(), line.contains("wrapped"))
    };
    screen.press(&["g", "/"]).type_text("client: echo").press(&["enter"]);
    assert_eq!(run(&mut screen), (vec![4, 1, 3], false));
    // Its bytes are marked, from the first of the payload on.
    assert_eq!(screen.app.search.marked(4, false), Some(6..18));
    assert_eq!((screen.app.search.marked(6, false), screen.app.search.marked(4, true)), (None, None));
    screen.press(&["n"]);
    assert_eq!(run(&mut screen), (vec![6, 2, 3], false));
    screen.press(&["N"]);
    assert_eq!(run(&mut screen), (vec![4, 1, 3], false));
    screen.press(&["N"]);
    assert_eq!(run(&mut screen), (vec![8, 3, 3], true));
    // What has arrived is counted too.
    wire.ticks(1);
    screen.app.refresh();
    screen.press(&["n"]);
    assert_eq!(run(&mut screen), (vec![10, 4, 4], false));
    screen.press(&["n"]);
    assert_eq!(run(&mut screen), (vec![4, 1, 4], true));
    screen.press(&["/"]).type_text("client: echo 1").press(&["enter"]);
    assert_eq!(run(&mut screen).0, [6, 0], "the only record, and the byte");
    // Several matches in a record: the next one is in it.
    wire.text(DOWN, "one and one");
    screen.app.refresh();
    screen.press(&["/"]).type_text("one").press(&["enter"]);
    assert_eq!((run(&mut screen).0, screen.app.detail.byte), (vec![11, 0], 2));
    screen.press(&["n"]);
    assert_eq!((run(&mut screen), screen.app.detail.byte), ((vec![11, 8], false), 10));
    screen.press(&["n"]);
    assert_eq!((run(&mut screen), screen.app.detail.byte), ((vec![11, 0], true), 2));
    screen.press(&["N"]);
    assert_eq!((run(&mut screen), screen.app.detail.byte), ((vec![11, 8], true), 10));
}

#[test]
fn the_byte_of_a_match_is_shown_at_every_size() {
    let wire = ticker();
    for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["g", "/"]).type_text("echo 1").press(&["enter"]);
        let Some(Effect::Find { pattern, from, toward, cancel, .. }) = screen.app.effects.pop() else {
            panic!("a search")
        };
        let capture = screen.app.capture.clone();
        let find = framescope::capture::query::search::find;
        screen.app.report(Report::Found(find(&capture, &pattern, from, toward, &Default::default(), &cancel)));
        assert!(screen.app.layout.bytes.area() > 0, "{size:?}: {}", screen.text());
        screen.assert_shows(&["68 6f 20 31"]);
    }
}

#[test]
fn a_match_that_arrives_while_an_export_runs_is_ignored() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["/"]).type_text("echo").press(&["enter", "e", "enter"]);
    let cursor = screen.app.list.cursor;
    assert!(screen.app.jobs.is_exporting() && cursor != 3);
    screen.app.report(Report::Found(Some(Hit { no: 3, byte: 0, inflated: None })));
    assert!(screen.app.jobs.is_exporting(), "Esc can still stop it");
    assert_eq!(screen.app.list.cursor, cursor);
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
    screen.press(&["y"]);
    screen.assert_shows(&["client: echo 2", &hex::encode("client: echo 2")]);
    screen.press(&["esc"]);
    assert!(screen.app.dialogs.open.is_none() && screen.app.effects.is_empty());
}

/// The message of the record under the cursor.
fn unpacked(screen: &Screen) -> Option<&Unpacked> {
    screen.app.detail.current().and_then(|detail| detail.unpacked.as_ref())
}

/// To the record with that number.
fn go_to(screen: &mut Screen, no: u64) {
    screen.press(&["g"]);
    for _ in 1..no {
        screen.press(&["down"]);
    }
    assert_eq!(screen.app.list.cursor, no);
}

#[test]
fn a_compressed_message_is_shown_inflated_below_its_bytes() {
    for size in [(120, 36), (80, 24), (200, 60)] {
        let mut screen = Screen::sample("deflate", size);
        go_to(&mut screen, 3);
        screen.assert_shows(&["Inflated ─ 5 bytes", "7 bytes, 140 % of 5"]);
        assert!(!screen.lines_with("│  Hello").is_empty(), "as text: {}", screen.text());
        screen.press(&["x"]).assert_shows(&["unmasked ─ 7 bytes"]);
        assert!(screen.text().replace("c  6f", "c 6f").contains("0000  48 65 6c 6c 6f"), "{}", screen.text());
    }
    let mut screen = Screen::sample("deflate", (120, 36));
    go_to(&mut screen, 3);
    screen.press(&["right"; 10]);
    screen.assert_shows(&["permessage-deflate; server_max_window_bits=12", "140 %"]);
    screen.press(&["down"]);
    screen.assert_shows(&["4,096 bytes", "12 window bits"]);
}

#[test]
fn only_the_last_fragment_shows_the_inflated_message() {
    let mut screen = Screen::sample("deflate", (120, 36));
    let records = screen.app.capture.records(1..99);
    let first = records.iter().find(|record| record.compressed && !record.fin()).expect("a fragment").no;
    go_to(&mut screen, first);
    assert!(matches!(unpacked(&screen), Some(Unpacked::Unfinished)));
    screen.press(&["tab", "tab", "tab"]);
    assert_eq!(screen.app.panels.focus, Panel::Payload);
    screen.press(&["tab"]);
    assert_eq!(screen.app.panels.focus, Panel::List, "there is nothing to enter");
    let last =
        records.iter().find(|record| record.compressed && record.fin() && record.no > first).expect("the end").no;
    go_to(&mut screen, last);
    screen.assert_shows(&["Row, row, row yo"]);
    // The panel scrolls with its own cursor.
    screen.press(&["tab", "tab", "tab", "tab"]);
    assert_eq!(screen.app.panels.focus, Panel::Inflated);
    let byte = screen.app.detail.byte;
    screen.press(&["right", "down", "end"]);
    let len = screen.app.detail.content().expect("inflated").bytes.len() as u64;
    assert_eq!((screen.app.detail.message_byte, screen.app.detail.byte), (len - 1, byte));
    screen.press(&["pgup", "home", "\\"]);
    assert_eq!(screen.app.detail.message_byte, 0);
    assert!(screen.text().contains("Row, row, row yo"), "{}", screen.text());
    screen.press(&["y", "i"]);
    let Some(Effect::Copy(text)) = screen.app.effects.pop() else { panic!("a copy") };
    assert!(text.starts_with("Row, row") && text.ends_with('✓'));
}

#[test]
fn a_message_that_cannot_be_inflated_has_the_reason() {
    let mut wire = Wire::new().upgrade([DEFLATE; 2]);
    for _ in 0..2 {
        wire.say(DOWN, &compressed_frame(true, Opcode::Text, None, &[0x07, 0xff, 0xff]));
    }
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["right"; 7]);
    assert!(matches!(unpacked(&screen), Some(Unpacked::Lost)), "{}", screen.text());
    screen.press(&["up"]);
    let Some(Unpacked::Inflated(inflated)) = unpacked(&screen) else { panic!("{}", screen.text()) };
    assert!(inflated.len == 0 && matches!(inflated.fault, Some(InflateError::Invalid(_))), "{inflated:?}");
    screen.assert_shows(&["Inflated ─ 0 bytes"]);
    assert!(!screen.lines_with("✗").is_empty(), "{}", screen.text());
}

#[test]
fn a_long_compressed_message_is_inflated_in_the_background() {
    use framescope::proto::deflate::Deflater;
    use framescope::tui::state::unpacked::inflate_long;
    let mut wire = Wire::new().upgrade([DEFLATE; 2]);
    let payload = deflated(&mut Deflater::new(15, true), &vec![b'a'; 17 << 20]);
    wire.say(DOWN, &compressed_frame(true, Opcode::Text, None, &payload));
    let mut screen = Screen::live(&wire, (120, 36));
    assert!(matches!(unpacked(&screen), Some(Unpacked::Pending)), "{}", screen.text());
    let Some(Effect::Inflate(no)) = screen.app.effects.pop() else { panic!("it is asked for") };
    screen.press(&["up", "down"]);
    assert!(screen.app.effects.is_empty(), "once is enough");
    screen.app.report(Report::Inflated(no, inflate_long(&screen.app.capture, no)));
    screen.assert_shows(&["Inflated ─ 17,825,792 bytes"]);
    assert_eq!(screen.app.detail.content().map(|inflated| inflated.bytes.len()), Some(16 << 20));
}

#[test]
fn export_asks_for_scope_format_and_path() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["m", "up", "up", "m", "e"]);
    screen.assert_shows(&["record 6", "2 marked", "all 8", "marked.pcapng"]);
    screen.press(&["down", "right"]);
    screen.assert_shows(&["marked.ndjson"]);
    screen.press(&["enter"]);
    let Some(Effect::Export(request)) = screen.app.effects.pop() else { panic!("an export") };
    assert_eq!((request.records.as_deref(), request.format, request.force), (Some(&[6, 8][..]), 1, false));
    screen.app.report(Report::Exists(request));
    assert!(matches!(screen.app.dialogs.open, Some(Dialog::Question(Question::Replace(_)))), "{}", screen.text());
    screen.assert_shows(&["marked.ndjson"]);
    screen.press(&["r"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(request)) if request.force));
    screen.app.report(Report::Wrote("wrote 2 records".to_owned()));
    screen.assert_shows(&["✓ wrote 2 records"]);
}

#[test]
fn dialogs_for_files_replace_the_proposed_name_show_the_folder_and_wrap() {
    let wire = ticker();
    let here = std::env::current_dir().expect("a folder");
    let mut screen = Screen::live(&wire, (60, 20));
    screen.app.session.formats =
        ["pcapng", "ndjson", "har", "hex", "payload", "wire-c2s", "wire-s2c", "svg", "md"].map(choice).to_vec();
    screen.press(&["e"]);
    let text = screen.text();
    for format in &screen.app.session.formats {
        assert!(text.contains(&format!(" {} ", format.name)), "{}: {text}", format.name);
    }
    let folder = here.file_name().expect("a name").to_string_lossy().into_owned();
    screen.assert_shows(&["record.pcapng", &folder]);
    screen.type_text("sub/x");
    screen.assert_shows(&[&format!("{folder}/sub")]);
    screen.press(&["enter"]);
    let Some(Effect::Export(request)) = screen.app.effects.pop() else { panic!("an export") };
    assert_eq!(request.path, std::path::Path::new("sub/x"));
    screen.app.report(Report::Wrote("wrote it".to_owned()));
    for (keys, path) in [(&["w", "x", "y", "enter"][..], "xy"), (&["w", "end", "x", "enter"], "capture.pcapngx")] {
        screen.press(keys);
        let Some(Effect::Export(request)) = screen.app.effects.pop() else { panic!("an export") };
        assert_eq!(request.path, std::path::Path::new(path));
        screen.app.report(Report::Wrote("wrote it".to_owned()));
    }
}

/// An export format with its name as extension.
fn choice(name: &str) -> FormatChoice {
    FormatChoice { name: name.to_owned(), extension: "pcapng", words: "a format" }
}

#[test]
fn numbers_in_open_dialogs_follow_the_capture() {
    let mut wire = ticker();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["q"]);
    screen.assert_shows(&["8 records"]);
    wire.ticks(2);
    screen.app.refresh();
    screen.assert_shows(&["12 records"]);
    screen.press(&["esc", "e"]);
    screen.assert_shows(&["all 12"]);
    wire.ticks(1);
    screen.app.refresh();
    screen.assert_shows(&["all 14"]);
}

#[test]
fn an_unsolicited_pong_has_another_explanation() {
    let mut wire = ticker();
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"hi"));
    wire.say(UP, &frame(true, Opcode::Pong, Some([1, 2, 3, 4]), b"hi"));
    let mut screen = Screen::live(&wire, (120, 44));
    let explanation = |screen: &mut Screen, field: &str| {
        for _ in 0..20 {
            if screen.field() == field {
                break;
            }
            screen.press(&["right"]);
        }
        assert_eq!(screen.field(), field);
        let words = screen.app.layout.explanation;
        screen.text().lines().skip(words.y.into()).take(words.height.into()).collect::<Vec<_>>().join("\n")
    };
    let answered = ["opcode", "payload"].map(|field| explanation(&mut screen, field));
    wire.say(UP, &frame(true, Opcode::Pong, Some([1, 2, 3, 4]), b"no"));
    screen.press(&["G"]);
    screen.press(&["left"; 7]);
    let unsolicited = ["opcode", "payload"].map(|field| explanation(&mut screen, field));
    assert!(answered.iter().zip(&unsolicited).all(|(one, other)| one != other), "{answered:?} {unsolicited:?}");
}

#[test]
fn a_cut_frame_shows_its_length_and_how_many_bytes_are_missing() {
    for (bytes, length, captured) in [
        (&[0x81][..], "1", &[1][..]),
        (&[0x82, 0x7e, 1], "3", &[3]),
        (&[0x82, 0x01], "0", &[0, 1]),
        (&[0x82, 0x03, 9], "1", &[1, 3]),
    ] {
        let mut wire = ticker();
        wire.say(DOWN, bytes);
        wire.connection.end(DOWN, EndReason::Fin, wire.recording.now());
        let mut screen = Screen::live(&wire, (120, 36));
        let text = screen.text();
        let row = text.lines().find(|line| line.trim_start().starts_with("9 ")).expect("the row of record 9");
        let columns: Vec<&str> = row.split_whitespace().collect();
        assert_eq!((columns[5], numbers(&columns[6..].join(" ")).as_slice()), (length, captured), "{row}");
        screen.press(&["up"]);
        for _ in 0..9 {
            screen.press(&["right"]);
            assert!(!screen.text().contains(" 1 bytes"), "{}", screen.text());
        }
    }
}

#[test]
fn notes_are_shown_on_their_record() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["a"]).type_text("look here").press(&["enter"]);
    assert_eq!(wire.capture().note(8).as_deref(), Some("look here"));
    assert!(!screen.lines_with("✎ look here").is_empty());
}

#[test]
fn quitting_asks_when_records_would_be_lost() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["q"]);
    assert!(matches!(screen.app.dialogs.open, Some(Dialog::Question(Question::Quit))), "{}", screen.text());
    screen.assert_shows(&["8 records"]);
    screen.press(&["esc"]);
    assert!(screen.app.effects.is_empty());
    screen.press(&["q", "s"]);
    assert!(matches!(screen.app.dialogs.open, Some(Dialog::Prompt(_))));
    screen.press(&["enter"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(request)) if request.records.is_none()));
    screen.app.report(Report::Succeeded("the demo client has closed its connection".to_owned()));
    assert!(screen.app.effects.is_empty(), "another report does not end it");
    screen.app.report(Report::Wrote("saved".to_owned()));
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Quit)));
    screen.press(&["ctrl-c"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Interrupt)), "the user was not asked");
}

#[test]
fn quitting_asks_when_notes_would_be_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    std::fs::write(&path, packets::PLAIN.file(&Tcp::conversation(1, 2).segments)).expect("written");
    let mut screen = Screen::file(&path, import::ImportOptions::default(), (120, 36));
    screen.press(&["a"]).type_text("look here").press(&["enter", "q"]);
    assert!(matches!(screen.app.dialogs.open, Some(Dialog::Question(Question::Quit))), "{}", screen.text());
    screen.press(&["s", "enter"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(request)) if request.records.is_none()));
    screen.app.report(Report::Wrote("saved".to_owned()));
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Quit)));
    // They are in a file now.
    screen.press(&["q"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Quit)));
}

#[test]
fn help_lists_every_binding() {
    let wire = ticker();
    for size in [(120, 36), (80, 24), (62, 20), (200, 60)] {
        let mut screen = Screen::live(&wire, size);
        screen.press(&["?"]);
        let last = screen.app.help_pages().pages.len();
        let mut text = String::new();
        for _ in 0..last {
            text.push_str(&screen.text());
            screen.press(&["right"]);
        }
        let is_cut = |line: &str| line.starts_with('│') && line.replace("…  more text", "").contains('…');
        assert!(!text.lines().any(is_cut), "{size:?}: {text}");
        for binding in screen.app.keymap.groups(Context::Panels).flat_map(|group| &group.bindings) {
            // The words may be in two lines, with another column between.
            assert!(binding.help.split(' ').all(|word| text.contains(word)), "{size:?}: {}\n{text}", binding.help);
            assert!(text.contains(&binding.labels()), "{size:?}: {}", binding.labels());
        }
    }
}

#[test]
fn at_120_by_36_no_gloss_of_a_frame_is_truncated() {
    let mut wire = ticker();
    let key = Some([0; 4]);
    for bytes in [
        frame(true, Opcode::Text, key, b"zero key"),
        frame(false, Opcode::Ping, Some([1, 2, 3, 4]), &[b'a'; 126]),
        frame(true, Opcode::Continuation, None, b"x"),
        vec![0xf3, 0x80, 1, 2, 3, 4],
        vec![0x82, 0xfe, 0, 1, 1, 2, 3, 4, 5],
        [&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4][..], &[0; 65_536]].concat(),
        frame(true, Opcode::Close, Some([1, 2, 3, 4]), &[0x03, 0xf7]),
    ] {
        wire.say(UP, &bytes);
    }
    let mut screen = Screen::live(&wire, (120, 36));
    for no in (3..=screen.app.counts.totals.records).rev() {
        assert_eq!(screen.app.list.cursor, no);
        screen.press(&["left"; 12]);
        let count = screen.app.detail.current().expect("a record").rows.len();
        for row in 0..count {
            let text = screen.text();
            let detail = screen.app.detail.current().expect("a record");
            let (name, gloss) = (&detail.rows[row].name, &detail.rows[row].gloss);
            let line = text.lines().find(|line| line.starts_with(&format!("▌ {name} "))).expect("the selected row");
            assert!(!gloss.is_empty() && line.contains(&format!(" {gloss}")), "{no}: {name}: {gloss}\n{text}");
            screen.press(&["right"]);
        }
        screen.press(&["up"]);
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
        screen.field()
    };
    let at = find(&screen, "client: echo 1", 0);
    click(&mut screen, at);
    assert_eq!(screen.app.list.cursor, 6);
    let at = find(&screen, "opcode ", 0);
    assert_eq!(click(&mut screen, at), "opcode", "a name in the grid");
    let at = find(&screen, "masking key  ", 0);
    assert_eq!(click(&mut screen, at), "masking key", "a row of the table");
    let at = find(&screen, "81 8e", 0);
    assert_eq!(click(&mut screen, (at.0 + 3, at.1)), "MASK", "the second byte");
    let at = find(&screen, "client: echo 1", 1);
    assert_eq!(click(&mut screen, (at.0 + 3, at.1)), "payload", "a character of the payload");
    assert_eq!(screen.app.detail.byte, 9);
    // The wheel over the payload, while the cursor is in the head.
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
    assert_eq!(screen.app.list.cursor, 3);
}

#[test]
fn payloads_of_megabytes_are_moved_through() {
    let mut wire = Wire::upgraded();
    let payload: Vec<u8> = (0..3_000_000u32).map(|i| (i / 1000) as u8).collect();
    wire.say(UP, &frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &payload));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["tab", "tab", "tab", "end"]);
    assert_eq!(screen.app.detail.byte, 3_000_013);
    assert!(screen.text().contains("2dc6b0"), "{}", screen.text());
    screen.press(&["pgup", "home"]);
    assert_eq!(screen.app.detail.byte, 14);
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
        ("text_120x36", (120, 36), &["up", "right", "right"][..]),
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
}

#[test]
fn the_pictures_of_panels_and_dialogs_stay_as_they_are() {
    for (name, keys) in [
        ("findings", &["f"][..]),
        ("rule", &["f", "enter"]),
        ("help", &["4", "?"]),
        ("copy", &["y"]),
        ("find", &["/", "8", "1", ":", "0", "5"]),
        ("note", &["a", "e", "y", "e", "enter"]),
    ] {
        for size in [(120, 36), (80, 24), (60, 20)] {
            let wire = broken();
            let mut screen = Screen::live(&wire, size);
            screen.press(keys);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen.text());
        }
    }
    for size in [(200, 60), (120, 36), (80, 24), (60, 20)] {
        insta::assert_snapshot!(format!("empty_{}x{}", size.0, size.1), Screen::live(&Wire::new(), size).text());
        let mut screen = Screen::sample("ticker", size);
        insta::assert_snapshot!(format!("pages_{}x{}", size.0, size.1), screen.text());
        screen.press(&["G"]);
        insta::assert_snapshot!(format!("end_{}x{}", size.0, size.1), screen.text());
    }
}

#[test]
fn a_pong_shows_which_ping_it_answers_and_how_fast() {
    let mut wire = Wire::upgraded();
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
    wire.wait(1_000_000);
    wire.say(UP, &frame(true, Opcode::Pong, Some([0x5c, 0x11, 0xe0, 0x7a]), b"still there?"));
    wire.say(DOWN, &frame(true, Opcode::Pong, None, b"unasked"));
    let mut screen = Screen::live(&wire, (120, 36));
    assert_eq!(screen.lines_with("record 3 after 1.2 ms · still there?").len(), 1, "{}", screen.text());
    screen.press(&["g", "down", "down", "down", "right", "right"]);
    assert!(screen.lines_with("record 3 after 1.2 ms").len() > 1, "in its row and in the words: {}", screen.text());
    let text = screen.text();
    let unsolicited = text.lines().find(|line| line.trim_start().starts_with("5 ")).expect("the row of record 5");
    assert!(unsolicited.contains("pong") && !unsolicited.contains(" ms"), "{unsolicited}");
}

/// Shows the records of a selection, or all records.
fn set_matches(app: &mut App, matches: Option<SelectedRecords>) {
    app.list.set_matches(matches);
    app.extend_rows();
    app.prepare();
}

#[test]
fn keys_move_by_the_rows_of_a_filtered_list() {
    let mut wire = ticker();
    wire.say(UP, &frame(true, Opcode::Text, None, b"bare"));
    let mut screen = Screen::live(&wire, (120, 36));
    let mut selection = SelectedRecords::default();
    (1..=9).for_each(|number| selection.look(number % 2 == 1 && number < 9));
    set_matches(&mut screen.app, Some(selection.clone()));
    assert_eq!((screen.app.list.cursor, screen.app.list.rows.len()), (7, 4), "the nearest that has a row");
    screen.press(&["up"]);
    assert_eq!(screen.app.list.cursor, 5);
    screen.press(&["home"]);
    assert_eq!(screen.app.list.cursor, 1);
    screen.press(&["pgdn", "up"]);
    assert_eq!(screen.app.list.cursor, 5);
    assert!(!screen.app.list.following);
    assert!(screen.lines_with("client: echo 0").is_empty(), "{}", screen.text());
    // A record without a row is shown, and a notice names it.
    screen.press(&["]"]);
    assert_eq!(screen.app.list.cursor, 9);
    assert!(matches!(&screen.app.notice, Some(Notice::Info(text)) if numbers(text) == [9]), "{:?}", screen.app.notice);
    screen.assert_shows(&["record 9 · text"]);
    screen.press(&["up"]);
    assert_eq!(screen.app.list.cursor, 7);
    selection.look(true);
    wire.ticks(1);
    screen.app.refresh();
    set_matches(&mut screen.app, Some(selection));
    screen.assert_shows(&[" +1 "]);
    set_matches(&mut screen.app, Some(SelectedRecords::default()));
    assert_eq!(screen.app.list.rows.len(), 0, "{}", screen.text());
    screen.press(&["up", "down", "G", "home"]);
    set_matches(&mut screen.app, None);
    assert_eq!(screen.app.list.rows.len(), 11);
}

/// A fragmented text with a ping in between, a whole text, and the first fragments of a binary message.
fn fragmented() -> Wire {
    let mut wire = Wire::upgraded();
    let key = |n| Some([0x37, 0xfa, 0x21, n]);
    wire.say(UP, &frame(false, Opcode::Text, key(1), b"Row, row, "));
    wire.say(UP, &frame(false, Opcode::Continuation, key(2), b"row your boat, "));
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
    wire.say(UP, &frame(true, Opcode::Pong, key(3), b"still there?"));
    wire.say(UP, &frame(true, Opcode::Continuation, key(4), b"gently down the stream"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"Merrily"));
    wire.say(DOWN, &frame(false, Opcode::Binary, None, &[1, 2, 3]));
    wire
}

/// The numbers in the title of the message panel: its bytes and its frames.
fn message(screen: &Screen) -> Vec<u64> {
    let title = screen.lines_with("Message ─").pop().expect("the panel of a message");
    numbers(title.split_once("Message ─").expect("a title").1)
}

#[test]
fn where_a_message_has_the_whole_width_the_keys_move_by_its_frames() {
    let wire = fragmented();
    let mut screen = Screen::live(&wire, (60, 20));
    screen.press(&["2", "g", "down", "down"]);
    let frame = |screen: &Screen| screen.app.detail.carrier().map(|carrier| (carrier.frame, carrier.record));
    assert_eq!(frame(&screen), Some((0, 3)), "{}", screen.text());
    screen.press(&["right", "right"]);
    assert_eq!(frame(&screen).map(|(frame, _)| frame), Some(2));
    screen.assert_shows(&["frame 3 of 3"]);
    screen.press(&["right", "left"]);
    assert_eq!(frame(&screen).map(|(frame, _)| frame), Some(1), "the last frame is the last");
}

#[test]
fn messages_are_one_row_and_open_into_their_frames() {
    let mut wire = fragmented();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["2"]);
    assert_eq!(screen.app.panels.view, View::Messages);
    let row = screen.lines_with("Row, row, row your boat, gently down the stream").remove(0);
    assert!(row.contains("▲▸ text") && row.contains(" 47 ") && row.contains("3 frames"), "{row}");
    assert_eq!(screen.app.list.rows.len(), 7, "two fragments have no row: {}", screen.text());
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, &[4, 5]));
    screen.app.refresh();
    assert!(screen.lines_with("01 02 03 04 05")[0].contains("2 frames"), "{}", screen.text());
    // The payload panel shows the whole message.
    screen.press(&["g", "down", "down"]);
    assert_eq!(screen.app.list.cursor, 3);
    assert_eq!(message(&screen), [47, 3]);
    screen.press(&["enter"]);
    assert_eq!(screen.app.list.rows.len(), 10, "{}", screen.text());
    let signs: Vec<_> =
        screen.text().lines().filter_map(|line| line.chars().find(|c| "▾├└".contains(*c))).take(4).collect();
    assert_eq!(signs, ['▾', '├', '├', '└'], "{}", screen.text());
    screen.press(&["down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child), (4, true));
    assert!(screen.lines_with("Message ─").is_empty(), "only the frame: {}", screen.text());
    screen.press(&["enter"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child, screen.app.list.rows.len()), (3, false, 7));
    // The layout follows a message that grows.
    screen.press(&["end"]);
    assert_eq!(message(&screen), [5, 2]);
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"Life is "));
    wire.say(DOWN, &frame(false, Opcode::Continuation, None, b"but "));
    screen.app.refresh();
    assert_eq!(message(&screen), [12, 2]);
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"a dream"));
    screen.app.refresh();
    assert_eq!(message(&screen), [19, 3]);
    screen.press(&["g", "down", "down"]);
    // Back to frames: the cursor stays with its record.
    screen.press(&["1"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.rows.len()), (3, 13));
    screen.press(&["down", "2"]);
    assert_eq!(screen.app.list.cursor, 3, "the row of the message that the fragment belongs to");
}

#[test]
fn the_frames_of_a_message_come_into_view_when_it_is_opened() {
    for size in [(80, 24), (60, 20)] {
        let mut screen = Screen::sample("fragments", size);
        screen.press(&["2", "down", "down", "enter"]);
        let row = screen.app.list.cursor_row().expect("a row");
        let children = screen.app.list.rows.children(screen.app.list.cursor);
        let (top, height) = (screen.app.list.top, u64::from(screen.app.layout.list.height));
        assert_eq!(children, 3, "{}", screen.text());
        // All of them, or as many as fit below their row.
        assert!(top == row || row + children < top + height, "{size:?}: {}", screen.text());
        assert!(height > 1, "{size:?}: {}", screen.text());
        screen.press(&["up"]);
        assert!(screen.app.list.cursor_row().is_some_and(|row| row >= screen.app.list.top));
    }
}

#[test]
fn the_number_of_a_record_is_whole_beside_each_time_format() {
    for size in [(80, 24), (120, 36)] {
        let mut screen = Screen::sample("hello", size);
        for _ in 0..3 {
            screen.press(&["t", "G"]);
            let last = screen.app.list.cursor.to_string();
            let line = screen.lines_with("▌ ").remove(0);
            assert_eq!(line.split_whitespace().nth(1), Some(last.as_str()), "{line}");
        }
    }
    // A list without a column for the time says so.
    let mut screen = Screen::sample("hello", (60, 20));
    screen.press(&["t"]);
    assert!(screen.app.notice.is_some());
}

#[test]
fn a_byte_of_a_message_leads_to_its_frame() {
    let wire = fragmented();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["2", "g", "down", "down", "backtab"]);
    assert_eq!(screen.app.panels.focus, Panel::Inflated);
    screen.press(&["end", "left"]);
    screen.assert_shows(&["byte 46 of 47", "frame 3 of 3, record 7"]);
    screen.press(&["enter"]);
    assert_eq!((screen.app.list.cursor, screen.app.detail.byte, screen.app.panels.focus), (7, 6 + 20, Panel::Payload));
    assert!(screen.app.list.in_child, "its row is opened: {}", screen.text());
    // A compressed one.
    let mut screen = Screen::sample("deflate", (120, 36));
    let records = screen.app.capture.records(1..99);
    let first = records.iter().find(|record| record.compressed && !record.fin()).expect("a fragment").no;
    screen.press(&["2", "g"]);
    while screen.app.list.cursor < first {
        screen.press(&["down"]);
    }
    assert_eq!(screen.app.list.cursor, first);
    screen.assert_shows(&["3 frames 74 %", "compressed 70, 74 %"]);
    screen.press(&["backtab", "end", "enter"]);
    assert!(screen.app.list.cursor > first && screen.app.list.in_child, "{}", screen.text());
}

#[test]
fn heartbeats_fold_into_a_counted_row() {
    let mut wire = ticker();
    for n in 0..12u8 {
        wire.say(DOWN, &frame(true, Opcode::Ping, None, &[n]));
        wire.say(UP, &frame(true, Opcode::Pong, Some([1, 2, 3, n]), &[n]));
    }
    for n in 0..4 {
        wire.say(DOWN, &frame(true, Opcode::Text, None, b"2"));
        wire.say(UP, &frame(true, Opcode::Text, Some([1, 2, 4, n]), b"3"));
    }
    wire.say(UP, &frame(true, Opcode::Ping, None, b"not masked"));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["z"]);
    // The first message with each text is not folded, nor is a record with a finding.
    screen.assert_shows(&["▸ ⋯ 24 ", "⋯ 6 ", &Rule::ClientFrameUnmasked.summary()]);
    assert_eq!(screen.app.list.rows.len(), 8 + 1 + 2 + 1 + 1);
    screen.press(&["g"]);
    screen.press(&["down"; 8]);
    assert_eq!(screen.app.list.cursor, 9);
    screen.press(&["enter", "down", "down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child, screen.app.list.rows.len()), (11, true, 13 + 24));
    // A partner that is folded is brought out.
    screen.press(&["z", "z", "g"]);
    screen.press(&["down"; 8]);
    screen.press(&["p"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child), (10, true));
    screen.press(&["z"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.rows.len()), (10, 41));
}

#[test]
fn connections_say_how_they_went_and_open_into_their_frames() {
    let (wire, _connections) = several();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["3"]);
    assert_eq!(screen.app.table.cursor, 1, "that of the record under the cursor");
    let row = |screen: &Screen, port: &str| screen.lines_with(port).remove(0);
    assert!(row(&screen, "127.0.0.1:50000").ends_with("open"), "{}", screen.text());
    assert!(row(&screen, "127.0.0.1:50001").ends_with("client 1000"), "{}", screen.text());
    assert!(row(&screen, "127.0.0.1:50001").contains("250 ms"), "the pings: {}", screen.text());
    assert!(row(&screen, "127.0.0.1:50002").ends_with("server RST"), "{}", screen.text());
    screen.press(&["down"]);
    let text = screen.text();
    for part in ["the client closed, 1000 normal closure;", "median 250 ms · least 250 ms", "/chat?room=␛[31m"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    screen.press(&["enter"]);
    let only = |screen: &Screen| {
        (0..screen.app.list.rows.len())
            .filter_map(|row| screen.app.capture.record(screen.app.list.rows.number(row)?))
            .all(|record| record.connection == 2)
    };
    assert!(only(&screen) && screen.app.list.rows.len() == 16, "{}", screen.text());
    assert!(screen.text().contains("connection 2 · "), "{}", screen.text());
    screen.press(&["2"]);
    assert!(only(&screen), "messages of the same connection");
    screen.press(&["1"]);
    assert!(only(&screen), "and its frames again");
    screen.press(&["esc"]);
    assert_eq!((screen.app.table.cursor, screen.app.list.connection()), (2, None));
    screen.press(&["end", "enter", "G", "esc", "1"]);
    assert_eq!(screen.app.list.rows.len(), screen.app.counts.totals.records);
    for view in [View::Messages, View::Connections, View::Timeline, View::Frames] {
        screen.press(&["v"]);
        assert_eq!(screen.app.panels.view, view);
    }
    // A jump to another connection leads out of the one that is looked at.
    screen.press(&["g", "m", "3", "down", "enter", "'"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.connection()), (1, None));
}

#[test]
fn connections_and_timeline_show_the_connections_that_match_the_filter() {
    let (mut wire, mut connections) = several();
    let mut screen = Screen::live(&wire, (120, 36));
    let shown = |screen: &Screen| screen.app.list.connections(&screen.app.capture).page(0, 99);
    let filter = |screen: &mut Screen, text: &str| {
        screen.press(&["&", "ctrl-u"]).type_text(text).press(&["enter"]);
    };
    screen.press(&["3"]);
    assert_eq!(shown(&screen), [1, 2, 3]);
    filter(&mut screen, "type == end");
    assert_eq!(shown(&screen), [2, 3]);
    assert!(screen.lines_with("127.0.0.1:50000").is_empty(), "{}", screen.text());
    screen.assert_shows(&["2 of 3 "]);
    // The cursor of the table moves among them.
    screen.press(&["home"]);
    assert_eq!(screen.app.table.cursor, 2);
    screen.press(&["down", "down"]);
    assert_eq!(screen.app.table.cursor, 3);
    // Keys for a record do nothing here. The filter for equal values narrows to this connection.
    screen.press(&["m", "a"]);
    assert!(screen.app.list.marks.is_empty() && screen.app.notice.is_some());
    screen.press(&["="]);
    assert_eq!(screen.app.list.filter().map(ToString::to_string).as_deref(), Some("type == end and conn == 3"));
    assert_eq!(shown(&screen), [3]);
    filter(&mut screen, "op == close");
    assert_eq!((shown(&screen), screen.app.table.cursor), (vec![2], 2));
    // As many as before, and others.
    filter(&mut screen, "path == /ticker and op == text");
    assert_eq!(shown(&screen), [1]);
    screen.press(&["4"]);
    let lanes = |screen: &Screen| screen.app.timeline.lanes.iter().map(|lanes| lanes.connection).collect::<Vec<_>>();
    assert_eq!(lanes(&screen), [1]);
    filter(&mut screen, "type == end or conn == 1");
    assert_eq!(lanes(&screen), [1, 2, 3]);
    filter(&mut screen, "conn == 77");
    assert_eq!(lanes(&screen), [0; 0]);
    filter(&mut screen, "op == ping");
    assert_eq!(lanes(&screen), [2]);
    assert_eq!(lane(&screen).map(|(connection, _)| connection), Some(2));
    // What comes may let others in.
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"p"));
    screen.app.refresh();
    assert_eq!(lanes(&screen), [1, 2]);
    screen.press(&["3"]);
    filter(&mut screen, "op == binary");
    assert_eq!(shown(&screen), [0; 0]);
    screen.press(&["esc"]);
    assert_eq!(shown(&screen), [1, 2, 3]);
    connections.clear();
}

#[test]
fn the_timeline_shows_what_moved_when_and_moves_the_cursor() {
    let (mut wire, _connections) = several();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["4"]);
    assert_eq!(screen.app.panels.view, View::Timeline);
    let text = screen.text();
    assert!(text.contains("┬ 2 s"), "{text}");
    let lanes = |screen: &Screen| {
        let list = screen.app.layout.list;
        screen.text().lines().skip(usize::from(list.y)).take(6).map(str::to_owned).collect::<Vec<_>>()
    };
    let signs: Vec<String> = lanes(&screen)
        .iter()
        .map(|lane| lane.chars().skip(10).filter(|c| !"─ ".contains(*c)).collect::<String>())
        .collect();
    assert!(signs[0].starts_with('◆') && signs[0].ends_with('▂'), "{text}");
    assert!(signs[2].starts_with('✗') || signs[2].starts_with('◆'), "{text}");
    assert_eq!(signs[2].replace('┄', ""), "✗╭•╭•╭•╭•╭•×┤", "its pongs, each joined to its ping, and its Close: {text}");
    assert_eq!(signs[3].matches('•').count(), 5, "{text}");
    // The cursor is that of the list.
    let (cursor, no) = (screen.app.list.cursor, screen.app.counts.totals.records);
    assert_eq!(cursor, no);
    screen.press(&["left"]);
    assert!(screen.app.list.cursor < cursor);
    assert_eq!(lane(&screen), Some((1, UP)));
    screen.press(&["home"]);
    assert_eq!(screen.app.list.cursor, 1);
    screen.press(&["down", "down"]);
    assert_eq!(lane(&screen), Some((2, UP)), "{}", screen.text());
    screen.press(&["right", "right", "1"]);
    assert_eq!(screen.app.detail.current().map(|detail| detail.record.connection), Some(2));
    // Closer: the cursor stays in view, and so does the record it moves to.
    screen.press(&["4"]);
    let each = screen.app.timeline.spans.each;
    screen.press(&["+", "+", "+", "+", "+", "+"]);
    assert_eq!(screen.app.timeline.spans.each, each / 64);
    for key in ["end", "home", "right", "down", "down", "left"] {
        screen.press(&[key]);
        let time = screen.app.detail.current().expect("a record").record.time;
        assert!(screen.app.timeline.spans.at(time).is_some(), "after {key}: {}", screen.text());
    }
    screen.press(&["-"]);
    assert_eq!(screen.app.timeline.spans.each, each / 64 * 2);
    screen.press(&["0"]);
    assert_eq!(screen.app.timeline.spans.each, each);
    // It grows with the capture.
    wire.wait(10_000_000_000);
    wire.ticks(1);
    screen.app.refresh();
    assert!(screen.app.timeline.spans.each > each);
    screen.press(&["enter"]);
    assert_eq!(screen.app.panels.view, View::Frames);
}

#[test]
fn the_pictures_of_the_views_stay_as_they_are() {
    let (several, _connections) = several();
    let fragmented = fragmented();
    for (name, wire, keys) in [
        ("messages", &fragmented, &["2", "g", "down", "down", "enter"][..]),
        ("connections", &several, &["3", "down"]),
        ("timeline", &several, &["4", "up", "left", "left"]),
    ] {
        for size in [(120, 36), (80, 24)] {
            let mut screen = Screen::live(wire, size);
            screen.press(keys);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen.text());
        }
    }
    for size in [(200, 60), (60, 20)] {
        let mut screen = Screen::live(&fragmented, size);
        screen.press(&["2", "g", "down", "down"]);
        insta::assert_snapshot!(format!("messages_{}x{}", size.0, size.1), screen.text());
    }
}

#[test]
fn a_payload_can_be_seen_as_a_tree() {
    let mut wire = Wire::upgraded();
    wire.say(DOWN, &frame(true, Opcode::Text, None, br#"{"who":"server","list":[1,{"a":null}],"esc":"\u001b"}"#));
    wire.say(DOWN, &frame(true, Opcode::Binary, None, b"\x82\xa7compact\xc3\xa6schema\x00"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"hello"));
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"[1, 2, "));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"3]"));
    let mut screen = Screen::live(&wire, (120, 36));
    go_to(&mut screen, 3);
    screen.press(&["i"]);
    let text = screen.text();
    screen.assert_shows(&["JSON, 10 lines", "  \"list\": ["]);
    assert!(text.contains(r#""esc": "\u001b""#), "as it is written: {text}");
    insta::assert_snapshot!("tree_120x36", text);
    screen.press(&["tab", "tab", "tab", "end", "up", "pgup", "home", "\\", "\\", "backtab", "backtab", "backtab"]);
    // The next record too; what is none stays text or hex.
    screen.press(&["down"]);
    screen.assert_shows(&["MessagePack, 4 lines"]);
    screen.press(&["down"]);
    assert!(!screen.lines_with("│  hello").is_empty(), "{}", screen.text());
    screen.press(&["i"]);
    assert!(screen.app.notice.is_some(), "{}", screen.text());
    screen.press(&["up", "i", "i"]);
    assert!(screen.text().contains("82 a7 63"), "and back to hex: {}", screen.text());
    // Of a whole message.
    screen.press(&["2", "end", "i"]);
    screen.assert_shows(&["JSON, 5 lines"]);
}

#[test]
fn a_payload_is_read_by_the_subprotocol_of_its_connection() {
    let lines = ["Sec-WebSocket-Protocol: graphql-transport-ws"; 2];
    let mut wire = Wire::new().upgrade(lines);
    wire.text(DOWN, r#"{"id":"7","type":"next","payload":{}}"#);
    let mut screen = Screen::live(&wire, (120, 36));
    go_to(&mut screen, 3);
    screen.press(&["i"]);
    let text = screen.text();
    assert!(text.contains("Payload ─ GraphQL (1 of 2 formats)") && text.contains("operation: 7"), "{text}");
}

#[test]
fn the_tree_follows_a_message_that_grows() {
    let mut wire = Wire::upgraded();
    wire.say(DOWN, &frame(true, Opcode::Text, None, br#"{"first": 1}"#));
    let mut screen = Screen::live(&wire, (120, 36));
    assert!(screen.press(&["2", "i"]).text().contains(r#"  "first": 1"#), "{}", screen.text());
    wire.say(DOWN, &frame(false, Opcode::Text, None, br#"{"second": "#));
    screen.app.refresh();
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"2}"));
    screen.app.refresh();
    assert!(screen.text().contains(r#"  "second": 2"#), "{}", screen.text());
}

#[test]
fn no_match_is_reported_only_after_the_filter_has_read_the_file() {
    let mut screen = Screen::sample("hello", (120, 36));
    screen.press(&["&"]).type_text("text contains zzz").press(&["enter"]);
    let before = screen.text();
    let Some(Effect::Filter(filter)) = screen.app.effects.pop() else { panic!("a filter") };
    let capture = screen.app.capture.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| filter.run(&capture, || {}));
        while screen.app.list.is_filtering(&screen.app.counts.totals) {
            screen.app.refresh();
        }
        filter.stop();
    });
    assert_eq!(screen.app.list.rows.len(), 0);
    assert_ne!(screen.text(), before);
}

#[test]
fn every_faulty_message_has_a_row() {
    let mut wire = Wire::upgraded();
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"first, "));
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"second, "));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"its end"));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"nobody's"));
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"third, "));
    wire.say(DOWN, b"\x80\x7e\x10\x00cut");
    wire.connection.end(DOWN, EndReason::Fin, wire.recording.now());
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["2", "\\"]);
    let text = screen.text();
    for part in ["first,", "2 frames", "third,", " 3 of 4,096 "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    screen.press(&["g", "down", "down", "down", "enter"]);
    assert_eq!(screen.app.list.rows.len(), screen.app.counts.totals.records + 1, "{}", screen.text());
}

#[test]
fn drawing_reads_nothing_from_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    std::fs::write(&path, packets::PLAIN.file(&Tcp::conversation(1, 2).segments)).expect("written");
    let mut screen = Screen::file(&path, import::ImportOptions::default(), (120, 36));
    screen.press(&["down", "down", "down"]);
    let before = screen.text();
    std::fs::write(&path, b"").expect("truncated");
    assert_eq!(screen.text(), before);
    assert_ne!(screen.press(&["down"]).text(), before, "the next record cannot be read");
}
