//! Erasure of one Parquet file: the column chunks that hold erased values are encoded again, page by
//! page, everything else is copied byte for byte; the result is proven from what is read back, and then
//! takes the file's place at once (RULES.md section 5, CONTRACT.md section 4).
//!
//! Guarantees: the path holds the whole old or the whole new file at every moment. A file in which
//! something could not be kept, or not be erased, is refused before anything is written in its place.
//! Errors name the file as it may be shown, and never a value.
//!
//! Assumptions: one pass at a time; other writers replace files, or change their size or time.
//!
//! Crash behaviour: a killed process leaves at most one file that starts with `.amparo-` for each file
//! it was working on; [`recover`] finishes or undoes what it stands for.
//!
//! The way through: `source` reads and distrusts the footer (`thrift`, `shape`); `select` brings the work
//! to columns and row groups; `decide` says value by value what changes (`mask`, `elements`), and counts
//! (`tally`); `chunk` encodes (`pages`, `values`, `dictionary`, `stats`, `index`); `splice` writes the file;
//! `proof` proves it; `stage` swaps it.

mod chunk;
mod coarsen;
mod codec;
mod constant;
mod decide;
mod delta;
mod dictionary;
mod elements;
mod error;
#[cfg(test)]
mod far_tests;
mod faults;
mod footer;
mod guard;
mod index;
mod levels;
mod mask;
mod names;
mod neighbours;
mod order;
mod out;
mod pages;
mod proof;
mod proof_chunk;
#[cfg(test)]
mod proof_tests;
mod publish;
mod recover;
mod removal;
mod runs;
mod select;
mod shape;
mod snappy;
mod source;
mod splice;
mod stage;
mod stats;
mod tally;
mod thrift;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::plan::{EraseKeys, FileCounts, FileStamp, FileWork};

pub use error::EraseError;
pub use faults::{Fault, Faults, NoFaults, Step};
pub use recover::Recovered;

use error::Outcome as Work;
use pages::MAX_PAGE_BYTES;
use select::Selection;
use source::Source;

/// What the erasure of a file may rest on besides the work itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EraseOptions {
    /// The dataset's directory: summary files (`_metadata`) are looked for from the file's directory up
    /// to here. `None`: in the file's directory only.
    pub root: Option<PathBuf>,
}

/// What the erasure of a file did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What changed; equal to what [`measure`] gives.
    pub counts: FileCounts,
    /// The file as it was.
    pub before: FileStamp,
    /// The file as it is; `before` where nothing had to change.
    pub after: FileStamp,
    /// Bytes taken over as they were.
    pub bytes_copied: u64,
    /// Bytes of pages that were encoded again.
    pub bytes_reencoded: u64,
    /// Summaries (`_metadata`, `_common_metadata`) that had to go: they held other files' statistics and
    /// offsets.
    pub summaries: Vec<PathBuf>,
}

/// A proven new file beside the original. [`Staged::swap`] puts it in place, [`Staged::discard`] drops
/// it; left alone it is found by [`recover`].
#[must_use]
#[derive(Debug)]
pub struct Staged {
    shown: String,
    file: stage::StagedFile,
}

/// What [`stage`] came to.
#[derive(Debug)]
pub enum Stage {
    /// Nothing has to change (all values are in erased form already, or are kept).
    Unchanged(FileCounts),
    /// A file to swap.
    Staged(Box<Staged>),
}

/// Counts exactly what the work would change, without writing: by the code that decides in the rewrite.
///
/// # Errors
/// As [`stage`], but for I/O on the staged file.
pub fn measure(work: &FileWork) -> Result<FileCounts, EraseError> {
    guarded(&work.shown, || {
        let source = Source::open(&work.path)?;
        if source.stamp != work.stamp {
            return Err(error::Problem::Changed);
        }
        stage::check_links(&source.file)?;
        let selection = Selection::new(work, &source, None)?;
        splice::measure(&source, &selection)
    })
}

/// Erases in one file: [`stage`], then [`Staged::swap`].
///
/// # Errors
/// As these two.
pub fn erase_file(
    work: &FileWork,
    keys: &EraseKeys,
    options: &EraseOptions,
    faults: &dyn Faults,
) -> Result<Outcome, EraseError> {
    match stage(work, keys, faults)? {
        Stage::Staged(staged) => staged.swap(options, faults),
        Stage::Unchanged(counts) => Ok(Outcome {
            counts,
            before: work.stamp.clone(),
            after: work.stamp.clone(),
            bytes_copied: 0,
            bytes_reencoded: 0,
            summaries: Vec::new(),
        }),
    }
}

