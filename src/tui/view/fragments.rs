//! The frames of a message, each in the colour of its text.

use ratatui::buffer::Buffer;

use super::{cells, fit, put};
use crate::tui::app::App;
use crate::tui::panel::Panel;
use crate::wire::printable;

/// Columns to the left of the frames.
const MARGIN: u16 = 2;

pub fn render(app: &App, buffer: &mut Buffer) {
    let (area, theme) = (app.layout.fragments, &app.theme);
    let (Some(detail), Some(shape)) = (app.detail.current(), app.detail.fragments()) else { return };
    if area.height == 0 {
        return;
    }
    let current = app.detail.carrier().filter(|_| app.steps_fragments() || app.panels.focus == Panel::Inflated);
    let current = current.map(|current| current.frame);
    let all = detail.carriers.len();
    // A line for each, with its text, where lines are free.
    let is_apart = all <= usize::from(area.height);
    let per_line = if is_apart { 1 } else { shape.per_line(area.width) };
    // The frame under the cursor is in view. Without room for all, the last place counts the others.
    let places = per_line * usize::from(area.height);
    let (skip, shown) = match all > places {
        true => (current.unwrap_or(0).saturating_sub(places.saturating_sub(2)), places - 1),
        false => (0, all),
    };
    let skip = skip.min(all - shown);
    let place = |n: usize| (MARGIN + cells(n % per_line) * (shape.label + 2), cells(n / per_line));
    for (n, frame) in (skip..skip + shown).enumerate() {
        let (x, y) = place(n);
        let style = theme.fragment(frame);
        put(buffer, area, x, y, "▌", style);
        let label = detail.fragment_label(frame, app.detail.message_len());
        let label_style = if current == Some(frame) { theme.selected_field } else { style };
        put(buffer, area, x + 1, y, &label, label_style);
        if is_apart {
            let x = x + shape.label + 2;
            let bits = if frame + 1 < all { "FIN 0" } else { "FIN 1" };
            let x = x + put(buffer, area, x, y, bits, theme.faint) + 2;
            let room = usize::from(area.width.saturating_sub(x + 1));
            put(buffer, area, x, y, &fit(&printable::bytes(&app.detail.fragment_bytes(frame, room)), room), style);
        }
    }
    if shown < all {
        let (x, y) = place(shown);
        let words = format!("… {} more", all - shown);
        put(buffer, area, x, y, &fit(&words, usize::from(area.width.saturating_sub(x))), theme.faint);
    }
}
