//! The parameters of permessage-deflate: what a client offers and a server accepts (RFC 7692 §7.1).

use std::fmt;
use std::ops::{Range, RangeInclusive};

use super::{Extension, Extensions, PERMESSAGE_DEFLATE, Param};
use crate::proto::direction::Direction;

/// The valid window sizes of permessage-deflate, in bits (RFC 7692 §7.1.2).
const WINDOW_BITS: RangeInclusive<u8> = 8..=15;

/// An offer of permessage-deflate in a request (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateOffer {
    /// Asks the server not to refer to earlier messages (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// A hint that the client will not refer to earlier messages (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window that the server may use, in bits: 8 to 15 (§7.1.2.1).
    pub server_max_window_bits: Option<u8>,
    /// Set if the server may limit the client's window; the value is a hint of the largest window that the client will
    /// use, in bits: 8 to 15 (§7.1.2.2).
    pub client_max_window_bits: Option<Option<u8>>,
}

/// The negotiated parameters of permessage-deflate, from the response (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server does not refer to earlier messages (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client must not refer to earlier messages (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window that the server uses, in bits: 8 to 15; 15 if not set (§7.1.2.1).
    pub server_max_window_bits: Option<u8>,
    /// The largest window that the client may use, in bits: 8 to 15; 15 if not set (§7.1.2.2).
    pub client_max_window_bits: Option<u8>,
}

/// An invalid parameter of permessage-deflate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamFault {
    /// The error.
    pub kind: ParamFaultKind,
    /// The parameter, as `name` or `name=value`.
    pub param: String,
    /// Its bytes, counted as in [`Extension::span`].
    pub span: Range<usize>,
}

/// An error in a parameter of permessage-deflate. A server must decline an offer with such an error; a client must fail the
/// connection if the response has one (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamFaultKind {
    /// The parameter is not defined.
    Unknown,
    /// The parameter occurs more than once.
    Repeated,
    /// The parameter has a value but takes none.
    Value,
    /// The parameter needs a value but has none.
    NoValue,
    /// The value is not a decimal number from 8 to 15 without leading zeros.
    WindowBits,
}

impl ParamFaultKind {
    /// A description that completes a sentence after the name of the parameter.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "is not defined",
            Self::Repeated => "occurs more than once",
            Self::Value => "takes no value",
            Self::NoValue => "needs a value",
            Self::WindowBits => "is not a number from 8 to 15",
        }
    }
}

/// The names of the parameters, server first.
const NO_CONTEXT_TAKEOVER: [&str; 2] = ["server_no_context_takeover", "client_no_context_takeover"];
const MAX_WINDOW_BITS: [&str; 2] = ["server_max_window_bits", "client_max_window_bits"];

/// Reads the parameters of an offer, or of a response, in which every window parameter has a value.
fn read(extension: &Extension, is_offer: bool) -> Result<DeflateOffer, ParamFault> {
    let mut offer = DeflateOffer::default();
    for (i, param) in extension.params.iter().enumerate() {
        let fault = |kind| {
            let value = param.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
            ParamFault { kind, param: format!("{}{value}", param.name), span: param.span.clone() }
        };
        let flag = || if param.value.is_none() { Ok(true) } else { Err(fault(ParamFaultKind::Value)) };
        let bits = |may_be_bare: bool| match &param.value {
            None if may_be_bare => Ok(None),
            None => Err(fault(ParamFaultKind::NoValue)),
            Some(value) => window_bits(value).map(Some).ok_or_else(|| fault(ParamFaultKind::WindowBits)),
        };
        if extension.params[..i].iter().any(|earlier| earlier.name == param.name) {
            return Err(fault(ParamFaultKind::Repeated));
        }
        match param.name.as_str() {
            name if name == NO_CONTEXT_TAKEOVER[0] => offer.server_no_context_takeover = flag()?,
            name if name == NO_CONTEXT_TAKEOVER[1] => offer.client_no_context_takeover = flag()?,
            name if name == MAX_WINDOW_BITS[0] => offer.server_max_window_bits = bits(false)?,
            name if name == MAX_WINDOW_BITS[1] => offer.client_max_window_bits = Some(bits(is_offer)?),
            _ => return Err(fault(ParamFaultKind::Unknown)),
        }
    }
    Ok(offer)
}

/// A decimal number from 8 to 15 without leading zeros (RFC 7692 §7.1.2.1).
fn window_bits(value: &str) -> Option<u8> {
    let plain = !value.starts_with(['0', '+']);
    value.parse().ok().filter(|bits| plain && WINDOW_BITS.contains(bits))
}

