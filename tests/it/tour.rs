//! The guided tour: from its start to its end in a terminal, its progress, and its checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::support::program::run;
use crate::support::terminal::Terminal;
use crate::support::{DOWN, Screen, UP, Wire, frame};
use framescope::explain::tour::Tour;
use framescope::proto::time::Time;
use framescope::tui::effect::Effect;
use framescope::tui::state::tour::{Phase, TourProgress, TourStart, TourState};
use framescope::wire::opcode::Opcode;

const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";

/// The first four characters of the accept key on the screen.
fn accept_key(terminal: &Terminal) -> String {
    let text = terminal.text();
    let line = text.lines().find_map(|line| line.split("base64  ").nth(1)).unwrap_or_else(|| panic!("{text}"));
    line.trim().chars().take(4).collect()
}

/// Does the tour from its start to its end.
fn walk_through(terminal: &mut Terminal) {
    let step = |terminal: &mut Terminal, number: usize| terminal.expect(&format!("step {number} of 8"));
    let done = |terminal: &mut Terminal| terminal.expect("✓ Right");
    step(terminal, 1);
    terminal.expect("received ✓");
    let key = accept_key(terminal);
    // Whatever is typed is the answer, and no key of the panels.
    terminal.expect("Answer:");
    terminal.press("q?sT\r");
    terminal.expect("✗ the value does not begin with q?sT");
    terminal.press(&format!("{key}\r"));
    done(terminal);
    terminal.press("\r");
    step(terminal, 2);
    terminal.expect("record 4 · text");
    // The wrong place, a hint, the right one.
    terminal.press("\r");
    terminal.expect("✗ FIN");
    terminal.press("H");
    terminal.expect("? The keys");
    terminal.press(&format!("{RIGHT}{RIGHT}\r"));
    done(terminal);
    terminal.press("\r");
    step(terminal, 3);
    terminal.expect("record 3 · text");
    terminal.press(&RIGHT.repeat(3));
    terminal.press("\r");
    done(terminal);
    terminal.press("\r");
    step(terminal, 4);
    terminal.expect("Answer:");
    terminal.press("one\r");
    done(terminal);
    terminal.expect("9 mod 4 = 1");
    terminal.press("\r");
    step(terminal, 5);
    terminal.expect("record 5 · text");
    terminal.press(&format!("{RIGHT}\r"));
    done(terminal);
    terminal.expect("record 7 · text");
    terminal.press("\r");
    step(terminal, 6);
    terminal.expect("record 9 · ping");
    terminal.press("p");
    terminal.expect("record 10 · pong");
    terminal.press(&format!("{RIGHT}{RIGHT}\r"));
    done(terminal);
    terminal.press("\r");
    step(terminal, 7);
    terminal.expect("record 11 · text");
    // The wrong fragment is named.
    terminal.press("p");
    terminal.expect("record 12 · continuation");
    terminal.press("\r");
    terminal.expect("✗ record 12 is a continuation frame");
    terminal.press("p");
    terminal.expect("record 13 · continuation");
    assert!(!terminal.text().contains("✗ record 12"), "what was wrong with another record");
    terminal.press(&format!("{LEFT}{LEFT}\r"));
    done(terminal);
    terminal.press("\r");
    step(terminal, 8);
    terminal.expect("record 15 · close");
    // The line was left: Enter and digits open it again.
    terminal.expect("Answer:");
    terminal.press("10");
    terminal.expect("Answer: 10");
    terminal.press("\x1b");
    terminal.expect("Enter answer");
    terminal.press("01\r");
    done(terminal);
    terminal.expect("record 16 · close");
    terminal.press("\r");
    terminal.expect("a whole connection");
    terminal.press("\r");
    terminal.wait_until("the tour is closed", |screen| !screen.contents().contains("Tour "));
}

