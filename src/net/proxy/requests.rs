//! Finds the heads of requests in the bytes of a client, and decides which bytes the proxy sends to the server next.

use memchr::{memchr, memmem};

use super::exchange::{Asked, Exchange, MAX_HEAD};
use super::forward::origin_form;
use super::forward::route::{Place, Route};
use super::framing;
use super::rewrite::{Rewriting, Rewritten};
use crate::proto::body::{Body, Progress};
use crate::wire::http::{self, Head};

/// What happens to the heads of requests.
pub enum Heads<'a> {
    /// They are changed for the server of a reverse proxy.
    Reverse(&'a Rewriting),
    /// Those that name this server are changed for it; a head that names another one, or none, waits: see [`Outgoing::waits`]. So do bytes
    /// that are no request, unless they follow a request for another protocol that has no response yet.
    Forward(Option<Place>),
    /// They are sent unchanged.
    Unchanged,
}

/// The client's direction of a connection.
pub struct Requests<'a> {
    heads: Heads<'a>,
    state: State,
    /// How many bytes at the start of the input are known not to contain the end of a head.
    scanned: usize,
}

enum State {
    /// Before a head or inside it.
    Head,
    /// Inside the body of a request; `true` if the request asks for another protocol.
    Body(Body, bool),
    /// After a request that asks for another protocol. What follows is a request only if it reads like one.
    AfterUpgrade,
    /// After bytes that follow a request for another protocol and are no request.
    Early,
    /// All bytes are sent unchanged.
    Raw,
}

/// The bytes that the proxy sends to the server next.
#[derive(Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The length of it in the input.
    pub len: usize,
    /// Other bytes that are sent in place of them, with a note.
    pub changed: Option<Rewritten>,
    /// Whether it is the whole head of a request.
    pub is_head: bool,
    /// Whether it must wait, because it is not certainly for the server of [`Heads::Forward`]. The next call finds it again.
    pub waits: bool,
}

impl Outgoing {
    pub const fn unchanged(len: usize) -> Self {
        Self { len, changed: None, is_head: false, waits: false }
    }
}

impl<'a> Requests<'a> {
    pub const fn new(heads: Heads<'a>) -> Self {
        Self { heads, state: State::Head, scanned: 0 }
    }

    /// Sets how the next heads are treated.
    pub fn treat(&mut self, heads: Heads<'a>) {
        self.heads = heads;
    }

    /// Returns true if bytes of the input wait for the end of a head, although they can be sent at once if the server switches the protocol.
    pub const fn awaits_switch(&self) -> bool {
        matches!(self.state, State::AfterUpgrade)
    }

