//! Reads the file of a script, and the files that it or a line sends.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::usage_error::UsageError;
use crate::script::{Outgoing, Script};

/// The most bytes of a file that is sent: it is read into memory.
const MAX_FILE: u64 = 256 << 20;

/// The most bytes of a script that are read.
const MAX_SCRIPT: u64 = 2 << 20;

/// Reads a script; `-` is stdin. The paths of the files that it sends are relative to its folder.
///
/// # Errors
/// [`UsageError`]: it cannot be read, or what is wrong in it, and where.
pub fn read(path: &Path) -> Result<Arc<Script>, UsageError> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    // The parser refuses a script that is longer than it reads.
    let read = if is_stdin {
        io::stdin().lock().take(MAX_SCRIPT).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_SCRIPT).read_to_end(&mut bytes))
    };
    read.map_err(|e| UsageError::new(format!("cannot read the script {name}: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let (before, at) = (e.as_bytes(), e.utf8_error().valid_up_to());
        let line = 1 + before[..at].iter().filter(|byte| **byte == b'\n').count();
        UsageError::new(format!(
            "{name}:{line}: this line is not UTF-8; save the script as UTF-8, or send bytes with send hex"
        ))
    })?;
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
