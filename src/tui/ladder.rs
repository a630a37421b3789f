//! The records of a connection as arrows between client and server: which line shows what, and where.
//!
//! ```text
//!    record   time (s)  client                                                  server
//!         8 earlier     │                                                            │
//!        20   6.349489  │── text  client: echo 5 ───────────────────────────────────►│
//!              +700 ms  │                                                            │
//!        21   7.049626  │── Close  1000 normal closure · seen enough ───────────────►│  the client closes first
//! ```

use super::text::{fit, paragraph, wrap};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// Columns of an arrow besides its label: two dashes, a space on each side, a dash and the head.
const ARROW: u16 = 6;

/// Smallest width with a column of remarks, and with one of times.
const WITH_REMARKS: u16 = 100;
const WITH_TIMES: u16 = 70;

/// Columns of the remarks.
const REMARK: u16 = 31;

/// Farthest column of the server.
const MOST_SERVER: u16 = 100;

/// An arrow: a record, or a Close that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The number of its record; `None` if it has none.
    pub no: Option<u64>,
    /// When its record was complete.
    pub time: Time,
    /// The side that sends in this direction has drawn it.
    pub direction: Direction,
    /// What it is.
    pub kind: RungKind,
    /// What is written on it. Safe for a terminal.
    pub label: String,
    /// What it means, for a wide drawing.
    pub remark: String,
}

/// What a [`Rung`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RungKind {
    /// A record.
    Record,
    /// A record before the steps of closing.
    Before,
    /// A Close, and whether it breaks a rule.
    Close { faulty: bool },
    /// No Close, where one should be.
    NoClose,
    /// The end of a direction.
    Tcp(EndReason),
    /// The end of a direction by the RST of the other side.
    TornDown,
}

impl Rung {
    /// Whether it is a step of closing: shown at each size, with its whole label.
    pub fn is_step(&self) -> bool {
        !matches!(self.kind, RungKind::Record | RungKind::Before)
    }

    /// The lines of its label.
    fn lines(&self, columns: usize) -> Vec<String> {
        if self.is_step() { wrap(&self.label, columns) } else { vec![fit(&self.label, columns)] }
    }
}

/// The columns of a drawing: the ends of numbers and times, the two sides, the start of the remarks. 0 leaves a column out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderColumns {
    pub number: u16,
    pub time: u16,
    pub client: u16,
    pub server: u16,
    pub remark: u16,
}

impl LadderColumns {
    /// The columns in an area of that width.
    pub fn of(width: u16) -> Self {
        match width {
            WITH_REMARKS.. => {
                let server = (width - REMARK).min(MOST_SERVER);
                Self { number: 10, time: 21, client: 24, server, remark: server + 3 }
            }
            WITH_TIMES.. => Self { number: 7, time: 18, client: 20, server: width - 3, remark: 0 },
            _ => Self { number: 7, time: 0, client: 9, server: width.saturating_sub(3), remark: 0 },
        }
    }

    /// Columns for the label of an arrow.
    fn label(self) -> usize {
        usize::from(self.server.saturating_sub(self.client + 1 + ARROW))
    }
}

/// A line of the drawing. The numbers are indexes of rungs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LadderLine {
    /// The names of both sides.
    Names,
    /// So many records of the connection come before.
    Earlier(u64),
    /// Nothing; before that rung.
    Before(usize),
    /// The arrow of a rung with the beginning of its label.
    Arrow(usize, String),
    /// A further line of its label.
    Label(usize, String),
    /// So many records of the connection come after.
    Later(u64),
    /// The ends of both sides.
    Foot,
}

/// The lines that a drawing needs: with all steps of closing, and with all records and space between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderNeeds {
    pub least: u16,
    pub full: u16,
}

/// The lines that rungs need in that many columns.
pub fn needs(rungs: &[Rung], columns: LadderColumns) -> LadderNeeds {
    let lines = |rung: &&Rung| rung.lines(columns.label()).len();
    let least = 1 + rungs.iter().filter(|rung| rung.is_step()).map(|rung| lines(&rung)).sum::<usize>();
    let steps = rungs.iter().filter(|rung| rung.is_step()).count();
    let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX);
    LadderNeeds { least: rows(least), full: rows(least + steps + 2 + (rungs.len() - steps)) }
}

/// Takes rows if so many are free.
const fn take(free: &mut usize, rows: usize) -> bool {
    let has_room = *free >= rows;
    if has_room {
        *free -= rows;
    }
    has_room
}

