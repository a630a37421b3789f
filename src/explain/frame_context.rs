//! The facts about a frame on which the explanations of its fields depend.

use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::Direction;
use crate::proto::rules::Rule;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// The frame of a field, for the meaning of the field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameContext {
    /// The head of the frame.
    pub head: FrameHead,
    /// Its direction.
    pub direction: Direction,
    /// Its position in its message. If it contradicts FIN and opcode of the head, those count.
    pub part: MessagePart,
    /// What the reserved bits can mean on its connection.
    pub extensions: Extensions,
    /// True for a frame of a compressed message (RFC 7692 §6).
    pub compressed: bool,
    /// The number of captured payload bytes; less than the announced length if the frame was truncated.
    pub captured_payload: u64,
    /// True for a Pong that answers no Ping (RFC 6455 §5.5.3).
    pub unsolicited: bool,
}

impl FrameContext {
    /// The context of a frame with a complete head.
    pub fn of(capture: &Capture, record: &Record, head: FrameHead) -> Self {
        let part = match head.opcode {
            opcode if opcode.is_control() => MessagePart::Control,
            Opcode::Reserved(_) => MessagePart::Stray,
            Opcode::Continuation if record.message.is_none() => MessagePart::Stray,
            Opcode::Continuation if head.fin => MessagePart::Last,
            Opcode::Continuation => MessagePart::Middle,
            _ if head.fin => MessagePart::Whole,
            _ => MessagePart::First,
        };
        Self {
            head,
            direction: record.direction,
            part,
            extensions: Extensions::of(
                capture.connection(record.connection).map(|connection| connection.about).as_ref(),
            ),
            compressed: record.compressed,
            captured_payload: record.payload_len().unwrap_or(0),
            unsolicited: record.findings.iter().any(|finding| finding.rule == Rule::PongUnsolicited),
        }
    }
}

/// The extensions that client and server negotiated, in the groups that the texts distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extensions {
    /// None: all reserved bits are unused.
    None,
    /// permessage-deflate, which uses RSV1.
    Deflate,
    /// An extension that framescope does not know, or the capture does not have the handshake.
    Unknown,
}

impl Extensions {
    fn of(handshake: Option<&HandshakeSummary>) -> Self {
        match handshake {
            Some(known) if known.deflate.is_some() => Self::Deflate,
            // Without a target, the request was not captured.
            Some(known) if known.websocket && known.target.is_some() && known.extensions.is_none() => Self::None,
            _ => Self::Unknown,
        }
    }
}

/// The position of a frame in its message (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessagePart {
    /// None: a control frame.
    Control,
    /// The whole message, unfragmented.
    Whole,
    /// The first fragment.
    First,
    /// A fragment that is neither the first nor the last.
    Middle,
    /// The last fragment.
    Last,
    /// None: a continuation without an unfinished message, or a data frame with a reserved opcode.
    Stray,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::extensions::DeflateParams;

    #[test]
    fn what_was_negotiated_is_known_only_from_the_handshake() {
        let known = HandshakeSummary { websocket: true, target: Some("/".into()), ..HandshakeSummary::default() };
        let deflate = HandshakeSummary { deflate: Some(DeflateParams::default()), ..known.clone() };
        let other = HandshakeSummary { extensions: Some("x-other".into()), ..known.clone() };
        let late = HandshakeSummary { websocket: true, ..HandshakeSummary::default() };
        let of = |handshake: &HandshakeSummary| Extensions::of(Some(handshake));
        assert_eq!([of(&known), of(&deflate)], [Extensions::None, Extensions::Deflate]);
        assert_eq!([of(&other), of(&late), Extensions::of(None)], [Extensions::Unknown; 3]);
    }
}
