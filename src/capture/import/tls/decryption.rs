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

/// Decrypts the connections of a capture.
pub struct Decryption {
    capture: Capture,
    pub secrets: Secrets,
    key_log: Option<KeyLog>,
    /// Whether capture and key log may still grow.
    is_live: bool,
    /// The file of the capture, until the secrets in it were looked for.
    unscanned: Option<Arc<File>>,
    looked: Instant,
    /// The decrypted bytes, and how many there are.
    decrypted: Option<(Arc<File>, u64)>,
    /// Why connections are not decrypted: the first connection of each kind, and how many.
    reasons: Vec<(Undecryptable, u32, u64)>,
    /// Connections with HTTP/2: the first, and how many.
    http_2: Option<(u32, u64)>,
}

impl Decryption {
    /// For a capture whose packets are in `file`; `is_live` if the file may grow.
    pub fn new(capture: Capture, file: &Arc<File>, is_live: bool, source: KeySource) -> Self {
        let KeySource { secrets, key_log } = source;
        let unscanned = (!is_live).then(|| Arc::clone(file));
        let looked = Instant::now();
        Self {
            capture,
            secrets,
            key_log,
            is_live,
            unscanned,
            looked,
            decrypted: None,
            reasons: Vec::new(),
            http_2: None,
        }
    }

    /// Returns true if a key log was given, or the capture contains secrets.
    pub fn has_secrets(&mut self) -> bool {
        if self.key_log.is_none() && self.secrets.is_empty() {
            self.scan();
        }
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

    /// Returns true if secrets may come later.
    pub const fn may_find_more(&self) -> bool {
        self.is_live && self.key_log.is_some()
    }

    /// Takes the secrets of the whole file, once.
    fn scan(&mut self) {
        let Some(file) = self.unscanned.take() else { return };
        let mut blocks = Blocks::new(file);
        loop {
            match blocks.next() {
                BlockEvent::Secrets(lines) => KeyLog::read_lines(lines, &mut self.secrets),
                BlockEvent::Packet(_) | BlockEvent::Section(_) | BlockEvent::Other => {}
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
        match self.reasons.iter_mut().find(|(known, ..)| known.is_like(&reason)) {
            Some((.., connections)) => *connections += 1,
            None => {
                self.reasons.push((reason, connection, 1));
                // While the capture grows, nobody waits for its end.
                if self.is_live {
                    self.capture.add_notice(&one(connection, &reason));
                }
            }
        }
    }

    /// Takes note that a connection contains HTTP/2.
    pub fn found_http_2(&mut self, connection: u32) {
        self.http_2.get_or_insert((connection, 0)).1 += 1;
    }

    /// What a person must know about encrypted connections: one line for each reason.
    pub fn notices(&self) -> Vec<String> {
        let reasons = self.reasons.iter().map(|(reason, connection, connections)| match connections {
            1 => one(*connection, reason),
            _ => format!(
                "{} are encrypted with TLS, the first is {connection}: {reason}",
                count(*connections, "connection")
            ),
        });
        let http_2 = self.http_2.map(|(connection, connections)| match connections {
            1 => format!("connection {connection} contains HTTP/2, which framescope does not read"),
            _ => format!(
                "{} contain HTTP/2, which framescope does not read; the first is {connection}",
                count(connections, "connection")
            ),
        });
        reasons.chain(http_2).chain(self.key_log.as_ref().and_then(KeyLog::notice)).collect()
    }
}

fn one(connection: u32, reason: &Undecryptable) -> String {
    format!("connection {connection} is encrypted with TLS: {reason}")
}
