//! Deletes a file of which no row is left and whose path itself names a person (RULES.md section 5).
//!
//! Guarantees: only the planned file is deleted; a file that another writer put there stays.
//!
//! Crash behaviour: a killed deletion leaves the hidden file, which [`super::recover`] removes, or empty
//! directories, which [`prune`] removes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::plan::FileWork;

use super::error::{Outcome, Problem};
use super::names::Ready;
use super::neighbours::tidy;
use super::source::{open, stamp};
use super::stage::{check_links, is_planned, sync_directory};

/// Deletes the file, what beside it speaks of it, and the directories below `root` that are empty then.
/// Gives the summaries that had to go.
pub(crate) fn remove(work: &FileWork, root: Option<&Path>) -> Outcome<Vec<PathBuf>> {
    if stamp(&work.path)? != work.stamp {
        return Err(Problem::Changed);
    }
    check_links(&open(&work.path).map_err(Problem::io("open"))?)?;
    // Both marks are the file's own: whoever finds it knows that it was on its way out.
    let name = Ready::new(&work.path, &work.stamp, &work.stamp).name();
    let hidden = work.path.with_file_name(name);
    std::fs::rename(&work.path, &hidden).map_err(Problem::io("rename"))?;
    if !is_planned(&hidden, &work.stamp)? {
        give_back(&hidden, &work.path)?;
        return Err(Problem::Changed);
    }
    let summaries = tidy(&work.path, root)?;
    std::fs::remove_file(&hidden).map_err(Problem::io("remove"))?;
    sync_directory(&work.path)?;
    if let Some(directory) = work.path.parent() {
        ascend(directory, root)?;
    }
    Ok(summaries)
}

/// Another writer's file goes back, unless that writer has put a newer one there since.
fn give_back(hidden: &Path, path: &Path) -> Outcome<()> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(CWD, hidden, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::EXIST) => std::fs::remove_file(hidden).map_err(Problem::io("remove"))?,
        Err(error) => return Err(Problem::errno("put back")(error)),
    }
    sync_directory(path)
}

/// Removes a directory and those above it, as long as they are empty and lie below `root`, or in a
/// partition.
fn ascend(directory: &Path, root: Option<&Path>) -> Outcome<()> {
    for directory in directory.ancestors() {
        let inside = root.is_some_and(|root| directory != root && directory.starts_with(root));
        let partition = directory.ancestors().any(is_partition);
        if partition {
            remove_marks(directory)?;
        }
        if !(inside || partition) || !remove_empty(directory)? {
            break;
        }
    }
    Ok(())
}

/// Removes the empty directories in `directory` that are partitions or lie in one: what a killed deletion left. Whether there
/// were any.
pub(crate) fn prune(directory: &Path) -> Outcome<bool> {
    let mut pruned = false;
    let entries = std::fs::read_dir(directory).map_err(Problem::io("list"))?;
    for entry in entries {
        let entry = entry.map_err(Problem::io("list"))?;
        if entry.file_type().map_err(Problem::io("look at"))?.is_dir() {
            pruned |= prune(&entry.path())?;
            if entry.path().ancestors().any(is_partition) {
                pruned |= remove_empty(&entry.path())?;
            }
        }
    }
    Ok(pruned)
}

/// Removes what writers leave in a directory to say that it is complete (`_SUCCESS` and the like: empty,
/// hidden from readers, with their checksums), where nothing else is in it: the partition's name would
/// outlive its rows.
fn remove_marks(directory: &Path) -> Outcome<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Problem::Io("list", error)),
    };
    let mut marks = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Problem::io("list"))?;
        let meta = entry.metadata().map_err(Problem::io("look at"))?;
        if !meta.is_file() || !is_mark(&entry.file_name().to_string_lossy(), meta.len()) {
            return Ok(());
        }
        marks.push(entry.path());
    }
    for mark in marks {
        std::fs::remove_file(&mark).map_err(Problem::io("remove"))?;
    }
    Ok(())
}

/// Whether a file is a mark without content of its own, or the checksum of one: Hadoop's checksum of an
/// empty file has 8 bytes.
fn is_mark(name: &str, bytes: u64) -> bool {
    let hidden = name.starts_with(['.', '_']) && !name.starts_with(".amparo-");
    hidden && (bytes == 0 || (bytes == 8 && name.starts_with('.') && name.ends_with(".crc")))
}

fn is_partition(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'='))
}

/// Whether the directory was empty, and is gone.
fn remove_empty(directory: &Path) -> Outcome<bool> {
    match std::fs::remove_dir(directory) {
        Ok(()) => sync_directory(directory).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(Problem::Io("remove the empty directory of", error)),
    }
}
