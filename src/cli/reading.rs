//! The flags that say how a capture without its handshakes is read.

use clap::Args;

use crate::capture::import::ImportOptions;

/// How to read a capture that starts after the handshakes, or lacks them.
#[derive(Args, Clone, Copy, Debug)]
pub struct Reading {
    /// For a capture that starts after the handshakes: read connections on this port as WebSocket frames
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Treat permessage-deflate as negotiated where the capture does not show it
    #[arg(long)]
    pub deflate: bool,
}

impl Reading {
    /// The options for opening a file to its end, or with `follow` beyond it.
    pub const fn options(self, follow: bool) -> ImportOptions {
        ImportOptions { port: self.port, deflate: self.deflate, follow }
    }
}
