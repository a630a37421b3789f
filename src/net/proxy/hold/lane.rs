//! One direction of a relayed WebSocket connection: it passes bytes on, or holds them.
//!
//! Without a rule and without an injection, the lane forwards bytes as they arrive, and only tracks where frames end. With a rule, a
//! [`Gate`] withholds each message until it is complete. A [`Queue`] keeps the messages that a rule matches, and the later ones of the
//! direction.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Hold;
use super::delivery::Delivery;
use super::frames::Frames;
use super::gate::{Gate, Unit};
use super::link::Link;
use super::outlet::Outlet;
use super::queue::{Item, Queue, Verdict};
use super::rules::{Match, Matcher, RuleId};
use crate::net::proxy::end::End;
use crate::net::proxy::tap::Tap;
use crate::proto::dissected::Direction;
use crate::proto::rules::count;

/// Poll interval for the end of the connection, for threads that wait for something else.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// One direction of a connection.
pub struct Lane {
    pub(super) hold: Arc<Hold>,
    pub(super) tap: Arc<Tap>,
    pub(super) direction: Direction,
    /// The number of the connection in the capture.
    pub(super) connection: Option<u32>,
    /// The queued messages. Locked for short times only.
    queue: Mutex<Queue>,
    /// Notified when something leaves the queue, or the lane is over.
    pub(super) changed: Condvar,
    /// The right to write to the receiver. Taken before `queue`.
    writing: Mutex<Writing>,
    /// Whether the next bytes cannot be forwarded at once: something is withheld, queued or injected.
    pub(super) is_busy: AtomicBool,
    /// Whether a rule may hold messages of this direction, and the generation of the rules for which that was found.
    pub(super) is_watched: AtomicBool,
    pub(super) checked: AtomicU64,
    /// Records the delivered bytes, if they are changed.
    pub(super) delivery: Arc<Delivery>,
}

/// The state of the writing thread.
pub(super) struct Writing {
    pub(super) outlet: Outlet,
    pub(super) gate: Option<Gate>,
    pub(super) matcher: Option<Matcher>,
    units: Vec<Unit>,
    /// The offset after the latest bytes of the sender.
    end: u64,
}

impl Lane {
    pub fn new(hold: &Arc<Hold>, tap: &Arc<Tap>, direction: Direction, delivery: &Arc<Delivery>) -> Self {
        let outlet = Outlet::new(direction, delivery);
        let writing = Writing { outlet, gate: None, matcher: None, units: Vec::new(), end: 0 };
        Self {
            hold: Arc::clone(hold),
            tap: Arc::clone(tap),
            direction,
            connection: tap.wiretap().number(),
            queue: Mutex::default(),
            changed: Condvar::new(),
            writing: Mutex::new(writing),
            is_busy: AtomicBool::new(false),
            is_watched: AtomicBool::new(false),
            checked: AtomicU64::new(0),
            delivery: Arc::clone(delivery),
        }
    }

    /// The number of its connection in the capture.
    pub const fn connection(&self) -> Option<u32> {
        self.connection
    }

    /// Returns true if this connection of the capture has the sent bytes, or the delivered ones.
    pub fn is_of(&self, connection: u32) -> bool {
        self.connection == Some(connection) || self.delivery.recorded_as() == Some(connection)
    }

    /// The direction.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Starts after `passed` bytes that were forwarded already, which `frames` has tracked.
    pub fn adopt(&self, frames: Frames, passed: u64) {
        self.writing().outlet.adopt(frames, passed);
    }

    /// Forwards the latest bytes that were pushed to the tap, or holds them. Blocks while the limit of held bytes is reached.
    pub fn pass(&self, link: &dyn Link, bytes: &[u8]) -> Result<(), End> {
        let mut writing = self.writing();
        writing.end = self.tap.position(self.direction);
        if !self.is_busy.load(Ordering::SeqCst) && !self.is_watched() {
            return writing.outlet.pass(link, bytes);
        }
        self.pass_slowly(link, &mut writing, bytes)?;
        while self.withhold(&writing) {
            drop(writing);
            self.wait_for_space(link);
            if link.is_cut() || link.is_sender_lost(self.direction) {
                // The next read reports it.
                return Ok(());
            }
            writing = self.writing();
            self.give_up_long(link, &mut writing)?;
        }
        Ok(())
    }

    /// Notes how many bytes the gate withholds; returns true if the sender must not be read now.
    fn withhold(&self, writing: &Writing) -> bool {
        let mut queue = self.queue();
        queue.withheld = writing.gate.as_ref().map_or(0, Gate::size);
        queue.is_full(self.hold.limits().bytes)
    }

