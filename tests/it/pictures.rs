//! README's pictures, made from the program's own screen buffer.
//!
//! `MAKE_ASSETS=1 cargo test --test it pictures` makes them again.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::support::{DOWN, Screen, UP, Wire, frame, several};
use framescope::wire::opcode::Opcode;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

const CELL: (f32, f32) = (8.4, 18.0);
const BACKGROUND: &str = "#0d1117";
const TEXT: &str = "#e6edf3";

fn pictures() -> Vec<(&'static str, String)> {
    let mut wire = Wire::upgraded();
    wire.ticks(2);
    wire.say(DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
    wire.say(UP, &frame(true, Opcode::Pong, Some([0x5c, 0x11, 0xe0, 0x7a]), b"still there?"));
    wire.ticks(1);
    wire.say(UP, &frame(true, Opcode::Ping, Some([0x1d, 0x42, 0x9b, 0x03]), &[b'!'; 126]));
    let (several, _connections) = several();
    let picture_of = |wire: &Wire, keys: &[&str]| {
        let mut screen = Screen::live(wire, (120, 36));
        screen.press(keys);
        svg(&screen.buffer())
    };
    let picture = |keys: &[&str]| picture_of(&wire, keys);
    vec![
        ("screen.svg", picture(&["g", "down", "down", "down", "right", "right"])),
        ("handshake.svg", picture(&["g", "down", "right", "right", "right"])),
        ("unmasking.svg", picture(&["g", "down", "down", "down", "tab", "tab", "tab", "right", "right", "right"])),
        ("timeline.svg", picture_of(&several, &["4", "left", "down", "down", "down", "home"])),
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

fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (f32::from(area.width) * CELL.0 + 24.0, f32::from(area.height) * CELL.1 + 24.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-size=\"14\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let first = &buffer[(x, y)];
            let (style, start) = (look(first), x);
            let mut text = String::new();
            while x < area.width && look(&buffer[(x, y)]) == style {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                x += (symbol.width() as u16).max(1);
            }
            run(&mut out, start, y, x - start, &text, &style);
        }
    }
    out.push_str("</svg>\n");
    out
}

#[derive(PartialEq)]
struct Look {
    fg: String,
    bg: Option<String>,
    bold: bool,
    underlined: bool,
}

fn look(cell: &Cell) -> Look {
    let (mut fg, mut bg) = (colour(cell.fg).unwrap_or_else(|| TEXT.to_owned()), colour(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        let swapped = bg.unwrap_or_else(|| BACKGROUND.to_owned());
        bg = Some(std::mem::replace(&mut fg, swapped));
    }
    let has = |modifier| cell.modifier.contains(modifier);
    Look { fg, bg, bold: has(Modifier::BOLD), underlined: has(Modifier::UNDERLINED) }
}

fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        _ => None,
    }
}

fn run(out: &mut String, x: u16, y: u16, columns: u16, text: &str, look: &Look) {
    let (left, top) = (12.0 + f32::from(x) * CELL.0, 12.0 + f32::from(y) * CELL.1);
    let width = f32::from(columns) * CELL.0;
    if let Some(bg) = &look.bg {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{bg}\"/>",
            CELL.1
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
    let underline = if look.underlined { " text-decoration=\"underline\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{weight}{underline} xml:space=\"preserve\">{escaped}</text>",
        top + 13.5,
        look.fg
    );
}
