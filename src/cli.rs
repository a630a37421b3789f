//! The command line: clap's types and nothing else.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};

use crate::capture::import::samples::Sample;
use crate::capture::live::ring::MIN_RING;
use crate::capture::query::filter::{self, Filter, FilterError};
use crate::export::Format;
use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;

/// The longest interval that the ticker takes.
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

const ABOUT: &str = "See what a WebSocket really does: every handshake and every frame, bit by bit";

const LONG_ABOUT: &str = "See what a WebSocket really does: every handshake and every frame, bit by bit.

framescope starts a small WebSocket server and a terminal UI. Open the address it shows in a browser: the page talks to \
the server, and every handshake and every frame, in both directions, appears bit by bit beside its bytes, with an \
explanation of each bit.";

const EXAMPLES: &str = "Examples:
  framescope                                  start, then open http://127.0.0.1:6455/ in a browser
  framescope --demo                           no browser at hand: a built-in client plays its part
  framescope --headless --json > log.ndjson   no screen: one JSON object per record
  framescope --write lesson.pcapng            keep the capture; Wireshark opens it too
  framescope open lesson.pcapng               look at it again
  framescope export lesson.pcapng --to hex    an annotated hex dump
  framescope check lesson.pcapng              what breaks the RFC? exit status 1 when something does
  framescope decode 81 85 37fa213d 7f9f4d5158 what does this frame say?

Exit status: 0 done, 1 the work failed (the reason is on stderr), 2 wrong usage.";

/// `framescope …`
#[derive(Debug, Parser)]
#[command(name = "framescope", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES)]
#[command(max_term_width = 110)]
pub struct Cli {
    /// What to do; without it, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The flags of `serve`, which may be left out.
    #[command(flatten)]
    pub serve: Serve,

    /// Colours of the screen; auto asks the terminal for its background
    #[arg(long, global = true, value_enum, default_value_t = Theme::Auto, value_name = "THEME")]
    pub theme: Theme,
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for: clap prints both.
    pub fn read<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(line)?;
        if let Some(name) = matches.subcommand_name() {
            // `serve` may be left out, but its flags do not stand before another command.
            let given = |arg: &clap::Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
            let stray = command.get_arguments().find(|arg| !arg.is_global_set() && given(arg));
            if let Some(flag) = stray.and_then(clap::Arg::get_long) {
                let what = format!("--{flag} is a flag of serve: it cannot stand before {name}");
                return Err(command.error(ErrorKind::ArgumentConflict, what));
            }
        }
        Self::from_arg_matches(&matches)
    }
}

/// What is wrong with the command line `words`, in one line: clap's sentence, its tips, and where to read more.
pub fn usage_line(error: &clap::Error, words: impl IntoIterator<Item = OsString>) -> String {
    let cli = Cli::command();
    let command = words.into_iter().skip(1).find_map(|word| Some(cli.find_subcommand(&word)?.get_name()));
    let rendered = error.render().to_string();
    let said = rendered.split("\nUsage: ").next().unwrap_or_default();
    let mut line = String::new();
    for part in said.lines().map(str::trim).filter(|part| !part.is_empty() && !part.starts_with("For more information"))
    {
        let part = part.strip_prefix("error: ").unwrap_or(part);
        match (part.strip_prefix("tip: "), part.strip_prefix('[').and_then(|values| values.strip_suffix(']'))) {
            _ if line.is_empty() => line.push_str(part),
            (Some(tip), _) => line.push_str(&format!("; {tip}")),
            (_, Some(values)) => line.push_str(&format!(" ({values})")),
            _ if line.ends_with(':') => line.push_str(&format!(" {part}")),
            _ => line.push_str(&format!(", {part}")),
        }
    }
    if error.kind() == ErrorKind::MissingRequiredArgument && command == Some("open") {
        line.push_str("; or give --sample to list the captures that come with framescope");
    }
    let command = command.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{line}; try `framescope{command} --help`")
}

/// Where a filter on the command line is wrong: its expression, and carets under the wrong word.
pub fn filter_carets(error: &clap::Error) -> Option<[String; 2]> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<FilterError>().map(FilterError::carets)
}

