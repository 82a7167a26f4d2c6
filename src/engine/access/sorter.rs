//! Sorts records that do not fit into memory.
//!
//! Assumptions: a single record fits into memory. Guarantees: the order is that of the keys' bytes,
//! whatever the budget; memory stays near the budget plus 64 KiB for each of at most 64 runs. Crash
//! behaviour: spilled runs hold personal data, so they are unlinked as soon as they are open; a crash
//! leaves nothing behind.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::AccessError;

/// Runs that are merged at once; more are merged in several rounds.
const FAN_IN: usize = 64;
/// Buffer of each open run, in bytes.
const RUN_BUFFER: usize = 64 << 10;

/// Numbers spill files, so that sorters can share a directory.
static SPILLS: AtomicU64 = AtomicU64::new(0);

/// Collects records (key, value), in any order.
pub(super) struct Sorter {
    dir: PathBuf,
    budget: usize,
    arena: Vec<u8>,
    slots: Vec<Slot>,
    runs: Vec<File>,
}

/// Where a record lies in the arena: key, then value.
#[derive(Clone, Copy)]
struct Slot {
    start: usize,
    key: u32,
    value: u32,
}

impl Slot {
    fn key(self, arena: &[u8]) -> &[u8] {
        &arena[self.start..self.start + self.key as usize]
    }

    fn value(self, arena: &[u8]) -> &[u8] {
        let start = self.start + self.key as usize;
        &arena[start..start + self.value as usize]
    }
}

impl Sorter {
    /// A sorter that spills into `dir` when its records take more than `budget` bytes.
    pub(super) fn new(dir: &Path, budget: usize) -> Self {
        Self { dir: dir.to_owned(), budget, arena: Vec::new(), slots: Vec::new(), runs: Vec::new() }
    }

    /// Adds a record.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), AccessError> {
        let length = |part: &[u8]| {
            u32::try_from(part.len()).map_err(|_| AccessError::Bug("a record is over 4 GiB long"))
        };
        let slot = Slot { start: self.arena.len(), key: length(key)?, value: length(value)? };
        let needed = key.len() + value.len();
        let used = self.arena.len() + self.slots.len() * size_of::<Slot>();
        if used + needed + size_of::<Slot>() > self.budget && !self.slots.is_empty() {
            self.spill()?;
            return self.push(key, value);
        }
        if self.arena.len() + needed > self.arena.capacity() {
            // Doubling as usual, but not past the budget.
            let goal = (self.arena.capacity() * 2).clamp(4096, self.budget.max(4096));
            self.arena.reserve_exact(goal.saturating_sub(self.arena.len()).max(needed));
        }
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(value);
        self.slots.push(slot);
        Ok(())
    }

    /// Every record, in order.
    pub(super) fn finish(mut self) -> Result<Sorted, AccessError> {
        if self.runs.is_empty() {
            self.sort();
            let Self { dir, arena, slots, .. } = self;
            return Ok(Sorted { dir, held: Held::Memory { arena, slots, next: 0 } });
        }
        if !self.slots.is_empty() {
            self.spill()?;
        }
        let Self { dir, mut runs, arena, slots, .. } = self;
        drop((arena, slots));
        while runs.len() > FAN_IN {
            let rest = runs.split_off(FAN_IN);
            let mut merged = Sorted { dir: dir.clone(), held: Held::Runs(Merge::new(&dir, runs)?) };
            let mut out = Run::create(&dir)?;
            while let Some((key, value)) = merged.current() {
                out.write(key, value)?;
                merged.advance()?;
            }
            runs = rest;
            runs.push(out.done()?);
        }
        let merge = Merge::new(&dir, runs)?;
        Ok(Sorted { dir, held: Held::Runs(merge) })
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        // The value breaks ties, so that equal keys too come in one order only.
        self.slots.sort_unstable_by(|a, b| {
            a.key(arena).cmp(b.key(arena)).then_with(|| a.value(arena).cmp(b.value(arena)))
        });
    }

    fn spill(&mut self) -> Result<(), AccessError> {
        self.sort();
        let mut run = Run::create(&self.dir)?;
        for slot in &self.slots {
            run.write(slot.key(&self.arena), slot.value(&self.arena))?;
        }
        self.runs.push(run.done()?);
        self.arena.clear();
        self.slots.clear();
        Ok(())
    }
}

