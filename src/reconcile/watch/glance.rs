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

/// What policies, requests and data were at one moment.
pub(super) struct Glance {
    /// Policies and requests, or why they cannot be read.
    pub(super) texts: Result<Texts, PassError>,
    pub(super) stamp: Stamp,
}

impl Glance {
    /// Reads policies and requests, and looks at the files of the data places.
    pub(super) fn take(workspace: &Workspace, data: &[Place]) -> Self {
        let texts = Texts::read(workspace);
        let mut hash = Sha256::new();
        match &texts {
            Ok(texts) => {
                for (kind, files) in [(b'p', &texts.policies), (b'r', &texts.requests)] {
                    for file in files {
                        hash.update([kind]);
                        part(&mut hash, file.path.as_bytes());
                        part(&mut hash, &file.bytes);
                    }
                }
            }
            Err(error) => part(&mut hash, error.to_string().as_bytes()),
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
