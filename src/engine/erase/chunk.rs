//! A column chunk written anew: only the pages whose values, levels or dictionary positions change are
//! encoded again, each in its own encoding; the others are copied as they are.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use parquet::bloom_filter::Sbbf;

use super::codec::Codec;
use super::decide::{ChunkWork, Decision, PageEdit, count_nulls};
use super::dictionary::Plan;
use super::error::{Outcome, Problem};
use super::index::{Indexes, Placed, edit_sizes};
use super::order::Gather;
use super::pages::{Kind, Loaded, Page, part_id, write_levels};
use super::runs::{self, Step};
use super::snappy::{self, Patch};
use super::source::Source;
use super::stats::{self, Nulls};
use super::thrift::{Struct, Value};
use super::values::{Encoding, Physical, Values, encode_indices};

/// A part of a chunk, in order.
pub(crate) enum Piece {
    /// Bytes of the original file.
    Copy(Range<u64>),
    /// New bytes.
    Bytes(Vec<u8>),
}

/// A chunk as it will be. Places are counted from its start.
pub(crate) struct NewChunk {
    pub(crate) pieces: Vec<Piece>,
    /// `ColumnMetaData`, but for its places in the file.
    pub(crate) meta: Struct,
    /// Where the first data page begins.
    pub(crate) first_data: u64,
    pub(crate) indexes: Indexes,
    pub(crate) bloom: Option<Vec<u8>>,
    /// Bytes of pages that were encoded again.
    pub(crate) encoded: u64,
}

/// Encodes a chunk again. The dictionary, where the chunk has one, is left in the decision.
pub(crate) fn rewrite(
    source: &Source,
    work: &ChunkWork<'_>,
    decision: &mut Decision,
) -> Outcome<NewChunk> {
    if let Some(first) = work.pages.first().filter(|page| page.kind == Kind::Dictionary)
        && decision.dictionary.is_none()
    {
        decision.dictionary = Some(work.reader.dictionary(first)?);
    }
    let mut rewrite = Rewrite {
        work,
        edits: decision.edits.iter().map(|edit| (edit.page, edit)).collect(),
        dictionary: decision.dictionary.as_ref(),
        plan: None,
        moved: HashMap::new(),
        others: HashMap::new(),
        nulls: decision.nulls,
    };
    rewrite.plan_dictionary()?;
    rewrite.write(source)
}

struct Rewrite<'a, 'w> {
    work: &'a ChunkWork<'w>,
    /// By page.
    edits: BTreeMap<usize, &'a PageEdit>,
    /// As it was.
    dictionary: Option<&'a Values>,
    plan: Option<Plan>,
    /// What becomes of a page's positions in the dictionary, where something does.
    moved: HashMap<usize, Vec<Step>>,
    /// Such pages without an edit.
    others: HashMap<usize, Loaded>,
    /// Slots without a value before; known where the leaf lies in lists.
    nulls: Option<i64>,
}

/// What becomes of a page.
enum Made {
    Same,
    Gone,
    /// Header and body, and their size when decompressed.
    New(Vec<u8>, usize),
}

impl Rewrite<'_, '_> {
    /// A touched chunk's dictionary holds nothing that no page refers to, so all pages that refer to
    /// it are looked at.
    fn plan_dictionary(&mut self) -> Outcome<()> {
        let Some(dictionary) = self.dictionary else { return Ok(()) };
        let mut others = Vec::new();
        for (at, page) in self.work.pages.iter().enumerate() {
            if page.is_dictionary_encoded() && !self.edits.contains_key(&at) {
                others.push((at, self.work.reader.load(page, dictionary.len())?));
            }
        }
        let edited = self.edits.values().filter(|edit| edit.loaded.values.indices().is_some());
        let edited: Vec<&PageEdit> = edited.copied().collect();
        let all = edited.iter().map(|edit| &edit.loaded).chain(others.iter().map(|(_, o)| o));
        let plan = Plan::new(dictionary, all.filter_map(|loaded| loaded.values.indices()), &edited);
        for edit in edited {
            let old = edit.loaded.values.indices().unwrap_or_default();
            let steps = plan.steps(old, &edit.changes);
            if !steps.is_empty() {
                self.moved.insert(edit.page, steps);
            }
        }
        for (at, loaded) in others {
            let old = loaded.values.indices().unwrap_or_default();
            let steps = plan.steps(old, &[]);
            if !steps.is_empty() {
                self.moved.insert(at, steps);
                self.others.insert(at, loaded);
            }
        }
        self.plan = Some(plan);
        Ok(())
    }

    /// The dictionary as it will be.
    fn entries(&self) -> Option<&Values> {
        self.plan.as_ref().and_then(|plan| plan.entries.as_ref()).or(self.dictionary)
    }

