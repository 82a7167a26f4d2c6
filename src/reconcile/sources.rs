//! Reads the files of `policies/` and `requests/`.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::manifest::source::SourceFile;

use super::PassError;

/// More than the manifest's own budget: it says what is wrong with a file that is too large.
const READ_AT_MOST: u64 = 16 << 20;

/// Every file below the directory, sub-directories included; names that start with `.` are left out
/// (CONTRACT.md section 1). Sorted by path.
///
/// # Errors
/// A directory or file that cannot be read: it could hold a hold.
pub(super) fn read(directory: &Path, what: &'static str) -> Result<Vec<SourceFile>, PassError> {
    let mut paths = Vec::new();
    walk(directory, what, &mut paths, 0)?;
    paths.sort();
    paths.into_iter().map(|path| file(path, what)).collect()
}

/// One request file, wherever it lies.
///
/// # Errors
/// It cannot be read.
pub(super) fn request(path: &Path) -> Result<SourceFile, PassError> {
    file(path.to_owned(), "requests")
}

/// As [`read`]; a directory that is not there holds no file.
pub(super) fn read_if_there(
    directory: &Path,
    what: &'static str,
) -> Result<Vec<SourceFile>, PassError> {
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
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

fn file(path: PathBuf, what: &'static str) -> Result<SourceFile, PassError> {
    let failed = |source| PassError::Sources { what, path: path.clone(), source };
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|file| file.take(READ_AT_MOST).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(SourceFile { path: path.to_string_lossy().into_owned(), bytes })
}