    fn pass_slowly(&self, link: &dyn Link, writing: &mut Writing, bytes: &[u8]) -> Result<(), End> {
        let is_over = self.queue().is_over;
        if is_over {
            return Err(End::Broken);
        }
        let mut rest = bytes;
        if writing.gate.is_none() {
            // Finish the message that began without a gate.
            let begun = writing.outlet.begun(rest);
            writing.outlet.pass(link, &rest[..begun])?;
            rest = &rest[begun..];
            self.send_ready(link, writing)?;
            if !writing.outlet.is_between_messages() || rest.is_empty() {
                return Ok(());
            }
            if !self.is_watched() && !writing.outlet.needs_frames() {
                self.rest();
                return writing.outlet.pass(link, rest);
            }
            writing.gate = Some(Gate::new(self.tap.position(self.direction) - rest.len() as u64));
            self.is_busy.store(true, Ordering::SeqCst);
        }
        // Rules are tested by records.
        self.tap.drain_all();
        let by_frames = !self.is_watched();
        let mut units = std::mem::take(&mut writing.units);
        if let Some(gate) = &mut writing.gate {
            gate.take(rest, by_frames, &mut units);
        }
        for unit in units.drain(..) {
            self.route(link, writing, unit)?;
        }
        writing.units = units;
        self.send_ready(link, writing)?;
        self.give_up_long(link, writing)?;
        self.release_gate(link, writing)
    }

    /// Forwards pings and pongs that are withheld until a fragmented message is complete. Call it when nothing has arrived for
    /// [`super::HoldLimits::control_wait`].
    pub fn pass_heartbeats(&self, link: &dyn Link) -> Result<(), End> {
        self.overtake(link, &mut self.writing())
    }

    /// Forwards pings and pongs before the incomplete message around them.
    pub(super) fn overtake(&self, link: &dyn Link, writing: &mut Writing) -> Result<(), End> {
        let heartbeats = writing.gate.as_mut().map(Gate::take_heartbeats).unwrap_or_default();
        for part in heartbeats {
            let found = self.test(writing, std::slice::from_ref(&part)).pop().unwrap_or_default();
            if found.rules.is_empty() {
                writing.outlet.pass_parts(link, std::slice::from_ref(&part))?;
                self.delivery.note_overtook(found.record);
            } else {
                self.hold_item(vec![part], found.rules, found.record.map(|no| [no; 2]), None);
            }
        }
        Ok(())
    }

    /// Returns true if the gate withholds pings or pongs until a fragmented message is complete.
    pub fn withholds_heartbeats(&self) -> bool {
        self.is_busy.load(Ordering::SeqCst) && self.writing().gate.as_ref().is_some_and(Gate::has_heartbeats)
    }

    /// Forwards a complete control frame or message, or queues it.
    fn route(&self, link: &dyn Link, writing: &mut Writing, unit: Unit) -> Result<(), End> {
        let generation = self.hold.generation();
        let matches = self.test(writing, &unit);
        let is_held = matches.iter().any(|found| !found.rules.is_empty());
        if !is_held && !self.queue().has_ordered() {
            return writing.outlet.pass_parts(link, &unit);
        }
        let (mut message, mut found) = (Unit::new(), Match::default());
        let mut records: Option<[u64; 2]> = None;
        for (part, matched) in unit.into_iter().zip(matches) {
            if part.keeps_order() {
                found.rules.extend(matched.rules);
                records = matched.record.map(|no| records.map_or([no; 2], |[first, _]| [first, no])).or(records);
                message.push(part);
            } else if matched.rules.is_empty() {
                writing.outlet.pass_parts(link, std::slice::from_ref(&part))?;
            } else {
                self.hold_item(vec![part], matched.rules, matched.record.map(|no| [no; 2]), None);
            }
        }
        if !message.is_empty() {
            let window = self.window_after(writing, &message, &found.rules, records);
            self.hold_item(message, found.rules, records, window);
        }
        let (now, rules) = self.hold.rules_now();
        if now != generation {
            // A rule was deleted after the test.
            let rules: Vec<RuleId> = rules.iter().map(|rule| rule.id).collect();
            self.queue().keep_rules(&rules);
        }
        Ok(())
    }

