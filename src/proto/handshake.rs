//! The opening handshake as a report of steps, each kept or broken (RFC 6455 §4.1, §4.2).

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::accept::{AcceptBench, Spaces, is_valid_key, wrong_spaces};
use super::body::Body;
use super::extensions::{
    self, DeflateOffer, DeflateParams, Extension, Extensions, PERMESSAGE_DEFLATE, ParamFault, ParamFaultKind,
};
use super::rules::{Finding, Rule};
use crate::wire::field::{Field, FieldId, Span};
use crate::wire::http::{self, Flaw, Head, HeaderLine, StartLine, is_token};

/// Targets that our server reserves for WebSocket: a request for one is judged as a handshake, whatever its headers.
pub const WEBSOCKET_TARGETS: [&str; 3] = ["/ticker", "/echo", "/lab"];

/// The protocol version of RFC 6455.
pub const VERSION: &str = "13";

/// How many malformed lines of a head are found fault with: a head of nothing else must not flood the capture.
const MAX_LINE_FINDINGS: usize = 32;

/// One requirement of the handshake, and whether it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was required, or what was found where that says more; raw from the wire.
    pub title: String,
    /// Where it is required.
    pub section: &'static str,
    /// The field that it is about, when the head has it.
    pub field: Option<FieldId>,
    /// What is wrong; `None` when the requirement is met.
    pub finding: Option<Finding>,
}

/// What a response must be held against: the facts of the request that it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// Whether the request was seen at all.
    pub is_known: bool,
    /// Whether it asks for WebSocket, well or badly.
    pub is_handshake: bool,
    /// Whether it is a HEAD, so that the response has no body.
    pub is_head: bool,
    /// The first Sec-WebSocket-Key.
    pub key: Option<Box<[u8]>>,
    /// The same with the white space around it: all that stands behind the header's colon.
    pub key_line: Box<[u8]>,
    /// The subprotocols offered.
    pub protocols: Vec<String>,
    /// The names of the extensions offered.
    pub extensions: Vec<String>,
    /// The offers of permessage-deflate that a server may accept.
    pub deflate_offers: Vec<DeflateOffer>,
}

impl RequestFacts {
    /// The facts of a request.
    pub fn of(head: &Head<'_>) -> Self {
        let key_line = head.lines_named("sec-websocket-key").next().map(|(_, line)| line.name.end + 1..line.line.end);
        let extensions = Extensions::of(head).list;
        let deflate = extensions.iter().filter(|extension| extension.is_deflate());
        Self {
            is_known: true,
            is_handshake: is_handshake(head),
            is_head: head.method() == Some(b"HEAD"),
            key: head.value("sec-websocket-key").map(Into::into),
            key_line: key_line.map(|line| head.slice(&line).into()).unwrap_or_default(),
            protocols: list(head, "sec-websocket-protocol"),
            deflate_offers: deflate.filter_map(|extension| DeflateOffer::read(extension).ok()).collect(),
            extensions: extensions.into_iter().map(|extension| extension.name).collect(),
        }
    }
}

/// Whether the rules of the handshake apply to a request.
pub fn is_handshake(head: &Head<'_>) -> bool {
    let path = head.target().map(|t| t.split(|b| *b == b'?').next().unwrap_or(t));
    head.is_upgrade() || path.is_some_and(|path| WEBSOCKET_TARGETS.iter().any(|t| t.as_bytes() == path))
}

