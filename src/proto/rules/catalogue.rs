//! The table of rules: id, section, severity and sentence of each.

use super::Severity;

/// Declares [`Rule`] and its facts in one table: variant, id, section, severity, sentence. The sentence documents the variant.
///
/// Names in braces are filled in by [`super::Finding::sentence`]:
/// - `{number}`: the number, with commas (`65,536`); `{digits}`: without them; `{hex}`: in hexadecimal;
/// - `{bound}`: the number, after "at least" or "at most" if only a part of the head was captured;
/// - `{text}`: the text;
/// - `{by}`: `client` or `server`.
macro_rules! catalogue {
    ($($variant:ident $id:literal $section:literal $severity:ident $sentence:literal;)+) => {
        /// A rule of RFC 6455 or of a document that it builds on. Ids never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Rule { $(#[doc = $sentence] $variant),+ }

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
    MethodNotGet "method-not-get" "RFC 6455 §4.1" Error "the request method is {text}; a WebSocket handshake must use GET";
    TargetMalformed "target-malformed" "RFC 6455 §4.1" Error "the request target is malformed: {text}";
    HttpVersion "http-version" "RFC 6455 §4.1" Error "the HTTP version is {text}; a WebSocket handshake needs HTTP/1.1 or later";
    HostMissing "host-missing" "RFC 6455 §4.1" Error "the Host header is missing";
    HostRepeated "host-repeated" "RFC 9112 §3.2" Error "the request has {number} Host headers; it must have exactly one";
    HostInvalid "host-invalid" "RFC 9112 §3.2" Error "the Host header is not a host with an optional port: {text}";
    HostPortMissing "host-port-missing" "RFC 9110 §7.2" Info "Host is {text} without a port, but the connection went to port {digits}";
    HostForeign "host-foreign" "RFC 9110 §7.2" Info "Host is {text}, but the connection went to a loopback address";
    UpgradeMissing "upgrade-missing" "RFC 6455 §4.1" Error "the Upgrade header does not contain websocket";
    ConnectionMissing "connection-missing" "RFC 6455 §4.1" Error "the Connection header does not contain the token Upgrade";
    KeyMissing "key-missing" "RFC 6455 §4.1" Error "the Sec-WebSocket-Key header is missing";
    KeyRepeated "key-repeated" "RFC 6455 §11.3.1" Error "the request has {number} Sec-WebSocket-Key headers; it must have exactly one";
    KeyMalformed "key-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Key {text} is not the base64 form of 16 bytes";
    VersionNot13 "version-not-13" "RFC 6455 §4.1" Error "Sec-WebSocket-Version is {text}; it must be 13";
    VersionRepeated "version-repeated" "RFC 6455 §11.3.5" Error "the request has {number} Sec-WebSocket-Version headers; it must have exactly one";
    KeyReused "key-reused" "RFC 6455 §4.1" Info "another connection used the same Sec-WebSocket-Key; each connection needs a new random key";
    SubprotocolMalformed "subprotocol-malformed" "RFC 6455 §4.1" Error "Sec-WebSocket-Protocol is malformed: {text}";
    ExtensionMalformed "extension-malformed" "RFC 6455 §9.1" Error "Sec-WebSocket-Extensions violates its grammar: {text}";
    DeflateOfferInvalid "deflate-offer-invalid" "RFC 7692 §7.1" Warning "a server must decline this permessage-deflate offer: {text}";
    RequestBody "request-body" "RFC 9110 §9.3.1" Warning "the handshake request announces a body ({text}); a GET should have none";
    DataBeforeResponse "data-before-response" "RFC 6455 §4.1" Error "the client sent this before the server's response; it must wait for the response";
    OriginForeign "origin-foreign" "RFC 6455 §10.2" Info "Origin is {text}, which is not the origin of the host and port in Host";
    OriginRepeated "origin-repeated" "RFC 6454 §7.3" Error "the request has {number} Origin headers; it may have at most one";
    HeaderMalformed "header-malformed" "RFC 9112 §5" Error "header line {number} is malformed: {text}";
    HeaderControlCharacter "header-control-character" "RFC 9110 §5.5" Error "the value of header line {number} contains the control character {text}";
    HeaderFolded "header-folded" "RFC 9112 §5.2" Warning "header line {number} continues on the next line (obsolete line folding)";
    BareLf "bare-lf" "RFC 9112 §2.2" Warning "a line ends with LF alone; it should end with CR LF";
    StatusSpaceMissing "status-space-missing" "RFC 9112 §4" Error "no space follows the status code {digits}; only the reason phrase after the space may be empty";
    StatusNot101 "status-not-101" "RFC 6455 §4.2.2" Info "the server answered {digits} instead of 101, so the connection stays HTTP";
    ResponseUpgradeMissing "response-upgrade-missing" "RFC 6455 §4.2.2" Error "the Upgrade header of the response is not websocket";
    ResponseUpgradeRepeated "response-upgrade-repeated" "RFC 6455 §4.1" Error "the response has {number} Upgrade headers, so their value is not websocket; it must have exactly one";
    ResponseHttpVersion "response-http-version" "RFC 9110 §15.2" Warning "the HTTP version of the 101 is {text}; only HTTP/1.1 and later have the status 101";
    ResponseContentLength "response-content-length" "RFC 9110 §8.6" Error "the 101 has a Content-Length header ({text}); a 1xx response must have none";
    ResponseTransferEncoding "response-transfer-encoding" "RFC 9112 §6.1" Error "the 101 has a Transfer-Encoding header ({text}); a 1xx response must have none";
    ResponseConnectionMissing "response-connection-missing" "RFC 6455 §4.2.2" Error "the Connection header of the response does not contain the token Upgrade";
    AcceptMissing "accept-missing" "RFC 6455 §4.2.2" Error "the Sec-WebSocket-Accept header is missing";
    AcceptWrong "accept-wrong" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept is wrong: {text}";
    // The accept value is computed from the key without the white space around it, but with any white space inside it.
    AcceptKeySpaces "accept-key-spaces" "RFC 6455 §4.2.2" Error "Sec-WebSocket-Accept was computed from {text}";
    AcceptRepeated "accept-repeated" "RFC 6455 §11.3.3" Error "the response has {number} Sec-WebSocket-Accept headers; it must have exactly one";
    SubprotocolRepeated "subprotocol-repeated" "RFC 6455 §11.3.4" Error "the server chose more than one subprotocol: {text}";
    SubprotocolNotOffered "subprotocol-not-offered" "RFC 6455 §4.1" Error "the server chose the subprotocol {text}, which the client did not offer";
    SubprotocolNotChosen "subprotocol-not-chosen" "RFC 6455 §4.2.2" Info "subprotocols that the client offered: {number}; the server chose none: allowed, but browsers and npm ws fail the connection";
    ExtensionNotOffered "extension-not-offered" "RFC 6455 §4.1" Error "the server chose the extension {text}, which the client did not offer";
    ExtensionsRepeated "extensions-repeated" "RFC 6455 §11.3.2" Error "the response has {number} Sec-WebSocket-Extensions headers; it may have at most one";
    ExtensionRepeated "extension-repeated" "RFC 7692 §5" Error "the server accepted {text} {number} times; it may accept it once";
    DeflateParameterInvalid "deflate-parameter-invalid" "RFC 7692 §7.1" Error "the permessage-deflate response is invalid: {text}";
    DeflateParameterRepeated "deflate-parameter-repeated" "RFC 7692 §7.1" Error "the permessage-deflate response repeats the parameter {text}";
    ProxyHeader "proxy-header" "PROXY protocol §2" Info "a header of the PROXY protocol, version {number}, {text}; the HTTP request follows it";
    ProxyHeaderFromServer "proxy-header-from-server" "PROXY protocol §2" Error "the server sent a header of the PROXY protocol, version {number}, {text}; only the side that opens a connection may send one";
    BytesBeforeResponse "bytes-before-response" "RFC 9112 §4" Error "the server sent this in front of the status line of its response: {text}";
    HeadTooLong "head-too-long" "RFC 9110 §5.4" Warning "the head does not end within {number} bytes; its bytes are shown unparsed";
    BodyEndUnknown "body-end-unknown" "RFC 9112 §6.3" Error "where the HTTP body before these bytes ends is unknown, so they are shown unparsed: {text}";
    HttpResponseInStream "http-response-in-stream" "RFC 6455 §5.1" Error "an HTTP response was written into the WebSocket stream: {text}";
    HttpRequestInStream "http-request-in-stream" "RFC 6455 §5.1" Error "an HTTP request (method {text}) was written into the WebSocket stream";
    LineBreakInStream "line-break-in-stream" "RFC 6455 §5.1" Error "{text}, where a frame must start";
    TextInStream "text-in-stream" "RFC 6455 §5.1" Error "text without a frame was written into the WebSocket stream: {text}";
    NulInStream "nul-in-stream" "RFC 6455 §5.1" Error "NUL bytes were written into the WebSocket stream, where a frame must start";
    TlsInStream "tls-in-stream" "RFC 6455 §5.1" Error "a TLS record ({text}) was written into the WebSocket stream";
    ProxyHeaderInStream "proxy-header-in-stream" "PROXY protocol §2" Error "a header of the PROXY protocol, version {number}, {text}, was written into the WebSocket stream";
    ClientFrameUnmasked "client-frame-unmasked" "RFC 6455 §5.1" Error "MASK is 0, but a client must mask every frame";
    ServerFrameMasked "server-frame-masked" "RFC 6455 §5.1" Error "MASK is 1, but a server must not mask frames";
    Rsv1Set "rsv1-set" "RFC 6455 §5.2" Error "RSV1 is 1, but no negotiated extension defines it for this frame";
    Rsv1Misplaced "rsv1-misplaced" "RFC 7692 §6.1" Error "RSV1 is 1 on a {text} frame; permessage-deflate sets it only on the first frame of a data message";
    Rsv2Set "rsv2-set" "RFC 6455 §5.2" Error "RSV2 is 1, but no negotiated extension defines it";
    Rsv3Set "rsv3-set" "RFC 6455 §5.2" Error "RSV3 is 1, but no negotiated extension defines it";
    // The opcode is not reserved. Opcodes 0x3 to 0x7 and 0xB to 0xF are.
    OpcodeReserved "opcode-reserved" "RFC 6455 §5.2" Error "opcode 0x{hex} is reserved";
    ControlTooLong "control-too-long" "RFC 6455 §5.5" Error "control frame over 125 bytes: it carries {bound}";
    ControlFragmented "control-fragmented" "RFC 6455 §5.5" Error "FIN is 0, but a control frame must not be fragmented";
    LengthNotShortest "length-not-shortest" "RFC 6455 §5.2" Error "length {bound} is not encoded in the shortest form";
    LengthTopBit "length-top-bit" "RFC 6455 §5.2" Error "the most significant bit of the 64-bit length is 1; it must be 0";
    ContinuationUnexpected "continuation-unexpected" "RFC 6455 §5.4" Error "a continuation frame, but no fragmented message is open";
    MessageInterrupted "message-interrupted" "RFC 6455 §5.4" Error "a new data frame before the fragmented message is finished";
    FragmentEmpty "fragment-empty" "RFC 6455 §5.4" Info "a fragment without payload: allowed, but it adds nothing to the message";
    MessageOverLimit "message-over-limit" "RFC 6455 §10.4" Info "the message has at least {number} bytes; framescope's own server accepts at most {text}";
    MaskingKeyZero "masking-key-zero" "RFC 6455 §5.3" Warning "the masking key is zero, so the payload is readable on the wire";
    MaskingKeyReused "masking-key-reused" "RFC 6455 §5.3" Warning "the masking key is the same as in the previous frame; each frame needs a new one";
    // Reserved bits and opcodes are used as framescope knows them. A negotiated extension that it does not know may define them.
    ExtensionBits "extension-bits" "RFC 6455 §5.8" Info "{text}: a negotiated extension that framescope does not know may define this";
    FrameAfterClose "frame-after-close" "RFC 6455 §5.5.1" Error "a data frame after this side sent its Close";
    CloseRepeated "close-repeated" "RFC 6455 §5.5.1" Info "a second Close from this side; only the first one counts";
    TextNotUtf8 "text-not-utf8" "RFC 6455 §8.1" Error "the text is not valid UTF-8 at offset {number} of the payload";
    TextCutCharacter "text-cut-character" "RFC 6455 §8.1" Error "the text message ends inside a UTF-8 character";
    InflateFailed "inflate-failed" "RFC 7692 §7.2.2" Error "the compressed message cannot be inflated: {text}";
    WindowExceeded "window-exceeded" "RFC 7692 §7.1.2" Error "the compressed message refers back {number} bytes; the negotiated window has {text}";
    InflatedNotUtf8 "inflated-not-utf8" "RFC 6455 §8.1" Error "the inflated text is not valid UTF-8 at byte {number}";
    InflateLimit "inflate-limit" "RFC 6455 §10.4" Info "the message inflates to more than {number} bytes; inflating stops there";
    InflatedLong "inflated-long" "RFC 6455 §10.4" Info "the message inflates to {number} bytes; exports contain only the first {text}";
    ClosePayloadOneByte "close-payload-one-byte" "RFC 6455 §5.5.1" Error "the Close payload has one byte; it must be empty or start with a 2-byte code";
    CloseCodeInvalid "close-code-invalid" "RFC 6455 §7.4" Error "close code {digits} must not be sent";
    CloseReasonNotUtf8 "close-reason-not-utf8" "RFC 6455 §5.5.1" Error "the close reason is not valid UTF-8 at offset {number} of the payload";
    CloseMissing "close-missing" "RFC 6455 §7.1.5" Info "the {by} ended its TCP stream without sending a Close, so its peer reports 1006 (abnormal closure)";
    CloseUnanswered "close-unanswered" "RFC 6455 §5.5.1" Info "the {by} ended its TCP stream without answering its peer's Close";
    TcpReset "tcp-reset" "RFC 6455 §7.1.1" Info "the {by} reset the TCP connection (RST)";
    PingUnanswered "ping-unanswered" "RFC 6455 §5.5.2" Info "pings that were never answered: {number}";
    PingSuperseded "ping-superseded" "RFC 6455 §5.5.3" Info "this pong answers a later ping; earlier pings that it skips: {number} (allowed)";
    PongMismatched "pong-mismatched" "RFC 6455 §5.5.3" Warning "the payload matches no unanswered ping; pings that wait for a pong: {number}";
    PongUnsolicited "pong-unsolicited" "RFC 6455 §5.5.3" Info "this pong answers no ping: allowed, as a one-way heartbeat";
    // The 7-bit length of a control frame is at most 125. Used only if the capture lacks the rest of the length: the frame violates
    // either `ControlTooLong` or `LengthNotShortest`, and the head does not show which.
    ControlLengthExtended "control-length-extended" "RFC 6455 §5.5" Error "the 7-bit length of a control frame is {digits}: the payload is over 125 bytes, or its length is not in the shortest form";
    ContextLost "context-lost" "RFC 7692 §7.1.1" Info "compressed messages after the missing bytes may refer to them, so they cannot be inflated";
    SegmentOverlap "segment-overlap" "RFC 9293 §3.10.7.4" Warning "a TCP segment repeats earlier bytes with different content; bytes that differ: {number}; the bytes that arrived first are shown";
    FindingsOmitted "findings-omitted" "RFC 6455 §7.1.7" Info "{number} findings with severity {text} in this direction; further ones are not listed";
}
