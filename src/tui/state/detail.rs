//! One record, read and dissected for the panels below the list.

use std::io;

use super::detail_rows::{self, DetailRow, DetailRowKind};
use super::unpacked::{MAX_SHOWN, Unpacked};
use crate::capture::query::messages::{Carrier, Message};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::explain::FrameContext;
use crate::proto::accept::AcceptBench;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::handshake::{self, RequestFacts};
use crate::wire::field::{Field, FieldId, FieldValue, Span, field_at_byte};
use crate::wire::frame;
use crate::wire::http::Head;

/// Largest part of an HTTP head that is read, in bytes: every valid head fits.
const MAX_HEAD: u64 = 64 * 1024;

/// Largest part of a frame that the bit grid shows, in bytes: the frame head and one row of payload.
const PREFIX: u64 = 32;

/// Everything that the panels show of one record.
#[derive(Clone, Debug)]
pub struct Detail {
    pub record: Record,
    pub fields: Vec<Field>,
    pub rows: Vec<DetailRow>,
    /// Context of a frame whose head is complete.
    pub frame: Option<FrameContext>,
    /// First bytes of a frame: its head, and the payload bytes that the bit grid shows.
    pub prefix: Vec<u8>,
    /// Head of a request or response.
    pub http: Option<Vec<u8>>,
    /// For a pong: which ping it answers, and the round-trip time.
    pub answers: Option<String>,
    pub note: Option<String>,
    /// Content of the compressed message that a frame belongs to.
    pub unpacked: Option<Unpacked>,
    /// The message, if the row shows a message of several frames.
    pub message: Option<Message>,
    /// The frames of that message, with the part that each one carries.
    pub carriers: Vec<Carrier>,
    /// Why the bytes cannot be read.
    pub error: Option<String>,
}

impl Detail {
    /// Reads and dissects a record; with a `message` of several frames, the whole message.
    pub fn load(capture: &Capture, reader: &mut MessageReader, record: Record, message: Option<Message>) -> Self {
        let mut detail = Self {
            answers: summary::answers(capture, &record),
            note: capture.note(record.no),
            record,
            fields: Vec::new(),
            rows: Vec::new(),
            frame: None,
            prefix: Vec::new(),
            http: None,
            unpacked: None,
            message: None,
            carriers: Vec::new(),
            error: None,
        };
        let read = detail.dissect(capture, reader);
        let joined = message.map_or(Ok(()), |message| detail.join(capture, reader, message));
        if let Err(e) = read.and(joined) {
            detail.error = Some(format!("cannot read the bytes of this record ({e})"));
        }
        detail
    }

    /// Offset of the payload in the record; `None` if the record has no payload.
    pub fn payload_start(&self) -> Option<u64> {
        let head = &self.frame.as_ref()?.head;
        let start = head.header_len() as u64;
        (self.record.wire_len > start).then_some(start)
    }

    /// Number of the last record that is shown: the last frame of a message, otherwise the record itself.
    pub fn last_frame(&self) -> u64 {
        self.message.as_ref().map_or(self.record.no, |message| message.last)
    }

    pub fn masking_key(&self) -> Option<[u8; 4]> {
        self.frame.as_ref()?.head.masking_key
    }

    /// The field that a row shows.
    pub fn field_of_row(&self, row: usize) -> Option<&Field> {
        self.fields.get(self.rows.get(row)?.field?)
    }

    /// The row that shows the field of a byte; `current` if its field contains the byte too.
    pub fn row_at_byte(&self, byte: u64, current: usize) -> Option<usize> {
        if self.field_of_row(current).is_some_and(|field| field.span.touches_byte(byte)) {
            return Some(current);
        }
        self.row_of_field(field_at_byte(&self.fields, byte)?)
    }

    /// The row that shows a field, by its index.
    pub fn row_of_field(&self, field: usize) -> Option<usize> {
        self.rows.iter().position(|row| row.field == Some(field) && row.kind == DetailRowKind::Field)
    }

