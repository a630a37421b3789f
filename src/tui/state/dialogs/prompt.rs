//! The prompt: a line to type into, at the bottom of the screen.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::path_input::PathInput;
use crate::capture::query::filter::{self, Filter, FilterError};
use crate::tui::text;
use crate::tui::typed_text::TypedText;

/// The most lines of the typed text.
pub const MAX_INPUT: usize = 6;

/// The most lines of an error.
pub const MAX_ERROR: usize = 3;

/// Text before the cursor column of all lines.
pub const MARGIN: u16 = 1;

/// What a line to send can be.
pub const LINES_TO_SEND: &str = "text, or /hex 00ff · /file PATH · /ping · /pong · /close 1000 bye · /fragment 3,4 text · /frame · //text sends /text";

/// Columns for text, on a screen of that width.
pub fn columns(width: u16) -> usize {
    usize::from(width.saturating_sub(MARGIN + 1)).max(1)
}
use crate::proto::dissected::Direction;

/// A line to type into.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What the text is for.
    pub purpose: Purpose,
    text: PromptText,
    /// Why the text was not accepted.
    pub error: Option<String>,
    /// What has happened while it is open, which hides the bottom line.
    pub remark: Option<String>,
    /// While the user goes through completions: the text before them, and the index of the current one.
    completion: Option<(String, usize)>,
}

/// What is typed.
#[derive(Clone, Debug)]
enum PromptText {
    Line(Input),
    Path(PathInput),
}

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Text or bytes to find.
    Find,
    Filter,
    /// A note on that record.
    Note(u64),
    /// A line to send.
    Send,
    /// A rule that holds messages.
    Rule,
    /// What goes in place of a held message: its number.
    Edit(u64),
    /// A message or frame to inject into a connection.
    Inject {
        /// The connection.
        connection: u32,
        /// The way it goes.
        direction: Direction,
    },
    /// The file to which the capture is saved.
    Save {
        /// Whether to quit after saving.
        quit: bool,
    },
}

impl Prompt {
    /// A prompt with a text to start from; for a file, a name to propose.
    pub fn new(purpose: Purpose, text: String) -> Self {
        let text = match purpose {
            Purpose::Save { .. } => PromptText::Path(PathInput::proposing(text)),
            _ => PromptText::Line(Input::new(text)),
        };
        Self { purpose, text, error: None, remark: None, completion: None }
    }

