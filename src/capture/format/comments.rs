//! Findings as packet comments, for other readers of the file.

use crate::proto::dissected::DissectedRecord;
use crate::proto::rules::Finding;

/// How our packet comments begin; what begins otherwise was written by a person.
pub const COMMENT_PREFIX: &str = "framescope: ";

/// The most findings that one packet tells of; the rest are counted.
const MAX_COMMENTS: usize = 32;

/// Findings as packet comments, so that Wireshark's `frame.comment` finds them.
pub fn comments(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }
    let mut comments: Vec<String> = findings.iter().take(MAX_COMMENTS).map(comment).collect();
    if findings.len() > MAX_COMMENTS {
        comments.push(format!("{COMMENT_PREFIX}and {} findings more", findings.len() - MAX_COMMENTS));
    }
    comments
}

fn comment(finding: &Finding) -> String {
    format!("{COMMENT_PREFIX}{}", finding.line())
}

pub(in crate::capture) fn comments_of(records: &[DissectedRecord]) -> Vec<String> {
    records.iter().flat_map(|record| comments(&record.findings)).collect()
}
