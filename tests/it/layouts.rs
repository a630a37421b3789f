//! The layout of a record at any size: room for words, nothing cut without a sign, the cursor on the fault.

use framescope::capture::query::search::Hit;
use framescope::proto::deflate::Deflater;
use framescope::proto::rules::Rule;
use framescope::tui::app::words::Words;
use framescope::tui::event::Report;
use framescope::tui::panel::Panel;
use framescope::wire::opcode::Opcode;
use proptest::prelude::*;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::support::{DEFLATE, DOWN, Screen, UP, Wire, cases, compressed_frame, deflated, frame};

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

/// The numbers of the records of [`records`].
const REQUEST: u64 = 1;
const RESPONSE: u64 = 2;
const TEXT: u64 = 3;
const FAULT: u64 = 4;
const LENGTH_16: u64 = 5;
const LENGTH_64: u64 = 6;
const COMPRESSED: u64 = 7;
const UTF8: u64 = 8;
const CLOSE: u64 = 9;

/// One record of each kind that has a layout of its own.
fn records() -> Wire {
    let mut wire = Wire::new().upgrade([DEFLATE; 2]);
    wire.say(UP, &frame(true, Opcode::Text, KEY, b"client: echo 0"));
    wire.say(DOWN, &[&[0x82, 0x7e, 0, 5][..], b"bytes"].concat());
    wire.say(DOWN, &frame(true, Opcode::Binary, None, &[7; 300]));
    wire.say(UP, &frame(true, Opcode::Text, Some([1, 2, 3, 4]), &vec![b'a'; 65_536]));
    let payload = deflated(&mut Deflater::new(15, true), "Row, row, row your boat".as_bytes());
    wire.say(DOWN, &compressed_frame(true, Opcode::Text, None, &payload));
    wire.say(DOWN, &frame(true, Opcode::Text, None, "naïve ✓ 日本".as_bytes()));
    wire.say(UP, &frame(true, Opcode::Close, Some([5, 6, 7, 8]), b"\x03\xe8seen enough"));
    wire
}

/// The screen at that record, reached with the keys for the first record and the next ones.
fn at(wire: &Wire, size: (u16, u16), no: u64) -> Screen {
    let mut screen = Screen::live(wire, size);
    screen.press(&["g"]);
    for _ in 1..no {
        screen.press(&["down"]);
    }
    assert_eq!(screen.app.list.cursor, no);
    screen
}

#[test]
fn the_layouts_stay_as_they_are() {
    let wire = records();
    for (name, no) in [
        ("request", REQUEST),
        ("response", RESPONSE),
        ("masked_text", TEXT),
        ("fault", FAULT),
        ("length_16", LENGTH_16),
        ("length_64", LENGTH_64),
        ("deflate", COMPRESSED),
        ("close", CLOSE),
    ] {
        for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
            let screen = at(&wire, size, no);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen.text());
        }
    }
}

#[test]
fn the_field_that_carries_a_long_length_is_in_view() {
    let wire = records();
    for no in [FAULT, LENGTH_16, LENGTH_64] {
        let detail = &at(&wire, (80, 24), no).app.detail;
        let rows = &detail.current().expect("a record").rows;
        let extended = rows.iter().position(|row| row.name == "extended len").expect("an extended length");
        let shown = detail.row_top..detail.row_top + detail.rows_in_view();
        assert!(shown.contains(&extended), "record {no}: row {extended} in {shown:?}");
    }
}

/// A text with one space between words.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in the panel of words, without the lines of a computation.
fn shown_words(screen: &Screen) -> String {
    let area = screen.app.layout.explanation;
    let skip = if screen.app.words().is_some_and(|words| words.unmasking.is_some()) { 3 } else { 0 };
    let buffer = screen.buffer();
    let line = |y: u16| (area.x..area.right()).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    joined(&(area.y + skip..area.bottom()).map(line).collect::<Vec<_>>().join(" "))
}

fn paragraphs_of(words: &Words) -> String {
    joined(&words.paragraphs.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" "))
}

