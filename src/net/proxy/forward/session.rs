//! The requests of one client of a forward proxy: each goes to the server that it names, one server after the other.

use std::sync::Arc;
use std::thread;

use memchr::memmem;

use super::ForwardConfig;
use super::route::{Place, Route, RouteError};
use crate::capture::format::proxied::Proxied;
use crate::capture::live::recorder::ConnectionRecorder;
use crate::net::connections::OpenGuard;
use crate::net::listener::{Accepted, STACK};
use crate::net::proxy::connect::{ConnectError, connect_to};
use crate::net::proxy::decline::Declining;
use crate::net::proxy::exchange::{Exchange, MAX_HEAD};
use crate::net::proxy::input::Input;
use crate::net::proxy::relay::Relay;
use crate::net::proxy::requests::{Heads, Outgoing, Requests};
use crate::net::proxy::rewrite::Rewritten;
use crate::net::proxy::tap::Tap;
use crate::net::proxy::{DOWN, UP};
use crate::net::stream::{Stream, is_tls_over};
use crate::net::wiretap::{Remark, Wiretap};
use crate::proto::dissected::EndReason;
use crate::wire::http::Head;
use crate::wire::tls;

/// The note on bytes that are no request.
const NO_SERVER: &str =
    "framescope did not send these bytes: they are no HTTP request, so they do not name their server";

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
                Err(e) if is_tls_over(&e) => wiretap.truncated(UP, &e),
                Err(_) => wiretap.reset(UP),
            }
            return None;
        }
    }

    /// Serves the next request, and those for the same server that follow it. Returns true if one for another server is next.
    fn serve(&self, out: &Outgoing, input: &mut Input, requests: &mut Requests<'_>) -> bool {
        if !out.is_head {
            if out.waits {
                // They come after earlier requests.
                requests.treat(Heads::Forward(None));
                requests.next(input.bytes(), &self.exchange);
            }
            if requests.is_raw() {
                self.refuse(out, input, requests);
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

    /// Refuses bytes that are no head of a request, or the beginning of a head that is too long.
    fn refuse(&self, out: &Outgoing, input: &mut Input, requests: &mut Requests<'_>) {
        let bytes = &input.bytes()[..out.len];
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let error = if bytes.len() > MAX_HEAD { RouteError::TooLong } else { RouteError::Target };
        // Clients that do not speak HTTP are reset.
        let is_head = out.waits || memmem::find(line, b" HTTP/").is_some();
        if tls::may_begin_hello(bytes) {
            self.tap.wiretap().notice(
                "a client begins TLS with the proxy itself; write http:// in front of the proxy's address, or start it with --tls",
            );
        }
        self.tap.push(UP, bytes, Some(Remark::proxied(Proxied::Dropped, NO_SERVER.to_owned())));
        self.tap.drain_all();
        let first = Outgoing { is_head, ..Outgoing::unchanged(out.len) };
        self.decline_recorded(first, input, requests, &ConnectError::Route(error));
    }

    /// Relays requests to the server `place`, and its responses. Returns true if the next request of the client is for another server.
    fn exchange_with(&self, place: &Place, input: &mut Input, requests: &mut Requests<'_>) -> bool {
        requests.treat(Heads::Forward(Some(place.clone())));
        // It is on the screen while the proxy connects.
        let Some(first) = self.record_next(input, requests) else { return false };
        match self.connect(place) {
            Ok(Some(server)) => self.relay(&self.accepted.stream, server, Some(first), input, requests),
            Ok(None) => false,
            Err(error) => {
                self.decline_recorded(first, input, requests, &error);
                false
            }
        }
    }

    /// Finds the next part of the input, and records it. It stays in the input.
    pub fn record_next(&self, input: &Input, requests: &mut Requests<'_>) -> Option<Outgoing> {
        let out = requests.next(input.bytes(), &self.exchange)?;
        let remark = out.changed.as_ref().map(Rewritten::remark);
        self.tap.push(UP, &input.bytes()[..out.len], remark);
        self.tap.drain_all();
        Some(out)
    }

    /// Connects to a server, without TLS; `None` at a shutdown.
    pub fn connect(&self, place: &Place) -> Result<Option<(Arc<Stream>, OpenGuard)>, ConnectError> {
        let (config, accepted) = (self.config, self.accepted);
        let to = (&*place.host, place.port);
        connect_to(to, config.connect_timeout, config.listen, accepted.local, &accepted.connections)
    }

    /// Relays the bytes of a tunnel, which may be those of another exchange of requests and responses.
    pub fn relay_tunnel(&self, client: &Arc<Stream>, server: (Arc<Stream>, OpenGuard), input: &mut Input) {
        let mut requests = Requests::new(Heads::Unchanged);
        self.relay_in(&Arc::default(), [client, &server.0], server.1, None, input, &mut requests);
    }

    /// Relays both directions until they end, or until the next request of the client is for another server; then it returns true. `first` is the
    /// beginning of the input, and is recorded already.
    pub fn relay(
        &self,
        client: &Arc<Stream>,
        server: (Arc<Stream>, OpenGuard),
        first: Option<Outgoing>,
        input: &mut Input,
        requests: &mut Requests<'_>,
    ) -> bool {
        self.relay_in(&self.exchange, [client, &server.0], server.1, first, input, requests)
    }

    /// The same with the requests and responses of `exchange`.
    fn relay_in(
        &self,
        exchange: &Arc<Exchange>,
        streams: [&Arc<Stream>; 2],
        open: OpenGuard,
        first: Option<Outgoing>,
        input: &mut Input,
        requests: &mut Requests<'_>,
    ) -> bool {
        let (connections, hold) = (&self.accepted.connections, &self.config.hold);
        let relay = Arc::new(Relay::new(streams, &self.tap, exchange, connections, open, hold));
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
