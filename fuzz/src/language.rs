//! A target for the text that people type.

use framescope::capture::query::filter::{Filter, complete};

/// Parses a filter. The text of a parsed filter parses to the same filter; an error has a range of columns; completion never fails.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    complete(text);
    match Filter::parse(text) {
        Ok(filter) => {
            let written = filter.to_string();
            let again = Filter::parse(&written).expect("the text of a filter is a filter");
            assert_eq!(again.to_string(), written);
        }
        Err(error) => {
            let _ = (error.columns(), error.carets(), error.to_string());
        }
    }
}
