//! Holds messages of relayed connections until the user decides about them, and sends messages that the user types.
//!
//! | file | what it does |
//! | --- | --- |
//! | `frames` | follows where frames and messages end |
//! | `gate` | withholds bytes until a message is whole |
//! | `rules` | tests messages against the rules, by their records in the capture |
//! | `watching` | which messages of a direction the rules select |
//! | `queue` | the queued messages of a direction, in order |
//! | `lane` | one direction: passes bytes, and holds them |
//! | `decisions` | the decisions of the user, and the thread that carries them out |
//! | `ending` | the end of a direction |
//! | `link` | what a direction needs of its connection |
//! | `outlet` | writes to the receiver: original and changed frames |
//! | `encoder`, `recompress` | frames of the user, and messages that are compressed again |
//! | `content` | the content of held messages, for editing |
//! | `waiting` | the held messages and unsent injections, for the screen |
//! | `delivery` | records the delivered bytes, from the first one on that differs from those of the sender |

mod content;
mod decisions;
mod delivery;
mod encoder;
mod ending;
mod frames;
mod gate;
mod lane;
mod link;
mod outlet;
mod queue;
mod recompress;
mod rules;
mod waiting;
mod watching;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

pub use self::content::Content;
pub(super) use self::delivery::Delivery;
pub(super) use self::frames::Frames;
pub(super) use self::lane::Lane;
pub(super) use self::link::Link;
pub use self::queue::Verdict;
pub use self::rules::{Rule, RuleId};
pub use self::waiting::{Injection, Waiting};
use crate::capture::query::filter::Filter;
use crate::proto::dissected::Direction;
use crate::script::Outgoing;

/// The limits of holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldLimits {
    /// How many bytes of a direction are held before the proxy stops reading from its sender.
    pub bytes: usize,
    /// How long a ping may wait for the end of a fragmented message that no rule has selected so far. Then it overtakes the message.
    pub control_wait: Duration,
}

impl Default for HoldLimits {
    /// 64 MiB, 100 ms.
    fn default() -> Self {
        Self { bytes: 64 << 20, control_wait: Duration::from_millis(100) }
    }
}

/// Poll interval while a shutdown waits until everything is sent.
const LOOK: Duration = Duration::from_millis(5);

/// The hold rules of a proxy, and the messages that they hold. Its methods do not wait, except [`Self::release`].
pub struct Hold {
    state: Mutex<State>,
    has_rules: AtomicBool,
    /// Grows with each change of the rules; 0 is that of no rules.
    generation: AtomicU64,
    next_id: AtomicU64,
    /// How many injections were sent.
    injected: AtomicU64,
    limits: HoldLimits,
    on_change: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

struct State {
    rules: Arc<[Rule]>,
    lanes: Vec<(Weak<Lane>, Weak<dyn Link>)>,
    /// Whether no rule is accepted any more.
    is_over: bool,
}

/// A held message or control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub id: u64,
    /// Its connection.
    pub connection: u32,
    /// Its direction.
    pub direction: Direction,
    /// The number of its first record.
    pub record: u64,
    /// The number of its last record.
    pub last_record: u64,
    /// How many bytes it has on the wire.
    pub len: usize,
    /// When it was held.
    pub since: Instant,
    /// The rules that hold it.
    pub rules: Vec<RuleId>,
    /// Whether the user has decided about it, so that it waits only for messages before it.
    pub is_decided: bool,
}

/// Why something cannot be sent.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum HoldError {
    /// It is not held any more.
    #[error("this message is not held any more: it was sent on, or its connection has ended")]
    NotHeld,
    /// An injection is sent already.
    #[error("this was sent already, or its connection has ended")]
    Sent,
    /// Its content cannot be read.
    #[error("this message cannot be inflated, so it cannot be edited; send it on or drop it")]
    NotInflated,
    /// An injected frame would be compressed.
    #[error("what you add goes without compression, which is always allowed (RFC 7692 §6); leave deflate=1 out")]
    Deflate,
    /// The connection cannot take it.
    #[error("connection {0} is no open WebSocket of the proxy; choose a record of one that is open")]
    NotOpen(u32),
}

impl Default for Hold {
    fn default() -> Self {
        Self::new(Vec::new(), HoldLimits::default())
    }
}

impl Hold {
    /// Holds messages by these rules.
    pub fn new(rules: Vec<Filter>, limits: HoldLimits) -> Self {
        let hold = Self {
            state: Mutex::new(State { rules: Arc::from([]), lanes: Vec::new(), is_over: false }),
            has_rules: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            next_id: AtomicU64::new(1),
            injected: AtomicU64::new(0),
            limits,
            on_change: OnceLock::new(),
        };
        for rule in rules {
            hold.add_rule(rule);
        }
        hold
    }

    /// Sets the callback for changes of the held messages; any thread may call it. Only the first call has an effect.
    pub fn on_change(&self, report: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_change.set(Box::new(report));
    }

    fn report_change(&self) {
        if let Some(report) = self.on_change.get() {
            report();
        }
    }

    /// The rules, in the order in which they were added.
    pub fn rules(&self) -> Arc<[Rule]> {
        Arc::clone(&self.state().rules)
    }

    /// Adds a rule, which applies to messages that begin from now on. Returns its number.
    pub fn add_rule(&self, filter: Filter) -> RuleId {
        let id = self.next_id();
        self.set_rules(|rules| rules.push(Rule { id, filter }));
        id
    }

