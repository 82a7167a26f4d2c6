//! The new file: untouched column chunks copied byte for byte, touched ones encoded again, and a
//! footer in which only what had to change is changed.
//!
//! Gaps of the source, which old writers filled with copies of chunk metadata, are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Seek;
use std::ops::Range;

use crate::plan::FileCounts;

use super::chunk::{Piece, rewrite};
use super::decide::{ChunkWork, Decision, decide};
use super::error::{Outcome, Problem};
use super::faults::{Faults, Step, after};
use super::footer::{Placed, footer, footer_bytes};
use super::guard::Guard;
use super::out::Out;
use super::pages::{Page, PageReader, walk};
use super::proof_chunk::prove_chunk;
use super::select::{LeafSelection, Selection};
use super::snappy::Scan;
use super::source::{self, Source};
use super::tally::Tally;
use super::thrift::Struct;

/// What a splice did.
#[derive(Default)]
pub(crate) struct Spliced {
    pub(crate) counts: FileCounts,
    /// Bytes taken over as they were.
    pub(crate) copied: u64,
    /// Bytes of pages that were encoded again; 0 where nothing changes.
    pub(crate) encoded: u64,
    /// The footer that was written.
    pub(crate) footer: Struct,
    /// The row groups that are left: which one of the source it was, and its rows now.
    pub(crate) groups: Vec<(usize, u64)>,
    /// Row groups of the source and columns that were written anew.
    pub(crate) touched: BTreeSet<(usize, usize)>,
    /// Ranges of the new file that are not the source's, with their checksums.
    pub(crate) written: Vec<(Range<u64>, u32)>,
    /// Pages of touched chunks that were copied: where they were, and where they are.
    pub(crate) copied_pages: Vec<(Range<u64>, u64)>,
}

/// Counts what the work changes, without writing.
pub(crate) fn measure(source: &Source, selection: &Selection<'_>) -> Outcome<FileCounts> {
    let mut tally = Tally::new(selection.work);
    let guard = Guard::new(source);
    for (index, group) in source.groups.iter().enumerate() {
        let removed = count_removed(selection, index, source, &mut tally);
        if !removed.is_empty() && guard.tells_more() {
            guard_removed(&guard, source, selection, index, &removed)?;
        }
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
    decide(&chunk_work(source, selection, pages, at, removed, draw, Scan::Near)?, tally)
}

pub(crate) fn chunk_work<'a>(
    source: &'a Source,
    selection: &'a Selection<'a>,
    pages: &'a [Page],
    at: (usize, usize),
    removed: &'a [(u64, u32)],
    draw: bool,
    scan: Scan,
) -> Outcome<ChunkWork<'a>> {
    let group = &source.groups[at.0];
    let (shape, chunk) = (&source.shapes[at.1], &group.chunks[at.1]);
    let reader = PageReader::new(&source.file, shape, chunk)?;
    let selection = &selection.leaves[at.1];
    Ok(ChunkWork { reader, chunk, pages, shape, group, at, selection, removed, draw, scan })
}

/// Holds the values of rows that go against the metadata, which need not be looked at otherwise.
fn guard_removed(
    guard: &Guard,
    source: &Source,
    selection: &Selection<'_>,
    group: usize,
    removed: &[(u64, u32)],
) -> Outcome<()> {
    let nothing = LeafSelection::default();
    let mut uncounted = Tally::new(selection.work);
    for leaf in 0..source.shapes.len() {
        let pages = walk(&source.file, &source.groups[group].chunks[leaf])?;
        let work = chunk_work(source, selection, &pages, (group, leaf), removed, true, Scan::Near)?;
        let work = ChunkWork { selection: &nothing, ..work };
        let decision = decide(&work, &mut uncounted)?;
        guard_changes(guard, source, leaf, &decision)?;
    }
    Ok(())
}

fn guard_changes(guard: &Guard, source: &Source, leaf: usize, decision: &Decision) -> Outcome<()> {
    let changes = decision.edits.iter().flat_map(|edit| &edit.changes);
    let kind = &source.shapes[leaf].kind;
    changes.into_iter().try_for_each(|change| guard.check(kind, &change.old))
}

