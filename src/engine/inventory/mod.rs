//! What lies on disk: files, footers, leaves, and everything that makes a dataset unreadable.
//!
//! Guarantees: a file is either listed with a footer that was checked, or named as a problem; nothing
//! that belongs to a location is left out in silence (CONTRACT.md section 1).

mod assemble;
mod footers;
pub(in crate::engine) mod glob;
pub(in crate::engine) mod hive;
mod location;
mod overlap;
mod shown;
pub(in crate::engine) mod table_format;
#[cfg(test)]
mod tests;
mod walk;

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::model::Dataset;
use crate::plan::{FileProblem, FileStamp, FileTrace, Inventory};
use crate::store::in_parallel;

use super::footer;
use super::guard::guarded;
use super::schema::{FileLeaf, layout};
use super::source::{Source, changed, modified};
pub(super) use footers::Footers;
pub(in crate::engine) use location::{absolute, expand, local, place};
pub(in crate::engine) use overlap::resolve;
use shown::Shown;
pub(in crate::engine) use shown::harmless;
pub(in crate::engine) use walk::{has_ending, holds_parquet, is_hidden};

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
    stat: Stat,
    partitions: Vec<(String, Option<String>)>,
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    size: u64,
    modified: i128,
    inode: u64,
    trace: FileTrace,
}

impl Stat {
    fn of(meta: &Metadata) -> Self {
        let trace = FileTrace { device: meta.dev(), changed: changed(meta) };
        Self { size: meta.len(), modified: modified(meta), inode: meta.ino(), trace }
    }

    /// Device and inode.
    const fn identity(&self) -> (u64, u64) {
        (self.trace.device, self.inode)
    }
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
    stamp: FileStamp,
    trace: FileTrace,
    groups: Vec<Group>,
    /// One for each column.
    leaves: Arc<[FileLeaf]>,
    /// It was read by an earlier pass.
    known: bool,
}

/// A row group: its rows, and the compressed bytes of each column.
struct Group {
    rows: u64,
    bytes: Vec<u64>,
}

/// Looks at every dataset. Relative paths are relative to `working_dir`; `jobs` footers are read at a
/// time, but for those that are known.
pub(super) fn inventory(
    working_dir: &Path,
    jobs: usize,
    datasets: &[&Dataset],
    reserved: &[Reserved],
    mut footers: Option<&mut Footers>,
) -> Inventory {
    let mut inventory = Inventory { looked: now(), ..Inventory::default() };
    let mut walked: Vec<(&Dataset, Walked)> =
        datasets.iter().map(|dataset| (*dataset, location::walk(working_dir, dataset))).collect();
    overlap::check(&mut walked, working_dir, reserved);
    for (dataset, walked) in walked {
        let opened = open_all(&walked.candidates, jobs, footers.as_deref());
        let read = opened.iter().filter(|file| !file.as_ref().is_ok_and(|file| file.known));
        tracing::debug!(dataset = %dataset.name, opened = read.count(), all = opened.len(), "read footers");
        if let Some(footers) = &mut footers {
            let files = walked.candidates.iter().zip(&opened);
            let files =
                files.filter_map(|(c, opened)| Some((c.path.as_path(), opened.as_ref().ok()?)));
            footers.learn(&dataset.name, inventory.looked, files);
        }
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

/// Reads the footers that are not known, `jobs` at a time, in the order of the candidates.
fn open_all(
    candidates: &[Candidate],
    jobs: usize,
    footers: Option<&Footers>,
) -> Vec<Result<Opened, String>> {
    in_parallel(jobs, candidates, |candidate| {
        let known = footers.and_then(|footers| footers.get(&candidate.path, &candidate.stat));
        match known {
            Some(known) => Ok(known),
            None => guarded(|| open(&candidate.path))
                .unwrap_or_else(|| Err("has a footer that does not parse".to_owned())),
        }
    })
}

fn open(path: &Path) -> Result<Opened, String> {
    let source = Source::open(path).map_err(|e| footer::io_text(&e))?;
    let footer = footer::read(&source)?;
    let leaves = layout(footer.metadata.file_metadata().schema())?.into();
    let groups = footer.metadata.row_groups().iter().map(|group| Group {
        rows: u64::try_from(group.num_rows()).unwrap_or(0),
        bytes: group
            .columns()
            .iter()
            .map(|column| u64::try_from(column.compressed_size()).unwrap_or(0))
            .collect(),
    });
    let (stamp, trace, groups) = (footer.stamp, footer.trace, groups.collect());
    Ok(Opened { stamp, trace, groups, leaves, known: false })
}
