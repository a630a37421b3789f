//! Markers: packet comments of our own files with data that TCP headers cannot express. A marker has the form
//! `framescope:NAME [key=value]…`; `docs/formats.md` lists them.
//!
//! Comments on findings begin with `framescope:` and a space, so a finding is never a marker.

use super::proxied::Proxied;
use crate::proto::dissected::Loss;
use crate::proto::stated::{Answers, StatedKind, StatedRecord};
use crate::wire::tls::{CipherSuite, Protection, TlsParams};

/// How every packet comment begins that framescope writes for itself; see [`super::comments`] for notes that begin with it.
pub(super) const PREFIX: &str = "framescope:";

/// The data of one marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// `gap`, on an empty packet: the next bytes of its direction are missing.
    Gap(Gap),
    /// `overlap`, on an empty packet: a segment repeated bytes of its direction with other content. Applies to the next record.
    Overlap {
        /// How many bytes differ.
        bytes: u64,
    },
    /// `record`, on an empty packet: the record that the next bytes of its direction are, where they do not show it.
    Record(StatedRecord),
    /// `outstanding`, on a packet with data: when it was sent, its sender had bytes of the other direction that come later in the
    /// file, or are missing. On an empty packet: from here on, the sender of the packet got something else than the bytes of the other
    /// direction, because `proxy` changed them.
    Outstanding,
    /// `end`, on an empty packet: nothing is known about its direction from here on, or a reset ends it.
    End {
        /// Whether a reset ends it: the packet of the reset comes later, after bytes of the other direction.
        reset: bool,
    },
    /// `seq`, on a SYN: the connection began with another sequence number than the SYN has.
    InitialSequence {
        /// The connection's initial sequence number.
        first: u32,
    },
    /// `note`, on a packet of its own: the note on a record that was written before.
    Note {
        /// How many records of the file come between that record and the marker.
        back: u64,
        /// The time of the record in nanoseconds: a note is not put on any other record.
        time: u64,
    },
    /// `rewritten`, `dropped`, `added` or `replaced`, on a packet of its own: what `proxy` did with a record that was written before.
    Proxied(ProxiedLate),
    /// `tls`, on an empty packet: the bytes of its connection are those that TLS had encrypted.
    Tls(TlsParams),
    /// `decrypted`, on an empty packet: the bytes from there on were decrypted by framescope, which was an end of TLS.
    Decrypted {
        /// Whether TLS protected the way between the client and framescope.
        client: bool,
        /// Whether TLS protected the way between framescope and the server.
        server: bool,
    },
    /// `delivered`, on a SYN: the connection has what the two sides of an earlier one received, because `proxy` changed what was sent.
    /// Its handshake is that of the earlier connection.
    Delivered,
    /// `reconstructed`, on the section header: the bytes were never on a wire.
    Reconstructed {
        /// What they were made from; the rest of the comment, so it may contain spaces.
        from: String,
    },
}

/// Bytes of a direction that the file lacks. Sequence numbers express a gap of less than 2 GiB, this one of any length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// The stream offset of the first byte after the gap; `None` if the packet's sequence number gives it.
    pub to: Option<u64>,
    /// The stream offset of the next frame or head, where that is known.
    pub begins: Option<u64>,
    /// Why.
    pub loss: Loss,
}

/// What `proxy` did with a record that was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxiedLate {
    /// How many records of the file come between the record and the marker.
    pub back: u64,
    /// The time of the record in nanoseconds: no other one is meant.
    pub time: u64,
    /// What it did. A record that was sent in its place is identified by the number of records between it and the marker; its time is that of the packet.
    pub how: Proxied,
}

impl Marker {
    /// The marker of a connection whose bytes are decrypted.
    pub(in crate::capture) const fn of(tls: Protection) -> Self {
        match tls {
            Protection::Between(params) => Self::Tls(params),
            Protection::Terminated { client, server } => Self::Decrypted { client, server },
        }
    }

