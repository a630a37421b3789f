//! The panels below the list: the record under the cursor with its field, byte and scroll cursors.

mod cursor;
pub mod prepare;

use ratatui::layout::Rect;

use super::detail::Detail;
use super::hex_window::HexWindow;
use super::packed::Packed;
use super::text_window::{MAX_TEXT, TextWindow};
use super::trees::{TreeError, Trees};
use super::unpacked::Unpacked;
use crate::capture::query::messages::{self, Message};
use crate::capture::query::payload_tree::{self, PayloadContext, Tree};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::explain::DeflateContext;
use crate::proto::dissected::Kind;
use crate::proto::extensions::DeflateParams;
use crate::tui::bit_grid::BitGrid;
use crate::tui::layout::{Content, Fragments, Shape};
use crate::tui::panel::Panel;
use crate::wire::field::{FieldId, Span};
use crate::wire::opcode::Opcode;

/// Labels of frames that are measured: more have no room on any screen.
const MOST_LABELS: usize = 500;

/// Columns to the left of a payload that is shown as text.
pub const TEXT_MARGIN: u16 = 2;

/// The record under the cursor and the cursors in it. One selection: the field row and the byte follow each other.
#[derive(Debug, Default)]
pub struct DetailPane {
    detail: Option<Detail>,
    /// Selected row of the left panel.
    pub row: usize,
    /// First row of the left panel in view.
    pub row_top: usize,
    /// The field that the user selected last; another record shows it too, unless it has a finding.
    chosen: Option<FieldId>,
    /// Selected byte, as an offset in the record.
    pub byte: u64,
    /// Selected byte of the inflated or joined message.
    pub message_byte: u64,
    /// The bit grid, and its place.
    pub grid: BitGrid,
    pub grid_area: Rect,
    /// The place of the rows: below the grid, or beside it.
    pub table: Rect,
    /// The place of those that do not fit there, below the bytes, and its title line.
    pub further_table: Rect,
    pub table_title: Rect,
    /// The wire bytes in view.
    pub wire: HexWindow,
    /// The payload bytes in view.
    pub payload: HexWindow,
    /// The bytes of the inflated or joined message in view.
    pub message: HexWindow,
    /// The payload or message as text, if it is one.
    text: Option<TextWindow>,
    /// The compressed payload, if the record is a whole compressed message.
    packed: Option<Packed>,
    /// Whether the user wants text payloads as hex.
    pub wants_hex: bool,
    /// The wire byte under the cursor, if it can be read.
    pub byte_value: Option<u8>,
    pub trees: Trees,
    reader: MessageReader,
    /// Whether a background job inflates a long message now: one at a time.
    inflating: bool,
    /// Whether the reserved bits have rows of their own.
    separate_rsv: bool,
}

/// The frame that carries a byte of a message of several frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteCarrier {
    /// Number of its record.
    pub record: u64,
    /// Its position among the frames of the message, from 0.
    pub frame: usize,
    /// Offset of the byte in the part that the frame carries.
    pub offset: u64,
}

impl DetailPane {
    /// The record that is shown, with its fields; `None` before the first one.
    pub const fn current(&self) -> Option<&Detail> {
        self.detail.as_ref()
    }

    /// The record that is shown; `None` before the first one.
    pub fn record(&self) -> Option<&Record> {
        self.detail.as_ref().map(|detail| &detail.record)
    }

    /// The content of the inflated or joined message.
    pub fn content(&self) -> Option<&Inflated> {
        self.detail.as_ref()?.unpacked.as_ref()?.content()
    }

    /// The payload that was inflated to that message, if it is a whole one.
    pub const fn packed(&self) -> Option<&Packed> {
        self.packed.as_ref()
    }

    /// The length of that message in bytes.
    pub fn message_len(&self) -> u64 {
        self.content().map_or(0, |content| content.len)
    }

    /// The first bytes that a frame carries of the message of several frames, by its position: at most `most`.
    pub fn fragment_bytes(&self, frame: usize, most: usize) -> Vec<u8> {
        let (Some(content), Some(detail)) = (self.content(), &self.detail) else { return Vec::new() };
        let start_of = |frame: usize| detail.carriers.get(frame).map_or(content.len, |carrier| carrier.start);
        let (start, end) = (start_of(frame), start_of(frame + 1));
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(content.bytes.len());
        content.bytes[at(start)..at(end)].iter().copied().take(most).collect()
    }

    /// The frames of a message of several frames.
    pub fn fragments(&self) -> Option<Fragments> {
        let detail = self.detail.as_ref().filter(|detail| detail.carriers.len() > 1)?;
        let count = detail.carriers.len();
        let len = self.message_len();
        let widest = (0..count.min(MOST_LABELS)).map(|frame| detail.fragment_label(frame, len).len()).max();
        // The mark before the label.
        Some(Fragments { count, label: u16::try_from(widest.unwrap_or(0) + 1).unwrap_or(u16::MAX) })
    }

