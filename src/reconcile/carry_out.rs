//! What happens to files once the ledger knows what is meant: swapped for their proven successors, or
//! deleted.
//!
//! Assumptions: each step's intent is durable.
//! Crash behaviour: each file is the old one or the new one; [`super::recover`] tells which.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::engine::erase::{self, EraseError, EraseOptions, NoFaults, Stage, Staged};
use crate::plan::{FileCounts, FileWork};
use crate::store::in_parallel;

/// What is ready to happen to a file once the ledger knows of it.
pub(super) enum Ready {
    /// It is swapped for its staged successor.
    Swap(Box<Staged>),
    /// It is deleted; what goes with it.
    Remove(FileCounts),
    /// It stays: there is nothing to change.
    Stay(FileCounts),
}

impl Ready {
    pub(super) fn staged(stage: Result<Stage, EraseError>) -> Result<Self, EraseError> {
        Ok(match stage? {
            Stage::Unchanged(counts) => Self::Stay(counts),
            Stage::Staged(file) => Self::Swap(file),
        })
    }

    pub(super) fn counts(&self) -> &FileCounts {
        match self {
            Self::Swap(file) => file.counts(),
            Self::Remove(counts) | Self::Stay(counts) => counts,
        }
    }

    /// The footer that the file will have; `None`: there will be no file.
    pub(super) fn after(&self) -> Option<&str> {
        match self {
            Self::Swap(file) => Some(&file.after().footer),
            Self::Remove(_) | Self::Stay(_) => None,
        }
    }

    pub(super) fn discard(self) -> Result<(), EraseError> {
        match self {
            Self::Swap(file) => file.discard(),
            Self::Remove(_) | Self::Stay(_) => Ok(()),
        }
    }
}

/// A file for which the ledger has an intent.
pub(super) struct Intended<'a> {
    pub(super) work: &'a FileWork,
    /// Keyed digest of its path.
    pub(super) digest: String,
    /// Keyed digest of its footer as it is.
    pub(super) before: String,
    pub(super) step: Ready,
    /// What staging took.
    pub(super) seconds: f64,
}

/// What was done to a file.
#[derive(Default)]
pub(super) struct Done {
    pub(super) counts: FileCounts,
    pub(super) bytes_copied: u64,
    pub(super) bytes_reencoded: u64,
    /// Summaries that had to go.
    pub(super) summaries: Vec<PathBuf>,
}

/// Carries the steps out, each with what it took. Swaps stand by themselves, and most of their time is the
/// disk's; files that are deleted may share directories that go with them, so they come one by one.
pub(super) fn carry_out(
    intended: &[Intended<'_>],
    jobs: usize,
    options: impl Fn(&FileWork) -> EraseOptions + Sync,
) -> Vec<(Result<Done, EraseError>, f64)> {
    let removals = Mutex::new(());
    in_parallel(jobs, intended, |Intended { work, step, .. }| {
        let started = Instant::now();
        let done = match step {
            Ready::Swap(file) => file.swap(&options(work), &NoFaults).map(|outcome| Done {
                counts: outcome.counts,
                bytes_copied: outcome.bytes_copied,
                bytes_reencoded: outcome.bytes_reencoded,
                summaries: outcome.summaries,
            }),
            Ready::Remove(counts) => {
                let _alone = removals.lock().unwrap_or_else(PoisonError::into_inner);
                let summaries = erase::remove(work, &options(work));
                summaries.map(|summaries| Done {
                    counts: counts.clone(),
                    summaries,
                    ..Done::default()
                })
            }
            Ready::Stay(counts) => Ok(Done { counts: counts.clone(), ..Done::default() }),
        };
        (done, started.elapsed().as_secs_f64())
    })
}
