//! The copy menu: the parts of the record, each with the beginning of what would be copied.

use ratatui::buffer::Buffer;

use super::popup::frame;
use super::{cells, fit, put, width};
use crate::tui::app::App;
use crate::tui::keymap::{Binding, Context};
use crate::tui::state::dialogs::CopyMenu;

const WIDTH: u16 = 96;

/// Column of the words.
const WORDS: u16 = 5;

pub fn render(app: &App, menu: &CopyMenu, buffer: &mut Buffer) {
    let theme = &app.theme;
    let height = cells(menu.choices.len()).saturating_add(4);
    let inner = frame(app, buffer, "Copy", WIDTH, height, &app.keymap.foot(Context::Copy));
    let binding = |choice: usize| app.keymap.binding(Context::Copy, menu.choices[choice].part);
    let words = |choice: usize| binding(choice).map_or("", |binding| &binding.help);
    let widest = (0..menu.choices.len()).map(|choice| width(words(choice))).max().unwrap_or(0);
    let values = WORDS + widest + 3;
    for (choice, y) in (0..menu.choices.len()).zip(1..) {
        let key = binding(choice).map(Binding::first_key).unwrap_or_default();
        let is_current = menu.choices[choice].part == menu.current();
        put(buffer, inner, 2, y, &key, theme.key);
        let style = if is_current { theme.selected } else { theme.text };
        put(buffer, inner, WORDS - 1, y, &format!(" {} ", words(choice)), style);
        let room = usize::from(inner.width.saturating_sub(values + 1));
        put(buffer, inner, values, y, &fit(&menu.choices[choice].preview, room), theme.info);
    }
}
