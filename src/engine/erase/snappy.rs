//! Snappy without compressing again what stays: the compressed form of a page is cut where nothing
//! refers back across, and the parts between the changes are taken over as they are.
//!
//! Compressors work in blocks of 64 KiB that do not refer to each other, so a page of 1 MiB with one
//! change costs one block. The decompressed bytes are all that counts: the proof reads them back.

use std::ops::Range;

use super::levels::{varint, window};
use super::thrift::write_varint;

/// Cuts closer together are not worth a piece of their own.
const LEAST: usize = 1 << 12;

/// A change of a page's plain bytes: what is replaced, and by how many bytes. In order, not overlapping.
pub(crate) type Patch = (Range<usize>, usize);

/// As far back as compressors refer that keep to blocks of 64 KiB, as nearly all do: their distances have two
/// bytes.
const FAR: usize = 1 << 16;

/// How much of a compressed form is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Up to what nothing in reach of the last change refers back across. The format has longer distances,
    /// which few compressors write: where one is there, what comes out decompresses to something else, and
    /// the proof says so.
    Near,
    /// All of it.
    Whole,
}

/// The compressed form of `new`, which is what `packed` decompresses to with the patches applied.
/// `None` where that cannot be had cheaper than by compressing all of it.
pub(crate) fn splice(packed: &[u8], patches: &[Patch], new: &[u8], scan: Scan) -> Option<Vec<u8>> {
    let changed = patches.last().map_or(0, |patch| patch.0.end);
    let cuts = cuts(packed, if scan == Scan::Near { changed } else { usize::MAX })?;
    let plain = cuts.last()?.plain;
    let shift = |patch: &Patch| patch.1 as isize - patch.0.len() as isize;
    if plain.checked_add_signed(patches.iter().map(shift).sum())? != new.len() {
        return None;
    }
    let mut out = Vec::with_capacity(packed.len() + 1024);
    write_varint(&mut out, new.len() as u64);
    let (mut moved, mut next, mut done) = (0_isize, 0, 0);
    for pair in cuts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        while patches.get(next).is_some_and(|patch| patch.0.end <= from.plain) {
            moved += shift(&patches[next]);
            next += 1;
        }
        if patches.get(next).is_some_and(|patch| patch.0.start < to.plain) {
            continue;
        }
        let start = from.plain.checked_add_signed(moved)?;
        compress(new.get(done..start)?, &mut out)?;
        out.extend_from_slice(&packed[from.packed..to.packed]);
        done = to.plain.checked_add_signed(moved)?;
    }
    compress(new.get(done..)?, &mut out)?;
    Some(out)
}

fn compress(plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if plain.is_empty() {
        return Some(());
    }
    let packed = snap::raw::Encoder::new().compress_vec(plain).ok()?;
    let (_, head) = length(&packed)?;
    out.extend_from_slice(&packed[head..]);
    Some(())
}

/// A place between two elements, in both forms.
#[derive(Debug, Clone, Copy)]
struct Cut {
    packed: usize,
    plain: usize,
}

/// The places that nothing after refers back across, the start and the end among them; after the first one
/// from `enough` on only the end.
fn cuts(packed: &[u8], enough: usize) -> Option<Vec<Cut>> {
    let (whole, mut at) = length(packed)?;
    let mut plain = 0;
    let mut cuts = vec![Cut { packed: at, plain }];
    // Where the next cut may be, and the last one: kept beside the list, for speed.
    let (mut due, mut last) = (LEAST, 0);
    while at < packed.len() {
        let tag = Tag::of(packed[at]);
        // A block has nothing to refer to, so it begins with a literal of some length.
        if plain >= due && (tag.literal >= 12 || tag.size == 0) {
            let first = cuts.partition_point(|cut| cut.plain < enough);
            if cuts.get(first).is_some_and(|cut| plain - cut.plain >= FAR) {
                cuts.truncate(first + 1);
                cuts.push(Cut { packed: packed.len(), plain: whole });
                return Some(cuts);
            }
            cuts.push(Cut { packed: at, plain });
            (last, due) = (plain, plain + LEAST);
        }
        at += 1;
        let word = window(packed, at) as u32;
        let back = usize::from(tag.high) + (word & tag.mask) as usize;
        at += usize::from(tag.extra);
        if tag.size == 0 {
            // A long literal: what follows is its length, less one.
            at += back + 1;
            plain += back + 1;
            continue;
        }
        at += usize::from(tag.literal);
        let source = plain.checked_sub(back & tag.refers)?;
        if source < last {
            while cuts.last().is_some_and(|cut| cut.plain > source) {
                cuts.pop();
            }
            last = cuts.last()?.plain;
            due = last + LEAST;
        }
        plain += usize::from(tag.size);
    }
    if at != packed.len() || plain != whole {
        return None;
    }
    cuts.push(Cut { packed: at, plain });
    Some(cuts)
}

