//! Parses the `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).

mod deflate;

use std::ops::Range;

pub use self::deflate::{DeflateOffer, DeflateParams, ParamFault, ParamFaultKind};
use crate::wire::http::{Head, is_token};

/// The name of the extension of RFC 7692.
pub const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// The name of the header that negotiates extensions, in lower case.
pub const HEADER: &str = "sec-websocket-extensions";

/// One element of the header: an extension that a client offers or a server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name as sent.
    pub name: String,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Its bytes, counted from the start of the parsed value; for [`Extensions::of`], from the start of the head.
    pub span: Range<usize>,
}

/// One parameter of an [`Extension`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name as sent.
    pub name: String,
    /// Its value, without quotes; `None` if it has no `=`.
    pub value: Option<String>,
    /// Its bytes, counted as in [`Extension::span`].
    pub span: Range<usize>,
}

/// A violation of the grammar of RFC 6455 §9.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The bytes from the error to the end of the element; empty if something is missing at the end.
    pub span: Range<usize>,
    /// A description of the error, as a clause.
    pub what: &'static str,
}

/// The parsed value of `Sec-WebSocket-Extensions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// The elements in order. An element with an error is included if it has a name, with the parameters before the error.
    pub list: Vec<Extension>,
    /// The first error. The receiver of a malformed header must fail the connection (RFC 6455 §9.1).
    pub malformed: Option<Malformed>,
}

impl Extension {
    /// True for permessage-deflate.
    pub fn is_deflate(&self) -> bool {
        self.name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE)
    }
}

impl Extensions {
    /// Parses one value of the header. Spans count from its first byte.
    pub fn parse(value: &[u8]) -> Self {
        let mut all = Self::default();
        all.add(value, 0..value.len());
        all
    }

    /// Parses all lines of the header as one list (RFC 6455 §11.3.2). Spans count from the first byte of the head.
    pub fn of(head: &Head<'_>) -> Self {
        let mut all = Self::default();
        for (_, line) in head.lines_named(HEADER) {
            all.add(head.slice(&(0..line.value.end)), line.value.clone());
        }
        all
    }

    /// Adds the elements in a range of `bytes`.
    fn add(&mut self, bytes: &[u8], range: Range<usize>) {
        let mut cursor = Cursor { bytes: &bytes[..range.end], at: range.start };
        let mut elements = 0;
        loop {
            cursor.skip_blanks();
            match cursor.peek() {
                None => break,
                // A recipient ignores empty list elements (RFC 9110 §5.6.1).
                Some(b',') => cursor.at += 1,
                Some(_) => {
                    elements += 1;
                    let (extension, fault) = cursor.extension();
                    self.list.extend(extension);
                    if let Some((at, what)) = fault {
                        cursor.skip_element();
                        self.malformed.get_or_insert(Malformed { span: at..cursor.at, what });
                    }
                }
            }
        }
        if elements == 0 {
            self.malformed.get_or_insert(Malformed { span: range, what: "it contains no extension" });
        }
    }
}

/// A position in a header value.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The position and description of a syntax error.
type SyntaxFault = (usize, &'static str);

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space, including the line break of a folded line.
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Skips to the comma before the next element.
    fn skip_element(&mut self) {
        while !matches!(self.peek(), None | Some(b',')) {
            self.at += 1;
        }
    }

    /// `extension-token *( ";" extension-param )`, up to a comma or the end.
    fn extension(&mut self) -> (Option<Extension>, Option<SyntaxFault>) {
        let start = self.at;
        let Some(name) = self.token() else { return (None, Some((start, "the name of an extension is not a token"))) };
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
        let name = self.token().ok_or((start, "the name of a parameter is not a token"))?;
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
            _ => self.token().ok_or((at, "the value of a parameter is not a token"))?,
        };
        span.end = self.at;
        Ok(Param { name, value: Some(value), span })
    }

    /// A token: one or more characters (RFC 9110 §5.6.2).
    fn token(&mut self) -> Option<String> {
        let len = self.bytes[self.at..].iter().take_while(|b| is_token(&[**b])).count();
        let token = &self.bytes[self.at..self.at + len];
        self.at += len;
        (len > 0).then(|| String::from_utf8_lossy(token).into_owned())
    }

    /// A quoted string, which must be a token without its quotes and backslashes (RFC 6455 §9.1).
    fn quoted(&mut self) -> Result<String, SyntaxFault> {
        let start = self.at;
        let mut value = Vec::new();
        self.at += 1;
        loop {
            let byte = self.peek().ok_or((start, "a quoted string is not closed"))?;
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
            return Err((start, "a quoted value is not a token without its quotes"));
        }
        Ok(String::from_utf8_lossy(&value).into_owned())
    }
}

#[cfg(test)]
mod tests;
