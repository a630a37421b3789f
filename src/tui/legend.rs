//! The signs of the screen and their meaning, for the help.

use ratatui::style::Style;

use super::theme::Theme;
use crate::capture::format::proxied::Proxied;

/// A sign, its style and its meaning.
pub struct Sign {
    pub sign: &'static str,
    pub style: fn(&Theme) -> Style,
    pub words: &'static str,
}

const fn sign(sign: &'static str, style: fn(&Theme) -> Style, words: &'static str) -> Sign {
    Sign { sign, style, words }
}

/// The sign of a message that waits in a proxy.
pub const HELD: &str = "‖";

/// The sign of a message that waits for one before it.
pub const QUEUED: &str = "¦";

const CHANGED: &str = "≠";
const DROPPED: &str = "⊘";
const ADDED: &str = "+";

/// The sign of a record that a proxy changed, dropped or added.
pub const fn proxied_sign(how: Proxied) -> &'static str {
    match how {
        Proxied::Rewritten | Proxied::ReplacedBy(_) | Proxied::InPlaceOf(_) => CHANGED,
        Proxied::Dropped => DROPPED,
        Proxied::Added => ADDED,
    }
}

/// The signs of lists and panels.
pub const SIGNS: [Sign; 27] = [
    sign("▲", |theme| theme.up, "from the client to the server"),
    sign("▼", |theme| theme.down, "from the server to the client"),
    sign("✗", |theme| theme.error, "error: the RFC forbids this"),
    sign("⚠", |theme| theme.warning, "warning: legal, but likely a mistake"),
    sign("i", |theme| theme.info, "info: worth knowing"),
    sign("✓", |theme| theme.good, "a requirement that is met"),
    sign("▌", |theme| theme.focus, "the selected row"),
    sign("0101", |theme| theme.selected_field, "the selected field, in every panel"),
    sign("4f", |theme| theme.selected, "the byte under the cursor"),
    sign("R1 M", |theme| theme.faint, "RSV1 and MASK, in a narrow column"),
    sign("▸ ▾", |theme| theme.key, "a row to open, and an open one"),
    sign("├ └", |theme| theme.key, "records of the open row above"),
    sign("⋯", |theme| theme.faint, "several records in one row"),
    sign("●", |theme| theme.warning, "marked"),
    sign(HELD, |theme| theme.alarm, "held: it waits for your decision"),
    sign(QUEUED, |theme| theme.warning, "it waits for a held message before it"),
    sign(CHANGED, |theme| theme.warning, "changed by the proxy: a note says how"),
    sign(DROPPED, |theme| theme.warning, "dropped by the proxy: it did not arrive"),
    sign(ADDED, |theme| theme.warning, "sent by framescope, not by a peer"),
    sign("✎", |theme| theme.info, "a note"),
    sign("· ␛", |theme| theme.text, "a byte or character without a picture"),
    sign("…", |theme| theme.text, "more text than fits"),
    sign("┄", |theme| theme.rule, "the payload goes on"),
    sign("╷", |theme| theme.faint, "a byte ends here"),
    sign("╴", |theme| theme.text, "a further byte of the character before"),
    sign("✓○●·", |theme| theme.focus, "tour: done, skipped, this step, later"),
    sign("c2s s2c", |theme| theme.text, "▲ and ▼ in filters"),
];

/// Words of the screens that are not those of the RFC.
pub const WORDS: [Sign; 5] = [
    sign("record", |theme| theme.text, "a request, response, frame, gap or end"),
    sign("finding", |theme| theme.warning, "it breaks a rule or is worth knowing"),
    sign("heartbeat", |theme| theme.text, "a ping, a pong, or a text that repeats"),
    sign("partner", |theme| theme.text, "the other half: a ping and its pong"),
    sign("cut", |theme| theme.warning, "a frame or head that is not complete"),
];

/// The signs of the timeline.
pub const TIMELINE: [Sign; 9] = [
    sign("▁▄█", |theme| theme.text, "data; each step is four times the bytes"),
    sign("•", |theme| theme.text, "ping or pong"),
    sign("┬ ┴", |theme| theme.text, "a ping and its pong in one column"),
    sign("◆", |theme| theme.text, "HTTP request or response"),
    sign("╭┄ ╰┄", |theme| theme.faint, "from a request to its answer"),
    sign("×", |theme| theme.text, "Close"),
    sign("┤", |theme| theme.text, "the direction ends (TCP)"),
    sign("?", |theme| theme.warning, "a gap, or bytes that cannot be read"),
    sign("✗ ⚠", |theme| theme.error, "a finding"),
];
