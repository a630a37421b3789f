//! `serve`: the server with its page as a source of live traffic.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

use super::connect::heartbeat;
use super::headless;
use super::live::{LiveSource, RunningSource};
use super::screen::{self, LiveScreen};
use super::screen_host::open_page;
use super::tour_file::TourFile;
use super::{script_file, tls};
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::cli::{Serve, ThemeArg};
use crate::net::demo::{self, Behaviour, DemoHandle};
use crate::net::tls::key_log::KeyLogFile;
use crate::net::tls::server::ServerTls;
use crate::net::{ListenerHandle, PageServer, ServedScript, Server, ServerConfig};
use crate::script::Script;

/// Runs `serve`.
///
/// # Errors
/// Why it cannot serve or draw; afterwards, that bytes were not captured.
pub fn serve(args: &Serve, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let script = args.script.as_deref().map(script_file::read).transpose()?;
    let prepare = || Listening::bind(args, script);
    if args.recording.headless {
        return headless::run(&args.recording, prepare);
    }
    let screen = LiveScreen { instead: "use --headless to serve without a screen", tour: None };
    screen::live(&args.recording, theme, screen, prepare)
}

/// Runs `tour`, whose capture is not worth a question at the end.
///
/// # Errors
/// As [`serve`].
pub fn tour(tour: TourFile, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let args = Serve::on_free_port();
    let screen = LiveScreen { instead: "run framescope tour in a terminal", tour: Some(tour) };
    screen::live(&args.recording, theme, screen, || Listening::bind(&args, None))
}

/// A server that listens.
struct Listening<'a> {
    server: Server,
    args: &'a Serve,
    tls: Option<Arc<ServerTls>>,
    key_log: Option<Arc<KeyLogFile>>,
    /// Set when an expectation of the script failed.
    has_failed: Arc<AtomicBool>,
}

impl<'a> Listening<'a> {
    fn bind(args: &'a Serve, script: Option<Arc<Script>>) -> anyhow::Result<Self> {
        let has_failed = Arc::<AtomicBool>::default();
        let key_log = tls::key_log(args.key_log.keylog.as_deref())?;
        let tls = tls::of_listener(&args.tls, key_log.as_ref())?;
        let config = ServerConfig {
            listen: args.listen,
            interval: args.interval,
            allow_origins: args.allow_origin.clone(),
            deflate: !args.no_deflate,
            max_memory: args.max_memory,
            heartbeat: heartbeat(&args.heartbeats),
            script: script.map(|script| ServedScript { script, has_failed: Arc::clone(&has_failed) }),
            tls: tls.clone(),
            ..ServerConfig::default()
        };
        Ok(Self { server: Server::bind(config)?, args, has_failed, tls, key_log })
    }
}

impl LiveSource for Listening<'_> {
    type Running = Serving;

    fn warning(&self) -> Option<String> {
        let server = self.server.warning();
        tls::joined([server.as_deref(), self.tls.as_ref().and_then(|tls| tls.warning())])
    }

    fn start(self, spool: Spool, _ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Serving> {
        let recorder = Recorder::new(spool);
        let server = self.server.start(recorder.clone()).context("cannot start the server's thread")?;
        tls::report_failures(self.key_log.as_deref(), recorder.capture());
        let page = PageServer { address: server.address(), is_tls: self.tls.is_some() };
        let notice = self.args.browser.then(|| open_page(page)).transpose().err().map(|e| e.to_string());
        let demo = self.args.demo.then(|| demo::start(page, Behaviour::Page)).transpose();
        let demo = demo.context("cannot start the demo client's thread")?;
        Ok(Serving { server, page, recorder, demo, notice, has_failed: self.has_failed })
    }
}

/// A server that serves.
struct Serving {
    server: ListenerHandle,
    page: PageServer,
    recorder: Recorder,
    demo: Option<DemoHandle>,
    /// Why the browser could not be opened.
    notice: Option<String>,
    /// Set when an expectation of the script failed.
    has_failed: Arc<AtomicBool>,
}

impl RunningSource for Serving {
    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    fn recorder(&self) -> Option<&Recorder> {
        Some(&self.recorder)
    }

    fn ready_line(&self) -> String {
        format!("listening on {}", self.page.url())
    }

    fn page_server(&self) -> Option<PageServer> {
        Some(self.page)
    }

    fn take_demo(&mut self) -> Option<DemoHandle> {
        self.demo.take()
    }

    fn notice(&self) -> Option<String> {
        self.notice.clone()
    }

    fn shutdown(self) -> Option<String> {
        // Read this before the shutdown, which ends pending expectations.
        let has_failed = self.has_failed.load(Ordering::SeqCst);
        self.server.shutdown();
        // The reasons were printed when they arose.
        has_failed.then(|| "an expectation of the script failed".to_owned())
    }
}
