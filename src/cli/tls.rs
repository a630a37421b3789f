//! The flags of TLS: of a listener, and of connections to servers.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// TLS of a listener.
#[derive(Args, Clone, Debug, Default)]
pub struct ListenTls {
    /// Speak TLS with clients (https, wss), with certificates of framescope's local CA: see framescope ca --help
    #[arg(long)]
    pub tls: bool,

    /// With --tls: the certificate chain in this PEM file, in place of the local CA's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls", requires = "key")]
    pub cert: Option<PathBuf>,

    /// With --cert: the private key in this PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub key: Option<PathBuf>,
}

/// Where the secrets of TLS connections go.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyLog {
    /// Append the secrets of TLS connections to this file (mode 0600), with which Wireshark and framescope decrypt captured packets
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub keylog: Option<PathBuf>,
}

/// Which servers are trusted.
#[derive(Args, Clone, Debug, Default)]
pub struct ServerTrust {
    /// Trust the certificates in this PEM file too, of certificate authorities (CAs) or of servers, besides the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,

    /// Accept any certificate of a server: anyone between framescope and the server can then read and change the traffic
    #[arg(long, short = 'k')]
    pub insecure: bool,
}
