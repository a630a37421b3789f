//! The facts of a connection: how it ended, what its handshake negotiated, and its statistics.

use unicode_width::UnicodeWidthStr as _;

use crate::capture::query::overview::{ConnectionEnding, Overview};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::rules::{Severity, count};
use crate::tui::text::{bytes_with_unit, duration};
use crate::wire::close::CloseCode;
use crate::wire::printable;

/// What a part of a fact means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Text,
    /// Less important.
    Faint,
    /// About one direction.
    Of(Direction),
    Good,
    /// Findings of that severity.
    Found(Severity),
}

/// A text in parts.
pub type Parts = Vec<(String, Tone)>;

/// A fact about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub name: &'static str,
    /// Safe for a terminal.
    pub parts: Parts,
    /// Whether it is about the handshake and the addresses.
    pub of_handshake: bool,
}

impl Fact {
    /// The value as one text.
    pub fn text(&self) -> String {
        self.parts.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// The value in rows of at most `columns` columns, broken between words; at least one row.
    pub fn rows(&self, columns: usize) -> Vec<Parts> {
        let mut rows = vec![Parts::new()];
        let mut used = 0;
        for (text, tone) in &self.parts {
            for word in text.split_inclusive(' ') {
                let is_first = used == 0;
                if !is_first && used + word.trim_end().width() > columns {
                    rows.push(Parts::new());
                    used = 0;
                }
                used += word.width();
                if let Some(row) = rows.last_mut() {
                    match row.last_mut().filter(|(_, same)| same == tone) {
                        Some((text, _)) => text.push_str(word),
                        None => row.push((word.to_owned(), *tone)),
                    }
                }
            }
        }
        rows
    }
}

/// The facts of a connection, the most important first.
pub fn facts(capture: &Capture, overview: &Overview) -> Vec<Fact> {
    let about = &overview.info.about;
    let raw = |value: &Option<Box<str>>, none: &str| match value {
        Some(value) => vec![(printable::text(value).into_owned(), Tone::Text)],
        None => vec![(none.to_owned(), Tone::Faint)],
    };
    let mut path = raw(&about.target, "none seen");
    path.extend(about.host.as_ref().map(|host| (format!(" on {}", printable::text(host)), Tone::Faint)));
    let [up, down] = Direction::BOTH;
    let peers = vec![
        (overview.info.client.to_string(), Tone::Of(up)),
        (" → ".to_owned(), Tone::Faint),
        (overview.info.server.to_string(), Tone::Of(down)),
    ];
    let fact = |name, parts| Fact { name, parts, of_handshake: false };
    let of_handshake = |name, parts| Fact { name, parts, of_handshake: true };
    let tls = overview.info.tls.map(|params| of_handshake("decrypted", vec![(params.to_string(), Tone::Text)]));
    let all = [
        fact("ended", ended(capture, overview)),
        of_handshake("path", path),
        of_handshake("addresses", peers),
        of_handshake("extensions", raw(&about.extensions, "none")),
        of_handshake("subprotocol", raw(&about.subprotocol, "none")),
        fact("findings", findings(overview)),
        fact("lasted", lasted(overview)),
        fact("round trips", round_trips(overview)),
    ];
    all.into_iter().chain(tls).collect()
}

/// The tone of an ending: an abnormal one is a warning.
pub fn ending_tone(overview: &Overview) -> Tone {
    match overview.ending {
        ConnectionEnding::Open => Tone::Good,
        ConnectionEnding::Close { code: 0 | 1000 | 1001, .. } => Tone::Text,
        ConnectionEnding::Without { how: EndReason::Fin, .. } if !overview.info.about.websocket => Tone::Text,
        ConnectionEnding::Close { .. } | ConnectionEnding::Without { .. } => Tone::Found(Severity::Warning),
        ConnectionEnding::Capture => Tone::Faint,
    }
}

fn lasted(overview: &Overview) -> Parts {
    let so_far = if overview.ending == ConnectionEnding::Open { " so far" } else { "" };
    let records = count(u64::from(overview.info.records), "record");
    let mut parts = vec![(format!("{}{so_far} · {records}", duration(overview.duration())), Tone::Text)];
    for direction in Direction::BOTH {
        let bytes = bytes_with_unit(overview.info.bytes[direction.index()]);
        parts.push((" · ".to_owned(), Tone::Faint));
        parts.push((format!("{} {bytes}", direction.arrow()), Tone::Of(direction)));
    }
    parts
}

fn round_trips(overview: &Overview) -> Parts {
    let Some(trips) = &overview.trips else { return vec![("no ping was answered".to_owned(), Tone::Faint)] };
    let [least, median, last] = [trips.least, trips.median(), trips.last].map(summary::nanos);
    vec![(format!("median {median} · least {least} · last {last} · {}", count(trips.count, "pong")), Tone::Text)]
}

/// The findings by severity, each in its colour.
fn findings(overview: &Overview) -> Parts {
    let levels = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let mut parts = Parts::new();
    for (level, name) in levels {
        let n = u64::from(overview.findings[level as usize]);
        if n > 0 {
            let gap = if parts.is_empty() { "" } else { "  " };
            parts.push((format!("{gap}{} {}", level.symbol(), count(n, name)), Tone::Found(level)));
        }
    }
    if parts.is_empty() {
        parts.push(("✓ nothing breaks a rule".to_owned(), Tone::Good));
    }
    parts
}

/// How the connection ended, which side ended it, and how the other side answered.
fn ended(capture: &Capture, overview: &Overview) -> Parts {
    let code = |by: Direction, code: u16| {
        let close = overview.closes[by.index()].and_then(|no| capture.record(no));
        match (code, close.and_then(|close| close.payload_len())) {
            (0, Some(1)) => "with 1 byte, not a code ✗".to_owned(),
            (0, None | Some(0)) => "without a code".to_owned(),
            _ => summary::close_code(CloseCode(code)),
        }
    };
    let words = match overview.ending {
        ConnectionEnding::Open => "still open".to_owned(),
        ConnectionEnding::Capture => "the capture ends before the connection".to_owned(),
        ConnectionEnding::Close { by, code: sent, answer } => {
            let (first, other) = (by.sender(), by.opposite().sender());
            let answered = match answer {
                Some(answer) if answer == sent && sent != 0 => "too".to_owned(),
                Some(answer) => format!("answered {}", code(by.opposite(), answer)),
                None => "did not answer".to_owned(),
            };
            format!("the {first} closed, {}; the {other} {answered}", code(by, sent))
        }
        ConnectionEnding::Without { by, how } => {
            let what = match how {
                EndReason::Rst => "aborted the connection (TCP RST)",
                _ => "ended first (TCP FIN)",
            };
            let without = if overview.info.about.websocket { ", without a Close" } else { "" };
            format!("the {} {what}{without}", by.sender())
        }
    };
    vec![(words, ending_tone(overview))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_broken_between_words_and_keeps_its_tones() {
        let parts = vec![("one two ".to_owned(), Tone::Text), ("three".to_owned(), Tone::Good)];
        let fact = Fact { name: "ended", parts, of_handshake: false };
        let one = |text: &str, tone| (text.to_owned(), tone);
        assert_eq!(fact.rows(13), [vec![one("one two ", Tone::Text), one("three", Tone::Good)]]);
        assert_eq!(fact.rows(7), [vec![one("one two ", Tone::Text)], vec![one("three", Tone::Good)]]);
        assert_eq!(fact.rows(1).len(), 3);
    }
}
