//! Payloads as trees, in the place of their hex: the user turns them on once, for every record that has one.

use crate::capture::query::payload_tree::{self, Tree};

/// The trees of the payload under the cursor.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    /// Whether the user wants trees instead of hex.
    pub wanted: bool,
    /// The trees as which the payload can be read.
    all: Vec<Tree>,
    /// Index of the tree that is shown.
    at: usize,
    /// First line in view.
    pub top: usize,
}

/// Why a payload is not shown as a tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("this record has no payload")]
    NoPayload,
    #[error("cannot read the payload ({0})")]
    Read(#[from] std::io::Error),
    #[error("only payloads of at most {} KiB are shown as trees", payload_tree::MAX_BYTES / 1024)]
    TooLong,
    #[error(transparent)]
    Format(#[from] payload_tree::PayloadTreeError),
}

impl Trees {
    /// The tree that is shown.
    pub fn current(&self) -> Option<&Tree> {
        self.all.get(self.at).filter(|_| self.wanted)
    }

    /// Position of the current tree, from 1, and the number of trees.
    pub const fn position(&self) -> (usize, usize) {
        (self.at + 1, self.all.len())
    }

    /// Goes from hex to each tree in turn, and back to hex. Returns true if the trees must be read now.
    pub const fn switch(&mut self) -> bool {
        if self.wanted && self.at + 1 < self.all.len() {
            self.at += 1;
            self.top = 0;
            return false;
        }
        self.wanted = !self.wanted || self.all.is_empty();
        self.wanted
    }

    /// Replaces the trees by those of another payload. The format that was shown last is kept where possible.
    ///
    /// # Errors
    /// Why there are no trees.
    pub fn replace(&mut self, trees: Result<Vec<Tree>, TreeError>) -> Result<(), TreeError> {
        let format = self.all.get(self.at).map(|tree| tree.format);
        (self.all, self.at, self.top) = (Vec::new(), 0, 0);
        self.all = trees?;
        self.at = format.and_then(|format| self.all.iter().position(|tree| tree.format == format)).unwrap_or(0);
        Ok(())
    }

    /// Scrolls by lines, in a panel of that height.
    pub fn scroll(&mut self, by: i64, height: usize) {
        let last = self.current().map_or(0, |tree| tree.lines.len().saturating_sub(height));
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        self.top = self.top.saturating_add_signed(by).min(last);
    }
}
