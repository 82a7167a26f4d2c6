//! What the guard checks against: rows by task, policies by leaf, holds in force.

use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;

use crate::model::{Action, Field, FieldPath, Hold, HoldScope, Leaf, Name, Request, UserBlock};
use crate::plan::{
    BlockRef, DatasetFiles, DatasetFound, Draft, DraftTask, Evidence, FoundHit, FoundRow, RowKey,
    Situation, TaskIndex,
};

use super::{Broken, ensure};

pub(super) struct Facts<'a> {
    pub(super) situation: Situation<'a>,
    evidence: Evidence<'a>,
    draft: &'a Draft,
    /// Matched rows of each running task's block: by task, the datasets.
    rows: Vec<Vec<(&'a Name, &'a DatasetFound)>>,
    /// The governing field of each leaf, by dataset.
    policies: BTreeMap<&'a Name, Vec<Option<&'a Field>>>,
    holds: Vec<&'a Hold>,
    /// Rows of blocks that a hold on requests keeps.
    kept: HashSet<(&'a Name, RowKey)>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        situation: Situation<'a>,
        evidence: Evidence<'a>,
        draft: &'a Draft,
    ) -> Result<Self, Broken> {
        let today = situation.now.to_zoned(TimeZone::UTC).date();
        let mut facts = Self {
            situation,
            evidence,
            draft,
            rows: vec![Vec::new(); draft.tasks.len()],
            policies: BTreeMap::new(),
            holds: situation.catalog.holds.iter().filter(|hold| hold.in_force(today)).collect(),
            kept: HashSet::new(),
        };
        for policy in &situation.catalog.datasets {
            let files = evidence.inventory.datasets.get(&policy.name);
            let leaves = files.map_or(&[][..], |files| &files.leaves);
            let governing =
                leaves.iter().map(|leaf| governing(&policy.fields, &leaf.path)).collect();
            facts.policies.insert(&policy.name, governing);
        }
        let mut tasks: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, task) in draft.tasks.iter().enumerate().filter(|(_, task)| task.runs) {
            if let Some(block) = task.block {
                tasks.entry(block).or_default().push(index);
            }
        }
        for found in evidence.found {
            let held = facts.block_is_held(found.block.request, found.block.user);
            if held {
                for dataset in found.all_datasets() {
                    let name = facts.name(dataset)?;
                    facts.kept.extend(dataset.rows.iter().map(|row| (name, row.at)));
                }
            }
            for dataset in &found.datasets {
                let name = facts.name(dataset)?;
                facts.check_rows(name, dataset)?;
                for task in tasks.get(&found.block).into_iter().flatten() {
                    if let Some(datasets) = facts.rows.get_mut(*task) {
                        datasets.push((name, dataset));
                    }
                }
            }
        }
        facts.check_holds()?;
        Ok(facts)
    }

    fn name(&self, found: &DatasetFound) -> Result<&'a Name, Broken> {
        let policy = self.situation.catalog.datasets.get(found.dataset);
        policy
            .map(|policy| &policy.name)
            .ok_or_else(|| Broken::new("rows of a dataset without a policy"))
    }

    /// That where something is erased, it is known which rows holds on requests keep.
    fn check_holds(&self) -> Result<(), Broken> {
        if self.draft.erase.is_empty() {
            return Ok(());
        }
        let searched: HashSet<_> = self.evidence.found.iter().map(|found| found.block).collect();
        for (at, request) in self.situation.requests.iter().enumerate() {
            for (user, block) in request.users.iter().enumerate() {
                let known = searched.contains(&BlockRef { request: at, user });
                ensure(known || !self.block_is_held(at, user), || {
                    format!(
                        "rows of {}/{} are held and were not looked for",
                        request.name, block.key
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The search's own promises: rows in order, each with a match, and with the right kind of match.
    fn check_rows(&self, name: &Name, found: &DatasetFound) -> Result<(), Broken> {
        ensure(found.rows.is_sorted_by(|a, b| a.at < b.at), || {
            format!("rows of {name} are out of order or there twice")
        })?;
        for row in &found.rows {
            let hits = hits(found, row);
            let as_person = hits.iter().any(|hit| hit.person);
            ensure(!hits.is_empty() && as_person == row.person, || {
                format!("a row of {name} does not say what matched in it")
            })?;
            let leaves = &self.files(name)?.leaves;
            let fits = |hit: &FoundHit| {
                let leaf = leaves.get(usize::from(hit.leaf));
                leaf.is_some_and(|leaf| leaf.lists.len() == hit.element.len())
            };
            ensure(hits.iter().all(fits), || {
                format!("a match in {name} has no place in its lists")
            })?;
        }
        Ok(())
    }

    pub(super) fn files(&self, name: &Name) -> Result<&'a DatasetFiles, Broken> {
        let files = self.evidence.inventory.datasets.get(name);
        files.ok_or_else(|| Broken::new(format!("{name} is not in the inventory")))
    }

    /// A matched row of a running task.
    pub(super) fn row(
        &self,
        task: TaskIndex,
        name: &Name,
        at: RowKey,
    ) -> Option<(&'a FoundRow, &'a [FoundHit])> {
        let datasets = self.rows.get(usize::try_from(task).ok()?)?;
        let (_, found) = datasets.iter().find(|(known, _)| *known == name)?;
        let index = found.rows.binary_search_by_key(&at, |row| row.at).ok()?;
        found.rows.get(index).map(|row| (row, hits(found, row)))
    }

    /// The field that governs a leaf.
    pub(super) fn field(&self, name: &Name, leaf: usize) -> Option<&'a Field> {
        self.policies.get(name)?.get(leaf).copied().flatten()
    }

    fn at(&self, request: usize, user: usize) -> Option<(&'a Request, &'a UserBlock)> {
        let request = self.situation.requests.get(request)?;
        Some((request, request.users.get(user)?))
    }

    fn block_is_held(&self, request: usize, user: usize) -> bool {
        let Some((request, block)) = self.at(request, user) else { return false };
        self.holds.iter().any(|hold| match &hold.scope {
            HoldScope::Requests { requests, keys } => {
                requests.contains(&request.name)
                    && (keys.is_empty() || keys.contains(&block.key))
                    && block.actions.contains(&Action::Delete)
            }
            HoldScope::Datasets { .. } => false,
        })
    }

    /// A running task of that action, with its request.
    pub(super) fn running(
        &self,
        index: TaskIndex,
        action: Action,
    ) -> Result<(&'a DraftTask, &'a Request), Broken> {
        let task = usize::try_from(index).ok().and_then(|index| self.draft.tasks.get(index));
        let task = task.filter(|task| task.runs && task.id.action == Some(action));
        let found = task.and_then(|task| {
            let block = task.block?;
            let (request, user) = self.at(block.request, block.user)?;
            let valid = request.rejected.is_none()
                && user.rejected.is_none()
                && !request.suspend
                && !request.withdrawn
                && user.actions.contains(&action);
            valid.then_some((task, request))
        });
        found.ok_or_else(|| Broken::new(format!("work for task {index}, which must not run")))
    }

    pub(super) fn row_is_held(&self, name: &Name, at: RowKey) -> bool {
        self.kept.contains(&(name, at))
            || self.holds.iter().any(|hold| match &hold.scope {
                HoldScope::Datasets { datasets, fields } => {
                    fields.is_empty() && datasets.contains(name)
                }
                HoldScope::Requests { .. } => false,
            })
    }

    pub(super) fn held_fields(&self, name: &Name) -> impl Iterator<Item = &FieldPath> {
        self.holds
            .iter()
            .filter_map(move |hold| match &hold.scope {
                HoldScope::Datasets { datasets, fields } if datasets.contains(name) => Some(fields),
                _ => None,
            })
            .flatten()
    }

    pub(super) fn has_held_fields(&self, name: &Name) -> bool {
        self.held_fields(name).next().is_some()
    }

    /// Whether a hold keeps the leaf: it names it, or the leaf is an ID field beside one that it names.
    pub(super) fn leaf_is_held(&self, name: &Name, index: usize, leaf: &Leaf) -> bool {
        let is_id = self.field(name, index).is_some_and(|field| field.labels.is_id());
        (is_id && self.has_held_fields(name))
            || self.held_fields(name).any(|path| path.covers(&leaf.path))
    }
}

fn hits<'a>(found: &'a DatasetFound, row: &FoundRow) -> &'a [FoundHit] {
    let start = usize::try_from(row.hits.start).unwrap_or(usize::MAX);
    let end = usize::try_from(row.hits.end).unwrap_or(usize::MAX);
    found.hits.get(start..end).unwrap_or(&[])
}

/// The field of the longest path that names the leaf or a group above it.
fn governing<'a>(fields: &'a [Field], path: &FieldPath) -> Option<&'a Field> {
    (1..=path.parts().len()).rev().find_map(|length| {
        let group = path.parts().get(..length);
        fields.iter().find(|field| Some(field.path.parts()) == group)
    })
}
