//! Serves one connection from its first byte to its last: HTTP until a handshake is accepted, then WebSocket.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::config::ServerConfig;
use super::heartbeat::Heartbeat;
use super::http::{self, RequestOutcome, Response};
use super::mock::Mock;
use super::page_connections::{PageConnection, PageConnections};
use super::roles::Role;
use super::site::{self, Answer, Upgrade};
use super::transport::{ConnectionLost, ReadOutcome, Transport};
use crate::capture::store::Capture;
use crate::proto::endpoint::{Endpoint, EndpointEvent};
use crate::wire::close::CloseCode;
use crate::wire::http::Head;

/// How long to wait for the peer's FIN after sending ours.
const FIN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for the reply to our Close while the server shuts down.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(400);

/// Poll interval while waiting for that reply: the read side is shut down by then, so reads no longer block.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The reason in the Close of an evicted connection.
const EVICTED: &str = "the server's memory for messages is full, and this connection was idle the longest";

/// How the exchange on a connection ended.
enum ExchangeEnd {
    /// The server has sent everything it had to send, or the peer has ended its direction.
    Complete,
    /// The server is shutting down, so it does not wait for the peer.
    ShuttingDown,
}

/// Serves a connection to the server's address `server` until it ends.
pub fn serve(
    transport: &mut Transport,
    server: SocketAddr,
    config: &ServerConfig,
    pages: &PageConnections,
    capture: &Capture,
) {
    transport.set_write_timeout(config.write_timeout);
    let timeout = match exchange(transport, server, config, pages, capture) {
        Ok(ExchangeEnd::Complete) => FIN_TIMEOUT,
        Ok(ExchangeEnd::ShuttingDown) | Err(_) => Duration::ZERO,
    };
    transport.finish(timeout);
}

/// Answers a request that a client sends without TLS to the server's address `server`, which speaks only TLS.
pub fn refuse_plain(transport: &mut Transport, server: SocketAddr, config: &ServerConfig) {
    transport.set_write_timeout(config.write_timeout);
    let deadline = Instant::now() + config.handshake_timeout;
    let refused = http::read_request(transport, deadline).and_then(|outcome| {
        let response = match outcome {
            RequestOutcome::Head(len) => {
                let head = Head::read(&transport.input()[..len]);
                let scheme = if head.has_token("upgrade", "websocket") { "wss" } else { "https" };
                let words =
                    format!("This port speaks TLS: use {scheme}://{server}/ in place of an address without TLS.");
                transport.consume(len);
                Response::text(400, &words).closing()
            }
            RequestOutcome::Refused(response) => response,
            RequestOutcome::NoRequest | RequestOutcome::ShuttingDown => return Ok(()),
        };
        response.encode(false, transport.out());
        transport.flush()
    });
    transport.finish(if refused.is_ok() { FIN_TIMEOUT } else { Duration::ZERO });
}

fn exchange(
    transport: &mut Transport,
    server: SocketAddr,
    config: &ServerConfig,
    pages: &PageConnections,
    capture: &Capture,
) -> Result<ExchangeEnd, ConnectionLost> {
    loop {
        let deadline = Instant::now() + config.handshake_timeout;
        let head_len = match http::read_request(transport, deadline)? {
            RequestOutcome::Head(len) => len,
            RequestOutcome::Refused(response) => {
                response.encode(false, transport.out());
                transport.flush()?;
                return Ok(ExchangeEnd::Complete);
            }
            RequestOutcome::NoRequest => return Ok(ExchangeEnd::Complete),
            RequestOutcome::ShuttingDown => return Ok(ExchangeEnd::ShuttingDown),
        };
        let (input, out) = transport.input_and_out();
        let head = Head::read(&input[..head_len]);
        let is_last = http::is_last_request(&head);
        match site::answer(&head, server, config, pages) {
            Answer::Http(mut response) => {
                if is_last {
                    response = response.closing();
                }
                response.encode(head.method() == Some(b"HEAD"), out);
                transport.consume(head_len);
                transport.flush()?;
                if response.closes() {
                    return Ok(ExchangeEnd::Complete);
                }
            }
            Answer::Unrecorded(mut response) => {
                if is_last {
                    response = response.closing();
                }
                response.encode(false, out);
                transport.consume_unrecorded(head_len);
                transport.flush_unrecorded()?;
                if response.closes() {
                    return Ok(ExchangeEnd::Complete);
                }
            }
            Answer::Upgrade(upgrade) => {
                http::encode_upgrade(&upgrade, out);
                transport.consume(head_len);
                // The page may ask for the number as soon as it has the response.
                let page = upgrade.page.as_deref().and_then(|token| Some(pages.add(token, transport.number()?)));
                transport.flush()?;
                return serve_websocket(transport, upgrade, config, page.as_deref(), capture);
            }
        }
    }
}

