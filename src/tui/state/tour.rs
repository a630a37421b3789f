//! The guided tour on the screen: the step that the learner is at, and what they have done in it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain::tour::{Check, Place, Step, Tour};

/// Longest time that a search for a record takes between two events. A lesson has few records.
const SLICE: Duration = Duration::from_millis(50);

/// Where a tour begins.
#[derive(Clone, Debug)]
pub struct TourStart {
    /// The steps.
    pub tour: Arc<Tour>,
    /// Index of the first step to show.
    pub at: usize,
    /// The ids of the steps whose tasks are done.
    pub done: BTreeSet<String>,
}

/// How far a learner is in a tour, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourProgress {
    /// The id of the step that the learner is at; `None` after the last.
    pub step: Option<String>,
    /// The ids of the steps whose tasks are done.
    pub done: BTreeSet<String>,
}

/// How far the learner is in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No record of the step has arrived yet.
    Waiting,
    /// The task is to be done.
    Open,
    /// The task is done.
    Done,
}

/// What is selected: the record, the row of its fields, and the byte.
pub type Selection = (u64, usize, u64);

/// A tour that is shown.
#[derive(Debug)]
pub struct TourState {
    tour: Arc<Tour>,
    at: usize,
    done: BTreeSet<String>,
    /// How far the learner is in the step.
    pub phase: Phase,
    /// Whether the hint is shown; not together with `wrong`, for which a small screen has no lines left.
    pub hint: bool,
    /// What was wrong with the last try.
    pub wrong: Option<String>,
    /// The answer that is typed, while its line has the keys.
    pub answer: Option<Input>,
    /// What was typed when the line was left.
    left_answer: Option<Input>,
    /// Whether the answer that was typed was wrong, so that typing begins another one.
    is_refused: bool,
    /// The selection that was wrong.
    refused: Option<Selection>,
    search: Option<RecordSearch>,
}

/// The search for the first record that a filter matches, in a capture that grows.
struct RecordSearch {
    filter: Filter,
    evaluator: Option<FilterEvaluator>,
    found: SelectedRecords,
}

impl fmt::Debug for RecordSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSearch").field("looked_at", &self.found.looked_at()).finish_non_exhaustive()
    }
}

impl TourState {
    /// A tour from its beginning, or from the step where the learner was.
    pub fn new(start: TourStart) -> Self {
        let TourStart { tour, at, done } = start;
        let search = tour.steps.get(at).map(|step| RecordSearch::new(step.record.clone()));
        Self {
            tour,
            at,
            done,
            phase: Phase::Waiting,
            hint: false,
            wrong: None,
            answer: None,
            left_answer: None,
            is_refused: false,
            refused: None,
            search,
        }
    }

    /// The current step; `None` after the last.
    pub fn step(&self) -> Option<&Step> {
        self.tour.steps.get(self.at)
    }

    /// The tour.
    pub fn tour(&self) -> &Tour {
        &self.tour
    }

