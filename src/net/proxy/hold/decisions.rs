//! The decisions of the user about held messages, and the thread that carries them out.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;

use super::lane::Lane;
use super::link::Link;
use super::queue::Verdict;
use super::rules::RuleId;
use super::waiting::Injection;
use crate::net::listener::STACK;

impl Lane {
    /// Decides about a held message; returns false if it is not held any more.
    pub fn decide(self: &Arc<Self>, link: &Weak<dyn Link>, id: u64, verdict: &Verdict) -> bool {
        let is_known = self.queue().decide(id, verdict);
        if is_known {
            self.send_soon(link);
        }
        is_known
    }

    /// Sends a message or frame of the user, as soon as the frame or message before it has ended.
    pub fn inject(self: &Arc<Self>, link: &Weak<dyn Link>, injection: Injection) -> bool {
        let mut queue = self.queue();
        if queue.is_over {
            return false;
        }
        queue.inject(injection);
        self.is_busy.store(true, Ordering::SeqCst);
        drop(queue);
        self.send_soon(link);
        true
    }

    /// Sends on the messages that no rule holds any more.
    pub fn keep_rules(self: &Arc<Self>, link: &Weak<dyn Link>, rules: &[RuleId]) {
        let is_released = self.queue().keep_rules(rules);
        // Without a rule for this direction, the withheld bytes are sent too.
        if is_released || self.is_busy.load(Ordering::SeqCst) && !self.is_watched() {
            self.send_soon(link);
        }
    }

    /// Sends in another thread what may be sent now: a receiver that does not read must not block the caller.
    fn send_soon(self: &Arc<Self>, link: &Weak<dyn Link>) {
        {
            let mut queue = self.queue();
            queue.again = true;
            if queue.is_over || std::mem::replace(&mut queue.sending, true) {
                return;
            }
        }
        let (lane, link) = (Arc::clone(self), Weak::clone(link));
        let send = thread::Builder::new().name("held".to_owned()).stack_size(STACK);
        match send.spawn(move || lane.send_all(&link)) {
            // An earlier one has sent all that it had.
            Ok(sender) => self.queue().sender = Some(sender),
            Err(_) => {
                self.queue().sending = false;
                self.tap.wiretap().notice("the system has no free threads: a held message was not sent");
            }
        }
    }

    fn send_all(&self, link: &Weak<dyn Link>) {
        loop {
            {
                let mut queue = self.queue();
                if !std::mem::take(&mut queue.again) {
                    queue.sending = false;
                    drop(queue);
                    return self.changed.notify_all();
                }
            }
            let Some(link) = link.upgrade() else { continue };
            let mut writing = self.writing();
            let sent = self.send_ready(&*link, &mut writing).and_then(|()| self.release_gate(&*link, &mut writing));
            drop(writing);
            if sent.is_err() {
                self.abandon();
            }
        }
    }
}
