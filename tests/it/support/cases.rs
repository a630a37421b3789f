//! How many cases a property test runs.

use proptest::test_runner::Config;

/// The default settings with `count` cases, few enough for every run of the tests. The variable PROPTEST_CASES overrides the count.
pub fn cases(count: u32) -> Config {
    let default = Config::default();
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => Config { cases: count, ..default },
    }
}
