//! The absolute form of a request's target: `http://host/path`, as clients send it to proxies (RFC 9112 §3.2.2).

use super::url::Scheme;

/// The parts of a target in the absolute form, as offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteForm {
    /// The scheme.
    pub scheme: Scheme,
    /// Where host and port begin.
    pub authority: usize,
    /// Where they end, and path or query begin; the length of the target if it has neither.
    pub path: usize,
}

impl AbsoluteForm {
    /// Finds the parts; `None` if a target has another form, or a scheme that is not in [`Scheme::ALL`].
    pub fn of(target: &[u8]) -> Option<Self> {
        let end = target.windows(3).position(|part| part == b"://")?;
        let named = |scheme: &Scheme| scheme.name().as_bytes().eq_ignore_ascii_case(&target[..end]);
        let (scheme, authority) = (Scheme::ALL.into_iter().find(named)?, end + 3);
        let path = target[authority..].iter().position(|byte| b"/?#".contains(byte));
        Some(Self { scheme, authority, path: path.map_or(target.len(), |at| authority + at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_9112_section_3_2_2_the_parts_of_a_target() {
        for (target, parts) in [
            ("http://a/x?y", Some((Scheme::Http, 7, 8))),
            ("WSS://[::1]:9?y", Some((Scheme::Wss, 6, 13))),
            ("http://a", Some((Scheme::Http, 7, 8))),
            ("http://a#b", Some((Scheme::Http, 7, 8))),
            ("http:///", Some((Scheme::Http, 7, 7))),
            ("/http://a", None),
            ("ftp://a", None),
            ("a:80", None),
            ("*", None),
        ] {
            let found = AbsoluteForm::of(target.as_bytes()).map(|form| (form.scheme, form.authority, form.path));
            assert_eq!(found, parts, "{target}");
        }
    }
}
