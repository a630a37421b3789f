//! The colours of the screen.

use ratatui::style::Style;

pub use crate::picture::ThemeName;

/// A style for each role.
pub type Theme = crate::picture::Theme<Style>;
