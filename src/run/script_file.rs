//! Reads the file of a script, and the files that it or a line sends.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::input;
use super::usage_error::UsageError;
use crate::script::{Outgoing, Script};
use crate::tui::file_message::read_file;

/// The most bytes of a script that are read.
const MAX_SCRIPT: u64 = 2 << 20;

/// Reads a script; `-` is stdin. The paths of the files that it sends are relative to its folder.
///
/// # Errors
/// [`UsageError`]: it cannot be read, or what is wrong in it, and where.
pub fn read(path: &Path) -> Result<Arc<Script>, UsageError> {
    let name = input::name(path).display().to_string();
    let mut bytes = Vec::new();
    // The parser refuses a script that is longer than it reads.
    let read = if input::is_stdin(path) {
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
    let script = Script::parse(&text, |file| read_file(&folder.join(file))).map_err(|error| UsageError {
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
    read_file(path).map(Outgoing::file)
}
