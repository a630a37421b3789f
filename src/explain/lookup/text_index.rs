//! Finds rules by the similarity of texts: error messages of libraries, rule ids and sentences.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::{Match, sort};
use crate::proto::rules::Rule;

/// The source of [`ERRORS`].
const SOURCE: &str = include_str!("../../../assets/explain/errors.toml");

/// The error messages of each library for each rule id.
type Errors = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The error messages of `assets/explain/errors.toml`.
pub(super) static ERRORS: LazyLock<Errors> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("a test parses errors.toml"));

/// The similarity from which on a rule counts as found. 1 means the same words.
const MIN_SIMILARITY: f64 = 0.55;

/// The share of a number's weight that another number counts.
const OTHER_NUMBER: f64 = 0.6;

/// The weight from which on a text may be a part of a longer sentence.
const LONG_ENOUGH: f64 = 8.0;

/// Splits a text into lower-case words without punctuation. A number is a word of its own.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        // `reserved1` and `125B` are each a word and a number.
        let boundary = word.chars().next_back().is_some_and(|last| last.is_ascii_digit() != c.is_ascii_digit());
        if !c.is_alphanumeric() || boundary {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if c.is_alphanumeric() {
            word.push(c);
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// All texts that lead to rules, split into words.
pub(super) struct TextIndex {
    texts: Vec<IndexedText>,
    /// The number of texts that contain each word.
    occurrences: HashMap<String, usize>,
}

/// A text that leads to a rule.
struct IndexedText {
    rule: Rule,
    words: Vec<String>,
    message: Option<(&'static str, &'static str)>,
}

impl TextIndex {
    pub fn new() -> Self {
        let mut texts = Vec::new();
        for rule in Rule::ALL {
            for text in [rule.id().to_owned(), rule.summary()] {
                texts.push(IndexedText { rule: *rule, words: words(&text), message: None });
            }
            for (library, messages) in ERRORS.get(rule.id()).into_iter().flatten() {
                for text in messages {
                    texts.push(IndexedText { rule: *rule, words: words(text), message: Some((library, text)) });
                }
            }
        }
        let mut occurrences = HashMap::new();
        for indexed in &texts {
            let mut words: Vec<&String> = indexed.words.iter().collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                *occurrences.entry(word.clone()).or_insert(0) += 1;
            }
        }
        Self { texts, occurrences }
    }

    /// The weight of a word: rare words weigh more. A word that no text contains has the lowest weight.
    fn weight(&self, word: &str) -> f64 {
        match self.occurrences.get(word) {
            Some(n) => 1.0 + (self.texts.len() as f64 / *n as f64).ln(),
            None => 1.0,
        }
    }

    pub fn search(&self, asked: &[String]) -> Vec<Match> {
        // Numbers and single letters occur in many texts.
        if asked.iter().all(|word| is_number(word) || word.chars().count() < 2) {
            return Vec::new();
        }
        let asked_weight: f64 = asked.iter().map(|word| self.weight(word)).sum();
        let mut best: BTreeMap<Rule, Match> = BTreeMap::new();
        for indexed in &self.texts {
            let similarity = self.similarity(indexed, asked, asked_weight);
            if similarity < MIN_SIMILARITY {
                continue;
            }
            let found = Match { rule: indexed.rule, message: indexed.message, similarity };
            let kept = best.entry(indexed.rule).or_insert_with(|| found.clone());
            if found.similarity > kept.similarity {
                *kept = found;
            }
        }
        let mut found: Vec<Match> = best.into_values().collect();
        sort(&mut found);
        found
    }

    /// The similarity of a searched text to an indexed one: the share of the indexed text that the search contains, and the
    /// share of the search that the indexed text contains. The first counts more, so that other text in a line of a log does
    /// not hide an error message.
    fn similarity(&self, indexed: &IndexedText, asked: &[String], asked_weight: f64) -> f64 {
        if asked == indexed.words {
            return 1.0;
        }
        let mut left: Vec<&str> = asked.iter().map(String::as_str).collect();
        let (mut shared, mut whole) = (0.0, 0.0);
        let mut numbers = Vec::new();
        for word in &indexed.words {
            whole += self.weight(word);
            match left.iter().position(|asked| asked == word) {
                Some(at) => {
                    shared += self.weight(word);
                    left.swap_remove(at);
                }
                None if is_number(word) => numbers.push(word),
                None => {}
            }
        }
        for number in numbers {
            if let Some(at) = left.iter().position(|asked| is_number(asked)) {
                shared += self.weight(number) * OTHER_NUMBER;
                left.swap_remove(at);
            }
        }
        if shared == 0.0 {
            return 0.0;
        }
        // The same words in the same order count more.
        let inside = |outer: &[String], inner: &[String]| outer.windows(inner.len().max(1)).any(|part| part == inner);
        let in_order = |yes: bool| if yes { 0.1 } else { 0.0 };
        let (of_indexed, of_asked) = (shared / whole, (shared / asked_weight).min(1.0));
        let message = 0.6 * of_indexed + 0.25 * of_asked + in_order(inside(asked, &indexed.words));
        // The search may be a part of the indexed sentence, if it is long enough.
        let part = match asked_weight {
            LONG_ENOUGH.. => 0.6 * of_asked + 0.25 * of_indexed + in_order(inside(&indexed.words, asked)),
            _ => 0.0,
        };
        message.max(part).min(0.99)
    }
}
