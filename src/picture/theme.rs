//! Colours by meaning. The screen and the figures of records share the files in `assets/themes`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;
use crate::wire::field::FieldId;

/// A style for each role. `S` is the style of whoever draws: [`super::Look`] for pictures, that of its library for the screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme<S> {
    /// Its name.
    #[serde(skip)]
    pub name: ThemeName,
    /// Background and text colour that the other colours are made for. Only a [`Self::painted`] screen is filled with them.
    pub ground: S,
    /// Whether the screen is filled with `ground`; otherwise it has the colours of the terminal.
    #[serde(skip)]
    pub is_painted: bool,
    /// Normal text.
    pub text: S,
    /// Less important text.
    pub faint: S,
    /// Titles of panels.
    pub title: S,
    /// Lines between panels, and of the bit grid.
    pub rule: S,
    /// The title of the panel with the focus.
    pub focus: S,
    /// The background of its whole line.
    pub focus_line: S,
    /// Names of keys.
    pub key: S,
    /// The row under the cursor.
    pub cursor: S,
    /// The byte under the cursor, and a choice in a dialog.
    pub selected: S,
    /// The field under the cursor, in every panel: less strong than a byte.
    pub selected_field: S,
    /// Client to server.
    pub up: S,
    /// Server to client.
    pub down: S,
    /// Requirements that are met, and successes.
    pub good: S,
    /// Findings of severity info.
    pub info: S,
    /// Findings of severity warning.
    pub warning: S,
    /// Findings of severity error.
    pub error: S,
    /// A loss of captured data.
    pub alarm: S,
    fin: S,
    rsv: S,
    opcode: S,
    mask: S,
    length: S,
    masking_key: S,
    payload: S,
    /// The second fragment of a message, and every third one after it.
    fragment: S,
    head: S,
    header: S,
}

/// Name of a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// No colour.
    Mono,
}

impl ThemeName {
    const fn source(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../../assets/themes/dark.toml"),
            Self::Light => include_str!("../../assets/themes/light.toml"),
            Self::Mono => include_str!("../../assets/themes/mono.toml"),
        }
    }
}

impl<S: Copy + DeserializeOwned> Theme<S> {
    /// The built-in theme of that name.
    pub fn named(name: ThemeName) -> Self {
        let theme = toml::from_str(name.source()).expect("built-in themes are complete, as a test checks");
        Self { name, ..theme }
    }

    /// The same theme, which fills the screen with its background, so that it does not depend on the colours of the terminal.
    #[must_use]
    pub fn painted(self) -> Self {
        Self { is_painted: true, ..self }
    }

    /// The style of a direction.
    pub const fn direction(&self, direction: Direction) -> S {
        match direction {
            Direction::ClientToServer => self.up,
            Direction::ServerToClient => self.down,
        }
    }

    /// The style of a severity.
    pub const fn severity(&self, severity: Severity) -> S {
        match severity {
            Severity::Info => self.info,
            Severity::Warning => self.warning,
            Severity::Error => self.error,
        }
    }

    /// The style of the text of a message that its frame with that position carries.
    pub const fn fragment(&self, frame: usize) -> S {
        match frame % 3 {
            0 => self.payload,
            1 => self.fragment,
            _ => self.masking_key,
        }
    }

    /// The style of a field.
    pub const fn field(&self, id: FieldId) -> S {
        match id {
            FieldId::Fin => self.fin,
            FieldId::Rsv1 | FieldId::Rsv2 | FieldId::Rsv3 => self.rsv,
            FieldId::Opcode | FieldId::CloseCode => self.opcode,
            FieldId::Mask => self.mask,
            FieldId::PayloadLen | FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => self.length,
            FieldId::MaskingKey => self.masking_key,
            FieldId::Payload | FieldId::CloseReason | FieldId::Body | FieldId::Opaque => self.payload,
            FieldId::Method | FieldId::Target | FieldId::Version | FieldId::Status | FieldId::Reason => self.head,
            FieldId::Header(_) | FieldId::HeadEnd => self.header,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Look, Rgb};
    use super::*;

    /// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |Rgb(r, g, b)| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn roles(theme: &Theme<Look>) -> Vec<Look> {
        let fields = [
            FieldId::Fin,
            FieldId::Rsv1,
            FieldId::Opcode,
            FieldId::Mask,
            FieldId::PayloadLen,
            FieldId::MaskingKey,
            FieldId::Payload,
            FieldId::Method,
            FieldId::HeadEnd,
        ];
        let fields = fields.map(|id| theme.field(id));
        let [text, faint, title, focus, key] = [theme.text, theme.faint, theme.title, theme.focus, theme.key];
        let [up, down, good, info] = [theme.up, theme.down, theme.good, theme.info];
        let [selected, long, warning, error, alarm] =
            [theme.selected, theme.selected_field, theme.warning, theme.error, theme.alarm];
        [&fields[..], &[text, faint, title, focus, key, up, down, good, info, selected, long, warning, error, alarm]]
            .concat()
    }

    #[test]
    fn every_text_is_readable_also_on_highlighted_lines() {
        for name in [ThemeName::Dark, ThemeName::Light] {
            let theme = Theme::<Look>::named(name);
            let (ink, paper) = theme.ground.ink.zip(theme.ground.paper).expect("colours");
            let rows = [theme.cursor, theme.focus_line].map(|look| look.paper.expect("a colour"));
            for look in roles(&theme) {
                let ink = look.ink.unwrap_or(ink);
                for paper in look.paper.map_or(vec![paper, rows[0], rows[1]], |own| vec![own]) {
                    assert!(contrast(ink, paper) >= 4.5, "{name:?}: {look:?} has {:.1}", contrast(ink, paper));
                }
            }
            let rule = theme.rule.ink.expect("a colour");
            assert!(contrast(rule, paper) >= 2.5, "{name:?}: lines have {:.1}", contrast(rule, paper));
        }
    }

    #[test]
    fn mono_has_no_colour_and_shows_focus_selection_and_faults_by_other_means() {
        let theme = Theme::<Look>::named(ThemeName::Mono);
        assert!(roles(&theme).iter().all(|look| look.ink.is_none() && look.paper.is_none()));
        for look in [
            theme.focus,
            theme.focus_line,
            theme.cursor,
            theme.selected,
            theme.selected_field,
            theme.warning,
            theme.error,
        ] {
            assert_ne!(look, theme.text);
        }
        let signs = [theme.selected, theme.selected_field, theme.error];
        assert!(signs[0] != signs[1] && signs[1] != signs[2] && signs[0] != signs[2], "a fault is no selection");
    }
}
