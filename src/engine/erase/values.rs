//! The values of one page, decoded from any encoding and written back in the same one.

use super::error::{Outcome, Problem};
use super::snappy::Patch;
use super::{delta, levels};

/// A physical type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    Bool,
    I32,
    I64,
    I96,
    F32,
    F64,
    Bytes,
    Fixed(usize),
}

impl Physical {
    /// Its number in the format.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::Bool => 0,
            Self::I32 => 1,
            Self::I64 => 2,
            Self::I96 => 3,
            Self::F32 => 4,
            Self::F64 => 5,
            Self::Bytes => 6,
            Self::Fixed(_) => 7,
        }
    }

    /// Bytes of a value in here; `None` where they vary. Booleans take one.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::Bool => Some(1),
            Self::I32 | Self::F32 => Some(4),
            Self::I64 | Self::F64 => Some(8),
            Self::I96 => Some(12),
            Self::Fixed(width) => Some(width),
            Self::Bytes => None,
        }
    }
}

/// How the values of a page are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    /// Indices into the chunk's dictionary.
    Dictionary,
    /// Booleans as runs.
    Rle,
    DeltaBinary,
    DeltaLength,
    DeltaBytes,
    ByteSplit,
}

impl Encoding {
    /// Of a data page; `None` where it is unknown or does not fit the type.
    pub(crate) fn of(number: i32, physical: Physical) -> Option<Self> {
        use Physical::{Bool, Bytes, F32, F64, Fixed, I32, I64, I96};
        Some(match (number, physical) {
            (0, _) => Self::Plain,
            (2 | 8, _) => Self::Dictionary,
            (3, Bool) => Self::Rle,
            (5, I32 | I64) => Self::DeltaBinary,
            (6, Bytes) => Self::DeltaLength,
            (7, Bytes | Fixed(_)) => Self::DeltaBytes,
            (9, I32 | I64 | F32 | F64 | Fixed(_)) => Self::ByteSplit,
            (_, I96 | _) => return None,
        })
    }
}

/// Where a value lies in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// The non-null values of a page, each as the bytes of its plain form (booleans: one byte, byte
/// arrays: without their length).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Values {
    /// `count` values of one width from `start` on.
    Fixed { bytes: Vec<u8>, start: usize, width: usize, count: usize },
    /// Spans of `bytes`.
    Var { bytes: Vec<u8>, spans: Vec<Span> },
    /// Positions in the dictionary.
    Indices(Vec<u32>),
}

/// A change of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put<T> {
    /// It goes.
    Drop,
    /// It becomes this.
    Value(T),
}

fn short() -> Problem {
    Problem::unreadable("a page holds fewer values than it says")
}

impl Values {
    /// Decodes `count` values that begin at `start` of `bytes`, in any encoding but that of a dictionary.
    pub(crate) fn decode(
        encoding: Encoding,
        physical: Physical,
        bytes: Vec<u8>,
        start: usize,
        count: usize,
    ) -> Outcome<Self> {
        let body = bytes.get(start..).ok_or_else(short)?;
        match (encoding, physical.width()) {
            (Encoding::Plain, None) => {
                let spans = plain_spans(&bytes, start, count)?;
                Ok(Self::Var { bytes, spans })
            }
            (Encoding::Plain, Some(_)) if physical == Physical::Bool => {
                if body.len() < count.div_ceil(8) {
                    return Err(short());
                }
                let bit = |i: usize| body[i / 8] >> (i % 8) & 1;
                Ok(Self::fixed((0..count).map(bit).collect(), 1, count))
            }
            (Encoding::Plain, Some(width)) => {
                if width.checked_mul(count).is_none_or(|size| size > body.len()) {
                    return Err(short());
                }
                Ok(Self::Fixed { bytes, start, width, count })
            }
            (Encoding::Dictionary, _) => Err(short()),
            (Encoding::Rle, _) => {
                let packed = body.get(4..).ok_or_else(short)?;
                levels::decode::<u8>(packed, 1, count, 1).map(|flags| Self::fixed(flags, 1, count))
            }
            (Encoding::DeltaBinary, width) => {
                let mut at = 0;
                let numbers = delta::decode(body, &mut at, count)?;
                if numbers.len() != count {
                    return Err(short());
                }
                let width = width.unwrap_or(8);
                let mut plain = Vec::with_capacity(width * count);
                for number in numbers {
                    plain.extend_from_slice(&number.to_le_bytes()[..width]);
                }
                Ok(Self::fixed(plain, width, count))
            }
            (Encoding::DeltaLength, _) => delta_lengths(body, count),
            (Encoding::DeltaBytes, width) => match (delta_bytes(body, count)?, width) {
                (Self::Var { bytes, spans }, Some(width)) => {
                    if spans.iter().any(|span| span.length as usize != width) {
                        return Err(short());
                    }
                    Ok(Self::fixed(bytes, width, count))
                }
                (values, _) => Ok(values),
            },
            (Encoding::ByteSplit, width) => {
                let width = width.ok_or_else(short)?;
                if width.checked_mul(count).is_none_or(|size| size > body.len()) {
                    return Err(short());
                }
                let mut plain = vec![0; width * count];
                for (i, value) in plain.chunks_exact_mut(width.max(1)).enumerate() {
                    for (stream, byte) in value.iter_mut().enumerate() {
                        *byte = body[stream * count + i];
                    }
                }
                Ok(Self::fixed(plain, width, count))
            }
        }
    }

