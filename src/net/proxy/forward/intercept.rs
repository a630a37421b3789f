//! Opens the TLS of a tunnel: framescope is the server of the client, with a certificate of the local CA, and the client of the
//! server, whose certificate it checks. The capture gets the decrypted bytes.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use super::route::Place;
use super::session::Session;
use super::{ForwardConfig, Interception};
use crate::net::connections::OpenGuard;
use crate::net::proxy::connect::ConnectError;
use crate::net::proxy::decline::Declining;
use crate::net::proxy::exchange::Exchange;
use crate::net::proxy::input::Input;
use crate::net::proxy::requests::{Heads, Requests};
use crate::net::proxy::{DOWN, UP, first};
use crate::net::stream::Stream;
use crate::net::tls::handshake::HandshakeFailure;
use crate::net::tls::{failure, handshake};
use crate::proto::dissected::EndReason;
use crate::wire::host_pattern::normal_host;

impl ForwardConfig {
    /// How a tunnel to the server `place` is opened; `None` if it is not.
    pub fn interception_of(&self, place: &Place) -> Option<&Interception> {
        let interception = self.interception.as_ref()?;
        interception.hosts.iter().any(|host| host.matches(&place.host, place.port)).then_some(interception)
    }
}

impl Session<'_> {
    /// Speaks TLS with the client, which has begun it in `input`, and with `server`, and relays until the tunnel ends.
    pub fn intercept(
        &self,
        interception: &Interception,
        place: &Place,
        server: (Arc<Stream>, OpenGuard),
        input: &mut Input,
    ) {
        let deadline = || Instant::now() + self.config.connect_timeout;
        let wiretap = self.tap.wiretap();
        let host = normal_host(&place.host);
        let config = interception.certificates.config(std::slice::from_ref(&host));
        let accepted = handshake::accept_begun(Arc::clone(&self.accepted.stream), config, input.bytes(), deadline());
        input.consume(input.bytes().len());
        let client = match accepted {
            Ok(client) => client,
            Err(error) => {
                if self.accepted.connections.is_shutting_down() {
                    return;
                }
                if let Some(line) = failure::in_tunnel(&place.pattern(), &error) {
                    wiretap.notice(&line);
                }
                if let HandshakeFailure::Io(e) = &error
                    && e.kind() == ErrorKind::ConnectionReset
                {
                    return wiretap.reset(UP);
                }
                return [UP, DOWN].iter().for_each(|direction| wiretap.ended(*direction, EndReason::Fin));
            }
        };
        // The client checks the certificate against this name: the server must have one for it, too.
        let name = client.asked_name().unwrap_or(host);
        let client = Arc::new(Stream::Tls(Box::new(client)));
        let mut input = Input::new();
        let (server, open) = server;
        match handshake::connect_to(&name, server, &interception.trust, deadline()) {
            Ok(server) => {
                wiretap.decrypted(true, true);
                self.relay_tunnel(&client, (Arc::new(server), open), &mut input);
            }
            Err(_) if self.accepted.connections.is_shutting_down() => {}
            Err(failure) => {
                wiretap.decrypted(true, false);
                let (exchange, mut requests) = (Exchange::default(), Requests::new(Heads::Unchanged));
                let begun = first(&client, &mut input, &mut requests, &exchange, &self.tap);
                let (client, input, requests) = (&*client, &mut input, &mut requests);
                let declining = Declining { client, tap: &self.tap, exchange: &exchange, input, requests };
                declining.run(begun, &ConnectError::tls(&place.authority, failure));
            }
        }
    }
}
