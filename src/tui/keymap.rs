//! The key table: which action a key triggers in which context, with the words for help and hints.

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;
use strum::VariantArray;

use super::action::Action;

const TABLE: &str = include_str!("../../assets/keymap.toml");

/// A part of the screen with keys of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// The panels, while no dialog is open.
    #[default]
    Panels,
    /// The panels, while a tour is shown: its keys come before those of [`Self::Panels`].
    Tour,
    /// The line of the tour's answer.
    Answer,
    /// The help.
    Help,
    /// The panel of findings.
    Findings,
    /// A prompt.
    Prompt,
    /// The prompt for a filter.
    FilterPrompt,
    /// The prompt for a line to send.
    SendPrompt,
    /// The prompt for what goes in place of a held message.
    EditPrompt,
    /// The prompt for what is sent into a connection.
    InjectPrompt,
    /// The panel of what a proxy holds.
    Hold,
    /// The export dialog, in its rows of choices.
    Export,
    /// The export dialog, in its row with the path.
    ExportPath,
    /// The picture dialog, in its rows of choices.
    Picture,
    /// The picture dialog, in its row with the path.
    PicturePath,
    /// The paste dialog.
    Paste,
    /// The list of captures that earlier runs kept.
    Kept,
    /// The question before deleting one of them.
    Delete,
    /// The copy menu.
    Copy,
    /// The question before quitting.
    Quit,
    /// The question before replacing a file.
    Replace,
}

/// All bindings.
#[derive(Debug)]
pub struct Keymap {
    by_key: HashMap<(Context, Key), Action>,
    groups: Vec<Group>,
}

/// A group of bindings with a title in the help.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The title.
    pub name: String,
    /// The contexts in which the bindings work.
    #[serde(default = "panels")]
    contexts: Vec<Context>,
    /// The bindings, in order.
    pub bindings: Vec<Binding>,
}

/// The keys of one action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// What they do.
    pub action: Action,
    keys: Vec<String>,
    /// What the keys do, for the help.
    pub help: String,
    hint: Option<String>,
}

/// A binding in short: for the bottom line, or for the foot of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The action.
    pub action: Action,
    /// The first key of the action; for two opposite directions, one key of each.
    pub key: String,
    /// What it does, in a word or two.
    pub words: String,
}

#[derive(Deserialize)]
struct Table {
    group: Vec<Group>,
}

/// A key. Shift counts only as part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    code: KeyCode,
    control: bool,
}

/// Why a key table is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeymapError {
    /// The file is no valid table.
    #[error("key table: {0}")]
    Form(String),
    /// A key does not exist.
    #[error("key table: unknown key {0}")]
    Key(String),
    /// A key has two actions in the same context.
    #[error("key table: {key} is bound to both {first:?} and {second:?}")]
    Conflict {
        /// Name of the key.
        key: String,
        /// One action.
        first: Action,
        /// The other action.
        second: Action,
    },
    /// An action has no key.
    #[error("key table: {0:?} has no key")]
    Missing(Action),
}

fn panels() -> Vec<Context> {
    vec![Context::Panels]
}

impl Keymap {
    /// The built-in table.
    ///
    /// # Errors
    /// See [`KeymapError`]; a test makes sure that there is none.
    pub fn built_in() -> Result<Self, KeymapError> {
        Self::parse(TABLE)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// See [`KeymapError`].
    pub fn parse(text: &str) -> Result<Self, KeymapError> {
        let table: Table = toml::from_str(text).map_err(|e| KeymapError::Form(e.message().to_owned()))?;
        let mut by_key: HashMap<(Context, Key), Action> = HashMap::new();
        for group in &table.group {
            for binding in &group.bindings {
                let action = binding.action;
                // Ctrl-C works everywhere, whatever the key table says.
                let contexts = if action == Action::QuitNow { Context::VARIANTS } else { &group.contexts };
                for name in &binding.keys {
                    let key = parse_key(name).ok_or_else(|| KeymapError::Key(name.clone()))?;
                    for context in contexts {
                        if let Some(first) = by_key.insert((*context, key), action) {
                            return Err(KeymapError::Conflict { key: name.clone(), first, second: action });
                        }
                    }
                }
            }
        }
        match Action::ALL.iter().find(|action| !by_key.values().any(|bound| bound == *action)) {
            Some(action) => Err(KeymapError::Missing(*action)),
            None => Ok(Self { by_key, groups: table.group }),
        }
    }

    /// The action of a key in a context.
    pub fn action(&self, context: Context, event: KeyEvent) -> Option<Action> {
        if event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        let key = Key { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) };
        self.by_key.get(&(context, key)).copied()
    }

