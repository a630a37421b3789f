//! NDJSON, version 1: the types of its lines. Fields are in the order in which they are printed. Every key of a type is printed,
//! as `null` if it has no value; only a finding has optional keys.
//!
//! The exporter writes by hand, for speed. Tests read each of its lines into these types and write it again.

use framescope::capture::format::NDJSON_VERSION;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// `"type":"request"`
    Request(Request),
    /// `"type":"response"`
    Response(Response),
    /// `"type":"frame"`
    Frame(Box<Frame>),
    /// `"type":"gap"`
    Gap(Gap),
    /// `"type":"end"`
    End(End),
    /// `"type":"junk"`
    Junk(Junk),
    /// `"type":"cut","of":"frame"`
    CutFrame(Box<CutFrame>),
    /// `"type":"cut","of":"request"`
    CutRequest(CutRequest),
    /// `"type":"cut","of":"response"`
    CutResponse(CutResponse),
}

/// Why a line does not have this schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON, or not the keys of its type.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("version {0}; this framescope reads version {NDJSON_VERSION}")]
    Version(u64),
    /// An unknown type.
    #[error("type {0:?} is not known")]
    Type(String),
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// See [`SchemaError`].
    pub fn read(line: &str) -> Result<Self, SchemaError> {
        #[derive(Deserialize)]
        struct Kind {
            v: u64,
            r#type: String,
            of: Option<String>,
        }
        let kind: Kind = serde_json::from_str(line)?;
        if kind.v != NDJSON_VERSION {
            return Err(SchemaError::Version(kind.v));
        }
        Ok(match (kind.r#type.as_str(), kind.of.as_deref()) {
            ("request", _) => Self::Request(serde_json::from_str(line)?),
            ("response", _) => Self::Response(serde_json::from_str(line)?),
            ("frame", _) => Self::Frame(serde_json::from_str(line)?),
            ("gap", _) => Self::Gap(serde_json::from_str(line)?),
            ("end", _) => Self::End(serde_json::from_str(line)?),
            ("junk", _) => Self::Junk(serde_json::from_str(line)?),
            ("cut", Some("frame")) => Self::CutFrame(serde_json::from_str(line)?),
            ("cut", Some("request")) => Self::CutRequest(serde_json::from_str(line)?),
            ("cut", Some("response")) => Self::CutResponse(serde_json::from_str(line)?),
            _ => return Err(SchemaError::Type(kind.r#type)),
        })
    }
}

/// Declares line types: the common keys, their own keys, and `findings`. After `known`: the wrapper of a key's type, `Option` if the
/// key is null where the bytes do not determine its value.
macro_rules! line {
    ($($(#[doc = $doc:literal])+ $name:ident(known $known:ident) {
        $($(#[$field_meta:meta])+ $field:ident: $type:ty,)*
    })+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// [`NDJSON_VERSION`].
            pub v: u64,
            /// The record's number, from 1.
            pub no: u64,
            /// The type of the line.
            pub r#type: String,
            /// The connection's number, from 1.
            pub conn: u32,
            /// `c2s` or `s2c`; null only for a frame, given to `decode`, that ends before its MASK.
            pub dir: $known<String>,
            /// When the record's last byte was captured: RFC 3339, UTC, nanoseconds.
            pub time: String,
            /// The offset of its first byte in its direction.
            pub offset: u64,
            $($(#[$field_meta])+ pub $field: $type,)*
            /// What a proxy did with it; else absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub proxied: Option<String>,
            /// The record that was sent in place of this one, and the one in place of which this one was sent; else absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub replaced_by: Option<u64>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub in_place_of: Option<u64>,
            /// The note on the record; else absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub note: Option<String>,
            /// The findings of the record.
            pub findings: Vec<FindingObject>,
        }
    )+ };
}

/// The type of a key that is never null.
pub type Always<T> = T;

line! {
    /// An HTTP request.
    Request(known Always) {
        /// Its length in bytes, the body included.
        wire_len: u64,
        /// True if its sender had later or missing bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
        /// The client's address.
        client: Option<String>,
        /// The server's address.
        server: Option<String>,
        /// What TLS agreed on, if it had encrypted the bytes; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tls: Option<String>,
        /// True if the connection has what the sides of an earlier one received; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivered: Option<bool>,
        /// All its bytes in lower-case hex.
        wire: String,
        /// Such as `GET`.
        method: Option<String>,
        /// Such as `/ticker`.
        target: Option<String>,
        /// Such as `HTTP/1.1`.
        version: Option<String>,
        /// Names and values.
        headers: Vec<[String; 2]>,
    }
    /// An HTTP response.
    Response(known Always) {
        /// Its length in bytes, the body included.
        wire_len: u64,
        /// True if its sender had later or missing bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
        /// All its bytes in lower-case hex.
        wire: String,
        /// Such as 101.
        status: Option<u16>,
        /// Such as `Switching Protocols`.
        reason: Option<String>,
        /// Names and values.
        headers: Vec<[String; 2]>,
        /// The number of the record that it answers.
        answers: Option<u64>,
        /// For a 101 whose request, with a key, is known.
        accept: Option<Accept>,
    }
    /// Bytes that the capture lacks.
    Gap(known Always) {
        /// How many.
        missing: u64,
        /// True if the number is an estimate, because TLS had encrypted the bytes; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        estimated: Option<bool>,
        /// True if a proxy relayed the bytes of TLS in a tunnel without reading them; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<bool>,
        /// True if a proxy delivered the bytes unchanged, so that the connection with what the sides sent has them; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unchanged: Option<bool>,
    }
    /// The end of a direction.
    End(known Always) {
        /// `fin`, `rst` or `capture`.
        how: String,
        /// True if its side got something else than the bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
    }
    /// Bytes that are neither HTTP nor a frame.
    Junk(known Always) {
        /// How many.
        wire_len: u64,
        /// True if its sender had later or missing bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
        /// All of them in lower-case hex.
        wire: String,
    }
    /// The beginning of a request.
    CutRequest(known Always) {
        /// How many bytes were captured.
        wire_len: u64,
        /// True if its sender had later or missing bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
        /// `request`
        of: String,
        /// The client's address.
        client: Option<String>,
        /// The server's address.
        server: Option<String>,
        /// What TLS agreed on, if it had encrypted the bytes; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tls: Option<String>,
        /// True if the connection has what the sides of an earlier one received; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivered: Option<bool>,
        /// Those bytes in lower-case hex.
        wire: String,
        /// Its captured part.
        method: Option<String>,
        /// Its captured part.
        target: Option<String>,
        /// Its captured part.
        version: Option<String>,
        /// The captured ones.
        headers: Vec<[String; 2]>,
    }
    /// The beginning of a response.
    CutResponse(known Always) {
        /// How many bytes were captured.
        wire_len: u64,
        /// True if its sender had later or missing bytes of the other direction; else absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outstanding: Option<bool>,
        /// `response`
        of: String,
        /// Those bytes in lower-case hex.
        wire: String,
        /// Its captured part.
        status: Option<u16>,
        /// Its captured part.
        reason: Option<String>,
        /// The captured ones.
        headers: Vec<[String; 2]>,
        /// The number of the record that it answers.
        answers: Option<u64>,
        /// For a 101 whose request, with a key, is known.
        accept: Option<Accept>,
    }
}

/// Declares the two types of lines with a frame, complete or truncated. Their keys are the same, except `of`.
macro_rules! frame_line {
    ($($(#[doc = $doc:literal])+ $name:ident(known $known:ident) { $($of:ident)? })+) => { line! { $(
        $(#[doc = $doc])+
        $name(known $known) {
            /// Its length in bytes; for a truncated frame, how many were captured.
            wire_len: u64,
            /// True if its sender had later or missing bytes of the other direction; else absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            outstanding: Option<bool>,
            $(
                /// `frame`
                $of: String,
            )?
            /// Those bytes in lower-case hex.
            wire: String,
            /// FIN.
            fin: $known<bool>,
            /// RSV1.
            rsv1: $known<bool>,
            /// RSV2.
            rsv2: $known<bool>,
            /// RSV3.
            rsv3: $known<bool>,
            /// 0 to 15.
            opcode: $known<u8>,
            /// Such as `text`, or `reserved-3`.
            opcode_name: $known<String>,
            /// MASK.
            mask: $known<bool>,
            /// The 7-bit length field.
            len_code: $known<u8>,
            /// The payload's length in bytes; for a truncated frame, the announced length.
            payload_len: $known<u64>,
            /// The header's length in bytes; for a truncated header, the length that its first two bytes announce.
            header_len: $known<u64>,
            /// Eight hex digits.
            masking_key: Option<String>,
            /// The captured, unmasked payload of a text frame that is valid UTF-8 and not compressed.
            text: Option<String>,
            /// Otherwise base64 of the captured, unmasked payload.
            data: Option<String>,
            /// The ordinal of its data message in its direction, from 1.
            message: Option<u32>,
            /// A Close frame's code.
            close_code: Option<u16>,
            /// The captured part of a Close frame's reason.
            close_reason: Option<String>,
            /// True if the message could be inflated, although the capture does not show that it is compressed; else absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            deflate_assumed: Option<bool>,
            /// On the last frame of a compressed message: its text.
            inflated: Option<String>,
            /// Or base64 of it, if it is not text.
            inflated_data: Option<String>,
        }
    )+ } };
}

frame_line! {
    /// A WebSocket frame.
    Frame(known Always) {}
    /// The beginning of a frame. A value that its bytes do not determine is null.
    CutFrame(known Option) { of }
}

/// The check of the accept key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The client's Sec-WebSocket-Key.
    pub key: String,
    /// The right accept key.
    pub expected: String,
    /// The server's Sec-WebSocket-Accept.
    pub received: Option<String>,
    /// Whether the two are the same.
    pub ok: bool,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingObject {
    /// The rule's id.
    pub rule: String,
    /// The section of the rule, such as `RFC 6455 §5.1`.
    pub section: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// One sentence.
    pub text: String,
    /// The first bit, and the bit after the last one, counted from the record's first bit.
    pub bits: Option<[u64; 2]>,
    /// The number of the earlier record that the finding refers to.
    pub about: Option<u64>,
    /// The value that the sentence contains, where it is a number. Not written if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// `client` or `server`, where the finding is about one side. Not written otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
