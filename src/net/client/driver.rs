//! The thread that writes, and that acts when something is due: pings, late pongs, the script, and the end after a Close.

use std::time::Instant;

use super::end::ClientEnd;
use super::shared::{Shared, State};
use super::{CLOSE_TIMEOUT, FIN_TIMEOUT};
use crate::net::script_run::{MAX_STEPS, Played, ScriptRun};

/// The most bytes of one write.
const PIECE: usize = 64 * 1024;

/// The most bytes that a script queues before they are written.
const MAX_SCRIPTED: usize = 256 * 1024;

/// Writes and acts until the connection has ended.
pub(super) fn run(shared: &Shared, mut script: Option<ScriptRun>) {
    // The number of reads, and whether the server had finished, when the script last ran.
    let (mut reads, mut was_over) = (0, false);
    // True when nothing can be written any more. The script still tests the records that have arrived.
    let mut has_given_up = false;
    // The server's time to answer our Close starts when the Close is written, not when it is queued.
    let mut is_close_written = false;
    loop {
        let mut until = None;
        if let Some(run) = &mut script {
            match play(shared, run, was_over) {
                Some(wait) => until = wait,
                None => script = None,
            }
        }
        let (bytes, has_close) = {
            let mut state = shared.lock();
            loop {
                let now = Instant::now();
                let due = state.due().filter(|_| !has_given_up && (state.closed.is_none() || is_close_written));
                let is_due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
                if state.end.is_some() && (script.is_none() || was_over) {
                    return;
                }
                if state.closed.is_some() && is_due(due) {
                    has_given_up = true;
                    drop(state);
                    shared.cut(ClientEnd::CloseTimedOut(CLOSE_TIMEOUT));
                    state = shared.lock();
                    continue;
                }
                if is_due(due) {
                    state.beat(now);
                }
                let has_news = script.is_some() && (state.reads != reads || state.is_over() && !was_over);
                if !state.out.is_empty() || has_news || is_due(until) {
                    break;
                }
                state = shared.wait(state, until.into_iter().chain(due).min());
            }
            (reads, was_over) = (state.reads, state.is_over());
            state.writing = !state.out.is_empty();
            state.replies = 0;
            (std::mem::take(&mut state.out), state.closed.is_some() && !is_close_written)
        };
        if !has_given_up && let Err(why) = bytes.chunks(PIECE).try_for_each(|piece| shared.write(piece)) {
            has_given_up = true;
            shared.stop_writing(why);
        }
        is_close_written |= has_close;
        shared.change(|state| {
            state.writing = false;
            if has_close {
                state.closed = Some(Instant::now());
            }
        });
    }
}

/// Runs the script up to its next wait. Returns when to call it again; `None` if it has ended.
fn play(shared: &Shared, run: &mut ScriptRun, is_over: bool) -> Option<Option<Instant>> {
    if shared.lock().open.is_none() {
        // The handshake has not ended, or has failed.
        return Some(None);
    }
    run.update(shared.tap.number(), is_over);
    for _ in 0..MAX_STEPS {
        let played = run.play(|outgoing| {
            shared.lock().queue(outgoing);
        });
        match played {
            Played::Busy if shared.lock().out.len() < MAX_SCRIPTED => {}
            Played::Busy => return Some(Some(Instant::now())),
            Played::Wait(until) => return Some(until),
            Played::Ended(result) => {
                shared.change(|state| state.script = Some(result));
                return None;
            }
        }
    }
    Some(Some(Instant::now()))
}

impl State {
    /// When something is due on an open connection: a ping, a pong, or the end of the wait after a Close.
    fn due(&self) -> Option<Instant> {
        let timeout = if self.is_over() { FIN_TIMEOUT } else { CLOSE_TIMEOUT };
        match self.closed {
            Some(closed) => closed.checked_add(timeout),
            None => self.open.as_ref().and_then(|open| open.heartbeat.due()),
        }
    }
}
