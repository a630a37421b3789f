//! Judges the response to the opening handshake (RFC 6455 §4.1, RFC 7692 §7.1).

use crate::proto::extensions::{DeflateParams, Extensions};
use crate::proto::handshake::{self, RequestFacts};
use crate::proto::rules::{Finding, Rule};
use crate::wire::http::{Head, StartLine};
use crate::wire::printable;

/// The most characters of a body that an error quotes.
const MAX_QUOTED: usize = 200;

/// Why a client does not accept a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server answered something other than 101.
    #[error("the server answered {status}, not 101 Switching Protocols{location}{body}{hint}", location = location_words(.location.as_deref()), body = body_words(body), hint = hint(*.code))]
    Status {
        /// The status code; 0 if it is no number.
        code: u16,
        /// Status code and reason phrase.
        status: String,
        /// The value of Location, if there is one.
        location: Option<String>,
        /// The beginning of the body in one line; empty if it has no text.
        body: String,
    },
    /// The response breaks a rule for which a client must fail the connection.
    #[error("the handshake failed: {} ({})", .0.sentence(), .0.rule.section())]
    Broken(Box<Finding>),
}

/// The URL of a redirect without the parts that may be secret: user information and query.
fn location_words(location: Option<&str>) -> String {
    let Some(location) = location else { return String::new() };
    let (path, cut) = match location.find(['?', '#']) {
        Some(at) => (&location[..at], "…"),
        None => (location, ""),
    };
    // The authority begins after // (RFC 3986 §3.2).
    let start = path.find("//").map_or(path.len(), |at| at + 2);
    let authority = path[start..].split('/').next().unwrap_or_default();
    let host = authority.rfind('@').map_or(start, |at| start + at + 1);
    let (scheme, rest) = (&path[..start], &path[host..]);
    format!("; connect to its Location instead: {}{cut}", printable::text(&format!("{scheme}{rest}")))
}

/// What to try after a status.
const fn hint(code: u16) -> &'static str {
    match code {
        // RFC 6455 §10.2: servers refuse origins that they do not expect.
        403 => "; if it checks Origin, try -H 'Origin: URL' with an address that it allows",
        _ => "",
    }
}

fn body_words(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!(": {body}") }
}

impl Refusal {
    /// The refusal of a response with a status other than 101.
    pub fn of_status(head: &Head<'_>, body: &[u8]) -> Self {
        let (status, reason) = match &head.start {
            StartLine::Response { status, reason, .. } => (head.text(status), head.text(reason)),
            StartLine::Request { .. } => Default::default(),
        };
        let body = String::from_utf8_lossy(body);
        let words = body.split_whitespace().collect::<Vec<_>>().join(" ");
        // More words may follow.
        let words = words.strip_suffix('.').unwrap_or(&words);
        let mut quoted: String = words.chars().take(MAX_QUOTED).collect();
        if quoted.len() < words.len() {
            quoted.push('…');
        }
        let location = (300..400).contains(&head.status().unwrap_or(0)).then(|| head.value("location")).flatten();
        Self::Status {
            code: head.status().unwrap_or(0),
            status: format!("{status} {reason}").trim().to_owned(),
            location: location.map(|location| String::from_utf8_lossy(location).into_owned()),
            body: printable::text(&quoted).into_owned(),
        }
    }
}

/// Checks a response with status 101. Returns the parameters of permessage-deflate, if the server accepted it.
///
/// # Errors
/// The first rule that it breaks and for which the client must fail the connection.
pub fn accepted(head: &Head<'_>, request: &RequestFacts) -> Result<Option<DeflateParams>, Refusal> {
    let mut broken = handshake::check_response(head, request).into_iter().filter_map(|step| step.finding);
    if let Some(finding) = broken.find(|finding| fails_client(finding.rule)) {
        return Err(Refusal::Broken(Box::new(finding)));
    }
    let chosen = Extensions::of(head).list;
    Ok(chosen.iter().find(|extension| extension.is_deflate()).and_then(|deflate| DeflateParams::read(deflate).ok()))
}

