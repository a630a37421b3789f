//! The guided tour as data: its steps with their texts, the records that they are about, and the tasks of the learner.
//!
//! `assets/tour/en.toml` is the tour in the program and describes the form of such a file; a teacher can write another one.

mod answer;
mod file;
mod place;

#[cfg(test)]
mod tests;

pub use answer::{Question, Verdict};
pub use file::TourError;
pub use place::Place;

use crate::capture::query::filter::Filter;

const BUILT_IN: &str = include_str!("../../../assets/tour/en.toml");

/// A tour.
#[derive(Clone, Debug)]
pub struct Tour {
    /// Its name.
    pub title: String,
    /// The steps; there is at least one.
    pub steps: Vec<Step>,
    /// What the learner reads after the last step.
    pub end: String,
}

/// A step of a tour.
#[derive(Clone, Debug)]
pub struct Step {
    /// A short name, unique in the tour.
    pub id: String,
    /// What the step is about.
    pub title: String,
    /// The paragraph.
    pub text: String,
    /// Selects the records that the step is about: it shows the first one.
    pub record: Filter,
    /// The place that the cursor goes to.
    pub light: Place,
    /// What the learner has to do.
    pub task: String,
    /// Help, on request.
    pub hint: String,
    /// How the task is checked.
    pub check: Check,
    /// What the learner reads after the task.
    pub done: String,
    /// The place that the cursor goes to after the task, and the filter for its record, if that is another one.
    pub then: Option<(Place, Option<Filter>)>,
}

/// How a task is checked.
#[derive(Clone, Debug)]
pub enum Check {
    /// The learner must select a place in a record that the filter matches.
    Select(Place, Filter),
    /// The learner must type an answer.
    Answer(Question),
}

impl Tour {
    /// The tour in the program.
    ///
    /// # Errors
    /// See [`TourError`]; a test makes sure that there is none.
    pub fn built_in() -> Result<Self, TourError> {
        Self::parse(BUILT_IN)
    }

    /// The index of the step with this id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }
}
