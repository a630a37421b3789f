//! Several JSON documents in one message: one per line, or one directly after the other.

use serde::de::IgnoredAny;

use super::json;
use super::tree::{Tree, TreeBuilder, TreeFormat};

/// Reads at least two JSON documents, of which at least one is an array or object.
pub(super) fn read(bytes: &[u8]) -> Option<Tree> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(document) = documents.next() {
        document.ok()?;
        let end = documents.byte_offset();
        found.push(text[start..end].trim());
        start = end;
    }
    if found.len() < 2 || !found.iter().any(|document| document.starts_with(['{', '['])) {
        return None;
    }
    let mut lines = TreeBuilder::default();
    for (number, document) in found.iter().enumerate() {
        if lines.is_full() {
            break;
        }
        json::add(&mut lines, &format!("document {}", number + 1), document);
    }
    Some(lines.tree(TreeFormat::JsonDocuments))
}
