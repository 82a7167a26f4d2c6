//! Namespaces: how values of one kind of identity are written, compared and expanded (RULES.md section 2).

use std::collections::BTreeSet;
use std::fmt;

use regex::Regex;

use super::Position;

/// The name of a namespace, compared without regard to case.
#[derive(Clone)]
pub struct NamespaceName {
    shown: String,
    folded: String,
}

impl NamespaceName {
    /// Checks and wraps: 1 to 64 letters, digits, `_`, `-` and spaces; `None` otherwise.
    pub fn new(text: &str) -> Option<Self> {
        let ok = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
        let length = text.chars().count();
        ((1..=64).contains(&length) && text.chars().all(ok) && text.trim() == text)
            .then(|| Self { shown: text.to_owned(), folded: text.to_lowercase() })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form to compare by.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether it starts with `qa-`.
    pub fn is_qa(&self) -> bool {
        self.folded.starts_with("qa-")
    }

    /// The name without `qa-`, where it has it.
    pub fn without_qa(&self) -> Option<Self> {
        Self::new(self.shown.get(3..).filter(|_| self.is_qa())?)
    }

    /// The hard-coded namespace of that name, if it is one.
    pub fn hard_coded(&self) -> Option<&'static str> {
        HARD_CODED.into_iter().find(|name| name.to_lowercase() == self.folded)
    }
}

impl PartialEq for NamespaceName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}
impl Eq for NamespaceName {}
impl PartialOrd for NamespaceName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for NamespaceName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}
impl std::hash::Hash for NamespaceName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}
impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
impl fmt::Debug for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The namespaces that no policy may redefine.
pub const HARD_CODED: [&str; 4] = ["AAID", "ECID", "visitorId", "customVisitorId"];

/// Well-known numeric ids and their names.
pub const WELL_KNOWN: [(u32, &str); 9] = [
    (4, "ECID"),
    (6, "Email"),
    (7, "Phone"),
    (9, "TNTID"),
    (10, "AAID"),
    (8, "WAID"),
    (411, "AdCloud"),
    (20914, "GAID"),
    (20915, "IDFA"),
];

/// The numeric id of a well-known name, compared without case.
pub fn well_known_id(name: &NamespaceName) -> Option<u32> {
    WELL_KNOWN.into_iter().find(|(_, known)| known.to_lowercase() == name.folded).map(|(id, _)| id)
}

/// A step applied to both sides before comparing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalize {
    /// White space at both ends goes.
    Trim,
    /// Unicode lower case.
    Lowercase,
    /// Everything but ASCII digits goes.
    Digits,
}

/// How identities of a namespace grow others (RULES.md section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expansion {
    /// Never added.
    #[default]
    Never,
    /// A cookie id: added by `expandIds`.
    Cookie,
    /// A link: added from every person row, to a fixpoint.
    Always,
}

/// What is known of a namespace. [`Namespace::built_in`] gives the rules where no policy does.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its name.
    pub name: NamespaceName,
    /// Steps before comparing, in order.
    pub normalize: Vec<Normalize>,
    /// What a value must look like, after normalisation; anchored as the policy writes it.
    pub format: Option<Regex>,
    /// Link, cookie or neither.
    pub expansion: Expansion,
    /// Compare exactly.
    pub case_sensitive: bool,
    /// More placeholders, canonical.
    pub ignore: BTreeSet<String>,
    /// Where the document starts; `None` for a namespace without one.
    pub position: Option<Position>,
}

impl Namespace {
    /// The rules of a namespace that no policy defines: the hard-coded ones with their formats, and
    /// custom ones that compare without case.
    pub fn built_in(name: &NamespaceName) -> Self {
        let hard = name.hard_coded();
        let format = match hard {
            Some("AAID") => Some(r"^(?:0|[1-9A-F][0-9A-F]{0,15})-(?:0|[1-9A-F][0-9A-F]{0,15})$"),
            Some("ECID") => Some(r"^[0-9]{38}$"),
            Some("visitorId") => {
                Some(r"^(?:[0-9A-Fa-f]{16}[-_:][0-9A-Fa-f]{16}|[0-9]{19}[-_:][0-9]{19})$")
            }
            _ => None,
        };
        Self {
            name: name.clone(),
            normalize: Vec::new(),
            format: format.and_then(|pattern| Regex::new(pattern).ok()),
            expansion: match hard {
                Some("AAID" | "ECID" | "visitorId") => Expansion::Cookie,
                _ => Expansion::Never,
            },
            case_sensitive: matches!(hard, Some("AAID" | "ECID")),
            ignore: BTreeSet::new(),
            position: None,
        }
    }

    /// Whether two values are the same identity only if their bytes are equal: then statistics and
    /// bloom filters may prune.
    pub const fn compares_exactly(&self) -> bool {
        self.case_sensitive && self.normalize.is_empty()
    }

    /// The form to compare by: the normalisation steps, then lower case unless case matters.
    pub fn canonical(&self, value: &str) -> String {
        let text = self.normalized(value);
        if self.case_sensitive { text } else { text.to_lowercase() }
    }

    /// The value after the normalisation steps alone: what the format is held against.
    pub fn normalized(&self, value: &str) -> String {
        let mut text = value.to_owned();
        for step in &self.normalize {
            text = match step {
                Normalize::Trim => text.trim().to_owned(),
                Normalize::Lowercase => text.to_lowercase(),
                Normalize::Digits => text.chars().filter(char::is_ascii_digit).collect(),
            };
        }
        text
    }

    /// Whether a canonical value is nobody: the policy's list, the fixed list, all-zero numbers and
    /// UUIDs, zero bytes, and values in erased form (`prefixes`, then 32 upper-case hex digits).
    pub fn is_placeholder(&self, value: &str, prefixes: &[&str]) -> bool {
        let bare = value.trim();
        let fixed = ["", "null", "none", "unknown", "n/a", "-"];
        fixed.iter().any(|nobody| bare.eq_ignore_ascii_case(nobody))
            || is_all_zero(bare)
            || bare.bytes().all(|byte| byte == 0)
            || (!self.ignore.is_empty()
                && (self.ignore.contains(value) || self.ignore.contains(&self.canonical(value))))
            || prefixes.iter().any(|prefix| is_erased_form(bare, prefix))
    }
}

fn is_all_zero(text: &str) -> bool {
    let bare = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let bare = bare.trim_start_matches(['-', '+', '{']);
    bare.contains('0') && bare.chars().all(|c| matches!(c, '0' | '-' | '.' | '}'))
}

/// The prefix without regard to case, then 32 hex digits.
fn is_erased_form(text: &str, prefix: &str) -> bool {
    let length = prefix.len();
    let (Some(start), Some(digits)) =
        (text.get(..length), text.get(length..).and_then(|t| t.get(..32)))
    else {
        return false;
    };
    digits.bytes().all(|b| b.is_ascii_hexdigit())
        && (start.eq_ignore_ascii_case(prefix) || start.to_lowercase() == prefix.to_lowercase())
}
