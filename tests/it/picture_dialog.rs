//! Pictures that a user takes: of the screen and of a record, as SVG and as text, into a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::terminal::Terminal;
use crate::support::{Screen, xml};
use framescope::tui::effect::Effect;
use framescope::tui::picture_request::{PictureFormat, PictureOf, PictureRequest};
use framescope::tui::screen_picture;
use framescope::wire::printable;

fn request(screen: &mut Screen) -> PictureRequest {
    match screen.app.effects.pop() {
        Some(Effect::Picture(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_dialog_offers_what_can_be_drawn() {
    let mut screen = Screen::sample("hello", (120, 36));
    screen.press(&["g", "down", "down", "S"]);
    screen.assert_shows(&["screen", "record 3", "SVG", "text", "screen.svg"]);
    screen.press(&["right", "down", "right", "enter"]);
    let drawn = request(&mut screen);
    assert_eq!((drawn.of, drawn.format), (PictureOf::Record(3), PictureFormat::Text));
    assert!(drawn.path.is_absolute() && drawn.path.ends_with("record-3.txt"), "{drawn:?}");
    // No record is under the cursor in the table of connections.
    screen.press(&["3", "S", "right", "enter"]);
    assert_eq!(request(&mut screen).of, PictureOf::Screen);
    assert!(screen.app.dialogs.open.is_none());
}

#[test]
fn a_record_is_drawn_as_in_the_rfc() {
    let mut screen = Screen::sample("hello", (120, 36));
    screen.press(&["g", "down", "down", "S", "right", "down", "right", "enter"]);
    let request = request(&mut screen);
    let text = screen_picture::draw(&screen.app, &request).expect("drawn");
    assert!(text.starts_with("record 3 · "), "{text}");
    for line in [
        "+-+-+-+-+-------+-+-------------+",
        "|F|R|R|R| opcode|M| payload len |",
        " 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1",
    ] {
        assert!(text.lines().any(|shown| shown.starts_with(line)), "{line}: {text}");
    }
    let svg = screen_picture::draw(&screen.app, &PictureRequest { format: PictureFormat::Svg, ..request });
    let svg = svg.expect("drawn");
    assert!(xml::texts(&svg, "desc").concat().contains("opcode 0x1 text"), "{svg}");
}

#[test]
fn the_picture_of_every_screen_is_what_the_screen_shows() {
    for sample in ["hello", "violations", "deflate"] {
        for way in [&["g"][..], &["4"], &["3"], &["f"], &["2", "&", "o"]] {
            let mut screen = Screen::sample(sample, (100, 30));
            screen.press(way);
            let path = "x".into();
            let drawn = |format| {
                let request = PictureRequest { of: PictureOf::Screen, format, path: std::path::PathBuf::clone(&path) };
                screen_picture::draw(&screen.app, &request).expect("drawn")
            };
            assert_eq!(drawn(PictureFormat::Text), screen.text(), "{sample} {way:?}");
            let svg = drawn(PictureFormat::Svg);
            assert!(svg.chars().all(|c| c == '\n' || printable::is_plain(c)), "{sample} {way:?}");
            let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            let mut shown: Vec<char> = words(&screen.text()).chars().collect();
            let mut found: Vec<char> = words(&xml::texts(&svg, "text").concat()).chars().collect();
            shown.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, shown, "{sample} {way:?}");
        }
    }
}

#[test]
fn a_picture_is_a_private_file_and_replaces_one_only_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::program(&["open", "--sample", "hello", "--theme", "light"], folder.path());
    terminal.expect("Bits");
    terminal.press("S");
    terminal.expect("screen.svg");
    terminal.press("\r");
    let svg = folder.path().join("screen.svg");
    terminal.expect(&format!("wrote {}", svg.display()));
    assert_eq!(fs::metadata(&svg).expect("there").permissions().mode() & 0o777, 0o600);
    let first = fs::read_to_string(&svg).expect("text");
    assert!(first.contains("fill=\"#ffffff\"/>") && !first.contains("Picture"), "the light screen without the dialog");
    // The next proposed name is free; the same one is asked about.
    terminal.press("jS");
    terminal.expect("screen-2.svg");
    terminal.press("\x1b[B\x1b[Bscreen.svg\r");
    terminal.expect("exists.");
    terminal.press("n");
    terminal.expect("nothing was written");
    assert_eq!(fs::read_to_string(&svg).expect("text"), first);
    terminal.press("S\x1b[B\x1b[Bscreen.svg\r");
    terminal.expect("exists.");
    terminal.press("r");
    terminal.expect("wrote");
    assert_ne!(fs::read_to_string(&svg).expect("text"), first);
    // A missing folder is named, and nothing is written.
    terminal.press("S\x1b[B\x1b[Bno/such.svg\r");
    terminal.expect("does not exist");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.iter().filter(|name| *name != "cache").collect::<Vec<_>>(), ["screen.svg"]);
}
