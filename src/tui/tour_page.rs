//! The content of the panel of the tour: the paragraph of the step, its task, and what the learner gets to read about a try.

use std::cmp::Ordering;

use tui_input::Input;

use super::action::Action;
use super::keymap::{Binding, Context, Keymap};
use super::state::tour::{Phase, TourState};
use crate::explain::tour::Check;
use crate::picture::wrapped;
use crate::wire::printable;

/// Smallest width that shows the paragraph and the task side by side.
const TWO_COLUMNS: u16 = 150;

/// The mark of a task that is done.
pub const DONE: &str = "✓";

/// The role of a line, which gives its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TourRole {
    Text,
    Task,
    /// The label of the answer; the view draws the typed text after it.
    Answer,
    Hint,
    Wrong,
    Done,
    Key,
}

/// A line with its role.
pub type TourLine = (TourRole, String);

/// What is before the typed answer, and the width of its field.
pub const ANSWER: &str = "  Answer: ";
pub const FIELD: usize = 12;

/// The lines of the panel, and its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourPage {
    /// The title: the step and what it is about.
    pub title: String,
    /// A mark for each step.
    pub progress: String,
    /// The lines, in columns side by side.
    pub columns: Vec<Vec<TourLine>>,
}

impl TourPage {
    /// The page of a tour on a screen of that width.
    pub fn of(tour: &TourState, keymap: &Keymap, width: u16) -> Self {
        let steps = tour.tour().steps.len();
        let progress = tour.tour().steps.iter().enumerate().map(|(i, step)| match i.cmp(&tour.at()) {
            Ordering::Equal => '●',
            _ if tour.is_done(step) => '✓',
            Ordering::Less => '○',
            Ordering::Greater => '·',
        });
        let title = match tour.step() {
            Some(step) => format!("step {} of {steps}: {}", tour.at() + 1, step.title),
            None => tour.tour().title.clone(),
        };
        let has_two = width >= TWO_COLUMNS;
        let columns = usize::from(if has_two { width / 2 } else { width }).saturating_sub(3);
        let lines = |parts: Vec<TourLine>| -> Vec<TourLine> {
            let line = |(role, text): TourLine| match role {
                TourRole::Answer => vec![(role, text)],
                _ => wrapped(&text, columns, role.indent()).into_iter().map(|line| (role, line)).collect(),
            };
            parts.into_iter().flat_map(line).collect()
        };
        let (text, task) = parts(tour, keymap);
        let columns =
            if has_two { vec![lines(text), lines(task)] } else { vec![lines(text.into_iter().chain(task).collect())] };
        Self { title, progress: progress.collect(), columns }
    }

    /// The page on a screen that is too small for the tour.
    pub fn too_small() -> Self {
        Self { title: "needs a terminal of 60×20".to_owned(), progress: String::new(), columns: Vec::new() }
    }

    /// Lines of the panel, with its title.
    pub fn height(&self) -> u16 {
        let lines = self.columns.iter().map(Vec::len).max().unwrap_or(0);
        u16::try_from(lines + 1).unwrap_or(u16::MAX)
    }
}

impl TourRole {
    const fn indent(self) -> &'static str {
        match self {
            Self::Text | Self::Done | Self::Answer => "",
            Self::Task | Self::Hint | Self::Wrong | Self::Key => "  ",
        }
    }
}

/// What is shown of a typed answer in that many columns, and the column of the cursor in it.
pub fn typed(answer: &Input, columns: usize) -> (String, usize) {
    let scroll = answer.visual_scroll(columns.max(1));
    let shown: String = answer.value().chars().skip(scroll).take(columns).collect();
    (printable::text(&shown).into_owned(), answer.visual_cursor().max(scroll) - scroll)
}

/// The paragraph, and what is about the task.
pub fn parts(tour: &TourState, keymap: &Keymap) -> (Vec<TourLine>, Vec<TourLine>) {
    let key = |action| keymap.binding(Context::Tour, action).map(Binding::first_key).unwrap_or_default();
    let next = key(Action::TourNext);
    let Some(step) = tour.step() else {
        let end = format!("▸ {next} closes the tour.");
        return (vec![(TourRole::Done, tour.tour().end.clone())], vec![(TourRole::Key, end)]);
    };
    if tour.phase == Phase::Done {
        let is_last = tour.at() + 1 == tour.tour().steps.len();
        let next =
            if is_last { format!("{next} ends the last step.") } else { format!("{next} goes on to the next step.") };
        return (vec![(TourRole::Done, format!("{DONE} {}", step.done))], vec![(TourRole::Key, format!("▸ {next}"))]);
    }
    let text = vec![(TourRole::Text, step.text.clone())];
    if tour.phase == Phase::Waiting {
        let demo = keymap.key_of(Action::Demo);
        let waiting = format!(
            "▸ Waiting for such a record … {demo} repeats the lesson, {} skips the step.",
            key(Action::TourSkip)
        );
        return (text, vec![(TourRole::Hint, waiting)]);
    }
    let task = match step.check {
        Check::Answer(_) if tour.answer.is_none() => {
            format!("▸ {} Press {next} first: until then, letters are commands.", step.task)
        }
        Check::Answer(_) | Check::Select(..) => format!("▸ {}", step.task),
    };
    let mut about = vec![(TourRole::Task, task)];
    about.extend(tour.answer.as_ref().map(|_| (TourRole::Answer, ANSWER.to_owned())));
    about.extend(tour.wrong.clone().map(|why| (TourRole::Wrong, format!("✗ {why}"))));
    if tour.hint {
        about.push((TourRole::Hint, format!("? {}", step.hint)));
    }
    (text, about)
}
