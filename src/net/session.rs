//! Serves one connection from its first byte to its last: HTTP until a handshake is accepted, then WebSocket.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::config::ServerConfig;
use super::http::{self, RequestOutcome};
use super::page_connections::{PageConnection, PageConnections};
use super::roles::Role;
use super::site::{self, Answer, Upgrade};
use super::transport::{ConnectionLost, ReadOutcome, Transport};
use crate::proto::endpoint::{Endpoint, EndpointEvent};
use crate::wire::close::CloseCode;
use crate::wire::http::Head;

/// How long to wait for the peer's FIN after sending ours.
const FIN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for the reply to our Close while the server shuts down.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(400);

/// Poll interval while waiting for that reply: the read side is shut down by then, so reads no longer block.
const POLL: Duration = Duration::from_millis(10);

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
pub fn serve(transport: &mut Transport, server: SocketAddr, config: &ServerConfig, pages: &PageConnections) {
    transport.set_write_timeout(config.write_timeout);
    let timeout = match exchange(transport, server, config, pages) {
        Ok(ExchangeEnd::Complete) => FIN_TIMEOUT,
        Ok(ExchangeEnd::ShuttingDown) | Err(_) => Duration::ZERO,
    };
    transport.finish(timeout);
}

fn exchange(
    transport: &mut Transport,
    server: SocketAddr,
    config: &ServerConfig,
    pages: &PageConnections,
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
                return serve_websocket(transport, upgrade, config, page.as_deref());
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
) -> Result<ExchangeEnd, ConnectionLost> {
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
        process_input(transport, &mut endpoint, role);
        if transport.memory().is_scarce() {
            endpoint.free_empty_buffers();
        }
        transport.set_other_buffers(endpoint.buffered());
        let timeout = role.due().map(|due| due.saturating_duration_since(Instant::now()));
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            role.act(Instant::now(), &mut endpoint.sender(transport.out()));
        }
        if let Some(page) = page {
            page.set_sent(endpoint.messages_sent());
        }
        transport.flush()?;
        if endpoint.is_over() {
            // RFC 6455 §7.1.1: the server ends the TCP connection first.
            return Ok(ExchangeEnd::Complete);
        }
        let timeout = role.due().map(|due| due.saturating_duration_since(Instant::now()));
        match transport.read(timeout)? {
            ReadOutcome::Bytes | ReadOutcome::TimedOut => {}
            ReadOutcome::Fin => return Ok(ExchangeEnd::Complete),
            ReadOutcome::ShuttingDown => return close_going_away(transport, &mut endpoint, role),
            ReadOutcome::Evicted => {
                // Not 1009 (RFC 6455 §7.4.1): the message is not too big, and the client may try again. 1013 is for that.
                endpoint.sender(transport.out()).close(Some(CloseCode::TRY_AGAIN_LATER), EVICTED);
                drop(endpoint);
                transport.flush()?;
                return Ok(ExchangeEnd::Complete);
            }
        }
    }
}

/// Passes the input to the endpoint, and complete messages to the role. Replies are in the output buffer afterwards.
fn process_input(transport: &mut Transport, endpoint: &mut Endpoint, role: &mut dyn Role) {
    let (input, out) = transport.input_and_out();
    endpoint.receive(input, out, |event, sender| {
        if let EndpointEvent::Message { opcode, payload } = event {
            role.message(opcode, payload, sender);
        }
    });
    transport.consume_all();
}

/// Sends Close 1001, as a server that shuts down does (RFC 6455 §7.4.1), and waits a short time for the reply.
fn close_going_away(
    transport: &mut Transport,
    endpoint: &mut Endpoint,
    role: &mut dyn Role,
) -> Result<ExchangeEnd, ConnectionLost> {
    transport.set_write_timeout(CLOSE_TIMEOUT);
    endpoint.sender(transport.out()).close(Some(CloseCode::GOING_AWAY), "the server is shutting down");
    transport.flush()?;
    let deadline = Instant::now() + CLOSE_TIMEOUT;
    while !endpoint.is_over() && Instant::now() < deadline {
        match transport.read(Some(POLL))? {
            ReadOutcome::Bytes => {
                // RFC 6455 §5.5.2: pings are answered until the peer's Close arrives.
                process_input(transport, endpoint, role);
                transport.flush()?;
            }
            ReadOutcome::TimedOut => {}
            ReadOutcome::Fin | ReadOutcome::Evicted => break,
            ReadOutcome::ShuttingDown => thread::sleep(POLL),
        }
    }
    Ok(ExchangeEnd::ShuttingDown)
}
