//! Turns the head of a request to a forward proxy into that of a request to its server: the absolute form becomes the origin form
//! (RFC 9112 §3.2.1), Host names the server (§3.2.2), and what is meant for the proxy is left out. Everything else stays, byte for byte.

use super::route::Place;
use crate::net::proxy::rewrite::{Change, Name, Rewritten, apply};
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::http::{Head, StartLine};

/// The headers that are for the proxy alone (RFC 9110 §11.7.2, RFC 9112 appendix C.2.2).
const FOR_THE_PROXY: [&str; 2] = ["Proxy-Connection", "Proxy-Authorization"];

/// The head for the server `place`, which the target of the request names.
pub fn rewrite(head: &Head<'_>, place: &Place) -> Option<Rewritten> {
    let StartLine::Request { target: at, .. } = &head.start else { return None };
    let target = head.slice(at);
    let path = AbsoluteForm::of(target)?.path;
    let instead = match &target[path..] {
        [b'/', ..] => "",
        // RFC 9112 §3.2.4: a request about the server as a whole.
        [] if head.method() == Some(b"OPTIONS") => "*",
        _ => "/",
    };
    let mut changes = vec![Change { at: at.start..at.start + path, name: Name::AbsoluteForm, to: instead.to_owned() }];
    let first = head.headers.first().map(|line| line.line.start).or(head.end.as_ref().map(|end| end.start));
    if let Some(first) = first.filter(|_| head.value("host").is_none()) {
        let to = format!("Host: {}\r\n", place.authority);
        changes.push(Change { at: first..first, name: Name::Added, to });
    }
    for (i, line) in head.headers.iter().enumerate() {
        let name = head.slice(&line.name);
        if name.eq_ignore_ascii_case(b"host") {
            changes.push(Change { at: line.value.clone(), name: Name::Header("Host"), to: place.authority.clone() });
        } else if let Some(name) = FOR_THE_PROXY.iter().find(|own| own.as_bytes().eq_ignore_ascii_case(name)) {
            // With its line break.
            let next = head.headers.get(i + 1).map(|next| next.line.start).or(head.end.as_ref().map(|end| end.start));
            let at = line.line.start..next.unwrap_or(line.line.end);
            changes.push(Change { at, name: Name::Removed(name), to: String::new() });
        }
    }
    apply(head, changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::proxy::forward::route::Route;

    fn rewritten(head: &str) -> (String, String) {
        let head = Head::read(head.as_bytes());
        let Ok(Route::Http(place)) = Route::of(&head) else { panic!("a server") };
        let rewritten = rewrite(&head, &place).expect("changes");
        (String::from_utf8(rewritten.bytes).expect("text"), rewritten.note)
    }

    #[test]
    fn the_absolute_form_becomes_the_origin_form_and_host_names_the_server() {
        for (sent, forwarded) in [
            (
                "GET http://a:9/x?y HTTP/1.1\r\nhOsT:a:9\r\nB:  1\r\n\r\n",
                "GET /x?y HTTP/1.1\r\nhOsT:a:9\r\nB:  1\r\n\r\n",
            ),
            ("GET http://a HTTP/1.1\r\nHost: other\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET ws://a?b HTTP/1.1\r\nHost:\r\n\r\n", "GET /?b HTTP/1.1\r\nHost:a\r\n\r\n"),
            ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("GET http://a/ HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
            ("GET http://a/ HTTP/1.0\r\nB: c\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\nB: c\r\n\r\n"),
            (
                "GET http://a/ HTTP/1.1\r\nproxy-connection: keep-alive\r\nHost: a\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            ),
            ("GET http://a/ HTTP/1.1\nHost: a\nProxy-Connection: close\n\n", "GET / HTTP/1.1\nHost: a\n\n"),
        ] {
            assert_eq!(rewritten(sent).0, forwarded);
        }
    }

    #[test]
    fn the_note_has_both_forms_and_no_secret() {
        let (_, note) = rewritten(
            "GET http://a:9/x?token=s3cret HTTP/1.1\r\nHost: b\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n",
        );
        for form in ["http://a:9", "a:9 instead of b", "Proxy-Authorization"] {
            assert!(note.contains(form), "{note}");
        }
        assert!(!note.contains("s3cret") && !note.contains("c2VjcmV0"), "{note}");
    }
}
