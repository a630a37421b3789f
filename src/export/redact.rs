//! Replaces secrets by asterisks of the same length, so that offsets do not change.

use std::ops::Range;

use crate::wire::http::Head;

/// The headers whose values are secrets.
const SECRET: [&str; 4] = ["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// Redacts the HTTP head at the beginning of `bytes`.
pub fn head(bytes: &mut [u8]) {
    let head = Head::read(bytes);
    let values: Vec<Range<usize>> = head
        .headers
        .iter()
        .filter(|line| is_secret(head.slice(&line.name)))
        // The value of a folded header may begin in the line after its name.
        .map(|line| line.name.end + 1..line.line.end)
        .collect();
    for range in values {
        overwrite(&mut bytes[range]);
    }
}

/// Redacts all lines that look like header lines.
pub fn lines(bytes: &mut [u8]) {
    let mut at = 0;
    let mut secret = false;
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1);
        let line = &mut bytes[at..end];
        let colon = line.iter().position(|b| *b == b':');
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        match colon {
            _ if folded && secret => overwrite(line),
            Some(colon) => {
                secret = is_secret(&line[..colon]);
                if secret {
                    overwrite(&mut line[colon + 1..]);
                }
            }
            None => secret = false,
        }
        at = end;
    }
}

fn is_secret(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// Overwrites a value with asterisks. Keeps the white space around it, and the line breaks and indents of a folded value.
fn overwrite(value: &mut [u8]) {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let lead = value.iter().take_while(|b| blank(b)).count();
    let trail = value[lead..].iter().rev().take_while(|b| blank(b)).count();
    let end = value.len() - trail;
    let mut after_break = false;
    for byte in &mut value[lead..end] {
        let keep = matches!(*byte, b'\r' | b'\n') || after_break && matches!(*byte, b' ' | b'\t');
        after_break = *byte == b'\n';
        if !keep {
            *byte = b'*';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(raw: &str) -> String {
        let mut bytes = raw.as_bytes().to_vec();
        head(&mut bytes);
        let mut by_line = raw.as_bytes().to_vec();
        lines(&mut by_line);
        assert_eq!(by_line, bytes, "both ways agree on a head without body");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn secrets_become_asterisks_of_the_same_length() {
        let raw = "GET / HTTP/1.1\r\nHost: x\r\ncookie: a=1; b=2\r\nAUTHORIZATION:Basic QQ==\r\nCookies: no\r\n\
            Set-Cookie : k\r\nProxy-Authorization: \r\n\r\n";
        let expected = "GET / HTTP/1.1\r\nHost: x\r\ncookie: ********\r\nAUTHORIZATION:**********\r\nCookies: no\r\n\
            Set-Cookie : *\r\nProxy-Authorization: \r\n\r\n";
        assert_eq!(redacted(raw), expected);
    }

    #[test]
    fn a_folded_secret_is_redacted_to_its_end() {
        let raw = "GET / HTTP/1.1\r\nCookie:\r\n one\r\n\ttwo: 2\r\nHost: x\r\n\r\n";
        assert_eq!(redacted(raw), "GET / HTTP/1.1\r\nCookie:\r\n ***\r\n\t******\r\nHost: x\r\n\r\n");
    }

    #[test]
    fn a_truncated_head_is_redacted_to_its_last_byte() {
        assert_eq!(redacted("GET / HTTP/1.1\r\nCookie: secr"), "GET / HTTP/1.1\r\nCookie: ****");
        let mut body = b"POST / HTTP/1.1\r\n\r\nCookie: not a header".to_vec();
        let before = body.clone();
        head(&mut body);
        assert_eq!(body, before);
    }
}
