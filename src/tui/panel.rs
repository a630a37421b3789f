//! The panels, views and time formats that a user switches between.

use strum::{IntoStaticStr, VariantArray};

/// A panel that can have the keyboard focus, in the order of the key that cycles through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, VariantArray)]
pub enum Panel {
    /// The list of records, or the table or timeline in its place.
    #[default]
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

/// The content of the upper half of the screen, in the order of the key that cycles through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum View {
    /// One row per record.
    #[default]
    Frames,
    /// One row per message: its fragments share the row.
    Messages,
    /// One row per connection.
    Connections,
    /// Two lanes per connection along a time axis.
    Timeline,
}

impl View {
    /// The title of the view.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The format of the list's time column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, VariantArray)]
pub enum TimeFormat {
    /// Seconds since the first record.
    #[default]
    SinceStart,
    /// Seconds since the previous record in the list.
    SincePrevious,
    /// Local time of day.
    Clock,
}

/// Least width of a list that has a column for the time.
pub const TIME_FROM: u16 = 70;

/// The same for a list with the height of the screen.
pub const TIME_FROM_IN_COLUMN: u16 = 50;

/// The view on the screen and the panel with the focus.
#[derive(Clone, Copy, Debug, Default)]
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

/// The value after `current`, or before it; the first one after the last.
pub fn cycled<T: Copy + PartialEq>(values: &[T], current: T, back: bool) -> T {
    let at = values.iter().position(|value| *value == current).unwrap_or(0);
    let step = if back { values.len().saturating_sub(1) } else { 1 };
    values.get((at + step) % values.len().max(1)).copied().unwrap_or(current)
}
