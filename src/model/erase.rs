//! Erase methods (RULES.md section 5).

/// What is written in place of an erased value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EraseMethod {
    /// A consistent random replacement; the default for strings.
    Pseudonym,
    /// Null; the default for other nullable types.
    Null,
    /// The empty string, or 0 for numbers.
    Empty,
    /// Everything from the first `?` or `#` removed; what is no URL becomes empty.
    StripUrl,
    /// Latitude and longitude to 2 decimals, timestamps to the day, dates to the month.
    Coarsen,
    /// A constant of the field's type.
    Constant,
    /// Hex HMAC-SHA256 under a key that Settings names.
    Hmac,
    /// The matched elements of a list or map go.
    RemoveElement,
    /// Kept on purpose, with a reason.
    Keep,
}

impl EraseMethod {
    /// Every method, in the order of the rules.
    pub const ALL: [Self; 9] = [
        Self::Pseudonym,
        Self::Null,
        Self::Empty,
        Self::StripUrl,
        Self::Coarsen,
        Self::Constant,
        Self::Hmac,
        Self::RemoveElement,
        Self::Keep,
    ];

    /// The method as policies write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Null => "null",
            Self::Empty => "empty",
            Self::StripUrl => "strip-url",
            Self::Coarsen => "coarsen",
            Self::Constant => "constant",
            Self::Hmac => "hmac",
            Self::RemoveElement => "remove-element",
            Self::Keep => "keep",
        }
    }

    /// What it writes, in a sentence for people (RULES.md section 5).
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pseudonym => {
                "A random replacement, the same for equal values of one request. The default for strings; also for 64-bit integers, binary and UUID."
            }
            Self::Null => "Null, in a column that may be null. The default for what is no string.",
            Self::Empty => {
                "The empty string, or 0 for numbers; zero bytes in binary of fixed length."
            }
            Self::StripUrl => {
                "Everything from the first ? or # goes; what is no URL becomes empty. Strings only."
            }
            Self::Coarsen => {
                "Latitude and longitude to 2 decimals, timestamps to the day, dates to the month."
            }
            Self::Constant => "The `value` that stands beside it, of the field's type.",
            Self::Hmac => {
                "Hex HMAC-SHA256 under the `key` that Settings names, for joins across requests. Strings only."
            }
            Self::RemoveElement => "The matched elements of a list or map go, the rest stays.",
            Self::Keep => "Kept on purpose; needs a `reason`, which plans show.",
        }
    }

    /// The method of that exact spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

impl std::fmt::Display for EraseMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A field's `erase:` as the policy writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseRule {
    /// The method.
    pub method: EraseMethod,
    /// `pseudonym` on strings: what follows the digits, such as `@erased.invalid`.
    pub suffix: Option<String>,
    /// `constant`: the value as text, still to be read in the field's type.
    pub value: Option<String>,
    /// `hmac`: the name of a key in Settings.
    pub key: Option<String>,
}
