//! The state of the screen as a whole: [`App`] passes actions, reports and changes of the capture to the parts in
//! [`super::state`], and computes the layout afterwards.

mod actions;
mod alike;
pub mod closing;
mod conversation;
mod copy;
mod dialogs;
mod evicted;
mod export;
mod filter;
mod findings;
mod hints;
mod hold;
mod kept;
mod lines;
mod mouse;
mod navigation;
mod paste;
mod picture;
mod prepare;
mod samples;
mod tour;
mod views;
pub mod words;
mod words_room;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::Rect;

use self::paste::Layer;
use super::effect::Effect;
use super::event::Report;
use super::export_request::FormatChoice;
use super::hold_desk::HoldDesk;
use super::keymap::Keymap;
use super::layout::{HexShape, Layout};
use super::panel::{Panel, Panels, View};
use super::state::breaches::Breaches;
use super::state::connection_table::ConnectionTable;
use super::state::detail_pane::DetailPane;
use super::state::dialogs::{Dialog, Dialogs, Question};
use super::state::held::HeldMessages;
use super::state::jobs::Jobs;
use super::state::list::{List, RecordLines};
use super::state::notice::Notice;
use super::state::sample_choice::SampleChoice;
use super::state::sent_lines::SentLines;
use super::state::text_search::TextSearch;
use super::state::timeline::Timeline;
use super::state::tour::TourState;
use super::theme::Theme;
use crate::capture::query::closing::Closing;
use crate::capture::query::search::Hit;
use crate::capture::store::{Capture, Tally, Totals, Trouble};
use crate::pasted::Pasted;
use crate::proto::rules::count;

/// What stays the same while the screen is shown.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Address of the page, if the server runs.
    pub url: Option<String>,
    /// Live traffic of another source than the server.
    pub traffic: Option<LiveTraffic>,
    /// Whether the user can send lines, as a client.
    pub takes_lines: bool,
    /// The proxy that can hold messages, if the traffic is that of one.
    pub hold: Option<Arc<dyn HoldDesk>>,
    /// Name of the file; `None` if the traffic is live.
    pub file: Option<String>,
    /// What was pasted, if the records are those of a paste.
    pub pasted: Option<Arc<Pasted>>,
    /// Whether pastes are read as if permessage-deflate was negotiated.
    pub deflate: bool,
    /// The export formats. The first one contains everything, also notes.
    pub formats: Vec<FormatChoice>,
}

/// What the screen shows about live traffic that is not that of the server.
#[derive(Clone, Debug, Default)]
pub struct LiveTraffic {
    /// What the first line names it.
    pub title: String,
    /// What is dangerous about it, in a few words; always shown.
    pub alarm: Option<String>,
    /// What to do while there is no record: a sentence that ends before an address or a command.
    pub advice: String,
    /// The address or command.
    pub address: String,
}

/// The capture's counts as of the last refresh or key.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Records, connections and bytes.
    pub totals: Totals,
    /// The rules that are broken, sorted by severity and count.
    pub tallies: Vec<Tally>,
    /// What framescope could not capture.
    pub trouble: Trouble,
}

