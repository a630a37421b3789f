//! Packets of Engine.IO, versions 3 and 4: one digit with the type, then the data. Messages may contain a Socket.IO packet.

use super::context::PayloadContext;
use super::tree::{Tree, TreeBuilder, TreeFormat, hex};
use super::{json, socket_io};

/// The names of the types, by their digits.
const TYPES: [&str; 7] = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

/// The type of a packet that carries a message.
const MESSAGE: usize = 4;

/// Reads a packet. Without the parameter `EIO` in the request target, only packets that hardly anything else looks like.
pub(super) fn read(bytes: &[u8], context: &PayloadContext<'_>) -> Option<Tree> {
    let version = context.engine_io();
    if !context.is_text {
        return binary(bytes, version?);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let digit = text.chars().next()?.to_digit(10)? as usize;
    let name = TYPES.get(digit)?;
    let data = &text[1..];
    let mut lines = TreeBuilder::default();
    lines.leaf("Engine.IO packet", &format!("{digit} {name}"));
    let socket_io = digit == MESSAGE && socket_io::add(&mut lines, data);
    let is_json = data.starts_with(['{', '[']) && json::check(data).is_ok();
    let is_certain = match digit {
        0 => is_json && data.contains("\"sid\""),
        2 | 3 => data == "probe",
        _ => socket_io && data.contains(['{', '[']),
    };
    if version.is_none() && !is_certain {
        return None;
    }
    match (socket_io, is_json) {
        (true, _) => {}
        (false, true) => json::add(&mut lines, "data", data),
        (false, false) if data.is_empty() => {}
        (false, false) => lines.leaf("data", data),
    }
    Some(lines.tree(if socket_io { TreeFormat::SocketIo } else { TreeFormat::EngineIo }))
}

/// A binary message: a part of a Socket.IO packet that came before. Version 3 writes the type as a byte before it.
fn binary(bytes: &[u8], version: u8) -> Option<Tree> {
    let mut lines = TreeBuilder::default();
    let data = match version {
        3 => {
            let (kind, data) = bytes.split_first()?;
            let name = TYPES.get(usize::from(*kind))?;
            lines.leaf("Engine.IO packet", &format!("{kind} {name}"));
            data
        }
        _ => {
            lines.leaf("Engine.IO packet", "message, without its type");
            bytes
        }
    };
    lines.leaf("attachment", &hex(data));
    Some(lines.tree(TreeFormat::EngineIo))
}
