//! framescope is a WebSocket frame inspector: it shows each handshake and frame of a connection bit by bit in the terminal.
//!
//! # How data flows
//!
//! ```text
//!  sockets ──► net: listener, one thread per connection, server roles, demo client
//!                │ wiretap: each chunk that was read or written, with its time
//!                ▼
//!              capture::live::recorder ──► spool: a pcapng file with synthesized TCP, appended as bytes arrive
//!                │                     ▲
//!                │ proto: one dissector per direction produces records and findings
//!                ▼                     │ bytes are read back by position and never kept in memory
//!              the index: an entry of fixed size per record
//!                ▲                     │
//!  pcap, pcapng ─┘ capture::import: packets, TCP reassembly, then the same dissectors and index over the user's file;
//!  HAR, NDJSON     their events go through the recorder into an unnamed temporary file
//!                                      ▼
//!              capture::store::Capture: records by number, bytes by position
//!                     ┌────────────────┼───────────────────────┐
//!                     ▼                ▼                       ▼
//!                    tui             export         run: headless lines, decode
//! ```
//!
//! # The modules
//!
//! - [`wire`] converts between bytes and fields: frames, HTTP heads, masking, the bit grid. Any bytes parse.
//! - [`proto`] follows the protocol over time: records, messages, handshakes, permessage-deflate, and findings, which are
//!   violated rules. `wire` and `proto` are pure: no sockets, files, clocks, randomness, threads or printing; callers pass in
//!   the time and the masking keys.
//! - `zlib` has the streams with which `proto` inflates and compresses; unlike `proto`, it has state that all connections share.
//! - [`capture`] records live connections, imports files, stores both as pcapng with an index, and answers queries.
//! - [`pasted`] reads frames that people paste: hex, literals, dumps, base64.
//! - [`script`] reads the lines and scripts that a client or a mock server sends, and runs scripts; pure.
//! - [`explain`] explains fields, codes, rules and records to a learner.
//! - [`picture`] draws the figures of records, and turns them and the screen into SVG and text.
//! - [`export`] writes a capture in other formats.
//! - [`net`] is the server and the demo client, and the only module with sockets.
//! - [`tui`] is the screen, and the only module with ratatui and crossterm.
//! - [`run`] connects these modules to commands; [`cli`] defines their command line.
//!
//! # Imports
//!
//! ```text
//! {wire, zlib} ← proto ← capture ← {pasted, script, explain, picture, export, net, tui} ← run ← main
//! ```
//!
//! A module imports only modules to its left. `export`, `net` and `tui` do not import each other; `export` and `tui` may
//! import `explain` and `picture`, `tui` and `cli` may import `pasted`, and `net` and `tui` may import `script`. `cli` contains the types of clap for `run` and `main`, and may import the lists of values that it offers.
//! `tests/it/architecture.rs` checks this.
//!
//! `Cargo.toml` sets the lints: no `unsafe`, every public item documented, no warnings of clippy.

pub mod capture;
pub mod cli;
pub mod explain;
pub mod export;
pub mod net;
pub mod pasted;
pub mod picture;
pub mod proto;
pub mod run;
pub mod script;
pub mod tui;
pub mod wire;
mod zlib;
