//! The first line of the screen: address, state and counts.
//!
//! ` framescope  http://127.0.0.1:6455   ● live   1 open · 2 connections   1,204 records   ▲ 21.0 kB  ▼ 18.2 kB   ? help`

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::{bytes_with_unit, fit, put, width};
use crate::proto::dissected::Direction;
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::wire::printable;

/// Fewest columns for the beginning of an address.
const LEAST_PLACE: u16 = 16;

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.header;
    let theme = &app.theme;
    let mut x = put(buffer, area, 0, 0, " framescope ", theme.title);
    if let Some(reason) = app.counts.trouble.reason() {
        // While something is lost or missing, the line shows nothing else.
        let lost = match app.counts.trouble.uncaptured {
            0 => String::new(),
            bytes => format!(" · {} not captured", count(bytes, "byte")),
        };
        let room = usize::from(area.width.saturating_sub(x + 4)).saturating_sub(lost.width());
        put(buffer, area, x + 1, 0, &format!(" {}{lost} ", fit(&reason, room)), theme.alarm);
        return;
    }
    // While an answer is typed, this key is a character.
    let help = if app.takes_answer() { String::new() } else { format!("{} help ", app.keymap.key_of(Action::Help)) };
    let help_at = area.width.saturating_sub(width(&help));
    let totals = &app.counts.totals;
    let [up, down] = Direction::BOTH.map(|direction| {
        let bytes = bytes_with_unit(totals.bytes[direction.index()]);
        (format!("{} {bytes}", direction.arrow()), theme.direction(direction))
    });
    let connections = match totals.connections {
        0 => "no connection".to_owned(),
        n => format!("{} open · {}", totals.open, count(n, "connection")),
    };
    let session = &app.session;
    let url = session.url.as_deref().map(|url| url.trim_end_matches('/'));
    let traffic = session.traffic.as_ref().map(|traffic| &*traffic.title);
    let place = url.or(traffic).or(session.file.as_deref()).unwrap_or("");
    let state = match (&app.session.file, app.capture.is_loading()) {
        (Some(_), true) => ("◌ reading".to_owned(), theme.warning),
        (Some(_), false) if app.capture.is_growing() => ("● growing".to_owned(), theme.good),
        (Some(_), false) if app.capture.reconstructed().is_some() => {
            ("■ reconstructed, not wire bytes".to_owned(), theme.warning)
        }
        (Some(_), false) => {
            let read_as = app.session.pasted.as_ref().map(|pasted| format!("■ read as {}", pasted.form.words()));
            (read_as.unwrap_or_else(|| "■ file".to_owned()), theme.info)
        }
        (None, _) if session.takes_lines && totals.connections > 0 && totals.open == 0 => {
            ("■ closed".to_owned(), theme.info)
        }
        (None, _) => ("● live".to_owned(), theme.good),
    };
    let (state, state_style) = state;
    let decrypted = if totals.decrypted > 0 { "TLS decrypted" } else { "" };
    let all = match totals.evicted() {
        0 => count(totals.records, "record"),
        evicted => format!("{} · {} evicted", count(totals.kept(), "record"), grouped(evicted)),
    };
    let (filter, records) = match (app.list.filter(), app.list.matches()) {
        (Some(filter), Some((through, looked_at))) => {
            let far = match totals.records {
                all if looked_at < all => format!(", {} % searched", looked_at * 100 / all),
                _ => String::new(),
            };
            let counted = format!("{} of {all}{far}", grouped(through));
            // The expression is more important than the hint at the right, which is also in the last line.
            let room = usize::from(area.width.saturating_sub(x + 2 + 2 + 2 + width(&counted) + 1));
            (format!("& {}", fit(&printable::text(filter.text()), room)), counted)
        }
        _ => (String::new(), all),
    };
    if !filter.is_empty() {
        let gap = 2;
        x += gap;
        x += put(buffer, area, x, 0, &filter, theme.focus);
        x += gap;
        x += put(buffer, area, x, 0, &records, theme.text);
    }
    let help = if x + 2 < help_at { help } else { String::new() };
    let records = if filter.is_empty() { records } else { String::new() };
    if let Some(alarm) = session.traffic.as_ref().and_then(|traffic| traffic.alarm.as_deref()) {
        x += 1;
        x += put(buffer, area, x, 0, &format!(" {alarm} "), theme.alarm);
    }
    let waiting = [(app.held.count, "held"), (app.held.injections.len(), "to send")];
    let waiting = waiting.map(|(count, what)| (count > 0).then(|| format!("{} {what}", grouped(count as u64))));
    if waiting.iter().any(Option::is_some) {
        let words: Vec<String> = waiting.into_iter().flatten().chain([app.keymap.key_of(Action::HoldRules)]).collect();
        x += 1;
        x += put(buffer, area, x, 0, &format!(" {} ", words.join(" · ")), theme.alarm);
    }
    // Where it listens comes first in the title of a proxy: beside an alarm, the rest may be cut.
    let room = help_at.saturating_sub(x + 3);
    let place = if room >= LEAST_PLACE { fit(place, usize::from(room)) } else { place.to_owned() };
    let mut parts = [
        (place, "", theme.text, 2),
        (state, "", state_style, 3),
        (decrypted.to_owned(), "", theme.info, 3),
        (live_below(app), "", theme.good, 3),
        (connections, &*format!("{} open", totals.open), theme.text, 3),
        (records, &format!("{} evicted", grouped(totals.evicted())), theme.text, 3),
        (up.0, "", up.1, 3),
        (down.0, "", down.1, 2),
    ];
    if totals.evicted() > 0 {
        parts.swap(4, 5);
    }
    // By importance: a narrow screen leaves out the last ones. The number of evicted records stays, in fewer words.
    for (text, short, style, gap) in parts {
        let fits = |text: &&str| x + gap + width(text) < help_at;
        let short = (totals.evicted() > 0 && !short.is_empty()).then_some(short);
        let Some(text) = std::iter::once(&*text).chain(short).find(fits) else { break };
        if !text.is_empty() {
            x += gap;
            x += put(buffer, area, x, 0, text, style);
        }
    }
    put(buffer, area, help_at, 0, &help, theme.faint);
}

/// The live capture below a paste: `● live: 1,204 records`; empty if there is none.
fn live_below(app: &App) -> String {
    let base = app.base();
    if !app.is_above() || !base.is_live() {
        return String::new();
    }
    let state = if base.session.file.is_some() { "growing" } else { "live" };
    format!("● {state}: {}", count(base.capture.totals().kept(), "record"))
}
