//! What a compressed message inflates to, for the screen: inflated once when its record is selected, not at each drawing.

use std::io;

use super::{App, Effect, Panel};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::explain::DeflateContext;
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::Rule;

/// The most of an inflated message that is kept to be shown, in bytes.
pub const MAX_SHOWN: u64 = 16 << 20;

/// What is known of the message that a compressed frame belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// A later frame ends it.
    Unfinished,
    /// It is a long one, and is being inflated beside the screen.
    Underway,
    /// It cannot be inflated: it may refer to a message that could not be.
    Lost,
    /// There it is.
    Whole(Inflated),
    /// It is not compressed, and its frames are joined.
    Joined(Inflated),
}

impl Unpacked {
    /// What there is to show beside a record; `None` when it is no frame of a compressed message.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(capture: &Capture, record: &Record) -> io::Result<Option<Self>> {
        if !record.compressed {
            return Ok(None);
        }
        if !record.fin() {
            return Ok(Some(Self::Unfinished));
        }
        let long = |rule| matches!(rule, Rule::InflatedLong | Rule::InflateLimit);
        if record.findings.iter().any(|finding| long(finding.rule)) {
            return Ok(Some(Self::Underway));
        }
        Ok(Some(capture.inflated(record, MAX_SHOWN)?.map_or(Self::Lost, Self::Whole)))
    }

    /// As [`Self::load`], however long it takes. Holds up nobody who looks at other messages.
    pub fn load_long(capture: &Capture, no: u64) -> Self {
        let inflated = capture.record(no).and_then(|record| {
            // What cannot be read is told where its bytes are shown.
            MessageReader::default().message(capture, &record, MAX_SHOWN).ok().flatten()
        });
        inflated.map_or(Self::Lost, Self::Whole)
    }

    /// The message, where it could be inflated.
    pub const fn whole(&self) -> Option<&Inflated> {
        match self {
            Self::Whole(inflated) | Self::Joined(inflated) => Some(inflated),
            _ => None,
        }
    }
}

impl App {
    /// The inflated message of the record under the cursor.
    pub fn inflated(&self) -> Option<&Inflated> {
        self.detail.as_ref()?.unpacked.as_ref()?.whole()
    }

    /// What there is to know of the record's compressed message, for explaining its payload.
    pub fn deflate_context(&self) -> Option<DeflateContext> {
        let detail = self.detail.as_ref()?;
        let unpacked = detail.unpacked.as_ref().filter(|unpacked| !matches!(unpacked, Unpacked::Joined(_)))?;
        Some(DeflateContext {
            params: self.agreed().unwrap_or_default(),
            direction: detail.record.direction,
            payload_len: detail.record.payload_len().unwrap_or(0),
            ends_message: !matches!(unpacked, Unpacked::Unfinished),
            lost: matches!(unpacked, Unpacked::Lost),
            inflated: unpacked.whole().map(|whole| (whole.compressed_len, whole.len)),
            failed: unpacked.whole().is_some_and(|whole| whole.fault.is_some()),
        })
    }

    /// What the handshake of the record's connection agreed on.
    pub fn agreed(&self) -> Option<DeflateParams> {
        let detail = self.detail.as_ref()?;
        self.capture.connection(detail.record.connection)?.about.deflate
    }

    /// Asks for what takes long, when the record under the cursor needs it.
    pub(super) fn ask_for_inflated(&mut self) {
        let waits = self.detail.as_ref().is_some_and(|detail| detail.unpacked == Some(Unpacked::Underway));
        if waits && !self.inflating {
            self.inflating = true;
            self.effects.extend(self.detail.as_ref().map(|detail| Effect::Inflate(detail.last_frame())));
        }
    }

    /// Takes in what took long; the cursor may have gone elsewhere meanwhile.
    pub(super) fn take_inflated(&mut self, no: u64, unpacked: Unpacked) {
        self.inflating = false;
        match &mut self.detail {
            Some(detail) if detail.last_frame() == no => {
                detail.unpacked = Some(unpacked);
                detail.find_carriers(&self.capture);
                let _ = self.read_trees();
            }
            _ => self.ask_for_inflated(),
        }
        self.settle();
    }

    /// Moves the cursor in the inflated message.
    pub(super) fn step_inflated(&mut self, by: i64) {
        let Some(last) = self.inflated().map(|inflated| (inflated.bytes.len() as u64).saturating_sub(1)) else {
            return;
        };
        self.inflated_at = match by {
            i64::MIN => 0,
            i64::MAX => last,
            by => match self.inflated_at.checked_add_signed(by) {
                Some(to) if to <= last => to,
                _ if by == 1 || by == -1 => self.inflated_at,
                _ if by < 0 => self.inflated_at % by.unsigned_abs(),
                _ => last,
            },
        };
    }

    /// The keys go to the inflated message: it is the payload that is looked at.
    pub(super) fn enter_inflated(&mut self) {
        if self.focus == Panel::Inflated
            && let Some(detail) = &self.detail
            && let Some(row) = detail.row_of_id(crate::wire::field::FieldId::Payload)
        {
            self.select_row(row);
        }
    }
}
