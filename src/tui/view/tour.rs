//! The panel of the tour, above the list.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use tui_input::Input;

use super::{cells, put, rule, width, wrap};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::{Binding, Context};
use crate::tui::tour_page::{ANSWER, DONE, FIELD, TourLine, TourPage, TourRole, typed};

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
        TourRole::Key | TourRole::Answer => theme.key,
    };
    for (column, lines) in columns(area, &page) {
        for Placed { y, line: (role, line), is_cut } in placed(lines, column.height) {
            let all = all(app);
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
            if let (TourRole::Answer, Some(answer)) = (role, answer(app)) {
                field(app, buffer, Rect { y: column.y + y, height: 1, ..column }, answer);
            }
        }
    }
}

/// Position of the terminal's cursor in the line of the answer.
pub fn cursor(app: &App) -> Option<Position> {
    let answer = answer(app).filter(|_| app.takes_answer())?;
    let page = app.tour_page()?;
    columns(app.layout.tour, &page).find_map(|(column, lines)| {
        let line = placed(lines, column.height).find(|placed| placed.line.0 == TourRole::Answer)?;
        let (_, at) = typed(answer, field_width(column));
        Some(Position::new(column.x + 1 + width(ANSWER) + cells(at), column.y + line.y))
    })
}

/// Draws the field with the typed answer, and how it is typed while there is none.
fn field(app: &App, buffer: &mut Buffer, line: Rect, answer: &Input) {
    let theme = &app.theme;
    let columns = field_width(line);
    let (text, _) = typed(answer, columns);
    let x = 1 + width(ANSWER);
    let blank = " ".repeat(columns.min(FIELD.max(usize::from(width(&text)) + 1)));
    put(buffer, line, x, 0, &blank, theme.text.add_modifier(Modifier::UNDERLINED));
    put(buffer, line, x, 0, &text, theme.text.add_modifier(Modifier::UNDERLINED));
    let form = app.answer_form().unwrap_or_default();
    put(buffer, line, x + width(&blank) + 2, 0, form, theme.faint);
}

/// Columns for a typed answer.
fn field_width(line: Rect) -> usize {
    usize::from(line.width.saturating_sub(2 + width(ANSWER))).max(1)
}

fn answer(app: &App) -> Option<&Input> {
    app.tour.as_ref()?.answer.as_ref()
}

/// The key that shows a paragraph whole.
fn all(app: &App) -> String {
    let read = app.keymap.key_of(Action::Read);
    let leave =
        app.keymap.binding(Context::Answer, Action::Cancel).map(Binding::first_key).filter(|_| app.takes_answer());
    leave.map_or_else(|| format!("{read} all"), |leave| format!("{leave} {read} all"))
}

/// The columns of the panel with their lines.
fn columns(area: Rect, page: &TourPage) -> impl Iterator<Item = (Rect, &[TourLine])> {
    let wide = area.width / cells(page.columns.len()).max(1);
    let height = area.height.saturating_sub(1);
    page.columns
        .iter()
        .zip(0..)
        .map(move |(lines, i)| (Rect { x: area.x + i * wide, width: wide, y: area.y + 1, height }, lines.as_slice()))
}

/// A line of the panel in its row; `is_cut` if those after it are left out.
struct Placed<'a> {
    y: u16,
    line: &'a TourLine,
    is_cut: bool,
}

/// The lines that fit. What is about the task is at the end: of a paragraph that does not fit, the end is left out.
fn placed(lines: &[TourLine], height: u16) -> impl Iterator<Item = Placed<'_>> {
    let cut = lines.len().saturating_sub(usize::from(height));
    let task = lines.iter().position(|(role, _)| *role != TourRole::Text).unwrap_or(lines.len());
    let kept = task.saturating_sub(cut);
    let shown = lines[..kept].iter().chain(&lines[task..]);
    shown.zip(0..).map(move |(line, y)| Placed { y, line, is_cut: cut > 0 && usize::from(y) + 1 == kept })
}
