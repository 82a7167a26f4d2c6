//! Identities: (namespace, value), and composite ones (RULES.md section 2).

use super::{NamespaceName, Sensitive};

/// Where an identity of a block came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The request names it.
    Given,
    /// Found through a link namespace.
    Link,
    /// A cookie id found by `expandIds`.
    Cookie,
}

/// One (namespace, value).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The namespace.
    pub namespace: NamespaceName,
    /// The value as the request writes it.
    pub given: Sensitive<String>,
    /// The value in the namespace's canonical form.
    pub canonical: Sensitive<String>,
}

/// One entry of `userIDs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityTerm {
    /// A single identity.
    One(Identity),
    /// A composite identity: the row matches where all parts match in it; at least two parts.
    AllOf(Vec<Identity>),
}

impl IdentityTerm {
    /// Its identities: one, or the parts.
    pub fn parts(&self) -> &[Identity] {
        match self {
            Self::One(identity) => std::slice::from_ref(identity),
            Self::AllOf(parts) => parts,
        }
    }
}
