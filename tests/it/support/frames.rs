//! Frames as bytes.

use framescope::proto::deflate::Deflater;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

/// A whole frame.
pub fn frame(fin: bool, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    FrameHead::new(fin, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
    wire
}

/// A whole frame that begins a message compressed with permessage-deflate: RSV1 is set.
pub fn compressed_frame(fin: bool, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut wire = frame(fin, opcode, key, payload);
    wire[0] |= 0x40;
    wire
}

/// The payload of a compressed message.
pub fn deflated(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    deflater.message(message, &mut payload);
    payload
}

/// Any whole frame, with any opcode.
pub fn any_frame(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), 0u8..16, any::<[u8; 4]>(), vec(any::<u8>(), 0..200)).prop_map(move |(fin, opcode, key, payload)| {
        frame(fin, Opcode::from_wire(opcode), masked.then_some(key), &payload)
    })
}