/// What a filter is, and some of them; each command's own examples follow.
macro_rules! filters {
    () => {
        "Filters choose records by their fields:
  op == ping                        op in {text binary}, op == 9, websocket.opcode == 9
  dir == c2s and len > 64KiB        and or not && || ! and parentheses join
  time > 3.5s                       since the first record; ms us min too
  text contains \"error\"             the payload's text, or what its message inflates to
  text matches \"^echo \\d+$\"         a regular expression, in either case of letters
  bytes contains 81:05              on the wire, or in the unmasked payload
  finding >= warning                finding == masking-key-zero, or just finding
  path == /ticker and not fin       the connection's request; host too
  tcp.stream == 0, websocket.fin    Wireshark's names mean what they mean there
Fields: op dir conn no type len time text bytes finding fin mask rsv1 rsv2 rsv3 compressed message
close.code status host path; docs/manual.md describes each.
A comparison on a field that a record lacks does not select it, and its negation does not either.
"
    };
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server and the screen (this is what no command means)
    Serve(Serve),
    /// Look at a capture in the terminal
    Open(Open),
    /// Write a capture in another format
    Export(Export),
    /// Print what is wrong in a capture, or explain an error message
    Check(Check),
    /// Read frames from hex or raw bytes and print their bit layout
    Decode(Decode),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// No colours
    Mono,
    /// What the terminal's background asks for
    #[default]
    Auto,
}

/// `framescope serve`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Examples:
  framescope serve --listen 127.0.0.1:0 --headless   a free port; it is printed to stderr
  framescope serve --demo --interval 250ms           a lively conversation without a browser
  framescope serve --write lesson.pcapng --force     keep the capture, replacing an older one
  framescope serve --ring 1GiB --write day.pcapng    for long runs: day.0000001.pcapng and so on, the oldest go
  framescope serve --headless --filter 'not op in {ping pong}'   no heartbeats (`framescope export --help` on filters)")]
pub struct Serve {
    /// Where to listen; port 0 takes a free one. Another address than loopback can be reached by others
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6455", value_parser = address)]
    pub listen: SocketAddr,

    /// How often the ticker speaks, such as 1s, 250ms or 0.5s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    pub interval: Duration,

    /// Keep the capture in this pcapng file as it grows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,

    /// Replace the file of --write if it exists
    #[arg(long, requires = "write")]
    pub force: bool,

    /// Keep at most this much, such as 1GiB: numbered files, of which the oldest go
    #[arg(long, value_name = "SIZE", value_parser = ring)]
    pub ring: Option<u64>,

    /// Open the page in the default browser
    #[arg(long)]
    pub browser: bool,

    /// A built-in client plays the browser's part over a real loopback connection
    #[arg(long)]
    pub demo: bool,

    /// No screen: one line per record on stdout until Ctrl-C
    #[arg(long)]
    pub headless: bool,

    /// With --headless: one JSON object per record (NDJSON); the summary goes to stderr
    #[arg(long, requires = "headless", conflicts_with = "quiet")]
    pub json: bool,

    /// With --headless: only the summary at the end
    #[arg(long, requires = "headless")]
    pub quiet: bool,

    /// Only records that the filter lets through: with --headless the lines, else what the screen shows at first
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,

    /// Do not accept permessage-deflate (RFC 7692), which /echo speaks with clients that offer it
    #[arg(long)]
    pub no_deflate: bool,

    /// Let pages of this origin connect, such as http://localhost:8080 (repeatable)
    #[arg(long = "allow-origin", value_name = "URL", value_parser = origin)]
    pub allow_origin: Vec<String>,
}

/// `framescope open`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "Examples:
  framescope open lesson.pcapng
  framescope open --follow live.pcapng        go on reading while tcpdump, Wireshark or framescope writes it
  framescope open --port 8080 middle.pcap.gz  the handshake is missing: port 8080 speaks WebSocket
  framescope open --sample                    list the captures that come with framescope
  framescope open --sample hello              open one of them
  framescope open lesson.pcapng --filter 'op == close or finding'   (`framescope export --help` on filters)")]
pub struct Open {
    /// A capture (pcapng or pcap, also as .gz, HAR or NDJSON; its content tells which)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "sample", conflicts_with = "sample")]
    pub file: Option<PathBuf>,

    /// One of the captures that come with framescope; without NAME, their list
    #[arg(long, value_name = "NAME", num_args = 0..=1, value_parser = PossibleValuesParser::new(Sample::ALL.map(|s| s.name)))]
    pub sample: Option<Option<String>>,

    /// When the end of the file is reached, wait for what is appended to it
    #[arg(long, conflicts_with = "sample")]
    pub follow: bool,

