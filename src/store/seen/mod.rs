//! STATE/seen: which files were searched for what without finding it, so that a pass reads only what it
//! must. It says "file F, as it was, holds no row that matches value V of column C under these rules" by
//! keyed digests alone; what was found is not in it, and is looked for again.
//!
//! Guarantees: with it or without it a search finds the same. It holds no identity, path or cell value, and
//! nobody without the deployment key can learn from it whether some value was asked for. What is damaged,
//! of another version or under another key is as if it were not there; all of it can be deleted at any
//! time. Its size is bounded.
//! Assumptions: a file whose path, size, modification time, inode, device, time of last change (`ctime`)
//! and footer are what they were holds what it held. Another writer can set size and modification time back
//! on purpose, `ctime` only with the machine's clock. Times are as coarse as the file system's ticks: a file
//! that was written within [`YOUNG`] before it was looked at could change once more without showing it, and
//! is not remembered (the "racy" entries of Git's index); on a remote file system that holds as long as its
//! clock is not further behind than that. Bytes that rot under an unchanged inode, and writes through a memory map
//! that the system has not noted yet, are not seen: `verify` never asks here.
//! Crash behaviour: a file of it is replaced in one step; one that is lost costs a search.

mod asked;
mod bits;
mod file;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

use super::encoding::{encode, put, put_count};
use super::{DeploymentKey, NewFile, Storage, StoreError};
use crate::model::Name;
use crate::plan::{DataFile, DatasetFiles, Hit, Inventory, Probe};
use asked::Asked;
use table::{FileId, Table};

/// The folder.
pub(super) const FOLDER: &str = "seen";

/// Nanoseconds for which a file that was changed may change once more and look the same: two seconds, the
/// coarsest tick of the file systems in use.
const YOUNG: i128 = 2_000_000_000;

/// What one pass knows of the searches of earlier ones, and adds to it.
#[derive(Debug)]
pub struct Seen {
    key: DeploymentKey,
    tables: BTreeMap<Name, Table>,
    /// The files of the inventory at hand.
    files: BTreeMap<Name, Vec<Stamped>>,
    /// When its making began.
    looked: i128,
    passed_over: u64,
}

/// A file of the inventory at hand.
#[derive(Debug, Clone, Copy)]
struct Stamped {
    id: FileId,
    /// Whether what is found out about it may be remembered.
    settled: bool,
}

/// What a probe asks, and which files have to be read for it.
#[derive(Debug)]
pub struct Look {
    asked: Asked,
    /// By index into [`DatasetFiles::files`]; `None`: all.
    files: Option<Vec<u32>>,
}

impl Look {
    /// The files that have to be read, by index into [`DatasetFiles::files`]; `None`: all.
    pub fn files(&self) -> Option<&[u32]> {
        self.files.as_deref()
    }

    /// These files turned out unreadable: nothing is known of them.
    pub fn leave_out(&mut self, files: &BTreeSet<u32>) {
        if let Some(own) = &mut self.files {
            own.retain(|file| !files.contains(file));
        }
    }
}

impl Seen {
    /// Reads what is there. What cannot be read, or understood, is not there.
    pub(super) fn load(storage: &dyn Storage, key: &DeploymentKey) -> Self {
        let mut tables = BTreeMap::new();
        for name in storage.list(FOLDER).unwrap_or_default() {
            let Ok(dataset) = Name::new(&name) else { continue };
            let bytes = storage.read(&path(&dataset)).ok().flatten();
            if let Some(table) = bytes.and_then(|bytes| file::decode(key, &dataset, &bytes)) {
                tables.insert(dataset, table);
            }
        }
        Self { key: key.clone(), tables, files: BTreeMap::new(), looked: i128::MIN, passed_over: 0 }
    }

    /// A search of this inventory begins.
    pub fn begin(&mut self, inventory: &Inventory) {
        self.files.clear();
        self.looked = inventory.looked;
    }

    /// Which files have to be read for a probe of a dataset of the inventory at hand.
    pub fn look(&mut self, dataset: &DatasetFiles, probe: &Probe) -> Look {
        let mut asked = Asked::of(&self.key, &dataset.leaves, probe);
        if asked.is_too_much() {
            return Look { asked, files: None };
        }
        let (key, looked) = (&self.key, self.looked);
        let files = self
            .files
            .entry(dataset.dataset.clone())
            .or_insert_with(|| dataset.files.iter().map(|f| stamped(key, looked, f)).collect());
        let table = self.tables.entry(dataset.dataset.clone()).or_default();
        asked.number(table);
        let unknown: Vec<u32> = (0..u32::MAX)
            .zip(files.iter())
            .filter(|(_, file)| !table.knows(&file.id, asked.mask()))
            .map(|(index, _)| index)
            .collect();
        self.passed_over = self.passed_over.saturating_add((files.len() - unknown.len()) as u64);
        Look { asked, files: Some(unknown) }
    }

