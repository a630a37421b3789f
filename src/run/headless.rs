//! `serve --headless`: the server without a screen.

use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::follow::{Follower, Stopped, Style};
use super::teller::Teller;
use super::{signals, stdio};
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::scratch;
use crate::capture::store::{Capture, Totals};
use crate::cli::Serve;
use crate::net::{Server, ServerConfig, ServerHandle, demo};
use crate::proto::rules::{count, grouped};

/// From the signal to the end.
const END_WITHIN: Duration = Duration::from_millis(1950);

/// What stdout's reader is left at the end, however long the connections took.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Why the run ends.
enum End {
    Signal,
    Stopped(Stopped),
}

/// Serves until a signal comes or nobody reads stdout any more.
pub fn serve(args: &Serve) -> anyhow::Result<ExitCode> {
    let (sender, ended) = channel();
    catch_signals(&sender)?;
    // An older capture is replaced only when there is a server to fill the new one.
    let server = Server::bind(config(args))?;
    let spool = spool(args)?;
    let fate = spool.fate();
    let recorder = Recorder::new(spool);
    let capture = recorder.capture().clone();
    let warning = server.warning();
    let teller = Teller::start().context("the system gives no thread for stderr")?;
    let troubles = teller.clone();
    capture.on_trouble(move |what| troubles.say(what));
    let follower = match args.quiet {
        true => None,
        false => {
            let style = if args.json { Style::Json } else { Style::Plain };
            let stopped = move |why| drop(sender.send(End::Stopped(why)));
            Some(
                Follower::start(&capture, style, args.filter.as_ref(), args.ring.is_some(), &teller, stopped)
                    .context("cannot write to stdout")?,
            )
        }
    };
    let server = server.start(recorder).context("the system gives no thread for the server")?;
    if let Some(warning) = warning {
        stdio::say(format_args!("warning: {warning}"));
    }
    announce(&server);
    let demo = start_beside(args, &server)?;
    // The sender of signals lives as long as the process.
    let why = ended.recv().unwrap_or(End::Signal);
    let asked = Instant::now();
    server.shutdown();
    drop(demo);
    let deadline = (asked + END_WITHIN).max(Instant::now() + LAST_LINES);
    let printed = follower.map(|follower| follower.finish(deadline));
    // A thread that did not end in time may hold the spool and keep it from removing its file.
    fate.go();
    let concluded = conclude(args, &capture, why, printed, &teller);
    // Nobody waits for whoever does not read stderr.
    if teller.finish(deadline) { concluded } else { Ok(concluded.unwrap_or(ExitCode::FAILURE)) }
}

/// Where the capture goes.
pub fn spool(args: &Serve) -> anyhow::Result<Spool> {
    Ok(match (&args.write, args.ring) {
        (Some(path), None) => Spool::keep(path, args.force)?,
        (Some(path), Some(size)) => Spool::keep_ring(path, args.force, size)?,
        (None, None) => Spool::temporary()?,
        (None, Some(size)) => Spool::temporary_ring(&scratch::folder(), size)?,
    })
}

/// How the server shall behave.
pub fn config(args: &Serve) -> ServerConfig {
    ServerConfig {
        listen: args.listen,
        interval: args.interval,
        allow_origins: args.allow_origin.clone(),
        deflate: !args.no_deflate,
        ..ServerConfig::default()
    }
}

/// Starts the demo client and the browser, where they are asked for.
fn start_beside(args: &Serve, server: &ServerHandle) -> anyhow::Result<Option<demo::DemoHandle>> {
    if args.browser
        && let Err(e) = open::that_detached(format!("http://{}/", server.address()))
    {
        stdio::say(format_args!("no browser can be opened: {e}; open http://{}/ yourself", server.address()));
    }
    let demo = args.demo.then(|| demo::start(server.address())).transpose();
    demo.context("the system gives no thread for the demo client")
}

fn catch_signals(sender: &Sender<End>) -> anyhow::Result<()> {
    let sender = sender.clone();
    signals::on_end(false, move |_| drop(sender.send(End::Signal))).context("signals cannot be caught")
}

/// The line that scripts wait for: exactly these words.
fn announce(server: &ServerHandle) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "listening on http://{}/", server.address());
}

/// The summary, and how it went.
fn conclude(
    args: &Serve,
    capture: &Capture,
    why: End,
    printed: Option<u64>,
    teller: &Teller,
) -> anyhow::Result<ExitCode> {
    let totals = capture.totals();
    let line = summary(&totals, capture.trouble().uncaptured);
    match why {
        End::Stopped(Stopped::Closed) => return Ok(ExitCode::SUCCESS),
        End::Stopped(Stopped::Failed(e)) => bail!("stdout: {e}"),
        End::Signal => {}
    }
    match printed {
        Some(printed) if printed < totals.records => {
            let missing = count(totals.records - printed, "record");
            teller.say(&format!("{line} · {missing} not printed: stdout was not read in time"));
        }
        _ if args.json => teller.say(&line),
        _ => stdio::print(format!("{line}\n").as_bytes())?,
    }
    check_captured(capture, true)?;
    Ok(ExitCode::SUCCESS)
}

/// Fails when bytes crossed that could not be kept, with the reason unless that was told before.
pub fn check_captured(capture: &Capture, told: bool) -> anyhow::Result<()> {
    let trouble = capture.trouble();
    if trouble.uncaptured > 0 {
        let reason = trouble.reason.filter(|_| !told).map(|reason| format!("{reason}; "));
        bail!(
            "{}{} not captured",
            reason.unwrap_or_default(),
            match trouble.uncaptured {
                1 => "1 byte was".to_owned(),
                bytes => format!("{} bytes were", grouped(bytes)),
            }
        );
    }
    Ok(())
}

/// Everything in one line.
pub fn summary(totals: &Totals, uncaptured: u64) -> String {
    let [info, warning, error] = totals.findings;
    let findings = match info + warning + error {
        0 => "no findings".to_owned(),
        all => format!(
            "{}: {}, {}, {} info",
            count(all, "finding"),
            count(error, "error"),
            count(warning, "warning"),
            grouped(info)
        ),
    };
    let mut line = format!(
        "{} · {} · ▲ {} · ▼ {} · {findings}",
        count(totals.connections, "connection"),
        count(totals.records, "record"),
        count(totals.bytes[0], "byte"),
        count(totals.bytes[1], "byte"),
    );
    if totals.gone > 0 {
        line.push_str(&format!(" · {} went with the ring", count(totals.gone, "record")));
    }
    if uncaptured > 0 {
        line.push_str(&format!(" · {} not captured", count(uncaptured, "byte")));
    }
    line
}
