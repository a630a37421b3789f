//! A tree: its lines, and how they are collected.

use crate::wire::printable;

/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 64;

/// The most lines that a tree has.
pub(super) const MAX_LINES: usize = 10_000;

/// The longest text of a line, in bytes.
pub(super) const MAX_TEXT: usize = 4096;

/// The format of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeFormat {
    /// RFC 8259.
    Json,
    /// msgpack.org.
    MessagePack,
    /// RFC 8949.
    Cbor,
    /// Several JSON values, one after the other.
    JsonDocuments,
    /// The JSON protocol of SignalR.
    SignalR,
    /// A Socket.IO packet in an Engine.IO packet.
    SocketIo,
    /// An Engine.IO packet.
    EngineIo,
    /// A message of GraphQL over WebSocket.
    GraphQl,
    /// Protocol Buffers, without their schema.
    Protobuf,
}

impl TreeFormat {
    /// The name of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
            Self::Cbor => "CBOR",
            Self::JsonDocuments => "JSON documents",
            Self::SignalR => "SignalR",
            Self::SocketIo => "Socket.IO",
            Self::EngineIo => "Engine.IO",
            Self::GraphQl => "GraphQL",
            Self::Protobuf => "Protobuf (guess)",
        }
    }
}

/// A payload as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The format of the payload.
    pub format: TreeFormat,
    /// The lines, from the top.
    pub lines: Vec<TreeLine>,
    /// Whether further lines were dropped.
    pub cut: bool,
}

/// A line of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeLine {
    /// The nesting depth, from 0.
    pub depth: usize,
    /// The key of the value, as it is written.
    pub name: String,
    /// The value, or the bracket that begins or ends one.
    pub text: String,
}

/// Collects the lines of a tree.
#[derive(Default)]
pub(super) struct TreeBuilder {
    lines: Vec<TreeLine>,
    depth: usize,
    cut: bool,
}

impl TreeBuilder {
    /// Whether no more lines fit; notes that some are dropped.
    pub fn is_full(&mut self) -> bool {
        self.cut |= self.lines.len() >= MAX_LINES;
        self.cut
    }

    /// Adds a value in one line.
    pub fn leaf(&mut self, name: &str, text: &str) {
        if !self.is_full() {
            let beginning = |text: &str| safe(&text[..text.floor_char_boundary(MAX_TEXT)]);
            self.lines.push(TreeLine { depth: self.depth, name: beginning(name), text: beginning(text) });
        }
    }

    /// Begins an array or a map.
    pub fn open(&mut self, name: &str, bracket: char) {
        self.leaf(name, bracket.encode_utf8(&mut [0; 4]));
        self.depth += 1;
    }

    /// Ends the array or map that was begun last. An empty one is one line.
    pub fn close(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        match self.lines.last_mut() {
            Some(line) if line.depth == self.depth && matches!(line.text.as_str(), "{" | "[") => {
                line.text.push(bracket);
            }
            _ => self.leaf("", bracket.encode_utf8(&mut [0; 4])),
        }
    }

    pub fn tree(self, format: TreeFormat) -> Tree {
        Tree { format, lines: self.lines, cut: self.cut }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    format!("h'{}'", hex::encode(&bytes[..bytes.len().min(MAX_TEXT / 2)]))
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", &text[..text.floor_char_boundary(MAX_TEXT)])
}

pub(super) fn safe(text: &str) -> String {
    printable::text(text).into_owned()
}
