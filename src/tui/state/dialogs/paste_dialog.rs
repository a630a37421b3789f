//! The paste dialog: a text of frames, in one or more lines, and the form to read it as.

use crossterm::event::{Event, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::prompt::inserted;
use crate::pasted::ReadAs;
use crate::tui::panel::cycled;

#[derive(Clone, Debug, Default)]
pub struct PasteDialog {
    /// The text. Its lines end with LF.
    pub input: Input,
    /// The form to read it as; `None` recognizes the form.
    pub read_as: Option<ReadAs>,
    /// Why the text was refused.
    pub error: Option<String>,
}

impl PasteDialog {
    /// The choices of the form, in the order of the dialog.
    pub fn forms() -> Vec<Option<ReadAs>> {
        std::iter::once(None).chain(ReadAs::ALL.map(Some)).collect()
    }

    /// Inserts pasted text at the cursor. Most terminals send a CR for each line break of a paste.
    pub fn insert(&mut self, text: &str) {
        self.error = None;
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.input = inserted(&self.input, &text);
    }

    pub fn type_key(&mut self, key: KeyEvent) {
        self.error = None;
        self.input.handle_event(&Event::Key(key));
    }

    /// Chooses the next form, or the previous one.
    pub fn choose(&mut self, back: bool) {
        self.error = None;
        self.read_as = cycled(&Self::forms(), self.read_as, back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    #[test]
    fn a_paste_is_inserted_at_the_cursor_with_its_line_breaks() {
        let mut dialog = PasteDialog::default();
        dialog.insert("81 05\r48\r\n65\n6f");
        assert_eq!(dialog.input.value(), "81 05\n48\n65\n6f");
        for _ in 0..3 {
            dialog.type_key(KeyEvent::from(KeyCode::Left));
        }
        dialog.insert(" é6c\r");
        dialog.type_key(KeyEvent::from(KeyCode::Char('x')));
        assert_eq!(dialog.input.value(), "81 05\n48\n65 é6c\nx\n6f");
    }

    #[test]
    fn the_forms_follow_each_other_in_both_directions() {
        let mut dialog = PasteDialog::default();
        dialog.choose(true);
        assert_eq!(dialog.read_as, Some(ReadAs::Raw));
        dialog.choose(false);
        dialog.choose(false);
        assert_eq!(dialog.read_as, Some(ReadAs::Hex));
    }
}