    /// The capture begins in the middle: read connections on this port whose handshake is missing as WebSocket frames
    #[arg(long, value_name = "PORT", conflicts_with = "sample", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Show only records that the filter lets through, at first; & on the screen changes it
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,
}

/// `framescope export`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Formats:
  pcapng   a packet capture, for Wireshark and for framescope: every record, findings and notes as packet comments
  ndjson   one JSON object per record (schema: docs/formats.md)
  har      HTTP Archive 1.2 for Chrome DevTools: requests, and the messages of WebSockets; the records stand beside them
  hex      an annotated hex dump: a line per field with its offset, bytes, name and value
  payload  the unmasked payloads of all frames, joined
  wire     the raw bytes of one direction, joined; needs --direction where both hold bytes

Without -o the export goes to stdout where that is redirected or piped. On a terminal it goes into a file of the current \
folder, named after FILE with the format's extension. A file is written beside its name and renamed into place, and is \
readable by you alone.

A filtered pcapng holds the handshakes of its connections too, and is written anew without holes between the records.

Examples:
  framescope export lesson.pcapng --to ndjson | jq 'select(.type == \"frame\") | .text'
  framescope export lesson.pcapng --to hex -o lesson.hex
  framescope export lesson.pcapng --to har -o lesson.har
  framescope export lesson.pcapng --to wire --direction c2s -o - | xxd | head
  framescope export lesson.pcapng --to pcapng --redact -o public.pcapng
  framescope export lesson.pcapng --to ndjson --filter 'op == close or finding'

", filters!()))]
pub struct Export {
    /// A capture (pcapng or pcap, also as .gz, HAR or NDJSON; its content tells which)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub to: Format,

    /// Where to; - is stdout
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Replace the values of Cookie, Set-Cookie, Authorization and Proxy-Authorization by stars of the same length
    #[arg(long)]
    pub redact: bool,

    /// Replace the output file if it exists
    #[arg(long)]
    pub force: bool,

    /// The capture begins in the middle: read connections on this port whose handshake is missing as WebSocket frames
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Only records that the filter lets through, such as 'op == ping and len > 125'
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,

    /// Only one direction: c2s is client to server, s2c is server to client
    #[arg(long, value_name = "c2s|s2c", value_parser = direction_parser())]
    pub direction: Option<Direction>,
}

/// `framescope check`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = "A line per finding on stdout, and the counts on stderr:
  lesson.pcapng:record 4: error[client-frame-unmasked]: a client must mask every frame; MASK is 0 (RFC 6455 §5.1, bit 8) \
· connection 1 · client → server · 1.002004 s

Exit status: 0 nothing as bad as --fail-on, 1 something was, or the file cannot be read, 2 wrong usage.

Examples:
  framescope check lesson.pcapng                        all findings; fails when there is an error
  framescope check lesson.pcapng --fail-on warning      fails on warnings too
  framescope check lesson.pcapng --json | jq -r .rule | sort | uniq -c
  framescope check --explain 'RSV1 must be clear'       the rule behind an error message
  framescope check --explain 5.5.1                      the rules of a section of RFC 6455
  framescope check --explain client-frame-unmasked      one rule
  framescope check lesson.pcapng --filter 'dir == c2s'  what clients did wrong (`framescope export --help` on filters)")]
pub struct Check {
    /// A capture (pcapng or pcap, also as .gz, HAR or NDJSON; its content tells which)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "explain")]
    pub file: Option<PathBuf>,

    /// From which severity on a finding fails the check
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser(), default_value = "error")]
    pub fail_on: Severity,

    /// The capture begins in the middle: read connections on this port whose handshake is missing as WebSocket frames
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Only findings on records that the filter lets through
    #[arg(long, value_name = "EXPR", conflicts_with = "explain")]
    pub filter: Option<Filter>,

    /// One JSON object per finding
    #[arg(long)]
    pub json: bool,

    /// Find the rule behind an error message of a library or browser, a rule's id, a section, or words of a rule
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "fail_on", "json", "port"])]
    pub explain: Option<String>,
}

/// `framescope decode`
#[derive(Args, Clone, Debug)]
#[command(
    after_long_help = "On the command line 0x before a byte and : between bytes are taken too. A file or stdin that \
holds nothing but hex digits and white space is hex, anything else is raw bytes. MASK tells the direction of each frame: clients mask, servers do not. A frame that \
is cut is shown as far as it goes.

