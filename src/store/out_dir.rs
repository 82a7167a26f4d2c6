//! A directory of results that appears whole or not at all.
//!
//! Guarantees: what is put in place was made beside it and is on disk; nothing that is there is ever replaced but
//! an empty directory.
//! Assumptions: the parent directory is on one local file system.
//! Crash behaviour: what a killed process leaves starts with `.amparo-publish-` and is cleared by the next
//! that works in the same parent directory; a living one holds a lock on its own.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::model::hex;

use super::StoreError;
use super::digest::random;

const PREFIX: &str = ".amparo-publish-";

/// How often a directory in the making may be taken away by others that clear.
const ATTEMPTS: usize = 16;

/// Where a directory will be: its parent is there, it is not, or is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutDir {
    parent: PathBuf,
    path: PathBuf,
}

/// The directory in the making. Dropped before it is put in place, it goes.
#[derive(Debug)]
pub struct StagedDir {
    out: OutDir,
    path: PathBuf,
    placed: bool,
    /// Held as long as it is in the making.
    _lock: File,
}

impl OutDir {
    /// Looks whether a directory can be made there. Nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where something is there; [`StoreError::Io`], for a mount point with
    /// [`ErrorKind::CrossesDevices`].
    pub fn check(path: &Path) -> Result<Self, StoreError> {
        let absolute = std::path::absolute(path).map_err(StoreError::io("find", path))?;
        let odd = || {
            let source = std::io::Error::from(ErrorKind::InvalidInput);
            StoreError::io("make", path)(source)
        };
        let name = absolute.file_name().ok_or_else(odd)?.to_owned();
        let above = absolute.parent().ok_or_else(odd)?;
        let parent = above.canonicalize().map_err(StoreError::io("find", above))?;
        let out = Self { path: parent.join(name), parent };
        match fs::symlink_metadata(&out.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(out),
            Err(error) => return Err(StoreError::io("look at", path)(error)),
            Ok(meta) if !meta.is_dir() => return Err(out.taken(path)),
            Ok(meta) => {
                let beside = fs::metadata(&out.parent).map_err(StoreError::io("find", above))?;
                // Nothing can be moved into its place.
                if meta.dev() != beside.dev() {
                    let source = std::io::Error::from(ErrorKind::CrossesDevices);
                    return Err(StoreError::io("replace", path)(source));
                }
            }
        }
        let mut entries = fs::read_dir(&out.path).map_err(StoreError::io("list", path))?;
        if entries.next().is_some() { Err(out.taken(path)) } else { Ok(out) }
    }

    fn taken(&self, shown: &Path) -> StoreError {
        StoreError::Exists { path: shown.display().to_string() }
    }

    /// Where it will be; links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it lies in that place, or that place in it. The other need not be there.
    pub fn overlaps(&self, other: &Path) -> bool {
        let other = resolved(other);
        self.path.starts_with(&other) || other.starts_with(&self.path)
    }

    /// Begins the directory beside its place, and clears what killed processes left there.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Random`].
    pub fn stage(&self) -> Result<StagedDir, StoreError> {
        self.clear()?;
        // One that begins at the same time may take ours for a dead one's before it is locked.
        for _ in 0..ATTEMPTS {
            let path = self.parent.join(format!("{PREFIX}{}", hex(&random::<8>()?)));
            DirBuilder::new().mode(0o700).create(&path).map_err(StoreError::io("make", &path))?;
            match lock(&path) {
                Ok(Some(lock)) => {
                    return Ok(StagedDir { out: self.clone(), path, placed: false, _lock: lock });
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io("lock", &path)(error)),
            }
        }
        let busy = std::io::Error::from(ErrorKind::ResourceBusy);
        Err(StoreError::io("make a directory in", &self.parent)(busy))
    }

    fn clear(&self) -> Result<(), StoreError> {
        let entries = fs::read_dir(&self.parent).map_err(StoreError::io("list", &self.parent))?;
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", &self.parent))?;
            let ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
            if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path();
            // One that cannot be opened is somebody else's.
            if let Ok(Some(_lock)) = lock(&path) {
                match fs::remove_dir_all(&path) {
                    // Gone already, or another user's in a place that many share: theirs to clear.
                    Err(error)
                        if matches!(
                            error.kind(),
                            ErrorKind::NotFound | ErrorKind::PermissionDenied
                        ) => {}
                    cleared => cleared.map_err(StoreError::io("clear", &path))?,
                }
            }
        }
        Ok(())
    }
}

