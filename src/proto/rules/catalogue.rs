//! The table of rules: id, section, severity and sentence of each.

use super::Severity;

/// Declares [`Rule`] and its facts in one table: variant, id, section, severity, sentence.
///
/// Names in braces are filled in by [`super::Finding::sentence`]:
/// - `{number}`: the number, with commas (`65,536`); `{digits}`: without them; `{hex}`: in hexadecimal;
/// - `{bound}`: the number, after "at least" or "at most" if only a part of the head was captured;
/// - `{text}`: the text;
/// - `{by}`: `client` or `server`.
macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $variant:ident $id:literal $section:literal $severity:ident $sentence:literal;)+) => {
        /// A rule of RFC 6455 or of a document that it builds on. Ids never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Rule { $($(#[doc = $doc])+ $variant),+ }

        impl Rule {
            /// Every rule, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The id, in kebab case.
            pub const fn id(self) -> &'static str { match self { $(Self::$variant => $id),+ } }

            /// The document and section that state the rule, such as `RFC 6455 §5.1`.
            pub const fn section(self) -> &'static str { match self { $(Self::$variant => $section),+ } }

            /// How serious a violation is.
            pub const fn severity(self) -> Severity { match self { $(Self::$variant => Severity::$severity),+ } }

            /// The sentence, with names in braces where a finding has values.
            pub(super) const fn template(self) -> &'static str { match self { $(Self::$variant => $sentence),+ } }
        }
    };
}