    /// Whether the record has a payload.
    pub fn has_payload(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.payload_start().is_some())
    }

    /// Whether the selected byte lies in a masked payload: its offset in the payload, and the masking key.
    pub fn masked_payload_byte(&self) -> Option<(u64, [u8; 4])> {
        let detail = self.detail.as_ref()?;
        let at = self.byte.checked_sub(detail.payload_start()?)?;
        Some((at, detail.masking_key()?))
    }

    /// The panel that shows the content: the message if there is one, otherwise the payload.
    fn content_panel(&self) -> Panel {
        if self.content().is_some() { Panel::Inflated } else { Panel::Payload }
    }

    /// The tree that a panel shows in the place of its hex.
    pub fn tree(&self, panel: Panel) -> Option<&Tree> {
        self.trees.current().filter(|_| panel == self.content_panel())
    }

    /// The text that a panel shows in the place of its hex.
    pub fn text(&self, panel: Panel) -> Option<&TextWindow> {
        let is_shown = !self.wants_hex && panel == self.content_panel() && self.tree(panel).is_none();
        self.text.as_ref().filter(|_| is_shown)
    }

    /// The panel that shows the data message of the record as text, if it does.
    pub fn message_panel(&self) -> Option<Panel> {
        self.record().and_then(|record| record.message)?;
        let panel = self.content_panel();
        self.text(panel).map(|_| panel)
    }

    /// The frame that carries a byte of the message, by its position among the frames, from 0.
    pub fn frame_of(&self, byte: u64) -> usize {
        let carriers = self.detail.as_ref().map_or(&[][..], |detail| &detail.carriers);
        messages::carrier_of(carriers, byte).map_or(0, |(frame, _)| frame)
    }

    /// Whether the payload or message can be shown as text and as hex.
    pub const fn has_text(&self) -> bool {
        self.text.is_some()
    }

    /// The selected bits: those of the field under the cursor.
    pub fn selected_span(&self) -> Option<Span> {
        self.detail.as_ref()?.span_of_row(self.row)
    }

    /// The frame that carries the selected byte of a message of several frames.
    pub fn carrier(&self) -> Option<ByteCarrier> {
        let carriers = &self.detail.as_ref()?.carriers;
        let (frame, offset) = messages::carrier_of(carriers, self.message_byte)?;
        Some(ByteCarrier { record: carriers[frame].no, frame, offset })
    }

    /// The parameters of permessage-deflate that the record's connection has negotiated.
    pub fn negotiated(&self, capture: &Capture) -> Option<DeflateParams> {
        capture.connection(self.detail.as_ref()?.record.connection)?.about.deflate
    }

    /// The facts that explain the payload of a compressed message.
    pub fn deflate_context(&self, capture: &Capture) -> Option<DeflateContext> {
        let detail = self.detail.as_ref()?;
        let unpacked = detail.unpacked.as_ref().filter(|unpacked| !matches!(unpacked, Unpacked::Joined(_)))?;
        let content = unpacked.content();
        Some(DeflateContext {
            params: self.negotiated(capture),
            direction: detail.record.direction,
            payload_len: detail.record.payload_len().unwrap_or(0),
            ends_message: !matches!(unpacked, Unpacked::Unfinished),
            lost: matches!(unpacked, Unpacked::Lost),
            inflated: content.map(|content| (content.compressed_len, content.len)),
            failed: content.is_some_and(|content| content.fault.is_some()),
        })
    }

    /// The properties of the record that the screen's layout depends on.
    pub fn shape(&self) -> Shape {
        let Some(detail) = &self.detail else { return Shape::default() };
        let content = |panel: Panel, len: u64| match (self.tree(panel), self.text(panel)) {
            (Some(tree), _) => Content::Lines(tree.lines.len() as u64),
            (None, Some(text)) => Content::Text(text.len() as u64, text.breaks()),
            (None, None) => Content::Hex(len),
        };
        let message = |unpacked: &Unpacked| {
            let len = unpacked.content().map_or(0, |content| content.bytes.len() as u64);
            (len > 0).then(|| content(Panel::Inflated, len))
        };
        Shape {
            is_head: detail.http.is_some(),
            is_end: matches!(detail.record.kind, Kind::End(_)),
            wire_len: detail.record.wire_len,
            payload: detail.payload_start().map(|start| content(Panel::Payload, detail.record.wire_len - start)),
            inflated: detail.unpacked.as_ref().map(message),
            fragments: self.fragments(),
            has_chain: self.packed.is_some(),
            ..Shape::default()
        }
    }
}

