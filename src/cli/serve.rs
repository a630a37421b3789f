//! The flags of `framescope serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::heartbeats::Heartbeats;
use super::recording::Recording;
use super::tls::{KeyLog, ListenTls};
use super::{filter_help_hint, values};

impl Serve {
    /// A server on a free loopback port. Its capture is discarded without a question.
    pub fn on_free_port() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            interval: Duration::from_secs(1),
            recording: Recording { discard: true, ..Recording::default() },
            browser: false,
            demo: false,
            no_deflate: false,
            max_memory: 1 << 30,
            tls: ListenTls::default(),
            key_log: KeyLog::default(),
            allow_origin: Vec::new(),
            script: None,
            heartbeats: Heartbeats::default(),
        }
    }
}

/// `framescope serve`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope serve --demo --interval 250ms          four messages a second
  framescope serve --write lesson.pcapng --force    replace an older file
  framescope serve --ring 1GiB --write day.pcapng   day.0000001.pcapng and so on
  framescope serve --tls                            https and wss
  framescope serve --listen 127.0.0.1:0 --headless
      take a free port, and print it to stderr
  framescope serve --headless --filter 'not op in {ping pong}'
      without pings and pongs ", filter_help_hint!()))]
pub struct Serve {
    /// Address to listen on; port 0 takes a free port. Other machines can connect unless it is a loopback address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6455", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Interval of the messages that /ticker sends, such as 1s, 250ms or 0.5s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = values::interval)]
    pub interval: Duration,

    /// How the traffic is kept and shown.
    #[command(flatten)]
    pub recording: Recording,

    /// Open the page in the default browser
    #[arg(long)]
    pub browser: bool,

    /// Start a built-in client, which acts like the page in a browser over a real loopback connection
    #[arg(long)]
    pub demo: bool,

    /// Do not accept permessage-deflate (RFC 7692), which /echo otherwise negotiates when the client offers it
    #[arg(long)]
    pub no_deflate: bool,

    /// Close the connections that are idle the longest when the messages that the server holds take more than this
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = values::memory_size)]
    pub max_memory: u64,

    /// TLS with clients.
    #[command(flatten)]
    pub tls: ListenTls,

    /// The secrets of TLS.
    #[command(flatten)]
    pub key_log: KeyLog,

    /// Allow pages of this origin to connect, such as http://localhost:8080 (repeatable)
    #[arg(long = "allow-origin", value_name = "URL", value_parser = values::origin)]
    pub allow_origin: Vec<String>,

    /// Play a script on each WebSocket connection to /script, or to another path without a role (`framescope connect --help`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub script: Option<PathBuf>,

    /// Pings and pongs.
    #[command(flatten)]
    pub heartbeats: Heartbeats,
}
