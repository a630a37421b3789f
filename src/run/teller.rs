//! What is wrong while a headless run goes on: a thread says it, so that nobody waits for whoever reads stderr.

use std::io;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::stdio;

/// A thread that says lines on stderr. Clones say on the same.
#[derive(Clone)]
pub struct Teller(Sender<Told>);

enum Told {
    Line(String),
    /// Everything before is said.
    Done(SyncSender<()>),
}

impl Teller {
    /// A teller that has said nothing.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start() -> io::Result<Self> {
        let (sender, told) = channel();
        thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            for told in told {
                match told {
                    Told::Line(line) => stdio::say(line),
                    Told::Done(done) => drop(done.try_send(())),
                }
            }
        })?;
        Ok(Self(sender))
    }

    /// Says a line, in its turn.
    pub fn say(&self, line: &str) {
        // The thread lives as long as the process.
        let _ = self.0.send(Told::Line(line.to_owned()));
    }

    /// Waits until everything is said, until `deadline`; whether it is.
    pub fn finish(&self, deadline: Instant) -> bool {
        let (done, said) = sync_channel(1);
        let _ = self.0.send(Told::Done(done));
        said.recv_timeout(deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))).is_ok()
    }
}
