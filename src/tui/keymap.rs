//! The key table: which key means which action, with the words of help and hints.

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use super::action::Action;

const TABLE: &str = include_str!("../../assets/keymap.toml");

/// All bindings, by key and by group.
#[derive(Debug)]
pub struct Keymap {
    by_key: HashMap<Key, Action>,
    /// The groups in the order of the table.
    pub groups: Vec<Group>,
}

/// Bindings that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// The bindings, in order.
    pub bindings: Vec<Binding>,
}

/// The keys of one action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    action: String,
    /// The names of its keys.
    pub keys: Vec<String>,
    /// What it does, for the help.
    pub help: String,
    /// What it does in a word, for the bottom line.
    pub hint: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    group: Vec<Group>,
}

/// A key as it arrives. Shift counts only where it is no other character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    code: KeyCode,
    control: bool,
}

/// Why a key table is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeymapError {
    /// The file's form is wrong.
    #[error("key table: {0}")]
    Form(String),
    /// There is no such action.
    #[error("key table: there is no action {0}")]
    Action(String),
    /// There is no such key.
    #[error("key table: there is no key {0}")]
    Key(String),
    /// A key has two meanings.
    #[error("key table: {key} means both {first} and {second}")]
    Conflict {
        /// The key's name.
        key: String,
        /// One meaning.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// An action has no key.
    #[error("key table: {0} has no key")]
    Missing(&'static str),
}

impl Keymap {
    /// The table that is compiled in.
    ///
    /// # Errors
    /// See [`KeymapError`]; a test holds that there is none.
    pub fn built_in() -> Result<Self, KeymapError> {
        Self::parse(TABLE)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// See [`KeymapError`].
    pub fn parse(text: &str) -> Result<Self, KeymapError> {
        let table: Table = toml::from_str(text).map_err(|e| KeymapError::Form(e.message().to_owned()))?;
        let mut by_key = HashMap::new();
        for binding in table.group.iter().flat_map(|group| &group.bindings) {
            let action = binding.meaning()?;
            for name in &binding.keys {
                let key = parse_key(name).ok_or_else(|| KeymapError::Key(name.clone()))?;
                if let Some(first) = by_key.insert(key, action) {
                    return Err(KeymapError::Conflict {
                        key: name.clone(),
                        first: first.name(),
                        second: action.name(),
                    });
                }
            }
        }
        match Action::ALL.iter().find(|action| !by_key.values().any(|bound| bound == *action)) {
            Some(action) => Err(KeymapError::Missing(action.name())),
            None => Ok(Self { by_key, groups: table.group }),
        }
    }

    /// What a key means.
    pub fn action(&self, event: KeyEvent) -> Option<Action> {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        if event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        self.by_key.get(&Key { code: event.code, control }).copied()
    }

    /// The name of an action's first key, for people.
    pub fn key_of(&self, action: Action) -> String {
        self.groups
            .iter()
            .flat_map(|group| &group.bindings)
            .find(|binding| binding.action == action.name())
            .and_then(|binding| binding.keys.first())
            .map(|key| label(key))
            .unwrap_or_default()
    }
}

impl Binding {
    /// The action.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn meaning(&self) -> Result<Action, KeymapError> {
        let named = Action::ALL.iter().find(|action| action.name() == self.action);
        named.copied().ok_or_else(|| KeymapError::Action(self.action.clone()))
    }

    /// The keys, for people.
    pub fn labels(&self) -> String {
        self.keys.iter().map(|key| label(key)).collect::<Vec<_>>().join(" ")
    }
}

/// A key's name as people see it.
fn label(name: &str) -> String {
    match name {
        "up" => "↑".to_owned(),
        "down" => "↓".to_owned(),
        "left" => "←".to_owned(),
        "right" => "→".to_owned(),
        "pgup" => "PgUp".to_owned(),
        "pgdn" => "PgDn".to_owned(),
        "home" => "Home".to_owned(),
        "end" => "End".to_owned(),
        "tab" => "Tab".to_owned(),
        "backtab" => "Shift-Tab".to_owned(),
        "enter" => "Enter".to_owned(),
        "esc" => "Esc".to_owned(),
        "space" => "Space".to_owned(),
        other => match other.strip_prefix("ctrl-") {
            Some(letter) => format!("Ctrl-{letter}"),
            None => other.to_owned(),
        },
    }
}

fn parse_key(name: &str) -> Option<Key> {
    let (name, control) = match name.strip_prefix("ctrl-") {
        Some(rest) if !rest.is_empty() => (rest, true),
        _ => (name, false),
    };
    let mut characters = name.chars();
    let code = match (characters.next()?, characters.next()) {
        (single, None) => KeyCode::Char(single),
        _ => match name {
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            "tab" => KeyCode::Tab,
            "backtab" => KeyCode::BackTab,
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "space" => KeyCode::Char(' '),
            _ => return None,
        },
    };
    Some(Key { code, control })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_whole_and_without_conflict() {
        let keymap = Keymap::built_in().expect("a good table");
        let press = |code, modifiers| keymap.action(KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::QuitNow));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(keymap.key_of(Action::Down), "↓");
    }

    #[test]
    fn a_key_with_two_meanings_is_refused() {
        let twice = TABLE.replace("keys = [\"m\"]", "keys = [\"m\", \"q\"]");
        let refused = KeymapError::Conflict { key: "q".to_owned(), first: "mark", second: "quit" };
        assert_eq!(Keymap::parse(&twice).err(), Some(refused));
        let missing = TABLE.replace("\"mark\"", "\"nomark\"");
        assert_eq!(Keymap::parse(&missing).err(), Some(KeymapError::Action("nomark".to_owned())));
    }
}
