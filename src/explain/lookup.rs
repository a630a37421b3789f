//! From an error message to the rule behind it: by what libraries print, a rule's id, a section, or the words of a sentence.
//!
//! What libraries print stands in `assets/explain/errors.toml`.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::proto::rules::Rule;
use crate::wire::field::Span;

const SOURCE: &str = include_str!("../../assets/explain/errors.toml");

/// Rule id → library → strings.
type Errors = BTreeMap<String, BTreeMap<String, Vec<String>>>;

static ERRORS: LazyLock<Errors> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("the error strings that are compiled in were tested"));

static SHELF: LazyLock<Shelf> = LazyLock::new(Shelf::new);

/// From which likeness on a rule counts as found. 1 is the same words.
const ENOUGH: f64 = 0.55;

/// What another number than the expected one is worth, of what the expected one is.
const WILDCARD: f64 = 0.6;

/// What the words of a question must weigh together to stand for a longer sentence.
const TELLING: f64 = 8.0;

/// A rule that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The rule.
    pub rule: Rule,
    /// Which library prints what, where its words led here.
    pub said: Option<(&'static str, &'static str)>,
    /// How much alike: above 0, at most 1.
    likeness: f64,
}

/// The rules that a text may mean, the best first.
pub fn find(text: &str) -> Vec<Match> {
    let text = without_prefix(text.trim());
    if let Some(rule) = close_code(text) {
        return vec![Match { rule, said: None, likeness: 1.0 }];
    }
    if let Some(rule) = Rule::ALL.iter().find(|rule| rule.id().eq_ignore_ascii_case(text)) {
        return vec![Match { rule: *rule, said: None, likeness: 1.0 }];
    }
    match section(text) {
        Some(section) => of_section(&section),
        None => SHELF.search(&words(text)),
    }
}

/// What a library puts before all of its messages says nothing.
fn without_prefix(text: &str) -> &str {
    const PREFIX: &str = "websocket protocol error:";
    match text.split_at_checked(PREFIX.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(PREFIX) && !rest.trim().is_empty() => rest.trim(),
        _ => text,
    }
}

/// The rule behind a close code that an application reports, given alone.
fn close_code(text: &str) -> Option<Rule> {
    Some(match text.parse().ok()? {
        1006u16 => Rule::CloseMissing,
        1007 => Rule::TextNotUtf8,
        1009 => Rule::MessageOverLimit,
        1004 | 1005 | 1015..=2999 => Rule::CloseCodeInvalid,
        _ => return None,
    })
}

/// The bits of a frame that a rule is always about, where it is about certain ones.
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

/// The number of a section, and of its document where that is named: `5.5.1`, `§5.5.1`, `RFC 6455 §5.5.1`, `rfc7692 7.1`.
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
    // A number alone is a section only with the dot or the sign that sections have.
    let bare = document.is_none() && !number.contains('.') && !text.contains('§');
    (is_number && !bare).then(|| (document, number.to_owned()))
}

