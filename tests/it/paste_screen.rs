//! Pastes on the screen: frames that are pasted or typed are a capture of their own, above the current one.

use crate::support::{DOWN, REQUEST, RESPONSE, Screen, UP, Wire, compressed_frame, everything, frame};
use framescope::capture::query::filter::Filter;
use framescope::pasted::{Form, ReadAs};
use framescope::proto::rules::Rule;
use framescope::tui::effect::Effect;
use framescope::tui::event::Report;
use framescope::tui::state::dialogs::{Dialog, Question};
use framescope::wire::opcode::Opcode;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (60, 20)];

fn ticker() -> Wire {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    wire
}

/// The wire bytes of the frames on the screen.
fn frames(screen: &Screen) -> Vec<Vec<u8>> {
    let all = everything(&screen.app.capture).into_iter();
    all.filter(|(record, _)| record.opcode().is_some()).map(|(_, wire)| wire).collect()
}

/// The form of the paste on the screen.
fn form(screen: &Screen) -> Option<Form> {
    screen.app.session.pasted.as_ref().map(|pasted| pasted.form)
}

/// The text and the error in the open paste dialog.
fn dialog(screen: &Screen) -> (String, String) {
    let Some(Dialog::Paste(dialog)) = &screen.app.dialogs.open else { panic!("no paste dialog:\n{}", screen.text()) };
    (dialog.input.value().to_owned(), dialog.error.clone().unwrap_or_default())
}

#[test]
fn typed_frames_are_shown_above_the_live_capture_which_goes_on() {
    let mut wire = ticker();
    for size in SIZES {
        let before = wire.capture().totals();
        let mut screen = Screen::live(&wire, size);
        screen.press(&["up", "m", "P"]).type_text("818537fa213d7f9f4d5158 8900").press(&["enter"]).read_pastes();
        assert_eq!(frames(&screen), [&b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..], b"\x89\x00"]);
        assert_eq!(form(&screen), Some(Form::Hex));
        screen.assert_shows(&["paste", "read as hex digits", "Hello"]);
        wire.ticks(2);
        screen.app.refresh();
        let now = wire.capture().totals();
        assert_eq!(now.records, before.records + 4, "the live capture has only what it recorded itself");
        screen.press(&["down"]);
        if size.0 >= 120 {
            screen.assert_shows(&[&format!("live: {} records", now.records), "Esc back"]);
        }
        screen.press(&["esc"]);
        assert_eq!((screen.app.capture.len(), screen.app.list.cursor), (now.records, before.records - 1));
        assert_eq!(screen.app.list.marks.iter().copied().collect::<Vec<u64>>(), [before.records - 1]);
        screen.assert_shows(&[" +4 ", &format!("record {} ", before.records - 1)]);
        screen.press(&["G"]);
        wire.ticks(1);
        screen.app.refresh();
        assert_eq!(screen.app.list.cursor, now.records + 2, "it follows again");
    }
}

#[test]
fn a_bracketed_paste_needs_no_key() {
    let wire = Wire::new();
    let mut screen = Screen::live(&wire, (80, 24));
    // Terminals send CR for a line break.
    screen.app.paste("00000000: 8105 4865 6c6c 6f                        ..Hello\r00000007: 8a00 ..\r");
    screen.read_pastes();
    assert_eq!((frames(&screen).concat(), form(&screen)), (b"\x81\x05Hello\x8a\x00".to_vec(), Some(Form::Dump)));
    assert!(screen.app.dialogs.open.is_none());
    // In the dialog, a paste waits for Enter.
    screen.press(&["P"]).app.paste("81\r\n00");
    assert_eq!(dialog(&screen), ("81\n00".to_owned(), String::new()));
    screen.press(&["enter"]).read_pastes();
    assert_eq!(frames(&screen), [b"\x81\x00"]);
    // A paste above a paste.
    screen.press(&["esc"]);
    assert_eq!(form(&screen), Some(Form::Dump));
    screen.press(&["esc"]);
    assert_eq!(screen.app.capture.len(), 0);
    assert!(!screen.app.is_above());
}

