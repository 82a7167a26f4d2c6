//! Values of matched rows: those of ID leaves as identities, and which rows meet an `only.where`.

use std::collections::BTreeMap;

use crate::model::{Key, LeafType, Namespace, NamespaceName};
use crate::plan::{IdentityId, RowKey, RowValue};

use super::elements::{ElementId, Elements};
use super::known::Known;
use super::lake::{Lake, Table};
use super::subject::Condition;

/// A value of an ID leaf; placeholders are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) at: RowKey,
    pub(super) slot: u16,
    pub(super) element: ElementId,
    pub(super) identity: IdentityId,
}

/// A condition of `only.where` in one dataset: index into [`Cells::holding`].
pub(super) type ConditionId = usize;

/// What is known of the values of one dataset's rows.
#[derive(Default)]
pub(super) struct Cells {
    list: Vec<Cell>,
    /// Rows that were asked for, by leaf; sorted.
    asked: BTreeMap<u16, Vec<RowKey>>,
    conditions: BTreeMap<(u16, Key), ConditionId>,
    /// By condition: rows that meet it; sorted.
    holding: Vec<Vec<RowKey>>,
}

impl Cells {
    /// The condition that a leaf has a value; one that no row meets where the value cannot be of the
    /// leaf's type, or where there is no leaf.
    pub(super) fn condition(&mut self, leaf: Option<(u16, &LeafType)>, text: &str) -> ConditionId {
        let next = self.holding.len();
        let wanted = leaf.and_then(|(index, kind)| wanted(kind, text).map(|key| (index, key)));
        let id = match wanted {
            Some(wanted) => *self.conditions.entry(wanted).or_insert(next),
            None => next,
        };
        if id == next {
            self.holding.push(Vec::new());
        }
        id
    }

    /// Whether a row meets all conditions.
    pub(super) fn meets(&self, conditions: &[Condition], at: RowKey) -> bool {
        conditions.iter().all(|(_, id)| {
            self.holding.get(*id).is_some_and(|rows| rows.binary_search(&at).is_ok())
        })
    }

    /// Of the rows, sorted, those of which the leaf was not asked yet; from now on they count as asked.
    pub(super) fn not_yet_asked(&mut self, leaf: u16, rows: Vec<RowKey>) -> Vec<RowKey> {
        let asked = self.asked.entry(leaf).or_default();
        let new: Vec<RowKey> =
            rows.into_iter().filter(|row| asked.binary_search(row).is_err()).collect();
        asked.extend_from_slice(&new);
        asked.sort();
        new
    }

    /// Takes values that the engine read.
    pub(super) fn take(
        &mut self,
        lake: &Lake<'_>,
        table: &Table<'_>,
        known: &mut Known,
        elements: &mut Elements,
        values: Vec<RowValue>,
    ) {
        for value in values {
            let Some(kind) = table.kind(value.leaf) else { continue };
            let raw = value.value.expose();
            if !self.conditions.is_empty()
                && let Some(key) = as_wanted(kind, raw)
                && let Some(id) = self.conditions.get(&(value.leaf, key))
                && let Some(rows) = self.holding.get_mut(*id)
            {
                rows.push(value.at);
            }
            if let Some(slot) = table.slot(value.leaf) {
                let space = table.id(slot).space;
                if let Some(identity) = known.found(lake, space, &kind.identity_text(raw)) {
                    let element = elements.intern(value.element);
                    self.list.push(Cell { at: value.at, slot, element, identity });
                }
            }
        }
    }

    /// Sorts what has come.
    pub(super) fn settle(&mut self) {
        self.list.sort();
        self.list.dedup();
        for rows in &mut self.holding {
            rows.sort();
            rows.dedup();
        }
    }

    /// The ID values that are known of a row.
    pub(super) fn of_row(&self, at: RowKey) -> &[Cell] {
        let start = self.list.partition_point(|cell| cell.at < at);
        let length = self.list[start..].iter().take_while(|cell| cell.at == at).count();
        &self.list[start..start + length]
    }
}

/// The value of an `only.where` in the column's own type: text compares exactly, numbers by value. Types
/// that cannot identify (booleans, floats) compare as the text that they are shown as.
fn wanted(kind: &LeafType, text: &str) -> Option<Key> {
    if kind.can_identify() { kind.key(&exact()?, text) } else { Some(Key::Text(text.to_owned())) }
}

/// A value of a row in the form of [`wanted`]; partition values come as text whatever their type.
fn as_wanted(kind: &LeafType, value: &Key) -> Option<Key> {
    match value {
        Key::Text(_) if *kind == LeafType::Text => Some(value.clone()),
        Key::Text(text) => wanted(kind, text),
        other if kind.can_identify() => Some(other.clone()),
        other => Some(Key::Text(kind.text(other))),
    }
}

/// Rules under which values compare as they are written.
fn exact() -> Option<Namespace> {
    let name = NamespaceName::new("exact")?;
    Some(Namespace { case_sensitive: true, ..Namespace::built_in(&name) })
}