/// Whether a Host value is `localhost` or an IP literal, so that no foreign name was resolved to reach us.
pub fn host_is_local(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let name = if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or(host).trim_matches(['[', ']'])
    } else {
        host.rsplit_once(':').map_or(host, |(name, _)| name)
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether an Origin names the place that Host names (RFC 6455 §10.2).
pub fn origin_is_host(origin: &[u8], host: &[u8]) -> bool {
    let (Ok(origin), Ok(host)) = (std::str::from_utf8(origin), std::str::from_utf8(host)) else { return false };
    let Some((scheme, place)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |place: &str| place.strip_suffix(default_port).unwrap_or(place).to_ascii_lowercase();
    bare(place) == bare(host)
}

/// The requirements that a request has to meet, in the order of RFC 6455 §4.1. `server` is the address that was connected
/// to, where it is known.
pub fn check_request(head: &Head<'_>, server: Option<SocketAddr>) -> Vec<Step> {
    let mut report = Report { head, fields: head.fields(u64::MAX), steps: Vec::with_capacity(10) };
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

/// The requirements that a response has to meet, in the order of RFC 6455 §4.1 and §4.2.2. `request` holds the facts of the
/// request that it answers; default facts when that was not seen.
pub fn check_response(head: &Head<'_>, request: &RequestFacts) -> Vec<Step> {
    let mut report = Report { head, fields: head.fields(u64::MAX), steps: Vec::with_capacity(8) };
    report.lines();
    let status = head.status().unwrap_or(0);
    if !request.is_handshake && status != 101 {
        return report.steps;
    }
    let title = if status == 101 { "status 101 Switching Protocols" } else { "status 101" };
    report.step(title, Rule::StatusNot101, Some(FieldId::Status), status == 101, |f| f.number(u64::from(status)));
    if status != 101 {
        return report.steps;
    }
    let upgrade = head.has_token("upgrade", "websocket");
    report.header_step("upgrade", "Upgrade: websocket", Rule::ResponseUpgradeMissing, upgrade, |f| f);
    let connection = head.has_token("connection", "upgrade");
    report.header_step("connection", "Connection: Upgrade", Rule::ResponseConnectionMissing, connection, |f| f);
    match (head.value("sec-websocket-accept"), &request.key) {
        (None, _) => {
            report.header_step("sec-websocket-accept", "Sec-WebSocket-Accept", Rule::AcceptMissing, false, |f| f);
        }
        (Some(_), None) => {} // Without the request there is nothing to hold it against.
        (Some(accept), Some(key)) => {
            let bench = AcceptBench::new(key, Some(accept));
            let spaces = if bench.is_ok() { None } else { wrong_spaces(&request.key_line, accept) };
            let (rule, words) = match spaces {
                Some(Spaces::Around) => {
                    (Rule::AcceptKeySpaces, "the key with white space that only stands around it".to_owned())
                }
                Some(Spaces::Inside) => (Rule::AcceptKeySpaces, "the key without the white space inside it".to_owned()),
                None => {
                    let received = bench.received.as_deref().unwrap_or_default();
                    (Rule::AcceptWrong, format!("{received}; the key asks for {}", bench.expected))
                }
            };
            report.header_step("sec-websocket-accept", ACCEPT_STEP, rule, bench.is_ok(), |f| f.text(&words));
        }
    }
    report.once("sec-websocket-accept", "one Sec-WebSocket-Accept header", Rule::AcceptRepeated);
    let chosen = list(head, "sec-websocket-protocol");
    if chosen.len() > 1 {
        let finding = Finding::new(Rule::SubprotocolRepeated, None).text(&chosen.join(", "));
        report.broken_last("sec-websocket-protocol", "one subprotocol", finding);
    }
    for chosen in chosen {
        let offered = !request.is_known || request.protocols.contains(&chosen);
        let title = format!("subprotocol {chosen} was offered");
        report.header_step("sec-websocket-protocol", &title, Rule::SubprotocolNotOffered, offered, |f| f.text(&chosen));
    }
    report.once(extensions::HEADER, "one Sec-WebSocket-Extensions header", Rule::ExtensionsRepeated);
    let chosen = report.extensions();
    for extension in &chosen {
        let name = &extension.name;
        let offered = !request.is_known || request.extensions.contains(name);
        let title = format!("{name} was offered");
        report.header_step(extensions::HEADER, &title, Rule::ExtensionNotOffered, offered, |f| f.text(name));
    }
    report.chosen_deflate(&chosen, request);
    report.steps
}

/// The title of the step that the computation of the accept key belongs to.
pub const ACCEPT_STEP: &str = "Sec-WebSocket-Accept";

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

fn fault_words(fault: &ParamFault) -> String {
    let param: String = fault.param.chars().take(60).collect();
    format!("{param} {}", fault.kind.words())
}

struct Report<'h, 'b> {
    head: &'h Head<'b>,
    fields: Vec<Field>,
    steps: Vec<Step>,
}

impl Report<'_, '_> {
    fn step(
        &mut self,
        title: &str,
        rule: Rule,
        field: Option<FieldId>,
        ok: bool,
        fill: impl FnOnce(Finding) -> Finding,
    ) {
        let span = field.and_then(|id| self.span_of(id));
        let finding = (!ok).then(|| fill(Finding::new(rule, span)));
        let field = field.filter(|_| span.is_some());
        self.steps.push(Step { title: title.to_owned(), section: rule.section(), field, finding });
    }

    /// A step about the first header of that name.
    fn header_step(&mut self, name: &str, title: &str, rule: Rule, ok: bool, fill: impl FnOnce(Finding) -> Finding) {
        let field = self.head.lines_named(name).next().map(|(i, _)| header_id(i));
        self.step(title, rule, field, ok, fill);
    }

    fn span_of(&self, id: FieldId) -> Option<Span> {
        self.fields.iter().find(|field| field.id == id).map(|field| field.span)
    }

    /// What is wrong with the lines themselves; no step where all is well.
    fn lines(&mut self) {
        let head = self.head;
        if let Some(at) = head.bare_lf {
            let finding = Finding::new(Rule::BareLf, Some(Span::bytes(at as u64, at as u64 + 1)));
            self.broken("lines end with CR LF", None, finding);
        }
        let findings = head.headers.iter().enumerate().filter_map(|(i, line)| Some((i, line_finding(head, i, line)?)));
        for (i, finding) in findings.take(MAX_LINE_FINDINGS) {
            self.broken("well-formed header line", Some(header_id(i)), finding);
        }
    }

    fn broken(&mut self, title: &str, field: Option<FieldId>, finding: Finding) {
        let section = finding.rule.section();
        self.steps.push(Step { title: title.to_owned(), section, field, finding: Some(finding) });
    }

    /// A broken requirement, at some bytes of a header line; at the whole line where something is missing.
    fn broken_at(&mut self, title: &str, bytes: Range<usize>, mut finding: Finding) {
        let line =
            self.head.headers.iter().position(|line| line.line.start <= bytes.start && bytes.end <= line.line.end);
        let field = line.map(header_id);
        finding.span = match bytes.is_empty() {
            true => field.and_then(|id| self.span_of(id)),
            false => Some(Span::bytes(bytes.start as u64, bytes.end as u64)),
        };
        self.broken(title, field, finding);
    }

    /// A broken requirement, at the last header of that name.
    fn broken_last(&mut self, name: &str, title: &str, mut finding: Finding) {
        let field = self.head.lines_named(name).last().map(|(i, _)| header_id(i));
        finding.span = field.and_then(|id| self.span_of(id));
        self.broken(title, field, finding);
    }

    /// A header that must not stand there twice; no step where it does not.
    fn once(&mut self, name: &str, title: &str, rule: Rule) {
        let count = self.head.values(name).count();
        if count > 1 {
            self.broken_last(name, title, Finding::new(rule, None).number(count as u64));
        }
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

    /// RFC 6455 §9.1. Returns the members of the header.
    fn extensions(&mut self) -> Vec<Extension> {
        let extensions = Extensions::of(self.head);
        if let Some(malformed) = extensions.malformed {
            let finding = Finding::new(Rule::ExtensionMalformed, None).text(malformed.what);
            self.broken_at("well-formed extensions", malformed.span, finding);
        }
        extensions.list
    }

    /// RFC 7692 §5 and §7.1: permessage-deflate is accepted once, with its own parameters, and as it was offered.
    fn chosen_deflate(&mut self, chosen: &[Extension], request: &RequestFacts) {
        let accepted: Vec<&Extension> = chosen.iter().filter(|extension| extension.is_deflate()).collect();
        if let [_, .., again] = accepted.as_slice() {
            let finding = Finding::new(Rule::ExtensionRepeated, None).text(PERMESSAGE_DEFLATE);
            let finding = finding.number(accepted.len() as u64);
            self.broken_at("permessage-deflate accepted once", again.span.clone(), finding);
        }
        for extension in accepted {
            let (rule, words, span) = match DeflateParams::read(extension) {
                Err(fault) if fault.kind == ParamFaultKind::Repeated => {
                    (Rule::DeflateParameterRepeated, fault.param, fault.span)
                }
                Err(fault) => (Rule::DeflateParameterInvalid, fault_words(&fault), fault.span),
                Ok(params) => {
                    // It may answer any of the offers; of those that it does not, the first is what the client wants most.
                    let mut verdicts = request.deflate_offers.iter().map(|offer| offer.allows(&params));
                    let Some(Err((name, why))) = verdicts.next() else { continue };
                    if verdicts.any(|verdict| verdict.is_ok()) {
                        continue;
                    }
                    let param = extension.params.iter().find(|param| param.name == name);
                    let span = param.map_or(&extension.span, |param| &param.span);
                    (Rule::DeflateParameterInvalid, format!("{name} {why}"), span.clone())
                }
            };
            self.broken_at("parameters of permessage-deflate", span, Finding::new(rule, None).text(&words));
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

    fn host(&mut self, server: Option<SocketAddr>) {
        let count = self.head.values("host").count();
        match count {
            0 => self.header_step("host", "Host", Rule::HostMissing, false, |f| f),
            1 => self.header_step("host", "one Host header", Rule::HostMissing, true, |f| f),
            n => self.header_step("host", "one Host header", Rule::HostRepeated, false, |f| f.number(n as u64)),
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
}

fn header_id(i: usize) -> FieldId {
    FieldId::Header(u16::try_from(i).unwrap_or(u16::MAX))
}

fn line_finding(head: &Head<'_>, i: usize, line: &HeaderLine) -> Option<Finding> {
    let span = Some(Span::bytes(line.line.start as u64, line.line.end as u64));
    let malformed = |what| Finding::new(Rule::HeaderMalformed, span).number(i as u64 + 1).text(what);
    Some(match line.flaw? {
        Flaw::NoColon => malformed("it has no colon"),
        Flaw::BadName if head.slice(&line.name).last().is_some_and(|b| matches!(b, b' ' | b'\t')) => {
            malformed("white space before the colon")
        }
        Flaw::BadName => malformed("its name is no token"),
        Flaw::BadValue => malformed("its value holds NUL or a lone CR"),
        Flaw::Folded => Finding::new(Rule::HeaderFolded, span).number(i as u64 + 1),
    })
}

/// The members of a comma-separated header, over all its lines.
fn list(head: &Head<'_>, name: &str) -> Vec<String> {
    head.values(name)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(|part| String::from_utf8_lossy(part.trim_ascii()).into_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
