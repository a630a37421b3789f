//! A picture as SVG: one `rect` per background, one `text` per group of words, and paths for the lines of boxes. There are no scripts,
//! styles, links or fonts, and text stays text. Each group of words has its width in columns, so that columns align in every font.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::shapes::{Arms, Shape, shape};
use super::{Look, Picture, Rgb};

/// Width and height of a cell, in user units. The width is that of a character of DejaVu Sans Mono.
const CELL: (f32, f32) = (8.4, 18.0);

/// Height of the text.
const FONT_SIZE: u16 = 14;

/// Distance of the baseline from the top of a cell.
const BASELINE: f32 = 13.5;

/// Space around the cells.
const MARGIN: f32 = 12.0;

/// The fonts, the most likely first. Any font with fixed width will do.
const FONTS: &str = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace";

/// Opacity of dim text.
const DIM: f32 = 0.65;

impl Picture {
    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let (columns, rows) = (self.columns(), self.lines.len());
        let (width, height) = (x(columns) + MARGIN, y(rows) + MARGIN);
        let mut drawing = Drawing::default();
        for (row, line) in self.lines.iter().enumerate() {
            let mut column = 0;
            for span in &line.0 {
                let style = Style::of(span.look(), self);
                drawing.span(row, column, span.text(), &style);
                column += span.columns();
            }
        }
        let [title, description] = [&self.title, &self.description].map(|text| escaped(text));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             role=\"img\" font-size=\"{FONT_SIZE}\" font-family=\"{FONTS}\" xml:space=\"preserve\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
            self.paper
        );
        drawing.write(&mut out);
        out.push_str("</svg>\n");
        out
    }
}

/// The left edge of a column.
fn x(column: usize) -> f32 {
    MARGIN + column as f32 * CELL.0
}

/// The top of a row.
fn y(row: usize) -> f32 {
    MARGIN + row as f32 * CELL.1
}

/// A style with colours.
#[derive(PartialEq)]
struct Style {
    ink: Rgb,
    paper: Option<Rgb>,
    look: Look,
}

impl Style {
    fn of(look: Look, picture: &Picture) -> Self {
        let (ink, paper) = (look.ink.unwrap_or(picture.ink), look.paper);
        if look.reversed {
            return Self { ink: paper.unwrap_or(picture.paper), paper: Some(ink), look };
        }
        Self { ink, paper, look }
    }

    /// The attributes of text.
    fn attributes(&self) -> String {
        let mut out = format!("fill=\"{}\"", self.ink);
        for (is_set, attribute) in [
            (self.look.bold, " font-weight=\"bold\""),
            (self.look.italic, " font-style=\"italic\""),
            (self.look.underlined, " text-decoration=\"underline\""),
        ] {
            out.push_str(if is_set { attribute } else { "" });
        }
        if self.look.dim {
            let _ = write!(out, " fill-opacity=\"{DIM}\"");
        }
        out
    }
}

/// The parts of the document, in the order in which they cover each other.
#[derive(Default)]
struct Drawing {
    papers: String,
    /// The path of the lines, by colour and whether they are dashed.
    lines: BTreeMap<(Rgb, bool), String>,
    blocks: String,
    texts: String,
}

impl Drawing {
    /// Adds a text that begins in a column.
    fn span(&mut self, row: usize, start: usize, text: &str, style: &Style) {
        if let Some(paper) = style.paper {
            rect(&mut self.papers, [x(start), y(row), text.width() as f32 * CELL.0, CELL.1], paper);
        }
        let mut words = Words::default();
        let mut column = start;
        for part in text.graphemes(true) {
            let columns = part.width();
            let mut chars = part.chars();
            match (chars.next().and_then(shape), chars.next()) {
                (Some(shape), None) => {
                    self.words(row, &mut words, style);
                    self.shape(row, column, shape, style.ink);
                }
                _ => {
                    if !words.take(part, column, columns) {
                        self.words(row, &mut words, style);
                        words.take(part, column, columns);
                    }
                }
            }
            column += columns;
        }
        self.words(row, &mut words, style);
    }

    /// Writes the words that were collected.
    fn words(&mut self, row: usize, words: &mut Words, style: &Style) {
        let Words { text, start, columns, .. } = std::mem::take(words);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let _ = writeln!(
            self.texts,
            "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" {}>{}</text>",
            x(start),
            y(row) + BASELINE,
            columns as f32 * CELL.0,
            style.attributes(),
            escaped(text)
        );
    }

    fn shape(&mut self, row: usize, column: usize, shape: Shape, ink: Rgb) {
        let (left, top) = (x(column), y(row));
        match shape {
            Shape::Block { width, height } => {
                let [width, height] =
                    [(width, CELL.0), (height, CELL.1)].map(|(part, whole)| f32::from(part) * whole / 8.0);
                rect(&mut self.blocks, [left, top + CELL.1 - height, width, height], ink);
            }
            Shape::Lines(Arms { up, right, down, left: to_left, dashed }) => {
                let path = self.lines.entry((ink, dashed)).or_default();
                let (centre, middle) = (left + CELL.0 / 2.0, top + CELL.1 / 2.0);
                if to_left || right {
                    let from = if to_left { left } else { centre };
                    let to = if right { left + CELL.0 } else { centre };
                    let _ = write!(path, "M{from:.1} {middle:.1}H{to:.1}");
                }
                if up || down {
                    let from = if up { top } else { middle };
                    let to = if down { top + CELL.1 } else { middle };
                    let _ = write!(path, "M{centre:.1} {from:.1}V{to:.1}");
                }
            }
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.papers);
        for ((ink, dashed), path) in &self.lines {
            let dashes = if *dashed { " stroke-dasharray=\"3 2\"" } else { "" };
            let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.2\"{dashes}/>");
        }
        out.push_str(&self.blocks);
        out.push_str(&self.texts);
    }
}

