//! Explains the payload of a compressed frame (RFC 7692): the negotiated parameters and the inflated length.

use super::Explanation;
use super::texts::{self, Chapter, TextKey};
use crate::proto::dissected::Direction;
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::grouped;

/// The compressed message of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateContext {
    /// The negotiated parameters; `None` if the handshake is unknown.
    pub params: Option<DeflateParams>,
    /// The direction of the frame.
    pub direction: Direction,
    /// The length of the payload of this frame in bytes.
    pub payload_len: u64,
    /// True if the frame ends its message.
    pub ends_message: bool,
    /// True if the message cannot be inflated because of an error in an earlier message.
    pub lost: bool,
    /// The compressed and inflated length of the message in bytes, once they are known.
    pub inflated: Option<(u64, u64)>,
    /// True if inflating stopped after that many bytes.
    pub failed: bool,
}

/// Explains the payload of a compressed frame.
pub fn compressed_payload(ctx: &DeflateContext) -> Explanation {
    TextKey::new(Chapter::Deflate, "payload", case(ctx)).explanation(|name| look(ctx, name))
}

/// The compressed length in percent of the inflated length, rounded; `None` for an empty message.
pub fn percent(compressed: u64, inflated: u64) -> Option<u64> {
    let (compressed, inflated) = (u128::from(compressed), u128::from(inflated));
    u64::try_from((compressed * 100 + inflated / 2).checked_div(inflated)?).ok()
}

const fn case(ctx: &DeflateContext) -> &'static str {
    match ctx.inflated {
        _ if !ctx.ends_message => "part",
        _ if ctx.lost && ctx.params.is_none() => "unreadable",
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
    let params = ctx.params.unwrap_or_default();
    let bits = params.window_bits(ctx.direction);
    Some(match name {
        "bytes" => texts::bytes(ctx.payload_len),
        "compressed" => texts::bytes(compressed),
        "inflated" => texts::bytes(inflated),
        "percent" => grouped(percent(compressed, inflated)?),
        "bits" => bits.to_string(),
        "window" => texts::bytes(1 << bits),
        "context" => {
            let key = match ctx.params {
                None => "unknown",
                Some(params) if params.takeover(ctx.direction) => "takeover",
                Some(_) => "no-takeover",
            };
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
    fn the_text_contains_lengths_ratio_and_parameters() {
        let params =
            DeflateParams { client_no_context_takeover: true, server_max_window_bits: Some(10), ..Default::default() };
        let mut ctx = DeflateContext {
            params: Some(params),
            direction: Direction::ServerToClient,
            payload_len: 21,
            ends_message: true,
            lost: false,
            inflated: Some((21, 26)),
            failed: false,
        };
        let text = compressed_payload(&ctx).text;
        assert!(
            text.starts_with("26 bytes of content in 21 bytes: 81 %. ") && text.contains("(context takeover)"),
            "{text}"
        );
        assert!(text.contains("1,024 bytes") && text.contains("10 window bits"), "{text}");
        ctx.direction = Direction::ClientToServer;
        let text = compressed_payload(&ctx).text;
        assert!(
            text.contains("(no context takeover)") && text.contains("32,768 bytes") && text.contains("15 window bits"),
            "{text}"
        );
    }
}
