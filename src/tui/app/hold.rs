//! The panel of what a proxy holds, the prompts for a rule, an edited message and an injected frame.

use std::path::PathBuf;
use std::sync::Arc;

use super::App;
use crate::capture::format::proxied::Proxied;
use crate::capture::query::filter::{Filter, FilterError};
use crate::proto::dissected::Direction;
use crate::proto::rules::count;
use crate::script::{CustomFrame, InputLine, Outgoing};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::file_message::{FileMessage, Receiver, check_file};
use crate::tui::hold_desk::{Decision, HeldContent, HeldRow, HoldDesk};
use crate::tui::keymap::{Context, Hint};
use crate::tui::legend::proxied_sign;
use crate::tui::state::dialogs::{Dialog, HoldPanel, HoldRow, PanelBelow, Prompt, Purpose};
use crate::wire::close::CloseCode;
use crate::wire::frame::close_code;
use crate::wire::opcode::Opcode;

/// The longest payload that is edited in the prompt, in bytes.
const MAX_EDITED: usize = 64 << 10;

/// The longest message whose frames are copied for that, in bytes on the wire.
const MAX_COPIED: u64 = 1 << 20;

/// What a typed line sends.
enum Typed {
    Message(Outgoing),
    /// The content of a file, which is read in the background.
    File(PathBuf),
}

impl App {
    /// Takes what the proxy holds now.
    pub(super) fn refresh_held(&mut self) {
        let before = self.held.injected;
        self.held.refresh(self.session.hold.as_ref(), &self.capture);
        if self.held.injected > before {
            self.show_success(format!("sent; {} marks its record in the list", proxied_sign(Proxied::Added)));
        }
    }

    /// Opens the panel of what is held.
    pub(super) fn open_hold(&mut self) {
        if self.desk().is_none() {
            return;
        }
        self.refresh_held();
        if self.held.is_empty() {
            return self.open_prompt(Purpose::Rule, String::new());
        }
        // While the list follows, its cursor is where nobody has put it.
        let chosen = (!self.list.following).then_some(self.list.cursor);
        self.dialogs.open = Some(Dialog::Hold(HoldPanel::on_record(&self.held, chosen)));
        self.reveal_held();
    }

    /// The hints of the panel, for the row under its cursor.
    pub(super) fn hold_hints(&self, panel: &HoldPanel) -> Vec<Hint> {
        let current = panel.current(&self.held);
        let words = |hint: Hint| match (hint.action, current) {
            (Action::SendHeld, Some(HoldRow::Held(_))) => Some(hint),
            (Action::SendHeld, _) => None,
            (Action::SendAllHeld, _) => (self.held.rows.len() > 1).then_some(hint),
            (Action::EditHeld | Action::Up | Action::Delete, None) => None,
            (Action::Delete, Some(HoldRow::Held(_))) => Some(Hint { words: "drop".to_owned(), ..hint }),
            (Action::EditHeld, Some(HoldRow::Injection(_))) => None,
            (Action::EditHeld | Action::Up, Some(_)) => Some(hint),
            (Action::Delete, Some(HoldRow::Injection(_))) => Some(Hint { words: "withdraw".to_owned(), ..hint }),
            (Action::Delete, Some(HoldRow::Rule(_))) => Some(Hint { words: "delete".to_owned(), ..hint }),
            _ => Some(hint),
        };
        self.keymap.hints(Context::Hold).into_iter().filter_map(words).collect()
    }

    /// The proxy that can hold messages; says that there is none.
    fn desk(&mut self) -> Option<Arc<dyn HoldDesk>> {
        let desk = self.session.hold.clone();
        if desk.is_none() {
            self.inform("only framescope proxy holds messages, or sends into connections of others");
        }
        desk
    }

    /// Shows the record of the message under the cursor of the panel.
    fn reveal_held(&mut self) {
        let Some(Dialog::Hold(panel)) = self.dialogs.open else { return };
        if let Some(HoldRow::Held(row)) = panel.current(&self.held) {
            let no = row.record;
            // The record may be newer than the counts.
            self.count();
            self.extend_rows();
            self.reveal(no);
        }
    }

