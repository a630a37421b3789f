//! The guided tour: going through its steps, and checking the tasks.

use crossterm::event::{KeyCode, KeyEvent};

use super::App;
use super::words::{Paragraph, Role};
use crate::capture::store::record::Record;
use crate::explain::tour::{Check, Place, Question, Step, Verdict};
use crate::proto::dissected::Kind;
use crate::proto::rules::Severity;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Binding, Context, Hint};
use crate::tui::layout::TOUR_SIZE;
use crate::tui::panel::{Panel, View};
use crate::tui::state::tour::{Phase, Selection, TourStart, TourState, first_match, matches};
use crate::tui::tour_page::{TourPage, TourRole, parts};
use crate::wire::opcode::Opcode;
use crate::wire::printable;

impl App {
    /// Shows a tour.
    pub fn start_tour(&mut self, start: TourStart) {
        self.tour = Some(TourState::new(start));
        self.notice = None;
        self.list.pause(&self.counts.totals);
        self.look_for_tour_record();
        self.prepare();
    }

    /// The context in which a key is looked up before that of the panels, while a tour is shown and no dialog is open.
    pub(super) fn tour_action(&self, key: KeyEvent) -> Option<Action> {
        let tour = self.tour.as_ref().filter(|_| self.dialogs.open.is_none())?;
        let action = self.keymap.action(Context::Tour, key)?;
        // Where Enter has a meaning in the panels, it keeps it.
        let is_taken = action == Action::TourNext && self.counts.totals.records > 0 && self.open_hint().is_some();
        (!is_taken || tour.step().is_none()).then_some(action)
    }

    /// Whether the line of the tour's answer has the keys.
    pub fn takes_answer(&self) -> bool {
        self.dialogs.open.is_none() && self.tour.as_ref().is_some_and(|tour| tour.asks() && tour.answer.is_some())
    }

    /// The action of a key in the line of the answer: while something is typed, the keys for left and right edit it.
    fn answer_action(&self, key: KeyEvent) -> Option<Action> {
        let edits = |action: &Action| matches!(action, Action::Left | Action::Right) && !self.moves_from_answer();
        self.keymap.action(Context::Answer, key).filter(|action| !edits(action))
    }

    /// Whether nothing is typed, so that the keys for left and right move in the panel.
    pub(super) fn moves_from_answer(&self) -> bool {
        let answer = self.tour.as_ref().and_then(|tour| tour.answer.as_ref());
        answer.is_none_or(|answer| answer.value().is_empty())
    }

    /// Takes a key in the line of the answer.
    pub(super) fn key_in_answer(&mut self, key: KeyEvent) {
        match (self.answer_action(key), &mut self.tour) {
            (Some(Action::Submit), _) => self.submit_answer(),
            (Some(Action::Cancel), Some(tour)) => tour.leave_answer(),
            (Some(Action::QuitNow), _) => self.effects.push(Effect::Interrupt),
            (Some(action), _) => self.act(action),
            (None, Some(tour)) => tour.type_answer(key),
            (None, None) => {}
        }
    }

    /// Opens the line of the answer with a key, if the task asks for an answer and the key is a digit: most answers begin with one.
    /// Returns false if not.
    pub(super) fn begins_answer(&mut self, key: KeyEvent) -> bool {
        let is_digit = matches!(key.code, KeyCode::Char('0'..='9')) && key.modifiers.is_empty();
        match self.tour.as_mut().filter(|tour| is_digit && tour.asks()) {
            Some(tour) if self.dialogs.open.is_none() => {
                tour.open_answer();
                tour.type_answer(key);
                true
            }
            _ => false,
        }
    }

