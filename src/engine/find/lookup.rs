//! Equality of stored values with keys, for each way of storing them.

use crate::model::{Namespace, Normalize, canonical_bytes};

use super::table::{Table, hash_bytes, hash_number};

/// Finds which key a stored value equals, in two steps: most values fail the first, and the second,
/// which waits for memory, is then done for many values in a row.
///
/// `raw` is the value in Parquet's plain encoding, without a length.
pub(super) trait Lookup {
    /// The hash of the value, where some key may equal it.
    fn candidate(&self, raw: &[u8]) -> Option<u64>;

    /// Loads from memory what [`Lookup::confirm`] will compare, so that it waits for many candidates at
    /// once and not for one after the other; what it returns means nothing.
    fn load(&self, _hash: u64) -> u64 {
        0
    }

    /// Whether [`Lookup::load`] is worth its while.
    fn is_large(&self) -> bool {
        false
    }

    /// The number of the key that a candidate equals, from 1; 0 where there is none.
    fn confirm(&self, raw: &[u8], hash: u64) -> u32;
}

/// Keys of bytes, one behind the other.
#[derive(Debug)]
struct Arena {
    bytes: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
}

impl Arena {
    fn new(keys: &[&[u8]]) -> Self {
        let mut arena = Self { bytes: Vec::new(), ends: Vec::with_capacity(keys.len()) };
        for key in keys {
            arena.bytes.extend_from_slice(key);
            arena.ends.push(arena.bytes.len());
        }
        arena
    }

    #[inline(always)]
    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or(0);
        self.bytes.get(start.unwrap_or(0)..end).unwrap_or_default()
    }
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
    fn load(&self, hash: u64) -> u64 {
        let key = self.keys.get(self.table.guess(hash).saturating_sub(1));
        key.map_or(0, |key| key.cast_unsigned())
    }

    fn is_large(&self) -> bool {
        self.table.is_large()
    }

    #[inline(always)]
    fn candidate(&self, raw: &[u8]) -> Option<u64> {
        let hash = hash_number(number::<WIDTH>(raw)?.cast_unsigned());
        self.table.may_hold(hash).then_some(hash)
    }

    #[inline(always)]
    fn confirm(&self, raw: &[u8], hash: u64) -> u32 {
        let number = number::<WIDTH>(raw);
        self.table.find(hash, |at| self.keys.get(at).copied() == number)
    }
}

