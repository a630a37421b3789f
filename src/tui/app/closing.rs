//! How the connection closed whose end is under the cursor: its steps as arrows, and what they mean in words.

use super::App;
use super::words::{Paragraph, Role};
use crate::capture::query::closing::{Closing, ClosingEvent, ClosingStep};
use crate::capture::query::summary;
use crate::explain::{self, Topic};
use crate::proto::dissected::{Direction, EndReason, Kind};
use crate::proto::rules::Rule;
use crate::tui::ladder::{self, LadderColumns, LadderNeeds, Rung, RungKind};
use crate::wire::close::CloseCode;

/// Records of the connection that are drawn at most.
const MOST_RECORDS: u32 = 40;

impl App {
    /// Reads how the connection closed whose end is under the cursor: it takes the place of bits and bytes, which an end does not have.
    pub(super) fn prepare_closing(&mut self) {
        let end = self.detail.record().filter(|record| matches!(record.kind, Kind::End(_)));
        let connection = end.and_then(|record| self.capture.connection(record.connection));
        let known = self.closing.as_ref().map(|closing| (closing.connection, closing.records));
        if connection.as_ref().map(|info| (info.number, info.records)) != known {
            self.closing = connection.and_then(|info| Closing::of(&self.capture, info.number));
        }
        let Some(closing) = &self.closing else { return };
        let Some((first, end)) = self.ordinals(closing.connection) else { return };
        let ordinals = first.max(end.saturating_sub(MOST_RECORDS))..end;
        let records = ordinals.filter_map(|ordinal| self.capture.at_ordinal(closing.connection, ordinal));
        let numbers: Vec<u64> = records.map(|record| record.no).collect();
        self.closing_records.read(&self.capture, &numbers);
    }

    /// The last records of the connection and the steps of closing, in their order.
    pub fn closing_rungs(&self) -> Vec<Rung> {
        let Some(closing) = &self.closing else { return Vec::new() };
        let mut rungs: Vec<Rung> = closing.steps.iter().map(|step| rung_of(closing, step)).collect();
        let is_step = |no: u64| closing.steps.iter().any(|step| step.no == no);
        let others = self.closing_records.rows().iter().filter(|row| !is_step(row.record.no));
        rungs.extend(others.map(|row| Rung {
            no: Some(row.record.no),
            time: row.record.time,
            direction: row.record.direction,
            kind: RungKind::Before,
            label: format!("{}  {}", row.summary.kind, row.summary.preview),
            remark: String::new(),
        }));
        rungs.sort_by_key(|rung| rung.no);
        // A Close that was not sent is missing before TCP ends.
        let tcp = rungs.iter().position(|rung| matches!(rung.kind, RungKind::Tcp(_) | RungKind::TornDown));
        let closes = closing.closes();
        let missing = Direction::BOTH
            .into_iter()
            .filter(|side| closing.websocket && !closes.contains(side) && closing.code_for(side.opposite()).is_some());
        if let Some((at, time)) = tcp.and_then(|at| Some((at, rungs.get(at)?.time))) {
            let missing = missing.map(|direction| Rung {
                no: None,
                time,
                direction,
                kind: RungKind::NoClose,
                label: format!("no Close from the {}", direction.sender()),
                remark: String::new(),
            });
            rungs.splice(at..at, missing.collect::<Vec<_>>());
        }
        rungs
    }

    /// How many records of the connection come before those of [`Self::closing_rungs`].
    pub fn records_before_closing(&self) -> u64 {
        let ordinals = self.closing.as_ref().and_then(|closing| self.ordinals(closing.connection));
        ordinals.map_or(0, |(first, end)| u64::from((end - first).saturating_sub(MOST_RECORDS)))
    }

    /// The lines that the drawing needs in that many columns; `None` if the record is no end of a connection.
    pub(super) fn closing_needs(&self, width: u16) -> Option<LadderNeeds> {
        self.closing.as_ref()?;
        Some(ladder::needs(&self.closing_rungs(), LadderColumns::of(width)))
    }

    /// What the steps mean together.
    pub(super) fn closing_words(&self) -> Option<Paragraph> {
        let closing = self.closing.as_ref()?;
        let role = match closing.closes().len() {
            _ if !closing.websocket => Role::Text,
            2.. if closing.reset_by().is_none() && closing.faulty().is_empty() => Role::Good,
            _ => Role::Caution,
        };
        // A finding about the reset says the same.
        let findings = self.detail.record().map(|record| &record.findings);
        let is_said = findings.is_some_and(|findings| findings.iter().any(|finding| finding.rule == Rule::TcpReset));
        Some(Paragraph { role, text: words_about(closing, !is_said) })
    }

