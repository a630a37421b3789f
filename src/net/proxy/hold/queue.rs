//! The queued messages of one direction, in the order of arrival.

use std::collections::VecDeque;
use std::thread::JoinHandle;
use std::time::Instant;

use super::gate::{Part, Unit};
use super::rules::RuleId;
use super::waiting::Injection;
use crate::script::Outgoing;

/// The decision about a held message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it on unchanged.
    Send,
    /// Drop it.
    Drop,
    /// Send another message or frame in its place.
    Replace(Outgoing),
}

/// A queued message or control frame.
#[derive(Debug)]
pub struct Item {
    /// Its number, unique in the proxy.
    pub id: u64,
    /// Its frames.
    pub parts: Unit,
    /// The rules that hold it; none if it waits only for messages before it.
    pub rules: Vec<RuleId>,
    /// The numbers of its first and its last record, if they are captured.
    pub records: Option<[u64; 2]>,
    /// Whether a rule has held it.
    pub was_held: bool,
    /// The inflated bytes that later messages may refer to, if it is the first that is held of a compressed direction.
    pub window: Option<Vec<u8>>,
    /// When it was held.
    pub since: Instant,
    /// The decision about it, once there is one.
    pub verdict: Option<Verdict>,
}

impl Item {
    /// Whether it keeps its place among the messages.
    pub fn is_ordered(&self) -> bool {
        self.parts.iter().any(Part::keeps_order)
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// How much memory it takes, in bytes.
    fn size(&self) -> usize {
        self.parts.iter().map(Part::size).sum()
    }
}

/// The queued messages and the injections of one direction.
#[derive(Debug, Default)]
pub struct Queue {
    items: VecDeque<Item>,
    /// How much memory the items take, in bytes.
    bytes: usize,
    /// How many of them a rule has held.
    held: usize,
    /// How many were to be sent, and were not.
    lost: usize,
    /// How many bytes the gate withholds. They follow the items.
    pub withheld: usize,
    /// Messages and frames of the user that are not sent yet.
    injections: VecDeque<Injection>,
    /// Whether nothing is sent any more.
    pub is_over: bool,
    /// Whether a thread is sending, and whether it must check the queue again.
    pub sending: bool,
    pub again: bool,
    /// That thread, or the latest one.
    pub sender: Option<JoinHandle<()>>,
}

impl Queue {
    pub fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.held += usize::from(item.was_held);
        self.items.push_back(item);
    }

    pub fn inject(&mut self, injection: Injection) {
        self.injections.push_back(injection);
    }

    /// Messages and frames of the user that are not sent yet.
    pub fn injections(&self) -> impl Iterator<Item = &Injection> {
        self.injections.iter()
    }

    /// Removes an injection; returns false if it waits no more.
    pub fn withdraw(&mut self, id: u64) -> bool {
        let before = self.injections.len();
        self.injections.retain(|injection| injection.id != id);
        self.injections.len() < before
    }

    /// Removes an injection that may go between two frames; with `between_messages`, any one.
    pub fn next_injection(&mut self, between_messages: bool) -> Option<Outgoing> {
        let may_go = |injection: &Injection| between_messages || injection.outgoing.opcode().is_control();
        let at = self.injections.iter().position(may_go)?;
        self.injections.remove(at).map(|injection| injection.outgoing)
    }

    /// Removes the first item that may be sent.
    pub fn next_ready(&mut self) -> Option<Item> {
        let mut is_blocked = false;
        let at = self.items.iter().position(|item| {
            let may_go = item.verdict.is_some() && !(is_blocked && item.is_ordered());
            is_blocked |= item.is_ordered() && !may_go;
            may_go
        })?;
        let item = self.items.remove(at)?;
        self.bytes -= item.size();
        self.held -= usize::from(item.was_held);
        Some(item)
    }

    /// Decides about an item, also in place of an earlier decision; returns false if it is not held any more.
    pub fn decide(&mut self, id: u64, verdict: &Verdict) -> bool {
        let item = self.items.iter_mut().find(|item| item.id == id && item.was_held);
        item.map(|item| item.verdict = Some(verdict.clone())).is_some()
    }

    /// Sends on the items that no rule among `rules` holds any more; returns whether there is one.
    pub fn keep_rules(&mut self, rules: &[RuleId]) -> bool {
        let mut is_released = false;
        for item in self.items.iter_mut().filter(|item| item.verdict.is_none()) {
            item.rules.retain(|rule| rules.contains(rule));
            if item.rules.is_empty() {
                item.verdict = Some(Verdict::Send);
                is_released = true;
            }
        }
        is_released
    }

    /// Ends the queue; returns the items, and how many others were to be sent and were not.
    pub fn end(&mut self) -> (VecDeque<Item>, usize) {
        self.is_over = true;
        (self.bytes, self.held) = (0, 0);
        let others = std::mem::take(&mut self.lost) + self.injections.drain(..).count();
        (std::mem::take(&mut self.items), others)
    }

    /// Counts an item that was to be sent, and was not.
    pub const fn lose(&mut self) {
        self.lost += 1;
    }

    /// How many queued items a rule has held.
    pub const fn held(&self) -> usize {
        self.held
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// The offset of the first queued message.
    pub fn start(&self) -> Option<u64> {
        self.items.iter().find(|item| item.is_ordered())?.parts.first().map(|part| part.offset)
    }

    /// Whether an item has the inflated bytes that later messages may refer to.
    pub fn has_window(&self) -> bool {
        self.items.iter().any(|item| item.window.is_some())
    }

    /// The number of queued items and injections.
    pub fn len(&self) -> usize {
        self.items.len() + self.injections.len()
    }

    /// Whether a queued item keeps its place.
    pub fn has_ordered(&self) -> bool {
        self.items.iter().any(Item::is_ordered)
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.injections.is_empty()
    }

    /// Whether the limit of held bytes is reached, so that the proxy must not read from the sender.
    pub fn is_full(&self, limit: usize) -> bool {
        !self.is_over && !self.items.is_empty() && self.bytes + self.withheld >= limit
    }
}
