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
    /// A record that the proxy holds or has dropped: it has not reached the other side.
    Stopped,
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
        !matches!(self.kind, RungKind::Record | RungKind::Stopped | RungKind::Before)
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
    /// The space before an arrow, which may stand for records that have no arrow.
    Space(LadderSpace),
    /// The arrow of a rung with the beginning of its label.
    Arrow(usize, String),
    /// A further line of its label.
    Label(usize, String),
    /// So many records of the connection come after.
    Later(u64),
    /// The ends of both sides.
    Foot,
}

/// The space between two arrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderSpace {
    /// The rung whose arrow is drawn above; `None` if there is none.
    pub above: Option<usize>,
    /// The rung whose arrow is drawn below.
    pub below: usize,
    /// How many records between the two have no arrow.
    pub hidden: u64,
}

/// The lines that a drawing needs: with all steps of closing, and with all records and space between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderNeeds {
    pub least: u16,
    pub full: u16,
}

/// The lines that rungs need in that many columns.
pub fn needs(rungs: &[Rung], columns: LadderColumns) -> LadderNeeds {
    let steps = rungs.iter().filter(|rung| rung.is_step());
    let labels: usize = steps.clone().map(|rung| rung.lines(columns.label()).len()).sum();
    let (steps, gaps) = (steps.count(), gaps(rungs, &vec![false; rungs.len()]));
    let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX);
    LadderNeeds { least: rows(1 + labels + gaps), full: rows(1 + labels + steps + 2 + (rungs.len() - steps)) }
}

/// The index of the first step of closing: the rungs from there on are the closing.
fn first_step(rungs: &[Rung]) -> usize {
    rungs.iter().position(Rung::is_step).unwrap_or(rungs.len())
}

/// How many runs of records of the closing have no arrow, if the `shown` ones and all steps have one.
fn gaps(rungs: &[Rung], shown: &[bool]) -> usize {
    let is_drawn = |i: usize| rungs[i].is_step() || shown[i];
    (first_step(rungs) + 1..rungs.len()).filter(|i| !is_drawn(*i) && is_drawn(i - 1)).count()
}

/// Takes rows if so many are free.
const fn take(free: &mut usize, rows: usize) -> bool {
    let has_room = *free >= rows;
    if has_room {
        *free -= rows;
    }
    has_room
}

