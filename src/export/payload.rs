//! The unmasked payloads of all selected frames, data and control frames, joined in the order of the records.

use super::sink::Sink;
use super::source::Source;
use super::{ExportError, joined};
use crate::proto::dissected::Kind;
use crate::wire::frame::FrameHead;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut buffer = Vec::new();
    let (mut frames, mut control, mut compressed) = (0u64, 0u64, 0u64);
    source.each(|bytes, record| {
        if !matches!(record.kind, Kind::Frame | Kind::CutFrame) {
            return Ok(());
        }
        bytes.wire(record, 0, &mut buffer)?;
        let Some(head) = FrameHead::read(&buffer) else {
            return Ok(());
        };
        frames += 1;
        control += u64::from(head.opcode.is_control());
        compressed += u64::from(record.compressed);
        let mut at = 0;
        loop {
            bytes.payload(record, &head, at, &mut buffer)?;
            if buffer.is_empty() {
                return Ok(());
            }
            sink.buffer.extend_from_slice(&buffer);
            sink.write_if_full()?;
            at += buffer.len() as u64;
        }
    })?;
    source.written = frames;
    let control = (control > 0).then(|| format!("{control} of {frames} frames are control frames"));
    let compressed =
        (compressed > 0).then(|| format!("{compressed} frames are compressed: their payloads are not inflated"));
    Ok(joined([control, compressed]))
}