    pub(super) fn act_in_hold(&mut self, mut panel: HoldPanel, action: Action) {
        let Some(desk) = self.desk() else { return };
        let current = panel.current(&self.held);
        let held = match current {
            Some(HoldRow::Held(row)) => Some(row.clone()),
            _ => None,
        };
        let rule = match current {
            Some(HoldRow::Rule(row)) => Some(row.clone()),
            _ => None,
        };
        match (action, held, rule) {
            (Action::Delete, ..) if let Some(HoldRow::Injection(row)) = current => {
                let (id, opcode) = (row.id, row.opcode);
                match desk.withdraw(id) {
                    Ok(()) => self.succeed(format!("the {} is not sent", opcode.name())),
                    Err(e) => self.fail(e),
                }
            }
            (Action::Up | Action::Down, ..) => panel.step(&self.held, action == Action::Up),
            (Action::AddRule, ..) => return self.open_prompt(Purpose::Rule, String::new()),
            (Action::SendAllHeld, ..) => {
                desk.send_all();
            }
            (Action::SendHeld, Some(row), _) => self.decide(&*desk, &row, Decision::Send),
            (Action::Delete, Some(row), _) => self.decide(&*desk, &row, Decision::Drop),
            (Action::EditHeld, Some(row), _) => return self.edit_held(&*desk, &row),
            (Action::Delete, _, Some(rule)) => {
                desk.remove_rule(rule.id);
                self.succeed(format!("hold rule {} deleted; messages that only it held are sent on", rule.text));
            }
            (Action::EditHeld, _, Some(rule)) => {
                self.dialogs.replaced_rule = Some(rule.id);
                return self.open_prompt(Purpose::Rule, rule.text);
            }
            (Action::SendHeld | Action::Delete | Action::EditHeld, ..) => {}
            (Action::Help, ..) => {
                self.dialogs.open = Some(Dialog::Help(0));
                self.dialogs.below = Some(PanelBelow::Hold(panel));
                return;
            }
            (Action::Quit, ..) => return self.quit(),
            _ => return,
        }
        self.refresh_held();
        match action {
            Action::SendHeld | Action::Delete | Action::SendAllHeld => panel.go_on(&self.held),
            _ => panel.stay(&self.held),
        }
        self.dialogs.open = Some(Dialog::Hold(panel));
        self.reveal_held();
    }

    fn decide(&mut self, desk: &dyn HoldDesk, row: &HeldRow, decision: Decision) {
        let done = match decision {
            Decision::Send => "sent on",
            Decision::Drop => "dropped",
            Decision::Replace(_) => "changed",
        };
        match desk.decide(row.id, decision) {
            Ok(()) => self.succeed(format!("record {} {done}", row.record)),
            Err(e) => self.fail(e),
        }
    }

    /// Opens the panel again after a prompt.
    fn return_to_hold(&mut self) {
        self.refresh_held();
        if self.held.is_empty() {
            self.dialogs.open = None;
            return;
        }
        self.dialogs.open = Some(Dialog::Hold(HoldPanel::on_record(&self.held, Some(self.list.cursor))));
        self.reveal_held();
    }

    /// Closes a prompt: one that the panel opened returns there.
    pub(super) fn leave_hold_prompt(&mut self, purpose: Purpose) {
        self.dialogs.replaced_rule = None;
        if matches!(purpose, Purpose::Rule | Purpose::Edit(_)) {
            self.return_to_hold();
        }
    }

    /// Adds the rule that was typed, in place of the one that was edited.
    pub(super) fn add_rule(&mut self, text: &str) -> Result<(), FilterError> {
        let replaced = self.dialogs.replaced_rule;
        if !text.trim().is_empty() {
            let filter = Filter::parse(text)?;
            if let Some(desk) = self.desk() {
                desk.add_rule(filter);
                replaced.into_iter().for_each(|rule| desk.remove_rule(rule));
            }
        }
        self.dialogs.replaced_rule = None;
        self.return_to_hold();
        Ok(())
    }

