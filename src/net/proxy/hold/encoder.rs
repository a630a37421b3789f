//! Encodes the messages and frames that the user sends in a direction: masks, lengths and compression are right, unless the user chooses
//! others.

use crate::net::random::random;
use crate::proto::deflate::Deflater;
use crate::proto::dissected::Direction;
use crate::proto::endpoint::{Endpoint, Limits};
use crate::proto::extensions::DeflateParams;
use crate::script::{CustomFrame, Outgoing};
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// The smallest window of the compressor, in bits. For a smaller one, messages go without compression (RFC 7692 §6).
const MIN_WINDOW_BITS: u8 = 9;

/// Encodes the frames of one direction.
pub struct Encoder {
    direction: Direction,
    endpoint: Endpoint,
    /// Set from the first compressed message on.
    deflater: Option<Deflater>,
}

impl Encoder {
    pub fn new(direction: Direction) -> Self {
        Self { direction, endpoint: endpoint(direction), deflater: None }
    }

    /// The frames of a message or control frame. With parameters of permessage-deflate, a message in one frame is compressed.
    pub fn encode(&mut self, outgoing: &Outgoing, deflate: Option<DeflateParams>) -> Vec<u8> {
        let compressed = match (outgoing, deflate) {
            (Outgoing::Text(text), Some(params)) => Some((Opcode::Text, text.as_bytes(), params)),
            (Outgoing::Binary(bytes), Some(params)) => Some((Opcode::Binary, bytes.as_slice(), params)),
            (Outgoing::Custom(frame), Some(params)) if frame.deflate => return self.custom(frame, params),
            _ => None,
        };
        if let Some((opcode, payload, params)) = compressed {
            let head = FrameHead { rsv1: true, ..FrameHead::new(true, opcode, None, 0) };
            return self.compressed(&head, payload, params);
        }
        let mut out = Vec::new();
        outgoing.encode(&mut self.endpoint.sender(&mut out));
        // After a Close an endpoint sends nothing. The user may want to.
        if self.endpoint.has_closed() {
            self.endpoint = endpoint(self.direction);
        }
        out
    }

    /// A frame of a compressed message with the bits and the opcode of `head`. The payload is not compressed yet.
    pub fn compressed(&mut self, head: &FrameHead, payload: &[u8], params: DeflateParams) -> Vec<u8> {
        let content = self.deflate(payload, head.fin, params);
        let rsv1 = head.rsv1 && params.window_bits(self.direction) >= MIN_WINDOW_BITS;
        let head = FrameHead { rsv1, ..FrameHead::new(head.fin, head.opcode, self.key(), content.len() as u64) };
        let mut out = Vec::new();
        head.encode_with(&content, &mut out);
        out
    }

    /// A compressed frame whose header the user has chosen.
    fn custom(&mut self, frame: &CustomFrame, params: DeflateParams) -> Vec<u8> {
        let content = self.deflate(&frame.payload, frame.fin, params);
        let mut out = Vec::new();
        frame.head(self.key(), content.len() as u64).encode_with(&content, &mut out);
        out
    }

    /// Compresses the payload of a frame, unless the window is too small for that.
    fn deflate(&mut self, payload: &[u8], fin: bool, params: DeflateParams) -> Vec<u8> {
        let (bits, takeover) = (params.window_bits(self.direction), params.takeover(self.direction));
        let mut content = Vec::new();
        if bits < MIN_WINDOW_BITS {
            content.extend_from_slice(payload);
        } else {
            let deflater = self.deflater.get_or_insert_with(|| Deflater::new(bits, takeover));
            deflater.fragment(payload, fin, &mut content);
        }
        content
    }

    /// A new masking key, if the side that sends masks.
    fn key(&self) -> Option<[u8; 4]> {
        (self.direction == Direction::ClientToServer).then(|| random().to_be_bytes())
    }
}

/// The side that sends in a direction.
fn endpoint(direction: Direction) -> Endpoint {
    match direction {
        Direction::ClientToServer => Endpoint::client(Limits::default(), || random().to_be_bytes()),
        Direction::ServerToClient => Endpoint::server(Limits::default()),
    }
}
