//! What an error message may be about: a rule, a situation, a close code or an HTTP status.

use super::texts::{self, Chapter, TextKey};
use super::{Explanation, code, http};
use crate::proto::rules::Rule;
use crate::wire::close::CloseCode;

/// What an error message may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// A rule that the traffic violates.
    Rule(Rule),
    /// A situation that no rule describes, by its id in `en.toml`.
    Situation(&'static str),
    /// A code of a Close, or one that a library reports.
    CloseCode(CloseCode),
    /// The status of an HTTP response.
    Status(u16),
}

/// The explanation of a topic for a person. All texts are safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPage {
    /// The id of a rule or situation, `close code 1006` or `status 403`.
    pub id: String,
    /// The severity of a rule; otherwise what kind of topic it is, or a short name.
    pub kind: String,
    /// The section that defines it, such as `RFC 6455 §5.2`.
    pub section: String,
    /// One sentence, if the text does not begin with one.
    pub summary: Option<String>,
    /// What it means.
    pub text: String,
    /// What to do next.
    pub next: &'static str,
}

impl Topic {
    /// Explains the topic.
    pub fn page(self) -> TopicPage {
        match self {
            Self::Rule(rule) => {
                let next = texts::next(texts::NextOf::Rule, rule.id());
                page(rule.id(), rule.severity().name(), Some(rule.summary()), super::rule(rule), next)
            }
            Self::Situation(id) => {
                let (words, next) = texts::situation(id);
                let summary = Some(words.title.clone());
                page(id, "situation", summary, words, next)
            }
            Self::CloseCode(close) => {
                let topic = code::close_topic(close);
                let value = |name: &str| (name == "code").then(|| close.0.to_string());
                let words = TextKey::new(Chapter::Close, &topic, "code").explanation(value);
                let next = texts::next(texts::NextOf::Close, &topic);
                page(&format!("close code {}", close.0), close.name(), None, words, next)
            }
            Self::Status(status) => {
                let case = http::status_case(Some(status), true);
                let key = TextKey::new(Chapter::Http, "status", case);
                let value = |name: &str| (name == "value").then(|| status.to_string());
                let next = texts::next(texts::NextOf::Status, case);
                page(&format!("status {status}"), &key.gloss(value), None, key.explanation(value), next)
            }
        }
    }
}

fn page(id: &str, kind: &str, summary: Option<String>, words: Explanation, next: &'static str) -> TopicPage {
    TopicPage { id: id.to_owned(), kind: kind.to_owned(), section: words.section, summary, text: words.text, next }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(page: &TopicPage) {
        for text in [&page.text, page.next] {
            assert!(text.ends_with(['.', ')']) && !text.contains(['{', '}']) && !text.contains("  "), "{text}");
            assert!(text.chars().count() <= 320, "{}: {text}", text.chars().count());
        }
        assert!(!page.kind.is_empty() && !page.id.is_empty() && page.section.contains('§'), "{page:?}");
        assert!(page.summary.as_ref().is_none_or(|summary| !summary.is_empty()), "{page:?}");
    }

    #[test]
    fn every_topic_says_what_it_means_and_what_to_do_next_and_no_text_is_unused() {
        let mut used = BTreeSet::new();
        for rule in Rule::ALL {
            check(&Topic::Rule(*rule).page());
            used.insert(rule.id().to_owned());
        }
        for id in texts::situations() {
            check(&Topic::Situation(id).page());
        }
        for number in (0..=u16::MAX).step_by(7).chain(1000..=1015) {
            check(&Topic::CloseCode(CloseCode(number)).page());
            used.insert(code::close_topic(CloseCode(number)));
        }
        for status in 0..=700 {
            check(&Topic::Status(status).page());
            used.insert(http::status_case(Some(status), true).to_owned());
        }
        assert_eq!(used, texts::next_keys().collect());
    }
}
