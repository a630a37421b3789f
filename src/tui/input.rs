//! Reads the terminal.

use std::thread;

use super::background::AnswerFilter;
use super::event::{Event, Remote};

/// Starts a thread that reads the terminal and sends its events. It runs until the terminal closes or the process ends. If the terminal
/// `is_asked` for its background colour, the answer becomes an event of its own.
pub fn read_terminal(remote: Remote, is_asked: bool) {
    thread::spawn(move || {
        let mut filter = AnswerFilter::new(is_asked);
        loop {
            let waits_in_vain = filter.patience().is_some_and(|wait| matches!(crossterm::event::poll(wait), Ok(false)));
            let events = match waits_in_vain {
                true => filter.release(),
                false => match crossterm::event::read() {
                    Ok(event) => filter.push(event),
                    Err(_) => break,
                },
            };
            events.into_iter().for_each(|event| remote.send(event));
        }
        remote.send(Event::Interrupt);
    });
}
