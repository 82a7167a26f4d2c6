//! The new file: untouched column chunks copied byte for byte, touched ones encoded again, and a
//! footer in which only what had to change is changed.
//!
//! Gaps of the source, which old writers filled with copies of chunk metadata, are left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::plan::FileCounts;

use super::chunk::{NewChunk, Piece, rewrite};
use super::decide::{ChunkWork, Decision, decide};
use super::error::{Outcome, Problem};
use super::guard::Guard;
use super::pages::{Page, PageReader, walk};
use super::select::Selection;
use super::source::{self, Chunk, Source};
use super::tally::Tally;
use super::thrift::{STRUCTS, Struct, Value};

/// What a splice did.
pub(crate) struct Spliced {
    pub(crate) counts: FileCounts,
    /// Bytes taken over as they were.
    pub(crate) copied: u64,
    /// Bytes of pages that were encoded again; 0 where nothing changes.
    pub(crate) encoded: u64,
}

/// Counts what the work changes, without writing.
pub(crate) fn measure(source: &Source, selection: &Selection<'_>) -> Outcome<FileCounts> {
    let mut tally = Tally::new(selection.work);
    let guard = Guard::new(source);
    for (index, group) in source.groups.iter().enumerate() {
        let removed = count_removed(selection, index, source, &mut tally);
        for leaf in 0..source.shapes.len() {
            if selection.leaves[leaf].picks(&group.range()).is_empty() {
                continue;
            }
            let (pages, at) = (walk(&source.file, &group.chunks[leaf])?, (index, leaf));
            let decision =
                decide_chunk(source, selection, &pages, at, &removed, false, &mut tally)?;
            guard_changes(&guard, source, leaf, &decision)?;
        }
    }
    Ok(tally.finish(source))
}

/// The rows of a group that go, counted.
pub(crate) fn count_removed(
    selection: &Selection<'_>,
    group: usize,
    source: &Source,
    tally: &mut Tally,
) -> Vec<(u64, u32)> {
    let removed = selection.removed(&source.groups[group].range());
    for (row, task) in &removed {
        tally.removed(*task, *row);
        for leaf in 0..source.shapes.len() {
            tally.chunk(*task, group, leaf);
        }
    }
    removed
}

pub(crate) fn decide_chunk(
    source: &Source,
    selection: &Selection<'_>,
    pages: &[Page],
    at: (usize, usize),
    removed: &[(u64, u32)],
    draw: bool,
    tally: &mut Tally,
) -> Outcome<Decision> {
    decide(&chunk_work(source, selection, pages, at, removed, draw)?, tally)
}

pub(crate) fn chunk_work<'a>(
    source: &'a Source,
    selection: &'a Selection<'a>,
    pages: &'a [Page],
    at: (usize, usize),
    removed: &'a [(u64, u32)],
    draw: bool,
) -> Outcome<ChunkWork<'a>> {
    let group = &source.groups[at.0];
    let (shape, chunk) = (&source.shapes[at.1], &group.chunks[at.1]);
    let reader = PageReader::new(&source.file, shape, chunk)?;
    let selection = &selection.leaves[at.1];
    Ok(ChunkWork { reader, chunk, pages, shape, group, at, selection, removed, draw })
}

fn guard_changes(guard: &Guard, source: &Source, leaf: usize, decision: &Decision) -> Outcome<()> {
    let changes = decision.edits.iter().flat_map(|edit| &edit.changes);
    let kind = &source.shapes[leaf].kind;
    changes.into_iter().try_for_each(|change| guard.check(kind, &change.old))
}

