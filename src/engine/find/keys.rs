//! The keys of one ID leaf, compiled for the way in which a file stores its column.
//!
//! Keys arrive in the type that the leaf has over the whole dataset; a file may hold it narrower, at
//! another scale or unit, or in another physical type. Each key is brought to the file's own form once,
//! so that values are compared as they lie in the pages.

use std::borrow::Cow;

use arrow::datatypes::i256;
use parquet::basic::Type as Physical;

use crate::model::{Key, LeafType, Namespace, TimeUnit};
use crate::plan::{IdentityId, ProbeLeaf};

use super::lookup::{Bytes, Decimals, Int96, Ints, shortest};
use super::prune::{MOST_KEYS, Pruning};

/// The keys in order, equal ones side by side: as a probe should have them.
fn sorted_keys(probe: &ProbeLeaf) -> Cow<'_, [(Key, IdentityId)]> {
    if probe.keys.is_sorted() {
        return Cow::Borrowed(&probe.keys);
    }
    let mut keys = probe.keys.clone();
    keys.sort_unstable();
    Cow::Owned(keys)
}

/// How a file stores a leaf: what compiled keys depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    pub(super) kind: LeafType,
    pub(super) physical: Physical,
}

/// Compiled keys: a [`Lookup`] of the right kind, and whose each key is.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) lookup: AnyLookup,
    /// The keys once more where chunks may be passed over.
    pub(super) pruning: Option<Pruning>,
    /// The owners of all keys, and by key number where each key's end.
    owners: Vec<IdentityId>,
    ends: Vec<usize>,
    /// By key number: whether it has an owner that counts alone.
    alone: Vec<bool>,
}

/// A lookup for each way of storing values.
#[derive(Debug)]
pub(super) enum AnyLookup {
    Int32(Ints<4>),
    Int64(Ints<8>),
    Int96(Int96),
    Bytes(Bytes),
    Decimals(Decimals),
    /// No key can be in such a column.
    Nothing,
}

impl Keys {
    /// Compiles the keys of a leaf. `alone` says which identities count alone.
    pub(super) fn new(
        probe: &ProbeLeaf,
        stored: &Stored,
        counts_alone: impl Fn(IdentityId) -> bool,
    ) -> Self {
        let mut keys = Self {
            lookup: AnyLookup::Nothing,
            pruning: None,
            owners: Vec::with_capacity(probe.keys.len()),
            ends: Vec::with_capacity(probe.keys.len()),
            alone: Vec::with_capacity(probe.keys.len()),
        };
        let mut raws: Vec<Raw<'_>> = Vec::with_capacity(probe.keys.len());
        let sorted = sorted_keys(probe);
        for (key, identity) in sorted.iter() {
            let Some(raw) = raw(key, stored) else { continue };
            if raws.last() != Some(&raw) {
                raws.push(raw);
                keys.ends.push(keys.owners.len());
                keys.alone.push(false);
            }
            keys.owners.push(*identity);
            if let (Some(end), Some(alone)) = (keys.ends.last_mut(), keys.alone.last_mut()) {
                *end += 1;
                *alone |= counts_alone(*identity);
            }
        }
        keys.pruning = pruning(&raws, &probe.namespace, stored);
        keys.lookup = AnyLookup::new(&raws, &probe.namespace, stored);
        keys
    }

