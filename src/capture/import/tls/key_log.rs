//! Key logs in the format of NSS: one secret a line, `LABEL RANDOM SECRET`, both in hex digits (draft-ietf-tls-keylogfile).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::secrets::{Label, MAX_SECRET, RANDOM, Random, Secret, Secrets};
use crate::proto::rules::count;

/// How much of the file is read at once, in bytes. A longer line is wrong.
const PIECE: usize = 64 * 1024;

/// Why a key log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyLogError {
    /// It cannot be read.
    #[error("cannot read the key log {}: {source}; check its name and permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It is no regular file.
    #[error("the key log {} is {what}; copy it into a file first", path.display())]
    Irregular {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It has lines, and none of them has the form of a key log.
    #[error(
        "{} is not a key log: none of its lines has the form CLIENT_RANDOM, 64 hex digits, 96 hex digits; browsers, curl and Node \
         write one into the file that the environment variable SSLKEYLOGFILE names",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is a private key, which does not decrypt sessions with forward secrecy.
    #[error(
        "{} is a private key or a certificate, not a key log; the program that connects or accepts writes a key log: see \
         SSLKEYLOGFILE in its manual",
        path.display()
    )]
    Pem {
        /// The file.
        path: PathBuf,
    },
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Secret(Label, Random, Secret),
    /// A comment, an empty line, or a secret that is not needed.
    Other,
    Wrong,
}

/// Lines that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    lines: u64,
    wrong: u64,
    /// The number of the first wrong line, from 1.
    first_wrong: u64,
    /// Secrets without space.
    left_out: u64,
}

/// A key log file that may still be written.
#[derive(Debug)]
pub struct KeyLog {
    path: PathBuf,
    /// How many bytes were read.
    position: u64,
    /// The beginning of a line whose end was not written yet.
    partial: Vec<u8>,
    /// Whether the rest of an endless line is skipped.
    is_skipping: bool,
    counts: Counts,
    /// Whether the file was read.
    is_found: bool,
    /// Whether any line has a form that key logs have.
    is_key_log: bool,
    is_pem: bool,
}

impl KeyLog {
    /// Reads a key log. If it is `awaited`, the file need not exist yet, but its folder must.
    ///
    /// # Errors
    /// See [`KeyLogError`].
    pub fn open(path: &Path, awaited: bool, secrets: &mut Secrets) -> Result<Self, KeyLogError> {
        let mut log = Self::named(path);
        let io = |source| KeyLogError::Io { path: path.to_owned(), source };
        match fs::metadata(path) {
            Err(e) if awaited && e.kind() == io::ErrorKind::NotFound && has_folder(path) => return Ok(log),
            Err(e) => return Err(io(e)),
            Ok(metadata) => {
                if let Some(what) = crate::capture::store::output::irregular_kind(&metadata) {
                    return Err(KeyLogError::Irregular { path: path.to_owned(), what });
                }
            }
        }
        log.read_more(secrets).map_err(io)?;
        if !awaited {
            log.end(secrets);
        }
        match (log.is_key_log, log.counts.wrong) {
            (false, 1..) if log.is_pem => Err(KeyLogError::Pem { path: path.to_owned() }),
            (false, 1..) => Err(KeyLogError::Foreign { path: path.to_owned() }),
            _ => Ok(log),
        }
    }

    /// Adds the secrets in the lines of a key log that is no file.
    pub fn read_lines(lines: &[u8], secrets: &mut Secrets) {
        let mut log = Self::named(Path::new(""));
        log.take(lines, secrets);
        log.end(secrets);
    }

