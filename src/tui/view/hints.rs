//! The bottom line: a prompt, the progress of a job, a notice or hints.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::{cells, fit, fit_path, put, width};
use crate::proto::rules::grouped;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::{Context, Hint};
use crate::tui::panel::{Panel, View};
use crate::tui::state::dialogs::{Dialog, Prompt, Purpose};
use crate::tui::state::notice::Notice;

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let room = usize::from(area.width.saturating_sub(2));
    if let Some(Dialog::Prompt(prompt)) = &app.dialogs.open {
        let label = prompt.purpose.label();
        if prompt.purpose == Purpose::Filter {
            return filter(app, prompt, &label, buffer);
        }
        let x = 1 + put(buffer, area, 1, 0, &label, theme.key);
        let (shown, _) = visible_input(prompt, room);
        put(buffer, area, x, 0, &shown, theme.text);
        let beside = match &prompt.error {
            Some(error) => Some((error.as_str(), theme.error)),
            None => prompt.hint().map(|hint| (hint, theme.faint)),
        };
        if let Some((words, style)) = beside {
            let at = area.width.saturating_sub(width(words) + 1);
            put(buffer, area, at.max(x + width(&shown) + 2), 0, words, style);
        }
        return;
    }
    if let Some(job) = &app.jobs.running {
        let (done, total) = job.progress;
        let esc = app.keymap.key_of(Action::Cancel);
        let line = format!("{} … {} of {} · {esc} stops it", job.name, grouped(done), grouped(total));
        put(buffer, area, 1, 0, &fit(&line, room), theme.info);
        return;
    }
    let (line, style) = match &app.notice {
        None => return keys(app, buffer),
        Some(Notice::Info(line)) => (fit_path(line, room), theme.info),
        Some(Notice::Success(line)) => (fit_path(&format!("✓ {line}"), room), theme.good),
        Some(Notice::Failure(line)) => (fit_path(&format!("✗ {line}"), room), theme.error),
        Some(Notice::Leftover { path, files }) => (leftover(path, *files, room), theme.info),
    };
    put(buffer, area, 1, 0, &line, style);
}

/// Draws the prompt for a filter, with completions or with carets under the wrong word in the line below.
fn filter(app: &App, prompt: &Prompt, label: &str, buffer: &mut Buffer) {
    let (area, theme) = (filter_line(app), &app.theme);
    let room = usize::from(area.width.saturating_sub(2));
    for y in [area, app.layout.hints] {
        put(buffer, y, 0, 0, &" ".repeat(usize::from(y.width)), Style::reset());
    }
    let x = 1 + put(buffer, area, 1, 0, label, theme.key);
    let (shown, _) = visible_input(prompt, room);
    put(buffer, area, x, 0, &shown, theme.text);
    let under = app.layout.hints;
    let (words, current, error) = prompt.advice();
    // An expression that is only unfinished is no error yet.
    let unfinished = error.as_ref().is_some_and(|e| e.span.end >= prompt.input.value().trim_end().len());
    match error {
        Some(error) if prompt.error.is_some() || !unfinished || words.is_empty() => {
            let room = room.saturating_sub(label.width() + 1).max(4);
            let scroll = prompt.input.visual_scroll(room);
            let (before, len) = error.columns();
            let at = x + cells(before.saturating_sub(scroll));
            let carets = "^".repeat(len.min(usize::from(under.width.saturating_sub(at)).max(1)));
            let sentence = error.to_string();
            let end = at + cells(carets.len());
            put(buffer, under, at, 0, &carets, theme.error);
            if usize::from(under.width.saturating_sub(end + 1)) >= sentence.width() {
                put(buffer, under, end + 1, 0, &sentence, theme.error);
            } else if sentence.width() + 2 <= usize::from(at) {
                put(buffer, under, at - width(&sentence) - 1, 0, &sentence, theme.error);
            } else {
                let left = under.width.saturating_sub(end + 2);
                put(buffer, under, end + 1, 0, &fit(&sentence, usize::from(left)), theme.error);
            }
        }
        _ => {
            let mut x = 1 + put(buffer, under, 1, 0, "Tab ", theme.key);
            for (i, word) in words.iter().enumerate() {
                if x + width(word) + 4 > under.width {
                    put(buffer, under, x, 0, "…", theme.faint);
                    break;
                }
                let chosen = current == Some(i);
                x += put(buffer, under, x, 0, word, if chosen { theme.selected } else { theme.faint }) + 2;
            }
        }
    }
}

/// The line above the last.
const fn filter_line(app: &App) -> Rect {
    let hints = app.layout.hints;
    Rect { x: hints.x, y: hints.y.saturating_sub(1), width: hints.width, height: hints.height }
}