/// The lines in that many rows. The steps of closing come first, then the space between them, then the records before them, the newest
/// first. `earlier` records of the connection come before all rungs, and `later` ones after them.
pub fn lines(rungs: &[Rung], (earlier, later): (u64, u64), columns: LadderColumns, rows: u16) -> Vec<LadderLine> {
    let mut labels: Vec<Vec<String>> = rungs.iter().map(|rung| rung.lines(columns.label())).collect();
    let rows = usize::from(rows);
    let steps = rungs.iter().filter(|rung| rung.is_step()).count();
    if usize::from(needs(rungs, columns).least) > rows {
        labels = rungs.iter().map(|rung| paragraph(&rung.label, columns.label(), 1)).collect();
    }
    let of_steps = |labels: &[Vec<String>]| -> usize {
        rungs.iter().zip(labels).filter(|(rung, _)| rung.is_step()).map(|(_, lines)| lines.len()).sum()
    };
    let mut free = rows.saturating_sub(1 + of_steps(&labels));
    let is_spaced = take(&mut free, steps);
    let has_foot = is_spaced && take(&mut free, 1);
    let records = rungs.len() - steps;
    let all = records + usize::from(earlier > 0);
    let shown = match has_foot {
        true if take(&mut free, all) => records,
        true => std::mem::take(&mut free).saturating_sub(1),
        false => 0,
    };
    let records_spaced = has_foot && free >= shown;
    let hidden = records - shown;
    let mut lines = vec![LadderLine::Names];
    let before = earlier + hidden as u64;
    // Without room for a line of its own, the records before are counted in the place of the first space.
    let counts = before > 0 && is_spaced;
    let in_space = counts && !(has_foot && (shown > 0 || hidden == 0));
    if counts {
        lines.push(LadderLine::Earlier(before));
    }
    let mut skip = hidden;
    for (i, rung) in rungs.iter().enumerate() {
        if !rung.is_step() && skip > 0 {
            skip -= 1;
            continue;
        }
        let is_apart = if rung.is_step() { is_spaced } else { records_spaced };
        if is_apart && !(in_space && lines.len() == 2) {
            lines.push(LadderLine::Before(i));
        }
        let mut parts = std::mem::take(&mut labels[i]).into_iter();
        lines.push(LadderLine::Arrow(i, parts.next().unwrap_or_default()));
        lines.extend(parts.map(|part| LadderLine::Label(i, part)));
    }
    if has_foot {
        lines.push(if later > 0 { LadderLine::Later(later) } else { LadderLine::Foot });
    }
    lines.truncate(rows);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(no: u64, kind: RungKind, label: &str) -> Rung {
        Rung {
            no: Some(no),
            time: Time(0),
            direction: Direction::ClientToServer,
            kind,
            label: label.to_owned(),
            remark: String::new(),
        }
    }

    fn rungs() -> Vec<Rung> {
        let close = RungKind::Close { faulty: false };
        vec![
            rung(1, RungKind::Before, "text"),
            rung(2, RungKind::Before, "text"),
            rung(3, close, "Close 1000"),
            rung(4, close, "Close 1000"),
            rung(5, RungKind::Tcp(EndReason::Fin), "TCP FIN"),
            rung(6, RungKind::Tcp(EndReason::Fin), "TCP FIN"),
        ]
    }

    /// The lines as letters: names, earlier, space, arrow, label, foot.
    fn letters(rows: u16) -> String {
        let letter = |line: &LadderLine| match line {
            LadderLine::Names => 'n',
            LadderLine::Earlier(_) => 'e',
            LadderLine::Before(_) => ' ',
            LadderLine::Arrow(i, _) => char::from(b'1' + u8::try_from(*i).expect("few")),
            LadderLine::Label(..) => 'l',
            LadderLine::Foot | LadderLine::Later(_) => 'f',
        };
        lines(&rungs(), (7, 0), LadderColumns::of(80), rows).iter().map(letter).collect()
    }

    #[test]
    fn free_rows_show_space_and_then_earlier_records() {
        for (rows, expected) in [
            (3, "n34"),
            (5, "n3456"),
            (8, "n3456"),
            (9, "ne3 4 5 6"),
            (10, "ne3 4 5 6f"),
            (12, "ne2 3 4 5 6f"),
            (13, "ne12 3 4 5 6f"),
            (15, "ne 1 2 3 4 5 6f"),
            (40, "ne 1 2 3 4 5 6f"),
        ] {
            assert_eq!(letters(rows), expected, "{rows} rows");
        }
        assert_eq!(needs(&rungs(), LadderColumns::of(80)), LadderNeeds { least: 5, full: 13 });
    }

    #[test]
    fn a_long_label_of_a_step_has_further_lines() {
        let long = [rung(1, RungKind::Close { faulty: false }, "Close 1000 normal closure with a reason that is long")];
        let columns = LadderColumns::of(40);
        let shown = lines(&long, (0, 0), columns, 9);
        assert!(shown.iter().filter(|line| matches!(line, LadderLine::Label(..))).count() >= 2, "{shown:?}");
        let LadderLine::Arrow(0, one) = &lines(&long, (0, 0), columns, 2)[1] else { panic!("an arrow") };
        assert!(one.ends_with('…'), "{one}");
    }
}
