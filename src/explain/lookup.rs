//! Finds what a text is about: an error message of a library or browser, the id of a rule, a section, a close code or a status.
//!
//! No answer is better than a wrong one. An answer is a whole message wherever it occurs in the text, or a text that is a part of
//! messages which all mean the same. Similar messages are guesses.

mod guess;
mod messages;
mod search;
mod template;
mod value;
mod words;

use std::borrow::Cow;

use self::words::Word;
use super::texts;
use super::topic::Topic;
use crate::proto::rules::Rule;
use crate::wire::close::CloseCode;
use crate::wire::field::Span;

/// The longest text that is searched, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A topic that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The topic.
    pub topic: Topic,
    /// The message that led to the topic, if one did.
    pub message: Option<Message>,
}

/// A message of libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The libraries that print it.
    pub libraries: Vec<&'static str>,
    /// The message, with `…` for each of its values.
    pub text: String,
}

/// The answer to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the text is about, the most specific topic first. Never empty.
    Found(Vec<Match>),
    /// At most three topics with similar messages, the most similar first. Maybe none.
    Guesses(Vec<Match>),
}

/// What a text is about.
pub fn find(text: &str) -> Answer {
    let text = without_colours(&text[..text.floor_char_boundary(MAX_BYTES)]);
    let text = text.trim();
    let words = words::words(text);
    let direct =
        number(text, &words).or_else(|| ids(text)).or_else(|| section(text).map(|section| of_section(&section)));
    if let Some(topics) = direct.filter(|topics| !topics.is_empty()) {
        return Answer::Found(topics.into_iter().map(|topic| Match { topic, message: None }).collect());
    }
    let mut found = search::contained(text, &words);
    if found.is_empty() {
        found = search::containing(text);
    }
    if found.is_empty() { Answer::Guesses(guess::nearest(&words)) } else { Answer::Found(found) }
}

/// Removes the escape sequences with which a logger colours its lines: ESC, `[`, digits and a letter.
fn without_colours(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\x1b[");
    let mut plain = Cow::Borrowed(parts.next().unwrap_or_default());
    for part in parts {
        let letter = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        let after = part[letter..].strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(&part[letter..]);
        plain.to_mut().push_str(after);
    }
    plain
}

/// The topics of a text that is only a close code or an HTTP status, maybe in punctuation or after what a logger prints.
fn number(text: &str, words: &[Word]) -> Option<Vec<Topic>> {
    let (number, before) = words.split_last()?;
    let follows_logger = before.iter().all(Word::is_of_logger) && before.last().is_none_or(|last| !last.is_number());
    let is_negative = text[..number.bytes.start].ends_with('-');
    if !follows_logger || !number.starts_part || is_negative {
        return None;
    }
    match number.text.parse().ok()? {
        101 => Some(vec![Topic::Status(101)]),
        status if is_status(status) => Some(vec![Topic::Status(status), Topic::Rule(Rule::StatusNot101)]),
        // Other numbers follow a log level, too: the error numbers of a database, for example.
        code @ (1000..=1015 | 3000..=4999) => Some(messages::with_rules(vec![Topic::CloseCode(CloseCode(code))])),
        code @ 1016..=2999 if before.is_empty() => Some(messages::with_rules(vec![Topic::CloseCode(CloseCode(code))])),
        _ => None,
    }
}

/// Returns true for a status that IANA has registered.
const fn is_status(number: u16) -> bool {
    matches!(
        number,
        100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=417 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511
    )
}

/// The rules whose ids the text contains, or the situation whose id it is.
fn ids(text: &str) -> Option<Vec<Topic>> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<Topic> = Vec::new();
    for word in lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let rule = Rule::ALL.iter().find(|rule| rule.id() == word).map(|rule| Topic::Rule(*rule));
        found.extend(rule.filter(|rule| !found.contains(rule)));
    }
    if found.is_empty() {
        found.extend(texts::situations().find(|id| *id == lower).map(Topic::Situation));
    }
    (!found.is_empty()).then_some(found)
}

/// Parses a section number with an optional document: `5.5.1`, `§5.5.1`, `RFC 6455 §5.5.1`, `rfc7692 7.1`. Returns
/// document and section.
fn section(text: &str) -> Option<(Option<String>, String)> {
    let lower = text.to_ascii_lowercase().replace("section", " ").replace('§', " ");
    let mut parts: Vec<&str> = lower.split([' ', ',', ':']).filter(|part| !part.is_empty()).collect();
    let number = parts.pop()?.trim_end_matches('.');
    let is_number = number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let document = match parts[..] {
        [] => None,
        ["rfc", document] => Some(document.to_owned()),
        [document] => Some(document.strip_prefix("rfc")?.to_owned()),
        _ => return None,
    };
    // Without a document, a number is a section only if it contains a dot or follows §.
    let bare = document.is_none() && !number.contains('.') && !text.contains('§');
    (is_number && !bare).then(|| (document, number.to_owned()))
}

/// The rules of a section and of its subsections: without a document, those of RFC 6455 first; the rules of the section itself
/// first.
fn of_section((document, number): &(Option<String>, String)) -> Vec<Topic> {
    let mut found = Vec::new();
    for rule in Rule::ALL {
        let Some((of, at)) = rule.section().split_once(" §") else { continue };
        let below = at.strip_prefix(number.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let named = document.as_ref().is_none_or(|document| of.strip_prefix("RFC ") == Some(document));
        if below && named {
            found.push((document.is_none() && of != "RFC 6455", at != number, Topic::Rule(*rule)));
        }
    }
    // A stable sort keeps the order of the catalogue.
    found.sort_by_key(|(is_foreign, is_deeper, _)| (*is_foreign, *is_deeper));
    found.into_iter().map(|(_, _, topic)| topic).collect()
}

/// The bits of a frame that the rule applies to, if they are the same in every frame.
pub const fn bits(rule: Rule) -> Option<Span> {
    Some(match rule {
        Rule::ControlFragmented => Span::bits(0, 1),
        Rule::Rsv1Set => Span::bits(1, 2),
        Rule::Rsv2Set => Span::bits(2, 3),
        Rule::Rsv3Set => Span::bits(3, 4),
        Rule::OpcodeReserved => Span::bits(4, 8),
        Rule::ClientFrameUnmasked | Rule::ServerFrameMasked => Span::bits(8, 9),
        Rule::LengthTopBit => Span::bits(16, 17),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