    /// Types a pasted text into the line of the answer.
    pub(super) fn paste_answer(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if let Some(tour) = &mut self.tour {
                tour.type_answer(KeyEvent::from(KeyCode::Char(c)));
            }
        }
    }

    /// Starts the tour, or leaves it.
    pub(super) fn toggle_tour(&mut self) {
        if let Some(tour) = self.tour.take() {
            self.left_tour = Some(tour);
            let key = self.keymap.key_of(Action::Tour);
            self.inform(format!("the tour is closed; {key} goes on with it"));
        } else if let Some(tour) = self.left_tour.take() {
            // Its records are in the capture: the lesson need not be repeated.
            self.tour = Some(tour);
            self.list.pause(&self.counts.totals);
            self.look_for_tour_record();
        } else if self.session.url.is_some() {
            self.effects.push(Effect::Tour);
        } else {
            self.inform("the tour needs a server: framescope tour");
        }
    }

    /// Shows the record of the step when it has arrived.
    pub(super) fn look_for_tour_record(&mut self) {
        let Some(tour) = &mut self.tour else { return };
        match tour.arrived(&self.capture) {
            Ok(None) => {}
            Ok(Some(no)) => {
                let place = tour.place().cloned();
                self.show_place(Some(no), place.as_ref());
            }
            Err(e) => self.fail(format!("the tour cannot read the capture ({e})")),
        }
    }

    /// Goes to a place in a record.
    fn show_place(&mut self, no: Option<u64>, place: Option<&Place>) {
        if let Some(no) = no {
            // The record may be newer than the counts.
            self.count();
            self.extend_rows();
            if matches!(self.panels.view, View::Connections | View::Timeline) {
                self.show_view(View::Frames);
            }
            self.panels.maximised = false;
            self.reveal(no);
        }
        let Some((detail, place)) = self.detail.current().zip(place) else { return };
        let Some(field) = place.field(&detail.fields) else { return };
        let (start, row) = (detail.fields[field].span.byte_range().start, detail.row_of_field(field));
        match place.byte {
            Some(byte) => {
                self.panels.focus = Panel::Bytes;
                self.detail.select_byte(start + byte);
            }
            None => {
                self.panels.focus = Panel::Bits;
                self.detail.select_row(row.unwrap_or(0));
            }
        }
    }

    /// Checks the task, or goes on to the next step.
    pub(super) fn tour_next(&mut self) {
        let Some(tour) = &self.tour else { return };
        let Some(step) = tour.step() else {
            self.tour = None;
            return;
        };
        match (tour.phase, &step.check) {
            (Phase::Waiting, _) => {
                let demo = self.keymap.key_of(Action::Demo);
                self.inform(format!("no record of this step yet; {demo} repeats the lesson, if it does not come"));
            }
            (Phase::Done, _) => self.change_step(false),
            (Phase::Open, Check::Answer(_)) => {
                if let Some(tour) = &mut self.tour {
                    tour.open_answer();
                }
            }
            (Phase::Open, Check::Select(..)) => self.check_selection(),
        }
    }

    /// Goes to the next step, or to the one before, and keeps it as the learner's progress. After the last, the list has the keys.
    pub(super) fn change_step(&mut self, back: bool) {
        let Some(tour) = &mut self.tour else { return };
        tour.go(back);
        if tour.step().is_none() {
            self.panels.focus = Panel::List;
        }
        self.effects.push(Effect::KeepTour(tour.progress()));
        self.look_for_tour_record();
    }

    /// Shows the hint, or hides it.
    pub(super) fn toggle_tour_hint(&mut self) {
        if let Some(tour) = self.tour.as_mut().filter(|tour| tour.phase == Phase::Open) {
            (tour.hint, tour.wrong) = (!tour.hint, None);
        }
    }

    /// Hides the hint, and what was wrong with the last try. Returns false if neither was shown.
    pub(super) fn hide_tour_hint(&mut self) -> bool {
        let Some(tour) = &mut self.tour else { return false };
        std::mem::take(&mut tour.hint) | tour.wrong.take().is_some()
    }

    /// The step as paragraphs, for the box with all words; empty without a tour.
    pub(super) fn tour_words(&self) -> Vec<Paragraph> {
        let Some(tour) = &self.tour else { return Vec::new() };
        let Some(page) = self.tour_page() else { return Vec::new() };
        let (text, task) = parts(tour, &self.keymap);
        let role = |role| match role {
            TourRole::Task | TourRole::Key => Role::Correction,
            TourRole::Wrong => Role::Finding(Severity::Error),
            TourRole::Hint => Role::Finding(Severity::Info),
            TourRole::Text | TourRole::Done | TourRole::Answer => Role::Text,
        };
        let title = Paragraph { role: Role::Heading, text: format!("Tour, {}", page.title) };
        let step = text
            .into_iter()
            .chain(task)
            .filter(|(role, _)| *role != TourRole::Answer)
            .map(|(of, text)| Paragraph { role: role(of), text });
        let below = self.words().map(|words| Paragraph { role: Role::Heading, text: format!("Here: {}", words.title) });
        [title].into_iter().chain(step).chain(below).collect()
    }

    /// Checks what is selected.
    fn check_selection(&mut self) {
        let (judged, selected) = (self.judge_selection(), self.selected_place());
        let Some(tour) = &mut self.tour else { return };
        match judged {
            Ok(()) => self.finish_task(),
            Err(why) => tour.refuse_selection(why, selected),
        }
    }

    fn selected_place(&self) -> Option<Selection> {
        self.detail.record().map(|record| (record.no, self.detail.row, self.detail.byte))
    }

    /// Takes away what was wrong with a selection, when the learner has selected something else.
    pub(super) fn prepare_tour(&mut self) {
        let selected = self.selected_place();
        if let Some(tour) = &mut self.tour {
            tour.look_at_selection(selected);
        }
    }

    /// Checks that the place of the task is selected. The error says what is wrong, for the learner.
    fn judge_selection(&self) -> Result<(), String> {
        let step = self.tour.as_ref().and_then(TourState::step);
        let Some(Check::Select(place, records)) = step.map(|step| &step.check) else { return Ok(()) };
        let Some(detail) = self.detail.current() else { return Err("no record has arrived yet".to_owned()) };
        let hint = self.keymap.binding(Context::Tour, Action::TourHint).map(Binding::first_key).unwrap_or_default();
        let is_record = matches(&self.capture, records, &detail.record);
        let field = detail.field_of_row(self.detail.row);
        let name = field.map_or("nothing", |field| field.name.as_str());
        let name = printable::text(name);
        if !is_record {
            let what = what_it_is(&detail.record);
            return Err(format!(
                "record {} is {what}; the task asks for another one: {hint} shows a hint",
                detail.record.no
            ));
        }
        let Some(field) = field.filter(|field| place.is_field(field)) else {
            return Err(format!("{name} is selected, which is not the one; {hint} shows a hint"));
        };
        let at = self.detail.byte.saturating_sub(field.span.byte_range().start);
        match place.byte {
            Some(byte) if byte != at => Err(format!("byte {at} of {name} is selected, counted from 0")),
            _ => Ok(()),
        }
    }

    fn submit_answer(&mut self) {
        let Some(tour) = &self.tour else { return };
        let Some((step, answer)) = tour.step().zip(tour.answer.as_ref()) else { return };
        let Check::Answer(question) = &step.check else { return };
        match self.judge_answer(step, question, answer.value()) {
            Ok(()) => self.finish_task(),
            Err(why) => {
                if let Some(tour) = &mut self.tour {
                    tour.refuse_answer(why);
                }
            }
        }
    }

    /// Judges what was typed. The error says what is wrong, for the learner.
    fn judge_answer(&self, step: &Step, question: &Question, typed: &str) -> Result<(), String> {
        // The learner may have looked at other records meanwhile.
        let here = self.detail.record().cloned().filter(|record| matches(&self.capture, &step.record, record));
        let record = here.or_else(|| self.capture.record(first_match(&self.capture, &step.record)?));
        let Some(record) = record else { return Err("the record of this step is not kept any more".to_owned()) };
        match question.judge(&self.capture, &record, typed) {
            Ok(Verdict::Right) => Ok(()),
            Ok(Verdict::Wrong(why)) => Err(why),
            Ok(Verdict::Absent) => {
                Err("this record does not have what the task asks for: close the line and skip the step".to_owned())
            }
            Err(e) => Err(format!("cannot read the record ({e})")),
        }
    }

    fn finish_task(&mut self) {
        let Some(tour) = &mut self.tour else { return };
        if let Some(place) = tour.finish_task() {
            self.show_place(None, Some(&place));
        }
        self.look_for_tour_record();
    }

    /// What the panel of the tour shows; `None` without a tour.
    pub fn tour_page(&self) -> Option<TourPage> {
        let tour = self.tour.as_ref()?;
        let (width, height) = (self.layout.area.width, self.layout.area.height);
        if width < TOUR_SIZE.0 || height < TOUR_SIZE.1 {
            return Some(TourPage::too_small());
        }
        Some(TourPage::of(tour, &self.keymap, width))
    }

    /// The form of the answer that the task asks for.
    pub fn answer_form(&self) -> Option<&'static str> {
        match &self.tour.as_ref()?.step()?.check {
            Check::Answer(question) => Some(question.form()),
            Check::Select(..) => None,
        }
    }

    /// The hints of the tour, before those of the panel with the focus.
    pub(super) fn tour_hints(&self) -> Vec<Hint> {
        let Some(tour) = &self.tour else { return Vec::new() };
        let words = |hint: Hint| {
            let words = match (hint.action, tour.step().map(|step| (tour.phase, &step.check))) {
                (Action::TourNext, None) => "end",
                (Action::TourNext, Some((Phase::Waiting, _))) => return None,
                (Action::TourNext, Some((Phase::Open, Check::Select(..)))) => "check",
                (Action::TourNext, Some((Phase::Open, Check::Answer(_)))) => "answer",
                (Action::TourNext, Some((Phase::Done, _))) if tour.at() + 1 == tour.tour().steps.len() => {
                    "end the step"
                }
                (Action::TourNext, Some((Phase::Done, _))) => "next step",
                (Action::TourSkip, Some((Phase::Open, _))) if tour.step().is_some_and(|step| tour.is_done(step)) => {
                    "next step"
                }
                (Action::TourHint | Action::TourSkip, Some((Phase::Open, _))) => &hint.words,
                (Action::TourHint, _) => return None,
                (Action::TourSkip, Some((Phase::Waiting, _))) => &hint.words,
                (Action::TourSkip, _) => return None,
                (Action::TourBack, _) if tour.at() == 0 => return None,
                _ => &hint.words,
            };
            Some(Hint { words: words.to_owned(), ..hint })
        };
        self.keymap.hints(Context::Tour).into_iter().filter_map(words).collect()
    }
}

/// A record in a few words, for a learner who selected the wrong one.
fn what_it_is(record: &Record) -> String {
    match (record.kind, record.opcode()) {
        (Kind::Frame, Some(opcode)) => {
            let name = if opcode == Opcode::Continuation { "continuation frame" } else { opcode.name() };
            let fin = u8::from(record.lead[0] & 0x80 != 0);
            format!("a {name} of the {} with FIN {fin}", record.direction.sender())
        }
        _ => format!("a {} and no frame", record.kind.name()),
    }
}
