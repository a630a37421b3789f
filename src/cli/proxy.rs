//! The flags of `framescope proxy`.

use std::net::SocketAddr;

use clap::Args;

use super::recording::Recording;
use super::tls::{KeyLog, ListenTls, ServerTrust};
use super::{filter_help_hint, values};
use crate::wire::url::Url;

/// `framescope proxy`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope proxy ws://localhost:9000            point your client to ws://127.0.0.1:6455
  framescope proxy http://localhost:3000          a web server: open http://127.0.0.1:6455/ in a browser
  framescope proxy ws://localhost:9000/ws         ws://127.0.0.1:6455/ reaches /ws, and /a reaches /ws/a
  framescope proxy wss://example.com              a server with TLS; the capture has the decrypted bytes
  framescope proxy wss://localhost:9443 --cacert dev.pem --tls
      TLS on both sides: point your client to wss://127.0.0.1:6455
  framescope proxy ws://localhost:9000 --headless --json > log.ndjson
  framescope proxy ws://localhost:9000 --headless --filter 'op == close or finding'
      only Closes and broken rules ", filter_help_hint!(), "

The proxy sends on every byte as it arrives, in both directions: it does not change frames, and waits for no end of a frame. In \
requests it changes only what must name the server: Host, the path if TARGET has one, and Origin with --rewrite-origin. A note on the \
request has both forms. Host names other than localhost, and origins of other pages, stay: the server can refuse them. Redirects, cookies and links of a web server are not changed.

If the server cannot be reached, the client gets status 502 or 504 with the reason, and the header Proxy-Status (RFC 9209)."))]
pub struct Proxy {
    /// The server: ws://, wss://, http:// or https://HOST:PORT, with a path that is put in front of the path of each request
    #[arg(value_name = "TARGET", value_parser = values::target)]
    pub target: Url,

    /// Address to listen on; port 0 takes a free port. Other machines can connect unless it is a loopback address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6455", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Replace the origin of the proxy in requests by that of TARGET, for servers that refuse other origins
    #[arg(long)]
    pub rewrite_origin: bool,

    /// TLS with clients.
    #[command(flatten)]
    pub tls: ListenTls,

    /// TLS with the server.
    #[command(flatten)]
    pub trust: ServerTrust,

    /// The secrets of TLS.
    #[command(flatten)]
    pub key_log: KeyLog,

    /// How the traffic is kept and shown.
    #[command(flatten)]
    pub recording: Recording,
}
