//! A value that identifies a person and must not leave by accident.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Wraps an identity value or a cell value. It has no `Display` and no `Serialize`, and its `Debug`
/// shows stars, so that logs, plans, errors and the ledger cannot hold it unless somebody writes
/// [`Sensitive::expose`], which is easy to find in a review.
///
/// ```compile_fail
/// let value = amparo::model::Sensitive::new("john@mail.com".to_owned());
/// println!("{value}");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// What every secret key of age starts with, and how much must follow for it to be one.
const SECRET_KEY: &str = "AGE-SECRET-KEY-";
const MORE: usize = 8;

/// Where the first secret key of age stands in a text.
fn secret_key(text: &str) -> Option<Range<usize>> {
    // Another case in ASCII keeps every byte where it is.
    let folded = text.to_ascii_uppercase();
    folded.match_indices(SECRET_KEY).find_map(|(start, _)| {
        let key = folded.get(start..)?.bytes();
        let length = key.take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
        (length >= SECRET_KEY.len() + MORE).then_some(start..start + length)
    })
}

/// Whether a text holds a secret key of age.
pub fn holds_secret_key(text: &str) -> bool {
    secret_key(text).is_some()
}

/// The text, with stars in the place of every secret key of age that was pasted where it does not belong. No
/// character moves.
pub fn without_secret_keys(text: &str) -> Cow<'_, str> {
    let mut safe = Cow::Borrowed(text);
    while let Some(key) = secret_key(&safe) {
        let stars = "*".repeat(key.len());
        safe.to_mut().replace_range(key, &stars);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_keys_become_stars_and_nothing_moves() {
        let key = "AGE-SECRET-KEY-136RN4QR73";
        for (text, safe) in [
            (format!("a: [{key}, 'é']"), format!("a: [{}, 'é']", "*".repeat(key.len()))),
            (format!("{}x", key.to_lowercase()), "*".repeat(key.len() + 1)),
            (format!("é{key}.{key}"), format!("é{0}.{0}", "*".repeat(key.len()))),
        ] {
            assert_eq!(without_secret_keys(&text), safe);
        }
        for harmless in ["age1abc, AGE-SECRET", "it holds no key (AGE-SECRET-KEY-1…)"] {
            assert!(!holds_secret_key(harmless) && without_secret_keys(harmless) == harmless);
        }
    }
}
