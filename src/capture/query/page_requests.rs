//! Page requests: plain HTTP beside the WebSocket connections, such as a browser's requests for a page and its files.

use std::collections::HashMap;

use super::selection::SelectedRecords;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::wire::http::Head;
use crate::wire::printable;

/// Records that are looked up at once.
const BATCH: u64 = 8192;

/// Bytes of a request that are read: a longer head is not folded.
const HEAD: u64 = 16 * 1024;

/// Targets that are kept, and their length in characters.
const TARGETS: usize = 8;
const MAX_TARGET: usize = 40;

/// The records of page requests: requests that do not ask to upgrade, their responses, and the ends of connections that had
/// nothing else. A record with a finding is none.
#[derive(Debug, Default)]
pub struct PageRequests {
    records: SelectedRecords,
    /// The connections with HTTP so far, and whether they had page requests alone.
    connections: HashMap<u32, bool>,
    requests: u32,
    targets: Vec<String>,
    has_websocket: bool,
}

impl PageRequests {
    /// Looks at the records up to number `to`, as long as `go_on` returns true. Returns true if it has looked at all of them.
    pub fn extend(&mut self, capture: &Capture, to: u64, go_on: impl Fn() -> bool) -> bool {
        while self.records.looked_at() < to {
            if !go_on() {
                return false;
            }
            let from = (self.records.looked_at() + 1).max(capture.first());
            let end = (from + BATCH - 1).min(to);
            let mut others = Vec::new();
            let mut has_frames = false;
            capture.index().scan(from, usize::try_from(end + 1 - from).unwrap_or(0), |record, _| match record.kind {
                Kind::Frame | Kind::CutFrame => has_frames = true,
                _ => others.push(record.no),
            });
            self.has_websocket |= has_frames;
            for record in capture.pick(others) {
                if self.is_one(capture, &record) {
                    self.records.pass(record.no - 1);
                    self.records.look(true);
                }
            }
            self.records.pass(end);
        }
        true
    }

    /// The numbers of the records; none while the capture has no WebSocket connection.
    pub fn records(&self) -> Option<&SelectedRecords> {
        Some(&self.records).filter(|_| self.has_websocket)
    }

    /// How many requests there are.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// The targets of the first requests, safe for a terminal.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// Drops the records before this number, which are evicted.
    pub fn evict_before(&mut self, number: u64) {
        self.records.evict_before(number);
    }

    fn is_one(&mut self, capture: &Capture, record: &Record) -> bool {
        let is_page = self.connections.get(&record.connection).copied();
        match record.kind {
            Kind::Request if is_page != Some(false) => {
                let target = target(capture, record);
                self.has_websocket |= target.is_none();
                let target = target.filter(|_| record.findings.is_empty());
                self.connections.insert(record.connection, target.is_some());
                let Some(target) = target else { return false };
                self.requests += 1;
                if self.targets.len() < TARGETS {
                    self.targets.push(target);
                }
                true
            }
            Kind::Response => {
                let answers_one = record.answers.is_some_and(|no| self.records.row(no).is_some());
                answers_one && record.findings.is_empty()
            }
            Kind::End(_) => is_page == Some(true) && record.findings.is_empty(),
            _ => {
                self.connections.insert(record.connection, false);
                false
            }
        }
    }
}

/// The target of a request; `None` if it asks to upgrade or for a tunnel, or cannot be read.
fn target(capture: &Capture, record: &Record) -> Option<String> {
    let bytes = capture.wire(record, 0..HEAD).ok()?;
    let head = Head::read(&bytes);
    let target = head.target().filter(|_| !head.is_upgrade() && head.method() != Some(b"CONNECT"))?;
    let target = printable::text(&String::from_utf8_lossy(target)).into_owned();
    let short: String = target.chars().take(MAX_TARGET).collect();
    Some(if short.len() < target.len() { short + "…" } else { short })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;
    use crate::proto::dissected::{Direction, EndReason};
    use crate::proto::time::Time;

    #[test]
    fn only_plain_http_beside_a_websocket_is_a_page_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let address = "127.0.0.1:1".parse().expect("an address");
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        let page = recorder.connection(address, address);
        let say = |direction, bytes: &[u8]| page.record(&[Chunk { direction, time: Time(0), bytes }]);
        say(up, b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
        say(down, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        say(up, b"GET /a.css HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
        say(down, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        let mut pages = PageRequests::default();
        assert!(pages.extend(recorder.capture(), 4, || true));
        assert!(pages.records().is_none(), "there is nothing else to see");
        let talk = recorder.connection(address, address);
        let say = |direction, bytes: &[u8]| talk.record(&[Chunk { direction, time: Time(0), bytes }]);
        say(up, b"GET /before HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
        say(down, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        say(up, b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: websocket\r\n\r\n");
        say(down, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        say(up, b"GET /after HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
        page.end(up, EndReason::Fin, Time(0));
        page.end(down, EndReason::Fin, Time(0));
        talk.end(up, EndReason::Fin, Time(0));
        let records = recorder.capture().len();
        assert!(pages.extend(recorder.capture(), records, || true));
        let numbers: Vec<u64> = pages.records().expect("a WebSocket was asked for").numbers().collect();
        let kinds: Vec<Kind> = recorder.capture().pick(numbers.clone()).iter().map(|record| record.kind).collect();
        assert_eq!(numbers[..6], [1, 2, 3, 4, 5, 6]);
        assert!(kinds[6..].iter().all(|kind| matches!(kind, Kind::End(_))) && kinds.len() == 8, "{kinds:?}");
        assert_eq!((pages.requests(), pages.targets()), (3, &["/", "/a.css", "/before"].map(str::to_owned)[..]));
        assert!(!PageRequests::default().extend(recorder.capture(), records, || false));
    }
}
