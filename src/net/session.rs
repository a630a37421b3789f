//! One connection from its first byte to its last: HTTP until a handshake is accepted, then WebSocket.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::http::{self, Waited};
use super::roles::Role;
use super::server::Config;
use super::site::{self, Answer, Upgrade};
use super::tap::{Heard, Lost, Tap};
use crate::proto::endpoint::{Endpoint, EndpointEvent};
use crate::wire::close::CloseCode;
use crate::wire::http::Head;

/// How long the peer's FIN is waited for after ours.
const DRAIN: Duration = Duration::from_secs(1);

/// How long the answer to our Close is waited for when the server shuts down.
const GOODBYE: Duration = Duration::from_millis(400);

/// How often is looked for that answer: a read does not block any more by then.
const GLANCE: Duration = Duration::from_millis(10);

/// How a conversation ended.
enum Ending {
    /// All is said: our FIN is next.
    Said,
    /// The server shuts down: nobody is waited for.
    Stopped,
}

/// Serves a connection to `server` until its end.
pub fn serve(tap: &mut Tap, server: SocketAddr, config: &Config) {
    tap.set_write_patience(config.write_timeout);
    let patience = match converse(tap, server, config) {
        Ok(Ending::Said) => DRAIN,
        Ok(Ending::Stopped) | Err(Lost::Stuck | Lost::Reset) => Duration::ZERO,
    };
    tap.finish(patience);
}

fn converse(tap: &mut Tap, server: SocketAddr, config: &Config) -> Result<Ending, Lost> {
    loop {
        let deadline = Instant::now() + config.handshake_timeout;
        let head_len = match http::request(tap, deadline)? {
            Waited::Head(len) => len,
            Waited::Refused(response) => {
                response.encode(false, tap.out());
                tap.flush()?;
                return Ok(Ending::Said);
            }
            Waited::Over => return Ok(Ending::Said),
            Waited::Stopped => return Ok(Ending::Stopped),
        };
        let (input, out) = tap.input_and_out();
        let head = Head::read(&input[..head_len]);
        let ends = http::ends_after(&head);
        match site::answer(&head, server, config) {
            Answer::Http(mut response) => {
                if ends {
                    response = response.closing();
                }
                response.encode(head.method() == Some(b"HEAD"), out);
                tap.consume(head_len);
                tap.flush()?;
                if response.closes() {
                    return Ok(Ending::Said);
                }
            }
            Answer::Upgrade(upgrade) => {
                http::encode_upgrade(&upgrade.accept, upgrade.deflate.as_ref(), out);
                tap.consume(head_len);
                tap.flush()?;
                return websocket(tap, upgrade, config);
            }
        }
    }
}

/// Speaks WebSocket. What came behind the handshake in the same read is in the tap's input.
fn websocket(tap: &mut Tap, upgrade: Upgrade, config: &Config) -> Result<Ending, Lost> {
    let mut role = upgrade.role;
    let role = &mut *role;
    let mut endpoint = Endpoint::server(config.limits);
    if let Some(params) = upgrade.deflate {
        endpoint = endpoint.with_deflate(params);
    }
    if !role.reads_messages() {
        endpoint = endpoint.without_messages();
    }
    loop {
        hear(tap, &mut endpoint, role);
        let patience = role.due().map(|due| due.saturating_duration_since(Instant::now()));
        if patience.is_some_and(|patience| patience.is_zero()) {
            role.act(Instant::now(), &mut endpoint.sender(tap.out()));
        }
        tap.flush()?;
        if endpoint.is_over() {
            // RFC 6455 §7.1.1: the server ends the TCP connection first.
            return Ok(Ending::Said);
        }
        let patience = role.due().map(|due| due.saturating_duration_since(Instant::now()));
        match tap.read(patience)? {
            Heard::Bytes | Heard::Silence => {}
            Heard::Fin => return Ok(Ending::Said),
            Heard::Stopped => return say_goodbye(tap, &mut endpoint, role),
        }
    }
}

/// Lets the endpoint and the role take what came.
fn hear(tap: &mut Tap, endpoint: &mut Endpoint, role: &mut dyn Role) {
    let (input, out) = tap.input_and_out();
    endpoint.receive(input, out, |event, sender| {
        if let EndpointEvent::Message { opcode, payload } = event {
            role.message(opcode, payload, sender);
        }
    });
    tap.consume_all();
}

/// RFC 6455 §7.4.1: a server that goes down says 1001. The answer is waited for, but not for long.
fn say_goodbye(tap: &mut Tap, endpoint: &mut Endpoint, role: &mut dyn Role) -> Result<Ending, Lost> {
    tap.set_write_patience(GOODBYE);
    endpoint.sender(tap.out()).close(Some(CloseCode::GOING_AWAY), "the server is shutting down");
    tap.flush()?;
    let deadline = Instant::now() + GOODBYE;
    while !endpoint.is_over() && Instant::now() < deadline {
        match tap.read(Some(GLANCE))? {
            Heard::Bytes => {
                // RFC 6455 §5.5.2: a ping is answered until the other side's Close comes.
                hear(tap, endpoint, role);
                tap.flush()?;
            }
            Heard::Silence => {}
            Heard::Fin => break,
            Heard::Stopped => std::thread::sleep(GLANCE),
        }
    }
    Ok(Ending::Stopped)
}
