//! Filters from outside: on the command line, and on the screen.

use crate::support::program::{Program, numbers, run};
use crate::support::{Screen, UP, Wire, frame, sample_path};
use framescope::tui::effect::Effect;
use framescope::tui::state::notice::Notice;
use framescope::wire::opcode::Opcode;

#[test]
fn an_export_holds_the_records_that_match_the_filter() {
    let file = sample_path("hello");
    let (status, out, _) = run(&["export", &file, "--to", "ndjson", "-o", "-", "--filter", "op in {ping pong}"]);
    assert_eq!((status, out.lines().count()), (Some(0), 2), "{out}");
    assert!(out.lines().all(|line| line.contains("\"opcode_name\":\"p")), "{out}");
    let (_, text, _) = run(&["export", &file, "--to", "payload", "-o", "-", "--filter", "text == Hello and not mask"]);
    assert_eq!(text, "HelloHello", "of a text frame and of the ping");
}

#[test]
fn a_live_run_prints_the_records_that_match_the_filter() {
    let mut live = Program::start(&["--demo", "--interval", "50ms", "--filter", "op == text and text contains client"]);
    assert!(live.url.starts_with("http://127.0.0.1:"), "{}", live.url);
    live.wait_for("a third answer", 0, |line| line["text"] == "client: echo 2");
    let printed = live.stop();
    let texts: Vec<&str> = printed.iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(texts.len(), printed.len(), "only text frames");
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(*text, format!("client: echo {n}"));
    }
}

#[test]
fn a_filtered_pcapng_holds_the_handshakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.pcapng");
    let out = out.to_str().expect("a name");
    let (status, _, err) =
        run(&["export", &sample_path("hello"), "--to", "pcapng", "-o", out, "--filter", "op == ping"]);
    assert_eq!(status, Some(0));
    let selected = err.lines().last().expect("the counts");
    assert_eq!(numbers(selected), [1, 2], "a selected record and two of the handshake: {err}");
    let (_, lines, _) = run(&["export", out, "--to", "ndjson", "-o", "-"]);
    let types = ["\"request\"", "\"response\"", "\"frame\""];
    assert!(types.iter().all(|word| lines.contains(word)), "{lines}");
}

#[test]
fn a_wrong_filter_is_wrong_usage_with_carets_under_the_word() {
    for command in
        [&["export", "x.pcapng", "--to", "hex"][..], &["check", "x.pcapng"], &["open", "x.pcapng"], &["serve"]]
    {
        let line = [command, &["--filter", "fin and opcod == 9"]].concat();
        let (status, out, err) = run(&line);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{line:?}");
        let lines: Vec<&str> = err.lines().collect();
        assert!(lines[0].contains(" op?"), "the right name: {err}");
        assert_eq!(lines[1..], ["  fin and opcod == 9", "          ^^^^^"]);
    }
    let (status, _, err) = run(&["check", "x.pcapng", "--filter", "text contains \"\u{1b}[2J\" und"]);
    assert!(status == Some(2) && err.contains("[2J") && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn a_check_judges_the_records_that_match_the_filter() {
    let file = sample_path("violations");
    let (status, all, _) = run(&["check", &file]);
    assert_eq!(status, Some(1));
    let (status, some, _) = run(&["check", &file, "--filter", "finding == close-code-invalid"]);
    assert_eq!((status, some.lines().count()), (Some(1), 1), "{some}");
    assert!(some.contains("[close-code-invalid]") && all.contains(&some), "{some}");
    let (status, none, _) = run(&["check", &file, "--filter", "not finding"]);
    assert_eq!((status, none.as_str()), (Some(0), ""));
}

/// The filter of the list, and its number of rows.
fn shown(screen: &Screen) -> (Option<String>, u64) {
    (screen.app.list.filter().map(ToString::to_string), screen.app.list.rows.len())
}

fn wire() -> Wire {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    wire.say(UP, &frame(true, Opcode::Ping, Some([1, 2, 3, 4]), b"beat"));
    wire
}

#[test]
fn a_filter_is_typed_completed_applied_and_cleared() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["&"]);
    screen.type_text("op == p");
    assert!(screen.text().contains("Tab ping  pong"), "{}", screen.text());
    screen.press(&["tab", "enter"]);
    assert_eq!(shown(&screen), (Some("op == ping".to_owned()), 1));
    let text = screen.text();
    assert!(text.contains("& op == ping  1 of 9 "), "{text}");
    assert!(!text.contains("client: echo 2") && text.contains("beat"), "{text}");
    screen.press(&["esc"]);
    assert_eq!(shown(&screen), (None, 9));
    assert!(screen.text().contains("client: echo 2"), "{}", screen.text());
}

#[test]
fn carets_mark_the_wrong_word_while_a_filter_is_typed() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["&"]);
    screen.type_text("fin and opcod == 9");
    let text = screen.text();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains(" fin and opcod == 9")).expect("the prompt");
    assert!(lines[at + 1].contains("^^^^^") && lines[at + 1].contains(" op?"), "{text}");
    assert_eq!(lines[at].find("opcod"), lines[at + 1].find("^^^^^"), "{text}");
    assert_eq!(screen.press(&["enter"]).text(), text, "the prompt stays open");
}

#[test]
fn one_key_filters_by_the_selected_cell_and_narrows_further() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    for (keys, filter, rows) in [
        (&["="][..], "op == ping", 1),
        (&["esc", "home", "down", "down", "="], "op == text", 6),
        (&["tab", "home", "="], "op == text and fin", 6),
    ] {
        screen.press(keys);
        assert_eq!(shown(&screen), (Some(filter.to_owned()), rows));
    }
    // A field that was selected from the list counts too.
    screen.press(&["esc", "1", "home", "down", "down"]).press(&["right"; 12]).press(&["="]);
    let filter = shown(&screen).0.expect("a filter");
    assert!(filter.starts_with("websocket.payload == "), "{filter}");
}

#[test]
fn a_filter_that_reads_payloads_runs_in_the_background() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["&"]);
    screen.type_text("text contains client");
    screen.press(&["enter"]);
    let Some(Effect::Filter(filter)) = screen.app.effects.pop() else { panic!("no filter") };
    assert!(screen.text().contains(" 0 % "), "{}", screen.text());
    let capture = screen.app.capture.clone();
    let (sender, ready) = std::sync::mpsc::channel();
    let work = std::thread::spawn(move || filter.run(&capture, || sender.send(()).unwrap_or_default()));
    ready.recv().expect("a match");
    screen.app.refresh();
    assert_eq!(shown(&screen).1, 3);
    screen.press(&["esc"]);
    work.join().expect("it ends when the filter is cleared");
    assert_eq!(screen.app.list.matches(), None);
}

#[test]
fn a_jump_to_a_hidden_record_shows_it_and_a_notice() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["m", "&"]);
    screen.type_text("op == text");
    screen.press(&["enter", "'"]);
    assert_eq!(screen.app.detail.current().map(|detail| detail.record.no), Some(9));
    let Some(Notice::Info(notice)) = &screen.app.notice else { panic!("a notice") };
    assert_eq!(numbers(notice), [9], "{notice}");
}

#[test]
fn the_export_dialog_offers_the_filtered_records() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["="]);
    assert!(screen.press(&["e"]).text().contains("1 filtered"), "{}", screen.text());
    screen.press(&["enter"]);
    let Some(Effect::Export(request)) = screen.app.effects.pop() else { panic!("no export") };
    assert_eq!(request.records, Some(vec![9]));
}
