//! The requests of one client of a forward proxy: each goes to the server that it names, one server after the other.

use std::sync::Arc;
use std::thread;

use super::ForwardConfig;
use super::route::{Place, Route, RouteError};
use crate::capture::live::recorder::ConnectionRecorder;
use crate::net::listener::{Accepted, STACK};
use crate::net::proxy::decline::Declining;
use crate::net::proxy::exchange::Exchange;
use crate::net::proxy::input::Input;
use crate::net::proxy::relay::Relay;
use crate::net::proxy::requests::{Heads, Outgoing, Requests};
use crate::net::proxy::tap::Tap;
use crate::net::proxy::{ConnectError, DOWN, UP, connect_to};
use crate::net::stream::Stream;
use crate::net::wiretap::Wiretap;
use crate::proto::dissected::EndReason;
use crate::wire::http::Head;

/// A client of a forward proxy.
pub struct Session<'a> {
    pub config: &'a ForwardConfig,
    pub accepted: &'a Accepted,
    /// Whether the client speaks TLS with the proxy.
    is_tls: bool,
    pub tap: Arc<Tap>,
    pub exchange: Arc<Exchange>,
}

impl<'a> Session<'a> {
    pub fn new(config: &'a ForwardConfig, accepted: &'a Accepted, is_tls: bool, recording: ConnectionRecorder) -> Self {
        let tap = Arc::new(Tap::new(Wiretap::new(recording)));
        Self { config, accepted, is_tls, tap, exchange: Arc::default() }
    }

    /// Serves the requests of the client until its connection ends.
    pub fn run(&self) {
        let (mut input, mut requests) = (Input::new(), Requests::new(Heads::Forward(None)));
        while let Some(out) = self.next(&mut input, &mut requests) {
            if !self.serve(&out, &mut input, &mut requests) {
                return;
            }
        }
    }

    /// Reads until there is something to do; `None` if the client ends before.
    fn next(&self, input: &mut Input, requests: &mut Requests<'_>) -> Option<Outgoing> {
        let client = &self.accepted.stream;
        loop {
            if let Some(out) = requests.next(input.bytes(), &self.exchange) {
                return Some(out);
            }
            let read = input.read(client, None);
            if matches!(read, Ok(1..)) {
                continue;
            }
            self.tap.push(UP, input.bytes(), None);
            self.tap.drain_all();
            let wiretap = self.tap.wiretap();
            if self.accepted.connections.is_shutting_down() {
                return None;
            }
            match read {
                Ok(_) => [UP, DOWN].iter().for_each(|direction| wiretap.ended(*direction, EndReason::Fin)),
                Err(_) => wiretap.reset(UP),
            }
            return None;
        }
    }

    /// Serves the next request, and those for the same server that follow it. Returns true if one for another server is next.
    fn serve(&self, out: &Outgoing, input: &mut Input, requests: &mut Requests<'_>) -> bool {
        if !out.waits {
            if requests.is_raw() {
                // No HTTP, so no server is named.
                self.decline(input, requests, &ConnectError::Route(RouteError::Target));
                return false;
            }
            // Empty lines before a request.
            self.tap.push(UP, &input.bytes()[..out.len], None);
            input.consume(out.len);
            return true;
        }
        let own = self.accepted.local;
        let route = match Route::of(&Head::read(&input.bytes()[..out.len])) {
            _ if self.config.tls.is_some() && !self.is_tls => Err(ConnectError::NotTls(own)),
            Err(RouteError::OriginForm) => Err(ConnectError::NoServer { own }),
            Err(error) => Err(ConnectError::Route(error)),
            Ok(route) => Ok(route),
        };
        match route {
            Err(error) => self.decline(input, requests, &error),
            Ok(Route::Tunnel(place)) => self.tunnel(&place, input, requests),
            Ok(Route::Http(place)) => return self.exchange_with(&place, input, requests),
        }
        false
    }

    /// Relays requests to the server `place`, and its responses. Returns true if the client goes on with another server.
    fn exchange_with(&self, place: &Place, input: &mut Input, requests: &mut Requests<'_>) -> bool {
        requests.treat(Heads::Forward(Some(place.clone())));
        // It is on the screen while the proxy connects.
        let Some(first) = self.record_next(input, requests) else { return false };
        let server = match self.connect(place) {
            Ok(server) => Arc::new(server),
            Err(error) => {
                self.decline_recorded(first, input, requests, &error);
                return false;
            }
        };
        self.relay(&self.accepted.stream, &server, Some(first), input, requests)
    }

    /// Takes what is next, and records it. It stays in the input.
    pub fn record_next(&self, input: &Input, requests: &mut Requests<'_>) -> Option<Outgoing> {
        let out = requests.next(input.bytes(), &self.exchange)?;
        let note = out.changed.as_ref().map(|changed| changed.note.clone());
        self.tap.push(UP, &input.bytes()[..out.len], note);
        self.tap.drain_all();
        Some(out)
    }

    /// Connects to a server, without TLS.
    pub fn connect(&self, place: &Place) -> Result<Stream, ConnectError> {
        let config = self.config;
        connect_to((&place.host, place.port), config.connect_timeout, config.listen, self.accepted.local)
    }

    /// Relays both directions until they end, or until the client goes on with another server; then it returns true. `first` is the
    /// beginning of the input, and is recorded already.
    pub fn relay(
        &self,
        client: &Arc<Stream>,
        server: &Arc<Stream>,
        first: Option<Outgoing>,
        input: &mut Input,
        requests: &mut Requests<'_>,
    ) -> bool {
        let connections = &self.accepted.connections;
        let Some(open) = connections.add(server) else { return false };
        let hold = &self.config.hold;
        let relay = Arc::new(Relay::new([client, server], &self.tap, &self.exchange, connections, open, hold));
        let is_started = thread::scope(|scope| {
            let to_client = thread::Builder::new().name("to client".to_owned()).stack_size(STACK);
            if to_client.spawn_scoped(scope, || relay.relay_server()).is_err() {
                return false;
            }
            relay.relay_client(first, input, requests);
            true
        });
        if !is_started {
            self.tap.wiretap().notice("the system has no free threads: a connection was not relayed");
            return false;
        }
        if !relay.is_left() {
            relay.record_reset();
        }
        relay.is_left()
    }

    /// Answers the request that is next, or resets a client that does not speak HTTP.
    fn decline(&self, input: &mut Input, requests: &mut Requests<'_>, error: &ConnectError) {
        requests.treat(Heads::Unchanged);
        if let Some(first) = self.record_next(input, requests) {
            self.decline_recorded(first, input, requests, error);
        }
    }

    /// The same for a request that is recorded already.
    pub fn decline_recorded(
        &self,
        first: Outgoing,
        input: &mut Input,
        requests: &mut Requests<'_>,
        error: &ConnectError,
    ) {
        requests.treat(Heads::Unchanged);
        let (client, tap, exchange) = (&*self.accepted.stream, &*self.tap, &*self.exchange);
        Declining { client, tap, exchange, input, requests }.run(Some(first), error);
    }
}
