//! Elements of lists and whole rows that go, worked on levels alone (the Dremel encoding).
//!
//! A list's first slot carries the repetition level of what the list lies in, the first slot of each
//! further element that of the list. So where a first element goes, its heir takes over its level, and
//! a list that loses all its elements leaves one slot behind that says "empty".

/// The levels of a run of slots, as they will be.
#[derive(Debug)]
pub(crate) struct Slots {
    pub(crate) rep: Vec<u8>,
    pub(crate) def: Vec<u8>,
    /// Slots that are no longer there.
    pub(crate) gone: Vec<bool>,
}

impl Slots {
    pub(crate) fn new(rep: &[u8], def: &[u8]) -> Self {
        Self { rep: rep.to_vec(), def: def.to_vec(), gone: vec![false; def.len()] }
    }

    /// Takes the flagged elements out of the lists at repetition level `level`, whose elements exist
    /// from definition level `exists` on. `flagged` says of every slot whether its element goes.
    /// Inner lists first.
    pub(crate) fn remove(&mut self, level: u8, exists: u8, flagged: &[bool]) {
        let mut at = 0;
        while at < self.rep.len() {
            // One list: from a slot that does not continue it to the next such slot.
            let start = at;
            at += 1;
            while at < self.rep.len() && (self.gone[at] || self.rep[at] >= level) {
                at += 1;
            }
            if flagged[start..at].contains(&true) {
                self.remove_from(start..at, exists, flagged);
            }
        }
    }

    fn remove_from(&mut self, list: std::ops::Range<usize>, exists: u8, flagged: &[bool]) {
        let Some(first) = list.clone().find(|at| !self.gone[*at]) else { return };
        let heir = list.clone().find(|at| !self.gone[*at] && !flagged[*at]);
        for at in list {
            self.gone[at] |= flagged[at];
        }
        match heir {
            Some(heir) => self.rep[heir] = self.rep[first],
            None => {
                self.gone[first] = false;
                self.def[first] = exists - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(slots: &Slots) -> Vec<(u8, u8)> {
        let all = slots.rep.iter().zip(&slots.def).zip(&slots.gone);
        all.filter(|(_, gone)| !**gone).map(|((rep, def), _)| (*rep, *def)).collect()
    }

    #[test]
    fn the_heir_of_a_first_element_starts_the_row() {
        // [a, b, c], []
        let mut slots = Slots::new(&[0, 1, 1, 0], &[2, 2, 2, 0]);
        slots.remove(1, 1, &[true, false, true, false]);
        assert_eq!(live(&slots), [(0, 2), (0, 0)]);
    }

    #[test]
    fn a_list_without_elements_says_so() {
        let mut slots = Slots::new(&[0, 1, 0], &[3, 3, 3]);
        slots.remove(1, 2, &[true, true, false]);
        assert_eq!(live(&slots), [(0, 1), (0, 3)]);
    }

    #[test]
    fn nested_lists_lose_inner_elements_first() {
        // [[a, b], [c]], elements of the outer list exist from 2, of the inner from 4.
        let mut slots = Slots::new(&[0, 2, 1], &[4, 4, 4]);
        slots.remove(2, 4, &[true, true, false]);
        assert_eq!(live(&slots), [(0, 3), (1, 4)]);
        slots.remove(1, 2, &[true, true, false]);
        assert_eq!(live(&slots), [(0, 4)]);
    }
}
