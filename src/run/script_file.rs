//! Reads the file of a script, and the files that it or a line sends.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::usage_error::UsageError;
use crate::script::{Outgoing, Script};

/// The most bytes of a file that is sent: it is read into memory.
const MAX_FILE: u64 = 256 << 20;

/// The most bytes of a script that are read.
const MAX_SCRIPT: u64 = 2 << 20;

/// Reads a script. The paths of the files that it sends are relative to its folder.
///
/// # Errors
/// [`UsageError`]: it cannot be read, or what is wrong in it, and where.
pub fn read(path: &Path) -> Result<Arc<Script>, UsageError> {
    let name = path.display().to_string();
    let mut text = String::new();
    // The parser refuses a script that is longer than it reads.
    let read = File::open(path).and_then(|file| file.take(MAX_SCRIPT).read_to_string(&mut text));
    read.map_err(|e| UsageError::new(format!("cannot read the script {name}: {e}")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let script = Script::parse(&text, |file| content(&folder.join(file))).map_err(|error| UsageError {
        line: format!("{name}:{}: {error}", error.line),
        carets: Some(error.carets()),
    })?;
    Ok(Arc::new(script.named(name)))
}

/// The content of a file as a message.
///
/// # Errors
/// Why it cannot be read, in one line.
pub fn message(path: &Path) -> Result<Outgoing, String> {
    content(path).map(Outgoing::file)
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    // A pipe or a device may block for ever.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(format!("{} is not a regular file; copy its content to one", path.display()));
    }
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut content));
    match read {
        Err(e) => Err(format!("cannot read {}: {e}", path.display())),
        Ok(_) if content.len() as u64 > MAX_FILE => {
            Err(format!("{} is longer than {} MiB; send a part of it", path.display(), MAX_FILE >> 20))
        }
        Ok(_) => Ok(content),
    }
}
