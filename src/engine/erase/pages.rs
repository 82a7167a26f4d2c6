//! The pages of a column chunk: found by their headers, checked, and decoded one at a time.

use std::fs::File;
use std::ops::Range;

use super::codec::Codec;
use super::error::{Outcome, Problem};
use super::levels;
use super::shape::Shape;
use super::source::{Chunk, read};
use super::thrift::Struct;
use super::values::{Encoding, Values};

/// Pages that claim more are refused.
pub(crate) const MAX_PAGE_BYTES: usize = 256 << 20;

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dictionary,
    V1,
    V2,
    /// Not ours to understand: it can only be copied.
    Other,
}

/// A page as its header says it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) kind: Kind,
    /// `PageHeader`.
    pub(crate) header: Struct,
    /// Header and body in the file.
    pub(crate) range: Range<u64>,
    /// Body in the file.
    pub(crate) body: Range<u64>,
    /// Bytes of the body when decompressed, levels included.
    pub(crate) plain: usize,
    /// Levels of a data page, entries of a dictionary page.
    pub(crate) slots: usize,
    /// Of the values, as its number in the format.
    pub(crate) encoding: i32,
}

impl Page {
    pub(crate) const fn is_data(&self) -> bool {
        matches!(self.kind, Kind::V1 | Kind::V2)
    }

    /// The header's own part for its kind.
    pub(crate) fn part(&self) -> Option<&Struct> {
        self.header.structure(part_id(self.kind))
    }

    pub(crate) fn is_dictionary_encoded(&self) -> bool {
        self.is_data() && matches!(self.encoding, 2 | 8)
    }
}

/// Field of the page header that holds a kind's part.
pub(crate) const fn part_id(kind: Kind) -> i16 {
    match kind {
        Kind::V1 => 5,
        Kind::Other => 6,
        Kind::Dictionary => 7,
        Kind::V2 => 8,
    }
}

fn broken(what: &str) -> Problem {
    Problem::unreadable(format!("a page header {what}"))
}

/// The pages of a chunk, which they must fill.
pub(crate) fn walk(file: &File, chunk: &Chunk) -> Outcome<Vec<Page>> {
    let mut pages = Vec::new();
    let mut at = chunk.pages.start;
    let mut slots = 0_u64;
    while at < chunk.pages.end {
        let page = page_at(file, at, chunk.pages.end)?;
        if page.kind == Kind::Dictionary && !pages.is_empty() {
            return Err(broken("is of a second dictionary"));
        }
        if page.is_data() {
            slots += page.slots as u64;
        }
        at = page.range.end;
        pages.push(page);
    }
    if slots == chunk.slots {
        Ok(pages)
    } else {
        Err(broken("claims other values than the footer"))
    }
}

fn page_at(file: &File, at: u64, end: u64) -> Outcome<Page> {
    // Headers are short, unless they hold statistics of long strings.
    let mut window = 512_u64;
    let (header, used) = loop {
        let bytes = read(file, &(at..end.min(at.saturating_add(window))))?;
        match Struct::read(&bytes) {
            Ok(found) => break found,
            Err(_) if window < 1 << 26 && at + window < end => window *= 16,
            Err(_) => return Err(broken("is malformed")),
        }
    };
    let size = |id| header.i32(id).and_then(|n| usize::try_from(n).ok());
    let (plain, packed) = match (size(2), size(3)) {
        (Some(plain), Some(packed)) => (plain, packed),
        _ => return Err(broken("claims a negative size")),
    };
    if plain > MAX_PAGE_BYTES || packed > MAX_PAGE_BYTES {
        return Err(Problem::refused("it has a page of more than 256 MiB"));
    }
    let kind = match header.i32(1) {
        Some(0) => Kind::V1,
        Some(2) => Kind::Dictionary,
        Some(3) => Kind::V2,
        Some(_) => Kind::Other,
        None => return Err(broken("says no kind")),
    };
    let start = at + used as u64;
    let body = start..start + packed as u64;
    if body.end > end {
        return Err(broken("claims more than its column holds"));
    }
    let (slots, encoding) = match (kind, header.structure(part_id(kind))) {
        (Kind::Other, _) => (0, 0),
        (_, None) => return Err(broken("lacks its part")),
        (_, Some(part)) => {
            let slots = part.i32(1).and_then(|n| usize::try_from(n).ok());
            let encoding = part.i32(if kind == Kind::V2 { 4 } else { 2 });
            slots.zip(encoding).ok_or_else(|| broken("lacks its counts"))?
        }
    };
    Ok(Page { kind, range: at..body.end, body, plain, slots, encoding, header })
}