    /// Reads a packet comment; `None` if it is not a marker, or one with an unknown key or a damaged value.
    pub(in crate::capture) fn read(comment: &str) -> Option<Self> {
        let text = comment.strip_prefix(PREFIX)?;
        if let Some(sentence) = text.strip_prefix(' ') {
            return Self::legacy(sentence);
        }
        let (name, fields) = text.split_once(' ').unwrap_or((text, ""));
        match name {
            "gap" => {
                let names = Loss::NAMED.map(|(_, name)| name);
                let [to, begins, named @ ..] = numbers(fields, ["to", "begins", names[0], names[1], names[2]])?;
                let loss = Loss::NAMED.into_iter().zip(named).find(|(_, value)| *value == Some(1));
                Some(Self::Gap(Gap { to, begins, loss: loss.map_or(Loss::Lost, |((loss, _), _)| loss) }))
            }
            "overlap" => {
                let [bytes] = numbers(fields, ["bytes"])?;
                Some(Self::Overlap { bytes: bytes? })
            }
            "end" if fields == "how=rst" => Some(Self::End { reset: true }),
            "end" => numbers(fields, []).map(|[]| Self::End { reset: false }),
            "record" => Self::record(fields).map(Self::Record),
            // These two are written no more.
            "junk" => {
                let [bytes] = numbers(fields, ["bytes"])?;
                Some(Self::Record(StatedRecord { len: bytes?, ..StatedRecord::new(StatedKind::Junk) }))
            }
            "frames" => numbers(fields, []).map(|[]| Self::Record(StatedRecord::new(StatedKind::Undirected))),
            "outstanding" => numbers(fields, []).map(|[]| Self::Outstanding),
            "seq" => {
                let [first] = numbers(fields, ["first"])?;
                Some(Self::InitialSequence { first: u32::try_from(first?).ok()? })
            }
            "note" => {
                let [back, time] = numbers(fields, ["back", "time"])?;
                Some(Self::Note { back: back?, time: time? })
            }
            "replaced" => {
                let [back, time, by] = numbers(fields, ["back", "time", "by"])?;
                Some(Self::Proxied(ProxiedLate { back: back?, time: time?, how: Proxied::ReplacedBy(by?) }))
            }
            "tls" => {
                let [version, suite] = numbers(fields, ["version", "suite"])?;
                let [version, suite] = [version?, suite?].map(|number| u16::try_from(number).ok());
                Some(Self::Tls(TlsParams { version: version?, suite: CipherSuite(suite?) }))
            }
            "decrypted" => {
                let [client, server] = numbers(fields, ["client", "server"])?;
                Some(Self::Decrypted { client: client == Some(1), server: server == Some(1) })
            }
            "delivered" => numbers(fields, []).map(|[]| Self::Delivered),
            "reconstructed" => Some(Self::Reconstructed { from: fields.strip_prefix("from=")?.to_owned() }),
            _ => {
                let how = Proxied::named(name)?;
                let [back, time] = numbers(fields, ["back", "time"])?;
                Some(Self::Proxied(ProxiedLate { back: back?, time: time?, how }))
            }
        }
    }

    /// Reads the fields of a record marker.
    fn record(fields: &str) -> Option<StatedRecord> {
        let (kind, rest) = fields.strip_prefix("kind=")?.split_once(' ')?;
        let kind = StatedKind::ALL.into_iter().find(|known| known.name() == kind)?;
        let (rest, answers) = match rest.strip_suffix(" answers=none") {
            Some(rest) => (rest, Answers::Nothing),
            None => (rest, Answers::Next),
        };
        let [len, early, at] = numbers(rest, ["bytes", "early", "answers"])?;
        Some(StatedRecord { kind, len: len?, early: early == Some(1), answers: at.map_or(answers, Answers::At) })
    }

    /// Reads a marker of an earlier version, which was a sentence after `framescope: `. Nothing writes these any more.
    fn legacy(sentence: &str) -> Option<Self> {
        if sentence == "end: capture" {
            return Some(Self::End { reset: false });
        }
        if let Some(rest) = sentence.strip_prefix("gap") {
            let (to, begins) = match rest.split_once(", a record begins at ") {
                Some((to, begins)) => (to, Some(number(begins)?)),
                None => (rest, None),
            };
            let to = match to.strip_prefix(": bytes up to ") {
                Some(to) => Some(number(to.strip_suffix(" are missing")?)?),
                None if to.is_empty() => None,
                None => return None,
            };
            return Some(Self::Gap(Gap { to, begins, loss: Loss::Lost }));
        }
        if let Some(rest) = sentence.strip_prefix("overlap: ") {
            return Some(Self::Overlap { bytes: number(rest.strip_suffix(" bytes differ")?)? });
        }
        if let Some(rest) = sentence.strip_prefix("sequence numbers begin at ") {
            let first = number(rest.strip_suffix(" where nothing is missing")?)?;
            return Some(Self::InitialSequence { first: u32::try_from(first).ok()? });
        }
        let from = sentence.strip_prefix("reconstructed ")?;
        let from = from.strip_prefix("from ").unwrap_or(from);
        Some(Self::Reconstructed { from: from.to_owned() })
    }

