//! Reads the text of a script.

use std::ops::Range;
use std::time::Duration;

use super::error::{ScriptError, ScriptProblem};
use super::hex_digits::parse_hex;
use super::outgoing::{Outgoing, OutgoingError};
use super::quotable::quotable;
use super::scanner::{Located, Scanner};
use super::statement::{Body, Operation, Script, Statement, Trigger};
use crate::capture::query::filter::{self, Filter};

/// The longest script in bytes.
const MAX_LEN: usize = 1 << 20;

/// The most repeats inside each other.
const MAX_DEPTH: usize = 16;

/// The longest time of a statement.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the file of `send file`, or says why it cannot.
type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

impl Script {
    /// Reads a script. `read_file` reads the files that it sends.
    ///
    /// # Errors
    /// What is wrong in the first wrong line, and where.
    pub fn parse(text: &str, read_file: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Result<Self, ScriptError> {
        let mut read_file = read_file;
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let located = |line: usize, (problem, span): Located| {
            let text = lines.get(line - 1).cloned().unwrap_or_default();
            ScriptError { problem, line, span, text }
        };
        if text.len() > MAX_LEN {
            return Err(located(1, (ScriptProblem::TooLong(MAX_LEN), 0..0)));
        }
        let main = Body { trigger: Trigger::Open, statements: Vec::new() };
        let mut parser = Parser { bodies: vec![main], current: 0, open: Vec::new(), read_file: &mut read_file };
        for (i, line) in lines.iter().enumerate() {
            parser.line(i + 1, line).map_err(|error| located(i + 1, error))?;
        }
        if let Some(open) = parser.open.last() {
            return Err(located(open.line, (ScriptProblem::NoEnd(open.name), open.span.clone())));
        }
        let bodies = parser.bodies;
        Ok(Self { bodies, lines, name: String::new() })
    }
}

struct Parser<'a> {
    bodies: Vec<Body>,
    /// The body that statements are added to.
    current: usize,
    /// The blocks that have no end yet.
    open: Vec<Block>,
    read_file: ReadFile<'a>,
}

/// A block without its end.
struct Block {
    /// Its first word.
    name: &'static str,
    line: usize,
    /// The place of that word.
    span: Range<usize>,
    /// The position of its first statement.
    start: usize,
}

