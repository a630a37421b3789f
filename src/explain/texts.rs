//! The book of texts, `assets/explain/en.toml`: read once, looked up by chapter, topic and case, its names filled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Explanation;
use crate::proto::dissected::Direction;
use crate::proto::rules::grouped;

/// The only language there is.
const SOURCE: &str = include_str!("../../assets/explain/en.toml");

static BOOK: LazyLock<Book> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("the texts that are compiled in were tested"));

/// The parts of the book that have topics with cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chapter {
    /// Topics are hexadecimal opcodes, `3-7` and `b-f`.
    Opcode,
    /// Topics are the keys of a frame's fields.
    Frame,
    /// Topics are close codes and their ranges.
    Close,
    /// Topics are the keys of a head's fields but its headers.
    Http,
    /// Topics are header names in lower case, and sorts of them.
    Header,
    /// Topics are kinds of records.
    Record,
    /// Topics are what a compressed message has.
    Deflate,
}

/// Where a text stands in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Page<'k> {
    pub chapter: Chapter,
    pub topic: &'k str,
    pub case: &'k str,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    phrase: BTreeMap<String, String>,
    opcode: BTreeMap<String, Topic>,
    frame: BTreeMap<String, Topic>,
    close: BTreeMap<String, Topic>,
    http: BTreeMap<String, Topic>,
    header: BTreeMap<String, Topic>,
    record: BTreeMap<String, Topic>,
    deflate: BTreeMap<String, Topic>,
    rule: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Topic {
    title: String,
    section: String,
    #[serde(flatten)]
    cases: BTreeMap<String, Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    gloss: String,
    section: Option<String>,
    text: String,
}

impl Book {
    fn chapter(&self, chapter: Chapter) -> &BTreeMap<String, Topic> {
        match chapter {
            Chapter::Opcode => &self.opcode,
            Chapter::Frame => &self.frame,
            Chapter::Close => &self.close,
            Chapter::Http => &self.http,
            Chapter::Header => &self.header,
            Chapter::Record => &self.record,
            Chapter::Deflate => &self.deflate,
        }
    }
}

impl<'k> Page<'k> {
    pub const fn new(chapter: Chapter, topic: &'k str, case: &'k str) -> Self {
        Self { chapter, topic, case }
    }

    /// The words that stand there, with the names in braces filled in by `look`. Empty where nothing stands, which a test
    /// rules out.
    pub fn words(self, look: impl Fn(&str) -> Option<String>) -> Explanation {
        let Some((topic, case)) = self.find() else {
            return Explanation { title: self.topic.to_owned(), section: String::new(), text: String::new() };
        };
        Explanation {
            title: fill(&topic.title, &look),
            section: case.section.as_ref().unwrap_or(&topic.section).clone(),
            text: fill(&case.text, &look),
        }
    }

    /// The few words that stand there, likewise.
    pub fn gloss(self, look: impl Fn(&str) -> Option<String>) -> String {
        self.find().map(|(_, case)| fill(&case.gloss, &look)).unwrap_or_default()
    }

    fn find(self) -> Option<(&'static Topic, &'static Case)> {
        let topic = BOOK.chapter(self.chapter).get(self.topic)?;
        Some((topic, topic.cases.get(self.case)?))
    }
}

/// Whether a chapter has a topic of that name.
pub(super) fn has_topic(chapter: Chapter, topic: &str) -> bool {
    BOOK.chapter(chapter).contains_key(topic)
}

/// What is filed about a rule, by its id.
pub(super) fn rule(id: &str) -> Option<&'static str> {
    BOOK.rule.get(id).map(String::as_str)
}

/// A word that other texts are put together from.
pub(super) fn phrase(key: &str) -> &'static str {
    BOOK.phrase.get(key).map_or("", String::as_str)
}

/// The names that every text about one direction knows: who sends and who receives.
pub(super) fn peer(direction: Direction, name: &str) -> Option<String> {
    let (from, to) = match direction {
        Direction::ClientToServer => ("client", "server"),
        Direction::ServerToClient => ("server", "client"),
    };
    match name {
        "sender" => Some(phrase(from).to_owned()),
        "receiver" => Some(phrase(to).to_owned()),
        _ => None,
    }
}

/// `1 byte`, `1,024 bytes`.
pub(super) fn bytes(number: u64) -> String {
    match number {
        1 => phrase("byte").to_owned(),
        _ => fill(phrase("bytes"), |_| Some(grouped(number))),
    }
}

/// A template with each `{name}` replaced by what `look` says. A name that `look` does not know stays, which a test rules
/// out; what is put in is not looked at again.
pub(super) fn fill(template: &str, look: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|n| open + n) else { break };
        out.push_str(&rest[..open]);
        match look(&rest[open + 1..close]) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[open..=close]),
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Every page of the book.
#[cfg(test)]
pub(super) fn pages() -> impl Iterator<Item = Page<'static>> {
    use Chapter::{Close, Deflate, Frame, Header, Http, Opcode, Record};
    [Opcode, Frame, Close, Http, Header, Record, Deflate].into_iter().flat_map(|chapter| {
        BOOK.chapter(chapter)
            .iter()
            .flat_map(move |(topic, page)| page.cases.keys().map(move |case| Page { chapter, topic, case }))
    })
}

/// The ids of all rules that have a text.
#[cfg(test)]
pub(super) fn rule_ids() -> impl Iterator<Item = &'static str> {
    BOOK.rule.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_once() {
        let look = |name: &str| (name == "a").then(|| "{a}".to_owned());
        assert_eq!(fill("x {a} {b} {c", look), "x {a} {b} {c");
        assert_eq!(fill("{a}{a}", |_| Some("1".to_owned())), "11");
        assert_eq!(fill("", look), "");
    }

    #[test]
    fn one_byte_and_many() {
        assert_eq!([bytes(0), bytes(1), bytes(65536)], ["0 bytes", "1 byte", "65,536 bytes"]);
    }

    #[test]
    fn the_book_is_read_and_every_topic_has_a_case() {
        for chapter in [&BOOK.opcode, &BOOK.frame, &BOOK.close, &BOOK.http, &BOOK.header, &BOOK.record, &BOOK.deflate] {
            for (key, topic) in chapter {
                assert!(!topic.cases.is_empty(), "{key}");
                assert!(!topic.section.is_empty(), "{key}");
            }
        }
        assert_eq!(Page::new(Chapter::Frame, "fin", "no such").words(|_| None).text, "");
    }
}
