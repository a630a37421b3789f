//! `serve`: the server with its page as a source of live traffic.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;

use super::headless;
use super::live::{LiveSource, RunningSource};
use super::screen::{self, LiveScreen};
use super::screen_host::{open_page, page_url};
use super::tour_file::TourFile;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::cli::{Serve, ThemeArg};
use crate::net::demo::{self, Behaviour, DemoHandle};
use crate::net::{ListenerHandle, Server, ServerConfig};

/// Runs `serve`.
///
/// # Errors
/// Why it cannot serve or draw; afterwards, that bytes were not captured.
pub fn serve(args: &Serve, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    if args.recording.headless {
        return headless::run(&args.recording, || Listening::bind(args));
    }
    let screen = LiveScreen { instead: "use --headless to serve without a screen", tour: None };
    screen::live(&args.recording, theme, screen, || Listening::bind(args))
}

/// Runs `tour`, whose capture is not worth a question at the end.
///
/// # Errors
/// As [`serve`].
pub fn tour(tour: TourFile, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let args = Serve::on_free_port();
    let screen = LiveScreen { instead: "run framescope tour in a terminal", tour: Some(tour) };
    screen::live(&args.recording, theme, screen, || Listening::bind(&args))
}

/// A server that listens.
struct Listening<'a> {
    server: Server,
    args: &'a Serve,
}

impl<'a> Listening<'a> {
    fn bind(args: &'a Serve) -> anyhow::Result<Self> {
        let config = ServerConfig {
            listen: args.listen,
            interval: args.interval,
            allow_origins: args.allow_origin.clone(),
            deflate: !args.no_deflate,
            max_memory: args.max_memory,
            ..ServerConfig::default()
        };
        Ok(Self { server: Server::bind(config)?, args })
    }
}

impl LiveSource for Listening<'_> {
    type Running = Serving;

    fn warning(&self) -> Option<String> {
        self.server.warning()
    }

    fn start(self, spool: Spool, _ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Serving> {
        let recorder = Recorder::new(spool);
        let server = self.server.start(recorder.clone()).context("cannot start the server's thread")?;
        let address = server.address();
        let notice = self.args.browser.then(|| open_page(address)).transpose().err().map(|e| e.to_string());
        let demo = self.args.demo.then(|| demo::start(address, Behaviour::Page)).transpose();
        Ok(Serving { server, recorder, demo: demo.context("cannot start the demo client's thread")?, notice })
    }
}

/// A server that serves.
struct Serving {
    server: ListenerHandle,
    recorder: Recorder,
    demo: Option<DemoHandle>,
    /// Why the browser could not be opened.
    notice: Option<String>,
}

impl RunningSource for Serving {
    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    fn recorder(&self) -> Option<&Recorder> {
        Some(&self.recorder)
    }

    fn ready_line(&self) -> String {
        format!("listening on {}", page_url(self.server.address()))
    }

    fn page_server(&self) -> Option<SocketAddr> {
        Some(self.server.address())
    }

    fn take_demo(&mut self) -> Option<DemoHandle> {
        self.demo.take()
    }

    fn notice(&self) -> Option<String> {
        self.notice.clone()
    }

    fn shutdown(self) {
        self.server.shutdown();
    }
}
