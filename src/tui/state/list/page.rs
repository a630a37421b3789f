//! The rows in view, read before the screen is drawn, and a cache of their summaries.

use std::collections::HashMap;
use std::ops::Range;

use super::rows::{Row, RowKind, Rows};
use crate::capture::format::proxied::Proxied;
use crate::capture::query::messages::{Message, Messages};
use crate::capture::query::summary::{self, Summary};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// Largest number of cached summaries: many screens.
const MAX_CACHED: usize = 1024;

/// A row in view, with everything that is drawn in it.
#[derive(Clone, Debug)]
pub struct PageRow {
    /// Number of the row.
    pub at: u64,
    pub row: Row,
    pub record: Record,
    /// The message that the row shows, in the view of messages.
    pub message: Option<Message>,
    /// Kind, length, bits and preview.
    pub summary: Summary,
    pub note: Option<String>,
    /// What the proxy did with it.
    pub proxied: Option<Proxied>,
    /// The lines that it has on the screen.
    pub lines: u16,
}

impl PageRow {
    /// Whether only the preview is in its last column.
    pub fn can_wrap_preview(&self) -> bool {
        let severity = self.message.as_ref().and_then(|message| message.severity);
        let is_hex = self.record.opcode() == Some(Opcode::Binary) || self.record.compressed && !self.record.fin();
        matches!(self.row.kind, RowKind::Record | RowKind::Child { .. })
            && !is_hex
            && self.note.is_none()
            && self.record.worst().is_none()
            && severity.is_none()
    }

    /// The worst finding in words, with its symbol.
    pub fn finding_words(&self) -> Option<String> {
        let finding = self.record.worst()?;
        Some(format!("{} {}", finding.rule.severity().symbol(), printable::text(&finding.sentence())))
    }
}

#[derive(Debug, Default)]
pub struct Page {
    /// The rows in view.
    pub rows: Vec<PageRow>,
    /// Summaries by what they depend on: the record, which does not change except by eviction, and of the message that the row
    /// shows, the number of frames so far and whether it is complete.
    pub(super) cache: HashMap<(u64, Option<(u32, bool)>), Summary>,
    reader: MessageReader,
}

impl Page {
    /// Reads the rows of a range; summaries that are cached are not read again. An evicted record has no row.
    pub fn prepare(&mut self, capture: &Capture, rows: &Rows, messages: &mut Messages, range: Range<u64>) {
        if self.cache.len() > MAX_CACHED {
            self.cache.clear();
        }
        let shown: Vec<(u64, Row)> = range.map_while(|at| Some((at, rows.row(at)?))).collect();
        let records = capture.pick(shown.iter().map(|(_, row)| row.no));
        self.rows.clear();
        for (at, row) in shown {
            let Some(record) = records.iter().find(|record| record.no == row.no).cloned() else { continue };
            let is_message = rows.choice.messages && row.kind == RowKind::Record;
            let message = if is_message { messages.look(capture, &record).cloned() } else { None };
            let summary = self.summary(capture, &record, message.as_ref());
            let (note, proxied) = (capture.note(record.no), capture.proxied(record.no));
            self.rows.push(PageRow { at, row, record, message, summary, note, proxied, lines: 1 });
        }
    }

    /// Reads the rows of these records, each as a row of its own.
    pub fn read(&mut self, capture: &Capture, numbers: &[u64]) {
        if self.cache.len() > MAX_CACHED {
            self.cache.clear();
        }
        self.rows.clear();
        for (at, record) in (0..).zip(capture.pick(numbers.iter().copied())) {
            let row = Row { no: record.no, kind: RowKind::Record };
            let summary = self.summary(capture, &record, None);
            let (note, proxied) = (capture.note(record.no), capture.proxied(record.no));
            self.rows.push(PageRow { at, row, record, message: None, summary, note, proxied, lines: 1 });
        }
    }

    fn summary(&mut self, capture: &Capture, record: &Record, message: Option<&Message>) -> Summary {
        let key = (record.no, message.map(|message| (message.frames, message.whole)));
        if let Some(known) = self.cache.get(&key) {
            return known.clone();
        }
        let summary = match message {
            Some(message) => summary::of_message(capture, record, message, &mut self.reader),
            None => summary::of(capture, record, &mut self.reader),
        };
        // What cannot be read now is read again at the next draw.
        if summary.is_read {
            self.cache.insert(key, summary.clone());
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;
    use crate::proto::connection::Connection;
    use crate::proto::dissected::Direction;
    use crate::proto::time::Time;

    #[test]
    fn a_row_that_could_not_be_read_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let connection =
            recorder.dissected_by(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into(), Connection::in_frames());
        let bytes: &[u8] = b"\x81\x05hello";
        connection.record(&[Chunk { direction: Direction::ServerToClient, time: Time(1), bytes }]);
        let record = recorder.capture().record(1).expect("a record");
        let mut page = Page::default();
        let whole = fs::read(&path).expect("the file");
        fs::write(&path, b"").expect("an empty file");
        assert!(!page.summary(recorder.capture(), &record, None).is_read);
        fs::write(&path, whole).expect("the file again");
        let summary = page.summary(recorder.capture(), &record, None);
        assert_eq!((summary.preview.as_str(), page.cache.len()), ("hello", 1));
    }
}