#[test]
fn the_tour_leads_from_start_to_end_in_a_terminal() {
    for (rows, columns) in [(36, 120), (24, 80)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut terminal = Terminal::sized(&["tour", "--theme", "dark"], folder.path(), rows, columns);
        walk_through(&mut terminal);
        terminal.press("q");
        assert_eq!(terminal.end(), 0, "nobody has to save a lesson");
        terminal.assert_restored();
    }
}

#[test]
fn the_tour_goes_on_where_it_was_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["tour"], folder.path());
    terminal.expect("step 1 of 8");
    terminal.expect("Answer:");
    terminal.press("\x1b");
    terminal.expect("Enter answer");
    terminal.press("s");
    terminal.expect("step 2 of 8");
    terminal.expect("record 4 · text");
    terminal.press(&format!("{RIGHT}{RIGHT}\r"));
    terminal.expect("✓ Right");
    terminal.press("\r");
    terminal.expect("step 3 of 8");
    terminal.expect("○✓●·····");
    terminal.press("b");
    terminal.expect("step 2 of 8");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    // The key on the empty screen goes on, too.
    let mut terminal = Terminal::program(&["serve", "--listen", "127.0.0.1:0"], folder.path());
    terminal.expect("No traffic yet");
    terminal.press("T");
    terminal.expect("step 2 of 8");
    terminal.expect("○●······");
    terminal.expect("record 4 · text");
    terminal.press("s");
    terminal.expect("○✓●·····");
    terminal.press("T");
    terminal.expect("the tour is closed");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    let mut terminal = Terminal::program(&["tour", "--restart"], folder.path());
    terminal.expect("step 1 of 8");
    terminal.expect("●·······");
    terminal.expect("Answer:");
    terminal.press("\x1b");
    terminal.expect("Enter answer");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_file_of_steps_is_checked_before_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let built_in = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/tour/en.toml")).expect("text");
    let write = |text: &str| fs::write(&path, text).expect("written");
    let arguments = ["tour", "--steps", path.to_str().expect("a path")];
    write(&built_in.replace("light = \"status\"", "light = \"state\""));
    let line = built_in.lines().position(|line| line == "light = \"status\"").expect("the line") + 1;
    let (status, _, err) = run(&arguments);
    assert_eq!(status, Some(1));
    for part in ["mine.toml", &format!("line {line}"), "\"handshake\"", "\"state\""] {
        assert!(err.contains(part) && err.lines().count() == 1, "{part}: {err}");
    }
    let (status, _, err) = run(&["tour", "--steps", "none.toml"]);
    assert!(status == Some(1) && err.contains("none.toml (No such file"), "{err}");
    let short = "title = \"Mine\"\nend = \"The end\"\n\n[[step]]\nid = \"only\"\ntitle = \"one\"\ntext = \"Look.\"\n\
                 record = \"op == ping\"\nlight = \"fin\"\ntask = \"How many bytes?\"\nhint = \"Count.\"\ndone = \"Yes.\"\n\
                 answer = \"payload-length\"\n";
    write(short);
    let mut terminal = Terminal::program(&arguments, folder.path());
    terminal.expect("step 1 of 1: one");
    terminal.expect("record 9 · ping");
    terminal.expect("Answer:");
    terminal.press("twelve\r");
    terminal.expect("✓ Yes.");
    terminal.press("\r");
    terminal.expect("The end");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

fn start(at: usize) -> TourStart {
    TourStart { tour: Arc::new(Tour::built_in().expect("a tour")), at, done: BTreeSet::new() }
}

/// A handshake and the first texts, as in the lesson.
fn lesson() -> Wire {
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"Hello framescope!"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"Hello framescope!"));
    wire
}

