//! The flags of `framescope open`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Reading, filter_help_hint, remote_capture, values};
use crate::capture::import::samples::Sample;
use crate::capture::query::filter::Filter;

/// `framescope open`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Examples:
  framescope open lesson.pcapng
  framescope open --follow live.pcapng        another program writes the file
  framescope open --port 8080 middle.pcap.gz  read port 8080 as WebSocket frames
  framescope open --keylog keys.log tls.pcap  decrypt TLS with a key log
  framescope open dump.txt                    frames as text: hex, a dump, …
  framescope open --sample                    list the sample captures
  framescope open --sample hello              open one of them
  framescope open lesson.pcapng --filter 'op == close or finding'
      only Closes and findings ", filter_help_hint!(), "
  ", remote_capture!(), "
      watch another machine"))]
pub struct Open {
    /// A capture: pcapng or pcap (also as .gz), HAR or NDJSON; or frames as text, such as a hex dump; - is stdin.
    /// The content determines which
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "sample", conflicts_with = "sample")]
    pub file: Option<PathBuf>,

    /// Open a sample capture; without NAME, list the samples
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with_all = ["port", "deflate", "read_as", "key_log"], value_parser = values::one_of(&Sample::ALL, |sample| sample.name))]
    pub sample: Option<Option<Sample>>,

    /// At the end of the file, wait for more
    #[arg(long, conflicts_with_all = ["sample", "read_as"])]
    pub follow: bool,

    /// How the capture is read.
    #[command(flatten)]
    pub reading: Reading,

    /// Show only records that match; & on the screen changes the filter
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,
}
