//! Searches one column chunk: where it lies in plain or dictionary pages, on the pages' own bytes;
//! dictionary entries are compared once, and pages of a dictionary that holds no key are not even
//! decompressed. Every other encoding goes through Parquet's column readers.

use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{AsBytes, DataType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::SerializedPageReader;

use super::super::pages::header::{
    PLAIN, PLAIN_DICTIONARY, PageHead, PageKind, RLE_DICTIONARY, heads,
};
use super::super::pages::hybrid;
use super::super::source::Chunk;
use super::keys::AnyLookup;
use super::lookup::Lookup;
use super::place::Place;

/// Told of each match: row in the row group, list indices, key number.
pub(super) type Sink<'a> = dyn FnMut(u64, &[u32], u32) + 'a;

/// A chunk that does not hold what its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

impl From<parquet::errors::ParquetError> for Broken {
    // The text could quote a value.
    fn from(_: parquet::errors::ParquetError) -> Self {
        Self
    }
}

/// Searches a chunk of a row group of `rows` rows. `wanted` may say of each data page whether any of
/// its values can match.
///
/// # Errors
/// [`Broken`]; some matches may have been told before.
pub(super) fn search(
    chunk: Chunk,
    column: &ColumnChunkMetaData,
    rows: u64,
    lookup: &AnyLookup,
    wanted: Option<&[bool]>,
    sink: &mut Sink<'_>,
) -> Result<(), Broken> {
    if chunk.bytes().is_empty() {
        return if column.num_values() == 0 || rows == 0 { Ok(()) } else { Err(Broken) };
    }
    let heads = heads(chunk.bytes()).ok_or(Broken)?;
    let is_data =
        |head: &&PageHead| matches!(head.kind, PageKind::DataV1 { .. } | PageKind::DataV2);
    // An index of another number of pages is not this chunk's.
    let pages = heads.iter().filter(is_data).count();
    let search = Search {
        wanted: wanted.filter(|wanted| wanted.len() == pages).unwrap_or_default(),
        fast: heads.iter().all(is_fast),
        heads,
        chunk,
        column,
        rows,
        place: Place::new(column.column_descr(), rows),
    };
    match lookup {
        AnyLookup::Int32(lookup) => search.run(lookup, sink),
        AnyLookup::Int64(lookup) => search.run(lookup, sink),
        AnyLookup::Int96(lookup) => search.run(lookup, sink),
        AnyLookup::Bytes(lookup) => search.run(lookup, sink),
        AnyLookup::Decimals(lookup) => search.run(lookup, sink),
        AnyLookup::Nothing => Ok(()),
    }
}

fn is_fast(head: &PageHead) -> bool {
    match head.kind {
        PageKind::Dictionary => matches!(head.encoding, PLAIN | PLAIN_DICTIONARY),
        PageKind::DataV1 { rle_levels } => rle_levels && is_fast_data(head.encoding),
        PageKind::DataV2 => is_fast_data(head.encoding),
        PageKind::Other => false,
    }
}

const fn is_fast_data(encoding: i32) -> bool {
    matches!(encoding, PLAIN | PLAIN_DICTIONARY | RLE_DICTIONARY)
}

/// A chunk being searched.
struct Search<'a> {
    /// Of each data page, whether to look at it; empty: at all.
    wanted: &'a [bool],
    fast: bool,
    heads: Vec<PageHead>,
    chunk: Chunk,
    column: &'a ColumnChunkMetaData,
    rows: u64,
    place: Place,
}

/// Candidates whose keys are loaded together.
const CANDIDATES: usize = 256;

/// Buffers that pages share.
#[derive(Default)]
struct Buffers {
    definitions: Vec<u32>,
    repetitions: Vec<u32>,
    indices: Vec<u32>,
    candidates: Vec<Candidate>,
    /// (number of the value among the page's non-null ones, key number).
    matches: Vec<(u32, u32)>,
}

/// A value that may equal a key.
#[derive(Clone, Copy)]
struct Candidate {
    hash: u64,
    /// Number among the page's non-null values.
    number: u32,
    /// Where it lies in the page.
    start: u32,
    length: u32,
}

