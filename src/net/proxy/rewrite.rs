//! Changes in the head of a request only what must name the target: Host, the path if the target has a base path, and Origin if
//! asked for. Everything else stays, byte for byte.

use std::ops::Range;

use crate::wire::http::{Head, StartLine};
use crate::wire::printable;
use crate::wire::url::Url;

/// What the proxy changes in requests.
#[derive(Clone, Debug)]
pub struct Rewriting {
    /// The server's URL. Its path, if any, is put in front of the path of each request.
    pub target: Url,
    /// Whether Origin becomes the origin of the target.
    pub origin: bool,
}

/// A head with other bytes than the client sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The head for the server.
    pub bytes: Vec<u8>,
    /// What changed, with both forms, for people.
    pub note: String,
}

/// A part of the head that is replaced.
struct Change {
    at: Range<usize>,
    name: &'static str,
    to: String,
}

impl Rewriting {
    /// The head for the server; `None` if nothing changes.
    pub fn rewrite(&self, head: &Head<'_>) -> Option<Rewritten> {
        let changes = self.changes(head);
        let first = changes.first()?.at.start;
        let mut bytes = head.slice(&(0..first)).to_vec();
        let mut words = Vec::new();
        for (i, change) in changes.iter().enumerate() {
            bytes.extend_from_slice(change.to.as_bytes());
            let end = head.end.as_ref().map_or(change.at.end, |end| end.end);
            let next = changes.get(i + 1).map_or(end, |next| next.at.start);
            bytes.extend_from_slice(head.slice(&(change.at.end..next)));
            let from = printable::bytes(head.slice(&change.at));
            words.push(format!("{} {} instead of {from}", change.name, printable::text(&change.to)));
        }
        Some(Rewritten { bytes, note: format!("the proxy sent this request on with {}", words.join(" · ")) })
    }

    /// The changes, in the order of their places.
    fn changes(&self, head: &Head<'_>) -> Vec<Change> {
        let mut changes: Vec<Change> = self.target(head).into_iter().collect();
        for line in &head.headers {
            let name = head.slice(&line.name);
            let (name, to) = if name.eq_ignore_ascii_case(b"host") {
                ("Host", self.target.authority().to_owned())
            } else if self.origin && name.eq_ignore_ascii_case(b"origin") {
                ("Origin", self.target.origin())
            } else {
                continue;
            };
            changes.push(Change { at: line.value.clone(), name, to });
        }
        changes.retain(|change| head.slice(&change.at) != change.to.as_bytes());
        changes
    }

    /// The change of the request's target: the origin form gets the base path, the absolute form the target's authority too
    /// (RFC 9112 §3.2).
    fn target(&self, head: &Head<'_>) -> Option<Change> {
        let StartLine::Request { target: at, .. } = &head.start else { return None };
        let sent = std::str::from_utf8(head.slice(at)).ok()?;
        let change = |to| Some(Change { at: at.clone(), name: "the target", to });
        if sent.starts_with('/') {
            return change(self.path(sent));
        }
        let (scheme, rest) = sent.split_once("://").filter(|(scheme, _)| is_scheme(scheme))?;
        let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
        change(format!("{scheme}://{}{}", self.target.authority(), self.path(path)))
    }

    /// The path and query for the server. The path `/` becomes the base path as given, so that a base path may be an endpoint.
    fn path(&self, sent: &str) -> String {
        let base = self.target.target();
        match sent.strip_prefix('/') {
            _ if base.is_empty() || base == "/" => sent.to_owned(),
            Some(query) if query.is_empty() || query.starts_with('?') => format!("{base}{query}"),
            Some(_) => format!("{}{sent}", base.trim_end_matches('/')),
            None => format!("{base}{sent}"),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|scheme| scheme.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(target: &str, origin: bool, head: &str) -> Option<(String, String)> {
        let rewriting = Rewriting { target: target.parse().expect("a URL"), origin };
        let rewritten = rewriting.rewrite(&Head::read(head.as_bytes()))?;
        Some((String::from_utf8(rewritten.bytes).expect("text"), rewritten.note))
    }

    #[test]
    fn only_the_value_of_host_changes_whatever_its_spelling() {
        for (sent, forwarded) in [
            (
                "GET / HTTP/1.1\r\nB: 1\r\nhOsT:\t a:1 \r\na: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nB: 1\r\nhOsT:\t t:9 \r\na: 2\r\n\r\n",
            ),
            ("GET / HTTP/1.1\nHOST:a\n\n", "GET / HTTP/1.1\nHOST:t:9\n\n"),
            ("GET  / HTTP/1.1\r\nHost:\r\nX : y\r\n\r\n", "GET  / HTTP/1.1\r\nHost:t:9\r\nX : y\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: t:9\r\nHost: t:9\r\n\r\n"),
        ] {
            assert_eq!(rewritten("ws://t:9", false, sent).map(|(bytes, _)| bytes).as_deref(), Some(forwarded));
        }
        for unchanged in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: t:9\r\nOrigin: http://a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(rewritten("ws://t:9", false, unchanged), None);
        }
    }

    #[test]
    fn the_base_path_comes_before_the_path_of_the_request() {
        let target = |base: &str, sent: &str| {
            let head = format!("GET {sent} HTTP/1.1\r\n\r\n");
            let bytes = rewritten(base, false, &head).map_or(head, |(bytes, _)| bytes);
            bytes["GET ".len()..bytes.len() - " HTTP/1.1\r\n\r\n".len()].to_owned()
        };
        for (base, sent, forwarded) in [
            ("ws://t", "/chat?a=1", "/chat?a=1"),
            ("ws://t/", "/chat", "/chat"),
            ("ws://t/b", "/chat?a=1", "/b/chat?a=1"),
            ("ws://t/b/", "/chat", "/b/chat"),
            ("ws://t/b", "/", "/b"),
            ("ws://t/b/", "/?a", "/b/?a"),
            ("ws://t/b", "http://a:1/chat", "http://t/b/chat"),
            ("ws://t/b", "http://a:1?q", "http://t/b?q"),
            ("ws://t/b", "*", "*"),
            ("ws://t/b", "a:443", "a:443"),
        ] {
            assert_eq!(target(base, sent), forwarded, "{base} {sent}");
        }
    }

    #[test]
    fn origin_changes_only_if_asked_and_the_note_has_both_forms() {
        let head = "GET /x HTTP/1.1\r\nHost: a:1\r\norigin: http://a:1\r\n\r\n";
        let (bytes, note) = rewritten("wss://T.example/b", true, head).expect("changes");
        assert_eq!(bytes, "GET /b/x HTTP/1.1\r\nHost: T.example\r\norigin: https://t.example\r\n\r\n");
        for form in ["/b/x", "/x", "T.example", "a:1", "https://t.example", "http://a:1"] {
            assert!(note.contains(form), "{note}");
        }
    }
}