    fn write(self, source: &Source) -> Outcome<NewChunk> {
        let mut pieces = Vec::new();
        let mut placed = Vec::new();
        let (mut size, mut plain, mut encoded, mut first_data) = (0, 0, 0, None);
        for (at, page) in self.work.pages.iter().enumerate() {
            let start = size;
            if page.is_data() {
                first_data.get_or_insert(start);
            }
            match self.page(at, page)? {
                Made::Same => {
                    size += page.range.end - page.range.start;
                    plain += page.plain as u64 + page.body.start - page.range.start;
                    pieces.push(Piece::Copy(page.range.clone()));
                }
                Made::Gone => {}
                Made::New(bytes, page_plain) => {
                    size += bytes.len() as u64;
                    encoded += bytes.len() as u64;
                    plain += page_plain as u64;
                    pieces.push(Piece::Bytes(bytes));
                }
            }
            if page.is_data() {
                let edit = self.edits.get(&at).copied();
                placed.push(Placed { start, size: size - start, edit });
            }
        }
        let indexes = Indexes::rebuild(source, self.work, &placed, |edit| self.gather(edit))?;
        let (meta, bloom) = self.finish(source, size, plain)?;
        let first_data = first_data.unwrap_or(0);
        Ok(NewChunk { pieces, meta, first_data, indexes, bloom, encoded })
    }

    fn page(&self, at: usize, page: &Page) -> Outcome<Made> {
        if page.kind == Kind::Dictionary {
            return self.dictionary_page(page);
        }
        let mut header = page.header.clone();
        let Some(edit) = self.edits.get(&at) else {
            return match self.others.get(&at) {
                Some(loaded) => self.data_page(at, header, (&loaded.rep, &loaded.def), None),
                None => Ok(Made::Same),
            };
        };
        if edit.def.is_empty() {
            return Ok(Made::Gone);
        }
        let field = if page.kind == Kind::V2 { 8 } else { 5 };
        let part = header.structure_mut(part_id(page.kind));
        if let Some(stats) = part.and_then(|part| part.structure_mut(field)) {
            let nested = self.work.shape.max_rep > 0;
            let nulls = edit.nulls(self.work.shape.max_def, nested);
            stats::edit(stats, self.work.shape.order, edit.changes.iter(), nulls, || {
                Ok(self.gather(edit).bounds())
            })?;
        }
        let revalued = match edit.loaded.values.indices() {
            Some(_) => self.moved.contains_key(&at),
            None => !edit.changes.is_empty(),
        };
        if edit.relevelled || revalued {
            if let Some(part) = header.structure_mut(8)
                && let Some(rows) = part.i32(3)
            {
                let rows = i64::from(rows) - edit.rows_lost;
                part.set(3, Value::I32(i32::try_from(rows).unwrap_or(0)));
                let nulls = count_nulls(&edit.def, self.work.shape.max_def);
                part.set(2, Value::I32(i32::try_from(nulls).unwrap_or(0)));
            }
            return self.data_page(at, header, (&edit.rep, &edit.def), Some(edit));
        }
        if header == page.header {
            return Ok(Made::Same);
        }
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        let plain = bytes.len() + page.plain;
        bytes.extend_from_slice(&self.work.reader.raw(page)?);
        Ok(Made::New(bytes, plain))
    }

    fn dictionary_page(&self, page: &Page) -> Outcome<Made> {
        let plan = self.plan.as_ref();
        let Some((plan, entries)) = plan.and_then(|plan| Some((plan, plan.entries.as_ref()?)))
        else {
            return Ok(Made::Same);
        };
        let mut header = page.header.clone();
        let mut plain = Vec::new();
        entries.encode(Encoding::Plain, self.work.shape.physical, &mut plain);
        let raw = self.work.reader.raw(page)?;
        let body = self.pack(Some(&raw), 0, Some(&plan.patches), &plain)?;
        if let Some(part) = header.structure_mut(part_id(Kind::Dictionary)) {
            part.set(1, Value::I32(size(entries.len())?));
            if part.bool(3) == Some(true) {
                part.set(3, Value::Bool(false));
            }
        }
        finish_page(header, plain.len(), &body)
    }

