//! [`Storage`] on local disk.
//!
//! Guarantees: every write goes to a staged file `.amparo-<random>.tmp` beside its target, is synced,
//! and gets its name by one rename (create-only: `renameat2(RENAME_NOREPLACE)`, or a hard link where
//! the file system lacks that); then the folder is synced. Files are 0600, folders that are made here 0700.
//! Assumptions: rename is atomic. [`Storage::replace`] compares before it renames, not in one step: the
//! pass lock keeps others away in between. Overwriting before removal reaches the old blocks on file
//! systems that write in place; copy-on-write ones and flash may keep copies.
//! Crash behaviour: see [`Storage`]. An error (a full disk) leaves no staged file.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with, syncfs};
use rustix::io::Errno;

use crate::model::hex;

use super::digest::{content_of, random};
use super::{Content, NewFile, StagedFile, Storage, StoreError};

/// From how many files on they are synced by one sync of the whole file system: a sync of its own
/// costs each file a flush of the disk.
const MANY: usize = 16;

/// A directory as storage. It need not exist: the first write makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDisk {
    root: PathBuf,
}

impl LocalDisk {
    /// Storage below that directory. Touches nothing.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a name lies.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let plain = !name.is_empty()
            && !name.contains('\0')
            && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if plain { Ok(self.root.join(name)) } else { Err(StoreError::Name { name: name.into() }) }
    }

    fn folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        if name.is_empty() { Ok(self.root.clone()) } else { self.path(name) }
    }
}

impl Storage for LocalDisk {
    fn shown(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(name)?;
        absent_is_none(fs::read(&path)).map_err(StoreError::io("read", path))
    }

    fn content(&self, name: &str) -> Result<Option<Content>, StoreError> {
        let path = self.path(name)?;
        absent_is_none(File::open(&path).and_then(content_of)).map_err(StoreError::io("read", path))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let path = self.folder(folder)?;
        let names = absent_is_none(names_in(&path)).map_err(StoreError::io("list", path))?;
        let mut names = names.unwrap_or_default();
        names.retain(|name| !is_staged(name));
        names.sort();
        Ok(names)
    }

