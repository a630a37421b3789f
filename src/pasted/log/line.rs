//! One line of a log: which part of it is bytes.

use super::candidate::{Candidate, Doubt, candidates, digits_alone, is_labelled};
use super::direction::is_label;
use super::scan::{Part, PartKind, parts};
use crate::pasted::{hex, shape, text_column};

/// The bytes of a line.
#[derive(Debug)]
pub(super) struct Found<'t> {
    /// The line before its bytes.
    pub prefix: &'t str,
    pub bytes: Vec<u8>,
    /// Whether the line itself says that these are bytes: a label or an arrow is before them, or the line has nothing else.
    pub is_labelled: bool,
    /// Whether these may be a decimal number, or a byte in hex without others.
    pub is_number: bool,
    /// Whether a number before the bytes was left out, because it counts them, or is a time.
    pub is_counted: bool,
    /// Whether the program that printed the line left bytes out at its end.
    pub is_shortened: bool,
}

/// The bytes of a line; `None` if it has none.
///
/// # Errors
/// It has bytes, and where they begin or end is uncertain.
pub(super) fn bytes(line: &str) -> Result<Option<Found<'_>>, Doubt> {
    let parts = parts(line);
    if transfers_nothing(&parts) {
        return Ok(None);
    }
    let candidates = candidates(line, &parts);
    let doubt =
        |doubt| decimals(&parts).filter(|_| doubt == Doubt::Several).map_or(doubt, |(at, len)| Doubt::Odd(at, len));
    let Some(chosen) = choose(line, candidates).map_err(doubt)? else {
        if let Some(found) = number(line, &parts) {
            return Ok(Some(found));
        }
        return match decimals(&parts) {
            Some((at, len)) => Err(Doubt::Odd(at, len)),
            None => Ok(None),
        };
    };
    let after = line[chosen.end..].trim_start_matches(['"', '\'', '`', ')', ']', '}', '>', ',', ';']);
    let is_whole = shape::is_whole(&chosen.bytes);
    let is_shortened =
        chosen.is_shortened || after.trim_start().starts_with("...") || after.trim_start().starts_with('…');
    if let Some(doubt) = chosen.doubt {
        return Err(doubt);
    }
    if !is_whole {
        let may_end = match chosen.is_closed {
            true => !after.contains(['"', '\'', '`', '[', '{', '<', '+']),
            false => may_follow(after, &chosen.bytes),
        };
        if !is_shortened && !may_end {
            return Err(Doubt::After);
        }
        let is_prefixed = |part: &Part<'_>| part.end <= chosen.at && part.kind == PartKind::Group { prefixed: true };
        if parts.iter().any(is_prefixed) {
            return Err(Doubt::Several);
        }
    }
    let Candidate { is_labelled, is_counted, .. } = chosen;
    let prefix = &line[..chosen.at];
    let is_shortened = is_shortened && !is_whole;
    Ok(Some(Found { prefix, bytes: chosen.bytes, is_labelled, is_number: false, is_counted, is_shortened }))
}

