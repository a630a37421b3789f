//! Whether a capture has WebSocket frames, and what it has instead.

use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::proto::rules::count;
use crate::wire::tls;

/// How many records are taken from the index at once.
const BATCH: u64 = 4096;

/// How many records at the beginning of a connection are examined. TLS can follow CONNECT and its response (RFC 9110 §9.3.6), and gaps.
const EXAMINED: usize = 16;

/// How many bytes of unrecognized bytes are examined: enough for [`tls::begins_with_hello`].
const BEGINNING: u64 = 6;

/// Numbers of connections by what they begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionKinds {
    /// TLS, also in a tunnel through a proxy.
    pub tls: u64,
    /// HTTP with a WebSocket handshake that succeeded.
    pub handshakes: u64,
    /// Other HTTP.
    pub http: u64,
    /// Bytes that framescope does not recognize, or none.
    pub others: u64,
}

/// Returns true if a capture has a frame that is not evicted, whole or truncated.
pub fn has_frames(capture: &Capture) -> bool {
    let mut next = capture.first();
    loop {
        let records = capture.records(next..next + BATCH);
        let Some(last) = records.last() else { return false };
        if records.iter().any(|record| matches!(record.kind, Kind::Frame | Kind::CutFrame)) {
            return true;
        }
        next = last.no + 1;
    }
}

impl ConnectionKinds {
    /// Counts the kept connections of a capture. Bytes that cannot be read are not recognized.
    pub fn of(capture: &Capture) -> Self {
        let mut counts = Self::default();
        for connection in (0..capture.kept_connections()).filter_map(|rank| capture.connection_at(rank)) {
            let records = capture.pick(capture.numbers(connection, 0, EXAMINED));
            let is_http = |record: &Record| matches!(record.kind, Kind::Request | Kind::Response | Kind::CutHttp);
            let counter = if records.iter().any(|record| is_tls(capture, record)) {
                &mut counts.tls
            } else if capture.handshake(connection).is_some() {
                &mut counts.handshakes
            } else if records.iter().any(is_http) {
                &mut counts.http
            } else {
                &mut counts.others
            };
            *counter += 1;
        }
        counts
    }

    /// The counts in words, those that are not 0.
    pub fn words(&self) -> Vec<String> {
        let counted = [
            (self.tls, "TLS connection", ""),
            (self.handshakes, "connection", " with a WebSocket handshake and no frame"),
            (self.http, "connection", " with HTTP alone"),
            (self.others, "connection", " with unrecognized bytes"),
        ];
        let present = counted.into_iter().filter(|(connections, ..)| *connections > 0);
        present.map(|(connections, noun, what)| format!("{}{what}", count(connections, noun))).collect()
    }
}

fn is_tls(capture: &Capture, record: &Record) -> bool {
    record.kind == Kind::Junk
        && capture.wire(record, 0..BEGINNING).is_ok_and(|beginning| tls::begins_with_hello(&beginning))
}
