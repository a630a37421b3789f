//! README's pictures, made from the program's own screen buffer.
//!
//! `MAKE_ASSETS=1 cargo test --test it pictures` makes them again.

use std::path::PathBuf;

use crate::support::{DOWN, Screen, UP, Wire, frame, several};
use framescope::picture::figure;
use framescope::tui::screen_picture;
use framescope::wire::opcode::Opcode;

fn pictures() -> Vec<(&'static str, String)> {
    let mut wire = Wire::upgraded();
    wire.ticks(2);
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
    wire.say(UP, &frame(true, Opcode::Pong, Some([0x5c, 0x11, 0xe0, 0x7a]), b"still there?"));
    wire.ticks(1);
    wire.say(UP, &frame(true, Opcode::Ping, Some([0x1d, 0x42, 0x9b, 0x03]), &[b'!'; 126]));
    let (several, _connections) = several();
    let picture_of = |wire: &Wire, title: &str, keys: &[&str]| {
        let mut screen = Screen::live(wire, (120, 36));
        screen.press(keys);
        let title = format!("framescope: {title}");
        let description = screen.app.detail.record().map(figure::heading).unwrap_or_default();
        screen_picture::of_buffer(&screen.buffer(), &screen.app.theme, title, description).svg()
    };
    let picture = |title: &str, keys: &[&str]| picture_of(&wire, title, keys);
    vec![
        ("screen.svg", picture("the bits of a frame", &["g", "down", "down", "down", "right", "right"])),
        ("handshake.svg", picture("a handshake", &["g", "down", "right", "right", "right"])),
        (
            "unmasking.svg",
            picture(
                "the XOR of a payload byte",
                &["g", "down", "down", "down", "tab", "tab", "tab", "right", "right", "right"],
            ),
        ),
        ("timeline.svg", picture_of(&several, "the timeline", &["4", "left", "down", "down", "down", "home"])),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/pictures")
}

#[test]
fn the_pictures_show_the_program_as_it_is() {
    let making = std::env::var_os("MAKE_ASSETS").is_some();
    for (name, picture) in pictures() {
        if making {
            std::fs::write(folder().join(name), picture).expect(name);
            continue;
        }
        let kept = std::fs::read_to_string(folder().join(name)).expect(name);
        assert!(kept == picture, "{name} is out of date: MAKE_ASSETS=1 cargo test --test it pictures makes it again");
    }
}
