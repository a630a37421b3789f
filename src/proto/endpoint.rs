//! One end of a WebSocket connection that follows the protocol: bytes in, events and replies out (RFC 6455 §5 to §8).
//!
//! The dissector reads whatever crosses and judges nobody; an endpoint is a party. It answers pings and Closes, puts
//! fragments together, and fails the connection when the other side breaks a rule that the catalogue calls an error.

mod reader;
mod sender;
#[cfg(test)]
mod tests;

use reader::{Reader, Whole};
pub use sender::Sender;

use super::deflate::MessageInflater;
use super::dissected::Direction;
use super::extensions::DeflateParams;
use super::rules::{Finding, Rule};
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// The longest message that our server takes, in bytes, all fragments together: 64 MiB. RFC 6455 §10.4 asks for a limit.
pub const MAX_MESSAGE: u64 = 64 << 20;

/// What an endpoint bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message in bytes, all fragments together.
    pub message: u64,
}

impl Default for Limits {
    /// [`MAX_MESSAGE`] a message.
    fn default() -> Self {
        Self { message: MAX_MESSAGE }
    }
}

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointEvent<'a> {
    /// A whole message, all its fragments joined. A text is valid UTF-8.
    Message {
        /// Text or binary.
        opcode: Opcode,
        /// Unmasked.
        payload: &'a [u8],
    },
    /// A ping; its pong is already on the way.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// A Close; it is already answered. Nothing comes after it.
    Close {
        /// Its code, when it has one.
        code: Option<CloseCode>,
        /// Its reason, empty when it has none.
        reason: &'a str,
    },
    /// A rule was broken; the Close that says so is already on the way. Nothing comes after it.
    Violation(&'a Violation),
}

/// Why an endpoint fails a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A rule of the protocol.
    Broken(Finding),
    /// A message over the limit.
    TooBig {
        /// How long it would be at least, in bytes.
        len: u64,
        /// What is allowed.
        limit: u64,
    },
}

impl Violation {
    /// The code that the Close carries (RFC 6455 §7.4.1).
    pub const fn code(&self) -> CloseCode {
        match self {
            Self::TooBig { .. } => CloseCode::TOO_BIG,
            Self::Broken(finding) => match finding.rule {
                // RFC 6455 §8.1: text that is not UTF-8 fails the connection.
                Rule::TextNotUtf8
                | Rule::TextCutCharacter
                | Rule::CloseReasonNotUtf8
                | Rule::InflatedNotUtf8
                // What cannot be inflated is no data of any type.
                | Rule::InflateFailed => CloseCode::INVALID_DATA,
                _ => CloseCode::PROTOCOL_ERROR,
            },
        }
    }

    /// What was wrong, as one sentence: the reason that the Close carries.
    pub fn sentence(&self) -> String {
        match self {
            Self::TooBig { len, limit } => format!("a message of {len} bytes; at most {limit} are taken"),
            Self::Broken(finding) => finding.sentence(),
        }
    }
}

/// One end of a connection whose handshake is done.
pub struct Endpoint {
    reader: Reader,
    sender: sender::State,
    over: bool,
}

impl Endpoint {
    /// The server's end: takes masked frames, sends unmasked ones.
    pub fn server(limits: Limits) -> Self {
        Self::new(Direction::ClientToServer, limits, None)
    }

    /// The client's end: takes unmasked frames, sends masked ones. `keys` gives the masking key of each frame; it must be
    /// unpredictable (RFC 6455 §5.3).
    pub fn client(limits: Limits, keys: impl FnMut() -> [u8; 4] + Send + 'static) -> Self {
        Self::new(Direction::ServerToClient, limits, Some(Box::new(keys)))
    }

    /// The same end for one who does not read messages: they are judged piece by piece and not kept. The payload of
    /// [`EndpointEvent::Message`] is empty then.
    #[must_use]
    pub const fn without_messages(mut self) -> Self {
        self.reader.keeps_messages = false;
        self
    }

    /// The same end with permessage-deflate agreed on: takes compressed messages, and compresses what it sends.
    #[must_use]
    pub fn with_deflate(mut self, params: DeflateParams) -> Self {
        let incoming = self.reader.incoming;
        let inflation = MessageInflater::new(params.takeover(incoming), self.reader.limits.message);
        self.reader.inflation = Some(Box::new(inflation));
        let outgoing = incoming.opposite();
        self.sender.deflate(params.window_bits(outgoing), params.takeover(outgoing));
        self
    }

    fn new(incoming: Direction, limits: Limits, keys: Option<sender::Keys>) -> Self {
        Self { reader: Reader::new(incoming, limits), sender: sender::State::new(keys), over: false }
    }

    /// Takes all of `bytes`, cut anywhere; calls `visit` for each event in order, and appends what must be answered to
    /// `out`. `visit` may send too. What comes after the connection [is over](Self::is_over) is ignored.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut visit: impl FnMut(EndpointEvent<'_>, &mut Sender<'_>),
    ) {
        let Self { reader, sender, over } = self;
        let mut sender = Sender::new(sender, out);
        let mut rest = bytes;
        // RFC 6455 §7.1.7: an endpoint must not go on to process data after it failed the connection; §5.5.1: nothing
        // comes after a Close.
        while !rest.is_empty() && !*over {
            let step = reader.step(&mut rest);
            let event = match &step {
                Ok(None) => continue,
                Ok(Some(Whole::Data(opcode))) => EndpointEvent::Message { opcode: *opcode, payload: &reader.message },
                Ok(Some(Whole::Control(opcode))) => reader.control_event(*opcode),
                Err(violation) => EndpointEvent::Violation(violation),
            };
            match &event {
                // RFC 6455 §5.5.2: a ping is answered, with the same payload (§5.5.3), unless a Close was received.
                EndpointEvent::Ping(payload) => sender.pong(payload),
                // RFC 6455 §5.5.1: a Close is answered by a Close, typically with the same code.
                EndpointEvent::Close { code, .. } => {
                    sender.close(*code, "");
                    *over = true;
                }
                EndpointEvent::Violation(violation) => {
                    sender.close(Some(violation.code()), &violation.sentence());
                    *over = true;
                }
                EndpointEvent::Message { .. } | EndpointEvent::Pong(_) => {}
            }
            visit(event, &mut sender);
            reader.clear(&step);
        }
    }

    /// What this side may say at any time; it is appended to `out`.
    pub fn sender<'a>(&'a mut self, out: &'a mut Vec<u8>) -> Sender<'a> {
        Sender::new(&mut self.sender, out)
    }

    /// Whether all is said: the other side's Close came, or it broke the protocol. What is left is to end the TCP
    /// connection, the server first (RFC 6455 §7.1.1).
    pub const fn is_over(&self) -> bool {
        self.over
    }
}