/// A text that is written as one element.
#[derive(Default)]
struct Words {
    text: String,
    /// The column of its first character.
    start: usize,
    /// Columns without the spaces at its end.
    columns: usize,
    /// Whether it is one symbol, which fonts may lack, so that another font with another width draws it.
    is_symbol: bool,
}

impl Words {
    /// Adds the next character, if it belongs to the words before it: two spaces end them, and a symbol is alone.
    fn take(&mut self, part: &str, column: usize, columns: usize) -> bool {
        let is_space = part == " ";
        if self.text.is_empty() {
            if !is_space {
                *self = Self { text: part.to_owned(), start: column, columns, is_symbol: is_symbol(part) };
            }
            return true;
        }
        let is_apart = match is_space {
            true => self.text.ends_with(' '),
            false => self.is_symbol || is_symbol(part),
        };
        if is_apart {
            return false;
        }
        self.text.push_str(part);
        if !is_space {
            self.columns = column + columns - self.start;
        }
        true
    }
}

/// Whether a character is neither ASCII nor a letter or digit of a script.
fn is_symbol(part: &str) -> bool {
    !part.is_ascii() && !part.chars().next().is_some_and(char::is_alphanumeric)
}

fn rect(out: &mut String, [x, y, width, height]: [f32; 4], fill: Rgb) {
    let _ =
        writeln!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>");
}

/// The text with what XML reserves escaped, and with the characters that XML 1.0 §2.2 forbids replaced.
fn escaped(text: &str) -> String {
    let is_allowed = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let allowed: String = text.chars().map(|c| if is_allowed(c) { c } else { '\u{fffd}' }).collect();
    quick_xml::escape::escape(&allowed).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::*;
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    fn picture(lines: Vec<Line>) -> Picture {
        Picture {
            title: "a <title>".to_owned(),
            description: String::new(),
            ink: Rgb(0, 0, 0),
            paper: Rgb(255, 255, 255),
            lines,
        }
    }

    /// The texts of the document, and where they begin.
    fn texts(svg: &str) -> Vec<(String, String)> {
        let mut reader = Reader::from_str(svg);
        let (mut texts, mut at) = (Vec::new(), None);
        loop {
            match reader.read_event().expect("XML") {
                Event::Eof => return texts,
                Event::Start(start) if start.name().as_ref() == "text" => {
                    let x = start.try_get_attribute("x").expect("attributes").expect("x");
                    at = Some(x.value.into_owned());
                    texts.push((at.clone().unwrap_or_default(), String::new()));
                }
                Event::End(_) => at = None,
                Event::Text(text) if at.is_some() => {
                    texts.last_mut().expect("one").1.push_str(&text);
                }
                Event::GeneralRef(name) if at.is_some() => {
                    let text = quick_xml::escape::resolve_predefined_entity(&name).expect("predefined");
                    texts.last_mut().expect("one").1.push_str(text);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn words_are_together_and_columns_and_symbols_apart() {
        let svg = picture(vec![Line::new("ab cd  ef ▲ naïve 日本", Look::default())]).svg();
        let found = texts(&svg);
        let words: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(words, ["ab cd", "ef", "▲", "naïve 日本"]);
        let column = |n: usize| format!("{:.1}", x(n));
        let places: Vec<&str> = found.iter().map(|(x, _)| x.as_str()).collect();
        assert_eq!(places, [column(0), column(7), column(10), column(12)]);
    }

    #[test]
    fn captured_text_is_data_and_the_document_is_well_formed() {
        let captured = "</text><script>alert(1)</script>&amp;\"'\u{1b}[2J\u{202e}\u{ffff}";
        let svg = picture(vec![Line::new(captured, Look::default())]).svg();
        let shown: String = texts(&svg).into_iter().map(|(_, text)| text).collect();
        assert!(
            shown.starts_with("</text><script>alert(1)</script>&amp;\"'␛[2J") && shown.contains("U+202E"),
            "{shown}"
        );
        assert!(!svg.contains("<script") && svg.contains("<title>a &lt;title&gt;</title>"));
        assert!(svg.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}' && c != '\u{ffff}'));
    }

    proptest! {
        /// Whatever a peer sends: the document is well-formed, and has every visible character.
        #[test]
        fn any_text_can_be_drawn(text in any::<String>(), bold: bool) {
            let line = Line::new(&text, Look { bold, ..Look::default() });
            let visible = |text: &str| {
                let shown = text.chars().filter(|c| !c.is_whitespace() && shape(*c).is_none());
                shown.map(|c| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect::<String>()
            };
            let expected = visible(&line.to_string());
            let svg = picture(vec![line]).svg();
            let found: String = texts(&svg).into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(visible(&found), expected);
        }
    }

    #[test]
    fn boxes_are_drawn_and_reversed_text_changes_its_colours() {
        let svg = picture(vec![Line::new("┌┄▌", Look::default())]).svg();
        assert_eq!((texts(&svg).len(), svg.matches("<path").count(), svg.matches("<rect").count()), (0, 2, 2));
        let svg = picture(vec![Line::new("x", Look { reversed: true, ..Look::default() })]).svg();
        assert!(svg.contains("fill=\"#ffffff\">x</text>") && svg.contains("fill=\"#000000\"/>"), "{svg}");
    }
}
