//! The figures of the selected records below each other, in one picture. An SVG begins with its height, so all of it is kept in memory:
//! the number of records is limited.

use super::ExportError;
use super::sink::Sink;
use super::source::Source;
use crate::explain;
use crate::picture::figure::FigureStyle;
use crate::picture::{Line, Look};
use crate::proto::rules::count;

/// The most records of a picture.
const MAX_RECORDS: u64 = 500;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let style = FigureStyle::named(source.options.theme);
    let (mut lines, mut descriptions, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(words) = source.capture.reconstructed() {
        lines.push(Line::new(&format!("reconstructed from {words}"), Look::default()));
        lines.push(Line::default());
    }
    if let Some(words) = super::words::decrypted(source.capture) {
        lines.push(Line::new(&words, Look::default()));
        lines.push(Line::default());
    }
    let mut records = 0;
    source.each(|bytes, record| {
        records += 1;
        if records > MAX_RECORDS {
            return Err(ExportError::TooMany { format: "SVG", most: MAX_RECORDS });
        }
        let fields = bytes.figure(record, &mut buffer)?;
        let figure = style.of(record, &fields, &buffer);
        descriptions.push(format!("{}: {}", figure.heading, explain::fields(&fields)));
        if records > 1 {
            lines.push(Line::default());
        }
        lines.extend(figure.lines());
        Ok(())
    })?;
    let title = format!("framescope: {}", count(records, "record"));
    let picture = style.picture(title, descriptions.join("\n"), lines);
    sink.buffer.extend_from_slice(picture.svg().as_bytes());
    sink.write_if_full()?;
    Ok(None)
}
