//! A picture as the screen requests it, and the file that it is written to.

use std::path::PathBuf;

use strum::VariantArray;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureOf {
    /// The screen, without the dialog.
    Screen,
    /// The figure of the record with that number.
    Record(u64),
}

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum PictureFormat {
    /// SVG, in the colours of the screen.
    Svg,
    /// Plain text; a grid has the characters of RFCs.
    Text,
}

impl PictureFormat {
    /// Name for the user.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Svg => "SVG",
            Self::Text => "text",
        }
    }

    /// What it is for.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Svg => "with its colours, for a document or a browser",
            Self::Text => "characters alone, for mail or source code",
        }
    }

    /// File name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Text => "txt",
        }
    }
}

/// A picture to draw and to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRequest {
    /// What it shows.
    pub of: PictureOf,
    /// Its form.
    pub format: PictureFormat,
    /// Absolute path of the file to write.
    pub path: PathBuf,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRequest {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// Whether an existing file may be replaced.
    pub force: bool,
}
