//! Reads the times of a HAR: seconds since 1970 or parts of seconds, or text.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::value::{self, Read};
use crate::capture::import::json::record;
use crate::proto::time::Time;

/// A larger time is in milliseconds: as seconds it would be after the year 5000. A still larger one is in micro- or nanoseconds.
const MAX_SECONDS: f64 = 1e11;

/// Reads a time; 0 if it is negative, which means unknown.
pub fn time(json: &RawValue) -> Read<Time> {
    if let Some(time) = value::text(json).ok().flatten().and_then(|text| date(&text)) {
        return Ok(Some(time));
    }
    let Some(number) = value::number(json)? else { return Ok(None) };
    let nanos = number
        * match number {
            _ if number > 1e6 * MAX_SECONDS => 1.0,
            _ if number > 1e3 * MAX_SECONDS => 1e3,
            _ if number > MAX_SECONDS => 1e6,
            _ => 1e9,
        };
    // A double has a precision of microseconds here; finer digits are noise.
    Ok(Some(Time(to_integer((nanos / 1e3).round()).saturating_mul(1000))))
}

/// An ISO 8601 time, with a space in place of the T too; UTC if it has no offset.
fn date(text: &str) -> Option<Time> {
    let text = text.trim();
    // In front of an offset, which ISO 8601 appends without a space.
    let joined = [" +", " -", " Z"].iter().find_map(|offset| {
        let (date, rest) = text.rsplit_once(offset)?;
        Some(format!("{date}{}{rest}", offset.trim_start()))
    });
    let text = joined.as_deref().unwrap_or(text);
    record::time(text).or_else(|| {
        let utc = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        u64::try_from(utc.timestamp().as_nanosecond()).ok().map(Time)
    })
}

/// The integer part of a JSON number; 0 for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "this cast saturates")]
pub const fn to_integer(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::super::value::WrongType;
    use super::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> Read<Time> {
        time(&serde_json::value::to_raw_value(value).expect("JSON"))
    }

    #[test]
    fn times_are_read_whatever_their_unit() {
        let time = |time| Ok(Some(Time(time)));
        assert_eq!(read(&json!(1_795_375_800.123_456_7)), time(1_795_375_800_123_457_000));
        assert_eq!(read(&json!(1_795_375_800_123.456)), time(1_795_375_800_123_456_000));
        assert_eq!(read(&json!(1_795_375_800_123_456_i64)), time(1_795_375_800_123_456_000));
        assert_eq!(read(&json!(1_795_375_800_123_456_000_i64)), time(1_795_375_800_123_456_000));
        assert_eq!(read(&json!(" 1795375800.5 ")), time(1_795_375_800_500_000_000));
        for unknown in [json!(-1), json!("-1"), json!(0)] {
            assert_eq!(read(&unknown), time(0));
        }
        assert_eq!(read(&json!(null)), Ok(None));
        for wrong in [json!("soon"), json!(""), json!([1]), json!(true), json!({"seconds": 1})] {
            assert_eq!(read(&wrong), Err(WrongType));
        }
        assert!(read(&json!(1e308)).is_ok_and(|time| time.is_some_and(|time| time.0 > 0)));
    }

    #[test]
    fn dates_are_read_with_a_space_and_without_an_offset() {
        for text in [
            "2026-11-22T19:30:00.25Z",
            "2026-11-22T20:30:00.25+01:00",
            "2026-11-22T20:30:00.250+0100",
            "2026-11-22T20:30:00.2500000+01",
            "2026-11-22 19:30:00.25Z",
            "2026-11-22 20:30:00,25+01:00",
            "2026-11-22 14:30:00.25 -0500",
            "2026-11-22 19:30:00.25 Z",
            "2026-11-22 19:30:00.25",
            "2026-11-22t19:30:00.25",
            " 2026-11-22T19:30:00.25\n",
        ] {
            assert_eq!(read(&json!(text)), Ok(Some(Time(1_795_375_800_250_000_000))), "{text}");
        }
    }
}
