//! The flags of `framescope proxy`.

use std::net::SocketAddr;

use clap::Args;

use super::recording::Recording;
use super::tls::{KeyLog, ListenTls, ServerTrust};
use super::{filter_help_hint, values};
use crate::capture::query::filter::Filter;
use crate::wire::host_pattern::HostPattern;
use crate::wire::url::Url;

/// `framescope proxy`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope proxy ws://localhost:9000      connect to ws://127.0.0.1:6455
  framescope proxy ws://localhost:9000/ws   / reaches /ws, and /a reaches /ws/a
  framescope proxy http://localhost:3000 --rewrite-origin
      a web app: open http://localhost:6455/ in a browser
  framescope proxy wss://example.com        a server with TLS
  framescope proxy wss://localhost:9443 --cacert dev.pem --tls
      TLS on both sides: connect to wss://127.0.0.1:6455
  framescope proxy --forward                for http_proxy=http://127.0.0.1:6455
  framescope proxy --forward --intercept example.org
      the same, with the decrypted bytes of example.org
  framescope proxy ws://localhost:9000 --hold 'op == text and dir == c2s'
      texts of the client wait until you send them on, edit or drop them
  framescope proxy ws://localhost:9000 --headless --json > log.ndjson
  framescope proxy ws://localhost:9000 --headless --filter 'op == close'
      only Closes ", filter_help_hint!(), "

The proxy sends on every byte as it arrives, in both directions: it does not change frames, and waits for no end of a frame, unless a hold rule holds messages (--hold, or b on the screen). In \
requests it changes only what must name the server: Host, the path if TARGET has one, and Origin with --rewrite-origin. A note on the \
request has both forms. Host names other than localhost, and origins of other pages, stay: the server can refuse them. Redirects, cookies and links of a web server are not changed.

With --forward, a request in the form for proxies (GET http://HOST/PATH) goes to HOST in the form for servers, and CONNECT opens a tunnel. \
Whoever can connect to the proxy reaches what this machine reaches: leave it on a loopback address.

If the server cannot be reached, the client gets status 502 or 504 with the reason, and the header Proxy-Status (RFC 9209)."))]
pub struct Proxy {
    /// The server: ws://, wss://, http:// or https://HOST:PORT, with a path that is put in front of the path of each request
    #[arg(value_name = "TARGET", value_parser = values::target, required_unless_present_any = ["forward", "intercept"])]
    pub target: Option<Url>,

    /// Without TARGET: relay to the server that each request names, as the proxy that browsers and http_proxy, https_proxy and all_proxy
    /// expect. TLS passes unread
    #[arg(long, conflicts_with_all = ["target", "rewrite_origin"])]
    pub forward: bool,

    /// With --forward: open the TLS of this host, with certificates of the local CA (see framescope ca --help), which the client
    /// must trust: a name, *.NAME for all names below it, or an address, each with or without :PORT (repeatable)
    #[arg(long, value_name = "HOST")]
    pub intercept: Vec<HostPattern>,

    /// Address to listen on; port 0 takes a free port. Other machines can connect unless it is a loopback address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6455", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Replace the origin of the proxy, or of a page on loopback, in requests by that of TARGET, for servers that refuse other origins
    #[arg(long)]
    pub rewrite_origin: bool,

    /// Hold messages that match this filter until you send them on, edit or drop them on the screen (key b), or with --headless until the end (repeatable)
    #[arg(long, value_name = "EXPR")]
    pub hold: Vec<Filter>,

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