/// Loading records.
impl DetailPane {
    /// Shows a record, or a `message` of several frames. The cursor goes to the field with the worst finding, or else to the field
    /// that the user selected last, if the record has it.
    pub fn show(&mut self, capture: &Capture, record: Record, message: Option<Message>) {
        let detail = Detail::load(capture, &mut self.reader, record, message, self.separate_rsv);
        let chosen = self.chosen.filter(|_| detail.frame.is_some());
        let row = chosen.and_then(|id| detail.row_of_id(id));
        // Of a Close, the code says the most.
        let row = row.or_else(|| detail.row_of_id(FieldId::CloseCode).filter(|_| self.chosen.is_none()));
        let row = row.or_else(|| detail.row_of_field(0).filter(|_| detail.http.is_none())).unwrap_or(0);
        self.detail = Some(detail);
        (self.row_top, self.message_byte) = (0, 0);
        self.forget_windows();
        self.move_to_row(row);
        self.select_finding(None);
        let _ = self.read_content(capture);
    }

    /// Reads the record again, after its note or its message has changed. The cursors stay, unless another record was shown.
    pub fn reload(&mut self, capture: &Capture, record: Record, message: Option<Message>) {
        let Some(before) = self.detail.as_ref().filter(|before| before.record.no == record.no) else {
            return self.show(capture, record, message);
        };
        let last = before.last_frame();
        let detail = Detail::load(capture, &mut self.reader, record, message, self.separate_rsv);
        let grown = last != detail.last_frame();
        self.detail = Some(detail);
        if grown {
            self.forget_windows();
            let _ = self.read_content(capture);
        }
    }

    /// Makes the hex panels read their bytes again.
    fn forget_windows(&mut self) {
        (self.wire, self.payload, self.message) = Default::default();
    }

    /// Reads the payload or message as text, and as trees if the user wants trees.
    fn read_content(&mut self, capture: &Capture) -> Result<(), TreeError> {
        self.text = self.read_text(capture);
        let content = self.content().zip(self.record());
        self.packed = content.and_then(|(content, record)| Packed::read(capture, record, content));
        self.read_trees(capture)
    }

    /// The beginning of the text of the payload or message; `None` if it is no text or cannot be read.
    fn read_text(&self, capture: &Capture) -> Option<TextWindow> {
        let detail = self.detail.as_ref()?;
        if let Some(content) = self.content() {
            let end = content.bytes.len().min(MAX_TEXT as usize);
            let is_text = content.opcode == Opcode::Text && end > 0;
            return is_text.then(|| TextWindow::new(content.bytes[..end].to_vec(), content.len));
        }
        let len = detail.record.wire_len - detail.payload_start()?;
        if detail.is_binary() {
            return None;
        }
        let bytes = capture.payload(&detail.record, 0..len.min(MAX_TEXT)).ok()?;
        detail.is_text(&bytes).then(|| TextWindow::new(bytes, len))
    }

    /// The record whose message a background job must inflate now, if there is one.
    pub fn take_pending(&mut self) -> Option<u64> {
        let detail = self.detail.as_ref().filter(|detail| detail.unpacked == Some(Unpacked::Pending))?;
        (!std::mem::replace(&mut self.inflating, true)).then(|| detail.last_frame())
    }

    /// Takes the result of that job. The user may have gone to another record meanwhile: see [`Self::take_pending`].
    pub fn set_inflated(&mut self, capture: &Capture, no: u64, inflated: Option<Inflated>) {
        self.inflating = false;
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.last_frame() == no) {
            detail.set_unpacked(capture, Unpacked::from(inflated));
            self.message = HexWindow::default();
            let _ = self.read_content(capture);
        }
    }

    /// Switches between hex and trees.
    ///
    /// # Errors
    /// If the payload cannot be shown as a tree.
    pub fn switch_tree(&mut self, capture: &Capture) -> Result<(), TreeError> {
        if !self.trees.switch() {
            return Ok(());
        }
        self.read_trees(capture).inspect_err(|_| self.trees.wanted = false)
    }

    /// Reads the payload as trees, if the user wants trees.
    fn read_trees(&mut self, capture: &Capture) -> Result<(), TreeError> {
        if !self.trees.wanted || self.detail.is_none() {
            return Ok(());
        }
        let trees = self.payload_trees(capture);
        self.trees.replace(trees)
    }

    fn payload_trees(&self, capture: &Capture) -> Result<Vec<Tree>, TreeError> {
        let detail = self.detail.as_ref().ok_or(TreeError::NoPayload)?;
        let (len, opcode) = match self.content() {
            Some(content) => (content.len, Some(content.opcode)),
            None => {
                let start = detail.payload_start().ok_or(TreeError::NoPayload)?;
                (detail.record.wire_len - start, detail.record.opcode())
            }
        };
        if len > payload_tree::MAX_BYTES {
            return Err(TreeError::TooLong);
        }
        let connection = capture.connection(detail.record.connection);
        let handshake = connection.as_ref().map(|connection| &connection.about);
        let context = PayloadContext { is_text: opcode == Some(Opcode::Text), handshake };
        Ok(match self.content() {
            Some(content) => payload_tree::read(&content.bytes, &context)?,
            None => payload_tree::read(&capture.payload(&detail.record, 0..len)?, &context)?,
        })
    }
}