/// The rules of a section and of those below it, that very section's first.
fn of_section((document, number): &(Option<String>, String)) -> Vec<Match> {
    let mut found = Vec::new();
    for rule in Rule::ALL {
        let Some((of, at)) = rule.section().split_once(" §") else { continue };
        let below = at.strip_prefix(number.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let named = document.as_ref().is_none_or(|document| of.strip_prefix("RFC ") == Some(document));
        if below && named {
            // A number alone is one of RFC 6455 before it is one of what that rests on.
            let foreign = if document.is_none() && of != "RFC 6455" { 0.2 } else { 0.0 };
            let deeper = if at == number { 0.0 } else { 0.1 };
            found.push(Match { rule: *rule, said: None, likeness: 1.0 - foreign - deeper });
        }
    }
    sort(&mut found);
    found
}

/// The best first; of those as good, the one that stands first in the catalogue.
fn sort(found: &mut [Match]) {
    found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
}

/// A text in words: lower case, without punctuation, each number a word, plural and other endings as they stand.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        // `reserved1` and `125B` are a word and a number.
        let turns = word.chars().next_back().is_some_and(|last| last.is_ascii_digit() != c.is_ascii_digit());
        if !c.is_alphanumeric() || turns {
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

/// All texts that lead to rules, in words.
struct Shelf {
    cards: Vec<Card>,
    /// In how many of them each word stands.
    common: HashMap<String, usize>,
}

/// A text that leads to a rule.
struct Card {
    rule: Rule,
    words: Vec<String>,
    said: Option<(&'static str, &'static str)>,
}

impl Shelf {
    fn new() -> Self {
        let mut cards = Vec::new();
        for rule in Rule::ALL {
            for text in [rule.id().to_owned(), rule.summary()] {
                cards.push(Card { rule: *rule, words: words(&text), said: None });
            }
            for (library, texts) in ERRORS.get(rule.id()).into_iter().flatten() {
                for text in texts {
                    cards.push(Card { rule: *rule, words: words(text), said: Some((library, text)) });
                }
            }
        }
        let mut common = HashMap::new();
        for card in &cards {
            let mut words: Vec<&String> = card.words.iter().collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                *common.entry(word.clone()).or_insert(0) += 1;
            }
        }
        Self { cards, common }
    }

    /// How much a word tells: the rarer, the more. One that stands nowhere tells little, as it may be anything.
    fn weight(&self, word: &str) -> f64 {
        match self.common.get(word) {
            Some(n) => 1.0 + (self.cards.len() as f64 / *n as f64).ln(),
            None => 1.0,
        }
    }

    fn search(&self, asked: &[String]) -> Vec<Match> {
        // Numbers and single letters stand anywhere.
        if asked.iter().all(|word| is_number(word) || word.chars().count() < 2) {
            return Vec::new();
        }
        let asked_weight: f64 = asked.iter().map(|word| self.weight(word)).sum();
        let mut best: BTreeMap<Rule, Match> = BTreeMap::new();
        for card in &self.cards {
            let likeness = self.likeness(card, asked, asked_weight);
            if likeness < ENOUGH {
                continue;
            }
            let found = Match { rule: card.rule, said: card.said, likeness };
            let kept = best.entry(card.rule).or_insert_with(|| found.clone());
            if found.likeness > kept.likeness {
                *kept = found;
            }
        }
        let mut found: Vec<Match> = best.into_values().collect();
        sort(&mut found);
        found
    }

    /// How much of the card's text was asked for, and how much of what was asked for is the card's. What stands around an
    /// error message in a log shall not hide it, so the first counts more.
    fn likeness(&self, card: &Card, asked: &[String], asked_weight: f64) -> f64 {
        if asked == card.words {
            return 1.0;
        }
        let mut left: Vec<&str> = asked.iter().map(String::as_str).collect();
        let (mut shared, mut whole) = (0.0, 0.0);
        let mut numbers = Vec::new();
        for word in &card.words {
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
                shared += self.weight(number) * WILDCARD;
                left.swap_remove(at);
            }
        }
        if shared == 0.0 {
            return 0.0;
        }
        // The same words in their order tell more than the same words.
        let inside = |outer: &[String], inner: &[String]| outer.windows(inner.len().max(1)).any(|part| part == inner);
        let in_order = |yes: bool| if yes { 0.1 } else { 0.0 };
        let (of_card, of_asked) = (shared / whole, (shared / asked_weight).min(1.0));
        let message = 0.6 * of_card + 0.25 * of_asked + in_order(inside(asked, &card.words));
        // Part of a sentence, when it is enough to tell anything.
        let part = match asked_weight {
            TELLING.. => 0.6 * of_asked + 0.25 * of_card + in_order(inside(&card.words, asked)),
            _ => 0.0,
        };
        message.max(part).min(0.99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::dissected::Direction;
    use crate::proto::judge::{ActiveExtensions, judge_head};
    use crate::wire::frame::{FrameHead, HeadReading};

    fn first(text: &str) -> Option<Rule> {
        find(text).first().map(|found| found.rule)
    }

    #[test]
    fn every_rule_in_the_list_exists() {
        for id in ERRORS.keys() {
            assert!(Rule::ALL.iter().any(|rule| rule.id() == id), "{id}");
        }
    }

    #[test]
    fn every_string_finds_its_rule_first() {
        for (id, libraries) in &*ERRORS {
            for (library, text) in libraries.iter().flat_map(|(library, texts)| texts.iter().map(move |t| (library, t)))
            {
                let found = find(text);
                let best = found.first().map(|found| found.likeness);
                // A string that stands at several rules finds them all.
                let is_first = found.iter().any(|m| m.rule.id() == id && Some(m.likeness) == best);
                assert!(is_first, "{id}: {library}: {text}: {found:#?}");
                let noisy = format!("2026-11-22 19:30:00 ERROR [worker-3] app.js:117 failed: Error: {text}");
                let found = find(&noisy);
                let best = found.first().map(|found| found.likeness);
                let is_first = found.iter().any(|m| m.rule.id() == id && Some(m.likeness) == best);
                assert!(is_first, "in a log: {id}: {library}: {text}: {found:#?}");
            }
        }
    }

    #[test]
    fn ids_sentences_and_parts_of_them_find_their_rule() {
        for rule in Rule::ALL {
            assert_eq!(first(rule.id()), Some(*rule));
            assert_eq!(first(&rule.summary()), Some(*rule), "{}", rule.summary());
        }
        assert_eq!(first("RSV1 must be clear"), Some(Rule::Rsv1Set));
        assert_eq!(first("rsv1 MUST be clear!"), Some(Rule::Rsv1Set));
        assert_eq!(first("invalid opcode 12"), Some(Rule::OpcodeReserved));
        assert_eq!(first("close code 1006 must not be sent"), Some(Rule::CloseCodeInvalid));
        assert_eq!(first("must mask every frame"), Some(Rule::ClientFrameUnmasked));
    }

    #[test]
    fn sections_find_their_rules_and_those_below() {
        let ids = |text| find(text).iter().map(|found| found.rule.section()).collect::<Vec<_>>();
        for text in ["5.5.1", "§5.5.1", "RFC 6455 §5.5.1", "rfc6455 5.5.1", "RFC 6455, section 5.5.1"] {
            let found = ids(text);
            assert!(
                !found.is_empty() && found.iter().all(|section| *section == "RFC 6455 §5.5.1"),
                "{text}: {found:?}"
            );
        }
        assert_eq!(ids("5.5").first(), Some(&"RFC 6455 §5.5"));
        assert!(ids("5.5").contains(&"RFC 6455 §5.5.1"));
        assert!(ids("RFC 9112 §5").iter().all(|section| section.starts_with("RFC 9112 §5")));
        assert_eq!(ids("RFC 9999 §5.5"), [""; 0]);
    }

    #[test]
    fn what_is_no_error_of_websocket_finds_nothing() {
        for text in
            ["", "bananas", "the frame", "connection refused", "1", "error", "segmentation fault (core dumped)", "404"]
        {
            assert_eq!(find(text), [], "{text}");
        }
    }

    #[test]
    fn the_bits_of_a_rule_are_those_that_the_judge_names() {
        use Direction::{ClientToServer as Up, ServerToClient as Down};
        let mut seen = 0;
        for (hex, direction) in [
            ("8105", Up),
            ("818537fa213d", Down),
            ("c105", Down),
            ("a105", Down),
            ("9105", Down),
            ("8305", Down),
            ("0900", Down),
            ("827f8000000000000000", Down),
        ] {
            let HeadReading::Complete(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else {
                panic!("a head")
            };
            let mut findings = Vec::new();
            judge_head(&head, direction, ActiveExtensions::default(), &mut findings);
            for finding in findings {
                assert_eq!(bits(finding.rule), finding.span, "{hex}");
                seen += 1;
            }
        }
        assert_eq!(seen, Rule::ALL.iter().filter(|rule| bits(**rule).is_some()).count());
    }
}
