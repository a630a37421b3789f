//! The bottom line: hints, or what was just said, or a line to type into.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, fit_path, put};
use crate::proto::rules::grouped;
use crate::tui::action::Action;
use crate::tui::app::overlay::{Overlay, Prompt, Purpose};
use crate::tui::app::{App, Notice, Panel, View};

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let width = usize::from(area.width.saturating_sub(2));
    if let Some(Overlay::Prompt(prompt)) = &app.overlay {
        let label = prompt.purpose.label();
        if prompt.purpose == Purpose::Filter {
            return filter(app, prompt, &label, buffer);
        }
        let x = 1 + put(buffer, area, 1, 0, &label, theme.key.0);
        let (shown, _) = visible_input(prompt, width);
        put(buffer, area, x, 0, &shown, theme.text.0);
        let beside = match &prompt.complaint {
            Some(complaint) => Some((complaint.as_str(), theme.error.0)),
            None => prompt.hint().map(|hint| (hint, theme.faint.0)),
        };
        if let Some((words, style)) = beside {
            let at = area.width.saturating_sub(words.width() as u16 + 1);
            put(buffer, area, at.max(x + shown.width() as u16 + 2), 0, words, style);
        }
        return;
    }
    if let Some(job) = &app.job {
        let (done, total) = job.progress;
        let line = format!("{} … {} of {} · Esc stops it", job.what, grouped(done), grouped(total));
        put(buffer, area, 1, 0, &fit(&line, width), theme.info.0);
        return;
    }
    match &app.notice {
        Some(Notice::Told(line)) => {
            put(buffer, area, 1, 0, &fit_path(line, width), theme.info.0);
        }
        Some(Notice::Said(line)) => {
            put(buffer, area, 1, 0, &fit_path(&format!("✓ {line}"), width), theme.good.0);
        }
        Some(Notice::Failed(line)) => {
            put(buffer, area, 1, 0, &fit_path(&format!("✗ {line}"), width), theme.error.0);
        }
        Some(Notice::Leftover { path, files }) => {
            put(buffer, area, 1, 0, &leftover(path, *files, width), theme.info.0);
        }
        None => keys(app, buffer),
    }
}

/// The line in which a filter is typed, and beneath it what can stand at the cursor, or carets under the wrong word.
fn filter(app: &App, prompt: &Prompt, label: &str, buffer: &mut Buffer) {
    let (area, theme) = (filter_line(app), &app.theme);
    let width = usize::from(area.width.saturating_sub(2));
    for y in [area, app.layout.hints] {
        put(buffer, y, 0, 0, &" ".repeat(usize::from(y.width)), Style::reset());
    }
    let x = 1 + put(buffer, area, 1, 0, label, theme.key.0);
    let (shown, _) = visible_input(prompt, width);
    put(buffer, area, x, 0, &shown, theme.text.0);
    let under = app.layout.hints;
    let (words, error) = prompt.advice();
    // What is only not finished is no error yet.
    let unfinished = error.as_ref().is_some_and(|e| e.span.end >= prompt.input.value().trim_end().len());
    match error {
        Some(error) if prompt.complaint.is_some() || !unfinished || words.is_empty() => {
            let room = width.saturating_sub(label.width() + 1).max(4);
            let scroll = prompt.input.visual_scroll(room);
            let (before, len) = error.columns();
            let at = x + before.saturating_sub(scroll) as u16;
            let carets = "^".repeat(len.min(usize::from(under.width.saturating_sub(at)).max(1)));
            let sentence = error.to_string();
            let end = at + carets.len() as u16;
            put(buffer, under, at, 0, &carets, theme.error.0);
            if usize::from(under.width.saturating_sub(end + 1)) >= sentence.width() {
                put(buffer, under, end + 1, 0, &sentence, theme.error.0);
            } else if sentence.width() + 2 <= usize::from(at) {
                put(buffer, under, at - sentence.width() as u16 - 1, 0, &sentence, theme.error.0);
            } else {
                let left = under.width.saturating_sub(end + 2);
                put(buffer, under, end + 1, 0, &fit(&sentence, usize::from(left)), theme.error.0);
            }
        }
        _ => {
            let mut x = 1 + put(buffer, under, 1, 0, "Tab ", theme.key.0);
            for (i, word) in words.iter().enumerate() {
                if x + word.width() as u16 + 4 > under.width {
                    put(buffer, under, x, 0, "…", theme.faint.0);
                    break;
                }
                let chosen = prompt.tabbed.as_ref().is_some_and(|(_, at)| *at == i);
                x += put(buffer, under, x, 0, word, if chosen { theme.selected.0 } else { theme.faint.0 }) + 2;
            }
        }
    }
}

/// The line above the last.
const fn filter_line(app: &App) -> Rect {
    let hints = app.layout.hints;
    Rect { x: hints.x, y: hints.y.saturating_sub(1), width: hints.width, height: hints.height }
}

