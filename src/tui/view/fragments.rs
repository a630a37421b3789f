//! The frames of a message, each in the colour of its text.

use ratatui::buffer::Buffer;

use super::{fit, put, width};
use crate::proto::rules::count;
use crate::tui::app::App;
use crate::tui::panel::Panel;

/// Columns to the left of the frames.
const MARGIN: u16 = 2;

pub fn render(app: &App, buffer: &mut Buffer) {
    let (area, theme) = (app.layout.fragments, &app.theme);
    let Some(detail) = app.detail.current().filter(|_| area.height > 0) else { return };
    let len = app.detail.content().map_or(0, |content| content.len);
    let carriers = &detail.carriers;
    let current = app.detail.carrier().filter(|_| app.steps_fragments() || app.panels.focus == Panel::Inflated);
    let (mut x, mut y) = (MARGIN, 0);
    for (n, carrier) in carriers.iter().enumerate() {
        let end = carriers.get(n + 1).map_or(len, |next| next.start);
        let words = format!("▌{}: record {}, {}", n + 1, carrier.no, count(end.saturating_sub(carrier.start), "byte"));
        if x > MARGIN && x + width(&words) > area.width {
            (x, y) = (MARGIN, y + 1);
        }
        let rest = carriers.len() - n;
        if y + 1 == area.height && rest > 1 && x + 2 * width(&words) + 2 > area.width {
            put(
                buffer,
                area,
                x,
                y,
                &fit(&format!("… {rest} more"), usize::from(area.width.saturating_sub(x))),
                theme.faint,
            );
            break;
        }
        let style = theme.fragment(n);
        let is_current = current.is_some_and(|current| current.frame == n);
        put(buffer, area, x, y, "▌", style);
        let words_style = if is_current { theme.selected_field } else { style };
        x += 1 + put(buffer, area, x + 1, y, words.trim_start_matches('▌'), words_style) + 2;
    }
}