/// Sorted records, read one after the other.
pub(super) struct Sorted {
    dir: PathBuf,
    held: Held,
}

enum Held {
    Memory { arena: Vec<u8>, slots: Vec<Slot>, next: usize },
    Runs(Merge),
}

impl Sorted {
    /// The record at the cursor: key and value; `None` at the end.
    pub(super) fn current(&self) -> Option<(&[u8], &[u8])> {
        match &self.held {
            Held::Memory { arena, slots, next } => {
                slots.get(*next).map(|slot| (slot.key(arena), slot.value(arena)))
            }
            Held::Runs(merge) => merge.heap.peek().map(|Reverse(head)| (&*head.key, &*head.value)),
        }
    }

    /// Moves the cursor to the next record.
    pub(super) fn advance(&mut self) -> Result<(), AccessError> {
        match &mut self.held {
            Held::Memory { next, .. } => *next += 1,
            Held::Runs(merge) => {
                if let Some(Reverse(mut head)) = merge.heap.pop()
                    && let Some(reader) = merge.readers.get_mut(head.run)
                    && read_record(reader, &mut head)
                        .map_err(AccessError::scratch("read", &self.dir))?
                {
                    merge.heap.push(Reverse(head));
                }
            }
        }
        Ok(())
    }
}

struct Merge {
    readers: Vec<BufReader<File>>,
    heap: BinaryHeap<Reverse<Head>>,
}

/// The next record of a run.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    run: usize,
}

impl Merge {
    fn new(dir: &Path, runs: Vec<File>) -> Result<Self, AccessError> {
        let mut merge = Self { readers: Vec::new(), heap: BinaryHeap::new() };
        for (run, mut file) in runs.into_iter().enumerate() {
            file.seek(SeekFrom::Start(0)).map_err(AccessError::scratch("read", dir))?;
            let mut reader = BufReader::with_capacity(RUN_BUFFER, file);
            let mut head = Head { key: Vec::new(), value: Vec::new(), run };
            if read_record(&mut reader, &mut head).map_err(AccessError::scratch("read", dir))? {
                merge.heap.push(Reverse(head));
            }
            merge.readers.push(reader);
        }
        Ok(merge)
    }
}

/// Reads the next record into `head`; `false` at the end of the run.
fn read_record(reader: &mut BufReader<File>, head: &mut Head) -> std::io::Result<bool> {
    let mut lengths = [0; 8];
    if reader.read(&mut lengths[..1])? == 0 {
        return Ok(false);
    }
    reader.read_exact(&mut lengths[1..])?;
    let [k0, k1, k2, k3, v0, v1, v2, v3] = lengths;
    head.key.resize(u32::from_le_bytes([k0, k1, k2, k3]) as usize, 0);
    head.value.resize(u32::from_le_bytes([v0, v1, v2, v3]) as usize, 0);
    reader.read_exact(&mut head.key)?;
    reader.read_exact(&mut head.value)?;
    Ok(true)
}

/// A run that is being written.
struct Run {
    dir: PathBuf,
    file: BufWriter<File>,
}

impl Run {
    fn create(dir: &Path) -> Result<Self, AccessError> {
        let number = SPILLS.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("access-{}-{number}.run", std::process::id()));
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|file| std::fs::remove_file(&path).map(|()| file))
            .map_err(AccessError::scratch("create", dir))?;
        Ok(Self { dir: dir.to_owned(), file: BufWriter::with_capacity(RUN_BUFFER, file) })
    }

    fn write(&mut self, key: &[u8], value: &[u8]) -> Result<(), AccessError> {
        let mut lengths = [0; 8];
        // Both were checked when the record was pushed.
        lengths[..4].copy_from_slice(&(key.len() as u32).to_le_bytes());
        lengths[4..].copy_from_slice(&(value.len() as u32).to_le_bytes());
        self.file
            .write_all(&lengths)
            .and_then(|()| self.file.write_all(key))
            .and_then(|()| self.file.write_all(value))
            .map_err(AccessError::scratch("write", &self.dir))
    }

    fn done(self) -> Result<File, AccessError> {
        self.file.into_inner().map_err(|e| AccessError::scratch("write", &self.dir)(e.into_error()))
    }
}
