//! What a picture consists of: lines of text with colours.

use std::fmt;

use serde::Deserialize;
use unicode_width::UnicodeWidthStr as _;

use crate::wire::printable;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Rgb(pub u8, pub u8, pub u8);

/// A text is no colour of the form `#rrggbb`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no colour; write #rrggbb")]
pub struct ColourError(String);

impl TryFrom<String> for Rgb {
    type Error = ColourError;

    fn try_from(text: String) -> Result<Self, ColourError> {
        let mut bytes = [0; 3];
        let digits = text.strip_prefix('#').unwrap_or_default();
        match hex::decode_to_slice(digits, &mut bytes) {
            Ok(()) => Ok(Self(bytes[0], bytes[1], bytes[2])),
            Err(_) => Err(ColourError(text)),
        }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The style of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "LookEntry")]
pub struct Look {
    /// The colour of the text; `None` for that of the picture.
    pub ink: Option<Rgb>,
    /// The background; `None` for that of the picture.
    pub paper: Option<Rgb>,
    /// Bold text.
    pub bold: bool,
    /// Italic text.
    pub italic: bool,
    /// Underlined text.
    pub underlined: bool,
    /// Fainter text.
    pub dim: bool,
    /// Text and background change their colours.
    pub reversed: bool,
}

/// A style as a theme file contains it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookEntry {
    fg: Option<Rgb>,
    bg: Option<Rgb>,
    #[serde(default)]
    add_modifier: String,
}

impl From<LookEntry> for Look {
    fn from(entry: LookEntry) -> Self {
        let has = |modifier: &str| entry.add_modifier.split('|').any(|name| name.trim() == modifier);
        Self {
            ink: entry.fg,
            paper: entry.bg,
            bold: has("BOLD"),
            italic: has("ITALIC"),
            underlined: has("UNDERLINED"),
            dim: has("DIM"),
            reversed: has("REVERSED"),
        }
    }
}

/// A text in one style. It contains no control, bidirectional or invisible character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    text: String,
    look: Look,
}

impl Span {
    /// A text, which may be captured: unsafe characters are made visible.
    pub fn new(text: &str, look: Look) -> Self {
        Self { text: printable::text(text).into_owned(), look }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its style.
    pub const fn look(&self) -> Look {
        self.look
    }

    /// Its width in columns.
    pub fn columns(&self) -> usize {
        self.text.width()
    }
}

/// A line of a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// A line in one style.
    pub fn new(text: &str, look: Look) -> Self {
        Self(vec![Span::new(text, look)])
    }

    /// Adds a text at the end; joins it with a text in the same style.
    pub fn push(&mut self, text: &str, look: Look) {
        match self.0.last_mut() {
            Some(last) if last.look == look => last.text.push_str(&printable::text(text)),
            _ => self.0.push(Span::new(text, look)),
        }
    }

    /// Its width in columns.
    pub fn columns(&self) -> usize {
        self.0.iter().map(Span::columns).sum()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

/// Lines of text on a background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who do not see it.
    pub description: String,
    /// The colour of text without one.
    pub ink: Rgb,
    /// The background.
    pub paper: Rgb,
    /// The lines, from top to bottom.
    pub lines: Vec<Line>,
}

impl Picture {
    /// The text alone, without spaces at the ends of lines.
    pub fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, line| text + line.to_string().trim_end() + "\n")
    }

    /// The width of its longest line, in columns.
    pub fn columns(&self) -> usize {
        self.lines.iter().map(Line::columns).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_and_written_as_rrggbb() {
        let read = |text: &str| Rgb::try_from(text.to_owned()).ok();
        assert_eq!(read("#0d11ff"), Some(Rgb(0x0d, 0x11, 0xff)));
        assert_eq!([read("0d11ff"), read("#0d11f"), read("red")], [None; 3]);
        assert_eq!(Rgb(1, 2, 255).to_string(), "#0102ff");
    }

    #[test]
    fn captured_text_is_made_visible_and_texts_of_one_style_are_joined() {
        let mut line = Line::new("a\u{1b}[2J", Look::default());
        line.push("\u{202e}b", Look::default());
        line.push("c", Look { bold: true, ..Look::default() });
        assert_eq!((line.to_string().as_str(), line.0.len()), ("a␛[2J⟨U+202E⟩bc", 2));
        assert_eq!(line.columns(), line.to_string().chars().count());
    }
}
