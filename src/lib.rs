//! framescope: an educational WebSocket frame inspector. Every handshake and every frame, bit by bit, live in the terminal.
//!
//! # The way of the data
//!
//! ```text
//!  sockets ──► net: listener, one thread per connection, server roles, demo client
//!                │ wiretap: each chunk read or written, with its time, exactly as it crossed
//!                ▼
//!              capture::live::recorder ──► spool: a pcapng file (synthesized TCP), appended as bytes arrive
//!                │                     ▲
//!                │ proto: one dissector per direction finds handshake, frames, messages, findings
//!                ▼                     │ bytes are read back by position, never held in memory
//!              the index: a small fixed-size entry per record
//!                ▲                     │
//!  pcap, pcapng ─┘ capture::import: packets, reassembled TCP, then the same dissectors and index over the user's file;
//!  HAR, NDJSON     what they tell goes through the recorder into a file without a name
//!                                      ▼
//!              capture::store::Capture: records by number, bytes by position
//!                     ┌────────────────┼───────────────────────┐
//!                     ▼                ▼                       ▼
//!                    tui             export         run: headless lines, decode
//! ```
//!
//! # Who may import whom
//!
//! ```text
//! wire ← proto ← capture ← {export, explain, net, tui} ← run ← main
//! ```
//!
//! A module may use anything to its left. `export`, `net` and `tui` never import each other; `export` and `tui` may use
//! `explain`. `cli` holds clap's types for `run` and `main`, and knows the lists they offer. `wire` and `proto` are pure:
//! no sockets, files, clocks, randomness, threads or printing; time and masking keys are passed in. `net` is the only place
//! with sockets, `tui` the only one with ratatui and crossterm. `tests/it/architecture.rs` reads the sources and holds all of
//! this.
//!
//! # What each part is
//!
//! - [`wire`]: bytes ↔ fields. Any bytes have a reading.
//! - [`proto`]: meaning over time, and what is wrong: findings.
//! - [`capture`]: recording, keeping and opening; what everybody above reads.
//! - [`export`]: a capture in other formats.
//! - [`net`]: the server and the demo client.
//! - [`run`]: the commands, wired from the parts above. [`cli`] is their command line.
//!
//! Lints are in `Cargo.toml`: no `unsafe`, every public item documented, clippy clean.

pub mod capture;
pub mod cli;
pub mod explain;
pub mod export;
pub mod net;
pub mod proto;
pub mod run;
pub mod tui;
pub mod wire;
