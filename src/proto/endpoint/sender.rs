//! The sending half of an endpoint.

use crate::proto::deflate::Deflater;
use crate::wire::close::CloseCode;
use crate::wire::frame::{FrameHead, MAX_CONTROL_PAYLOAD};
use crate::wire::opcode::Opcode;

/// Returns the masking key of each frame of a client.
pub(super) type Keys = Box<dyn FnMut() -> [u8; 4] + Send>;

/// The largest buffer that is kept after a message, in bytes. A larger one is freed.
const KEPT_CAPACITY: usize = 2 << 20;

/// The state of the sending half.
pub(super) struct SenderState {
    /// Set for a client; a server does not mask (RFC 6455 §5.1).
    keys: Option<Keys>,
    /// Set if permessage-deflate was negotiated.
    deflate: Option<OutgoingDeflate>,
    closed: bool,
    /// The number of data messages that were sent.
    pub messages: u64,
}

/// The negotiated parameters and the compressor. The compressor is created with the first message, because it needs 256
/// KiB.
struct OutgoingDeflate {
    window_bits: u8,
    takeover: bool,
    deflater: Option<Box<Deflater>>,
    scratch: Vec<u8>,
}

impl OutgoingDeflate {
    fn deflater(&mut self) -> &mut Deflater {
        let (bits, takeover) = (self.window_bits, self.takeover);
        self.deflater.get_or_insert_with(|| Box::new(Deflater::new(bits, takeover)))
    }
}

impl SenderState {
    pub const fn new(keys: Option<Keys>) -> Self {
        Self { keys, deflate: None, closed: false, messages: 0 }
    }

    /// Compresses messages from here on: see [`Deflater::new`].
    pub fn deflate(&mut self, window_bits: u8, takeover: bool) {
        self.deflate = Some(OutgoingDeflate { window_bits, takeover, deflater: None, scratch: Vec::new() });
    }

    /// True after a Close.
    pub const fn has_closed(&self) -> bool {
        self.closed
    }

    /// The number of bytes that the buffers take.
    pub fn buffered(&self) -> usize {
        self.deflate.as_ref().map_or(0, |deflate| deflate.scratch.capacity())
    }

    /// Frees the buffers that are kept for the next message.
    pub fn free_buffers(&mut self) {
        if let Some(deflate) = &mut self.deflate {
            deflate.scratch = Vec::new();
        }
    }
}

/// Appends frames to the outgoing bytes. After a Close it appends only Pongs (RFC 6455 §5.5.1, §5.5.2).
pub struct Sender<'a> {
    state: &'a mut SenderState,
    out: &'a mut Vec<u8>,
}

impl<'a> Sender<'a> {
    pub(super) const fn new(state: &'a mut SenderState, out: &'a mut Vec<u8>) -> Self {
        Self { state, out }
    }

    /// Sends a text message in one frame.
    pub fn text(&mut self, text: &str) {
        self.message(Opcode::Text, text.as_bytes());
    }

    /// Sends a message in one frame. `opcode` must be text or binary; the payload of a text message must be UTF-8.
    #[inline]
    pub fn message(&mut self, opcode: Opcode, payload: &[u8]) {
        debug_assert!(opcode.opens_message());
        self.state.messages += u64::from(!self.state.closed);
        let Some(mut deflate) = self.state.deflate.take() else { return self.encode(opcode, payload, false) };
        let mut compressed = std::mem::take(&mut deflate.scratch);
        compressed.clear();
        deflate.deflater().message(payload, &mut compressed);
        self.encode(opcode, &compressed, true);
        deflate.scratch = compressed;
        if deflate.scratch.capacity() > KEPT_CAPACITY {
            deflate.scratch = Vec::new();
        }
        self.state.deflate = Some(deflate);
    }

