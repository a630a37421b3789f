//! The heads of handshakes.

use framescope::proto::accept::accept_key;

/// The key of RFC 6455 §1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request as a browser sends it.
pub const REQUEST: &str = "GET /ticker HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nOrigin: http://127.0.0.1:6455\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A request with the headers that RFC 6455 §4.1 requires, and no other.
pub fn bare_request(path: &str, host: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// The request and the response of a handshake for `path` with this key, each with further lines.
pub fn handshake(path: &str, key: &str, lines: [&str; 2]) -> [String; 2] {
    let is_short = |line: &&str| !line.starts_with("User-Agent: ");
    let request: String = REQUEST.split_inclusive("\r\n").filter(is_short).collect();
    let request = request.replacen("/ticker", path, 1).replacen(KEY, key, 1);
    let response = RESPONSE.replacen(&accept_key(KEY.as_bytes()), &accept_key(key.as_bytes()), 1);
    [with_lines(&request, lines[0]), with_lines(&response, lines[1])]
}

/// A head with further lines at its end, if `lines` is not empty.
pub fn with_lines(head: &str, lines: &str) -> String {
    let lines = if lines.is_empty() { String::new() } else { format!("\r\n{lines}") };
    head.replacen("\r\n\r\n", &format!("{lines}\r\n\r\n"), 1)
}
