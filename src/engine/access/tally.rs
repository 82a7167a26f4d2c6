//! Counts the unique values of each column of a sheet, in bounded memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::AccessError;
use super::sorter::{Sorted, Sorter};

/// Counts values while rows go by.
pub(super) struct Tally {
    dir: PathBuf,
    budget: usize,
    /// (column, value) → count; what does not fit is in `sorter`.
    counts: HashMap<Vec<u8>, u64>,
    used: usize,
    sorter: Sorter,
    key: Vec<u8>,
}

/// What a map entry takes beside its key: key header, count, hash table, allocator.
const ENTRY: usize = 72;

impl Tally {
    /// Spills into `dir` beyond `budget` bytes.
    pub(super) fn new(dir: &Path, budget: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            budget: budget / 2,
            counts: HashMap::new(),
            used: 0,
            sorter: Sorter::new(dir, budget / 2),
            key: Vec::new(),
        }
    }

    /// Counts a value of a column.
    pub(super) fn add(&mut self, column: u32, value: &str) -> Result<(), AccessError> {
        self.key.clear();
        self.key.extend_from_slice(&column.to_be_bytes());
        self.key.extend_from_slice(value.as_bytes());
        if let Some(count) = self.counts.get_mut(&self.key) {
            *count += 1;
            return Ok(());
        }
        self.used += self.key.len() + ENTRY;
        self.counts.insert(self.key.clone(), 1);
        if self.used > self.budget { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), AccessError> {
        self.used = 0;
        for (key, count) in self.counts.drain() {
            self.sorter.push(&key, &count.to_be_bytes())?;
        }
        Ok(())
    }

    /// The counts, in the order in which they are shown, and sums for each of `columns` columns.
    pub(super) fn finish(mut self, columns: usize) -> Result<Counted, AccessError> {
        self.flush()?;
        self.counts = HashMap::new();
        let mut sums = vec![Sums::default(); columns];
        let mut by_value = self.sorter.finish()?;
        let mut by_count = Sorter::new(&self.dir, self.budget);
        let (mut open, mut total) = (Vec::new(), 0_u64);
        loop {
            let next = by_value.current();
            if let Some((key, count)) = next
                && key == open
            {
                total += read_count(count)?;
            } else {
                if !open.is_empty() {
                    close(&open, total, &mut sums, &mut by_count)?;
                }
                let Some((key, count)) = next else { break };
                open.clear();
                open.extend_from_slice(key);
                total = read_count(count)?;
            }
            by_value.advance()?;
        }
        drop(by_value);
        Ok(Counted { sorted: by_count.finish()?, sums })
    }
}

/// Files a finished count under column, count (most frequent first), value.
fn close(
    key: &[u8],
    count: u64,
    sums: &mut [Sums],
    by_count: &mut Sorter,
) -> Result<(), AccessError> {
    let (column, value) = key.split_at_checked(4).ok_or(DAMAGED)?;
    let index = column.try_into().map_or(u32::MAX, u32::from_be_bytes) as usize;
    let sum = sums.get_mut(index).ok_or(DAMAGED)?;
    sum.unique += 1;
    sum.total += count;
    let mut key = Vec::with_capacity(12 + value.len());
    key.extend_from_slice(column);
    key.extend_from_slice(&(!count).to_be_bytes());
    key.extend_from_slice(value);
    by_count.push(&key, &[])
}

const DAMAGED: AccessError = AccessError::Bug("a count's record is damaged");

fn read_count(bytes: &[u8]) -> Result<u64, AccessError> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| DAMAGED)
}

/// Values of one column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Unique ones.
    pub(super) unique: u64,
    /// All.
    pub(super) total: u64,
}

/// Finished counts.
pub(super) struct Counted {
    sorted: Sorted,
    /// By column.
    pub(super) sums: Vec<Sums>,
}

impl Counted {
    /// The value at the cursor: column, count, text; by column, most frequent first, then by text.
    pub(super) fn current(&self) -> Option<(u32, u64, &str)> {
        let (key, _) = self.sorted.current()?;
        let (column, rest) = key.split_at_checked(4)?;
        let (count, value) = rest.split_at_checked(8)?;
        Some((
            u32::from_be_bytes(column.try_into().ok()?),
            !u64::from_be_bytes(count.try_into().ok()?),
            std::str::from_utf8(value).ok()?,
        ))
    }

    /// Moves to the next value.
    pub(super) fn advance(&mut self) -> Result<(), AccessError> {
        self.sorted.advance()
    }
}