/// Whether a client must fail the connection if a response breaks the rule (RFC 6455 §4.1, items 2 to 6; §9.1; RFC 7692 §5, §7.1).
const fn fails_client(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::ResponseUpgradeMissing
            | Rule::ResponseUpgradeRepeated
            | Rule::ResponseConnectionMissing
            | Rule::AcceptMissing
            | Rule::AcceptWrong
            | Rule::AcceptKeySpaces
            | Rule::AcceptRepeated
            | Rule::SubprotocolNotOffered
            | Rule::SubprotocolRepeated
            | Rule::SubprotocolMalformed
            | Rule::ExtensionNotOffered
            | Rule::ExtensionRepeated
            | Rule::ExtensionMalformed
            | Rule::DeflateParameterInvalid
            | Rule::DeflateParameterRepeated
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

    const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn judged(lines: &[&str]) -> Result<Option<DeflateParams>, Rule> {
        let response = format!("HTTP/1.1 101 Switching Protocols\r\n{}\r\n\r\n", lines.join("\r\n"));
        let request = RequestFacts::of(&Head::read(REQUEST));
        accepted(&Head::read(response.as_bytes()), &request).map_err(|refusal| match refusal {
            Refusal::Broken(finding) => finding.rule,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn rfc_6455_section_4_1_a_client_fails_the_connection_for_each_of_these() {
        let (upgrade, connection) = ("Upgrade: websocket", "Connection: Upgrade");
        let extra = |line: &str| judged(&[upgrade, connection, ACCEPT, line]);
        assert_eq!(judged(&[upgrade, connection, ACCEPT]), Ok(None));
        assert_eq!(judged(&[connection, ACCEPT]), Err(Rule::ResponseUpgradeMissing));
        assert_eq!(judged(&[upgrade, ACCEPT]), Err(Rule::ResponseConnectionMissing));
        assert_eq!(judged(&[upgrade, connection]), Err(Rule::AcceptMissing));
        let wrong = "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_eq!(judged(&[upgrade, connection, wrong]), Err(Rule::AcceptWrong));
        assert_eq!(extra("Sec-WebSocket-Protocol: c"), Err(Rule::SubprotocolNotOffered));
        assert_eq!(extra("Sec-WebSocket-Protocol: b"), Ok(None));
        assert_eq!(extra("Sec-WebSocket-Extensions: x-other"), Err(Rule::ExtensionNotOffered));
        let deflate = |params: &str| extra(&format!("Sec-WebSocket-Extensions: permessage-deflate{params}"));
        assert_eq!(deflate("").map(|params| params.is_some()), Ok(true));
        assert_eq!(deflate("; client_max_window_bits=16"), Err(Rule::DeflateParameterInvalid));
        assert_eq!(deflate(", permessage-deflate"), Err(Rule::ExtensionRepeated));
    }

    #[test]
    fn another_status_is_shown_with_its_body() {
        let refusal = |text: &str| {
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            Refusal::of_status(&Head::read(format!("{head}\r\n\r\n").as_bytes()), body.as_bytes()).to_string()
        };
        assert_eq!(
            refusal("HTTP/1.1 404 Not Found\r\n\r\n\r\n go\u{1b} away \r\nmore"),
            "the server answered 404 Not Found, not 101 Switching Protocols: go\u{241b} away more"
        );
        assert_eq!(
            refusal("HTTP/1.1 403 Forbidden\r\n\r\nNo.\n"),
            "the server answered 403 Forbidden, not 101 Switching Protocols: No; if it checks Origin, try -H 'Origin: URL' with an \
             address that it allows"
        );
        assert_eq!(
            refusal("HTTP/1.1 301\r\nLocation: wss://b/\r\n\r\n"),
            "the server answered 301, not 101 Switching Protocols; connect to its Location instead: wss://b/"
        );
    }
}
