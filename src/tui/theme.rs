//! Colours by meaning.

use ratatui::style::Style;
use serde::Deserialize;

use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;
use crate::wire::field::FieldId;

/// A style for each role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Normal text.
    pub text: Style,
    /// Less important text.
    pub faint: Style,
    /// Titles of panels.
    pub title: Style,
    /// Lines between panels, and of the bit grid.
    pub rule: Style,
    /// The title of the panel with the focus.
    pub focus: Style,
    /// The background of its whole line.
    pub focus_line: Style,
    /// Names of keys.
    pub key: Style,
    /// The row under the cursor.
    pub cursor: Style,
    /// The byte under the cursor, and a choice in a dialog.
    pub selected: Style,
    /// The field under the cursor, in every panel: less strong than a byte.
    pub selected_field: Style,
    /// Client to server.
    pub up: Style,
    /// Server to client.
    pub down: Style,
    /// Requirements that are met, and successes.
    pub good: Style,
    /// Findings of severity info.
    pub info: Style,
    /// Findings of severity warning.
    pub warning: Style,
    /// Findings of severity error.
    pub error: Style,
    /// A loss of captured data.
    pub alarm: Style,
    fin: Style,
    rsv: Style,
    opcode: Style,
    mask: Style,
    length: Style,
    masking_key: Style,
    payload: Style,
    head: Style,
    header: Style,
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
            Direction::ClientToServer => self.up,
            Direction::ServerToClient => self.down,
        }
    }

    /// The style of a severity.
    pub const fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Info => self.info,
            Severity::Warning => self.warning,
            Severity::Error => self.error,
        }
    }

    /// The style of a field in every panel.
    pub const fn field(&self, id: FieldId) -> Style {
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
    use super::*;

    #[test]
    fn every_theme_is_complete_and_mono_has_no_colour() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::Mono] {
            let theme = Theme::named(name);
            let coloured = theme.error.fg.is_some() || theme.field(FieldId::Opcode).fg.is_some();
            assert_eq!(coloured, name != ThemeName::Mono);
        }
    }
}
