//! What a killed process left in a dataset's directory: finished or undone.
//!
//! Guarantees: a data file is only ever replaced by another writer's newer one that a swap had
//! displaced. What cannot be understood is left as it is, and reported.

use std::path::{Path, PathBuf};

use super::error::{Outcome, Problem};
use super::names::{Mark, PREFIX, Ready, name_digest};
use super::neighbours::tidy;
use super::source::stamp;
use super::stage::{exchange, sync_directory};

/// What [`super::recover`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Files whose swap had happened: the superseded file is gone now.
    pub finished: Vec<PathBuf>,
    /// Staged files that were not yet in place, now gone.
    pub discarded: u64,
    /// Files of other writers that a swap had displaced, back in their place.
    pub returned: Vec<PathBuf>,
    /// Leftovers that could not be understood and are still there: a person must look.
    pub unclear: Vec<PathBuf>,
    /// Summaries (`_metadata`) that had to go.
    pub summaries: Vec<PathBuf>,
}

pub(crate) fn recover(directory: &Path, root: &Path, found: &mut Recovered) -> Outcome<()> {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(Problem::io("list"))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let names: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    for entry in entries {
        let kind = entry.file_type().map_err(Problem::io("look at"))?;
        if kind.is_dir() {
            // No data file lies in a hidden directory; others may be at work there.
            if !entry.file_name().as_encoded_bytes().starts_with(b".")
                && !entry.file_name().as_encoded_bytes().starts_with(b"_")
            {
                recover(&entry.path(), root, found)?;
            }
            continue;
        }
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if !kind.is_file() || !name.starts_with(PREFIX) {
            continue;
        }
        match Ready::parse(&name) {
            Some(ready) => settle(&entry.path(), &ready, &names, root, found)?,
            None if name.starts_with(&format!("{PREFIX}draft-")) => {
                remove(&entry.path())?;
                found.discarded += 1;
            }
            None => found.unclear.push(entry.path()),
        }
    }
    Ok(())
}

fn settle(
    leftover: &Path,
    ready: &Ready,
    names: &[PathBuf],
    root: &Path,
    found: &mut Recovered,
) -> Outcome<()> {
    let belongs = |path: &&PathBuf| path.file_name().map(name_digest).as_ref() == Some(&ready.file);
    let file = names.iter().find(belongs);
    // An unreadable file has no mark, and is nobody we know.
    let mark = |path: &Path| stamp(path).ok().map(|stamp| Mark::of(&stamp));
    let (hidden, visible) = (mark(leftover), file.and_then(|file| mark(file)));
    // Where the directory was copied or restored since, inodes say nothing, and digests alone decide.
    let known = [&ready.planned, &ready.staged];
    let alike = [&hidden, &visible].iter().copied().flatten().any(|mark| mark.same_inode(known));
    let is = |mark: &Mark, wanted: &Mark| match alike {
        true => mark == wanted,
        false => mark.same_footer(wanted) && !ready.planned.same_footer(&ready.staged),
    };
    match (hidden, visible, file) {
        // Not swapped yet.
        (Some(hidden), _, _) if is(&hidden, &ready.staged) => {
            remove(leftover)?;
            found.discarded += 1;
        }
        // Swapped. Whatever stands in the place now, this is superseded.
        (Some(hidden), _, file) if is(&hidden, &ready.planned) => {
            if let Some(file) = file {
                found.summaries.extend(tidy(file, Some(root))?);
                found.finished.push(file.clone());
            }
            remove(leftover)?;
        }
        // Swapped, and what was displaced is another writer's: it belongs in the place.
        (_, Some(visible), Some(file)) if is(&visible, &ready.staged) => {
            exchange(leftover, file)?;
            if leftover.exists() {
                remove(leftover)?;
            }
            found.returned.push(file.clone());
        }
        _ => found.unclear.push(leftover.to_owned()),
    }
    sync_directory(leftover)
}

fn remove(path: &Path) -> Outcome<()> {
    std::fs::remove_file(path).map_err(Problem::io("remove a leftover of"))
}
