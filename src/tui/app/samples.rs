//! Samples: while there is no record, one of the captures in the program can be opened above the screen.

use super::{App, Session};
use crate::capture::import::OpenError;
use crate::capture::import::samples::Sample;
use crate::capture::store::Capture;
use crate::tui::action::Action;
use crate::tui::effect::Effect;

impl App {
    /// Whether the screen offers samples: it has no record, and none is being read.
    pub fn offers_samples(&self) -> bool {
        self.counts.totals.records == 0 && !self.capture.is_loading() && !self.capture.is_growing()
    }

    /// Chooses a sample, or opens it. Returns false for other actions.
    pub(super) fn act_on_samples(&mut self, action: Action) -> bool {
        match action {
            Action::Up => self.samples.step(true),
            Action::Down => self.samples.step(false),
            Action::Open => self.effects.push(Effect::Sample(self.samples.current())),
            _ => return false,
        }
        true
    }

    /// Shows a sample that was read.
    pub(super) fn take_sample(&mut self, sample: Sample, read: Result<Capture, OpenError>) {
        match read {
            Ok(capture) => {
                let file = Some(format!("{}.pcapng", sample.name));
                let session = Session {
                    url: None,
                    traffic: None,
                    takes_lines: false,
                    file,
                    pasted: None,
                    ..self.session.clone()
                };
                self.show_above(capture, session);
                let esc = self.keymap.key_of(Action::Cancel);
                self.inform(format!("sample {}: {}; {esc} returns", sample.name, sample.words));
            }
            Err(e) => self.fail(e.to_string()),
        }
    }
}
