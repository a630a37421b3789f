//! What the connections of a capture share while they are decrypted: the secrets, the file of decrypted bytes, and the reasons why some
//! are not decrypted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::key_log::{KeyLog, KeyLogError};
use super::reason::Undecryptable;
use super::secrets::Secrets;
use crate::capture::format::blocks::{BlockEvent, Blocks};
use crate::capture::store::files::Files;
use crate::capture::store::{Capture, scratch};
use crate::proto::rules::count;

/// How often a key log that may grow is looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long the secrets of a connection are awaited while capture and key log grow.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same for a capture without a key log that has had no secrets yet.
const PATIENCE_WITHOUT_SOURCE: Duration = Duration::from_secs(2);

/// The most reasons that are reported one by one. Further suites and alerts are counted with others.
const MAX_REASONS: usize = 32;

/// The secrets with which a capture is opened.
#[derive(Debug, Default)]
pub struct KeySource {
    secrets: Secrets,
    key_log: Option<KeyLog>,
}

impl KeySource {
    /// Reads a key log. If it is `awaited`, it need not exist yet.
    ///
    /// # Errors
    /// See [`KeyLogError`].
    pub fn open(key_log: Option<&Path>, awaited: bool) -> Result<Self, KeyLogError> {
        let mut secrets = Secrets::default();
        let key_log = key_log.map(|path| KeyLog::open(path, awaited, &mut secrets)).transpose()?;
        Ok(Self { secrets, key_log })
    }
}

/// The connections that are not decrypted for one reason.
struct Refused {
    reason: Undecryptable,
    /// The number of the first one.
    first: u32,
    /// How many there are.
    connections: u64,
    /// Whether the first one was reported.
    is_reported: bool,
}

/// Decrypts the connections of a capture.
pub struct Decryption {
    capture: Capture,
    pub secrets: Secrets,
    key_log: Option<KeyLog>,
    /// Whether the file is pcapng, which has blocks for secrets.
    is_pcapng: bool,
    /// Whether capture and key log may still grow.
    is_live: bool,
    /// Whether the secrets in the file were looked for, or are found while it is read.
    is_scanned: bool,
    looked: Instant,
    /// The decrypted bytes, and how many there are.
    decrypted: Option<(Arc<File>, u64)>,
    /// Why connections are not decrypted.
    refused: Vec<Refused>,
    /// Connections with HTTP/2: the first, and how many.
    http_2: Option<(u32, u64)>,
    /// Whether it was reported that the key log does not exist.
    is_missing_reported: bool,
}

impl Decryption {
    /// For a capture of packets; `is_live` if its file may grow.
    pub fn new(capture: Capture, is_live: bool, source: KeySource) -> Self {
        let KeySource { secrets, key_log } = source;
        Self {
            capture,
            secrets,
            key_log,
            is_pcapng: false,
            is_live,
            is_scanned: is_live,
            looked: Instant::now(),
            decrypted: None,
            refused: Vec::new(),
            http_2: None,
            is_missing_reported: false,
        }
    }

    /// Returns true if secrets are known, or may come while the capture grows.
    pub fn may_decrypt(&mut self) -> bool {
        if !self.has_source() {
            self.scan();
        }
        self.has_source() || self.may_find_more()
    }

    /// Returns true if a key log was given, or the capture contains secrets.
    fn has_source(&self) -> bool {
        self.key_log.is_some() || !self.secrets.is_empty()
    }

    /// Adds the lines of a key log that a capture contains.
    pub fn add_lines(&mut self, lines: &[u8]) {
        KeyLog::read_lines(lines, &mut self.secrets);
    }

    /// Looks for further secrets: later in the file, or in a key log that grows. Returns true if it found some.
    pub fn look_again(&mut self) -> bool {
        let known = self.secrets.len();
        self.scan();
        if let Some(key_log) = self.key_log.as_mut().filter(|_| self.is_live && self.looked.elapsed() >= LOOK_INTERVAL)
        {
            // What cannot be read now may be readable later.
            let _ = key_log.read_more(&mut self.secrets);
            self.looked = Instant::now();
        }
        self.secrets.len() > known
    }

    /// Looks for secrets for the last time: the capture has ended. Reports a key log that never existed.
    pub fn look_last(&mut self) {
        self.scan();
        if let Some(key_log) = self.key_log.as_mut().filter(|_| self.is_live)
            && let Err(e) = key_log.read_last(&mut self.secrets)
        {
            self.is_missing_reported = true;
            self.capture.add_failure(&e.to_string());
        }
        self.is_live = false;
    }

