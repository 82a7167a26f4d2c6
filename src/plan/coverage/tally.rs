//! What the sampled values of one column look like, in counts: a value is looked at and let go.

use super::look::{fits, looks};
use super::{Hint, Likeness};

/// Longer values, in bytes, are not looked at.
pub const LONGEST: usize = 4096;

/// Counts of one column's sampled values. Holds no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    hint: Option<Hint>,
    values: u64,
    like: [u64; Likeness::ALL.len()],
    as_named: u64,
}

impl Tally {
    /// Of a column whose name says this.
    pub fn new(hint: Option<Hint>) -> Self {
        Self { hint, ..Self::default() }
    }

    /// Looks at a value; blank ones do not count, as nulls do not.
    pub fn add(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.values += 1;
        if text.len() > LONGEST {
            return;
        }
        for (count, likeness) in self.like.iter_mut().zip(Likeness::ALL) {
            *count += u64::from(looks(likeness, text));
        }
        self.as_named += u64::from(self.hint.is_some_and(|hint| fits(hint.likeness, text)));
    }

    /// Counts a value that cannot be any of the kinds.
    pub const fn add_other(&mut self) {
        self.values += 1;
    }

    /// Adds the counts of another part of the same column's sample.
    pub fn merge(&mut self, other: &Self) {
        self.values += other.values;
        self.as_named += other.as_named;
        for (count, more) in self.like.iter_mut().zip(other.like) {
            *count += more;
        }
    }

    /// What the column's name says.
    pub const fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// Values that were looked at.
    pub const fn values(&self) -> u64 {
        self.values
    }

    /// Values that look like what the name says.
    pub const fn as_named(&self) -> u64 {
        self.as_named
    }

    /// The likeness that the values alone speak for, of those that are possible, and how many have it: the
    /// largest share.
    pub(super) fn by_values(&self, possible: impl Fn(Likeness) -> bool) -> Option<(Likeness, u64)> {
        let met = Likeness::ALL.into_iter().zip(self.like).filter(|(likeness, like)| {
            let threshold = likeness.threshold().filter(|_| possible(*likeness));
            threshold.is_some_and(|threshold| threshold.met(*like, self.values))
        });
        // Of equals the first.
        met.rev().max_by_key(|(_, like)| *like)
    }
}
