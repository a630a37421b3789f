//! Time as a number. `wire` and `proto` have no clock: callers pass the time in.

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// Nanoseconds from `earlier` to `self`; negative if `self` is the earlier time. Saturates at ±2^63.
    pub fn nanos_since(self, earlier: Self) -> i64 {
        let difference = i128::from(self.0) - i128::from(earlier.0);
        difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// Seconds from `earlier` to `self` with six decimal places, such as `1.002004` or `-0.000001`.
    pub fn seconds_since(self, earlier: Self) -> String {
        let micros = self.nanos_since(earlier) / 1000;
        let sign = if micros < 0 { "-" } else { "" };
        format!("{sign}{}.{:06}", micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000)
    }
}
