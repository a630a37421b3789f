//! A file that is sent as a message: it is read in the background, because it can be long.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::hold_desk::{Decision, HoldDesk};
use crate::proto::dissected::Direction;
use crate::script::Outgoing;

/// The longest file that is sent, in bytes: it is read into memory.
const MAX_FILE: u64 = 256 << 20;

/// A file to send.
#[derive(Clone, Debug)]
pub struct FileMessage {
    /// The proxy that sends it.
    pub desk: Arc<dyn HoldDesk>,
    /// The file.
    pub path: PathBuf,
    /// What it is sent for.
    pub to: Receiver,
}

/// Where the content of a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// It takes the place of the held message with that number.
    InPlaceOf(u64),
    /// It goes to the receiver of a direction of a connection.
    Of {
        /// The connection.
        connection: u32,
        /// The direction.
        direction: Direction,
    },
}

impl FileMessage {
    /// Reads the file and sends it: text as a text message, other bytes as a binary one. Returns what was done, in one line.
    ///
    /// # Errors
    /// Why it was not sent, in one line.
    pub fn send(self) -> Result<String, String> {
        let message = Outgoing::file(read_file(&self.path)?);
        match self.to {
            Receiver::InPlaceOf(id) => self.desk.decide(id, Decision::Replace(message))?,
            Receiver::Of { connection, direction } => self.desk.inject(connection, direction, message)?,
        }
        Ok(format!("{} sent", self.path.display()))
    }
}

/// Reads a file that is sent, by `/file`, a script, or in place of a held message.
///
/// # Errors
/// Why it cannot be sent, in one line.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    check_file(path)?;
    let mut content = Vec::new();
    // It may grow.
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut content));
    read.map_err(|e| cannot_read(path, &e))?;
    if content.len() as u64 > MAX_FILE { Err(too_long(path)) } else { Ok(content) }
}

/// Checks what is known of a file before it is read.
///
/// # Errors
/// Why it cannot be sent, in one line.
pub fn check_file(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|e| cannot_read(path, &e))?;
    // A pipe or a device may block for ever.
    if !metadata.is_file() {
        return Err(format!("{} is not a regular file; copy its content to one", path.display()));
    }
    if metadata.len() > MAX_FILE { Err(too_long(path)) } else { Ok(()) }
}

fn cannot_read(path: &Path, e: &dyn Display) -> String {
    format!("cannot read {} ({e})", path.display())
}

fn too_long(path: &Path) -> String {
    format!("{} is longer than {} MiB; send a part of it", path.display(), MAX_FILE >> 20)
}
