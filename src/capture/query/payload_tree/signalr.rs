//! Messages of the JSON protocol of SignalR: each is JSON and ends with the byte 0x1E (Hub Protocol, "JSON Encoding").

use serde::Deserialize;

use super::json;
use super::tree::{Tree, TreeBuilder, TreeFormat};

/// The byte at the end of each message: the record separator of ASCII.
const SEPARATOR: char = '\u{1e}';

/// The fields that identify the type of a message.
#[derive(Deserialize)]
struct Kind {
    r#type: Option<u64>,
    protocol: Option<serde::de::IgnoredAny>,
    error: Option<serde::de::IgnoredAny>,
}

/// Reads one or more messages of SignalR.
pub(super) fn read(bytes: &[u8]) -> Option<Tree> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix(SEPARATOR)?;
    let mut lines = TreeBuilder::default();
    for message in text.split(SEPARATOR) {
        json::check(message).ok()?;
        lines.leaf("message", &name(&serde_json::from_str(message).ok()?, message.trim() == "{}"));
        json::add(&mut lines, "", message);
    }
    Some(lines.tree(TreeFormat::SignalR))
}

fn name(kind: &Kind, is_empty: bool) -> String {
    let name = match kind.r#type {
        Some(1) => "Invocation",
        Some(2) => "StreamItem",
        Some(3) => "Completion",
        Some(4) => "StreamInvocation",
        Some(5) => "CancelInvocation",
        Some(6) => "Ping",
        Some(7) => "Close",
        Some(8) => "Ack",
        Some(9) => "Sequence",
        Some(_) => "of an unknown type",
        None if kind.protocol.is_some() => return "handshake request".to_owned(),
        None if is_empty || kind.error.is_some() => return "handshake response".to_owned(),
        None => return "without a type".to_owned(),
    };
    format!("{name} (type {})", kind.r#type.unwrap_or_default())
}
