//! The problems of a capture.

use std::fmt;

use crate::proto::rules::count;

/// The most problems that are kept, besides failures. More are counted.
const MAX_PROBLEMS: usize = 100;

/// What is wrong with a capture, or worth a note about its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Bytes that crossed a socket and could not be written.
    pub uncaptured: u64,
    /// Why the capture does not grow any more: a failure of framescope.
    pub stop: Option<Stop>,
    /// The other problems, in the order in which they were found.
    pub problems: Vec<Problem>,
    /// How many further problems were found.
    pub further: u64,
}

/// Why a capture does not grow any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Whether a file was being read; otherwise traffic was being captured.
    pub was_reading: bool,
    /// One line for people.
    pub why: String,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stopped: {}", if self.was_reading { "reading" } else { "capturing" }, self.why)
    }
}

/// A problem of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it means for the records.
    pub kind: ProblemKind,
    /// One line for people.
    pub text: String,
}

/// What a problem means for the records of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file is intact. Something in it is not read, or could be read in another way.
    Notice,
    /// The file is truncated or has invalid bytes. The records before the damage are in the capture.
    Damage,
    /// framescope itself failed, so that the capture lacks records: a disk was full, or a file could not be read.
    Failure,
}

impl Trouble {
    /// Adds a problem. Returns false if it was added before, or is only counted.
    pub(in crate::capture) fn add(&mut self, kind: ProblemKind, text: &str) -> bool {
        // What stopped capturing can be noticed again at the end of the run.
        let is_stop = self.stop.as_ref().is_some_and(|stop| stop.why == text);
        let is_new = !is_stop && self.problems.iter().all(|problem| problem.text != text);
        if is_new && kind != ProblemKind::Failure && self.problems.len() >= MAX_PROBLEMS {
            self.further += 1;
            return false;
        }
        if is_new {
            self.problems.push(Problem { kind, text: text.to_owned() });
        }
        is_new
    }

    /// Returns true if the capture lacks records because framescope failed.
    pub fn has_failed(&self) -> bool {
        self.stop.is_some() || self.problems.iter().any(|problem| problem.kind == ProblemKind::Failure)
    }

    /// The problems of one kind in one line; `None` if there are none.
    pub fn reason_of(&self, kind: ProblemKind) -> Option<String> {
        joined(self.problems.iter().filter(|problem| problem.kind == kind))
    }

    /// All problems in one line; `None` if there are none.
    pub fn reason(&self) -> Option<String> {
        let further = (self.further > 0).then(|| format!("and {}", count(self.further, "further problem")));
        let problems = joined(&self.problems).into_iter().chain(further).reduce(|all, more| format!("{all}; {more}"));
        match (&self.stop, problems) {
            (Some(stop), Some(others)) => Some(format!("{stop}; before that: {others}")),
            (Some(stop), None) => Some(stop.to_string()),
            (None, others) => others,
        }
    }
}

fn joined<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Option<String> {
    let texts: Vec<&str> = problems.into_iter().map(|problem| problem.text.as_str()).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_notices_is_counted_and_hides_no_failure() {
        let mut trouble = Trouble::default();
        let new = (0..MAX_PROBLEMS + 50).filter(|n| trouble.add(ProblemKind::Notice, &format!("notice {n}"))).count();
        assert_eq!((new, trouble.problems.len(), trouble.further), (MAX_PROBLEMS, MAX_PROBLEMS, 50));
        assert!(!trouble.has_failed() && trouble.add(ProblemKind::Failure, "a full disk") && trouble.has_failed());
        assert!(trouble.reason().is_some_and(|reason| reason.ends_with("a full disk; and 50 further problems")));
    }
}
