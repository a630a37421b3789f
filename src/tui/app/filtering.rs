//! The filter: what it lets through, as far as the capture was looked through.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::overlay::{Prompt, Purpose};
use super::{App, Effect, Panel, View};
use crate::capture::query::filter::{self, Filter, FilterError, Passed, Sieve};
use crate::capture::query::selection::Selection;
use crate::capture::store::Capture;
#[cfg(doc)]
use crate::capture::store::Totals;
use crate::wire::field::FieldId;
use crate::wire::http::Head;

/// How long the screen may look through the capture in one go.
const SLICE: Duration = Duration::from_millis(4);

/// How often work beside the screen shows what it has found.
const SHOW: Duration = Duration::from_millis(60);

/// The longest payload that a filter is made of, in bytes.
const MAX_LIKE: u64 = 256;

/// The filter that is applied.
pub struct Filtering {
    /// The filter.
    pub filter: Filter,
    way: Way,
}

enum Way {
    /// What the index tells is looked at between the events.
    Here(Box<Sieve>),
    /// What reads bytes is looked at beside the screen.
    Beside(Arc<Sifting>),
}

/// Looking through a capture beside the screen.
#[derive(Debug)]
pub struct Sifting {
    filter: Filter,
    state: Mutex<Sifted>,
    /// The capture may have grown, or the filter is no longer wanted.
    nudge: Condvar,
    stop: AtomicBool,
}

/// What was found and not yet shown.
#[derive(Debug, Default)]
struct Sifted {
    /// Numbers of records, in order.
    fresh: Vec<u64>,
    looked_at: u64,
    /// The number of the first record that had not moved then: see [`Totals::settled`].
    settled: u64,
    connections: Passed,
    failed: Option<String>,
}

impl Filtering {
    fn new(filter: Filter, capture: &Capture) -> Self {
        let way = if filter.reads_bytes() {
            let state = Mutex::default();
            Way::Beside(Arc::new(Sifting { filter: filter.clone(), state, nudge: Condvar::new(), stop: false.into() }))
        } else {
            Way::Here(Box::new(Sieve::new(&filter, capture)))
        };
        Self { filter, way }
    }
}

impl Drop for Filtering {
    fn drop(&mut self) {
        if let Way::Beside(sifting) = &self.way {
            sifting.stop.store(true, Ordering::Relaxed);
            // Under the lock, so that it is not between looking at `stop` and waiting.
            let _state = sifting.state();
            sifting.nudge.notify_all();
        }
    }
}

