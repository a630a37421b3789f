//! The prompt: a line to type into, at the bottom of the screen.

use crossterm::event::{Event, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::capture::query::filter::{self, Filter, FilterError};

/// A line to type into.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What the text is for.
    pub purpose: Purpose,
    pub input: Input,
    /// Why the text was not accepted.
    pub error: Option<String>,
    /// While the user goes through completions: the text before them, and the index of the current one.
    completion: Option<(String, usize)>,
}

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Text or bytes to find.
    Find,
    Filter,
    /// A note on that record.
    Note(u64),
    /// The file to which the capture is saved.
    Save {
        /// Whether to quit after saving.
        quit: bool,
    },
}

impl Purpose {
    /// The label before the text.
    pub fn label(self) -> String {
        match self {
            Self::Find => "find (x 81 05 finds bytes): ".to_owned(),
            Self::Filter => "filter: ".to_owned(),
            Self::Note(no) => format!("note on record {no}: "),
            Self::Save { .. } => "save the capture as: ".to_owned(),
        }
    }
}

impl Prompt {
    /// A prompt with a text to start from.
    pub fn new(purpose: Purpose, text: String) -> Self {
        Self { purpose, input: Input::new(text), error: None, completion: None }
    }

    /// The same prompt with the reason why its text was not accepted.
    pub fn refused(self, error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..self }
    }

    /// How the text will be understood, where that may be unexpected.
    pub fn hint(&self) -> Option<&'static str> {
        let text = self.input.value();
        match self.purpose {
            Purpose::Find if text.starts_with("x ") => Some(r"bytes; \x … finds text"),
            Purpose::Find if text.starts_with(r"\x ") => Some("text that begins with x"),
            _ => None,
        }
    }

    pub fn type_key(&mut self, key: KeyEvent) {
        self.error = None;
        self.completion = None;
        self.input.handle_event(&Event::Key(key));
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
        let rest: String = self.input.value().chars().skip(self.input.cursor()).collect();
        let before = format!("{}{}", &base[..completion.from], completion.words[at]);
        let cursor = before.chars().count();
        self.input = Input::new(before + &rest).with_cursor(cursor);
        self.completion = Some((base, at));
    }

    /// For a filter: the completions at the cursor, the index of the current one, and what is wrong with the text.
    pub fn advice(&self) -> (Vec<&'static str>, Option<usize>, Option<FilterError>) {
        let base = self.completion.as_ref().map_or_else(|| self.before_cursor(), |(base, _)| base.clone());
        let text = self.input.value();
        let error = if text.trim().is_empty() { None } else { Filter::parse(text).err() };
        (filter::complete(&base).words, self.completion.as_ref().map(|(_, at)| *at), error)
    }

    fn before_cursor(&self) -> String {
        self.input.value().chars().take(self.input.cursor()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_follow_each_other_in_both_directions() {
        let mut prompt = Prompt::new(Purpose::Filter, "len > 5 and f".to_owned());
        let (words, current, _) = prompt.advice();
        assert!(words.len() > 1 && current.is_none(), "{words:?}");
        let text = |word: &str| format!("len > 5 and {word}");
        prompt.complete(false);
        assert_eq!((prompt.input.value(), prompt.advice().1), (text(words[0]).as_str(), Some(0)));
        prompt.complete(false);
        assert_eq!(prompt.input.value(), text(words[1]));
        prompt.complete(true);
        prompt.complete(true);
        assert_eq!(prompt.input.value(), text(words[words.len() - 1]));
    }
}
