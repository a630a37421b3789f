//! The thread that reads: the response to the handshake, then frames, until the connection ends.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::end::ClientEnd;
use super::response::{self, Refusal};
use super::shared::{Open, Shared, State};
use super::{ClientConfig, HANDSHAKE_TIMEOUT};
use crate::net::heartbeat::Heartbeat;
use crate::net::random::random;
use crate::net::stream::{is_timeout, is_tls_over};
use crate::proto::body::{Body, Progress};
use crate::proto::dissected::MAX_HTTP_HEAD;
use crate::proto::endpoint::{Endpoint, EndpointEvent, Limits};
use crate::proto::handshake::RequestFacts;
use crate::wire::http::{self, Head};

/// Bytes that one read takes at most.
const BUFFER: usize = 64 * 1024;

/// The most bytes of a body that are read when the server does not answer 101, and how long that may take.
const MAX_BODY: usize = 1 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// Reading waits while so many bytes of replies are not written.
const MAX_REPLIES: usize = 16 << 20;

/// Messages are validated piece by piece and not stored, so no limit is needed.
const NO_LIMITS: Limits = Limits { message: u64::MAX };

/// Runs the connection until the server ends it, or breaks a rule; returns how it ended.
pub(super) fn run(shared: &Shared, config: &ClientConfig) -> ClientEnd {
    match shake_hands(shared, config) {
        Ok(rest) => read_frames(shared, &rest),
        Err(end) => end,
    }
}

/// Performs the opening handshake (RFC 6455 §4.1). Returns the bytes that followed the response.
fn shake_hands(shared: &Shared, config: &ClientConfig) -> Result<Vec<u8>, ClientEnd> {
    let deadline = Instant::now() + HANDSHAKE_TIMEOUT;
    let request = config.request.encode();
    shared.write(&request)?;
    let mut buffer = vec![0; BUFFER];
    let mut input = Vec::new();
    let mut scanned = 0;
    let head_len = loop {
        if !http::may_be_response(&input) {
            return Err(ClientEnd::NotHttp);
        }
        // A server that sends interim responses for ever never lets a read time out.
        if Instant::now() >= deadline {
            return Err(ClientEnd::NoResponse(HANDSHAKE_TIMEOUT));
        }
        match http::head_len(&input, scanned) {
            // An interim response comes before the final one (RFC 9110 §15.2).
            Some(len) if matches!(Head::read(&input[..len]).status(), Some(100 | 102..=199)) => {
                input.drain(..len);
                scanned = 0;
                continue;
            }
            Some(len) if len <= MAX_HTTP_HEAD => break len,
            // Frames may follow a complete head in the same read.
            Some(_) => return Err(ClientEnd::HeadTooLong),
            None if input.len() > MAX_HTTP_HEAD => return Err(ClientEnd::HeadTooLong),
            None => scanned = input.len(),
        }
        match read(shared, Some(deadline), &mut buffer)? {
            Read::Bytes(len) => input.extend_from_slice(&buffer[..len]),
            Read::End => return Err(ClientEnd::EndedInHandshake),
            Read::TimedOut => return Err(ClientEnd::NoResponse(HANDSHAKE_TIMEOUT)),
        }
    };
    let rest = input.split_off(head_len);
    let head = Head::read(&input);
    if head.status() != Some(101) {
        let body = read_body(shared, &head, rest)?;
        return Err(Refusal::of_status(&head, &body).into());
    }
    let deflate = response::accepted(&head, &RequestFacts::of(&Head::read(&request)))?;
    let mut endpoint = Endpoint::client(NO_LIMITS, || random().to_ne_bytes()).without_messages();
    if let Some(params) = deflate {
        endpoint = endpoint.with_deflate(params);
    }
    let now = Instant::now();
    let heartbeat = Heartbeat::new(config.heartbeat, now);
    let endpoint = heartbeat.govern(endpoint);
    shared.change(|state| {
        state.last_read = now;
        state.open = Some(Open { endpoint, heartbeat });
    });
    // From here on, the `client-out` thread enforces the deadlines.
    let _ = shared.stream.set_read_timeout(None);
    Ok(rest)
}

