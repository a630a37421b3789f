//! Changes in the head of a request only what must name the target: Host, the path if the target has a base path, and Origin if
//! asked for. Everything else stays, byte for byte.

use std::ops::Range;

use crate::capture::format::proxied::Proxied;
use crate::net::wiretap::Remark;
use crate::proto::handshake::origin_is_host;
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::authority::Authority;
use crate::wire::http::{Head, StartLine};
use crate::wire::printable;
use crate::wire::url::Url;

/// What the proxy changes in requests.
#[derive(Clone, Debug)]
pub struct Rewriting {
    /// The server's URL. Its path, if any, is put in front of the path of each request.
    pub target: Url,
    /// Whether an Origin of the proxy, or of another page of this machine, becomes the origin of the target.
    pub origin: bool,
    /// Whether Host becomes that of the target whatever it names. Otherwise only localhost and IP addresses do: a name that reaches
    /// a listener on loopback may be DNS rebinding, which the server must be able to notice.
    pub any_host: bool,
}

/// The most characters of a replaced value in a note.
const MAX_NOTED: usize = 100;

/// A head with other bytes than the client sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The head for the server.
    pub bytes: Vec<u8>,
    /// What changed, with both forms, for people.
    pub note: String,
}

impl Rewritten {
    /// The remark on the record of the request.
    pub fn remark(&self) -> Remark {
        Remark::proxied(Proxied::Rewritten, self.note.clone())
    }
}

/// A part of the head that is replaced.
pub(super) struct Change {
    pub at: Range<usize>,
    pub name: Name,
    pub to: String,
}

/// What a change replaces.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Header(&'static str),
    /// Host and port in a target of the absolute form.
    Authority,
    /// The beginning of the path.
    Path,
    /// What comes before the path in a target of the absolute form.
    AbsoluteForm,
    /// Nothing: a line is added.
    Added,
    /// A line, which is left out.
    Removed(&'static str),
}

impl Change {
    /// The change for people. A query, and user information before a host, may be secret: neither is part of it.
    fn words(&self, head: &Head<'_>) -> String {
        let to = printable::text(self.to.trim_end());
        match self.name {
            Name::Header(name) => {
                let from = String::from_utf8_lossy(head.slice(&self.at));
                let short: String = from.chars().take(MAX_NOTED).collect();
                let more = if short.len() < from.len() { "…" } else { "" };
                format!("{name} {to} instead of {}{more}", printable::text(&short))
            }
            Name::Authority => format!("{to} as the host of the target"),
            Name::Path => format!("{to} in front of the path"),
            Name::AbsoluteForm => format!("the path alone instead of {}", printable::bytes(head.slice(&self.at))),
            Name::Added => format!("{to} added"),
            Name::Removed(name) => format!("{name} left out"),
        }
    }
}

/// The head with these changes, in the order of their places; `None` if nothing changes.
pub(super) fn apply(head: &Head<'_>, mut changes: Vec<Change>) -> Option<Rewritten> {
    changes.retain(|change| head.slice(&change.at) != change.to.as_bytes());
    let first = changes.first()?.at.start;
    let mut bytes = head.slice(&(0..first)).to_vec();
    let mut words = Vec::new();
    for (i, change) in changes.iter().enumerate() {
        bytes.extend_from_slice(change.to.as_bytes());
        let end = head.end.as_ref().map_or(change.at.end, |end| end.end);
        let next = changes.get(i + 1).map_or(end, |next| next.at.start);
        bytes.extend_from_slice(head.slice(&(change.at.end..next)));
        words.push(change.words(head));
    }
    Some(Rewritten { bytes, note: format!("head for the server: {}", words.join(" · ")) })
}

