//! The `Sec-WebSocket-Extensions` header (RFC 6455 §9.1), and permessage-deflate's parameters (RFC 7692 §7.1).

use std::fmt;
use std::ops::Range;

use super::dissected::Direction;
use crate::wire::http::{Head, is_token};

/// The extension of RFC 7692.
pub const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// The header that negotiates extensions.
pub const HEADER: &str = "sec-websocket-extensions";

/// The sizes that a window of permessage-deflate may have, as the exponent of a power of two (RFC 7692 §7.1.2).
const WINDOW_BITS: std::ops::RangeInclusive<u8> = 8..=15;

/// One member of the header: an extension that a client offers or a server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its token, as it stands.
    pub name: String,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Where it stands: bytes of what was parsed, or of the head for [`Extensions::of`].
    pub span: Range<usize>,
}

/// One parameter of an [`Extension`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its token, as it stands.
    pub name: String,
    /// Its value, a quoted string without its quotes; `None` when there is no `=`.
    pub value: Option<String>,
    /// Where it stands, counted like [`Extension::span`].
    pub span: Range<usize>,
}

/// A place where a header leaves the grammar of RFC 6455 §9.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// From where it is wrong to the end of the member; empty where something is missing at the end.
    pub span: Range<usize>,
    /// What is wrong, in words.
    pub what: &'static str,
}

/// What `Sec-WebSocket-Extensions` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// The members, in order. One that leaves the grammar stands here too when it has a name, with the parameters before
    /// the fault.
    pub list: Vec<Extension>,
    /// The first fault. Who receives one must fail the connection (RFC 6455 §9.1).
    pub malformed: Option<Malformed>,
}

impl Extension {
    /// Whether it is permessage-deflate.
    pub fn is_deflate(&self) -> bool {
        self.name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE)
    }
}

impl Extensions {
    /// Reads one value of the header. Spans count from its first byte.
    pub fn parse(value: &[u8]) -> Self {
        let mut all = Self::default();
        all.add(value, 0..value.len());
        all
    }

    /// Reads the header in all its lines, which together are one list (RFC 6455 §11.3.2). Spans count from the head's
    /// first byte.
    pub fn of(head: &Head<'_>) -> Self {
        let mut all = Self::default();
        for (_, line) in head.lines_named(HEADER) {
            all.add(head.slice(&(0..line.value.end)), line.value.clone());
        }
        all
    }

    /// Adds the members that stand in a range of `bytes`.
    fn add(&mut self, bytes: &[u8], range: Range<usize>) {
        let mut cursor = Cursor { bytes: &bytes[..range.end], at: range.start };
        let mut members = 0;
        loop {
            cursor.skip_blanks();
            match cursor.peek() {
                None => break,
                // A list may have empty members, which count for nothing (RFC 9110 §5.6.1).
                Some(b',') => cursor.at += 1,
                Some(_) => {
                    members += 1;
                    let (extension, fault) = cursor.extension();
                    self.list.extend(extension);
                    if let Some((at, what)) = fault {
                        cursor.skip_member();
                        self.malformed.get_or_insert(Malformed { span: at..cursor.at, what });
                    }
                }
            }
        }
        if members == 0 {
            self.malformed.get_or_insert(Malformed { span: range, what: "it names no extension" });
        }
    }
}

/// Reads along a header value.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Where the grammar was left, and how.
type SyntaxFault = (usize, &'static str);

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes on behind white space; a folded line's break is white space too.
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Goes on to the comma before the next member.
    fn skip_member(&mut self) {
        while !matches!(self.peek(), None | Some(b',')) {
            self.at += 1;
        }
    }

    /// `extension-token *( ";" extension-param )`, up to a comma or the end.
    fn extension(&mut self) -> (Option<Extension>, Option<SyntaxFault>) {
        let start = self.at;
        let Some(name) = self.token() else { return (None, Some((start, "the name of an extension is no token"))) };
        let mut extension = Extension { name, params: Vec::new(), span: start..self.at };
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b',') => return (Some(extension), None),
                Some(b';') => self.at += 1,
                Some(_) => return (Some(extension), Some((self.at, "a semicolon or a comma is missing"))),
            }
            self.skip_blanks();
            match self.param() {
                Ok(param) => {
                    extension.span.end = param.span.end;
                    extension.params.push(param);
                }
                Err(fault) => return (Some(extension), Some(fault)),
            }
        }
    }

    /// `token [ "=" (token | quoted-string) ]`
    fn param(&mut self) -> Result<Param, SyntaxFault> {
        let start = self.at;
        let name = self.token().ok_or((start, "the name of a parameter is no token"))?;
        let mut span = start..self.at;
        self.skip_blanks();
        if self.peek() != Some(b'=') {
            return Ok(Param { name, value: None, span });
        }
        self.at += 1;
        self.skip_blanks();
        let at = self.at;
        let value = match self.peek() {
            Some(b'"') => self.quoted()?,
            _ => self.token().ok_or((at, "the value of a parameter is no token"))?,
        };
        span.end = self.at;
        Ok(Param { name, value: Some(value), span })
    }

    /// One or more characters of a token (RFC 9110 §5.6.2).
    fn token(&mut self) -> Option<String> {
        let len = self.bytes[self.at..].iter().take_while(|b| is_token(&[**b])).count();
        let token = &self.bytes[self.at..self.at + len];
        self.at += len;
        (len > 0).then(|| String::from_utf8_lossy(token).into_owned())
    }

    /// A quoted string. Without its quotes and backslashes it must be a token (RFC 6455 §9.1).
    fn quoted(&mut self) -> Result<String, SyntaxFault> {
        let start = self.at;
        let mut value = Vec::new();
        self.at += 1;
        loop {
            let byte = self.peek().ok_or((start, "a quoted string has no end"))?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    value.extend(self.peek());
                    self.at = (self.at + 1).min(self.bytes.len());
                }
                _ => value.push(byte),
            }
        }
        if !is_token(&value) {
            return Err((start, "a quoted value is no token without its quotes"));
        }
        Ok(String::from_utf8_lossy(&value).into_owned())
    }
}

