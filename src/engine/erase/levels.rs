//! Parquet's hybrid of run lengths and bit packing: levels, dictionary indices, booleans.

use super::error::{Outcome, Problem};
use super::thrift::write_varint;

/// Bits that numbers up to `largest` need.
pub(crate) const fn width(largest: u32) -> u32 {
    u32::BITS - largest.leading_zeros()
}

fn broken() -> Problem {
    Problem::unreadable("a page holds levels or indices that cannot be decoded")
}

/// Decodes `count` numbers of `width` bits (at most 32), each at most `largest`.
pub(crate) fn decode<T: Number>(
    bytes: &[u8],
    width: u32,
    count: usize,
    largest: u32,
) -> Outcome<Vec<T>> {
    let mut out = Vec::with_capacity(count);
    let mut at = 0;
    while out.len() < count {
        let head = varint(bytes, &mut at).ok_or_else(broken)?;
        let wanted = count - out.len();
        if head & 1 == 0 {
            let run = usize::try_from(head >> 1).map_err(|_| broken())?;
            let size = width.div_ceil(8) as usize;
            let raw = bytes.get(at..at + size).ok_or_else(broken)?;
            at += size;
            let value = raw.iter().rev().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
            if value > largest || run == 0 {
                return Err(broken());
            }
            out.resize(out.len() + run.min(wanted), T::from_u32(value));
        } else {
            let groups = usize::try_from(head >> 1).map_err(|_| broken())?;
            let size = groups.checked_mul(width as usize).ok_or_else(broken)?;
            // The last run of some writers is cut short after its last value.
            let packed = bytes.get(at..).ok_or_else(broken)?;
            let packed = &packed[..packed.len().min(size)];
            let values = groups.checked_mul(8).ok_or_else(broken)?.min(wanted);
            if values == 0 || values as u64 * u64::from(width) > packed.len() as u64 * 8 {
                return Err(broken());
            }
            unpack(packed, width, values, largest, &mut out)?;
            at += packed.len();
        }
    }
    Ok(out)
}

/// A kind of number that levels and indices decode to.
pub(crate) trait Number: Copy + Eq + 'static {
    /// The bits of each byte, lowest first.
    const BITS: &'static [[Self; 8]; 256];
    fn from_u32(value: u32) -> Self;
    fn to_u32(self) -> u32;
}

macro_rules! bits {
    () => {{
        let mut all = [[0; 8]; 256];
        let mut at = 0;
        while at < 256 * 8 {
            all[at / 8][at % 8] = ((at / 8) >> (at % 8) & 1) as Self;
            at += 1;
        }
        &{ all }
    }};
}

impl Number for u8 {
    const BITS: &'static [[Self; 8]; 256] = bits!();
    fn from_u32(value: u32) -> Self {
        value as Self
    }
    fn to_u32(self) -> u32 {
        u32::from(self)
    }
}

impl Number for u32 {
    const BITS: &'static [[Self; 8]; 256] = bits!();
    fn from_u32(value: u32) -> Self {
        value
    }
    fn to_u32(self) -> u32 {
        self
    }
}

fn unpack<T: Number>(
    bytes: &[u8],
    width: u32,
    count: usize,
    largest: u32,
    out: &mut Vec<T>,
) -> Outcome<()> {
    let mask = (1_u64 << width) - 1;
    let mut worst = 0_u32;
    // Four values of up to 16 bits lie in one word, and eight begin at a byte.
    let stride = width as usize;
    let mut done = 0;
    if width == 1 {
        let groups = (count / 8).min(bytes.len());
        done = groups * 8;
        worst = u32::from(bytes[..groups].iter().any(|byte| *byte != 0));
        for byte in &bytes[..groups] {
            out.extend_from_slice(&T::BITS[usize::from(*byte)]);
        }
    } else if width <= 16 && width > 0 && bytes.len() >= 16 {
        let groups = (count / 8).min((bytes.len() - 16) / stride + 1);
        done = groups * 8;
        let (half, skip) = (stride / 2, width * 4 % 8);
        for at in (0..groups).map(|group| group * stride) {
            let words = [window(bytes, at), window(bytes, at + half) >> skip];
            let eight: [u32; 8] =
                std::array::from_fn(|i| (words[i / 4] >> ((i % 4) as u32 * width) & mask) as u32);
            worst = eight.iter().fold(worst, |worst, value| worst.max(*value));
            out.extend_from_slice(&eight.map(T::from_u32));
        }
    }
    out.extend((done..count).map(|i| {
        let bit = i * width as usize;
        let value = ((window(bytes, bit / 8) >> (bit % 8)) & mask) as u32;
        worst = worst.max(value);
        T::from_u32(value)
    }));
    if worst > largest { Err(broken()) } else { Ok(()) }
}

/// How many levels are this one.
pub(crate) fn count_of(levels: &[u8], level: u8) -> usize {
    // Sums of a byte each, for as long as they fit into one.
    let count = |part: &[u8]| part.iter().map(|l| u8::from(*l == level)).sum::<u8>();
    levels.chunks(128).map(|part| usize::from(count(part))).sum()
}

/// Eight bytes from `at`, zeros past the end.
pub(crate) fn window(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(|eight| <[u8; 8]>::try_from(eight).ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take(8)
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    }
}

/// An unsigned LEB128 number at `at`, which moves past it.
pub(crate) fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Appends numbers of `width` bits.
pub(crate) fn encode<T: Number>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let mut literal = 0;
    let mut at = 0;
    while at < values.len() {
        let first = values[at];
        let run = values[at..].iter().take_while(|value| **value == first).count();
        if run >= 8 {
            pack(&values[literal..at], width, out);
            write_varint(out, (run as u64) << 1);
            out.extend_from_slice(&first.to_u32().to_le_bytes()[..width.div_ceil(8) as usize]);
            at += run;
            literal = at;
        } else {
            at = (at + 8).min(values.len());
        }
    }
    pack(&values[literal..], width, out);
}

/// Appends one bit-packed run, padded to a multiple of 8 values.
pub(crate) fn pack<T: Number>(values: &[T], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    write_varint(out, (groups as u64) << 1 | 1);
    let start = out.len();
    let (mut buffer, mut bits) = (0_u64, 0_u32);
    for value in values {
        buffer |= u64::from(value.to_u32()) << bits;
        bits += width;
        while bits >= 8 {
            out.push(buffer as u8);
            buffer >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(buffer as u8);
    }
    out.resize(start + groups * width as usize, 0);
}
