//! A policy held against the data: which field governs which leaf (RULES.md section 1).

use std::collections::HashMap;

use crate::model::{Dataset, Field, FieldPath, Label, Leaf, LeafType, NamespaceName};

use super::DatasetFiles;

/// A dataset's policy joined with the leaves of its files.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    /// The policy.
    pub dataset: &'a Dataset,
    /// The data.
    pub files: &'a DatasetFiles,
    leaves: Vec<ResolvedLeaf<'a>>,
    by_path: HashMap<&'a FieldPath, u16>,
}

/// A leaf and the field that governs it.
#[derive(Debug, Clone, Copy)]
pub struct ResolvedLeaf<'a> {
    /// Index into [`DatasetFiles::leaves`].
    pub index: u16,
    /// The leaf.
    pub leaf: &'a Leaf,
    /// Index into [`Dataset::fields`] and the field, where the policy mentions the leaf.
    pub field: Option<(usize, &'a Field)>,
}

impl<'a> ResolvedLeaf<'a> {
    /// Whether the field that governs the leaf carries the label.
    pub fn has(&self, label: Label) -> bool {
        self.field.is_some_and(|(_, field)| field.labels.has(label))
    }

    /// Whose leaf it is in a row that holds two people.
    pub fn party(&self) -> Option<&'a str> {
        self.field.and_then(|(_, field)| field.party.as_deref())
    }

    /// Whether the restriction to matched elements is lifted (`elements: all`).
    pub fn all_elements(&self) -> bool {
        self.field.is_some_and(|(_, field)| field.all_elements)
    }

    /// Whether a delete may erase it: a `DEL-*` label or `pii`.
    pub fn is_erasable(&self) -> bool {
        self.field.is_some_and(|(_, field)| field.is_erasable())
    }

    /// The namespace, where it is an ID leaf.
    pub fn namespace(&self) -> Option<&'a NamespaceName> {
        self.field
            .filter(|(_, field)| field.labels.is_id())
            .and_then(|(_, field)| field.namespace.as_ref())
    }

    /// Whether it is an ID leaf.
    pub fn is_id(&self) -> bool {
        self.field.is_some_and(|(_, field)| field.labels.is_id())
    }
}

impl<'a> Resolved<'a> {
    /// Joins a policy with the leaves of its data. The longest path that covers a leaf governs it: a
    /// path that names a group labels every leaf below it, except leaves that a longer path names.
    /// Of more leaves than a `u16` counts, the rest are left out; no real schema has them.
    pub fn new(dataset: &'a Dataset, files: &'a DatasetFiles) -> Self {
        let leaves: Vec<_> = (0..=u16::MAX)
            .zip(&files.leaves)
            .map(|(index, leaf)| ResolvedLeaf { index, leaf, field: governing(dataset, leaf) })
            .collect();
        let mut by_path = HashMap::new();
        for resolved in &leaves {
            by_path.entry(&resolved.leaf.path).or_insert(resolved.index);
        }
        Self { dataset, files, leaves, by_path }
    }

    /// Every leaf, by index.
    pub fn leaves(&self) -> &[ResolvedLeaf<'a>] {
        &self.leaves
    }

    /// The leaf of that index.
    pub fn leaf(&self, index: u16) -> Option<&ResolvedLeaf<'a>> {
        self.leaves.get(usize::from(index))
    }

    /// The leaf of exactly that path; a group is none.
    pub fn by_path(&self, path: &FieldPath) -> Option<&ResolvedLeaf<'a>> {
        self.by_path.get(path).and_then(|index| self.leaf(*index))
    }

    /// The leaves that a field of the policy governs, in schema order.
    pub fn leaves_of(&self, field: usize) -> impl Iterator<Item = &ResolvedLeaf<'a>> {
        self.leaves.iter().filter(move |leaf| leaf.field.is_some_and(|(index, _)| index == field))
    }

    /// Leaves that a search can look into, with their namespace: ID leaves whose type can identify.
    pub fn id_leaves(&self) -> impl Iterator<Item = (&ResolvedLeaf<'a>, &'a NamespaceName)> {
        self.leaves
            .iter()
            .filter(|leaf| leaf.leaf.kind.can_identify())
            .filter_map(|leaf| leaf.namespace().map(|namespace| (leaf, namespace)))
    }

    /// The event time's leaf, where the policy names one, the data has it, and it is one timestamp or
    /// date a row.
    pub fn timestamp(&self) -> Option<&ResolvedLeaf<'a>> {
        self.dataset
            .timestamp
            .as_ref()
            .and_then(|path| self.by_path(path))
            .filter(|leaf| is_event_time(leaf.leaf))
    }

    /// The hit id's leaf, where the policy names one, the data has it, and it is one value a row.
    pub fn hit_id(&self) -> Option<&ResolvedLeaf<'a>> {
        self.dataset
            .hit_id
            .as_ref()
            .and_then(|path| self.by_path(path))
            .filter(|leaf| is_hit_id(leaf.leaf))
    }

    /// Leaves that no field of the policy covers.
    pub fn unmentioned(&self) -> impl Iterator<Item = &ResolvedLeaf<'a>> {
        self.leaves.iter().filter(|leaf| leaf.field.is_none())
    }

    /// Fields of the policy that no leaf of the data answers to, with their index. A group whose
    /// leaves are all named by longer paths has leaves.
    pub fn missing(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        let leaves = &self.files.leaves;
        self.dataset
            .fields
            .iter()
            .enumerate()
            .filter(move |(_, field)| !leaves.iter().any(|leaf| field.path.covers(&leaf.path)))
    }
}

/// Whether a leaf can be a dataset's `timestamp`.
pub(super) const fn is_event_time(leaf: &Leaf) -> bool {
    leaf.lists.is_empty() && matches!(leaf.kind, LeafType::Timestamp(_) | LeafType::Date)
}

/// Whether a leaf can be a dataset's `hitId`.
pub(super) const fn is_hit_id(leaf: &Leaf) -> bool {
    leaf.lists.is_empty() && leaf.kind.can_identify()
}

fn governing<'a>(dataset: &'a Dataset, leaf: &Leaf) -> Option<(usize, &'a Field)> {
    let mut best: Option<(usize, &Field)> = None;
    for (index, field) in dataset.fields.iter().enumerate() {
        let length = field.path.parts().len();
        if field.path.covers(&leaf.path)
            && best.is_none_or(|(_, known)| length > known.path.parts().len())
        {
            best = Some((index, field));
        }
    }
    best
}