/// Reads the body of a response other than 101: up to [`MAX_BODY`] bytes that arrive within [`BODY_TIMEOUT`].
fn read_body(shared: &Shared, head: &Head<'_>, rest: Vec<u8>) -> Result<Vec<u8>, ClientEnd> {
    let deadline = Instant::now() + BODY_TIMEOUT;
    let mut buffer = vec![0; BUFFER];
    let mut body = rest;
    let mut counter = Body::of_response(head, b"GET");
    let mut counted = 0;
    while !counter.is_whole() && body.len() < MAX_BODY {
        let (taken, progress) = counter.take(&body[counted..]);
        counted += taken;
        if progress != Progress::Incomplete {
            break;
        }
        let Read::Bytes(len) = read(shared, Some(deadline), &mut buffer)? else { break };
        body.extend_from_slice(&buffer[..len]);
    }
    Ok(body)
}

/// Reads frames until the connection ends.
fn read_frames(shared: &Shared, rest: &[u8]) -> ClientEnd {
    let mut peer = process(shared, rest);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = read(shared, None, &mut buffer);
        let closed = peer.clone();
        match read {
            Ok(Read::Bytes(len)) => peer = peer.or_else(|| process(shared, &buffer[..len])),
            Ok(Read::End | Read::TimedOut) => return closed.unwrap_or(ClientEnd::NoClose),
            // RFC 6455 §7.1.5: the Close has been received; how TCP ends does not matter then.
            Err(end) => return closed.unwrap_or(end),
        }
    }
}

/// Passes bytes to the endpoint. Returns how the protocol ended, if it did.
fn process(shared: &Shared, bytes: &[u8]) -> Option<ClientEnd> {
    let end = shared.change(|state| {
        let mut end = None;
        let now = Instant::now();
        let mut pongs: Vec<Vec<u8>> = Vec::new();
        let mut messages = 0;
        let State { open, out, .. } = &mut *state;
        let Open { endpoint, heartbeat } = open.as_mut()?;
        let queued = out.len();
        endpoint.receive(bytes, out, |event, _| match event {
            EndpointEvent::Ping(payload) => heartbeat.ping(payload, now),
            EndpointEvent::Pong(payload) => pongs.push(payload.to_vec()),
            EndpointEvent::Close { code, reason } => end = Some(ClientEnd::Closed { code, reason: reason.to_owned() }),
            EndpointEvent::Violation(violation) => end = Some(ClientEnd::Violation(Box::new(violation.clone()))),
            EndpointEvent::Message { .. } => messages += 1,
        });
        state.replies += state.out.len() - queued;
        state.messages += messages;
        pongs.iter().for_each(|payload| state.pong(payload));
        state.last_read = now;
        state.reads += 1;
        if end.is_some() {
            // The endpoint has answered.
            state.closed.get_or_insert(now);
        }
        end
    });
    let mut state = shared.lock();
    while state.replies > MAX_REPLIES && state.cut.is_none() {
        state = shared.wait(state, None);
    }
    end
}

/// The result of a read.
enum Read {
    /// So many bytes are in the buffer.
    Bytes(usize),
    TimedOut,
    /// The server has ended its direction.
    End,
}

/// Reads bytes into `buffer` and records them.
fn read(shared: &Shared, deadline: Option<Instant>, buffer: &mut [u8]) -> Result<Read, ClientEnd> {
    let result = loop {
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let _ = shared.stream.set_read_timeout(Some(left));
        }
        match shared.stream.read(buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    let cut = shared.lock().cut.clone();
    match (result, cut) {
        (Ok(len @ 1..), _) => {
            shared.tap.read(&buffer[..len]);
            Ok(Read::Bytes(len))
        }
        (_, Some(why)) => {
            if why == ClientEnd::Reset {
                shared.tap.reset();
            }
            Err(why)
        }
        (Ok(0), None) => {
            shared.tap.server_ended();
            Ok(Read::End)
        }
        (Err(e), None) if is_tls_over(&e) => {
            shared.tap.server_truncated(&e);
            Ok(Read::End)
        }
        (Err(e), None) if is_timeout(&e) => Ok(Read::TimedOut),
        (Err(_), None) => {
            shared.tap.reset();
            Err(ClientEnd::Reset)
        }
    }
}
