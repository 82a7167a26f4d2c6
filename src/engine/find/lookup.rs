//! Equality of stored values with keys, for each way of storing them.

use crate::model::{Namespace, Normalize, canonical_bytes};

use super::table::{Table, hash_bytes, hash_number};

/// Finds which key a stored value equals.
pub(super) trait Lookup {
    /// The number of the key, from 1; 0 where there is none. `raw` is the value in Parquet's plain
    /// encoding, without a length.
    fn find(&self, raw: &[u8]) -> u32;
}

/// INT32 (4 bytes) and INT64 (8 bytes).
#[derive(Debug)]
pub(super) struct Ints<const WIDTH: usize> {
    keys: Vec<i64>,
    table: Table,
}

impl<const WIDTH: usize> Ints<WIDTH> {
    pub(super) fn new(keys: Vec<i64>) -> Self {
        let table = Table::new(keys.iter().map(|key| hash_number(key.cast_unsigned())));
        Self { keys, table }
    }
}

impl<const WIDTH: usize> Lookup for Ints<WIDTH> {
    #[inline(always)]
    fn find(&self, raw: &[u8]) -> u32 {
        let number = match (raw.first_chunk::<8>(), raw.first_chunk::<4>()) {
            (Some(bytes), _) if WIDTH == 8 => i64::from_le_bytes(*bytes),
            (_, Some(bytes)) if WIDTH == 4 => i64::from(i32::from_le_bytes(*bytes)),
            _ => return 0,
        };
        let equal = |at: usize| self.keys.get(at) == Some(&number);
        self.table.find(hash_number(number.cast_unsigned()), equal)
    }
}

/// INT96 timestamps: nanoseconds of the day, then the Julian day.
#[derive(Debug)]
pub(super) struct Int96 {
    keys: Vec<i128>,
    table: Table,
}

impl Int96 {
    pub(super) fn new(keys: impl Iterator<Item = i128>) -> Self {
        let keys: Vec<i128> = keys.collect();
        let table = Table::new(keys.iter().map(|key| hash_wide(*key)));
        Self { keys, table }
    }
}

fn hash_wide(number: i128) -> u64 {
    hash_number(number as u64 ^ (number >> 64) as u64)
}

impl Lookup for Int96 {
    fn find(&self, raw: &[u8]) -> u32 {
        let Some(nanos) = int96_nanos(raw) else { return 0 };
        self.table.find(hash_wide(nanos), |at| self.keys.get(at) == Some(&nanos))
    }
}

/// Nanoseconds since 1970 of an INT96 timestamp: no date is too far.
pub(crate) fn int96_nanos(raw: &[u8]) -> Option<i128> {
    const JULIAN_1970: i128 = 2_440_588;
    const DAY: i128 = 86_400_000_000_000;
    let nanos = i128::from(i64::from_le_bytes(*raw.first_chunk::<8>()?));
    let day = i128::from(u32::from_le_bytes(*raw.get(8..12)?.first_chunk::<4>()?).cast_signed());
    Some((day - JULIAN_1970) * DAY + nanos)
}

/// Decimals in bytes: big-endian two's complement, of any length.
#[derive(Debug)]
pub(super) struct Decimals {
    keys: Vec<Vec<u8>>,
    table: Table,
}

impl Decimals {
    pub(super) fn new(keys: Vec<Vec<u8>>) -> Self {
        let table = Table::new(keys.iter().map(|key| hash_bytes(key, 0).0));
        Self { keys, table }
    }
}

impl Lookup for Decimals {
    fn find(&self, raw: &[u8]) -> u32 {
        let raw = shortest(raw);
        self.table.find(hash_bytes(raw, 0).0, |at| self.keys.get(at).is_some_and(|key| key == raw))
    }
}