    fn named(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            position: 0,
            partial: Vec::new(),
            is_skipping: false,
            counts: Counts::default(),
            is_found: false,
            is_key_log: false,
            is_pem: false,
        }
    }

    /// Reads what was appended to the file since the last call. A file that became shorter was written again: it is read from its
    /// beginning.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_more(&mut self, secrets: &mut Secrets) -> io::Result<()> {
        let file = File::open(&self.path)?;
        self.is_found = true;
        let len = file.metadata()?.len();
        if len < self.position {
            (self.position, self.is_skipping) = (0, false);
            self.partial.clear();
            self.counts = Counts::default();
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(len - self.position).unwrap_or(PIECE))];
        while self.position < len {
            let read = match file.read_at(&mut piece, self.position) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            self.position += read as u64;
            self.take(&piece[..read], secrets);
        }
        Ok(())
    }

    /// Returns true if the file was read: it exists.
    pub const fn is_found(&self) -> bool {
        self.is_found
    }

    /// Reads what was appended, to the last line, which may lack its line break.
    ///
    /// # Errors
    /// If the file was never read, and cannot be read now.
    pub fn read_last(&mut self, secrets: &mut Secrets) -> Result<(), KeyLogError> {
        match self.read_more(secrets) {
            Err(source) if !self.is_found => return Err(KeyLogError::Io { path: self.path.clone(), source }),
            // What was read before counts.
            _ => self.end(secrets),
        }
        Ok(())
    }

    /// Takes the last line, which may lack its line break.
    fn end(&mut self, secrets: &mut Secrets) {
        if !self.partial.is_empty() {
            self.take(b"\n", secrets);
        }
    }

    /// Takes the next bytes of the file.
    fn take(&mut self, bytes: &[u8], secrets: &mut Secrets) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        // What follows the last line break is the beginning of a line.
        let rest = lines.next_back().unwrap_or_default();
        for line in lines {
            if std::mem::take(&mut self.is_skipping) {
                continue;
            }
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(line);
            self.take_line(&whole, secrets);
        }
        if !self.is_skipping {
            self.partial.extend_from_slice(rest);
        }
        if self.partial.len() > PIECE {
            self.partial.clear();
            self.is_skipping = true;
            self.take_line(b"?", secrets);
        }
    }

    fn take_line(&mut self, line: &[u8], secrets: &mut Secrets) {
        self.counts.lines += 1;
        match read_line(line) {
            Line::Secret(label, random, secret) => {
                self.is_key_log = true;
                if !secrets.add(label, random, secret) {
                    self.counts.left_out += 1;
                }
            }
            Line::Other => self.is_key_log |= line.first().is_some_and(|first| *first != b'#'),
            Line::Wrong => {
                self.is_pem |= line.starts_with(b"-----BEGIN");
                self.counts.wrong += 1;
                if self.counts.wrong == 1 {
                    self.counts.first_wrong = self.counts.lines;
                }
            }
        }
    }

    /// What a person must know about the file, in one line; `None` if it is in order.
    pub fn notice(&self) -> Option<String> {
        let Counts { wrong, first_wrong, left_out, .. } = self.counts;
        let path = self.path.display();
        match wrong {
            0 => {}
            1 => return Some(format!("{path}: line {first_wrong} was left out: it is not LABEL RANDOM SECRET")),
            _ => {
                let lines = count(wrong, "line");
                return Some(format!(
                    "{path}: {lines} were left out, the first is line {first_wrong}: they are not LABEL RANDOM SECRET"
                ));
            }
        }
        (left_out > 0).then(|| format!("{path}: {} left out; use a shorter key log", count(left_out, "secret")))
    }
}

/// Returns true if the folder in which a file is to be created exists.
fn has_folder(path: &Path) -> bool {
    path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}

/// Reads one line without its line break.
fn read_line(line: &[u8]) -> Line {
    let Ok(line) = std::str::from_utf8(line) else { return Line::Wrong };
    let line = line.trim_start_matches('\u{feff}').trim_ascii();
    if line.is_empty() || line.starts_with('#') {
        return Line::Other;
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(label), Some(random), Some(secret), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Line::Wrong;
    };
    let is_label = label.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let (Ok(random), Ok(secret)) = (hex::decode(random), hex::decode(secret)) else { return Line::Wrong };
    if !is_label || label.is_empty() {
        return Line::Wrong;
    }
    let label = match label {
        "CLIENT_RANDOM" => Label::Master,
        "CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
        "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
        "CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
        "SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
        // Those of exporters, of QUIC and of Encrypted Client Hello, and later ones.
        _ => return Line::Other,
    };
    let is_long_enough = match label {
        Label::Master => secret.len() == MAX_SECRET,
        _ => matches!(secret.len(), 32 | MAX_SECRET),
    };
    match <[u8; RANDOM]>::try_from(random) {
        Ok(random) if is_long_enough => Line::Secret(label, random, Secret::new(&secret)),
        _ => Line::Wrong,
    }
}
