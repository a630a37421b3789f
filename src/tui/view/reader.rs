//! All words about the selection, in a box that scrolls.

use ratatui::buffer::Buffer;

use super::explanation::{lines, steps};
use super::popup::frame;
use super::{cells, put};
use crate::tui::app::App;
use crate::tui::app::words::Words;

pub fn render(app: &App, top: u16, buffer: &mut Buffer) {
    let Some(words) = app.read_words() else { return };
    let columns = usize::from(Words::BOX.min(app.layout.area.width).saturating_sub(4));
    let title = [words.title.as_str(), &words.section].into_iter().filter(|part| !part.is_empty());
    let title = title.collect::<Vec<_>>().join(" · ");
    let steps = words.unmasking.map(|step| steps(app, step)).into_iter().flatten();
    let steps = steps.map(|step| format!("{:<9}{}   {}   {}", step.name, step.hex, step.bits, step.words));
    let steps = steps.map(|line| (line, app.theme.title));
    let lines: Vec<_> = lines(app, &words.intro, columns)
        .into_iter()
        .chain(steps)
        .chain(lines(app, &words.paragraphs, columns))
        .collect();
    let rows = cells(lines.len());
    let inner = frame(app, buffer, &title, Words::BOX, rows.saturating_add(2), &app.foot_of_page());
    let top = top.min(rows.saturating_sub(inner.height));
    for ((line, style), y) in lines.iter().skip(usize::from(top)).zip(0..inner.height) {
        put(buffer, inner, 1, y, line, *style);
    }
}
