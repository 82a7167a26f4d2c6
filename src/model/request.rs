//! Requests: whose data is wanted or must be forgotten (RULES.md sections 3 to 6).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{Timestamp, civil::Date};

use super::{
    FieldPath, IdentityTerm, Name, NamespaceName, Part, Position, Product, Reason, Regulation,
    Sensitive, VeiledTerm,
};

/// What a task does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A package of the subject's data.
    Access,
    /// Erasure.
    Delete,
}

impl Action {
    /// As requests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `deleteMethod`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeleteMethod {
    /// Labelled fields are erased.
    #[default]
    Anonymize,
    /// Every matched row is removed.
    Purge,
}

/// `extension`: another due date, with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The new due date.
    pub until: Date,
    /// Why; never empty.
    pub reason: String,
}

/// `only`: how a block narrows itself. Absent lists mean no narrowing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    /// These datasets only.
    pub datasets: Option<BTreeSet<Name>>,
    /// These data sources only.
    pub sources: Option<BTreeSet<String>>,
    /// Rows whose selectable fields have these values (compared as text in the column's own type).
    pub r#where: BTreeMap<FieldPath, Sensitive<String>>,
}

impl Only {
    /// Whether nothing is narrowed.
    pub fn is_empty(&self) -> bool {
        self.datasets.is_none() && self.sources.is_none() && self.r#where.is_empty()
    }
}

/// One entry of `users`: one data subject.
#[derive(Debug, Clone)]
pub struct UserBlock {
    /// The controller's own reference; unique in the request.
    pub key: String,
    /// `access`, `delete` or both.
    pub actions: BTreeSet<Action>,
    /// The identities, in the order of the file. Empty only where the block is rejected.
    pub identities: Vec<IdentityTerm>,
    /// The identities of which a value is sealed and not opened, or given by a digest.
    pub veiled: Vec<VeiledTerm>,
    /// Narrowing.
    pub only: Only,
    /// The erasure stays in force for data that arrives later.
    pub standing: bool,
    /// A person has looked at the identity conflicts.
    pub accept_conflicts: bool,
    /// Why this block is rejected; the rest of the request goes on.
    pub rejected: Option<Reason>,
    /// Where the block starts.
    pub position: Position,
}

impl UserBlock {
    /// Whether it uses `qa-` namespaces.
    pub fn is_qa(&self) -> bool {
        self.namespaces().any(NamespaceName::is_qa)
    }

    /// The namespaces of its identities, as often as they stand there.
    pub fn namespaces(&self) -> impl Iterator<Item = &NamespaceName> {
        let known = self.identities.iter().flat_map(IdentityTerm::parts).map(|i| &i.namespace);
        known.chain(self.veiled.iter().flat_map(|term| &term.0).map(Part::namespace))
    }
}

/// One request file (or document).
#[derive(Debug, Clone)]
pub struct Request {
    /// `metadata.name`, or from the file name.
    pub name: Name,
    /// Whether that is its name, and no stand-in for one that could not be read.
    pub named: bool,
    /// Sets the due date; `None` counts as 30 days.
    pub regulation: Option<Regulation>,
    /// When it was received; `None`: when the ledger first saw it.
    pub received_at: Option<Timestamp>,
    /// Another due date.
    pub extension: Option<Extension>,
    /// Expand cookie ids.
    pub expand_ids: bool,
    /// Anonymise or purge.
    pub delete_method: DeleteMethod,
    /// Products; `None`: all.
    pub include: Option<BTreeSet<Product>>,
    /// Stopped where it is.
    pub suspend: bool,
    /// What has not been done is cancelled.
    pub withdrawn: bool,
    /// The subjects, in the order of the file.
    pub users: Vec<UserBlock>,
    /// The whole file is rejected: nothing of it runs.
    pub rejected: Option<Reason>,
    /// Where the document starts.
    pub position: Position,
}
