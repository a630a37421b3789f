//! Every rule of the catalogue, broken by literal bytes: which record has its finding, at which bits, about which record; and
//! conversations without a violation. Recorded whole, byte by byte, and read from the file, they give the same findings.

use std::collections::BTreeSet;

use crate::support::script::{Script, Step};
use crate::support::{DEFLATE, DOWN, KEY, RESPONSE, UP, bare_request, compressed_frame, deflated, with_lines};
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Direction;
use framescope::proto::rules::{Finding, Rule, Severity};
use framescope::wire::opcode::Opcode;

/// A Close without a code, from the client and from the server.
const CLOSE_UP: &[u8] = &[0x88, 0x80, 1, 2, 3, 4];
const CLOSE_DOWN: &[u8] = &[0x88, 0];

fn plain_request() -> String {
    bare_request("/echo", "127.0.0.1:6455")
}

/// A request with one text replaced.
fn request(from: &str, to: &str) -> Script {
    Script::default().up(changed(&plain_request(), from, to))
}

/// A request with further lines.
fn request_with(lines: &str) -> Script {
    Script::default().up(with_lines(&plain_request(), lines))
}

/// A handshake with one text of its response replaced.
fn response(from: &str, to: &str) -> Script {
    Script::default().up(plain_request()).down(changed(RESPONSE, from, to))
}