impl Sifting {
    /// Looks through a capture, and on through what comes, until the filter is no longer wanted; calls `show` when there is
    /// something to show.
    pub fn run(&self, capture: &Capture, show: impl Fn()) {
        let mut sieve = Sieve::new(&self.filter, capture);
        let mut selection = Selection::default();
        let mut shown = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            let settled = capture.totals().settled;
            let whole = sieve.extend(&mut selection, |_| !self.stop.load(Ordering::Relaxed) && start.elapsed() < SHOW);
            let mut state = self.state();
            if std::mem::replace(&mut state.settled, settled) != settled {
                state.fresh.retain(|no| *no >= settled);
            }
            state.fresh.extend((shown..selection.len()).filter_map(|row| selection.number(row)));
            state.looked_at = selection.looked_at();
            if state.connections.count() != sieve.connections().count() {
                state.connections = sieve.connections().clone();
            }
            selection.renew_before(capture.first(), []);
            shown = selection.len();
            if let Err(e) = &whole {
                state.failed = Some(format!("the filter cannot read the capture: {e}; is the file still there?"));
            }
            show();
            while matches!(whole, Ok(true)) && capture.len() == state.looked_at && !self.stop.load(Ordering::Relaxed) {
                state = self.nudge.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if whole.is_err() {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Sifted> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Shows only what a filter lets through from now on, or everything.
    pub fn filter_by(&mut self, filter: Option<Filter>) {
        self.filtering = filter.map(|filter| Filtering::new(filter, &self.capture));
        self.let_in = None;
        if let Some(Filtering { way: Way::Beside(sifting), .. }) = &self.filtering {
            self.effects.push(Effect::Sift(Arc::clone(sifting)));
        }
        self.set_filter(self.filtering.as_ref().map(|_| Selection::default()));
    }

    /// Looks at further records, as long as the screen can bear; whether it shall go on with that at once.
    pub(super) fn sift(&mut self) -> bool {
        let (Some(filtering), Some(within)) = (&mut self.filtering, self.rows.within_mut()) else { return false };
        let failed = match &mut filtering.way {
            Way::Here(sieve) => {
                let start = Instant::now();
                match sieve.extend(within, |_| start.elapsed() < SLICE) {
                    Ok(whole) => return !whole,
                    Err(e) => Some(e.to_string()),
                }
            }
            Way::Beside(sifting) => {
                let mut state = sifting.state();
                // What was found before more went with the ring may have another number now, or none.
                let settled = self.totals.settled;
                let known = if state.settled == settled { 0 } else { settled };
                for no in std::mem::take(&mut state.fresh) {
                    // What stands in for what is gone was let through when that went.
                    if no >= known && no > within.looked_at() {
                        within.pass(no - 1);
                        within.look(true);
                    }
                }
                within.pass(state.looked_at);
                sifting.nudge.notify_all();
                state.failed.take()
            }
        };
        if let Some(why) = failed {
            self.complain(why);
        }
        false
    }

    /// How many records the filter lets through, and how many were looked at; `None` while nothing filters.
    pub fn let_through(&self) -> Option<(u64, u64)> {
        self.filtering.as_ref()?;
        self.rows.within().map(|within| (within.len(), within.looked_at()))
    }

    /// The numbers of the connections of which the filter lets something through, where those are not `known` many; `None` while
    /// nothing filters.
    pub(super) fn connections_let_through(&self, known: usize) -> Option<Option<Vec<u32>>> {
        let news = |passed: &Passed| (passed.count() != known || known == 0).then(|| passed.numbers());
        Some(match &self.filtering.as_ref()?.way {
            Way::Here(sieve) => news(sieve.connections()),
            Way::Beside(sifting) => news(&sifting.state().connections),
        })
    }

    /// Whether records wait for the filter to look at them.
    pub fn is_sifting(&self) -> bool {
        self.let_through().is_some_and(|(_, looked_at)| looked_at < self.totals.records)
    }

    /// The filter that is applied.
    pub fn filter(&self) -> Option<&Filter> {
        self.filtering.as_ref().map(|filtering| &filtering.filter)
    }

    pub(super) fn ask_filter(&mut self) {
        let text = self.filter().map(|filter| filter.text().to_owned()).unwrap_or_default();
        self.prompt(Purpose::Filter, text);
    }

    /// Applies what was typed; what is wrong with it otherwise.
    pub(super) fn apply(&mut self, typed: &str) -> Result<(), FilterError> {
        let filter = if typed.trim().is_empty() { None } else { Some(Filter::parse(typed)?) };
        if filter.is_none() && self.filtering.is_some() {
            self.tell("no filter: all records are shown");
        }
        self.filter_by(filter);
        Ok(())
    }

    /// Takes the filter away; whether there was one.
    pub(super) fn clear_filter(&mut self) -> bool {
        let was = self.filtering.is_some();
        if was {
            self.filter_by(None);
            self.tell("no filter: all records are shown");
        }
        was
    }

    /// Filters for records that are like this one in what is selected.
    pub(super) fn filter_alike(&mut self) {
        let Some(alike) = self.alike() else { return self.tell("nothing is selected to filter by") };
        let joined = match self.filter() {
            Some(filter) => format!("({}) and {alike}", filter.text()),
            None => alike,
        };
        match Filter::parse(&joined).and_then(|filter| Filter::parse(&filter.to_string())) {
            Ok(filter) => {
                self.tell(format!("filter: {filter}; Esc clears it"));
                self.filter_by(Some(filter));
            }
            Err(e) => self.complain(e.to_string()),
        }
    }

    /// The question that what is selected answers with yes.
    fn alike(&self) -> Option<String> {
        if self.view == View::Connections {
            return (self.table.at > 0).then(|| format!("conn == {}", self.table.at));
        }
        let detail = self.detail.as_ref()?;
        let record = &detail.record;
        let whole = match record.opcode() {
            Some(opcode) => match opcode.name() {
                name if name.starts_with("reserved") => format!("op == {}", opcode.to_wire()),
                name => format!("op == {name}"),
            },
            None => format!("type == {}", record.kind.name()),
        };
        let Some(field) = detail.field_of_row(self.row).filter(|_| self.focus != Panel::List) else {
            return Some(whole);
        };
        let flag = |name: &str, set: bool| if set { name.to_owned() } else { format!("not {name}") };
        let bit = |n: u8| record.lead[0] >> n & 1 == 1;
        Some(match field.id {
            FieldId::Fin => flag("fin", bit(7)),
            FieldId::Rsv1 => flag("rsv1", bit(6)),
            FieldId::Rsv2 => flag("rsv2", bit(5)),
            FieldId::Rsv3 => flag("rsv3", bit(4)),
            FieldId::Mask => flag("mask", record.masked()),
            FieldId::PayloadLen => format!("websocket.payload_length == {}", record.len_code()),
            FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => format!("len == {}", record.payload_len()?),
            FieldId::MaskingKey => format!("websocket.masking_key == {}", hex::encode(detail.masking_key()?)),
            FieldId::CloseCode => format!("close.code == {}", record.code),
            FieldId::Status => format!("status == {}", record.code),
            FieldId::Payload | FieldId::CloseReason => self.payload_alike()?,
            FieldId::Target => {
                let target = self.said_in_head(|head| head.target().map(<[u8]>::to_vec))?;
                format!("path == {}", filter::quote(filter::path_of(&target)))
            }
            FieldId::Header(_) if detail.rows.get(self.row)?.name.eq_ignore_ascii_case("host") => {
                let host = self.said_in_head(|head| head.value("Host").map(<[u8]>::to_vec))?;
                format!("host == {}", filter::quote(&host))
            }
            _ => whole,
        })
    }

    fn payload_alike(&self) -> Option<String> {
        let record = &self.detail.as_ref()?.record;
        let len = record.payload_len()?;
        if len > MAX_LIKE || record.compressed {
            return Some(format!("len == {len}"));
        }
        let payload = self.capture.payload(record, 0..len).ok()?;
        Some(match std::str::from_utf8(&payload) {
            Ok("") => "len == 0".to_owned(),
            Ok(text) => format!("websocket.payload == {}", filter::quote(text)),
            Err(_) => format!("websocket.payload == {}", hex::encode(&payload)),
        })
    }

    /// A part of the head under the cursor.
    fn said_in_head(&self, part: impl Fn(&Head<'_>) -> Option<Vec<u8>>) -> Option<String> {
        let head = Head::read(self.detail.as_ref()?.http.as_deref()?);
        part(&head).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Prompt {
    /// Puts the next candidate in the place of the word before the cursor, or the one before it.
    pub(super) fn complete(&mut self, back: bool) {
        let (base, at) = match self.tabbed.take() {
            Some((base, at)) => (base, if back { at.checked_sub(1) } else { Some(at + 1) }),
            None => (self.input.value().chars().take(self.input.cursor()).collect(), Some(0)),
        };
        let completion = filter::complete(&base);
        let Some(last) = completion.words.len().checked_sub(1) else { return };
        let at = at.unwrap_or(last);
        let at = if at > last { 0 } else { at };
        let rest: String = self.input.value().chars().skip(self.input.cursor()).collect();
        let before = format!("{}{}", &base[..completion.from], completion.words[at]);
        let cursor = before.chars().count();
        self.input = tui_input::Input::new(before + &rest).with_cursor(cursor);
        self.tabbed = Some((base, at));
    }

    /// Of a filter what can stand at the cursor, and what is wrong with it.
    pub fn advice(&self) -> (Vec<&'static str>, Option<FilterError>) {
        let typed = self.input.value();
        let base: String = match &self.tabbed {
            Some((base, _)) => base.clone(),
            None => typed.chars().take(self.input.cursor()).collect(),
        };
        let words = filter::complete(&base).words;
        let error = if typed.trim().is_empty() { None } else { Filter::parse(typed).err() };
        (words, error)
    }
}