    /// Decodes `count` positions in a dictionary of so many entries.
    pub(crate) fn positions(body: &[u8], count: usize, entries: usize) -> Outcome<Self> {
        if count == 0 {
            return Ok(Self::Indices(Vec::new()));
        }
        let largest = entries
            .checked_sub(1)
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| Problem::unreadable("a page refers to a missing dictionary"))?;
        let (width, packed) = body.split_first().ok_or_else(short)?;
        if *width > 32 {
            return Err(short());
        }
        levels::decode(packed, u32::from(*width), count, largest).map(Self::Indices)
    }

    const fn fixed(bytes: Vec<u8>, width: usize, count: usize) -> Self {
        Self::Fixed { bytes, start: 0, width, count }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fixed { count, .. } => *count,
            Self::Var { spans, .. } => spans.len(),
            Self::Indices(indices) => indices.len(),
        }
    }

    /// The positions in the dictionary.
    pub(crate) fn indices(&self) -> Option<&[u32]> {
        match self {
            Self::Indices(indices) => Some(indices),
            _ => None,
        }
    }

    /// Appends the plain form, which begins at `start` of the buffer, with its patches and what they put.
    pub(crate) fn encode_patched<'a>(
        &self,
        start: usize,
        patches: &[Patch],
        puts: impl Iterator<Item = &'a Put<Vec<u8>>>,
        out: &mut Vec<u8>,
    ) -> Outcome<()> {
        let (bytes, end, width) = match self {
            Self::Var { bytes, spans } => {
                let end = |span: &Span| span.start as usize + span.length as usize;
                (bytes, spans.last().map_or(start, end), None)
            }
            Self::Fixed { bytes, start, width, count } => {
                (bytes, start + width * count, Some(*width))
            }
            Self::Indices(_) => return Err(Problem::refused("positions have no plain form")),
        };
        let mut from = start;
        for ((old, _), put) in patches.iter().zip(puts) {
            out.extend_from_slice(&bytes[from..old.start]);
            if let Put::Value(value) = put {
                match width {
                    None => {
                        let length = u32::try_from(value.len())
                            .map_err(|_| Problem::refused("a page would become too large"))?;
                        out.extend_from_slice(&length.to_le_bytes());
                    }
                    Some(width) if width != value.len() => {
                        return Err(Problem::refused("a replacement is not of its column's width"));
                    }
                    Some(_) => {}
                }
                out.extend_from_slice(value);
            }
            from = old.end;
        }
        out.extend_from_slice(&bytes[from..end]);
        Ok(())
    }

    /// The bytes of a value; indices are looked up in `dictionary`. Empty past the end.
    pub(crate) fn get<'a>(&'a self, at: usize, dictionary: Option<&'a Self>) -> &'a [u8] {
        match self {
            Self::Fixed { bytes, start, width, count } if at < *count => {
                &bytes[start + at * width..start + (at + 1) * width]
            }
            Self::Var { bytes, spans } => spans.get(at).map_or(&[], |span| {
                &bytes[span.start as usize..span.start as usize + span.length as usize]
            }),
            Self::Indices(indices) => match (indices.get(at), dictionary) {
                (Some(index), Some(dictionary)) => dictionary.get(*index as usize, None),
                _ => &[],
            },
            Self::Fixed { .. } => &[],
        }
    }

    /// Calls `visit` for each value, for equal ones in a dictionary once.
    pub(crate) fn distinct<'a>(
        &'a self,
        dictionary: Option<&'a Self>,
        mut visit: impl FnMut(&'a [u8]),
    ) {
        match (self, dictionary) {
            (Self::Indices(indices), Some(dictionary)) => {
                let mut there = vec![false; dictionary.len()];
                indices.iter().for_each(|index| there[*index as usize] = true);
                let there = there.iter().enumerate().filter(|(_, there)| **there);
                there.for_each(|(at, _)| visit(dictionary.get(at, None)));
            }
            _ => (0..self.len()).for_each(|at| visit(self.get(at, dictionary))),
        }
    }

    /// Whether `count` values from `at` on lie in the buffer as those of another from `there` on do. Values
    /// may be equal all the same where they do not, or where either is of indices.
    pub(crate) fn equal(&self, at: usize, other: &Self, there: usize, count: usize) -> bool {
        match (self, other) {
            (
                Self::Fixed { bytes, start, width, .. },
                Self::Fixed { bytes: others, start: begin, width: wide, .. },
            ) if width == wide => {
                let range = |start: usize, at| start + at * width..start + (at + count) * width;
                bytes.get(range(*start, at)).is_some_and(|these| {
                    others.get(range(*begin, there)).is_some_and(|those| these == those)
                })
            }
            (Self::Var { bytes, spans }, Self::Var { bytes: others, spans: places }) => {
                let (Some(these), Some(those)) =
                    (spans.get(at..at + count), places.get(there..there + count))
                else {
                    return false;
                };
                // Alike in their places, and then in all that lies between the first and the last.
                let alike = |(a, b): (&Span, &Span)| {
                    a.length == b.length
                        && a.start.wrapping_sub(these[0].start)
                            == b.start.wrapping_sub(those[0].start)
                };
                let hull = |spans: &[Span]| {
                    let (first, last) = (spans.first()?, spans.last()?);
                    Some(first.start as usize..last.start as usize + last.length as usize)
                };
                these.iter().zip(those).all(alike)
                    && hull(these).zip(hull(those)).is_some_and(|(a, b)| {
                        bytes.get(a).is_some_and(|a| others.get(b).is_some_and(|b| a == b))
                    })
            }
            _ => false,
        }
    }

    /// What changes do to the plain form, counted from the start of the buffer. Only for values that were
    /// decoded from `PLAIN` and not changed since.
    pub(crate) fn patches<'a>(
        &'a self,
        changes: impl Iterator<Item = (u32, &'a Put<Vec<u8>>)>,
    ) -> Vec<Patch> {
        let patch = |(at, put): (u32, &Put<Vec<u8>>)| {
            let at = at as usize;
            let (head, old) = match self {
                Self::Var { spans, .. } => {
                    let start = spans[at].start as usize;
                    (4, start - 4..start + spans[at].length as usize)
                }
                Self::Fixed { start, width, .. } => {
                    (0, start + at * width..start + (at + 1) * width)
                }
                Self::Indices(_) => (0, 0..0),
            };
            match put {
                Put::Drop => (old, 0),
                Put::Value(value) => (old, head + value.len()),
            }
        };
        changes.map(patch).collect()
    }

    /// Carries out changes, sorted by position, each position once. Not for indices.
    pub(crate) fn change<'a>(
        &mut self,
        changes: impl Iterator<Item = (u32, &'a Put<Vec<u8>>)>,
    ) -> Outcome<()> {
        match self {
            Self::Fixed { bytes, start, width, count } => {
                let mut out = Vec::with_capacity(*width * *count);
                let mut from = *start;
                for (at, put) in changes {
                    let to = *start + at as usize * *width;
                    out.extend_from_slice(&bytes[from..to]);
                    if let Put::Value(value) = put {
                        if value.len() != *width {
                            return Err(Problem::refused(
                                "a replacement is not of its column's width",
                            ));
                        }
                        out.extend_from_slice(value);
                    }
                    from = to + *width;
                }
                out.extend_from_slice(&bytes[from..*start + *count * *width]);
                *count = out.len().checked_div(*width).unwrap_or(*count);
                (*bytes, *start) = (out, 0);
            }
            Self::Var { bytes, spans } => {
                let mut out = Vec::with_capacity(spans.len());
                let mut from = 0;
                for (at, put) in changes {
                    let to = at as usize;
                    out.extend_from_slice(&spans[from..to]);
                    if let Put::Value(value) = put {
                        let sizes = (u32::try_from(bytes.len()), u32::try_from(value.len()));
                        let (Ok(start), Ok(length)) = sizes else {
                            return Err(Problem::refused("a page would become too large"));
                        };
                        out.push(Span { start, length });
                        bytes.extend_from_slice(value);
                    }
                    from = to + 1;
                }
                out.extend_from_slice(&spans[from..]);
                *spans = out;
            }
            Self::Indices(_) => {
                return Err(Problem::refused("a dictionary page was changed by value"));
            }
        }
        Ok(())
    }

    /// Appends the values in an encoding. Positions in a dictionary have their own:
    /// [`encode_indices`].
    pub(crate) fn encode(&self, encoding: Encoding, physical: Physical, out: &mut Vec<u8>) {
        match (encoding, self) {
            (Encoding::Plain | Encoding::Dictionary, Self::Var { bytes, spans }) => {
                encode_plain(bytes, spans, out);
            }
            (Encoding::Plain, Self::Fixed { .. }) if physical == Physical::Bool => {
                let flags = self.flat();
                out.extend(flags.chunks(8).map(|eight| {
                    eight.iter().enumerate().fold(0, |byte, (i, flag)| byte | (flag & 1) << i)
                }));
            }
            (Encoding::Rle, _) => {
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                levels::encode(self.flat(), 1, out);
                let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
                out[start..start + 4].copy_from_slice(&length.to_le_bytes());
            }
            (Encoding::DeltaBinary, Self::Fixed { width, .. }) => {
                let wide = *width == 8;
                let number = |raw: &[u8]| match <[u8; 8]>::try_from(raw) {
                    Ok(eight) => i64::from_le_bytes(eight),
                    Err(_) => i64::from(i32::from_le_bytes(raw.try_into().unwrap_or_default())),
                };
                let numbers: Vec<i64> = self.flat().chunks_exact(*width).map(number).collect();
                delta::encode(&numbers, wide, out);
            }
            (Encoding::DeltaLength, Self::Var { bytes, spans }) => {
                let lengths: Vec<i64> = spans.iter().map(|span| i64::from(span.length)).collect();
                delta::encode(&lengths, false, out);
                for span in spans {
                    out.extend_from_slice(
                        &bytes[span.start as usize..span.start as usize + span.length as usize],
                    );
                }
            }
            (Encoding::DeltaBytes, _) => self.encode_delta_bytes(out),
            (Encoding::ByteSplit, Self::Fixed { width, count, .. }) => {
                let flat = self.flat();
                for stream in 0..*width {
                    out.extend((0..*count).map(|i| flat[i * width + stream]));
                }
            }
            (_, _) => out.extend_from_slice(self.flat()),
        }
    }

    /// The bytes of fixed-width values in a row.
    fn flat(&self) -> &[u8] {
        match self {
            Self::Fixed { bytes, start, width, count } => &bytes[*start..*start + *width * *count],
            _ => &[],
        }
    }

    fn encode_delta_bytes(&self, out: &mut Vec<u8>) {
        let mut prefixes = Vec::with_capacity(self.len());
        let mut lengths = Vec::with_capacity(self.len());
        let mut suffixes = Vec::new();
        let mut last: &[u8] = &[];
        for at in 0..self.len() {
            let value = self.get(at, None);
            let shared = value.iter().zip(last).take_while(|(a, b)| a == b).count();
            prefixes.push(shared as i64);
            lengths.push((value.len() - shared) as i64);
            suffixes.extend_from_slice(&value[shared..]);
            last = value;
        }
        delta::encode(&prefixes, false, out);
        delta::encode(&lengths, false, out);
        out.extend_from_slice(&suffixes);
    }
}

