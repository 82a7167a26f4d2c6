//! Page headers: Thrift's compact protocol, as far as a reader needs it.
//!
//! Guarantees: pages lie one behind the other in the chunk, and none claims to grow beyond
//! [`LARGEST_PAGE`] or [`MOST_VALUES`]: decoders allocate what a header says.

use std::ops::Range;

use super::super::source::Source;
use super::form;
use super::thrift::Thrift;

/// `maxPageBytes`: what a page may be when decompressed.
pub(crate) const LARGEST_PAGE: i32 = 256 << 20;

/// What a page may hold: levels are decoded a page at a time.
const MOST_VALUES: u32 = 1 << 26;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// Distinct values.
    Dictionary,
    /// Levels and values, compressed together.
    DataV1 {
        /// Whether both kinds of levels are run-length encoded, as all but the oldest writers have them.
        rle_levels: bool,
    },
    /// Levels, then values.
    DataV2,
    /// Nothing that readers use.
    Other,
}

/// One page of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageHead {
    /// Its kind.
    pub(crate) kind: PageKind,
    /// Parquet's number of the encoding of its values.
    pub(crate) encoding: i32,
    /// Levels, nulls included; entries of a dictionary.
    pub(crate) values: u32,
    /// Where its bytes lie in the chunk, the header left out.
    pub(crate) body: Range<usize>,
}

/// Parquet's numbers of encodings.
pub(crate) const PLAIN: i32 = 0;
/// Dictionary indices, old name.
pub(crate) const PLAIN_DICTIONARY: i32 = 2;
/// Levels.
const RLE: i32 = 3;
/// Dictionary indices.
pub(crate) const RLE_DICTIONARY: i32 = 8;

/// The pages of a chunk, in order; `None` where a header does not parse or lies.
pub(crate) fn heads(chunk: &[u8]) -> Option<Vec<PageHead>> {
    let mut heads = Vec::new();
    let mut at = 0;
    while at < chunk.len() {
        let mut thrift = Thrift::new(chunk, at);
        let raw = RawHead::read(&mut thrift)?;
        let length = usize::try_from(raw.compressed).ok()?;
        let body = thrift.position()..thrift.position().checked_add(length)?;
        if body.end > chunk.len() || !(0..=LARGEST_PAGE).contains(&raw.uncompressed) {
            return None;
        }
        at = body.end;
        heads.push(raw.finish(body)?);
    }
    Some(heads)
}

#[derive(Default)]
struct RawHead {
    kind: i32,
    uncompressed: i32,
    compressed: i32,
    values: i32,
    encoding: i32,
    levels: [i32; 2],
}

impl RawHead {
    fn read(thrift: &mut Thrift<'_>) -> Option<Self> {
        form::page(&mut thrift.clone())?;
        let mut head = Self { levels: [RLE; 2], ..Self::default() };
        let mut field = 0;
        while let Some(kind) = thrift.field(&mut field)? {
            match (field, kind) {
                (1, Thrift::I32) => head.kind = thrift.i32()?,
                (2, Thrift::I32) => head.uncompressed = thrift.i32()?,
                (3, Thrift::I32) => head.compressed = thrift.i32()?,
                (5 | 7 | 8, Thrift::STRUCT) => head.page(field, thrift)?,
                (_, kind) => thrift.skip(kind)?,
            }
        }
        Some(head)
    }

    /// The header of a data page (5), a dictionary (7) or a data page of version 2 (8).
    fn page(&mut self, page: i16, thrift: &mut Thrift<'_>) -> Option<()> {
        let mut field = 0;
        while let Some(kind) = thrift.field(&mut field)? {
            match (page, field, kind) {
                (_, 1, Thrift::I32) => self.values = thrift.i32()?,
                (5 | 7, 2, Thrift::I32) | (8, 4, Thrift::I32) => self.encoding = thrift.i32()?,
                (5, 3, Thrift::I32) => self.levels[0] = thrift.i32()?,
                (5, 4, Thrift::I32) => self.levels[1] = thrift.i32()?,
                (_, _, kind) => thrift.skip(kind)?,
            }
        }
        Some(())
    }

    fn finish(self, body: Range<usize>) -> Option<PageHead> {
        let kind = match self.kind {
            0 => PageKind::DataV1 { rle_levels: self.levels == [RLE; 2] },
            2 => PageKind::Dictionary,
            3 => PageKind::DataV2,
            _ => PageKind::Other,
        };
        let values = u32::try_from(self.values).ok().filter(|values| *values <= MOST_VALUES)?;
        Some(PageHead { kind, encoding: self.encoding, values, body })
    }
}

/// Looks at the headers of a chunk without reading its pages; `None` where one does not parse or lies.
pub(crate) fn check(source: &Source, start: u64, length: u64) -> Option<()> {
    let end = start.checked_add(length)?;
    let mut at = start;
    while at < end {
        let left = usize::try_from(end - at).ok()?;
        let (raw, header) = [512, 64 << 10, 16 << 20].into_iter().find_map(|window: usize| {
            let bytes = source.read(at, window.min(left)).ok()?;
            let mut thrift = Thrift::new(&bytes, 0);
            let raw = RawHead::read(&mut thrift)?;
            Some((raw, thrift.position()))
        })?;
        let body = usize::try_from(raw.compressed).ok()?;
        let whole = header.checked_add(body).filter(|whole| *whole <= left)?;
        if !(0..=LARGEST_PAGE).contains(&raw.uncompressed) {
            return None;
        }
        raw.finish(0..body)?;
        at += whole as u64;
    }
    Some(())
}
