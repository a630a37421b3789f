//! Packet comments: findings for other readers of the file, and notes of people.

use std::borrow::Cow;

use super::file_markers::{Marker, PREFIX};
use crate::proto::dissected::DissectedRecord;
use crate::proto::rules::Finding;

/// The most findings in the comments of one packet; one more comment counts the rest.
const MAX_FINDINGS: usize = 32;

/// The longest note that is written, in bytes. The length of an option has 16 bits.
pub const MAX_NOTE: usize = 60_000;

/// Precedes a note that would otherwise read as a comment of framescope.
const ESCAPE: char = '\\';

/// The meaning of a packet comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Comment<'a> {
    /// Data for the importer.
    Marker(Marker),
    /// A note by a person.
    Note(Cow<'a, str>),
    /// A finding, which the importer makes again from the bytes, or a marker that this version does not know.
    Ignored,
}

impl<'a> Comment<'a> {
    /// Reads a packet comment.
    pub fn read(text: &'a str) -> Self {
        if text.starts_with(PREFIX) {
            return Marker::read(text).map_or(Self::Ignored, Self::Marker);
        }
        let note = if needs_escape(text) { &text[ESCAPE.len_utf8()..] } else { text };
        Self::Note(Cow::Borrowed(note))
    }
}

/// Findings as packet comments, `framescope: SEVERITY: SENTENCE (RULE, SECTION)`, for Wireshark's filter `frame.comment`.
pub fn comments(findings: &[Finding]) -> Vec<String> {
    let mut comments: Vec<String> =
        findings.iter().take(MAX_FINDINGS).map(|finding| format!("{PREFIX} {}", finding.line())).collect();
    if findings.len() > MAX_FINDINGS {
        comments.push(format!("{PREFIX} and {} more findings", findings.len() - MAX_FINDINGS));
    }
    comments
}

/// The findings of several records as packet comments.
pub(in crate::capture) fn comments_of(records: &[DissectedRecord]) -> Vec<String> {
    records.iter().flat_map(|record| comments(&record.findings)).collect()
}

/// A note as a packet comment: with a backslash before it if it would otherwise read as a comment of framescope.
pub fn note(note: &str) -> Cow<'_, str> {
    if note.starts_with(PREFIX) || needs_escape(note) {
        Cow::Owned(format!("{ESCAPE}{note}"))
    } else {
        Cow::Borrowed(note)
    }
}

/// Returns true for backslashes before [`PREFIX`]: the form of a note that was escaped.
fn needs_escape(text: &str) -> bool {
    let rest = text.trim_start_matches(ESCAPE);
    rest.len() < text.len() && rest.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::rules::Rule;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_note_reads_back_as_the_same_note(slashes in 0usize..4, text in "(framescope:)?.*") {
            let typed = "\\".repeat(slashes) + &text;
            let comment = note(&typed);
            prop_assert_eq!(Comment::read(&comment), Comment::Note(Cow::Borrowed(typed.as_str())));
        }
    }

    #[test]
    fn a_note_is_escaped_only_where_it_reads_as_a_comment_of_framescope() {
        assert_eq!(note("look here"), "look here");
        assert_eq!(note("\\o/"), "\\o/");
        assert_eq!(note("framescope:gap to=5"), "\\framescope:gap to=5");
        assert_eq!(note("\\framescope: x"), "\\\\framescope: x");
    }

    #[test]
    fn a_finding_is_neither_a_marker_nor_a_note() {
        for rule in Rule::ALL {
            for comment in comments(&[Finding::new(*rule, None)]) {
                assert_eq!(Comment::read(&comment), Comment::Ignored, "{comment}");
            }
        }
        let many = vec![Finding::new(Rule::BareLf, None); MAX_FINDINGS + 3];
        let comments = comments(&many);
        assert_eq!(comments.len(), MAX_FINDINGS + 1);
        assert_eq!(comments.last().map(String::as_str), Some("framescope: and 3 more findings"));
        assert_eq!(Comment::read(&comments[MAX_FINDINGS]), Comment::Ignored);
    }
}
