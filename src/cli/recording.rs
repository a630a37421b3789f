//! The flags that every source of live traffic has: where the capture goes, and how its records are shown.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values;
use crate::capture::query::filter::Filter;

/// How live traffic is kept and shown.
#[derive(Args, Clone, Debug, Default)]
pub struct Recording {
    /// Write the capture to this pcapng file as it grows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,

    /// Replace the file of --write if it exists
    #[arg(long, requires = "write")]
    pub force: bool,

    /// Keep at most this much, such as 1GiB, in numbered files; the oldest file is deleted first
    #[arg(long, value_name = "SIZE", value_parser = values::ring_size)]
    pub ring: Option<u64>,

    /// Delete an unsaved capture also when Ctrl-C, SIGTERM or a closed terminal ends the screen, which otherwise keep it
    #[arg(long, conflicts_with = "write")]
    pub discard: bool,

    /// No screen: print one line per record to stdout until Ctrl-C
    #[arg(long)]
    pub headless: bool,

    /// With --headless: print one JSON object per record (NDJSON); the summary goes to stderr
    #[arg(long, requires = "headless", conflicts_with = "quiet")]
    pub json: bool,

    /// With --headless: print only the summary at the end
    #[arg(long, requires = "headless")]
    pub quiet: bool,

    /// Print (with --headless) or show only records that match; & on the screen changes the filter
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,
}
