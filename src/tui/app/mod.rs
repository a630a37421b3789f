//! What the screen shows: one selection through all panels, and how it changes.

pub mod connections;
pub mod detail;
pub mod filtering;
mod findings;
mod gone;
pub mod inflated;
mod keys;
mod listing;
mod mouse;
mod moves;
pub mod overlay;
pub mod rows;
pub mod timeline;
pub mod trees;
pub mod views;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ratatui::layout::Rect;

use self::detail::Detail;
use self::inflated::Unpacked;
use self::overlay::{FindingsPanel, Overlay};
use self::rows::Rows;
pub use self::views::View;
use super::event::Report;
use super::host::{ExportRequest, FormatChoice};
use super::keymap::Keymap;
use super::layout::{self, Layout, Shape};
use super::theme::Theme;
use crate::capture::query::messages::Messages;
use crate::capture::query::search::{Pattern, Toward};
use crate::capture::store::{Capture, Tally, Totals, Trouble};
pub use crate::proto::rules::count;

/// A panel that can have the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The records.
    List,
    /// The bits, or the handshake.
    Bits,
    /// The bytes on the wire.
    Bytes,
    /// The unmasked payload.
    Payload,
    /// What the compressed message inflates to.
    Inflated,
}

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since the first record.
    SinceStart,
    /// Seconds since the record before.
    SincePrevious,
    /// The local time of day.
    Clock,
}

/// Something that the main loop must do, because the state cannot.
#[derive(Clone, Debug)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Put text on the clipboard.
    Copy(String),
    /// Open the page.
    Browser,
    /// Start or stop the demo client.
    Demo,
    /// Export.
    Export(ExportRequest),
    /// Inflate the long message that ends with that record.
    Inflate(u64),
    /// Look through the capture for what a filter lets through.
    Sift(Arc<filtering::Sifting>),
    /// Search.
    Find {
        /// For what.
        pattern: Pattern,
        /// From which record.
        from: u64,
        /// Which way.
        toward: Toward,
        /// Set when it is no longer wanted.
        cancel: Arc<AtomicBool>,
    },
}

/// A line at the bottom until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is so.
    Told(String),
    /// It went well.
    Said(String),
    /// It did not.
    Failed(String),
    /// A run that did not end cleanly left its capture.
    Leftover {
        /// Its path, with `~` for the home folder and `*` for the numbers of a ring's files.
        path: String,
        /// How many files it has.
        files: usize,
    },
}

/// Work that runs beside the screen.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it does, in a word.
    pub what: &'static str,
    /// Done, and of how much.
    pub progress: (u64, u64),
    /// Set to end it.
    pub cancel: Arc<AtomicBool>,
}

/// What stays the same while the screen is up.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The address of the page; `None` when a file is inspected.
    pub url: Option<String>,
    /// The name of the file, when one is inspected.
    pub file: Option<String>,
    /// The export formats on offer.
    pub formats: Vec<FormatChoice>,
}

/// The state of the screen.
pub struct App {
    /// The records.
    pub capture: Capture,
    /// What stays the same.
    pub setting: Setting,
    /// Colours.
    pub theme: Theme,
    /// Keys.
    pub keymap: Keymap,
    /// Where everything stands.
    pub layout: Layout,
    /// Counts when the screen was last brought up to date.
    pub totals: Totals,
    /// The rules that are broken, the worst first, then the most often broken.
    pub tallies: Vec<Tally>,
    /// What is wrong with the capture.
    pub trouble: Trouble,
    /// The record under the cursor; 0 while there is none.
    pub cursor: u64,
    /// What the upper half of the screen shows.
    pub view: View,
    /// The connection whose records alone are listed.
    pub only: Option<u32>,
    /// Whether heartbeats that follow each other have one row.
    pub folded: bool,
    /// Whether the cursor is in a row beneath an opened one.
    pub beneath: bool,
    /// Where the table of connections stands.
    pub table: connections::Table,
    /// What the timeline shows.
    pub timeline: timeline::Timeline,
    /// The payload under the cursor as trees.
    pub trees: trees::Trees,
    /// The messages that the list shows.
    pub messages: Messages,
    /// Which record stands in which row of the list.
    pub rows: Rows,
    /// The first row of the list in view, from 0.
    pub top: u64,
    /// Whether the cursor sticks to the newest record.
    pub following: bool,
    /// How many records there were when following ended.
    pub held_at: u64,
    /// The panel that has the keys.
    pub focus: Panel,
    /// Whether that panel has the screen for itself.
    pub maximised: bool,
    /// The record under the cursor, laid out.
    pub detail: Option<Detail>,
    /// The selected row of the left panel.
    pub row: usize,
    /// The byte under the cursor, within the record.
    pub byte: u64,
    /// First row of the left panel's table.
    pub row_top: usize,
    /// First row of the bytes.
    pub bytes_top: u64,
    /// First row of the payload.
    pub payload_top: u64,
    /// The byte under the cursor, within the inflated message.
    pub inflated_at: u64,
    /// First row of the inflated message.
    pub inflated_top: u64,
    /// Marked records.
    pub marks: BTreeSet<u64>,
    /// How times are shown.
    pub time_format: TimeFormat,
    /// What was last searched for.
    pub pattern: Option<Pattern>,
    /// What lies over the panels.
    pub overlay: Option<Overlay>,
    /// A line at the bottom.
    pub notice: Option<Notice>,
    /// What runs beside the screen.
    pub job: Option<Job>,
    /// What the main loop must do.
    pub effects: Vec<Effect>,
    /// Where the panel of findings was left.
    findings_panel: FindingsPanel,
    /// The filter.
    filtering: Option<filtering::Filtering>,
    /// The connections of which it lets something through; `None` while nothing filters.
    let_in: Option<connections::LetIn>,
    /// Whether a long message is being inflated beside the screen.
    inflating: bool,
    unsaved: bool,
    /// Whether records wait to be looked at for rows.
    rows_behind: bool,
    /// Whether the record under the cursor may have lost its row.
    strayed: bool,
    /// Whether the program ends when the export that runs has written its file.
    quit_when_saved: bool,
    /// Whether notes were made that no file has, and whether the export that runs writes them.
    noted: bool,
    writes_notes: bool,
}

