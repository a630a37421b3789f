//! Time as the core knows it: a number that is passed in.

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// Nanoseconds from `earlier` to `self`; negative when `self` is the earlier one. Saturates at ±2^63.
    pub fn nanos_since(self, earlier: Self) -> i64 {
        let difference = i128::from(self.0) - i128::from(earlier.0);
        difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// Seconds from `earlier` to `self`, to the microsecond: `1.002004`, `-0.000001`.
    pub fn seconds_since(self, earlier: Self) -> String {
        let micros = self.nanos_since(earlier) / 1000;
        let sign = if micros < 0 { "-" } else { "" };
        format!("{sign}{}.{:06}", micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000)
    }
}
