//! `DELTA_BINARY_PACKED`: numbers as differences in blocks of bit-packed miniblocks.

use super::error::{Outcome, Problem};
use super::levels::{varint, window};
use super::thrift::write_varint;

/// What we write: 128 values a block, in 4 miniblocks, as every writer does.
const BLOCK: usize = 128;
const MINIS: usize = 4;
const MINI: usize = BLOCK / MINIS;

fn broken() -> Problem {
    Problem::unreadable("a page holds delta-encoded values that cannot be decoded")
}

/// Decodes numbers from `at`, which moves past them; at most `most` of them.
pub(crate) fn decode(bytes: &[u8], at: &mut usize, most: usize) -> Outcome<Vec<i64>> {
    let mut next = || varint(bytes, at).and_then(|n| usize::try_from(n).ok()).ok_or_else(broken);
    let (block, minis, total) = (next()?, next()?, next()?);
    if total > most || minis == 0 || block == 0 || block % minis != 0 || block > 1 << 20 {
        return Err(broken());
    }
    let per_mini = block / minis;
    if per_mini % 8 != 0 {
        return Err(broken());
    }
    let mut value = unzigzag(varint(bytes, at).ok_or_else(broken)?);
    let mut values = Vec::with_capacity(total);
    if total > 0 {
        values.push(value);
    }
    while values.len() < total {
        let least = unzigzag(varint(bytes, at).ok_or_else(broken)?);
        let widths = bytes.get(*at..*at + minis).ok_or_else(broken)?.to_vec();
        *at += minis;
        for width in widths {
            let wanted = (total - values.len()).min(per_mini);
            if wanted == 0 {
                break;
            }
            if width > 64 {
                return Err(broken());
            }
            let width = usize::from(width);
            let size = width * per_mini / 8;
            let packed = bytes.get(*at..).ok_or_else(broken)?;
            // The last miniblock of some writers is cut short after its last value.
            let packed = &packed[..packed.len().min(size)];
            if wanted * width > packed.len() * 8 {
                return Err(broken());
            }
            for i in 0..wanted {
                let delta = bits(packed, i * width, width);
                value = value.wrapping_add(least).wrapping_add(delta.cast_signed());
                values.push(value);
            }
            *at += packed.len();
        }
    }
    Ok(values)
}

/// Appends numbers; of `wide` ones all 64 bits, else 32.
pub(crate) fn encode(values: &[i64], wide: bool, out: &mut Vec<u8>) {
    write_varint(out, BLOCK as u64);
    write_varint(out, MINIS as u64);
    write_varint(out, values.len() as u64);
    write_varint(out, zigzag(values.first().copied().unwrap_or(0)));
    let difference = |pair: &[i64]| {
        let delta = pair[1].wrapping_sub(pair[0]);
        if wide { delta } else { i64::from(delta as i32) }
    };
    let deltas: Vec<i64> = values.windows(2).map(difference).collect();
    for block in deltas.chunks(BLOCK) {
        let least = block.iter().copied().min().unwrap_or(0);
        write_varint(out, zigzag(least));
        let above = |delta: &i64| {
            let above = delta.wrapping_sub(least).cast_unsigned();
            if wide { above } else { above & u64::from(u32::MAX) }
        };
        let width_of =
            |mini: &[i64]| 64 - mini.iter().map(above).fold(0, |all, n| all | n).leading_zeros();
        let widths: Vec<u32> = block.chunks(MINI).map(width_of).collect();
        out.extend((0..MINIS).map(|i| widths.get(i).map_or(0, |width| *width as u8)));
        for (mini, width) in block.chunks(MINI).zip(widths) {
            let (mut buffer, mut filled) = (0_u128, 0_u32);
            for i in 0..MINI {
                buffer |= u128::from(mini.get(i).map_or(0, above)) << filled;
                filled += width;
                while filled >= 8 {
                    out.push(buffer as u8);
                    buffer >>= 8;
                    filled -= 8;
                }
            }
        }
    }
}

/// `width` bits (at most 64) from bit `at`.
fn bits(bytes: &[u8], at: usize, width: usize) -> u64 {
    if width == 0 {
        return 0;
    }
    let low = u128::from(window(bytes, at / 8));
    let high = u128::from(window(bytes, at / 8 + 8)) << 64;
    let mask = u64::MAX >> (64 - width);
    ((low | high) >> (at % 8)) as u64 & mask
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(raw: u64) -> i64 {
    (raw >> 1).cast_signed() ^ -((raw & 1).cast_signed())
}
