//! Times in the form of RFC 3339: UTC, with nanoseconds.

use crate::proto::time::Time;

const SECOND: u64 = 1_000_000_000;

/// Writes times. Keeps the text of the latest second, because the next time is usually in the same second.
#[derive(Default)]
pub struct Timestamps {
    second: Option<u64>,
    prefix: [u8; 19],
}

impl Timestamps {
    /// Appends a time, such as `2026-11-22T19:30:00.000000000Z`.
    pub fn push(&mut self, out: &mut Vec<u8>, time: Time) {
        let second = time.0 / SECOND;
        if self.second != Some(second) {
            self.second = Some(second);
            self.prefix = prefix(second);
        }
        out.extend_from_slice(&self.prefix);
        let mut digits = *b".000000000Z";
        let mut nanos = time.0 % SECOND;
        for digit in digits[1..10].iter_mut().rev() {
            *digit = b'0' + (nanos % 10) as u8;
            nanos /= 10;
        }
        out.extend_from_slice(&digits);
    }

    /// The time as text.
    pub fn text(&mut self, time: Time) -> String {
        let mut out = Vec::with_capacity(30);
        self.push(&mut out, time);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn prefix(second: u64) -> [u8; 19] {
    let mut prefix = *b"1970-01-01T00:00:00";
    let time = jiff::Timestamp::from_second(second as i64).unwrap_or_default().to_string();
    if let Some(written) = time.as_bytes().get(..19) {
        prefix.copy_from_slice(written);
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_thirty_characters() {
        let mut times = Timestamps::default();
        assert_eq!(times.text(Time(0)), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(times.text(Time(1_795_375_800_000_000_001)), "2026-11-22T19:30:00.000000001Z");
        assert_eq!(times.text(Time(1_795_375_800_120_000_000)), "2026-11-22T19:30:00.120000000Z");
        assert_eq!(times.text(Time(u64::MAX)), "2554-07-21T23:34:33.709551615Z");
    }
}
