//! The figure of a record. A frame is drawn as in RFC 6455 §5.2: 32 bits per row and a cell per field, with the values inside. Other
//! records are lines of text.

use super::wrap::wrapped;
use super::{Line, Look, Picture, Rgb, Theme, ThemeName};
use crate::capture::store::record::Record;
use crate::proto::dissected::{Kind, Loss};
use crate::proto::rules::{Finding, Severity, count};
use crate::wire::field::{Field, FieldId, Span as Bits};
use crate::wire::frame;
use crate::wire::grid::{Grid, GridCell, GridRow, head_bits, ruler};
use crate::wire::http::Head;
use crate::wire::printable;

/// Bits per row.
const ROW: u64 = 32;

/// The most rows of payload, besides a row that it shares with the head.
const MAX_PAYLOAD_ROWS: u64 = 2;

/// The most lines of an HTTP head.
const MAX_HEAD_LINES: usize = 100;

/// Columns of a figure.
const COLUMNS: usize = 80;

/// Bytes per row of unrecognized bytes.
const HEX_ROW: usize = 16;

/// The most bytes of a frame, or of unrecognized bytes, that a figure shows.
pub const SHOWN_BYTES: u64 = 64;

/// The most bytes of an HTTP head that a figure shows: every valid head fits.
const SHOWN_HEAD: u64 = 64 * 1024;

/// Draws figures in the colours of a theme.
pub struct FigureStyle {
    theme: Theme<Look>,
}

/// The figure of one record.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// What the record is, in one line.
    pub heading: Line,
    /// Its bits or its text.
    pub body: Vec<Line>,
    /// Its findings.
    pub findings: Vec<Line>,
    /// Whether `body` is a grid of bits.
    is_grid: bool,
}

impl FigureStyle {
    /// The style of a theme.
    pub fn named(name: ThemeName) -> Self {
        Self { theme: Theme::named(name) }
    }

    /// The figure of a record. `bytes` are its first [`shown_bytes`], and `fields` its [`fields()`].
    pub fn of(&self, record: &Record, fields: &[Field], bytes: &[u8]) -> Figure {
        let is_grid = matches!(record.kind, Kind::Frame | Kind::CutFrame);
        let body = match record.kind {
            Kind::Frame | Kind::CutFrame => self.frame(fields, bytes, &record.findings),
            Kind::Request | Kind::Response | Kind::CutHttp => self.head(fields, bytes),
            Kind::Junk => self.junk(record, bytes),
            Kind::Gap => vec![Line::new(gap_words(record.loss), self.theme.faint)],
            Kind::End(how) => vec![Line::new(how.name(), self.theme.faint)],
        };
        let findings = record.findings.iter().flat_map(|finding| self.finding(finding)).collect();
        Figure { heading: Line::new(&heading(record), self.theme.title), body, findings, is_grid }
    }

    /// The grid of a frame with these fields; `bytes` are its first bytes. Cells at fault are marked.
    pub fn frame(&self, fields: &[Field], bytes: &[u8], findings: &[Finding]) -> Vec<Line> {
        let theme = &self.theme;
        let grid = Grid::of(fields, ROW, head_bits(fields).div_ceil(ROW) + MAX_PAYLOAD_ROWS);
        let mut lines = ruler(ROW).map(|line| Line::new(&format!(" {line}"), theme.faint)).to_vec();
        let border = |row: usize| Line::new(&grid.border(row, '─'), theme.rule);
        for (number, row) in grid.rows.iter().enumerate() {
            lines.push(border(number));
            lines.push(self.cells(row, findings, name));
            lines.push(self.cells(row, findings, |cell| value(cell, bytes)));
        }
        lines.push(border(grid.rows.len()));
        if grid.bits_after > 0 {
            lines.push(Line::new(&format!(" … {}", count(grid.bits_after / 8, "more byte")), theme.faint));
        }
        lines
    }

    /// Puts figures below each other into one picture.
    pub fn picture(&self, title: String, description: String, lines: Vec<Line>) -> Picture {
        // A theme without colours is for print.
        let [ink, paper] =
            [self.theme.ground.ink.unwrap_or(Rgb(0, 0, 0)), self.theme.ground.paper.unwrap_or(Rgb(255, 255, 255))];
        Picture { title, description, ink, paper, lines }
    }

    /// A line inside a row of cells.
    fn cells(&self, row: &GridRow, findings: &[Finding], words: impl Fn(&GridCell) -> String) -> Line {
        let edge = |line: &mut Line| line.push("│", self.theme.rule);
        let mut line = Line::default();
        edge(&mut line);
        for cell in &row.cells {
            let width = cell.columns();
            let mut words = words(cell);
            if !words.is_empty() && words.chars().count() + 2 <= width {
                words.insert(0, ' ');
            }
            line.push(&format!("{words:<width$.width$}"), self.cell_look(cell, findings));
            edge(&mut line);
        }
        line
    }

