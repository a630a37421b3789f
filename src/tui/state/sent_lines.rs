//! The lines that were sent before, to be sent again.

/// The most lines that are kept.
const MOST: usize = 200;

/// The lines that were sent, and where the user is among them.
#[derive(Clone, Debug, Default)]
pub struct SentLines {
    lines: Vec<String>,
    /// The index of the line that is shown again, if one is.
    at: Option<usize>,
    /// What was typed before that, or when the prompt was left.
    draft: String,
}

impl SentLines {
    /// Adds a line that is sent now.
    pub fn add(&mut self, line: &str) {
        self.at = None;
        if self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MOST {
            self.lines.remove(0);
        }
        self.lines.push(line.to_owned());
    }

    /// Keeps what is typed while the prompt is left.
    pub fn keep(&mut self, typed: &str) {
        self.at = None;
        typed.clone_into(&mut self.draft);
    }

    /// What was typed when the prompt was left.
    pub fn take_draft(&mut self) -> String {
        std::mem::take(&mut self.draft)
    }

    /// The line before the one that is shown, with `back`, or the one after it; the draft comes after the latest line. `None` if no
    /// further one exists. `typed` is what is shown now.
    pub fn step(&mut self, back: bool, typed: &str) -> Option<String> {
        let next = match (self.at, back) {
            (None, true) => {
                self.draft = typed.to_owned();
                self.lines.len().checked_sub(1)?
            }
            (Some(at), true) => at.checked_sub(1)?,
            (Some(at), false) => at + 1,
            (None, false) => return None,
        };
        self.at = (next < self.lines.len()).then_some(next);
        Some(self.lines.get(next).unwrap_or(&self.draft).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_lines_come_back_in_both_directions() {
        let mut lines = SentLines::default();
        assert_eq!((lines.step(true, "x"), lines.step(false, "x")), (None, None));
        for line in ["a", "b", "b"] {
            lines.add(line);
        }
        assert_eq!(lines.step(true, "draft").as_deref(), Some("b"));
        assert_eq!(lines.step(true, "b").as_deref(), Some("a"));
        assert_eq!(lines.step(true, "a"), None);
        assert_eq!(lines.step(false, "a").as_deref(), Some("b"));
        assert_eq!(lines.step(false, "b").as_deref(), Some("draft"));
        assert_eq!(lines.step(false, "draft"), None);
        lines.keep("left");
        assert_eq!((lines.take_draft().as_str(), lines.take_draft().as_str()), ("left", ""));
        (0..2 * MOST).for_each(|n| lines.add(&n.to_string()));
        assert_eq!(lines.lines.len(), MOST);
    }
}
