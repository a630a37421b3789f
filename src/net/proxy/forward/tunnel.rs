//! A tunnel that CONNECT asks for (RFC 9110 §9.3.6): its bytes pass as they are. TLS is opened if the host is named for that; other
//! TLS passes unread, and is not kept.

use std::io::ErrorKind;
use std::time::Duration;

use super::route::Place;
use super::session::Session;
use crate::capture::format::proxied::Proxied;
use crate::net::proxy::input::Input;
use crate::net::proxy::requests::{Heads, Requests};
use crate::net::proxy::{DOWN, UP};
use crate::net::stream::{Stream, is_timeout};
use crate::net::wiretap::Remark;
use crate::wire::tls;

/// The response that opens a tunnel. It has no headers: content would belong to the tunnel.
const OPENED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// Poll interval for bytes of the server, while the first bytes of a tunnel are awaited.
const LOOK: Duration = Duration::from_millis(20);

impl Session<'_> {
    /// Connects to the server `place`, which the head that is next names, and relays until the tunnel ends.
    pub fn tunnel(&self, place: &Place, input: &mut Input, requests: &mut Requests<'_>) {
        requests.treat(Heads::Unchanged);
        let Some(first) = self.record_next(input, requests) else { return };
        let server = match self.connect(place) {
            Ok(Some(server)) => server,
            Ok(None) => return,
            Err(error) => return self.decline_recorded(first, input, requests, &error),
        };
        input.consume(first.len);
        let interception = self.config.interception_of(place);
        if !self.open(place, interception.is_some(), &server.0) {
            return;
        }
        self.exchange.switch();
        if let Some(interception) = interception
            && self.begins_tls(&server.0, input)
        {
            return self.intercept(interception, place, server, input);
        }
        self.tap.begin_tunnel();
        self.relay_tunnel(&self.accepted.stream, server, input);
    }

    /// Answers CONNECT: the tunnel is open. Returns false if the client is lost.
    fn open(&self, place: &Place, is_intercepted: bool, server: &Stream) -> bool {
        let client = &self.accepted.stream;
        let mut rest = OPENED;
        while !rest.is_empty() {
            match client.write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.tap.wiretap().reset(UP);
                    return false;
                }
            }
        }
        let reached = server.peer_addr().map(|server| format!(" to {server}")).unwrap_or_default();
        let tls = if is_intercepted {
            "TLS in the tunnel is opened".to_owned()
        } else {
            format!("TLS in the tunnel passes unread and is not kept; --intercept {} opens it", place.pattern())
        };
        let note = format!("framescope sent this response: it has connected{reached}; {tls}");
        self.tap.push(DOWN, OPENED, Some(Remark::proxied(Proxied::Added, note)));
        self.tap.drain_all();
        true
    }

    /// Waits until a side sends the first bytes of the tunnel; returns true if the client begins TLS.
    fn begins_tls(&self, server: &Stream, input: &mut Input) -> bool {
        while input.bytes().is_empty() {
            match input.read(&self.accepted.stream, Some(LOOK)) {
                Ok(1..) => break,
                Err(e) if is_timeout(&e) && !server.has_arrived() => {}
                _ => return false,
            }
        }
        tls::may_begin_hello(input.bytes())
    }
}