/// Runs the WebSocket protocol. Bytes that followed the request's head in the same read are in the transport's input.
fn serve_websocket(
    transport: &mut Transport,
    upgrade: Upgrade,
    config: &ServerConfig,
    page: Option<&PageConnection>,
    capture: &Capture,
) -> Result<ExchangeEnd, ConnectionLost> {
    let Upgrade { mut role, deflate, plays_script, .. } = upgrade;
    let role = &mut *role;
    let heartbeat = Heartbeat::new(config.heartbeat, Instant::now());
    let mut endpoint = heartbeat.govern(Endpoint::server(config.limits));
    if let Some(params) = deflate {
        endpoint = endpoint.with_deflate(params);
    }
    if !role.reads_messages() {
        endpoint = endpoint.without_messages();
    }
    let mut websocket = WebSocket { endpoint, heartbeat };
    let mut script = config.script.as_ref().filter(|_| plays_script).map(|served| Mock::new(served, capture));
    // When the client must have answered the server's Close.
    let mut closing = None;
    loop {
        process_input(transport, &mut websocket, role);
        let WebSocket { endpoint, heartbeat } = &mut websocket;
        if transport.memory().is_scarce() {
            endpoint.free_empty_buffers();
        }
        transport.set_other_buffers(endpoint.buffered());
        let now = Instant::now();
        if role.due().is_some_and(|due| due <= now) {
            role.act(now, &mut endpoint.sender(transport.out()));
        }
        if heartbeat.due().is_some_and(|due| due <= now) {
            heartbeat.act(now, &mut endpoint.sender(transport.out()));
        }
        if let Some(page) = page {
            page.set_sent(endpoint.messages_sent());
        }
        transport.flush()?;
        let mut script_due = None;
        if let Some(mock) = &mut script {
            match mock.play(transport, endpoint)? {
                Some(wait) => script_due = wait,
                None => script = None,
            }
        }
        if closing.is_none() && endpoint.has_closed() {
            closing = Instant::now().checked_add(config.close_timeout);
        }
        if endpoint.is_over() || closing.is_some_and(|until| until <= Instant::now()) {
            // RFC 6455 §7.1.1: the server ends the TCP connection first.
            return Ok(ExchangeEnd::Complete);
        }
        let due = role.due().into_iter().chain(heartbeat.due()).chain(script_due).chain(closing).min();
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        match transport.read(timeout)? {
            ReadOutcome::Bytes | ReadOutcome::TimedOut => {}
            ReadOutcome::Fin => {
                if let Some(mock) = &mut script {
                    mock.end(transport);
                }
                return Ok(ExchangeEnd::Complete);
            }
            ReadOutcome::ShuttingDown => return close_going_away(transport, &mut websocket, role),
            ReadOutcome::Evicted => {
                // Not 1009 (RFC 6455 §7.4.1): the message is not too big, and the client may try again. 1013 is for that.
                endpoint.sender(transport.out()).close(Some(CloseCode::TRY_AGAIN_LATER), EVICTED);
                drop(websocket);
                transport.flush()?;
                return Ok(ExchangeEnd::Complete);
            }
        }
    }
}

/// The protocol of a connection.
struct WebSocket {
    endpoint: Endpoint,
    heartbeat: Heartbeat,
}

/// Passes the input to the endpoint, and complete messages to the role. Replies are in the output buffer afterwards.
fn process_input(transport: &mut Transport, websocket: &mut WebSocket, role: &mut dyn Role) {
    let (input, out) = transport.input_and_out();
    let WebSocket { endpoint, heartbeat } = websocket;
    endpoint.receive(input, out, |event, sender| match event {
        EndpointEvent::Message { opcode, payload } => role.message(opcode, payload, sender),
        EndpointEvent::Ping(payload) => heartbeat.ping(payload, Instant::now()),
        _ => {}
    });
    transport.consume_all();
}

/// Sends Close 1001, as a server that shuts down does (RFC 6455 §7.4.1), and waits a short time for the reply.
fn close_going_away(
    transport: &mut Transport,
    websocket: &mut WebSocket,
    role: &mut dyn Role,
) -> Result<ExchangeEnd, ConnectionLost> {
    transport.set_write_timeout(CLOSE_TIMEOUT);
    websocket.endpoint.sender(transport.out()).close(Some(CloseCode::GOING_AWAY), "the server is shutting down");
    transport.flush()?;
    let deadline = Instant::now() + CLOSE_TIMEOUT;
    while !websocket.endpoint.is_over() && Instant::now() < deadline {
        match transport.read(Some(POLL_INTERVAL))? {
            ReadOutcome::Bytes => {
                // RFC 6455 §5.5.2: pings are answered until the peer's Close arrives.
                process_input(transport, websocket, role);
                transport.flush()?;
            }
            ReadOutcome::TimedOut => {}
            ReadOutcome::Fin | ReadOutcome::Evicted => break,
            ReadOutcome::ShuttingDown => thread::sleep(POLL_INTERVAL),
        }
    }
    Ok(ExchangeEnd::ShuttingDown)
}
