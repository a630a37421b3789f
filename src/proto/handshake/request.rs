//! What a request has to say (RFC 6455 §4.1, §4.2.1).

use std::net::SocketAddr;

use super::report::{Report, fault_words};
use super::{Requirement, VERSION, host_is_local, is_handshake, list, origin_is_host};
use crate::proto::accept::is_valid_key;
use crate::proto::body::Body;
use crate::proto::extensions::DeflateOffer;
use crate::proto::rules::{Finding, Rule};
use crate::wire::field::FieldId;
use crate::wire::http::{self, Head, StartLine, is_token};

/// The requirements that a request has to meet, in the order of RFC 6455 §4.1. `server` is the address that was connected
/// to, where it is known.
pub fn check_request(head: &Head<'_>, server: Option<SocketAddr>) -> Vec<Requirement> {
    let mut report = Report::new(head);
    report.lines();
    if !is_handshake(head) {
        return report.steps;
    }
    let (StartLine::Request { method, version, target }
    | StartLine::Response { status: method, version, reason: target }) = &head.start;
    let method_text = head.text(method);
    report
        .step("method GET", Rule::MethodNotGet, Some(FieldId::Method), method_text == "GET", |f| f.text(&method_text));
    let wrong = wrong_target(head.slice(target));
    report.step("target is a path or a URI", Rule::TargetMalformed, Some(FieldId::Target), wrong.is_none(), |f| {
        f.text(wrong.as_deref().unwrap_or_default())
    });
    let version_text = head.text(version);
    let recent = http::version(head.version()).is_some_and(|version| version >= (1, 1));
    report.step("HTTP/1.1 or later", Rule::HttpVersion, Some(FieldId::Version), recent, |f| {
        if version_text.is_empty() { f.text("missing") } else { f.text(&version_text) }
    });
    report.host(server);
    let upgrade = head.has_token("upgrade", "websocket");
    report.header_step("upgrade", "Upgrade: websocket", Rule::UpgradeMissing, upgrade, |f| f);
    let connection = head.has_token("connection", "upgrade");
    report.header_step("connection", "Connection: Upgrade", Rule::ConnectionMissing, connection, |f| f);
    report.key();
    let version = head.value("sec-websocket-version").map(String::from_utf8_lossy);
    report.header_step(
        "sec-websocket-version",
        "Sec-WebSocket-Version: 13",
        Rule::VersionNot13,
        version.as_deref() == Some(VERSION),
        |f| f.text(version.as_deref().unwrap_or("missing")),
    );
    report.once("sec-websocket-version", "one Sec-WebSocket-Version header", Rule::VersionRepeated);
    report.offered_subprotocols();
    let offered = report.extensions();
    for extension in offered.iter().filter(|extension| extension.is_deflate()) {
        if let Err(fault) = DeflateOffer::read(extension) {
            let finding = Finding::new(Rule::DeflateOfferInvalid, None).text(&fault_words(&fault));
            report.broken_at("an offer that can be accepted", fault.span, finding);
        }
    }
    report.body();
    if let (Some(origin), Some(host)) = (head.value("origin"), head.value("host")) {
        let origin_text = String::from_utf8_lossy(origin);
        let same = origin_is_host(origin, host);
        report.header_step("origin", "Origin is this host's", Rule::OriginForeign, same, |f| f.text(&origin_text));
    }
    report.steps
}

impl Report<'_, '_> {
    fn host(&mut self, server: Option<SocketAddr>) {
        let count = self.head.values("host").count();
        match count {
            0 => self.header_step("host", "Host", Rule::HostMissing, false, |f| f),
            1 => self.header_step("host", "one Host header", Rule::HostMissing, true, |f| f),
            n => self.broken_last("host", "one Host header", Finding::new(Rule::HostRepeated, None).number(n as u64)),
        }
        let host = self.head.value("host").unwrap_or_default();
        if count > 0 && server.is_some_and(|s| s.ip().is_loopback()) {
            let host_text = String::from_utf8_lossy(host);
            self.header_step(
                "host",
                "Host is localhost or an IP address",
                Rule::HostForeign,
                host_is_local(host),
                |f| f.text(&host_text),
            );
        }
    }

    fn key(&mut self) {
        let count = self.head.values("sec-websocket-key").count();
        let key = self.head.value("sec-websocket-key").unwrap_or_default();
        let (rule, ok) = match count {
            0 => (Rule::KeyMissing, false),
            1 => (Rule::KeyMalformed, is_valid_key(key)),
            _ => (Rule::KeyRepeated, false),
        };
        let key = String::from_utf8_lossy(key);
        self.header_step("sec-websocket-key", "Sec-WebSocket-Key of 16 bytes", rule, ok, |f| {
            if count > 1 { f.number(count as u64) } else { f.text(&key) }
        });
    }

    /// RFC 6455 §4.1 item 10: tokens, all different.
    fn offered_subprotocols(&mut self) {
        let name = "sec-websocket-protocol";
        let offered = list(self.head, name);
        let doubled = |i: usize| offered[..i].contains(&offered[i]);
        let wrong = offered.iter().enumerate().find_map(|(i, protocol)| match is_token(protocol.as_bytes()) {
            false => Some(format!("no token: {protocol}")),
            true => doubled(i).then(|| format!("there twice: {protocol}")),
        });
        let empty = offered.is_empty() && self.head.value(name).is_some();
        if let Some(wrong) = wrong.or_else(|| empty.then(|| "it is empty".to_owned())) {
            self.broken_last(
                name,
                "subprotocols are tokens",
                Finding::new(Rule::SubprotocolMalformed, None).text(&wrong),
            );
        }
    }

    /// RFC 9110 §9.3.1: the body of a GET means nothing; RFC 6455 has none.
    fn body(&mut self) {
        if Body::of_request(self.head).is_whole() {
            return;
        }
        let name = ["transfer-encoding", "content-length"].into_iter().find(|name| self.head.value(name).is_some());
        if let Some(name) = name {
            let value = self.head.value(name).map(String::from_utf8_lossy).unwrap_or_default();
            let finding = Finding::new(Rule::RequestBody, None).text(&format!("{name}: {value}"));
            self.broken_last(name, "no body", finding);
        }
    }
}

/// What is wrong with a handshake's target, in words (RFC 6455 §4.1, §3): it must be an absolute path or an absolute http or
/// https URI, without a fragment.
fn wrong_target(target: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(target);
    let absolute = |scheme: &[u8]| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && target.get(scheme.len()).is_some_and(|next| !b"/?#".contains(next))
    };
    if !target.starts_with(b"/") && !absolute(b"http://") && !absolute(b"https://") {
        return Some(format!("neither an absolute path nor an absolute http or https URI: {text}"));
    }
    if !target.iter().all(u8::is_ascii_graphic) {
        return Some(format!("a byte is no visible ASCII character: {text}"));
    }
    target.contains(&b'#').then(|| format!("a fragment, where # must be written %23: {text}"))
}
