//! The panels, views and time formats that a user switches between.

/// A panel that can have the keyboard focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The list of records, or the table or timeline in its place.
    List,
    /// The bit grid with its fields, or the requirements of a handshake.
    Bits,
    /// The wire bytes as hex.
    Bytes,
    /// The unmasked payload as hex or as a tree.
    Payload,
    /// The inflated or joined message.
    Inflated,
}

impl Panel {
    /// Every panel, in the order of the key that cycles through them.
    pub const ALL: [Self; 5] = [Self::List, Self::Bits, Self::Bytes, Self::Payload, Self::Inflated];
}

/// The content of the upper half of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One row per record.
    Frames,
    /// One row per message: its fragments share the row.
    Messages,
    /// One row per connection.
    Connections,
    /// Two lanes per connection along a time axis.
    Timeline,
}

impl View {
    /// Every view, in the order of the key that cycles through them.
    pub const ALL: [Self; 4] = [Self::Frames, Self::Messages, Self::Connections, Self::Timeline];

    /// The next view; the first one after the last.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|view| *view == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// The title of the view.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "Frames",
            Self::Messages => "Messages",
            Self::Connections => "Connections",
            Self::Timeline => "Timeline",
        }
    }
}

/// The format of the list's time column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since the first record.
    SinceStart,
    /// Seconds since the previous record in the list.
    SincePrevious,
    /// Local time of day.
    Clock,
}

impl TimeFormat {
    /// The next format; the first one after the last.
    pub const fn next(self) -> Self {
        match self {
            Self::SinceStart => Self::SincePrevious,
            Self::SincePrevious => Self::Clock,
            Self::Clock => Self::SinceStart,
        }
    }
}

/// The view on the screen and the panel with the focus.
#[derive(Clone, Copy, Debug)]
pub struct Panels {
    /// The content of the upper half.
    pub view: View,
    /// The panel with the keyboard focus.
    pub focus: Panel,
    /// Whether that panel fills the screen.
    pub maximised: bool,
    /// The format of the time column.
    pub time_format: TimeFormat,
}

impl Default for Panels {
    fn default() -> Self {
        Self { view: View::Frames, focus: Panel::List, maximised: false, time_format: TimeFormat::SinceStart }
    }
}
