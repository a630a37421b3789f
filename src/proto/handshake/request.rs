//! The requirements for a request (RFC 6455 §4.1, §4.2.1).

use std::net::SocketAddr;

use super::report::{HandshakeReport, fault_words};
use super::{Requirement, VERSION, is_handshake, list, origin_is_host};
use crate::proto::accept::is_valid_key;
use crate::proto::body::Body;
use crate::proto::extensions::DeflateOffer;
use crate::proto::rules::{Finding, Rule};
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::authority::Authority;
use crate::wire::field::FieldId;
use crate::wire::http::{self, Head, StartLine, is_token};

/// The default ports of http and https. Host may leave them out (RFC 9110 §4.2.1, §4.2.2, §7.2).
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// Checks the requirements for a request, in the order of RFC 6455 §4.1. `server` is the address to which the client
/// connected to reach the server, if known. A request that is not a handshake is checked for malformed lines only.
pub fn check_request(head: &Head<'_>, server: Option<SocketAddr>) -> Vec<Requirement> {
    let mut report = HandshakeReport::new(head);
    report.lines();
    if !is_handshake(head) {
        return report.requirements;
    }
    let (StartLine::Request { method, version, target }
    | StartLine::Response { status: method, version, reason: target }) = &head.start;
    let method_text = head.text(method);
    report
        .check("method GET", Rule::MethodNotGet, Some(FieldId::Method), method_text == "GET", |f| f.text(&method_text));
    let wrong = wrong_target(head.slice(target));
    report.check("target is a path or a URI", Rule::TargetMalformed, Some(FieldId::Target), wrong.is_none(), |f| {
        f.text(wrong.as_deref().unwrap_or_default())
    });
    let version_text = head.text(version);
    let recent = http::version(head.version()).is_some_and(|version| version >= (1, 1));
    report.check("HTTP/1.1 or later", Rule::HttpVersion, Some(FieldId::Version), recent, |f| {
        if version_text.is_empty() { f.text("missing") } else { f.text(&version_text) }
    });
    report.host(server);
    let upgrade = head.has_token("upgrade", "websocket");
    report.check_header("upgrade", "Upgrade: websocket", Rule::UpgradeMissing, upgrade, |f| f);
    let connection = head.has_token("connection", "upgrade");
    report.check_header("connection", "Connection: Upgrade", Rule::ConnectionMissing, connection, |f| f);
    report.key();
    let version = head.value("sec-websocket-version").map(String::from_utf8_lossy);
    report.check_header(
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
            report.violated_at("acceptable permessage-deflate offer", fault.span, finding);
        }
    }
    report.body();
    report.once("origin", "one Origin header", Rule::OriginRepeated);
    if let (Some(origin), Some(host)) = (head.value("origin"), head.value("host"))
        && Authority::parse(host).is_ok()
    {
        let origin_text = String::from_utf8_lossy(origin);
        let same = origin_is_host(origin, host);
        report.check_header("origin", "Origin matches Host", Rule::OriginForeign, same, |f| f.text(&origin_text));
    }
    report.requirements
}

impl HandshakeReport<'_, '_> {
    fn host(&mut self, server: Option<SocketAddr>) {
        let count = self.head.values("host").count();
        match count {
            0 => self.check_header("host", "Host", Rule::HostMissing, false, |f| f),
            1 => self.check_header("host", "one Host header", Rule::HostMissing, true, |f| f),
            n => self.violated_last("host", "one Host header", Finding::new(Rule::HostRepeated, None).number(n as u64)),
        }
        let Some(host) = self.head.value("host") else { return };
        let text = String::from_utf8_lossy(host);
        let authority = match Authority::parse(host) {
            Ok(authority) => authority,
            Err(fault) => {
                let words = if host.is_empty() { String::new() } else { format!(": {text}") };
                let finding = Finding::new(Rule::HostInvalid, None).text(&format!("{}{words}", fault.words()));
                self.violated_first("host", "Host is a host and a port", finding);
                return;
            }
        };
        // The absolute form is for proxies (RFC 9112 §3.2.2): the connection went to a proxy, and Host names another server.
        let absolute = self.head.target().is_some_and(|target| !target.starts_with(b"/"));
        let Some(server) = server.filter(|_| !absolute) else { return };
        if server.ip().is_loopback() {
            let local = authority.is_local();
            self.check_header("host", "Host is localhost or an IP address", Rule::HostForeign, local, |f| {
                f.text(&text)
            });
        }
        if authority.port.is_none() && !DEFAULT_PORTS.contains(&server.port()) {
            let finding = Finding::new(Rule::HostPortMissing, None).text(&text).number(u64::from(server.port()));
            self.violated_first("host", "Host names the port", finding);
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
        self.check_header("sec-websocket-key", "Sec-WebSocket-Key of 16 bytes", rule, ok, |f| {
            if count > 1 { f.number(count as u64) } else { f.text(&key) }
        });
    }

    /// RFC 6455 §4.1 item 10: the offered subprotocols are tokens, all different.
    fn offered_subprotocols(&mut self) {
        let name = "sec-websocket-protocol";
        let offered = list(self.head, name);
        let repeated = |i: usize| offered[..i].contains(&offered[i]);
        let wrong = offered.iter().enumerate().find_map(|(i, protocol)| match is_token(protocol.as_bytes()) {
            false => Some(format!("not a token: {protocol}")),
            true => repeated(i).then(|| format!("repeated: {protocol}")),
        });
        let empty = offered.is_empty() && self.head.value(name).is_some();
        if let Some(wrong) = wrong.or_else(|| empty.then(|| "the header is empty".to_owned())) {
            self.violated_last(
                name,
                "subprotocols are tokens",
                Finding::new(Rule::SubprotocolMalformed, None).text(&wrong),
            );
        }
    }

    /// RFC 9110 §9.3.1: content in a GET request has no defined meaning.
    fn body(&mut self) {
        if Body::of_request(self.head).is_ok_and(|body| body.is_whole()) {
            return;
        }
        let name = ["transfer-encoding", "content-length"].into_iter().find(|name| self.head.value(name).is_some());
        if let Some(name) = name {
            let value = self.head.value(name).map(String::from_utf8_lossy).unwrap_or_default();
            let finding = Finding::new(Rule::RequestBody, None).text(&format!("{name}: {value}"));
            self.violated_last(name, "no body", finding);
        }
    }
}

/// Describes the error in the target of a handshake request. It must be an absolute path or an absolute http or https URI, without a
/// fragment (RFC 6455 §3, §4.1); for a proxy, also a ws or wss URI (RFC 9112 §3.2.2).
fn wrong_target(target: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(target);
    let is_absolute = AbsoluteForm::of(target).is_some_and(|form| form.authority < form.path);
    if !target.starts_with(b"/") && !is_absolute {
        return Some(format!("it is neither an absolute path nor an absolute http or https URI: {text}"));
    }
    if !target.iter().all(u8::is_ascii_graphic) {
        return Some(format!("it contains a byte that is not visible ASCII: {text}"));
    }
    target.contains(&b'#').then(|| format!("it has a fragment; a # in a path must be written %23: {text}"))
}