/// Asserts that the panel of words shows all words, or ends with an ellipsis and the key that shows all.
fn assert_words_are_whole(screen: &Screen, context: &str) {
    let words = screen.app.words().expect("words");
    if words.unmasking.is_some() && screen.app.layout.explanation.height == 3 {
        // The computation fills the panel.
        let area = screen.app.layout.explanation;
        let last = screen.text().lines().nth(usize::from(area.bottom() - 1)).map(str::to_owned).unwrap_or_default();
        return assert!(last.contains("… r all") && last.contains("XOR"), "{context}: {last}");
    }
    let paragraphs = words.paragraphs.iter().chain(&words.further);
    let whole = joined(&paragraphs.map(|part| part.text.as_str()).collect::<Vec<_>>().join(" "));
    let shown = shown_words(screen);
    match shown.strip_suffix("… r all") {
        Some(beginning) => assert!(whole.starts_with(beginning.trim_end()), "{context}: {shown}\n{whole}"),
        // Of the explanations of other fields, those that fit are shown.
        None => assert!(
            shown.starts_with(&paragraphs_of(&words)) && whole.starts_with(&shown),
            "{context}: {shown}\n{whole}"
        ),
    }
}

proptest! {
    #![proptest_config(cases(64))]
    /// The words have three lines at every size, the panels do not overlap, and no text is cut without a sign.
    #[test]
    fn at_every_size_the_words_have_three_lines_and_nothing_is_cut_silently(
        width in 60u16..=220, height in 20u16..=70, no in REQUEST..=CLOSE, rights in 0usize..12, tabs in 0usize..5,
        maximised: bool, hex: bool,
    ) {
        let wire = records();
        let mut screen = at(&wire, (width, height), no);
        screen.press(&vec!["right"; rights]);
        screen.press(&vec!["tab"; tabs]);
        if hex {
            screen.press(&["x"]);
        }
        if maximised {
            screen.press(&["\\"]);
        }
        // A notice of two lines is above the words until the next key.
        screen.app.notice = None;
        let layout = screen.app.layout;
        prop_assert!(layout.explanation.height >= 3, "{layout:?}");
        prop_assert!(layout.area_of(screen.app.panels.focus).area() > 0, "the panel with the keys has a place");
        let areas = [layout.list, layout.left, layout.bytes, layout.payload, layout.inflated, layout.explanation];
        for (i, a) in areas.iter().enumerate() {
            for b in &areas[i + 1..] {
                prop_assert!(!a.intersects(*b) || a.area() == 0 || b.area() == 0, "{a:?} {b:?}");
            }
        }
        assert_words_are_whole(&screen, &format!("{width}x{height} record {no}"));
        let detail = &screen.app.detail;
        let rows = detail.current().map_or(0, |detail| detail.rows.len());
        if layout.left.area() > 0 && detail.rows_in_view() < rows {
            let buffer = screen.buffer();
            let line = |area: Rect, y| (area.x..area.right()).map(|x| buffer[(x, y)].symbol()).collect::<String>();
            let has_sign = |area: Rect| (area.y..area.bottom()).any(|y| line(area, y).contains(" more"));
            prop_assert!(has_sign(layout.left) || has_sign(detail.table_title), "hidden rows are counted: {}", screen.text());
        }
        // All of the words are a key away.
        screen.press(&["r"]);
        let end = screen.app.words().and_then(|words| words.paragraphs.last().map(|part| joined(&part.text)));
        let last = end.as_deref().and_then(|text| text.split(' ').next_back()).unwrap_or_default().to_owned();
        let mut text = screen.text();
        for _ in 0..30 {
            if text.contains(&last) {
                break;
            }
            text = screen.press(&["down"]).text();
        }
        prop_assert!(text.contains(&last), "{last}");
    }
}

#[test]
fn while_a_line_is_typed_the_words_keep_three_lines() {
    let wire = records();
    for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
        let mut screen = at(&wire, size, TEXT);
        screen.app.session.takes_lines = true;
        let before = screen.app.layout.explanation;
        screen.press(&[":"]).type_text("/ping");
        let layout = screen.app.layout;
        let prompt = screen.text().lines().position(|line| line.contains("▌Send ━")).expect("the prompt");
        assert!(layout.explanation.height >= 3 && layout.list.height >= 2, "{size:?}: {layout:?}");
        assert_eq!(usize::from(layout.explanation.bottom()), prompt, "{}", screen.text());
        assert_words_are_whole(&screen, &format!("{size:?}"));
        screen.press(&["esc"]);
        assert_eq!(screen.app.layout.explanation, before);
    }
}