    /// Returns true if secrets may come later.
    pub fn may_find_more(&self) -> bool {
        self.is_live && (self.key_log.is_some() || self.is_pcapng)
    }

    /// How long the secrets of a connection are awaited while the capture grows. Without a key log, they can only come in the capture.
    pub fn patience(&self) -> Duration {
        if self.has_source() { PATIENCE } else { PATIENCE_WITHOUT_SOURCE }
    }

    /// Takes note that a section of a pcapng file begins.
    pub const fn begin_section(&mut self) {
        self.is_pcapng = true;
    }

    /// Takes the secrets of the whole file, once.
    fn scan(&mut self) {
        if std::mem::replace(&mut self.is_scanned, true) || !self.is_pcapng {
            return;
        }
        let mut blocks = Blocks::new(self.capture.files().clone());
        loop {
            match blocks.next() {
                BlockEvent::Secrets(lines) => KeyLog::read_lines(lines, &mut self.secrets),
                BlockEvent::Packet(_) | BlockEvent::Section(_) | BlockEvent::Interface | BlockEvent::Other => {}
                BlockEvent::End(_) | BlockEvent::Damaged | BlockEvent::Unreadable => return,
            }
        }
    }

    /// Writes decrypted bytes; returns their position in the files of the capture.
    ///
    /// # Errors
    /// If they cannot be written, which is reported once.
    pub fn keep(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let kept = self.try_keep(bytes);
        if let Err(e) = &kept {
            self.capture.add_failure(&format!(
                "cannot write decrypted bytes to {}: {e}; free some space, or set XDG_CACHE_HOME to another folder",
                scratch::folder().display()
            ));
        }
        kept
    }

    fn try_keep(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let (file, len) = match &mut self.decrypted {
            Some(kept) => kept,
            None => {
                let file = Arc::new(scratch::file()?);
                self.capture.files().set_derived(Arc::clone(&file));
                self.decrypted.insert((file, 0))
            }
        };
        file.write_all_at(bytes, *len)?;
        let position = Files::derived(*len);
        *len += bytes.len() as u64;
        Ok(position)
    }

    /// Takes note that a connection is not decrypted.
    pub fn refuse(&mut self, connection: u32, reason: Undecryptable) {
        let reason = match (reason, &self.key_log) {
            (Undecryptable::NoSecret, None) if self.secrets.is_empty() => Undecryptable::NoKeyLog,
            (Undecryptable::NoSecret, Some(key_log)) if !key_log.is_found() => Undecryptable::NoFile,
            (reason, _) => reason,
        };
        if reason == Undecryptable::NoFile && self.is_missing_reported {
            return;
        }
        let is_crowded = self.refused.len() >= MAX_REASONS;
        let is_same = |known: Undecryptable| known == reason || is_crowded && known.is_like(reason);
        match self.refused.iter_mut().find(|refused| is_same(refused.reason)) {
            Some(refused) => refused.connections += 1,
            None => {
                self.refused.push(Refused { reason, first: connection, connections: 1, is_reported: self.is_live });
                // While the capture grows, nobody waits for its end.
                if self.is_live {
                    self.capture.add_notice(&format!("connection {connection} is encrypted with TLS: {reason}"));
                }
            }
        }
    }

    /// Takes note that a connection contains HTTP/2.
    pub fn found_http_2(&mut self, connection: u32) {
        self.http_2.get_or_insert((connection, 0)).1 += 1;
    }

    /// What a person must know about encrypted connections, and was not reported yet: one line for each reason.
    pub fn notices(&self) -> Vec<String> {
        let refused = self.refused.iter().filter_map(|Refused { reason, first, connections, is_reported }| {
            Some(match (connections, is_reported) {
                (1, true) => return None,
                (2, true) => format!("another connection is encrypted with TLS: {reason}"),
                (_, true) => format!("{} more are encrypted with TLS: {reason}", count(connections - 1, "connection")),
                (1, false) => format!("connection {first} is encrypted with TLS: {reason}"),
                (_, false) => {
                    let connections = count(*connections, "connection");
                    format!("{connections} are encrypted with TLS, the first is {first}: {reason}")
                }
            })
        });
        let http_2 = self.http_2.map(|(connection, connections)| match connections {
            1 => format!("connection {connection} contains HTTP/2, which framescope does not read"),
            _ => format!(
                "{} contain HTTP/2, which framescope does not read; the first is {connection}",
                count(connections, "connection")
            ),
        });
        refused.chain(http_2).chain(self.key_log.as_ref().and_then(KeyLog::notice)).collect()
    }
}
