//! Finds the rules that an error message, a rule id, a section or a close code refers to.

mod text_index;

use std::sync::LazyLock;

use self::text_index::{TextIndex, words};
use crate::proto::rules::Rule;
use crate::wire::field::Span;

static INDEX: LazyLock<TextIndex> = LazyLock::new(TextIndex::new);

/// A rule that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The rule.
    pub rule: Rule,
    /// The library and its error message that led to the rule, if one did.
    pub message: Option<(&'static str, &'static str)>,
    /// The similarity to the searched text, above 0 and at most 1.
    similarity: f64,
}

/// The rules that a text may refer to, the best match first.
pub fn find(text: &str) -> Vec<Match> {
    let text = without_prefix(text.trim());
    if let Some(rule) = close_code(text) {
        return vec![Match { rule, message: None, similarity: 1.0 }];
    }
    if let Some(rule) = Rule::ALL.iter().find(|rule| rule.id().eq_ignore_ascii_case(text)) {
        return vec![Match { rule: *rule, message: None, similarity: 1.0 }];
    }
    match section(text) {
        Some(section) => of_section(&section),
        None => INDEX.search(&words(text)),
    }
}

/// Removes a prefix that a library prints before all its messages.
fn without_prefix(text: &str) -> &str {
    const PREFIX: &str = "websocket protocol error:";
    match text.split_at_checked(PREFIX.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(PREFIX) && !rest.trim().is_empty() => rest.trim(),
        _ => text,
    }
}

/// The rule for a close code that an application reports, if the text is only a code.
fn close_code(text: &str) -> Option<Rule> {
    Some(match text.parse().ok()? {
        1006u16 => Rule::CloseMissing,
        1007 => Rule::TextNotUtf8,
        1009 => Rule::MessageOverLimit,
        1004 | 1005 | 1015..=2999 => Rule::CloseCodeInvalid,
        _ => return None,
    })
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

/// The rules of a section and of its subsections, the rules of the section itself first.
fn of_section((document, number): &(Option<String>, String)) -> Vec<Match> {
    let mut found = Vec::new();
    for rule in Rule::ALL {
        let Some((of, at)) = rule.section().split_once(" §") else { continue };
        let below = at.strip_prefix(number.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let named = document.as_ref().is_none_or(|document| of.strip_prefix("RFC ") == Some(document));
        if below && named {
            // Without a document, rules of RFC 6455 come before rules of other documents.
            let foreign = if document.is_none() && of != "RFC 6455" { 0.2 } else { 0.0 };
            let deeper = if at == number { 0.0 } else { 0.1 };
            found.push(Match { rule: *rule, message: None, similarity: 1.0 - foreign - deeper });
        }
    }
    sort(&mut found);
    found
}

/// Sorts the best match first; equal matches stay in the order of the catalogue.
fn sort(found: &mut [Match]) {
    found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
}

#[cfg(test)]
mod tests {
    use super::text_index::ERRORS;
    use super::*;
    use crate::proto::dissected::Direction;
    use crate::proto::judge::{ActiveExtensions, judge_head};
    use crate::wire::frame::FrameHead;

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
    fn every_error_message_finds_its_rule_first() {
        for (id, libraries) in &*ERRORS {
            for (library, text) in libraries.iter().flat_map(|(library, texts)| texts.iter().map(move |t| (library, t)))
            {
                let found = find(text);
                let best = found.first().map(|found| found.similarity);
                // A message that is listed for several rules finds all of them.
                let is_first = found.iter().any(|m| m.rule.id() == id && Some(m.similarity) == best);
                assert!(is_first, "{id}: {library}: {text}: {found:#?}");
                let noisy = format!("2026-11-22 19:30:00 ERROR [worker-3] app.js:117 failed: Error: {text}");
                let found = find(&noisy);
                let best = found.first().map(|found| found.similarity);
                let is_first = found.iter().any(|m| m.rule.id() == id && Some(m.similarity) == best);
                assert!(is_first, "in a log: {id}: {library}: {text}: {found:#?}");
            }
        }
    }

    #[test]
    fn ids_sentences_and_parts_of_sentences_find_their_rule() {
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
    fn a_section_finds_its_rules_and_those_of_subsections() {
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
    fn text_without_a_websocket_error_finds_nothing() {
        for text in
            ["", "bananas", "the frame", "connection refused", "1", "error", "segmentation fault (core dumped)", "404"]
        {
            assert_eq!(find(text), [], "{text}");
        }
    }

    #[test]
    fn the_bits_of_a_rule_are_the_bits_of_its_findings() {
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
            let Some(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else { panic!("a head") };
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