/// The state of the screen.
pub struct App {
    /// The records.
    pub capture: Capture,
    /// What stays the same while the screen is shown.
    pub session: Session,
    /// Colours.
    pub theme: Theme,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// The areas of the screen.
    pub layout: Layout,
    /// The capture's counts.
    pub counts: Counts,
    /// The view and the focus.
    pub panels: Panels,
    /// The list of records.
    pub list: List,
    /// The table of connections.
    pub table: ConnectionTable,
    /// The timeline.
    pub timeline: Timeline,
    /// The records that the panel of findings names.
    pub breaches: Breaches,
    /// The record under the cursor.
    pub detail: DetailPane,
    /// How the connection closed whose end is under the cursor.
    pub closing: Option<Closing>,
    /// The last records of that connection.
    pub closing_records: RecordLines,
    /// The records of the connection around the cursor, on a screen that draws them.
    pub conversation: RecordLines,
    /// How many records of the connection come before those, and after.
    pub conversation_around: (u64, u64),
    /// The open dialog.
    pub dialogs: Dialogs,
    /// A line at the bottom.
    pub notice: Option<Notice>,
    /// The choice among the samples, while there is no record.
    pub samples: SampleChoice,
    /// How many captures earlier runs kept.
    pub kept: usize,
    /// The numbers of their records, as far as they were counted; `None` for one that is too long for that, or damaged.
    pub kept_records: HashMap<PathBuf, Option<u64>>,
    /// What the proxy holds.
    pub held: HeldMessages,
    /// The lines that were sent.
    pub sent: SentLines,
    /// The guided tour, while it is shown.
    pub tour: Option<TourState>,
    /// The guided tour that was left, as it was.
    left_tour: Option<TourState>,
    /// What the user searches for.
    pub search: TextSearch,
    /// The running job, and what must be saved.
    pub jobs: Jobs,
    /// Requests to the main loop.
    pub effects: Vec<Effect>,
    /// The place among the screens on top of each other.
    pub layer: Layer,
}

impl App {
    /// The screen over a capture. `temporary` is true if the capture is deleted when the program ends.
    pub fn new(
        capture: Capture,
        session: Session,
        theme: Theme,
        keymap: impl Into<Arc<Keymap>>,
        temporary: bool,
    ) -> Self {
        let mut app = Self {
            capture,
            session,
            theme,
            keymap: keymap.into(),
            layout: Layout::default(),
            counts: Counts::default(),
            panels: Panels::default(),
            list: List::default(),
            table: ConnectionTable::default(),
            timeline: Timeline::default(),
            breaches: Breaches::default(),
            detail: DetailPane::default(),
            closing: None,
            closing_records: RecordLines::default(),
            conversation: RecordLines::default(),
            conversation_around: (0, 0),
            dialogs: Dialogs::default(),
            notice: None,
            samples: SampleChoice::default(),
            kept: 0,
            kept_records: HashMap::new(),
            held: HeldMessages::default(),
            sent: SentLines::default(),
            tour: None,
            left_tour: None,
            search: TextSearch::default(),
            jobs: Jobs::new(temporary),
            effects: Vec::new(),
            layer: Layer::default(),
        };
        let live = app.is_live();
        app.list.follow(live, &app.counts.totals);
        app.refresh();
        app
    }

    /// Whether records still arrive: from the server, or from a file that grows.
    pub fn is_live(&self) -> bool {
        self.session.file.is_none() || self.capture.is_growing()
    }

    /// Takes what is new in the capture.
    pub fn refresh(&mut self) {
        self.count();
        // A paste is complete; the live capture goes on below it.
        self.counts.trouble = self.base().capture.trouble();
        self.refresh_held();
        if self.counts.totals.records == 0 {
            return;
        }
        self.extend_rows();
        self.reload_grown_message();
        if let Some(row) = self.list.row_to_follow() {
            self.go_to_row(row);
        }
        self.list.count_new_from(&self.counts.totals);
        self.look_for_tour_record();
        self.prepare();
    }

    /// Takes the capture's counts and drops evicted records.
    fn count(&mut self) {
        let before = std::mem::replace(&mut self.counts.totals, self.capture.totals());
        self.counts.tallies = self.capture.tallies();
        self.counts.tallies.sort_by_key(|tally| (Reverse(tally.rule.severity()), Reverse(tally.findings)));
        if before.first != self.counts.totals.first {
            self.evict();
        }
    }

    /// Adds the rows of new records, for a few milliseconds.
    pub fn extend_rows(&mut self) {
        if let Err(e) = self.list.extend(&self.capture, &self.counts.totals) {
            self.fail(format!("the filter cannot read the capture ({e}); check that the file still exists"));
        }
        if let Some(row) = self.list.row_for_cursor(&self.capture, &self.counts.totals) {
            self.go_to_row(row);
        }
    }

    /// Adds the first rows after other ones were chosen.
    fn show_chosen_rows(&mut self) {
        self.extend_rows();
        self.prepare();
    }