/// The lines in that many rows. The steps of closing come first, then the numbers of the records between and before them, then the
/// records between them, the newest first, then space, then the records before them, the newest first. `earlier` records of the
/// connection come before all rungs, and `later` ones after them.
pub fn lines(rungs: &[Rung], (earlier, later): (u64, u64), columns: LadderColumns, rows: u16) -> Vec<LadderLine> {
    let mut labels: Vec<Vec<String>> = rungs.iter().map(|rung| rung.lines(columns.label())).collect();
    let rows = usize::from(rows);
    if usize::from(needs(rungs, columns).least) > rows {
        labels = rungs.iter().map(|rung| paragraph(&rung.label, columns.label(), 1)).collect();
    }
    let records = first_step(rungs);
    let of_steps: usize =
        rungs.iter().zip(&labels).filter(|(rung, _)| rung.is_step()).map(|(_, lines)| lines.len()).sum();
    let mut free = rows.saturating_sub(1 + of_steps);
    let mut shown: Vec<bool> = rungs.iter().map(Rung::is_step).collect();
    let has_before = earlier + records as u64 > 0;
    // As many of the records between the steps as leave a line for each run of the others, and for the number of those before.
    let kept = usize::from(has_before && gaps(rungs, &shown) < free);
    let between: Vec<usize> = (records..rungs.len()).filter(|i| !shown[*i]).collect();
    let fits = |count: &usize| {
        let mut shown = shown.clone();
        between.iter().rev().take(*count).for_each(|i| shown[*i] = true);
        count + gaps(rungs, &shown) + kept <= free
    };
    let drawn = (0..=between.len()).rev().find(fits).unwrap_or(0);
    between.iter().rev().take(drawn).for_each(|i| shown[*i] = true);
    let counted = gaps(rungs, &shown).min(free);
    free -= drawn + counted;
    let counts_before = has_before && take(&mut free, 1);
    let is_drawn = |i: usize| shown[i];
    let steps = (records..rungs.len()).filter(|i| rungs[*i].is_step());
    let spaces = steps.filter(|i| if *i == records { !counts_before } else { is_drawn(i - 1) }).count();
    let is_spaced = take(&mut free, spaces);
    let has_foot = is_spaced && take(&mut free, 1);
    if has_foot && counts_before {
        // The number leaves its line to the records, if all of them fit, and to the space between them and the closing.
        let space = usize::from(records < rungs.len());
        let room = free + 1;
        let all = records + usize::from(earlier > 0);
        let before = if room >= all + space { records } else { room.saturating_sub(1 + space).min(records) };
        shown[records - before..records].fill(true);
        let is_counted = earlier > 0 || before < records;
        free = room.saturating_sub(before + usize::from(is_counted) + if before > 0 { space } else { 0 });
    }
    let others = shown.iter().zip(rungs).filter(|(shown, rung)| **shown && !rung.is_step()).count();
    let records_spaced = has_foot && free >= others;
    let mut lines = vec![LadderLine::Names];
    let mut hidden = earlier;
    let mut above = None;
    for (i, rung) in rungs.iter().enumerate() {
        if !shown[i] {
            hidden += 1;
            continue;
        }
        let is_apart = if rung.is_step() { is_spaced } else { records_spaced };
        if above.is_none() && hidden > 0 {
            if counts_before {
                lines.push(LadderLine::Earlier(hidden));
            }
            if is_apart && !rung.is_step() {
                lines.push(LadderLine::Space(LadderSpace { above, below: i, hidden: 0 }));
            }
        } else if is_apart || hidden > 0 && counted > 0 {
            lines.push(LadderLine::Space(LadderSpace { above, below: i, hidden }));
        }
        let mut parts = std::mem::take(&mut labels[i]).into_iter();
        lines.push(LadderLine::Arrow(i, parts.next().unwrap_or_default()));
        lines.extend(parts.map(|part| LadderLine::Label(i, part)));
        (above, hidden) = (Some(i), 0);
    }
    let later = later + hidden;
    if later > 0 && (has_foot || hidden > 0 && counted > 0) {
        lines.push(LadderLine::Later(later));
    } else if has_foot {
        lines.push(LadderLine::Foot);
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
            LadderLine::Space(_) => ' ',
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
            (6, "ne3456"),
            (8, "ne3456"),
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
    fn each_record_has_an_arrow_or_is_counted_where_it_lies() {
        let close = RungKind::Close { faulty: false };
        let kinds = |letters: &str| -> Vec<Rung> {
            let of = |(no, letter)| rung(no, if letter == 's' { close } else { RungKind::Before }, "label");
            (1..).zip(letters.chars()).map(of).collect()
        };
        for (shape, earlier, later) in [
            ("rrsrss", 0, 0),
            ("rrsrss", 5, 0),
            ("srrrsrrss", 0, 0),
            ("rsrrrrrrsr", 3, 0),
            ("ss", 0, 0),
            ("ss", 9, 0),
            ("rrrrsrrr", 0, 4),
            ("rrrr", 2, 3),
            ("rrrr", 0, 0),
        ] {
            let rungs = kinds(shape);
            let columns = LadderColumns::of(80);
            let least = needs(&rungs, columns).least + u16::from(earlier > 0 || shape.starts_with('r'));
            for rows in 2..40 {
                let lines = lines(&rungs, (earlier, later), columns, rows);
                let at = format!("{shape} {earlier} {later}, {rows} rows: {lines:?}");
                assert!(lines.len() <= usize::from(rows), "{at}");
                // The rungs from the first that has no line yet, and the last that has an arrow.
                let (mut next, mut above) = (0, None);
                let mut known = true;
                for line in &lines {
                    match line {
                        LadderLine::Earlier(records) => {
                            assert_eq!(above, None, "{at}");
                            next = usize::try_from(records - earlier).expect("few");
                        }
                        LadderLine::Space(space) => {
                            assert_eq!(space.above, above, "{at}");
                            next += usize::try_from(space.hidden).expect("few");
                            assert!(rows < least || next == space.below, "{at}");
                        }
                        LadderLine::Arrow(i, _) => {
                            known &= *i == next;
                            (next, above) = (i + 1, Some(*i));
                        }
                        LadderLine::Later(records) => next += usize::try_from(records - later).expect("few"),
                        LadderLine::Names | LadderLine::Label(..) | LadderLine::Foot => {}
                    }
                }
                assert!(rows < least || known && next == rungs.len() || !shape.contains('s'), "{at}");
            }
        }
    }

    #[test]
    fn a_record_between_the_steps_has_its_arrow_before_free_rows_are_space() {
        let mut rungs = rungs();
        rungs[3].kind = RungKind::Before;
        let arrows = |rows| -> Vec<usize> {
            let lines = lines(&rungs, (0, 0), LadderColumns::of(80), rows);
            lines.iter().filter_map(|line| if let LadderLine::Arrow(i, _) = line { Some(*i) } else { None }).collect()
        };
        assert_eq!((arrows(5), arrows(40)), (vec![2, 3, 4, 5], vec![0, 1, 2, 3, 4, 5]));
        let six = lines(&rungs, (0, 0), LadderColumns::of(80), 6);
        assert_eq!((&six[1], six.len()), (&LadderLine::Earlier(2), 6));
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
