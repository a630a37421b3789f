//! A script that plays on a connection of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::config::ServedScript;
use super::script_run::{MAX_STEPS, Played, ScriptRun};
use super::transport::{ConnectionLost, Transport};
use crate::capture::store::Capture;
use crate::proto::dissected::Direction;
use crate::proto::endpoint::Endpoint;
use crate::wire::close::CloseCode;

/// The most bytes that a script queues before they are written.
const MAX_SCRIPTED: usize = 256 * 1024;

/// The most statements that run after the end of the connection: they look at its last records.
const MAX_LAST_STEPS: usize = 64 * MAX_STEPS;

/// A script that plays on a connection.
pub struct Mock<'a> {
    run: ScriptRun,
    has_failed: &'a AtomicBool,
    capture: &'a Capture,
}

impl<'a> Mock<'a> {
    /// Begins a script on a connection that `capture` records.
    pub fn new(served: &'a ServedScript, capture: &'a Capture) -> Self {
        let run = ScriptRun::new(&served.script, capture, Direction::ClientToServer);
        Self { run, has_failed: &served.has_failed, capture }
    }

    /// Lets the script go on, and writes what it sends. Returns when it must go on again; `None` if it has ended. If it fails, the
    /// connection is closed with code 1011.
    pub fn play(
        &mut self,
        transport: &mut Transport,
        endpoint: &mut Endpoint,
    ) -> Result<Option<Option<Instant>>, ConnectionLost> {
        self.run.update(transport.number(), endpoint.is_over());
        for _ in 0..MAX_STEPS {
            let played = self.run.play(|outgoing| outgoing.encode(&mut endpoint.sender(transport.out())));
            match played {
                Played::Busy if transport.out().len() < MAX_SCRIPTED => {}
                Played::Busy => {
                    transport.flush()?;
                    return Ok(Some(Some(Instant::now())));
                }
                Played::Wait(until) => {
                    transport.flush()?;
                    return Ok(Some(until));
                }
                Played::Ended(result) => {
                    if let Err(line) = result {
                        self.fail(&line);
                        let code = Some(CloseCode::INTERNAL_ERROR);
                        endpoint.sender(transport.out()).close(code, "an expectation of the script failed");
                    }
                    transport.flush()?;
                    return Ok(None);
                }
            }
        }
        transport.flush()?;
        Ok(Some(Some(Instant::now())))
    }

    /// Lets the script look at what the client sent last.
    pub fn end(&mut self, transport: &mut Transport) {
        self.run.update(transport.number(), true);
        for _ in 0..MAX_LAST_STEPS {
            match self.run.play(|_| {}) {
                Played::Busy => {}
                Played::Ended(Err(line)) => return self.fail(&line),
                Played::Wait(_) | Played::Ended(Ok(())) => return,
            }
        }
    }

    fn fail(&self, line: &str) {
        self.has_failed.store(true, Ordering::SeqCst);
        self.capture.add_notice(line);
    }
}
