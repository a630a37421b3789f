//! A key log file in the format of NSS: with it, Wireshark and `framescope open --keylog` decrypt captures of the encrypted bytes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::KeyLog;

/// Why a key log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the key log {}: {source}; choose another file", path.display())]
pub struct KeyLogError {
    path: PathBuf,
    source: io::Error,
}

type Report = Box<dyn Fn(&str) + Send>;

/// Appends the secrets of TLS connections to a file that only its owner can read.
pub struct KeyLogFile {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    /// Called with the first failure.
    report: Option<Report>,
    /// The first failure, in one line.
    failure: Option<String>,
}

impl KeyLogFile {
    /// Opens the file with mode 0600, and creates it if there is none.
    ///
    /// # Errors
    /// Errors of the system; if it is not a regular file: opening a FIFO would wait for a reader.
    pub fn open(path: &Path) -> Result<Self, KeyLogError> {
        let failed = |source| KeyLogError { path: path.to_owned(), source };
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(failed(io::Error::other("it is not a regular file")));
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        let state = State { file, report: None, failure: None };
        Ok(Self { path: path.to_owned(), state: Mutex::new(state) })
    }

    /// Calls `report` with a sentence, once, when a secret cannot be written; at once, if that has happened already.
    pub fn on_failure(&self, report: impl Fn(&str) + Send + 'static) {
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            report(failure);
        }
        state.report = Some(Box::new(report));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // One write, so that lines of several programs do not mix.
        let line = format!("{label} {} {}\n", hex::encode(client_random), hex::encode(secret));
        let mut state = self.lock();
        if let Err(e) = state.file.write_all(line.as_bytes())
            && state.failure.is_none()
        {
            let failure = format!(
                "cannot write the key log {} ({e}): connections from now on cannot be decrypted with it",
                self.path.display()
            );
            if let Some(report) = &state.report {
                report(&failure);
            }
            state.failure = Some(failure);
        }
    }
}

impl std::fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyLogFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_failure_before_somebody_listens_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.log");
        let mut log = KeyLogFile::open(&path).expect("a file");
        log.state.get_mut().expect("the state").file = File::open(&path).expect("a file that cannot be written");
        log.log("CLIENT_RANDOM", &[1; 32], &[2; 48]);
        let reports = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&reports);
        log.on_failure(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        log.log("CLIENT_RANDOM", &[1; 32], &[2; 48]);
        assert_eq!(reports.load(Ordering::Relaxed), 1);
    }
}
