//! How a connection closed, in the place of the bits of the record of its end, which has no bytes.
//!
//! ```text
//!  End ─ how connection 2 closed ────────────────────────────────────────────────────────
//!    record  time (s)    event    details
//!        21  4.000000  ▲ Close    1000 normal closure · seen enough     the first Close
//!        22  4.000212  ▼ Close    1000 normal closure                   the answer
//! ▌      23  4.000300  ▼ TCP FIN  the server has no more to send
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{cells, paragraph, put, rule, width};
use crate::capture::query::closing::{Closing, ClosingEvent};
use crate::proto::dissected::{Direction, EndReason};
use crate::tui::app::App;

/// Columns: the ends of numbers and times; the start of the sides, of the events and of the words.
const NUMBER: u16 = 10;
const TIME: u16 = 21;
const SIDE: u16 = 23;
const EVENT: u16 = 25;
const WORDS: u16 = 34;

/// Rows of what the steps mean together, with an empty one before it.
const VERDICT: u16 = 4;

/// Smallest width with long names of the events.
const WIDE: u16 = 90;

pub fn render(app: &App, closing: &Closing, buffer: &mut Buffer) {
    let (title, area) = (app.layout.middle_title, area(app));
    if area.area() == 0 {
        return;
    }
    let theme = &app.theme;
    rule::titled(app, buffer, title, "End", &format!("how connection {} closed", closing.connection), false);
    for (x, head) in [(NUMBER - 6, "record"), (TIME - 8, "time (s)"), (EVENT, "event"), (WORDS, "details")] {
        put(buffer, area, x, 0, head, theme.faint);
    }
    let origin = app.capture.origin().unwrap_or_default();
    let mut closes = 0;
    let columns = usize::from(area.width.saturating_sub(WORDS + 1));
    // Rows that are free for details which do not fit into one.
    let mut free = area.height.saturating_sub(cells(closing.steps.len()) + 1 + VERDICT);
    let mut y = 1;
    for step in &closing.steps {
        let line = Rect { height: 1, y: area.y + y, ..area };
        if y + 1 >= area.height {
            break;
        }
        let number = step.no.to_string();
        put(buffer, line, NUMBER.saturating_sub(width(&number)), 0, &number, theme.faint);
        let micros = step.time.nanos_since(origin) / 1000;
        let time = format!("{}.{:06}", micros / 1_000_000, micros.rem_euclid(1_000_000));
        put(buffer, line, TIME.saturating_sub(width(&time)), 0, &time, theme.text);
        let style = theme.direction(step.direction);
        put(buffer, line, SIDE, 0, &step.direction.arrow().to_string(), style);
        let (event, words) = match &step.event {
            ClosingEvent::Close { words, .. } => {
                closes += 1;
                let place = match (closes, area.width >= WIDE) {
                    (1, true) => "the first Close: ",
                    (1, false) => "first: ",
                    (_, true) => "the answer: ",
                    (_, false) => "reply: ",
                };
                ("Close", format!("{place}{words}"))
            }
            ClosingEvent::Tcp(how) => tcp(step.direction, *how),
        };
        put(buffer, line, EVENT, 0, event, style);
        let style = match step.event {
            ClosingEvent::Close { faulty: true, .. } => theme.error,
            _ => theme.text,
        };
        let details = paragraph(&words, columns, usize::from(free) + 1);
        let extra = cells(details.len().saturating_sub(1));
        for (detail, row) in details.iter().zip(y..) {
            put(buffer, area, WORDS, row, detail, style);
        }
        (free, y) = (free - extra, y + 1 + extra);
        if app.detail.record().is_some_and(|record| record.no == step.no) {
            put(buffer, line, 0, 0, "▌", theme.focus);
            buffer.set_style(line, theme.cursor);
        }
    }
    let used = y + 1;
    let (verdict, style) = match closing.closes().len() {
        2.. if closing.reset_by().is_none() && closing.faulty().is_empty() => (verdict(closing), theme.good),
        _ if !closing.websocket => (verdict(closing), theme.text),
        _ => (verdict(closing), theme.warning),
    };
    let room = area.height.saturating_sub(used);
    let columns = usize::from(area.width.saturating_sub(4)).min(110);
    for (line, y) in paragraph(&verdict, columns, usize::from(room)).iter().zip(used..) {
        put(buffer, area, 2, y, line, style);
    }
}

/// The place of bits and bytes.
fn area(app: &App) -> Rect {
    let (left, bytes) = (app.layout.left, app.layout.bytes);
    let right = if bytes.area() > 0 { bytes.right() } else { left.right() };
    Rect { width: right.saturating_sub(left.x), ..left }
}

fn tcp(direction: Direction, how: EndReason) -> (&'static str, String) {
    let side = direction.sender();
    match how {
        EndReason::Fin => ("TCP FIN", format!("the {side} has no more to send")),
        EndReason::Rst => ("TCP RST", format!("the {side}'s direction was torn down")),
        EndReason::Capture => ("cut", format!("the capture ends before the {side}'s direction")),
    }
}

/// What the steps mean together.
pub fn verdict(closing: &Closing) -> String {
    let closes = closing.closes();
    let first = closes.first().map_or("", |direction| direction.sender());
    let faulty = closing.faulty();
    let broken = match *faulty {
        [] => String::new(),
        [side] => format!("the Close of the {} breaks a rule (✗)", side.sender()),
        _ => "both Closes break a rule (✗)".to_owned(),
    };
    let mut words = match closes.len() {
        _ if !closing.websocket => "A plain HTTP connection ends with TCP alone.".to_owned(),
        0 => "No Close frame: JavaScript reports this as code 1006, abnormal closure.".to_owned(),
        1 if !faulty.is_empty() => format!(
            "Only the {first} sent a Close, and it breaks a rule (✗): the closing handshake is not complete \
             (RFC 6455 §7.1.2)."
        ),
        1 => format!("Only the {first} sent a Close: the closing handshake is not complete (RFC 6455 §7.1.2)."),
        _ if !faulty.is_empty() => format!(
            "Both sides sent a Close, the {first} first, but {broken}. A strict receiver does not complete such a closing \
             handshake: it fails the connection, often with 1002, protocol error (RFC 6455 §7.1.7)."
        ),
        _ => format!(
            "Both sides sent a Close, the {first} first: the closing handshake is complete (RFC 6455 §7.1.2). \
             Then TCP ends the connection, usually from the server."
        ),
    };
    if let Some(side) = closing.reset_by() {
        words.push_str(&format!(" The {} aborted TCP with RST: bytes on their way may be lost.", side.sender()));
    } else if closing.is_cut() {
        words.push_str(" The capture ends before the connection does.");
    }
    words
}