    fn hold_item(&self, parts: Unit, mut rules: Vec<RuleId>, records: Option<[u64; 2]>, window: Option<Vec<u8>>) {
        rules.sort_unstable();
        rules.dedup();
        let was_held = !rules.is_empty();
        let verdict = (!was_held).then_some(Verdict::Send);
        let item =
            Item { id: self.hold.next_id(), parts, rules, records, was_held, window, since: Instant::now(), verdict };
        self.queue().push(item);
        if was_held {
            // The receiver cannot answer it before it is sent.
            self.delivery.alter(self.direction);
            self.hold.report_change();
        }
    }

    /// Forwards a message that is too long to be withheld, if nothing is queued before it.
    fn give_up_long(&self, link: &dyn Link, writing: &mut Writing) -> Result<(), End> {
        let limit = self.hold.limits().bytes;
        let Some(gate) = writing.gate.as_mut().filter(|gate| gate.size() >= limit) else { return Ok(()) };
        if self.queue().has_ordered() {
            return Ok(());
        }
        let number = self.connection().unwrap_or(0);
        if !writing.outlet.needs_frames() {
            self.tap.wiretap().notice(&format!(
                "connection {number}: a message of more than {} was sent on without a test against the hold rules",
                count(limit as u64, "byte")
            ));
            return self.open_gate(link, writing);
        }
        if gate.tail_len() >= limit {
            self.tap.wiretap().notice(&format!(
                "connection {number} was cut: a frame of more than {} cannot be compressed again",
                count(limit as u64, "byte")
            ));
            return Err(End::Cut);
        }
        let parts = gate.give_up();
        writing.outlet.pass_parts(link, &parts)
    }

    /// Ends the gate if nothing needs it any more.
    pub(super) fn release_gate(&self, link: &dyn Link, writing: &mut Writing) -> Result<(), End> {
        if self.is_watched() || writing.outlet.needs_frames() || !self.queue().is_empty() {
            return Ok(());
        }
        self.open_gate(link, writing)
    }

    /// Forwards the withheld bytes, and ends the gate.
    pub(super) fn open_gate(&self, link: &dyn Link, writing: &mut Writing) -> Result<(), End> {
        let withheld = writing.gate.take().map(Gate::open);
        writing.matcher = None;
        self.rest();
        let Some((parts, tail)) = withheld else { return Ok(()) };
        writing.outlet.pass_parts(link, &parts)?;
        writing.outlet.pass(link, &tail)
    }

    /// Sends the injections and queued messages that may be sent now.
    pub(super) fn send_ready(&self, link: &dyn Link, writing: &mut Writing) -> Result<(), End> {
        loop {
            let between = (writing.outlet.is_between_frames(), writing.outlet.is_between_messages());
            let (injection, item) = {
                let mut queue = self.queue();
                let injection = between.0.then(|| queue.next_injection(between.1)).flatten();
                let item = if injection.is_none() && between.1 { queue.next_ready() } else { None };
                (injection, item)
            };
            match (injection, item) {
                (Some(outgoing), _) => {
                    let waiting = self.queue().start();
                    let withheld = writing.gate.as_ref().map(Gate::start);
                    let came = waiting.or(withheld).unwrap_or(writing.end);
                    if let Err(end) = writing.outlet.inject(link, &outgoing, came) {
                        self.queue().lose();
                        return Err(end);
                    }
                    self.hold.injected.fetch_add(1, Ordering::SeqCst);
                    self.hold.report_change();
                }
                (None, Some(item)) => {
                    if let Err(end) = writing.outlet.finish(link, &item) {
                        self.queue().lose();
                        return Err(end);
                    }
                    self.changed.notify_all();
                    self.hold.report_change();
                }
                (None, None) => {
                    if !self.queue().has_ordered() {
                        writing.outlet.stop_following();
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Waits while the limit of held bytes is reached. The proxy does not read from the sender meanwhile.
    fn wait_for_space(&self, link: &dyn Link) {
        let mut queue = self.queue();
        while queue.is_full(self.hold.limits().bytes) && !link.is_cut() {
            drop(queue);
            if link.is_sender_lost(self.direction) {
                return;
            }
            queue = self.queue();
            queue = self.changed.wait_timeout(queue, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forwards the next bytes as they arrive, unless something is queued.
    fn rest(&self) {
        let queue = self.queue();
        self.is_busy.store(!queue.is_empty(), Ordering::SeqCst);
    }

    /// Returns true if nothing is queued, and nothing is being sent.
    pub fn is_idle(&self) -> bool {
        let queue = self.queue();
        queue.is_over || queue.is_empty() && !queue.sending
    }

    pub fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
