//! What people type.

use framescope::capture::query::filter::{Filter, complete};

/// A filter: what is written of one reads as the same, an error points into the text, and there are completions anywhere.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    complete(text);
    match Filter::parse(text) {
        Ok(filter) => {
            let written = filter.to_string();
            let again = Filter::parse(&written).expect("what is written of a filter is one");
            assert_eq!(again.to_string(), written);
        }
        Err(error) => {
            let _ = (error.columns(), error.carets(), error.to_string());
        }
    }
}
