//! Findings as a JUnit document, which CI systems show as test results. JUnit has no standard; this is the schema of Jenkins'
//! xUnit plugin (`junit-10.xsd`).
//!
//! ```text
//! testsuites
//!   testsuite name="a.pcapng"                  one per capture
//!     testcase name="capture"                  the file was read whole, and has frames
//!     testcase name="client-frame-unmasked"    one per rule, so that a test has the same name in every run
//!       failure type="error" message="record 5: …"
//! ```

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::lines::{FindingLines, LineStyle};
use super::{Fault, FaultKind};
use crate::capture::store::record::Record;
use crate::proto::rules::{Rule, Severity, grouped};
use crate::proto::time::Time;

/// The most findings of a rule in a capture that are listed; others are counted.
const MAX_LISTED: usize = 100;

/// Collects the findings of captures.
pub struct JunitReport {
    fail_on: Severity,
    suites: Vec<Suite>,
    /// The name of the capture that is being checked.
    file: String,
    lines: FindingLines,
    breaches: BTreeMap<usize, Breaches>,
}

/// The findings of one rule.
#[derive(Default)]
struct Breaches {
    count: u64,
    /// The first [`MAX_LISTED`], a line each.
    lines: Vec<String>,
}

struct Suite {
    file: String,
    cases: Vec<Case>,
}

struct Case {
    name: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// Passed with findings below the threshold.
    Noted(String),
    Failed(Reason),
    /// The test could not be made.
    Error(Reason),
}

struct Reason {
    kind: &'static str,
    /// The first line of `text`.
    message: String,
    text: String,
}

impl JunitReport {
    /// Creates a report in which a test fails if a finding is as severe as `fail_on`.
    pub fn new(fail_on: Severity) -> Self {
        let lines = FindingLines::new("", LineStyle::Plain);
        Self { fail_on, suites: Vec::new(), file: String::new(), lines, breaches: BTreeMap::new() }
    }

    /// Begins the suite of a capture.
    pub fn begin(&mut self, file: &str) {
        self.file = super::file_name(file);
        self.lines = FindingLines::new(file, LineStyle::Plain);
        self.breaches.clear();
    }

    /// Sets the time of the first record of the capture.
    pub fn set_start(&mut self, start: Time) {
        self.lines.set_start(start);
    }

    /// Adds the findings of a record.
    pub fn add(&mut self, record: &Record) {
        for finding in &record.findings {
            let breaches = self.breaches.entry(finding.rule as usize).or_default();
            breaches.count += 1;
            if breaches.lines.len() < MAX_LISTED {
                breaches.lines.push(self.lines.without_file(record, finding, " · "));
            }
        }
    }

    /// Ends the suite of the capture. A rule without findings is a passed test only if `is_judged`: otherwise nothing was there to
    /// break it.
    pub fn end(&mut self, is_judged: bool, faults: &[Fault]) {
        let mut cases = vec![Case { name: "capture", outcome: capture_outcome(faults) }];
        for rule in Rule::ALL {
            let breaches = self.breaches.remove(&(*rule as usize));
            if is_judged || breaches.is_some() {
                let outcome = breaches.map_or(Outcome::Passed, |breaches| self.rule_outcome(*rule, &breaches));
                cases.push(Case { name: rule.id(), outcome });
            }
        }
        self.suites.push(Suite { file: std::mem::take(&mut self.file), cases });
    }

    fn rule_outcome(&self, rule: Rule, breaches: &Breaches) -> Outcome {
        let mut text = breaches.lines.join("\n");
        let more = breaches.count - breaches.lines.len() as u64;
        if more > 0 {
            text.push_str(&format!("\nand {} more", grouped(more)));
        }
        match rule.severity() >= self.fail_on {
            true => Outcome::Failed(Reason::new(rule.severity().name(), text)),
            false => Outcome::Noted(text),
        }
    }

    /// Appends the document.
    ///
    /// # Errors
    /// None: appending to memory does not fail.
    pub fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let counts = counts(self.suites.iter().flat_map(|suite| &suite.cases));
        let root = xml
            .create_element("testsuites")
            .with_attribute(("name", "framescope check"))
            .with_attributes(counts.attributes());
        root.write_inner_content(|xml| self.suites.iter().try_for_each(|suite| suite.write(xml)))?;
        out.push(b'\n');
        Ok(())
    }
}

fn capture_outcome(faults: &[Fault]) -> Outcome {
    let Some(first) = faults.first() else { return Outcome::Passed };
    let reasons: Vec<&str> = faults.iter().map(|fault| fault.reason.as_str()).collect();
    let is_error = faults.iter().any(|fault| fault.kind == FaultKind::Unread);
    let reason = Reason::new(first.kind.name(), reasons.join("\n"));
    if is_error { Outcome::Error(reason) } else { Outcome::Failed(reason) }
}

impl Reason {
    fn new(kind: &'static str, text: String) -> Self {
        Self { kind, message: text.lines().next().unwrap_or_default().to_owned(), text }
    }
}

struct Counts {
    tests: String,
    failures: String,
    errors: String,
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> Counts {
    let (mut tests, mut failures, mut errors) = (0_usize, 0_usize, 0_usize);
    for case in cases {
        tests += 1;
        failures += usize::from(matches!(case.outcome, Outcome::Failed(_)));
        errors += usize::from(matches!(case.outcome, Outcome::Error(_)));
    }
    Counts { tests: tests.to_string(), failures: failures.to_string(), errors: errors.to_string() }
}

impl Counts {
    fn attributes(&self) -> [(&str, &str); 3] {
        [("tests", &self.tests), ("failures", &self.failures), ("errors", &self.errors)]
    }
}

impl Suite {
    fn write(&self, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
        let counts = counts(self.cases.iter());
        let file = xml_text(&self.file);
        let suite = xml
            .create_element("testsuite")
            .with_attribute(("name", file.as_str()))
            .with_attributes(counts.attributes());
        suite.write_inner_content(|xml| self.cases.iter().try_for_each(|case| case.write(&file, xml)))?;
        Ok(())
    }
}

impl Case {
    fn write(&self, file: &str, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
        let case = xml.create_element("testcase").with_attributes([("classname", file), ("name", self.name)]);
        match &self.outcome {
            Outcome::Passed => case.write_empty()?,
            Outcome::Noted(text) => case.write_inner_content(|xml| {
                xml.create_element("system-out").write_text_content(BytesText::new(&xml_text(text)))?;
                Ok(())
            })?,
            Outcome::Failed(reason) => case.write_inner_content(|xml| reason.write("failure", xml))?,
            Outcome::Error(reason) => case.write_inner_content(|xml| reason.write("error", xml))?,
        };
        Ok(())
    }
}

impl Reason {
    fn write(&self, element: &str, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
        let message = xml_text(&self.message);
        let element = xml.create_element(element).with_attributes([("type", self.kind), ("message", message.as_str())]);
        element.write_text_content(BytesText::new(&xml_text(&self.text)))?;
        Ok(())
    }
}

/// The text with the characters that XML 1.0 §2.2 forbids replaced. The writer escapes the others.
fn xml_text(text: &str) -> String {
    let is_forbidden =
        |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    text.replace(is_forbidden, "\u{fffd}")
}