/// Writes the new file to `file`, which is empty and stays so where nothing changes.
pub(crate) fn splice(
    source: &Source,
    selection: &Selection<'_>,
    file: &File,
    faults: &dyn Faults,
) -> Outcome<Spliced> {
    match write(source, selection, file, faults, Scan::Near) {
        Err(Problem::Proof(_)) => {
            let mut emptied = file;
            file.set_len(0).and_then(|()| emptied.rewind()).map_err(Problem::io("write beside"))?;
            write(source, selection, file, faults, Scan::Whole)
        }
        done => done,
    }
}

fn write(
    source: &Source,
    selection: &Selection<'_>,
    file: &File,
    faults: &dyn Faults,
    scan: Scan,
) -> Outcome<Spliced> {
    let mut tally = Tally::new(selection.work);
    let guard = Guard::new(source);
    let removed: Vec<Vec<(u64, u32)>> = (0..source.groups.len())
        .map(|group| count_removed(selection, group, source, &mut tally))
        .collect();
    let mut order: Vec<(usize, usize)> = (0..source.groups.len())
        .flat_map(|group| (0..source.shapes.len()).map(move |leaf| (group, leaf)))
        .collect();
    order.sort_by_key(|(group, leaf)| source.groups[*group].chunks[*leaf].pages.start);

    let mut out = Out::new(&source.file, file);
    // The magic.
    out.copy(0..4);
    let mut placed = BTreeMap::new();
    let mut spliced = Spliced::default();
    for at in order {
        let group = &source.groups[at.0];
        let chunk = &group.chunks[at.1];
        let removed = &removed[at.0];
        let goes = group.rows > 0 && removed.len() as u64 == group.rows;
        let mut here = Placed { start: out.at(), new: None, reordered: false };
        let whole = selection.leaves[at.1].whole && group.rows > 0;
        let picked = whole || !selection.leaves[at.1].picks(&group.range()).is_empty();
        if picked || !removed.is_empty() {
            let pages = walk(&source.file, chunk)?;
            let work = chunk_work(source, selection, &pages, at, removed, true, scan)?;
            let mut decision = decide(&work, &mut tally)?;
            guard_changes(&guard, source, at.1, &decision)?;
            here.reordered = decision.masked;
            if (whole || tally.touches(at.0, at.1)) && !goes {
                let mut new = rewrite(source, &work, &mut decision)?;
                spliced.encoded += new.encoded;
                for piece in new.pieces.drain(..) {
                    match piece {
                        Piece::Copy(range) => {
                            spliced.copied_pages.push((range.clone(), out.at()));
                            out.copy(range);
                        }
                        Piece::Bytes(bytes) => out.bytes(&bytes)?,
                    }
                }
                out.flush()?;
                prove_chunk(&work, &decision, &new, file, here.start)?;
                spliced.touched.insert(at);
                here.new = Some(new);
            }
        }
        if goes {
            continue;
        }
        if here.new.is_none() {
            out.copy(chunk.pages.clone());
        }
        placed.insert(at, here);
        after(faults, Step::Chunk)?;
    }
    if tally.is_idle() && !selection.copy {
        return Ok(Spliced { counts: tally.finish(source), ..spliced });
    }
    spliced.groups = (0..source.groups.len())
        .map(|group| (group, source.groups[group].rows - removed[group].len() as u64))
        .filter(|(group, rows)| *rows > 0 || source.groups[*group].rows == 0)
        .collect();
    spliced.footer = footer(source, &spliced.groups, placed, &mut out)?;
    let mut bytes = footer_bytes(&spliced.footer, false)?;
    if source::digest(&bytes) == source.stamp.footer && !selection.copy {
        // Values of one width, without statistics: the ledger tells the files apart by their footers.
        bytes = footer_bytes(&spliced.footer, true)?;
    }
    out.bytes(&bytes)?;
    (spliced.copied, spliced.written) = out.finish();
    spliced.counts = tally.finish(source);
    Ok(spliced)
}
