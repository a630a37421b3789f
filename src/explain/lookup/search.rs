//! Finds messages in a text, and messages that a text is a part of.

use std::collections::HashSet;
use std::ops::Range;

use super::Match;
use super::messages::{Entry, MESSAGES, Target};
use super::template::Found;
use super::value::Value;
use super::words::{Word, words};

/// From this weight on, and with at least [`MIN_WORDS`] words, a text may be a part of a longer message.
const MIN_WEIGHT: f64 = 8.0;
const MIN_WORDS: usize = 4;

/// The messages that a text contains, the one that says most first. A message inside another one counts only if it is a value
/// of that message.
pub(super) fn contained(text: &str, words: &[Word]) -> Vec<Match> {
    let present: HashSet<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut found: Vec<(&Entry, Found)> = MESSAGES
        .candidates(&present)
        .filter_map(|entry| Some((entry, entry.template.find(text, words)?)))
        .filter(|(entry, found)| !topics(entry, &found.values).is_empty())
        .collect();
    found.sort_by(|(a, _), (b, _)| b.weight.total_cmp(&a.weight));
    let mut taken: Vec<&(&Entry, Found)> = Vec::new();
    for one in &found {
        let is_apart = |other: &&(&Entry, Found)| {
            let (place, other_place) = (place(&one.1), place(&other.1));
            let is_value = other.1.texts.iter().any(|text| text.start <= place.start && place.end <= text.end);
            let is_equal = place == other_place && one.0.weight == other.0.weight;
            is_value || is_equal || place.end <= other_place.start || other_place.end <= place.start
        };
        if taken.iter().all(is_apart) {
            taken.push(one);
        }
    }
    matches(taken.into_iter().map(|(entry, found)| (*entry, found.values.as_slice())))
}

fn place(found: &Found) -> Range<usize> {
    found.start..found.end
}

/// The topics of the messages that a text is a part of, if all of them mean the same.
pub(super) fn containing(text: &str) -> Vec<Match> {
    let mut segments: Vec<&str> = text.lines().collect();
    segments.extend(text.lines().flat_map(|line| line.match_indices(": ").map(|(at, _)| &line[at + 2..])));
    segments.extend(text.split('"').skip(1).step_by(2));
    for segment in std::iter::once(text).chain(segments) {
        let words = words(segment);
        let weight: f64 = words.iter().map(|word| MESSAGES.weight(&word.text)).sum();
        if words.len() < MIN_WORDS || weight < MIN_WEIGHT {
            continue;
        }
        let with_values = |entry: &'static Entry| Some((entry, entry.template.contains(segment, &words, MIN_WORDS)?));
        let found: Vec<_> = MESSAGES.entries.iter().filter_map(with_values).collect();
        let Some((first, values)) = found.first() else { continue };
        let wanted = topics(first, values);
        if !wanted.is_empty() && found.iter().all(|(entry, values)| topics(entry, values) == wanted) {
            return matches(std::iter::once((*first, values.as_slice())));
        }
    }
    Vec::new()
}

/// The topics of an entry. Its targets are in the order of the catalogue of rules, then situations.
pub(super) fn topics(entry: &Entry, values: &[Value]) -> Vec<super::Topic> {
    entry.targets.iter().flat_map(|target: &Target| target.topics(values)).collect()
}

/// One match per topic, in order.
pub(super) fn matches<'e>(found: impl Iterator<Item = (&'e Entry, &'e [Value])>) -> Vec<Match> {
    let mut matches: Vec<Match> = Vec::new();
    for (entry, values) in found {
        for topic in topics(entry, values) {
            if matches.iter().all(|other| other.topic != topic) {
                matches.push(Match { topic, message: entry.message.clone() });
            }
        }
    }
    matches
}
