//! The texts of `assets/explain/en.toml`: parsed once, looked up by chapter, topic and case.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Explanation;
use crate::proto::dissected::Direction;
use crate::proto::rules::grouped;

/// The texts in English, the only language so far.
const SOURCE: &str = include_str!("../../assets/explain/en.toml");

static TEXTS: LazyLock<Texts> = LazyLock::new(|| toml::from_str(SOURCE).expect("a test parses en.toml"));

/// The tables of `en.toml` that have topics with cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chapter {
    /// Topics are opcodes in hex, `3-7` and `b-f`.
    Opcode,
    /// Topics are keys of the fields of a frame.
    Frame,
    /// Topics are close codes and ranges of them.
    Close,
    /// Topics are keys of the fields of an HTTP message, except headers.
    Http,
    /// Topics are header names in lower case, and groups of them.
    Header,
    /// Topics are kinds of records.
    Record,
    /// Topics are parts of a compressed frame.
    Deflate,
}

/// The key of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TextKey<'k> {
    pub chapter: Chapter,
    pub topic: &'k str,
    pub case: &'k str,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    phrase: BTreeMap<String, String>,
    opcode: BTreeMap<String, Topic>,
    frame: BTreeMap<String, Topic>,
    close: BTreeMap<String, Topic>,
    http: BTreeMap<String, Topic>,
    header: BTreeMap<String, Topic>,
    record: BTreeMap<String, Topic>,
    deflate: BTreeMap<String, Topic>,
    rule: BTreeMap<String, String>,
    next: Next,
    situation: BTreeMap<String, Situation>,
}

/// What to do next.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    rule: BTreeMap<String, String>,
    close: BTreeMap<String, String>,
    status: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    title: String,
    section: String,
    text: String,
    next: String,
}

/// The tables of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextOf {
    /// Keys are the ids of rules.
    Rule,
    /// Keys are topics of [`Chapter::Close`].
    Close,
    /// Keys are cases of the topic `status` of [`Chapter::Http`].
    Status,
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
    brief: Option<String>,
    section: Option<String>,
    text: String,
}

impl Texts {
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

impl<'k> TextKey<'k> {
    pub const fn new(chapter: Chapter, topic: &'k str, case: &'k str) -> Self {
        Self { chapter, topic, case }
    }

    /// The explanation with this key. `look` returns the value of each name in braces. Empty if there is no such text,
    /// which a test excludes.
    pub fn explanation(self, look: impl Fn(&str) -> Option<String>) -> Explanation {
        let Some((topic, case)) = self.find() else {
            return Explanation { title: self.topic.to_owned(), section: String::new(), text: String::new() };
        };
        Explanation {
            title: fill(&topic.title, &look),
            section: case.section.as_ref().unwrap_or(&topic.section).clone(),
            text: fill(&case.text, &look),
        }
    }

    /// The gloss with this key, filled in as in [`Self::explanation`].
    pub fn gloss(self, look: impl Fn(&str) -> Option<String>) -> String {
        self.find().map(|(_, case)| fill(&case.gloss, &look)).unwrap_or_default()
    }

    /// A shorter form of the gloss, for a narrow table, if it has one.
    pub fn brief(self) -> Option<&'static str> {
        self.find().and_then(|(_, case)| case.brief.as_deref())
    }

    fn find(self) -> Option<(&'static Topic, &'static Case)> {
        let topic = TEXTS.chapter(self.chapter).get(self.topic)?;
        Some((topic, topic.cases.get(self.case)?))
    }
}

/// Returns true if a chapter has a topic.
pub(super) fn has_topic(chapter: Chapter, topic: &str) -> bool {
    TEXTS.chapter(chapter).contains_key(topic)
}

/// The text about the rule with this id.
pub(super) fn rule(id: &str) -> Option<&'static str> {
    TEXTS.rule.get(id).map(String::as_str)
}

/// What to do next. Empty if there is no such key, which a test excludes.
pub(super) fn next(of: NextOf, key: &str) -> &'static str {
    let table = match of {
        NextOf::Rule => &TEXTS.next.rule,
        NextOf::Close => &TEXTS.next.close,
        NextOf::Status => &TEXTS.next.status,
    };
    table.get(key).map_or("", String::as_str)
}

/// Explains the situation with this id, and says what to do next. Empty if there is none, which a test excludes.
pub(super) fn situation(id: &str) -> (Explanation, &'static str) {
    let Some(found) = TEXTS.situation.get(id) else {
        return (Explanation { title: String::new(), section: String::new(), text: String::new() }, "");
    };
    let words = Explanation { title: found.title.clone(), section: found.section.clone(), text: found.text.clone() };
    (words, &found.next)
}

/// The ids of all situations.
pub(super) fn situations() -> impl Iterator<Item = &'static str> {
    TEXTS.situation.keys().map(String::as_str)
}

/// A phrase that is inserted into other texts.
pub(super) fn phrase(key: &str) -> &'static str {
    TEXTS.phrase.get(key).map_or("", String::as_str)
}

/// The values of the names `sender` and `receiver`, which every text about a direction may use.
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

/// Replaces each `{name}` in a template by the value that `look` returns. A name without a value stays, which a test
/// excludes. Values are not searched for names.
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

/// The keys of all texts.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = TextKey<'static>> {
    use Chapter::{Close, Deflate, Frame, Header, Http, Opcode, Record};
    [Opcode, Frame, Close, Http, Header, Record, Deflate].into_iter().flat_map(|chapter| {
        TEXTS
            .chapter(chapter)
            .iter()
            .flat_map(move |(topic, key)| key.cases.keys().map(move |case| TextKey { chapter, topic, case }))
    })
}

/// The ids of all rules that have a text.
#[cfg(test)]
pub(super) fn rule_ids() -> impl Iterator<Item = &'static str> {
    TEXTS.rule.keys().map(String::as_str)
}

/// The keys of all tables of [`next`].
#[cfg(test)]
pub(super) fn next_keys() -> impl Iterator<Item = String> {
    [&TEXTS.next.rule, &TEXTS.next.close, &TEXTS.next.status].into_iter().flat_map(|table| table.keys().cloned())
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
    fn every_topic_has_a_case_and_a_section() {
        for chapter in
            [&TEXTS.opcode, &TEXTS.frame, &TEXTS.close, &TEXTS.http, &TEXTS.header, &TEXTS.record, &TEXTS.deflate]
        {
            for (key, topic) in chapter {
                assert!(!topic.cases.is_empty(), "{key}");
                assert!(!topic.section.is_empty(), "{key}");
            }
        }
        assert_eq!(TextKey::new(Chapter::Frame, "fin", "no such").explanation(|_| None).text, "");
    }
}
