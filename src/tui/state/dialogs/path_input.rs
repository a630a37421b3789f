//! A text input for the path of a file to write. It begins with a proposed name, which the first typed character replaces.

use std::path::{Path, PathBuf};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

/// A path to type into.
#[derive(Clone, Debug, Default)]
pub struct PathInput {
    pub input: Input,
    /// Whether the text is a proposal that the next character replaces.
    pub is_proposed: bool,
    /// Whether the user has changed the text.
    pub is_typed: bool,
    /// The working directory.
    folder: PathBuf,
}

impl PathInput {
    /// An input that proposes a name in the working directory.
    pub fn proposing(name: String) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        Self { input: Input::new(name), is_proposed: true, is_typed: false, folder }
    }

    /// Proposes another name, unless the user has changed the text.
    pub fn propose(&mut self, name: String) {
        if !self.is_typed {
            (self.input, self.is_proposed) = (Input::new(name), true);
        }
    }

    pub fn type_key(&mut self, key: KeyEvent) {
        let modified = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let replaces = matches!(key.code, KeyCode::Char(_) if !modified)
            || matches!(key.code, KeyCode::Backspace | KeyCode::Delete);
        if self.is_proposed && replaces {
            self.input = Input::default();
            self.is_typed = true;
        }
        self.is_proposed = false;
        if self.input.handle_event(&Event::Key(key)).is_some_and(|change| change.value) {
            self.is_typed = true;
        }
    }

    /// The path as typed.
    pub fn path(&self) -> &Path {
        Path::new(self.input.value())
    }

    /// The path with the working directory before it, if it is relative.
    pub fn absolute(&self) -> PathBuf {
        self.folder.join(self.path())
    }

    /// The folder of the file, as an absolute path.
    pub fn folder(&self) -> PathBuf {
        let whole = self.absolute();
        if self.input.value().ends_with('/') { whole } else { whole.parent().unwrap_or(&whole).to_owned() }
    }
}

/// A file name that does not exist in the working directory.
pub fn free_name(stem: &str, extension: &str) -> String {
    let name = |n: u32| match n {
        1 => format!("{stem}.{extension}"),
        n => format!("{stem}-{n}.{extension}"),
    };
    (1..1000).map(name).find(|name| !Path::new(name).exists()).unwrap_or_else(|| name(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[KeyCode]) -> PathInput {
        let mut path = PathInput::proposing("a.pcapng".to_owned());
        keys.iter().for_each(|key| path.type_key(KeyEvent::from(*key)));
        path
    }

    #[test]
    fn typing_replaces_the_proposal_and_moving_the_cursor_keeps_it() {
        use KeyCode::{Backspace, Char, End, Left};
        assert_eq!(typed(&[Char('x'), Char('y')]).input.value(), "xy");
        assert_eq!(typed(&[End, Char('x')]).input.value(), "a.pcapngx");
        assert_eq!(typed(&[Left, Backspace]).input.value(), "a.pcapg");
        assert_eq!(typed(&[Backspace]).input.value(), "");
        let mut moved = typed(&[Left]);
        moved.propose("b.har".to_owned());
        assert_eq!((moved.input.value(), moved.is_proposed), ("b.har", true));
        let mut changed = typed(&[Char('x')]);
        changed.propose("b.har".to_owned());
        assert_eq!((changed.input.value(), changed.is_proposed), ("x", false));
    }

    #[test]
    fn a_relative_path_is_shown_below_the_working_directory() {
        let here = std::env::current_dir().expect("a folder");
        let path = |text: &str| PathInput { input: Input::new(text.to_owned()), ..typed(&[]) };
        assert_eq!(path("a.har").absolute(), here.join("a.har"));
        assert_eq!((path("a.har").folder(), path("b/a.har").folder()), (here.clone(), here.join("b")));
        assert_eq!(path("/tmp/a.har").folder(), Path::new("/tmp"));
    }
}
