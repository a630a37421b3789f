//! Targets for the text that people type and paste.

use framescope::capture::query::filter::{Filter, complete};
use framescope::pasted::{self, Content, ReadAs};
use framescope::script::{InputLine, Script};

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

/// Parses a script, and each of its lines as a typed line. An error has a place in its line.
pub fn script(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = Script::parse(text, |path| Ok(path.into())) {
        assert!(error.text.get(error.span.clone()).is_some());
        let _ = (error.carets(), error.to_string());
    }
    for line in text.lines() {
        let _ = InputLine::parse(line).map_err(|error| error.to_string());
    }
}

/// A paste in any form: it is read or refused. What was read, written as a C array, reads as the same bytes.
pub fn pasted(data: &[u8]) {
    for read_as in ReadAs::ALL {
        let _ = pasted::read(data, Some(read_as)).map_err(|error| error.to_string());
    }
    match pasted::read(data, None) {
        Ok(pasted) => {
            let bytes = pasted.content.bytes();
            let items: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
            let again = pasted::read(format!("{{{}}}", items.join(", ")).as_bytes(), None).expect("a C array");
            assert_eq!(again.content.bytes(), bytes);
            if let Content::Bytes(_) = pasted.content {
                assert_eq!(again.content, pasted.content);
            }
        }
        Err(error) => drop(error.to_string()),
    }
}
