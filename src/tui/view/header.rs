//! ` framescope  http://127.0.0.1:6455   ● live   1 open · 2 connections   1,204 records   ▲ 21.0 kB  ▼ 18.2 kB   ? help`

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::{bytes_for_people, fit, put};
use crate::proto::dissected::Direction;
use crate::proto::rules::grouped;
use crate::wire::printable;

use crate::tui::action::Action;
use crate::tui::app::{App, count};

pub fn render(app: &App, buffer: &mut Buffer) {
    let area = app.layout.header;
    let theme = &app.theme;
    let mut x = put(buffer, area, 0, 0, " framescope ", theme.title.0);
    if let Some(reason) = &app.trouble.reason {
        // Something is being lost, or is missing: that is what this line is for now.
        let lost = match app.trouble.uncaptured {
            0 => String::new(),
            bytes => format!(" · {} not captured", count(bytes, "byte")),
        };
        let room = usize::from(area.width.saturating_sub(x + 4)).saturating_sub(lost.width());
        put(buffer, area, x + 1, 0, &format!(" {}{lost} ", fit(reason, room)), theme.alarm.0);
        return;
    }
    let help = format!("{} help ", app.keymap.key_of(Action::Help));
    let help_at = area.width.saturating_sub(help.width() as u16);
    let totals = &app.totals;
    let [up, down] = Direction::BOTH.map(|direction| {
        let bytes = bytes_for_people(totals.bytes[direction.index()]);
        (format!("{} {bytes}", direction.arrow()), theme.direction(direction))
    });
    let connections = match totals.connections {
        0 => "no connection".to_owned(),
        n => format!("{} open · {}", totals.open, count(n, "connection")),
    };
    let place =
        app.setting.url.as_deref().map(|url| url.trim_end_matches('/')).or(app.setting.file.as_deref()).unwrap_or("");
    let state = match (&app.setting.file, app.capture.is_loading()) {
        (Some(_), true) => ("◌ reading".to_owned(), theme.warning.0),
        (Some(_), false) if app.capture.is_growing() => ("● growing".to_owned(), theme.good.0),
        (Some(_), false) if app.capture.reconstructed().is_some() => {
            ("■ reconstructed, not wire bytes".to_owned(), theme.warning.0)
        }
        (Some(_), false) => ("■ file".to_owned(), theme.info.0),
        (None, _) => ("● live".to_owned(), theme.good.0),
    };
    let (state, state_style) = state;
    let all = match totals.gone {
        0 => count(totals.records, "record"),
        gone => format!("{} · {} gone", count(totals.there(), "record"), grouped(gone)),
    };
    let (filter, records) = match (app.filter(), app.let_through()) {
        (Some(filter), Some((through, looked_at))) => {
            let far = match totals.records {
                all if looked_at < all => format!(", {} % looked at", looked_at * 100 / all),
                _ => String::new(),
            };
            let room = usize::from(area.width) / 3;
            let expression = fit(&printable::text(filter.text()), room);
            (format!("& {expression}"), format!("{} of {all}{far}", grouped(through)))
        }
        _ => (String::new(), all),
    };
    if !filter.is_empty() {
        let gap = 2;
        x += gap;
        x += put(buffer, area, x, 0, &filter, theme.focus.0);
        x += gap;
        x += put(buffer, area, x, 0, &records, theme.text.0);
    }
    let records = if filter.is_empty() { records } else { String::new() };
    let mut parts = [
        (place.to_owned(), "", theme.text.0, 2),
        (state, "", state_style, 3),
        (connections, &*format!("{} open", totals.open), theme.text.0, 3),
        (records, &format!("{} gone", grouped(totals.gone)), theme.text.0, 3),
        (up.0, "", up.1, 3),
        (down.0, "", down.1, 2),
    ];
    if totals.gone > 0 {
        parts.swap(2, 3);
    }
    // By importance: on a narrow screen the last ones go; where records are gone, that stays, in fewer words.
    for (text, short, style, gap) in parts {
        let fits = |text: &&str| x + gap + (text.width() as u16) < help_at;
        let short = (totals.gone > 0 && !short.is_empty()).then_some(short);
        let Some(text) = std::iter::once(&*text).chain(short).find(fits) else { break };
        if !text.is_empty() {
            x += gap;
            x += put(buffer, area, x, 0, text, style);
        }
    }
    put(buffer, area, help_at, 0, &help, theme.faint.0);
}