    /// The terminal has another size.
    pub fn resize(&mut self, area: Rect) {
        self.layout.area = area;
        self.prepare();
    }

    /// Takes a report of a background job.
    pub fn report(&mut self, report: Report) {
        match report {
            Report::Progress { job, done, total } => self.jobs.set_progress(job, done, total),
            Report::Inflated(no, inflated) => {
                self.detail.set_inflated(&self.capture, no, inflated);
                self.inflate_pending();
                self.prepare();
            }
            Report::Succeeded(line) => self.show_success(line),
            Report::Refused(line) => self.show_failure(line),
            Report::Wrote(line) => {
                self.succeed(line);
                if self.jobs.finish_export() {
                    self.effects.push(Effect::Quit);
                }
            }
            Report::Failed(line) => {
                self.jobs.finish();
                self.jobs.stay();
                self.fail(line);
            }
            Report::Sample(sample, read) => self.take_sample(sample, read),
            Report::Pasted(request, read) => self.take_paste(&request, read),
            Report::Exists(request) => {
                self.jobs.finish();
                self.dialogs.open = Some(Dialog::Question(Question::Replace(request)));
            }
            Report::Kept(captures) => {
                if !self.list_kept(captures) {
                    self.inform("no earlier run has kept a capture");
                }
            }
            Report::KeptCounted(path, records) => {
                self.kept_records.insert(path, records);
            }
            Report::KeptOpened(request, read) => self.take_kept(&request, read),
            Report::KeptDeleted { kept, deleted, left } => self.take_deletion(&kept, deleted, left),
            Report::FileExists(request) => self.dialogs.open = Some(Dialog::Question(Question::ReplaceFile(request))),
            // The export that runs now has canceled the search.
            Report::Found(_) if self.jobs.is_exporting() => {}
            Report::Found(hit) => {
                self.jobs.finish();
                self.show_hit(hit);
            }
            Report::Counted { pattern, after, numbers, to } => self.search.count(&pattern, after, &numbers, to),
        }
    }

    fn show_hit(&mut self, hit: Option<Hit>) {
        let Some(hit) = hit else {
            let records = count(self.counts.totals.kept(), "record");
            return self.fail(format!("not found: {records} searched"));
        };
        self.notice = None;
        self.search.show(hit);
        self.reveal(hit.no);
        // A filter may hide the record, which is more important than its place.
        if self.notice.is_none() {
            self.notice = Some(Notice::Match(hit));
        }
        self.detail.show_byte(hit.byte);
        if let Some(at) = hit.inflated {
            self.detail.select_message_byte(at);
        }
        self.prepare();
        self.focus_on_hit(hit);
        // What follows the match is in view too.
        self.detail.scroll_to_cursor(&self.layout);
        self.prepare();
    }

    /// Gives the keys to the panel with the bytes of a match, on a screen that shows no panel with bytes otherwise.
    fn focus_on_hit(&mut self, hit: Hit) {
        let panels = [Panel::Bytes, Panel::Payload, Panel::Inflated];
        let is_head = self.detail.current().is_some_and(|detail| detail.http.is_some());
        let view = self.panels.view;
        if is_head || view == View::Timeline || panels.iter().any(|panel| self.layout.area_of(*panel).area() > 0) {
            return;
        }
        self.panels.focus = match hit.inflated {
            Some(_) => Panel::Inflated,
            None => Panel::Bytes,
        };
        self.prepare();
    }

    /// Rows of a page in the panel with the focus.
    fn page(&self) -> i64 {
        let area = self.layout.area_of(self.panels.focus);
        let rows = match self.panels.focus {
            Panel::List => i64::from(area.height),
            Panel::Bits => i64::from(area.height) / 2,
            Panel::Bytes | Panel::Payload | Panel::Inflated => HexShape::of(area).rows as i64,
        };
        rows.max(2) - 1
    }

    fn inform(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Info(line.into()));
    }

    fn succeed(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Success(line.into()));
    }

    fn fail(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Failure(line.into()));
    }
}
