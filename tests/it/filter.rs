//! Filters from outside: on the command line, and on the screen.

use std::process::Command;

use crate::support::program::Program;
use crate::support::{Screen, UP, Wire, frame, sample_path};
use assert_cmd::cargo::cargo_bin;
use framescope::tui::effect::Effect;
use framescope::wire::opcode::Opcode;

/// Exit status, stdout and stderr.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(cargo_bin!("framescope")).args(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_export_holds_the_records_that_match_the_filter() {
    let file = sample_path("hello");
    let (status, out, _) = run(&["export", &file, "--to", "ndjson", "-o", "-", "--filter", "op in {ping pong}"]);
    assert_eq!(status, Some(0));
    assert!(!out.is_empty());
    assert!(out.lines().all(|line| line.contains("\"opcode_name\":\"p")), "{out}");
    let (_, text, _) = run(&["export", &file, "--to", "payload", "-o", "-", "--filter", "text == Hello and not mask"]);
    assert!(text.starts_with("Hello"), "{text}");
}

#[test]
fn a_live_run_prints_the_records_that_match_the_filter() {
    let mut live = Program::start(&["--demo", "--interval", "50ms", "--filter", "op == text and text contains client"]);
    assert!(live.url.starts_with("http://127.0.0.1:"), "{}", live.url);
    live.wait_for("a third answer", 0, |line| line["text"] == "client: echo 2");
    let printed = live.stop();
    let texts: Vec<&str> = printed.iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(texts.len(), printed.len(), "nothing but texts");
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(*text, format!("client: echo {n}"));
    }
}

#[test]
fn a_filtered_pcapng_holds_the_handshakes_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a.pcapng");
    let out = out.to_str().expect("a name");
    let (status, _, said) =
        run(&["export", &sample_path("hello"), "--to", "pcapng", "-o", out, "--filter", "op == ping"]);
    assert_eq!(status, Some(0));
    assert!(said.contains("2 handshake records"), "{said}");
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
        let (status, out, said) = run(&line);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{line:?}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[0].contains("there is no such field; did you mean op?"), "{said}");
        assert_eq!(lines[1..], ["  fin and opcod == 9", "          ^^^^^"]);
    }
    let (_, _, said) = run(&["check", "x.pcapng", "--filter", "text contains \"\u{1b}[2J\" und"]);
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_check_judges_the_records_that_match_the_filter() {
    let file = sample_path("violations");
    let (status, all, _) = run(&["check", &file]);
    assert_eq!(status, Some(1));
    let (status, some, said) = run(&["check", &file, "--filter", "finding == close-code-invalid"]);
    assert_eq!(status, Some(1));
    assert!(!some.is_empty() && some.lines().count() < all.lines().count());
    assert!(some.contains("close-code-invalid") && said.contains("only records that match the filter"), "{some}{said}");
    let (status, none, _) = run(&["check", &file, "--filter", "not finding"]);
    assert_eq!((status, none.as_str()), (Some(0), ""));
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
    let text = screen.press(&["tab", "enter"]).text();
    assert!(text.contains("& op == ping  1 of 9 records"), "{text}");
    assert!(!text.contains("client: echo 2") && text.contains("beat"), "{text}");
    let text = screen.press(&["esc"]).text();
    assert!(text.contains("9 records") && !text.contains("& op ==") && text.contains("client: echo 2"), "{text}");
}

#[test]
fn carets_mark_the_wrong_word_while_a_filter_is_typed() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.press(&["&"]);
    screen.type_text("fin and opcod == 9");
    let text = screen.text();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains("filter: fin and opcod")).expect("the prompt");
    assert_eq!(lines[at].find("opcod"), lines[at + 1].find("^^^^^"), "{text}");
    assert!(lines[at + 1].contains("did you mean op?"), "{text}");
    assert!(screen.press(&["enter"]).text().contains("did you mean op?"), "it stays");
}

#[test]
fn one_key_filters_by_the_selected_cell_and_narrows_further() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    assert!(screen.press(&["="]).text().contains("& op == ping  1 of 9"), "{}", screen.text());
    screen.press(&["esc", "home", "down", "down"]);
    assert!(screen.press(&["="]).text().contains("& op == text  6 of 9"), "{}", screen.text());
    screen.press(&["tab", "home"]);
    assert!(screen.press(&["="]).text().contains("& op == text and fin  6 of 9"), "{}", screen.text());
}

#[test]
fn a_filter_that_reads_payloads_runs_in_the_background() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["&"]);
    screen.type_text("text contains client");
    screen.press(&["enter"]);
    let Some(Effect::Filter(sifting)) = screen.app.effects.pop() else { panic!("nothing asked for") };
    assert!(screen.text().contains("0 % searched"), "{}", screen.text());
    let capture = screen.app.capture.clone();
    let (shown, ready) = std::sync::mpsc::channel();
    let work = std::thread::spawn(move || sifting.run(&capture, || shown.send(()).unwrap_or_default()));
    ready.recv().expect("it looked");
    screen.app.refresh();
    assert!(screen.text().contains("3 of 9 records"), "{}", screen.text());
    screen.press(&["esc"]);
    work.join().expect("it ends when the filter is cleared");
    assert_eq!(screen.app.list.matches(), None);
}

#[test]
fn a_jump_to_a_hidden_record_says_so() {
    let wire = wire();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.press(&["m", "&"]);
    screen.type_text("op == text");
    let text = screen.press(&["enter", "'"]).text();
    assert!(
        text.contains("the filter hides record 9; Esc clears the filter") && text.contains("record 9 · ping"),
        "{text}"
    );
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