/// Writes the new file to `file`, which is empty and stays so where nothing changes.
pub(crate) fn splice(source: &Source, selection: &Selection<'_>, file: &File) -> Outcome<Spliced> {
    let mut tally = Tally::new(selection.work);
    let guard = Guard::new(source);
    let removed: Vec<Vec<(u64, u32)>> = (0..source.groups.len())
        .map(|group| count_removed(selection, group, source, &mut tally))
        .collect();
    let mut order: Vec<(usize, usize)> = (0..source.groups.len())
        .flat_map(|group| (0..source.shapes.len()).map(move |leaf| (group, leaf)))
        .collect();
    order.sort_by_key(|(group, leaf)| source.groups[*group].chunks[*leaf].pages.start);

    let mut out = Out { source: &source.file, file, at: 0, pending: Vec::new(), copied: 0 };
    // The magic.
    out.copy(0..4);
    let mut placed = BTreeMap::new();
    let mut encoded = 0;
    for at in order {
        let group = &source.groups[at.0];
        let chunk = &group.chunks[at.1];
        let removed = &removed[at.0];
        let goes = group.rows > 0 && removed.len() as u64 == group.rows;
        let mut new = None;
        let mut reordered = false;
        if !removed.is_empty() || !selection.leaves[at.1].picks(&group.range()).is_empty() {
            let pages = walk(&source.file, chunk)?;
            let work = chunk_work(source, selection, &pages, at, removed, true)?;
            let decision = decide(&work, &mut tally)?;
            guard_changes(&guard, source, at.1, &decision)?;
            reordered = decision.masked;
            if tally.touches(at.0, at.1) && !goes {
                new = Some(rewrite(source, &work, decision)?);
            }
        }
        if goes {
            continue;
        }
        let start = out.at;
        match &mut new {
            Some(new) => {
                encoded += new.encoded;
                for piece in new.pieces.drain(..) {
                    match piece {
                        Piece::Copy(range) => out.copy(range),
                        Piece::Bytes(bytes) => out.bytes(&bytes)?,
                    }
                }
            }
            None => out.copy(chunk.pages.clone()),
        }
        placed.insert(at, Placed { start, new, reordered });
    }
    if tally.is_idle() {
        return Ok(Spliced { counts: tally.finish(source), copied: 0, encoded: 0 });
    }
    let footer = footer(source, &removed, placed, &mut out)?;
    let mut bytes = footer_bytes(&footer, false)?;
    if source::digest(&bytes) == source.stamp.footer {
        // Values of one width, without statistics: the ledger tells the files apart by their footers.
        bytes = footer_bytes(&footer, true)?;
    }
    out.bytes(&bytes)?;
    let copied = out.copied;
    Ok(Spliced { counts: tally.finish(source), copied, encoded })
}

/// A chunk in the new file.
struct Placed {
    start: u64,
    /// `None`: copied.
    new: Option<NewChunk>,
    /// Whether its values may stand in another order than they did.
    reordered: bool,
}

