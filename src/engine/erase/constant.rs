//! Fixed replacements: the methods `constant` and `empty` (RULES.md section 5).

use crate::model::{Key, LeafType, Namespace, NamespaceName, TimeUnit};

use super::coarsen::nearest_half;
use super::values::Physical;

/// What `empty` writes; `None` where the type has no empty value.
pub(crate) fn empty(kind: &LeafType, physical: Physical) -> Option<Vec<u8>> {
    match (kind, physical) {
        (LeafType::Text | LeafType::Binary, Physical::Bytes) => Some(Vec::new()),
        (LeafType::Decimal { .. }, Physical::Bytes) => Some(vec![0]),
        (
            LeafType::Int { .. }
            | LeafType::Decimal { .. }
            | LeafType::Float
            | LeafType::Uuid
            | LeafType::FixedBinary(_),
            _,
        ) => physical.width().map(|width| vec![0; width]),
        _ => None,
    }
}

/// A constant in its column's plain form; `None` where the text is not of the type.
pub(crate) fn constant(kind: &LeafType, physical: Physical, text: &str) -> Option<Vec<u8>> {
    match kind {
        LeafType::Text => (physical == Physical::Bytes).then(|| text.as_bytes().to_vec()),
        LeafType::Bool => match text {
            "true" => Some(vec![1]),
            "false" => Some(vec![0]),
            _ => None,
        },
        LeafType::Float => {
            let number: f64 = text.trim().parse().ok()?;
            match physical {
                // No constant becomes infinite.
                Physical::F32 => {
                    let narrow = Some(number as f32).filter(|narrow| narrow.is_finite())?;
                    Some(narrow.to_le_bytes().to_vec())
                }
                Physical::F64 => Some(number.to_le_bytes().to_vec()),
                Physical::Fixed(2) => {
                    let narrow =
                        Some(nearest_half(number)).filter(|bits| bits & 0x7c00 != 0x7c00)?;
                    Some(narrow.to_le_bytes().to_vec())
                }
                _ => None,
            }
        }
        LeafType::Int { .. }
        | LeafType::Decimal { .. }
        | LeafType::Date
        | LeafType::Timestamp(_) => {
            // A namespace without steps of its own: the text is read as it stands.
            let key = kind.key(&Namespace::built_in(&NamespaceName::new("ECID")?), text)?;
            plain(&key, kind, physical)
        }
        _ => None,
    }
}

fn plain(key: &Key, kind: &LeafType, physical: Physical) -> Option<Vec<u8>> {
    let number = |number: i128| {
        let width = physical.width()?;
        let limit = 1_i128.checked_shl(u32::try_from(width).ok()?.checked_mul(8)?)?;
        (-limit / 2..limit).contains(&number).then(|| number.to_le_bytes()[..width].to_vec())
    };
    match (key, kind, physical) {
        (Key::Int(value), _, Physical::I32 | Physical::I64) => number(*value),
        (Key::Date(days), _, Physical::I32) => Some(days.to_le_bytes().to_vec()),
        (Key::Timestamp(nanos), _, Physical::I96) => {
            const DAY: i128 = 86_400_000_000_000;
            let day = i32::try_from(nanos.div_euclid(DAY) + 2_440_588).ok()?;
            let mut raw = i64::try_from(nanos.rem_euclid(DAY)).ok()?.to_le_bytes().to_vec();
            raw.extend_from_slice(&day.to_le_bytes());
            Some(raw)
        }
        (Key::Timestamp(nanos), LeafType::Timestamp(unit), Physical::I64) => {
            let stamp = nanos.div_euclid(match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            });
            i64::try_from(stamp).ok().map(|stamp| stamp.to_le_bytes().to_vec())
        }
        (Key::Decimal(digits), _, _) => {
            let big = big_endian(digits)?;
            match physical {
                Physical::I32 | Physical::I64 => number(digits.parse().ok()?),
                Physical::Fixed(width) => {
                    let fill = if digits.starts_with('-') { 0xff } else { 0 };
                    let missing = width.checked_sub(big.len())?;
                    Some(std::iter::repeat_n(fill, missing).chain(big).collect())
                }
                Physical::Bytes => Some(big),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The shortest big-endian two's complement of a whole number in digits.
fn big_endian(digits: &str) -> Option<Vec<u8>> {
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest));
    // Least significant byte first.
    let mut bytes = vec![0_u8];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in &mut bytes {
            let sum = u32::from(*byte) * 10 + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    if bytes.last().is_some_and(|top| *top >= 0x80) {
        bytes.push(0);
    }
    if negative {
        let mut carry = true;
        for byte in &mut bytes {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = over;
        }
        while bytes.len() > 1 && bytes[bytes.len() - 1] == 0xff && bytes[bytes.len() - 2] >= 0x80 {
            bytes.pop();
        }
    }
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn floats_of_every_width_take_a_constant() {
        let written = |physical| constant(&LeafType::Float, physical, "7.5").unwrap();
        assert_eq!(written(Physical::F64), 7.5_f64.to_le_bytes());
        assert_eq!(written(Physical::F32), 7.5_f32.to_le_bytes());
        assert_eq!(written(Physical::Fixed(2)), 0x4780_u16.to_le_bytes());
        let large = |physical| constant(&LeafType::Float, physical, "1e300");
        assert!(large(Physical::F64).is_some());
        assert_eq!((large(Physical::F32), large(Physical::Fixed(2))), (None, None));
    }

    #[test]
    fn whole_numbers_become_the_shortest_twos_complement() {
        for number in [
            0_i128,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            256,
            -256,
            12_345_678_901,
            i128::from(i64::MIN),
        ] {
            let big = big_endian(&number.to_string()).unwrap();
            let fill = if number < 0 { 0xff } else { 0 };
            let mut wide = [fill; 16];
            wide[16 - big.len()..].copy_from_slice(&big);
            assert_eq!(i128::from_be_bytes(wide), number);
            assert!(
                big.len() == 1
                    || !(big[0] == 0 && big[1] < 0x80 || big[0] == 0xff && big[1] >= 0x80)
            );
        }
    }

    #[test]
    fn constants_take_their_columns_form() {
        let stamp = LeafType::Timestamp(TimeUnit::Millisecond);
        assert_eq!(
            constant(&stamp, Physical::I64, "1970-01-02").unwrap(),
            86_400_000_i64.to_le_bytes()
        );
        let nanos = LeafType::Timestamp(TimeUnit::Nanosecond);
        let day = constant(&nanos, Physical::I96, "1970-01-01").unwrap();
        assert_eq!(day, [&[0; 8][..], &2_440_588_i32.to_le_bytes()].concat());
        let money = LeafType::Decimal { precision: 9, scale: 2 };
        assert_eq!(constant(&money, Physical::I32, "-1.5").unwrap(), (-150_i32).to_le_bytes());
        assert_eq!(
            constant(&money, Physical::Fixed(5), "-1.5").unwrap(),
            [0xff, 0xff, 0xff, 0xff, 0x6a]
        );
        assert_eq!(constant(&money, Physical::Bytes, "300").unwrap(), [0x75, 0x30]);
        assert_eq!(
            constant(&LeafType::Int { bits: 8, signed: false }, Physical::I32, "255").unwrap(),
            [255, 0, 0, 0]
        );
        assert_eq!(constant(&LeafType::Int { bits: 8, signed: false }, Physical::I32, "256"), None);
    }
}
