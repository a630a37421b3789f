//! The settings of TLS from the command line.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::ClientConfig;

use crate::capture::store::Capture;
use crate::cli::{ListenTls, ServerTrust};
use crate::net::tls::authority;
use crate::net::tls::client::{self, Trust};
use crate::net::tls::key_log::KeyLogFile;
use crate::net::tls::server::ServerTls;

/// Opens the key log.
pub fn key_log(path: Option<&Path>) -> anyhow::Result<Option<Arc<KeyLogFile>>> {
    Ok(path.map(KeyLogFile::open).transpose()?.map(Arc::new))
}

/// Adds a failure to the capture when a secret cannot be written to the key log.
pub fn report_failures(key_log: Option<&KeyLogFile>, capture: &Capture) {
    if let Some(key_log) = key_log {
        let capture = capture.clone();
        key_log.on_failure(move |line| capture.add_failure(line));
    }
}

/// The certificates of a listener; `None` without `--tls`.
pub fn of_listener(args: &ListenTls, key_log: Option<&Arc<KeyLogFile>>) -> anyhow::Result<Option<Arc<ServerTls>>> {
    if !args.tls {
        return Ok(None);
    }
    let key_log = key_log.map(Arc::clone);
    let tls = match (&args.cert, &args.key) {
        (Some(certificate), Some(key)) => ServerTls::from_files(certificate, key, key_log)?,
        _ => {
            let folder = authority::folder().context("cannot find the folder of the local CA; use --cert and --key")?;
            ServerTls::from_authority(&folder, &host_name(), key_log)?
        }
    };
    Ok(Some(Arc::new(tls)))
}

/// The certificates of the local CA for the clients whose TLS a proxy opens.
pub fn of_interception(key_log: Option<&Arc<KeyLogFile>>) -> anyhow::Result<Arc<ServerTls>> {
    let folder = authority::folder().context("cannot find the folder of the local CA; set XDG_DATA_HOME")?;
    Ok(Arc::new(ServerTls::from_authority(&folder, &host_name(), key_log.map(Arc::clone))?))
}

/// Which servers are trusted.
pub fn with_servers(args: &ServerTrust, key_log: Option<&Arc<KeyLogFile>>) -> anyhow::Result<Arc<ClientConfig>> {
    let trust = Trust { cacert: args.cacert.clone(), insecure: args.insecure };
    Ok(client::config(&trust, key_log)?)
}

/// The name of this machine.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Joins what the user should know first, in one line.
pub fn joined<'a>(warnings: impl IntoIterator<Item = Option<&'a str>>) -> Option<String> {
    let warnings: Vec<_> = warnings.into_iter().flatten().collect();
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

/// What `-k` means, for these servers.
pub fn insecure_warning(servers: &str) -> String {
    format!(
        "any certificate of {servers} is accepted: anyone between framescope and the server can read and change the traffic"
    )
}