    /// Returns true if more bytes of the body of a request are due.
    pub const fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body(..))
    }

    /// Returns true if bytes are sent unchanged, because they are no requests.
    pub const fn is_raw(&self) -> bool {
        matches!(self.state, State::Raw | State::Early)
    }

    /// The next part of `input` that can be sent; `None` if more bytes must arrive first. The caller removes it from the input.
    pub fn next(&mut self, input: &[u8], exchange: &Exchange) -> Option<Outgoing> {
        if input.is_empty() {
            return None;
        }
        if !matches!(self.state, State::Raw) && exchange.has_switched() {
            self.state = State::Raw;
        }
        match &mut self.state {
            State::Raw => Some(Outgoing::unchanged(input.len())),
            State::Early => Some(self.no_request(input, exchange)),
            State::Body(body, asks) => {
                let (taken, progress) = body.take(input);
                match progress {
                    Progress::Incomplete => {}
                    Progress::Complete => self.state = if *asks { State::AfterUpgrade } else { State::Head },
                    // Where the next request begins is unknown.
                    Progress::Malformed(_) => {
                        self.state = State::Raw;
                        return Some(Outgoing::unchanged(input.len()));
                    }
                }
                Some(Outgoing::unchanged(taken))
            }
            State::Head | State::AfterUpgrade => self.head(input, exchange),
        }
    }

    fn head(&mut self, input: &[u8], exchange: &Exchange) -> Option<Outgoing> {
        // RFC 9112 §2.2: a server ignores empty lines before a request.
        let breaks = input.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        if breaks > 0 {
            return Some(Outgoing::unchanged(breaks));
        }
        // The first line of a request names the version: bytes of another protocol, such as `EHLO a`, must not wait for a head.
        let lacks_version = |end| memmem::find(&input[..end], b" HTTP/").is_none();
        if !http::may_be_request(input) || memchr(b'\n', input).is_some_and(lacks_version) {
            return Some(self.no_request(input, exchange));
        }
        let Some(len) = http::head_len(input, self.scanned) else {
            if input.len() <= MAX_HEAD {
                self.scanned = input.len();
                return None;
            }
            return Some(self.no_request(input, exchange));
        };
        self.scanned = 0;
        let head = Head::read(&input[..len]);
        let changed = match &self.heads {
            Heads::Reverse(rewriting) => rewriting.rewrite(&head),
            Heads::Unchanged => None,
            Heads::Forward(to) => match Route::of(&head) {
                Ok(Route::Http(place)) if to.as_ref() == Some(&place) => origin_form::rewrite(&head, &place),
                _ => return Some(Outgoing { waits: true, is_head: true, ..Outgoing::unchanged(len) }),
            },
        };
        exchange.asked(Asked::of(&head));
        let asks = head.value("upgrade").is_some() || head.method() == Some(b"CONNECT");
        self.state = match framing::body(&head) {
            None => State::Raw,
            Some(body) if !body.is_whole() => State::Body(body, asks),
            Some(_) if asks => State::AfterUpgrade,
            Some(_) => State::Head,
        };
        Some(Outgoing { len, changed, is_head: true, waits: false })
    }

    /// What happens to bytes that are no request. Behind a forward proxy, they name no server, and a later request for another server
    /// might be among them; so the server of the latest request gets only those that follow its handshake before its response.
    fn no_request(&mut self, input: &[u8], exchange: &Exchange) -> Outgoing {
        let after_upgrade = matches!(self.state, State::AfterUpgrade | State::Early);
        let is_early = after_upgrade && exchange.awaits_response();
        let waits = matches!(self.heads, Heads::Forward(Some(_))) && !is_early;
        if !waits {
            self.state = if is_early { State::Early } else { State::Raw };
        }
        Outgoing { waits, ..Outgoing::unchanged(input.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::proxy::exchange::Responses;

    fn forwarded(reads: &[&[u8]], exchange: &Exchange) -> String {
        let rewriting = Rewriting { target: "ws://t:9".parse().expect("a URL"), origin: false, any_host: false };
        let mut requests = Requests::new(Heads::Reverse(&rewriting));
        let (mut input, mut sent) = (Vec::new(), Vec::new());
        for read in reads {
            input.extend_from_slice(read);
            while let Some(out) = requests.next(&input, exchange) {
                assert!(out.len > 0);
                match out.changed {
                    Some(changed) => sent.extend_from_slice(&changed.bytes),
                    None => sent.extend_from_slice(&input[..out.len]),
                }
                input.drain(..out.len);
            }
        }
        sent.extend_from_slice(&input);
        String::from_utf8_lossy(&sent).into_owned()
    }

    #[test]
    fn every_head_is_found_however_its_bytes_arrive() {
        let stream = "\r\nGET /a HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n\
            POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\nHEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let expected = stream.replace("ost: localhost", "ost: t:9");
        for size in [1, 2, 7, 50, stream.len()] {
            let reads: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            assert_eq!(forwarded(&reads, &Exchange::default()), expected, "reads of {size} bytes");
        }
    }

    #[test]
    fn after_an_upgrade_only_a_request_is_a_request() {
        let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n";
        let changed = upgrade.replace("ost: localhost", "ost: t:9");
        let next = "GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // Refused: the next request.
        let sent = forwarded(&[upgrade.as_bytes(), next.as_bytes()], &Exchange::default());
        assert_eq!(sent, changed.clone() + &next.replace("ost: localhost", "ost: t:9"));
        // Frames before the response.
        let sent = forwarded(&[upgrade.as_bytes(), b"\x81\x00", next.as_bytes()], &Exchange::default());
        assert!(sent.ends_with(next), "{sent}");
        // Accepted: whatever follows goes on as it is.
        let exchange = Exchange::default();
        exchange.switch();
        assert_eq!(forwarded(&[next.as_bytes()], &exchange), next);
    }

    #[test]
    fn after_a_head_whose_body_has_no_certain_end_nothing_changes() {
        for framing in [
            "Content-Length: 30, 30",
            "Content-Length: 18446744073709551617",
            "Content-Length : 30",
            "Content-Length: 30\r\nContent-Length: 30",
            "Transfer-Encoding: xchunked",
        ] {
            let body = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
            let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
            let sent = forwarded(&[head.as_bytes(), body.as_bytes()], &Exchange::default());
            assert_eq!(sent, head.replace("localhost", "t:9") + body, "{framing}");
        }
    }

    #[test]
    fn after_a_malformed_chunk_nothing_changes() {
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        let next = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for chunk in ["zz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "1;a\na\r\n0\r\n\r\n", "10000000000000000\r\n", "\r\n"] {
            let sent = format!("{head}1\r\na\r\n{chunk}{next}");
            for size in [1, 7, sent.len()] {
                let reads: Vec<&[u8]> = sent.as_bytes().chunks(size).collect();
                let expected = sent.replacen("localhost", "t:9", 1);
                assert_eq!(forwarded(&reads, &Exchange::default()), expected, "{chunk}");
            }
        }
    }

    #[test]
    fn a_head_for_another_server_waits_until_it_is_its_turn() {
        let (a, b) = ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b/ HTTP/1.1\r\nHost: b\r\n\r\n");
        let mut requests = Requests::new(Heads::Forward(None));
        let exchange = Exchange::default();
        for head in [a, b] {
            let Ok(Route::Http(place)) = Route::of(&Head::read(head.as_bytes())) else { panic!("a server") };
            let out = requests.next(head.as_bytes(), &exchange).expect("a head");
            assert!(out.waits && out.len == head.len() && out.changed.is_none());
            requests.treat(Heads::Forward(Some(place)));
            let out = requests.next(head.as_bytes(), &exchange).expect("a head");
            assert!(!out.waits && out.len == head.len() && out.changed.is_some());
        }
        // Each was asked for once.
        assert!(!exchange.is_idle());
    }

    #[test]
    fn in_a_forward_proxy_bytes_that_are_no_request_wait_unless_a_handshake_asked_for_them() {
        let upgrade = "GET http://a/ HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        let Ok(Route::Http(place)) = Route::of(&Head::read(upgrade.as_bytes())) else { panic!("a server") };
        let exchange = Exchange::default();
        let mut requests = Requests::new(Heads::Forward(Some(place)));
        let mut waits = |bytes: &[u8], exchange: &Exchange| {
            let out = requests.next(bytes, exchange).expect("bytes");
            assert_eq!(out.len, bytes.len());
            out.waits
        };
        assert!(waits(b"\x81\x00", &exchange));
        assert!(waits(&[b"GET http://a/ HTTP/1.1\r\nA: ".as_slice(), &vec![b'x'; MAX_HEAD]].concat(), &exchange));
        assert!(!waits(upgrade.as_bytes(), &exchange));
        // Frames before the response are for the server of the handshake. When it has refused, nothing more is.
        assert!(!waits(b"\x81\x00", &exchange) && !waits(b"GET http://b/ HTTP/1.1\r\n\r\n", &exchange));
        Responses::of(&exchange).watch(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\n", &exchange);
        assert!(waits(b"GET http://b/ HTTP/1.1\r\n\r\n", &exchange));
        // In another protocol, everything is.
        exchange.switch();
        assert!(!waits(b"GET http://b/ HTTP/1.1\r\n\r\n", &exchange));
    }

    #[test]
    fn what_is_no_request_goes_on_as_it_is() {
        for junk in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"hello\r\nHost: localhost\r\n\r\n",
            b"EHLO localhost\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00",
        ] {
            assert_eq!(forwarded(&[junk], &Exchange::default()), String::from_utf8_lossy(junk));
        }
        let long = format!("GET / HTTP/1.1\r\nA: {}\r\nHost: localhost\r\n\r\n", "x".repeat(MAX_HEAD));
        assert_eq!(
            forwarded(&[&long.as_bytes()[..MAX_HEAD + 1], &long.as_bytes()[MAX_HEAD + 1..]], &Exchange::default()),
            long
        );
    }
}
