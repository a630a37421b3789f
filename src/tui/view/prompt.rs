//! The prompt at the bottom of the screen: a title, the typed text, and lines that say how it is understood.
//!
//! ```text
//!  Filter ───────────────────────────────────────────────── Enter apply · Tab complete · Esc close ─
//!  len > 125 and op == pin
//!                      ^^^ did you mean ping? op is one of text binary continuation ping pong close
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{cells, clear, fit_path, paragraph, put, rule, width};
use crate::capture::query::filter::{self, FilterError};
use crate::capture::query::search::{Pattern, PatternError};
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::hold_desk::InjectionRow;
use crate::tui::keymap::Binding;
use crate::tui::state::dialogs::prompt::{LINES_TO_SEND, MARGIN, MAX_ERROR, MAX_INPUT, columns};
use crate::tui::state::dialogs::{Dialog, Prompt, Purpose};
use crate::tui::typed_text::TypedText;
use crate::wire::printable;

/// Examples of filters: the longest line that fits is shown.
const EXAMPLES: [&str; 2] = [
    "op == ping   ·   dir == c2s and len > 125   ·   finding   ·   text contains \"echo\"   ·   conn == 2 and time > 1s",
    "op == ping · dir == c2s and len > 125 · finding",
];

/// What is sent into a connection.
const INJECTED: &str = "text, or /hex 00ff · /ping · /pong · /close 1000 bye · /fragment 3,4 text · /frame op=3 rsv1=1 mask=0 len=9 hex 00ff";

/// What an edited message can be.
const EDITED: &str =
    "text, or /hex 00ff · /file PATH · /frame op=text fin=0 rsv1=1 mask=0 key=37fa213d len=9 form=16 hex 00ff";

/// A line below the typed text, in parts with their styles.
type Line = Vec<(String, Style)>;

pub fn render(app: &App, prompt: &Prompt, buffer: &mut Buffer) {
    let theme = &app.theme;
    let shape = Shape::of(app, prompt);
    let area = shape.area;
    clear(app, buffer, area);
    let title = Rect { height: 1, ..area };
    let name = title_of(prompt.purpose);
    rule::titled(app, buffer, title, &name, "", true);
    let room = usize::from(title.width.saturating_sub(width(&name) + 6));
    rule::right(buffer, title, &keys(app, prompt, room), theme.faint);
    let is_proposed = prompt.path().is_some_and(|path| path.is_proposed);
    let style = if is_proposed { theme.selected_field } else { theme.text };
    for (line, y) in shape.text.lines.iter().zip(1..) {
        put(buffer, area, MARGIN, y, line, style);
    }
    for (parts, y) in shape.below.iter().zip(1 + cells(shape.text.lines.len())..) {
        let mut x = MARGIN;
        for (text, style) in parts {
            x += put(buffer, area, x, y, text, *style);
        }
    }
}

/// Position of the terminal's cursor while the user types.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Prompt(prompt)) = &app.dialogs.open else { return None };
    let shape = Shape::of(app, prompt);
    let (column, line) = shape.text.cursor;
    let x = shape.area.x + MARGIN + cells(column);
    Some(Position::new(x.min(shape.area.right().saturating_sub(1)), shape.area.y + 1 + cells(line)))
}

/// What the prompt shows, and where.
struct Shape {
    text: TypedText,
    below: Vec<Line>,
    area: Rect,
}

impl Shape {
    fn of(app: &App, prompt: &Prompt) -> Self {
        let screen = app.layout.area;
        let columns = columns(screen.width);
        let input = prompt.input();
        let (value, at) = (input.value(), input.cursor());
        let (text, below) = if matches!(prompt.purpose, Purpose::Filter | Purpose::Rule) {
            // One line, so that carets can be put below a word.
            let scroll = input.visual_scroll(columns);
            let shown: String = value.chars().skip(scroll).take(columns).collect();
            let cursor = (input.visual_cursor().max(scroll) - scroll, 0);
            let text = TypedText { lines: vec![printable::text(&shown).into_owned()], cursor };
            (text, filter_lines(app, prompt, columns, scroll))
        } else {
            (TypedText::of(value, at, columns, MAX_INPUT), lines(app, prompt, columns))
        };
        let height = cells(1 + text.lines.len() + below.len()).min(screen.height);
        let area = Rect { y: screen.bottom() - height, height, ..screen };
        Self { text, below, area }
    }
}