/// Appends positions in a dictionary of so many entries.
pub(crate) fn encode_indices(indices: &[u32], entries: usize, out: &mut Vec<u8>) {
    let width = levels::width(u32::try_from(entries.saturating_sub(1)).unwrap_or(u32::MAX));
    out.push(width as u8);
    levels::encode(indices, width, out);
}

/// Lengths and values in turn. Runs that lie in the buffer as they will be written are copied at once.
fn encode_plain(bytes: &[u8], spans: &[Span], out: &mut Vec<u8>) {
    out.reserve(bytes.len());
    let mut at = 0;
    while let Some(first) = spans.get(at) {
        let start = first.start as usize;
        let prefixed = start >= 4 && bytes[start - 4..start] == first.length.to_le_bytes();
        if !prefixed {
            out.extend_from_slice(&first.length.to_le_bytes());
            out.extend_from_slice(&bytes[start..start + first.length as usize]);
            at += 1;
            continue;
        }
        let mut end = first.start + first.length;
        at += 1;
        while let Some(next) = spans.get(at) {
            let here = end as usize;
            let plain = next.start == end + 4
                && bytes.get(here..here + 4) == Some(&next.length.to_le_bytes()[..]);
            if !plain {
                break;
            }
            end = next.start + next.length;
            at += 1;
        }
        out.extend_from_slice(&bytes[start - 4..end as usize]);
    }
}

