//! A cheap look at what a pass rests on: whether anything is different from what the last pass saw.
//!
//! Assumptions: a data file that changes gets another size, time of change or inode.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::eyes::{Kind, Place};
use crate::reconcile::gather::Texts;
use crate::reconcile::{PassError, Workspace};

/// Digest of what was seen; it stays in memory.
pub(super) type Stamp = [u8; 32];

/// What policies, requests, approvals, keys and data were at one moment.
pub(super) struct Glance {
    /// Policies, requests and approvals, or why they cannot be read.
    pub(super) texts: Result<Texts, PassError>,
    pub(super) stamp: Stamp,
}

impl Glance {
    /// Reads policies, requests and approvals, and looks at the files of the data places.
    pub(super) fn take(workspace: &Workspace, data: &[Place]) -> Self {
        let texts = Texts::read(workspace);
        let mut hash = Sha256::new();
        match &texts {
            Ok(texts) => {
                let kinds =
                    [(b'p', &texts.policies), (b'r', &texts.requests), (b'a', &texts.approvals)];
                for (kind, files) in kinds {
                    for file in files {
                        hash.update([kind]);
                        part(&mut hash, file.path.as_bytes());
                        part(&mut hash, &file.bytes);
                    }
                }
            }
            Err(error) => part(&mut hash, error.to_string().as_bytes()),
        }
        // Of the keys that open what is sealed no copy is made, not even a digest.
        if let Some(identity) = &workspace.identity {
            files(&mut hash, identity, Kind::Texts, 0);
        }
        for place in data {
            files(&mut hash, &place.path, place.kind, 0);
        }
        Self { texts, stamp: hash.finalize().into() }
    }
}

fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Names, sizes, times and inodes of all files below.
fn files(hash: &mut Sha256, path: &Path, kind: Kind, depth: usize) {
    // Links that go round.
    if depth > 64 {
        return;
    }
    part(hash, path.as_os_str().as_encoded_bytes());
    let Ok(meta) = fs::metadata(path) else { return };
    if !meta.is_dir() {
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        for number in [meta.dev(), meta.ino(), meta.len()] {
            hash.update(number.to_le_bytes());
        }
        for number in times {
            hash.update(number.to_le_bytes());
        }
        return;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.retain(|name| !kind.skips(&name.to_string_lossy()));
    names.sort();
    for name in names {
        files(hash, &path.join(name), kind, depth + 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn stamp(root: &Path, kind: Kind) -> Stamp {
        let mut hash = Sha256::new();
        files(&mut hash, root, kind, 0);
        hash.finalize().into()
    }

    #[test]
    fn data_that_changes_has_another_stamp_and_what_is_no_data_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("day=1")).unwrap();
        fs::write(at("day=1/a.parquet"), "12345678").unwrap();
        let first = stamp(dir.path(), Kind::Data);
        fs::write(at("day=1/.amparo-1.draft"), "").unwrap();
        fs::write(at("_SUCCESS"), "").unwrap();
        assert_eq!(stamp(dir.path(), Kind::Data), first);
        // The same size, and a time that is put back: the time of change tells.
        let times = fs::metadata(at("day=1/a.parquet")).unwrap();
        fs::write(at("day=1/a.parquet"), "87654321").unwrap();
        let file = fs::File::options().write(true).open(at("day=1/a.parquet")).unwrap();
        file.set_modified(times.modified().unwrap()).unwrap();
        let second = stamp(dir.path(), Kind::Data);
        assert_ne!(second, first);
        fs::write(at("day=1/b.parquet"), "").unwrap();
        assert_ne!(stamp(dir.path(), Kind::Data), second);
        fs::remove_dir_all(at("day=1")).unwrap();
        assert_ne!(stamp(&at("gone"), Kind::Data), stamp(dir.path(), Kind::Data));
    }
}
