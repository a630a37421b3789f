//! Messages of GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, and `graphql-ws` of subscriptions-transport-ws.

use serde::Deserialize;

use super::context::PayloadContext;
use super::json;
use super::tree::{Tree, TreeBuilder, TreeFormat};

/// The types of `graphql-transport-ws`, and what each means.
const TRANSPORT_WS: [(&str, &str); 8] = [
    ("connection_init", "the client starts; the payload may have its credentials"),
    ("connection_ack", "the server accepts"),
    ("ping", "asks for a pong"),
    ("pong", "answers a ping, or shows that the sender is alive"),
    ("subscribe", "the client starts an operation"),
    ("next", "a result of an operation"),
    ("error", "the operation failed; it has ended"),
    ("complete", "the operation has ended, or the client ends it"),
];

/// The types of `graphql-ws`, and what each means.
const WS: [(&str, &str); 10] = [
    ("connection_init", "the client starts; the payload may have its credentials"),
    ("connection_ack", "the server accepts"),
    ("connection_error", "the server refuses"),
    ("ka", "the server is alive"),
    ("connection_terminate", "the client ends the connection"),
    ("start", "the client starts an operation"),
    ("data", "a result of an operation"),
    ("error", "the operation failed before it started"),
    ("complete", "the operation has ended"),
    ("stop", "the client ends an operation"),
];

/// Types that only GraphQL over WebSocket uses: they identify it without a handshake.
const DISTINCTIVE: [&str; 4] = ["connection_init", "connection_ack", "connection_error", "connection_terminate"];

#[derive(Deserialize)]
struct Message<'m> {
    #[serde(borrow)]
    r#type: std::borrow::Cow<'m, str>,
    #[serde(borrow)]
    id: Option<std::borrow::Cow<'m, str>>,
}

/// The types of the subprotocol, if type and payload together show it: an operation with its query, or its result.
fn by_content(kind: &str, has_id: bool, text: &str) -> Option<&'static [(&'static str, &'static str)]> {
    let (types, keys): (&[_], &[&str]) = match kind {
        "subscribe" => (&TRANSPORT_WS, &["query"]),
        "next" => (&TRANSPORT_WS, &["data", "errors"]),
        "start" => (&WS, &["query"]),
        "data" => (&WS, &["data", "errors"]),
        _ => return None,
    };
    let message: serde_json::Value = serde_json::from_str(text).ok()?;
    let payload = message.get("payload")?;
    (has_id && keys.iter().any(|key| payload.get(key).is_some())).then_some(types)
}

/// Reads a message of GraphQL over WebSocket.
pub(super) fn read(bytes: &[u8], context: &PayloadContext<'_>) -> Option<Tree> {
    let text = std::str::from_utf8(bytes).ok()?;
    let message: Message<'_> = serde_json::from_str(text).ok()?;
    let kind = message.r#type.as_ref();
    let types: &[_] = match context.subprotocol() {
        "graphql-transport-ws" => &TRANSPORT_WS,
        "graphql-ws" => &WS,
        "" if DISTINCTIVE.contains(&kind) => &WS,
        "" => by_content(kind, message.id.is_some(), text)?,
        _ => return None,
    };
    let meaning = types.iter().find(|(name, _)| *name == kind).map_or("not a type of this subprotocol", |(_, is)| is);
    let mut lines = TreeBuilder::default();
    lines.leaf("message", &format!("{kind}: {meaning}"));
    if let Some(id) = &message.id {
        lines.leaf("operation", id);
    }
    json::add(&mut lines, "", text);
    Some(lines.tree(TreeFormat::GraphQl))
}
