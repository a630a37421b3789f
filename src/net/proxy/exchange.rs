//! What the two directions of a connection must know of each other: which responses are due, and whether the protocol was switched.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::proto::body::{Body, Progress};
use crate::wire::http::{self, Head};

/// The longest head in bytes. The proxy does not read a longer one.
pub const MAX_HEAD: usize = 256 << 10;

/// The most requests without a response that are remembered. Beyond them, the end of a response to HEAD may be missed.
const MAX_ASKED: usize = 1 << 16;

/// The kinds of requests whose responses end differently (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// HEAD: its response has no body.
    Head,
    /// CONNECT: a tunnel follows a success.
    Connect,
    /// Any other method.
    Other,
}

/// The requests without a response, and whether another protocol is spoken.
#[derive(Default)]
pub struct Exchange {
    due: Mutex<Due>,
    /// Notified when a response is complete, and when the protocol is switched.
    answered: Condvar,
    switched: AtomicBool,
    websocket: AtomicBool,
}

/// The responses that are due.
#[derive(Default)]
struct Due {
    asked: VecDeque<Asked>,
    /// Whether the latest response has begun and is not complete.
    answering: bool,
    /// Whether the client's connection must end with this server: see [`Exchange::is_final`].
    is_final: bool,
    /// How many threads wait for a change.
    waiting: usize,
}

/// Watches the responses of a server, to notice that the protocol is switched.
pub struct Responses(State);

enum State {
    /// Before a head or inside it: its bytes so far.
    Head(Vec<u8>),
    /// Inside a body.
    Body(Body),
    /// Nothing needs to be watched any more.
    Done,
}

impl Asked {
    /// What the head of a request asks for.
    pub fn of(head: &Head<'_>) -> Self {
        match head.method() {
            Some(b"HEAD") => Self::Head,
            Some(b"CONNECT") => Self::Connect,
            _ => Self::Other,
        }
    }

    const fn method(self) -> &'static [u8] {
        match self {
            Self::Head => b"HEAD",
            Self::Connect => b"CONNECT",
            Self::Other => b"GET",
        }
    }
}

impl Exchange {
    /// Notes a request, before it goes to the server.
    pub fn asked(&self, asked: Asked) {
        let mut due = self.due();
        if due.asked.len() < MAX_ASKED {
            due.asked.push_back(asked);
        }
    }

    /// Returns true if every request is answered, as far as the responses were watched, and HTTP is spoken.
    pub fn is_idle(&self) -> bool {
        self.due().is_idle() && !self.has_switched()
    }

    /// Returns true if the head of the response to some request has not arrived yet.
    pub fn awaits_response(&self) -> bool {
        !self.due().asked.is_empty()
    }

    /// Returns true if the client's connection must end with this server: it has announced the end (RFC 9112 §9.6), or has sent bytes that
    /// answer no request, which the client might take for a response of another server.
    pub fn is_final(&self) -> bool {
        self.due().is_final
    }