    /// Asks for what goes in place of a held message.
    fn edit_held(&mut self, desk: &dyn HoldDesk, row: &HeldRow) {
        // Its frames may have more bytes than its payload, and this thread waits until they are copied.
        if row.len > MAX_COPIED {
            return self.ask_file(row.id, &format!("{} on the wire", count(row.len, "byte")));
        }
        let content = match desk.content(row.id) {
            Ok(content) => content,
            Err(e) => {
                self.return_to_hold();
                return self.fail(e);
            }
        };
        if content.payload.len() > MAX_EDITED {
            let len = content.payload.len() as u64;
            // Of a longer message, only the beginning is inflated.
            let size = if len < MAX_COPIED { count(len, "byte") } else { "more than 1 MiB".to_owned() };
            return self.ask_file(row.id, &size);
        }
        self.open_prompt(Purpose::Edit(row.id), simple_line(&content));
    }

    /// Asks for a file that goes in place of a message that is too long for the prompt.
    fn ask_file(&mut self, id: u64, size: &str) {
        let mut prompt = Prompt::new(Purpose::Edit(id), "/file ".to_owned());
        prompt.remark =
            Some(format!("{size} is too much to edit here: give a file, or send the message on or drop it"));
        self.dialogs.open = Some(Dialog::Prompt(prompt));
    }

    /// The message of a prompt in its next form: text or hex alone, then with the whole header.
    pub(super) fn next_form(&mut self, prompt: Prompt) -> Prompt {
        let Purpose::Edit(id) = prompt.purpose else { return prompt };
        let is_short = self.held.rows.iter().any(|row| row.id == id && row.len <= MAX_COPIED);
        let desk = self.session.hold.as_ref().filter(|_| is_short);
        let Some(content) = desk.and_then(|desk| desk.content(id).ok()) else { return prompt };
        let typed = prompt.input().value();
        match other_form(typed, &content) {
            Ok(line) => Prompt::new(prompt.purpose, line),
            Err(e) => prompt.refused(e),
        }
    }

    /// Sends what was typed in place of a held message.
    pub(super) fn replace_held(&mut self, id: u64, text: &str) -> Result<(), String> {
        let typed = typed(text)?;
        let row = self.held.rows.iter().find(|row| row.id == id).cloned();
        let Some(desk) = self.desk() else { return Ok(()) };
        match (typed, row) {
            (Typed::File(path), _) => self.send_file(desk, path, Receiver::InPlaceOf(id)),
            (Typed::Message(outgoing), Some(row)) => self.decide(&*desk, &row, Decision::Replace(outgoing)),
            (Typed::Message(outgoing), None) => desk.decide(id, Decision::Replace(outgoing))?,
        }
        let notice = self.notice.take();
        self.return_to_hold();
        self.notice = notice;
        Ok(())
    }

    fn send_file(&mut self, desk: Arc<dyn HoldDesk>, path: PathBuf, to: Receiver) {
        self.inform(format!("reading {}", path.display()));
        self.effects.push(Effect::SendFile(FileMessage { desk, path, to }));
    }

    /// Asks for a message or frame to inject.
    pub(super) fn ask_injection(&mut self) {
        if self.desk().is_none() {
            return;
        }
        let record = self.capture.record(self.list.cursor);
        let Some(record) = record else {
            return self.inform("nothing is connected yet: choose a record of the connection to send into");
        };
        let purpose = Purpose::Inject { connection: record.connection, direction: record.direction };
        self.open_prompt(purpose, String::new());
    }

    /// The prompt for the other side.
    pub(super) fn other_side(prompt: &Prompt) -> Option<Prompt> {
        let Purpose::Inject { connection, direction } = prompt.purpose else { return None };
        let purpose = Purpose::Inject { connection, direction: direction.opposite() };
        Some(Prompt::new(purpose, prompt.input().value().to_owned()))
    }

    /// Sends what was typed into a connection; the prompt stays open for the next line.
    pub(super) fn inject(&mut self, connection: u32, direction: Direction, text: &str) -> Result<(), String> {
        if text.is_empty() {
            // A second Enter sends no empty message.
            self.open_prompt(Purpose::Inject { connection, direction }, String::new());
            return Ok(());
        }
        let typed = typed(text)?;
        let Some(desk) = self.desk() else { return Ok(()) };
        match typed {
            Typed::File(path) => self.send_file(desk, path, Receiver::Of { connection, direction }),
            Typed::Message(outgoing) => desk.inject(connection, direction, outgoing)?,
        }
        self.sent.add(text);
        self.open_prompt(Purpose::Inject { connection, direction }, String::new());
        Ok(())
    }
}