impl Rewriting {
    /// The head for the server; `None` if nothing changes.
    pub fn rewrite(&self, head: &Head<'_>) -> Option<Rewritten> {
        let mut rewritten = apply(head, self.changes(head))?;
        let stays = |origin: &[u8]| {
            self.origin && origin != self.target.origin().as_bytes() && !self.is_own_origin(head, origin)
        };
        if let Some(origin) = head.value("origin").filter(|origin| stays(origin)) {
            let origin: String = String::from_utf8_lossy(origin).chars().take(MAX_NOTED).collect();
            rewritten
                .note
                .push_str(&format!(" · Origin {} stays: it is not of this machine", printable::text(&origin)));
        }
        Some(rewritten)
    }

    /// The changes, in the order of their places.
    fn changes(&self, head: &Head<'_>) -> Vec<Change> {
        let mut changes = self.in_target(head);
        for line in &head.headers {
            let (name, value) = (head.slice(&line.name), head.slice(&line.value));
            let (name, to) = if name.eq_ignore_ascii_case(b"host") && self.replaces(value) {
                ("Host", self.target.authority().to_owned())
            } else if self.origin && name.eq_ignore_ascii_case(b"origin") && self.is_own_origin(head, value) {
                ("Origin", self.target.origin())
            } else {
                continue;
            };
            changes.push(Change { at: line.value.clone(), name: Name::Header(name), to });
        }
        changes
    }

    /// Returns true if a host and port that the client names become those of the target.
    fn replaces(&self, sent: &[u8]) -> bool {
        self.any_host || Authority::parse(sent).is_ok_and(|authority| authority.is_local())
    }

    /// Returns true for the origin of a page that the proxy, or a server on a loopback address, such as a development server, has sent. Others
    /// stay: the server must be able to refuse them (RFC 6455 §10.2).
    fn is_own_origin(&self, head: &Head<'_>, origin: &[u8]) -> bool {
        let is_local = || AbsoluteForm::of(origin).is_some_and(|form| is_loopback(&origin[form.authority..]));
        head.value("host").is_some_and(|host| self.replaces(host) && (origin_is_host(origin, host) || is_local()))
    }

    /// The changes of the request's target: the path gets the base path, and an absolute form names the target (RFC 9112 §3.2).
    fn in_target(&self, head: &Head<'_>) -> Vec<Change> {
        let StartLine::Request { target: at, .. } = &head.start else { return Vec::new() };
        let sent = head.slice(at);
        if sent.starts_with(b"/") {
            return self.before_path(sent, at.start).into_iter().collect();
        }
        let Some(AbsoluteForm { authority: from, path: to, .. }) = AbsoluteForm::of(sent) else { return Vec::new() };
        let authority = self.target.authority().to_owned();
        let named = Change { at: at.start + from..at.start + to, name: Name::Authority, to: authority };
        let named = Some(named).filter(|_| self.replaces(&sent[from..to]));
        named.into_iter().chain(self.before_path(&sent[to..], at.start + to)).collect()
    }

    /// The base path before a path and query. The path `/` is replaced by it, so that the base path may be an endpoint.
    fn before_path(&self, path: &[u8], at: usize) -> Option<Change> {
        let base = Some(self.target.target()).filter(|base| !base.is_empty() && *base != "/")?;
        let (len, base) = match path {
            [b'/'] | [b'/', b'?', ..] => (1, base),
            [b'/', ..] => (0, base.trim_end_matches('/')),
            _ => (0, base),
        };
        Some(Change { at: at..at + len, name: Name::Path, to: base.to_owned() })
    }
}