Examples:
  framescope decode 818537fa213d7f9f4d5158
  framescope decode 81 05 48 65 6c 6c 6f
  framescope decode @frame.bin
  printf '\\x89\\x00' | framescope decode -
  framescope decode --json 8802 03e8"
)]
pub struct Decode {
    /// Hex digits, @FILE to read a file, or - to read stdin (which is also what no input means)
    #[arg(value_name = "HEX|@FILE|-")]
    pub input: Vec<String>,

    /// Print NDJSON, as `export --to ndjson` does
    #[arg(long, conflicts_with = "to")]
    pub json: bool,

    /// Print in this export format
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub to: Option<Format>,
}

fn format_parser() -> impl clap::builder::TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .map(|name| Format::from_name(&name).unwrap_or(Format::Pcapng))
}

fn direction_parser() -> impl clap::builder::TypedValueParser<Value = Direction> {
    PossibleValuesParser::new(Direction::BOTH.map(Direction::name))
        .map(|name| if name == "c2s" { Direction::ClientToServer } else { Direction::ServerToClient })
}

fn severity_parser() -> impl clap::builder::TypedValueParser<Value = Severity> {
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    PossibleValuesParser::new(all.map(Severity::name))
        .map(move |name| all.into_iter().find(|severity| severity.name() == name).unwrap_or(Severity::Error))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let form = "write ADDR:PORT, such as 127.0.0.1:6455, [::1]:6455 or localhost:0";
    if let Some(port) = text.strip_prefix("localhost:") {
        let port: u16 = port.parse().map_err(|_| form.to_owned())?;
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    // An address is never looked up: a name that resolves elsewhere tomorrow must not listen there.
    text.parse().map_err(|_| form.to_owned())
}

fn interval(text: &str) -> Result<Duration, String> {
    let form = || "write a number with its unit, such as 1s, 250ms or 0.5s".to_owned();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(form)?, 1.0),
    };
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(form());
    }
    let seconds = number.parse::<f64>().map_err(|_| form())? * unit;
    match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if interval.is_zero() => Err("must be longer than zero".to_owned()),
        Ok(interval) if interval <= MAX_INTERVAL => Ok(interval),
        _ => Err("must be at most one day (86400s)".to_owned()),
    }
}

fn ring(text: &str) -> Result<u64, String> {
    let size = filter::size(text).ok_or("write a number with its unit, such as 1GiB, 500MB or 64MiB")?;
    if size < MIN_RING { Err("must be at least 1MiB".to_owned()) } else { Ok(size) }
}

fn origin(text: &str) -> Result<String, String> {
    let form = "write scheme://host or scheme://host:port, such as http://localhost:8080";
    if text == "null" {
        return Ok(text.to_owned());
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    match text.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && !host.is_empty() && !host.contains(['/', ' ', '?', '#', '@']) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(form.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve_and_the_theme_stands_anywhere() {
        for line in [
            &["framescope", "--listen", "[::1]:0", "--theme", "dark"][..],
            &["framescope", "serve", "--theme=dark", "--listen", "localhost:0"],
            &["framescope", "--theme", "dark", "open", "x"],
            &["framescope", "open", "--theme", "dark", "x"],
        ] {
            let cli = Cli::read(line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
            assert_eq!(cli.theme, Theme::Dark, "{line:?}");
        }
        assert!(Cli::read(["framescope", "--headless", "open", "x"]).is_err());
    }

    #[test]
    fn intervals_have_a_unit_and_are_longer_than_nothing() {
        for (text, millis) in [("1s", 1000), ("250ms", 250), ("0.5s", 500), (".1s", 100), ("1.5ms", 1)] {
            assert_eq!(interval(text).map(|d| d.as_millis()), Ok(millis), "{text}");
        }
        for text in
            ["", "1", "s", "0s", "0ms", "-1s", "1m", "1e3s", "infs", "nans", "1e400s", "99999999s", ".s", "1.2.3s"]
        {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rings_have_a_unit_and_are_not_too_small() {
        assert_eq!((ring("1GiB"), ring("1.5MB"), ring("64mib")), (Ok(1 << 30), Ok(1_500_000), Ok(64 << 20)));
        for text in ["", "1", "1023KiB", "0GiB", "GiB", "-1GiB", "1G", "99999999999TiB"] {
            assert!(ring(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins_are_scheme_and_host() {
        assert_eq!(origin("http://LOCALHOST:8080/").as_deref(), Ok("http://localhost:8080"));
        for text in ["localhost", "http://", "http://a/b", "://a", "http://a b"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
