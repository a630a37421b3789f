//! What the layout depends on: the properties of the view and of a record, and how much a panel has to show.

use ratatui::layout::Rect;

use super::{HexShape, Panel};

/// The properties of the view and of the record under the cursor that the layout depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether the view shows no record.
    pub no_record: bool,
    /// Rows of a prompt that stays open, with the last line of the screen; 0 without one.
    pub prompt: u16,
    /// Lines of the tour; 0 without a tour.
    pub tour: u16,
    /// Lines of the words, if not as many as usual.
    pub words: Option<u16>,
    /// Whether the view needs the whole width of the screen.
    pub wide_list: bool,
    /// The rows that the view can use in the place of the list.
    pub list_rows: u16,
    /// The panel with the text of a message, if the view shows it over the whole width.
    pub text_first: Option<Panel>,
    /// Whether it is a compressed message whose inflating can be drawn.
    pub has_chain: bool,
    /// The frames of a message that has several, which are listed below its text.
    pub fragments: Option<Fragments>,
    /// The number of rows of the list.
    pub listed: u64,
    /// Whether it is the end of a direction, which has no bytes.
    pub is_end: bool,
    /// Whether it is a request or response, whose lines are read as text.
    pub is_head: bool,
    /// Its length on the wire, in bytes.
    pub wire_len: u64,
    /// How much its payload has to show; `None` if it has none.
    pub payload: Option<Content>,
    /// For a frame of a compressed message, or a message of several frames: how much its content has to show, `None` if another
    /// record shows it. `None` for any other record.
    pub inflated: Option<Option<Content>>,
}

impl Shape {
    /// How much a panel with bytes has to show; `None` if the record has no such content.
    pub const fn content_of(&self, panel: Panel) -> Option<Content> {
        match panel {
            Panel::List | Panel::Bits => None,
            Panel::Bytes => Some(Content::Hex(self.wire_len)),
            Panel::Payload => self.payload,
            Panel::Inflated => match self.inflated {
                Some(content) => content,
                None => None,
            },
        }
    }
}

/// The frames of a message, each with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragments {
    /// How many there are.
    pub count: usize,
    /// Columns of the widest label.
    pub label: u16,
}

impl Fragments {
    /// Columns around a label.
    const MARGIN: u16 = 2;

    /// How many have a line each, with their text.
    const FEW: u16 = 8;

    /// How many labels a line of that width has.
    pub const fn per_line(self, width: u16) -> usize {
        let each = self.label + Self::MARGIN;
        let fit = (width / each) as usize;
        if fit == 0 { 1 } else { fit }
    }

    /// A line for each label, if they are few; else those of all labels.
    pub fn lines_apart(self, width: u16) -> u16 {
        u16::try_from(self.count).ok().filter(|count| *count <= Self::FEW).unwrap_or_else(|| self.lines(width))
    }

    /// The lines of all labels.
    pub fn lines(self, width: u16) -> u16 {
        u16::try_from(self.count.div_ceil(self.per_line(width))).unwrap_or(u16::MAX)
    }
}

/// How much a panel has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Bytes as hex.
    Hex(u64),
    /// Bytes as text, with that many line breaks.
    Text(u64, u64),
    /// Lines of a tree.
    Lines(u64),
}

impl Content {
    /// The lines that it fills in a panel of that shape.
    pub fn lines(self, area: Rect) -> u16 {
        let per_line = |bytes: u64, columns: u64| bytes.div_ceil(columns.max(1));
        let lines = match self {
            Self::Hex(bytes) => per_line(bytes, HexShape::of(area).per_row),
            Self::Text(bytes, breaks) => {
                per_line(bytes, u64::from(area.width.saturating_sub(4))).saturating_add(breaks)
            }
            Self::Lines(lines) => lines,
        };
        u16::try_from(lines).unwrap_or(u16::MAX).max(1)
    }
}
