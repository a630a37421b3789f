//! Answers a client whose server cannot be reached (RFC 9110 §15.6.3, §15.6.5), and records what it sends meanwhile.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::connect::ConnectError;
use super::exchange::Exchange;
use super::input::Input;
use super::requests::{Outgoing, Requests};
use super::tap::Tap;
use super::{DOWN, UP};
use crate::capture::format::proxied::Proxied;
use crate::net::http::Response;
use crate::net::stream::{Stream, is_timeout, is_tls_over};
use crate::net::wiretap::Remark;
use crate::proto::dissected::EndReason;
use crate::wire::http::Head;

/// How long a client may take to send the rest of its request, to take the response, and to end its direction: each.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes that are read from a client that keeps sending.
const MAX_RECEIVED: usize = 16 << 20;

/// A client whose server cannot be reached.
pub struct Declining<'a, 'r> {
    pub client: &'a Stream,
    pub tap: &'a Tap,
    pub exchange: &'a Exchange,
    pub input: &'a mut Input,
    pub requests: &'a mut Requests<'r>,
}

/// Why the client is not read any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Received {
    /// The wanted bytes have arrived.
    Enough,
    /// The client has ended its direction, which is recorded.
    Fin,
    /// The client has reset the connection.
    Reset,
    /// It took too long, or sent too much.
    TooMuch,
}

impl Declining<'_, '_> {
    /// Answers the first request with the reason. `first` is the beginning of the input, and is recorded already.
    pub fn run(mut self, mut first: Option<Outgoing>, error: &ConnectError) {
        // Empty lines may come before a request.
        while let Some(out) = first.as_ref().filter(|out| !out.is_head && !self.requests.is_raw()) {
            self.input.consume(out.len);
            first = super::first(self.client, self.input, self.requests, self.exchange, self.tap);
        }
        let recorded = first.as_ref().map_or(0, |out| out.len);
        let response = first.as_ref().filter(|out| out.is_head).map(|out| {
            let head = Head::read(&self.input.bytes()[..out.len]);
            (response(&head, error), head.value("expect").is_some())
        });
        self.input.consume(recorded);
        let Some((response, waits)) = response else {
            self.record_rest();
            let wiretap = self.tap.wiretap();
            if self.client.is_disconnected() {
                return wiretap.reset(UP);
            }
            if first.is_none() {
                wiretap.ended(UP, EndReason::Fin);
            }
            // It does not speak HTTP: no response would be understood.
            wiretap.reset(DOWN);
            return self.client.reset_at_close();
        };
        // The response follows the whole request, unless the client waits for one before it sends the body.
        let received = if waits { Received::Enough } else { self.receive(|requests| !requests.is_in_body()) };
        if received == Received::Reset || !self.respond(&response, error) {
            return self.tap.wiretap().reset(UP);
        }
        self.tap.wiretap().ended(DOWN, EndReason::Fin);
        let _ = self.client.shutdown(Shutdown::Write);
        // Until the client has ended its direction: if bytes of it remain unread, the system resets the connection, and the client
        // may lose the response.
        if received != Received::Fin && self.receive(|_| false) == Received::Reset {
            self.tap.wiretap().reset(UP);
        }
    }

    /// Writes the response, and records what was written of it. Returns false if the client is lost, or takes no bytes.
    fn respond(&self, response: &[u8], error: &ConnectError) -> bool {
        if self.client.is_disconnected() {
            return false;
        }
        let _ = self.client.set_write_timeout(Some(PATIENCE));
        let mut written = 0;
        while written < response.len() {
            match self.client.write(&response[written..]) {
                Ok(n) => written += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        if written > 0 {
            let note = format!("framescope sent this response: it {error}");
            self.tap.push(DOWN, &response[..written], Some(Remark::proxied(Proxied::Added, note)));
            self.tap.drain_all();
        }
        written == response.len()
    }

    /// Records what the client sends until `is_enough`.
    fn receive(&mut self, is_enough: impl Fn(&Requests<'_>) -> bool) -> Received {
        let deadline = Instant::now() + PATIENCE;
        let mut received = 0;
        let end = loop {
            while let Some(out) = self.requests.next(self.input.bytes(), self.exchange) {
                // Nothing is sent to the server, so no note describes changes.
                self.tap.push(UP, &self.input.bytes()[..out.len], None);
                self.input.consume(out.len);
            }
            self.tap.drain_all();
            if is_enough(self.requests) {
                return Received::Enough;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || received > MAX_RECEIVED {
                break Received::TooMuch;
            }
            match self.input.read(self.client, Some(left)) {
                Ok(0) => break Received::Fin,
                Ok(n) => received += n,
                Err(e) if is_timeout(&e) => break Received::TooMuch,
                // No more bytes were due.
                Err(e) if is_tls_over(&e) => break Received::Fin,
                Err(_) => break Received::Reset,
            }
        };
        self.record_rest();
        if end == Received::Fin {
            self.tap.wiretap().ended(UP, EndReason::Fin);
        }
        end
    }

    /// Records what was read and is no whole head.
    fn record_rest(&mut self) {
        let rest = self.input.bytes();
        if !rest.is_empty() {
            self.tap.push(UP, rest, None);
        }
        self.input.consume(self.input.bytes().len());
        self.tap.drain_all();
    }
}

/// The response to a request with this head.
fn response(head: &Head<'_>, error: &ConnectError) -> Vec<u8> {
    let mut response = Vec::new();
    Response::text(error.status(), &format!("The proxy {error}."))
        // It says that no server sent the response (RFC 9209 §2.1.1).
        .header("Proxy-Status", format!("framescope; error={}", error.name()))
        .closing()
        .encode(head.method() == Some(b"HEAD"), &mut response);
    response
}
