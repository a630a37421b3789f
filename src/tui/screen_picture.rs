//! The screen as a picture, and the pictures that the user requests.

use std::io;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::app::App;
use super::picture_request::{PictureFormat, PictureOf, PictureRequest};
use super::theme::Theme;
use super::view;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain;
use crate::picture::figure::{self, FigureStyle};
use crate::picture::{Line, Look, Picture, Rgb, ThemeName};

/// Draws a picture; returns the content of its file.
///
/// # Errors
/// If the record is evicted, or its bytes cannot be read.
pub fn draw(app: &App, request: &PictureRequest) -> io::Result<String> {
    match request.of {
        PictureOf::Record(no) => {
            let record = app.capture.record(no).ok_or(io::ErrorKind::NotFound)?;
            of_record(&app.capture, &record, app.theme.name, request.format)
        }
        PictureOf::Screen => {
            let mut buffer = Buffer::empty(app.layout.area);
            view::render(app, &mut buffer);
            let title = format!("framescope: {}", app.panels.view.name().to_lowercase());
            let description = app.detail.record().map(figure::heading).unwrap_or_default();
            let picture = of_buffer(&buffer, &app.theme, title, description);
            Ok(match request.format {
                PictureFormat::Svg => picture.svg(),
                PictureFormat::Text => picture.text(),
            })
        }
    }
}

fn of_record(capture: &Capture, record: &Record, theme: ThemeName, format: PictureFormat) -> io::Result<String> {
    let bytes = capture.wire(record, 0..figure::shown_bytes(record.kind))?;
    let fields = figure::fields(record, &bytes);
    let style = FigureStyle::named(theme);
    let figure = style.of(record, &fields, &bytes);
    Ok(match format {
        PictureFormat::Text => figure.text(),
        PictureFormat::Svg => {
            let title = format!("framescope: {}", figure.heading);
            style.picture(title, explain::fields(&fields), figure.lines()).svg()
        }
    })
}

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
