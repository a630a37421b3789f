//! The applied filter: which records and connections match it so far.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::shown_connections::FilteredConnections;
use super::background_filter::BackgroundFilter;
use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::Capture;

/// Longest time that the screen's thread spends on filtering without a break.
const SLICE: Duration = Duration::from_millis(4);

/// The applied filter.
pub struct Filtering {
    filter: Filter,
    engine: Engine,
    connections: FilteredConnections,
}

enum Engine {
    /// The filter needs the index only: the screen's thread runs it between two events.
    Foreground(Box<FilterEvaluator>),
    /// The filter reads bytes: a background thread runs it.
    Background(Arc<BackgroundFilter>),
}

impl Filtering {
    /// Applies a filter. If it reads bytes, [`Self::background`] must be started.
    pub fn new(filter: Filter, capture: &Capture) -> Self {
        let engine = if filter.reads_bytes() {
            Engine::Background(Arc::new(BackgroundFilter::new(filter.clone())))
        } else {
            Engine::Foreground(Box::new(FilterEvaluator::new(&filter, capture)))
        };
        Self { filter, engine, connections: FilteredConnections::default() }
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The part that a background thread must run.
    pub const fn background(&self) -> Option<&Arc<BackgroundFilter>> {
        match &self.engine {
            Engine::Background(background) => Some(background),
            Engine::Foreground(_) => None,
        }
    }

    /// The connections with a matching record.
    pub const fn connections(&self) -> &FilteredConnections {
        &self.connections
    }

    /// Removes evicted connections.
    pub fn retain_connections(&mut self, capture: &Capture) {
        self.connections.retain(capture);
    }

    /// Filters further records for at most 4 ms and adds matches to `matches`. Returns true if more records wait and this
    /// thread must go on.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn extend(&mut self, capture: &Capture, matches: &mut SelectedRecords) -> io::Result<bool> {
        let more = match &mut self.engine {
            Engine::Foreground(evaluator) => {
                let start = Instant::now();
                evaluator.extend(matches, |_| start.elapsed() < SLICE).map(|whole| !whole)
            }
            Engine::Background(background) => {
                let batch = background.take();
                for no in batch.matches {
                    // Records that were evicted meanwhile were passed at the eviction.
                    if no > matches.looked_at() {
                        matches.pass(no - 1);
                        matches.look(true);
                    }
                }
                matches.pass(batch.looked_at);
                batch.error.map_or(Ok(false), Err)
            }
        };
        self.match_connections(capture);
        more
    }

    fn match_connections(&mut self, capture: &Capture) {
        let known = self.connections.known();
        let found = match &self.engine {
            Engine::Foreground(evaluator) => {
                let passed = evaluator.connections();
                (passed.count() != known || known == 0).then(|| passed.numbers())
            }
            Engine::Background(background) => background.connections(known),
        };
        if let Some(numbers) = found {
            self.connections = FilteredConnections::new(numbers);
            self.connections.retain(capture);
        }
    }
}

impl Drop for Filtering {
    fn drop(&mut self) {
        if let Engine::Background(background) = &self.engine {
            background.stop();
        }
    }
}
