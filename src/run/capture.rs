//! `capture`: the packets of a network interface, which another program captures, as a source of live traffic.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::headless;
use super::input;
use super::live::{LiveSource, News, Reporter, RunningSource};
use super::packet_program::{self, PacketBytes, PacketProgram};
use super::screen::{self, LiveScreen};
use crate::capture::import::{self, ImportOptions, stream};
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::{Spool, SpoolGuard};
use crate::capture::store::Capture;
use crate::cli::{self, PacketSource, Recording, ThemeArg};
use crate::tui::app::LiveTraffic;
use crate::wire::printable;

/// How long the end of a run waits for the last packets.
const LAST_PACKETS: Duration = Duration::from_millis(1500);

/// Poll interval while waiting for them.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs `capture`.
///
/// # Errors
/// Why the packets cannot be captured or shown.
pub fn capture(args: &cli::Capture, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let prepare = || Capturing::start(args);
    if args.recording.headless {
        return headless::run(&args.recording, prepare);
    }
    let screen = LiveScreen { instead: "use --headless to capture without a screen", tour: None };
    screen::live(&args.recording, theme, screen, prepare)
}

/// A program that captures, whose packets are not read yet.
struct Capturing<'a> {
    /// Dropped before the program, which may wait until the pipe has space.
    packets: PacketBytes,
    program: PacketProgram,
    args: &'a cli::Capture,
}

impl<'a> Capturing<'a> {
    fn start(args: &'a cli::Capture) -> anyhow::Result<Self> {
        input::check_key_log(args.key_log.as_deref())?;
        let (program, packets) = packet_program::start(args)?;
        Ok(Self { program, packets, args })
    }
}

impl LiveSource for Capturing<'_> {
    type Running = Reading;

    fn spool(&self, args: &Recording) -> anyhow::Result<Spool> {
        Ok(Spool::for_packets(args.write.as_deref(), args.force, args.ring)?)
    }

    fn start(self, mut spool: Spool, ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Reading> {
        let cli::Capture { source, deflate, key_log, .. } = self.args;
        let path = spool.path().to_owned();
        let files = spool.guard();
        let stream = stream::record(self.packets, spool).context("cannot start the thread that reads the packets")?;
        let options =
            ImportOptions { port: Some(source.port), deflate: *deflate, follow: false, key_log: key_log.clone() };
        let (capture, loader) = import::open_stream(stream, &path, options)?;
        let cancel = Arc::<AtomicBool>::default();
        let cancelled = Arc::clone(&cancel);
        let load = thread::Builder::new().name("load".to_owned()).spawn(move || {
            loader.run(&cancelled);
            ended();
        });
        let load = load.context("cannot start the thread that dissects the packets")?;
        Ok(Reading { program: self.program, capture, source: source.clone(), cancel, load, _files: files })
    }
}

/// Packets that are captured and read.
struct Reading {
    program: PacketProgram,
    capture: Capture,
    source: PacketSource,
    /// Ends `load`.
    cancel: Arc<AtomicBool>,
    load: JoinHandle<()>,
    /// The program may end long before the screen, which decides about the files.
    _files: SpoolGuard,
}

impl Reading {
    /// The interface, the port and the host.
    fn place(&self) -> String {
        let PacketSource { interface, port, host, .. } = &self.source;
        let host = host.as_ref().map(|host| format!(" and host {host}")).unwrap_or_default();
        format!("{}: tcp port {port}{host}", printable::text(interface))
    }
}

impl RunningSource for Reading {
    fn capture(&self) -> &Capture {
        &self.capture
    }

    fn recorder(&self) -> Option<&Recorder> {
        None
    }

    fn ready_line(&self) -> String {
        format!("capturing on {} with {}", self.place(), self.program.name())
    }

    fn traffic(&self) -> Option<LiveTraffic> {
        Some(LiveTraffic {
            alarm: None,
            title: self.place(),
            advice: "Waiting for packets of new or open connections on".to_owned(),
            address: self.place(),
        })
    }

    fn on_news(&mut self, reporter: Reporter) {
        // Without the thread, lost packets are reported at the end alone.
        let _ = self.program.on_lost_packets(move |line| reporter(News::Failure(line)));
    }

    fn shutdown(self) -> Option<String> {
        self.program.stop();
        let deadline = Instant::now() + LAST_PACKETS;
        while !self.load.is_finished() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        self.cancel.store(true, Ordering::Relaxed);
        // It returns nothing, and looks at `cancel` at each packet.
        let _ = self.load.join();
        if let Some(line) = self.program.end() {
            self.capture.add_failure(&line);
        }
        None
    }
}
