//! The flags of `framescope connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::filter_help_hint;
use super::heartbeats::Heartbeats;
use super::recording::Recording;
use super::tls::{KeyLog, ServerTrust};
use super::values;
use crate::wire::url::Url;

/// `framescope connect`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Lines:
Type them after : on the screen; with --headless they come from stdin.
  hello                  send this text
  /hex 00ff              send these bytes
  /file PATH             send a file: as text if it is UTF-8, otherwise binary
  /ping p1 · /pong p1    send a ping or a pong with this payload
  /close 1000 bye        send a Close; code and reason may be left out
  /fragment 3,4 text     send the text in parts of 3, 4 and the remaining bytes
  /frame op=3 rsv1=1 …   send a frame with any header (fields: docs/manual.md)
  //text                 send text that begins with /
  /connect               on the screen: connect again after the end

With --headless, /close and the end of stdin wait until every ping is answered and nothing has arrived for a while (--linger). Then \
framescope sends a Close with code 1000.

Exit status:
  0  both sides sent a Close
  1  otherwise, or an expectation of the script failed: the reason is on stderr
  2  wrong usage, or a mistake in the script

Scripts:
--script FILE plays a script, with one statement a line.
  send text \"hello\" · send hex \"00ff\" · send file PATH
  ping \"p1\" · pong \"p1\" · close 1000 \"bye\"
  expect op == pong within 2s      the next record that matches this filter
  wait 500ms
  repeat 10 … end
  on text contains \"time\" … end   at each record that matches
  on open … end                    once
  # a comment

Examples:
  framescope connect ws://127.0.0.1:6455/echo
  echo hello | framescope connect wss://example.com/chat --headless
  framescope connect ws://127.0.0.1:9000 -H 'Authorization: Bearer abc'
  framescope connect ws://127.0.0.1:9000 --subprotocol graphql-ws
  framescope connect ws://localhost/events --unix-socket /run/app.sock --no-pong
  framescope connect ws://127.0.0.1:9000 --headless --script login.txt
      a test: exit status 1 if an expectation fails
  framescope connect ws://127.0.0.1:9000 --headless --filter 'dir == s2c'
      only what the server sends ", filter_help_hint!()))]
pub struct Connect {
    /// Where to connect: ws://HOST:PORT/PATH, wss://, http:// or https://
    #[arg(value_name = "URL", value_hint = ValueHint::Url, value_parser = values::server_url)]
    pub url: Url,

    /// Add a header line to the handshake; one that the handshake has replaces its line (repeatable)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,

    /// Offer a subprotocol (repeatable)
    #[arg(long = "subprotocol", value_name = "NAME")]
    pub subprotocols: Vec<String>,

    /// Send this Origin, as the page of a browser would
    #[arg(long, value_name = "ORIGIN")]
    pub origin: Option<String>,

    /// Do not offer permessage-deflate (RFC 7692)
    #[arg(long)]
    pub no_deflate: bool,

    /// Send this Sec-WebSocket-Key, and not 16 random bytes in base64
    #[arg(long, value_name = "KEY")]
    pub ws_key: Option<String>,

    /// Connect through this Unix socket; the URL names host and path of the handshake
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub unix_socket: Option<PathBuf>,

    /// Play a script; with --headless the run ends when it does
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub script: Option<PathBuf>,

    /// With --headless: how long nothing must arrive before the connection is closed at the end of stdin; at most 5s
    #[arg(long, value_name = "DURATION", default_value = "300ms", requires = "headless", value_parser = values::linger)]
    pub linger: Duration,

    /// TLS with the server.
    #[command(flatten)]
    pub trust: ServerTrust,

    /// The secrets of TLS.
    #[command(flatten)]
    pub key_log: KeyLog,

    /// Pings and pongs.
    #[command(flatten)]
    pub heartbeats: Heartbeats,

    /// How the traffic is kept and shown.
    #[command(flatten)]
    pub recording: Recording,
}
