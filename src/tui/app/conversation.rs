//! The records of the connection around the cursor as arrows, for a screen whose list leaves rows free.

use super::App;
use crate::capture::format::proxied::Proxied;
use crate::tui::ladder::{Rung, RungKind};
use crate::tui::legend::{HELD, proxied_sign};

/// Lines of the drawing that are no arrows: the names, the records before and those after.
const OTHER_LINES: u32 = 3;

impl App {
    /// Reads the records of the connection around the one under the cursor.
    pub(super) fn prepare_conversation(&mut self) {
        let rows = u32::from(self.layout.conversation.height.saturating_sub(1)).saturating_sub(OTHER_LINES);
        let Some(record) = self.detail.record().filter(|_| rows > 0) else { return };
        let (connection, no) = (record.connection, record.no);
        let Some((first, end)) = self.ordinals(connection) else { return };
        let at = self.capture.ordinal(connection, no).unwrap_or(first);
        let start = at.saturating_sub(rows / 2).min(end.saturating_sub(rows)).max(first);
        let shown = start..end.min(start + rows);
        self.conversation_around = (u64::from(start - first), u64::from(end - shown.end));
        let records = shown.filter_map(|ordinal| self.capture.at_ordinal(connection, ordinal));
        let numbers: Vec<u64> = records.map(|record| record.no).collect();
        self.conversation.read(&self.capture, &numbers);
    }

    /// The ordinals of the first record of a connection that is kept, and of the one after its last.
    pub(super) fn ordinals(&self, connection: u32) -> Option<(u32, u32)> {
        let end = self.capture.connection(connection)?.records;
        Some((self.capture.first_ordinal(connection)?.min(end), end))
    }

    /// The records that `prepare_conversation` has read, as arrows.
    pub fn conversation_rungs(&self) -> Vec<Rung> {
        let rows = self.conversation.rows().iter();
        rows.map(|row| {
            let sign = row.record.worst().map(|finding| format!("{} ", finding.rule.severity().symbol()));
            let (kind, state) = match row.proxied {
                _ if let Some(sign) = self.held.sign(&row.record) => {
                    (RungKind::Stopped, format!("{sign} {}  ", if sign == HELD { "held" } else { "waits" }))
                }
                Some(Proxied::Dropped) => (RungKind::Stopped, format!("{} dropped  ", proxied_sign(Proxied::Dropped))),
                Some(how) => (RungKind::Record, format!("{} ", proxied_sign(how))),
                None => (RungKind::Record, String::new()),
            };
            Rung {
                no: Some(row.record.no),
                time: row.record.time,
                direction: row.record.direction,
                kind,
                label: format!("{state}{}{}  {}", sign.unwrap_or_default(), row.summary.kind, row.summary.preview)
                    .trim_end()
                    .to_owned(),
                remark: String::new(),
            }
        })
        .collect()
    }
}