#[test]
fn a_refused_paste_is_kept_with_the_whole_reason() {
    for size in SIZES {
        let mut screen = Screen::live(&ticker(), size);
        screen.app.paste("129 5\r72 101 1");
        screen.read_pastes();
        let (text, error) = dialog(&screen);
        assert_eq!(text, "129 5\n72 101 1");
        assert!(error.contains("--as decimal"), "{error}");
        let words =
            |text: &str| text.replace(['│', '╭', '╮', '╰', '╯'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let reason = |screen: &Screen, error: &str| {
            let shown = words(
                &screen
                    .text()
                    .lines()
                    .map(|line| {
                        // The dialog covers only the middle of the screen.
                        let inside: Vec<&str> = line.split('│').collect();
                        inside.get(inside.len() / 2).copied().unwrap_or_default().to_owned() + " "
                    })
                    .collect::<String>(),
            );
            assert!(shown.contains(&words(error)), "{error:?} is not whole in\n{}", screen.text());
        };
        reason(&screen, &error);
        screen.assert_shows(&["129 5", "72 101 1"]);
        // The longest error.
        let mut longest = Screen::live(&ticker(), size);
        longest.app.paste("nothing of that");
        longest.read_pastes();
        reason(&longest, &dialog(&longest).1);
        // The form that the error asks for.
        screen.press(&["tab", "tab"]);
        let Some(Dialog::Paste(open)) = &screen.app.dialogs.open else { panic!("closed") };
        assert_eq!((open.read_as, &open.error), (Some(ReadAs::Decimal), &None));
        screen.press(&["enter"]).read_pastes();
        assert_eq!(everything(&screen.app.capture)[0].1, [129, 5, 72, 101, 1]);
    }
}

#[test]
fn escape_closes_the_dialog_and_an_empty_text_is_refused() {
    let mut screen = Screen::live(&ticker(), (80, 24));
    screen.press(&["P", "8", "esc"]);
    assert!(screen.app.dialogs.open.is_none() && screen.app.effects.is_empty());
    screen.press(&["P", "enter"]).read_pastes();
    assert!(!dialog(&screen).1.is_empty());
}

#[test]
fn q_asks_about_the_live_capture_only() {
    let wire = ticker();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["P"]).type_text("8100").press(&["enter"]).read_pastes();
    screen.press(&["a"]).type_text("a note").press(&["enter", "q"]);
    let asked = matches!(&screen.app.dialogs.open, Some(Dialog::Question(Question::Quit)));
    assert!(asked && !screen.app.is_above(), "{}", screen.text());
    screen.assert_shows(&["8 records"]);
    screen.press(&["q"]);
    assert!(matches!(screen.app.effects.as_slice(), [Effect::Quit]));
    // A file is not lost by quitting, and a paste is not asked about.
    let mut screen = Screen::sample("hello", (80, 24));
    screen.press(&["P"]).type_text("8100").press(&["enter"]).read_pastes();
    screen.press(&["a"]).type_text("a note").press(&["enter", "q"]);
    assert!(screen.app.dialogs.open.is_none() && matches!(screen.app.effects.as_slice(), [Effect::Quit]));
}

#[test]
fn escape_leaves_the_filter_of_a_paste_first() {
    let mut screen = Screen::live(&ticker(), (80, 24));
    screen.press(&["&"]).type_text("op == text").press(&["enter"]);
    screen.app.paste("8900 8100");
    screen.read_pastes();
    assert!(screen.app.list.filter().is_none(), "the paste has no filter yet");
    screen.press(&["&"]).type_text("op == ping").press(&["enter", "esc"]);
    assert!(screen.app.list.filter().is_none() && screen.app.is_above());
    screen.press(&["esc"]);
    assert_eq!(screen.app.list.filter().map(Filter::text), Some("op == text"));
}

#[test]
fn a_report_reaches_the_screen_that_asked_for_it() {
    let mut screen = Screen::live(&ticker(), (80, 24));
    screen.app.paste("8100");
    screen.read_pastes();
    let paste = screen.app.layer.number;
    screen.app.report_to(0, Report::Succeeded("for the live screen".to_owned()));
    assert!(!screen.text().contains("for the live screen"));
    screen.press(&["esc"]);
    screen.app.report_to(paste, Report::Succeeded("for the paste".to_owned()));
    screen.assert_shows(&["for the live screen"]);
    screen.app.paste("8100");
    screen.read_pastes();
    assert_ne!(screen.app.layer.number, paste, "no number is used twice");
    // A paste that the user has stopped.
    screen.app.paste("8900");
    screen.press(&["esc"]).read_pastes();
    assert_eq!(frames(&screen), [b"\x81\x00"]);
}

#[test]
fn a_paste_waits_for_the_export() {
    let mut screen = Screen::live(&ticker(), (80, 24));
    screen.press(&["w", "enter"]);
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Export(_))));
    screen.app.paste("8100");
    assert!(screen.app.effects.is_empty());
    assert_eq!(dialog(&screen).0, "8100");
}

#[test]
fn deflate_applies_to_pastes() {
    let message = compressed_frame(true, Opcode::Text, None, &[0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x00]);
    for (deflate, expected) in [(false, vec![]), (true, vec![Rule::InflatedNotUtf8])] {
        let mut screen = Screen::live(&ticker(), (80, 24));
        screen.app.session.deflate = deflate;
        screen.app.paste(&hex::encode(&message));
        screen.read_pastes();
        assert_eq!(crate::support::rules(&screen.app.capture), expected);
    }
}

#[test]
fn a_pasted_conversation_has_its_handshake() {
    let mut wire = Wire::new();
    wire.say(UP, REQUEST.as_bytes());
    wire.say(DOWN, &[RESPONSE.as_bytes(), &frame(true, Opcode::Text, None, b"hi")].concat());
    let line = |indent: &str, bytes: &[u8]| format!("{indent}{}\r", hex::encode(bytes));
    let text = [
        "\r=====================\rFollow: tcp,raw\rFilter: tcp.stream eq 0\rNode 0: 127.0.0.1:5\rNode 1: 127.0.0.1:6\r",
        &line("", REQUEST.as_bytes()),
        &line("\t", RESPONSE.as_bytes()),
        &line("\t", &frame(true, Opcode::Text, None, b"hi")),
        "=====================\r",
    ];
    let mut screen = Screen::live(&Wire::new(), (120, 36));
    screen.app.paste(&text.concat());
    screen.read_pastes();
    let kinds = |capture| {
        everything(capture).iter().map(|(record, wire)| (record.kind.name(), wire.clone())).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&screen.app.capture)[..3], kinds(wire.capture())[..3]);
    screen.assert_shows(&["read as a followed stream"]);
}
