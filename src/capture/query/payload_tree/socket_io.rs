//! Packets of Socket.IO in messages of Engine.IO: type, number of attachments, namespace, id and JSON.

use super::json;
use super::tree::TreeBuilder;

/// The names of the types, by their digits. Version 2 calls type 4 ERROR.
const TYPES: [&str; 7] = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"];

/// The first type with attachments.
const BINARY_EVENT: usize = 5;

/// The most attachments that are listed.
const MAX_ATTACHMENTS: u64 = 16;

/// Adds the lines of a packet, if the text is one. Otherwise adds nothing and returns false.
pub(super) fn add(lines: &mut TreeBuilder, text: &str) -> bool {
    let Some(packet) = Packet::read(text) else { return false };
    lines.leaf("Socket.IO packet", &format!("{} {}", packet.kind, TYPES[packet.kind]));
    lines.leaf("namespace", packet.namespace);
    if !packet.id.is_empty() {
        lines.leaf("acknowledgement id", packet.id);
    }
    for number in 0..packet.attachments.min(MAX_ATTACHMENTS) {
        let text = format!("binary message {} after this one; in the data: placeholder {number}", number + 1);
        lines.leaf(&format!("attachment {number}"), &text);
    }
    if packet.attachments > MAX_ATTACHMENTS {
        lines.leaf("attachments", &packet.attachments.to_string());
    }
    if !packet.data.is_empty() {
        json::add(lines, "data", packet.data);
    }
    true
}

/// The parts of a packet.
#[derive(Debug, PartialEq, Eq)]
struct Packet<'p> {
    kind: usize,
    attachments: u64,
    namespace: &'p str,
    id: &'p str,
    /// JSON, or empty.
    data: &'p str,
}

impl<'p> Packet<'p> {
    fn read(text: &'p str) -> Option<Self> {
        let kind = text.chars().next()?.to_digit(10)? as usize;
        TYPES.get(kind)?;
        let mut rest = &text[1..];
        let mut attachments = 0;
        if kind >= BINARY_EVENT {
            let (count, after) = rest.split_once('-')?;
            (attachments, rest) = (count.parse().ok()?, after);
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = rest.split_at(digits);
        let has_data = !data.is_empty() && json::check(data).is_ok();
        (has_data || data.is_empty()).then_some(Self { kind, attachments, namespace, id, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_packet_reads_back(
            kind in 0..7_usize, attachments in 0..99_u64, namespace in "/[a-z]{0,9}(\\?[a-z]=1)?", id in "[0-9]{0,4}", data in "|\\[\"[a-z]{0,9}\",\\{\\}\\]",
        ) {
            let attachments = if kind >= BINARY_EVENT { attachments } else { 0 };
            let count = if kind >= BINARY_EVENT { format!("{attachments}-") } else { String::new() };
            // `/` is not written.
            let path = if namespace == "/" { String::new() } else { format!("{namespace},") };
            let text = format!("{kind}{count}{path}{id}{data}");
            let expected = Packet { kind, attachments, namespace: &namespace, id: &id, data: &data };
            prop_assert_eq!(Packet::read(&text), Some(expected));
        }
    }
}