#[test]
fn a_step_waits_for_its_record_and_can_be_skipped() {
    let mut wire = lesson();
    let mut screen = Screen::live(&wire, (120, 36));
    screen.app.start_tour(start(5));
    let phase = |screen: &Screen| screen.app.tour.as_ref().map(|tour| (tour.at(), tour.phase));
    assert_eq!(phase(&screen), Some((5, Phase::Waiting)));
    screen.press(&["enter"]);
    assert_eq!(phase(&screen), Some((5, Phase::Waiting)));
    wire.say(UP, &frame(true, Opcode::Ping, Some([1, 2, 3, 4]), b"?"));
    screen.app.refresh();
    assert_eq!(phase(&screen), Some((5, Phase::Open)));
    assert_eq!(screen.app.list.cursor, 5);
    screen.press(&["s"]);
    assert_eq!(phase(&screen), Some((6, Phase::Waiting)));
    assert!(
        matches!(screen.app.effects.pop(), Some(Effect::KeepTour(TourProgress { step: Some(id), .. })) if id == "fragments")
    );
    screen.press(&["s", "s"]);
    assert_eq!(phase(&screen).map(|(at, _)| at), Some(8));
    assert!(matches!(screen.app.effects.pop(), Some(Effect::KeepTour(TourProgress { step: None, .. }))));
    screen.press(&["b", "d"]);
    assert_eq!(phase(&screen).map(|(at, _)| at), Some(7));
    assert!(matches!(screen.app.effects.pop(), Some(Effect::Lesson)));
    wire.connection.reset(DOWN, Time(1));
}

#[test]
fn an_answer_is_taken_in_any_notation_and_a_wrong_one_helped() {
    let wire = lesson();
    for (typed, right) in
        [("1", true), ("0x01", true), ("one", true), ("9", false), ("2", false), ("?", false), ("", false)]
    {
        let mut screen = Screen::live(&wire, (80, 24));
        screen.app.start_tour(start(3));
        screen.type_text(typed).press(&["enter"]);
        let tour = screen.app.tour.as_ref().expect("a tour");
        assert_eq!(tour.phase == Phase::Done, right, "{typed}");
        assert_eq!(tour.wrong.is_some(), !right, "{typed:?}: {}", screen.text());
    }
}

#[test]
fn what_is_typed_is_the_answer_and_the_arrows_still_move() {
    let wire = lesson();
    let mut screen = Screen::live(&wire, (80, 24));
    screen.app.start_tour(start(3));
    let row = screen.app.detail.row;
    screen.press(&["right"]);
    assert_ne!(screen.app.detail.row, row, "nothing is typed: the cursor moves in the record");
    let view = screen.app.panels.view;
    screen.type_text("2qsbT").press(&["left", "left", "left", "left", "backspace", "1", "end"]);
    screen.press(&["backspace"; 4]).press(&["enter"]);
    let tour = screen.app.tour.as_ref().expect("a tour");
    assert_eq!((tour.at(), tour.phase, screen.app.panels.view), (3, Phase::Done, view), "{}", screen.text());
    assert_eq!(
        (screen.app.dialogs.open.is_none(), screen.app.detail.byte),
        (true, 6 + 9),
        "the cursor goes to the payload byte"
    );
    // After a wrong answer, typing begins another one.
    let mut screen = Screen::live(&wire, (80, 24));
    screen.app.start_tour(start(3));
    screen.type_text("7").press(&["enter"]).type_text("1").press(&["enter"]);
    assert_eq!(screen.app.tour.as_ref().map(|tour| tour.phase), Some(Phase::Done), "{}", screen.text());
    // What is typed is kept while the line is left for the hint, and a wrong answer is still replaced.
    let mut screen = Screen::live(&wire, (80, 24));
    screen.app.start_tour(start(3));
    screen.type_text("7").press(&["esc", "H", "enter"]);
    let answer = |screen: &Screen| screen.app.tour.as_ref()?.answer.as_ref().map(|answer| answer.value().to_owned());
    assert_eq!(answer(&screen).as_deref(), Some("7"));
    screen.press(&["enter", "esc", "H", "enter"]).type_text("1");
    assert_eq!(answer(&screen).as_deref(), Some("1"));
    // Left with Esc, letters are keys again, and a digit begins the answer.
    let mut screen = Screen::live(&wire, (80, 24));
    screen.app.start_tour(start(3));
    screen.press(&["esc", "2"]);
    assert!(screen.app.takes_answer() && screen.app.panels.view == view);
    screen.press(&["esc", "s"]);
    assert_eq!(screen.app.tour.as_ref().map(TourState::at), Some(4));
    // A tour that is left goes on without another lesson.
    screen.app.effects.clear();
    screen.press(&["T"]);
    assert!(screen.app.tour.is_none());
    screen.press(&["T"]);
    assert_eq!(screen.app.tour.as_ref().map(TourState::at), Some(4));
    assert!(screen.app.effects.is_empty(), "{:?}", screen.app.effects);
}

