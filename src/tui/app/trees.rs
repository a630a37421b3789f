//! Payloads as trees in the place of their hex: chosen once, for every record that has one.

use super::{App, Panel};
use crate::capture::query::payload_tree::{self, Tree};
use crate::wire::opcode::Opcode;

/// The trees of the payload under the cursor.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    /// Whether trees are wanted.
    pub wanted: bool,
    /// What the payload can be read as.
    pub all: Vec<Tree>,
    /// Which of them is shown.
    pub at: usize,
    /// The first line in view.
    pub top: usize,
}

impl App {
    /// The tree that a panel shows in the place of its hex.
    pub fn tree(&self, panel: Panel) -> Option<&Tree> {
        let own = if self.inflated().is_some() { Panel::Inflated } else { Panel::Payload };
        self.trees.all.get(self.trees.at).filter(|_| panel == own && self.trees.wanted)
    }

    /// From hex to each of the trees that the payload can be read as, and back.
    pub(super) fn turn_tree(&mut self) {
        if self.trees.wanted && self.trees.at + 1 < self.trees.all.len() {
            self.trees.at += 1;
            self.trees.top = 0;
        } else if self.trees.wanted && !self.trees.all.is_empty() {
            self.trees.wanted = false;
        } else {
            self.trees.wanted = true;
            if let Err(why) = self.read_trees() {
                self.trees.wanted = false;
                self.tell(why);
            }
        }
    }

    /// Reads the payload under the cursor as trees, where they are wanted.
    pub(super) fn read_trees(&mut self) -> Result<(), String> {
        let kept = self.trees.all.get(self.trees.at).map(|tree| tree.format);
        (self.trees.all, self.trees.at, self.trees.top) = (Vec::new(), 0, 0);
        let Some(detail) = self.detail.as_ref().filter(|_| self.trees.wanted) else { return Ok(()) };
        let (bytes, len, opcode) = match self.inflated() {
            Some(said) => {
                let most = said.bytes.len().min(payload_tree::MAX_BYTES as usize);
                (said.bytes[..most].to_vec(), said.len, Some(said.opcode))
            }
            None => {
                let len = detail.payload_start().map(|start| detail.record.wire_len - start);
                let len = len.ok_or("this record has no payload")?;
                let read = self.capture.payload(&detail.record, 0..payload_tree::MAX_BYTES);
                (read.map_err(|e| format!("the bytes cannot be read: {e}"))?, len, detail.record.opcode())
            }
        };
        if len > payload_tree::MAX_BYTES {
            return Err(format!("payloads of at most {} KiB are read as trees", payload_tree::MAX_BYTES / 1024));
        }
        self.trees.all = payload_tree::read(&bytes, opcode == Some(Opcode::Text))?;
        self.trees.at = kept.and_then(|kept| self.trees.all.iter().position(|tree| tree.format == kept)).unwrap_or(0);
        Ok(())
    }

    /// Scrolls the tree; whether the panel with the keys shows one.
    pub(super) fn scroll_tree(&mut self, by: i64) -> bool {
        let Some(lines) = self.tree(self.focus).map(|tree| tree.lines.len()) else { return false };
        let last = lines.saturating_sub(self.tree_height()) as i64;
        self.trees.top = (self.trees.top as i64).saturating_add(by).clamp(0, last.max(0)) as usize;
        true
    }

    fn tree_height(&self) -> usize {
        let area = if self.focus == Panel::Inflated { self.layout.inflated } else { self.layout.payload };
        usize::from(area.height)
    }
}
