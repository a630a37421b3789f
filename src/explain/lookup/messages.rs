//! The messages of `assets/explain/errors.toml`, and the sentences of the rules and situations.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use super::Message;
use super::template::{Template, next_name};
use super::value::Value;
use crate::explain::texts;
use crate::explain::topic::Topic;
use crate::proto::rules::Rule;
use crate::wire::close::CloseCode;

const SOURCE: &str = include_str!("../../../assets/explain/errors.toml");

/// The messages of each target, for each library.
type Libraries = BTreeMap<String, BTreeMap<String, Vec<String>>>;

pub(super) static LIBRARIES: LazyLock<Libraries> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("a test parses errors.toml"));

pub(super) static MESSAGES: LazyLock<Messages> = LazyLock::new(Messages::new);

/// A part of a message that starts after a colon is found like the whole message if it has at least this many words.
const PART_WORDS: usize = 3;

/// What a message leads to. The order is that of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Rule(Rule),
    /// The close codes of the message.
    CloseCodes,
    /// A close code that the message gives by its name.
    CloseCode(u16),
    /// The reserved bits that are 1 in the message.
    RsvBits,
    Situation(&'static str),
}

/// A message and what it leads to.
#[derive(Debug)]
pub(super) struct Entry {
    pub template: Template,
    pub targets: Vec<Target>,
    /// The whole message. None for a sentence of framescope.
    pub message: Option<Message>,
    /// How much its words say: the sum of their weights.
    pub weight: f64,
}

/// All messages.
#[derive(Debug)]
pub(super) struct Messages {
    pub entries: Vec<Entry>,
    /// The number of entries that contain each word.
    occurrences: HashMap<String, usize>,
    /// The numbers of the entries whose rarest word is this one.
    by_rarest: HashMap<String, Vec<usize>>,
}

impl Target {
    /// The target with this key of `errors.toml`.
    pub fn of(key: &'static str) -> Option<Self> {
        let rule = || Rule::ALL.iter().find(|rule| rule.id() == key).map(|rule| Self::Rule(*rule));
        let code = || key.strip_prefix("close-")?.parse().ok().map(Self::CloseCode);
        match key {
            "close-code" => Some(Self::CloseCodes),
            "rsv-bits" => Some(Self::RsvBits),
            _ => rule().or_else(code).or_else(|| texts::situations().find(|id| *id == key).map(Self::Situation)),
        }
    }

    /// What it means in a message with these values.
    pub fn topics(self, values: &[Value]) -> Vec<Topic> {
        let codes = values.iter().filter_map(|value| match value {
            Value::CloseCode(code) => Some(Topic::CloseCode(CloseCode(*code))),
            _ => None,
        });
        match self {
            Self::Rule(rule @ Rule::StatusNot101) => {
                let statuses = values.iter().filter_map(|value| match value {
                    Value::Status(status) => Some(*status),
                    _ => None,
                });
                // 101 is what the rule requires.
                let statuses: Vec<_> = statuses.map(Topic::Status).collect();
                if statuses.contains(&Topic::Status(101)) {
                    return Vec::new();
                }
                std::iter::once(Topic::Rule(rule)).chain(statuses).collect()
            }
            Self::Rule(rule @ Rule::CloseCodeInvalid) => std::iter::once(Topic::Rule(rule)).chain(codes).collect(),
            Self::Rule(rule) => vec![Topic::Rule(rule)],
            Self::Situation(id) => vec![Topic::Situation(id)],
            Self::CloseCodes => with_rules(codes.collect()),
            Self::CloseCode(code) => with_rules(vec![Topic::CloseCode(CloseCode(code))]),
            Self::RsvBits => {
                let rsv = |value: &Value| if let Value::Rsv(bits) = value { Some(*bits) } else { None };
                let bits = values.iter().filter_map(rsv).reduce(|all, bits| all | bits).unwrap_or(7);
                let rules = [(4, Rule::Rsv1Set), (2, Rule::Rsv2Set), (1, Rule::Rsv3Set)];
                rules.into_iter().filter(|(mask, _)| bits & mask != 0).map(|(_, rule)| Topic::Rule(rule)).collect()
            }
        }
    }
}

/// Close codes, and the rules that their senders' peers violated, or that the codes themselves violate.
pub(super) fn with_rules(mut codes: Vec<Topic>) -> Vec<Topic> {
    let rule = |topic: &Topic| match topic {
        Topic::CloseCode(CloseCode(1006)) => Some(Topic::Rule(Rule::CloseMissing)),
        Topic::CloseCode(CloseCode::INVALID_DATA) => Some(Topic::Rule(Rule::TextNotUtf8)),
        Topic::CloseCode(CloseCode::TOO_BIG) => Some(Topic::Rule(Rule::MessageOverLimit)),
        Topic::CloseCode(code) if !code.may_be_sent() => Some(Topic::Rule(Rule::CloseCodeInvalid)),
        _ => None,
    };
    let rules: Vec<_> = codes.iter().filter_map(rule).collect();
    codes.extend(rules);
    codes
}