/// What a client offers with permessage-deflate (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateOffer {
    /// The server is asked to compress each message on its own (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// A hint that the client will compress each message on its own anyway (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window that the server may use, 8 to 15: 2^n bytes (§7.1.2.1).
    pub server_max_window_bits: Option<u8>,
    /// Whether the server may limit the client's window, and a hint of the largest that the client will use, 8 to 15
    /// (§7.1.2.2).
    pub client_max_window_bits: Option<Option<u8>>,
}

/// What a server accepts permessage-deflate with: what holds for the connection (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server compresses each message on its own (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client must compress each message on its own (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window that the server uses, 8 to 15: 2^n bytes; 15 without it (§7.1.2.1).
    pub server_max_window_bits: Option<u8>,
    /// The largest window that the client may use, likewise (§7.1.2.2).
    pub client_max_window_bits: Option<u8>,
}

/// What is wrong with a parameter of permessage-deflate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamFault {
    /// Which sort of fault.
    pub kind: ParamFaultKind,
    /// The parameter at fault, as `name` or `name=value`.
    pub param: String,
    /// Where it stands, counted like [`Extension::span`].
    pub span: Range<usize>,
}

/// The ways in which a parameter of permessage-deflate may be wrong, each a reason to decline an offer and to fail a
/// connection (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamFaultKind {
    /// No such parameter is defined.
    Unknown,
    /// The parameter stands there twice.
    Repeated,
    /// There is a value, and the parameter takes none.
    Value,
    /// There is no value, and the parameter needs one.
    NoValue,
    /// The value is no number from 8 to 15, or has a leading zero.
    WindowBits,
}

impl ParamFaultKind {
    /// What is wrong, in words that follow the parameter's name.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "is not defined",
            Self::Repeated => "stands there more than once",
            Self::Value => "takes no value",
            Self::NoValue => "needs a value",
            Self::WindowBits => "is no number from 8 to 15",
        }
    }
}

/// The values of an extension's parameters; those of a window are `Some(None)` when they stand without one.
struct Read {
    no_context_takeover: [bool; 2],
    max_window_bits: [Option<Option<u8>>; 2],
}

/// Server first.
const NO_CONTEXT_TAKEOVER: [&str; 2] = ["server_no_context_takeover", "client_no_context_takeover"];
const MAX_WINDOW_BITS: [&str; 2] = ["server_max_window_bits", "client_max_window_bits"];

/// Reads the parameters; `bare` tells which of the windows may stand without a value.
fn read(extension: &Extension, bare: [bool; 2]) -> Result<Read, ParamFault> {
    let mut read = Read { no_context_takeover: [false; 2], max_window_bits: [None; 2] };
    for (i, param) in extension.params.iter().enumerate() {
        let fault = |kind| {
            let value = param.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
            Err(ParamFault { kind, param: format!("{}{value}", param.name), span: param.span.clone() })
        };
        let which = |names: [&str; 2]| names.iter().position(|name| *name == param.name);
        if extension.params[..i].iter().any(|earlier| earlier.name == param.name) {
            return fault(ParamFaultKind::Repeated);
        }
        if let Some(side) = which(NO_CONTEXT_TAKEOVER) {
            if param.value.is_some() {
                return fault(ParamFaultKind::Value);
            }
            read.no_context_takeover[side] = true;
        } else if let Some(side) = which(MAX_WINDOW_BITS) {
            read.max_window_bits[side] = match &param.value {
                None if bare[side] => Some(None),
                None => return fault(ParamFaultKind::NoValue),
                Some(value) => match window_bits(value) {
                    Some(bits) => Some(Some(bits)),
                    None => return fault(ParamFaultKind::WindowBits),
                },
            };
        } else {
            return fault(ParamFaultKind::Unknown);
        }
    }
    Ok(read)
}

