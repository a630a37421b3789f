//! The state of a message's content for the screen: inflated or joined once, when its record is selected.

use std::io;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::proto::rules::Rule;

/// Largest part of an inflated message that is kept for the screen, in bytes.
pub const MAX_SHOWN: u64 = 16 << 20;

/// The content of the message that a frame belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// The message is compressed, and a later frame ends it.
    Unfinished,
    /// The message is compressed and long: a background job inflates it.
    Pending,
    /// The message cannot be inflated, because the compression context is lost.
    Lost,
    /// The inflated message.
    Inflated(Inflated),
    /// An uncompressed message of several frames: their payloads joined.
    Joined(Inflated),
}

impl Unpacked {
    /// Inflates the message that ends with `record`; a long one is left to a background job. `None` if the record is no frame of
    /// a compressed message.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load(capture: &Capture, reader: &mut MessageReader, record: &Record) -> io::Result<Option<Self>> {
        if !record.compressed {
            return Ok(None);
        }
        if !record.fin() {
            return Ok(Some(Self::Unfinished));
        }
        let is_long = |rule| matches!(rule, Rule::InflatedLong | Rule::InflateLimit);
        if record.findings.iter().any(|finding| is_long(finding.rule)) {
            return Ok(Some(Self::Pending));
        }
        Ok(Some(Self::from(reader.message(capture, record, MAX_SHOWN)?)))
    }

    /// The content, if it is available.
    pub const fn content(&self) -> Option<&Inflated> {
        match self {
            Self::Inflated(content) | Self::Joined(content) => Some(content),
            Self::Unfinished | Self::Pending | Self::Lost => None,
        }
    }
}

impl From<Option<Inflated>> for Unpacked {
    fn from(inflated: Option<Inflated>) -> Self {
        inflated.map_or(Self::Lost, Self::Inflated)
    }
}

/// Inflates a message of any length, for a background job. `None` if its context is lost or its bytes cannot be read; the hex
/// panel reports a read error.
pub fn inflate_long(capture: &Capture, no: u64) -> Option<Inflated> {
    let record = capture.record(no)?;
    MessageReader::default().message(capture, &record, MAX_SHOWN).ok().flatten()
}
