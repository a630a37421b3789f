//! Colours by meaning.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;
use crate::wire::field::{FieldId, Span};

/// Largest field that is highlighted strongly, in bits.
const MAX_STRONG: u64 = 8 * 8;

/// A style for each role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Normal text.
    pub text: ColorRole,
    /// Less important text.
    pub faint: ColorRole,
    /// Titles of panels.
    pub title: ColorRole,
    /// Lines between panels, and of the bit grid.
    pub rule: ColorRole,
    /// The title of the panel with the focus.
    pub focus: ColorRole,
    /// Names of keys.
    pub key: ColorRole,
    /// The row under the cursor.
    pub cursor: ColorRole,
    /// The field under the cursor, in every panel.
    pub selected: ColorRole,
    /// The same for a field of more than eight bytes, less strong because the area is large.
    pub selected_long: ColorRole,
    /// Client to server.
    pub up: ColorRole,
    /// Server to client.
    pub down: ColorRole,
    /// Requirements that are met, and successes.
    pub good: ColorRole,
    /// Findings of severity info.
    pub info: ColorRole,
    /// Findings of severity warning.
    pub warning: ColorRole,
    /// Findings of severity error.
    pub error: ColorRole,
    /// A loss of captured data.
    pub alarm: ColorRole,
    fin: ColorRole,
    rsv: ColorRole,
    opcode: ColorRole,
    mask: ColorRole,
    length: ColorRole,
    masking_key: ColorRole,
    payload: ColorRole,
    head: ColorRole,
    header: ColorRole,
}

/// The style of a role, as written in a theme file.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "WrittenRole")]
pub struct ColorRole(pub Style);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRole {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    modifiers: Vec<String>,
}

/// Why a theme file is refused.
#[derive(Debug, thiserror::Error)]
enum ThemeError {
    #[error("unknown colour {0}")]
    Colour(String),
    #[error("unknown modifier {0}")]
    Modifier(String),
}

impl TryFrom<WrittenRole> for ColorRole {
    type Error = ThemeError;

    fn try_from(written: WrittenRole) -> Result<Self, ThemeError> {
        let colour = |name: Option<String>| {
            name.map(|name| name.parse::<Color>().map_err(|_| ThemeError::Colour(name))).transpose()
        };
        let mut style = Style { fg: colour(written.fg)?, bg: colour(written.bg)?, ..Style::new() };
        for name in &written.modifiers {
            style = style.add_modifier(match name.as_str() {
                "bold" => Modifier::BOLD,
                "dim" => Modifier::DIM,
                "italic" => Modifier::ITALIC,
                "underlined" => Modifier::UNDERLINED,
                "reversed" => Modifier::REVERSED,
                other => return Err(ThemeError::Modifier(other.to_owned())),
            });
        }
        Ok(Self(style))
    }
}

/// Name of a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeName {
    /// For dark terminals.
    Dark,
    /// For light terminals.
    Light,
    /// No colour.
    Mono,
}

impl Theme {
    /// The built-in theme of that name.
    pub fn named(name: ThemeName) -> Self {
        let text = match name {
            ThemeName::Dark => include_str!("../../assets/themes/dark.toml"),
            ThemeName::Light => include_str!("../../assets/themes/light.toml"),
            ThemeName::Mono => include_str!("../../assets/themes/mono.toml"),
        };
        toml::from_str(text).expect("built-in themes are complete, as a test checks")
    }

    /// The style of a direction.
    pub const fn direction(&self, direction: Direction) -> Style {
        match direction {
            Direction::ClientToServer => self.up.0,
            Direction::ServerToClient => self.down.0,
        }
    }

    /// The style of the field under the cursor, by its bits.
    pub const fn selection(&self, span: Span) -> Style {
        if span.len() <= MAX_STRONG { self.selected.0 } else { self.selected_long.0 }
    }

    /// The style of a severity.
    pub const fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Info => self.info.0,
            Severity::Warning => self.warning.0,
            Severity::Error => self.error.0,
        }
    }

    /// The style of a field in every panel.
    pub const fn field(&self, id: FieldId) -> Style {
        let role = match id {
            FieldId::Fin => &self.fin,
            FieldId::Rsv1 | FieldId::Rsv2 | FieldId::Rsv3 => &self.rsv,
            FieldId::Opcode | FieldId::CloseCode => &self.opcode,
            FieldId::Mask => &self.mask,
            FieldId::PayloadLen | FieldId::ExtendedLen16 | FieldId::ExtendedLen64 => &self.length,
            FieldId::MaskingKey => &self.masking_key,
            FieldId::Payload | FieldId::CloseReason | FieldId::Body | FieldId::Opaque => &self.payload,
            FieldId::Method | FieldId::Target | FieldId::Version | FieldId::Status | FieldId::Reason => &self.head,
            FieldId::Header(_) | FieldId::HeadEnd => &self.header,
        };
        role.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_is_complete_and_mono_has_no_colour() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::Mono] {
            let theme = Theme::named(name);
            let coloured = theme.error.0.fg.is_some() || theme.field(FieldId::Opcode).fg.is_some();
            assert_eq!(coloured, name != ThemeName::Mono);
        }
    }
}
