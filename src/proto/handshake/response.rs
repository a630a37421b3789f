//! The requirements for a response (RFC 6455 §4.1, §4.2.2).

use super::report::{HandshakeReport, fault_words};
use super::{RequestFacts, Requirement, list};
use crate::proto::accept::{AcceptBench, Spaces, wrong_spaces};
use crate::proto::extensions::{self, DeflateParams, Extension, PERMESSAGE_DEFLATE, ParamFaultKind};
use crate::proto::rules::{Finding, Rule};
use crate::wire::field::FieldId;
use crate::wire::http::{self, Head};

/// Returns true if an intermediary, such as a proxy, made the response in place of a server that it could not reach: Proxy-Status has
/// the parameter `error` (RFC 9209 §2.1.1).
fn is_of_intermediary(head: &Head<'_>) -> bool {
    let names_error =
        |value: &[u8]| value.split(|b| b";,".contains(b)).any(|part| part.trim_ascii().starts_with(b"error="));
    head.values("proxy-status").any(names_error)
}

/// Checks the requirements for a response, in the order of RFC 6455 §4.1 and §4.2.2. `request` are the facts of the
/// request that it answers; pass the default if the request was not captured.
pub fn check_response(head: &Head<'_>, request: &RequestFacts) -> Vec<Requirement> {
    let mut report = HandshakeReport::new(head);
    report.lines();
    let status = head.status().unwrap_or(0);
    // A switch to another protocol, such as h2c, is not a WebSocket handshake.
    let other = request.is_known && !head.is_upgrade();
    if !request.is_handshake && (status != 101 || other) {
        return report.requirements;
    }
    // No server sent it, so it says nothing about the server.
    if status != 101 && is_of_intermediary(head) {
        return report.requirements;
    }
    let title = if status == 101 { "status 101 Switching Protocols" } else { "status 101" };
    report.check(title, Rule::StatusNot101, Some(FieldId::Status), status == 101, |f| f.number(u64::from(status)));
    if status != 101 {
        return report.requirements;
    }
    report.recent_version();
    // The whole value: only a request may list several protocols.
    let upgrade = head.values("upgrade").any(|value| value.eq_ignore_ascii_case(b"websocket"));
    report.check_header("upgrade", "Upgrade: websocket", Rule::ResponseUpgradeMissing, upgrade, |f| f);
    report.once("upgrade", "one Upgrade header", Rule::ResponseUpgradeRepeated);
    let connection = head.has_token("connection", "upgrade");
    report.check_header("connection", "Connection: Upgrade", Rule::ResponseConnectionMissing, connection, |f| f);
    report.absent("content-length", "no Content-Length", Rule::ResponseContentLength);
    report.absent("transfer-encoding", "no Transfer-Encoding", Rule::ResponseTransferEncoding);
    match (head.value("sec-websocket-accept"), &request.key) {
        (None, _) => {
            report.check_header("sec-websocket-accept", "Sec-WebSocket-Accept", Rule::AcceptMissing, false, |f| f);
        }
        (Some(_), None) => {} // Without the request the expected value is unknown.
        (Some(accept), Some(key)) => {
            let bench = AcceptBench::new(key, Some(accept));
            let spaces = if bench.is_ok() { None } else { wrong_spaces(&request.key_line, accept) };
            let (rule, words) = match spaces {
                Some(Spaces::Around) => (
                    Rule::AcceptKeySpaces,
                    "the key with the white space around it, which is not part of the key".to_owned(),
                ),
                Some(Spaces::Inside) => (Rule::AcceptKeySpaces, "the key without the white space inside it".to_owned()),
                None => {
                    let received = bench.received.as_deref().unwrap_or_default();
                    (Rule::AcceptWrong, format!("received {received}, expected {}", bench.expected))
                }
            };
            report
                .check_header("sec-websocket-accept", "Sec-WebSocket-Accept", rule, bench.is_ok(), |f| f.text(&words));
        }
    }
    report.once("sec-websocket-accept", "one Sec-WebSocket-Accept header", Rule::AcceptRepeated);
    let chosen = list(head, "sec-websocket-protocol");
    if chosen.is_empty() && head.value("sec-websocket-protocol").is_some() {
        let finding = Finding::new(Rule::SubprotocolMalformed, None).text("the header is empty");
        report.violated_last("sec-websocket-protocol", "a subprotocol", finding);
    }
    if chosen.len() > 1 {
        let finding = Finding::new(Rule::SubprotocolRepeated, None).text(&chosen.join(", "));
        report.violated_last("sec-websocket-protocol", "one subprotocol", finding);
    }
    if !request.protocols.is_empty() && head.value("sec-websocket-protocol").is_none() {
        // A subprotocol can be a secret token, so the finding does not quote them.
        let finding = Finding::new(Rule::SubprotocolNotChosen, None).number(request.protocols.len() as u64);
        report.violated("a subprotocol is chosen", None, finding);
    }
    // Without the request the offers are unknown.
    for chosen in chosen.into_iter().filter(|_| request.is_known) {
        let offered = request.protocols.contains(&chosen);
        let title = format!("subprotocol {chosen} was offered");
        report
            .check_header("sec-websocket-protocol", &title, Rule::SubprotocolNotOffered, offered, |f| f.text(&chosen));
    }
    report.once(extensions::HEADER, "one Sec-WebSocket-Extensions header", Rule::ExtensionsRepeated);
    let chosen = report.extensions();
    for extension in chosen.iter().filter(|_| request.is_known) {
        let name = &extension.name;
        let offered = request.extensions.iter().any(|offered| offered.eq_ignore_ascii_case(name));
        let title = format!("{name} was offered");
        report.check_header(extensions::HEADER, &title, Rule::ExtensionNotOffered, offered, |f| f.text(name));
    }
    report.chosen_deflate(&chosen, request);
    report.requirements
}

