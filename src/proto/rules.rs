//! The catalogue of rules, and findings: a rule that a record violates.

mod catalogue;
mod finding;

pub use self::catalogue::Rule;
pub use self::finding::Finding;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// No rule is violated, but the fact is worth knowing.
    Info,
    /// A SHOULD is violated, or the traffic is insecure.
    Warning,
    /// A MUST is violated.
    Error,
}

impl Severity {
    /// The name in exports and lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The sign of the severity on the screen and in pictures, so that colour is never the only one.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Info => "i",
            Self::Warning => "⚠",
            Self::Error => "✗",
        }
    }
}

impl Rule {
    /// The sentence of the rule's findings, with `…` for each value.
    pub fn summary(self) -> String {
        finding::fill(self.template(), |_, out| out.push('…'))
    }

    /// True if the finding names bytes in place of a frame.
    pub const fn is_foreign_bytes(self) -> bool {
        matches!(
            self,
            Self::HttpResponseInStream
                | Self::HttpRequestInStream
                | Self::LineBreakInStream
                | Self::TextInStream
                | Self::NulInStream
                | Self::TlsInStream
                | Self::ProxyHeaderInStream
        )
    }

    /// True if the rule is about the value of a single header, so that a wrong character in it can be what breaks the rule.
    pub(super) const fn is_about_a_value(self) -> bool {
        matches!(
            self,
            Self::HostInvalid
                | Self::HostForeign
                | Self::HostPortMissing
                | Self::OriginForeign
                | Self::UpgradeMissing
                | Self::ConnectionMissing
                | Self::KeyMalformed
                | Self::VersionNot13
                | Self::SubprotocolMalformed
                | Self::SubprotocolNotOffered
                | Self::ExtensionMalformed
                | Self::ExtensionNotOffered
                | Self::DeflateOfferInvalid
                | Self::DeflateParameterInvalid
                | Self::ResponseUpgradeMissing
                | Self::ResponseConnectionMissing
                | Self::AcceptWrong
                | Self::AcceptKeySpaces
        )
    }

    /// True if a response is judged by the rule only in relation to its request.
    pub(super) const fn is_about_the_request(self) -> bool {
        matches!(
            self,
            Self::SubprotocolNotOffered
                | Self::SubprotocolNotChosen
                | Self::ExtensionNotOffered
                | Self::DeflateParameterInvalid
        )
    }
}

/// Formats a number with a comma before each group of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a number with a noun: `1 byte`, `1,024 bytes`.
pub fn count(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_kebab_case_and_sections_name_their_document() {
        let ids: std::collections::BTreeSet<_> = Rule::ALL.iter().map(|r| r.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert!(
                rule.id().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                rule.id()
            );
            let document = rule.section().split_once(" §").map(|(document, _)| document);
            assert!(
                document.is_some_and(|name| name.starts_with("RFC ") || name == "PROXY protocol"),
                "{}",
                rule.section()
            );
        }
    }
}