/// Writes the new file beside the original and proves it.
///
/// # Errors
/// [`EraseError::Changed`] where the file is not the planned one; [`EraseError::Unreadable`],
/// [`EraseError::Panicked`] and [`EraseError::Refused`] for what is in it; [`EraseError::Proof`];
/// [`EraseError::Io`]. The original is untouched, and no staged file is left.
pub fn stage(work: &FileWork, keys: &EraseKeys, faults: &dyn Faults) -> Result<Stage, EraseError> {
    guarded(&work.shown, || {
        let (file, counts) = stage::stage(work, keys, faults)?;
        Ok(match file {
            Some(file) => Stage::Staged(Box::new(Staged { shown: work.shown.clone(), file })),
            None => Stage::Unchanged(counts),
        })
    })
}

impl Staged {
    /// The file as it will be: record it before the swap, and a pass that was cut off knows its own work.
    pub const fn after(&self) -> &FileStamp {
        &self.file.after
    }

    /// What will have changed.
    pub const fn counts(&self) -> &FileCounts {
        &self.file.counts
    }

    /// Puts the new file in place of the old one, removes the old one and what beside it speaks of it,
    /// and makes that last.
    ///
    /// # Errors
    /// [`EraseError::Changed`] where another writer came between: its file is in place, ours is gone.
    /// [`EraseError::Io`]: [`recover`] finishes what was begun.
    pub fn swap(&self, options: &EraseOptions, faults: &dyn Faults) -> Result<Outcome, EraseError> {
        guarded(&self.shown, || {
            let summaries = self.file.swap(options.root.as_deref(), faults)?;
            Ok(Outcome {
                counts: self.file.counts.clone(),
                before: self.file.before.clone(),
                after: self.file.after.clone(),
                bytes_copied: self.file.copied,
                bytes_reencoded: self.file.encoded,
                summaries,
            })
        })
    }

    /// Drops the new file; the original stays.
    ///
    /// # Errors
    /// [`EraseError::Io`].
    pub fn discard(self: Box<Self>) -> Result<(), EraseError> {
        self.file.discard().map_err(|problem| problem.of(&self.shown))
    }
}

/// Deletes a file of which no row is left, with the directories that are empty then: for paths that
/// themselves name a person. Gives the summaries that had to go.
///
/// # Errors
/// [`EraseError::Changed`] where it is not the planned file, which then stays; [`EraseError::Refused`] for
/// a second hard link; [`EraseError::Io`]: [`recover`] and [`prune`] finish what was begun.
pub fn remove(work: &FileWork, options: &EraseOptions) -> Result<Vec<PathBuf>, EraseError> {
    guarded(&work.shown, || removal::remove(work, options.root.as_deref()))
}

/// Removes the empty partition directories below a directory: what a killed [`remove`] left. Whether
/// there were any. `shown` names the directory in errors.
///
/// # Errors
/// [`EraseError::Io`].
pub fn prune(directory: &Path, shown: &str) -> Result<bool, EraseError> {
    guarded(shown, || removal::prune(directory))
}

/// What a masked copy of a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Bytes taken over as they were.
    pub bytes_copied: u64,
    /// Bytes of pages that were encoded again.
    pub bytes_reencoded: u64,
}

/// Writes a copy of a file to `to`, which must not exist, in which every value of the leaves of the work is
/// replaced: their masks are [`crate::plan::Mask::Constant`] or [`crate::plan::Mask::Null`], and their cells
/// do not count. The copy is proven and on disk. `faults` is called up to [`Step::Written`].
///
/// # Errors
/// As [`stage`]; [`EraseError::Refused`] too where it cannot be shown that no value is left. No copy is left
/// then.
pub fn publish(work: &FileWork, to: &Path, faults: &dyn Faults) -> Result<Copied, EraseError> {
    guarded(&work.shown, || {
        let spliced = publish::publish(work, to, faults)?;
        Ok(Copied { bytes_copied: spliced.copied, bytes_reencoded: spliced.encoded })
    })
}

/// The stamp of a file as it is now.
///
/// # Errors
/// [`EraseError::Io`] and [`EraseError::Unreadable`].
pub fn file_stamp(path: &Path, shown: &str) -> Result<FileStamp, EraseError> {
    guarded(shown, || source::stamp(path))
}

/// Finishes or undoes what killed processes left in a dataset's directory and those below it. `shown`
/// names the directory in errors.
///
/// # Errors
/// [`EraseError::Io`].
pub fn recover(directory: &Path, shown: &str) -> Result<Recovered, EraseError> {
    guarded(shown, || {
        let mut found = Recovered::default();
        recover::recover(directory, directory, &mut found)?;
        Ok(found)
    })
}

/// A panic over a file's bytes is an error of that file.
fn guarded<T>(shown: &str, work: impl FnOnce() -> Work<T>) -> Result<T, EraseError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|problem| problem.of(shown)),
        Err(_) => Err(EraseError::Panicked { file: shown.to_owned() }),
    }
}
