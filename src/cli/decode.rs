//! The flags of `framescope decode`.

use std::ffi::OsString;

use clap::Args;

use super::values;
use crate::export::Format;
use crate::pasted::ReadAs;

/// `framescope decode`
#[derive(Args, Clone, Debug)]
#[command(
    after_long_help = "decode recognizes the form of its input, the same for arguments, a file and stdin, and prints it first:
  hex digits   81 05, 8105, 81:05, 0x81,0x05; an even number in each group
  bits         10000001 00000101: two groups or more
  literals     {0x81, 5}, [129, 5], b'\\x81\\x05Hello', <Buffer 81 05>, X'8105', …
  dumps        by xxd, hexdump, od -tx1, tcpdump -X, Wireshark, curl, debuggers
  log lines    [12:00:01] TX 81 85 …, recv: 8105…; both directions if certain
  streams      of tshark -z follow,tcp,raw and follow,tls,raw: both directions
  URLs         %81%05Hello, data:;base64,gQVIZWxsbw==
  base64       at least 8 characters, and a multiple of 4
Bytes that are not text are read as they are, and gzip is inflated. Text of another form is refused; --as names its form.

MASK determines the direction of each frame: clients mask, servers do not. A truncated frame is shown up to its last byte.

Examples:
  framescope decode 818537fa213d7f9f4d5158
  framescope decode 81 05 48 65 6c 6c 6f --explain
  framescope decode \"b'\\x81\\x05Hello'\"
  xxd frame.bin | framescope decode -
  framescope decode @frame.bin
  framescope decode --as decimal 129 5 72 101 108 108 111
  framescope decode --json 8802 03e8"
)]
pub struct Decode {
    /// Bytes in any form, @FILE to read a file, or - to read stdin (the default); several arguments are joined by spaces
    #[arg(value_name = "BYTES|@FILE|-", allow_negative_numbers = true)]
    pub input: Vec<OsString>,

    /// Read the input as this form; hex joins all digits, text and raw are the bytes themselves
    #[arg(long = "as", value_name = "FORM", value_parser = values::one_of(&ReadAs::ALL, ReadAs::name))]
    pub read_as: Option<ReadAs>,

    /// Explain each field
    #[arg(long, conflicts_with_all = ["json", "to"])]
    pub explain: bool,

    /// Treat permessage-deflate as negotiated
    #[arg(long)]
    pub deflate: bool,

    /// Print NDJSON, as `export --to ndjson` does
    #[arg(long, conflicts_with = "to")]
    pub json: bool,

    /// Print in this export format
    #[arg(long, value_name = "FORMAT", value_parser = values::one_of(&Format::ALL, |format| format.spec().id))]
    pub to: Option<Format>,
}