    /// Waits until every request is answered, or the protocol is switched, at most this long.
    pub fn wait(&self, at_most: Duration) {
        let mut due = self.due();
        due.waiting += 1;
        let waits = |due: &mut Due| !due.is_idle() && !self.has_switched();
        let waited = self.answered.wait_timeout_while(due, at_most, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.waiting -= 1;
    }

    /// Returns true when both sides speak another protocol than HTTP.
    #[inline]
    pub fn has_switched(&self) -> bool {
        self.switched.load(Ordering::SeqCst)
    }

    /// Returns true if they speak WebSocket.
    #[inline]
    pub fn is_websocket(&self) -> bool {
        self.websocket.load(Ordering::SeqCst)
    }

    /// Notes that the protocol is switched, before the client can know it.
    pub fn switch(&self) {
        let due = self.due();
        self.switched.store(true, Ordering::SeqCst);
        self.notify(&due);
    }

    /// Wakes the threads that wait for a change.
    fn notify(&self, due: &Due) {
        if due.waiting > 0 && (due.is_idle() || self.has_switched()) {
            self.answered.notify_all();
        }
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Due {
    fn is_idle(&self) -> bool {
        self.asked.is_empty() && !self.answering
    }
}

impl Responses {
    /// Watches for the responses of an exchange. In another protocol there are none.
    pub fn of(exchange: &Exchange) -> Self {
        Self(if exchange.has_switched() { State::Done } else { State::Head(Vec::new()) })
    }

    /// Watches the next bytes of the server, before they go to the client. Returns how many come before the switch of the protocol.
    #[inline]
    pub fn watch(&mut self, bytes: &[u8], exchange: &Exchange) -> usize {
        if matches!(self.0, State::Done) {
            return 0;
        }
        let mut rest = bytes;
        // Held for all bytes: what follows a response in the same read counts before anybody can find the exchange idle.
        let mut due = exchange.due();
        while !rest.is_empty() && !matches!(self.0, State::Done) {
            rest = &rest[self.take(rest, exchange, &mut due)..];
        }
        exchange.notify(&due);
        bytes.len() - rest.len()
    }

    /// Takes bytes until a head or a body is complete; returns how many.
    fn take(&mut self, bytes: &[u8], exchange: &Exchange, due: &mut Due) -> usize {
        match &mut self.0 {
            State::Done => bytes.len(),
            State::Body(body) => {
                let (taken, progress) = body.take(bytes);
                match progress {
                    Progress::Incomplete => {}
                    Progress::Complete => {
                        due.answering = false;
                        self.0 = State::Head(Vec::new());
                    }
                    // The response lasts until the connection ends: where another one would begin is unknown.
                    Progress::Malformed(_) => {
                        self.0 = State::Done;
                        return bytes.len();
                    }
                }
                taken
            }
            State::Head(begun) => {
                let before = begun.len();
                due.is_final |= due.asked.is_empty();
                // Only a head in several reads is copied.
                if before > 0 {
                    begun.extend_from_slice(bytes);
                }
                let head = if before > 0 { begun.as_slice() } else { bytes };
                let is_response = http::may_be_response(head);
                match http::head_len(head, before) {
                    Some(len) if is_response => {
                        self.0 = after(&Head::read(&head[..len]), exchange, due);
                        return len - before;
                    }
                    _ if !is_response || head.len() > MAX_HEAD => self.0 = State::Done,
                    _ if before == 0 => begun.extend_from_slice(bytes),
                    _ => {}
                }
                bytes.len()
            }
        }
    }
}

/// What follows the head of a response.
fn after(head: &Head<'_>, exchange: &Exchange, due: &mut Due) -> State {
    let status = head.status().unwrap_or(0);
    if matches!(status, 100 | 102..=199) {
        return State::Head(Vec::new());
    }
    let keeps_by_default = http::version(head.version()).is_some_and(|version| version >= (1, 1));
    due.is_final |=
        head.has_token("connection", "close") || !keeps_by_default && !head.has_token("connection", "keep-alive");
    due.answering = true;
    let asked = due.asked.pop_front().unwrap_or(Asked::Other);
    if status == 101 || asked == Asked::Connect && (200..300).contains(&status) {
        let is_websocket = head.value("upgrade").is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"));
        exchange.websocket.store(status == 101 && is_websocket, Ordering::SeqCst);
        exchange.switched.store(true, Ordering::SeqCst);
        return State::Done;
    }
    match Body::of_response(head, asked.method()) {
        Body::UntilEnd(_) => State::Done,
        body if body.is_whole() => {
            due.answering = false;
            State::Head(Vec::new())
        }
        body => State::Body(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> (Exchange, Responses) {
        let exchange = Exchange::default();
        let responses = Responses::of(&exchange);
        (exchange, responses)
    }

    #[test]
    fn an_exchange_is_idle_when_every_response_is_complete() {
        let (exchange, mut responses) = new();
        assert!(exchange.is_idle());
        for (asked, response, answers) in [
            (Asked::Other, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
            (Asked::Head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true),
            (Asked::Other, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", true),
            (Asked::Other, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", true),
            (Asked::Other, "HTTP/1.1 200 OK\r\n\r\nuntil the end", false),
        ] {
            exchange.asked(asked);
            let (last, before) = response.as_bytes().split_last().expect("bytes");
            responses.watch(before, &exchange);
            assert!(!exchange.is_idle(), "{response}");
            responses.watch(&[*last], &exchange);
            assert_eq!(exchange.is_idle(), answers, "{response}");
        }
    }

    #[test]
    fn the_last_response_and_bytes_that_answer_no_request_are_noticed() {
        let response = "HTTP/1.1 204 No\r\n\r\n";
        for (stream, is_final) in [
            (response.to_owned(), false),
            ("HTTP/1.1 204 No\r\nConnection: x, Close\r\n\r\n".to_owned(), true),
            ("HTTP/1.0 204 No\r\n\r\n".to_owned(), true),
            ("HTTP/1.0 204 No\r\nConnection: keep-alive\r\n\r\n".to_owned(), false),
            (format!("HTTP/1.1 100 Continue\r\n\r\n{response}"), false),
            (response.repeat(2), true),
            (format!("{response}\r\n"), true),
            (format!("{response}HTTP/1.1 100 Continue\r\n\r\n"), true),
        ] {
            for size in [1, stream.len()] {
                let (exchange, mut responses) = new();
                exchange.asked(Asked::Other);
                for read in stream.as_bytes().chunks(size) {
                    responses.watch(read, &exchange);
                }
                assert_eq!(exchange.is_final(), is_final, "{stream}");
            }
        }
    }

    #[test]
    fn a_switch_is_noticed_after_any_responses_and_not_inside_a_body() {
        let switching = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
        for (asked, stream) in [
            (vec![Asked::Other], switching.to_owned()),
            (vec![Asked::Other], format!("HTTP/1.1 100 Continue\r\n\r\n{switching}")),
            (vec![Asked::Head, Asked::Other], format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{switching}")),
            (vec![Asked::Other; 2], format!("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n{switching}")),
            (vec![Asked::Other; 2], format!("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nHTTP/1.1{switching}")),
            (
                vec![Asked::Other; 2],
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n{switching}"),
            ),
            (vec![Asked::Connect], "HTTP/1.1 200 OK\r\n\r\n".to_owned()),
        ] {
            for size in [1, 5, stream.len()] {
                let (exchange, mut responses) = new();
                asked.iter().for_each(|asked| exchange.asked(*asked));
                let (last, before) = stream.as_bytes().split_last().expect("bytes");
                for read in before.chunks(size) {
                    responses.watch(read, &exchange);
                }
                assert!(!exchange.has_switched(), "{stream}");
                responses.watch(&[*last], &exchange);
                assert!(exchange.has_switched(), "{stream}");
            }
        }
        for stream in ["HTTP/1.1 200 OK\r\n\r\n".to_owned() + switching, "junk".to_owned() + switching] {
            let (exchange, mut responses) = new();
            responses.watch(stream.as_bytes(), &exchange);
            assert!(!exchange.has_switched(), "{stream}");
        }
    }
}