    fn create(&self, files: &[NewFile<'_>]) -> Result<(), StoreError> {
        let mut staged = Vec::with_capacity(files.len());
        for file in files {
            let path = self.path(file.name)?;
            let temp = Staged::beside(&path, |out| out.write_all(file.bytes))?;
            staged.push((temp, path));
        }
        sync_all(staged.iter().map(|(temp, _)| temp.path.as_path()))?;
        let mut folders = BTreeSet::new();
        for (temp, path) in staged {
            rename_new(&temp.path, &path).map_err(exists_or("create", &path))?;
            folders.extend(path.parent().map(Path::to_owned));
            temp.keep();
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    fn replace(&self, name: &str, expected: Option<&[u8]>, bytes: &[u8]) -> Result<(), StoreError> {
        let changed = || StoreError::Changed { path: self.shown(name) };
        if self.read(name)?.as_deref() != expected {
            return Err(changed());
        }
        if expected.is_none() {
            return self.create(&[NewFile { name, bytes }]).map_err(|error| match error {
                StoreError::Exists { .. } => changed(),
                other => other,
            });
        }
        let path = self.path(name)?;
        let temp = Staged::beside(&path, |out| out.write_all(bytes))?;
        sync_all([temp.path.as_path()])?;
        fs::rename(&temp.path, &path).map_err(StoreError::io("replace", &path))?;
        temp.keep();
        sync_parent(&path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        make_parent(&to)?;
        rename_new(&from, &to).map_err(exists_or("rename", &to))?;
        sync_parent(&to)?;
        if from.parent() == to.parent() { Ok(()) } else { sync_parent(&from) }
    }

    fn publish(&self, files: &[StagedFile]) -> Result<(), StoreError> {
        for file in files {
            fs::set_permissions(&file.path, Permissions::from_mode(0o600))
                .map_err(StoreError::io("set the mode of", &file.path))?;
        }
        sync_all(files.iter().map(|file| file.path.as_path()))?;
        let mut folders = BTreeSet::new();
        for file in files {
            let path = self.path(&file.name)?;
            make_parent(&path)?;
            move_in(&file.path, &path, file.replace)?;
            folders.extend(path.parent().map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.path(name)?;
        let removed = absent_is_none(fs::remove_file(&path));
        let removed = removed.map_err(StoreError::io("remove", &path))?.is_some();
        if removed {
            sync_parent(&path)?;
        }
        Ok(removed)
    }

    fn destroy(&self, names: &[String]) -> Result<(), StoreError> {
        let mut paths = Vec::with_capacity(names.len());
        for name in names {
            let path = self.path(name)?;
            let overwritten = absent_is_none(overwrite(&path));
            if overwritten.map_err(StoreError::io("overwrite", &path))?.is_some() {
                paths.push(path);
            }
        }
        sync_all(paths.iter().map(PathBuf::as_path))?;
        let mut folders = BTreeSet::new();
        for path in &paths {
            absent_is_none(fs::remove_file(path)).map_err(StoreError::io("remove", path))?;
            folders.extend(path.parent().map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    fn prune(&self, folder: &str) -> Result<(), StoreError> {
        let path = self.path(folder)?;
        match fs::remove_dir(&path) {
            Ok(()) => sync_parent(&path),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::io("remove", path)(error)),
        }
    }

    fn sweep(&self, folder: &str) -> Result<usize, StoreError> {
        let path = self.folder(folder)?;
        let names = absent_is_none(names_in(&path)).map_err(StoreError::io("list", &path))?;
        let mut swept = 0;
        for name in names.unwrap_or_default().iter().filter(|name| is_staged(name)) {
            let stale = path.join(name);
            absent_is_none(fs::remove_file(&stale)).map_err(StoreError::io("remove", stale))?;
            swept += 1;
        }
        if swept > 0 {
            sync_folder(&path)?;
        }
        Ok(swept)
    }
}

/// A staged file, removed unless it is kept.
pub(super) struct Staged {
    path: PathBuf,
    kept: bool,
}

impl Staged {
    /// Writes a new 0600 file beside `target`, whose folder is made where it is missing.
    pub(super) fn beside(
        target: &Path,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Self, StoreError> {
        make_parent(target)?;
        let name = format!(".amparo-{}.tmp", hex(&random::<16>()?));
        let path = target.with_file_name(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::io("create", target))?;
        let staged = Self { path, kept: false };
        write(&mut file).map_err(StoreError::io("write", target))?;
        Ok(staged)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It has another name by now.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a name is one that [`Staged`] gives.
fn is_staged(name: &str) -> bool {
    name.strip_prefix(".amparo-")
        .and_then(|rest| rest.strip_suffix(".tmp"))
        .is_some_and(|random| random.len() == 32 && random.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn exists_or(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> StoreError {
    move |error| match error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.display().to_string() },
        _ => StoreError::io(operation, path)(error),
    }
}

/// Renames onto a free name.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// Moves a synced file to its name; across file systems it is copied beside the name first.
fn move_in(from: &Path, to: &Path, replace: bool) -> Result<(), StoreError> {
    let rename = |from: &Path| if replace { fs::rename(from, to) } else { rename_new(from, to) };
    match rename(from) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut source = File::open(from).map_err(StoreError::io("read", from))?;
            let temp = Staged::beside(to, |out| io::copy(&mut source, out).map(|_| ()))?;
            sync_all([temp.path.as_path()])?;
            rename(&temp.path).map_err(exists_or("publish", to))?;
            temp.keep();
            fs::remove_file(from).map_err(StoreError::io("remove", from))
        }
        result => result.map_err(exists_or("publish", to)),
    }
}

/// Writes zeros over all bytes of a file, in place; a link is not followed.
fn overwrite(path: &Path) -> io::Result<()> {
    let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut file = OpenOptions::new().write(true).custom_flags(nofollow).open(path)?;
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file).map(|_| ())
}

/// Makes the folder of a file, and what is missing above it, 0700, each one's entry synced.
fn make_parent(path: &Path) -> Result<(), StoreError> {
    path.parent().map_or(Ok(()), make_folder)
}

/// Makes a folder and what is missing above it, 0700, each one's entry synced.
pub(crate) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    make_parent(folder)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::io("create the directory", folder)(error))
        }
        _ => sync_parent(folder),
    }
}

pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match File::open(folder).and_then(|file| file.sync_all()) {
        // Some file systems cannot sync a directory; their renames are as durable as they get.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        result => result.map_err(StoreError::io("sync", folder)),
    }
}

/// Brings the bytes of files, which lie on one file system, to the medium.
pub(super) fn sync_all<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), StoreError> {
    let paths: Vec<&Path> = paths.into_iter().collect();
    let open = |path: &Path| File::open(path).map_err(StoreError::io("open", path));
    if let (Some(first), MANY..) = (paths.first(), paths.len())
        && syncfs_reports_errors()
    {
        let synced = syncfs(open(first)?).map_err(io::Error::from);
        return synced.map_err(StoreError::io("sync the file system of", first));
    }
    for path in paths {
        open(path)?.sync_all().map_err(StoreError::io("sync", path))?;
    }
    Ok(())
}

/// Since Linux 5.8, a `syncfs` fails where a write in the background has failed.
fn syncfs_reports_errors() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (5, 8),
        _ => false,
    }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
