//! The state of the screen in parts. None knows [`super::app::App`]. Everybody may read the public fields of a part, but only
//! its own methods change them.

pub(crate) mod breaches;
pub(crate) mod connection_facts;
pub(crate) mod connection_table;
pub(crate) mod detail;
pub(crate) mod detail_pane;
pub(crate) mod detail_rows;
pub mod dialogs;
pub(crate) mod held;
pub(crate) mod hex_characters;
pub(crate) mod hex_window;
pub(crate) mod jobs;
pub(crate) mod list;
pub mod notice;
pub mod packed;
pub(crate) mod sample_choice;
pub(crate) mod sent_lines;
pub(crate) mod shown_connections;
pub(crate) mod text_search;
pub(crate) mod text_window;
pub(crate) mod timeline;
pub mod tour;
pub(crate) mod trees;
pub mod unpacked;
