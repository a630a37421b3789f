//! Themes on the whole screen: an explicit one sets every cell's colours; without colours, signs and modifiers remain.

use crate::support::Screen;
use framescope::tui::theme::{Theme, ThemeName};
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 5] = [(30, 8), (60, 20), (80, 24), (120, 36), (200, 60)];

/// Keys that lead to every view, panel and dialog.
const WAYS: [&[&str]; 14] = [
    &["g"],
    &["g", "down", "down", "tab"],
    &["2"],
    &["3"],
    &["4"],
    &["f"],
    &["?"],
    &["e"],
    &["S"],
    &["y"],
    &["P"],
    &["/"],
    &["&", "o", "p"],
    &["\\"],
];

#[test]
fn an_explicit_theme_paints_every_cell() {
    for size in SIZES {
        for way in WAYS {
            for name in [ThemeName::Dark, ThemeName::Light] {
                let mut screen = Screen::sample("violations", size);
                screen.app.theme = Theme::named(name).painted();
                screen.press(way);
                let buffer = screen.buffer();
                let bare = buffer.content.iter().position(|cell| cell.bg == Color::Reset || cell.fg == Color::Reset);
                assert_eq!(bare.map(|at| buffer.pos_of(at)), None, "{name:?} {size:?} {way:?}:\n{}", screen.text());
            }
        }
    }
}

#[test]
fn the_theme_of_the_terminal_leaves_its_background() {
    let mut screen = Screen::sample("violations", (120, 36));
    screen.press(&["g"]);
    let bare = screen.buffer().content.iter().filter(|cell| cell.bg == Color::Reset).count();
    assert!(bare > 3000, "{bare}");
}

#[test]
fn without_colours_focus_and_faults_are_visible() {
    let mut screen = Screen::sample("violations", (120, 36));
    screen.app.theme = Theme::named(ThemeName::Mono);
    screen.press(&["g", "]"]);
    let buffer = screen.buffer();
    let coloured = |color: Color| color != Color::Reset;
    assert!(!buffer.content.iter().any(|cell| coloured(cell.fg) || coloured(cell.bg)));
    let with = |modifier: Modifier| buffer.content.iter().filter(|cell| cell.modifier.contains(modifier)).count();
    assert!(with(Modifier::REVERSED) > 0, "the selected field");
    assert!(with(Modifier::UNDERLINED) > 0, "the focus, and the bits at fault");
    assert!(screen.text().contains('✗'));
}