    fn cell_look(&self, cell: &GridCell, findings: &[Finding]) -> Look {
        let bits = Bits::bits(cell.start, cell.end);
        let at_fault = findings.iter().filter(|finding| finding.span.is_some_and(|span| span.overlaps(bits)));
        match at_fault.map(|finding| finding.rule.severity()).max() {
            Some(severity) => Look { underlined: true, ..self.theme.severity(severity) },
            None => self.theme.field(cell.id),
        }
    }

    /// The lines of an HTTP head, and the length of the body.
    fn head(&self, fields: &[Field], bytes: &[u8]) -> Vec<Line> {
        let theme = &self.theme;
        let text = printable_lines(bytes);
        let mut lines = Vec::new();
        for (n, line) in text.iter().enumerate() {
            let name_end = if n == 0 { line.len() } else { line.find(':').map_or(0, |at| at + 1) };
            let name_look = if n == 0 { theme.field(FieldId::Method) } else { theme.field(FieldId::HeadEnd) };
            for (part, words) in wrapped(line, COLUMNS, "  ").iter().enumerate() {
                let name_end = if part == 0 { name_end.min(words.len()) } else { 0 };
                let mut line = Line::new(&words[..name_end], name_look);
                line.push(&words[name_end..], if n == 0 { name_look } else { theme.text });
                lines.push(line);
            }
        }
        if lines.len() > MAX_HEAD_LINES {
            let more = lines.split_off(MAX_HEAD_LINES - 1).len() as u64;
            lines.push(Line::new(&format!("… {}", count(more, "more line")), theme.faint));
        }
        if let Some(body) = fields.iter().find(|field| field.id == FieldId::Body) {
            let len = body.span.len() / 8;
            lines.push(Line::new(&format!("body: {}", count(len, "byte")), theme.faint));
        }
        lines
    }

    fn junk(&self, record: &Record, bytes: &[u8]) -> Vec<Line> {
        let rows = bytes.chunks(HEX_ROW).map(|row| {
            let characters: String = row.iter().map(|byte| printable::hex_cell(*byte)).collect();
            Line::new(&format!("{:<50}{characters}", printable::hex_row(row)), self.theme.field(FieldId::Opaque))
        });
        let mut lines: Vec<Line> = rows.collect();
        let more = record.wire_len.saturating_sub(bytes.len() as u64);
        if more > 0 {
            lines.push(Line::new(&format!("… {}", count(more, "more byte")), self.theme.faint));
        }
        lines
    }

    fn finding(&self, finding: &Finding) -> Vec<Line> {
        let sign = match finding.rule.severity() {
            Severity::Info => "i",
            Severity::Warning => "⚠",
            Severity::Error => "✗",
        };
        let words = format!("{sign} {} ({}, {})", finding.sentence(), finding.rule.id(), finding.rule.section());
        let look = self.theme.severity(finding.rule.severity());
        wrapped(&printable::text(&words), COLUMNS, "  ").iter().map(|line| Line::new(line, look)).collect()
    }
}

impl Figure {
    /// All lines, from top to bottom.
    pub fn lines(self) -> Vec<Line> {
        let mut lines = vec![self.heading];
        lines.extend(self.body);
        lines.extend(self.findings);
        lines
    }

    /// The body as plain text, line by line. A grid is drawn with the characters of RFCs: `+`, `-` and `|`.
    pub fn body_text(&self) -> Vec<String> {
        let text = |line: &Line| line.to_string().trim_end().to_owned();
        self.body.iter().map(text).map(|line| if self.is_grid { in_ascii(&line) } else { line }).collect()
    }

    /// All of it as plain text: see [`Self::body_text`].
    pub fn text(&self) -> String {
        let heading = self.heading.to_string();
        let findings = self.findings.iter().map(Line::to_string);
        std::iter::once(heading).chain(self.body_text()).chain(findings).map(|line| line + "\n").collect()
    }
}

/// How many bytes of a record its figure needs.
pub const fn shown_bytes(kind: Kind) -> u64 {
    match kind {
        Kind::Request | Kind::Response | Kind::CutHttp => SHOWN_HEAD,
        Kind::Frame | Kind::CutFrame | Kind::Junk | Kind::Gap | Kind::End(_) => SHOWN_BYTES,
    }
}

/// The fields that the figure of a record shows. `bytes` are its first [`shown_bytes`].
pub fn fields(record: &Record, bytes: &[u8]) -> Vec<Field> {
    match record.kind {
        Kind::Frame | Kind::CutFrame => frame::fields(bytes, record.wire_len),
        Kind::Request | Kind::Response | Kind::CutHttp => Head::read(bytes).fields(record.wire_len),
        Kind::Junk | Kind::Gap | Kind::End(_) => Vec::new(),
    }
}