    /// The row that shows a field, by its id.
    pub fn row_of_id(&self, id: FieldId) -> Option<usize> {
        self.row_of_field(self.fields.iter().position(|field| field.id == id)?)
    }

    fn dissect(&mut self, capture: &Capture, reader: &mut MessageReader) -> io::Result<()> {
        let record = &self.record;
        match record.kind {
            Kind::Frame | Kind::CutFrame => {
                self.prefix = capture.wire(record, 0..PREFIX)?;
                self.fields = frame::fields(&self.prefix, record.wire_len);
                self.frame = capture.frame_head(record)?.map(|head| FrameContext::of(capture, record, head));
                self.unpacked = Unpacked::load(capture, reader, record)?;
                self.rows = detail_rows::of_frame(&self.fields, self.frame.as_ref());
            }
            Kind::Request | Kind::Response | Kind::CutHttp => {
                let bytes = capture.wire(record, 0..MAX_HEAD)?;
                self.dissect_http(capture, &bytes)?;
                self.http = Some(bytes);
            }
            Kind::Junk => {
                let (span, value) = (Span::bytes(0, record.wire_len), FieldValue::Length(record.wire_len));
                self.fields = vec![Field { id: FieldId::Opaque, name: "bytes".to_owned(), span, value }];
                self.rows = detail_rows::of_frame(&self.fields, None);
            }
            Kind::Gap | Kind::End(_) => {}
        }
        Ok(())
    }

    fn dissect_http(&mut self, capture: &Capture, bytes: &[u8]) -> io::Result<()> {
        let head = Head::read(bytes);
        self.fields = head.fields(self.record.wire_len);
        let mut facts = RequestFacts::default();
        let mut steps = match self.record.direction {
            Direction::ClientToServer => {
                let server = capture.connection(self.record.connection).map(|connection| connection.server);
                handshake::check_request(&head, server)
            }
            Direction::ServerToClient => {
                if let Some(request) = self.record.answers.and_then(|no| capture.record(no)) {
                    facts = RequestFacts::of(&Head::read(&capture.wire(&request, 0..MAX_HEAD)?));
                }
                handshake::check_response(&head, &facts)
            }
        };
        // Only what the record was found to violate: the head alone does not show that it was truncated, or sent through a tunnel.
        let found = |rule| self.record.findings.iter().any(|finding| finding.rule == rule);
        steps.retain(|step| step.finding.as_ref().is_none_or(|finding| found(finding.rule)));
        let bench = match (&facts.key, self.record.direction, self.record.code) {
            (Some(key), Direction::ServerToClient, 101) => {
                Some(AcceptBench::new(key, head.value("sec-websocket-accept")))
            }
            _ => None,
        };
        self.rows = detail_rows::of_head(&head, &self.fields, &steps, bench.as_ref());
        Ok(())
    }

    /// Shows the content of the whole message instead of that of its first frame.
    fn join(&mut self, capture: &Capture, reader: &mut MessageReader, message: Message) -> io::Result<()> {
        let read = if message.compressed {
            let last = capture.record(message.last);
            last.map_or(Ok(None), |last| Unpacked::load(capture, reader, &last))
        } else {
            message.joined(capture, MAX_SHOWN).map(|(content, carriers)| {
                self.carriers = carriers;
                Some(Unpacked::Joined(content))
            })
        };
        self.message = Some(message);
        self.unpacked = read?;
        self.find_carriers(capture);
        Ok(())
    }

    /// Sets the inflated content, which a background job delivers late for a long message.
    pub fn set_unpacked(&mut self, capture: &Capture, unpacked: Unpacked) {
        self.unpacked = Some(unpacked);
        self.find_carriers(capture);
    }

    /// Finds out which frame carries which part of a compressed message.
    fn find_carriers(&mut self, capture: &Capture) {
        if let (Some(message), Some(Unpacked::Inflated(content))) = (&self.message, &self.unpacked) {
            self.carriers = message.carriers(capture, content);
        }
    }
}
