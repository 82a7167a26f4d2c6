//! A hash table that answers "is this value one of those?" for far more misses than hits.
//!
//! A blocked Bloom filter of 16 bits a key, which stays in the cache for a hundred thousand keys,
//! turns nearly all misses away; then open addressing.

/// Numbers of keys, by hash. The keys themselves lie elsewhere: their owner compares.
#[derive(Debug, Clone)]
pub(super) struct Table {
    filter: Vec<u64>,
    /// The lower half of the hash above the key's number, counted from 1; 0 is free.
    slots: Vec<u64>,
}

const NUMBER: u64 = u32::MAX as u64;

impl Table {
    /// A table of keys with these hashes; the position in the iteration is the key's number.
    pub(super) fn new(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let count = hashes.len();
        let mut table = Self {
            filter: vec![0; (count / 4).next_power_of_two().max(64)],
            slots: vec![0; (count * 2 + 1).next_power_of_two()],
        };
        for (number, hash) in (1..=NUMBER).zip(hashes) {
            let (word, bits) = table.filter_place(hash);
            if let Some(word) = table.filter.get_mut(word) {
                *word |= bits;
            }
            let mask = table.slots.len() - 1;
            let mut at = hash as usize & mask;
            while table.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = table.slots.get_mut(at) {
                *slot = tag(hash) | number;
            }
        }
        table
    }

    #[inline(always)]
    fn filter_place(&self, hash: u64) -> (usize, u64) {
        let high = hash >> 32;
        let word = (high >> 12) as usize & (self.filter.len() - 1);
        (word, 1 << (high & 63) | 1 << (high >> 6 & 63))
    }

    /// Whether there may be a key of that hash: mostly not.
    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let (word, bits) = self.filter_place(hash);
        self.filter.get(word).is_some_and(|word| word & bits == bits)
    }

    /// The number, from 1, of the key that most probably is of that hash; 0 for none. Loads what
    /// [`Table::find`] will need.
    #[inline(always)]
    pub(super) fn guess(&self, hash: u64) -> usize {
        let at = hash as usize & (self.slots.len() - 1);
        (self.slots.get(at).copied().unwrap_or(0) & NUMBER) as usize
    }

    /// Whether the table is too large for the processor's nearest caches.
    pub(super) fn is_large(&self) -> bool {
        self.slots.len() > 4096
    }

    /// The number, from 1, of the key of that hash that `equal` accepts (it is given the number from
    /// 0); 0 where there is none.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, equal: impl Fn(usize) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots.get(at).copied().unwrap_or(0);
            if slot == 0 {
                return 0;
            }
            let number = slot & NUMBER;
            if slot & !NUMBER == tag(hash) && equal(number as usize - 1) {
                return number as u32;
            }
            at = (at + 1) & mask;
        }
    }
}

/// The half of the hash that places in the table do not tell, as the upper half of a slot.
const fn tag(hash: u64) -> u64 {
    (hash >> 20) << 32
}

/// Odd constants without pattern.
const K: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3];

/// Hash of a number.
#[inline(always)]
pub(super) fn hash_number(number: u64) -> u64 {
    fold(number ^ K[1], K[0])
}

/// Hash of bytes, each of them `|`-ed with the bytes of `mask`, and all of them `|`-ed together as they
/// are: whether any is outside ASCII.
#[inline(always)]
pub(super) fn hash_bytes(bytes: &[u8], mask: u64) -> (u64, u64) {
    let mut hash = bytes.len() as u64 ^ K[2];
    let mut seen = 0;
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<16>() {
        if after.is_empty() {
            break;
        }
        let (a, b) = pair(block);
        seen |= a | b;
        hash = fold((a | mask) ^ K[0], (b | mask) ^ hash);
        rest = after;
    }
    let (a, b) = match bytes.last_chunk::<16>() {
        Some(block) => pair(block),
        None => short(rest),
    };
    seen |= a | b;
    hash = fold((a | mask) ^ K[1], (b | mask) ^ hash);
    (hash ^ hash >> 29, seen)
}

#[inline(always)]
fn pair(block: &[u8; 16]) -> (u64, u64) {
    let (a, b) = block.split_at(8);
    (word(a), word(b))
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Up to 15 bytes as two words that overlap.
#[inline(always)]
fn short(bytes: &[u8]) -> (u64, u64) {
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(a), Some(b)) => (u64::from_le_bytes(*a), u64::from_le_bytes(*b)),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(a), Some(b)) => {
                (u64::from(u32::from_le_bytes(*a)), u64::from(u32::from_le_bytes(*b)))
            }
            _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        },
    }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}
