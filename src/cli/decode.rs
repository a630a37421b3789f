//! The flags of `framescope decode`.

use clap::Args;

use super::values;
use crate::export::Format;

/// `framescope decode`
#[derive(Args, Clone, Debug)]
#[command(
    after_long_help = "On the command line, 0x before a byte and : between bytes are accepted. A file or stdin is read as \
hex if it contains only hex digits and white space, otherwise as raw bytes. MASK determines the direction of each frame: \
clients mask, servers do not. A truncated frame is shown up to its last byte.

Examples:
  framescope decode 818537fa213d7f9f4d5158
  framescope decode 81 05 48 65 6c 6c 6f
  framescope decode @frame.bin
  printf '\\x89\\x00' | framescope decode -
  framescope decode --json 8802 03e8"
)]
pub struct Decode {
    /// Hex digits, @FILE to read a file, or - to read stdin (the default)
    #[arg(value_name = "HEX|@FILE|-")]
    pub input: Vec<String>,

    /// Print NDJSON, as `export --to ndjson` does
    #[arg(long, conflicts_with = "to")]
    pub json: bool,

    /// Print in this export format
    #[arg(long, value_name = "FORMAT", value_parser = values::one_of(&Format::ALL, |format| format.spec().id))]
    pub to: Option<Format>,
}