    /// The index of the current step; that of the last plus one at the end.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Goes to the next step, or to the one before. Stays at the edges.
    pub fn go(&mut self, back: bool) {
        let at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(self.tour.steps.len()) };
        if at != self.at {
            let done = std::mem::take(&mut self.done);
            *self = Self::new(TourStart { tour: Arc::clone(&self.tour), at, done });
        }
    }

    /// Whether the task of a step is done.
    pub fn is_done(&self, step: &Step) -> bool {
        self.done.contains(&step.id)
    }

    /// How far the learner is.
    pub fn progress(&self) -> TourProgress {
        TourProgress { step: self.step().map(|step| step.id.clone()), done: self.done.clone() }
    }

    /// Whether the task asks for an answer, and waits for it.
    pub fn asks(&self) -> bool {
        self.phase == Phase::Open && self.step().is_some_and(|step| matches!(step.check, Check::Answer(_)))
    }

    /// Gives the keys to the line of the answer, with what was typed in it before.
    pub fn open_answer(&mut self) {
        if self.asks() && self.answer.is_none() {
            self.answer = Some(self.left_answer.take().unwrap_or_default());
        }
    }

    /// Leaves the line of the answer, and keeps what is typed.
    pub fn leave_answer(&mut self) {
        self.left_answer = self.answer.take();
        // What is wrong with an answer is not shown without it.
        self.wrong = None;
    }

    /// The answer that was typed is wrong.
    pub fn refuse_answer(&mut self, why: String) {
        (self.hint, self.wrong, self.is_refused) = (false, Some(why), true);
    }

    /// What is selected is wrong.
    pub fn refuse_selection(&mut self, why: String, selected: Option<Selection>) {
        (self.hint, self.wrong, self.refused) = (false, Some(why), selected);
    }

    /// Takes away what was wrong with a selection, as soon as something else is selected.
    pub fn look_at_selection(&mut self, selected: Option<Selection>) {
        if self.refused.is_some() && self.refused != selected {
            (self.wrong, self.refused) = (None, None);
        }
    }

    /// Types a key into the line of the answer.
    pub fn type_answer(&mut self, key: KeyEvent) {
        let Some(answer) = &mut self.answer else { return };
        // After a wrong answer, typing begins another one.
        if std::mem::take(&mut self.is_refused) && matches!(key.code, KeyCode::Char(_)) {
            answer.reset();
        }
        self.wrong = None;
        answer.handle_event(&Event::Key(key));
    }

    /// The record to show, when it has arrived: the first one of the step, whose task is then open, or the one to look at after the
    /// task. The search goes on with each call, for at most 50 ms.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn arrived(&mut self, capture: &Capture) -> io::Result<Option<u64>> {
        let Some(search) = &mut self.search else { return Ok(None) };
        let found = search.first(capture)?;
        if found.is_some() {
            self.search = None;
            if self.phase == Phase::Waiting {
                self.phase = Phase::Open;
                self.open_answer();
            }
        }
        Ok(found)
    }

    /// The task is done. Returns the place to go to in the same record.
    pub fn finish_task(&mut self) -> Option<Place> {
        (self.phase, self.hint, self.wrong, self.answer) = (Phase::Done, false, None, None);
        (self.left_answer, self.is_refused, self.refused) = (None, false, None);
        let id = self.step()?.id.clone();
        self.done.insert(id);
        let (place, filter) = self.step()?.then.clone()?;
        // Another record may arrive later.
        self.search = filter.map(RecordSearch::new);
        self.search.is_none().then_some(place)
    }

    /// The place to go to in a record that has [arrived](Self::arrived).
    pub fn place(&self) -> Option<&Place> {
        let step = self.step()?;
        if self.phase == Phase::Done { step.then.as_ref().map(|(place, _)| place) } else { Some(&step.light) }
    }
}

impl RecordSearch {
    fn new(filter: Filter) -> Self {
        Self { filter, evaluator: None, found: SelectedRecords::default() }
    }

    fn first(&mut self, capture: &Capture) -> io::Result<Option<u64>> {
        let start = Instant::now();
        let evaluator = self.evaluator.get_or_insert_with(|| FilterEvaluator::new(&self.filter, capture));
        // On a machine that is busy, the first records are evaluated all the same.
        let from = self.found.looked_at();
        evaluator.extend(&mut self.found, |looked_at| looked_at == from || start.elapsed() < SLICE)?;
        Ok(self.found.numbers().next())
    }
}

/// The first record of a capture that a filter matches, if it is found within 50 ms.
pub fn first_match(capture: &Capture, filter: &Filter) -> Option<u64> {
    RecordSearch::new(filter.clone()).first(capture).ok().flatten()
}

/// Whether a filter matches a record. A record that cannot be read does not match.
pub fn matches(capture: &Capture, filter: &Filter, record: &Record) -> bool {
    FilterEvaluator::new(filter, capture).passes(record).unwrap_or(false)
}
