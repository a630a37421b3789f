use super::*;
use proptest::prelude::*;

fn redacted(raw: &str, names: &[&str]) -> String {
    let redaction = Redaction { names: names.iter().map(|name| (*name).to_owned()).collect() };
    let mut bytes = raw.as_bytes().to_vec();
    MessageRedaction::default().piece(&mut bytes, &redaction);
    String::from_utf8(bytes).expect("text")
}

fn head(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n")
}

#[test]
fn secrets_become_asterisks_of_the_same_length() {
    for (lines, hidden) in [
        ("Host: x\r\ncookie: a=1; b=2\r\nX: y", "Host: x\r\ncookie: ********\r\nX: y"),
        ("AUTHORIZATION:Basic QQ==\r\nCookies: no", "AUTHORIZATION:**********\r\nCookies: no"),
        ("Set-Cookie : k\r\nProxy-Authorization: ", "Set-Cookie : *\r\nProxy-Authorization: "),
        // Folded (RFC 9112 §5.2): the value, and a secret in the lines of another header.
        ("Cookie:\r\n one\r\n\ttwo: 2\r\nX: y", "Cookie:\r\n ***\r\n\t******\r\nX: y"),
        ("X: y\r\n Cookie: a=1\r\n b=2\r\nZ: z", "X: y\r\n Cookie: ***\r\n ***\r\nZ: z"),
        ("Cookie: a\n b\nX: y", "Cookie: *\n *\nX: y"),
        // A bare CR ends a line for some programs, and is part of the value for others.
        ("X: y\rCookie: a=1\r\nZ: z", "X: y\rCookie: ***\r\nZ: z"),
        ("Cookie: a=1\rX: b=2\r\n c\r\nZ: z", "Cookie: ***\r******\r\n *\r\nZ: z"),
        ("Cookie: a=1\rSec-WebSocket-Protocol: b", "Cookie: ***\r*************************"),
        // Without a colon, and with what some programs remove.
        ("Cookie a=1; b=2", "Cookie ********"),
        ("Cookie=a=1", "Cookie=***"),
        ("Cookie\ta", "Cookie\t*"),
        ("\u{feff}Cookie: a", "\u{feff}Cookie: *"),
        (" Cookie: a", " Cookie: *"),
        ("Cookie\0: a", "Cookie****"),
    ] {
        assert_eq!(redacted(&head(lines), &[]), head(hidden), "{lines:?}");
    }
}

#[test]
fn user_information_becomes_asterisks() {
    for (raw, hidden) in [
        ("CONNECT me:pw@host:443 HTTP/1.1\r\n\r\n", "CONNECT *****@host:443 HTTP/1.1\r\n\r\n"),
        ("GET http://me@host/@x HTTP/1.1\r\n\r\n", "GET http://**@host/@x HTTP/1.1\r\n\r\n"),
        (
            "GET /@me HTTP/1.1\r\nReferer: https://a:b@c/d\r\n\r\n",
            "GET /@me HTTP/1.1\r\nReferer: https://***@c/d\r\n\r\n",
        ),
        ("HTTP/1.1 302 F\r\nLocation: //a@b@c?d=e@f\r\n\r\n", "HTTP/1.1 302 F\r\nLocation: //***@c?d=e@f\r\n\r\n"),
    ] {
        assert_eq!(redacted(raw, &[]), hidden);
    }
}

#[test]
fn a_truncated_head_is_redacted_to_its_last_byte() {
    assert_eq!(redacted("GET / HTTP/1.1\r\nCookie: secr", &[]), "GET / HTTP/1.1\r\nCookie: ****");
}

#[test]
fn only_the_trailer_of_a_body_is_redacted() {
    let body = "POST / HTTP/1.1\r\nContent-Length: 17\r\n\r\nCookie: no header";
    assert_eq!(redacted(body, &[]), body);
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nCookie: a\r\n0\r\nX: y\r\nAuthorization: b\r\n c\r\n\r\n";
    let hidden = chunked.replace(": b\r\n c", ": *\r\n *");
    assert_eq!(redacted(chunked, &[]), hidden);
    let end = chunked.find("9\r\n").expect("a body");
    for cut in end..chunked.len() {
        let mut bytes = chunked.as_bytes().to_vec();
        let mut message = MessageRedaction::default();
        let (first, second) = bytes.split_at_mut(cut);
        message.piece(first, &Redaction::default());
        message.piece(second, &Redaction::default());
        let text = String::from_utf8(bytes).expect("text");
        let kept = |text: &str| text.split("\r\n0\r\n").next().map(str::to_owned);
        assert_eq!(kept(&text), kept(&hidden), "the body stays: {text:?}");
        assert!(!text.contains(": b") && !text.contains(" c\r\n"), "{cut}: {text:?}");
        assert!(text.ends_with("\r\n\r\n"), "{text:?}");
    }
}

#[test]
fn query_parameters_are_hidden_by_name_in_every_url() {
    let names = ["token", "api key"];
    for (target, hidden) in [
        ("/a?token=abc&x=1", "/a?token=***&x=1"),
        ("/a?x=1&TOKEN=a;b", "/a?x=1&TOKEN=***"),
        ("/a?%74oken=abc&api%20key=d#token=e", "/a?%74oken=***&api%20key=*#token=*"),
        ("ws://h/a?mytoken=1&token", "ws://h/a?mytoken=1&token"),
    ] {
        let request = |target: &str| format!("GET {target} HTTP/1.1\r\nReferer: http://x{target}\r\n\r\n");
        assert_eq!(redacted(&request(target), &names), request(hidden));
        assert_eq!(redacted(&request(target), &[]), request(target));
    }
}

#[test]
fn what_follows_a_named_subprotocol_is_hidden() {
    for (list, hidden) in [
        ("chat, access_token, eyJ.a-b", "chat, access_token, *******"),
        ("chat, v1.Access_Token.k8s, v2", "chat, v1.Access_Token****, v2"),
        ("access_token,\r\n eyJ, chat", "access_token,\r\n ***, chat"),
        ("access_token", "access_token"),
        ("access_token, a, b", "access_token, *, b"),
    ] {
        let lines = |list: &str| head(&format!("Sec-WebSocket-Protocol: {list}"));
        assert_eq!(redacted(&lines(list), &["access_token", ""]), lines(hidden));
        assert_eq!(redacted(&lines(list), &[]), lines(list));
    }
}

proptest! {
    /// However it is written, the value is hidden, and the length stays.
    #[test]
    fn no_form_of_a_header_reveals_its_value(
        before in "([A-Z]: [a-z]{0,5}(\r\n|\n|\r)){0,3}",
        name in "[Cc][Oo][Oo][Kk][Ii][Ee]|Set-Cookie|AUTHORIZATION|proxy-authorization",
        separator in "[ \t]{0,2}[:=]?[ \t]{1,2}",
        value in "s3cr3t([;=, ]|\r\n |\r\n\t|\r)s3cr3t",
    ) {
        let raw = head(&format!("{before}{name}{separator}{value}"));
        let hidden = redacted(&raw, &[]);
        prop_assert_eq!(hidden.len(), raw.len());
        prop_assert!(!hidden.contains("s3cr3t"), "{:?}", hidden);
        prop_assert!(hidden.ends_with("\r\n\r\n"));
    }
}