    /// How many files did not have to be read, a probe counting by itself.
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Takes what a look found: the hits of the files that it named, sorted by file.
    pub fn learn(&mut self, dataset: &DatasetFiles, look: &Look, hits: &[Hit]) {
        let (Some(table), Some(files), Some(read)) =
            (self.tables.get_mut(&dataset.dataset), self.files.get(&dataset.dataset), look.files())
        else {
            return;
        };
        let mut hits = hits;
        for index in read {
            let (before, rest) = hits.split_at(hits.partition_point(|hit| hit.at.file < *index));
            debug_assert!(before.is_empty(), "hits of files that were not read");
            let (own, rest) = rest.split_at(rest.partition_point(|hit| hit.at.file == *index));
            hits = rest;
            let file = files.get(*index as usize).filter(|file| file.settled);
            let size = dataset.files.get(*index as usize).map_or(0, |file| file.size);
            if let Some(file) = file {
                table.learn(file.id, size, &look.asked.absent(own));
            }
        }
    }

    /// Writes what is worth it, and removes what is of none of these datasets.
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing but time is lost.
    pub(super) fn save<'a>(
        &mut self,
        storage: &dyn Storage,
        datasets: impl Iterator<Item = &'a Name>,
    ) -> Result<(), StoreError> {
        let mut written = false;
        for (dataset, table) in &mut self.tables {
            let Some(files) = self.files.get(dataset).filter(|_| table.is_worth_keeping()) else {
                continue;
            };
            let current = files.iter().map(|file| file.id).collect();
            let name = path(dataset);
            match file::encode(&self.key, dataset, table, &current) {
                Some(bytes) => replace(storage, &name, &bytes)?,
                None => drop(storage.remove(&name)?),
            }
            table.is_kept();
            written = true;
        }
        if written {
            let known: BTreeSet<&str> = datasets.map(Name::as_str).collect();
            for name in storage
                .list(FOLDER)?
                .iter()
                .filter(|name| !known.contains(name.as_str()) && *name != FOOTERS)
            {
                storage.remove(&format!("{FOLDER}/{name}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Seen {
    /// As if it had been written, however little it is, and read again.
    pub(crate) fn reloaded(&self) -> Self {
        let tables = self.tables.iter().filter_map(|(dataset, table)| {
            let files = self.files.get(dataset)?.iter().map(|file| file.id).collect();
            let bytes = file::encode(&self.key, dataset, table, &files)?;
            Some((dataset.clone(), file::decode(&self.key, dataset, &bytes)?))
        });
        let (key, tables) = (self.key.clone(), tables.collect());
        Self {
            key,
            tables,
            files: BTreeMap::new(),
            looked: i128::MIN,
            passed_over: self.passed_over,
        }
    }
}

fn path(dataset: &Name) -> String {
    format!("{FOLDER}/{dataset}")
}

fn replace(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    match storage.read(name)? {
        Some(old) => storage.replace(name, Some(&old), bytes),
        None => storage.create(&[NewFile { name, bytes }]),
    }
}

/// Whether a file that was modified and changed then could not change once more after `looked` and look
/// the same.
pub(crate) const fn is_settled(looked: i128, modified: i128, changed: i128) -> bool {
    let old = looked.saturating_sub(YOUNG);
    modified < old && changed < old
}

/// What earlier passes read in footers, as it was kept; the engine knows what it means.
#[derive(Debug)]
pub struct KeptFooters {
    /// What files are recognised under.
    pub key: DeploymentKey,
    /// `None`: there is nothing, or it is not what this version wrote under this key.
    pub bytes: Option<Vec<u8>>,
}

/// The file of footers: no dataset has such a name.
const FOOTERS: &str = "_footers";

impl KeptFooters {
    /// Reads what is there.
    pub(super) fn load(storage: &dyn Storage, key: DeploymentKey) -> Self {
        let sealed = storage.read(&format!("{FOLDER}/{FOOTERS}")).ok().flatten();
        let bytes =
            sealed.and_then(|sealed| file::open(&key, FOOTERS, &sealed).map(<[u8]>::to_vec));
        Self { key, bytes }
    }

    /// Keeps them.
    pub(super) fn save(
        storage: &dyn Storage,
        key: &DeploymentKey,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        replace(storage, &format!("{FOLDER}/{FOOTERS}"), &file::seal(key, FOOTERS, bytes))
    }
}

/// A file as it is, by one keyed digest: its path may name a person, and so may its partitions.
fn stamped(key: &DeploymentKey, looked: i128, file: &DataFile) -> Stamped {
    let (stamp, trace) = (&file.stamp, &file.trace);
    let mut bytes = encode(&[
        file.path.as_os_str().as_bytes(),
        &stamp.size.to_le_bytes(),
        &stamp.modified.to_le_bytes(),
        &stamp.inode.to_le_bytes(),
        &trace.device.to_le_bytes(),
        &trace.changed.to_le_bytes(),
        stamp.footer.as_bytes(),
    ]);
    for (column, value) in &file.partitions {
        put(&mut bytes, column.as_bytes());
        put_count(&mut bytes, usize::from(value.is_some()));
        put(&mut bytes, value.as_deref().unwrap_or_default().as_bytes());
    }
    let settled = is_settled(looked, stamp.modified, trace.changed);
    Stamped { id: key.short_digest("seen-file", &[&bytes]), settled }
}
