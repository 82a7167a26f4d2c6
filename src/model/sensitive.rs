//! A value that identifies a person and must not leave by accident.

use std::fmt;

/// Wraps an identity value or a cell value. It has no `Display` and no `Serialize`, and its `Debug`
/// shows stars, so that logs, plans, errors and the ledger cannot hold it unless somebody writes
/// [`Sensitive::expose`], which is easy to find in a review.
///
/// ```compile_fail
/// let value = amparo::model::Sensitive::new("john@mail.com".to_owned());
/// println!("{value}");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: only for comparing, for packages, and for keyed digests.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, by value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
