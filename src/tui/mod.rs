//! The terminal screen: the only module that uses ratatui and crossterm.
//!
//! The `main_loop` takes every event from one queue ([`event`]). A key becomes an action once ([`keymap`]). [`app::App`] passes
//! the action to the parts of the [`state`], computes the `layout` and reads what is in view. The [`view`] draws it and changes
//! nothing. Each module imports only modules further down this list: `main_loop` with `input`, `view`, `app`, `state` with
//! `effect`, `event` with `host`, `layout`, `panel`.

mod action;
pub mod app;
mod background;
mod bit_grid;
mod connections_layout;
pub mod effect;
pub mod event;
mod export_request;
pub mod file_message;
mod findings_layout;
mod help_page;
mod hex_shape;
pub mod hold_desk;
pub mod host;
mod input;
pub mod kept_request;
pub mod keymap;
mod ladder;
mod layout;
mod legend;
mod main_loop;
pub mod panel;
pub mod paste_request;
pub mod picture_request;
pub mod screen_picture;
mod search;
pub mod state;
mod terminal;
mod text;
pub mod theme;
mod tour_page;
mod typed_text;
pub mod view;

pub use self::main_loop::{Ended, is_without_colour, run};
