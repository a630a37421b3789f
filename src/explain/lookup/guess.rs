//! Guesses what a text is about, by the words that it shares with messages.

use super::Match;
use super::messages::{Entry, MESSAGES};
use super::search::matches;
use super::words::Word;

/// The most guesses.
const MAX_GUESSES: usize = 3;

/// The least similarity of a guess. 1 means the same words.
const MIN_SIMILARITY: f64 = 0.25;

/// Words that turn a message into its opposite.
const OPPOSITES: [&str; 8] = ["no", "not", "none", "missing", "without", "must", "cannot", "never"];

/// The topics whose messages are the most similar to a text, at most three. Empty if none is similar enough.
pub(super) fn nearest(words: &[Word]) -> Vec<Match> {
    let asked: Vec<&str> = words.iter().filter(|word| !word.is_number()).map(|word| word.text.as_str()).collect();
    // A single letter, or one word, says too little.
    if asked.iter().filter(|word| word.chars().count() > 1).count() < 2 {
        return Vec::new();
    }
    let of_asked: f64 = asked.iter().map(|word| MESSAGES.weight(word)).sum();
    let mut found: Vec<(&Entry, f64)> = MESSAGES
        .entries
        .iter()
        .map(|entry| (entry, similarity(entry, &asked, of_asked)))
        .filter(|(_, similarity)| *similarity >= MIN_SIMILARITY)
        .collect();
    found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut guesses = matches(found.into_iter().map(|(entry, _)| (entry, [].as_slice())));
    guesses.truncate(MAX_GUESSES);
    guesses
}

/// The similarity of a text to a message, from 0 to 1: the weight of the shared words, compared with that of all words of both.
fn similarity(entry: &Entry, asked: &[&str], of_asked: f64) -> f64 {
    let mut left = asked.to_vec();
    let (mut shared, mut of_entry) = (0.0, 0.0);
    for word in entry.template.literals().filter(|word| !word.bytes().all(|b| b.is_ascii_digit())) {
        of_entry += MESSAGES.weight(word);
        if let Some(at) = left.iter().position(|asked| *asked == word) {
            shared += MESSAGES.weight(word);
            left.swap_remove(at);
        }
    }
    let differs = |opposite: &&str| asked.contains(opposite) != entry.template.literals().any(|word| word == *opposite);
    let opposites = OPPOSITES.iter().filter(|opposite| differs(opposite)).count();
    // Other text in a line of a log counts less than words of the message that are missing.
    2.0 * shared / (1.2 * of_entry + 0.8 * of_asked) * 0.8_f64.powi(opposites.try_into().unwrap_or(i32::MAX))
}
