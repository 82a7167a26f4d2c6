//! The footer of the new file: the source's tree, in which only what had to change is changed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::chunk::NewChunk;
use super::error::{Outcome, Problem};
use super::out::Out;
use super::source::{Chunk, Source};
use super::thrift::{STRUCTS, Struct, Value};

/// A chunk in the new file.
pub(crate) struct Placed {
    pub(crate) start: u64,
    /// `None`: copied.
    pub(crate) new: Option<NewChunk>,
    /// Whether its values may stand in another order than they did.
    pub(crate) reordered: bool,
}

/// Writes filters and indexes, and makes the footer.
pub(crate) fn footer(
    source: &Source,
    kept: &[(usize, u64)],
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
    let mut groups = Vec::with_capacity(kept.len());
    for (index, rows) in kept {
        let index = *index;
        let malformed = || Problem::unreadable("its footer has malformed row groups");
        let mut group = source.footer_group(index).cloned().ok_or_else(malformed)?;
        for leaf in 0..source.shapes.len() {
            let at = (index, leaf);
            let column = group
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
        group.set(3, Value::I64(rows.cast_signed()));
        finish_group(&mut group, source.footer_group(index), groups.len(), |leaf| {
            placed.get(&(index, leaf)).is_some_and(|placed| placed.reordered)
        });
        groups.push(Value::Struct(group));
    }
    tree.set(4, Value::List(STRUCTS, groups));
    tree.set(3, Value::I64(kept.iter().map(|(_, rows)| rows.cast_signed()).sum()));
    Ok(tree)
}

/// The footer with its length and magic. `long` writes its first number, the format's version, one byte
/// longer than it needs: the same to every reader, in other bytes.
pub(crate) fn footer_bytes(footer: &Struct, long: bool) -> Outcome<Vec<u8>> {
    let mut bytes = tree_bytes(footer);
    // Field 1, of 32 bits.
    if long
        && bytes.first() == Some(&0x15)
        && let Some(last) = bytes.iter().skip(1).position(|byte| *byte < 0x80)
    {
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
            // Old parquet-mr says nothing of a dictionary: its data begin where the dictionary does.
            let named = meta.i64(11).is_some_and(|at| at > 0);
            let data = if named { new.first_data } else { 0 };
            meta.set(9, Value::I64((placed.start + data).cast_signed()));
            meta.remove(10);
            if named {
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