    /// The groups of a context, in the order of the table.
    pub fn groups(&self, context: Context) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.contexts.contains(&context))
    }

    /// The binding of an action in a context.
    pub fn binding(&self, context: Context, action: Action) -> Option<&Binding> {
        self.groups(context).flat_map(|group| &group.bindings).find(|binding| binding.action == action)
    }

    /// The label of the first key of an action in the panels.
    pub fn key_of(&self, action: Action) -> String {
        self.binding(Context::Panels, action).map(Binding::first_key).unwrap_or_default()
    }

    /// The bindings of a context that have a hint. A hint for one of two opposite directions covers both.
    pub fn hints(&self, context: Context) -> Vec<Hint> {
        let bindings = self.groups(context).flat_map(|group| &group.bindings);
        let hint = |binding: &Binding| {
            let words = binding.hint.clone()?;
            let opposite = match binding.action {
                Action::Up => self.binding(context, Action::Down),
                Action::Left => self.binding(context, Action::Right),
                Action::ZoomIn => self.binding(context, Action::ZoomOut),
                _ => None,
            };
            let key = binding.first_key() + &opposite.map(Binding::first_key).unwrap_or_default();
            Some(Hint { action: binding.action, key, words })
        };
        bindings.filter_map(hint).collect()
    }

    /// The hints of a context in one line: `↑↓ row · Enter export · Esc close`.
    pub fn foot(&self, context: Context) -> String {
        let hints = self.hints(context).into_iter().map(|hint| format!("{} {}", hint.key, hint.words));
        hints.collect::<Vec<_>>().join(" · ")
    }
}

impl Binding {
    /// The label of the first key.
    pub fn first_key(&self) -> String {
        self.keys.first().map(|key| label(key)).unwrap_or_default()
    }

    /// The labels of all keys.
    pub fn labels(&self) -> String {
        self.keys.iter().map(|key| label(key)).collect::<Vec<_>>().join(" ")
    }
}

/// The keys with names of their own, and their labels for the user.
const NAMED_KEYS: [(&str, &str, KeyCode); 14] = [
    ("up", "↑", KeyCode::Up),
    ("down", "↓", KeyCode::Down),
    ("left", "←", KeyCode::Left),
    ("right", "→", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("tab", "Tab", KeyCode::Tab),
    ("backtab", "Shift-Tab", KeyCode::BackTab),
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("delete", "Del", KeyCode::Delete),
    ("space", "Space", KeyCode::Char(' ')),
];

fn named_key(name: &str) -> Option<&'static (&'static str, &'static str, KeyCode)> {
    NAMED_KEYS.iter().find(|(known, ..)| *known == name)
}

/// The label of a key for the user.
fn label(name: &str) -> String {
    match (named_key(name), name.strip_prefix("ctrl-")) {
        (Some((_, label, _)), _) => (*label).to_owned(),
        (None, Some(letter)) => format!("Ctrl-{letter}"),
        (None, None) => name.to_owned(),
    }
}

fn parse_key(name: &str) -> Option<Key> {
    let (name, control) = name.strip_prefix("ctrl-").map_or((name, false), |rest| (rest, true));
    let code = match named_key(name) {
        Some((.., code)) => *code,
        None => KeyCode::Char(name.parse().ok()?),
    };
    Some(Key { code, control })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keymap: &Keymap, context: Context, code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        keymap.action(context, KeyEvent::new(code, modifiers))
    }

    #[test]
    fn the_built_in_table_is_complete_and_has_no_conflict() {
        let keymap = Keymap::built_in().expect("a good table");
        let panels = |code, modifiers| press(&keymap, Context::Panels, code, modifiers);
        assert_eq!(panels(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(panels(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::QuitNow));
        assert_eq!(panels(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(keymap.key_of(Action::Down), "↓");
    }

    #[test]
    fn a_key_has_one_action_per_context_and_a_global_key_the_same_in_all() {
        let keymap = Keymap::built_in().expect("a good table");
        let enter = |context| press(&keymap, context, KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!(
            [Context::Panels, Context::Findings, Context::Prompt, Context::Quit].map(enter),
            [Some(Action::Open), Some(Action::Open), Some(Action::Submit), None]
        );
        let quit = press(&keymap, Context::Prompt, KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(quit, Some(Action::QuitNow));
    }

    #[test]
    fn the_foot_of_a_dialog_comes_from_the_table() {
        let keymap = Keymap::built_in().expect("a good table");
        assert_eq!(keymap.foot(Context::Export), "↑↓ row · ←→ choose · Enter export · Esc close");
        assert_eq!(keymap.foot(Context::Help), "↑↓ scroll · ←→ page");
    }

    #[test]
    fn a_key_with_two_actions_is_refused() {
        let twice = TABLE.replace("keys = [\"m\"]", "keys = [\"m\", \"q\"]");
        let refused = KeymapError::Conflict { key: "q".to_owned(), first: Action::Mark, second: Action::Quit };
        assert_eq!(Keymap::parse(&twice).err(), Some(refused));
        let global = TABLE.replace("keys = [\"enter\"], help = \"accept\"", "keys = [\"ctrl-c\"], help = \"accept\"");
        let refused =
            KeymapError::Conflict { key: "ctrl-c".to_owned(), first: Action::QuitNow, second: Action::Submit };
        assert_eq!(Keymap::parse(&global).err(), Some(refused));
        let missing = TABLE.replace("\"mark\"", "\"nomark\"");
        assert!(matches!(Keymap::parse(&missing).err(), Some(KeymapError::Form(_))), "there is no such action");
    }
}