    /// The same prompt with the reason why its text was not accepted.
    pub fn refused(self, error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..self }
    }

    /// True if it asks for a line to send, and nothing is typed.
    pub fn is_empty_line(&self) -> bool {
        self.purpose == Purpose::Send && self.input().value().is_empty()
    }

    /// The rows of a prompt for lines to send, on a screen of that width; 0 for another prompt. Records arrive while it is open, so it
    /// has rows of its own.
    pub fn own_rows(&self, width: u16) -> u16 {
        if self.purpose != Purpose::Send {
            return 0;
        }
        let (columns, input) = (columns(width), self.input());
        let typed = TypedText::of(input.value(), input.cursor(), columns, MAX_INPUT).lines.len();
        let marked = self.error.as_ref().map(|error| format!("✗ {error}"));
        let below = marked.as_deref().or(self.remark.as_deref()).unwrap_or(LINES_TO_SEND);
        let below = text::paragraph(below, columns, MAX_ERROR).len();
        u16::try_from(1 + typed + below).unwrap_or(u16::MAX)
    }

    pub const fn input(&self) -> &Input {
        match &self.text {
            PromptText::Line(input) => input,
            PromptText::Path(path) => &path.input,
        }
    }

    /// The path that is typed, if the prompt asks for a file.
    pub const fn path(&self) -> Option<&PathInput> {
        match &self.text {
            PromptText::Line(_) => None,
            PromptText::Path(path) => Some(path),
        }
    }

    pub fn type_key(&mut self, key: KeyEvent) {
        self.error = None;
        self.remark = None;
        self.completion = None;
        match &mut self.text {
            PromptText::Line(input) => {
                input.handle_event(&Event::Key(key));
            }
            PromptText::Path(path) => path.type_key(key),
        }
    }

    /// Inserts pasted text at the cursor. What is sent keeps its line breaks and tabs: it is one message. Other texts have one line.
    pub fn insert(&mut self, text: &str) {
        let is_sent = matches!(self.purpose, Purpose::Send | Purpose::Edit(_) | Purpose::Inject { .. });
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        match &mut self.text {
            PromptText::Line(input) if is_sent => {
                (self.error, self.remark, self.completion) = (None, None, None);
                *input = inserted(input, &text);
            }
            _ => {
                for c in text.chars().filter(|c| !c.is_control()) {
                    self.type_key(KeyEvent::from(KeyCode::Char(c)));
                }
            }
        }
    }

    /// Replaces the word before the cursor by its next completion, or by the previous one.
    pub fn complete(&mut self, back: bool) {
        self.error = None;
        let (base, at) = match self.completion.take() {
            Some((base, at)) => (base, if back { at.checked_sub(1) } else { Some(at + 1) }),
            None => (self.before_cursor(), Some(0)),
        };
        let completion = filter::complete(&base);
        let Some(last) = completion.words.len().checked_sub(1) else { return };
        let at = at.unwrap_or(last);
        let at = if at > last { 0 } else { at };
        let rest: String = self.input().value().chars().skip(self.input().cursor()).collect();
        let before = format!("{}{}", &base[..completion.from], completion.words[at]);
        let cursor = before.chars().count();
        self.text = PromptText::Line(Input::new(before + &rest).with_cursor(cursor));
        self.completion = Some((base, at));
    }

    /// For a filter: the completions at the cursor, the index of the current one, and what is wrong with the text.
    pub fn advice(&self) -> (Vec<&'static str>, Option<usize>, Option<FilterError>) {
        let base = self.completion.as_ref().map_or_else(|| self.before_cursor(), |(base, _)| base.clone());
        let text = self.input().value();
        let error = if text.trim().is_empty() { None } else { Filter::parse(text).err() };
        (filter::complete(&base).words, self.completion.as_ref().map(|(_, at)| *at), error)
    }

    fn before_cursor(&self) -> String {
        self.input().value().chars().take(self.input().cursor()).collect()
    }
}

/// A text input with `text` at its cursor.
pub(super) fn inserted(input: &Input, text: &str) -> Input {
    let (value, cursor) = (input.value(), input.cursor());
    let at = value.char_indices().nth(cursor).map_or(value.len(), |(at, _)| at);
    let joined = format!("{}{text}{}", &value[..at], &value[at..]);
    Input::new(joined).with_cursor(cursor + text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_into_a_line_to_send_keeps_its_line_breaks() {
        let mut prompt = Prompt::new(Purpose::Send, "say ".to_owned());
        prompt.insert("{\r\n\t\"a\": 1\r}");
        assert_eq!(prompt.input().value(), "say {\n\t\"a\": 1\n}");
        let mut prompt = Prompt::new(Purpose::Find, String::new());
        prompt.insert("two\nlines");
        assert_eq!(prompt.input().value(), "twolines");
    }

    #[test]
    fn completions_follow_each_other_in_both_directions() {
        let mut prompt = Prompt::new(Purpose::Filter, "len > 5 and f".to_owned());
        let (words, current, _) = prompt.advice();
        assert!(words.len() > 1 && current.is_none(), "{words:?}");
        let text = |word: &str| format!("len > 5 and {word}");
        prompt.complete(false);
        assert_eq!((prompt.input().value(), prompt.advice().1), (text(words[0]).as_str(), Some(0)));
        prompt.complete(false);
        assert_eq!(prompt.input().value(), text(words[1]));
        prompt.complete(true);
        prompt.complete(true);
        assert_eq!(prompt.input().value(), text(words[words.len() - 1]));
    }
}