/// What a record is, in one line: `record 4 · text · client → server · 20 bytes on the wire`.
pub fn heading(record: &Record) -> String {
    let kind = match (record.opcode(), record.kind) {
        (Some(opcode), Kind::CutFrame) => format!("{}, truncated", opcode.name()),
        (Some(opcode), _) => opcode.name().to_owned(),
        (None, kind) => kind.name().to_owned(),
    };
    let direction = record.known_direction().map_or(String::new(), |direction| format!(" · {}", direction.words()));
    let bytes = match record.kind {
        Kind::Gap => {
            let bytes = count(record.wire_len, "byte");
            match record.loss {
                Loss::Lost => format!(" · {bytes} missing"),
                Loss::Estimated => format!(" · about {bytes} missing"),
                Loss::Unread => format!(" · {bytes} not read"),
                Loss::Unchanged => format!(" · {bytes} delivered unchanged"),
            }
        }
        Kind::End(_) => String::new(),
        _ => format!(" · {} on the wire", count(record.wire_len, "byte")),
    };
    format!("record {} · {kind}{direction}{bytes}", record.no)
}

/// The words in place of the bytes of a gap.
pub const fn gap_words(loss: Loss) -> &'static str {
    match loss {
        Loss::Lost | Loss::Estimated => "the capture lacks these bytes",
        Loss::Unread => "framescope relayed these bytes of TLS without reading them",
        Loss::Unchanged => "these bytes were delivered unchanged; the first connection has them",
    }
}

/// The lines of an HTTP head, up to its end.
fn printable_lines(bytes: &[u8]) -> Vec<String> {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines = lines.map(|line| printable::bytes(line).into_owned());
    lines.take_while(|line| !line.is_empty()).collect()
}

/// The name of a cell, in its middle.
fn name(cell: &GridCell) -> String {
    let continued = format!("{} (continued)", cell.label);
    match cell.begins {
        true => cell.centred_name(),
        false if continued.chars().count() <= cell.columns() => format!("{continued:^0$}", cell.columns()),
        false => format!("… {}", cell.label),
    }
}

/// The bits of the head, or the bytes of the payload, that are in this row.
fn value(cell: &GridCell, bytes: &[u8]) -> String {
    if cell.id.in_payload() { printable::hex_row(cell.bytes(bytes)) } else { cell.bits(bytes) }
}

fn in_ascii(line: &str) -> String {
    let ascii = |c| match c {
        '─' => '-',
        '│' => '|',
        '╷' => ' ',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        c => c,
    };
    line.chars().map(ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(hex: &str) -> String {
        let bytes = hex::decode(hex).expect("hex");
        let lines = FigureStyle::named(ThemeName::Mono).frame(&frame::fields(&bytes, bytes.len() as u64), &bytes, &[]);
        lines.iter().map(Line::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_masked_hello_of_section_5_7() {
        let expected = " 0                   1                   2                   3
 0 1 2 3 4 5 6 7╷8 9 0 1 2 3 4 5╷6 7 8 9 0 1 2 3╷4 5 6 7 8 9 0 1
┌─┬─┬─┬─┬───────┬─┬─────────────┬───────────────────────────────┐
│F│R│R│R│ opcode│M│ payload len │          masking key          │
│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0│
├─┴─┴─┴─┴───────┴─┴─────────────┼───────────────────────────────┤
│    masking key (continued)    │       payload (masked)        │
│0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1│ 7f 9f                         │
├───────────────────────────────┴───────────────┬───────────────┘
│              payload (continued)              │
│ 4d 51 58                                      │
└───────────────────────────────────────────────┘";
        assert_eq!(drawn("818537fa213d7f9f4d5158"), expected);
    }

    #[test]
    fn as_text_a_grid_has_the_characters_of_rfcs() {
        let bytes = [0x89, 0x00];
        let body = FigureStyle::named(ThemeName::Mono).frame(&frame::fields(&bytes, 2), &bytes, &[]);
        let figure = Figure { body, is_grid: true, ..Figure::default() };
        let expected = "+-+-+-+-+-------+-+-------------+
|F|R|R|R| opcode|M| payload len |
|1|0|0|0|1 0 0 1|0|0 0 0 0 0 0 0|
+-+-+-+-+-------+-+-------------+";
        assert_eq!(figure.body_text()[2..].join("\n"), expected);
    }

    #[test]
    fn a_frame_that_is_truncated_anywhere_can_be_drawn() {
        let bytes = [0x88, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
        for cut in 0..=bytes.len() {
            let lines = drawn(&hex::encode(&bytes[..cut]));
            assert!(lines.lines().all(|line| line.chars().count() <= 65), "{lines}");
        }
        assert!(drawn("827e0100aabbccddeeff00112233").ends_with("… 2 more bytes"));
    }
}
