//! Exports that the screen asks for: the rows of its dialog, and the thread that runs an export and reports on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::paste_export::{self, HANDSHAKE_ADDED};
use crate::capture::store::Capture;
use crate::capture::store::output::OutputError;
use crate::export::{self, ExportError, ExportOptions, ExportSelection, Exported, Format, Progress};
use crate::proto::dissected::Direction;
use crate::proto::rules::count;
use crate::tui::event::{Remote, Report};
use crate::tui::host::{ExportRequest, FormatChoice};
use crate::tui::state::jobs;

/// A row of the export dialog.
#[derive(Clone, Copy)]
struct Row {
    format: Format,
    direction: Option<Direction>,
}

/// The rows of the dialog: one for each format, and one for each direction of a format that holds only one.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for format in Format::ALL {
        match format.spec().one_direction {
            true => rows.extend(Direction::BOTH.map(|direction| Row { format, direction: Some(direction) })),
            false => rows.push(Row { format, direction: None }),
        }
    }
    rows
}

/// The rows as the screen shows them.
pub fn choices() -> Vec<FormatChoice> {
    let choice = |Row { format, direction }: Row| {
        let spec = format.spec();
        let arrow = direction.map(|direction| format!(" {}", direction.arrow())).unwrap_or_default();
        FormatChoice { name: format!("{}{arrow}", spec.id), extension: spec.extension, words: spec.words }
    };
    rows().into_iter().map(choice).collect()
}

/// Runs an export, and reports its progress and its end to the screen. With `deflate`, the handshake that a paste gets negotiates
/// permessage-deflate.
pub fn run(capture: &Capture, request: ExportRequest, deflate: bool, remote: &Remote) {
    let Some(Row { format, direction }) = rows().get(request.format).copied() else { return };
    let selection = request.records.clone().map_or(ExportSelection::All, ExportSelection::Records);
    let pasted = request.pasted.as_ref().filter(|_| format == Format::Pcapng);
    let extended = pasted.map(|pasted| paste_export::with_handshake(pasted, capture, &selection, deflate)).transpose();
    let extended = match extended {
        Ok(extended) => extended.flatten(),
        Err(e) => return remote.report(Report::Failed(e.to_string())),
    };
    let added = extended.is_some().then_some(HANDSHAKE_ADDED);
    let (capture, selection) = extended.unwrap_or_else(|| (capture.clone(), selection));
    let options = ExportOptions { selection, direction, ..ExportOptions::default() };
    let progress = Progress { cancel: Arc::clone(&request.cancel), ..Progress::default() };
    let counts = || (progress.done.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
    let exported = remote.report_while(jobs::EXPORT, counts, || {
        export::to_file(&capture, format, &options, &request.path, request.force, &progress)
    });
    remote.report(match exported {
        Ok(exported) => Report::Wrote(result_line(&request.path, &exported, added)),
        Err(ExportError::File(OutputError::Exists(_))) => Report::Exists(request),
        Err(ExportError::Cancelled) => return,
        Err(e) => Report::Failed(e.to_string()),
    });
}

fn result_line(path: &Path, exported: &Exported, added: Option<&str>) -> String {
    let records = count(exported.records, "record");
    let notes: String = exported.note.as_deref().into_iter().chain(added).map(|note| format!(" · {note}")).collect();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("wrote {records}, {}, to {}{notes}", count(exported.bytes, "byte"), path.display())
}
