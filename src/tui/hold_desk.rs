//! What the screen needs of a proxy that holds messages. Every call returns at once.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Instant;

use crate::capture::query::filter::Filter;
use crate::proto::dissected::Direction;
use crate::script::Outgoing;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

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

    /// What waits of messages with records in this range.
    fn waiting(&self, records: &RangeInclusive<u64>) -> Vec<WaitingRecords>;

    /// What people have sent into connections, and has not gone yet.
    fn injections(&self) -> Vec<InjectionRow>;

    /// How many of these were sent so far.
    fn injected(&self) -> u64;

    /// Withdraws one that has not gone yet.
    ///
    /// # Errors
    /// Why that is too late, in one line.
    fn withdraw(&self, id: u64) -> Result<(), String>;

    /// Injects a message or frame towards the receiver of a direction.
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

/// The records of a message or control frame that waits: held, or after one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRecords {
    /// Its connection.
    pub connection: u32,
    /// The way it goes.
    pub direction: Direction,
    /// The numbers of its first and its last record.
    pub records: [u64; 2],
    /// Whether it waits for a decision; otherwise only for a message before it.
    pub is_undecided: bool,
}

/// A message or frame that a person sends, and that waits for the end of a frame or message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectionRow {
    /// Its number.
    pub id: u64,
    /// The connection.
    pub connection: u32,
    /// The way it goes.
    pub direction: Direction,
    /// The opcode of its first frame.
    pub opcode: Opcode,
    /// How many bytes of payload it has.
    pub len: u64,
    /// Since when it waits.
    pub since: Instant,
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
    /// Forward it unchanged.
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