/// A decimal number from 8 to 15 without leading zeros (RFC 7692 §7.1.2.1).
fn window_bits(value: &str) -> Option<u8> {
    let plain = !value.starts_with(['0', '+']);
    value.parse().ok().filter(|bits| plain && WINDOW_BITS.contains(bits))
}

impl DeflateOffer {
    /// Reads a member of a request's header.
    ///
    /// # Errors
    /// The first parameter that obliges the server to decline this offer (RFC 7692 §7.1).
    pub fn read(extension: &Extension) -> Result<Self, ParamFault> {
        let read = read(extension, [false, true])?;
        Ok(Self {
            server_no_context_takeover: read.no_context_takeover[0],
            client_no_context_takeover: read.no_context_takeover[1],
            server_max_window_bits: read.max_window_bits[0].flatten(),
            client_max_window_bits: read.max_window_bits[1],
        })
    }

    /// Whether a response may accept this offer so; otherwise the name of the parameter that it may not.
    ///
    /// What the client asks of the server must be accepted with it, a window at most as large as asked for (RFC 7692
    /// §7.1.1.1, §7.1.2.1), and its own window may be limited only where it says so (§7.1.2.2).
    ///
    /// # Errors
    /// The parameter, and why it does not fit, in words that follow its name.
    pub fn allows(&self, params: &DeflateParams) -> Result<(), (&'static str, &'static str)> {
        if self.server_no_context_takeover && !params.server_no_context_takeover {
            return Err((NO_CONTEXT_TAKEOVER[0], "was asked for and is not granted"));
        }
        match (self.server_max_window_bits, params.server_max_window_bits) {
            (Some(_), None) => return Err((MAX_WINDOW_BITS[0], "was asked for and is not granted")),
            (Some(asked), Some(granted)) if granted > asked => {
                return Err((MAX_WINDOW_BITS[0], "is larger than what was offered"));
            }
            _ => {}
        }
        match (self.client_max_window_bits, params.client_max_window_bits) {
            (None, Some(_)) => Err((MAX_WINDOW_BITS[1], "was not offered")),
            (Some(Some(offered)), Some(granted)) if granted > offered => {
                Err((MAX_WINDOW_BITS[1], "is larger than what was offered"))
            }
            _ => Ok(()),
        }
    }
}

impl DeflateParams {
    /// Reads a member of a response's header.
    ///
    /// # Errors
    /// The first parameter that obliges the client to fail the connection (RFC 7692 §7.1).
    pub fn read(extension: &Extension) -> Result<Self, ParamFault> {
        let read = read(extension, [false, false])?;
        Ok(Self {
            server_no_context_takeover: read.no_context_takeover[0],
            client_no_context_takeover: read.no_context_takeover[1],
            server_max_window_bits: read.max_window_bits[0].flatten(),
            client_max_window_bits: read.max_window_bits[1].flatten(),
        })
    }

    /// Reads a member of a response's header as far as it can be understood: who must fail the connection may not.
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

    /// What a server answers to a request: the first offer of permessage-deflate that it can accept (RFC 7692 §5.1).
    ///
    /// What the client asks for is granted and what it hints at is agreed on. An offer that limits the server's window to
    /// 256 bytes is declined: the compressor has none so small.
    pub fn negotiate(offers: &Extensions) -> Option<Self> {
        if offers.malformed.is_some() {
            return None;
        }
        let offers = offers.list.iter().filter(|e| e.is_deflate()).filter_map(|e| DeflateOffer::read(e).ok());
        let mut acceptable = offers.filter(|offer| offer.server_max_window_bits != Some(8));
        acceptable.next().map(|offer| Self {
            server_no_context_takeover: offer.server_no_context_takeover,
            client_no_context_takeover: offer.client_no_context_takeover,
            server_max_window_bits: offer.server_max_window_bits,
            client_max_window_bits: offer.client_max_window_bits.flatten(),
        })
    }

    /// Whether a message of who sends in that direction may refer to earlier ones (RFC 7692 §7.1.1).
    pub const fn takeover(&self, direction: Direction) -> bool {
        match direction {
            Direction::ClientToServer => !self.client_no_context_takeover,
            Direction::ServerToClient => !self.server_no_context_takeover,
        }
    }

    /// The largest window of who sends in that direction, 8 to 15: 2^n bytes (RFC 7692 §7.1.2).
    pub fn window_bits(&self, direction: Direction) -> u8 {
        match direction {
            Direction::ClientToServer => self.client_max_window_bits,
            Direction::ServerToClient => self.server_max_window_bits,
        }
        .unwrap_or(*WINDOW_BITS.end())
    }
}

/// The member of a response's header.
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

#[cfg(test)]
mod tests;
