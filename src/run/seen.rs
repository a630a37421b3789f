//! How far each connection was printed: of what stands in for records that went with the ring, only the rest is new.

use std::collections::HashMap;

use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;

/// Up to which stream offset each direction of each connection was looked at, and whether its end was.
#[derive(Debug, Default)]
pub struct Seen(HashMap<u32, [(u64, bool); 2]>);

impl Seen {
    /// A record was looked at.
    pub fn note(&mut self, record: &Record) {
        let (to, ended) = &mut self.0.entry(record.connection).or_default()[record.direction.index()];
        *to = (*to).max(record.offset + record.wire_len);
        *ended |= matches!(record.kind, Kind::End(_));
    }

    /// What of a record that stands in for others was not looked at.
    pub fn rest_of(&self, mut stand_in: Record) -> Option<Record> {
        let (to, ended) = self.0.get(&stand_in.connection).map_or((0, false), |seen| seen[stand_in.direction.index()]);
        match stand_in.kind {
            Kind::End(_) => (!ended).then_some(stand_in),
            Kind::Gap => {
                let seen = to.saturating_sub(stand_in.offset);
                stand_in.wire_len = stand_in.wire_len.checked_sub(seen).filter(|rest| *rest > 0)?;
                stand_in.offset += seen;
                Some(stand_in)
            }
            _ => (to <= stand_in.offset).then_some(stand_in),
        }
    }

    /// Forgets the connections of which nothing is there any more.
    pub fn forget_gone(&mut self, capture: &Capture) {
        self.0.retain(|connection, _| capture.connection_is_there(*connection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::dissected::{Direction, EndReason};
    use crate::proto::time::Time;

    #[test]
    fn only_what_is_new_is_told_again() {
        let record = |kind, offset, wire_len| Record {
            no: 1,
            kind,
            connection: 3,
            direction: Direction::ServerToClient,
            time: Time(1),
            offset,
            wire_len,
            lead: [0; 2],
            message: None,
            answers: None,
            code: 0,
            compressed: false,
            undirected: false,
            findings: Vec::new(),
        };
        let rest = |seen: &Seen, kind, offset, len| {
            seen.rest_of(record(kind, offset, len)).map(|rest| (rest.offset, rest.wire_len))
        };
        let mut seen = Seen::default();
        assert_eq!(rest(&seen, Kind::Response, 0, 100), Some((0, 100)));
        assert_eq!(rest(&seen, Kind::Gap, 100, 50), Some((100, 50)));
        seen.note(&record(Kind::Response, 0, 100));
        seen.note(&record(Kind::Frame, 100, 20));
        assert_eq!(rest(&seen, Kind::Response, 0, 100), None);
        assert_eq!(rest(&seen, Kind::Gap, 100, 50), Some((120, 30)));
        assert_eq!(rest(&seen, Kind::Gap, 100, 20), None);
        assert_eq!(rest(&seen, Kind::End(EndReason::Fin), 120, 0), Some((120, 0)));
        seen.note(&record(Kind::End(EndReason::Fin), 120, 0));
        assert_eq!(rest(&seen, Kind::End(EndReason::Fin), 120, 0), None);
    }
}