/// Reads a line. A file must exist.
fn typed(text: &str) -> Result<Typed, String> {
    match InputLine::parse(text).map_err(|e| e.to_string())? {
        InputLine::Send(outgoing) => Ok(Typed::Message(outgoing)),
        InputLine::Connect => Err("/connect works only in framescope connect".to_owned()),
        InputLine::File(path) => check_file(&path).map(|()| Typed::File(path)),
    }
}

/// The shortest line that sends this content: that with the whole header, if no other one does.
fn simple_line(content: &HeldContent) -> String {
    let head = &content.head;
    let is_usual =
        !head.rsv2 && !head.rsv3 && head.rsv1 == content.is_compressed && (head.fin || !head.opcode.is_control());
    let line = Some(short_line(content)).filter(|line| is_usual && InputLine::parse(line).is_ok());
    line.unwrap_or_else(|| whole_line(content, content.payload.clone(), head.opcode))
}

fn short_line(content: &HeldContent) -> String {
    let text = std::str::from_utf8(&content.payload);
    match (content.head.opcode, text) {
        (Opcode::Text, Ok(text)) if text.starts_with('/') => format!("/{text}"),
        (Opcode::Text, Ok(text)) => text.to_owned(),
        (Opcode::Binary, _) => format!("/hex {}", hex::encode(&content.payload)),
        (Opcode::Ping, Ok(text)) => format!("/ping {text}"),
        (Opcode::Pong, Ok(text)) => format!("/pong {text}"),
        (Opcode::Close, Ok(_)) if content.payload.is_empty() => "/close".to_owned(),
        (Opcode::Close, _) if content.payload.len() >= 2 => match std::str::from_utf8(&content.payload[2..]) {
            Ok(reason) => format!("/close {} {reason}", close_code(&content.payload).map_or(0, |CloseCode(code)| code)),
            Err(_) => whole_line(content, content.payload.clone(), content.head.opcode),
        },
        _ => whole_line(content, content.payload.clone(), content.head.opcode),
    }
}

/// The line with the whole header.
fn whole_line(content: &HeldContent, payload: Vec<u8>, opcode: Opcode) -> String {
    let head = &content.head;
    let rsv = [head.rsv1 && !content.is_compressed, head.rsv2, head.rsv3];
    let mask = Some(head.masking_key.is_some());
    let is_data = !opcode.is_control();
    let deflate = content.is_compressed && is_data;
    let fin = head.fin || is_data;
    CustomFrame { fin, rsv, mask, deflate, ..CustomFrame::new(opcode, payload) }.line(true)
}

/// A line in its next form: text or hex, the whole header with text, the whole header with hex.
fn other_form(typed: &str, content: &HeldContent) -> Result<String, String> {
    let head = content.head;
    let Typed::Message(outgoing) = self::typed(typed)? else { return Err("a file has no other form".to_owned()) };
    match outgoing {
        Outgoing::Custom(frame) if typed.contains(" text ") => Ok(frame.line(false)),
        Outgoing::Custom(frame) => {
            let head = crate::wire::frame::FrameHead { opcode: frame.opcode, ..head };
            Ok(simple_line(&HeldContent { head, payload: frame.payload, ..content.clone() }))
        }
        Outgoing::Text(text) => Ok(whole_line(content, text.into_bytes(), Opcode::Text)),
        Outgoing::Binary(bytes) => Ok(whole_line(content, bytes, Opcode::Binary)),
        Outgoing::Ping(payload) => Ok(whole_line(content, payload, Opcode::Ping)),
        Outgoing::Pong(payload) => Ok(whole_line(content, payload, Opcode::Pong)),
        Outgoing::Close { code, reason } => {
            let code = code.map(|CloseCode(code)| code.to_be_bytes().to_vec()).unwrap_or_default();
            Ok(whole_line(content, [code, reason.into_bytes()].concat(), Opcode::Close))
        }
        Outgoing::Fragments { .. } | Outgoing::Frame { .. } => Err("fragments have no other form".to_owned()),
    }
}
