//! Logical paths of fields (RULES.md section 1).

use std::fmt;

/// The logical path of a field: names from the root to the leaf, list levels left out. The elements of
/// a list `tags` are `tags`; of a map they are `attrs.key` and `attrs.value`.
///
/// `Display` writes it as users see it: names joined by dots, a name that holds a dot or a quote in
/// double quotes (`"a.b".c`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// A path of these names; `None` where there are none or one is empty.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Option<Self> {
        let parts: Vec<String> = parts.into_iter().map(Into::into).collect();
        (!parts.is_empty() && parts.iter().all(|part| !part.is_empty())).then_some(Self(parts))
    }

    /// The path that a policy writes with dots; `None` where a part is empty.
    pub fn dotted(text: &str) -> Option<Self> {
        Self::new(text.split('.'))
    }

    /// The names, root first; never empty.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// Whether `self` is `other` or a group above it.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The path one name deeper.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.into());
        Self(parts)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            if part.contains(['.', '"']) {
                write!(f, "\"{}\"", part.replace('"', "\"\""))?;
            } else {
                f.write_str(part)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