impl Search<'_> {
    fn run<L: Lookup>(mut self, lookup: &L, sink: &mut Sink<'_>) -> Result<(), Broken> {
        let total = usize::try_from(self.rows).map_err(|_| Broken)?;
        let reader = Arc::new(self.chunk.clone());
        let pages = SerializedPageReader::new(reader, self.column, total, None)?;
        if self.fast {
            self.pages(pages, lookup, sink)?;
        } else {
            self.values(pages, lookup, sink)?;
        }
        if self.place.is_complete() { Ok(()) } else { Err(Broken) }
    }

    /// Page by page, on the pages' bytes.
    fn pages<L: Lookup>(
        &mut self,
        mut pages: SerializedPageReader<Chunk>,
        lookup: &L,
        sink: &mut Sink<'_>,
    ) -> Result<(), Broken> {
        let mut dictionary: Option<Dictionary> = None;
        let mut buffers = Buffers::default();
        let mut wanted = self.wanted.iter();
        for head in std::mem::take(&mut self.heads) {
            let indexed = head.encoding != PLAIN;
            let is_data = head.kind != PageKind::Dictionary;
            let unwanted = is_data && wanted.next() == Some(&false);
            match head.kind {
                PageKind::Dictionary => {
                    let page = pages.get_next_page()?.ok_or(Broken)?;
                    dictionary = Some(Dictionary::new(&page, self.width(), lookup, &mut buffers)?);
                }
                _ if self.place.is_flat()
                    && (unwanted
                        || indexed && dictionary.as_ref().is_some_and(|known| !known.any)) =>
                {
                    pages.skip_next_page()?;
                    self.place.skip(u64::from(head.values))?;
                }
                _ => {
                    let page = pages.get_next_page()?.ok_or(Broken)?;
                    let values = self.levels(&page, &mut buffers)?;
                    buffers.matches.clear();
                    if indexed {
                        let known = dictionary.as_ref().ok_or(Broken)?;
                        known.find(values.bytes, values.count, &mut buffers)?;
                    } else {
                        compare(values.bytes, values.count, self.width(), lookup, &mut buffers)?;
                    }
                    self.place.page(
                        head.values as usize,
                        &buffers.definitions,
                        &buffers.repetitions,
                        &buffers.matches,
                        sink,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Bytes of each value; `None` where each value carries its length.
    fn width(&self) -> Option<usize> {
        match self.column.column_type() {
            Physical::INT32 => Some(4),
            Physical::INT64 => Some(8),
            Physical::INT96 => Some(12),
            Physical::FIXED_LEN_BYTE_ARRAY => {
                usize::try_from(self.column.column_descr().type_length()).ok()
            }
            _ => None,
        }
    }

    /// Takes the levels off a data page; what is left are the values.
    fn levels<'p>(&self, page: &'p Page, buffers: &mut Buffers) -> Result<Values<'p>, Broken> {
        let (repetition, definition) = self.place.level_widths();
        let levels = page.num_values() as usize;
        let mut rest: &[u8] = page.buffer();
        let (rep, def) = match page {
            Page::DataPage { .. } => {
                let rep = if repetition > 0 { prefixed(&mut rest)? } else { &[] };
                let def = if definition > 0 { prefixed(&mut rest)? } else { &[] };
                (rep, def)
            }
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                let rep = take(&mut rest, *rep_levels_byte_len as usize)?;
                let def = take(&mut rest, *def_levels_byte_len as usize)?;
                (rep, def)
            }
            Page::DictionaryPage { .. } => return Err(Broken),
        };
        let Buffers { definitions, repetitions, .. } = buffers;
        definitions.clear();
        repetitions.clear();
        if repetition > 0 {
            hybrid::decode(rep, repetition, levels, repetitions).ok_or(Broken)?;
        }
        let mut count = levels;
        if definition > 0 {
            hybrid::decode(def, definition, levels, definitions).ok_or(Broken)?;
            count = self.place.defined(definitions);
        }
        Ok(Values { bytes: rest, count })
    }

    /// Value by value, through Parquet's readers.
    fn values<L: Lookup>(
        &mut self,
        pages: SerializedPageReader<Chunk>,
        lookup: &L,
        sink: &mut Sink<'_>,
    ) -> Result<(), Broken> {
        let descriptor = self.column.column_descr_ptr();
        match get_column_reader(descriptor, Box::new(pages)) {
            ColumnReader::Int32ColumnReader(reader) => self.typed(reader, lookup, sink),
            ColumnReader::Int64ColumnReader(reader) => self.typed(reader, lookup, sink),
            ColumnReader::Int96ColumnReader(reader) => self.typed(reader, lookup, sink),
            ColumnReader::ByteArrayColumnReader(reader) => self.typed(reader, lookup, sink),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => self.typed(reader, lookup, sink),
            ColumnReader::BoolColumnReader(_)
            | ColumnReader::FloatColumnReader(_)
            | ColumnReader::DoubleColumnReader(_) => Err(Broken),
        }
    }

    fn typed<T: DataType, L: Lookup>(
        &mut self,
        mut reader: ColumnReaderImpl<T>,
        lookup: &L,
        sink: &mut Sink<'_>,
    ) -> Result<(), Broken> {
        const BATCH: usize = 8192;
        let (mut def, mut rep): (Vec<i16>, Vec<i16>) = (Vec::new(), Vec::new());
        let mut values: Vec<T::T> = Vec::new();
        let mut buffers = Buffers::default();
        loop {
            def.clear();
            rep.clear();
            values.clear();
            let (_, _, levels) =
                reader.read_records(BATCH, Some(&mut def), Some(&mut rep), &mut values)?;
            if levels == 0 {
                return Ok(());
            }
            copy(&def, &mut buffers.definitions)?;
            copy(&rep, &mut buffers.repetitions)?;
            buffers.matches.clear();
            for (number, value) in values.iter().enumerate() {
                let raw = value.as_bytes();
                let key = lookup.candidate(raw).map_or(0, |hash| lookup.confirm(raw, hash));
                if key != 0 {
                    buffers.matches.push((number as u32, key));
                }
            }
            self.place.page(
                levels,
                &buffers.definitions,
                &buffers.repetitions,
                &buffers.matches,
                sink,
            )?;
        }
    }
}

/// The values of a data page.
struct Values<'a> {
    bytes: &'a [u8],
    /// Non-null ones.
    count: usize,
}