/// Two's complement without the leading bytes that only repeat the sign.
pub(crate) fn shortest(mut raw: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = raw {
        let Some(second) = rest.first() else { break };
        let repeats = (*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0);
        if !repeats {
            break;
        }
        raw = rest;
    }
    raw
}

/// Text and binary, in the namespace's canonical form.
#[derive(Debug)]
pub(super) struct Bytes {
    keys: Vec<Vec<u8>>,
    table: Table,
    fold: Fold,
}

/// What brings a stored value to canonical form.
#[derive(Debug)]
enum Fold {
    /// Nothing: bytes are equal or not.
    Exact,
    /// For ASCII, which most identifiers are, without building the canonical text; anything else goes
    /// the long way.
    Ascii { trim: bool, lower: bool, namespace: Box<Namespace> },
    /// Only the long way.
    Full(Box<Namespace>),
}

/// Sets the bit that tells an ASCII upper-case letter from its lower-case one: what is equal but for
/// case hashes alike.
const LOWER: u64 = 0x2020_2020_2020_2020;
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

impl Bytes {
    /// Keys are in the namespace's canonical form.
    pub(super) fn new(keys: Vec<Vec<u8>>, namespace: &Namespace) -> Self {
        let lower = !namespace.case_sensitive || namespace.normalize.contains(&Normalize::Lowercase);
        let trim = namespace.normalize.contains(&Normalize::Trim);
        let fold = if namespace.compares_exactly() {
            Fold::Exact
        } else if namespace.normalize.contains(&Normalize::Digits) {
            Fold::Full(Box::new(namespace.clone()))
        } else {
            Fold::Ascii { trim, lower, namespace: Box::new(namespace.clone()) }
        };
        Self::with(keys, fold)
    }

    /// Keys that compare byte by byte.
    pub(super) fn exact(keys: Vec<Vec<u8>>) -> Self {
        Self::with(keys, Fold::Exact)
    }

    fn with(keys: Vec<Vec<u8>>, fold: Fold) -> Self {
        let mask = fold.mask();
        let table = Table::new(keys.iter().map(|key| hash_bytes(key, mask).0));
        Self { keys, table, fold }
    }

    fn find_equal(&self, value: &[u8], hash: u64) -> u32 {
        self.table.find(hash, |at| self.keys.get(at).is_some_and(|key| key == value))
    }

    /// The long way: the canonical text itself.
    #[cold]
    fn find_full(&self, raw: &[u8], namespace: &Namespace) -> u32 {
        let canonical = canonical_bytes(namespace, raw);
        self.find_equal(&canonical, hash_bytes(&canonical, self.fold.mask()).0)
    }
}

impl Fold {
    const fn mask(&self) -> u64 {
        if matches!(self, Self::Ascii { lower: true, .. }) { LOWER } else { 0 }
    }
}

impl Lookup for Bytes {
    #[inline(always)]
    fn find(&self, raw: &[u8]) -> u32 {
        match &self.fold {
            Fold::Exact => self.find_equal(raw, hash_bytes(raw, 0).0),
            Fold::Ascii { trim, lower, namespace } => {
                let value = if *trim { trimmed(raw) } else { raw };
                let (hash, seen) = hash_bytes(value, if *lower { LOWER } else { 0 });
                if seen & NOT_ASCII != 0 {
                    return self.find_full(raw, namespace);
                }
                self.table.find(hash, |at| {
                    self.keys.get(at).is_some_and(|key| {
                        if *lower { key.eq_ignore_ascii_case(value) } else { key == value }
                    })
                })
            }
            Fold::Full(namespace) => self.find_full(raw, namespace),
        }
    }
}

/// Without ASCII white space (Unicode's, which has one more than Rust's `trim_ascii`) at both ends.
fn trimmed(mut raw: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, 9..=13 | b' ');
    while let [first, rest @ ..] = raw
        && space(first)
    {
        raw = rest;
    }
    while let [rest @ .., last] = raw
        && space(last)
    {
        raw = rest;
    }
    raw
}
