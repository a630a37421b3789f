//! The catalogue of rules, and what it means to break one.

use std::fmt::Write as _;

use crate::wire::field::Span;
use crate::wire::printable;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A SHOULD is not followed, or it is insecure.
    Warning,
    /// A MUST is broken.
    Error,
}

impl Severity {
    /// The word that exports and lists show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Declares [`Rule`] and its facts in one table: variant, id, section, severity, sentence.
///
/// In a sentence `{n}` stands for the finding's number with its thousands apart, `{d}` for its digits alone, `{x}` for it in hex,
/// `{s}` for its text, and `{b}` for its text, where it has one, before its number: a bound of what is not known to the last.
macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $variant:ident $id:literal $section:literal $severity:ident $sentence:literal;)+) => {
        /// A rule of RFC 6455 or of what it rests on. The id is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Rule { $($(#[doc = $doc])+ $variant),+ }

        impl Rule {
            /// Every rule, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The id in kebab case.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id),+ } }

            /// Where it is written, such as `RFC 6455 §5.1`.
            pub const fn section(self) -> &'static str { match self { $(Self::$variant => $section),+ } }

            /// How much breaking it matters.
            pub const fn severity(self) -> Severity { match self { $(Self::$variant => Severity::$severity),+ } }

            /// The sentence, with its places for values unfilled: `{n}`, `{d}` and `{x}` for a number, `{s}` for text.
            pub const fn sentence(self) -> &'static str { match self { $(Self::$variant => $sentence),+ } }
        }
    };
}