impl Parser<'_> {
    fn line(&mut self, line: usize, text: &str) -> Result<(), Located> {
        let mut scanner = Scanner::new(text);
        if scanner.is_at_end() {
            return Ok(());
        }
        let (word, span) = scanner.word();
        match word {
            "send" => {
                let outgoing = self.send(&mut scanner)?;
                self.send_statement(line, span, outgoing)?;
            }
            "ping" | "pong" => {
                let (payload, place) = optional_text(&mut scanner)?;
                let outgoing = if word == "ping" { Outgoing::ping(&payload) } else { Outgoing::pong(&payload) };
                self.send_statement(line, span, outgoing.map_err(|error| (error.into(), place))?)?;
            }
            "close" => {
                let outgoing = close(&mut scanner)?;
                self.send_statement(line, span, outgoing)?;
            }
            "expect" => self.expect(line, text, &mut scanner, span)?,
            "wait" => {
                let duration = duration(&mut scanner)?;
                self.add(line, Operation::Wait(duration));
            }
            "repeat" => self.repeat(line, &mut scanner, span)?,
            "on" => self.on(line, text, &mut scanner, span)?,
            "end" => self.end(line, span)?,
            word => return Err((ScriptProblem::Unknown(quotable(word)), span)),
        }
        scanner.end()
    }

    /// `expect FILTER within TIME`
    fn expect(
        &mut self,
        line: usize,
        text: &str,
        scanner: &mut Scanner<'_>,
        span: Range<usize>,
    ) -> Result<(), Located> {
        let (place, mut after) = match scanner.split_at_last("within") {
            Some(found) => found,
            None if scanner.is_at_end() => return Err((ScriptProblem::ExpectWhat, span)),
            None => {
                let end = scanner.rest().1.end;
                return Err((ScriptProblem::NoWithin, end..end));
            }
        };
        if place.is_empty() {
            return Err((ScriptProblem::ExpectWhat, span));
        }
        let filter = filter(text, place)?;
        let within = duration(&mut after)?;
        *scanner = after;
        self.add(line, Operation::Expect { filter, within });
        Ok(())
    }

    /// `repeat TIMES`
    fn repeat(&mut self, line: usize, scanner: &mut Scanner<'_>, span: Range<usize>) -> Result<(), Located> {
        let (times, place) = scanner.word();
        let times = times.parse().ok().filter(|times| *times > 0).ok_or((ScriptProblem::Times, place))?;
        if self.open.iter().filter(|block| block.name == "repeat").count() >= MAX_DEPTH {
            return Err((ScriptProblem::TooDeep(MAX_DEPTH), span));
        }
        self.add(line, Operation::Repeat(times));
        self.open_block("repeat", line, span);
        Ok(())
    }

    /// `on open` or `on FILTER`
    fn on(&mut self, line: usize, text: &str, scanner: &mut Scanner<'_>, span: Range<usize>) -> Result<(), Located> {
        if let Some(open) = self.open.last() {
            return Err((ScriptProblem::NestedOn(open.name), span));
        }
        let (rest, place) = scanner.rest();
        let trigger = match rest {
            "" => return Err((ScriptProblem::OnWhat, span)),
            "open" => Trigger::Open,
            _ => Trigger::Record(filter(text, place)?),
        };
        self.current = self.bodies.len();
        self.bodies.push(Body { trigger, statements: Vec::new() });
        self.open_block("on", line, span);
        Ok(())
    }

    /// `end`
    fn end(&mut self, line: usize, span: Range<usize>) -> Result<(), Located> {
        let block = self.open.pop().ok_or((ScriptProblem::StrayEnd, span.clone()))?;
        if block.name == "on" {
            self.current = 0;
        } else if block.start == self.bodies[self.current].statements.len() {
            return Err((ScriptProblem::EmptyRepeat, span));
        } else {
            self.add(line, Operation::Again(block.start));
        }
        Ok(())
    }

    /// `send text "…"`, `send hex "00ff"` or `send file PATH`.
    fn send(&mut self, scanner: &mut Scanner<'_>) -> Result<Outgoing, Located> {
        let (what, place) = scanner.word();
        match what {
            "text" => Ok(Outgoing::Text(scanner.quoted()?.0)),
            "hex" => {
                let (digits, place) = scanner.quoted()?;
                parse_hex(&digits).map(Outgoing::Binary).ok_or((ScriptProblem::Hex, place))
            }
            "file" if scanner.is_at_end() => Err((ScriptProblem::NoPath, place.end..place.end)),
            "file" => {
                let (path, place) = match scanner.quoted() {
                    Err((ScriptProblem::Quotes, _)) => {
                        let (path, place) = scanner.rest();
                        (path.to_owned(), place)
                    }
                    quoted => quoted?,
                };
                let content = (self.read_file)(&path).map_err(|words| (ScriptProblem::File(words), place))?;
                Ok(Outgoing::file(content))
            }
            _ => Err((ScriptProblem::SendWhat, place)),
        }
    }

    /// Adds a statement that sends. In one block, nothing follows a Close: it would never be sent.
    fn send_statement(&mut self, line: usize, span: Range<usize>, outgoing: Outgoing) -> Result<(), Located> {
        let start = self.open.last().map_or(0, |block| block.start);
        let is_close =
            |statement: &&Statement| matches!(&statement.operation, Operation::Send(earlier) if earlier.is_close());
        if let Some(close) = self.bodies[self.current].statements[start..].iter().find(is_close) {
            return Err((ScriptProblem::AfterClose(close.line), span));
        }
        self.add(line, Operation::Send(outgoing));
        Ok(())
    }

    fn add(&mut self, line: usize, operation: Operation) {
        self.bodies[self.current].statements.push(Statement { line, operation });
    }

    fn open_block(&mut self, name: &'static str, line: usize, span: Range<usize>) {
        let start = self.bodies[self.current].statements.len();
        self.open.push(Block { name, line, span, start });
    }
}

/// A text in quotes, which may be missing, and its place.
fn optional_text(scanner: &mut Scanner<'_>) -> Result<(String, Range<usize>), Located> {
    if scanner.is_at_end() { Ok((String::new(), scanner.rest().1)) } else { scanner.quoted() }
}

/// `close`, `close 1000` or `close 1000 "bye"`.
fn close(scanner: &mut Scanner<'_>) -> Result<Outgoing, Located> {
    if scanner.is_at_end() {
        return Ok(Outgoing::Close { code: None, reason: String::new() });
    }
    let (code, code_place) = scanner.word();
    let (reason, place) = optional_text(scanner)?;
    Outgoing::close(code, &reason).map_err(|error| {
        let place = if error == OutgoingError::CloseCode { code_place } else { place };
        (error.into(), place)
    })
}

/// The filter at a place of a line.
fn filter(line: &str, place: Range<usize>) -> Result<Filter, Located> {
    Filter::parse(&line[place.clone()]).map_err(|error| {
        let span = place.start + error.span.start..place.start + error.span.end;
        (ScriptProblem::Filter(Box::new(error)), span)
    })
}

fn duration(scanner: &mut Scanner<'_>) -> Result<Duration, Located> {
    let (word, place) = scanner.word();
    filter::duration(word)
        .filter(|duration| !duration.is_zero() && *duration <= LONGEST)
        .ok_or((ScriptProblem::Duration, place))
}

impl From<OutgoingError> for ScriptProblem {
    fn from(error: OutgoingError) -> Self {
        Self::Outgoing(error)
    }
}
