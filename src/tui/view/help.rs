//! The help: all keys, from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::popup::frame;
use super::{cells, fit, put};
use crate::tui::app::App;
use crate::tui::keymap::Context;

/// Width of the keys, in columns.
const KEYS: usize = 14;

pub fn render(app: &App, top: u16, buffer: &mut Buffer) {
    let theme = &app.theme;
    let mut left: Vec<(String, String)> = Vec::new();
    let mut right: Vec<(String, String)> = Vec::new();
    for group in app.keymap.groups(Context::Panels) {
        // Add the group to the shorter column.
        let column = if left.len() <= right.len() { &mut left } else { &mut right };
        if !column.is_empty() {
            column.push(Default::default());
        }
        column.push((group.name.clone(), String::new()));
        column.extend(group.bindings.iter().map(|binding| (binding.labels(), binding.help.clone())));
    }
    let two = app.layout.area.width >= 116;
    let columns: Vec<Vec<(String, String)>> = if two {
        vec![left, right]
    } else {
        left.push(Default::default());
        left.extend(right);
        vec![left]
    };
    let wide = if two { 114 } else { 62.min(app.layout.area.width) };
    let rows = cells(columns.iter().map(Vec::len).max().unwrap_or(0));
    let foot = format!("{} · any other key closes", app.keymap.foot(Context::Help));
    let inner = frame(app, buffer, "Keys", wide, rows + 2, &foot);
    let top = top.min((rows + 1).saturating_sub(inner.height));
    let column_width = inner.width / cells(columns.len());
    for (n, column) in columns.iter().enumerate() {
        let area = Rect { x: inner.x + cells(n) * column_width, width: column_width, ..inner };
        for (y, (keys, help)) in column.iter().skip(usize::from(top)).take(usize::from(inner.height)).enumerate() {
            line(buffer, area, cells(y), keys, help, [theme.title, theme.key, theme.text]);
        }
    }
}

fn line(buffer: &mut Buffer, area: Rect, y: u16, keys: &str, help: &str, [title, key, text]: [Style; 3]) {
    if help.is_empty() {
        put(buffer, area, 1, y, keys, title);
        return;
    }
    let pad = KEYS.saturating_sub(keys.width());
    put(buffer, area, 1 + cells(pad), y, keys, key);
    let at = cells(KEYS) + 3;
    put(buffer, area, at, y, &fit(help, usize::from(area.width.saturating_sub(at))), text);
}