/// A page's levels and values, decoded.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Repetition levels; empty where the leaf lies in no list.
    pub(crate) rep: Vec<u8>,
    /// Definition levels; all zero where the leaf and all above it are required.
    pub(crate) def: Vec<u8>,
    pub(crate) values: Values,
    /// Where the values begin in what was decompressed.
    pub(crate) start: usize,
    /// What was decompressed, where the values are positions in a dictionary.
    pub(crate) packed: Option<Vec<u8>>,
    /// The body as stored, where parts of it can be taken over compressed.
    pub(crate) raw: Option<Vec<u8>>,
}

/// Reads the pages of one chunk.
pub(crate) struct PageReader<'a> {
    file: &'a File,
    shape: &'a Shape,
    codec: Codec,
}

impl<'a> PageReader<'a> {
    pub(crate) fn new(file: &'a File, shape: &'a Shape, chunk: &Chunk) -> Outcome<Self> {
        let codec = Codec::from_number(chunk.codec).ok_or_else(|| {
            Problem::refused(format!("`{}` is compressed in an unknown way", shape.path))
        })?;
        Ok(Self { file, shape, codec })
    }

    pub(crate) const fn file(&self) -> &'a File {
        self.file
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// How a data page's values are written.
    pub(crate) fn encoding(&self, page: &Page) -> Outcome<Encoding> {
        Encoding::of(page.encoding, self.shape.physical).ok_or_else(|| {
            Problem::refused(format!("`{}` is encoded in an unknown way", self.shape.path))
        })
    }

    /// The body as stored.
    pub(crate) fn raw(&self, page: &Page) -> Outcome<Vec<u8>> {
        let raw = read(self.file, &page.body)?;
        match page.header.i32(4) {
            Some(crc) if crc32fast::hash(&raw) != crc.cast_unsigned() => {
                Err(Problem::unreadable("a page does not match its checksum"))
            }
            _ => Ok(raw),
        }
    }

    /// The entries of a dictionary page.
    pub(crate) fn dictionary(&self, page: &Page) -> Outcome<Values> {
        if !matches!(page.encoding, 0 | 2) {
            return Err(Problem::refused("a dictionary is encoded in an unknown way"));
        }
        let plain = self.codec.decompress(&self.raw(page)?, page.plain)?;
        Values::decode(Encoding::Plain, self.shape.physical, plain, 0, page.slots)
    }

