//! The words about the payload of a compressed frame (RFC 7692): what was agreed on, and what the message inflates to.

use super::Explanation;
use super::texts::{self, Chapter, Page};
use crate::proto::dissected::Direction;
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::grouped;

/// What there is to know of the compressed message that a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateContext {
    /// What the handshake agreed on.
    pub params: DeflateParams,
    /// Which way the frame went.
    pub direction: Direction,
    /// The length of the frame's own payload.
    pub payload_len: u64,
    /// Whether the frame ends its message.
    pub ends_message: bool,
    /// Whether the message cannot be inflated for what came before it.
    pub lost: bool,
    /// The lengths of the message, compressed and inflated, once they are known.
    pub inflated: Option<(u64, u64)>,
    /// Whether it was inflated only as far as that.
    pub failed: bool,
}

/// What the payload of a compressed frame is.
pub fn compressed_payload(ctx: &DeflateContext) -> Explanation {
    Page::new(Chapter::Deflate, "payload", case(ctx)).words(|name| look(ctx, name))
}

/// A message's compressed length in percent of its inflated one, rounded; `None` for an empty message.
pub fn percent(compressed: u64, inflated: u64) -> Option<u64> {
    let (compressed, inflated) = (u128::from(compressed), u128::from(inflated));
    u64::try_from((compressed * 100 + inflated / 2).checked_div(inflated)?).ok()
}

const fn case(ctx: &DeflateContext) -> &'static str {
    match ctx.inflated {
        _ if !ctx.ends_message => "part",
        _ if ctx.lost => "lost",
        None => "underway",
        Some(_) if ctx.failed => "failed",
        Some((_, 0)) => "empty",
        Some((compressed, _)) if compressed == ctx.payload_len => "whole",
        Some(_) => "last",
    }
}

fn look(ctx: &DeflateContext, name: &str) -> Option<String> {
    let (compressed, inflated) = ctx.inflated.unwrap_or_default();
    let bits = ctx.params.window_bits(ctx.direction);
    Some(match name {
        "bytes" => texts::bytes(ctx.payload_len),
        "compressed" => texts::bytes(compressed),
        "inflated" => texts::bytes(inflated),
        "percent" => grouped(percent(compressed, inflated)?),
        "bits" => bits.to_string(),
        "window" => texts::bytes(1 << bits),
        "context" => {
            let key = if ctx.params.takeover(ctx.direction) { "takeover" } else { "no-takeover" };
            texts::fill(texts::phrase(key), |name| look(ctx, name))
        }
        _ => return texts::peer(ctx.direction, name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_and_an_empty_message_has_none() {
        assert_eq!(percent(21, 26), Some(81));
        assert_eq!(percent(1, 1000), Some(0));
        assert_eq!(percent(5, 3), Some(167));
        assert_eq!(percent(1, 0), None);
    }

    #[test]
    fn the_words_tell_lengths_ratio_and_what_was_agreed_on() {
        let params =
            DeflateParams { client_no_context_takeover: true, server_max_window_bits: Some(10), ..Default::default() };
        let mut ctx = DeflateContext {
            params,
            direction: Direction::ServerToClient,
            payload_len: 21,
            ends_message: true,
            lost: false,
            inflated: Some((21, 26)),
            failed: false,
        };
        let text = compressed_payload(&ctx).text;
        assert!(text.starts_with("21 bytes of DEFLATE data, inflated 26 bytes (81 %). Context takeover: "), "{text}");
        assert!(text.contains("1,024 bytes (10 window bits)"), "{text}");
        ctx.direction = Direction::ClientToServer;
        let text = compressed_payload(&ctx).text;
        assert!(text.contains("No context takeover: ") && text.contains("32,768 bytes (15 window bits)"), "{text}");
    }
}
