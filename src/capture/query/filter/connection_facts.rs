//! Tests of a connection's handshake: `host` and `path` of its frames.

use super::expr::Relation;
use super::fields::FilterField;
use super::program::Leaf;
use crate::capture::store::index::Index;
use crate::capture::store::record::Record;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::Kind;

/// Results of tests of `host` and `path` for frames: by the leaf's slot, then by the connection's number. The frames of a connection
/// follow its last request, so its results do not change from its first frame on.
#[derive(Default)]
pub(super) struct ConnectionFacts(Vec<Vec<Option<bool>>>);

impl ConnectionFacts {
    /// Tests a record by the handshake of its connection; `None` if the test is of another field, or if the record is itself a request
    /// or response.
    #[inline]
    pub fn test(&mut self, leaf: &Leaf, record: &Record, index: &Index) -> Option<bool> {
        let is_fact = matches!(leaf.test.field, FilterField::Host | FilterField::Path);
        if !is_fact || matches!(record.kind, Kind::Request | Kind::Response | Kind::CutHttp) {
            return None;
        }
        match self.0.get(leaf.slot).and_then(|connections| *connections.get(record.connection as usize)?) {
            Some(known) => Some(known),
            None => self.test_handshake(leaf, record, index),
        }
    }

    fn test_handshake(&mut self, leaf: &Leaf, record: &Record, index: &Index) -> Option<bool> {
        let value = handshake_value(leaf.test.field, &index.connection(record.connection)?.about);
        let is = match value {
            Some(value) => leaf.test_bytes(value.as_bytes()) == leaf.want,
            None => matches!(leaf.test.relation, Relation::Present) && !leaf.want,
        };
        if record.kind == Kind::Frame {
            if self.0.len() <= leaf.slot {
                self.0.resize_with(leaf.slot + 1, Vec::new);
            }
            let connections = &mut self.0[leaf.slot];
            let at = record.connection as usize;
            if connections.len() <= at {
                connections.resize(at + 1, None);
            }
            connections[at] = Some(is);
        }
        Some(is)
    }
}

fn handshake_value(field: FilterField, about: &HandshakeSummary) -> Option<&str> {
    match field {
        FilterField::Host => about.host.as_deref(),
        _ => about.target.as_deref().map(path_of),
    }
}

/// The path of a request's target, without scheme, authority and query.
pub fn path_of(target: &str) -> &str {
    let rest = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    rest.split(['?', '#']).next().unwrap_or(rest)
}
