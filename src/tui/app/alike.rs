//! The filter expression that the selected record, field or connection matches.

use super::App;
use crate::capture::query::filter;
use crate::tui::panel::{Panel, View};
use crate::tui::state::detail::Detail;
use crate::wire::field::FieldId;
use crate::wire::http::Head;

/// Longest payload that is compared as a whole, in bytes.
const MAX_PAYLOAD: u64 = 256;

impl App {
    /// The expression for what is selected; `None` if nothing is.
    pub(super) fn alike(&self) -> Option<String> {
        if self.panels.view == View::Connections {
            let connection = self.table.cursor;
            return (connection > 0).then(|| format!("conn == {connection}"));
        }
        let detail = self.detail.current()?;
        let record = &detail.record;
        let whole = match record.opcode() {
            Some(opcode) => match opcode.name() {
                name if name.starts_with("reserved") => format!("op == {}", opcode.to_wire()),
                name => format!("op == {name}"),
            },
            None => format!("type == {}", record.kind.name()),
        };
        let row = self.detail.row;
        // In the list, the first field is selected until the user selects another one: it means the record.
        let first = detail.row_of_field(0).filter(|_| detail.http.is_none()).unwrap_or(0);
        let is_chosen = self.panels.focus != Panel::List || row != first;
        let Some(field) = detail.field_of_row(row).filter(|_| is_chosen) else {
            return Some(whole);
        };
        let flag = |name: &str, set: bool| if set { name.to_owned() } else { format!("not {name}") };
        let bit = |n: u8| record.lead[0] >> n & 1 == 1;
        Some(match field.id {
            FieldId::Fin => flag("fin", bit(7)),
            FieldId::Rsv1 => flag("rsv1", bit(6)),
            FieldId::Rsv2 => flag("rsv2", bit(5)),
            FieldId::Rsv3 => flag("rsv3", bit(4)),
            FieldId::Mask => flag("mask", record.masked()),
            FieldId::PayloadLen => format!("websocket.payload_length == {}", record.len_code()),
            FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => format!("len == {}", record.payload_len()?),
            FieldId::MaskingKey => format!("websocket.masking_key == {}", hex::encode(detail.masking_key()?)),
            FieldId::CloseCode => format!("close.code == {}", record.code),
            FieldId::Status => format!("status == {}", record.code),
            FieldId::Payload | FieldId::CloseReason => self.payload_alike(detail)?,
            FieldId::Target => {
                let target = in_head(detail, |head| head.target().map(<[u8]>::to_vec))?;
                format!("path == {}", filter::quote(filter::path_of(&target)))
            }
            FieldId::Header(_) if detail.rows.get(row)?.name.eq_ignore_ascii_case("host") => {
                let host = in_head(detail, |head| head.value("Host").map(<[u8]>::to_vec))?;
                format!("host == {}", filter::quote(&host))
            }
            _ => whole,
        })
    }

    fn payload_alike(&self, detail: &Detail) -> Option<String> {
        let record = &detail.record;
        let len = record.payload_len()?;
        if len > MAX_PAYLOAD || record.compressed {
            return Some(format!("len == {len}"));
        }
        let payload = self.capture.payload(record, 0..len).ok()?;
        Some(match std::str::from_utf8(&payload) {
            Ok("") => "len == 0".to_owned(),
            Ok(text) => format!("websocket.payload == {}", filter::quote(text)),
            Err(_) => format!("websocket.payload == {}", hex::encode(&payload)),
        })
    }
}

/// A part of the record's HTTP head, as text.
fn in_head(detail: &Detail, part: impl Fn(&Head<'_>) -> Option<Vec<u8>>) -> Option<String> {
    let head = Head::read(detail.http.as_deref()?);
    part(&head).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
