//! What lies on disk: files, footers, leaves, and everything that makes a dataset unreadable.
//!
//! Guarantees: a file is either listed with a footer that was checked, or named as a problem; nothing
//! that belongs to a location is left out in silence (CONTRACT.md section 1).

mod assemble;
mod glob;
mod hive;
mod location;
mod overlap;
mod shown;
mod table_format;
#[cfg(test)]
mod tests;
mod walk;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::model::Dataset;
use crate::plan::{FileProblem, Inventory};

use super::footer::{self, Footer};
use super::guard::guarded;
use super::schema::{FileLeaf, layout};
use super::source::Source;
pub(in crate::engine) use location::place;
use shown::Shown;

/// A place of amparo's own that must lie outside all datasets: state, exports, scratch, policies,
/// requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// What it is, in a word or two: `the state directory`.
    pub what: &'static str,
    /// Where; it need not exist yet.
    pub path: PathBuf,
}

/// A file that the walk found, its footer not read yet.
#[derive(Debug, Clone)]
struct Candidate {
    /// Absolute, links resolved.
    path: PathBuf,
    /// As users see it.
    shown: String,
    /// Device and inode.
    identity: (u64, u64),
    partitions: Vec<(String, Option<String>)>,
}

/// What the walk of one location gave.
#[derive(Debug, Default)]
struct Walked {
    candidates: Vec<Candidate>,
    problems: Vec<FileProblem>,
    /// Directories whose files belong to the dataset whole: absolute, links resolved.
    roots: Vec<PathBuf>,
    /// Where a glob begins.
    base: Option<PathBuf>,
}

/// A file whose footer was read.
struct Opened {
    footer: Footer,
    leaves: Vec<FileLeaf>,
}

/// Looks at every dataset. Relative paths are relative to `working_dir`; `jobs` footers are read at a
/// time.
pub(super) fn inventory(
    working_dir: &Path,
    jobs: usize,
    datasets: &[&Dataset],
    reserved: &[Reserved],
) -> Inventory {
    let mut inventory = Inventory { looked: now(), ..Inventory::default() };
    let mut walked: Vec<(&Dataset, Walked)> =
        datasets.iter().map(|dataset| (*dataset, location::walk(working_dir, dataset))).collect();
    overlap::check(&mut walked, working_dir, reserved);
    for (dataset, walked) in walked {
        let opened = open_all(&walked.candidates, jobs);
        let files = assemble::assemble(dataset, walked, opened);
        inventory.datasets.insert(dataset.name.clone(), files);
    }
    inventory
}

/// Nanoseconds since 1970; a clock before that makes every file young.
fn now() -> i128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(0)
}

/// Reads the footers, `jobs` at a time, in the order of the candidates.
fn open_all(candidates: &[Candidate], jobs: usize) -> Vec<Result<Opened, String>> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = jobs.max(1).min(candidates.len());
    let mut results: Vec<(usize, Result<Opened, String>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(candidate) = candidates.get(at) else { return done };
                let opened = guarded(|| open(&candidate.path))
                    .unwrap_or_else(|| Err("has a footer that does not parse".to_owned()));
                done.push((at, opened));
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).flatten().collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, opened)| opened).collect()
}

fn open(path: &Path) -> Result<Opened, String> {
    let source = Source::open(path).map_err(|e| footer::io_text(&e))?;
    let footer = footer::read(&source)?;
    let leaves = layout(footer.metadata.file_metadata().schema())?;
    Ok(Opened { footer, leaves })
}
