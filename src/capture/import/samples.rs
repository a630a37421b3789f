//! The sample captures in the program. `MAKE_ASSETS=1 cargo test --test it samples` writes them again.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::{ImportOptions, OpenError};
use crate::capture::store::{Capture, scratch};

/// A sample capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub words: &'static str,
    /// A pcapng file.
    pub bytes: &'static [u8],
}

macro_rules! sample {
    ($name:literal, $words:literal) => {
        Sample {
            name: $name,
            words: $words,
            bytes: include_bytes!(concat!("../../../assets/samples/", $name, ".pcapng")),
        }
    };
}

impl Sample {
    /// All samples, the simplest first.
    pub const ALL: [Self; 5] = [
        sample!("hello", "the examples of RFC 6455 §1.3 and §5.7"),
        sample!("ticker", "a page, then pings, texts and a Close"),
        sample!("fragments", "fragments, a ping between, three lengths"),
        sample!("deflate", "compressed messages"),
        sample!("violations", "each rule of framing is broken once"),
    ];

    /// The sample of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sample| sample.name == name)
    }

    /// Reads the sample into a capture over a file without a name.
    ///
    /// # Errors
    /// If such a file cannot be written.
    pub fn capture(&self) -> Result<Capture, OpenError> {
        let name = PathBuf::from(format!("{}.pcapng", self.name));
        let written = scratch::file().and_then(|mut file| file.write_all(self.bytes).map(|()| file));
        let file = written.map_err(|source| OpenError::Spool { name: name.clone(), source })?;
        let (capture, loader) = super::open_file(file, &name, ImportOptions::default())?;
        loader.run(&AtomicBool::new(false));
        Ok(capture)
    }

    /// Writes the sample to a new file.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn unpack(&self, path: &Path) -> io::Result<()> {
        File::create_new(path)?.write_all(self.bytes)
    }
}