    /// Sends a message in fragments, one for each part, without compression. `opcode` must be text or binary; the parts of a text must be
    /// UTF-8 together. Without a part, nothing is sent.
    pub fn fragments(&mut self, opcode: Opcode, parts: &[&[u8]]) {
        debug_assert!(opcode.opens_message());
        let Some(last) = parts.len().checked_sub(1) else { return };
        self.state.messages += u64::from(!self.state.closed);
        for (i, part) in parts.iter().enumerate() {
            let opcode = if i == 0 { opcode } else { Opcode::Continuation };
            self.encode_fragment(i == last, opcode, part, false);
        }
    }

    /// Sends a frame. With `deflate`, it is compressed if permessage-deflate was negotiated; RSV1 is set on the first frame of a message
    /// (RFC 7692 §6.1). The caller is responsible for the order of fragments (RFC 6455 §5.4).
    pub fn frame(&mut self, fin: bool, opcode: Opcode, payload: &[u8], deflate: bool) {
        self.state.messages += u64::from(!self.state.closed && opcode.opens_message());
        match self.deflated(fin, payload, deflate) {
            Some(content) => self.encode_fragment(fin, opcode, &content, opcode.opens_message()),
            None => self.encode_fragment(fin, opcode, payload, false),
        }
    }

    /// Sends a frame with the head that `head` returns for this side's next masking key and the length of the payload. With `deflate`, the
    /// payload is compressed first, if permessage-deflate was negotiated, as the last frame of a message if `fin` is set. The caller is
    /// responsible for everything, also after a Close.
    pub fn raw(
        &mut self,
        fin: bool,
        payload: &[u8],
        deflate: bool,
        head: impl FnOnce(Option<[u8; 4]>, u64) -> FrameHead,
    ) {
        let key = self.state.keys.as_mut().map(|keys| keys());
        let compressed = self.deflated(fin, payload, deflate);
        let content = compressed.as_deref().unwrap_or(payload);
        head(key, content.len() as u64).encode_with(content, self.out);
    }

    /// The compressed payload of a frame, if it is to be compressed and permessage-deflate was negotiated.
    fn deflated(&mut self, fin: bool, payload: &[u8], deflate: bool) -> Option<Vec<u8>> {
        let deflate = self.state.deflate.as_mut().filter(|_| deflate)?;
        let mut compressed = Vec::new();
        deflate.deflater().fragment(payload, fin, &mut compressed);
        Some(compressed)
    }

    /// Sends a Ping with the first 125 bytes of the payload (RFC 6455 §5.5).
    pub fn ping(&mut self, payload: &[u8]) {
        self.control(Opcode::Ping, payload);
    }

    /// Sends a Pong with the first 125 bytes of the payload (RFC 6455 §5.5).
    pub fn pong(&mut self, payload: &[u8]) {
        self.control(Opcode::Pong, payload);
    }

    /// Sends a Close, unless one was sent before. Without a code, the reason is omitted. The reason is truncated to 123
    /// bytes, between two characters (RFC 6455 §5.5.1).
    pub fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut payload = [0; MAX_CONTROL_PAYLOAD as usize];
        let mut len = 0;
        if let Some(code) = code {
            let reason = &reason.as_bytes()[..reason.floor_char_boundary(payload.len() - 2)];
            payload[..2].copy_from_slice(&code.0.to_be_bytes());
            payload[2..2 + reason.len()].copy_from_slice(reason);
            len = 2 + reason.len();
        }
        self.encode(Opcode::Close, &payload[..len], false);
        self.state.closed = true;
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.encode(opcode, &payload[..payload.len().min(MAX_CONTROL_PAYLOAD as usize)], false);
    }

    #[inline]
    fn encode(&mut self, opcode: Opcode, payload: &[u8], compressed: bool) {
        self.encode_fragment(true, opcode, payload, compressed);
    }

    #[inline]
    fn encode_fragment(&mut self, fin: bool, opcode: Opcode, payload: &[u8], compressed: bool) {
        if !self.state.closed || opcode == Opcode::Pong {
            // RFC 6455 §5.3: a new key for each frame.
            let key = self.state.keys.as_mut().map(|keys| keys());
            let head = FrameHead { rsv1: compressed, ..FrameHead::new(fin, opcode, key, payload.len() as u64) };
            head.encode_with(payload, self.out);
        }
    }
}
