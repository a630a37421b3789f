//! The bottom line: the progress of a job, a notice or hints.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, fit_path, put};
use crate::capture::query::search::{Hit, Toward};
use crate::proto::rules::grouped;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::{Context, Hint};
use crate::tui::state::dialogs::Dialog;
use crate::tui::state::notice::Notice;

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let room = usize::from(area.width.saturating_sub(2));
    if let Some(job) = &app.jobs.running {
        let (done, total) = job.progress;
        let esc = app.keymap.key_of(Action::Cancel);
        let of = if total == 0 { " records".to_owned() } else { format!(" of {}", grouped(total)) };
        let line = format!("{} … {}{of} · {esc} stops it", job.name, grouped(done));
        put(buffer, area, 1, 0, &fit(&line, room), theme.info);
        return;
    }
    let (line, style) = match &app.notice {
        None => return keys(app, buffer),
        Some(Notice::Info(line)) => (fit_path(line, room), theme.info),
        Some(Notice::Success(line)) => (fit_path(&format!("✓ {line}"), room), theme.good),
        Some(Notice::Failure(line)) => (fit_path(&format!("✗ {line}"), room), theme.error),
        Some(Notice::Match(hit)) => (fit(&match_line(app, *hit), room), theme.good),
    };
    put(buffer, area, 1, 0, &line, style);
}

/// The place of a match among all of them, and the keys for the others.
fn match_line(app: &App, hit: Hit) -> String {
    let place = app.search.place(hit);
    let [next, previous] = [Action::FindNext, Action::FindPrevious].map(|action| app.keymap.key_of(action));
    let byte = match (hit.inflated, app.detail.record().and_then(|_| app.detail.current()?.payload_start())) {
        (Some(at), _) => format!("message byte {}", grouped(at)),
        (None, Some(start)) if hit.byte >= start => format!("payload byte {}", grouped(hit.byte - start)),
        (None, _) => format!("byte {}", grouped(hit.byte)),
    };
    let at = match place.of {
        Some((1, 1)) => return format!("only record {} matches, at {byte}", place.no),
        Some((at, of)) => format!("match {} of {}", grouped(at), grouped(of)),
        None => "match, counting …".to_owned(),
    };
    let wrapped = match place.wrapped {
        Some(Toward::Later) => " · wrapped to the first record",
        Some(Toward::Earlier) => " · wrapped to the last record",
        None => "",
    };
    format!("{at}: record {}, {byte}{wrapped} · {next} next · {previous} previous", place.no)
}

fn keys(app: &App, buffer: &mut Buffer) {
    let area = app.layout.hints;
    let theme = &app.theme;
    let mut hints = match &app.dialogs.open {
        Some(Dialog::Findings(_)) => findings_hints(app),
        _ => app.page_hints().unwrap_or_else(|| app.panel_hints()),
    };
    let wide = |hint: &Hint| hint.key.width() + hint.words.width() + 3;
    // If not all hints fit, the last ones are left out, but never those for help and for leaving.
    let stays = |hint: &Hint| matches!(hint.action, Action::Help | Action::Quit | Action::Cancel | Action::ZoomIn);
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
