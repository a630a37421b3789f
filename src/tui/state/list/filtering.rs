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
    pub filter: Filter,
    engine: Engine,
    /// The connections with a matching record.
    pub connections: FilteredConnections,
}

enum Engine {
    /// The filter needs the index only: the screen's thread runs it between two events.
    Foreground(Box<FilterEvaluator>),
    /// The filter reads bytes: a background thread runs it.
    Background(Arc<BackgroundFilter>),
}

impl Filtering {
    /// Applies a filter. Also returns the part that a background thread must run, if the filter reads bytes.
    pub fn new(filter: Filter, capture: &Capture) -> (Self, Option<Arc<BackgroundFilter>>) {
        let background = filter.reads_bytes().then(|| Arc::new(BackgroundFilter::new(filter.clone())));
        let engine = match &background {
            Some(background) => Engine::Background(Arc::clone(background)),
            None => Engine::Foreground(Box::new(FilterEvaluator::new(&filter, capture))),
        };
        (Self { filter, engine, connections: FilteredConnections::default() }, background)
    }

    /// Filters further records for at most 4 ms and adds matches to `matches`. Returns true if more records wait and this
    /// thread must go on.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn extend(&mut self, capture: &Capture, matches: &mut SelectedRecords) -> io::Result<bool> {
        match &mut self.engine {
            Engine::Foreground(evaluator) => {
                let start = Instant::now();
                let more = evaluator.extend(matches, |_| start.elapsed() < SLICE).map(|whole| !whole);
                self.connections.update(evaluator.connections(), capture);
                more
            }
            Engine::Background(background) => background.take(capture, matches, &mut self.connections).map(|()| false),
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
