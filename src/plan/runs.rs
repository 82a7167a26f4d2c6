//! Sets of rows of a file, as the runs in which they lie.

/// Rows, by their positions in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Runs(Vec<(u64, u64)>);

impl Runs {
    /// Of positions in any order.
    pub fn of(rows: impl IntoIterator<Item = u64>) -> Self {
        let mut rows: Vec<u64> = rows.into_iter().collect();
        rows.sort_unstable();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for row in rows {
            match runs.last_mut() {
                Some((_, end)) if row < *end => {}
                Some((_, end)) if row == *end => *end = row.saturating_add(1),
                _ => runs.push((row, row.saturating_add(1))),
            }
        }
        Self(runs)
    }

    /// The positions, ascending.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(start, end)| *start..*end)
    }

    /// Whether it holds a row.
    pub fn contains(&self, row: u64) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= row);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, end)| row < *end)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many rows are in both.
    pub fn shared(&self, other: &Self) -> u64 {
        self.rows().filter(|row| other.contains(*row)).count() as u64
    }

    /// The rows of either, where they lie once the rows `removed` (ascending) are gone.
    #[must_use]
    pub fn joined(&self, other: &Self, removed: &[u64]) -> Self {
        let left = self.rows().chain(other.rows()).filter_map(|row| {
            let gone = removed.binary_search(&row).err()?;
            Some(row - gone as u64)
        });
        Self::of(left)
    }

    /// As bytes: of each run the distance from the one before it, and its length less one, both in groups of
    /// seven bits.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut last) = (Vec::new(), 0);
        for (start, end) in &self.0 {
            for mut number in [start - last, end - start - 1] {
                while number >= 0x80 {
                    bytes.push(number.to_le_bytes()[0] | 0x80);
                    number >>= 7;
                }
                bytes.push(number.to_le_bytes()[0]);
            }
            last = *end;
        }
        bytes
    }

    /// What [`Runs::to_bytes`] made; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut numbers, mut number, mut shift) = (Vec::new(), 0_u64, 0_u32);
        for byte in bytes {
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|moved| moved >> shift == bits)?;
            shift += 7;
            if byte & 0x80 == 0 {
                numbers.push(std::mem::take(&mut number));
                shift = 0;
            }
        }
        let (mut runs, mut last) = (Vec::new(), 0_u64);
        let (pairs, []) = numbers.as_chunks::<2>() else { return None };
        for [distance, length] in pairs {
            let start = last.checked_add(*distance)?;
            last = start.checked_add(*length)?.checked_add(1)?;
            runs.push((start, last));
        }
        (shift == 0).then_some(Self(runs))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn broken_bytes_are_no_rows() {
        for bytes in [&[5][..], &[0x80], &[1, 2, 3], &[0xff; 12]] {
            assert_eq!(Runs::from_bytes(bytes), None, "{bytes:?}");
        }
        let far = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert_eq!(Runs::from_bytes(&far), None);
        assert_eq!(Runs::from_bytes(&[]), Some(Runs::default()));
    }

    proptest! {
        #[test]
        fn they_are_sets(
            one in prop::collection::btree_set(0_u64..300, 0..80),
            other in prop::collection::btree_set(0_u64..300, 0..80),
            removed in prop::collection::btree_set(0_u64..300, 0..40),
        ) {
            let (a, b) = (Runs::of(one.clone()), Runs::of(other.clone()));
            prop_assert_eq!(a.rows().collect::<BTreeSet<_>>(), one.clone());
            prop_assert_eq!(a.shared(&b), one.intersection(&other).count() as u64);
            prop_assert_eq!(Runs::from_bytes(&a.to_bytes()), Some(a.clone()));
            let kept: Vec<u64> = (0..300).filter(|row| !removed.contains(row)).collect();
            let naive: BTreeSet<u64> = (0..).zip(&kept)
                .filter(|(_, row)| one.contains(row) || other.contains(row))
                .map(|(at, _)| at)
                .collect();
            let removed: Vec<u64> = removed.into_iter().collect();
            prop_assert_eq!(a.joined(&b, &removed).rows().collect::<BTreeSet<_>>(), naive);
        }
    }
}
