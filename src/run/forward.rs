//! `proxy --forward`: connections to the servers that clients name, as a source of live traffic.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::headless;
use super::live::LiveSource;
use super::relaying::Relaying;
use super::screen::{self, LiveScreen};
use super::tls;
use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::cli::{self, ThemeArg};
use crate::net::proxy::forward::{ForwardConfig, ForwardProxy, Interception};
use crate::net::proxy::hold::{Hold, HoldLimits};
use crate::net::tls::key_log::KeyLogFile;
use crate::tui::app::LiveTraffic;
use crate::wire::url::Scheme;

/// Runs `proxy --forward`.
///
/// # Errors
/// Why it cannot listen or draw; afterwards, that bytes were not captured.
pub fn forward(args: &cli::Proxy, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    let prepare = || {
        let mut config = ForwardConfig::new(args.listen);
        config.hold = Arc::new(Hold::new(args.hold.clone(), HoldLimits::default()));
        let key_log = tls::key_log(args.key_log.keylog.as_deref())?;
        config.tls = tls::of_listener(&args.tls, key_log.as_ref())?;
        if !args.intercept.is_empty() {
            config.interception = Some(Interception {
                hosts: args.intercept.clone(),
                certificates: tls::of_interception(key_log.as_ref())?,
                trust: tls::with_servers(&args.trust, key_log.as_ref())?,
            });
        }
        let insecure = args.trust.insecure && config.interception.is_some();
        let (is_tls, proxy) = (config.tls.is_some(), ForwardProxy::bind(config.clone())?);
        Ok(Listening { proxy, config, is_tls, insecure, key_log })
    };
    if args.recording.headless {
        return headless::run(&args.recording, prepare);
    }
    let screen = LiveScreen { instead: "use --headless to relay without a screen", tour: None };
    screen::live(&args.recording, theme, screen, prepare)
}

/// A forward proxy that listens.
struct Listening {
    proxy: ForwardProxy,
    config: ForwardConfig,
    is_tls: bool,
    /// Whether any certificate of an intercepted server is accepted.
    insecure: bool,
    key_log: Option<Arc<KeyLogFile>>,
}

impl LiveSource for Listening {
    type Running = Relaying;

    fn warning(&self) -> Option<String> {
        let listener = self.config.tls.as_ref().and_then(|tls| tls.warning());
        let certificates = self.config.interception.as_ref().and_then(|opened| opened.certificates.warning());
        let insecure = self.insecure.then(|| tls::insecure_warning("the hosts of --intercept"));
        // The listener may have created the authority whose certificates are used here too.
        tls::joined([self.proxy.warning().as_deref(), listener.or(certificates), insecure.as_deref()])
    }

    fn start(self, spool: Spool, _ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Relaying> {
        let recorder = Recorder::new(spool);
        let handle = self.proxy.start(recorder.clone()).context("cannot start the proxy's thread")?;
        tls::report_failures(self.key_log.as_deref(), recorder.capture());
        let scheme = if self.is_tls { Scheme::Https } else { Scheme::Http };
        let address = format!("{}://{}", scheme.name(), handle.reachable());
        let opened = match self.config.interception.as_ref().map_or(&[][..], |opened| &opened.hosts) {
            [] => String::new(),
            [host] => format!(", opens {host}"),
            [host, others @ ..] => format!(", opens {host} and {} more", others.len()),
        };
        let traffic = LiveTraffic {
            title: format!("{address} forward proxy{opened}"),
            alarm: self.insecure.then(|| "any certificate accepted".to_owned()),
            advice: "No traffic yet. As the proxy of your client (http_proxy, https_proxy), set".to_owned(),
            address,
        };
        Ok(Relaying { handle, recorder, is_tls: self.is_tls, traffic, hold: self.config.hold })
    }
}