#[test]
fn a_compressed_message_shows_how_it_was_inflated() {
    let wire = records();
    for size in [(80, 24), (120, 36), (200, 60)] {
        at(&wire, size, COMPRESSED).assert_shows(&["append    00 00 ff ff", "20 bytes, 87 %", "██ 23 bytes"]);
    }
    let mut screen = at(&wire, (60, 20), COMPRESSED);
    screen.assert_shows(&["RSV1        1 compressed"]);
    screen.press(&["backtab"]).assert_shows(&["append    00 00 ff ff", "20 bytes, 87 %"]);
    // What was not inflated has no drawing.
    screen.press(&["backtab", "backtab", "backtab", "backtab", "up"]);
    assert!(!screen.text().contains("00 00 ff ff"), "{}", screen.text());
}

#[test]
fn the_list_has_four_rows_at_80_by_24_and_three_at_60_by_20() {
    let wire = records();
    for (size, list, words) in [((60, 20), 3, 3), ((80, 24), 4, 4), ((120, 36), 8, 6)] {
        let layout = at(&wire, size, TEXT).app.layout;
        assert_eq!((layout.list.height, layout.explanation.height), (list, words), "{size:?}");
    }
    let layout = at(&wire, (200, 60), TEXT).app.layout;
    assert!(layout.list.right() < layout.left.x && layout.left.right() < layout.bytes.x, "three columns: {layout:?}");
    assert_eq!(layout.explanation.width, layout.left.width);
}

#[test]
fn at_110_columns_the_grid_is_the_figure_of_the_rfc() {
    let wire = records();
    for width in [110, 120, 140] {
        let screen = at(&wire, (width, 36), TEXT);
        assert_eq!(screen.app.layout.left.width, 67);
        let text = screen.text();
        let lines: Vec<String> = text.lines().skip(11).take(9).map(|line| line.chars().take(66).collect()).collect();
        let expected = "  0                   1                   2                   3
  0 1 2 3 4 5 6 7╷8 9 0 1 2 3 4 5╷6 7 8 9 0 1 2 3╷4 5 6 7 8 9 0 1
 ┌─┬─┬─┬─┬───────┬─┬─────────────┬───────────────────────────────┐
 │F│R│R│R│ opcode│M│ payload len │          masking key          │
 │1│0│0│0│0 0 0 1│1│0 0 0 1 1 1 0│0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0│
 ├─┴─┴─┴─┴───────┴─┴─────────────┼───────────────────────────────┤
 │          masking key          │       payload (masked)        │
 │0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1│0 1 0 1 0 1 0 0 1 0 0 1 0 1 1 0│
 └┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┴┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘";
        let drawn: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(drawn.join("\n"), expected, "{text}");
    }
}

#[test]
fn every_way_to_a_fault_puts_the_cursor_on_it() {
    let wire = records();
    let ways: [&[&str]; 6] = [
        &["g", "down", "down", "down"],
        &["up", "up", "up", "up", "up"],
        &["g", "]"],
        &["G", "["],
        &["f", "n"],
        &["g", "down", "down", "right", "right", "down"],
    ];
    for keys in ways {
        let mut screen = Screen::live(&wire, (120, 36));
        screen.press(keys);
        assert_eq!((screen.app.list.cursor, screen.field().as_str()), (FAULT, "payload len"), "{keys:?}");
        let words = screen.app.words().expect("words");
        assert!(words.paragraphs[0].text.starts_with("✗ length 5 "), "{words:?}");
        assert_eq!(words.section, Rule::LengthNotShortest.section());
        assert_eq!(words.paragraphs[1].text, "sent 7e 00 05, shortest 05");
    }
    // The record after it shows what the user selected before.
    let mut screen = at(&wire, (120, 36), TEXT);
    screen.press(&["right", "right", "down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.field().as_str()), (LENGTH_16, "opcode"));
}

#[test]
fn nothing_is_said_twice() {
    let screen = at(&records(), (200, 60), TEXT);
    let words = screen.app.words().expect("words");
    let mut texts: Vec<&str> = words.paragraphs.iter().map(|part| part.text.as_str()).collect();
    texts.extend(words.further.iter().map(|part| part.text.as_str()));
    let all = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), all, "{texts:#?}");
    assert!(words.further.iter().any(|part| part.text == "RSV2, RSV3"), "{:?}", words.further);
    // The finding, what is right, and the reason.
    let mut wire = Wire::new().upgrade([DEFLATE; 2]);
    wire.say(UP, &frame(true, Opcode::Text, None, b"no mask"));
    let mut screen = Screen::live(&wire, (60, 20));
    screen.press(&["g", "]"]);
    let words = screen.app.words().expect("words");
    assert_eq!((screen.field().as_str(), words.paragraphs.len()), ("MASK", 3), "{words:?}");
    assert_words_are_whole(&screen, "a fault of one bit");
    assert!(!screen.text().contains("r all"), "{}", screen.text());
}

