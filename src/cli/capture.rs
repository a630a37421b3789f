//! The flags of `framescope capture`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::recording::Recording;
use super::{filter_help_hint, remote_capture, values};

/// `framescope capture`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope capture -i lo --port 9000      watch a server on this machine
  framescope capture -i eth0 --port 80 --host 10.0.0.7
      only the connections of one machine
  framescope capture -i lo --port 9000 --headless --json > log.ndjson
  framescope capture -i lo --port 9000 --write day.pcap
      keep the packets as they were
  framescope capture -i lo --port 9000 --write day.pcap --ring 1GiB
      only the newest packets, in numbered files
  framescope capture -i any --port 443 --keylog keys.log
      decrypt TLS, such as the wss of a browser
  framescope capture -i lo --port 9000 --filter 'op == close or finding'
      only Closes and findings ", filter_help_hint!(), "
  ", remote_capture!(), "
      watch another machine

framescope itself needs no right to capture: it starts tcpdump, or dumpcap if tcpdump cannot capture. Connections that began \
before the capture are read as WebSocket frames."))]
#[command(mut_arg("write", |arg| arg.help("Keep the packets in this file, as tcpdump or dumpcap writes them")))]
pub struct Capture {
    /// The packets.
    #[command(flatten)]
    pub source: PacketSource,

    /// Treat permessage-deflate as negotiated on connections that began before the capture
    #[arg(long)]
    pub deflate: bool,

    /// Decrypt TLS with the secrets in this file, a key log as browsers write it (SSLKEYLOGFILE); it may be written later
    #[arg(long = "keylog", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_log: Option<PathBuf>,

    /// How the traffic is kept and shown.
    #[command(flatten)]
    pub recording: Recording,
}

/// The packets to capture.
#[derive(Args, Clone, Debug)]
pub struct PacketSource {
    /// Network interface, such as lo or eth0; any is all of them (on Linux)
    #[arg(short, long, value_name = "IFACE", value_parser = values::interface)]
    pub interface: String,

    /// TCP port of the server
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,

    /// Only the connections of this machine: a name or an IP address
    #[arg(long, value_name = "HOST", value_parser = values::capture_host)]
    pub host: Option<String>,

    /// The kernel's buffer for packets that the capturing program has not read yet
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = values::buffer_size)]
    pub buffer: u64,
}

impl PacketSource {
    /// The filter expression in the language of libpcap. A backslash keeps a host name from being read as a word of this language.
    pub fn expression(&self) -> String {
        match &self.host {
            Some(host) if host.parse::<IpAddr>().is_ok() => format!("tcp port {} and host {host}", self.port),
            Some(host) => format!("tcp port {} and host \\{host}", self.port),
            None => format!("tcp port {}", self.port),
        }
    }
}
