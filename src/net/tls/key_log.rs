//! A key log file in the format of NSS: with it, Wireshark and `framescope open --keylog` decrypt captures of the encrypted bytes.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustls::KeyLog;

/// Why a key log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the key log {}: {source}; choose another file", path.display())]
pub struct KeyLogError {
    path: PathBuf,
    source: io::Error,
}

type Report = Box<dyn Fn(&str) + Send + Sync>;

/// Appends the secrets of TLS connections to a file that only its owner can read.
pub struct KeyLogFile {
    path: PathBuf,
    file: Mutex<File>,
    /// Called with the first error.
    report: OnceLock<Report>,
    failed: OnceLock<()>,
}

impl KeyLogFile {
    /// Opens the file, and creates it if there is none. A regular file gets mode 0600.
    ///
    /// # Errors
    /// Errors of the system.
    pub fn open(path: &Path) -> Result<Self, KeyLogError> {
        let failed = |source| KeyLogError { path: path.to_owned(), source };
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), report: OnceLock::new(), failed: OnceLock::new() })
    }

    /// Calls `report` with a sentence, once, when a secret cannot be written.
    pub fn on_failure(&self, report: impl Fn(&str) + Send + Sync + 'static) {
        // The first caller is the run that opened it.
        let _ = self.report.set(Box::new(report));
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // One write, so that lines of several programs do not mix.
        let line = format!("{label} {} {}\n", hex::encode(client_random), hex::encode(secret));
        let written = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let (Err(e), Some(report)) = (written, self.report.get())
            && self.failed.set(()).is_ok()
        {
            report(&format!(
                "cannot write the key log {} ({e}): connections from now on cannot be decrypted with it",
                self.path.display()
            ));
        }
    }
}

impl std::fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyLogFile").field("path", &self.path).finish_non_exhaustive()
    }
}