fn title_of(purpose: Purpose) -> String {
    match purpose {
        Purpose::Find => "Find".to_owned(),
        Purpose::Filter => "Filter".to_owned(),
        Purpose::Note(no) => format!("Note on record {no}"),
        Purpose::Send => "Send".to_owned(),
        Purpose::Rule => "Hold messages that match".to_owned(),
        Purpose::Edit(_) => "Send in its place".to_owned(),
        Purpose::Inject { connection, direction } => {
            let side = direction.opposite().sender();
            format!("Send to the {side} of connection {connection}")
        }
        Purpose::Save { quit: false } => "Save the capture".to_owned(),
        Purpose::Save { quit: true } => "Save the capture, then quit".to_owned(),
    }
}

/// The keys of the prompt, from the table: as many as fit.
fn keys(app: &App, prompt: &Prompt, room: usize) -> String {
    let context = Dialog::Prompt(prompt.clone()).context();
    let verb = match prompt.purpose {
        Purpose::Find => "find",
        Purpose::Filter => "apply",
        Purpose::Note(_) => "keep",
        Purpose::Send | Purpose::Edit(_) | Purpose::Inject { .. } => "send",
        Purpose::Rule => "add",
        Purpose::Save { .. } => "save",
    };
    let (tab, short) = match prompt.purpose {
        Purpose::Edit(_) => ("other form", "form"),
        Purpose::Inject { .. } => ("other side", "other side"),
        _ => ("complete", "complete"),
    };
    let (enter, esc) = ((Action::Submit, verb), (Action::Cancel, "close"));
    let forms: [&[(Action, &str)]; 6] = [
        &[enter, (Action::Complete, tab), (Action::Up, "earlier"), esc],
        &[enter, (Action::Complete, tab), esc],
        &[enter, esc, (Action::Complete, short)],
        &[enter, esc],
        // What only this prompt has is known least.
        &[(Action::Complete, tab)],
        &[enter],
    ];
    let hint = |&(action, words): &(Action, &str)| {
        let key = app.keymap.binding(context, action).map(Binding::first_key)?;
        Some(format!("{key} {words}"))
    };
    let mut lines = forms.iter().map(|form| form.iter().filter_map(hint).collect::<Vec<_>>().join(" · "));
    lines.find(|line| !line.is_empty() && usize::from(width(line)) <= room).unwrap_or_default()
}

/// The lines below the text of a prompt that asks for no filter.
fn lines(app: &App, prompt: &Prompt, columns: usize) -> Vec<Line> {
    let theme = &app.theme;
    if let Some(error) = &prompt.error {
        return wrapped(&format!("✗ {error}"), columns, MAX_ERROR, theme.error);
    }
    if let Some(remark) = &prompt.remark {
        return wrapped(remark, columns, MAX_ERROR, theme.info);
    }
    let faint = |words: &str| wrapped(words, columns, MAX_ERROR, theme.faint);
    match (prompt.purpose, prompt.path()) {
        (_, Some(path)) => {
            let whole = format!("writes {}", printable::text(&path.absolute().to_string_lossy()));
            let mut lines = vec![vec![(fit_path(&whole, columns), theme.info)]];
            lines.extend(faint("all records as pcapng, with notes; typing replaces the proposed name"));
            lines
        }
        (Purpose::Note(_), None) => {
            faint("saved with the capture, as a packet comment; without text, the note is removed")
        }
        (Purpose::Send, None) => faint(LINES_TO_SEND),
        (Purpose::Inject { connection, direction }, None) => {
            let is_own = |row: &&InjectionRow| (row.connection, row.direction) == (connection, direction);
            match app.held.injections.iter().filter(is_own).count() {
                0 => faint(INJECTED),
                waiting => {
                    let words = format!(
                        "{} to send: waiting for the end of the message that the {} has begun",
                        grouped(waiting as u64),
                        direction.sender()
                    );
                    wrapped(&words, columns, MAX_ERROR, theme.warning)
                }
            }
        }
        (Purpose::Edit(_), None) => faint(EDITED),
        (_, None) => faint(&understood(prompt.input().value())),
    }
}

