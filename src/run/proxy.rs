//! `proxy`: relayed connections as a source of live traffic.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::forward;
use super::headless;
use super::live::LiveSource;
use super::relaying::Relaying;
use super::screen::{self, LiveScreen};
use super::tls;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::cli::{self, ThemeArg};
use crate::net::proxy::hold::{Hold, HoldLimits};
use crate::net::proxy::{Proxy, ProxyConfig};
use crate::net::tls::key_log::KeyLogFile;
use crate::net::tls::server::ServerTls;
use crate::tui::app::LiveTraffic;
use crate::wire::url::{Scheme, Url};

/// Runs `proxy`.
///
/// # Errors
/// Why it cannot listen or draw; afterwards, that bytes were not captured.
pub fn proxy(args: &cli::Proxy, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let Some(target) = &args.target else { return forward::forward(args, theme) };
    let prepare = || {
        let mut config = ProxyConfig::new(args.listen, target.clone());
        let hold = Arc::new(Hold::new(args.hold.clone(), HoldLimits::default()));
        config.hold = Arc::clone(&hold);
        config.rewriting.origin = args.rewrite_origin;
        let key_log = tls::key_log(args.key_log.keylog.as_deref())?;
        config.tls = tls::of_listener(&args.tls, key_log.as_ref())?;
        if target.scheme().is_tls() {
            config.trust = Some(tls::with_servers(&args.trust, key_log.as_ref())?);
        }
        let tls = config.tls.clone();
        let insecure = config.trust.is_some() && args.trust.insecure;
        Ok(Listening { proxy: Proxy::bind(config)?, target: target.clone(), tls, insecure, key_log, hold })
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
    tls: Option<Arc<ServerTls>>,
    /// Whether any certificate of the server is accepted.
    insecure: bool,
    key_log: Option<Arc<KeyLogFile>>,
    hold: Arc<Hold>,
}

impl LiveSource for Listening {
    type Running = Relaying;

    fn warning(&self) -> Option<String> {
        let (proxy, insecure) =
            (self.proxy.warning(), self.insecure.then(|| tls::insecure_warning(self.target.authority())));
        tls::joined([proxy.as_deref(), self.tls.as_ref().and_then(|tls| tls.warning()), insecure.as_deref()])
    }

    fn start(self, spool: Spool, _ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Relaying> {
        let recorder = Recorder::new(spool);
        let handle = self.proxy.start(recorder.clone()).context("cannot start the proxy's thread")?;
        tls::report_failures(self.key_log.as_deref(), recorder.capture());
        let (listen, target, is_tls) = (handle.reachable(), &self.target, self.tls.is_some());
        let traffic = LiveTraffic {
            title: if is_tls { format!("tls {listen} → {target}") } else { format!("{listen} → {target}") },
            alarm: self.insecure.then(|| "any certificate accepted".to_owned()),
            advice: format!("No traffic yet. In place of {target}, connect your client to"),
            address: format!("{}://{listen}", scheme(target.scheme(), is_tls).name()),
        };
        Ok(Relaying { handle, recorder, is_tls, traffic, hold: self.hold })
    }
}

/// The scheme with which clients connect.
const fn scheme(target: Scheme, is_tls: bool) -> Scheme {
    match (target, is_tls) {
        (Scheme::Ws | Scheme::Wss, false) => Scheme::Ws,
        (Scheme::Ws | Scheme::Wss, true) => Scheme::Wss,
        (Scheme::Http | Scheme::Https, false) => Scheme::Http,
        (Scheme::Http | Scheme::Https, true) => Scheme::Https,
    }
}
