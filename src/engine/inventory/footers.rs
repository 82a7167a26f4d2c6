//! What earlier passes read in footers: row groups, schema and digest of files that have not changed, so
//! that a pass need not open them. Nothing in it is a value: a footer's statistics are not kept.
//!
//! Guarantees: with it or without it an inventory is the same. A file is recognised as `store::Seen` does it: by
//! path, size, times, inode and device, under the deployment key; one that had just been written when
//! it was read is read again.
//! Assumptions: those of `store::Seen`. A footer that is remembered is held against the file where the file is
//! opened for anything else: a difference counts as a change, and the pass looks again without this.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{FieldPath, LeafType, Name};
use crate::plan::FileStamp;
use crate::store::{DeploymentKey, KeptFooters, is_settled};

use super::super::schema::FileLeaf;
use super::{Group, Opened, Stat};
use crate::model::hex;

/// The version of what is kept; an older one is as if it were not there.
const VERSION: u64 = 1;

/// So many new footers are worth a write: as many files as `store::Seen` waits for.
const FEW: usize = 64;

/// More bytes are not kept.
const LARGEST: usize = 64 << 20;

type FileId = [u8; 16];

/// The footers that are known, and those that this pass reads.
#[derive(Default)]
pub(crate) struct Footers {
    /// `None`: nothing is known.
    key: Option<DeploymentKey>,
    schemas: Vec<Arc<[FileLeaf]>>,
    numbers: HashMap<Arc<[FileLeaf]>, u32>,
    files: HashMap<FileId, Kept>,
    /// The files of the newest inventory, by dataset.
    current: BTreeMap<Name, Vec<Current>>,
}

/// A file that may be kept.
struct Current {
    path: PathBuf,
    stat: Stat,
    /// `None`: it is known already.
    read: Option<Kept>,
}

#[derive(Clone)]
struct Kept {
    footer: [u8; 32],
    schema: u32,
    /// For each row group its rows, then the bytes of each of its chunks.
    groups: Box<[u64]>,
}

#[derive(Serialize, Deserialize)]
struct StoredLeaf {
    path: Vec<String>,
    kind: LeafType,
    lists: Vec<usize>,
    element_levels: Vec<i16>,
    nullable: bool,
}

impl std::fmt::Debug for Footers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Footers of {} files", self.files.len())
    }
}

impl Footers {
    /// What was kept; what does not parse is not there.
    pub(crate) fn new(kept: Option<KeptFooters>) -> Self {
        let Some(KeptFooters { key, bytes }) = kept else { return Self::default() };
        let known = bytes.and_then(|bytes| Self::read(&bytes));
        Self { key: Some(key), ..known.unwrap_or_default() }
    }

    /// Forgets all; what is read from now on is learned.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The footer of a file that is as it was.
    pub(super) fn get(&self, path: &Path, stat: &Stat) -> Option<Opened> {
        let kept = self.files.get(&id(self.key.as_ref()?, path, stat))?;
        let leaves = Arc::clone(self.schemas.get(kept.schema as usize)?);
        let groups = kept.groups.chunks_exact(leaves.len() + 1).map(|group| match group {
            [rows, bytes @ ..] => Group { rows: *rows, bytes: bytes.to_vec() },
            [] => Group { rows: 0, bytes: Vec::new() },
        });
        let footer = hex(&kept.footer);
        let Stat { size, modified, inode, trace } = *stat;
        let stamp = FileStamp { size, modified, inode, footer };
        Some(Opened { stamp, trace, groups: groups.collect(), leaves, known: true })
    }