fn plain_spans(bytes: &[u8], start: usize, count: usize) -> Outcome<Vec<Span>> {
    let mut spans = Vec::with_capacity(count.min(bytes.len() / 4 + 1));
    let mut at = start;
    for _ in 0..count {
        let head = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(short)?;
        let length = u32::from_le_bytes(*head);
        at += 4;
        let end = at.checked_add(length as usize).filter(|end| *end <= bytes.len());
        spans.push(Span { start: at as u32, length });
        at = end.ok_or_else(short)?;
    }
    Ok(spans)
}

fn delta_lengths(body: &[u8], count: usize) -> Outcome<Values> {
    let mut at = 0;
    let lengths = delta::decode(body, &mut at, count)?;
    if lengths.len() != count {
        return Err(short());
    }
    let bytes = body.get(at..).ok_or_else(short)?.to_vec();
    let mut spans = Vec::with_capacity(count);
    let mut start = 0_usize;
    for length in lengths {
        let length = u32::try_from(length).map_err(|_| short())?;
        spans.push(Span { start: start as u32, length });
        start += length as usize;
        if start > bytes.len() {
            return Err(short());
        }
    }
    Ok(Values::Var { bytes, spans })
}

fn delta_bytes(body: &[u8], count: usize) -> Outcome<Values> {
    let mut at = 0;
    let prefixes = delta::decode(body, &mut at, count)?;
    let Values::Var { bytes: suffixes, spans } = delta_lengths(&body[at..], count)? else {
        return Err(short());
    };
    if prefixes.len() != count {
        return Err(short());
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(suffixes.len());
    let mut whole: Vec<Span> = Vec::with_capacity(count);
    for (prefix, suffix) in prefixes.into_iter().zip(spans) {
        let prefix = u32::try_from(prefix).map_err(|_| short())?;
        let last = whole.last().copied().unwrap_or(Span { start: 0, length: 0 });
        if prefix > last.length || bytes.len() > super::MAX_PAGE_BYTES {
            return Err(short());
        }
        let start = bytes.len() as u32;
        bytes.extend_from_within(last.start as usize..(last.start + prefix) as usize);
        let from = suffix.start as usize;
        bytes.extend_from_slice(&suffixes[from..from + suffix.length as usize]);
        whole.push(Span { start, length: prefix + suffix.length });
    }
    Ok(Values::Var { bytes, spans: whole })
}
