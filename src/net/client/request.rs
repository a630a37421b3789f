//! The request of the opening handshake (RFC 6455 §4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::net::random::random;
use crate::proto::extensions::PERMESSAGE_DEFLATE;
use crate::proto::handshake::VERSION;

/// What a client asks for in its handshake.
#[derive(Clone, Debug, Default)]
pub struct RequestConfig {
    /// The target: path and query.
    pub target: String,
    /// The value of Host.
    pub host: String,
    /// Further header lines, in order. A name of the handshake replaces its line, in its place.
    pub headers: Vec<(String, String)>,
    /// The subprotocols to offer, in order.
    pub subprotocols: Vec<String>,
    /// The value of Origin; `None` for no Origin, as programs other than browsers send.
    pub origin: Option<String>,
    /// Whether to offer permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// The value of Sec-WebSocket-Key; `None` for 16 random bytes.
    pub key: Option<String>,
}

impl RequestConfig {
    /// The bytes of the request.
    pub fn encode(&self) -> Vec<u8> {
        let mut lines: Vec<(String, String)> = vec![("Host".to_owned(), self.host.clone())];
        let mut add = |name: &str, value: String| lines.push((name.to_owned(), value));
        add("Upgrade", "websocket".to_owned());
        add("Connection", "Upgrade".to_owned());
        add("Sec-WebSocket-Key", self.key.clone().unwrap_or_else(random_key));
        add("Sec-WebSocket-Version", VERSION.to_owned());
        if let Some(origin) = &self.origin {
            add("Origin", origin.clone());
        }
        if !self.subprotocols.is_empty() {
            add("Sec-WebSocket-Protocol", self.subprotocols.join(", "));
        }
        if self.deflate {
            // As browsers do: the server may limit the window of this client (RFC 7692 §7.1.2.2).
            add("Sec-WebSocket-Extensions", format!("{PERMESSAGE_DEFLATE}; client_max_window_bits"));
        }
        add("User-Agent", format!("framescope/{}", env!("CARGO_PKG_VERSION")));
        let own = lines.len();
        let mut replaced = vec![false; own];
        for (name, value) in &self.headers {
            let line = (name.clone(), value.clone());
            match lines[..own].iter().position(|(own, _)| own.eq_ignore_ascii_case(name)) {
                Some(at) if !replaced[at] => {
                    replaced[at] = true;
                    lines[at] = line;
                }
                _ => lines.push(line),
            }
        }
        let mut request = format!("GET {} HTTP/1.1\r\n", self.target);
        for (name, value) in lines {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.into_bytes()
    }
}

/// A key of 16 random bytes in base64 (RFC 6455 §4.1).
fn random_key() -> String {
    let mut nonce = [0; 16];
    for part in nonce.chunks_mut(4) {
        part.copy_from_slice(&random().to_ne_bytes());
    }
    STANDARD.encode(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::handshake::check_request;
    use crate::wire::http::Head;

    fn config() -> RequestConfig {
        RequestConfig { target: "/chat?a=b".to_owned(), host: "example.com:81".to_owned(), ..RequestConfig::default() }
    }

    #[test]
    fn the_request_breaks_no_rule() {
        let request = RequestConfig { deflate: true, subprotocols: vec!["a".into(), "b".into()], ..config() }.encode();
        let head = Head::read(&request);
        assert_eq!(head.target(), Some(&b"/chat?a=b"[..]));
        let broken: Vec<_> = check_request(&head, None).into_iter().filter_map(|step| step.finding).collect();
        assert_eq!(broken, []);
        assert_ne!(Head::read(&config().encode()).value("sec-websocket-key"), head.value("sec-websocket-key"));
    }

    #[test]
    fn headers_of_the_user_keep_their_order_and_replace_those_of_the_handshake() {
        let headers = [("X-A", "1"), ("host", "other"), ("X-A", "2"), ("HOST", "again"), ("origin", "null")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let key = Some("dGhlIHNhbXBsZSBub25jZQ==".to_owned());
        let request = RequestConfig { headers, key, origin: Some("http://a".to_owned()), ..config() }.encode();
        let text = String::from_utf8(request).expect("text");
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            text,
            format!(
                "GET /chat?a=b HTTP/1.1\r\nhost: other\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\norigin: null\r\n\
                 User-Agent: framescope/{version}\r\nX-A: 1\r\nX-A: 2\r\nHOST: again\r\n\r\n"
            )
        );
    }
}
