//! Reads and checks a file of steps.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::answer::{Question, QuestionError};
use super::place::{Place, PlaceError};
use super::{Check, Step, Tour};
use crate::capture::query::filter::{Filter, FilterError};

/// The longest paragraph, in characters: with the task and the record it fits 80×24.
const MAX_TEXT: usize = 320;

/// The longest task, in characters.
const MAX_TASK: usize = 130;

/// The longest hint, in characters.
const MAX_HINT: usize = 200;

/// The longest title, in characters.
const MAX_TITLE: usize = 40;

/// Why a file of steps is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {problem}", .step.as_ref().map_or(String::new(), |step| format!(", step {step:?}")))]
pub struct TourError {
    /// The line, counted from 1.
    pub line: usize,
    /// The id of the step.
    pub step: Option<String>,
    /// What is wrong.
    pub problem: TourProblem,
}

/// What is wrong in a file of steps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TourProblem {
    /// The file is not of the form.
    #[error("{0}")]
    Form(String),
    /// There is no step.
    #[error("the tour has no [[step]]")]
    NoStep,
    /// Two steps have the same id.
    #[error("another step has this id")]
    Twice,
    /// A text is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A text is too long.
    #[error("{name} has {len} characters; at most {most} fit the screen")]
    TooLong {
        /// The key.
        name: &'static str,
        /// Its length.
        len: usize,
        /// The longest length.
        most: usize,
    },
    /// A filter cannot be read.
    #[error("{0} is no filter: {1}")]
    Filter(&'static str, Box<FilterError>),
    /// A place cannot be read.
    #[error("{0}: {1}")]
    Place(&'static str, PlaceError),
    /// An answer cannot be read.
    #[error("answer: {0}")]
    Answer(QuestionError),
    /// The step has no task, or two.
    #[error("a step needs either select or answer")]
    NoTask,
    /// The task is done before it starts.
    #[error("light and select are the same place: the task would be done at once")]
    DoneAtOnce,
    /// A filter for a place that is not there.
    #[error("{0}-in needs {0}")]
    WithoutPlace(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTour {
    title: Spanned<String>,
    end: Spanned<String>,
    #[serde(default)]
    step: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawStep {
    id: Spanned<String>,
    title: Spanned<String>,
    text: Spanned<String>,
    record: Spanned<String>,
    light: Spanned<String>,
    task: Spanned<String>,
    hint: Spanned<String>,
    done: Spanned<String>,
    select: Option<Spanned<String>>,
    select_in: Option<Spanned<String>>,
    answer: Option<Spanned<String>>,
    then: Option<Spanned<String>>,
    then_in: Option<Spanned<String>>,
}

/// A problem and where it is in the file.
type Located = (Range<usize>, TourProblem);

impl Tour {
    /// Reads a file of steps.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and step.
    pub fn parse(source: &str) -> Result<Self, TourError> {
        let error = |step: Option<&RawStep>, (span, problem): Located| TourError {
            line: line_of(source, span.start),
            step: step.map(|step| step.id.get_ref().clone()),
            problem,
        };
        let raw: RawTour = toml::from_str(source).map_err(|e| {
            let span = e.span().unwrap_or_default();
            TourError {
                line: line_of(source, span.start),
                step: step_before(source, span.start),
                problem: TourProblem::Form(e.message().to_owned()),
            }
        })?;
        let title = text("title", &raw.title, MAX_TITLE).map_err(|located| error(None, located))?;
        let end = text("end", &raw.end, MAX_TEXT).map_err(|located| error(None, located))?;
        if raw.step.is_empty() {
            return Err(error(None, (source.len()..source.len(), TourProblem::NoStep)));
        }
        let mut ids = BTreeSet::new();
        let mut steps = Vec::new();
        for step in &raw.step {
            if !ids.insert(step.id.get_ref()) {
                return Err(error(Some(step), (step.id.span(), TourProblem::Twice)));
            }
            steps.push(read(step).map_err(|located| error(Some(step), located))?);
        }
        Ok(Self { title, steps, end })
    }
}

fn read(raw: &RawStep) -> Result<Step, Located> {
    let record = filter("record", &raw.record)?;
    let light = place("light", &raw.light)?;
    let select_in = raw.select_in.as_ref().map(|text| filter("select-in", text)).transpose()?;
    let then_in = raw.then_in.as_ref().map(|text| filter("then-in", text)).transpose()?;
    for (name, needed, given) in [("select", &raw.select, &raw.select_in), ("then", &raw.then, &raw.then_in)] {
        if let (None, Some(given)) = (needed, given) {
            return Err((given.span(), TourProblem::WithoutPlace(name)));
        }
    }
    let check = match (&raw.select, &raw.answer) {
        (Some(text), None) => {
            let place = place("select", text)?;
            if place == light && select_in.is_none() {
                return Err((text.span(), TourProblem::DoneAtOnce));
            }
            Check::Select(place, select_in.unwrap_or_else(|| record.clone()))
        }
        (None, Some(text)) => {
            let question = Question::parse(text.get_ref());
            Check::Answer(question.map_err(|e| (text.span(), TourProblem::Answer(e)))?)
        }
        (None, None) | (Some(_), Some(_)) => return Err((raw.id.span(), TourProblem::NoTask)),
    };
    let then = raw.then.as_ref().map(|text| place("then", text)).transpose()?;
    Ok(Step {
        id: text("id", &raw.id, MAX_TITLE)?,
        title: text("title", &raw.title, MAX_TITLE)?,
        text: text("text", &raw.text, MAX_TEXT)?,
        record,
        light,
        task: text("task", &raw.task, MAX_TASK)?,
        hint: text("hint", &raw.hint, MAX_HINT)?,
        check,
        done: text("done", &raw.done, MAX_TEXT)?,
        then: then.map(|place| (place, then_in)),
    })
}

fn text(name: &'static str, raw: &Spanned<String>, most: usize) -> Result<String, Located> {
    // Line breaks in the file do not matter.
    let text = raw.get_ref().split_whitespace().collect::<Vec<_>>().join(" ");
    let len = text.chars().count();
    match len {
        0 => Err((raw.span(), TourProblem::Empty(name))),
        _ if len > most => Err((raw.span(), TourProblem::TooLong { name, len, most })),
        _ => Ok(text),
    }
}

fn filter(name: &'static str, raw: &Spanned<String>) -> Result<Filter, Located> {
    Filter::parse(raw.get_ref()).map_err(|e| (raw.span(), TourProblem::Filter(name, Box::new(e))))
}

fn place(name: &'static str, raw: &Spanned<String>) -> Result<Place, Located> {
    Place::parse(raw.get_ref()).map_err(|e| (raw.span(), TourProblem::Place(name, e)))
}

/// The line of a byte of the file, counted from 1.
fn line_of(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The id of the step that a byte of a file lies in. The file is not of the form, so this reads lines only.
fn step_before(source: &str, at: usize) -> Option<String> {
    // The span of a missing key is its whole table, which begins with the line [[step]].
    let is_header = |line: &str| line.trim_start().starts_with("[[step]]");
    let end = source[at.min(source.len())..].find('\n').map_or(source.len(), |end| at + end);
    let start = source[..end].rfind("[[step]]")?;
    let lines = source[start..].lines().skip(1).take_while(|line| !is_header(line));
    let id = lines.filter_map(|line| line.trim().strip_prefix("id")?.trim_start().strip_prefix('=')).next()?;
    Some(id.trim().trim_matches(['"', '\'']).to_owned())
}
