//! Where identities were found: the engine's answer to a probe, and the values of found rows.

use crate::model::{Identity, Key, NamespaceName, Sensitive};

/// A row of a dataset: file (index into [`super::DatasetFiles::files`]) and position in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Index of the file.
    pub file: u32,
    /// Position in the file, from 0, over all row groups.
    pub row: u64,
}

/// An interned identity of a pass: index into [`Identities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(pub u32);

/// The distinct identities of a pass, by (namespace, canonical value).
#[derive(Debug, Clone, Default)]
pub struct Identities {
    list: Vec<Identity>,
    index: std::collections::HashMap<(NamespaceName, Sensitive<String>), IdentityId>,
}

impl Identities {
    /// The id of an identity; a new one where it was not known.
    pub fn intern(&mut self, identity: Identity) -> IdentityId {
        let key = (identity.namespace.clone(), identity.canonical.clone());
        *self.index.entry(key).or_insert_with(|| {
            self.list.push(identity);
            IdentityId(u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// The identity of an id that [`Identities::intern`] gave.
    pub fn get(&self, id: IdentityId) -> &Identity {
        &self.list[id.0 as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Which element of nested lists: one index (from 0) for each list level of the leaf
/// ([`crate::model::Leaf::lists`]), outermost first. Empty for a leaf outside lists.
pub type Element = Box<[u32]>;

/// One value of one row that equals an identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The row.
    pub at: RowKey,
    /// The ID leaf, by index into [`super::DatasetFiles::leaves`].
    pub leaf: u16,
    /// The identity.
    pub identity: IdentityId,
    /// Where in the leaf's lists.
    pub element: Element,
}

/// What to look for in one dataset: all open tasks of all requests at once.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// For each ID leaf to search: the keys in the leaf's own type and whose they are, sorted by key.
    pub leaves: Vec<ProbeLeaf>,
    /// Composite identities: sets of ids of which a row must hold all. An id that stands only in here
    /// (see [`ProbeLeaf::keys`]) makes a hit only in rows that hold all of a set.
    pub all_of: Vec<Vec<IdentityId>>,
    /// Ids that make a hit by themselves; sorted.
    pub alone: Vec<IdentityId>,
}

/// One ID leaf of a probe. Its `Debug` shows how many keys there are, and none of them.
#[derive(Clone)]
pub struct ProbeLeaf {
    /// Index into [`super::DatasetFiles::leaves`].
    pub leaf: u16,
    /// The leaf's namespace: it says how to bring the column's values to canonical form.
    pub namespace: crate::model::Namespace,
    /// Sorted by key; several identities may share a key (`1.50` and `1.5` in a decimal column).
    pub keys: Vec<(Key, IdentityId)>,
}

impl std::fmt::Debug for ProbeLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbeLeaf")
            .field("leaf", &self.leaf)
            .field("namespace", &self.namespace.name)
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// One value of a row that expansion, conflicts or `only.where` need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowValue {
    /// The row.
    pub at: RowKey,
    /// The leaf, by index into [`super::DatasetFiles::leaves`].
    pub leaf: u16,
    /// Where in the leaf's lists.
    pub element: Element,
    /// The value as it stands, not in canonical form; nulls are left out.
    pub value: Sensitive<Key>,
}