catalogue! {
    /// The request's method is GET.
    MethodNotGet "method-not-get" "RFC 6455 §4.1" Error "the method is {text}; a WebSocket handshake is a GET";
    /// The request target is a path or a URI.
    TargetMalformed "target-malformed" "RFC 6455 §4.1" Error "the request target is malformed: {text}";
    /// The HTTP version is at least 1.1.
    HttpVersion "http-version" "RFC 6455 §4.1" Error "the HTTP version is {text}; at least HTTP/1.1 is required";
    /// Exactly one Host header.
    HostMissing "host-missing" "RFC 6455 §4.1" Error "there is no Host header";
    /// Exactly one Host header.
    HostRepeated "host-repeated" "RFC 9112 §3.2" Error "there are {number} Host headers; there must be one";
    /// The Host is foreign to a loopback server: DNS rebinding looks like this.
    HostForeign "host-foreign" "RFC 9110 §7.2" Info "Host is {text}, foreign to the loopback address that was connected to (DNS rebinding looks like this)";
    /// Upgrade names websocket.
    UpgradeMissing "upgrade-missing" "RFC 6455 §4.1" Error "the Upgrade header does not hold websocket";
    /// Connection names Upgrade.
    ConnectionMissing "connection-missing" "RFC 6455 §4.1" Error "the Connection header does not hold the token Upgrade";
    /// A key is there.
    KeyMissing "key-missing" "RFC 6455 §4.1" Error "there is no Sec-WebSocket-Key";
    /// The key is there once.
    KeyRepeated "key-repeated" "RFC 6455 §11.3.1" Error "there are {number} Sec-WebSocket-Key headers; there must be one";
    /// The key is base64 of 16 bytes.
    KeyMalformed "key-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Key {text} is not base64 of 16 bytes";
    /// The version is 13.
    VersionNot13 "version-not-13" "RFC 6455 §4.1" Error "Sec-WebSocket-Version is {text}; it must be 13";
    /// The version is there once.
    VersionRepeated "version-repeated" "RFC 6455 §11.3.5" Error "there are {number} Sec-WebSocket-Version headers; there must be one";
    /// Each connection has a key of its own.
    KeyReused "key-reused" "RFC 6455 §4.1" Info "Sec-WebSocket-Key is that of another connection; each needs a new, random one";
    /// What is offered is a list of tokens, each once.
    SubprotocolMalformed "subprotocol-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Protocol is malformed: {text}";
    /// Extensions follow their grammar, in a request and in a response.
    ExtensionMalformed "extension-malformed" "RFC 6455 §9.1" Error "Sec-WebSocket-Extensions does not follow its grammar: {text}";
    /// An offer of permessage-deflate can be accepted.
    DeflateOfferInvalid "deflate-offer-invalid" "RFC 7692 §7.1" Warning "a server must decline this offer of permessage-deflate: {text}";
    /// A handshake is a GET, which has no body.
    RequestBody "request-body" "RFC 9110 §9.3.1" Warning "the handshake announces a body ({text}); a GET should have none";
    /// A client waits for the response before it sends anything.
    DataBeforeResponse "data-before-response" "RFC 6455 §4.1" Error "sent before the server's response was there; a client must wait for it";
    /// Origin and Host name the same place.
    OriginForeign "origin-foreign" "RFC 6455 §10.2" Info "Origin {text} differs from Host: a page of another site opened this connection";
    /// Header lines have a name, a colon and a value.
    HeaderMalformed "header-malformed" "RFC 9112 §5" Error "header line {number} is malformed: {text}";
    /// Header lines are not folded.
    HeaderFolded "header-folded" "RFC 9112 §5.2" Warning "header line {number} goes on in a further line (obsolete folding)";
    /// Lines end with CR LF.
    BareLf "bare-lf" "RFC 9112 §2.2" Warning "a line ends with LF alone; it should be CR LF";
    /// The response to an upgrade is 101.
    StatusNot101 "status-not-101" "RFC 6455 §4.2.2" Info "the server answered {digits} instead of 101: the connection stays HTTP";
    /// The server says Upgrade: websocket.
    ResponseUpgradeMissing "response-upgrade-missing" "RFC 6455 §4.2.2" Error "the response's Upgrade header is not websocket";
    /// The server says Connection: Upgrade.
    ResponseConnectionMissing "response-connection-missing" "RFC 6455 §4.2.2" Error "the response's Connection header does not hold the token Upgrade";
    /// The accept key is there.
    AcceptMissing "accept-missing" "RFC 6455 §4.2.2" Error "there is no Sec-WebSocket-Accept";
    /// The accept key is right.
    AcceptWrong "accept-wrong" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept is {text}";
    /// The accept key answers the key without the white space around it, and with any inside it.
    AcceptKeySpaces "accept-key-spaces" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept answers {text}";
    /// The accept key is there once.
    AcceptRepeated "accept-repeated" "RFC 6455 §11.3.3" Error "there are {number} Sec-WebSocket-Accept headers; there must be one";
    /// At most one subprotocol is chosen.
    SubprotocolRepeated "subprotocol-repeated" "RFC 6455 §11.3.4" Error "the server chose more than one subprotocol: {text}";
    /// The chosen subprotocol was offered.
    SubprotocolNotOffered "subprotocol-not-offered" "RFC 6455 §4.1" Error "the server chose the subprotocol {text}, which the client did not offer";
    /// The chosen extension was offered.
    ExtensionNotOffered "extension-not-offered" "RFC 6455 §4.1" Error "the server chose the extension {text}, which the client did not offer";
    /// A response has one line of extensions.
    ExtensionsRepeated "extensions-repeated" "RFC 6455 §11.3.2" Error "there are {number} Sec-WebSocket-Extensions headers; a response has at most one";
    /// An extension is accepted once.
    ExtensionRepeated "extension-repeated" "RFC 7692 §5" Error "the server accepted {text} more than once: {number} times";
    /// permessage-deflate is accepted with parameters that it has, and as it was offered.
    DeflateParameterInvalid "deflate-parameter-invalid" "RFC 7692 §7.1" Error "permessage-deflate was accepted wrongly: {text}";
    /// Each parameter of permessage-deflate is there once.
    DeflateParameterRepeated "deflate-parameter-repeated" "RFC 7692 §7.1" Error "permessage-deflate was accepted with {text} more than once";
    /// A head ends within reasonable bounds.
    HeadTooLong "head-too-long" "RFC 9112 §5.4" Warning "no end of the head within {number} bytes: read as opaque bytes";
    /// A client masks.
    ClientFrameUnmasked "client-frame-unmasked" "RFC 6455 §5.1" Error "a client must mask every frame; MASK is 0";
    /// A server does not mask.
    ServerFrameMasked "server-frame-masked" "RFC 6455 §5.1" Error "a server must not mask; MASK is 1";
    /// RSV1 is 0 unless an extension gives it a meaning.
    Rsv1Set "rsv1-set" "RFC 6455 §5.2" Error "RSV1 is 1, and no negotiated extension gives it a meaning here";
    /// permessage-deflate sets RSV1 on the first frame of a data message only.
    Rsv1Misplaced "rsv1-misplaced" "RFC 7692 §6.1" Error "RSV1 is 1 on a {text} frame; permessage-deflate sets it on the first frame of a data message only";
    /// RSV2 is 0.
    Rsv2Set "rsv2-set" "RFC 6455 §5.2" Error "RSV2 is 1, and no negotiated extension gives it a meaning";
    /// RSV3 is 0.
    Rsv3Set "rsv3-set" "RFC 6455 §5.2" Error "RSV3 is 1, and no negotiated extension gives it a meaning";
    /// Opcodes 3 to 7 and B to F are reserved.
    OpcodeReserved "opcode-reserved" "RFC 6455 §5.2" Error "opcode 0x{hex} is reserved";
    /// A control frame carries at most 125 bytes.
    ControlTooLong "control-too-long" "RFC 6455 §5.5" Error "control frame over 125 bytes: it carries {bound}";
    /// A control frame is not fragmented.
    ControlFragmented "control-fragmented" "RFC 6455 §5.5" Error "a control frame must not be fragmented; FIN is 0";
    /// The shortest length form is used.
    LengthNotShortest "length-not-shortest" "RFC 6455 §5.2" Error "length {bound} is not in its shortest form";
    /// The top bit of a 64-bit length is 0.
    LengthTopBit "length-top-bit" "RFC 6455 §5.2" Error "the most significant bit of the 64-bit length is 1";
    /// A continuation continues something.
    ContinuationUnexpected "continuation-unexpected" "RFC 6455 §5.4" Error "a continuation frame, with no message to continue";
    /// Fragments of two messages are not interleaved.
    MessageInterrupted "message-interrupted" "RFC 6455 §5.4" Error "a new data frame, while a fragmented message is unfinished";
    /// A fragment carries something.
    FragmentEmpty "fragment-empty" "RFC 6455 §5.4" Info "a fragment without payload: allowed, and adds nothing to its message";
    /// A message is no larger than what our server takes.
    MessageOverLimit "message-over-limit" "RFC 6455 §10.4" Info "the message has at least {number} bytes; framescope's own server takes at most {text}";
    /// The masking key is unpredictable.
    MaskingKeyZero "masking-key-zero" "RFC 6455 §5.3" Warning "the masking key is zero: the payload stands unmasked on the wire";
    /// The masking key is new in each frame.
    MaskingKeyReused "masking-key-reused" "RFC 6455 §5.3" Warning "the masking key is the previous frame's; each frame needs a new one";
    /// What a negotiated extension may define that is not known here.
    ExtensionBits "extension-bits" "RFC 6455 §5.8" Info "{text}: a negotiated extension may give that a meaning, which is not known here";
    /// No data follows a Close.
    FrameAfterClose "frame-after-close" "RFC 6455 §5.5.1" Error "a data frame after the Close that this side sent";
    /// A side closes once.
    CloseRepeated "close-repeated" "RFC 6455 §5.5.1" Info "a second Close of this side: the first one counts";
    /// Text is UTF-8.
    TextNotUtf8 "text-not-utf8" "RFC 6455 §8.1" Error "the text is not UTF-8 from offset {number} of the payload on";
    /// Text ends at the end of a character.
    TextCutCharacter "text-cut-character" "RFC 6455 §8.1" Error "the text message ends inside a UTF-8 character";
    /// A compressed payload is a DEFLATE stream.
    InflateFailed "inflate-failed" "RFC 7692 §7.2.2" Error "the compressed message cannot be inflated: {text}";
    /// Compressed bytes refer no further back than the window that was agreed on.
    WindowExceeded "window-exceeded" "RFC 7692 §7.1.2" Error "the compressed message refers {number} bytes back; the window agreed on has {text}";
    /// A compressed text is UTF-8 once it is inflated.
    InflatedNotUtf8 "inflated-not-utf8" "RFC 6455 §8.1" Error "the inflated text is not UTF-8 from its byte {number} on";
    /// A message inflates to no more than a receiver bears.
    InflateLimit "inflate-limit" "RFC 7692 §8" Info "the message inflates to more than {number} bytes: it is not inflated further";
    /// An inflated message is short enough to be exported whole.
    InflatedLong "inflated-long" "RFC 7692 §8" Info "the message inflates to {number} bytes; exports carry the first {text} of them";
    /// A Close payload is empty or has a code.
    ClosePayloadOneByte "close-payload-one-byte" "RFC 6455 §5.5.1" Error "the Close payload is one byte; it must be empty or begin with a 2-byte code";
    /// Some codes are never sent.
    CloseCodeInvalid "close-code-invalid" "RFC 6455 §7.4" Error "close code {digits} must not be sent";
    /// The reason is UTF-8.
    CloseReasonNotUtf8 "close-reason-not-utf8" "RFC 6455 §5.5.1" Error "the close reason is not UTF-8";
    /// A side says Close before it ends its TCP connection.
    CloseMissing "close-missing" "RFC 6455 §7.1.5" Info "no Close before the TCP end of the {by}: its peer reports 1006";
    /// A Close is answered.
    CloseUnanswered "close-unanswered" "RFC 6455 §5.5.1" Info "the {by} ended TCP without answering the Close of its peer";
    /// A TCP connection ends in order.
    TcpReset "tcp-reset" "RFC 6455 §7.1.1" Info "the {by} tore the TCP connection down (RST)";
    /// A Ping is answered.
    PingUnanswered "ping-unanswered" "RFC 6455 §5.5.2" Info "pings that were not answered until the end: {number}";
    /// Each Ping is answered.
    PingSuperseded "ping-superseded" "RFC 6455 §5.5.3" Info "answers a later ping and passes over earlier ones ({number}): allowed";
    /// A Pong repeats the payload of its Ping.
    PongMismatched "pong-mismatched" "RFC 6455 §5.5.3" Warning "the payload is that of no unanswered ping ({number} wait for their pong)";
    /// A Pong answers a Ping.
    PongUnsolicited "pong-unsolicited" "RFC 6455 §5.5.3" Info "a pong that answers no ping: allowed, a one-way heartbeat";
    /// A control frame's length stands in its 7 bits. Only of a head that was cut before its length tells whether the frame is
    /// [`Self::ControlTooLong`] or its length [`Self::LengthNotShortest`]: it is one of them.
    ControlLengthExtended "control-length-extended" "RFC 6455 §5.5" Error "a control frame whose 7-bit length is {digits}: it is over 125 bytes, or its length is not in its shortest form";
    /// Bytes are missing that compressed messages may refer to.
    ContextLost "context-lost" "RFC 7692 §7.1.1" Info "compressed messages behind the missing bytes may refer to them, and are not inflated";
    /// What is sent again is the same.
    SegmentOverlap "segment-overlap" "RFC 9293 §3.10.7.4" Warning "a TCP segment repeats bytes of an earlier one with another content: bytes that differ: {number}; those that came first are shown";
    /// So much is wrong that no more is listed.
    FindingsOmitted "findings-omitted" "RFC 6455 §7.1.7" Info "{number} findings of the severity {text} in this direction so far: further ones are not listed";
}