/// How the text of a find is understood.
fn understood(typed: &str) -> String {
    match Pattern::parse(typed) {
        Ok(Pattern::Bytes(bytes)) => {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let what = count(bytes.len() as u64, "byte");
            format!("finds {what}: {} · in quotes, \"{typed}\" finds this text", hex.join(" "))
        }
        Ok(Pattern::Text(text)) => {
            let is_quoted = text.len() != typed.len();
            let shown = printable::text(&text).into_owned();
            if is_quoted {
                format!("finds the text {shown}, in either case")
            } else {
                "finds this text, in either case".to_owned()
            }
        }
        Err(PatternError::Empty) => {
            "text in either case, or bytes such as 81:05 or 0x8105; quotes contain text: \"81:05\"".to_owned()
        }
        Err(e) => e.to_string(),
    }
}

/// The lines below a filter: completions, or carets under the wrong word with the reason.
fn filter_lines(app: &App, prompt: &Prompt, columns: usize, scroll: usize) -> Vec<Line> {
    let theme = &app.theme;
    let (words, current, error) = prompt.advice();
    // An expression that is only unfinished is no error yet.
    let end = prompt.input().value().trim_end().len();
    let unfinished = error.as_ref().is_some_and(|e| e.span.end >= end);
    match error {
        Some(error) if prompt.error.is_some() || !unfinished || words.is_empty() => {
            error_lines(&error, columns, scroll, theme.error)
        }
        _ => {
            let typed = prompt.input().value();
            let about = match filter::last_field(typed) {
                Some(field) => format!("{}: {}", field.name(), field.words()),
                None if typed.trim().is_empty() => EXAMPLES
                    .into_iter()
                    .find(|words| usize::from(width(words)) <= columns)
                    .unwrap_or_default()
                    .to_owned(),
                None => String::new(),
            };
            let about = wrapped(&about, columns, 1, theme.info);
            let completions = (!words.is_empty()).then(|| completions(app, &words, current, columns));
            about.into_iter().chain(completions).collect()
        }
    }
}

/// Carets under the wrong word, with the reason beside them, or else below them.
fn error_lines(error: &FilterError, columns: usize, scroll: usize, style: Style) -> Vec<Line> {
    let (before, len) = error.columns();
    let at = before.saturating_sub(scroll).min(columns.saturating_sub(1));
    let carets = "^".repeat(len.min(columns - at).max(1));
    let sentence = error.to_string();
    let room = columns.saturating_sub(at + carets.len() + 1);
    let indent = " ".repeat(at);
    if usize::from(width(&sentence)) <= room {
        return vec![vec![(format!("{indent}{carets} {sentence}"), style)]];
    }
    let mut lines = vec![vec![(format!("{indent}{carets}"), style)]];
    lines.extend(wrapped(&sentence, columns, MAX_ERROR, style));
    lines
}

fn completions(app: &App, words: &[&'static str], current: Option<usize>, columns: usize) -> Line {
    let theme = &app.theme;
    let mut line = vec![("Tab ".to_owned(), theme.key)];
    let mut used = 4;
    for (i, word) in words.iter().enumerate() {
        if used + word.len() + 3 > columns {
            line.push(("…".to_owned(), theme.faint));
            break;
        }
        line.push(((*word).to_owned(), if current == Some(i) { theme.selected } else { theme.faint }));
        line.push(("  ".to_owned(), theme.faint));
        used += word.len() + 2;
    }
    line
}

/// Words in at most `most` lines.
fn wrapped(words: &str, columns: usize, most: usize, style: Style) -> Vec<Line> {
    paragraph(words, columns, most).into_iter().map(|line| vec![(line, style)]).collect()
}
