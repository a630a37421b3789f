//! The flags of `framescope replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::tls::ServerTrust;
use super::{Reading, values};
use crate::wire::url::Url;

/// `framescope replay`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Examples:
  framescope replay login.pcapng --to ws://127.0.0.1:9000
  framescope replay login.pcapng --to ws://127.0.0.1:9000/v2/chat --pace answers
  framescope replay login.pcapng --to ws://127.0.0.1:9000 --write again.pcapng
  framescope replay a.pcapng --to ws://127.0.0.1:9000 --connection 7 --speed 10

The handshake has the captured path, unless URL has one, and the captured headers: also Cookie and Authorization. Frames get new masks, \
and compression is negotiated again. Texts, binary messages, fragments, pings and Closes are sent; pongs answer the pings that arrive.

framescope then compares the messages and the Close of the server with the captured ones, in their order, and prints each difference \
with the numbers of both records.

Exit status:
  0  all answers are the same
  1  an answer differs, is missing or is additional, or the replay failed
  2  wrong usage")]
pub struct Replay {
    /// A capture: pcapng or pcap (also as .gz), HAR or NDJSON; - is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The server: ws://HOST:PORT, with a path to use another one than the captured path
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = values::server_url)]
    pub to: Url,

    /// TLS with the server.
    #[command(flatten)]
    pub trust: ServerTrust,

    /// The number of the connection to repeat, if the capture has several WebSocket connections
    #[arg(long, value_name = "N")]
    pub connection: Option<u32>,

    /// When a frame is sent: at its captured time, or when as many messages have arrived as before it in the capture
    #[arg(long, value_enum, default_value_t = Pace::Time, value_name = "time|answers")]
    pub pace: Pace,

    /// With --pace time: divide the captured times by this number, such as 10 or 0.5
    #[arg(long, value_name = "N", value_parser = speed)]
    pub speed: Option<f64>,

    /// Add a header line to the handshake, or replace a captured one (repeatable)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,

    /// Do not offer permessage-deflate (RFC 7692), also if the captured request does
    #[arg(long)]
    pub no_deflate: bool,

    /// Write the new exchange to this pcapng file
    #[arg(long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,

    /// Replace the file of --write if it exists
    #[arg(long, requires = "write")]
    pub force: bool,

    /// How the capture is read.
    #[command(flatten)]
    pub reading: Reading,
}

/// When frames are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// At their captured times
    Time,
    /// When as many messages have arrived as before them in the capture
    Answers,
}

/// Parses a factor.
fn speed(text: &str) -> Result<f64, &'static str> {
    let speed: f64 = text.parse().map_err(|_| "write a number, such as 10 or 0.5")?;
    if (0.001..=1_000_000.0).contains(&speed) { Ok(speed) } else { Err("must be from 0.001 to 1000000") }
}
