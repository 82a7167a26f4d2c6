//! The proof of one chunk that was encoded again: its pages are read back and held against the original's,
//! value by value, as soon as they are written.
//!
//! What was decided from the original says where each erased value stood, so the same walk that finds it
//! there finds that it is there no more.

use std::collections::HashMap;
use std::fs::File;

use super::chunk::{NewChunk, empty_filter};
use super::decide::{Change, ChunkWork, Decision, PageEdit};
use super::error::{Outcome, Problem};
use super::order::{Bound, Bounds, Gather, Order};
use super::pages::{Kind, Loaded, Page, PageReader, walk};
use super::source::{Chunk, read};
use super::stats;
use super::thrift::{Struct, Value};
use super::values::{Put, Values};

/// Proves a chunk that was just written to `file` from `start` on, by reading it back.
pub(crate) fn prove_chunk(
    work: &ChunkWork<'_>,
    decision: &Decision,
    new: &NewChunk,
    file: &File,
    start: u64,
) -> Outcome<()> {
    let number = |id| new.meta.i64(id).and_then(|n| u64::try_from(n).ok()).ok_or_else(broken);
    let chunk = Chunk { pages: start..start + number(7)?, slots: number(5)?, ..work.chunk.clone() };
    let pages = walk(file, &chunk).map_err(|_| broken())?;
    let reader = PageReader::new(file, work.shape, &chunk)?;
    let dictionary = match pages.first() {
        Some(first) if first.kind == Kind::Dictionary => {
            Some(reader.dictionary(first).map_err(|_| broken())?)
        }
        _ => None,
    };
    let same = same_entries(decision.dictionary.as_ref(), dictionary.as_ref());
    let sizes =
        [decision.dictionary.as_ref(), dictionary.as_ref()].map(|d| d.map_or(0, Values::len));
    let proof = ChunkProof {
        work,
        new,
        start,
        reader,
        pages: &pages,
        edits: decision.edits.iter().map(|edit| (edit.page, edit)).collect(),
        all_same: sizes == [same.len(); 2] && !same.contains(&false),
        same,
        old_dictionary: decision.dictionary.as_ref(),
        dictionary,
    };
    proof.run()
}

fn broken() -> Problem {
    Problem::proof("a rewritten column cannot be read back")
}

/// Entries that are compared at once.
const STRETCH: usize = 256;

/// For each position, whether both dictionaries hold the same there.
fn same_entries(old: Option<&Values>, new: Option<&Values>) -> Vec<bool> {
    let (Some(old), Some(new)) = (old, new) else { return Vec::new() };
    let count = old.len().min(new.len());
    let mut same = Vec::with_capacity(count);
    for at in (0..count).step_by(STRETCH) {
        let end = count.min(at + STRETCH);
        match old.equal(at, new, at, end - at) {
            true => same.resize(end, true),
            false => same.extend((at..end).map(|at| old.get(at, None) == new.get(at, None))),
        }
    }
    same
}

struct ChunkProof<'a, 'w> {
    work: &'a ChunkWork<'w>,
    new: &'a NewChunk,
    start: u64,
    reader: PageReader<'a>,
    pages: &'a [Page],
    edits: HashMap<usize, &'a PageEdit>,
    /// For each position, whether the old and the new dictionary hold the same there.
    same: Vec<bool>,
    /// Whether they are the same all over.
    all_same: bool,
    old_dictionary: Option<&'a Values>,
    dictionary: Option<Values>,
}

impl ChunkProof<'_, '_> {
    fn run(&self) -> Outcome<()> {
        let entries = self.dictionary.as_ref().map_or(0, Values::len);
        let mut referred = vec![false; entries];
        let mut new_pages = self.pages.iter().filter(|page| page.is_data());
        let mut pairs = Vec::new();
        for (index, page) in self.work.pages.iter().enumerate().filter(|(_, page)| page.is_data()) {
            let edit = self.edits.get(&index).copied();
            if edit.is_some_and(|edit| edit.def.is_empty()) {
                pairs.push((page, None, edit));
                continue;
            }
            let new = new_pages.next().ok_or_else(broken)?;
            if (page.kind, page.encoding) != (new.kind, new.encoding) {
                return Err(Problem::proof("a page is encoded in another way than it was"));
            }
            self.page(page, new, edit, &mut referred)?;
            pairs.push((page, Some(new), edit));
        }
        if new_pages.next().is_some() {
            return Err(broken());
        }
        if referred.contains(&false) {
            return Err(Problem::proof("a dictionary holds an entry that nothing refers to"));
        }
        self.statistics(&pairs)
    }