    /// The repetition and definition levels of a data page, without its values.
    pub(crate) fn levels(&self, page: &Page) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let raw = self.raw(page)?;
        if page.kind == Kind::V2 {
            return self.split_v2(page, &raw).map(|(rep, def, _)| (rep, def));
        }
        let plain = self.codec.decompress(&raw, page.plain)?;
        self.split_v1(page, &plain).map(|(rep, def, _)| (rep, def))
    }

    /// Everything of a data page. `entries` is the size of the chunk's dictionary.
    pub(crate) fn load(&self, page: &Page, entries: usize) -> Outcome<Loaded> {
        let mut raw = self.raw(page)?;
        let (rep, def, plain, start) = if page.kind == Kind::V2 {
            let (rep, def, at) = self.split_v2(page, &raw)?;
            let packed = page.part().and_then(|part| part.bool(7)).unwrap_or(true);
            let codec = if packed { self.codec } else { Codec::Plain };
            let size = page.plain.checked_sub(at).ok_or_else(|| broken("claims a wrong size"))?;
            (rep, def, codec.decompress(&raw[at..], size)?, 0)
        } else {
            let plain = match self.codec {
                Codec::Plain if raw.len() == page.plain => std::mem::take(&mut raw),
                codec => codec.decompress(&raw, page.plain)?,
            };
            let (rep, def, at) = self.split_v1(page, &plain)?;
            (rep, def, plain, at)
        };
        let raw = (self.codec == Codec::Snappy).then_some(raw);
        let count = levels::count_of(&def, self.shape.max_def);
        let encoding = self.encoding(page)?;
        if encoding == Encoding::Dictionary {
            let body = plain.get(start..).ok_or_else(|| broken("claims a wrong size"))?;
            let values = Values::positions(body, count, entries)?;
            return Ok(Loaded { rep, def, values, start, packed: Some(plain), raw });
        }
        let values = Values::decode(encoding, self.shape.physical, plain, start, count)?;
        Ok(Loaded { rep, def, values, start, packed: None, raw })
    }

    fn split_v1(&self, page: &Page, plain: &[u8]) -> Outcome<(Vec<u8>, Vec<u8>, usize)> {
        let mut at = 0;
        let mut take = |most: u8, encoding: Option<i32>| {
            if most == 0 {
                return Ok(vec![0; page.slots]);
            }
            if encoding != Some(3) {
                return Err(Problem::refused(format!(
                    "the levels of `{}` are encoded in an unknown way",
                    self.shape.path
                )));
            }
            let length = plain.get(at..).and_then(|rest| rest.first_chunk::<4>());
            let length = length.map(|raw| u32::from_le_bytes(*raw) as usize);
            let packed = length.and_then(|length| plain.get(at + 4..at + 4 + length));
            let packed = packed.ok_or_else(|| broken("claims more levels than there are"))?;
            at += 4 + packed.len();
            decode_levels(packed, most, page.slots)
        };
        let part = page.part();
        let rep = take(self.shape.max_rep, part.and_then(|part| part.i32(4)))?;
        let def = take(self.shape.max_def, part.and_then(|part| part.i32(3)))?;
        Ok((self.only_nested(rep), def, at))
    }

    fn split_v2(&self, page: &Page, raw: &[u8]) -> Outcome<(Vec<u8>, Vec<u8>, usize)> {
        let wrong = || broken("claims more levels than there are");
        let part = page.part().ok_or_else(wrong)?;
        let size = |id| part.i32(id).and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong);
        let (def_size, rep_size) = (size(5)?, size(6)?);
        let rep = raw.get(..rep_size).ok_or_else(wrong)?;
        let end = rep_size.checked_add(def_size).ok_or_else(wrong)?;
        let def = raw.get(rep_size..end).ok_or_else(wrong)?;
        let rep = decode_levels(rep, self.shape.max_rep, page.slots)?;
        let def = decode_levels(def, self.shape.max_def, page.slots)?;
        Ok((self.only_nested(rep), def, end))
    }

    fn only_nested(&self, rep: Vec<u8>) -> Vec<u8> {
        if self.shape.max_rep == 0 { Vec::new() } else { rep }
    }
}

fn decode_levels(packed: &[u8], most: u8, count: usize) -> Outcome<Vec<u8>> {
    if most == 0 {
        return Ok(vec![0; count]);
    }
    let most = u32::from(most);
    levels::decode(packed, levels::width(most), count, most)
}

/// Appends the levels of a page as its kind wants them; gives the bytes of repetition and definition
/// levels.
pub(crate) fn write_levels(
    kind: Kind,
    shape: &Shape,
    rep: &[u8],
    def: &[u8],
    out: &mut Vec<u8>,
) -> (usize, usize) {
    let mut put = |levels: &[u8], most: u8| {
        if most == 0 {
            return 0;
        }
        let start = out.len();
        if kind == Kind::V1 {
            out.extend_from_slice(&[0; 4]);
        }
        let body = out.len();
        levels::encode(levels, levels::width(u32::from(most)), out);
        if kind == Kind::V1 {
            let length = u32::try_from(out.len() - body).unwrap_or(u32::MAX);
            out[start..body].copy_from_slice(&length.to_le_bytes());
        }
        out.len() - start
    };
    let rep_size = put(rep, shape.max_rep);
    (rep_size, put(def, shape.max_def))
}
