//! Stage, prove, swap: how the new file takes the place of the old one.
//!
//! Guarantees: the path always holds the whole old or the whole new file. Nothing is swapped that was
//! not proven. A file that another writer changed since it was planned stays as it is.
//!
//! Assumptions: local disk; writers replace files, or change their size or time of modification.
//!
//! Crash behaviour: whatever a killed process leaves starts with `.amparo-`, and [`super::recover`]
//! finishes or undoes it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::plan::{EraseKeys, FileCounts, FileStamp, FileWork};

use super::error::{Outcome, Problem};
use super::faults::{Faults, Step, after};
use super::names::{Ready, draft_name};
use super::neighbours::tidy;
use super::proof::prove;
use super::select::Selection;
use super::source::{Source, open, stamp};
use super::splice::splice;

/// A proven file beside the original, not yet in its place.
#[must_use]
#[derive(Debug)]
pub(crate) struct StagedFile {
    /// The data file, links resolved.
    pub(crate) path: PathBuf,
    ready: PathBuf,
    pub(crate) before: FileStamp,
    pub(crate) after: FileStamp,
    pub(crate) counts: FileCounts,
    pub(crate) copied: u64,
    pub(crate) encoded: u64,
}

/// Refuses files that another name keeps alive.
pub(crate) fn check_links(file: &File) -> Outcome<()> {
    let meta = file.metadata().map_err(Problem::io("look at"))?;
    if meta.nlink() > 1 {
        return Err(Problem::refused("it has a second hard link, which would keep the old data"));
    }
    Ok(())
}

/// Writes and proves the new file. `None` where nothing changes.
pub(crate) fn stage(
    work: &FileWork,
    keys: &EraseKeys,
    faults: &dyn Faults,
) -> Outcome<(Option<StagedFile>, FileCounts)> {
    let source = Source::open(&work.path)?;
    if source.stamp != work.stamp {
        return Err(Problem::Changed);
    }
    check_links(&source.file)?;
    let selection = Selection::new(work, &source, Some(keys))?;
    after(faults, Step::Checked)?;

    let directory = source.path.parent().unwrap_or(Path::new("/"));
    let draft = directory.join(draft_name()?);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(Problem::io("create a file beside"))?;
    unless_killed(&draft, || {
        after(faults, Step::Created)?;
        let spliced = splice(&source, &selection, &file, faults)?;
        if spliced.encoded == 0 && spliced.copied == 0 {
            std::fs::remove_file(&draft).map_err(Problem::io("remove the staged file of"))?;
            return Ok((None, spliced.counts));
        }
        take_over(&source.file, &file)?;
        after(faults, Step::Written)?;
        // The disk works while the proof reads what is still in memory.
        std::thread::scope(|scope| {
            let sync = scope.spawn(|| file.sync_all());
            let proof = prove(&source, &draft, &spliced);
            let synced = sync.join().unwrap_or_else(|_| Err(std::io::Error::other("fsync failed")));
            proof.and(synced.map_err(Problem::io("write to disk beside")))
        })?;
        after(faults, Step::Proved)?;
        let stamp = stamp(&draft)?;
        let ready = directory.join(Ready::new(&source.path, &source.stamp, &stamp).name());
        std::fs::rename(&draft, &ready).map_err(Problem::io("rename the staged file of"))?;
        let staged = StagedFile {
            path: source.path.clone(),
            ready: ready.clone(),
            before: source.stamp.clone(),
            after: stamp,
            counts: spliced.counts.clone(),
            copied: spliced.copied,
            encoded: spliced.encoded,
        };
        unless_killed(&ready, || after(faults, Step::Ready))?;
        Ok((Some(staged), spliced.counts))
    })
}

impl StagedFile {
    /// Puts the new file in the place of the old one. Gives the summaries that had to go.
    pub(crate) fn swap(&self, root: Option<&Path>, faults: &dyn Faults) -> Outcome<Vec<PathBuf>> {
        let exchanged = unless_killed(&self.ready, || {
            if stamp(&self.path)? != self.before {
                return Err(Problem::Changed);
            }
            check_links(&open(&self.path).map_err(Problem::io("open"))?)?;
            after(faults, Step::Rechecked)?;
            exchange(&self.ready, &self.path)
        })?;
        let done = if exchanged { self.finish(root, faults)? } else { tidy(&self.path, root)? };
        sync_directory(&self.path)?;
        Ok(done)
    }

    /// After an exchange: what was displaced now lies where the staged file was.
    fn finish(&self, root: Option<&Path>, faults: &dyn Faults) -> Outcome<Vec<PathBuf>> {
        // A failure from here on is told, and leaves the displaced file to be recovered.
        after(faults, Step::Swapped)?;
        if !is_planned(&self.ready, &self.before)? {
            exchange(&self.ready, &self.path)?;
            after(faults, Step::Returned)?;
            if is_planned(&self.ready, &self.after)? {
                std::fs::remove_file(&self.ready)
                    .map_err(Problem::io("remove the staged file of"))?;
            }
            return Err(Problem::Changed);
        }
        after(faults, Step::Judged)?;
        sync_directory(&self.path)?;
        let summaries = tidy(&self.path, root)?;
        after(faults, Step::Tidied)?;
        std::fs::remove_file(&self.ready).map_err(Problem::io("remove the superseded file of"))?;
        after(faults, Step::Unlinked)?;
        Ok(summaries)
    }

    /// Removes the staged file.
    pub(crate) fn discard(&self) -> Outcome<()> {
        std::fs::remove_file(&self.ready).map_err(Problem::io("remove the staged file of"))
    }
}

/// Whether the file is still the one of a stamp, as far as its inode tells.
pub(crate) fn is_planned(path: &Path, planned: &FileStamp) -> Outcome<bool> {
    let meta = std::fs::symlink_metadata(path).map_err(Problem::io("look at"))?;
    let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Ok(meta.ino() == planned.inode && meta.len() == planned.size && modified == planned.modified)
}

/// Runs a step; where it fails and was not killed, the file it leaves is removed.
pub(crate) fn unless_killed<T>(leftover: &Path, step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
    match outcome {
        Ok(Err(Problem::CutOff)) => Err(Problem::CutOff),
        Ok(Err(problem)) => {
            let _ = std::fs::remove_file(leftover);
            Err(problem)
        }
        Ok(done) => done,
        Err(panic) => {
            let _ = std::fs::remove_file(leftover);
            std::panic::resume_unwind(panic)
        }
    }
}

/// Mode and owner of the original.
fn take_over(original: &File, staged: &File) -> Outcome<()> {
    let meta = original.metadata().map_err(Problem::io("look at"))?;
    let own = staged.metadata().map_err(Problem::io("look at"))?;
    if (meta.uid(), meta.gid()) != (own.uid(), own.gid()) {
        std::os::unix::fs::fchown(staged, Some(meta.uid()), Some(meta.gid()))
            .map_err(Problem::io("keep the owner of"))?;
    }
    staged.set_permissions(meta.permissions()).map_err(Problem::io("keep the mode of"))
}

/// Lets two files change places; false where the file system cannot, and the first has simply replaced
/// the second.
pub(crate) fn exchange(one: &Path, other: &Path) -> Outcome<bool> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::rename(one, other).map_err(Problem::io("replace"))?;
            Ok(false)
        }
        Err(error) => Err(Problem::errno("swap")(error)),
    }
}

pub(crate) fn sync_directory(path: &Path) -> Outcome<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(Problem::io("write to disk the directory of"))
}
