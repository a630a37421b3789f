//! The panel of the tour, above the list.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{cells, put, rule, width, wrap};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::tour_page::{DONE, TourRole};

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.tour;
    let Some(page) = app.tour_page().filter(|_| area.height > 0) else { return };
    let theme = &app.theme;
    let title = Rect { height: 1, ..area };
    rule::titled(app, buffer, title, "Tour", &page.title, false);
    rule::right(buffer, title, &page.progress, theme.focus);
    let style = |role| match role {
        TourRole::Text | TourRole::Done => theme.text,
        TourRole::Task => theme.title,
        TourRole::Hint => theme.info,
        TourRole::Wrong => theme.error,
        TourRole::Key => theme.key,
    };
    let columns = cells(page.columns.len()).max(1);
    let wide = area.width / columns;
    let room = usize::from(area.height - 1);
    for (lines, i) in page.columns.iter().zip(0..) {
        let column = Rect { x: area.x + i * wide, width: wide, y: area.y + 1, height: area.height - 1 };
        // What is about the task is at the end: of a paragraph that does not fit, the end is left out.
        let cut = lines.len().saturating_sub(room);
        let task = lines.iter().position(|(role, _)| *role != TourRole::Text).unwrap_or(lines.len());
        let kept = task.saturating_sub(cut);
        let shown = lines[..kept].iter().chain(&lines[task..]);
        for ((role, line), y) in shown.zip(0..) {
            let is_cut = cut > 0 && usize::from(y) + 1 == kept;
            let all = format!("{} all", app.keymap.key_of(Action::Read));
            let at = column.width.saturating_sub(width(&all) + 1);
            let whole = || wrap(line, usize::from(at.saturating_sub(4))).into_iter().next().unwrap_or_default();
            let text = if is_cut { format!("{} …", whole()) } else { line.clone() };
            put(buffer, column, 1, y, &text, style(*role));
            if is_cut {
                put(buffer, column, at, y, &all, theme.key);
            }
            if let (TourRole::Done, Some(mark)) = (role, text.strip_prefix(DONE).and(Some(DONE))) {
                put(buffer, column, 1, y, mark, theme.good);
            }
        }
    }
}
