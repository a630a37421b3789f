//! A message as in the source of a library, with names in braces for its values.

use std::collections::HashSet;

use super::value::{Value, ValueKind};
use super::words::{Word, words};

/// The most words of a value that is text.
const MAX_TEXT: usize = 60;

/// From this number of words on, a message is recognized anywhere in a line. A shorter one must be a part of its own.
const LONG: usize = 4;

/// A message with names in braces for its values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Template {
    items: Vec<Item>,
    /// Whether text may come before without punctuation.
    open_start: bool,
    /// Whether text may follow without punctuation.
    open_end: bool,
    /// Whether nothing may follow.
    is_last: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    Word(String),
    Value(ValueKind),
}

/// Where a template was found in a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The number of its first word in the message.
    pub start: usize,
    /// The number of the word after its last one.
    pub end: usize,
    /// The values.
    pub values: Vec<Value>,
    /// The numbers of the words of each value that is text: they may contain another message.
    pub texts: Vec<std::ops::Range<usize>>,
}

/// A search from one word on.
struct Search<'s> {
    message: &'s str,
    words: &'s [Word],
    found: Found,
    /// The items and words from which on the rest was not found.
    failed: HashSet<(usize, usize)>,
}

impl Template {
    pub fn new(source: &str) -> Self {
        let (source, is_last) = match source.strip_suffix('$') {
            Some(source) => (source, true),
            None => (source, false),
        };
        let mut items = Vec::new();
        let mut rest = source;
        while let Some((text, name, after)) = next_name(rest) {
            items.extend(words(text).into_iter().map(|word| Item::Word(word.text)));
            items.push(Item::Value(ValueKind::of(name)));
            rest = after;
        }
        items.extend(words(rest).into_iter().map(|word| Item::Word(word.text)));
        let is_text = |item: Option<&Item>| item == Some(&Item::Value(ValueKind::Text));
        let (open_start, open_end) = (is_text(items.first()), is_text(items.last()));
        items.truncate(items.len() - usize::from(open_end && items.len() > 1));
        items.drain(..usize::from(open_start && items.len() > 1));
        Self { items, open_start, open_end, is_last }
    }

    /// The words, without values.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match item {
            Item::Word(word) => Some(word.as_str()),
            Item::Value(_) => None,
        })
    }

    /// How many values other than text it has.
    pub fn numbers(&self) -> usize {
        self.items.iter().filter(|item| matches!(item, Item::Value(kind) if *kind != ValueKind::Text)).count()
    }

    /// Finds the template in a message: the first place where all its words follow each other.
    pub fn find(&self, message: &str, words: &[Word]) -> Option<Found> {
        let is_short = self.literals().count() < LONG;
        let first = self.items.first()?;
        (0..words.len()).find_map(|start| {
            if matches!(first, Item::Word(first) if *first != words[start].text)
                || (is_short && !self.open_start && !words[start].starts_part)
            {
                return None;
            }
            let mut search =
                Search { message, words, found: Found { start, ..Found::default() }, failed: HashSet::new() };
            search.found.end = search.step(self, 0, start, is_short)?;
            // The values were collected from the end.
            search.found.values.reverse();
            Some(search.found)
        })
    }

    fn may_end(&self, words: &[Word], at: usize, is_short: bool) -> bool {
        let next = words.get(at);
        next.is_none_or(|next| !self.is_last && (!is_short || self.open_end || next.starts_part) && !next.is_inside_run)
    }

    /// Finds words that are not a whole message in the template, one after the other, with at least `least` of its own words.
    /// Returns the values among them.
    pub fn contains(&self, message: &str, words: &[Word], least: usize) -> Option<Vec<Value>> {
        let value = |item: &Item, word: &Word, at: usize| match item {
            Item::Word(text) => (*text == word.text).then_some(Value::Other),
            Item::Value(ValueKind::Text) => Some(Value::Other),
            Item::Value(kind) => kind.ends(message, words, at).find(|(end, _)| *end == at + 1).map(|(_, value)| value),
        };
        let own = |part: &&[Item]| part.iter().filter(|item| matches!(item, Item::Word(_))).count() >= least;
        self.items.windows(words.len().max(1)).filter(own).find_map(|part| {
            part.iter().zip(words).enumerate().map(|(at, (item, word))| value(item, word, at)).collect()
        })
    }
}