    fn data_page(
        &self,
        at: usize,
        mut header: Struct,
        (rep, def): (&[u8], &[u8]),
        edit: Option<&PageEdit>,
    ) -> Outcome<Made> {
        let (page, shape) = (&self.work.pages[at], self.work.shape);
        let mut plain = Vec::with_capacity(page.plain + 64);
        let (rep_size, def_size) = write_levels(page.kind, shape, rep, def, &mut plain);
        let levels = rep_size + def_size;
        let loaded = edit.map(|edit| &edit.loaded).or_else(|| self.others.get(&at));
        let patches = match (loaded, edit) {
            (Some(Loaded { values: Values::Indices(old), packed, start, .. }), _) => {
                let steps = self.moved.get(&at).map_or(&[][..], Vec::as_slice);
                self.positions(
                    old,
                    packed.as_deref().map(|packed| (packed, *start)),
                    steps,
                    &mut plain,
                )
            }
            (_, Some(edit)) => self.values(page, edit, &mut plain)?,
            (_, None) => None,
        };
        let part = header
            .structure_mut(part_id(page.kind))
            .ok_or_else(|| Problem::unreadable("a page header lacks its part"))?;
        part.set(1, Value::I32(size(def.len())?));
        let raw = loaded.and_then(|loaded| loaded.raw.as_deref());
        let body = if page.kind == Kind::V2 {
            part.set(5, Value::I32(size(def_size)?));
            part.set(6, Value::I32(size(rep_size)?));
            let packed = part.bool(7) != Some(false);
            let old = page.part().map_or(0, |part| {
                part.i32(5).unwrap_or(0).unsigned_abs() + part.i32(6).unwrap_or(0).unsigned_abs()
            });
            let mut body = plain[..levels].to_vec();
            body.extend(match packed {
                true => self.pack(raw, old as usize, patches.as_deref(), &plain[levels..])?,
                false => plain[levels..].to_vec(),
            });
            body
        } else {
            let before = loaded.map_or(0, |loaded| loaded.start);
            let patches = patches.map(|patches| [vec![(0..before, levels)], patches].concat());
            self.pack(raw, 0, patches.as_deref(), &plain)?
        };
        finish_page(header, plain.len(), &body)
    }

    /// Compresses a body, or takes over what can be taken over of the old one, which begins `skip` bytes
    /// into `raw`.
    fn pack(
        &self,
        raw: Option<&[u8]>,
        skip: usize,
        patches: Option<&[Patch]>,
        plain: &[u8],
    ) -> Outcome<Vec<u8>> {
        let codec = self.work.reader.codec();
        let old = raw.and_then(|raw| raw.get(skip..)).filter(|_| codec == Codec::Snappy);
        let spliced = old
            .zip(patches)
            .and_then(|(old, patches)| snappy::splice(old, patches, plain, self.work.scan));
        spliced.map_or_else(|| codec.compress(plain), Ok)
    }

    /// Appends positions in the dictionary with the steps taken; where that can be done where they lie, says
    /// what it changes.
    fn positions(
        &self,
        old: &[u32],
        packed: Option<(&[u8], usize)>,
        steps: &[Step],
        plain: &mut Vec<u8>,
    ) -> Option<Vec<Patch>> {
        let edited = packed.and_then(|(packed, start)| runs::edit(packed, start, old, steps));
        if let Some((new, patches)) = edited {
            plain.extend_from_slice(&new);
            return Some(patches);
        }
        let mut new = Vec::with_capacity(old.len());
        let mut steps = steps.iter().peekable();
        for (at, index) in (0_u32..).zip(old) {
            match steps.next_if(|(step, _)| *step == at) {
                Some((_, put)) => new.extend(*put),
                None => new.push(*index),
            }
        }
        encode_indices(&new, self.entries().map_or(0, Values::len), plain);
        None
    }

    /// Appends the values of an edited page; where they are plain, says what that changes.
    fn values(
        &self,
        page: &Page,
        edit: &PageEdit,
        plain: &mut Vec<u8>,
    ) -> Outcome<Option<Vec<Patch>>> {
        let encoding = self.work.reader.encoding(page)?;
        let changes = || edit.changes.iter().map(|change| (change.at, &change.put));
        let old = &edit.loaded.values;
        if encoding == Encoding::Plain && self.work.shape.physical != Physical::Bool {
            let patches = old.patches(changes());
            old.encode_patched(edit.loaded.start, &patches, changes().map(|(_, put)| put), plain)?;
            return Ok(Some(patches));
        }
        let mut new = old.clone();
        new.change(changes())?;
        new.encode(encoding, self.work.shape.physical, plain);
        Ok(None)
    }

    fn gather(&self, edit: &PageEdit) -> Gather {
        let mut gather = Gather::new(self.work.shape.order);
        edit.visit(self.dictionary, |value| gather.add(value));
        gather
    }

