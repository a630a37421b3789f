//! The bottom line: the progress of a job, a notice or hints.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::{cells, clear, fit, paragraph, put};
use crate::capture::query::search::{Hit, Toward};
use crate::proto::rules::grouped;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::Hint;
use crate::tui::panel::View;
use crate::tui::state::notice::Notice;

/// The most lines of a notice.
const MAX_NOTICE: usize = 3;

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
        None => return keys(app, buffer, area),
        Some(Notice::Info(line)) => (line.clone(), theme.info),
        Some(Notice::Success(line)) => (format!("✓ {line}"), theme.good),
        Some(Notice::Failure(line)) => (format!("✗ {line}"), theme.error),
        Some(Notice::Match(hit)) => (match_line(app, *hit, room), theme.good),
    };
    if line.width() <= room {
        put(buffer, area, 1, 0, &line, style);
        return;
    }
    // A notice that does not fit takes the lines above for as long as it is shown.
    let lines = paragraph(&line, room, MAX_NOTICE);
    let area = Rect { y: area.bottom().saturating_sub(cells(lines.len())), height: cells(lines.len()), ..area };
    clear(app, buffer, area);
    for (line, y) in lines.iter().zip(0..) {
        put(buffer, area, 1, y, line, style);
    }
}

/// The place of a match among the records that match, and the keys for the others, if they fit.
fn match_line(app: &App, hit: Hit, room: usize) -> String {
    let place = app.search.place(hit);
    let [next, previous] = [Action::FindNext, Action::FindPrevious].map(|action| app.keymap.key_of(action));
    let byte = match (hit.inflated, app.detail.record().and_then(|_| app.detail.current()?.payload_start())) {
        (Some(at), _) => format!("message byte {}", grouped(at)),
        (None, Some(start)) if hit.byte >= start => format!("payload byte {}", grouped(hit.byte - start)),
        (None, _) => format!("byte {}", grouped(hit.byte)),
    };
    let wrapped = match place.wrapped {
        Some(Toward::Later) => " · wrapped to the first",
        Some(Toward::Earlier) => " · wrapped to the last",
        None => "",
    };
    let goes_on = app.search.pattern().zip(app.detail.record()).is_some_and(|(pattern, record)| {
        hit.inflated.is_none() && record.no == hit.no && hit.byte + pattern.byte_count() > record.wire_len
    });
    let record = match place.of {
        Some((1, 1)) => format!("only record {} matches: ", place.no),
        Some((at, of)) => format!("record {}, {} of {}: ", place.no, grouped(at), grouped(of)),
        None => format!("record {}, counting …: ", place.no),
    };
    let fragment = if goes_on { " and the next fragment" } else { "" };
    let keys = format!("{wrapped} · {next} next · {previous} previous");
    // A narrow screen leaves out the byte, which is marked anyway.
    let short = record.trim_end_matches([':', ' ']);
    let forms = [format!("{record}{byte}{fragment}{keys}"), format!("{record}{byte}{keys}"), format!("{short}{keys}")];
    forms.into_iter().find(|form| form.width() <= room).unwrap_or_else(|| format!("{short}{wrapped}"))
}

/// Draws the keys of the dialog that is open, or else of the panel with the focus.
pub fn keys(app: &App, buffer: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let mut hints = app.hints();
    let wide = |hint: &Hint| hint.key.width() + hint.words.width() + 3;
    // If not all hints fit, the last ones are left out, but never those for help and for leaving.
    let is_table = app.panels.view == View::Connections;
    let stays = |hint: &Hint| match hint.action {
        Action::Help | Action::Quit | Action::Cancel | Action::ZoomIn => true,
        Action::Open => is_table,
        _ => false,
    };
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
