//! The proof of a staged file, from what is read back: nothing that had to stay is different, nothing
//! that had to go is there.
//!
//! Chunks that were encoded again were proven value by value when they were written (`proof_chunk`);
//! here it is shown that what was proven is what the file holds, and that all else is the original's.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::{Outcome, Problem};
use super::source::{Chunk, Source};
use super::splice::Spliced;
use super::thrift::{Struct, Value};

/// Proves a staged file.
pub(crate) fn prove(old: &Source, staged: &Path, spliced: &Spliced) -> Outcome<()> {
    let new = Source::open(staged).map_err(|_| Problem::proof("it cannot be read back"))?;
    no_gaps(&new)?;
    if new.footer != spliced.footer {
        return Err(Problem::proof("its footer is not what was written"));
    }
    for (range, checksum) in &spliced.written {
        if crc32fast::hash(&new.read(range)?) != *checksum {
            return Err(Problem::proof("it does not hold what was written"));
        }
    }
    let kept = &spliced.groups;
    let rows: Vec<u64> = new.groups.iter().map(|group| group.rows).collect();
    if rows != kept.iter().map(|(_, rows)| *rows).collect::<Vec<_>>() {
        return Err(Problem::proof("its row groups hold other numbers of rows"));
    }
    let is_touched = |group: usize, leaf: usize| spliced.touched.contains(&(group, leaf));
    let pairs: Vec<usize> = kept.iter().map(|(from, _)| *from).collect();
    same_footers(old, &new, &pairs, is_touched)?;
    let mut compare = Compare::new(&old.file, &new.file);
    for (to, from) in pairs.iter().enumerate() {
        for leaf in (0..old.shapes.len()).filter(|leaf| !is_touched(*from, *leaf)) {
            let (was, is) = (&old.groups[*from].chunks[leaf], &new.groups[to].chunks[leaf]);
            copied(old, &new, was, is, &mut compare)?;
        }
    }
    copied_pages(&spliced.copied_pages, &mut compare)
}

/// Pages of touched chunks that were taken over.
fn copied_pages(pages: &[(Range<u64>, u64)], compare: &mut Compare<'_>) -> Outcome<()> {
    for (was, start) in pages {
        let is = *start..*start + (was.end - was.start);
        if !compare.same(was, &is)? {
            return Err(Problem::proof("a page that had to stay is different"));
        }
    }
    Ok(())
}

/// Every byte belongs to a chunk, a filter, an index or the footer.
fn no_gaps(new: &Source) -> Outcome<()> {
    let mut parts: Vec<Range<u64>> = Vec::new();
    for chunk in new.groups.iter().flat_map(|group| &group.chunks) {
        parts.push(chunk.pages.clone());
        parts.extend(chunk.column_index.clone());
        parts.extend(chunk.offset_index.clone());
        parts.extend(chunk.bloom.clone());
    }
    parts.retain(|range| !range.is_empty());
    parts.sort_by_key(|range| range.start);
    let mut at = 4;
    for part in parts {
        if part.start != at {
            return Err(Problem::proof("it holds bytes that belong to nothing"));
        }
        at = part.end;
    }
    if at == new.body {
        Ok(())
    } else {
        Err(Problem::proof("it holds bytes that belong to nothing"))
    }
}

/// A chunk that was not touched: its bytes, and those of its filter and indexes, are the same.
fn copied(
    old: &Source,
    new: &Source,
    was: &Chunk,
    is: &Chunk,
    compare: &mut Compare<'_>,
) -> Outcome<()> {
    let differs = || Problem::proof("a column that had to stay is different");
    if !compare.same(&was.pages, &is.pages)? {
        return Err(differs());
    }
    for (was, is) in [(&was.bloom, &is.bloom), (&was.column_index, &is.column_index)] {
        match (was, is) {
            (None, None) => {}
            (Some(was), Some(is)) if compare.same(was, is)? => {}
            _ => return Err(differs()),
        }
    }
    match (&was.offset_index, &is.offset_index) {
        (None, None) => Ok(()),
        (Some(before), Some(after)) => {
            let read = |source: &Source, range, start: u64| {
                let (mut tree, _) = Struct::read(&source.read(range)?).map_err(|_| differs())?;
                for page in tree.list_mut(1).into_iter().flatten() {
                    let page = page.structure_mut().ok_or_else(differs)?;
                    let at = page.i64(1).ok_or_else(differs)?;
                    page.set(1, Value::I64(at - start.cast_signed()));
                }
                Ok(tree)
            };
            let before = read(old, before, was.pages.start)?;
            if before == read(new, after, is.pages.start)? { Ok(()) } else { Err(differs()) }
        }
        _ => Err(differs()),
    }
}

/// Footers are equal but for what a rewrite must change.
fn same_footers(
    old: &Source,
    new: &Source,
    pairs: &[usize],
    is_touched: impl Fn(usize, usize) -> bool,
) -> Outcome<()> {
    let differs = || Problem::proof("its footer differs where it must not");
    let without = |tree: &Struct, ids: &[i16]| {
        let mut tree = tree.clone();
        ids.iter().for_each(|id| tree.remove(*id));
        tree
    };
    if without(&old.footer, &[3, 4]) != without(&new.footer, &[3, 4]) {
        return Err(differs());
    }
    for (to, from) in pairs.iter().enumerate() {
        let was = old.footer_group(*from).ok_or_else(differs)?;
        let is = new.footer_group(to).ok_or_else(differs)?;
        let sums = [1, 2, 3, 4, 5, 6, 7];
        if without(was, &sums) != without(is, &sums) {
            return Err(differs());
        }
        let sorted = is.list(4).unwrap_or_default();
        if !was.list(4).unwrap_or_default().starts_with(sorted) {
            return Err(differs());
        }
        for leaf in 0..old.shapes.len() {
            let (Some(was), Some(is)) = (old.column(*from, leaf), new.column(to, leaf)) else {
                return Err(differs());
            };
            // Places; and in touched chunks counts, sizes and statistics.
            let places = [9, 10, 11, 14, 15];
            let touched = [5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17];
            let ids = if is_touched(*from, leaf) { &touched[..] } else { &places[..] };
            if without(was, ids) != without(is, ids) {
                return Err(differs());
            }
        }
    }
    Ok(())
}

/// Compares ranges of two files.
struct Compare<'a> {
    files: [&'a File; 2],
    buffers: [Vec<u8>; 2],
}

impl<'a> Compare<'a> {
    fn new(old: &'a File, new: &'a File) -> Self {
        const STEP: usize = 1 << 18;
        Self { files: [old, new], buffers: [vec![0; STEP], vec![0; STEP]] }
    }

    fn same(&mut self, was: &Range<u64>, is: &Range<u64>) -> Outcome<bool> {
        let length = was.end - was.start;
        if is.end - is.start != length {
            return Ok(false);
        }
        let mut at = 0;
        while at < length {
            let step = (length - at).min(self.buffers[0].len() as u64) as usize;
            for (i, start) in [was.start, is.start].into_iter().enumerate() {
                self.files[i]
                    .read_exact_at(&mut self.buffers[i][..step], start + at)
                    .map_err(Problem::io("read back"))?;
            }
            if self.buffers[0][..step] != self.buffers[1][..step] {
                return Ok(false);
            }
            at += step as u64;
        }
        Ok(true)
    }
}
