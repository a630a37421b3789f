use super::*;
use crate::proto::rules::Rule;

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

fn violated(requirements: &[Requirement]) -> Vec<Rule> {
    requirements.iter().filter_map(|s| s.finding.as_ref().map(|f| f.rule)).collect()
}

fn request_with(change: impl Fn(&str) -> String) -> Vec<Rule> {
    violated(&check_request(&Head::read(change(REQUEST).as_bytes()), None))
}

fn response_with(change: impl Fn(&str) -> String) -> Vec<Rule> {
    let facts = RequestFacts::of(&Head::read(REQUEST.as_bytes()));
    violated(&check_response(&Head::read(change(RESPONSE).as_bytes()), &facts))
}

#[test]
fn the_handshake_of_section_1_2_meets_every_requirement() {
    assert_eq!(request_with(str::to_owned), []);
    assert_eq!(response_with(str::to_owned), []);
    let requirements = check_request(&Head::read(REQUEST.as_bytes()), None);
    assert!(requirements.len() >= 8, "{requirements:?}");
}

#[test]
fn each_violated_requirement_of_a_request_is_found() {
    let cases: [(&str, &str, &[Rule]); 11] = [
        ("GET", "POST", &[Rule::MethodNotGet]),
        ("HTTP/1.1", "HTTP/1.0", &[Rule::HttpVersion]),
        ("Host:", "Hose:", &[Rule::HostMissing]),
        ("Host:", "Host: a\r\nHost:", &[Rule::HostRepeated, Rule::OriginForeign]),
        ("Upgrade: websocket", "Upgrade: h2c", &[Rule::UpgradeMissing]),
        ("Connection: Upgrade", "Connection: close", &[Rule::ConnectionMissing]),
        ("Sec-WebSocket-Key:", "X:", &[Rule::KeyMissing]),
        ("bXBsZSBub25jZQ==", "bXB", &[Rule::KeyMalformed]),
        ("Version: 13", "Version: 8", &[Rule::VersionNot13]),
        ("Origin: http://server", "Origin: http://evil", &[Rule::OriginForeign]),
        ("Upgrade: websocket", "nocolon\r\nUpgrade: websocket", &[Rule::HeaderMalformed]),
    ];
    for (from, to, rules) in cases {
        assert_eq!(request_with(|r| r.replacen(from, to, 1)), rules, "{from} → {to}");
    }
}

#[test]
fn each_violated_requirement_of_a_response_is_found() {
    let cases: [(&str, &str, &[Rule]); 6] = [
        ("101 Switching", "200 Switching", &[Rule::StatusNot101]),
        ("Upgrade: websocket", "Upgrade: no", &[Rule::ResponseUpgradeMissing]),
        ("Connection: Upgrade", "Connection: no", &[Rule::ResponseConnectionMissing]),
        ("Sec-WebSocket-Accept:", "X:", &[Rule::AcceptMissing]),
        ("s3pP", "S3pP", &[Rule::AcceptWrong]),
        ("Protocol: chat", "Protocol: other", &[Rule::SubprotocolNotOffered]),
    ];
    for (from, to, rules) in cases {
        assert_eq!(response_with(|r| r.replacen(from, to, 1)), rules, "{from} → {to}");
    }
    let of_a_proxy = |r: &str| {
        let error = "\r\nProxy-Status: framescope; error=connection_refused\r\n\r\n";
        r.replacen("101 Switching", "502 Bad", 1).replacen("\r\n\r\n", error, 1)
    };
    assert_eq!(response_with(of_a_proxy), [], "no server answered");
    let with_extension = |r: &str| {
        r.replacen(
            "\r\n\r\n",
            "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n",
            1,
        )
    };
    assert_eq!(response_with(with_extension), [Rule::ExtensionNotOffered]);
}

#[test]
fn section_4_1_the_http_version_is_a_version_and_at_least_1_1() {
    let version = |version: &str| request_with(|r| r.replacen("HTTP/1.1", version, 1));
    for recent in ["HTTP/1.1", "HTTP/1.2", "HTTP/2.0"] {
        assert_eq!(version(recent), [], "{recent}");
    }
    for wrong in ["HTTP/1.0", "HTTP/0.9", "HTTP/inf", "HTTP/2", "HTTP/1e3", "HTTP/1.10", "HTTP/+2.0"] {
        assert_eq!(version(wrong), [Rule::HttpVersion], "{wrong}");
    }
}

#[test]
fn an_origin_has_the_host_and_port_of_host() {
    assert!(origin_is_host(b"http://localhost:6455", b"LOCALHOST:6455"));
    assert!(origin_is_host(b"http://example.com", b"example.com:80"));
    assert!(!origin_is_host(b"null", b"localhost") && !origin_is_host(b"http://a.com", b"b.com"));
    assert!(!origin_is_host(b"http://localhost:1", b"localhost:2"));
}

#[test]
fn a_foreign_host_at_a_loopback_server_is_found() {
    let head = Head::read(REQUEST.as_bytes());
    let requirements = check_request(&head, Some(([127, 0, 0, 1], 6455).into()));
    assert_eq!(violated(&requirements), [Rule::HostForeign, Rule::HostPortMissing]);
}

#[test]
fn a_plain_request_is_not_checked_as_a_handshake() {
    assert_eq!(check_request(&Head::read(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), None), []);
    let asked = check_request(&Head::read(b"GET /ticker?x HTTP/1.1\r\nHost: x\r\n\r\n"), None);
    assert!(violated(&asked).contains(&Rule::UpgradeMissing));
}

#[test]
fn a_response_has_only_websocket_and_an_offered_subprotocol() {
    let upgrade = response_with(|text| text.replace("Upgrade: websocket", "Upgrade: h2c, websocket"));
    assert_eq!(upgrade, [Rule::ResponseUpgradeMissing]);
    let empty = response_with(|text| text.replace("Protocol: chat", "Protocol:"));
    assert_eq!(empty, [Rule::SubprotocolMalformed]);
}

#[test]
fn an_offer_that_must_be_declined_cannot_be_accepted() {
    // RFC 7692 §7.1: an offer with an undefined parameter.
    let line = "Sec-WebSocket-Extensions: permessage-deflate";
    let request = REQUEST.replace("\r\n\r\n", &format!("\r\n{line}; foo\r\n\r\n"));
    let response = RESPONSE.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));
    let facts = RequestFacts::of(&Head::read(request.as_bytes()));
    assert_eq!(violated(&check_response(&Head::read(response.as_bytes()), &facts)), [Rule::DeflateParameterInvalid]);
}
