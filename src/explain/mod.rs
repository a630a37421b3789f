//! Explains fields, codes, rules and records to a learner.
//!
//! `assets/explain/en.toml` contains all texts; this module chooses the text for a value. Captured text is made
//! [`crate::wire::printable`] before it is inserted, so explanations are safe for a terminal.

mod case;
mod code;
mod deflate;
mod frame;
mod frame_context;
mod header;
mod http;
pub mod lookup;
mod texts;
mod topic;
pub mod tour;
mod unmask;
mod value;

#[cfg(test)]
mod tests;

pub use deflate::{DeflateContext, compressed_payload, percent};
pub use frame::{frame_brief, frame_field, frame_gloss};
pub use frame_context::{Extensions, FrameContext, MessagePart};
pub use http::{http_field, http_gloss};
pub use topic::{Topic, TopicPage};
pub use unmask::unmasked_byte;
pub use value::{ValueText, value};

use crate::proto::dissected::{Direction, EndReason, Kind, Loss};
use crate::proto::rules::Rule;
use crate::wire::field::Field;
use crate::wire::printable;
use texts::Chapter;

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The term of the specification, or the name of a header. Safe for a terminal.
    pub title: String,
    /// The section that defines it, such as `RFC 6455 §5.2`.
    pub section: String,
    /// At most four sentences and 320 characters, the most useful first. Safe for a terminal.
    pub text: String,
}

/// Explains why a rule exists and what a peer does on a violation. The title is the id of the rule.
///
/// The explanation is general; [`crate::proto::rules::Finding::sentence`] describes the violation of one record.
pub fn rule(rule: Rule) -> Explanation {
    Explanation {
        title: rule.id().to_owned(),
        section: rule.section().to_owned(),
        text: texts::rule(rule.id()).unwrap_or_default().to_owned(),
    }
}

/// Explains a kind of record; `loss` is that of a gap.
pub fn record(kind: Kind, loss: Loss, direction: Direction) -> Explanation {
    texts::TextKey::new(Chapter::Record, record_key(kind, loss), "any").explanation(|name| texts::peer(direction, name))
}

/// Explains the closing handshake.
pub fn closing_handshake() -> Explanation {
    texts::TextKey::new(Chapter::Record, "closing", "any").explanation(|_| None)
}

/// The fields of a record in one line, for people who do not see its figure. Safe for a terminal.
pub fn fields(fields: &[Field]) -> String {
    let words = |field: &Field| format!("{} {}", printable::text(&field.name), value(field).with_name());
    fields.iter().map(words).collect::<Vec<_>>().join(", ")
}

const fn record_key(kind: Kind, loss: Loss) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Frame => "frame",
        Kind::Gap => match loss {
            Loss::Lost | Loss::Estimated => "gap",
            Loss::Unread => "gap-unread",
            Loss::Unchanged => "gap-unchanged",
        },
        Kind::End(EndReason::Fin) => "end-fin",
        Kind::End(EndReason::Rst) => "end-rst",
        Kind::End(EndReason::Capture) => "end-capture",
        Kind::Junk => "junk",
        Kind::CutHttp => "cut-http",
        Kind::CutFrame => "cut-frame",
    }
}
