//! The command line: clap's types, one file per command, and the parsers of their values.

mod ca;
mod capture;
mod check;
mod connect;
mod decode;
mod export;
mod heartbeats;
mod open;
mod proxy;
mod reading;
mod recording;
mod replay;
mod serve;
mod tls;
mod tour;
mod usage;
mod values;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use self::ca::{Ca, CaAction};
pub use self::capture::{Capture, PacketSource};
pub use self::check::Check;
pub use self::connect::Connect;
pub use self::decode::Decode;
pub use self::export::Export;
pub use self::heartbeats::Heartbeats;
pub use self::open::Open;
pub use self::proxy::Proxy;
pub use self::reading::Reading;
pub use self::recording::Recording;
pub use self::replay::{Pace, Replay};
pub use self::serve::Serve;
pub use self::tls::{KeyLog, ListenTls, ServerTrust};
pub use self::tour::Tour;
pub use self::usage::{filter_carets, usage_line};
pub use self::values::MAX_LINGER;

const ABOUT: &str = "Inspect WebSocket traffic: every handshake and every frame, bit by bit";

const LONG_ABOUT: &str = "Inspect WebSocket traffic: every handshake and every frame, bit by bit.

framescope starts a WebSocket server and a terminal screen. Open the address that the screen shows in a browser: the page \
connects to the server, and the screen shows every handshake and every frame, in both directions, bit by bit next to its \
bytes, with an explanation of each bit.";

const EXAMPLES: &str = "Examples:
  framescope                                  then open http://127.0.0.1:6455/
  framescope --demo                           with a built-in client
  framescope --headless --json > log.ndjson   no screen: one object per record
  framescope proxy ws://localhost:9000        point the client to port 6455
  framescope capture -i lo --port 9000        watch a server without changes
  framescope connect ws://127.0.0.1:9000/     be the client of a server
  framescope --write lesson.pcapng            keep it; Wireshark opens it too
  framescope open lesson.pcapng               inspect it again
  framescope check lesson.pcapng              list violations
  framescope export lesson.pcapng --to hex    write an annotated hex dump
  framescope decode 81 85 37fa213d 7f9f4d5158 show the bits of a frame

Exit status:
  0  done
  1  the work failed, or a check found something: the reason is on stderr
  2  wrong usage";

/// The end of an example with `--filter`: where the filter language is described.
macro_rules! filter_help_hint {
    () => {
        "(filters: `framescope export --help`)"
    };
}
use filter_help_hint;

/// The command that watches another machine, as the help, the README and the manual show it.
macro_rules! remote_capture {
    () => {
        "ssh host tcpdump --immediate-mode -U -B 65536 -w - port 9000 |\n      framescope open -"
    };
}
use remote_capture;

/// `framescope …`
#[derive(Debug, Parser)]
#[command(name = "framescope", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES)]
#[command(max_term_width = 110)]
pub struct Cli {
    /// The command; `serve` if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The flags of `serve`, whose name may be left out.
    #[command(flatten)]
    pub serve: Serve,

    /// Colours of the screen; auto asks the terminal for its background
    #[arg(long, global = true, value_enum, default_value_t = ThemeArg::Auto, value_name = "THEME")]
    pub theme: ThemeArg,
}

impl Cli {
    /// Parses a command line, whose first word is the program's name.
    ///
    /// # Errors
    /// Wrong usage, or a request for help or the version: clap prints each.
    pub fn read<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(line)?;
        if let Some(name) = matches.subcommand_name() {
            // clap accepts the flags of `serve` before any command; framescope only without one.
            let given = |arg: &clap::Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
            let stray = command.get_arguments().find(|arg| !arg.is_global_set() && given(arg));
            if let Some(flag) = stray.and_then(clap::Arg::get_long) {
                let what = format!("--{flag} is a flag of serve and cannot be used before {name}");
                return Err(command.error(ErrorKind::ArgumentConflict, what));
            }
        }
        let cli = Self::from_arg_matches(&matches)?;
        if let Some(Command::Capture(Capture {
            recording: Recording { ring: Some(_), .. }, key_log: Some(_), ..
        })) = &cli.command
        {
            let what = "--ring cannot bound the decrypted bytes; leave out --ring or --keylog";
            return Err(command.error(ErrorKind::ArgumentConflict, what));
        }
        if let Some(Command::Proxy(Proxy { forward: false, intercept, .. })) = &cli.command
            && !intercept.is_empty()
        {
            let what = "--intercept is for a proxy without TARGET: leave TARGET out and add --forward";
            return Err(command.error(ErrorKind::ArgumentConflict, what));
        }
        if let Some(Command::Check(Check { files, .. })) = &cli.command
            && files.iter().filter(|file| file.as_os_str() == "-").count() > 1
        {
            return Err(command.error(ErrorKind::ArgumentConflict, "- is stdin, which can be read only once"));
        }
        Ok(cli)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server and the screen (the default command)
    Serve(Serve),
    /// Learn WebSocket on live frames, in eight guided steps
    Tour(Tour),
    /// Relay the traffic between a client and a server, and inspect it
    Proxy(Proxy),
    /// Watch a network interface, through tcpdump or dumpcap
    Capture(Capture),
    /// Connect to a server as a client, and send it what you type
    Connect(Connect),
    /// Send the client's side of a capture again, and compare the answers
    Replay(Replay),
    /// Inspect a capture file on the screen
    Open(Open),
    /// Write a capture in another format
    Export(Export),
    /// List the violations in a capture, or explain an error message
    Check(Check),
    /// Show the bits of pasted frames: hex, literals, dumps, base64
    Decode(Decode),
    /// Manage framescope's own certificate authority (CA), for --tls
    Ca(Ca),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// The colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ThemeArg {
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// No colours
    Mono,
    /// Dark or light, to match the terminal's background
    #[default]
    Auto,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_accepts_the_definition() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command_and_theme_a_flag_of_all_commands() {
        for line in [
            &["framescope", "--listen", "[::1]:0", "--theme", "dark"][..],
            &["framescope", "serve", "--theme=dark", "--listen", "localhost:0"],
            &["framescope", "--theme", "dark", "open", "x"],
            &["framescope", "open", "--theme", "dark", "x"],
        ] {
            let cli = Cli::read(line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
            assert_eq!(cli.theme, ThemeArg::Dark, "{line:?}");
        }
        assert!(Cli::read(["framescope", "--headless", "open", "x"]).is_err());
    }
}