#[inline(always)]
fn number<const WIDTH: usize>(raw: &[u8]) -> Option<i64> {
    match WIDTH {
        8 => raw.first_chunk::<8>().map(|bytes| i64::from_le_bytes(*bytes)),
        _ => raw.first_chunk::<4>().map(|bytes| i64::from(i32::from_le_bytes(*bytes))),
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
    fn candidate(&self, raw: &[u8]) -> Option<u64> {
        let hash = hash_wide(int96_nanos(raw)?);
        self.table.may_hold(hash).then_some(hash)
    }

    fn confirm(&self, raw: &[u8], hash: u64) -> u32 {
        let nanos = int96_nanos(raw);
        self.table.find(hash, |at| self.keys.get(at).copied() == nanos)
    }
}

/// Nanoseconds since 1970 of an INT96 timestamp: no date is too far.
fn int96_nanos(raw: &[u8]) -> Option<i128> {
    const JULIAN_1970: i128 = 2_440_588;
    const DAY: i128 = 86_400_000_000_000;
    let nanos = i128::from(i64::from_le_bytes(*raw.first_chunk::<8>()?));
    let day = i128::from(u32::from_le_bytes(*raw.get(8..12)?.first_chunk::<4>()?).cast_signed());
    Some((day - JULIAN_1970) * DAY + nanos)
}

/// Decimals in bytes: big-endian two's complement, of any length.
#[derive(Debug)]
pub(super) struct Decimals {
    keys: Arena,
    table: Table,
}

impl Decimals {
    pub(super) fn new(keys: &[&[u8]]) -> Self {
        let table = Table::new(keys.iter().map(|key| hash_bytes(key, 0).0));
        Self { keys: Arena::new(keys), table }
    }
}

impl Lookup for Decimals {
    fn candidate(&self, raw: &[u8]) -> Option<u64> {
        let hash = hash_bytes(shortest(raw), 0).0;
        self.table.may_hold(hash).then_some(hash)
    }

    fn confirm(&self, raw: &[u8], hash: u64) -> u32 {
        self.table.find(hash, |at| self.keys.get(at) == shortest(raw))
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
    keys: Arena,
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
    pub(super) fn new(keys: &[&[u8]], namespace: &Namespace) -> Self {
        let lower =
            !namespace.case_sensitive || namespace.normalize.contains(&Normalize::Lowercase);
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
    pub(super) fn exact(keys: &[&[u8]]) -> Self {
        Self::with(keys, Fold::Exact)
    }

    fn with(keys: &[&[u8]], fold: Fold) -> Self {
        let table = Table::new(keys.iter().map(|key| hash_bytes(key, fold.mask()).0));
        Self { keys: Arena::new(keys), table, fold }
    }

    fn confirm_equal(&self, value: &[u8], hash: u64) -> u32 {
        self.table.find(hash, |at| self.keys.get(at) == value)
    }

    /// The long way: the canonical text itself.
    #[cold]
    fn candidate_full(&self, raw: &[u8], namespace: &Namespace) -> Option<u64> {
        let hash = hash_bytes(&canonical_bytes(namespace, raw), self.fold.mask()).0;
        self.table.may_hold(hash).then_some(hash)
    }

    #[cold]
    fn confirm_full(&self, raw: &[u8], namespace: &Namespace, hash: u64) -> u32 {
        self.confirm_equal(&canonical_bytes(namespace, raw), hash)
    }
}

impl Fold {
    const fn mask(&self) -> u64 {
        if matches!(self, Self::Ascii { lower: true, .. }) { LOWER } else { 0 }
    }
}

impl Lookup for Bytes {
    #[inline(always)]
    fn load(&self, hash: u64) -> u64 {
        let key = self.keys.get(self.table.guess(hash).saturating_sub(1));
        key.first().copied().map_or(0, u64::from)
    }

    fn is_large(&self) -> bool {
        self.table.is_large()
    }

    #[inline(always)]
    fn candidate(&self, raw: &[u8]) -> Option<u64> {
        let hash = match &self.fold {
            Fold::Exact => hash_bytes(raw, 0).0,
            Fold::Ascii { trim, lower, namespace } => {
                let value = if *trim { trimmed(raw) } else { raw };
                let (hash, seen) = hash_bytes(value, if *lower { LOWER } else { 0 });
                if seen & NOT_ASCII != 0 {
                    return self.candidate_full(raw, namespace);
                }
                hash
            }
            Fold::Full(namespace) => return self.candidate_full(raw, namespace),
        };
        self.table.may_hold(hash).then_some(hash)
    }

    #[inline(always)]
    fn confirm(&self, raw: &[u8], hash: u64) -> u32 {
        match &self.fold {
            Fold::Exact => self.confirm_equal(raw, hash),
            Fold::Ascii { namespace, .. } if !raw.is_ascii() => {
                self.confirm_full(raw, namespace, hash)
            }
            Fold::Ascii { trim, lower, .. } => {
                let value = if *trim { trimmed(raw) } else { raw };
                if *lower {
                    self.table.find(hash, |at| equals_lower(self.keys.get(at), value))
                } else {
                    self.confirm_equal(value, hash)
                }
            }
            Fold::Full(namespace) => self.confirm_full(raw, namespace, hash),
        }
    }
}

/// Whether ASCII text equals a key once its letters are lower-cased.
#[inline(always)]
fn equals_lower(key: &[u8], value: &[u8]) -> bool {
    if key.len() != value.len() {
        return false;
    }
    let (key, value) = (key.as_chunks::<8>(), value.as_chunks::<8>());
    let words = key.0.iter().zip(value.0);
    let mut differ = words.fold(0, |differ, (key, value)| {
        differ | u64::from_le_bytes(*key) ^ lower_ascii(u64::from_le_bytes(*value))
    });
    for (key, value) in key.1.iter().zip(value.1) {
        differ |= u64::from(*key ^ value.to_ascii_lowercase());
    }
    differ == 0
}

/// Lower-cases eight ASCII characters at once.
#[inline(always)]
const fn lower_ascii(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The top bit of each byte: set from `A` on, and set beyond `Z`.
    let from_a = word.wrapping_add(ONES * (0x80 - b'A' as u64));
    let beyond_z = word.wrapping_add(ONES * (0x7f - b'Z' as u64));
    word | ((from_a & !beyond_z & NOT_ASCII) >> 2)
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
