//! The steps of the tour, and the learner's progress, which a small file keeps between two runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use crate::explain::tour::Tour;
use crate::tui::state::tour::{TourProgress, TourStart};

/// The name of the built-in tour in the file of progress.
const BUILT_IN: &str = "built-in";

/// Largest file of steps, in bytes.
const MAX_STEPS: u64 = 1 << 20;

/// A tour, and how far the learner is.
pub struct TourFile {
    tour: Arc<Tour>,
    /// Its name in the file of progress.
    name: String,
    /// Index of the step to begin with.
    at: usize,
    /// The ids of the steps whose tasks are done.
    done: BTreeSet<String>,
}

/// Progress to write to the file.
pub struct ProgressKeeper {
    name: String,
    progress: TourProgress,
}

/// The file of progress.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Progress {
    /// For each tour that was begun, the id of its step.
    #[serde(default)]
    step: BTreeMap<String, String>,
    /// For each of these tours, the ids of the steps whose tasks are done.
    #[serde(default)]
    done: BTreeMap<String, BTreeSet<String>>,
}

/// Why the progress is not kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the tour's progress in {path} ({source})", path = .path.display())]
pub struct ProgressError {
    path: PathBuf,
    source: io::Error,
}

impl TourFile {
    /// The tour in the program.
    pub fn built_in() -> anyhow::Result<Self> {
        Ok(Self::new(Tour::built_in()?, BUILT_IN.to_owned()))
    }

    /// The tour in a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let failed = |e: io::Error| anyhow!("cannot read {shown} ({e}); --steps takes a file like assets/tour/en.toml");
        let mut text = String::new();
        // A device or a pipe has no length.
        let read = fs::File::open(path).and_then(|file| file.take(MAX_STEPS + 1).read_to_string(&mut text));
        read.map_err(failed)?;
        if text.len() as u64 > MAX_STEPS {
            return Err(anyhow!("{shown} is too long for a file of steps: it has more than {MAX_STEPS} bytes"));
        }
        let tour = Tour::parse(&text).map_err(|e| anyhow!("{shown}, {e}"))?;
        let name = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self::new(tour, name.to_string_lossy().into_owned()))
    }

    fn new(tour: Tour, name: String) -> Self {
        let mut progress = Progress::read(&Progress::path());
        let at = progress.step.get(&name).and_then(|id| tour.position(id)).unwrap_or(0);
        let done = progress.done.remove(&name).unwrap_or_default();
        Self { tour: Arc::new(tour), name, at, done }
    }

    /// The same tour from its first step.
    pub fn restarted(self) -> Self {
        Self { at: 0, done: BTreeSet::new(), ..self }
    }

    /// The tour, from the step where the learner is.
    pub fn start(&self) -> TourStart {
        TourStart { tour: Arc::clone(&self.tour), at: self.at, done: self.done.clone() }
    }

    /// Takes how far the learner is; what it returns writes it to the file.
    pub fn keeper(&mut self, progress: TourProgress) -> ProgressKeeper {
        self.at = progress.step.as_deref().and_then(|id| self.tour.position(id)).unwrap_or(0);
        // A tour that was ended begins again.
        self.done = if progress.step.is_some() { progress.done.clone() } else { BTreeSet::new() };
        ProgressKeeper { name: self.name.clone(), progress }
    }
}

impl ProgressKeeper {
    /// Writes the progress. A tour that was ended begins again next time.
    pub fn write(self) -> Result<(), ProgressError> {
        let path = Progress::path();
        let mut progress = Progress::read(&path);
        let TourProgress { step, done } = self.progress;
        if let Some(step) = step {
            progress.step.insert(self.name.clone(), step);
            progress.done.insert(self.name, done);
        } else {
            progress.step.remove(&self.name);
            progress.done.remove(&self.name);
        }
        progress.write(&path).map_err(|source| ProgressError { path, source })
    }
}

impl Progress {
    /// `framescope/tour.toml` in the user's folder for state, or for data on systems without one.
    fn path() -> PathBuf {
        let base = etcetera::choose_base_strategy();
        let folder =
            base.map_or_else(|_| std::env::temp_dir(), |base| base.state_dir().unwrap_or_else(|| base.data_dir()));
        folder.join("framescope").join("tour.toml")
    }

    /// The progress that is kept; none, if the file does not exist or is damaged: the tour then begins again.
    fn read(path: &Path) -> Self {
        fs::read_to_string(path).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// Replaces the file as a whole, so that another run never reads half of it.
    fn write(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    }
}
