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

/// A part of an identity of which the request may not say the value, or not in a form that this process can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The value is known.
    Known(Identity),
    /// It is not.
    Veiled {
        /// The namespace.
        namespace: NamespaceName,
        /// How it is given.
        veil: Veil,
    },
}

/// How a value is given that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Veil {
    /// Sealed, and no key at hand opens it.
    Sealed,
    /// By its keyed digest, in hex, which has not been looked up.
    Digest(String),
    /// By its keyed digest, and no value of the data has it: it matches nothing.
    Absent(String),
    /// By its keyed digest, and it cannot be looked up: why, for people.
    Unclear(String, String),
}

/// An entry of `userIDs` with a part whose value is not known: a single identity has one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VeiledTerm(pub Vec<Part>);

impl Part {
    /// The namespace.
    pub const fn namespace(&self) -> &NamespaceName {
        match self {
            Self::Known(identity) => &identity.namespace,
            Self::Veiled { namespace, .. } => namespace,
        }
    }

    /// The identity, where its value is known.
    pub const fn known(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            Self::Veiled { .. } => None,
        }
    }
}

impl Veil {
    /// The keyed digest, where one is given.
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Sealed => None,
            Self::Digest(digest) | Self::Absent(digest) | Self::Unclear(digest, _) => Some(digest),
        }
    }

    /// Whether it is known what it matches: nothing.
    pub const fn is_looked_up(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

impl VeiledTerm {
    /// How its values are given that are not known.
    pub fn veils(&self) -> impl Iterator<Item = &Veil> {
        self.0.iter().filter_map(|part| match part {
            Part::Known(_) => None,
            Part::Veiled { veil, .. } => Some(veil),
        })
    }
}
