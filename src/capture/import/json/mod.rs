//! JSON captures, NDJSON and HAR: they are converted into a private pcapng file, so that all captures are read the same way.

mod event;
mod har;
mod ndjson;
mod record;
mod replay;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::replay::Replay;
use super::error::OpenError;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;

/// The format of a JSON file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ndjson,
    Har,
}

/// A JSON file that is about to be converted.
pub struct Conversion {
    kind: Kind,
    recorder: Recorder,
    deflate: bool,
}

impl Conversion {
    /// Prepares the conversion of a file with this beginning; `None` if it is neither NDJSON nor HAR. The private file has no name.
    /// With `deflate`, permessage-deflate counts as negotiated.
    ///
    /// # Errors
    /// If the private file cannot be created.
    pub fn begin(beginning: &[u8], path: &Path, deflate: bool) -> Result<Option<Self>, OpenError> {
        let Some(kind) = kind(beginning) else { return Ok(None) };
        let spool = Spool::unnamed().map_err(|source| OpenError::Convert { path: path.to_owned(), source })?;
        Ok(Some(Self { kind, recorder: Recorder::named(spool, path), deflate }))
    }

    /// The capture that the conversion fills.
    pub fn capture(&self) -> Capture {
        self.recorder.capture().clone()
    }

    /// Converts the file to its end, or until `cancel` is set.
    pub fn run(self, capture: &Capture, file: &Arc<File>, cancel: &AtomicBool) {
        match self.kind {
            Kind::Ndjson => ndjson::read(capture, file, Replay::new(self.recorder, self.deflate), cancel),
            Kind::Har => har::read(capture, file, self.recorder, cancel),
        }
    }
}

/// Returns true if a file that begins like this is NDJSON or a HAR.
pub fn begins_capture(beginning: &[u8]) -> bool {
    kind(beginning).is_some()
}

/// The format of a file, from the first keys of the object that it begins with.
fn kind(beginning: &[u8]) -> Option<Kind> {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    keys(text.trim_ascii_start()).find_map(|key| match key {
        b"v" => Some(Kind::Ndjson),
        b"log" => Some(Kind::Har),
        _ => None,
    })
}

/// The keys of the object that `json` begins with. `json` may end anywhere.
fn keys(json: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut depth = 0;
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = json.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' => return None,
                _ if depth == 0 => return None,
                b'"' => {
                    let start = at;
                    while json.get(at).is_some_and(|byte| *byte != b'"') {
                        at += if json[at] == b'\\' { 2 } else { 1 };
                    }
                    let text = json.get(start..at)?;
                    at += 1;
                    let after = json.get(at..)?.trim_ascii_start();
                    if depth == 1 && after.first() == Some(&b':') {
                        return Some(text);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_first_object_are_found_and_no_others() {
        let found =
            |json: &str| keys(json.as_bytes()).map(|key| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>();
        assert_eq!(found(r#"{"v":1,"no":{"log":2},"s":"a\"b:","l":["x",{"y":1}]}{"z":1}"#), ["v", "no", "s", "l"]);
        assert_eq!(found("{\n  \"log\" : {\"entries\":["), ["log"]);
        for nothing in ["", "[1]x", "{", "{\"a", "{\"a\\", "x{\"a\":1}"] {
            assert_eq!(found(nothing), Vec::<String>::new(), "{nothing}");
        }
    }
}
