//! Parquet's hybrid of run-length and bit-packed encoding: levels and dictionary indices.

/// Decodes `count` numbers of `width` bits (at most 32) into `out`, which is cleared first; `None`
/// where the bytes end too early or make no sense.
pub(crate) fn decode(bytes: &[u8], width: u32, count: usize, out: &mut Vec<u32>) -> Option<()> {
    out.clear();
    if width > 32 {
        return None;
    }
    if width == 0 {
        out.resize(count, 0);
        return Some(());
    }
    out.reserve(count.min(1 << 20));
    let mut rest = bytes;
    while out.len() < count {
        let head = varint(&mut rest)?;
        let left = count - out.len();
        if head & 1 == 1 {
            let groups = usize::try_from(head >> 1).ok()?;
            let packed = groups.checked_mul(width as usize)?;
            // The last run may be cut short where it ends with the page.
            let (run, after) = rest.split_at(packed.min(rest.len()));
            let numbers = groups.checked_mul(8)?.min(left);
            unpack(run, width, numbers, out)?;
            rest = after;
        } else {
            let bytes = width.div_ceil(8) as usize;
            let value = rest.get(..bytes)?.iter().rev().fold(0_u32, |v, b| v << 8 | u32::from(*b));
            rest = rest.get(bytes..)?;
            let run = usize::try_from(head >> 1).ok()?.min(left);
            if run == 0 {
                return None;
            }
            out.resize(out.len() + run, value);
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn unpack(run: &[u8], width: u32, count: usize, out: &mut Vec<u32>) -> Option<()> {
    let bits = count.checked_mul(width as usize)?;
    if bits.div_ceil(8) > run.len() || count == 0 {
        return None;
    }
    let mask = if width == 32 { u64::from(u32::MAX) } else { (1_u64 << width) - 1 };
    let mut word = |at: usize, bit: usize| {
        let word = match run.get(at..at + 8).and_then(|bytes| bytes.first_chunk::<8>()) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => {
                let mut padded = [0; 8];
                let tail = run.get(at..).unwrap_or_default();
                padded[..tail.len()].copy_from_slice(tail);
                u64::from_le_bytes(padded)
            }
        };
        out.push((word >> bit & mask) as u32);
    };
    for number in 0..count {
        let bit = number * width as usize;
        word(bit >> 3, bit & 7);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], width: u32, count: usize) -> Option<Vec<u32>> {
        let mut out = Vec::new();
        decode(bytes, width, count, &mut out).map(|()| out)
    }

    #[test]
    fn runs_and_packed_groups() {
        // Parquet's own example: 0 to 7 in three bits.
        let packed = [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        assert_eq!(decoded(&packed, 3, 8), Some((0..8).collect()));
        assert_eq!(decoded(&packed, 3, 5), Some((0..5).collect()));
        assert_eq!(decoded(&[10, 7], 3, 5), Some(vec![7; 5]));
        assert_eq!(decoded(&[4, 1, 4, 0], 1, 4), Some(vec![1, 1, 0, 0]));
        assert_eq!(decoded(&[2, 0x01, 0x02, 0x03, 0x04], 32, 1), Some(vec![0x0403_0201]));
        assert_eq!(decoded(&[], 0, 3), Some(vec![0; 3]));
    }

    #[test]
    fn broken_bytes_are_no_numbers() {
        assert_eq!(decoded(&[], 1, 1), None);
        assert_eq!(decoded(&[0, 1], 1, 1), None);
        assert_eq!(decoded(&[0x03, 0xff], 3, 8), None);
        assert_eq!(decoded(&[0xff; 20], 3, 8), None);
        assert_eq!(decoded(&[2, 0], 33, 1), None);
    }
}
