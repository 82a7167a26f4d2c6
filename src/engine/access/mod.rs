//! Access packages: one ZIP per access task (RULES.md section 4).
//!
//! The rows of each dataset are fetched once, for all tasks of the pass. Each row goes, as a compact
//! record, to a sorter that spills; then the packages are written one after the other.
//!
//! Guarantees: memory stays near [`Workspace::memory`], whatever the number of tasks and rows; the same
//! input gives the same bytes, whatever the batches; every row that the plan found is in the package
//! exactly once, or the task fails; one task's failure leaves the others alone.
//! Assumptions: the scratch directory exists, is private, and lies on the file system of the packages.
//! Crash behaviour: a package appears under its name only when it is complete and on disk; what a crash
//! can leave is `NAME.partial` in scratch space, which the next pass clears.

mod archive;
mod cell;
mod copies;
mod csv;
mod error;
mod gather;
mod index;
mod layout;
mod listing;
mod look;
mod package;
mod profile;
mod record;
mod sorter;
mod summary;
mod tally;
#[cfg(test)]
mod tests;
mod times;
mod value;

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::model::{Catalog, IdentityTerm, Name, Regulation};
use crate::plan::{AccessWork, Inventory, RowKey};

use super::EngineError;
use super::fetch::FetchedBatch;

pub use error::AccessError;
pub use look::{LookedRow, SeenCell, look};

/// One access task: what to pack, and what the package says of itself.
#[derive(Debug, Clone)]
pub struct AccessTask<'a> {
    /// The rows and columns.
    pub work: &'a AccessWork,
    /// The request.
    pub request: &'a Name,
    /// The controller's own reference of the subject.
    pub key: &'a str,
    /// The regulation, where the request names one.
    pub regulation: Option<&'a Regulation>,
    /// When the request was received.
    pub received_at: Timestamp,
    /// Now: the retention counts from here, and the archive's entries bear this time.
    pub compiled_at: Timestamp,
    /// When the package will be deleted.
    pub expires_at: Timestamp,
    /// The identities as asked for.
    pub identities: &'a [IdentityTerm],
    /// Where the package goes: a file in a directory that exists.
    pub out: PathBuf,
}

/// Where and how large.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// An existing, private directory for spills.
    pub scratch: PathBuf,
    /// Bytes that buffers may take together. 64 MiB is plenty; less only spills more.
    pub memory: usize,
}

/// A package that is complete and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageReport {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Rows in it, after copies were removed.
    pub rows: u64,
    /// Copies that were removed.
    pub duplicates_removed: u64,
    /// By dataset name; those in which nothing was found are left out.
    pub datasets: Vec<DatasetCounts>,
}

/// Rows of one dataset in a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetCounts {
    /// The dataset.
    pub dataset: Name,
    /// Person rows, after copies were removed.
    pub person_rows: u64,
    /// Device rows, after copies were removed.
    pub device_rows: u64,
    /// Copies that were removed.
    pub duplicates_removed: u64,
}

/// Where rows come from.
pub trait RowSource {
    /// Reads these columns (leaf indices, ascending) of these rows (ascending, each once) of a dataset
    /// and hands them over in batches: each row once, the batches in any order and of any size. A
    /// `Break` of `each` ends it early, as a success.
    ///
    /// # Errors
    /// Whatever keeps it from handing over every row.
    fn fetch(
        &mut self,
        dataset: &Name,
        leaves: &[u16],
        rows: &[RowKey],
        each: &mut dyn FnMut(FetchedBatch) -> ControlFlow<()>,
    ) -> Result<(), EngineError>;
}

/// Writes the packages of all tasks of a pass; one result a task, in their order. A task whose package
/// fails leaves no file at its `out`.
///
/// # Errors
/// [`AccessError::Scratch`] where scratch space fails before the first package.
pub fn compile(
    tasks: &[AccessTask<'_>],
    catalog: &Catalog,
    inventory: &Inventory,
    source: &mut dyn RowSource,
    space: &Workspace,
) -> Result<Vec<Result<PackageReport, AccessError>>, AccessError> {
    let mut gathered = gather::gather(tasks, inventory, source, space)?;
    let mut results = Vec::with_capacity(tasks.len());
    let mut waiting = Vec::with_capacity(AT_ONCE);
    for (index, task) in tasks.iter().enumerate() {
        let written = match gathered.failed(index) {
            Some(error) => Err(error.clone()),
            None => package::write(task, catalog, inventory, &mut gathered.rows_of(index), space),
        };
        // Without scratch space the rows of the other tasks cannot be read either.
        let broken = written.as_ref().err().filter(|error| error.stops_all()).cloned();
        let broken = broken.or_else(|| gathered.skip(index).err());
        waiting.push(written);
        if waiting.len() == AT_ONCE {
            finish(&mut waiting, &mut results);
        }
        if let Some(error) = broken {
            waiting.extend(tasks.iter().skip(index + 1).map(|_| Err(error.clone())));
            break;
        }
    }
    finish(&mut waiting, &mut results);
    Ok(results)
}

/// Packages that are brought to disk together: a file system does that in little more time than one
/// takes.
const AT_ONCE: usize = 32;

/// Brings packages to disk, each in a thread of its own, and files their results in order.
fn finish(
    waiting: &mut Vec<Result<package::Written, AccessError>>,
    results: &mut Vec<Result<PackageReport, AccessError>>,
) {
    const DIED: AccessError = AccessError::Bug("the thread that finishes a package died");
    std::thread::scope(|scope| {
        let threads: Vec<_> = waiting
            .drain(..)
            .map(|written| written.map(|written| scope.spawn(|| written.finish())))
            .collect();
        results.extend(threads.into_iter().map(|thread| thread?.join().unwrap_or(Err(DIED))));
    });
}