impl StagedDir {
    /// Where files are to be written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the directories above a file.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn make_parent(&self, inner: &Path) -> Result<(), StoreError> {
        let parent =
            inner.parent().map_or_else(|| self.path.clone(), |above| self.path.join(above));
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&parent)
            .map_err(StoreError::io("make", &parent))
    }

    /// Makes every directory last; the files in them are their writers' care.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn sync(&self) -> Result<(), StoreError> {
        fn sync(path: &Path) -> std::io::Result<()> {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    sync(&entry.path())?;
                }
            }
            File::open(path)?.sync_all()
        }
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o755))
            .and_then(|()| sync(&self.path))
            .map_err(StoreError::io("write to disk", &self.path))
    }

    /// Gives the directory its name, durably.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where something came there in the meantime; [`StoreError::Io`].
    pub fn put_in_place(mut self) -> Result<(), StoreError> {
        // On a directory, `rename` replaces an empty one and nothing else.
        fs::rename(&self.path, &self.out.path).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                self.out.taken(&self.out.path)
            }
            _ => StoreError::io("put in place", &self.out.path)(error),
        })?;
        self.placed = true;
        let parent = &self.out.parent;
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(StoreError::io("write to disk", parent))
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The lock on a directory; `None` where another process has it, or has taken the directory away.
fn lock(path: &Path) -> std::io::Result<Option<File>> {
    let lock = File::open(path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        other => other?,
    }
    let (ours, named) = (lock.metadata()?, fs::metadata(path)?);
    Ok(((ours.dev(), ours.ino()) == (named.dev(), named.ino())).then_some(lock))
}

/// Links resolved as far as the path exists.
fn resolved(path: &Path) -> PathBuf {
    let mut rest: Vec<OsString> = Vec::new();
    let mut at = path.to_owned();
    loop {
        if let Ok(mut real) = at.canonicalize() {
            real.extend(rest.iter().rev());
            return real;
        }
        match (at.file_name().map(ToOwned::to_owned), at.parent().map(Path::to_owned)) {
            (Some(name), Some(parent)) => {
                rest.push(name);
                at = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_appears_whole_and_never_over_something() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let staged = OutDir::check(&path).unwrap().stage().unwrap();
        staged.make_parent(Path::new("a=1/f")).unwrap();
        fs::write(staged.path().join("a=1/f"), "x").unwrap();
        staged.sync().unwrap();
        assert!(!path.exists());
        staged.put_in_place().unwrap();
        assert_eq!(fs::read_to_string(path.join("a=1/f")).unwrap(), "x");
        assert!(matches!(OutDir::check(&path), Err(StoreError::Exists { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_directory_may_be_there_and_one_that_fills_may_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::create_dir(&path).unwrap();
        let out = OutDir::check(&path).unwrap();
        let staged = out.stage().unwrap();
        fs::write(path.join("other"), "theirs").unwrap();
        assert!(matches!(staged.put_in_place(), Err(StoreError::Exists { .. })));
        assert_eq!(fs::read_to_string(path.join("other")).unwrap(), "theirs");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::remove_file(path.join("other")).unwrap();
        out.stage().unwrap().put_in_place().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(OutDir::check(&file), Err(StoreError::Exists { .. })));
        assert!(OutDir::check(&dir.path().join("no/such")).is_err());
    }

    #[test]
    fn what_a_killed_one_left_goes_and_what_is_in_the_making_stays() {
        let dir = tempfile::tempdir().unwrap();
        let dead = dir.path().join(format!("{PREFIX}0123"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("f"), "x").unwrap();
        let first = OutDir::check(&dir.path().join("one")).unwrap().stage().unwrap();
        assert!(!dead.exists());
        let second = OutDir::check(&dir.path().join("two")).unwrap().stage().unwrap();
        assert!(first.path().exists() && second.path().exists());
    }

    #[test]
    fn overlaps_are_seen_through_links() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("lake/events")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("lake"), dir.path().join("link")).unwrap();
        let out = OutDir::check(&dir.path().join("link/events/copy")).unwrap();
        assert!(out.overlaps(&dir.path().join("lake/events")));
        assert!(out.overlaps(&dir.path().join("lake/events/copy/below/not-yet")));
        assert!(!out.overlaps(&dir.path().join("lake/other")));
    }
}