    /// Whose the key of that number is (numbers as lookups give them: from 1).
    pub(super) fn owners(&self, number: u32) -> &[IdentityId] {
        let at = (number as usize).wrapping_sub(1);
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or(0);
        self.owners.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    /// Whether the key of that number has an owner that counts alone.
    pub(super) fn counts_alone(&self, number: u32) -> bool {
        let at = (number as usize).wrapping_sub(1);
        self.alone.get(at).copied().unwrap_or(false)
    }

    /// Whether no value can match.
    pub(super) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

impl AnyLookup {
    fn new(raws: &[Raw<'_>], namespace: &Namespace, stored: &Stored) -> Self {
        let ints = || raws.iter().filter_map(Raw::int).collect::<Vec<_>>();
        let texts = || raws.iter().filter_map(Raw::bytes).collect::<Vec<&[u8]>>();
        match (stored.physical, &stored.kind) {
            (Physical::INT32, _) => Self::Int32(Ints::new(ints())),
            (Physical::INT64, _) => Self::Int64(Ints::new(ints())),
            (Physical::INT96, _) => Self::Int96(Int96::new(raws.iter().filter_map(Raw::wide))),
            (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, kind) => match kind {
                LeafType::Decimal { .. } => Self::Decimals(Decimals::new(&texts())),
                LeafType::Uuid => Self::Bytes(Bytes::exact(&texts())),
                LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_) => {
                    Self::Bytes(Bytes::new(&texts(), namespace))
                }
                _ => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }
}

/// A key in a file's own form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Raw<'a> {
    Int(i64),
    /// Nanoseconds, for INT96.
    Wide(i128),
    Bytes(Cow<'a, [u8]>),
}

impl Raw<'_> {
    const fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    const fn wide(&self) -> Option<i128> {
        if let Self::Wide(number) = self { Some(*number) } else { None }
    }

    fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The keys for pruning, where equality is equality of what is stored.
fn pruning(raws: &[Raw<'_>], namespace: &Namespace, stored: &Stored) -> Option<Pruning> {
    if raws.len() > MOST_KEYS {
        return None;
    }
    let is_bytes = matches!(stored.physical, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY);
    match (&stored.kind, stored.physical) {
        (LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_), _)
            if is_bytes && namespace.compares_exactly() =>
        {
            Some(Pruning::Bytes(sorted(raws.iter().filter_map(Raw::bytes).map(<[u8]>::to_vec))))
        }
        (LeafType::Uuid, _) => {
            Some(Pruning::Bytes(sorted(raws.iter().filter_map(Raw::bytes).map(<[u8]>::to_vec))))
        }
        (
            LeafType::Int { signed: true, .. } | LeafType::Date | LeafType::Timestamp(_),
            Physical::INT32 | Physical::INT64,
        ) => Some(Pruning::Ints(sorted(raws.iter().filter_map(Raw::int)))),
        _ => None,
    }
}

fn sorted<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    let mut keys: Vec<T> = keys.collect();
    keys.sort_unstable();
    keys
}

/// A key in the form of a file's column; `None` where the column cannot hold it.
fn raw<'a>(key: &'a Key, stored: &Stored) -> Option<Raw<'a>> {
    match (key, &stored.kind) {
        (Key::Text(text), LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_)) => {
            Some(Raw::Bytes(Cow::Borrowed(text.as_bytes())))
        }
        (
            Key::Bytes(bytes),
            LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_) | LeafType::Uuid,
        ) => Some(Raw::Bytes(Cow::Borrowed(bytes))),
        (Key::Int(number), LeafType::Int { bits, signed }) => {
            int(*number, *bits, *signed).map(Raw::Int)
        }
        (Key::Decimal(digits), LeafType::Int { bits, signed }) => {
            int(digits.parse().ok()?, *bits, *signed).map(Raw::Int)
        }
        (Key::Decimal(digits), LeafType::Decimal { .. }) => decimal(digits, stored.physical),
        (Key::Date(days), LeafType::Date) => Some(Raw::Int(i64::from(*days))),
        (Key::Timestamp(nanos), LeafType::Timestamp(unit)) => {
            if stored.physical == Physical::INT96 {
                return Some(Raw::Wide(*nanos));
            }
            let unit: i128 = match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            };
            (nanos % unit == 0).then(|| i64::try_from(nanos / unit).ok().map(Raw::Int)).flatten()
        }
        _ => None,
    }
}

/// An integer as the pattern that INT32 or INT64 hold, widened with its sign.
fn int(number: i128, bits: u8, signed: bool) -> Option<i64> {
    match (bits, signed) {
        (64, false) => u64::try_from(number).ok().map(u64::cast_signed),
        (32, false) => u32::try_from(number).ok().map(|n| i64::from(n.cast_signed())),
        (_, false) => u32::try_from(number).ok().map(i64::from),
        (_, true) => i64::try_from(number).ok(),
    }
}

fn decimal(digits: &str, physical: Physical) -> Option<Raw<'static>> {
    match physical {
        Physical::INT32 | Physical::INT64 => digits.parse().ok().map(Raw::Int),
        _ => i256::from_string(digits)
            .map(|number| Raw::Bytes(shortest(&number.to_be_bytes()).to_vec().into())),
    }
}

/// The keys of a probe at the scale of a file whose decimals have another one than the dataset: digits
/// are given at the dataset's scale.
pub(super) fn rescaled(probe: &ProbeLeaf, from: i8, to: i8) -> ProbeLeaf {
    let cut = usize::from((i16::from(from) - i16::from(to)).unsigned_abs());
    let keys = probe
        .keys
        .iter()
        .filter_map(|(key, identity)| {
            let Key::Decimal(digits) = key else { return Some((key.clone(), *identity)) };
            if digits == "0" {
                return Some((key.clone(), *identity));
            }
            let digits = if from >= to {
                let zeros = digits.len().checked_sub(cut)?;
                let (kept, rest) = digits.split_at(zeros);
                if rest.bytes().any(|b| b != b'0') || kept.is_empty() || kept == "-" {
                    return None;
                }
                kept.to_owned()
            } else {
                format!("{digits}{}", "0".repeat(cut))
            };
            Some((Key::Decimal(digits), *identity))
        })
        .collect();
    ProbeLeaf { leaf: probe.leaf, namespace: probe.namespace.clone(), keys }
}