/// Writes filters and indexes, and makes the footer.
fn footer(
    source: &Source,
    removed: &[Vec<(u64, u32)>],
    mut placed: BTreeMap<(usize, usize), Placed>,
    out: &mut Out<'_>,
) -> Outcome<Struct> {
    let mut blooms = BTreeMap::new();
    let mut columns = BTreeMap::new();
    let mut offsets = BTreeMap::new();
    for (at, placed) in &placed {
        let bloom = match (&placed.new, &source.groups[at.0].chunks[at.1].bloom) {
            (Some(new), _) => new.bloom.clone(),
            (None, Some(range)) => Some(source.read(range)?),
            (None, None) => None,
        };
        if let Some(bytes) = bloom {
            blooms.insert(*at, out.section(&bytes)?);
        }
    }
    for (at, placed) in &placed {
        let bytes = match (&placed.new, &source.groups[at.0].chunks[at.1].column_index) {
            (Some(new), _) => new.indexes.column.as_ref().map(tree_bytes),
            (None, Some(range)) => Some(source.read(range)?),
            (None, None) => None,
        };
        if let Some(bytes) = bytes {
            columns.insert(*at, out.section(&bytes)?);
        }
    }
    for (at, placed) in &mut placed {
        let chunk = &source.groups[at.0].chunks[at.1];
        let (index, shift) = match (&mut placed.new, &chunk.offset_index) {
            (Some(new), _) => (new.indexes.offset.take(), placed.start.cast_signed()),
            (None, Some(range)) => {
                let (tree, _) = Struct::read(&source.read(range)?)
                    .map_err(|_| Problem::unreadable("an offset index is malformed"))?;
                (Some(tree), placed.start.cast_signed() - chunk.pages.start.cast_signed())
            }
            (None, None) => (None, 0),
        };
        if let Some(mut index) = index {
            for page in index.list_mut(1).into_iter().flatten().filter_map(Value::structure_mut) {
                shift_field(page, 1, shift);
            }
            offsets.insert(*at, out.section(&tree_bytes(&index))?);
        }
    }
    let mut tree = source.footer.clone();
    let groups = tree.list_mut(4).map(std::mem::take).unwrap_or_default();
    let mut kept = Vec::with_capacity(groups.len());
    let mut rows = 0;
    for (index, mut group) in groups.into_iter().enumerate() {
        if !placed.contains_key(&(index, 0)) && !source.shapes.is_empty() {
            continue;
        }
        let malformed = || Problem::unreadable("its footer has malformed row groups");
        let group_tree = group.structure_mut().ok_or_else(malformed)?;
        for leaf in 0..source.shapes.len() {
            let at = (index, leaf);
            let column = group_tree
                .list_mut(1)
                .and_then(|columns| columns.get_mut(leaf))
                .and_then(Value::structure_mut)
                .ok_or_else(malformed)?;
            let Some(placed) = placed.get(&at) else { return Err(malformed()) };
            let chunk = &source.groups[index].chunks[leaf];
            place_chunk(column, chunk, placed, blooms.get(&at));
            place_section(column, (4, 5), offsets.get(&at));
            place_section(column, (6, 7), columns.get(&at));
        }
        let lost = removed[index].len() as i64;
        let left = group_tree.i64(3).unwrap_or(0) - lost;
        rows += left;
        group_tree.set(3, Value::I64(left));
        finish_group(group_tree, source.footer_group(index), kept.len(), |leaf| {
            placed.get(&(index, leaf)).is_some_and(|placed| placed.reordered)
        });
        kept.push(group);
    }
    tree.set(4, Value::List(STRUCTS, kept));
    tree.set(3, Value::I64(rows));
    Ok(tree)
}

/// The footer with its length and magic. `long` writes its first number, the format's version, one byte
/// longer than it needs: the same to every reader, in other bytes.
fn footer_bytes(footer: &Struct, long: bool) -> Outcome<Vec<u8>> {
    let mut bytes = tree_bytes(footer);
    // Field 1, of 32 bits.
    if long
        && bytes.first() == Some(&0x15)
        && let Some(last) = bytes.iter().skip(1).position(|byte| *byte < 0x80) {
        bytes[1 + last] |= 0x80;
        bytes.insert(2 + last, 0);
    }
    let length = u32::try_from(bytes.len())
        .map_err(|_| Problem::refused("its footer would become too large"))?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(b"PAR1");
    Ok(bytes)
}

fn tree_bytes(tree: &Struct) -> Vec<u8> {
    let mut bytes = Vec::new();
    tree.write(&mut bytes);
    bytes
}

fn shift_field(tree: &mut Struct, id: i16, by: i64) {
    if let Some(Value::I64(place)) = tree.get_mut(id) {
        *place += by;
    }
}

fn place_section(column: &mut Struct, (at, length): (i16, i16), section: Option<&Range<u64>>) {
    match section {
        Some(range) => {
            column.set(at, Value::I64(range.start.cast_signed()));
            column.set(length, Value::I32((range.end - range.start) as i32));
        }
        None => {
            column.remove(at);
            column.remove(length);
        }
    }
}