impl HandshakeReport<'_, '_> {
    /// RFC 9110 §15.2: HTTP/1.0 has no status 101.
    fn recent_version(&mut self) {
        let version = self.head.version();
        if http::version(version).is_none_or(|version| version < (1, 1)) {
            let finding = Finding::new(Rule::ResponseHttpVersion, self.span_of(FieldId::Version));
            let finding = finding.text(&String::from_utf8_lossy(version));
            self.violated("HTTP/1.1 or later", Some(FieldId::Version), finding);
        }
    }

    /// RFC 7692 §5 and §7.1: the server accepts permessage-deflate once, with valid parameters that match an offer.
    fn chosen_deflate(&mut self, chosen: &[Extension], request: &RequestFacts) {
        let accepted: Vec<&Extension> = chosen.iter().filter(|extension| extension.is_deflate()).collect();
        if let [_, .., again] = accepted.as_slice() {
            let finding = Finding::new(Rule::ExtensionRepeated, None).text(PERMESSAGE_DEFLATE);
            let finding = finding.number(accepted.len() as u64);
            self.violated_at("permessage-deflate accepted once", again.span.clone(), finding);
        }
        for extension in accepted {
            let (rule, words, span) = match DeflateParams::read(extension) {
                Err(fault) if fault.kind == ParamFaultKind::Repeated => {
                    (Rule::DeflateParameterRepeated, fault.param, fault.span)
                }
                Err(fault) => (Rule::DeflateParameterInvalid, fault_words(&fault), fault.span),
                Ok(params) => {
                    // The response may answer any offer. If it matches none, report why it does not match the first,
                    // which the client prefers.
                    let mut verdicts = request.deflate_offers.iter().map(|offer| offer.allows(&params));
                    let Some(verdict) = verdicts.next() else {
                        if request.extensions.iter().any(|name| name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE)) {
                            let words = "the request contains no acceptable offer";
                            let finding = Finding::new(Rule::DeflateParameterInvalid, None).text(words);
                            self.violated_at("acceptable permessage-deflate offer", extension.span.clone(), finding);
                        }
                        continue;
                    };
                    let Err((name, why)) = verdict else { continue };
                    if verdicts.any(|verdict| verdict.is_ok()) {
                        continue;
                    }
                    let param = extension.params.iter().find(|param| param.name == name);
                    let span = param.map_or(&extension.span, |param| &param.span);
                    (Rule::DeflateParameterInvalid, format!("{name} {why}"), span.clone())
                }
            };
            self.violated_at("parameters of permessage-deflate", span, Finding::new(rule, None).text(&words));
        }
    }
}
