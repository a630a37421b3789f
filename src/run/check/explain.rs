//! `check --explain`: explanations of error messages, close codes, sections and rules.

use std::process::ExitCode;

use anyhow::bail;

use crate::explain::Topic;
use crate::explain::lookup::{self, Answer};
use crate::export::findings;
use crate::run::stdio;
use crate::run::text::wrapped;

/// The most topics that one answer explains.
const MAX_TOPICS: usize = 5;

/// Prints what a text is about. The exit status is 1 if there are only guesses, or none.
pub fn explain(text: &str) -> anyhow::Result<ExitCode> {
    let (found, guesses) = match lookup::find(text) {
        Answer::Found(found) => (found, Vec::new()),
        Answer::Guesses(guesses) => (Vec::new(), guesses),
    };
    let mut page: String = found.iter().take(MAX_TOPICS).map(|found| entry("", found)).collect::<Vec<_>>().join("\n");
    if let Some(more) = found.get(MAX_TOPICS..).filter(|more| !more.is_empty()) {
        let ids: Vec<String> = more.iter().map(|found| found.topic.page().id).collect();
        page.push_str(&format!("\n{}", wrapped("", &format!("and {} more: {}", more.len(), ids.join(", ")))));
    }
    page.push_str(&guesses.iter().map(|guess| entry("guess: ", guess)).collect::<Vec<_>>().join("\n"));
    stdio::print(page.as_bytes())?;
    if found.is_empty() {
        let what = match guesses.is_empty() {
            true => "nothing",
            false => "only similar messages",
        };
        bail!(
            "{what} found for {text:?}; try only the words of the error, a close code, a section such as 5.5.1, or a rule's id; \
             or check a capture of the traffic"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// ```text
/// rsv1-set · error · RFC 6455 §5.2 · bit 1
///   RSV1 is 1, but no negotiated extension defines it for this frame
///   The reserved bits exist for extensions. …
///   next: Compress only after permessage-deflate was negotiated, …
///   npm ws says: Invalid WebSocket frame: RSV1 must be clear
/// ```
fn entry(prefix: &str, found: &lookup::Match) -> String {
    let page = found.topic.page();
    let span = if let Topic::Rule(rule) = found.topic { lookup::bits(rule) } else { None };
    let bits = span.map(|span| format!(" · {}", findings::bits(span))).unwrap_or_default();
    let mut entry = format!("{prefix}{} · {} · {}{bits}\n", page.id, page.kind, page.section);
    for text in page.summary.iter().chain([&page.text]) {
        entry.push_str(&wrapped("  ", text));
    }
    entry.push_str(&wrapped("  ", &format!("next: {}", page.next)));
    if let Some(message) = &found.message {
        let verb = if message.libraries.len() == 1 { "says" } else { "say" };
        entry.push_str(&wrapped("  ", &format!("{} {verb}: {}", message.libraries.join(", "), message.text)));
    }
    entry
}
