//! What reaches the main loop, from wherever.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::app::inflated::Unpacked;
use super::host::ExportRequest;
use crate::capture::query::search::Hit;

/// Something that the main loop reacts to.
#[derive(Debug)]
pub enum Event {
    /// From the terminal: a key, the mouse, another size.
    Terminal(crossterm::event::Event),
    /// The capture has changed.
    Changed,
    /// From work that runs beside the screen.
    Report(Report),
    /// The program must end now.
    Quit,
    /// The terminal is gone: nobody can see or quit the screen.
    HangUp,
}

/// What work beside the screen has to say.
#[derive(Debug)]
pub enum Report {
    /// It went well: one line.
    Said(String),
    /// A file was written: one line.
    Wrote(String),
    /// Something that was asked for beside other work cannot be done: one line.
    Refused(String),
    /// Work beside the screen failed: one line, and what to do.
    Failed(String),
    /// How far it is.
    Progress {
        /// What it does, in a word.
        what: &'static str,
        /// Done so far.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// The file exists: the request can be made again with force.
    Exists(ExportRequest),
    /// The long message that ends with that record is inflated.
    Inflated(u64, Unpacked),
    /// A search has ended.
    Found(Option<Hit>),
}

/// A handle by which other threads reach the main loop.
#[derive(Clone, Debug)]
pub struct Remote {
    sender: Sender<Event>,
}

impl Remote {
    /// Sends an event. When the loop has ended, nobody is there to care.
    pub fn send(&self, event: Event) {
        let _ = self.sender.send(event);
    }

    /// Sends a report.
    pub fn report(&self, report: Report) {
        self.send(Event::Report(report));
    }
}

/// The two ends of the loop's queue.
pub fn queue() -> (Remote, Receiver<Event>) {
    let (sender, receiver) = channel();
    (Remote { sender }, receiver)
}

/// Reads the terminal on a thread of its own, which ends with the process.
pub fn read_terminal(remote: Remote) {
    thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            remote.send(Event::Terminal(event));
        }
        remote.send(Event::HangUp);
    });
}
