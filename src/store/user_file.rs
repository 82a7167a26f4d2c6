//! Files of the user's own: a request that is edited in place, a key or a package that is written for them.
//!
//! Guarantees: a file appears under its name whole, synced, or not at all. A new one is 0600 and never takes the
//! place of another. A replaced one keeps its mode, and is replaced only while it is what was read; a link stays
//! a link: what it points to is replaced.
//! Crash behaviour: a crash leaves the old file or the new one, and perhaps a staged `.amparo-….tmp` beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::StoreError;
use super::local::{Staged, exists_or, rename_new, sync_all, sync_parent};

/// Writes a new file.
///
/// # Errors
/// [`StoreError::Exists`], [`StoreError::Io`].
pub(super) fn create_file(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), StoreError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(StoreError::Exists { path: path.display().to_string() });
    }
    let staged = Staged::beside(path, write)?;
    sync_all([staged.path()])?;
    rename_new(staged.path(), path).map_err(exists_or("create", path))?;
    staged.keep();
    sync_parent(path)
}

/// Replaces a file's bytes.
///
/// # Errors
/// [`StoreError::Changed`] where it is no longer what was read; [`StoreError::Io`].
pub fn replace_file(path: &Path, expected: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    let target = fs::canonicalize(path).map_err(StoreError::io("find", path))?;
    let unchanged = || -> Result<(), StoreError> {
        let now = fs::read(&target).map_err(StoreError::io("read", path))?;
        let same = now == expected;
        same.then_some(()).ok_or_else(|| StoreError::Changed { path: path.display().to_string() })
    };
    let mode = fs::metadata(&target).map_err(StoreError::io("look at", path))?.permissions();
    unchanged()?;
    let staged = Staged::beside(&target, |out| out.write_all(bytes))?;
    fs::set_permissions(staged.path(), mode).map_err(StoreError::io("set the mode of", path))?;
    sync_all([staged.path()])?;
    unchanged()?;
    fs::rename(staged.path(), &target).map_err(StoreError::io("replace", path))?;
    staged.keep();
    sync_parent(&target)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(path: &Path) -> usize {
        fs::read_dir(path).unwrap().count()
    }

    #[test]
    fn a_new_file_is_private_and_takes_no_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create_file(&path, |out| out.write_all(b"one")).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"one".to_vec(), 0o600));
        let error = create_file(&path, |out| out.write_all(b"two")).unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }));
        assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"one".to_vec(), 1));
        // A link that leads nowhere is something, too.
        symlink(dir.path().join("gone"), dir.path().join("link")).unwrap();
        assert!(create_file(&dir.path().join("link"), |out| out.write_all(b"x")).is_err());
        assert!(!dir.path().join("gone").exists());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let failed = create_file(&dir.path().join("key"), |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(names(dir.path()), 0);
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_its_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("r.yaml"), dir.path().join("link.yaml"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        replace_file(&link, b"old", b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), 0o640));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let error = replace_file(&path, b"old", b"newer").unwrap_err();
        assert!(matches!(error, StoreError::Changed { .. }));
        assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"new".to_vec(), 2));
    }
}