    /// Deletes a rule, and sends on the messages that no other rule holds. Returns false if it does not exist.
    pub fn remove_rule(&self, id: RuleId) -> bool {
        let mut is_known = false;
        self.set_rules(|rules| {
            let before = rules.len();
            rules.retain(|rule| rule.id != id);
            is_known = rules.len() < before;
        });
        is_known
    }

    fn set_rules(&self, change: impl FnOnce(&mut Vec<Rule>)) {
        let (lanes, rules) = {
            let mut state = self.state();
            let mut rules = state.rules.to_vec();
            change(&mut rules);
            if state.is_over {
                rules.clear();
            }
            let ids: Vec<RuleId> = rules.iter().map(|rule| rule.id).collect();
            state.rules = rules.into();
            self.generation.fetch_add(1, Ordering::SeqCst);
            self.has_rules.store(!ids.is_empty(), Ordering::SeqCst);
            (state.lanes(), ids)
        };
        for (lane, link) in lanes {
            lane.keep_rules(&link, &rules);
        }
        self.report_change();
    }

    /// How many messages and control frames rules hold.
    pub fn held_count(&self) -> usize {
        self.state().lanes().iter().map(|(lane, _)| lane.queue().held()).sum()
    }

    /// The held messages, the oldest first: at most `most` of each direction of a connection.
    pub fn held(&self, most: usize) -> Vec<Held> {
        let lanes = self.state().lanes();
        let mut held = Vec::new();
        for (lane, _) in lanes {
            let Some(connection) = lane.connection() else { continue };
            let queue = lane.queue();
            for item in queue.items().filter(|item| item.was_held).take(most) {
                let Some([record, last_record]) = item.records else { continue };
                held.push(Held {
                    id: item.id,
                    connection,
                    direction: lane.direction(),
                    record,
                    last_record,
                    len: item.len(),
                    since: item.since,
                    rules: item.rules.clone(),
                    is_decided: item.verdict.is_some(),
                });
            }
        }
        held.sort_by_key(|held| held.id);
        held
    }

    /// Decides about a held message.
    ///
    /// # Errors
    /// [`HoldError::NotHeld`].
    pub fn decide(&self, id: u64, verdict: &Verdict) -> Result<(), HoldError> {
        let lanes = self.state().lanes();
        let is_known = lanes.iter().any(|(lane, link)| lane.decide(link, id, verdict));
        if is_known { Ok(()) } else { Err(HoldError::NotHeld) }
    }

    /// Sends on all messages that are held now.
    pub fn send_all(&self) {
        for (lane, link) in self.state().lanes() {
            lane.keep_rules(&link, &[]);
        }
    }

    /// Sends a message or frame of the user to the receiver of a direction: a message when no other one is incomplete, a control frame
    /// between two frames. It overtakes held messages.
    ///
    /// # Errors
    /// [`HoldError::NotOpen`], [`HoldError::Deflate`].
    pub fn inject(&self, connection: u32, direction: Direction, outgoing: Outgoing) -> Result<(), HoldError> {
        if matches!(&outgoing, Outgoing::Custom(frame) if frame.deflate) {
            return Err(HoldError::Deflate);
        }
        let lanes = self.state().lanes();
        let lane = lanes.iter().find(|(lane, _)| lane.direction() == direction && lane.is_of(connection));
        let injection = Injection { id: self.next_id(), outgoing, since: Instant::now() };
        let is_sent = lane.is_some_and(|(lane, link)| lane.inject(link, injection));
        self.report_change();
        if is_sent { Ok(()) } else { Err(HoldError::NotOpen(connection)) }
    }

    /// Deletes all rules and sends on the held messages, because the program ends. Waits until they are sent, for at most `longest`; returns
    /// how many were not sent in that time.
    pub fn release(&self, longest: Duration) -> usize {
        self.state().is_over = true;
        self.set_rules(Vec::clear);
        let deadline = Instant::now() + longest;
        let lanes = self.state().lanes();
        while Instant::now() < deadline && lanes.iter().any(|(lane, _)| !lane.is_idle()) {
            thread::sleep(LOOK);
        }
        lanes.iter().map(|(lane, _)| lane.queue().len()).sum()
    }

    /// Adds a direction of a connection.
    pub(super) fn add_lane(&self, lane: &Arc<Lane>, link: &Weak<dyn Link>) {
        let mut state = self.state();
        state.lanes.retain(|(lane, _)| lane.strong_count() > 0);
        state.lanes.push((Arc::downgrade(lane), Weak::clone(link)));
    }

    /// Returns true if a rule may hold messages.
    #[inline]
    fn has_rules(&self) -> bool {
        self.has_rules.load(Ordering::SeqCst)
    }

    /// The rules, and their generation.
    fn rules_now(&self) -> (u64, Arc<[Rule]>) {
        let state = self.state();
        (self.generation(), Arc::clone(&state.rules))
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// The limits.
    pub(super) const fn limits(&self) -> HoldLimits {
        self.limits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The lanes of open connections.
    fn lanes(&self) -> Vec<(Arc<Lane>, Weak<dyn Link>)> {
        self.lanes.iter().filter_map(|(lane, link)| Some((lane.upgrade()?, Weak::clone(link)))).collect()
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").field("rules", &self.rules()).finish_non_exhaustive()
    }
}
