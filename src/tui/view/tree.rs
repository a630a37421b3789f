//! A payload as a tree, instead of its hex.
//!
//! ```text
//!   {
//!     "who": "server"
//!     "list": [
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{cells, fit, put};
use crate::capture::query::payload_tree::Tree;
use crate::proto::rules::count;
use crate::tui::app::App;
use crate::wire::field::FieldId;

/// Largest indentation, in columns.
const MAX_INDENT: usize = 40;

pub fn render(app: &App, tree: &Tree, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let rows = tree.lines.iter().skip(app.detail.trees.top).take(usize::from(area.height));
    for (y, line) in rows.enumerate() {
        let y = cells(y);
        let mut x = 2 + cells((line.depth * 2).min(MAX_INDENT));
        let room = |x: u16| usize::from(area.width.saturating_sub(x + 1));
        if !line.name.is_empty() {
            x += put(buffer, area, x, y, &fit(&line.name, room(x)), theme.field(FieldId::PayloadLen));
            x += put(buffer, area, x, y, ": ", theme.faint);
        }
        let is_bracket = matches!(line.text.as_str(), "{" | "[" | "}" | "]" | "{}" | "[]");
        let style = if is_bracket { theme.faint } else { theme.field(FieldId::Payload) };
        put(buffer, area, x, y, &fit(&line.text, room(x)), style);
    }
}

/// The text beside the panel's title: the format and the number of lines.
pub fn words(app: &App, tree: &Tree) -> String {
    let lines = count(tree.lines.len() as u64, "line");
    let cut = if tree.cut { ", and more" } else { "" };
    let of = match app.detail.trees.position() {
        (_, 0 | 1) => String::new(),
        (at, several) => format!(" ({at} of {several} formats)"),
    };
    format!("{}{of}, {lines}{cut}", tree.format.name())
}