/// What the first byte of an element says.
#[derive(Clone, Copy)]
struct Tag {
    /// Bytes that it gives; 0 for literals whose length follows.
    size: u8,
    /// Bytes that follow and say a length or a distance.
    extra: u8,
    /// Their bits in a word.
    mask: u32,
    /// Upper bits of the distance.
    high: u16,
    /// Bytes of the literal that follow.
    literal: u8,
    /// All ones where the element refers back.
    refers: usize,
}

impl Tag {
    /// Branches over the kinds would be mispredicted half the time: a table is looked up instead.
    const ALL: [Self; 256] = {
        let mut all = [Self::make(0); 256];
        let mut byte = 0;
        while byte < 256 {
            all[byte] = Self::make(byte as u8);
            byte += 1;
        }
        all
    };

    const fn of(byte: u8) -> Self {
        Self::ALL[byte as usize]
    }

    const fn make(byte: u8) -> Self {
        let upper = byte >> 2;
        let (size, extra, high, literal) = match byte & 3 {
            0 if upper < 60 => (upper + 1, 0, 0, upper + 1),
            0 => (0, upper - 59, 0, 0),
            1 => ((upper & 7) + 4, 1, (byte as u16 & 0xe0) << 3, 0),
            2 => (upper + 1, 2, 0, 0),
            _ => (upper + 1, 4, 0, 0),
        };
        let mask = match extra {
            0 => 0,
            bytes => u32::MAX >> (32 - 8 * bytes as u32),
        };
        let refers = if byte & 3 == 0 { 0 } else { usize::MAX };
        Self { size, extra, mask, high, literal, refers }
    }
}

/// The length that a compressed form begins with, and how many bytes say it.
fn length(packed: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    let length = varint(packed, &mut at)?;
    Some((usize::try_from(length).ok()?, at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_spliced_form_decompresses_to_the_patched_bytes() {
        let text = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        for (seed, scan) in (0..60).flat_map(|seed: u64| [(seed, Scan::Near), (seed, Scan::Whole)])
        {
            let size = [10, 5_000, 70_000, 400_000][seed as usize % 4];
            let mut old: Vec<u8> = (0..size / 9)
                .flat_map(|n| format!("{:08x} ", text(n + seed) % 7_000).into_bytes())
                .collect();
            let mut packed = snap::raw::Encoder::new().compress_vec(&old).unwrap();
            // Several rounds: what was spliced is spliced again.
            for round in 0..4_u64 {
                let (mut patches, mut new, mut from) = (Vec::new(), Vec::new(), 0);
                for n in 0..seed % 5 {
                    let start = (text(seed * 31 + round * 7 + n) % old.len() as u64) as usize;
                    let end = (start + n as usize * 9).min(old.len());
                    if start < from {
                        continue;
                    }
                    new.extend_from_slice(&old[from..start]);
                    let put = format!("{seed}-{n}").repeat((round * n) as usize);
                    new.extend_from_slice(put.as_bytes());
                    patches.push((start..end, put.len()));
                    from = end;
                }
                new.extend_from_slice(&old[from..]);
                let spliced = splice(&packed, &patches, &new, scan).unwrap();
                assert_eq!(snap::raw::Decoder::new().decompress_vec(&spliced).unwrap(), new);
                (old, packed) = (new, spliced);
            }
        }
    }

    #[test]
    fn what_is_not_snappy_is_left_alone() {
        for bytes in [&b""[..], &[5], &[5, 0xff, 0xff], &[4, 1, 9]] {
            assert!(splice(bytes, &[], b"hello", Scan::Near).is_none());
        }
    }
}