impl Search<'_> {
    /// Finds the items from number `item` on in the words from number `at` on. Returns the number of the word after them.
    fn step(&mut self, template: &Template, item: usize, at: usize, is_short: bool) -> Option<usize> {
        let Some(next) = template.items.get(item) else {
            return template.may_end(self.words, at, is_short).then_some(at);
        };
        if self.failed.contains(&(item, at)) {
            return None;
        }
        let end = match next {
            Item::Word(text) => {
                let fits = self.words.get(at).is_some_and(|word| word.text == *text);
                fits.then(|| self.step(template, item + 1, at + 1, is_short)).flatten()
            }
            Item::Value(ValueKind::Text) => self.text(template, item, at, is_short),
            Item::Value(kind) => {
                let ends: Vec<_> = kind.ends(self.message, self.words, at).collect();
                ends.into_iter().find_map(|(after, value)| {
                    let end = self.step(template, item + 1, after, is_short)?;
                    self.found.values.push(value);
                    Some(end)
                })
            }
        };
        if end.is_none() {
            self.failed.insert((item, at));
        }
        end
    }

    /// A value that is text: as few words of the same line as possible.
    fn text(&mut self, template: &Template, item: usize, at: usize, is_short: bool) -> Option<usize> {
        for after in at..=(at + MAX_TEXT).min(self.words.len()) {
            if after > at && self.words[after - 1].starts_line {
                return None;
            }
            if let Some(end) = self.step(template, item + 1, after, is_short) {
                self.found.texts.push(at..after);
                return Some(end);
            }
        }
        None
    }
}

/// Splits at the first name in braces: the text before it, the name, and what follows. Braces around other text belong to the
/// message.
pub(super) fn next_name(source: &str) -> Option<(&str, &str, &str)> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    source.match_indices('{').find_map(|(open, _)| {
        let (name, after) = source[open + 1..].split_once('}')?;
        is_name(name).then_some((&source[..open], name, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str, message: &str) -> Option<Vec<Value>> {
        Template::new(template).find(message, &words(message)).map(|found| found.values)
    }

    #[test]
    fn values_are_read_where_the_names_are() {
        assert_eq!(found("bad opcode {reserved}", "websocket: bad opcode 0xB"), Some(vec![Value::Other]));
        assert_eq!(found("bad opcode {reserved}", "websocket: bad opcode 1"), None);
        let codes = found(
            "received {code} ({name}) {why}; then sent {code}",
            "received 1012 (service restart); then sent 1001",
        );
        assert_eq!(codes, Some(vec![Value::CloseCode(1012), Value::CloseCode(1001)]));
        assert_eq!(found("status {status}", "Status: 403"), Some(vec![Value::Status(403)]));
        assert_eq!(found("size {n} over {n} bytes", "size 65,537 over 0x1ff bytes"), Some(vec![Value::Other; 2]));
    }

    #[test]
    fn a_short_message_must_be_a_part_of_its_own() {
        for message in
            ["Illegal frame", "x: illegal frame.", "12:00 ERROR Illegal frame", "(Illegal frame)", "\"illegal frame\""]
        {
            assert!(found("Illegal frame", message).is_some(), "{message}");
        }
        for message in ["no illegal frame", "illegal frame of a picture", "illegal frames"] {
            assert_eq!(found("Illegal frame", message), None, "{message}");
        }
        assert!(found("all the words of this message", "see all words of this message there").is_some());
        assert!(found("{who} said close {close-code} {why}", "he said close 1006 again").is_some());
        assert!(found("failed:$", "It failed: ").is_some() || found("failed:$", "failed: ").is_some());
        assert_eq!(found("failed:$", "failed: why"), None);
    }

    #[test]
    fn a_value_of_text_stays_in_its_line() {
        assert!(found("value {x} is not one of them", "value 'a b c' is not one of them").is_some());
        assert!(found("value {x} is not one of them", "value '' is not one of them").is_some());
        assert_eq!(found("value {x} is not one of them", "value a\nb is not one of them"), None);
    }
}
