//! Builds the list of requirements, each with the header that it applies to.

use std::ops::Range;

use super::Requirement;
use crate::proto::extensions::{Extension, Extensions, ParamFault};
use crate::proto::rules::{Finding, Rule};
use crate::wire::field::{Field, FieldId, Span};
use crate::wire::http::{self, Flaw, Head, HeaderLine};

/// The number of malformed header lines of a head that are reported. Bounds the findings of one head.
const MAX_LINE_FINDINGS: usize = 32;

pub(super) struct HandshakeReport<'h, 'b> {
    pub head: &'h Head<'b>,
    fields: Vec<Field>,
    pub requirements: Vec<Requirement>,
}

impl<'h, 'b> HandshakeReport<'h, 'b> {
    pub fn new(head: &'h Head<'b>) -> Self {
        Self { head, fields: head.fields(u64::MAX), requirements: Vec::with_capacity(10) }
    }

    pub fn check(
        &mut self,
        title: &str,
        rule: Rule,
        field: Option<FieldId>,
        ok: bool,
        fill: impl FnOnce(Finding) -> Finding,
    ) {
        if !ok && self.is_explained(rule, field) {
            return;
        }
        let span = field.and_then(|id| self.span_of(id));
        let finding = (!ok).then(|| fill(Finding::new(rule, span)));
        let field = field.filter(|_| span.is_some());
        self.requirements.push(Requirement { title: title.to_owned(), rule, field, finding });
    }

    /// Adds a requirement about the first header with this name. `fill` sets the values of the finding if it is violated.
    pub fn check_header(
        &mut self,
        name: &str,
        title: &str,
        rule: Rule,
        ok: bool,
        fill: impl FnOnce(Finding) -> Finding,
    ) {
        let field = self.head.lines_named(name).next().map(|(i, _)| header_id(i));
        self.check(title, rule, field, ok, fill);
    }

    /// Returns true if a control character in the value of a header, which is a violation of its own, explains that the value breaks
    /// this rule.
    fn is_explained(&self, rule: Rule, field: Option<FieldId>) -> bool {
        let Some(FieldId::Header(i)) = field else { return false };
        let line = self.head.headers.get(usize::from(i));
        rule.is_about_a_value() && line.is_some_and(|line| line.flaw == Some(Flaw::ControlCharacter))
    }

    /// The bits of a field, if the head has it.
    pub fn span_of(&self, id: FieldId) -> Option<Span> {
        self.fields.iter().find(|field| field.id == id).map(|field| field.span)
    }

    /// Adds a violated requirement for each error in the lines of the head.
    pub fn lines(&mut self) {
        let head = self.head;
        if let Some(at) = head.bare_lf {
            let finding = Finding::new(Rule::BareLf, Some(Span::bytes(at as u64, at as u64 + 1)));
            self.violated("lines end with CR LF", None, finding);
        }
        if let Some(status) = head.status().filter(|_| head.lacks_status_space()) {
            let finding = Finding::new(Rule::StatusSpaceMissing, self.span_of(FieldId::Status));
            self.violated("a space after the status code", Some(FieldId::Status), finding.number(u64::from(status)));
        }
        let findings = head.headers.iter().enumerate().filter_map(|(i, line)| Some((i, line_finding(head, i, line)?)));
        for (i, finding) in findings.take(MAX_LINE_FINDINGS) {
            self.violated("well-formed header line", Some(header_id(i)), finding);
        }
    }

    /// Adds a violated requirement.
    pub fn violated(&mut self, title: &str, field: Option<FieldId>, finding: Finding) {
        if self.is_explained(finding.rule, field) {
            return;
        }
        self.requirements.push(Requirement {
            title: title.to_owned(),
            rule: finding.rule,
            field,
            finding: Some(finding),
        });
    }

    /// Adds a violated requirement at these bytes of a header line, or at the whole line if the range is empty.
    pub fn violated_at(&mut self, title: &str, bytes: Range<usize>, mut finding: Finding) {
        let line =
            self.head.headers.iter().position(|line| line.line.start <= bytes.start && bytes.end <= line.line.end);
        let field = line.map(header_id);
        finding.span = match bytes.is_empty() {
            true => field.and_then(|id| self.span_of(id)),
            false => Some(Span::bytes(bytes.start as u64, bytes.end as u64)),
        };
        self.violated(title, field, finding);
    }

    /// Adds a violated requirement if there is a header with this name. The text of the finding is its value.
    pub fn absent(&mut self, name: &str, title: &str, rule: Rule) {
        if let Some(value) = self.head.value(name) {
            self.violated_last(name, title, Finding::new(rule, None).text(&String::from_utf8_lossy(value)));
        }
    }

    /// Adds a violated requirement at the first header with this name.
    pub fn violated_first(&mut self, name: &str, title: &str, mut finding: Finding) {
        let field = self.head.lines_named(name).next().map(|(i, _)| header_id(i));
        finding.span = field.and_then(|id| self.span_of(id));
        self.violated(title, field, finding);
    }

    /// Adds a violated requirement at the last header with this name.
    pub fn violated_last(&mut self, name: &str, title: &str, mut finding: Finding) {
        let field = self.head.lines_named(name).last().map(|(i, _)| header_id(i));
        finding.span = field.and_then(|id| self.span_of(id));
        self.violated(title, field, finding);
    }

    /// Adds a violated requirement if a header occurs more than once.
    pub fn once(&mut self, name: &str, title: &str, rule: Rule) {
        let count = self.head.values(name).count();
        if count > 1 {
            self.violated_last(name, title, Finding::new(rule, None).number(count as u64));
        }
    }

    /// Adds a violated requirement if the extensions header is malformed (RFC 6455 §9.1). Returns the elements of the
    /// header.
    pub fn extensions(&mut self) -> Vec<Extension> {
        let extensions = Extensions::of(self.head);
        if let Some(malformed) = extensions.malformed {
            let finding = Finding::new(Rule::ExtensionMalformed, None).text(malformed.what);
            self.violated_at("well-formed extensions", malformed.span, finding);
        }
        extensions.list
    }
}

/// Describes an invalid parameter.
pub(super) fn fault_words(fault: &ParamFault) -> String {
    let param: String = fault.param.chars().take(60).collect();
    format!("{param} {}", fault.kind.words())
}

fn header_id(i: usize) -> FieldId {
    FieldId::Header(u16::try_from(i).unwrap_or(u16::MAX))
}

fn line_finding(head: &Head<'_>, i: usize, line: &HeaderLine) -> Option<Finding> {
    let span = Some(Span::bytes(line.line.start as u64, line.line.end as u64));
    let malformed = |what| Finding::new(Rule::HeaderMalformed, span).number(i as u64 + 1).text(what);
    Some(match line.flaw? {
        Flaw::NoColon => malformed("it has no colon"),
        Flaw::BadName if head.slice(&line.name).last().is_some_and(|b| matches!(b, b' ' | b'\t')) => {
            malformed("it has white space before the colon")
        }
        Flaw::BadName => malformed("its name is not a token"),
        Flaw::ControlCharacter => {
            let at = line.value.start + http::control_character(head.slice(&line.value))?;
            let span = Span::bytes(at as u64, at as u64 + 1);
            let character = format!("0x{:02X}", head.slice(&(at..at + 1))[0]);
            Finding::new(Rule::HeaderControlCharacter, Some(span)).number(i as u64 + 1).text(&character)
        }
        Flaw::Folded => Finding::new(Rule::HeaderFolded, span).number(i as u64 + 1),
    })
}
