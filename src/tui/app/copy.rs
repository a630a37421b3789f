//! Copying to the clipboard.

use super::App;
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::dialogs::{CopyMenu, Dialog};
use crate::wire::printable;

/// Largest text that is copied, in bytes: terminals ignore longer ones.
const MAX_COPY: u64 = 64 * 1024;

/// Bytes that the menu shows of each part.
const PREVIEW: u64 = 96;

/// Whether a part is copied as hex.
const fn is_hex(part: Action) -> bool {
    matches!(part, Action::CopyFieldHex | Action::CopyPayloadHex | Action::CopyRecordHex)
}

impl App {
    pub(super) fn ask_copy(&mut self) {
        let Some(detail) = self.detail.current() else { return };
        let field = detail.field_of_row(self.detail.row);
        let has = |part| match part {
            Action::CopyField | Action::CopyFieldHex => field.is_some(),
            Action::CopyPayload | Action::CopyPayloadHex => self.detail.has_payload(),
            Action::CopyMessage => self.detail.content().is_some_and(|content| content.text().is_some()),
            _ => detail.record.wire_len > 0,
        };
        let menu = CopyMenu::new(|part| has(part).then(|| self.copy_preview(part)));
        match menu {
            Some(menu) => self.dialogs.open = Some(Dialog::Copy(menu)),
            None => self.fail("this record has no bytes to copy"),
        }
    }

    /// The beginning of what a part of the record would copy.
    fn copy_preview(&self, part: Action) -> String {
        match self.bytes_to_copy(part, PREVIEW) {
            None => String::new(),
            Some(Err(e)) => format!("cannot be read ({e})"),
            Some(Ok((bytes, len))) => {
                let more = if len > bytes.len() as u64 { "…" } else { "" };
                let text =
                    if is_hex(part) { hex::encode(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
                format!("{}{more}", printable::text(&text))
            }
        }
    }

    /// Copies the part of the record that an action of the copy menu names.
    pub(super) fn copy(&mut self, part: Action) {
        let is_hex = is_hex(part);
        match self.bytes_to_copy(part, MAX_COPY) {
            None => {}
            Some(Err(e)) => self.fail(format!("cannot read the bytes ({e})")),
            Some(Ok((bytes, len))) => {
                let copied = count(bytes.len() as u64, "byte");
                let export = self.keymap.key_of(Action::Export);
                self.succeed(if len > bytes.len() as u64 {
                    format!("copied the first {copied} of {}; use export ({export}) for all", grouped(len))
                } else {
                    format!("copied {copied}{}", if is_hex { " as hex" } else { "" })
                });
                let text = String::from_utf8_lossy(&bytes);
                self.effects.push(Effect::Copy(if is_hex { hex::encode(&bytes) } else { text.into_owned() }));
            }
        }
    }

    /// The bytes to copy, at most `most` of them, and their full number; `None` if the record does not have them.
    fn bytes_to_copy(&self, part: Action, most: u64) -> Option<std::io::Result<(Vec<u8>, u64)>> {
        let detail = self.detail.current()?;
        let record = &detail.record;
        let field = detail.field_of_row(self.detail.row);
        let payload_len = record.payload_len().unwrap_or(0);
        let (len, read) = match part {
            Action::CopyField if field.is_some_and(|field| field.id.in_payload()) => {
                (payload_len, self.capture.payload(record, 0..most))
            }
            Action::CopyField => {
                let value = detail.rows.get(self.detail.row)?.text().to_owned();
                (value.len() as u64, Ok(value.into_bytes()))
            }
            Action::CopyFieldHex => {
                let span = field?.span.byte_range();
                let end = span.end.min(span.start.saturating_add(most));
                (span.end - span.start, self.capture.wire(record, span.start..end))
            }
            Action::CopyPayload | Action::CopyPayloadHex => (payload_len, self.capture.payload(record, 0..most)),
            Action::CopyMessage => {
                let content = self.detail.content()?;
                let text = content.text()?;
                let end = text.floor_char_boundary(usize::try_from(most).unwrap_or(usize::MAX));
                (content.len, Ok(text.as_bytes()[..end].to_vec()))
            }
            _ => (record.wire_len, self.capture.wire(record, 0..most)),
        };
        Some(read.map(|bytes| (bytes, len)))
    }
}
