//! The state of the screen in parts. None knows [`super::app::App`]. Everybody may read the public fields of a part, but only
//! its own methods change them.

pub mod connection_table;
pub mod detail;
pub mod detail_pane;
pub mod detail_rows;
pub mod dialogs;
pub mod hex_window;
pub mod jobs;
pub mod list;
pub mod notice;
pub mod shown_connections;
pub mod timeline;
pub mod trees;
pub mod unpacked;
