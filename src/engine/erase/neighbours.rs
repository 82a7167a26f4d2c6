//! Files beside a data file that speak of its old contents: Hadoop's checksums, which make readers fail
//! after a rewrite, and summaries, which hold other files' statistics and offsets.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{Outcome, Problem};

/// Removes the checksum beside a file, and the summaries in its directory and those above it up to
/// `root`. Gives the summaries that were removed.
pub(crate) fn tidy(path: &Path, root: Option<&Path>) -> Outcome<Vec<PathBuf>> {
    let Some(directory) = path.parent() else { return Ok(Vec::new()) };
    if let Some(name) = path.file_name() {
        remove(&directory.join(checksum_of(name)))?;
    }
    let root = root.and_then(|root| root.canonicalize().ok());
    let above = directory.ancestors().take_while(|above| {
        *above == directory || root.as_ref().is_some_and(|root| above.starts_with(root))
    });
    let mut summaries = Vec::new();
    for directory in above {
        for name in ["_metadata", "_common_metadata"] {
            if remove(&directory.join(name))? {
                summaries.push(directory.join(name));
            }
            remove(&directory.join(checksum_of(name.as_ref())))?;
        }
    }
    Ok(summaries)
}

fn checksum_of(name: &std::ffi::OsStr) -> std::ffi::OsString {
    let mut checksum = std::ffi::OsString::from(".");
    checksum.push(name);
    checksum.push(".crc");
    checksum
}

fn remove(path: &Path) -> Outcome<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Problem::Io("remove the checksum or summary beside", error)),
    }
}
