//! The keys of HAR for the heads of requests and responses: headers, cookies, query and URL.

use crate::export::json::{bool_field, list_field, object, string_field};
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::http::Head;
use crate::wire::url::Scheme;

/// Appends `headers`. Joins folded values, and skips lines without a name.
pub fn headers(out: &mut Vec<u8>, head: &Head<'_>) {
    objects(out, "headers", head.headers.iter().filter(|line| !line.name.is_empty()), |out, line| {
        pair(out, &head.text(&line.name), &unfolded(&head.text(&line.value)));
    });
}

/// Appends the `cookies` of a request.
pub fn cookies_sent(out: &mut Vec<u8>, head: &Head<'_>) {
    let lines: Vec<String> = texts(head, "cookie");
    let cookies = lines.iter().flat_map(|line| line.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty());
    objects(out, "cookies", cookies, |out, cookie| {
        let (name, value) = split(cookie);
        pair(out, name, value);
    });
}

/// Appends the `cookies` of a response.
pub fn cookies_set(out: &mut Vec<u8>, head: &Head<'_>) {
    objects(out, "cookies", texts(head, "set-cookie").iter(), |out, line| {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = split(parts.next().unwrap_or_default());
        string_field(out, "name", name);
        string_field(out, "value", value);
        let attributes: Vec<(&str, &str)> = parts.map(split).collect();
        let value = |wanted: &str| attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        for (wanted, name) in [("path", "path"), ("domain", "domain")] {
            if let Some((_, value)) = value(wanted) {
                string_field(out, name, value);
            }
        }
        bool_field(out, "httpOnly", value("httponly").is_some());
        bool_field(out, "secure", value("secure").is_some());
    });
}

/// Appends `queryString`: the pairs after the question mark, not decoded.
pub fn query(out: &mut Vec<u8>, target: &str) {
    let query = target.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    objects(out, "queryString", query.split('&').filter(|part| !part.is_empty()), |out, part| {
        let (name, value) = split(part);
        pair(out, name, value);
    });
}

/// The URL of a request: its target, after scheme and host if the target has none. That of a handshake begins with `ws` or `wss`, also
/// if a client of a proxy sent it with `http` or `https`: readers of HAR know WebSockets by that.
pub fn url(target: &str, host: &str, is_websocket: bool, is_encrypted: bool) -> String {
    if let Some(absolute) = AbsoluteForm::of(target.as_bytes()) {
        let scheme = scheme(is_websocket, absolute.scheme.is_tls());
        return format!("{scheme}://{}", &target[absolute.authority..]);
    }
    if target.contains("://") && !target.starts_with('/') {
        return target.to_owned();
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    format!("{}://{host}{slash}{target}", scheme(is_websocket, is_encrypted))
}

const fn scheme(is_websocket: bool, is_encrypted: bool) -> &'static str {
    let scheme = match (is_websocket, is_encrypted) {
        (true, true) => Scheme::Wss,
        (true, false) => Scheme::Ws,
        (false, true) => Scheme::Https,
        (false, false) => Scheme::Http,
    };
    scheme.name()
}

fn texts(head: &Head<'_>, name: &str) -> Vec<String> {
    head.lines_named(name).map(|(_, line)| unfolded(&head.text(&line.value))).collect()
}

fn unfolded(value: &str) -> String {
    match value.contains('\n') {
        true => value.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        false => value.to_owned(),
    }
}

fn split(pair: &str) -> (&str, &str) {
    pair.split_once('=').unwrap_or((pair, ""))
}

fn pair(out: &mut Vec<u8>, name: &str, value: &str) {
    string_field(out, "name", name);
    string_field(out, "value", value);
}

/// Appends a field with an array of objects.
fn objects<T>(out: &mut Vec<u8>, name: &str, items: impl Iterator<Item = T>, mut fields: impl FnMut(&mut Vec<u8>, T)) {
    list_field(out, name, items, |out, item| object(out, |out| fields(out, item)));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_scheme_of_a_url_says_whether_it_is_a_websocket_and_whether_tls_was_spoken() {
        let url = |target, is_websocket, is_encrypted| super::url(target, "h:1", is_websocket, is_encrypted);
        for (target, is_websocket, is_encrypted, expected) in [
            ("/a?b", true, true, "wss://h:1/a?b"),
            ("/a?b", false, true, "https://h:1/a?b"),
            ("/", true, false, "ws://h:1/"),
            ("*", false, false, "http://h:1/*"),
            ("/?u=http://x", false, true, "https://h:1/?u=http://x"),
            ("HTTP://x:2/a", true, false, "ws://x:2/a"),
            ("http://x:2/a", false, false, "http://x:2/a"),
            ("wss://x:2/a", true, false, "wss://x:2/a"),
            ("ftp://x/a", false, true, "ftp://x/a"),
        ] {
            assert_eq!(url(target, is_websocket, is_encrypted), expected, "{target}");
        }
    }
}
