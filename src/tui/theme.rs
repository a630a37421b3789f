//! Colours by meaning.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;
use crate::wire::field::{FieldId, Span};

/// From how many bits on a field counts as one of many bytes.
const LONG: u64 = 8 * 8;

/// A style for each role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Ordinary text.
    pub text: Role,
    /// What is less important.
    pub faint: Role,
    /// Titles of panels.
    pub title: Role,
    /// Lines between panels and in the grid.
    pub rule: Role,
    /// The title of the panel that has the keys.
    pub focus: Role,
    /// Names of keys.
    pub key: Role,
    /// The row under the cursor.
    pub cursor: Role,
    /// The field under the cursor, in every panel.
    pub selected: Role,
    /// The same for a field of many bytes, softer, so that a large payload does not blaze.
    pub selected_long: Role,
    /// Client to server.
    pub up: Role,
    /// Server to client.
    pub down: Role,
    /// Kept requirements.
    pub good: Role,
    /// Findings worth knowing.
    pub info: Role,
    /// Findings of warning level.
    pub warning: Role,
    /// Findings of error level.
    pub error: Role,
    /// Something is being lost.
    pub alarm: Role,
    /// What was searched for.
    #[serde(rename = "match")]
    pub found: Role,
    fin: Role,
    rsv: Role,
    opcode: Role,
    mask: Role,
    length: Role,
    masking_key: Role,
    payload: Role,
    head: Role,
    header: Role,
}

/// A style as the theme files write it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub struct Role(pub Style);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    modifiers: Vec<String>,
}

impl TryFrom<Written> for Role {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let colour = |name: Option<String>| {
            name.map(|name| name.parse::<Color>().map_err(|_| format!("there is no colour {name}"))).transpose()
        };
        let mut style = Style { fg: colour(written.fg)?, bg: colour(written.bg)?, ..Style::new() };
        for name in &written.modifiers {
            style = style.add_modifier(match name.as_str() {
                "bold" => Modifier::BOLD,
                "dim" => Modifier::DIM,
                "italic" => Modifier::ITALIC,
                "underlined" => Modifier::UNDERLINED,
                "reversed" => Modifier::REVERSED,
                other => return Err(format!("there is no modifier {other}")),
            });
        }
        Ok(Self(style))
    }
}

/// Which theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeName {
    /// For dark terminals.
    Dark,
    /// For light terminals.
    Light,
    /// Without colour.
    Mono,
}

impl Theme {
    /// A theme that is compiled in.
    pub fn named(name: ThemeName) -> Self {
        let text = match name {
            ThemeName::Dark => include_str!("../../assets/themes/dark.toml"),
            ThemeName::Light => include_str!("../../assets/themes/light.toml"),
            ThemeName::Mono => include_str!("../../assets/themes/mono.toml"),
        };
        toml::from_str(text).expect("a theme that is compiled in is whole")
    }

    /// The style of a direction.
    pub const fn direction(&self, direction: Direction) -> Style {
        match direction {
            Direction::ClientToServer => self.up.0,
            Direction::ServerToClient => self.down.0,
        }
    }

    /// The style of the field under the cursor, which has these bits.
    pub const fn selection(&self, span: Span) -> Style {
        if span.len() <= LONG { self.selected.0 } else { self.selected_long.0 }
    }

    /// The style of a severity.
    pub const fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Info => self.info.0,
            Severity::Warning => self.warning.0,
            Severity::Error => self.error.0,
        }
    }

    /// The style of a field, the same in every panel.
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
    fn every_theme_is_whole_and_mono_has_no_colour() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::Mono] {
            let theme = Theme::named(name);
            let coloured = theme.error.0.fg.is_some() || theme.field(FieldId::Opcode).fg.is_some();
            assert_eq!(coloured, name != ThemeName::Mono);
        }
    }
}