    /// Takes what was read of the files of a dataset, for an inventory that began at `looked`.
    pub(super) fn learn<'a>(
        &mut self,
        dataset: &Name,
        looked: i128,
        files: impl Iterator<Item = (&'a Path, &'a Opened)>,
    ) {
        let mut current = Vec::new();
        for (path, opened) in files {
            let FileStamp { size, modified, inode, footer } = &opened.stamp;
            let (size, modified, inode, trace) = (*size, *modified, *inode, opened.trace);
            let stat = Stat { size, modified, inode, trace };
            let path = path.to_owned();
            if opened.known {
                current.push(Current { path, stat, read: None });
            } else if is_settled(looked, modified, trace.changed)
                && let Some(footer) = unhex(footer)
            {
                let schema = self.schema(&opened.leaves);
                let groups = opened.groups.iter();
                let groups =
                    groups.flat_map(|g| std::iter::once(g.rows).chain(g.bytes.iter().copied()));
                let read = Some(Kept { footer, schema, groups: groups.collect() });
                current.push(Current { path, stat, read });
            }
        }
        self.current.insert(dataset.clone(), current);
    }

    fn schema(&mut self, leaves: &Arc<[FileLeaf]>) -> u32 {
        if let Some(number) = self.numbers.get(leaves) {
            return *number;
        }
        let number = u32::try_from(self.schemas.len()).unwrap_or(u32::MAX);
        self.schemas.push(Arc::clone(leaves));
        self.numbers.insert(Arc::clone(leaves), number);
        number
    }

    /// What is to be kept under a key, where it is worth a write: of the files of the newest inventory.
    pub(crate) fn worth_keeping(&mut self, key: &DeploymentKey) -> Option<Vec<u8>> {
        let current = std::mem::take(&mut self.current);
        if current.values().flatten().filter(|file| file.read.is_some()).count() < FEW {
            return None;
        }
        let (mut files, mut used) = (BTreeMap::new(), BTreeMap::new());
        for Current { path, stat, read } in current.into_values().flatten() {
            let id = id(key, &path, &stat);
            if let Some(mut kept) = read.or_else(|| self.files.get(&id).cloned()) {
                let number = used.len() as u32;
                kept.schema = *used.entry(kept.schema).or_insert(number);
                files.insert(id, kept);
            }
        }
        let mut used: Vec<(u32, u32)> = used.into_iter().map(|(old, new)| (new, old)).collect();
        used.sort_unstable();
        let mut schemas = Vec::with_capacity(used.len());
        for (_, number) in used {
            let leaves = self.schemas.get(number as usize)?;
            let stored = leaves.iter().map(|leaf| StoredLeaf {
                path: leaf.path.parts().to_vec(),
                kind: leaf.kind.clone(),
                lists: leaf.lists.clone(),
                element_levels: leaf.element_levels.clone(),
                nullable: leaf.nullable,
            });
            schemas.push(stored.collect::<Vec<_>>());
        }
        let schemas = serde_json::to_vec(&schemas).ok()?;
        let mut out = Vec::new();
        put(&mut out, VERSION);
        put(&mut out, schemas.len() as u64);
        out.extend(schemas);
        put(&mut out, files.len() as u64);
        for (id, kept) in files {
            out.extend(id);
            out.extend(kept.footer);
            put(&mut out, kept.schema.into());
            put(&mut out, kept.groups.len() as u64);
            kept.groups.iter().for_each(|number| put(&mut out, *number));
        }
        (out.len() <= LARGEST).then_some(out)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut footers = Self::default();
        let mut rest = bytes;
        if take(&mut rest)? != VERSION {
            return None;
        }
        let length = usize::try_from(take(&mut rest)?).ok()?;
        let (schemas, mut rest) = rest.split_at_checked(length)?;
        for stored in serde_json::from_slice::<Vec<Vec<StoredLeaf>>>(schemas).ok()? {
            let leaves: Option<Arc<[FileLeaf]>> = stored.into_iter().map(leaf).collect();
            footers.schema(&leaves?);
        }
        for _ in 0..take(&mut rest)? {
            let (id, after) = rest.split_first_chunk::<16>()?;
            let (footer, after) = after.split_first_chunk::<32>()?;
            rest = after;
            let schema = u32::try_from(take(&mut rest)?).ok()?;
            let columns = footers.schemas.get(schema as usize)?.len();
            let numbers = take(&mut rest)?;
            if numbers % (columns as u64 + 1) != 0 {
                return None;
            }
            let mut groups = Vec::new();
            for _ in 0..numbers {
                groups.push(take(&mut rest)?);
            }
            let (footer, groups) = (*footer, groups.into_boxed_slice());
            footers.files.insert(*id, Kept { footer, schema, groups });
        }
        rest.is_empty().then_some(footers)
    }
}

/// A file as it is: its path may name a person.
fn id(key: &DeploymentKey, path: &Path, stat: &Stat) -> FileId {
    let parts: [&[u8]; 6] = [
        path.as_os_str().as_bytes(),
        &stat.size.to_le_bytes(),
        &stat.modified.to_le_bytes(),
        &stat.inode.to_le_bytes(),
        &stat.trace.device.to_le_bytes(),
        &stat.trace.changed.to_le_bytes(),
    ];
    key.short_digest("footer", &parts)
}

fn leaf(stored: StoredLeaf) -> Option<FileLeaf> {
    let StoredLeaf { path, kind, lists, element_levels, nullable } = stored;
    Some(FileLeaf { path: FieldPath::new(path)?, kind, lists, element_levels, nullable })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests;
