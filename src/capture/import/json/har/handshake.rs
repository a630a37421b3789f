//! Reconstructs the handshake of an entry: the headers that the HAR has, and those that a WebSocket handshake requires. What is
//! added violates no rule.

use super::model::{Half, Header};
use super::time::to_integer;
use super::url::Url;
use crate::proto::accept::{accept_key, is_valid_key};
use crate::wire::http;

/// The heads of request and response; no response if the entry has none and no frames.
pub fn heads(
    request: &Half,
    response: Option<&Half>,
    invented_key: [u8; 16],
    upgraded: bool,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let empty = Half::default();
    // Frames prove a response that the HAR lacks.
    let response = response.or(upgraded.then_some(&empty)).filter(|response| upgraded || response.status >= 100.0);
    let answered = response.unwrap_or(&empty);
    let mut asked = HeaderLines::of(&request.headers);
    let mut answer = HeaderLines::of(&answered.headers);
    let known_key = asked.value("sec-websocket-key").map(str::to_owned);
    let is_known = known_key.is_some();
    let key =
        known_key.unwrap_or_else(|| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, invented_key));
    let url = Url::read(&request.url);
    asked.or_first("Host", if url.host.is_empty() { "localhost" } else { url.host });
    asked.token("Upgrade", "websocket");
    asked.token("Connection", "Upgrade");
    asked.or("Sec-WebSocket-Key", &key);
    asked.or("Sec-WebSocket-Version", "13");
    if !is_known {
        // Whatever the server chose, the client offered. An answer to an unknown key cannot be checked.
        for name in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
            if let Some(value) = answer.value(name).map(str::to_owned) {
                asked.or(name, &value);
            }
        }
        answer.drop("sec-websocket-accept");
    }
    let method = match request.method.as_str() {
        // The method of a WebSocket over HTTP/2 (RFC 8441).
        "CONNECT" => "GET",
        // Some programs write it in lower case, whatever was sent.
        method if method.starts_with(|first: char| first.is_ascii_uppercase()) && http::is_token(method.as_bytes()) => {
            method
        }
        _ => "GET",
    };
    let asked = asked.head(&format!("{method} {} HTTP/1.1", url.target));
    let Some(response) = response else { return (asked, None) };
    if !upgraded {
        answer.or("Content-Length", "0");
        return (
            asked,
            Some(answer.head(&format!("HTTP/1.1 {} {}", to_integer(response.status), plain(&response.reason)))),
        );
    }
    answer.token("Upgrade", "websocket");
    answer.token("Connection", "Upgrade");
    if is_valid_key(key.as_bytes()) {
        answer.or("Sec-WebSocket-Accept", &accept_key(key.as_bytes()));
    }
    (asked, Some(answer.head("HTTP/1.1 101 Switching Protocols")))
}

/// Header lines whose names and values are valid on the wire.
struct HeaderLines(Vec<(String, String)>);

impl HeaderLines {
    /// Leaves out the pseudo-headers of HTTP/2, and headers that announce a body: the HAR has none.
    fn of(headers: &[Header]) -> Self {
        let body = |name: &str| ["content-length", "transfer-encoding"].iter().any(|b| name.eq_ignore_ascii_case(b));
        let valid = headers.iter().filter(|h| http::is_token(h.name.as_bytes()) && !body(&h.name));
        // Chrome joins the values of one name with line feeds.
        Self(valid.flat_map(|h| h.value.split('\n').map(|value| (h.name.clone(), plain(value)))).collect())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn drop(&mut self, name: &str) {
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    fn or(&mut self, name: &str, value: &str) {
        if self.value(name).is_none() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    fn or_first(&mut self, name: &str, value: &str) {
        if self.value(name).is_none() {
            self.0.insert(0, (name.to_owned(), value.to_owned()));
        }
    }

    /// Adds a line unless one of that name contains the token.
    fn token(&mut self, name: &str, token: &str) {
        let named = self.0.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let contains = |value: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token));
        if !named.into_iter().any(|(_, value)| contains(value)) {
            self.0.push((name.to_owned(), token.to_owned()));
        }
    }

    fn head(&self, start: &str) -> Vec<u8> {
        let lines: String = self.0.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{start}\r\n{lines}\r\n").into_bytes()
    }
}

/// Text without control characters.
fn plain(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
