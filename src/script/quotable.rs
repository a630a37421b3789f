//! Words of a person that an error quotes.

/// The longest word that an error quotes, in characters.
const MAX_QUOTED: usize = 40;

/// A word as an error quotes it: a long one is cut.
pub(super) fn quotable(word: &str) -> String {
    match word.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}
