//! Names of documents and products, and positions in the files that hold them.

use std::fmt;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a lower-case DNS label.
    #[error(
        "must be 1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit"
    )]
    DnsLabel,
    /// Not a product name (CONTRACT.md section 1).
    #[error("must be 1 to 64 letters, digits, spaces, '.', '_' or '-', and not start with a dot")]
    Product,
}

/// A document's `metadata.name`: a lower-case DNS label.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`NameError::DnsLabel`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if bytes.len() <= 63 && bytes.iter().all(inner) && edge(bytes.first()) && edge(bytes.last())
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::DnsLabel)
        }
    }

    /// The name that an Adobe JSON request gets from its file name without the ending: lower-cased,
    /// every character outside `a-z0-9-` a `-`. It may begin or end with `-` or be longer than a DNS
    /// label: CONTRACT.md section 1 makes it by this rule alone.
    pub fn from_file_stem(stem: &str) -> Self {
        Self(
            stem.chars()
                .flat_map(char::to_lowercase)
                .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
                .collect(),
        )
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A product: the directory in a package, and what `include` names. Compared without case.
#[derive(Debug, Clone)]
pub struct Product {
    shown: String,
    folded: String,
}

impl Product {
    /// Checks and wraps a product name.
    ///
    /// # Errors
    /// [`NameError::Product`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        let ok = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
        let length = text.chars().count();
        if (1..=64).contains(&length)
            && text.chars().all(ok)
            && !text.starts_with('.')
            && text.trim() == text
        {
            Ok(Self { shown: text.to_owned(), folded: text.to_lowercase() })
        } else {
            Err(NameError::Product)
        }
    }

    /// As the policy writes it: the directory's name in a package.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form to compare by.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl PartialEq for Product {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}
impl Eq for Product {}
impl PartialOrd for Product {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Product {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}
impl std::hash::Hash for Product {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

/// A place in a user's file: the path as given, line and column 1-based, column in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file, relative to the working directory where it was given so.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}