/// Brings a `ColumnChunk` to its new place.
fn place_chunk(column: &mut Struct, chunk: &Chunk, placed: &Placed, bloom: Option<&Range<u64>>) {
    // Writers say 0, the start, or a place behind the chunk that is no more.
    if column.i64(2) != Some(0) {
        column.set(2, Value::I64(placed.start.cast_signed()));
    }
    if let Some(new) = &placed.new {
        column.set(3, Value::Struct(new.meta.clone()));
    }
    let Some(meta) = column.structure_mut(3) else { return };
    match &placed.new {
        Some(new) => {
            meta.set(9, Value::I64((placed.start + new.first_data).cast_signed()));
            meta.remove(10);
            if meta.i64(11).is_some_and(|at| at > 0) {
                meta.set(11, Value::I64(placed.start.cast_signed()));
            }
        }
        None => {
            let shift = placed.start.cast_signed() - chunk.pages.start.cast_signed();
            for id in [9, 10, 11] {
                if meta.i64(id).is_some_and(|at| at > 0) {
                    shift_field(meta, id, shift);
                }
            }
        }
    }
    if let Some(range) = bloom {
        meta.set(14, Value::I64(range.start.cast_signed()));
        if meta.has(15) {
            meta.set(15, Value::I32((range.end - range.start) as i32));
        }
    }
}

/// Brings the sums of a `RowGroup` up to date.
fn finish_group(
    group: &mut Struct,
    before: Option<&Struct>,
    ordinal: usize,
    reordered: impl Fn(usize) -> bool,
) {
    let sum = |group: &Struct, id| -> i64 {
        let columns = group.list(1).unwrap_or_default().iter().filter_map(Value::structure);
        columns.filter_map(|column| column.structure(3)?.i64(id)).sum()
    };
    for (total, part) in [(2, 6), (6, 7)] {
        if let (Some(old), Some(before)) = (group.i64(total), before) {
            group.set(total, Value::I64(old + sum(group, part) - sum(before, part)));
        }
    }
    if group.has(5) {
        let starts = group.list(1).unwrap_or_default().iter().filter_map(Value::structure);
        let starts = starts.filter_map(|column| {
            let meta = column.structure(3)?;
            Some(meta.i64(11).filter(|at| *at > 0).or(meta.i64(9))?.min(meta.i64(9)?))
        });
        let first = starts.min().unwrap_or(0);
        group.set(5, Value::I64(first));
    }
    if group.has(7) {
        group.set(7, Value::I16(i16::try_from(ordinal).unwrap_or(i16::MAX)));
    }
    // Rows are still sorted by the columns before the first that changed.
    let mut sorted = false;
    if let Some(columns) = group.list_mut(4) {
        let changed = columns.iter().position(|column| {
            let column = column.structure().and_then(|column| column.i32(1));
            column.and_then(|at| usize::try_from(at).ok()).is_none_or(&reordered)
        });
        columns.truncate(changed.unwrap_or(columns.len()));
        sorted = !columns.is_empty();
    }
    if !sorted {
        group.remove(4);
    }
}

/// The file in the making. Nothing is written before the first byte that the source does not have.
struct Out<'a> {
    source: &'a File,
    file: &'a File,
    /// Where the next byte goes.
    at: u64,
    /// What is to be copied before anything else is written.
    pending: Vec<Range<u64>>,
    copied: u64,
}

impl Out<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.flush()?;
        let mut file = self.file;
        file.write_all(bytes).map_err(Problem::io("write beside"))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn section(&mut self, bytes: &[u8]) -> Outcome<Range<u64>> {
        let start = self.at;
        self.bytes(bytes)?;
        Ok(start..self.at)
    }

    fn copy(&mut self, range: Range<u64>) {
        self.at += range.end - range.start;
        match self.pending.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.pending.push(range),
        }
    }

    fn flush(&mut self) -> Outcome<()> {
        const STEP: usize = 1 << 19;
        let mut buffer = vec![0; if self.pending.is_empty() { 0 } else { STEP }];
        for range in self.pending.drain(..) {
            let mut from = range.start;
            while from < range.end {
                let step = &mut buffer[..(range.end - from).min(STEP as u64) as usize];
                self.source.read_exact_at(step, from).map_err(Problem::io("read"))?;
                let mut file = self.file;
                file.write_all(step).map_err(Problem::io("write beside"))?;
                from += step.len() as u64;
            }
            self.copied += range.end - range.start;
        }
        Ok(())
    }
}