/// A handshake with further lines in request and response.
fn negotiated(offered: &str, chosen: &str) -> Script {
    request_with(offered).down(with_lines(RESPONSE, chosen))
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// A connection after its handshake: the next record is number 3.
fn upgraded() -> Script {
    negotiated("", "")
}

/// The same with permessage-deflate.
fn compressing() -> Script {
    negotiated(DEFLATE, DEFLATE)
}

/// The same with a window of 512 bytes from the server.
fn small_window() -> Script {
    let line = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9";
    negotiated(line, line)
}

/// The same with an unknown extension.
fn foreign() -> Script {
    let line = "Sec-WebSocket-Extensions: x-foo";
    negotiated(line, line)
}

/// A compressed binary message.
fn compressed(message: &[u8]) -> Vec<u8> {
    compressed_frame(true, Opcode::Binary, None, &deflated(&mut Deflater::new(15, true), message))
}

/// A compressed message that ends with a repetition of its first bytes, 1,000 bytes before.
fn far_back() -> Vec<u8> {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut message: Vec<u8> = (0..1_000).map(|_| noise()).collect();
    message.extend_from_within(..100);
    compressed(&message)
}

/// A compressed message of `len` zeros.
fn zeros(len: usize) -> Vec<u8> {
    compressed(&vec![0; len])
}

/// Where a finding has to point.
enum At {
    /// Nowhere: something is missing.
    Nothing,
    /// At these bits of its record.
    Bits(u64, u64),
    /// At the first occurrence of this text in the n-th bytes that are sent (from 1), which are one record.
    Text(usize, &'static str),
    /// At the last occurrence.
    Last(usize, &'static str),
}

struct Case {
    rule: Rule,
    id: &'static str,
    section: &'static str,
    severity: Severity,
    script: Script,
    /// The number of the record that has the finding. A cut frame comes after the end of the other direction.
    record: u64,
    at: At,
    about: Option<u64>,
    /// Rules that these bytes necessarily break too.
    also: &'static [Rule],
}

#[rustfmt::skip]
fn case(rule: Rule, id: &'static str, section: &'static str, severity: Severity, script: Script, record: u64, at: At) -> Case {
    Case { rule, id, section, severity, script, record, at, about: None, also: &[] }
}

impl Case {
    fn about(mut self, no: u64) -> Self {
        self.about = Some(no);
        self
    }

    fn also(mut self, rules: &'static [Rule]) -> Self {
        self.also = rules;
        self
    }

    fn span(&self) -> Option<(u64, u64)> {
        let (n, text, last) = match self.at {
            At::Nothing => return None,
            At::Bits(start, end) => return Some((start, end)),
            At::Text(n, text) => (n, text, false),
            At::Last(n, text) => (n, text, true),
        };
        let sent = self.script.sent()[n - 1];
        let mut places = (0..sent.len()).filter(|at| sent[*at..].starts_with(text.as_bytes()));
        let at = if last { places.next_back() } else { places.next() }.expect(text) as u64;
        Some((at * 8, (at + text.len() as u64) * 8))
    }
}

#[rustfmt::skip]
fn requests() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let host = "Host: 127.0.0.1:6455";
    let early = [0x81, 0x81, 1, 2, 3, 4, b'a' ^ 1];
    vec![
        case(Rule::MethodNotGet, "method-not-get", "RFC 6455 §4.1", Error, request("GET", "PUT"), 1, At::Text(1, "PUT")),
        case(Rule::TargetMalformed, "target-malformed", "RFC 6455 §4.1", Error, request("/echo", "/echo#top"), 1, At::Text(1, "/echo#top")),
        case(Rule::HttpVersion, "http-version", "RFC 6455 §4.1", Error, request("HTTP/1.1", "HTTP/1.0"), 1, At::Text(1, "HTTP/1.0")),
        case(Rule::HostMissing, "host-missing", "RFC 6455 §4.1", Error, request("Host: 127.0.0.1:6455\r\n", ""), 1, At::Nothing),
        case(Rule::HostRepeated, "host-repeated", "RFC 9112 §3.2", Error, request_with("Host: 127.0.0.1:6455"), 1, At::Last(1, host)),
        case(Rule::HostForeign, "host-foreign", "RFC 9110 §7.2", Info, request(host, "Host: evil.example:6455"), 1, At::Text(1, "Host: evil.example:6455")),
        case(Rule::UpgradeMissing, "upgrade-missing", "RFC 6455 §4.1", Error, request("Upgrade: websocket", "Upgrade: web"), 1, At::Text(1, "Upgrade: web")),
        case(Rule::ConnectionMissing, "connection-missing", "RFC 6455 §4.1", Error, request("Connection: Upgrade", "Connection: close"), 1, At::Text(1, "Connection: close")),
        case(Rule::KeyMissing, "key-missing", "RFC 6455 §4.1", Error, request("Sec-WebSocket-Key", "X-Key"), 1, At::Nothing),
        case(Rule::KeyRepeated, "key-repeated", "RFC 6455 §11.3.1", Error, request_with(key), 1, At::Text(1, key)),
        case(Rule::KeyMalformed, "key-malformed", "RFC 6455 §4.1", Error, request(KEY, "c2hvcnQ="), 1, At::Text(1, "Sec-WebSocket-Key: c2hvcnQ=")),
        case(Rule::VersionNot13, "version-not-13", "RFC 6455 §4.1", Error, request("Version: 13", "Version: 8"), 1, At::Text(1, "Sec-WebSocket-Version: 8")),
        case(Rule::VersionRepeated, "version-repeated", "RFC 6455 §11.3.5", Error, request_with("Sec-WebSocket-Version: 13"), 1, At::Last(1, "Sec-WebSocket-Version: 13")),
        case(Rule::KeyReused, "key-reused", "RFC 6455 §4.1", Info, upgraded().then(Step::Connect).up(plain_request()), 5, At::Text(3, key)).about(1),
        case(Rule::SubprotocolMalformed, "subprotocol-malformed", "RFC 6455 §4.1", Error, request_with("Sec-WebSocket-Protocol: chat, chat"), 1, At::Text(1, "Sec-WebSocket-Protocol: chat, chat")),
        case(Rule::ExtensionMalformed, "extension-malformed", "RFC 6455 §9.1", Error, request_with("Sec-WebSocket-Extensions: x-a;;b"), 1, At::Text(1, ";b")),
        case(Rule::DeflateOfferInvalid, "deflate-offer-invalid", "RFC 7692 §7.1", Warning, request_with("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7"), 1, At::Text(1, "server_max_window_bits=7")),
        case(Rule::RequestBody, "request-body", "RFC 9110 §9.3.1", Warning, request("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\nbody"), 1, At::Text(1, "Content-Length: 4")),
        case(Rule::DataBeforeResponse, "data-before-response", "RFC 6455 §4.1", Error, Script::default().up(plain_request()).up(early).down(RESPONSE), 3, At::Bits(0, 56)).about(1),
        case(Rule::OriginForeign, "origin-foreign", "RFC 6455 §10.2", Info, request_with("Origin: http://evil.example"), 1, At::Text(1, "Origin: http://evil.example")),
        case(Rule::HostInvalid, "host-invalid", "RFC 9112 §3.2", Error, request(host, "Host: ws://127.0.0.1:6455/"), 1, At::Text(1, "Host: ws://127.0.0.1:6455/")),
        case(Rule::HostPortMissing, "host-port-missing", "RFC 9110 §7.2", Info, request(host, "Host: localhost"), 1, At::Text(1, "Host: localhost")),
        case(Rule::OriginRepeated, "origin-repeated", "RFC 6454 §7.3", Error, request_with("Origin: http://127.0.0.1:6455\r\nOrigin: http://127.0.0.1:6455"), 1, At::Last(1, "Origin: http://127.0.0.1:6455")),
        case(Rule::HeaderControlCharacter, "header-control-character", "RFC 9110 §5.5", Error, request_with("X: a\x1b[b"), 1, At::Text(1, "\x1b")),
        case(Rule::ProxyHeader, "proxy-header", "PROXY protocol §2", Info, Script::default().up(format!("PROXY TCP4 192.0.2.1 127.0.0.1 56324 6455\r\n{}", plain_request())), 1, At::Bits(0, 43 * 8)),
        case(Rule::BytesBeforeResponse, "bytes-before-response", "RFC 9112 §4", Error, Script::default().up(plain_request()).down(format!("\u{feff}{RESPONSE}")), 2, At::Bits(0, 24)),
        case(Rule::ProxyHeaderInStream, "proxy-header-in-stream", "PROXY protocol §2", Error, upgraded().down("PROXY UNKNOWN\r\n").down(CLOSE_DOWN).up(CLOSE_UP), 3, At::Bits(0, 15 * 8)),
        case(Rule::ProxyHeaderFromServer, "proxy-header-from-server", "PROXY protocol §2", Error, Script::default().up(plain_request()).down(format!("PROXY TCP4 192.0.2.1 127.0.0.1 56324 6455\r\n{RESPONSE}")), 2, At::Bits(0, 43 * 8)),
        case(Rule::HeaderMalformed, "header-malformed", "RFC 9112 §5", Error, request_with("no colon"), 1, At::Text(1, "no colon")),
        case(Rule::HeaderFolded, "header-folded", "RFC 9112 §5.2", Warning, request_with("X: a\r\n b"), 1, At::Text(1, "X: a\r\n b")),
        case(Rule::BareLf, "bare-lf", "RFC 9112 §2.2", Warning, request("HTTP/1.1\r\n", "HTTP/1.1\n"), 1, At::Text(1, "\n")),
        case(Rule::HeadTooLong, "head-too-long", "RFC 9110 §5.4", Warning, Script::default().up(format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(11_000))), 1, At::Nothing),
        case(Rule::BodyEndUnknown, "body-end-unknown", "RFC 9112 §6.3", Error, Script::default().up("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\nGET / HTTP/1.1\r\n\r\n"), 2, At::Nothing),
    ]
}

#[rustfmt::skip]
fn responses() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let twice = "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate; server_no_context_takeover";
    let again = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_no_context_takeover";
    let chats = "Sec-WebSocket-Protocol: chat, superchat";
    let mut cases = vec![
        case(Rule::StatusNot101, "status-not-101", "RFC 6455 §4.2.2", Info, response("101 Switching Protocols", "403 Forbidden\r\nContent-Length: 0"), 2, At::Text(2, "403")),
        case(Rule::ResponseUpgradeMissing, "response-upgrade-missing", "RFC 6455 §4.2.2", Error, response("Upgrade: websocket", "Upgrade: web"), 2, At::Text(2, "Upgrade: web")),
        case(Rule::ResponseUpgradeRepeated, "response-upgrade-repeated", "RFC 6455 §4.1", Error, response("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket"), 2, At::Last(2, "Upgrade: websocket")),
        case(Rule::ResponseHttpVersion, "response-http-version", "RFC 9110 §15.2", Warning, response("HTTP/1.1", "HTTP/1.0"), 2, At::Text(2, "HTTP/1.0")),
        case(Rule::ResponseContentLength, "response-content-length", "RFC 9110 §8.6", Error, response("Upgrade: websocket", "Content-Length: 0\r\nUpgrade: websocket"), 2, At::Text(2, "Content-Length: 0")),
        case(Rule::ResponseTransferEncoding, "response-transfer-encoding", "RFC 9112 §6.1", Error, response("Upgrade: websocket", "Transfer-Encoding: chunked\r\nUpgrade: websocket"), 2, At::Text(2, "Transfer-Encoding: chunked")),
        case(Rule::StatusSpaceMissing, "status-space-missing", "RFC 9112 §4", Error, response("101 Switching Protocols", "101"), 2, At::Text(2, "101")),
        case(Rule::SubprotocolNotChosen, "subprotocol-not-chosen", "RFC 6455 §4.2.2", Info, negotiated("Sec-WebSocket-Protocol: chat, superchat", "X: a"), 2, At::Nothing),
        case(Rule::ResponseConnectionMissing, "response-connection-missing", "RFC 6455 §4.2.2", Error, response("Connection: Upgrade", "Connection: close"), 2, At::Text(2, "Connection: close")),
        case(Rule::AcceptMissing, "accept-missing", "RFC 6455 §4.2.2", Error, response("Sec-WebSocket-Accept", "X-Accept"), 2, At::Nothing),
        case(Rule::AcceptWrong, "accept-wrong", "RFC 6455 §4.2.2", Error, response("s3pP", "S3pP"), 2, At::Text(2, "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
        // Computed from the key and the space before it.
        case(Rule::AcceptKeySpaces, "accept-key-spaces", "RFC 6455 §4.2.2", Error, response("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3mCG3XUBfFRrUGpYOBQiHm5i8g="), 2, At::Text(2, "Sec-WebSocket-Accept: s3mCG3XUBfFRrUGpYOBQiHm5i8g=")),
        case(Rule::AcceptRepeated, "accept-repeated", "RFC 6455 §11.3.3", Error, response("Upgrade: websocket", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nUpgrade: websocket"), 2, At::Last(2, accept)),
        case(Rule::SubprotocolRepeated, "subprotocol-repeated", "RFC 6455 §11.3.4", Error, negotiated(chats, chats), 2, At::Text(2, chats)),
        case(Rule::SubprotocolNotOffered, "subprotocol-not-offered", "RFC 6455 §4.1", Error, negotiated("X: a", "Sec-WebSocket-Protocol: chat"), 2, At::Text(2, "Sec-WebSocket-Protocol: chat")),
        case(Rule::ExtensionNotOffered, "extension-not-offered", "RFC 6455 §4.1", Error, negotiated("X: a", "Sec-WebSocket-Extensions: x-a"), 2, At::Text(2, "Sec-WebSocket-Extensions: x-a")),
        case(Rule::ExtensionsRepeated, "extensions-repeated", "RFC 6455 §11.3.2", Error, negotiated("Sec-WebSocket-Extensions: x-a, x-b", "Sec-WebSocket-Extensions: x-a\r\nSec-WebSocket-Extensions: x-b"), 2, At::Text(2, "Sec-WebSocket-Extensions: x-b")),
        case(Rule::ExtensionRepeated, "extension-repeated", "RFC 7692 §5", Error, negotiated(DEFLATE, twice), 2, At::Text(2, "permessage-deflate; server_no_context_takeover")),
        case(Rule::DeflateParameterInvalid, "deflate-parameter-invalid", "RFC 7692 §7.1", Error, negotiated(DEFLATE, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9"), 2, At::Text(2, "client_max_window_bits=9")),
        case(Rule::DeflateParameterRepeated, "deflate-parameter-repeated", "RFC 7692 §7.1", Error, negotiated(DEFLATE, again), 2, At::Last(2, "server_no_context_takeover")),
    ];
    cases.iter_mut().for_each(|case| case.about = Some(1));
    cases
}

#[rustfmt::skip]
fn frames() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let up = |frame: &[u8]| upgraded().up(frame);
    let down = |frame: &[u8]| upgraded().down(frame);
    let key = [0x81, 0x81, 1, 2, 3, 4, b'a' ^ 1];
    let long_ping = [&[0x89, 0x7e, 0, 126][..], &[b'p'; 126]].concat();
    vec![
        case(Rule::HttpResponseInStream, "http-response-in-stream", "RFC 6455 §5.1", Error, down(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"), 3, At::Bits(0, 61 * 8)),
        case(Rule::HttpRequestInStream, "http-request-in-stream", "RFC 6455 §5.1", Error, up(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 3, At::Bits(0, 27 * 8)),
        case(Rule::LineBreakInStream, "line-break-in-stream", "RFC 6455 §5.1", Error, down(b"\r\n\x81\x05Hello"), 3, At::Bits(0, 16)),
        case(Rule::TextInStream, "text-in-stream", "RFC 6455 §5.1", Error, down(b"<br />\n<b>Warning</b>: oops\x81\x05Hello"), 3, At::Bits(0, 27 * 8)),
        case(Rule::NulInStream, "nul-in-stream", "RFC 6455 §5.1", Error, down(b"\x81\x05Hello\0\0\0\0\0"), 4, At::Bits(0, 40)),
        case(Rule::TlsInStream, "tls-in-stream", "RFC 6455 §5.1", Error, down(&[0x15, 3, 3, 0, 2, 2, 40]), 3, At::Bits(0, 56)),
        case(Rule::ClientFrameUnmasked, "client-frame-unmasked", "RFC 6455 §5.1", Error, up(&[0x81, 1, b'a']), 3, At::Bits(8, 9)),
        case(Rule::ServerFrameMasked, "server-frame-masked", "RFC 6455 §5.1", Error, down(&[0x81, 0x81, 1, 2, 3, 4, b'a' ^ 1]), 3, At::Bits(8, 9)),
        case(Rule::Rsv1Set, "rsv1-set", "RFC 6455 §5.2", Error, down(&[0xc1, 1, b'a']), 3, At::Bits(1, 2)),
        case(Rule::Rsv1Misplaced, "rsv1-misplaced", "RFC 7692 §6.1", Error, compressing().down([0xc9, 1, b'a']), 3, At::Bits(1, 2)),
        case(Rule::Rsv2Set, "rsv2-set", "RFC 6455 §5.2", Error, down(&[0xa1, 1, b'a']), 3, At::Bits(2, 3)),
        case(Rule::Rsv3Set, "rsv3-set", "RFC 6455 §5.2", Error, down(&[0x91, 1, b'a']), 3, At::Bits(3, 4)),
        case(Rule::OpcodeReserved, "opcode-reserved", "RFC 6455 §5.2", Error, down(&[0x83, 1, b'a']), 3, At::Bits(4, 8)),
        case(Rule::ControlTooLong, "control-too-long", "RFC 6455 §5.5", Error, down(&long_ping), 3, At::Bits(9, 32)),
        case(Rule::ControlLengthExtended, "control-length-extended", "RFC 6455 §5.5", Error, down(&[0x89, 0x7e]), 4, At::Bits(9, 16)),
        case(Rule::ControlFragmented, "control-fragmented", "RFC 6455 §5.5", Error, down(&[0x09, 1, b'a']), 3, At::Bits(0, 1)),
        case(Rule::LengthNotShortest, "length-not-shortest", "RFC 6455 §5.2", Error, down(&[0x81, 0x7e, 0, 1, b'a']), 3, At::Bits(9, 32)),
        case(Rule::LengthTopBit, "length-top-bit", "RFC 6455 §5.2", Error, down(&[0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0]), 4, At::Bits(16, 17)).also(&[Rule::MessageOverLimit]),
        case(Rule::ContinuationUnexpected, "continuation-unexpected", "RFC 6455 §5.4", Error, down(&[0x80, 1, b'a']), 3, At::Bits(4, 8)),
        case(Rule::MessageInterrupted, "message-interrupted", "RFC 6455 §5.4", Error, down(&[0x01, 1, b'a', 0x81, 1, b'b']), 4, At::Bits(4, 8)).about(3),
        case(Rule::FragmentEmpty, "fragment-empty", "RFC 6455 §5.4", Info, down(&[0x01, 1, b'a', 0x80, 0]), 4, At::Bits(9, 16)),
        case(Rule::MessageOverLimit, "message-over-limit", "RFC 6455 §10.4", Info, down(&[0x82, 0x7f, 0, 0, 0, 0, 4, 0, 0, 1]), 4, At::Bits(9, 80)),
        case(Rule::MaskingKeyZero, "masking-key-zero", "RFC 6455 §5.3", Warning, up(&[0x81, 0x81, 0, 0, 0, 0, b'a']), 3, At::Bits(16, 48)),
        case(Rule::MaskingKeyReused, "masking-key-reused", "RFC 6455 §5.3", Warning, up(&key).up(key), 4, At::Bits(16, 48)),
        case(Rule::TextNotUtf8, "text-not-utf8", "RFC 6455 §8.1", Error, down(&[0x81, 2, b'a', 0xff]), 3, At::Bits(24, 32)),
        case(Rule::TextCutCharacter, "text-cut-character", "RFC 6455 §8.1", Error, down(&[0x81, 2, b'a', 0xe2]), 3, At::Bits(24, 32)),
        case(Rule::FindingsOmitted, "findings-omitted", "RFC 6455 §7.1.7", Info, down(&[0x7f, 0x00].repeat(4_001)), 4_002, At::Nothing)
            .also(&[Rule::Rsv1Set, Rule::Rsv2Set, Rule::Rsv3Set, Rule::OpcodeReserved, Rule::ControlFragmented]),
        // A reserved block type (RFC 1951 §3.2.3); "Hello" with a byte ff for its last letter, stored; zeros.
        case(Rule::InflateFailed, "inflate-failed", "RFC 7692 §7.2.2", Error, compressing().down([0xc2, 4, 0x06, 0, 0, 0]), 3, At::Bits(16, 24)),
        case(Rule::WindowExceeded, "window-exceeded", "RFC 7692 §7.1.2", Error, small_window().down(far_back()), 3, At::Bits(8520, 8528)),
        case(Rule::InflatedNotUtf8, "inflated-not-utf8", "RFC 6455 §8.1", Error, compressing().down([0xc1, 11, 0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0xff, 0x00]), 3, At::Nothing),
        case(Rule::InflateLimit, "inflate-limit", "RFC 6455 §10.4", Info, compressing().down(zeros((64 << 20) + 1)), 3, At::Nothing),
        case(Rule::InflatedLong, "inflated-long", "RFC 6455 §10.4", Info, compressing().down(zeros((16 << 20) + 1)), 3, At::Nothing),
    ]
}

#[rustfmt::skip]
fn control_frames() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let down = |frame: &[u8]| upgraded().down(frame);
    let ping = |payload: u8| [0x89, 1, payload];
    let pong = |payload: u8| [0x8a, 0x81, 1, 2, 3, 4, payload ^ 1];
    let both_closed = |script: Script| script.up(CLOSE_UP).down(CLOSE_DOWN);
    vec![
        case(Rule::ExtensionBits, "extension-bits", "RFC 6455 §5.8", Info, foreign().down([0xa2, 0]), 3, At::Bits(2, 3)),
        case(Rule::FrameAfterClose, "frame-after-close", "RFC 6455 §5.5.1", Error, down(&[0x88, 0, 0x81, 0]), 4, At::Bits(4, 8)).about(3),
        case(Rule::CloseRepeated, "close-repeated", "RFC 6455 §5.5.1", Info, down(&[0x88, 0, 0x88, 0]), 4, At::Bits(4, 8)).about(3),
        case(Rule::ClosePayloadOneByte, "close-payload-one-byte", "RFC 6455 §5.5.1", Error, down(&[0x88, 1, 3]), 3, At::Bits(16, 24)),
        case(Rule::CloseCodeInvalid, "close-code-invalid", "RFC 6455 §7.4", Error, down(&[0x88, 2, 0x03, 0xed]), 3, At::Bits(16, 32)),
        case(Rule::CloseReasonNotUtf8, "close-reason-not-utf8", "RFC 6455 §5.5.1", Error, down(&[0x88, 3, 0x03, 0xe8, 0xff]), 3, At::Bits(32, 40)),
        case(Rule::CloseMissing, "close-missing", "RFC 6455 §7.1.5", Info, upgraded().fin(UP), 3, At::Nothing),
        case(Rule::CloseUnanswered, "close-unanswered", "RFC 6455 §5.5.1", Info, down(CLOSE_DOWN).fin(UP), 4, At::Nothing).about(3),
        case(Rule::TcpReset, "tcp-reset", "RFC 6455 §7.1.1", Info, both_closed(upgraded()).rst(UP), 5, At::Nothing),
        case(Rule::PingUnanswered, "ping-unanswered", "RFC 6455 §5.5.2", Info, both_closed(down(&ping(b'a'))).fin(UP), 6, At::Nothing).about(3),
        case(Rule::PingSuperseded, "ping-superseded", "RFC 6455 §5.5.3", Info, down(&ping(b'a')).down(ping(b'b')).up(pong(b'b')), 5, At::Bits(48, 56)).about(3),
        case(Rule::PongMismatched, "pong-mismatched", "RFC 6455 §5.5.3", Warning, down(&ping(b'a')).up(pong(b'x')), 4, At::Bits(48, 56)).about(3),
        case(Rule::PongUnsolicited, "pong-unsolicited", "RFC 6455 §5.5.3", Info, down(&[0x8a, 0]), 3, At::Bits(4, 8)),
    ]
}

fn cases() -> Vec<Case> {
    [requests(), responses(), frames(), control_frames()].into_iter().flatten().collect()
}

#[test]
fn each_rule_is_broken_by_its_bytes_and_by_nothing_else() {
    for case in cases() {
        let findings = case.script.judged();
        let (own, others): (Vec<_>, Vec<_>) = findings.iter().partition(|(_, finding)| finding.rule == case.rule);
        let others: BTreeSet<Rule> = others.iter().map(|(_, finding)| finding.rule).collect();
        assert_eq!(others, case.also.iter().copied().collect(), "besides {}", case.id);
        let [(record, finding)] = own.as_slice() else { panic!("{}: {findings:?}", case.id) };
        assert_eq!(
            (*record, finding.about),
            (case.record, case.about),
            "{}: its record, and the one it is about",
            case.id
        );
        assert_eq!(finding.span.map(|span| (span.start, span.end)), case.span(), "{}: its bits", case.id);
        let rule = finding.rule;
        assert_eq!((rule.id(), rule.section(), rule.severity()), (case.id, case.section, case.severity));
        assert!(!finding.sentence().contains('…'), "{}: a value is missing: {}", case.id, finding.sentence());
    }
}

#[test]
fn every_rule_has_its_case() {
    let mut covered: BTreeSet<_> = cases().iter().map(|case| case.rule).collect();
    // Violations that only captures of other programs can have: import.rs.
    covered.extend([Rule::ContextLost, Rule::SegmentOverlap]);
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !covered.contains(rule)).map(|rule| rule.id()).collect();
    assert!(missing.is_empty(), "no bytes break {missing:?}");
}

#[test]
fn conversations_without_a_violation_have_no_findings() {
    let masked = |first: u8, key: u8, payload: &[u8]| {
        let keyed = payload.iter().zip([key, 2, 3, 4].into_iter().cycle()).map(|(byte, key)| byte ^ key);
        [first, 0x80 | payload.len() as u8, key, 2, 3, 4].into_iter().chain(keyed).collect::<Vec<u8>>()
    };
    let closed =
        |script: Script| script.up(masked(0x88, 9, &[0x03, 0xe8])).down([0x88, 2, 0x03, 0xe8]).fin(DOWN).fin(UP);
    let chrome = "Origin: http://127.0.0.1:6455\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    let accepted = "Sec-WebSocket-Protocol: chat\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12; server_no_context_takeover";
    let plain = "GET /app.js HTTP/1.1\r\nHost: 127.0.0.1:6455\r\n\r\n";
    let scripts = [
        ("close alone", closed(upgraded())),
        ("text", closed(upgraded().down(b"\x81\x05Hello").up(masked(0x81, 1, "naïve".as_bytes())))),
        ("empty text", closed(upgraded().down([0x81, 0]).up(masked(0x81, 1, b"")))),
        ("binary", closed(upgraded().down([0x82, 2, 0xff, 0]).up(masked(0x82, 1, &[0xff, 0])))),
        ("fragmented", closed(upgraded().down(b"\x01\x03Hel\x89\x01p\x00\x01l\x80\x01o").up(masked(0x8a, 1, b"p")))),
        (
            "pings",
            closed(upgraded().down(b"\x89\x01a").up(masked(0x8a, 1, b"a")).up(masked(0x89, 2, b"")).down([0x8a, 0])),
        ),
        (
            "pings in flight",
            closed(upgraded().down(b"\x89\x01a\x89\x01b").up(masked(0x8a, 1, b"a")).up(masked(0x8a, 2, b"b"))),
        ),
        ("compressed", closed(negotiated(chrome, accepted).down(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"))),
        ("an absolute target", closed(request("/echo", "http://127.0.0.1:6455/echo?a=%23").down(RESPONSE))),
        ("spaces around the key", closed(request("Key: d", "Key: \t d").down(RESPONSE))),
        ("not ended", upgraded().down(b"\x89\x01a")),
        (
            "plain HTTP",
            Script::default().up(plain).down("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").fin(DOWN).fin(UP),
        ),
        ("plain HTTP, reset", Script::default().up(plain).down("HTTP/1.1 204 No Content\r\n\r\n").rst(UP)),
        (
            "a plain request, then a handshake on the same connection",
            Script::default().up(plain).down("HTTP/1.1 204 No Content\r\n\r\n").up(plain_request()).down(RESPONSE),
        ),
    ];
    for (name, script) in scripts {
        assert_eq!(script.judged(), [], "{name}");
    }
}

fn rules_of(script: &Script) -> Vec<Rule> {
    script.findings(usize::MAX).into_iter().map(|(_, finding)| finding.rule).collect()
}

#[test]
fn section_4_1_targets() {
    for target in ["chat", "*", "ws://", "http://", "http:///x", "/a b", "/ü", "/\x07", "http://a/#b", "/#"] {
        assert_eq!(rules_of(&request("/echo", target)), [Rule::TargetMalformed], "{target}");
    }
    for target in ["/", "/?a=b", "//x", "HTTPS://a", "http://a:80/b?c", "ws://127.0.0.1/"] {
        assert_eq!(rules_of(&request("/echo", target)), [], "{target}");
    }
}

#[test]
fn section_4_1_data_before_the_response() {
    let frame = [0x81, 0x81, 1, 2, 3, 4, b'a' ^ 1];
    let second = [0x81, 0x81, 5, 2, 3, 4, b'a' ^ 5];
    let findings = Script::default().up(plain_request()).up(frame).up(second).down(RESPONSE).judged();
    assert_eq!(findings.len(), 1, "one finding, on the first frame: {findings:?}");
    let split = Script::default().up(plain_request()).up(&frame[..3]).down(RESPONSE).up(&frame[3..]).judged();
    assert_eq!((split.len(), split[0].0, split[0].1.about), (1, 3, Some(1)));
    let never = Script::default().up(plain_request()).up(frame).judged();
    assert_eq!((never[0].0, never[0].1.rule), (2, Rule::DataBeforeResponse), "no response follows");
    let flood = Script::default().up(plain_request()).up([
        &[0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 1, 2, 3, 4],
        &[7; 1 << 21][..],
    ]
    .concat());
    assert_eq!(rules_of(&flood), [Rule::DataBeforeResponse], "more bytes than the dissector keeps");
}

#[test]
fn section_4_2_2_spaces_of_the_key() {
    let inside = request("dGhlIHNh", "dGhl IHNh").down(RESPONSE);
    assert_eq!(rules_of(&inside), [Rule::KeyMalformed, Rule::AcceptKeySpaces]);
}

#[test]
fn section_5_2_both_long_forms_and_all_reserved_opcodes() {
    let wire = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff][..], &[0; 65_535]].concat();
    assert_eq!(rules_of(&upgraded().down(wire)), [Rule::LengthNotShortest]);
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        assert_eq!(rules_of(&upgraded().down([0x80 | opcode, 0])), [Rule::OpcodeReserved], "{opcode}");
    }
}

#[test]
fn rfc_9112_section_3_2_hosts() {
    let host = |value: &str| rules_of(&request("Host: 127.0.0.1:6455", &format!("Host: {value}")));
    for value in [
        "",
        "http://127.0.0.1:6455",
        "127.0.0.1:6455/echo",
        "/echo",
        "local host:6455",
        "a@localhost:6455",
        "localhost:99999",
        "[::1",
    ] {
        assert_eq!(host(value), [Rule::HostInvalid], "{value}");
    }
    for value in ["localhost:6455", "[::1]:6455", "LOCALHOST:1"] {
        assert_eq!(host(value), [], "{value}");
    }
    assert_eq!(host("localhost:"), [Rule::HostPortMissing], "an empty port is none (RFC 3986 §3.2.3)");
    assert_eq!(host("example.com"), [Rule::HostForeign, Rule::HostPortMissing]);
    // Through a proxy the address of the connection is that of the proxy.
    let proxied =
        changed(&plain_request(), "127.0.0.1:6455", "example.com").replace("/echo", "http://example.com/echo");
    assert_eq!(rules_of(&Script::default().up(proxied)), []);
}

#[test]
fn rfc_9112_section_4_status_lines() {
    let status = |line: &str| rules_of(&response("HTTP/1.1 101 Switching Protocols", line));
    assert_eq!(status("HTTP/1.1 101 "), [], "the reason phrase may be empty");
    assert_eq!(status("HTTP/1.1 101"), [Rule::StatusSpaceMissing]);
    for line in ["HTTP/1.0 101 ", "HTTP/0.9 101 a", "HTTP/1.10 101 a"] {
        assert_eq!(status(line), [Rule::ResponseHttpVersion], "{line}");
    }
    let plain = Script::default().up("GET / HTTP/1.1\r\nHost: a\r\n\r\n").down("HTTP/1.0 204\r\n\r\n");
    assert_eq!(rules_of(&plain), [Rule::StatusSpaceMissing], "HTTP/1.0 is wrong only for a 101");
}

#[test]
fn rfc_9110_section_5_5_control_characters() {
    for byte in (0..=0x1f).chain([0x7f]).filter(|byte| !b"\t\n".contains(byte)) {
        let line = format!("X: a{}b", char::from(byte));
        assert_eq!(rules_of(&request_with(&line)), [Rule::HeaderControlCharacter], "{byte:02x}");
    }
    assert_eq!(rules_of(&request_with("X: a\tb \u{e9}\u{85}")), []);
    assert_eq!(rules_of(&request_with("X: a\r\n b\x07")), [Rule::HeaderControlCharacter], "on the folded line");
    // It explains why a value breaks another rule.
    for (request, name, value) in [
        (true, "Host", "local\x07host"),
        (true, "Host", "\x7f"),
        (true, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=\x00"),
        (true, "Sec-WebSocket-Version", "13\x01"),
        (true, "Upgrade", "websocket\x02"),
        (true, "Connection", "Upgr\x03ade"),
        (true, "Sec-WebSocket-Protocol", "ch\x04at"),
        (true, "Sec-WebSocket-Extensions", "permessage-deflate\x05"),
        (true, "Origin", "http://local\x06host"),
        (false, "Upgrade", "websocket\x02"),
        (false, "Connection", "Upgrade\x03"),
        (false, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo\x0b"),
    ] {
        let with = |head: &str| {
            let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
            lines.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())));
            lines.insert(1, format!("{name}: {value}"));
            lines.join("\r\n")
        };
        let talk = match request {
            true => Script::default().up(with(&plain_request())),
            false => Script::default().up(plain_request()).down(with(RESPONSE)),
        };
        assert_eq!(rules_of(&talk), [Rule::HeaderControlCharacter], "{name}: {value:?}");
    }
    let repeated = Script::default().up(plain_request().replacen("\r\n", "\r\nHost: b\x07\r\n", 1));
    assert_eq!(rules_of(&repeated), [Rule::HeaderControlCharacter, Rule::HostRepeated], "another fault");
}

#[test]
fn section_4_2_2_the_server_may_choose_no_subprotocol_only_if_none_was_offered() {
    assert_eq!(rules_of(&negotiated("X: a", "X: a")), []);
    let offer = "Sec-WebSocket-Protocol: chat";
    assert_eq!(rules_of(&negotiated(offer, offer)), []);
    assert_eq!(rules_of(&negotiated(offer, "X: a")), [Rule::SubprotocolNotChosen]);
    assert_eq!(rules_of(&Script::default().down(RESPONSE)), [], "the request is not known");
}

#[test]
fn section_5_5_3_more_pings_in_flight_than_are_remembered() {
    let pings: Vec<u8> = (0..300u16).flat_map(|n| [&[0x89, 2], &n.to_be_bytes()[..]].concat()).collect();
    let pong = |n: u16| [&[0x8a, 0x82, 0, 0, 0, 1], &n.to_be_bytes()[..]].concat();
    let talk = |pongs: Vec<u8>| upgraded().down(&pings).up(pongs).up(CLOSE_UP).down(CLOSE_DOWN).fin(UP).fin(DOWN);
    let reused =
        |rules: Vec<Rule>| rules.into_iter().filter(|rule| *rule != Rule::MaskingKeyReused).collect::<Vec<_>>();
    assert_eq!(reused(rules_of(&talk((0..300).flat_map(pong).collect()))), [], "each is answered, in order");
    assert_eq!(reused(rules_of(&talk(pong(299)))), [], "the last one answers all (RFC 6455 §5.5.3)");
    let none = talk(Vec::new()).findings(usize::MAX);
    assert_eq!((none[0].1.rule, none[0].1.number), (Rule::PingUnanswered, Some(300)));
}

#[test]
fn section_7_4_close_codes() {
    let rules = |code: u16| rules_of(&upgraded().down([&[0x88, 2], &code.to_be_bytes()[..]].concat()));
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(rules(code), [Rule::CloseCodeInvalid], "{code}");
    }
    for code in [1000, 1003, 1007, 1011, 1014, 3000, 4999] {
        assert_eq!(rules(code), [], "{code}");
    }
}

#[test]
fn section_8_1_across_fragments_and_in_a_cut_frame() {
    let findings = upgraded().down(b"\x01\x02\xe2\x82\x00\x01\xac\x80\x02\xe2\x28").judged();
    assert_eq!((findings.len(), findings[0].0, findings[0].1.rule), (1, 5, Rule::TextNotUtf8));
    let cut = upgraded().down(b"\x81\x05a\xff").judged();
    assert_eq!((cut.len(), cut[0].1.rule, cut[0].1.number), (1, Rule::TextNotUtf8, Some(1)));
}

#[test]
fn section_10_4_a_message_in_fragments_is_over_the_limit_once() {
    let head = |first: u8, len: u32| [&[first, 0x7f, 0, 0, 0, 0][..], &len.to_be_bytes()].concat();
    let small = head(0x02, 65_536);
    let script = upgraded().down([&small, &[0; 65_536][..]].concat()).down(head(0x80, (64 << 20) - 65_536));
    assert_eq!(rules_of(&script), [], "64 MiB are allowed");
    let script = upgraded().down([&small, &[0; 65_536][..]].concat()).down(head(0x80, (64 << 20) - 65_535));
    let findings = script.findings(usize::MAX);
    assert_eq!((findings.len(), findings[0].0, findings[0].1.rule), (1, 5, Rule::MessageOverLimit));
}

#[test]
fn section_7_1_each_side_ends_for_itself() {
    let side = |findings: &[(u64, Finding)]| -> Vec<(u64, Rule, Option<Direction>)> {
        findings.iter().map(|(no, finding)| (*no, finding.rule, finding.by)).collect()
    };
    let by = |no, rule, side| (no, rule, Some(side));
    let both = upgraded().fin(UP).fin(DOWN).judged();
    assert_eq!(side(&both), [by(3, Rule::CloseMissing, UP), by(4, Rule::CloseMissing, DOWN)]);
    let torn = upgraded().rst(DOWN).judged();
    assert_eq!(side(&torn), [by(3, Rule::TcpReset, DOWN), by(3, Rule::CloseMissing, DOWN)]);
    // If a side has already ended its stream, the finding is on the reset.
    let late = upgraded().up(CLOSE_UP).fin(UP).rst(UP).judged();
    assert_eq!(side(&late), [by(5, Rule::TcpReset, UP)]);
    let unanswered = upgraded().up(CLOSE_UP).rst(DOWN).judged();
    assert_eq!(side(&unanswered), [by(4, Rule::TcpReset, DOWN), by(4, Rule::CloseUnanswered, DOWN)]);
    assert_eq!(unanswered[1].1.about, Some(3));
}