/// Returns true for a loopback address, or `localhost` and the names below it (RFC 6761 §6.3), with any port.
fn is_loopback(authority: &[u8]) -> bool {
    Authority::parse(authority).is_ok_and(|authority| {
        let name = authority.host.to_ascii_lowercase();
        authority.ip.is_some_and(|ip| ip.is_loopback()) || name == "localhost" || name.ends_with(".localhost")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(target: &str, origin: bool, head: &str) -> Option<(String, String)> {
        let rewriting = Rewriting { target: target.parse().expect("a URL"), origin, any_host: false };
        let rewritten = rewriting.rewrite(&Head::read(head.as_bytes()))?;
        Some((String::from_utf8(rewritten.bytes).expect("text"), rewritten.note))
    }

    #[test]
    fn only_the_value_of_host_changes_whatever_its_spelling() {
        for (sent, forwarded) in [
            (
                "GET / HTTP/1.1\r\nB: 1\r\nhOsT:\t localhost:1 \r\na: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nB: 1\r\nhOsT:\t t:9 \r\na: 2\r\n\r\n",
            ),
            ("GET / HTTP/1.1\nHOST:127.0.0.1\n\n", "GET / HTTP/1.1\nHOST:t:9\n\n"),
            ("GET  / HTTP/1.1\r\nHost:LOCALHOST:\r\nX : y\r\n\r\n", "GET  / HTTP/1.1\r\nHost:t:9\r\nX : y\r\n\r\n"),
            (
                "GET / HTTP/1.1\r\nHost: [::1]\r\nHost: 10.0.0.1:1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: t:9\r\nHost: t:9\r\n\r\n",
            ),
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
            ("ws://t/b", "http://localhost:1/chat", "http://t/b/chat"),
            ("ws://t/b", "http://127.0.0.1:1?q", "http://t/b?q"),
            ("ws://t/b", "*", "*"),
            ("ws://t/b", "a:443", "a:443"),
        ] {
            assert_eq!(target(base, sent), forwarded, "{base} {sent}");
        }
    }

    #[test]
    fn origin_changes_only_if_asked_and_the_note_has_both_forms() {
        let head = "GET /x?token=s3cret HTTP/1.1\r\nHost: localhost:1\r\norigin: http://localhost:1\r\n\r\n";
        let (bytes, note) = rewritten("wss://T.example/b", true, head).expect("changes");
        assert_eq!(bytes, "GET /b/x?token=s3cret HTTP/1.1\r\nHost: T.example\r\norigin: https://t.example\r\n\r\n");
        assert!(!note.contains("s3cret"), "{note}");
        for form in ["/b in front", "T.example", "localhost:1", "https://t.example", "http://localhost:1"] {
            assert!(note.contains(form), "{note}");
        }
    }

    #[test]
    fn origins_of_this_machine_change_and_of_others_the_note_says_that_they_stay() {
        for (origin, changes) in [
            ("http://127.0.0.1:1", true),
            ("http://LOCALHOST:3000", true),
            ("https://[::1]", true),
            ("http://a.localhost", true),
            ("http://localhost.evil.example", false),
            ("http://10.0.0.1:1", false),
            ("null", false),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: localhost:1\r\nOrigin: {origin}\r\n\r\n");
            let (bytes, note) = rewritten("ws://t:9", true, &head).expect("changes");
            assert_eq!(bytes.contains("Origin: http://t:9\r\n"), changes, "{origin}");
            assert_eq!(note.contains(&format!("Origin {origin} stays")), !changes, "{note}");
        }
    }

    #[test]
    fn a_foreign_host_and_a_foreign_origin_stay() {
        let rebound = "GET / HTTP/1.1\r\nHost: evil.example:6455\r\nOrigin: http://evil.example:6455\r\n\r\n";
        assert_eq!(rewritten("ws://t:9", true, rebound), None);
        let foreign = "GET / HTTP/1.1\r\nHost: localhost:6455\r\nOrigin: http://evil.example\r\n\r\n";
        let bytes = rewritten("ws://t:9", true, foreign).map(|(bytes, _)| bytes);
        assert_eq!(bytes, Some(foreign.replace("localhost:6455", "t:9")));
        let target = "ws://t:9".parse().expect("a URL");
        let any = Rewriting { target, origin: false, any_host: true }.rewrite(&Head::read(rebound.as_bytes()));
        assert!(any.is_some_and(|changed| changed.bytes.starts_with(b"GET / HTTP/1.1\r\nHost: t:9\r\n")));
    }
}
