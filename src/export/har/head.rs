//! The keys of HAR for the heads of requests and responses: headers, cookies, query and URL.

use crate::export::json::{bool_field, list_field, object, string_field};
use crate::wire::http::Head;

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

/// The URL of a request: its target, after scheme and host if the target has none.
pub fn url(target: &str, host: &str, is_websocket: bool, is_encrypted: bool) -> String {
    if target.contains("://") {
        return target.to_owned();
    }
    let scheme = if is_websocket { "ws" } else { "http" };
    let secure = if is_encrypted { "s" } else { "" };
    let slash = if target.starts_with('/') { "" } else { "/" };
    format!("{scheme}{secure}://{host}{slash}{target}")
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
