//! The direction that a log line names: `TX`, `recv`, `->`, `client -> server`.

/// What a line says about the direction of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pasted) enum Mark {
    /// The program that wrote the log sent them.
    Sent,
    /// The program that wrote the log received them.
    Received,
    /// The client sent them.
    FromClient,
    /// The server sent them.
    FromServer,
    /// Somebody with this name sent them.
    From(String),
}

impl Mark {
    /// True if it names the client or the server.
    pub fn is_absolute(&self) -> bool {
        matches!(self, Self::FromClient | Self::FromServer)
    }
}

#[rustfmt::skip]
const SENT: &[&str] = &[
    "tx", "send", "sends", "sent", "sending", "sendto", "sendmsg", "out", "outgoing", "outbound", "output", "write", "writes",
    "writing", "written", "wrote", "writev", "egress", "upload",
];

#[rustfmt::skip]
const RECEIVED: &[&str] = &[
    "rx", "recv", "receive", "receives", "received", "receiving", "rcvd", "recvd", "recvfrom", "recvmsg", "in", "incoming",
    "inbound", "input", "read", "reads", "reading", "readv", "got", "ingress", "download",
];

const CLIENTS: &[&str] = &["client", "c", "browser"];
const SERVERS: &[&str] = &["server", "s"];

/// Words before bytes that say what they are, and so are no names of a sender or receiver.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "frame", "frames", "data", "payload", "byte", "bytes", "octets", "hex", "hexdump", "dump", "raw", "buf", "buffer", "msg",
    "message", "packet", "pkt", "wire", "ws", "wss", "websocket", "body", "content", "chunk", "stream", "text", "binary", "ping",
    "pong", "close", "continuation", "len", "length",
];

/// A part of the text before the bytes.
#[derive(Debug, PartialEq)]
enum Part<'t> {
    Word(&'t str),
    /// True if it points from left to right.
    Arrow(bool),
}

/// The side of each mark, in their order: 0 or 1; 0 is the client if the marks name clients and servers. `None` if they do not name
/// two sides in one way.
pub(in crate::pasted) fn sides(marks: &[Mark]) -> Option<Vec<usize>> {
    let all = |is: fn(&Mark) -> bool| marks.iter().all(is);
    let other = |other: &Mark| marks.iter().map(|mark| usize::from(mark == other)).collect();
    if all(|mark| matches!(mark, Mark::Sent | Mark::Received)) {
        return Some(other(&Mark::Received));
    }
    if all(Mark::is_absolute) {
        return Some(other(&Mark::FromServer));
    }
    let first = marks.first()?;
    let second = marks.iter().find(|mark| *mark != first);
    let has_two = marks.iter().all(|mark| mark == first || Some(mark) == second);
    (has_two && all(|mark| matches!(mark, Mark::From(_)))).then(|| second.map_or_else(|| vec![0; marks.len()], other))
}

/// Whether the word directly before bytes says that they are bytes of a stream.
pub(super) fn is_label(word: &str) -> bool {
    names(word).any(|name| [LABELS, SENT, RECEIVED].iter().any(|words| words.contains(&name.as_str())))
}

/// The direction that the text before bytes names; `None` if it names none, or both.
pub(in crate::pasted) fn mark(prefix: &str) -> Option<Mark> {
    let parts = parts(prefix);
    if let Some(mark) = between(&parts) {
        return Some(mark);
    }
    let last = parts.len().saturating_sub(1);
    let mut named = [false; 2];
    for (at, part) in parts.iter().enumerate() {
        let Part::Word(word) = part else { continue };
        for name in names(word) {
            // In a sentence, these are other words: "in 3 ms".
            if matches!(name.as_str(), "in" | "out")
                && at != 0
                && at != last
                && word.bytes().any(|b| b.is_ascii_lowercase())
            {
                continue;
            }
            match name.as_str() {
                "c2s" => return Some(Mark::FromClient),
                "s2c" => return Some(Mark::FromServer),
                _ => {}
            }
            named[0] |= SENT.contains(&name.as_str());
            named[1] |= RECEIVED.contains(&name.as_str());
        }
    }
    match named {
        [true, false] => return Some(Mark::Sent),
        [false, true] => return Some(Mark::Received),
        [true, true] => return None,
        [false, false] => {}
    }
    let arrows: Vec<bool> =
        parts.iter().filter_map(|part| if let Part::Arrow(right) = part { Some(*right) } else { None }).collect();
    match arrows.as_slice() {
        [] => speaker(&parts),
        all if all.iter().all(|right| *right) => Some(Mark::Sent),
        all if all.iter().all(|right| !*right) => Some(Mark::Received),
        _ => None,
    }
}