impl App {
    /// The screen over a capture. `unsaved` tells whether its records go when the program ends.
    pub fn new(capture: Capture, setting: Setting, theme: Theme, keymap: Keymap, unsaved: bool) -> Self {
        let following = is_live(&setting, &capture);
        let mut app = Self {
            capture,
            setting,
            theme,
            keymap,
            layout: Layout::default(),
            totals: Totals::default(),
            tallies: Vec::new(),
            trouble: Trouble::default(),
            cursor: 0,
            view: View::Frames,
            only: None,
            folded: false,
            beneath: false,
            table: connections::Table::default(),
            timeline: timeline::Timeline::default(),
            trees: trees::Trees::default(),
            messages: Messages::default(),
            rows: Rows::default(),
            rows_behind: false,
            strayed: false,
            top: 0,
            following,
            held_at: 0,
            focus: Panel::List,
            maximised: false,
            detail: None,
            row: 0,
            byte: 0,
            row_top: 0,
            bytes_top: 0,
            payload_top: 0,
            inflated_at: 0,
            inflated_top: 0,
            marks: BTreeSet::new(),
            time_format: TimeFormat::SinceStart,
            pattern: None,
            overlay: None,
            notice: None,
            job: None,
            findings_panel: FindingsPanel::default(),
            effects: Vec::new(),
            filtering: None,
            let_in: None,
            inflating: false,
            unsaved,
            quit_when_saved: false,
            noted: false,
            writes_notes: false,
        };
        app.refresh();
        app
    }

    /// Takes in what is new in the capture.
    pub fn refresh(&mut self) {
        self.count();
        self.trouble = self.capture.trouble();
        self.count_findings();
        let len = self.totals.records;
        if len == 0 {
            return;
        }
        self.take_in();
        if !self.following && self.held_at == 0 {
            self.held_at = len;
        }
        self.settle();
    }

    /// The terminal has another size.
    pub fn resize(&mut self, area: Rect) {
        self.layout.area = area;
        self.settle();
    }

    /// Whether records still come: from the server, or from a file that is followed.
    pub fn is_live(&self) -> bool {
        is_live(&self.setting, &self.capture)
    }

    /// Takes in a report of work beside the screen.
    pub fn report(&mut self, report: Report) {
        match report {
            Report::Progress { what, done, total } => {
                if let Some(job) = self.job.as_mut().filter(|job| job.what == what) {
                    job.progress = (done, total);
                }
                return;
            }
            Report::Inflated(no, unpacked) => {
                self.take_inflated(no, unpacked);
                return;
            }
            Report::Said(line) => {
                self.notice = Some(Notice::Said(line));
                return;
            }
            Report::Refused(line) => {
                self.notice = Some(Notice::Failed(line));
                return;
            }
            Report::Wrote(line) => {
                self.notice = Some(Notice::Said(line));
                self.noted &= !self.writes_notes;
                if std::mem::take(&mut self.quit_when_saved) {
                    self.effects.push(Effect::Quit);
                }
            }
            Report::Failed(line) => {
                self.quit_when_saved = false;
                self.notice = Some(Notice::Failed(line));
            }
            Report::Exists(request) => {
                self.overlay = Some(Overlay::Question(overlay::Question::Replace(request)));
            }
            Report::Found(Some(hit)) => {
                self.notice = None;
                self.reveal(hit.no);
                self.select_byte(hit.byte);
                if let Some(at) = hit.inflated {
                    self.inflated_at = at;
                }
                self.settle();
            }
            Report::Found(None) => {
                self.notice = Some(Notice::Failed("not found in any record".to_owned()));
            }
        }
        self.job = None;
    }

