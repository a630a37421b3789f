//! Exports that the screen asks for: the rows of its dialog, and the thread that runs an export and reports on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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

/// Runs an export, and reports its progress and its end to the screen.
pub fn run(capture: &Capture, request: ExportRequest, remote: &Remote) {
    let Some(Row { format, direction }) = rows().get(request.format).copied() else { return };
    let selection = request.records.clone().map_or(ExportSelection::All, ExportSelection::Records);
    let options = ExportOptions { selection, direction, ..ExportOptions::default() };
    let progress = Progress { cancel: Arc::clone(&request.cancel), ..Progress::default() };
    let counts = || (progress.done.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
    let exported = remote.report_while(jobs::EXPORT, counts, || {
        export::to_file(capture, format, &options, &request.path, request.force, &progress)
    });
    remote.report(match exported {
        Ok(exported) => Report::Wrote(result_line(&request.path, &exported)),
        Err(ExportError::File(OutputError::Exists(_))) => Report::Exists(request),
        Err(ExportError::Cancelled) => return,
        Err(e) => Report::Failed(e.to_string()),
    });
}

fn result_line(path: &Path, exported: &Exported) -> String {
    let records = count(exported.records, "record");
    let note = exported.note.as_deref().map(|note| format!(" · {note}")).unwrap_or_default();
    format!("wrote {records}, {}, to {}{note}", count(exported.bytes, "byte"), path.display())
}