impl DeflateOffer {
    /// Reads an element of a request header.
    ///
    /// # Errors
    /// The first invalid parameter, for which the server must decline the offer (RFC 7692 §7.1).
    pub fn read(extension: &Extension) -> Result<Self, ParamFault> {
        read(extension, true)
    }

    /// The response that grants everything that the offer requests or hints at.
    fn granted(self) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits.flatten(),
        }
    }

    /// Checks whether a response with these parameters may accept this offer.
    ///
    /// The server must accept the limits that the client asks for, with a window no larger than requested (RFC 7692
    /// §7.1.1.1, §7.1.2.1). It may limit the client's window only if the client allows it (§7.1.2.2).
    ///
    /// # Errors
    /// The name of the parameter that does not match, and a description that completes a sentence after it.
    pub fn allows(&self, params: &DeflateParams) -> Result<(), (&'static str, &'static str)> {
        if self.server_no_context_takeover && !params.server_no_context_takeover {
            return Err((NO_CONTEXT_TAKEOVER[0], "was requested but is missing in the response"));
        }
        match (self.server_max_window_bits, params.server_max_window_bits) {
            (Some(_), None) => return Err((MAX_WINDOW_BITS[0], "was requested but is missing in the response")),
            (Some(asked), Some(granted)) if granted > asked => {
                return Err((MAX_WINDOW_BITS[0], "is larger than in the offer"));
            }
            _ => {}
        }
        match (self.client_max_window_bits, params.client_max_window_bits) {
            (None, Some(_)) => Err((MAX_WINDOW_BITS[1], "was not in the offer")),
            (Some(Some(offered)), Some(granted)) if granted > offered => {
                Err((MAX_WINDOW_BITS[1], "is larger than in the offer"))
            }
            _ => Ok(()),
        }
    }
}

impl DeflateParams {
    /// The parameters of a response without any: both sides may refer to earlier messages, in the largest window.
    pub const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };

    /// Reads an element of a response header.
    ///
    /// # Errors
    /// The first invalid parameter, for which the client must fail the connection (RFC 7692 §7.1).
    pub fn read(extension: &Extension) -> Result<Self, ParamFault> {
        read(extension, false).map(DeflateOffer::granted)
    }

    /// Reads the valid parameters of an element of a response header and ignores the others. An inspector needs this: a
    /// client that should fail the connection may continue.
    pub fn read_leniently(extension: &Extension) -> Self {
        let understood = extension.params.iter().filter(|param| {
            let alone = Extension { params: vec![(*param).clone()], ..extension.clone() };
            Self::read(&alone).is_ok()
        });
        let mut params: Vec<Param> = Vec::new();
        for param in understood {
            if params.iter().all(|earlier| earlier.name != param.name) {
                params.push(param.clone());
            }
        }
        Self::read(&Extension { params, ..extension.clone() }).unwrap_or_default()
    }

    /// The response of a server: accepts the first acceptable offer of permessage-deflate (RFC 7692 §5.1).
    ///
    /// The response grants all limits that the offer requests or hints at. It declines an offer that limits the
    /// server's window to 256 bytes (8 bits), which the compressor does not support.
    pub fn negotiate(offers: &Extensions) -> Option<Self> {
        if offers.malformed.is_some() {
            return None;
        }
        let offers = offers.list.iter().filter(|e| e.is_deflate()).filter_map(|e| DeflateOffer::read(e).ok());
        offers.filter(|offer| offer.server_max_window_bits != Some(8)).map(DeflateOffer::granted).next()
    }

    /// True if a message in this direction may refer to earlier ones (RFC 7692 §7.1.1).
    pub const fn takeover(&self, direction: Direction) -> bool {
        match direction {
            Direction::ClientToServer => !self.client_no_context_takeover,
            Direction::ServerToClient => !self.server_no_context_takeover,
        }
    }

    /// The largest window in this direction, in bits: 8 to 15 (RFC 7692 §7.1.2).
    pub fn window_bits(&self, direction: Direction) -> u8 {
        match direction {
            Direction::ClientToServer => self.client_max_window_bits,
            Direction::ServerToClient => self.server_max_window_bits,
        }
        .unwrap_or(*WINDOW_BITS.end())
    }
}

/// Writes the element of a response header.
impl fmt::Display for DeflateParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PERMESSAGE_DEFLATE)?;
        let asked = [self.server_no_context_takeover, self.client_no_context_takeover];
        for (name, _) in NO_CONTEXT_TAKEOVER.iter().zip(asked).filter(|(_, asked)| *asked) {
            write!(f, "; {name}")?;
        }
        for (name, bits) in MAX_WINDOW_BITS.iter().zip([self.server_max_window_bits, self.client_max_window_bits]) {
            if let Some(bits) = bits {
                write!(f, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}