/// The command that opens a capture which an earlier run left, or that joins its files, in `room` columns.
fn leftover(path: &str, files: usize, room: usize) -> String {
    let (command, rest) = if files == 1 { ("framescope open", "") } else { ("cat", " > all.pcapng") };
    let words = format!("unsaved capture found: {command} ");
    format!("{words}{}{rest}", fit_path(path, room.saturating_sub(words.width() + rest.width())))
}

/// Position of the terminal's cursor while the user types.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Prompt(prompt)) = &app.dialogs.open else { return None };
    let area = if prompt.purpose == Purpose::Filter { filter_line(app) } else { app.layout.hints };
    let label = prompt.purpose.label().width();
    let (_, column) = visible_input(prompt, usize::from(area.width.saturating_sub(2)));
    Some(Position::new((area.x + 1 + cells(label + column)).min(area.right().saturating_sub(1)), area.y))
}

/// The part of the text that fits, and the column of the cursor in it.
fn visible_input(prompt: &Prompt, room: usize) -> (String, usize) {
    let room = room.saturating_sub(prompt.purpose.label().width() + 1).max(4);
    let scroll = prompt.input.visual_scroll(room);
    let shown: String = prompt.input.value().chars().skip(scroll).take(room).collect();
    (shown, prompt.input.visual_cursor().max(scroll) - scroll)
}

fn keys(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let mut hints = match &app.dialogs.open {
        Some(Dialog::Findings(_)) => findings_hints(app),
        _ => panel_hints(app),
    };
    let wide = |hint: &Hint| hint.key.width() + hint.words.width() + 3;
    // If not all hints fit, the last ones are left out, but never those for help and for leaving.
    let stays = |hint: &Hint| matches!(hint.action, Action::Help | Action::Quit | Action::Cancel);
    while hints.iter().map(wide).sum::<usize>() > usize::from(area.width) {
        let Some(at) = hints.iter().rposition(|hint| !stays(hint)) else { break };
        hints.remove(at);
    }
    let mut x = 1;
    for hint in &hints {
        x += put(buffer, area, x, 0, &hint.key, theme.key) + 1;
        x += put(buffer, area, x, 0, &hint.words, theme.faint) + 2;
    }
}

/// The hints while the panel of findings is open.
fn findings_hints(app: &App) -> Vec<Hint> {
    let mut hints = app.keymap.hints(Context::Findings);
    if app.counts.tallies.is_empty() {
        hints.retain(|hint| hint.action == Action::Cancel);
    }
    hints
}

/// The hints for the panel with the focus.
fn panel_hints(app: &App) -> Vec<Hint> {
    let hints = app.keymap.hints(Context::Panels).into_iter();
    hints.filter_map(|hint| words(app, &hint).map(|words| Hint { words, ..hint })).collect()
}

/// The words for an action in the panel with the focus; `None` if it does nothing there.
fn words(app: &App, hint: &Hint) -> Option<String> {
    let live = app.session.url.is_some();
    Some(match hint.action {
        Action::Left | Action::NextPanel | Action::Copy if app.panels.view == View::Connections => return None,
        Action::Hold | Action::Browser if !live => return None,
        Action::Cancel if !app.is_above() => return None,
        Action::Hold if !app.list.following => "follow".to_owned(),
        Action::Open => app.open_hint()?.to_owned(),
        Action::Up => directions(app).0.to_owned(),
        Action::Left => directions(app).1.to_owned(),
        _ => hint.words.clone(),
    })
}

/// What the keys for up and down, and those for left and right, move by.
const fn directions(app: &App) -> (&'static str, &'static str) {
    match (app.panels.focus, app.panels.view) {
        (Panel::List, View::Connections) => ("connection", "field"),
        (Panel::List, View::Timeline) => ("lane", "time"),
        (Panel::List, View::Frames | View::Messages) => ("record", "field"),
        (Panel::Bits, _) => ("field", "field"),
        (Panel::Bytes | Panel::Payload | Panel::Inflated, _) => ("row", "byte"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_for_a_leftover_capture_keeps_the_file_name() {
        let path = "~/.cache/framescope/spool-1234.pcapng";
        assert!(leftover(path, 1, 78).ends_with(path));
        assert!(leftover(path, 1, 62).ends_with("…/spool-1234.pcapng"), "{}", leftover(path, 1, 62));
        let ring = leftover("~/.cache/framescope/live-1234.*.pcapng", 3, 74);
        assert_eq!(ring, "unsaved capture found: cat ~/.cache/frame…/live-1234.*.pcapng > all.pcapng");
    }
}
