//! The scratch directory: spills, and packages in the making. Nothing in it outlives a pass.
//!
//! Guarantees: 0700, empty when a pass begins, locked against other passes while one runs. Only a
//! directory that is amparo's is ever cleared: the state's own, one that was empty, or one with our mark in it.
//! Crash behaviour: what a killed pass left is cleared by the next.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use super::local::make_folder;

/// The file that says whose directory it is; the lock lies on it.
const MARK: &str = ".amparo-scratch";

/// A cleared scratch directory, held until it is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _mark: File,
}

impl Scratch {
    /// Makes or clears the directory. `own`: it lies in the state, and is ours whatever it holds.
    ///
    /// # Errors
    /// [`StoreError::ForeignScratch`], [`StoreError::Busy`], [`StoreError::Io`].
    pub fn prepare(path: &Path, own: bool) -> Result<Self, StoreError> {
        make_folder(path)?;
        let names = entries(path)?;
        let mark = path.join(MARK);
        if !own && !names.is_empty() && !names.contains(&mark) {
            return Err(StoreError::ForeignScratch { path: path.to_owned() });
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&mark)
            .map_err(StoreError::io("create", &mark))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Busy {
                path: mark.display().to_string(),
                holder: "a pass on another state".to_owned(),
                waited: Duration::ZERO,
            },
            TryLockError::Error(error) => StoreError::io("lock", &mark)(error),
        })?;
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(StoreError::io("set the mode of", path))?;
        for entry in entries(path)?.iter().filter(|entry| **entry != mark) {
            remove(entry)?;
        }
        Ok(Self { path: path.to_owned(), _mark: file })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(StoreError::io("list", path))
}

/// Removes a file, or a directory with all that is in it; a link is removed, not followed.
fn remove(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::symlink_metadata(path).map_err(StoreError::io("look at", path))?;
    if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
        .map_err(StoreError::io("clear", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn is_private_and_cleared_at_every_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/scratch");
        let scratch = Scratch::prepare(&path, true).unwrap();
        assert_eq!(mode(scratch.path()), 0o700);
        fs::create_dir_all(path.join("spill/deep")).unwrap();
        fs::write(path.join("spill/deep/file"), "x").unwrap();
        fs::write(path.join("package.zip"), "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        drop(scratch);
        let scratch = Scratch::prepare(&path, false).unwrap();
        assert_eq!(entries(scratch.path()).unwrap(), [path.join(MARK)]);
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn clears_nothing_that_is_not_its_own() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "x").unwrap();
        let error = Scratch::prepare(dir.path(), false).unwrap_err();
        assert!(matches!(error, StoreError::ForeignScratch { .. }));
        assert!(dir.path().join("thesis.tex").exists());
        // The state's own directory is ours by definition.
        Scratch::prepare(dir.path(), true).unwrap();
        assert!(!dir.path().join("thesis.tex").exists());
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        let path = dir.path().join("scratch");
        fs::create_dir(&path).unwrap();
        std::os::unix::fs::symlink(&outside, path.join("link")).unwrap();
        Scratch::prepare(&path, true).unwrap();
        assert!(outside.join("kept").exists());
        assert!(!path.join("link").exists());
    }

    #[test]
    fn two_passes_cannot_share_one() {
        let dir = tempfile::tempdir().unwrap();
        let first = Scratch::prepare(dir.path(), false).unwrap();
        let error = Scratch::prepare(dir.path(), false).unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }));
        drop(first);
        Scratch::prepare(dir.path(), false).unwrap();
    }
}
