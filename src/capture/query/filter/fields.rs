//! The fields that an expression can name.

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// True or false.
    Flag,
    /// A number.
    Number,
    /// A number of bytes.
    Size,
    /// A length of time.
    Time,
    /// An opcode, by name or number.
    Opcode,
    /// c2s or s2c.
    Direction,
    /// A record's type.
    Type,
    /// A rule's id, or a severity.
    Finding,
    /// Text.
    Text,
    /// Bytes, in hex or as text.
    Bytes,
    /// No value: the record has the field or not.
    Presence,
}

/// Declares [`FilterField`] in one table: variant, name, further names of the same meaning, type, words.
macro_rules! fields {
    ($($variant:ident $name:literal [$($alias:literal)*] $value_type:ident $words:literal;)+) => {
        /// A field of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FilterField { $(#[doc = $words] $variant),+ }

        impl FilterField {
            /// Every field, our own first, then Wireshark's.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that people type.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }

            /// Further names of the same meaning: Wireshark's.
            pub const fn aliases(self) -> &'static [&'static str] { match self { $(Self::$variant => &[$($alias),*]),+ } }

            /// The type of its values.
            pub const fn value_type(self) -> FieldType { match self { $(Self::$variant => FieldType::$value_type),+ } }

            /// A description in a few words.
            pub const fn words(self) -> &'static str { match self { $(Self::$variant => $words),+ } }
        }
    };
}

fields! {
    Op "op" ["websocket.opcode"] Opcode "a frame's opcode: continuation text binary close ping pong, or 0 to 15";
    Dir "dir" [] Direction "c2s (client to server) or s2c";
    Conn "conn" [] Number "the connection's number, from 1";
    No "no" [] Number "the record's number, from 1";
    Type "type" [] Type "request response frame gap junk cut end";
    Len "len" [] Size "a frame's payload length in bytes";
    Time "time" ["frame.time_relative"] Time "time since the first record";
    Text "text" ["websocket.payload.text"] Text "a frame's payload as text, or what its message inflates to";
    Bytes "bytes" [] Bytes "the record's bytes on the wire, or its unmasked payload";
    Finding "finding" [] Finding "what is wrong: a rule's id, or error warning info";
    Fin "fin" ["websocket.fin"] Flag "FIN";
    Mask "mask" ["websocket.mask"] Flag "MASK";
    Rsv1 "rsv1" [] Flag "RSV1";
    Rsv2 "rsv2" [] Flag "RSV2";
    Rsv3 "rsv3" [] Flag "RSV3";
    Compressed "compressed" [] Flag "whether the frame's message is compressed";
    Message "message" [] Number "the data message it belongs to, counted in its direction from 1";
    CloseCode "close.code" ["websocket.payload.close.status_code"] Number "a Close frame's code";
    Status "status" ["http.response.code"] Number "a response's status";
    Host "host" ["http.host"] Text "the Host of the connection's request";
    Path "path" [] Text "the path of the connection's request, without its query";
    PayloadLength "websocket.payload_length" [] Number "the 7-bit length field itself: 126 and 127 announce a longer one";
    Rsv "websocket.rsv" [] Number "RSV1 to RSV3 as a number, 0 to 7";
    MaskingKey "websocket.masking_key" [] Bytes "the masking key";
    Payload "websocket.payload" [] Bytes "the unmasked payload";
    Stream "tcp.stream" [] Number "the connection, counted from 0: conn minus 1";
    Websocket "websocket" [] Presence "any frame";
    Http "http" [] Presence "any request or response";
    Request "http.request" [] Presence "a request";
    Response "http.response" [] Presence "a response";
}

/// Words that are not fields, each with the field that is probably meant.
const MEANT: [(&str, &str); 27] = [
    ("opcode", "op"),
    ("opcod", "op"),
    ("direction", "dir"),
    ("connection", "conn"),
    ("number", "no"),
    ("frame.number", "no"),
    ("record", "no"),
    ("kind", "type"),
    ("length", "len"),
    ("size", "len"),
    ("payload_len", "len"),
    ("frame.len", "len"),
    ("since", "time"),
    ("payload", "text"),
    ("inflated", "text"),
    ("data", "bytes"),
    ("wire", "bytes"),
    ("hex", "bytes"),
    ("rule", "finding"),
    ("severity", "finding"),
    ("error", "finding"),
    ("masked", "mask"),
    ("code", "close.code"),
    ("close_code", "close.code"),
    ("url", "path"),
    ("target", "path"),
    ("key", "websocket.masking_key"),
];

impl FilterField {
    /// Finds a field by name. Returns whether the name is Wireshark's too.
    pub fn named(name: &str) -> Option<(Self, bool)> {
        Self::ALL.iter().find_map(|field| {
            let own = field.name() == name;
            (own || field.aliases().contains(&name))
                .then_some((*field, name.contains('.') && *field != Self::CloseCode))
        })
    }

    /// Every name and alias.
    pub fn names() -> impl Iterator<Item = (&'static str, Self)> {
        Self::ALL.iter().flat_map(|field| {
            std::iter::once(field.name()).chain(field.aliases().iter().copied()).map(|name| (name, *field))
        })
    }

    /// The field name that was probably meant.
    pub(super) fn near(word: &str) -> Option<&'static str> {
        let names = Self::names().map(|(name, _)| (name, name));
        nearest(word, names.chain(MEANT))
    }
}

/// Of pairs (word, meaning), the meaning of the word nearest to `typed`, if one is near enough.
pub(super) fn nearest<'a>(typed: &str, words: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let bound = match typed.chars().count() {
        0..=1 => 0,
        2..=4 => 1,
        _ => 2,
    };
    let near = words.map(|(word, meaning)| (distance(&typed, word), meaning));
    near.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= bound).map(|(_, meaning)| meaning)
}

/// The number of letters to change, insert or delete to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