/// `client -> server`, `10.0.0.1:5000 > 10.0.0.2:80`, `client to server`.
fn between(parts: &[Part<'_>]) -> Option<Mark> {
    parts.windows(3).find_map(|three| {
        let (left, right, to_right) = match three {
            [Part::Word(left), Part::Arrow(to_right), Part::Word(right)] => (left, right, *to_right),
            [Part::Word(left), Part::Word(to), Part::Word(right)] if to.eq_ignore_ascii_case("to") => {
                (left, right, true)
            }
            _ => return None,
        };
        let (from, to) = if to_right { (left, right) } else { (right, left) };
        let is_one_of = |name: &str, all: &[&str]| all.contains(&name.to_ascii_lowercase().as_str());
        if is_one_of(from, CLIENTS) && is_one_of(to, SERVERS) {
            return Some(Mark::FromClient);
        }
        if is_one_of(from, SERVERS) && is_one_of(to, CLIENTS) {
            return Some(Mark::FromServer);
        }
        // A name has letters or is an address; a time or a label is none.
        let is_name = |word: &str| !is_label(word) && (word.contains('.') || word.starts_with(char::is_alphabetic));
        let is_sentence = !matches!(three[1], Part::Arrow(_));
        (is_name(from) && is_name(to) && !is_sentence).then(|| Mark::From((*from).to_owned()))
    })
}

/// `client: `, `S: `: the name of the one who sends, directly before the bytes.
fn speaker(parts: &[Part<'_>]) -> Option<Mark> {
    let Some(Part::Word(word)) = parts.last() else { return None };
    let name = word.to_ascii_lowercase();
    let is_side = CLIENTS.contains(&name.as_str()) || SERVERS.contains(&name.as_str());
    (is_side && (name.len() > 1 || word.bytes().all(|byte| byte.is_ascii_uppercase()))).then_some(Mark::From(name))
}

/// The words and arrows of a text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_arrow =
        |c: char| matches!(c, '<' | '>' | '-' | '=' | '→' | '←' | '⇒' | '⇐' | '▲' | '▼' | '↑' | '↓' | '⬆' | '⬇');
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let taken = |is: &dyn Fn(char) -> bool| rest.find(|c: char| !is(c)).unwrap_or(rest.len());
        let len = if is_word(c) {
            // The port of an address belongs to its name.
            let len = taken(&|c| is_word(c) || c == ':');
            let len = rest[..len].trim_end_matches(':').len();
            parts.push(Part::Word(&rest[..len]));
            len
        } else if is_arrow(c) {
            let len = taken(&is_arrow);
            let run = &rest[..len];
            let (right, left) =
                (run.contains(['>', '→', '⇒', '▲', '↑', '⬆']), run.contains(['<', '←', '⇐', '▼', '↓', '⬇']));
            if right != left {
                parts.push(Part::Arrow(right));
            }
            len
        } else {
            c.len_utf8()
        };
        at += len;
    }
    parts
}

/// The lower-case names of which an identifier consists: `sendFrame` and `send_frame` have two.
fn names(word: &str) -> impl Iterator<Item = String> + '_ {
    let mut starts = vec![0];
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    for pair in letters.windows(2) {
        let ((_, before), (at, c)) = (pair[0], pair[1]);
        if c.is_uppercase() && before.is_lowercase() {
            starts.push(at);
        }
    }
    let ends = starts.clone().into_iter().skip(1).chain([word.len()]);
    let camel: Vec<&str> = starts.into_iter().zip(ends).map(|(start, end)| &word[start..end]).collect();
    camel
        .into_iter()
        .flat_map(|part| part.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_arrows_name_a_direction() {
        for (prefix, expected) in [
            ("send: ", Some(Mark::Sent)),
            ("[12:00:01] TX ", Some(Mark::Sent)),
            ("OUT ", Some(Mark::Sent)),
            ("wrote 7 bytes: ", Some(Mark::Sent)),
            ("onWrite ", Some(Mark::Sent)),
            ("> ", Some(Mark::Sent)),
            ("DEBUG --> ", Some(Mark::Sent)),
            ("recv: ", Some(Mark::Received)),
            ("RX[7] ", Some(Mark::Received)),
            ("ws_recv_frame=", Some(Mark::Received)),
            ("in: ", Some(Mark::Received)),
            ("<<< ", Some(Mark::Received)),
            ("12:00:01 ← TEXT ", Some(Mark::Received)),
            ("recv > ", Some(Mark::Received)),
            ("client -> server: ", Some(Mark::FromClient)),
            ("C→S ", Some(Mark::FromClient)),
            ("client <- server ", Some(Mark::FromServer)),
            ("server to client: ", Some(Mark::FromServer)),
            ("s2c ", Some(Mark::FromServer)),
            ("10.0.0.1:5000 > 10.0.0.2:80: ", Some(Mark::From("10.0.0.1:5000".to_owned()))),
            ("alice => bob ", Some(Mark::From("alice".to_owned()))),
            ("client: ", Some(Mark::From("client".to_owned()))),
            ("S: ", Some(Mark::From("s".to_owned()))),
            ("took 3 ms in all: ", None),
            ("read/write ", None),
            ("<-> ", None),
            ("frame=", None),
            ("DEBUG ", None),
            ("", None),
        ] {
            assert_eq!(mark(prefix), expected, "{prefix}");
        }
    }

    #[test]
    fn labels_say_that_bytes_follow() {
        for word in ["frame", "rawData", "ws_frame", "RX", "HEX", "payload"] {
            assert!(is_label(word), "{word}");
        }
        for word in ["commit", "id", "sha256", "DEBUG", "framework"] {
            assert!(!is_label(word), "{word}");
        }
    }
}
