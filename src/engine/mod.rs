//! Everything that touches the data: inventory, find, fetch, packages, erasure.
//!
//! The engine carries out; it decides nothing. What it is asked for comes as plain values of
//! [`crate::plan`], and what it answers are plain values too. Its API blocks; DataFusion and its
//! threads stay inside.
//!
//! Guarantees: no error and no `Debug` output of the engine holds a cell value; a data file is used
//! only while it is the one that was inventoried; a file that makes a decoder panic is a problem of
//! that file.

pub mod access;
pub mod erase;
mod error;
pub mod fetch;
mod find;
mod footer;
mod guard;
mod inventory;
mod leaf;
mod opened;
mod pages;
pub mod sample;
mod schema;
mod session;
mod source;
mod survey;
#[cfg(test)]
mod testing;
mod uncovered;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Dataset;
use crate::plan::coverage::{RootLook, Survey, SurveyLeaf};
use crate::plan::{DatasetFiles, Hit, Inventory, Probe, RowKey, RowValue};
use crate::store::{DeploymentKey, KeptFooters};

pub use error::EngineError;
pub use find::ProbeOptions;
use inventory::Footers;
pub use inventory::Reserved;
use session::Session;
pub use uncovered::Covered;

/// The file or directory below which everything lies that a dataset's location names; it need not be
/// there. `None` where it is not on the local disk.
#[must_use]
pub fn place(working_dir: &std::path::Path, dataset: &Dataset) -> Option<PathBuf> {
    inventory::place(working_dir, dataset)
}

/// How to set up an [`Engine`].
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Where operators spill; the engine's alone.
    pub scratch: PathBuf,
    /// Bytes that sorts and the like may hold before they spill.
    pub memory: usize,
    /// Threads; 0: as many as there are processors.
    pub jobs: usize,
    /// What relative locations are relative to.
    pub working_dir: PathBuf,
}

/// The engine of a pass.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    session: Session,
    /// What is known of footers; `None`: all are read.
    footers: Mutex<Option<Footers>>,
}

impl Engine {
    /// Sets the engine up. Nothing is read or written yet.
    ///
    /// # Errors
    /// [`EngineError::Start`].
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let jobs = match options.jobs {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            jobs => jobs,
        };
        let session = Session::new(&options.scratch, options.memory, jobs)?;
        Ok(Self { options, session, footers: Mutex::new(None) })
    }

    /// Threads.
    #[must_use]
    pub const fn jobs(&self) -> usize {
        self.session.jobs()
    }

    /// Looks at datasets: their files, footers and leaves. Whatever makes one unreadable is in its
    /// [`DatasetFiles::problems`]; a dataset that overlaps a reserved place has that as a problem too.
    #[must_use]
    pub fn inventory(&self, datasets: &[&Dataset], reserved: &[Reserved]) -> Inventory {
        let mut footers = self.footers.lock().unwrap_or_else(PoisonError::into_inner);
        let (directory, jobs) = (&self.options.working_dir, self.session.jobs());
        inventory::inventory(directory, jobs, datasets, reserved, footers.as_mut())
    }

    /// From now on inventories believe what earlier passes read in footers of files that have not
    /// changed. Never for `verify`.
    pub fn recall(&self, kept: Option<KeptFooters>) {
        *self.footers.lock().unwrap_or_else(PoisonError::into_inner) = Some(Footers::new(kept));
    }

    /// A footer turned out not to be as it was remembered, or a file changed: inventories read all again.
    pub fn forget(&self) {
        let mut footers = self.footers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(footers) = footers.as_mut() {
            footers.clear();
        }
    }

    /// What the next pass may recall, where it is worth a write.
    pub fn worth_keeping(&self, key: &DeploymentKey) -> Option<Vec<u8>> {
        self.footers.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.worth_keeping(key)
    }

    /// Finds the identities of a probe, which is copied where only a reference is given: every hit, sorted by file, row, leaf, element and identity.
    ///
    /// # Errors
    /// [`EngineError::Unreadable`] and [`EngineError::Changed`] name the first file that failed.
    pub fn probe(
        &self,
        dataset: &DatasetFiles,
        probe: impl Into<Arc<Probe>>,
        options: ProbeOptions<'_>,
    ) -> Result<Vec<Hit>, EngineError> {
        find::probe(&self.session, dataset, probe.into(), options)
    }

    /// How many rows match a probe, by index of the file. Cheaper than [`Engine::probe`].
    ///
    /// # Errors
    /// As [`Engine::probe`].
    pub fn count_rows(
        &self,
        dataset: &DatasetFiles,
        probe: impl Into<Arc<Probe>>,
        options: ProbeOptions<'_>,
    ) -> Result<Vec<u64>, EngineError> {
        find::count_rows(&self.session, dataset, probe.into(), options)
    }

    /// The non-null values of these leaves in these rows (sorted, each once), sorted by row, leaf and
    /// element: as they stand, not in canonical form. A partition column has its text; booleans and
    /// floats come as text too.
    ///
    /// # Errors
    /// As [`Engine::probe`].
    pub fn values(
        &self,
        dataset: &DatasetFiles,
        rows: &[RowKey],
        leaves: &[u16],
    ) -> Result<Vec<RowValue>, EngineError> {
        fetch::values(self.session.jobs(), dataset, rows, leaves)
    }

    /// Reads these leaves of these rows (sorted, each once) and hands them over in batches, in order. A
    /// `Break` of `each` ends it early, as a success.
    ///
    /// # Errors
    /// As [`Engine::probe`].
    pub fn fetch(
        &self,
        dataset: &DatasetFiles,
        rows: &[RowKey],
        leaves: &[u16],
        each: &mut dyn FnMut(fetch::FetchedBatch) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        fetch::fetch(self.session.jobs(), dataset, rows, leaves, each)
    }

    /// Samples the values of these leaves and counts what they look like. What cannot be read is among the
    /// [`Survey::problems`].
    #[must_use]
    pub fn survey(&self, dataset: &DatasetFiles, leaves: &[SurveyLeaf]) -> Survey {
        survey::survey(self.session.jobs(), dataset, leaves)
    }

    /// Looks below a root for data that none of the inventory's datasets covers, but for the reserved
    /// places and what the ignored locations name. `go_on` is asked at every directory; a `false` ends the
    /// look, and nothing was found.
    #[must_use]
    pub fn uncovered(
        &self,
        root: &std::path::Path,
        covered: Covered<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> RootLook {
        uncovered::look(&self.options.working_dir, root, covered, go_on)
    }
}
