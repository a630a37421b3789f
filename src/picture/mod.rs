//! Pictures: lines of styled text, such as the bits of a frame or a screen, as SVG or as plain text.
//!
//! ```text
//! a record, its fields and bytes ─► figure ─┐
//!                                           ├─► Picture ─► SVG or plain text
//!             the cells of a screen ────────┘
//! ```

pub mod figure;
mod lines;
mod shapes;
mod svg;
mod theme;
mod wrap;

pub use lines::{Line, Look, Picture, Rgb, Span};
pub use theme::{Theme, ThemeName};
pub use wrap::wrapped;