    /// The marker as a packet comment.
    pub(crate) fn comment(&self) -> String {
        match self {
            Self::Gap(Gap { to, begins, loss }) => {
                let to = to.map(|to| format!(" to={to}")).unwrap_or_default();
                let begins = begins.map(|begins| format!(" begins={begins}")).unwrap_or_default();
                let loss = loss.name().map(|name| format!(" {name}=1")).unwrap_or_default();
                format!("{PREFIX}gap{to}{begins}{loss}")
            }
            Self::Overlap { bytes } => format!("{PREFIX}overlap bytes={bytes}"),
            Self::End { reset } => format!("{PREFIX}end{}", if *reset { " how=rst" } else { "" }),
            Self::Record(StatedRecord { kind, len, early, answers }) => {
                let early = if *early { " early=1" } else { "" };
                let answers = match answers {
                    Answers::Next => String::new(),
                    Answers::Nothing => " answers=none".to_owned(),
                    Answers::At(offset) => format!(" answers={offset}"),
                };
                format!("{PREFIX}record kind={} bytes={len}{early}{answers}", kind.name())
            }
            Self::Outstanding => format!("{PREFIX}outstanding"),
            Self::InitialSequence { first } => format!("{PREFIX}seq first={first}"),
            Self::Note { back, time } => format!("{PREFIX}note back={back} time={time}"),
            Self::Proxied(ProxiedLate { back, time, how }) => {
                let by = match how {
                    Proxied::ReplacedBy(by) => format!(" by={by}"),
                    _ => String::new(),
                };
                format!("{PREFIX}{} back={back} time={time}{by}", how.name())
            }
            Self::Tls(TlsParams { version, suite }) => format!("{PREFIX}tls version={version} suite={}", suite.0),
            Self::Decrypted { client, server } => {
                let side = |name, is_tls| if is_tls { format!(" {name}=1") } else { String::new() };
                format!("{PREFIX}decrypted{}{}", side("client", *client), side("server", *server))
            }
            Self::Delivered => format!("{PREFIX}delivered"),
            Self::Reconstructed { from } => format!("{PREFIX}reconstructed from={from}"),
        }
    }
}

/// Reads `key=number` fields with one space between them; `None` for an unknown or repeated key, or a value that is not a number.
fn numbers<const N: usize>(fields: &str, keys: [&str; N]) -> Option<[Option<u64>; N]> {
    let mut values = [None; N];
    if fields.is_empty() {
        return Some(values);
    }
    for field in fields.split(' ') {
        let (key, value) = field.split_once('=')?;
        let at = keys.iter().position(|known| *known == key)?;
        if values[at].replace(number(value)?).is_some() {
            return None;
        }
    }
    Some(values)
}