#[test]
fn the_bits_at_fault_have_the_error_colour() {
    let wire = records();
    let screen = at(&wire, (120, 36), FAULT);
    let (buffer, area) = (screen.buffer(), screen.app.layout.left);
    let error = screen.app.theme.error.fg;
    let red: String = (area.x..area.right())
        .map(|x| &buffer[(x, area.y + 4)])
        .filter(|cell| Some(cell.fg) == error && cell.modifier.contains(Modifier::UNDERLINED))
        .map(|cell| cell.symbol().trim())
        .collect();
    assert_eq!(red, "11111100000000000000101", "the length in both forms: {}", screen.text());
}

#[test]
fn a_length_that_follows_has_an_arrow_to_its_bytes() {
    let wire = records();
    for (no, table, hex) in [(LENGTH_16, "126 ↓", "7e→01 2c"), (LENGTH_64, "127 ↓", "ff→00 00")] {
        let mut screen = at(&wire, (120, 36), no);
        screen.press(&["right"; 4]).assert_shows(&[table, hex]);
        assert!(screen.text().lines().any(|line| line.contains("1 1→0 0") || line.contains("1 0→0 0")));
    }
    let narrow = at(&wire, (80, 24), LENGTH_16);
    assert!(narrow.text().contains("↓"), "{}", narrow.text());
}

#[test]
fn a_text_is_shown_as_text_and_its_hex_is_a_key_away() {
    let wire = records();
    let mut screen = at(&wire, (120, 36), UTF8);
    screen.assert_shows(&["│  naïve ✓ 日本"]);
    screen.press(&["x"]);
    assert!(screen.lines_with("│  naïve ✓").is_empty(), "{}", screen.text());
    screen.assert_shows(&["6e 61 c3 af  76 65 20 e2  naï╴ve ✓", "9c 93 20 e6  97 a5 e6 9c  ╴╴ 日╴本"]);
    // In the wire bytes too, and the next records stay hex.
    screen.press(&["x", "x", "up", "down"]);
    screen.assert_shows(&["6e 61 c3 af  76 65 20 e2  naï╴ve ✓"]);
    screen.press(&["x"]);
    screen.assert_shows(&["│  naïve ✓ 日本"]);
}

#[test]
fn a_panel_without_a_place_takes_that_of_the_bits() {
    let wire = records();
    let mut screen = at(&wire, (60, 20), TEXT);
    assert_eq!(screen.app.layout.bytes.area(), 0);
    screen.press(&["tab", "tab"]);
    assert_eq!((screen.app.panels.focus, screen.app.layout.left.area()), (Panel::Bytes, 0));
    screen.assert_shows(&["0000  81 8e 37 fa"]);
    screen.press(&["tab"]).assert_shows(&["client: echo 0", "payload byte 0 of 0 to 13"]);
    screen.press(&["tab"]);
    assert!(screen.app.layout.left.area() > 0, "{}", screen.text());
}

#[test]
fn a_masked_close_is_labelled_and_explained_after_the_xor() {
    let wire = records();
    let screen = at(&wire, (120, 36), CLOSE);
    // The code is what a Close says first.
    assert_eq!(screen.field(), "close code");
    screen.assert_shows(&["close code (masked)", "03 e8"]);
}

#[test]
fn a_byte_of_a_character_names_the_character() {
    let mut wire = records();
    wire.say(UP, &frame(true, Opcode::Text, KEY, "aé".as_bytes()));
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["tab", "tab", "tab", "right", "right"]);
    assert!(screen.lines_with("XOR     a9")[0].ends_with("a byte of é"), "{}", screen.text());
    screen.press(&["r"]);
    assert_eq!(screen.lines_with("a byte of é").len(), 2, "all words contain the computation: {}", screen.text());
}

#[test]
fn a_match_in_a_record_with_a_finding_leaves_the_cursor_on_the_fault() {
    let wire = records();
    let mut screen = Screen::live(&wire, (120, 36));
    for (no, byte, field) in [(FAULT, 6, "payload len"), (TEXT, 8, "payload")] {
        screen.app.report(Report::Found(Some(Hit { no, byte, inflated: None })));
        assert_eq!((screen.app.list.cursor, screen.field().as_str()), (no, field));
    }
}
