//! The flags of `framescope export`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Reading, values};
use crate::capture::query::filter::Filter;
use crate::export::{Format, FormatSpec};
use crate::proto::dissected::Direction;

/// `framescope export`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = after_help())]
pub struct Export {
    /// A capture: pcapng or pcap (also as .gz), HAR or NDJSON; or frames as text, such as a hex dump; - is stdin.
    /// The content determines which
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = values::one_of(&Format::ALL, |format| format.spec().id))]
    pub to: Format,

    /// The file to write; - is stdout
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Replace the values of Cookie, Set-Cookie, Authorization and Proxy-Authorization, and user information in URLs, by asterisks of the same length; with NAMES also
    /// the values of query parameters of these names, and what follows these names in Sec-WebSocket-Protocol
    #[arg(long, value_name = "NAMES", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub redact: Option<Vec<String>>,

    /// Replace the output file if it exists
    #[arg(long)]
    pub force: bool,

    /// How the capture is read.
    #[command(flatten)]
    pub reading: Reading,

    /// Export only records that match, such as 'op == ping and len > 125'
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,

    /// Export only one direction: c2s is client to server, s2c is server to client
    #[arg(long, value_name = "c2s|s2c", value_parser = values::one_of(&Direction::BOTH, Direction::name))]
    pub direction: Option<Direction>,
}

/// The formats (from their table), where an export goes, examples, and the filter language.
fn after_help() -> String {
    let line = |spec: &FormatSpec| format!("  {:<8} {}{}\n", spec.id, spec.words, spec.details);
    let formats: String = Format::ALL.iter().map(|format| line(format.spec())).collect();
    format!("Formats:\n{formats}\n{OUTPUT}\n\n{EXAMPLES}\n\n{FILTERS}")
}

const OUTPUT: &str = "Without -o the export goes to stdout if that is redirected or piped. On a terminal it goes to a file \
in the current folder, named after FILE with the extension of the format. The file appears when \
it is complete; only you can read it (mode 0600).

A filtered pcapng also contains the handshakes of its connections. It is a new capture, without gaps between the records.";

const EXAMPLES: &str = "Examples:
  framescope export lesson.pcapng --to ndjson | jq .text
  framescope export lesson.pcapng --to hex -o lesson.hex
  framescope export lesson.pcapng --to har -o lesson.har
  framescope export lesson.pcapng --to wire --direction c2s -o - | xxd | head
  framescope export lesson.pcapng --to pcapng --redact -o public.pcapng
  framescope export lesson.pcapng --to har --redact=token,bearer -o public.har
  framescope export lesson.pcapng --to ndjson --filter 'op == close or finding'";

const FILTERS: &str = "Filters:
A filter selects records by their fields.
  op == ping                      also op in {text binary}, op == 9
  dir == c2s and len > 64KiB      with and, or, not (also && || !), parentheses
  time > 3.5s                     since the first record; units s, ms, us, min
  text contains \"error\"           in the text, also in that of inflated messages
  text matches \"^echo \\d+$\"       a regular expression that ignores case
  bytes contains 81:05            in the wire bytes, or in the unmasked payload
  finding >= warning              also finding == masking-key-zero, or finding
  path == /ticker and not fin     path and host of the connection's request
  tcp.stream == 0, websocket.fin  Wireshark's names mean the same as there
Fields: op dir conn no type len time text bytes finding fin mask rsv1 rsv2 rsv3 compressed message
close.code status host path; docs/manual.md describes each.
A comparison on a field that a record does not have is false, and so is its negation.
";