    /// Values and levels of a page.
    fn page(
        &self,
        old: &Page,
        new: &Page,
        edit: Option<&PageEdit>,
        referred: &mut [bool],
    ) -> Outcome<()> {
        let entries = self.dictionary.as_ref().map_or(0, Values::len);
        let refer = |loaded: &Loaded, referred: &mut [bool]| {
            if let Values::Indices(indices) = &loaded.values {
                indices.iter().for_each(|index| referred[*index as usize] = true);
            }
        };
        let Some(edit) = edit else {
            let bodies =
                [read(self.work.reader.file(), &old.range)?, read(self.reader.file(), &new.range)?];
            let equal = bodies[0] == bodies[1];
            if equal && !new.is_dictionary_encoded() {
                return Ok(());
            }
            let after = self.reader.load(new, entries).map_err(|_| broken())?;
            refer(&after, referred);
            let unmoved = equal
                && match &after.values {
                    Values::Indices(indices) => indices.iter().all(|index| self.is_same(*index)),
                    _ => true,
                };
            if unmoved {
                return Ok(());
            }
            let before = self.work.reader.load(old, self.old_dictionary.map_or(0, Values::len))?;
            return self.compare(&before, (&before.rep, &before.def), &after, &[]);
        };
        let after = self.reader.load(new, entries).map_err(|_| broken())?;
        refer(&after, referred);
        self.compare(&edit.loaded, (&edit.rep, &edit.def), &after, &edit.changes)
    }

    /// Every kept value is what it was, every changed one what it had to become.
    fn compare(
        &self,
        before: &Loaded,
        levels: (&[u8], &[u8]),
        after: &Loaded,
        changes: &[Change],
    ) -> Outcome<()> {
        let differs = || Problem::proof("a value that had to stay is different");
        if (after.rep.as_slice(), after.def.as_slice()) != levels {
            return Err(Problem::proof(
                "the nulls or lists of a column are not what they had to be",
            ));
        }
        let (old, new) = (self.old_dictionary, self.dictionary.as_ref());
        let mut changes = changes.iter().peekable();
        let (mut was, mut at) = (0, 0);
        while was < before.values.len() {
            match changes.next_if(|change| change.at as usize == was) {
                None => {
                    let end = changes.peek().map_or(before.values.len(), |next| next.at as usize);
                    let count = end.saturating_sub(was).max(1);
                    if at + count > after.values.len() || !self.kept(before, was, after, at, count)
                    {
                        return Err(differs());
                    }
                    was += count - 1;
                    at += count;
                }
                Some(change) if before.values.get(was, old) != change.old => {
                    return Err(Problem::proof("an erased value was not where it was planned"));
                }
                Some(Change { put: Put::Drop, .. }) => {}
                Some(Change { put: Put::Value(value), old, .. }) => {
                    let is = after.values.get(at, new);
                    if is != value || is == old {
                        return Err(Problem::proof("an erased value is not what it had to become"));
                    }
                    at += 1;
                }
            }
            was += 1;
        }
        if at == after.values.len() { Ok(()) } else { Err(differs()) }
    }

    /// Whether `count` values are the same: those from `was` on before, and from `at` on after.
    fn kept(&self, before: &Loaded, was: usize, after: &Loaded, at: usize, count: usize) -> bool {
        if let (Values::Indices(a), Values::Indices(b)) = (&before.values, &after.values) {
            let (a, b) = (&a[was..was + count], &b[at..at + count]);
            if a == b && (self.all_same || a.iter().all(|index| self.is_same(*index))) {
                return true;
            }
        } else if before.values.equal(was, &after.values, at, count) {
            return true;
        }
        let (old, new) = (self.old_dictionary, self.dictionary.as_ref());
        (0..count).all(|i| before.values.get(was + i, old) == after.values.get(at + i, new))
    }

    fn is_same(&self, index: u32) -> bool {
        self.same.get(index as usize) == Some(&true)
    }

