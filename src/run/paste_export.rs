//! Exports pasted frames to pcapng with a handshake before them, because other programs recognize WebSocket only after one.

use crate::capture::store::Capture;
use crate::export::ExportSelection;
use crate::pasted::{self, CaptureError, PasteOptions, Pasted};

/// What an export says when it has added a handshake.
pub const HANDSHAKE_ADDED: &str = "a handshake was added before the frames, so that other programs recognize WebSocket";

/// The number of records that the handshake adds: its request and its response.
const ADDED: u64 = 2;

/// The capture of a paste with a handshake, and with the same notes and selection; `None` if the paste has a handshake itself. With
/// `deflate`, the handshake negotiates permessage-deflate.
///
/// # Errors
/// If the temporary file cannot be created or written.
pub fn with_handshake(
    pasted: &Pasted,
    capture: &Capture,
    selection: &ExportSelection,
    deflate: bool,
) -> Result<Option<(Capture, ExportSelection)>, CaptureError> {
    if pasted.has_handshake() {
        return Ok(None);
    }
    let options = PasteOptions { invent_handshake: true, deflate };
    let extended = pasted::to_capture(&pasted.content, capture.path(), options)?;
    for no in 1..=capture.len() {
        if let Some(note) = capture.note(no) {
            extended.set_note(no + ADDED, &note);
        }
    }
    let selection = match selection {
        ExportSelection::All => ExportSelection::All,
        ExportSelection::Records(numbers) => ExportSelection::Records(numbers.iter().map(|no| no + ADDED).collect()),
    };
    Ok(Some((extended, selection)))
}
