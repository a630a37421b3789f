//! The screen as a picture.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::theme::Theme;
use crate::picture::{Line, Look, Picture, Rgb};

/// The cells of a screen as a picture. Cells without colours get those of the theme.
pub fn of_buffer(buffer: &Buffer, theme: &Theme, title: String, description: String) -> Picture {
    let area = buffer.area;
    let line = |y: u16| {
        let mut line = Line::default();
        let mut x = area.left();
        while x < area.right() {
            let cell = &buffer[(x, y)];
            line.push(cell.symbol(), look(cell));
            // A wide character covers the cells after it.
            x += (cell.symbol().width() as u16).max(1);
        }
        line
    };
    let lines = (area.top()..area.bottom()).map(line).collect();
    let colour = |colour: Option<Color>, without: u8| colour.and_then(rgb).unwrap_or(Rgb(without, without, without));
    let (ink, paper) = (colour(theme.ground.fg, 0), colour(theme.ground.bg, 255));
    Picture { title, description, ink, paper, lines }
}

fn look(cell: &Cell) -> Look {
    let has = |modifier| cell.modifier.contains(modifier);
    Look {
        ink: rgb(cell.fg),
        paper: rgb(cell.bg),
        bold: has(Modifier::BOLD),
        italic: has(Modifier::ITALIC),
        underlined: has(Modifier::UNDERLINED),
        dim: has(Modifier::DIM),
        reversed: has(Modifier::REVERSED),
    }
}

/// A colour of a theme; the built-in themes have no other ones.
const fn rgb(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        _ => None,
    }
}
