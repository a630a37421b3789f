//! Files of earlier versions, in `tests/data/golden`: they are read as they were.

use serde_json::Value;

use crate::support::{self, opened};
use framescope::capture::store::Capture;
use framescope::export::Format;

/// Written by an earlier version: every type of NDJSON record, findings, nulls.
const NDJSON: &str = include_str!("../data/golden/v1.ndjson");

/// The same capture as pcapng, with all markers in their earlier form.
const PCAPNG: &[u8] = include_bytes!("../data/golden/v1.pcapng");

/// Every record without its findings and without the keys of later versions, which may also have more rules.
fn records(lines: &str) -> Vec<Value> {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .map(|mut line| {
            let object = line.as_object_mut().expect("an object");
            ["findings", "answers"].iter().for_each(|key| drop(object.remove(*key)));
            line
        })
        .collect()
}

fn exported(capture: &Capture) -> String {
    String::from_utf8(support::exported(capture, Format::Ndjson)).expect("UTF-8")
}

fn assert_same(capture: &Capture) {
    assert_eq!(capture.trouble().reason(), None);
    let (before, after) = (records(NDJSON), records(&exported(capture)));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn ndjson_of_an_earlier_version_reads_as_it_was() {
    let capture = opened(NDJSON.as_bytes());
    assert_same(&capture);
    assert_eq!(values(&exported(&capture)), [(Some(1203), None), (None, Some("server".to_owned()))]);
}

#[test]
fn pcapng_with_markers_of_an_earlier_version_reads_as_it_was() {
    let capture = opened(PCAPNG);
    assert_same(&capture);
    assert_eq!(capture.reconstructed(), Some("a test: these are not the bytes of the wire"));
    assert_eq!(values(&exported(&capture)), [(Some(1203), None), (None, Some("server".to_owned()))]);
}

/// The number and the side of the findings whose values come from the file, not from the bytes.
fn values(lines: &str) -> Vec<(Option<u64>, Option<String>)> {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let findings = lines.flat_map(|line| line["findings"].as_array().expect("findings").clone());
    let read = findings.filter(|finding| finding["rule"] == "segment-overlap" || finding["rule"] == "tcp-reset");
    read.map(|finding| (finding["number"].as_u64(), finding["by"].as_str().map(str::to_owned))).collect()
}

#[test]
fn the_golden_files_have_what_they_are_for() {
    let golden = records(NDJSON);
    let has = |key: &str, value: &str| golden.iter().any(|line| line[key] == value);
    for kind in ["request", "response", "frame", "gap", "end", "junk", "cut"] {
        assert!(has("type", kind), "{kind}");
    }
    for reason in ["fin", "rst", "capture"] {
        assert!(has("how", reason), "{reason}");
    }
    for of in ["frame", "request", "response"] {
        assert!(has("of", of), "{of}");
    }
    assert!(!NDJSON.contains("\"number\"") && !NDJSON.contains("\"by\""), "values are in sentences alone");
    for marker in [
        "framescope: gap",
        "framescope: gap: bytes up to 289 are missing",
        "are missing, a record begins at ",
        "framescope: overlap: 1203 bytes differ",
        "framescope: end: capture",
        "framescope: sequence numbers begin at ",
        "framescope: reconstructed from ",
    ] {
        let marker = marker.as_bytes();
        assert!(PCAPNG.windows(marker.len()).any(|window| window == marker));
    }
}
