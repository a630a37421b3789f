//! Captures that earlier runs kept: the list of them, opening one above the current capture, and deleting one.

use std::io;
use std::sync::atomic::Ordering;

use super::{App, Session};
use crate::capture::import::OpenError;
use crate::capture::live::spool::KeptCapture;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::kept_request::{KeptRead, KeptRequest};
use crate::tui::state::dialogs::{Dialog, KeptList, Question};
use crate::tui::state::jobs::OPEN;
use crate::wire::printable;

impl App {
    /// Lists kept captures in a dialog, unless there are none. Returns false then.
    pub fn list_kept(&mut self, captures: Vec<KeptCapture>) -> bool {
        self.kept = captures.len();
        let unknown = captures.iter().filter(|kept| !self.kept_records.contains_key(&kept.path));
        let unknown: Vec<KeptCapture> = unknown.cloned().collect();
        let list = KeptList::new(captures);
        let is_some = list.is_some();
        if self.dialogs.open.is_none() && is_some {
            self.dialogs.open = list.map(Dialog::Kept);
            if !unknown.is_empty() {
                self.effects.push(Effect::CountKept(unknown));
            }
        }
        is_some
    }

    pub(super) fn act_in_kept(&mut self, mut list: KeptList, action: Action) {
        match action {
            Action::Up => list.step(true),
            Action::Down => list.step(false),
            Action::Submit => return self.open_kept(list.current().clone()),
            Action::Delete => {
                let question = Question::DeleteKept(list.current().clone());
                self.dialogs.open = Some(Dialog::Question(question));
                return;
            }
            Action::Quit => return self.quit(),
            _ => return,
        }
        self.dialogs.open = Some(Dialog::Kept(list));
    }

    fn open_kept(&mut self, kept: KeptCapture) {
        if self.jobs.is_exporting() {
            return self.inform("an export is running: open the capture when it is done, or stop it with Esc");
        }
        let cancel = self.jobs.start(OPEN, 0);
        self.effects.push(Effect::OpenKept(KeptRequest { kept, cancel }));
    }

    /// Shows a kept capture that was read.
    pub(super) fn take_kept(&mut self, request: &KeptRequest, read: Result<KeptRead, OpenError>) {
        if request.cancel.load(Ordering::Relaxed) {
            return;
        }
        self.jobs.finish();
        match read {
            Ok(KeptRead(capture)) => {
                let session = Session {
                    url: None,
                    traffic: None,
                    takes_lines: false,
                    file: Some(name(&request.kept)),
                    pasted: None,
                    hold: None,
                    ..self.session.clone()
                };
                self.show_above(capture, session);
                let esc = self.keymap.key_of(Action::Cancel);
                self.inform(format!("this capture is kept until you delete it; {esc} returns"));
            }
            Err(e) => self.fail(e.to_string()),
        }
    }

    /// Takes the result of a deletion, and lists the captures that are left.
    pub(super) fn take_deletion(&mut self, kept: &KeptCapture, deleted: io::Result<()>, left: Vec<KeptCapture>) {
        self.list_kept(left);
        match deleted {
            Ok(()) => self.succeed(format!("deleted {}", name(kept))),
            Err(e) => self.fail(format!("cannot delete {} ({e})", name(kept))),
        }
    }
}

fn name(kept: &KeptCapture) -> String {
    let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
    printable::text(&name).into_owned()
}