    /// Statistics, page indexes and bloom filter say nothing but what the values say that are there.
    fn statistics(&self, pairs: &[(&Page, Option<&Page>, Option<&PageEdit>)]) -> Outcome<()> {
        let order = self.work.shape.order;
        let meta = &self.new.meta;
        let changes: Vec<&Change> =
            pairs.iter().filter_map(|pair| pair.2).flat_map(|edit| &edit.changes).collect();
        let slots: usize = pairs.iter().filter_map(|pair| pair.1).map(|page| page.slots).sum();
        if meta.i64(5) != Some(slots as i64) {
            return Err(Problem::proof("a rewritten column's counts are wrong"));
        }
        let everything = || {
            let mut gather = Gather::new(order);
            self.every_value(|value| gather.add(value)).map(|()| gather)
        };
        if let Some(after) = meta.structure(12) {
            explained(after, order, &changes, everything)?;
        }
        let mut rows = 0;
        let columns = self.new.indexes.column.as_ref();
        let offsets = self.new.indexes.offset.as_ref();
        let places = offsets.map(|tree| tree.list(1).unwrap_or_default());
        let kept = pairs.iter().filter_map(|(old, new, edit)| Some((old, (*new)?, edit)));
        let count = kept.clone().count();
        for (at, (_, new, edit)) in kept.enumerate() {
            if let Some(places) = places {
                let place = places.get(at).and_then(Value::structure).ok_or_else(broken)?;
                let size = (new.range.end - new.range.start) as i64;
                let right = place.i64(1) == Some((new.range.start - self.start).cast_signed())
                    && place.i32(2).map(i64::from) == Some(size)
                    && place.i64(3) == Some(rows)
                    && places.len() == count;
                if !right {
                    return Err(Problem::proof("an offset index does not point at its pages"));
                }
                rows += self.rows_of(new)?;
            }
            let Some(edit) = edit else { continue };
            let page_changes: Vec<&Change> = edit.changes.iter().collect();
            let gather = || {
                let entries = self.dictionary.as_ref().map_or(0, Values::len);
                let loaded = self.reader.load(new, entries).map_err(|_| broken())?;
                let mut gather = Gather::new(order);
                loaded.values.distinct(self.dictionary.as_ref(), |value| gather.add(value));
                Ok(gather)
            };
            let field = if new.kind == Kind::V2 { 8 } else { 5 };
            if let Some(stats) = new.part().and_then(|part| part.structure(field)) {
                explained(stats, order, &page_changes, gather)?;
            }
            if let Some(tree) = columns {
                let part = |id| tree.list(id).and_then(|list| list.get(at)).ok_or_else(broken);
                if let (Value::Bytes(min), Value::Bytes(max), Value::Bool(false)) =
                    (part(2)?, part(3)?, part(1)?)
                {
                    let bound = |value: &[u8]| Bound { value: value.to_vec(), exact: None };
                    let bounds = Bounds { min: bound(min), max: bound(max) };
                    check_bounds(&bounds, order, &page_changes, gather)?;
                }
            }
        }
        if let Some(bytes) = &self.new.bloom {
            let (head, mut filter) = empty_filter(bytes)?;
            self.every_value(|value| filter.insert(value))?;
            let mut wanted = bytes[..head].to_vec();
            filter.write_bitset(&mut wanted).map_err(|_| broken())?;
            if !changes.is_empty() && wanted != *bytes {
                return Err(Problem::proof("a bloom filter holds more than its column"));
            }
        }
        Ok(())
    }

    fn rows_of(&self, page: &Page) -> Outcome<i64> {
        if self.work.shape.max_rep == 0 {
            return Ok(page.slots as i64);
        }
        let (rep, _) = self.reader.levels(page).map_err(|_| broken())?;
        Ok(rep.iter().filter(|level| **level == 0).count() as i64)
    }

    fn every_value(&self, mut visit: impl FnMut(&[u8])) -> Outcome<()> {
        if let Some(entries) = &self.dictionary {
            (0..entries.len()).for_each(|at| visit(entries.get(at, None)));
        }
        for page in self.pages.iter().filter(|page| page.is_data() && !page.is_dictionary_encoded())
        {
            let loaded = self.reader.load(page, 0).map_err(|_| broken())?;
            (0..loaded.values.len()).for_each(|at| visit(loaded.values.get(at, None)));
        }
        Ok(())
    }
}

/// Statistics say nothing of what is gone.
fn explained(
    after: &Struct,
    order: Order,
    changes: &[&Change],
    gather: impl Fn() -> Outcome<Gather>,
) -> Outcome<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let raw = [1, 2, 5, 6].iter().filter_map(|id| after.bytes(*id));
    let untold = Problem::proof("statistics hold what they cannot mean");
    match stats::bounds(after, order) {
        Some(bounds) => {
            let ends = [&bounds.min.value, &bounds.max.value];
            if raw.into_iter().any(|value| !ends.iter().any(|end| end.as_slice() == value)) {
                return Err(untold);
            }
            check_bounds(&bounds, order, changes, gather)
        }
        None if raw.count() > 0 => Err(untold),
        None => Ok(()),
    }
}

/// Bounds take in all that came, and what could have been made from what went is made from what is
/// there.
fn check_bounds(
    bounds: &Bounds,
    order: Order,
    changes: &[&Change],
    gather: impl Fn() -> Outcome<Gather>,
) -> Outcome<()> {
    let wrong = || Problem::proof("statistics still speak of an erased value");
    let mut widened = bounds.clone();
    for change in changes {
        if let Put::Value(value) = &change.put {
            widened.include(value, order);
        }
    }
    if widened != *bounds {
        return Err(Problem::proof("statistics leave out a replacement"));
    }
    // Each end for itself: one may be of a value that is there, the other as its writer cut it.
    let told = |bound: &Bound| changes.iter().any(|change| bound.tells(&change.old, order));
    let (min, max) = (told(&bounds.min), told(&bounds.max));
    if min || max {
        let gathered = gather()?.bounds().ok_or_else(wrong)?;
        let differs = |gathered: &Bound, bound: &Bound| gathered.value != bound.value;
        if min && differs(&gathered.min, &bounds.min) || max && differs(&gathered.max, &bounds.max)
        {
            return Err(wrong());
        }
    }
    Ok(())
}
