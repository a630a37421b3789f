//! One side of a WebSocket connection: takes the peer's bytes, produces events and replies (RFC 6455 §5 to §8).
//!
//! A dissector accepts any bytes; an endpoint follows the protocol. It answers Pings and Closes, joins fragments, and
//! fails the connection if the peer violates a rule of severity error.

mod reader;
mod sender;
#[cfg(test)]
mod tests;

use reader::{Completed, EndpointReader};
pub use sender::Sender;

use super::deflate::MessageInflater;
use super::dissected::Direction;
use super::extensions::DeflateParams;
use super::judge::MAX_MESSAGE;
use super::rules::{Finding, Rule};
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// The limits of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest accepted message in bytes, all fragments together.
    pub message: u64,
}

impl Default for Limits {
    /// [`MAX_MESSAGE`] bytes per message.
    fn default() -> Self {
        Self { message: MAX_MESSAGE }
    }
}

/// An event of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointEvent<'a> {
    /// A complete message, its fragments joined. A text message is valid UTF-8.
    Message {
        /// Text or binary.
        opcode: Opcode,
        /// The payload, unmasked and inflated.
        payload: &'a [u8],
    },
    /// A Ping. The endpoint has appended the Pong to its output, unless it is [without pongs](Endpoint::without_pongs).
    Ping(&'a [u8]),
    /// A Pong.
    Pong(&'a [u8]),
    /// A Close. The endpoint has appended its own Close to its output. This is the last event.
    Close {
        /// Its code, if it has one.
        code: Option<CloseCode>,
        /// Its reason; empty if it has none.
        reason: &'a str,
    },
    /// The peer violated a rule. The endpoint has appended a Close to its output. This is the last event.
    Violation(&'a Violation),
}

/// Why an endpoint fails a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The peer violated a rule of the protocol.
    Broken(Finding),
    /// The peer sent a message over the limit.
    TooBig {
        /// The length of the message in bytes, at least.
        len: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl Violation {
    /// The code for the Close (RFC 6455 §7.4.1).
    pub const fn code(&self) -> CloseCode {
        match self {
            Self::TooBig { .. } => CloseCode::TOO_BIG,
            Self::Broken(finding) => match finding.rule {
                // RFC 6455 §8.1: text that is not UTF-8 fails the connection.
                Rule::TextNotUtf8
                | Rule::TextCutCharacter
                | Rule::CloseReasonNotUtf8
                | Rule::InflatedNotUtf8
                // Data that cannot be inflated matches no message type.
                | Rule::InflateFailed => CloseCode::INVALID_DATA,
                _ => CloseCode::PROTOCOL_ERROR,
            },
        }
    }

    /// The violation as one sentence, for the reason of the Close.
    pub fn sentence(&self) -> String {
        match self {
            Self::TooBig { len, limit } => format!("a message of {len} bytes; the limit is {limit}"),
            Self::Broken(finding) => finding.sentence(),
        }
    }
}

/// One side of a connection after its handshake.
pub struct Endpoint {
    reader: EndpointReader,
    sender: sender::SenderState,
    over: bool,
    /// True if Pings are answered at once.
    pongs: bool,
}

impl Endpoint {
    /// A server: receives masked frames and sends unmasked ones.
    pub fn server(limits: Limits) -> Self {
        Self::new(Direction::ClientToServer, limits, None)
    }

    /// A client: receives unmasked frames and sends masked ones. `keys` returns the masking key of each frame, which
    /// must be unpredictable (RFC 6455 §5.3).
    pub fn client(limits: Limits, keys: impl FnMut() -> [u8; 4] + Send + 'static) -> Self {
        Self::new(Direction::ServerToClient, limits, Some(Box::new(keys)))
    }

    /// Turns off the buffering of messages: they are judged in pieces, and the payload of [`EndpointEvent::Message`] is
    /// empty.
    #[must_use]
    pub const fn without_messages(mut self) -> Self {
        self.reader.keeps_messages = false;
        self
    }

    /// Turns off the Pongs that answer Pings, which RFC 6455 §5.5.2 requires: the caller sends them, later or never.
    #[must_use]
    pub const fn without_pongs(mut self) -> Self {
        self.pongs = false;
        self
    }

    /// Turns on permessage-deflate: accepts compressed messages and compresses outgoing ones.
    #[must_use]
    pub fn with_deflate(mut self, params: DeflateParams) -> Self {
        let incoming = self.reader.incoming;
        let inflation = MessageInflater::new(params.takeover(incoming), self.reader.limits.message);
        self.reader.inflation = Some(Box::new(inflation));
        let outgoing = incoming.opposite();
        let bits = params.window_bits(outgoing);
        // The compressor has no window of 8 bits. A message may go uncompressed at any time (RFC 7692 §6).
        if bits > 8 {
            self.sender.deflate(bits, params.takeover(outgoing));
        }
        self
    }

    fn new(incoming: Direction, limits: Limits, keys: Option<sender::Keys>) -> Self {
        Self {
            reader: EndpointReader::new(incoming, limits),
            sender: sender::SenderState::new(keys),
            over: false,
            pongs: true,
        }
    }

    /// Takes the next bytes of the peer, in pieces of any size. Calls `visit` for each event in order and appends
    /// replies to `out`; `visit` may send too. Ignores bytes after the connection [is over](Self::is_over).
    pub fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut visit: impl FnMut(EndpointEvent<'_>, &mut Sender<'_>),
    ) {
        let Self { reader, sender, over, pongs } = self;
        let mut sender = Sender::new(sender, out);
        let mut rest = bytes;
        // RFC 6455 §7.1.7: an endpoint must not continue to process data after it failed the connection; §5.5.1: no data
        // follows a Close.
        while !rest.is_empty() && !*over {
            let step = reader.step(&mut rest);
            let event = match &step {
                Ok(None) => continue,
                Ok(Some(Completed::Data(opcode))) => {
                    EndpointEvent::Message { opcode: *opcode, payload: &reader.message }
                }
                Ok(Some(Completed::Control(opcode))) => reader.control_event(*opcode),
                Err(violation) => EndpointEvent::Violation(violation),
            };
            match &event {
                // RFC 6455 §5.5.2, §5.5.3: a Pong with the same payload answers a Ping, unless a Close was received.
                EndpointEvent::Ping(payload) if *pongs => sender.pong(payload),
                // RFC 6455 §5.5.1: a Close answers a Close, typically with the same code.
                EndpointEvent::Close { code, .. } => {
                    sender.close(*code, "");
                    *over = true;
                }
                EndpointEvent::Violation(violation) => {
                    sender.close(Some(violation.code()), &violation.sentence());
                    *over = true;
                }
                EndpointEvent::Message { .. } | EndpointEvent::Ping(_) | EndpointEvent::Pong(_) => {}
            }
            visit(event, &mut sender);
            reader.clear(&step);
        }
    }

    /// Sends frames at any time: they are appended to `out`.
    pub fn sender<'a>(&'a mut self, out: &'a mut Vec<u8>) -> Sender<'a> {
        Sender::new(&mut self.sender, out)
    }

    /// The number of data messages that were sent.
    pub const fn messages_sent(&self) -> u64 {
        self.sender.messages
    }

    /// The number of bytes that the buffers for messages take.
    pub fn buffered(&self) -> usize {
        self.reader.buffered() + self.sender.buffered()
    }

    /// Frees the buffers that are kept for the next message.
    pub fn free_empty_buffers(&mut self) {
        self.reader.free_empty_buffers();
        self.sender.free_buffers();
    }

    /// True after this side's Close.
    pub const fn has_closed(&self) -> bool {
        self.sender.has_closed()
    }

    /// True after the peer's Close or a violation. Then only the TCP connection remains to be closed, first by the
    /// server (RFC 6455 §7.1.1).
    pub const fn is_over(&self) -> bool {
        self.over
    }
}
