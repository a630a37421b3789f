//! The integration tests, in one binary: they are compiled and linked once.
//!
//! One module per subject; `support` holds what several of them use. A test that needs something of its own for the whole
//! process (a terminal, environment variables, signals) starts the built program, or this binary, as a child process.
//! `cargo test --test it ring::` runs the tests of one module.

mod any_keys;
mod architecture;
mod browser;
mod check;
mod cli;
mod concurrency;
mod connect;
mod conversations;
mod correct_peers;
mod deflate;
mod devtools;
mod documents;
mod drawn_exports;
mod encapsulation;
mod export;
mod filter;
mod foreign;
mod full_disk;
mod gaps;
mod golden;
mod har;
mod har_values;
mod import;
mod input;
mod kept;
mod key_log;
mod key_log_layers;
mod key_log_openssl;
mod key_log_peers;
mod key_log_reasons;
mod key_log_sessions;
mod layouts;
mod live_notes;
mod manual_page;
mod networks;
mod output_files;
mod packet_programs;
mod packet_ring;
mod paste_screen;
mod pasted;
mod peers;
mod picture_dialog;
mod pictures;
mod proxy;
mod ring;
mod roundtrip;
mod rules;
mod samples;
mod screen;
mod search;
mod seeds;
mod server;
mod support;
mod terminal;
mod themes;
mod tls;
mod tour;
mod tshark;