/// Whether a line is a system call without its bytes, as strace prints it: `read(3, 0x55d0, 4096) = -1 EAGAIN`.
fn transfers_nothing(parts: &[Part<'_>]) -> bool {
    let is_sign = |part: &Part<'_>, sign| part.kind == PartKind::Sign(sign);
    parts.windows(6).any(|six| {
        let is_address = six[4].kind == PartKind::Group { prefixed: true };
        let is_call = is_label(six[0].text) && is_sign(&six[1], '(') && digits_alone(six[2].text.as_bytes());
        is_call && is_sign(&six[3], ',') && is_address && is_sign(&six[5], ',')
    })
}

/// The last group of a line, after a label or an arrow, which may be a number: `RX 07`, `recv: 31323334`.
fn number<'t>(line: &'t str, parts: &[Part<'t>]) -> Option<Found<'t>> {
    let last = parts.iter().rfind(|part| !matches!(part.kind, PartKind::Sign(_)))?;
    let is_end = parts.iter().skip_while(|part| part.end <= last.end).all(|part| part.kind != PartKind::Sign(':'));
    let is_group = matches!(last.kind, PartKind::Group { .. }) && is_labelled(line, parts, last.at, last.end);
    (is_group && is_end).then(|| Found {
        prefix: &line[..last.at],
        bytes: hex::bytes(last.text).collect(),
        is_labelled: true,
        is_number: true,
        is_counted: false,
        is_shortened: false,
    })
}

/// The candidate that is meant.
fn choose(line: &str, mut candidates: Vec<Candidate>) -> Result<Option<Candidate>, Doubt> {
    let whole = |one: &Candidate| shape::is_whole(&one.bytes);
    if candidates.iter().any(whole) {
        // Others are no frames, unless the line calls them bytes.
        // A string beside them may be further bytes.
        let is_string = |one: &Candidate| one.is_closed && line[..one.end].ends_with(['"', '\'', '`']);
        let is_rival = |one: &Candidate| one.is_labelled && shape::is_plausible(&one.bytes) || is_string(one);
        let (mut frames, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(whole);
        frames.dedup_by(|one, other| one.bytes == other.bytes);
        return match frames.as_slice() {
            [one] if !others.iter().any(|other| is_rival(other) && other.is_outside(one)) => Ok(frames.pop()),
            _ => Err(Doubt::Several),
        };
    }
    if candidates.iter().any(|one| one.is_labelled) {
        candidates.retain(|one| one.is_labelled);
    }
    match candidates.len() {
        0 | 1 => Ok(candidates.pop()),
        _ => Err(Doubt::Several),
    }
}

/// Whether a text may follow bytes that are no whole frames: nothing, a text column, or words that are set apart.
fn may_follow(after: &str, bytes: &[u8]) -> bool {
    let text = after.trim();
    let is_apart = after.starts_with("  ") || after.starts_with('\t');
    text.is_empty()
        || text_column::shows(text, bytes)
        || text.starts_with(['(', '[', '#', '/']) && after.starts_with(' ') && !is_apart
}

/// The place of the first of several decimal numbers, of which one has an odd number of digits.
fn decimals(parts: &[Part<'_>]) -> Option<(usize, usize)> {
    let is_number = |part: &Part<'_>| part.text.len() <= 3 && part.text.bytes().all(|digit| digit.is_ascii_digit());
    let numbers = |part: &Part<'_>| {
        is_number(part) && matches!(part.kind, PartKind::Number | PartKind::Group { prefixed: false })
    };
    let joined: Vec<&Part<'_>> = parts.iter().filter(|part| part.kind != PartKind::Sign(',')).collect();
    let mut at = 0;
    while at < joined.len() {
        let len = joined[at..].iter().take_while(|part| numbers(part)).count();
        let run = &joined[at..at + len];
        if len > 2
            && let Some(odd) = run.iter().find(|part| part.kind == PartKind::Number)
        {
            return Some((odd.at, odd.end - odd.at));
        }
        at += len.max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex_of(line: &str) -> Result<Option<String>, Doubt> {
        bytes(line).map(|found| found.map(|found| ::hex::encode(found.bytes)))
    }

    #[test]
    fn bytes_follow_a_label_or_are_whole_frames() {
        for line in [
            "recv: 81 05 48 65 6c 6c 6f",
            "> 81 05 48 65 6c 6c 6f",
            "[12:00:01] RX 81:05:48:65:6c:6c:6f",
            "2026-11-26 12:00:01,123 DEBUG frame=810548656c6c6f",
            "12:00:01 81 05 48 65 6c 6c 6f",
            "Nov 26 12:00:01 host app[1234]: 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f",
            "RX 7: 81 05 48 65 6c 6c 6f",
            "RX 07 81 05 48 65 6c 6c 6f",
            "1700000000 81 05 48 65 6c 6c 6f",
            "(81 05 48 65 6c 6c 6f)",
            "len=7 <81 05 48 65 6c 6c 6f>",
            r#"{"time":1700000000,"dir":"recv","data":"810548656c6c6f","len":7}"#,
            r#"{"data":"gQVIZWxsbw=="}"#,
            "payload=gQVIZWxsbw==",
            "recv 81 05 48 65 6c 6c 6f (7 bytes)",
            "recv 81 05 48 65 6c 6c 6f Hello",
            "recv: 81 05 48 65 6c 6c 6f  ..Hello",
            r"DEBUG:websockets:< b'\x81\x05Hello'",
            r"recv: \x81\x05Hello",
            "received <Buffer 81 05 48 65 6c 6c 6f>",
            "it's [129, 5, 72, 101, 108, 108, 111]".trim_start_matches("it's "),
            "got: [129, 5, 72, 101, 108, 108, 111] # 7",
            "buf=0x7ffe1234 81 05 48 65 6c 6c 6f",
        ] {
            assert_eq!(hex_of(line), Ok(Some("810548656c6c6f".to_owned())), "{line}");
        }
        // Part of a frame.
        assert_eq!(hex_of("recv: 81 7e 01 00 48"), Ok(Some("817e010048".to_owned())));
        assert_eq!(hex_of("81 7e 01 00 48 ..."), Ok(Some("817e010048".to_owned())));
        assert_eq!(hex_of("RX: 10000001 00000101 01001000"), Ok(Some("810548".to_owned())));
        assert_eq!(hex_of("recv: 81 7e 01 00 48  .~..H"), Ok(Some("817e010048".to_owned())));
    }

    #[test]
    fn what_may_be_something_else_is_doubted() {
        assert_eq!(hex_of("seq=12 81 05 48 65 6c 6c 6f"), Err(Doubt::First));
        assert_eq!(hex_of("recv: 129 5 72 101"), Err(Doubt::Odd(6, 3)));
        assert!(matches!(hex_of("TX: 129 133 55 250 33 61 127 159"), Err(Doubt::Odd(..))));
        assert_eq!(hex_of(r#"$1 = "\201\005Hello", '\000' <repeats 20 times>"#), Err(Doubt::Several));
        assert_eq!(hex_of("recv: 129 5 72 10 20 30"), Err(Doubt::Odd(10, 1)));
        assert_eq!(hex_of("recv: 81 05 4g 65 6c"), Err(Doubt::After));
        assert_eq!(hex_of("recv: 81 05 48 65  4g 6c"), Err(Doubt::After));
        assert_eq!(hex_of("send 8900 recv 8a00"), Err(Doubt::Several));
        for line in [
            "",
            "read(3, 0x55d0, 4096) = -1 EAGAIN (Resource temporarily unavailable)",
            "connected to ws://127.0.0.1:6455/",
            "[12:00:01] state OPEN",
            "took 12 ms",
            "frame",
        ] {
            assert_eq!(hex_of(line), Ok(None), "{line}");
        }
    }
}
