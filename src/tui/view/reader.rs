//! All words about the selection, in a box that scrolls.

use ratatui::buffer::Buffer;

use super::explanation::{lines, steps};
use super::popup::frame;
use super::{cells, put};
use crate::tui::app::App;
use crate::tui::keymap::Context;

/// Width of the box, in columns.
const WIDTH: u16 = 84;

pub fn render(app: &App, top: u16, buffer: &mut Buffer) {
    let Some(words) = app.read_words() else { return };
    let columns = usize::from(WIDTH.min(app.layout.area.width).saturating_sub(4));
    let title = format!("{} · {}", words.title, words.section);
    let steps = words.unmasking.map(|step| steps(app, step)).into_iter().flatten();
    let steps = steps.map(|step| format!("{:<9}{}   {}   {}", step.name, step.hex, step.bits, step.words));
    let lines: Vec<_> =
        steps.map(|line| (line, app.theme.title)).chain(lines(app, &words.paragraphs, columns)).collect();
    let rows = cells(lines.len());
    let foot = format!("{} · any other key closes", app.keymap.foot(Context::Help));
    let inner = frame(app, buffer, &title, WIDTH, rows.saturating_add(2), &foot);
    let top = top.min(rows.saturating_sub(inner.height));
    for ((line, style), y) in lines.iter().skip(usize::from(top)).zip(0..inner.height) {
        put(buffer, inner, 1, y, line, *style);
    }
}
