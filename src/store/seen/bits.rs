//! Sets of small numbers.

/// A set of numbers; equal sets are equal values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn insert(&mut self, number: u32) {
        let (word, bit) = place(number);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        let (word, bit) = place(number);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
        self.trim();
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether all of `other` is in here.
    pub(super) fn contains_all(&self, other: &Self) -> bool {
        other.0.len() <= self.0.len() && self.0.iter().zip(&other.0).all(|(own, of)| of & !own == 0)
    }

    pub(super) fn extend(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (own, of) in self.0.iter_mut().zip(&other.0) {
            *own |= of;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The words, the last of them not 0.
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(super) fn of_words(words: Vec<u64>) -> Self {
        let mut bits = Self(words);
        bits.trim();
        bits
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut bits = Self::default();
        numbers.into_iter().for_each(|number| bits.insert(number));
        bits
    }
}

const fn place(number: u32) -> (usize, u64) {
    (number as usize / 64, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn sets_behave_as_sets() {
        let of = |numbers: &[u32]| numbers.iter().copied().collect::<Bits>();
        let mut set = of(&[1, 64, 700]);
        assert!(set.contains(700) && !set.contains(2) && !set.contains(70_000));
        assert!(set.contains_all(&of(&[1, 700])) && set.contains_all(&of(&[])));
        assert!(!set.contains_all(&of(&[1, 2])) && !set.contains_all(&of(&[701])));
        assert!(!of(&[1]).contains_all(&set));
        set.remove(700);
        set.remove(9_999);
        assert_eq!(set, of(&[64, 1]));
        set.extend(&of(&[200]));
        assert_eq!((set.len(), &set), (3, &of(&[1, 64, 200])));
        assert_eq!(Bits::of_words(set.words().to_vec()), set);
        assert_eq!(Bits::of_words(vec![0, 0]), Bits::default());
    }
}
