//! The page indexes and size statistics of a chunk after a change.

use super::decide::{ChunkWork, PageEdit};
use super::error::{Outcome, Problem};
use super::levels::count_of;
use super::order::{Bound, Bounds, Gather, Order};
use super::shape::Shape;
use super::source::Source;
use super::stats;
use super::thrift::{Struct, Value};
use super::values::{Physical, Put};

/// `ColumnIndex` and `OffsetIndex`. Offsets count from the start of the chunk.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    pub(crate) column: Option<Struct>,
    pub(crate) offset: Option<Struct>,
}

/// A data page in its new place; of size 0 where it is gone.
pub(crate) struct Placed<'a> {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) edit: Option<&'a PageEdit>,
}

fn misfit() -> Problem {
    Problem::unreadable("a page index does not fit its pages")
}

impl Indexes {
    /// The indexes that the source has, for the pages as they are now.
    pub(crate) fn rebuild(
        source: &Source,
        work: &ChunkWork<'_>,
        placed: &[Placed<'_>],
        gather: impl Fn(&PageEdit) -> Gather,
    ) -> Outcome<Self> {
        let read = |range: &Option<std::ops::Range<u64>>| match range {
            Some(range) => {
                Struct::read(&source.read(range)?).map(|(tree, _)| Some(tree)).map_err(|_| misfit())
            }
            None => Ok(None),
        };
        let mut offset = read(&work.chunk.offset_index)?;
        if let Some(index) = &mut offset {
            edit_offsets(index, placed, work.shape)?;
        }
        let column = match read(&work.chunk.column_index)? {
            Some(index) => edit_bounds(index, placed, work.shape, gather)?,
            None => None,
        };
        Ok(Self { column, offset })
    }
}

fn edit_offsets(index: &mut Struct, placed: &[Placed<'_>], shape: &Shape) -> Outcome<()> {
    let pages = index.list_mut(1).filter(|list| list.len() == placed.len()).ok_or_else(misfit)?;
    let mut lost = 0;
    for (page, placed) in pages.iter_mut().zip(placed) {
        let page = page.structure_mut().ok_or_else(misfit)?;
        let row = page.i64(3).ok_or_else(misfit)?;
        page.set(1, Value::I64(placed.start.cast_signed()));
        page.set(2, Value::I32(i32::try_from(placed.size).map_err(|_| misfit())?));
        page.set(3, Value::I64(row - lost));
        lost += placed.edit.map_or(0, |edit| edit.rows_lost);
    }
    keep_placed(pages, placed);
    if let Some(bytes) = index.list_mut(2).filter(|list| list.len() == placed.len()) {
        for (bytes, placed) in bytes.iter_mut().zip(placed) {
            if let (Value::I64(bytes), Some(edit)) = (bytes, placed.edit) {
                *bytes += plain_bytes_added(edit, shape);
            }
        }
        keep_placed(bytes, placed);
    } else {
        index.remove(2);
    }
    Ok(())
}

fn keep_placed<T>(list: &mut Vec<T>, placed: &[Placed<'_>]) {
    let mut sizes = placed.iter().map(|placed| placed.size);
    list.retain(|_| sizes.next() != Some(0));
}

fn edit_bounds(
    mut index: Struct,
    placed: &[Placed<'_>],
    shape: &Shape,
    gather: impl Fn(&PageEdit) -> Gather,
) -> Outcome<Option<Struct>> {
    let fits = |index: &Struct, id| index.list(id).is_some_and(|list| list.len() == placed.len());
    if ![1, 2, 3].into_iter().all(|id| fits(&index, id)) {
        return Err(misfit());
    }
    for (at, edit) in placed.iter().enumerate().filter_map(|(at, p)| Some((at, p.edit?))) {
        let bytes = |id| match index.list(id).and_then(|list| list.get(at)) {
            Some(Value::Bytes(bytes)) => Ok(Bound { value: bytes.clone(), exact: None }),
            _ => Err(misfit()),
        };
        let old = Bounds { min: bytes(2)?, max: bytes(3)? };
        let empty = index.list(1).and_then(|list| list.get(at)) == Some(&Value::Bool(true));
        let nulls = edit.nulls(shape.max_def, shape.max_rep > 0);
        if let Some(Value::I64(count)) = index.list_mut(5).and_then(|list| list.get_mut(at)) {
            match nulls.after(*count) {
                Some(after) => *count = after,
                None => index.remove(5),
            }
        }
        if empty || edit.changes.is_empty() {
            continue;
        }
        let new = match shape.order {
            Order::Unknown => None,
            order => stats::after(old, order, edit.changes.iter(), || Ok(gather(edit).bounds()))?,
        };
        let empty = !edit.def.contains(&shape.max_def);
        let (min, max) = match new {
            Some(new) => (new.min.value, new.max.value),
            None if empty => (Vec::new(), Vec::new()),
            // Values without a place in the order (NaN): the format has no index for such a page.
            None => return Ok(None),
        };
        for (id, value) in [(1, Value::Bool(empty)), (2, Value::Bytes(min)), (3, Value::Bytes(max))]
        {
            if let Some(place) = index.list_mut(id).and_then(|list| list.get_mut(at)) {
                *place = value;
            }
        }
    }
    for (id, most) in [(6, shape.max_rep), (7, shape.max_def)] {
        edit_histograms(&mut index, id, usize::from(most) + 1, placed);
    }
    for id in [1, 2, 3, 5] {
        if let Some(list) = index.list_mut(id) {
            keep_placed(list, placed);
        }
    }
    if !in_order(&index, shape.order) {
        index.set(4, Value::I32(0));
    }
    Ok(Some(index))
}

/// One histogram of levels a page, in one list.
fn edit_histograms(index: &mut Struct, id: i16, width: usize, placed: &[Placed<'_>]) {
    let Some(list) = index.list_mut(id) else { return };
    if list.len() != width * placed.len() {
        if !list.is_empty() {
            index.remove(id);
        }
        return;
    }
    let mut new = Vec::with_capacity(list.len());
    for (counts, placed) in list.chunks(width).zip(placed).filter(|(_, placed)| placed.size > 0) {
        let start = new.len();
        new.extend_from_slice(counts);
        if let Some(edit) = placed.edit {
            add_levels(&mut new[start..], edit, id == 7);
        }
    }
    *list = new;
}

fn add_levels(counts: &mut [Value], edit: &PageEdit, definition: bool) {
    let (old, new) = match definition {
        true => (&edit.loaded.def, &edit.def),
        false => (&edit.loaded.rep, &edit.rep),
    };
    // Leaves in no list keep no repetition levels: all are 0.
    let flat = !definition && old.is_empty() && !edit.loaded.def.is_empty();
    for (level, count) in (0..=u8::MAX).zip(counts.iter_mut()) {
        if let Value::I64(count) = count {
            *count += count_of(new, level) as i64 - count_of(old, level) as i64;
        }
    }
    if let (true, Some(Value::I64(count))) = (flat, counts.first_mut()) {
        *count += edit.def.len() as i64 - edit.loaded.def.len() as i64;
    }
}

/// Whether the pages still follow the order that the index claims.
fn in_order(index: &Struct, order: Order) -> bool {
    let wanted = match index.i32(4) {
        Some(1) => std::cmp::Ordering::Greater,
        Some(2) => std::cmp::Ordering::Less,
        _ => return true,
    };
    let empty = index.list(1).unwrap_or_default();
    [2, 3].into_iter().all(|id| {
        let bounds = index.list(id).unwrap_or_default().iter().zip(empty);
        let bounds: Vec<&[u8]> = bounds
            .filter(|(_, empty)| **empty == Value::Bool(false))
            .filter_map(|(bound, _)| match bound {
                Value::Bytes(bytes) => Some(bytes.as_slice()),
                _ => None,
            })
            .collect();
        bounds
            .windows(2)
            .all(|pair| order.compare(pair[0], pair[1]).is_some_and(|found| found != wanted))
    })
}

/// Edits a chunk's `SizeStatistics`.
pub(crate) fn edit_sizes<'a>(
    sizes: &mut Struct,
    shape: &Shape,
    edits: impl Iterator<Item = &'a PageEdit>,
) {
    for edit in edits {
        if let Some(Value::I64(bytes)) = sizes.get_mut(1) {
            *bytes += plain_bytes_added(edit, shape);
        }
        for (id, most) in [(2, shape.max_rep), (3, shape.max_def)] {
            if let Some(counts) = sizes.list_mut(id).filter(|c| c.len() == usize::from(most) + 1) {
                add_levels(counts, edit, id == 3);
            }
        }
    }
}

/// How many bytes of byte arrays come or go.
fn plain_bytes_added(edit: &PageEdit, shape: &Shape) -> i64 {
    if shape.physical != Physical::Bytes {
        return 0;
    }
    let added = edit.changes.iter().map(|change| {
        let new = match &change.put {
            Put::Drop => 0,
            Put::Value(value) => value.len(),
        };
        new as i64 - change.old.len() as i64
    });
    added.sum()
}
