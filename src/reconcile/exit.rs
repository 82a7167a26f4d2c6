//! How a pass ended, as far as exit codes go (CONTRACT.md section 2).

/// A way to end. `cli::error` gives the numbers; where several apply, the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// A broken invariant: a bug.
    Bug,
    /// I/O, storage, engine.
    Failed,
    /// Invalid policies or requests.
    Invalid,
    /// A saved plan no longer fits, or another writer won.
    Stale,
    /// Some tasks done, some failed.
    Partial,
    /// A person is needed.
    Blocked,
    /// Nothing wrong.
    Done,
}

impl Verdict {
    /// The worse of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }
}