    /// The closing handshake, and the codes that were sent or that the applications get.
    pub(super) fn closing_terms(&self) -> Vec<Paragraph> {
        let Some(closing) = self.closing.as_ref().filter(|closing| closing.websocket) else { return Vec::new() };
        let sent = closing.steps.iter().filter_map(|step| match step.event {
            ClosingEvent::Close { code, .. } => code,
            ClosingEvent::Tcp(_) => None,
        });
        let mut codes: Vec<CloseCode> = Vec::new();
        for code in sent.chain(Direction::BOTH.into_iter().filter_map(|side| closing.code_for(side))) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        let handshake = explain::closing_handshake();
        let codes = codes.into_iter().map(|code| (format!("code {}", code.0), Topic::CloseCode(code).page().text));
        std::iter::once((handshake.title, handshake.text))
            .chain(codes)
            .flat_map(|(name, text)| [(Role::Heading, name), (Role::Text, text)])
            .map(|(role, text)| Paragraph { role, text })
            .collect()
    }
}

/// A step of closing as an arrow.
fn rung_of(closing: &Closing, step: &ClosingStep) -> Rung {
    let side = step.direction.sender();
    let (kind, label, remark) = match &step.event {
        ClosingEvent::Close { words, faulty, .. } => {
            let is_first = closing.closes().first() == Some(&step.direction);
            let remark = if is_first { format!("the {side} closes first") } else { format!("the {side} answers") };
            (RungKind::Close { faulty: *faulty }, format!("Close {words}"), remark)
        }
        ClosingEvent::Tcp(EndReason::Rst) if closing.reset_by() != Some(step.direction) => {
            let label = format!("torn down by the RST of the {}", step.direction.opposite().sender());
            (RungKind::TornDown, label, String::new())
        }
        ClosingEvent::Tcp(how) => {
            let (label, remark) = match how {
                EndReason::Fin => ("TCP FIN", format!("the {side} sends no more")),
                EndReason::Rst => ("TCP RST", format!("the {side} ends at once")),
                EndReason::Capture => ("the capture ends", "what follows is unknown".to_owned()),
            };
            (RungKind::Tcp(*how), label.to_owned(), remark)
        }
    };
    Rung { no: Some(step.no), time: step.time, direction: step.direction, kind, label, remark }
}

/// What the steps of closing mean together.
pub fn verdict(closing: &Closing) -> String {
    words_about(closing, true)
}

/// The same, with or without what a reset means.
fn words_about(closing: &Closing, with_reset: bool) -> String {
    if !closing.websocket {
        return "A plain HTTP connection ends with TCP alone.".to_owned();
    }
    let closes = closing.closes();
    let first = closes.first().map_or("", |direction| direction.sender());
    let broken = match *closing.faulty() {
        [] => String::new(),
        [side] => format!("the Close of the {} breaks a rule (✗)", side.sender()),
        _ => "both Closes break a rule (✗)".to_owned(),
    };
    let mut words = match closes.len() {
        0 if closing.is_cut() => "The capture contains no Close of this connection.".to_owned(),
        0 => "No side sent a Close before TCP ended.".to_owned(),
        1 if !broken.is_empty() => format!(
            "Only the {first} sent a Close, and it breaks a rule (✗): the closing handshake is not complete \
             (RFC 6455 §7.1.2)."
        ),
        1 => format!("Only the {first} sent a Close: the closing handshake is not complete (RFC 6455 §7.1.2)."),
        _ if !broken.is_empty() => format!(
            "Both sides sent a Close, the {first} first, but {broken}. A strict receiver does not complete such a closing \
             handshake: it fails the connection, often with 1002, protocol error (RFC 6455 §7.1.7)."
        ),
        _ => {
            format!("Both sides sent a Close, the {first} first: the closing handshake is complete (RFC 6455 §7.1.2).")
        }
    };
    if let Some(side) = closing.reset_by().filter(|_| with_reset) {
        words.push_str(&format!(" The {} aborted TCP with RST: bytes on their way may be lost.", side.sender()));
    } else if closing.is_cut() {
        words.push_str(" The capture ends before the connection does.");
    }
    words.push_str(&codes_for_applications(closing));
    words
}

/// Which code the applications get, as far as the capture shows it.
fn codes_for_applications(closing: &Closing) -> String {
    match Direction::BOTH.map(|side| closing.code_for(side)) {
        [Some(client), Some(server)] if client == server => {
            format!(" Both applications get code {}.", named(client))
        }
        [Some(client), Some(server)] => {
            format!(" The application of the client gets code {}; that of the server {}.", named(client), named(server))
        }
        [Some(client), None] => format!(" The application of the client gets code {}.", named(client)),
        [None, Some(server)] => format!(" The application of the server gets code {}.", named(server)),
        [None, None] => String::new(),
    }
}

/// A code with its name, also one that is never sent.
fn named(code: CloseCode) -> String {
    if code.may_be_sent() { summary::close_code(code) } else { format!("{} {}", code.0, code.name()) }
}
