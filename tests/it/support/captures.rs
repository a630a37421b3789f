//! Captures in files, and what is in them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use framescope::capture::import;
use framescope::capture::import::samples::Sample;
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::export::{ExportOptions, Format, Progress, export};
use framescope::proto::rules::Rule;

/// Opens a capture file and reads it to its end.
pub fn load(path: &Path) -> Capture {
    let (capture, loader) = import::open(path).expect("a capture");
    loader.run(&AtomicBool::new(false));
    capture
}

/// A capture over a file with these bytes, read to its end. The file's name has no extension: its content shows its format.
pub fn opened(bytes: &[u8]) -> Capture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capture");
    std::fs::write(&path, bytes).expect("written");
    load(&path)
}

/// What is wrong with the file of a capture. That a connection is encrypted is not: TLS.
pub fn damage(capture: &Capture) -> Option<String> {
    capture.trouble().reason().filter(|reason| !reason.contains("encrypted with TLS"))
}

/// One of the captures that come with the program.
pub fn sample(name: &str) -> Capture {
    let capture = opened(Sample::by_name(name).expect("a sample").bytes);
    assert_eq!(damage(&capture), None);
    capture
}

/// The path of one of these captures in the repository.
pub fn sample_path(name: &str) -> String {
    format!("{}/assets/samples/{name}.pcapng", env!("CARGO_MANIFEST_DIR"))
}

/// Every kept record of a capture, with its bytes.
pub fn everything(capture: &Capture) -> Vec<(Record, Vec<u8>)> {
    let with_bytes = |record: Record| {
        let wire = capture.wire(&record, 0..u64::MAX).expect("the bytes of a record");
        (record, wire)
    };
    capture.records(1..u64::MAX).into_iter().map(with_bytes).collect()
}

/// A whole capture in a format.
pub fn exported(capture: &Capture, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    export(capture, format, &ExportOptions::default(), &mut out, &Progress::default()).expect("exported");
    out
}

/// The rules of all findings, record by record.
pub fn rules(capture: &Capture) -> Vec<Rule> {
    capture.findings(0, usize::MAX).into_iter().map(|(_, finding)| finding.rule).collect()
}
