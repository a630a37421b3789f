//! The table of export formats. The command line and the export dialog are built from it.

use super::sink::Sink;
use super::source::Source;
use super::{ExportError, har, hex, markdown, ndjson, payload, pcapng, svg, wire};

/// Writes the selected records; returns a note about the result, in one line, if there is something to know.
type WriteFormat = fn(&mut Source<'_>, &mut Sink<'_>) -> Result<Option<String>, ExportError>;

/// What there is to know about an export format.
pub struct FormatSpec {
    /// The name that people type.
    pub id: &'static str,
    /// The extension of its files, without the dot.
    pub extension: &'static str,
    /// What it contains, in a few words.
    pub words: &'static str,
    /// More about its contents, for the help: continues `words`.
    pub details: &'static str,
    /// Whether it is text, so that it may be written to a terminal.
    pub is_text: bool,
    /// Whether it holds the bytes of one direction only.
    pub one_direction: bool,
    /// Whether readers of the file know that bytes were reconstructed: the format can state it, or it holds only messages (HAR).
    pub states_reconstruction: bool,
    pub(super) write: WriteFormat,
}

/// Declares [`Format`] with a row of the table for each of its variants.
macro_rules! formats {
    ($($(#[$doc:meta])+ $name:ident => $spec:expr,)+) => {
        /// An export format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])+ $name,)+
        }

        impl Format {
            /// All formats, in the order of the table.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// The format's row of the table.
            pub const fn spec(self) -> &'static FormatSpec {
                match self {
                    $(Self::$name => const { &$spec },)+
                }
            }
        }
    };
}

formats! {
    /// A packet capture with synthesized TCP, for Wireshark and framescope.
    Pcapng => FormatSpec {
        id: "pcapng",
        extension: "pcapng",
        words: "a packet capture for Wireshark and framescope",
        details: " (findings as comments)",
        is_text: false,
        one_direction: false,
        states_reconstruction: true,
        write: pcapng::write,
    },
    /// One JSON object per record: see `docs/formats.md`.
    Ndjson => FormatSpec {
        id: "ndjson",
        extension: "ndjson",
        words: "one JSON object per record",
        details: " (docs/formats.md describes the keys)",
        is_text: true,
        one_direction: false,
        states_reconstruction: false,
        write: ndjson::write,
    },
    /// HTTP Archive 1.2, which Chrome DevTools import.
    Har => FormatSpec {
        id: "har",
        extension: "har",
        words: "requests and WebSocket messages for Chrome DevTools",
        details: "",
        is_text: true,
        one_direction: false,
        states_reconstruction: true,
        write: har::write,
    },
    /// An annotated hex dump.
    Hex => FormatSpec {
        id: "hex",
        extension: "hex",
        words: "an annotated hex dump, a line per field",
        details: ": offset, bytes, name, value",
        is_text: true,
        one_direction: false,
        states_reconstruction: false,
        write: hex::write,
    },
    /// The unmasked payloads of all frames, joined.
    Payload => FormatSpec {
        id: "payload",
        extension: "bin",
        words: "the unmasked payloads of all frames, joined",
        details: "",
        is_text: false,
        one_direction: false,
        states_reconstruction: false,
        write: payload::write,
    },
    /// The wire bytes of one direction, joined.
    Wire => FormatSpec {
        id: "wire",
        extension: "wire",
        words: "the wire bytes of one direction, joined",
        details: "; --direction selects it",
        is_text: false,
        one_direction: true,
        states_reconstruction: false,
        write: wire::write,
    },
    /// Markdown for lessons and bug reports.
    Markdown => FormatSpec {
        id: "md",
        extension: "md",
        words: "Markdown: the figure of each record, its fields and what they mean",
        details: "",
        is_text: true,
        one_direction: false,
        states_reconstruction: true,
        write: markdown::write,
    },
    /// The figures of records in one picture.
    Svg => FormatSpec {
        id: "svg",
        extension: "svg",
        words: "a picture: the figures of the records, as in RFC 6455",
        details: " (at most 500)",
        is_text: true,
        one_direction: false,
        states_reconstruction: true,
        write: svg::write,
    },
}

#[cfg(test)]
mod tests {
    use super::Format;
    use std::collections::HashSet;

    #[test]
    fn ids_and_extensions_are_unique_lower_case_words() {
        for name in [|format: &Format| format.spec().id, |format: &Format| format.spec().extension] {
            let names: HashSet<_> = Format::ALL.iter().map(name).collect();
            assert_eq!(names.len(), Format::ALL.len());
            assert!(names.iter().all(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())));
        }
    }
}