catalogue! {
    /// The request's method is GET.
    MethodNotGet "method-not-get" "RFC 6455 §4.1" Error "the method is {s}; a WebSocket handshake is a GET";
    /// The request target is a path or a URI.
    TargetMalformed "target-malformed" "RFC 6455 §4.1" Error "the request target is malformed: {s}";
    /// The HTTP version is at least 1.1.
    HttpVersion "http-version" "RFC 6455 §4.1" Error "the HTTP version is {s}; at least HTTP/1.1 is required";
    /// Exactly one Host header.
    HostMissing "host-missing" "RFC 6455 §4.1" Error "there is no Host header";
    /// Exactly one Host header.
    HostRepeated "host-repeated" "RFC 9112 §3.2" Error "there are {n} Host headers; there must be one";
    /// The Host is foreign to a loopback server: DNS rebinding looks like this.
    HostForeign "host-foreign" "RFC 9110 §7.2" Info "Host is {s}, foreign to the loopback address that was connected to (DNS rebinding looks like this)";
    /// Upgrade names websocket.
    UpgradeMissing "upgrade-missing" "RFC 6455 §4.1" Error "the Upgrade header does not hold websocket";
    /// Connection names Upgrade.
    ConnectionMissing "connection-missing" "RFC 6455 §4.1" Error "the Connection header does not hold the token Upgrade";
    /// A key is there.
    KeyMissing "key-missing" "RFC 6455 §4.1" Error "there is no Sec-WebSocket-Key";
    /// The key is there once.
    KeyRepeated "key-repeated" "RFC 6455 §11.3.1" Error "there are {n} Sec-WebSocket-Key headers; there must be one";
    /// The key is base64 of 16 bytes.
    KeyMalformed "key-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Key {s} is not base64 of 16 bytes";
    /// The version is 13.
    VersionNot13 "version-not-13" "RFC 6455 §4.1" Error "Sec-WebSocket-Version is {s}; it must be 13";
    /// The version is there once.
    VersionRepeated "version-repeated" "RFC 6455 §11.3.5" Error "there are {n} Sec-WebSocket-Version headers; there must be one";
    /// Each connection has a key of its own.
    KeyReused "key-reused" "RFC 6455 §4.1" Info "Sec-WebSocket-Key is that of another connection; each needs a new, random one";
    /// What is offered is a list of tokens, each once.
    SubprotocolMalformed "subprotocol-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Protocol is malformed: {s}";
    /// Extensions follow their grammar, in a request and in a response.
    ExtensionMalformed "extension-malformed" "RFC 6455 §9.1" Error "Sec-WebSocket-Extensions does not follow its grammar: {s}";
    /// An offer of permessage-deflate can be accepted.
    DeflateOfferInvalid "deflate-offer-invalid" "RFC 7692 §7.1" Warning "a server must decline this offer of permessage-deflate: {s}";
    /// A handshake is a GET, which has no body.
    RequestBody "request-body" "RFC 9110 §9.3.1" Warning "the handshake announces a body ({s}); a GET should have none";
    /// A client waits for the response before it sends anything.
    DataBeforeResponse "data-before-response" "RFC 6455 §4.1" Error "sent before the server's response was there; a client must wait for it";
    /// Origin and Host name the same place.
    OriginForeign "origin-foreign" "RFC 6455 §10.2" Info "Origin {s} differs from Host: a page of another site opened this connection";
    /// Header lines have a name, a colon and a value.
    HeaderMalformed "header-malformed" "RFC 9112 §5" Error "header line {n} is malformed: {s}";
    /// Header lines are not folded.
    HeaderFolded "header-folded" "RFC 9112 §5.2" Warning "header line {n} goes on in a further line (obsolete folding)";
    /// Lines end with CR LF.
    BareLf "bare-lf" "RFC 9112 §2.2" Warning "a line ends with LF alone; it should be CR LF";
    /// The response to an upgrade is 101.
    StatusNot101 "status-not-101" "RFC 6455 §4.2.2" Info "the server answered {d} instead of 101: the connection stays HTTP";
    /// The server says Upgrade: websocket.
    ResponseUpgradeMissing "response-upgrade-missing" "RFC 6455 §4.2.2" Error "the response's Upgrade header is not websocket";
    /// The server says Connection: Upgrade.
    ResponseConnectionMissing "response-connection-missing" "RFC 6455 §4.2.2" Error "the response's Connection header does not hold the token Upgrade";
    /// The accept key is there.
    AcceptMissing "accept-missing" "RFC 6455 §4.2.2" Error "there is no Sec-WebSocket-Accept";
    /// The accept key is right.
    AcceptWrong "accept-wrong" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept is {s}";
    /// The accept key answers the key without the white space around it, and with any inside it.
    AcceptKeySpaces "accept-key-spaces" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept answers {s}";
    /// The accept key is there once.
    AcceptRepeated "accept-repeated" "RFC 6455 §11.3.3" Error "there are {n} Sec-WebSocket-Accept headers; there must be one";
    /// At most one subprotocol is chosen.
    SubprotocolRepeated "subprotocol-repeated" "RFC 6455 §11.3.4" Error "the server chose more than one subprotocol: {s}";
    /// The chosen subprotocol was offered.
    SubprotocolNotOffered "subprotocol-not-offered" "RFC 6455 §4.1" Error "the server chose the subprotocol {s}, which the client did not offer";
    /// The chosen extension was offered.
    ExtensionNotOffered "extension-not-offered" "RFC 6455 §4.1" Error "the server chose the extension {s}, which the client did not offer";
    /// A response has one line of extensions.
    ExtensionsRepeated "extensions-repeated" "RFC 6455 §11.3.2" Error "there are {n} Sec-WebSocket-Extensions headers; a response has at most one";
    /// An extension is accepted once.
    ExtensionRepeated "extension-repeated" "RFC 7692 §5" Error "the server accepted {s} more than once: {n} times";
    /// permessage-deflate is accepted with parameters that it has, and as it was offered.
    DeflateParameterInvalid "deflate-parameter-invalid" "RFC 7692 §7.1" Error "permessage-deflate was accepted wrongly: {s}";
    /// Each parameter of permessage-deflate is there once.
    DeflateParameterRepeated "deflate-parameter-repeated" "RFC 7692 §7.1" Error "permessage-deflate was accepted with {s} more than once";
    /// A head ends within reasonable bounds.
    HeadTooLong "head-too-long" "RFC 9112 §5.4" Warning "no end of the head within {n} bytes: read as opaque bytes";
    /// A client masks.
    ClientFrameUnmasked "client-frame-unmasked" "RFC 6455 §5.1" Error "a client must mask every frame; MASK is 0";
    /// A server does not mask.
    ServerFrameMasked "server-frame-masked" "RFC 6455 §5.1" Error "a server must not mask; MASK is 1";
    /// RSV1 is 0 unless an extension gives it a meaning.
    Rsv1Set "rsv1-set" "RFC 6455 §5.2" Error "RSV1 is 1, and no negotiated extension gives it a meaning here";
    /// permessage-deflate sets RSV1 on the first frame of a data message only.
    Rsv1Misplaced "rsv1-misplaced" "RFC 7692 §6.1" Error "RSV1 is 1 on a {s} frame; permessage-deflate sets it on the first frame of a data message only";
    /// RSV2 is 0.
    Rsv2Set "rsv2-set" "RFC 6455 §5.2" Error "RSV2 is 1, and no negotiated extension gives it a meaning";
    /// RSV3 is 0.
    Rsv3Set "rsv3-set" "RFC 6455 §5.2" Error "RSV3 is 1, and no negotiated extension gives it a meaning";
    /// Opcodes 3 to 7 and B to F are reserved.
    OpcodeReserved "opcode-reserved" "RFC 6455 §5.2" Error "opcode 0x{x} is reserved";
    /// A control frame carries at most 125 bytes.
    ControlTooLong "control-too-long" "RFC 6455 §5.5" Error "control frame over 125 bytes: it carries {b}";
    /// A control frame is not fragmented.
    ControlFragmented "control-fragmented" "RFC 6455 §5.5" Error "a control frame must not be fragmented; FIN is 0";
    /// The shortest length form is used.
    LengthNotShortest "length-not-shortest" "RFC 6455 §5.2" Error "length {b} is not in its shortest form";
    /// The top bit of a 64-bit length is 0.
    LengthTopBit "length-top-bit" "RFC 6455 §5.2" Error "the most significant bit of the 64-bit length is 1";
    /// A continuation continues something.
    ContinuationUnexpected "continuation-unexpected" "RFC 6455 §5.4" Error "a continuation frame, with no message to continue";
    /// Fragments of two messages are not interleaved.
    MessageInterrupted "message-interrupted" "RFC 6455 §5.4" Error "a new data frame, while a fragmented message is unfinished";
    /// A fragment carries something.
    FragmentEmpty "fragment-empty" "RFC 6455 §5.4" Info "a fragment without payload: allowed, and adds nothing to its message";
    /// A message is no larger than what our server takes.
    MessageOverLimit "message-over-limit" "RFC 6455 §10.4" Info "the message has at least {n} bytes; framescope's own server takes at most {s}";
    /// The masking key is unpredictable.
    MaskingKeyZero "masking-key-zero" "RFC 6455 §5.3" Warning "the masking key is zero: the payload stands unmasked on the wire";
    /// The masking key is new in each frame.
    MaskingKeyReused "masking-key-reused" "RFC 6455 §5.3" Warning "the masking key is the previous frame's; each frame needs a new one";
    /// What a negotiated extension may define that is not known here.
    ExtensionBits "extension-bits" "RFC 6455 §5.8" Info "{s}: a negotiated extension may give that a meaning, which is not known here";
    /// No data follows a Close.
    FrameAfterClose "frame-after-close" "RFC 6455 §5.5.1" Error "a data frame after the Close that this side sent";
    /// A side closes once.
    CloseRepeated "close-repeated" "RFC 6455 §5.5.1" Info "a second Close of this side: the first one counts";
    /// Text is UTF-8.
    TextNotUtf8 "text-not-utf8" "RFC 6455 §8.1" Error "the text is not UTF-8 from offset {n} of the payload on";
    /// Text ends at the end of a character.
    TextCutCharacter "text-cut-character" "RFC 6455 §8.1" Error "the text message ends inside a UTF-8 character";
    /// A compressed payload is a DEFLATE stream.
    InflateFailed "inflate-failed" "RFC 7692 §7.2.2" Error "the compressed message cannot be inflated: {s}";
    /// Compressed bytes refer no further back than the window that was agreed on.
    WindowExceeded "window-exceeded" "RFC 7692 §7.1.2" Error "the compressed message refers {n} bytes back; the window agreed on has {s}";
    /// A compressed text is UTF-8 once it is inflated.
    InflatedNotUtf8 "inflated-not-utf8" "RFC 6455 §8.1" Error "the inflated text is not UTF-8 from its byte {n} on";
    /// A message inflates to no more than a receiver bears.
    InflateLimit "inflate-limit" "RFC 7692 §8" Info "the message inflates to more than {n} bytes: it is not inflated further";
    /// An inflated message is short enough to be exported whole.
    InflatedLong "inflated-long" "RFC 7692 §8" Info "the message inflates to {n} bytes; exports carry the first 16,777,216 of them";
    /// A Close payload is empty or has a code.
    ClosePayloadOneByte "close-payload-one-byte" "RFC 6455 §5.5.1" Error "the Close payload is one byte; it must be empty or begin with a 2-byte code";
    /// Some codes are never sent.
    CloseCodeInvalid "close-code-invalid" "RFC 6455 §7.4" Error "close code {d} must not be sent";
    /// The reason is UTF-8.
    CloseReasonNotUtf8 "close-reason-not-utf8" "RFC 6455 §5.5.1" Error "the close reason is not UTF-8";
    /// A side says Close before it ends its TCP connection.
    CloseMissing "close-missing" "RFC 6455 §7.1.5" Info "no Close before the TCP end of the {s}: its peer reports 1006";
    /// A Close is answered.
    CloseUnanswered "close-unanswered" "RFC 6455 §5.5.1" Info "the {s} ended TCP without answering the Close of its peer";
    /// A TCP connection ends in order.
    TcpReset "tcp-reset" "RFC 6455 §7.1.1" Info "the {s} tore the TCP connection down (RST)";
    /// A Ping is answered.
    PingUnanswered "ping-unanswered" "RFC 6455 §5.5.2" Info "pings that were not answered until the end: {n}";
    /// Each Ping is answered.
    PingSuperseded "ping-superseded" "RFC 6455 §5.5.3" Info "answers a later ping and passes over earlier ones ({n}): allowed";
    /// A Pong repeats the payload of its Ping.
    PongMismatched "pong-mismatched" "RFC 6455 §5.5.3" Warning "the payload is that of no unanswered ping ({n} wait for their pong)";
    /// A Pong answers a Ping.
    PongUnsolicited "pong-unsolicited" "RFC 6455 §5.5.3" Info "a pong that answers no ping: allowed, a one-way heartbeat";
    /// A control frame's length stands in its 7 bits. Only of a head that was cut before its length tells whether the frame is
    /// [`Self::ControlTooLong`] or its length [`Self::LengthNotShortest`]: it is one of them.
    ControlLengthExtended "control-length-extended" "RFC 6455 §5.5" Error "a control frame whose 7-bit length is {d}: it is over 125 bytes, or its length is not in its shortest form";
    /// Bytes are missing that compressed messages may refer to.
    ContextLost "context-lost" "RFC 7692 §7.1.1" Info "compressed messages behind the missing bytes may refer to them, and are not inflated";
    /// What is sent again is the same.
    SegmentOverlap "segment-overlap" "RFC 9293 §3.10.7.4" Warning "a TCP segment repeats bytes of an earlier one with another content: bytes that differ: {n}; those that came first are shown";
    /// So much is wrong that no more is listed.
    FindingsOmitted "findings-omitted" "RFC 6455 §7.1.7" Info "{n} findings of the severity {s} in this direction so far: further ones are not listed";
}

