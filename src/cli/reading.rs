//! The flags that say how an input is read: a capture that lacks its handshakes, or pasted bytes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values;
use crate::capture::import::ImportOptions;
use crate::pasted::ReadAs;

/// How to read a capture that starts after the handshakes, or lacks them, and pasted bytes.
#[derive(Args, Clone, Debug)]
pub struct Reading {
    /// For a capture that starts after the handshakes: read connections on this port as WebSocket frames
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Decrypt TLS with the secrets in this file, a key log as browsers write it (SSLKEYLOGFILE)
    #[arg(long = "keylog", value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "read_as")]
    pub key_log: Option<PathBuf>,

    /// Treat permessage-deflate as negotiated where the capture does not show it
    #[arg(long)]
    pub deflate: bool,

    /// Read the input as pasted bytes of this form; text and raw are the bytes themselves
    #[arg(long = "as", value_name = "FORM", value_parser = values::one_of(&ReadAs::ALL, ReadAs::name))]
    pub read_as: Option<ReadAs>,
}

impl Reading {
    /// The options for opening a file to its end, or with `follow` beyond it.
    pub fn options(&self, follow: bool) -> ImportOptions {
        ImportOptions { port: self.port, deflate: self.deflate, follow, key_log: self.key_log.clone() }
    }
}