/// Reads decimal digits, without a sign.
fn number(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_marker() -> impl Strategy<Value = Marker> {
        prop_oneof![
            any::<([Option<u64>; 2], usize)>().prop_map(|([to, begins], at)| Marker::Gap(Gap {
                to,
                begins,
                loss: Loss::NAMED.get(at % 4).map_or(Loss::Lost, |(loss, _)| *loss)
            })),
            any::<u64>().prop_map(|bytes| Marker::Overlap { bytes }),
            any::<bool>().prop_map(|reset| Marker::End { reset }),
            (prop::sample::select(&StatedKind::ALL[..]), any::<(u64, bool, Option<u64>, bool)>()).prop_map(
                |(kind, (len, early, at, any))| {
                    let answers = at.map_or(if any { Answers::Next } else { Answers::Nothing }, Answers::At);
                    Marker::Record(StatedRecord { kind, len, early, answers })
                }
            ),
            Just(Marker::Outstanding),
            any::<u32>().prop_map(|first| Marker::InitialSequence { first }),
            any::<[u64; 2]>().prop_map(|[back, time]| Marker::Note { back, time }),
            (any::<[u64; 3]>(), 0..4usize).prop_map(|([back, time, by], how)| {
                let how = [Proxied::Rewritten, Proxied::Dropped, Proxied::Added, Proxied::ReplacedBy(by)][how];
                Marker::Proxied(ProxiedLate { back, time, how })
            }),
            any::<(u16, u16)>()
                .prop_map(|(version, suite)| { Marker::Tls(TlsParams { version, suite: CipherSuite(suite) }) }),
            any::<[bool; 2]>().prop_map(|[client, server]| Marker::Decrypted { client, server }),
            Just(Marker::Delivered),
            any::<String>().prop_map(|from| Marker::Reconstructed { from }),
        ]
    }

    proptest! {
        #[test]
        fn a_marker_that_was_written_reads_back(marker in any_marker()) {
            prop_assert_eq!(Marker::read(&marker.comment()), Some(marker));
        }

        #[test]
        fn no_comment_makes_the_reader_panic(text: String, prefix in prop_oneof![Just("framescope:"), Just("framescope: gap"), Just("")]) {
            let _ = Marker::read(&format!("{prefix}{text}"));
        }
    }

    #[test]
    fn markers_have_the_documented_form() {
        let written = |marker: Marker| marker.comment();
        let gap = Gap { to: Some(5), begins: Some(8), loss: Loss::Lost };
        assert_eq!(written(Marker::Gap(gap)), "framescope:gap to=5 begins=8");
        for (loss, name) in Loss::NAMED {
            let gap = Gap { begins: None, loss, ..gap };
            assert_eq!(written(Marker::Gap(gap)), format!("framescope:gap to=5 {name}=1"));
        }
        assert_eq!(written(Marker::Gap(Gap::default())), "framescope:gap");
        assert_eq!(written(Marker::Overlap { bytes: 3 }), "framescope:overlap bytes=3");
        assert_eq!(written(Marker::End { reset: false }), "framescope:end");
        assert_eq!(written(Marker::End { reset: true }), "framescope:end how=rst");
        let record = |kind| StatedRecord { len: 11, ..StatedRecord::new(kind) };
        assert_eq!(written(Marker::Record(record(StatedKind::Frame))), "framescope:record kind=frame bytes=11");
        let early = StatedRecord { early: true, ..record(StatedKind::Foreign) };
        assert_eq!(written(Marker::Record(early)), "framescope:record kind=foreign bytes=11 early=1");
        let unasked = StatedRecord { answers: Answers::Nothing, ..record(StatedKind::Http) };
        assert_eq!(written(Marker::Record(unasked)), "framescope:record kind=http bytes=11 answers=none");
        assert_eq!(written(Marker::InitialSequence { first: 2_654_435_769 }), "framescope:seq first=2654435769");
        assert_eq!(written(Marker::Decrypted { client: true, server: false }), "framescope:decrypted client=1");
        assert_eq!(written(Marker::Decrypted { client: true, server: true }), "framescope:decrypted client=1 server=1");
        assert_eq!(written(Marker::Delivered), "framescope:delivered");
        let proxied = |how| written(Marker::Proxied(ProxiedLate { back: 9, time: 17, how }));
        assert_eq!(proxied(Proxied::ReplacedBy(0)), "framescope:replaced back=9 time=17 by=0");
        assert_eq!(proxied(Proxied::Dropped), "framescope:dropped back=9 time=17");
        let from = "the messages of a HAR".to_owned();
        assert_eq!(written(Marker::Reconstructed { from }), "framescope:reconstructed from=the messages of a HAR");
    }

    #[test]
    fn a_marker_with_an_unknown_key_or_a_damaged_value_is_not_a_marker() {
        for damaged in [
            "framescope:gap to=",
            "framescope:gap to=5x",
            "framescope:gap to=+5",
            "framescope:gap to=18446744073709551616",
            "framescope:gap to=5 to=6",
            "framescope:gap  to=5",
            "framescope:gap to=5 ",
            "framescope:gap to=5 ends=6",
            "framescope:overlap",
            "framescope:overlap bytes",
            "framescope:end capture=1",
            "framescope:seq first=4294967296",
            "framescope:replaced back=9 time=17",
            "framescope:record kind=frame",
            "framescope:record kind=tcp bytes=11",
            "framescope:record bytes=11 kind=frame",
            "framescope:reconstructed",
            "framescope:",
            "framescope:later a=1",
            "framescope: gap: bytes up to x are missing",
            "framescope: overlap: bytes differ",
            "framescope: error: a client must mask every frame; MASK is 0 (client-frame-unmasked, RFC 6455 §5.1)",
            "framescope: and 3 findings more",
            "gap to=5",
        ] {
            assert_eq!(Marker::read(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn markers_that_are_written_no_more_are_read() {
        let record = |kind, len| Some(Marker::Record(StatedRecord { len, ..StatedRecord::new(kind) }));
        assert_eq!(Marker::read("framescope:junk bytes=9"), record(StatedKind::Junk, 9));
        assert_eq!(Marker::read("framescope:frames"), record(StatedKind::Undirected, 0));
    }

    #[test]
    fn sentences_of_earlier_versions_are_read() {
        let gap = |to, begins| Some(Marker::Gap(Gap { to, begins, loss: Loss::Lost }));
        for (sentence, marker) in [
            ("framescope: gap", gap(None, None)),
            ("framescope: gap: bytes up to 5 are missing", gap(Some(5), None)),
            ("framescope: gap: bytes up to 5 are missing, a record begins at 8", gap(Some(5), Some(8))),
            ("framescope: gap, a record begins at 8", gap(None, Some(8))),
            ("framescope: overlap: 12 bytes differ", Some(Marker::Overlap { bytes: 12 })),
            ("framescope: end: capture", Some(Marker::End { reset: false })),
            (
                "framescope: sequence numbers begin at 4294967295 where nothing is missing",
                Some(Marker::InitialSequence { first: u32::MAX }),
            ),
            ("framescope: reconstructed from a HAR", Some(Marker::Reconstructed { from: "a HAR".to_owned() })),
        ] {
            assert_eq!(Marker::read(sentence), marker, "{sentence}");
        }
    }
}
