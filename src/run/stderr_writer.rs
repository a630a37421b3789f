//! A thread that writes messages to stderr, so that no other thread waits for the reader of stderr.

use std::io;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::stdio;

/// Writes lines to stderr on a thread of its own. Clones use the same thread.
#[derive(Clone)]
pub struct StderrWriter(Sender<Job>);

enum Job {
    Line(String),
    /// Answer: every earlier line is written.
    Flush(SyncSender<()>),
}

impl StderrWriter {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let (sender, jobs) = channel();
        thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            for job in jobs {
                match job {
                    Job::Line(line) => stdio::say(line),
                    Job::Flush(flushed) => drop(flushed.try_send(())),
                }
            }
        })?;
        Ok(Self(sender))
    }

    /// Queues a line.
    pub fn say(&self, line: &str) {
        // The thread lives as long as the process.
        let _ = self.0.send(Job::Line(line.to_owned()));
    }

    /// Waits until every queued line is written. Returns false if that is not done before `deadline`.
    pub fn flush(&self, deadline: Instant) -> bool {
        let (flushed, is_flushed) = sync_channel(1);
        let _ = self.0.send(Job::Flush(flushed));
        let timeout = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        is_flushed.recv_timeout(timeout).is_ok()
    }
}
