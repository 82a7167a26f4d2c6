//! Reads the files of `policies/` and `requests/`.
//!
//! Guarantees: only regular files are read, through links too. A pipe, which would make the pass wait for
//! its other end, is told by name.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::manifest::source::SourceFile;

use super::PassError;

/// More than the manifest's own budget: it says what is wrong with a file that is too large.
const READ_AT_MOST: u64 = 16 << 20;

/// What a directory of documents holds.
#[derive(Default)]
pub(super) struct Sources {
    /// Its files. One whose ending nobody reads may stand here without its bytes.
    pub(super) files: Vec<SourceFile>,
    /// Paths of what is named as a document and is no regular file.
    pub(super) special: Vec<String>,
}

/// Every file below the directory, sub-directories included; names that start with `.` are left out
/// (CONTRACT.md section 1). Sorted by path.
///
/// # Errors
/// A directory or file that cannot be read: it could hold a hold.
pub(super) fn read(directory: &Path, what: &'static str) -> Result<Sources, PassError> {
    let mut paths = Vec::new();
    walk(directory, what, &mut paths, 0)?;
    paths.sort();
    let mut sources = Sources::default();
    for path in paths {
        let shown = path.to_string_lossy().into_owned();
        match bytes(&path) {
            Ok(Some(bytes)) => sources.files.push(SourceFile { path: shown, bytes }),
            Ok(None) => {
                let file = SourceFile { path: shown, bytes: Vec::new() };
                if matches!(file.ending().as_str(), "yaml" | "yml" | "json") {
                    sources.special.push(file.path);
                } else {
                    // Its ending says what is wrong with it.
                    sources.files.push(file);
                }
            }
            Err(source) => return Err(PassError::Sources { what, path, source }),
        }
    }
    Ok(sources)
}

/// One request file, wherever it lies.
///
/// # Errors
/// It cannot be read.
pub(super) fn request(path: &Path) -> Result<SourceFile, PassError> {
    let failed = |source| PassError::Sources { what: "requests", path: path.to_owned(), source };
    let special = || std::io::Error::other("not a regular file");
    let bytes = bytes(path).and_then(|bytes| bytes.ok_or_else(special)).map_err(failed)?;
    Ok(SourceFile { path: path.to_string_lossy().into_owned(), bytes })
}

/// As [`read`]; a directory that is not there holds no file.
pub(super) fn read_if_there(directory: &Path, what: &'static str) -> Result<Sources, PassError> {
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sources::default()),
        _ => read(directory, what),
    }
}

fn walk(
    directory: &Path,
    what: &'static str,
    paths: &mut Vec<PathBuf>,
    depth: usize,
) -> Result<(), PassError> {
    let failed = |source| PassError::Sources { what, path: directory.to_owned(), source };
    if depth > 32 {
        return Err(failed(std::io::Error::other("more than 32 directories deep")));
    }
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        // Followed: git-sync and ConfigMaps hand files over as links.
        if fs::metadata(&path)
            .map_err(|source| PassError::Sources { what, path: path.clone(), source })?
            .is_dir()
        {
            walk(&path, what, paths, depth + 1)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// What a file holds; `None` where it is no regular one. Never waits for a pipe's other end, also where
/// one takes a file's place meanwhile.
fn bytes(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    // A device may do something when it is opened; a socket cannot be.
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(READ_AT_MOST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
