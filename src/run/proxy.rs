//! `proxy`: relayed connections as a source of live traffic.

use std::process::ExitCode;

use anyhow::Context as _;

use super::headless;
use super::live::{LiveSource, RunningSource};
use super::screen::{self, LiveScreen};
use super::screen_host::page_url;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::Capture;
use crate::cli::{self, ThemeArg};
use crate::net::ListenerHandle;
use crate::net::proxy::{Proxy, ProxyConfig};
use crate::tui::app::LiveTraffic;
use crate::wire::url::Url;

/// Runs `proxy`.
///
/// # Errors
/// Why it cannot listen or draw; afterwards, that bytes were not captured.
pub fn proxy(args: &cli::Proxy, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let prepare = || {
        let mut config = ProxyConfig::new(args.listen, args.target.clone());
        config.rewriting.origin = args.rewrite_origin;
        let proxy = Proxy::bind(config)?;
        Ok(Listening { proxy, target: args.target.clone() })
    };
    if args.recording.headless {
        return headless::run(&args.recording, prepare);
    }
    let screen = LiveScreen { instead: "use --headless to relay without a screen", tour: None };
    screen::live(&args.recording, theme, screen, prepare)
}

/// A proxy that listens.
struct Listening {
    proxy: Proxy,
    target: Url,
}

impl LiveSource for Listening {
    type Running = Relaying;

    fn warning(&self) -> Option<String> {
        self.proxy.warning()
    }

    fn start(self, spool: Spool, _ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Relaying> {
        let recorder = Recorder::new(spool);
        let handle = self.proxy.start(recorder.clone()).context("cannot start the proxy's thread")?;
        Ok(Relaying { handle, recorder, target: self.target })
    }
}

/// A proxy that relays.
struct Relaying {
    handle: ListenerHandle,
    recorder: Recorder,
    target: Url,
}

impl RunningSource for Relaying {
    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    fn recorder(&self) -> Option<&Recorder> {
        Some(&self.recorder)
    }

    fn ready_line(&self) -> String {
        format!("listening on {}", page_url(self.handle.address()))
    }

    fn traffic(&self) -> Option<LiveTraffic> {
        let (listen, target) = (self.handle.reachable(), &self.target);
        Some(LiveTraffic {
            title: format!("{listen} → {target}"),
            advice: format!("No traffic yet. In place of {target}, connect your client to"),
            address: format!("{}://{listen}", target.scheme().name()),
        })
    }

    fn shutdown(self) {
        self.handle.shutdown();
    }
}
