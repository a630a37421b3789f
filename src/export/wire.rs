//! The wire bytes of one direction, joined in the order of the records.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::ExportError;
use super::sink::Sink;
use super::source::Source;
use crate::proto::dissected::Kind;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut seen = [false; 2];
    source.look(|record| {
        if record.wire_len > 0 && record.kind != Kind::Gap {
            seen[record.direction.index()] = true;
        }
        if seen == [true; 2] { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if seen == [true; 2] {
        return Err(ExportError::BothDirections);
    }
    let mut buffer = Vec::new();
    let mut connections = BTreeSet::new();
    let mut records = 0;
    source.each(|bytes, record| {
        let mut at = 0;
        loop {
            bytes.wire(record, at, &mut buffer)?;
            if buffer.is_empty() {
                break;
            }
            sink.buffer.extend_from_slice(&buffer);
            sink.write_if_full()?;
            at += buffer.len() as u64;
        }
        if at > 0 {
            connections.insert(record.connection);
            records += 1;
        }
        Ok(())
    })?;
    source.written = records;
    Ok((connections.len() > 1).then(|| format!("bytes of {} connections are joined", connections.len())))
}
