//! Where the body of a request ends.

use crate::proto::body::Body;
use crate::wire::http::{Flaw, Head};

/// The body of a request; `None` if readers may disagree on where it ends (RFC 9112 §6.3). Then it is unknown where the next request begins.
pub fn body(head: &Head<'_>) -> Option<Body> {
    if head.headers.iter().any(|line| matches!(line.flaw, Some(Flaw::NoColon | Flaw::BadName | Flaw::Folded))) {
        return None;
    }
    let (mut lengths, mut codings) = (head.values("content-length"), head.values("transfer-encoding"));
    match (lengths.next(), codings.next()) {
        (None, None) => {}
        (Some(digits), None) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {}
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {}
        _ => return None,
    }
    if lengths.next().is_some() || codings.next().is_some() {
        return None;
    }
    Body::of_request(head).ok()
}
