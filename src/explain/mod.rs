//! A field, a code, a rule or a record → the words of a teacher.
//!
//! All prose stands in `assets/explain/en.toml`; here is decided which text fits the value at hand. What comes from the
//! wire goes through [`crate::wire::printable`] before it is put into a text, so that words may go to a terminal as they are.

mod case;
mod code;
mod deflate;
mod frame;
mod header;
mod http;
pub mod lookup;
mod texts;
mod value;

#[cfg(test)]
mod coverage;

pub use code::{close_code, opcode};
pub use deflate::{DeflateContext, compressed_payload, percent};
pub use frame::{FrameContext, MessagePart, frame_field, frame_gloss, length_form};
pub use http::{http_field, http_gloss};
pub use value::{ValueText, value};

use crate::proto::dissected::{Direction, EndReason, Kind};
use crate::proto::rules::Rule;
use texts::Chapter;

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is explained, as its specification calls it; for a header its name. Safe for a terminal.
    pub title: String,
    /// Where it is written, such as `RFC 6455 §5.2`.
    pub section: String,
    /// One to three sentences, at most 320 characters. Safe for a terminal.
    pub text: String,
}

/// Why a rule exists, and what a peer does that sees it broken. The title is the rule's id.
///
/// Says nothing of a certain record: that is [`crate::proto::rules::Finding::sentence`].
pub fn rule(rule: Rule) -> Explanation {
    Explanation {
        title: rule.id().to_owned(),
        section: rule.section().to_owned(),
        text: texts::rule(rule.id()).unwrap_or_default().to_owned(),
    }
}

/// What a record of that kind is.
pub fn record(kind: Kind, direction: Direction) -> Explanation {
    texts::Page::new(Chapter::Record, record_key(kind), "any").words(|name| texts::peer(direction, name))
}

const fn record_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Frame => "frame",
        Kind::Gap => "gap",
        Kind::End(EndReason::Fin) => "end-fin",
        Kind::End(EndReason::Rst) => "end-rst",
        Kind::End(EndReason::Capture) => "end-capture",
        Kind::Junk => "junk",
        Kind::CutHttp => "cut-http",
        Kind::CutFrame => "cut-frame",
    }
}