    /// The chunk's metadata and bloom filter.
    fn finish(
        &self,
        source: &Source,
        bytes: u64,
        plain: u64,
    ) -> Outcome<(Struct, Option<Vec<u8>>)> {
        let (group, column) = self.work.at;
        let shape = self.work.shape;
        let mut meta = source.column(group, column).cloned().unwrap_or_default();
        let edits = || self.edits.values().copied();
        let changes = edits().flat_map(|edit| &edit.changes);
        let lost: i64 =
            edits().map(|edit| edit.loaded.def.len() as i64 - edit.def.len() as i64).sum();
        meta.set(5, Value::I64(self.work.chunk.slots.cast_signed() - lost));
        meta.set(6, Value::I64(plain.cast_signed()));
        meta.set(7, Value::I64(bytes.cast_signed()));
        if let Some(stats) = meta.structure_mut(12) {
            let added = edits().map(|edit| edit.nulls(shape.max_def, false).added).sum();
            let nulls = Nulls { before: self.nulls, added };
            stats::edit(stats, shape.order, changes.clone(), nulls, || {
                let mut gather = Gather::new(shape.order);
                self.every_value(|value| gather.add(value))?;
                Ok(gather.bounds())
            })?;
        }
        for page in edits().filter(|edit| edit.def.is_empty()).map(|edit| edit.page) {
            self.forget_page(&self.work.pages[page], &mut meta);
        }
        if let Some(sizes) = meta.structure_mut(16) {
            edit_sizes(sizes, shape, edits());
        }
        if changes.clone().next().is_some() {
            // The box around what was there; the format lets it be absent.
            meta.remove(17);
        }
        let bloom = match &self.work.chunk.bloom {
            Some(range) if changes.clone().next().is_some() => {
                let old = source.read(range)?;
                let (head, mut filter) = empty_filter(&old)?;
                self.every_value(|value| filter.insert(value))?;
                let mut new = old[..head].to_vec();
                filter
                    .write_bitset(&mut new)
                    .map_err(|_| Problem::refused("a bloom filter cannot be written"))?;
                Some(new)
            }
            Some(range) => Some(source.read(range)?),
            None => None,
        };
        Ok((meta, bloom))
    }

    /// Calls `visit` for each distinct or each value of the chunk as it will be.
    fn every_value(&self, mut visit: impl FnMut(&[u8])) -> Outcome<()> {
        // What is left in the dictionary is referred to.
        if let Some(entries) = self.entries() {
            (0..entries.len()).for_each(|at| visit(entries.get(at, None)));
        }
        for (at, page) in self.work.pages.iter().enumerate() {
            if !page.is_data() || page.is_dictionary_encoded() {
                continue;
            }
            match self.edits.get(&at) {
                Some(edit) => edit.visit(None, &mut visit),
                None => {
                    let loaded = self.work.reader.load(page, 0)?;
                    (0..loaded.values.len()).for_each(|at| visit(loaded.values.get(at, None)));
                }
            }
        }
        Ok(())
    }

    /// Takes a page that is gone out of the counts of pages by encoding.
    fn forget_page(&self, page: &Page, meta: &mut Struct) {
        let kind = if page.kind == Kind::V2 { 3 } else { 0 };
        let Some(counts) = meta.list_mut(13) else { return };
        for count in counts.iter_mut().filter_map(Value::structure_mut) {
            if count.i32(1) == Some(kind) && count.i32(2) == Some(page.encoding) {
                let left = count.i32(3).unwrap_or(1) - 1;
                count.set(3, Value::I32(left));
            }
        }
        counts.retain(|count| count.structure().and_then(|count| count.i32(3)) != Some(0));
    }
}

fn size(size: usize) -> Outcome<i32> {
    i32::try_from(size).map_err(|_| Problem::refused("a page would become too large"))
}

/// Header and body, and their size when decompressed.
fn finish_page(mut header: Struct, plain: usize, body: &[u8]) -> Outcome<Made> {
    header.set(2, Value::I32(size(plain)?));
    header.set(3, Value::I32(size(body.len())?));
    if header.has(4) {
        header.set(4, Value::I32(crc32fast::hash(body).cast_signed()));
    }
    let mut bytes = Vec::with_capacity(body.len() + 64);
    header.write(&mut bytes);
    let plain = plain + bytes.len();
    bytes.extend_from_slice(body);
    Ok(Made::New(bytes, plain))
}

/// The length of a filter's header, and a filter of its size with nothing in it.
pub(crate) fn empty_filter(bytes: &[u8]) -> Outcome<(usize, Sbbf)> {
    let unknown = || Problem::refused("it has a bloom filter of an unknown kind");
    let (header, head) = Struct::read(bytes).map_err(|_| unknown())?;
    let known = [2, 3, 4].iter().all(|id| header.structure(*id).and_then(Struct::first) == Some(1));
    let bits = bytes.len() - head;
    if !known || bits == 0 || !bits.is_multiple_of(32) {
        return Err(unknown());
    }
    Ok((head, Sbbf::new(&vec![0; bits])))
}