/// How to open what a run left, or to put its files together first, in `width` columns.
fn leftover(path: &str, files: usize, width: usize) -> String {
    let (command, rest) = if files == 1 { ("framescope open", "") } else { ("cat", " > all.pcapng") };
    let words = format!("unsaved capture found: {command} ");
    format!("{words}{}{rest}", fit_path(path, width.saturating_sub(words.width() + rest.width())))
}

/// Where the terminal's cursor stands while something is typed.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Overlay::Prompt(prompt)) = &app.overlay else { return None };
    let area = if prompt.purpose == Purpose::Filter { filter_line(app) } else { app.layout.hints };
    let label = prompt.purpose.label().width();
    let (_, column) = visible_input(prompt, usize::from(area.width.saturating_sub(2)));
    Some(Position::new((area.x + 1 + (label + column) as u16).min(area.right().saturating_sub(1)), area.y))
}

/// The part of what was typed that fits, and the cursor's column in it.
fn visible_input(prompt: &Prompt, width: usize) -> (String, usize) {
    let room = width.saturating_sub(prompt.purpose.label().width() + 1).max(4);
    let scroll = prompt.input.visual_scroll(room);
    let shown: String = prompt.input.value().chars().skip(scroll).take(room).collect();
    (shown, prompt.input.visual_cursor().max(scroll) - scroll)
}

fn keys(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let mut hints = match &app.overlay {
        Some(Overlay::Findings(_)) => findings_hints(app),
        _ => all_hints(app),
    };
    let width = |(_, key, hint): &(Action, String, String)| key.width() + hint.width() + 3;
    // Where there is no room for all, the last go first, but never how to find out the rest and how to get out.
    while hints.iter().map(width).sum::<usize>() > usize::from(area.width) {
        let Some(at) = hints.iter().rposition(|(action, ..)| !matches!(action, Action::Help | Action::Quit)) else {
            break;
        };
        hints.remove(at);
    }
    let mut x = 1;
    for (_, key, hint) in &hints {
        x += put(buffer, area, x, 0, key, theme.key.0) + 1;
        x += put(buffer, area, x, 0, hint, theme.faint.0) + 2;
    }
}

/// What the keys do while the panel of findings has them.
fn findings_hints(app: &App) -> Vec<(Action, String, String)> {
    let key = |action| app.keymap.key_of(action);
    let hint = |action, key: String, words: &str| (action, key, words.to_owned());
    let mut hints = vec![hint(Action::Quit, key(Action::Cancel), "close")];
    if !app.tallies.is_empty() {
        hints.insert(0, hint(Action::Up, format!("{}{}", key(Action::Up), key(Action::Down)), "rule"));
        hints.insert(1, hint(Action::NextFinding, "Enter".to_owned(), "its next record"));
        hints.insert(2, hint(Action::PreviousFinding, key(Action::PreviousFinding), "previous"));
    }
    hints
}

/// The actions that have a place here, with their keys and words.
fn all_hints(app: &App) -> Vec<(Action, String, String)> {
    let bindings = app.keymap.groups.iter().flat_map(|group| &group.bindings);
    bindings
        .filter_map(|binding| {
            let (hint, action) = (binding.hint.as_ref()?, binding.meaning().ok()?);
            let live = app.setting.url.is_some();
            let key = app.keymap.key_of(action);
            let (key, hint) = match action {
                Action::Left | Action::NextPanel | Action::Copy if app.view == View::Connections => return None,
                Action::Open => (key, app.open_hint()?),
                Action::Up => (format!("{key}{}", app.keymap.key_of(Action::Down)), up_hint(app)),
                Action::Left if app.view == View::Timeline && app.focus == Panel::List => {
                    (format!("{key}{}", app.keymap.key_of(Action::Right)), "time")
                }
                Action::Left => (format!("{key}{}", app.keymap.key_of(Action::Right)), left_hint(app.focus)),
                Action::Hold | Action::Browser if !live => return None,
                Action::Hold if !app.following => (key, "follow"),
                _ => (key, hint.as_str()),
            };
            Some((action, key, hint.to_owned()))
        })
        .collect()
}

const fn up_hint(app: &App) -> &'static str {
    match app.focus {
        Panel::List => match app.view {
            View::Connections => "connection",
            View::Timeline => "lane",
            View::Frames | View::Messages => "record",
        },
        Panel::Bits => "field",
        Panel::Bytes | Panel::Payload | Panel::Inflated => "row",
    }
}

const fn left_hint(focus: Panel) -> &'static str {
    match focus {
        Panel::List | Panel::Bits => "field",
        Panel::Bytes | Panel::Payload | Panel::Inflated => "byte",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_left_the_file_stands() {
        let path = "~/.cache/framescope/spool-1234.pcapng";
        assert!(leftover(path, 1, 78).ends_with(path));
        assert!(leftover(path, 1, 62).ends_with("…/spool-1234.pcapng"), "{}", leftover(path, 1, 62));
        let ring = leftover("~/.cache/framescope/live-1234.*.pcapng", 3, 74);
        assert_eq!(ring, "unsaved capture found: cat ~/.cache/frame…/live-1234.*.pcapng > all.pcapng");
    }
}
