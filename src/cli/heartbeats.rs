//! The flags for pings and pongs, which libraries usually send on their own.

use std::time::Duration;

use clap::Args;

use super::values;

/// When pings and pongs are sent.
#[derive(Args, Clone, Debug, Default)]
pub struct Heartbeats {
    /// Do not answer pings
    #[arg(long, conflicts_with = "pong_delay")]
    pub no_pong: bool,

    /// Answer pings after this time, such as 500ms, and not at once
    #[arg(long, value_name = "DURATION", value_parser = values::interval)]
    pub pong_delay: Option<Duration>,

    /// Send a ping each time this has passed, such as 5s
    #[arg(long, value_name = "DURATION", value_parser = values::interval)]
    pub ping_every: Option<Duration>,
}