impl Rule {
    /// Whether a response breaks it only beside its request.
    pub(super) const fn is_about_the_request(self) -> bool {
        matches!(self, Self::SubprotocolNotOffered | Self::ExtensionNotOffered | Self::DeflateParameterInvalid)
    }
}

/// A rule that a record breaks, or something else worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// The bits at fault within the record; `None` when it is something that is missing.
    pub span: Option<Span>,
    /// The earlier record that it is about. In this module's output an ordinal within the connection (from 0); in a
    /// [`crate::capture`] record its number.
    pub about: Option<u64>,
    /// The value at fault, where it is a number.
    pub number: u64,
    /// The value at fault, where it is text; raw from the wire.
    pub text: Option<Box<str>>,
}

impl Finding {
    /// A finding with nothing but its rule and bits.
    pub const fn new(rule: Rule, span: Option<Span>) -> Self {
        Self { rule, span, about: None, number: 0, text: None }
    }

    /// With the number that the sentence names.
    #[must_use]
    pub const fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// With the text that the sentence names, at most 120 characters of it.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.chars().take(120).collect::<String>().into_boxed_str());
        self
    }

    /// With the earlier record that it is about.
    #[must_use]
    pub const fn about(mut self, ordinal: Option<u64>) -> Self {
        self.about = ordinal;
        self
    }

    /// The finding in one line: severity, sentence, rule id and section. Safe to show in a terminal.
    pub fn line(&self) -> String {
        format!(
            "{}: {} ({}, {})",
            self.rule.severity().name(),
            printable::text(&self.sentence()),
            self.rule.id(),
            self.rule.section()
        )
    }

    /// The finding as one sentence. Holds captured text raw: [`crate::wire::printable`] comes before a terminal.
    pub fn sentence(&self) -> String {
        let mut out = String::new();
        let mut rest = self.rule.sentence();
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            match rest.as_bytes().get(at + 1) {
                Some(b'n') => out.push_str(&grouped(self.number)),
                Some(b'b') => {
                    if let Some(bound) = self.text.as_deref() {
                        let _ = write!(out, "{bound} ");
                    }
                    out.push_str(&grouped(self.number));
                }
                Some(b'd') => out.push_str(&self.number.to_string()),
                Some(b'x') => {
                    let _ = write!(out, "{:X}", self.number);
                }
                _ => out.push_str(self.text.as_deref().unwrap_or("nothing")),
            }
            rest = &rest[at + 3..];
        }
        out.push_str(rest);
        out
    }
}

/// A number for people, with a comma between each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `1,024 bytes`.
pub fn count(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_kebab_case_and_sections_name_their_document() {
        let ids: std::collections::BTreeSet<_> = Rule::ALL.iter().map(|r| r.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert!(
                rule.id().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                rule.id()
            );
            assert!(rule.section().starts_with("RFC ") && rule.section().contains('§'), "{}", rule.section());
        }
    }

    #[test]
    fn a_sentence_names_the_value() {
        assert_eq!(
            Finding::new(Rule::ControlTooLong, None).number(1126).sentence(),
            "control frame over 125 bytes: it carries 1,126"
        );
        assert_eq!(
            Finding::new(Rule::CloseCodeInvalid, None).number(1005).sentence(),
            "close code 1005 must not be sent"
        );
        assert_eq!(Finding::new(Rule::OpcodeReserved, None).number(0xb).sentence(), "opcode 0xB is reserved");
        assert_eq!(
            Finding::new(Rule::MethodNotGet, None).text("POST").sentence(),
            "the method is POST; a WebSocket handshake is a GET"
        );
    }
}
