//! A finding: a rule that a record violates, with the values of its sentence.

use std::fmt::Write as _;

use super::{Rule, grouped};
use crate::proto::direction::Direction;
use crate::wire::field::Span;
use crate::wire::printable;

/// A violated rule, or another fact worth knowing, about one record.
///
/// The values (`number`, `by`, `text`) are data: the sentence is made from them, and no code reads them back out of the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The bits at fault, counted from the record's first bit. `None` if something is missing, or if no bits are at fault.
    pub span: Option<Span>,
    /// The earlier record that the finding refers to. In the output of [`crate::proto`] its ordinal within the connection (from
    /// 0); in a [`crate::capture`] record its record number (from 1).
    pub about: Option<u64>,
    /// The number that the rule is about, where there is one: a length, a count, an offset, a status or close code, an opcode.
    pub number: Option<u64>,
    /// The text that the rule is about, raw from the wire, or a phrase that completes the sentence.
    pub text: Option<Box<str>>,
    /// The side that the finding is about, where the sentence names it: a [`Rule::TcpReset`] was sent by this side, a
    /// [`Rule::CloseMissing`] or [`Rule::CloseUnanswered`] was missed by it. Given as the direction in which that side sends.
    pub by: Option<Direction>,
}

impl Finding {
    /// The longest text that a finding keeps, in characters.
    const MAX_TEXT: usize = 120;

    /// A finding without values.
    pub const fn new(rule: Rule, span: Option<Span>) -> Self {
        Self { rule, span, about: None, number: None, text: None, by: None }
    }

    /// Sets the number.
    #[must_use]
    pub const fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// Sets the text, of which at most 120 characters are kept.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.chars().take(Self::MAX_TEXT).collect::<String>().into_boxed_str());
        self
    }

    /// Sets the side that the finding is about: the side that sends in this direction.
    #[must_use]
    pub const fn by(mut self, side: Direction) -> Self {
        self.by = Some(side);
        self
    }

    /// Sets the earlier record that the finding refers to.
    #[must_use]
    pub const fn about(mut self, ordinal: Option<u64>) -> Self {
        self.about = ordinal;
        self
    }

    /// The finding as one sentence, with `…` for a value that is not set. Contains captured text as it is: make it
    /// [`printable`] before it reaches a terminal.
    pub fn sentence(&self) -> String {
        fill(self.rule.template(), |name, out| {
            if self.value(name, out).is_none() {
                out.push('…');
            }
        })
    }

    /// The finding on one line, safe for a terminal: severity, sentence, id and section.
    pub fn line(&self) -> String {
        let Self { rule, .. } = self;
        let sentence = self.sentence();
        format!("{}: {} ({}, {})", rule.severity().name(), printable::text(&sentence), rule.id(), rule.section())
    }

    /// Appends the value with this name in the catalogue; `None` if it is not set.
    fn value(&self, name: &str, out: &mut String) -> Option<()> {
        match name {
            "number" => out.push_str(&grouped(self.number?)),
            "bound" => {
                if let Some(bound) = self.text.as_deref() {
                    out.push_str(bound);
                    out.push(' ');
                }
                out.push_str(&grouped(self.number?));
            }
            "digits" => out.push_str(&self.number?.to_string()),
            "hex" => write!(out, "{:X}", self.number?).ok()?,
            "by" => out.push_str(self.by?.sender()),
            _ => out.push_str(self.text.as_deref()?),
        }
        Some(())
    }
}

/// The template with what `value` appends for each `{name}` in it.
pub(super) fn fill(template: &str, mut value: impl FnMut(&str, &mut String)) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        out.push_str(before);
        value(name, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_contains_the_values() {
        let sentence = |rule, number| Finding::new(rule, None).number(number).sentence();
        assert!(sentence(Rule::ControlTooLong, 1126).contains("1,126"));
        assert!(sentence(Rule::CloseCodeInvalid, 1005).contains("1005"));
        assert!(sentence(Rule::OpcodeReserved, 0xb).contains("0xB"));
        assert!(Finding::new(Rule::MethodNotGet, None).text("POST").sentence().contains("POST"));
        assert!(Finding::new(Rule::TcpReset, None).by(Direction::ServerToClient).sentence().contains("server"));
        let bounded = Finding::new(Rule::ControlTooLong, None).number(256).text("at least");
        assert!(bounded.sentence().contains("at least 256"));
    }

    #[test]
    fn every_name_in_braces_is_known() {
        let full = Finding { number: Some(1), by: Some(Direction::ClientToServer), ..Finding::new(Rule::BareLf, None) }
            .text("x");
        for rule in Rule::ALL {
            let mut names = Vec::new();
            fill(rule.template(), |name, _| names.push(name.to_owned()));
            let known = ["number", "digits", "hex", "bound", "text", "by"];
            assert!(names.iter().all(|name| known.contains(&name.as_str())), "{}: {names:?}", rule.id());
            let finding = Finding { rule: *rule, ..full.clone() };
            assert!(!finding.sentence().contains(['…', '{', '}']), "{}: {}", rule.id(), finding.sentence());
            assert_eq!(rule.summary().matches('…').count(), names.len(), "{}", rule.id());
        }
    }

    #[test]
    fn a_line_is_safe_for_a_terminal_and_a_long_text_is_truncated() {
        let finding = Finding::new(Rule::MethodNotGet, None).text(&"\x1b".repeat(200));
        assert!(!finding.line().contains('\x1b'));
        assert!(finding.line().starts_with("error: ") && finding.line().ends_with("(method-not-get, RFC 6455 §4.1)"));
        assert_eq!(finding.text.map(|text| text.chars().count()), Some(Finding::MAX_TEXT));
    }
}
