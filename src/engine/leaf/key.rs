//! Values as keys, in the type that the leaf has over the dataset.

use arrow::datatypes::i256;

use crate::model::{Key, LeafType, TimeUnit};

use super::Values;

/// The value of that number as a key; `None` where it is not of its type, or a type without keys.
///
/// Booleans and floats, which identify nobody, come as text: `only.where` and break-downs show them.
pub(crate) fn key(values: &Values, at: usize, stored: &LeafType, kind: &LeafType) -> Option<Key> {
    match kind {
        LeafType::Text => Some(Key::Text(String::from_utf8_lossy(values.bytes(at)?).into_owned())),
        LeafType::Binary | LeafType::FixedBinary(_) | LeafType::Uuid => {
            Some(Key::Bytes(values.bytes(at)?.to_vec()))
        }
        LeafType::Int { .. } => Some(Key::Int(signed(values.int(at)?, stored))),
        LeafType::Decimal { scale, .. } => {
            let own = if let LeafType::Decimal { scale, .. } = stored { *scale } else { 0 };
            let number = match values.bytes(at) {
                Some(raw) => twos_complement(raw)?,
                None => i256::from_i128(signed(values.int(at)?, stored)),
            };
            Some(Key::Decimal(scaled_up(number, own, *scale)?.to_string()))
        }
        LeafType::Date => Some(Key::Date(i32::try_from(values.int(at)?).ok()?)),
        LeafType::Timestamp(_) => Some(Key::Timestamp(nanos(values, stored, at)?)),
        LeafType::Bool => Some(Key::Text(values.bool(at)?.to_string())),
        LeafType::Float => match values {
            Values::Float(all) => all.get(at).map(|value| Key::Text(value.to_string())),
            Values::Double(all) => all.get(at).map(|value| Key::Text(value.to_string())),
            _ => None,
        },
        LeafType::Other(_) => None,
    }
}

/// The value of a partition column.
pub(crate) fn partition_key(value: &str) -> Key {
    Key::Text(value.to_owned())
}

/// A stored integer by value: unsigned ones are stored as the signed number of the same bits.
pub(crate) fn signed(raw: i64, stored: &LeafType) -> i128 {
    match stored {
        LeafType::Int { bits: 64, signed: false } => i128::from(raw.cast_unsigned()),
        LeafType::Int { signed: false, .. } => i128::from(raw.cast_unsigned() & 0xffff_ffff),
        _ => i128::from(raw),
    }
}

/// A timestamp in nanoseconds since 1970.
pub(crate) fn nanos(values: &Values, stored: &LeafType, at: usize) -> Option<i128> {
    if let Some(nanos) = values.int96_nanos(at) {
        return Some(nanos);
    }
    let LeafType::Timestamp(unit) = stored else { return None };
    Some(i128::from(values.int(at)?) * unit_nanos(*unit))
}

/// Nanoseconds of a unit.
pub(crate) const fn unit_nanos(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// A decimal's big-endian bytes as a number; `None` where it is too large.
pub(crate) fn twos_complement(raw: &[u8]) -> Option<i256> {
    let short = super::super::find::lookup::shortest(raw);
    let fill = if short.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut bytes = [fill; 32];
    let start = bytes.len().checked_sub(short.len())?;
    bytes.get_mut(start..)?.copy_from_slice(short);
    Some(i256::from_be_bytes(bytes))
}

/// Unscaled digits at a larger scale.
pub(crate) fn scaled_up(number: i256, own: i8, scale: i8) -> Option<i256> {
    let ten = i256::from_i128(10);
    let up = u32::try_from(i16::from(scale) - i16::from(own)).ok()?;
    number.checked_mul(ten.checked_pow(up)?)
}
