//! Finds copies of replicated rows by their hit id (RULES.md section 4).
//!
//! Of the rows of one product in one package that share a hit id, the first stays: person before
//! device, then by dataset name, file and row. Hit ids are compared as text.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::record::RecordKey;
use super::sorter::Sorter;
use super::value::Value;
use super::{AccessError, AccessTask};

/// Collects the hit ids of rows.
pub(super) struct Copies {
    sorter: Sorter,
}

impl Copies {
    /// Spills into `dir` beyond `budget` bytes.
    pub(super) fn new(dir: &Path, budget: usize) -> Self {
        Self { sorter: Sorter::new(dir, budget) }
    }

    /// Notes a row's hit id, which is not null.
    pub(super) fn add(&mut self, row: &RecordKey, hit_id: &Value<'_>) -> Result<(), AccessError> {
        let mut text = String::new();
        hit_id.push_csv(&mut text);
        let mut key = Vec::with_capacity(GROUP + PLACE);
        key.extend_from_slice(&row.task.to_be_bytes());
        key.extend_from_slice(&row.product.to_be_bytes());
        // A digest keeps records short however long the ids are.
        key.extend_from_slice(&Sha256::digest(text.as_bytes()));
        key.push(u8::from(row.device));
        key.extend_from_slice(&row.dataset.to_be_bytes());
        key.extend_from_slice(&row.at.file.to_be_bytes());
        key.extend_from_slice(&row.at.row.to_be_bytes());
        key.extend_from_slice(&row.row.to_be_bytes());
        self.sorter.push(&key, &[])
    }

    /// The copies among the rows of each task.
    pub(super) fn find(self, tasks: &[AccessTask<'_>]) -> Result<Vec<Removed>, AccessError> {
        let mut removed: Vec<Removed> =
            tasks.iter().map(|task| Removed::none(task.work.datasets.len())).collect();
        let mut sorted = self.sorter.finish()?;
        let mut group = Vec::new();
        while let Some((key, _)) = sorted.current() {
            if key.starts_with(&group) && !group.is_empty() {
                let place = |at: usize| {
                    let bytes = key.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
                    bytes.map(|bytes| u32::from_be_bytes(bytes) as usize)
                };
                let (Some(task), Some(dataset), Some(row)) =
                    (place(0), place(GROUP + 1), place(GROUP + PLACE - 4))
                else {
                    return Err(AccessError::Bug("a hit id's record is damaged"));
                };
                removed[task].insert(dataset, row);
            } else {
                group.clear();
                group.extend_from_slice(&key[..GROUP]);
            }
            sorted.advance()?;
        }
        Ok(removed)
    }
}

/// Bytes of a key that rows with one hit id share: task, product, digest.
const GROUP: usize = 4 + 4 + 32;
/// Bytes after that: person or device, dataset, file, row, index of the row.
const PLACE: usize = 1 + 4 + 4 + 8 + 4;

/// Which rows of a task are copies.
pub(super) struct Removed {
    /// For each dataset a bit a row; as long as its last copy needs.
    bits: Vec<Vec<u64>>,
}

impl Removed {
    fn none(datasets: usize) -> Self {
        Self { bits: vec![Vec::new(); datasets] }
    }

    fn insert(&mut self, dataset: usize, row: usize) {
        let bits = &mut self.bits[dataset];
        if bits.len() <= row / 64 {
            bits.resize(row / 64 + 1, 0);
        }
        bits[row / 64] |= 1 << (row % 64);
    }

    /// Whether a row (by index into the dataset's rows) is a copy.
    pub(super) fn contains(&self, dataset: usize, row: usize) -> bool {
        self.bits[dataset].get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}