#[test]
fn what_was_wrong_with_a_selection_goes_when_another_one_is_made() {
    let wire = lesson();
    let mut screen = Screen::live(&wire, (60, 20));
    screen.app.start_tour(start(1));
    let is_wrong = |screen: &Screen| screen.app.tour.as_ref().is_some_and(|tour| tour.wrong.is_some());
    for moves in ["right", "left", "right"] {
        screen.press(&["enter"]);
        assert!(is_wrong(&screen), "{moves}: {}", screen.text());
        screen.press(&["m"]);
        assert!(is_wrong(&screen), "{moves}: a mark selects nothing else");
        screen.press(&[moves]);
        assert!(!is_wrong(&screen), "{moves}: {}", screen.text());
    }
}

#[test]
fn the_tour_leaves_the_record_and_the_task_on_every_screen() {
    let wire = lesson();
    for size in [(60, 20), (80, 24), (120, 36), (164, 30), (200, 60)] {
        for at in 0..4 {
            let mut screen = Screen::live(&wire, size);
            screen.app.start_tour(start(at));
            let tour = Tour::built_in().expect("a tour");
            let task: Vec<&str> = tour.steps[at].task.split(' ').take(3).collect();
            screen.assert_shows(&["Tour ", &task.join(" ")]);
            assert!(screen.app.layout.left.height >= 7, "{size:?}: {}", screen.text());
            if size.0 > 60 {
                assert!(!screen.text().lines().take(12).any(|line| line.trim_end().ends_with('…') && line.len() < 70));
                assert!(screen.app.layout.explanation.height >= 3, "{size:?}: {}", screen.text());
            }
            // A hint and the text after the task are shown whole.
            let last = |text: &str| text.rsplit(' ').next().expect("a word").to_owned();
            if screen.app.takes_answer() {
                screen.assert_shows(&["Answer: "]);
                screen.press(&["esc"]);
            }
            screen.press(&["H"]);
            screen.assert_shows(&["? ", &last(&tour.steps[at].hint)]);
            if let Some(state) = &mut screen.app.tour {
                state.finish_task();
            }
            screen.app.resize(screen.app.layout.area);
            screen.assert_shows(&["✓ ", &last(&tour.steps[at].done), "goes on to the next"]);
            screen.press(&["\\", "v", "v", "v", "v", "esc", "tab", "T"]);
            assert!(screen.app.tour.is_none());
        }
    }
    let mut screen = Screen::live(&wire, (59, 19));
    screen.app.start_tour(start(0));
    screen.assert_shows(&["60×20", "record 2"]);
}

#[test]
fn the_view_of_connections_leaves_the_tour_its_lines() {
    let wire = lesson();
    for size in [(60, 20), (80, 24), (120, 36), (200, 60)] {
        let mut screen = Screen::live(&wire, size);
        screen.app.start_tour(start(1));
        screen.press(&["3"]);
        let (tour, connections) = (screen.app.layout.tour, screen.app.connections_layout());
        assert_eq!(tour.bottom(), connections.title.y, "{size:?}: {}", screen.text());
        assert!(connections.rows.height > 0 && connections.facts.height > 0, "{size:?}: {}", screen.text());
        let page = screen.app.tour_page().expect("a page");
        screen.assert_shows(&[&page.title, &page.columns.last().expect("a column").last().expect("a line").1]);
    }
}