impl Messages {
    fn new() -> Self {
        let mut entries = Vec::new();
        let mut numbers: HashMap<Template, usize> = HashMap::new();
        let mut add = |source: &str, target: Target, printed: Option<(&'static str, &'static str)>| {
            let template = Template::new(source);
            let number = *numbers.entry(template.clone()).or_insert_with(|| {
                let message = printed.map(|(_, text)| Message { libraries: Vec::new(), text: without_names(text) });
                entries.push(Entry { template, targets: Vec::new(), message, weight: 0.0 });
                entries.len() - 1
            });
            let entry = &mut entries[number];
            if !entry.targets.contains(&target) {
                entry.targets.push(target);
            }
            if let (Some(message), Some((library, _))) = (&mut entry.message, printed)
                && !message.libraries.contains(&library)
            {
                message.libraries.push(library);
            }
        };
        for (library, targets) in &*LIBRARIES {
            for (key, messages) in targets {
                let Some(target) = Target::of(key) else { continue };
                for message in messages {
                    add(message, target, Some((library, message)));
                    for part in parts(message) {
                        add(part, target, Some((library, message)));
                    }
                }
            }
        }
        for rule in Rule::ALL {
            add(&rule.summary().replace('…', "{value}"), Target::Rule(*rule), None);
        }
        for id in texts::situations() {
            add(&texts::situation(id).0.title, Target::Situation(id), None);
        }
        entries.iter_mut().for_each(|entry| entry.targets.sort_unstable());
        let mut messages = Self { occurrences: occurrences(&entries), entries, by_rarest: HashMap::new() };
        for number in 0..messages.entries.len() {
            let entry = &messages.entries[number];
            let words: f64 = entry.template.literals().map(|word| messages.weight(word)).sum();
            // Precise values count for a little, so that a message with a value is preferred to one without.
            let weight = words + entry.template.numbers() as f64;
            let rarest =
                entry.template.literals().min_by_key(|word| messages.occurrences.get(*word)).map(str::to_owned);
            messages.entries[number].weight = weight;
            messages.by_rarest.entry(rarest.unwrap_or_default()).or_default().push(number);
        }
        messages
    }

    /// The entries whose words are all in a text with these words, in the order of the list.
    pub fn candidates(&'static self, words: &HashSet<&str>) -> impl Iterator<Item = &'static Entry> {
        let numbers = words.iter().filter_map(|word| self.by_rarest.get(*word)).flatten();
        let fits = |entry: &Entry| entry.template.literals().all(|word| words.contains(word));
        let mut fitting: Vec<usize> = numbers.copied().filter(|number| fits(&self.entries[*number])).collect();
        fitting.sort_unstable();
        fitting.into_iter().map(|number| &self.entries[number])
    }

    /// The weight of a word: rare words say more. A word that no message contains has the lowest weight.
    pub fn weight(&self, word: &str) -> f64 {
        let occurrences = self.occurrences.get(word);
        occurrences.map_or(1.0, |count| 1.0 + (self.entries.len() as f64 / *count as f64).ln())
    }
}

fn occurrences(entries: &[Entry]) -> HashMap<String, usize> {
    let mut occurrences = HashMap::new();
    for entry in entries {
        for word in entry.template.literals().collect::<HashSet<_>>() {
            *occurrences.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    occurrences
}

/// A message with `…` for each of its values.
fn without_names(message: &str) -> String {
    let mut shown = String::new();
    let mut rest = message.trim_end_matches('$');
    while let Some((before, _, after)) = next_name(rest) {
        shown.push_str(before);
        shown.push('…');
        rest = after;
    }
    shown + rest
}

/// The parts of a message after each colon that are long enough: programs print them without their prefix, too.
fn parts(message: &'static str) -> impl Iterator<Item = &'static str> {
    [": ", "::"].into_iter().flat_map(move |colon| message.match_indices(colon)).filter_map(move |(at, colon)| {
        let part = message[at + colon.len()..].trim_start_matches(':').trim();
        let is_long = Template::new(part).literals().count() >= PART_WORDS;
        let is_whole = message[..at].matches('{').count() == message[..at].matches('}').count();
        (is_long && is_whole).then_some(part)
    })
}
