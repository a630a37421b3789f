//! The flags of `framescope serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::{filter_help_hint, values};
use crate::capture::query::filter::Filter;

impl Serve {
    /// A server on a free port of the loopback interface, whose capture nobody has to save.
    pub fn on_free_port() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            interval: Duration::from_secs(1),
            write: None,
            force: false,
            ring: None,
            browser: false,
            demo: false,
            discard: true,
            headless: false,
            json: false,
            quiet: false,
            filter: None,
            no_deflate: false,
            max_memory: 1 << 30,
            allow_origin: Vec::new(),
        }
    }
}

/// `framescope serve`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope serve --listen 127.0.0.1:0 --headless   listen on a free port; print it to stderr
  framescope serve --demo --interval 250ms           four messages a second, without a browser
  framescope serve --write lesson.pcapng --force     keep the capture; replace an older file
  framescope serve --ring 1GiB --write day.pcapng    for long runs: day.0000001.pcapng and so on
  framescope serve --headless --filter 'not op in {ping pong}'
      without pings and pongs ", filter_help_hint!()))]
pub struct Serve {
    /// Address to listen on; port 0 takes a free port. Other machines can connect unless it is a loopback address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6455", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Interval of the messages that /ticker sends, such as 1s, 250ms or 0.5s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = values::interval)]
    pub interval: Duration,

    /// Write the capture to this pcapng file as it grows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,

    /// Replace the file of --write if it exists
    #[arg(long, requires = "write")]
    pub force: bool,

    /// Keep at most this much, such as 1GiB, in numbered files; the oldest file is deleted first
    #[arg(long, value_name = "SIZE", value_parser = values::ring_size)]
    pub ring: Option<u64>,

    /// Open the page in the default browser
    #[arg(long)]
    pub browser: bool,

    /// Start a built-in client, which acts like the page in a browser over a real loopback connection
    #[arg(long)]
    pub demo: bool,

    /// Delete an unsaved capture also when Ctrl-C, SIGTERM or a closed terminal ends the screen, which otherwise keep it
    #[arg(long, conflicts_with = "write")]
    pub discard: bool,

    /// No screen: print one line per record to stdout until Ctrl-C
    #[arg(long)]
    pub headless: bool,

    /// With --headless: print one JSON object per record (NDJSON); the summary goes to stderr
    #[arg(long, requires = "headless", conflicts_with = "quiet")]
    pub json: bool,

    /// With --headless: print only the summary at the end
    #[arg(long, requires = "headless")]
    pub quiet: bool,

    /// Print (with --headless) or show only records that match; & on the screen changes the filter
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,

    /// Do not accept permessage-deflate (RFC 7692), which /echo otherwise negotiates when the client offers it
    #[arg(long)]
    pub no_deflate: bool,

    /// Close the connections that are idle the longest when the messages that the server holds take more than this
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = values::memory_size)]
    pub max_memory: u64,

    /// Allow pages of this origin to connect, such as http://localhost:8080 (repeatable)
    #[arg(long = "allow-origin", value_name = "URL", value_parser = values::origin)]
    pub allow_origin: Vec<String>,
}
