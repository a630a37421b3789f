//! What the screen needs of a proxy that holds messages. Every call returns at once.

use std::fmt;
use std::time::Instant;

use crate::capture::query::filter::Filter;
use crate::proto::dissected::Direction;
use crate::script::Outgoing;
use crate::wire::frame::FrameHead;

/// The rules of a proxy, and what they hold.
pub trait HoldDesk: Send + Sync {
    /// The rules, in the order in which they were added.
    fn rules(&self) -> Vec<RuleRow>;

    /// Adds a rule for messages that begin from now on.
    fn add_rule(&self, filter: Filter);

    /// Deletes a rule, and sends on what only it holds.
    fn remove_rule(&self, id: u64);

    /// What waits, the oldest first: the first thousand of each direction.
    fn held(&self) -> Vec<HeldRow>;

    /// How many messages and control frames wait.
    fn held_count(&self) -> usize;

    /// The content of what waits, to be edited.
    ///
    /// # Errors
    /// Why it cannot be shown, in one line.
    fn content(&self, id: u64) -> Result<HeldContent, String>;

    /// Decides about what waits.
    ///
    /// # Errors
    /// Why that is too late, in one line.
    fn decide(&self, id: u64, decision: Decision) -> Result<(), String>;

    /// Sends on all that waits.
    fn send_all(&self);

    /// Sends a message or frame that nobody sent to the receiver of a direction.
    ///
    /// # Errors
    /// Why it cannot be sent, in one line.
    fn inject(&self, connection: u32, direction: Direction, outgoing: Outgoing) -> Result<(), String>;
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// Its number.
    pub id: u64,
    /// The filter, as it was typed.
    pub text: String,
}

/// A message or control frame that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    /// Its number.
    pub id: u64,
    /// Its connection.
    pub connection: u32,
    /// The way it goes.
    pub direction: Direction,
    /// The number of its first record.
    pub record: u64,
    /// The number of its last record.
    pub last_record: u64,
    /// How many bytes it has on the wire.
    pub len: u64,
    /// The numbers of the rules that hold it.
    pub rules: Vec<u64>,
    /// When it was held.
    pub since: Instant,
    /// Whether it is decided, and waits only for those before it.
    pub is_decided: bool,
}

/// The content of what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldContent {
    /// The head of its first frame.
    pub head: FrameHead,
    /// Whether it is compressed.
    pub is_compressed: bool,
    /// The payload of all its frames, unmasked and inflated.
    pub payload: Vec<u8>,
}

/// What happens to a message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on as it came.
    Send,
    /// It goes nowhere.
    Drop,
    /// Another message or frame goes in its place.
    Replace(Outgoing),
}

impl fmt::Debug for dyn HoldDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldDesk").finish_non_exhaustive()
    }
}