    /// Whether the selected byte lies in a masked payload: position in the payload, and the key.
    pub fn masked_payload_byte(&self) -> Option<(u64, [u8; 4])> {
        let detail = self.detail.as_ref()?;
        let at = self.byte.checked_sub(detail.payload_start()?)?;
        Some((at, detail.masking_key()?))
    }

    /// Whether quitting now would lose records.
    pub const fn would_lose(&self) -> bool {
        self.unsaved && self.totals.records > 0
    }

    /// Computes where everything stands, and brings what is selected into view.
    fn settle(&mut self) {
        let card = self.view == View::Connections;
        if card {
            self.focus = Panel::List;
        }
        let shape = self.detail.as_ref().map_or(Shape::default(), |detail| Shape {
            card,
            has_bits: detail.record.opcode().is_some(),
            payload: detail.payload_start().is_some(),
            wire_len: detail.record.wire_len,
            inflated: detail.unpacked.as_ref().map(|unpacked| match unpacked {
                Unpacked::Whole(inflated) | Unpacked::Joined(inflated) => inflated.bytes.len() as u64,
                _ => 0,
            }),
        });
        if self.focus == Panel::Inflated && shape.inflated.unwrap_or(0) == 0 {
            self.focus = Panel::Payload;
        }
        if self.focus == Panel::Payload && !shape.payload {
            self.focus = Panel::Bytes;
        }
        let maximised = self.maximised.then_some(self.focus);
        self.layout = layout::compute(self.layout.area, maximised, shape);
        self.settle_list();
        self.settle_table();
        self.settle_timeline();
        self.settle_rows();
        self.settle_hex();
        self.settle_findings();
    }

    fn settle_rows(&mut self) {
        let Some(detail) = &self.detail else { return };
        let (_, table) = layout::split_bits(self.layout.left, detail);
        let height = usize::from(table.height).max(1);
        if self.row < self.row_top {
            self.row_top = self.row;
        } else if self.row >= self.row_top + height {
            self.row_top = self.row + 1 - height;
        }
        self.row_top = self.row_top.min(detail.rows.len().saturating_sub(height));
    }

    fn settle_hex(&mut self) {
        let Some(detail) = &self.detail else { return };
        let scroll = |top: u64, byte: u64, len: u64, area: Rect| {
            let shape = layout::HexShape::of(area);
            let (row, rows) = (byte / shape.per_row, len.div_ceil(shape.per_row));
            let height = shape.rows.max(1);
            let top = if row < top { row } else { top.max((row + 1).saturating_sub(height)) };
            top.min(rows.saturating_sub(height))
        };
        self.bytes_top = scroll(self.bytes_top, self.byte, detail.record.wire_len, self.layout.bytes);
        if let Some(start) = detail.payload_start() {
            let at = self.byte.saturating_sub(start);
            self.payload_top = scroll(self.payload_top, at, detail.record.wire_len - start, self.layout.payload);
        }
        let len = self.inflated().map_or(0, |inflated| inflated.bytes.len() as u64);
        self.inflated_top = scroll(self.inflated_top, self.inflated_at, len, self.layout.inflated);
    }

    /// How many rows a page of the focused panel has.
    fn page(&self) -> u64 {
        let rows = match self.focus {
            Panel::List => u64::from(self.layout.list.height),
            Panel::Bits => u64::from(self.layout.left.height) / 2,
            Panel::Bytes => layout::HexShape::of(self.layout.bytes).rows,
            Panel::Payload => layout::HexShape::of(self.layout.payload).rows,
            Panel::Inflated => layout::HexShape::of(self.layout.inflated).rows,
        };
        rows.max(2) - 1
    }

    /// Tells how it is, when nothing was done.
    fn tell(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Told(line.into()));
    }

    fn say(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Said(line.into()));
    }

    fn complain(&mut self, line: impl Into<String>) {
        self.notice = Some(Notice::Failed(line.into()));
    }
}

fn is_live(setting: &Setting, capture: &Capture) -> bool {
    setting.file.is_none() || capture.is_growing()
}