fn copy(levels: &[i16], out: &mut Vec<u32>) -> Result<(), Broken> {
    out.clear();
    for level in levels {
        out.push(u32::try_from(*level).map_err(|_| Broken)?);
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Broken> {
    let (head, tail) = rest.split_at_checked(length).ok_or(Broken)?;
    *rest = tail;
    Ok(head)
}

/// Levels of a page of version 1: a length, then as many bytes.
fn prefixed<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = take(rest, 4)?.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    take(rest, length as usize)
}

/// Compares values in plain encoding: what matches goes into the buffers.
fn compare<L: Lookup>(
    bytes: &[u8],
    count: usize,
    width: Option<usize>,
    lookup: &L,
    buffers: &mut Buffers,
) -> Result<(), Broken> {
    let candidates = &mut buffers.candidates;
    candidates.clear();
    each_plain(bytes, count, width, |number, start, value| {
        if let Some(hash) = lookup.candidate(value) {
            let length = value.len() as u32;
            candidates.push(Candidate { hash, number, start: start as u32, length });
        }
    })?;
    buffers.matches.clear();
    for some in candidates.chunks(CANDIDATES) {
        if lookup.is_large() {
            std::hint::black_box(some.iter().fold(0, |sum, c| sum ^ lookup.load(c.hash)));
        }
        for candidate in some {
            let start = candidate.start as usize;
            let value = bytes.get(start..start + candidate.length as usize).unwrap_or_default();
            let key = lookup.confirm(value, candidate.hash);
            if key != 0 {
                buffers.matches.push((candidate.number, key));
            }
        }
    }
    Ok(())
}

/// Calls `each` with number, position and bytes of every value in plain encoding.
#[inline(always)]
fn each_plain(
    bytes: &[u8],
    count: usize,
    width: Option<usize>,
    mut each: impl FnMut(u32, usize, &[u8]),
) -> Result<(), Broken> {
    let count = u32::try_from(count).map_err(|_| Broken)?;
    let Some(width) = width else {
        let mut at = 0;
        for number in 0..count {
            let rest = bytes.get(at..).ok_or(Broken)?;
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(Broken)?;
            let length = u32::from_le_bytes(*length) as usize;
            let value = rest.get(..length).ok_or(Broken)?;
            each(number, at + 4, value);
            at += 4 + length;
        }
        return Ok(());
    };
    if width == 0 || bytes.len() / width < count as usize {
        return if count == 0 { Ok(()) } else { Err(Broken) };
    }
    for (number, value) in (0..count).zip(bytes.chunks_exact(width)) {
        each(number, number as usize * width, value);
    }
    Ok(())
}

/// What the entries of a dictionary match.
struct Dictionary {
    /// Key number of each entry; 0 where it matches none.
    keys: Vec<u32>,
    /// Whether any entry matches.
    any: bool,
}

impl Dictionary {
    fn new<L: Lookup>(
        page: &Page,
        width: Option<usize>,
        lookup: &L,
        buffers: &mut Buffers,
    ) -> Result<Self, Broken> {
        if !page.is_dictionary_page() {
            return Err(Broken);
        }
        let entries = page.num_values() as usize;
        compare(page.buffer(), entries, width, lookup, buffers)?;
        let mut keys = vec![0; entries];
        for (entry, key) in &buffers.matches {
            if let Some(known) = keys.get_mut(*entry as usize) {
                *known = *key;
            }
        }
        Ok(Self { keys, any: !buffers.matches.is_empty() })
    }

    /// Compares the values of a page by their indices.
    fn find(&self, bytes: &[u8], count: usize, buffers: &mut Buffers) -> Result<(), Broken> {
        if count == 0 {
            return Ok(());
        }
        let (width, packed) = bytes.split_first().ok_or(Broken)?;
        hybrid::decode(packed, u32::from(*width), count, &mut buffers.indices).ok_or(Broken)?;
        for (number, index) in buffers.indices.iter().enumerate() {
            match self.keys.get(*index as usize) {
                Some(0) => {}
                Some(key) => buffers.matches.push((number as u32, *key)),
                None => return Err(Broken),
            }
        }
        Ok(())
    }
}
