//! A payload as a tree, in the place of its hex.
//!
//! ```text
//!   {
//!     "who": "server"
//!     "list": [
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{fit, put};
use crate::capture::query::payload_tree::Tree;
use crate::tui::app::{App, count};
use crate::wire::field::FieldId;

/// The deepest indentation, in columns.
const DEEPEST: usize = 40;

pub fn render(app: &App, tree: &Tree, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let rows = tree.lines.iter().skip(app.trees.top).take(usize::from(area.height));
    for (y, line) in rows.enumerate() {
        let y = y as u16;
        let mut x = 2 + (line.depth * 2).min(DEEPEST) as u16;
        let room = |x: u16| usize::from(area.width.saturating_sub(x + 1));
        if !line.name.is_empty() {
            x += put(buffer, area, x, y, &fit(&line.name, room(x)), theme.field(FieldId::PayloadLen));
            x += put(buffer, area, x, y, ": ", theme.faint.0);
        }
        let is_bracket = matches!(line.text.as_str(), "{" | "[" | "}" | "]" | "{}" | "[]");
        let style = if is_bracket { theme.faint.0 } else { theme.field(FieldId::Payload) };
        put(buffer, area, x, y, &fit(&line.text, room(x)), style);
    }
}

/// The words beside the panel's name.
pub fn words(app: &App, tree: &Tree) -> String {
    let lines = count(tree.lines.len() as u64, "line");
    let cut = if tree.cut { ", and more" } else { "" };
    let of = match app.trees.all.len() {
        0 | 1 => String::new(),
        several => format!(" ({} of {several} readings)", app.trees.at + 1),
    };
    format!("{}{of}, {lines}{cut}", tree.format.name())
}
