//! Completed erasures against today's data and today's policies: what of them would be erased now.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::engine::Engine;
use crate::model::{Action, Catalog, Limits, Name, Phase, Request, TaskId, Veil, VeiledTerm};
use crate::plan::{
    BlockFound, BlockRef, DatasetFiles, Draft, Evidence, FieldCount, FileCounts, FileProblem,
    FileWork, Grants, Inventory, LedgerView, Mask, RowKey, SearchBlock, Situation, blocking, draft,
    to_search, triage,
};

use super::super::measure::{Unmeasured, measure};
use super::super::search::{Lake, Trust, search};
use super::super::settled::shows;
use super::super::{Events, PassError, Stop};
use super::canary::{Canaries, Planter};

/// What of one erasure is in the data today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::reconcile) struct Today {
    /// Rows in which some cell is not in erased form, by dataset; empty where it is gone, as far as it
    /// can be told.
    pub(in crate::reconcile) datasets: Vec<TodayDataset>,
    /// Why not all of it can be told.
    pub(in crate::reconcile) unclear: Option<String>,
}

/// What a look at erasures gave.
pub(in crate::reconcile) struct Looked {
    /// By task.
    pub(in crate::reconcile) today: BTreeMap<TaskId, Today>,
    pub(in crate::reconcile) canaries: Canaries,
    /// What could not be read, and was left out, by dataset: the erasures that need it are unclear.
    pub(in crate::reconcile) unreadable: Vec<(Name, FileProblem)>,
}

/// What of an erasure is in one dataset today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TodayDataset {
    /// The dataset.
    pub dataset: Name,
    /// Rows in which some cell is not in erased form.
    pub rows: u64,
    /// Those cells, by field; none where whole rows go.
    pub fields: Vec<FieldCount>,
}

/// Erasures to look at again, with the requests that say whom to look for.
pub(in crate::reconcile) struct Recheck {
    catalog: Catalog,
    requests: Vec<Request>,
    now: Timestamp,
}

impl Recheck {
    /// The erasures that `wanted` names, of these requests.
    pub(in crate::reconcile) fn new(
        catalog: &Catalog,
        requests: &[Request],
        now: Timestamp,
        wanted: &dyn Fn(&TaskId) -> bool,
    ) -> Self {
        let mut catalog = catalog.clone();
        // Whoever looks whether data is gone must not be stopped by what keeps it from going.
        catalog.settings.limits = Limits {
            max_conflicts: u64::MAX,
            max_rows_per_user: u64::MAX,
            max_expanded_ids: u64::MAX,
            max_fraction_erased: 1.0,
            ..catalog.settings.limits.clone()
        };
        catalog.holds.clear();
        let requests: Vec<Request> =
            requests.iter().map(|request| narrowed(request.clone(), wanted)).collect();
        Self { catalog, requests, now }
    }

    /// Whether there is nothing to look at.
    pub(in crate::reconcile) fn is_idle(&self) -> bool {
        self.requests.iter().all(|request| request.users.is_empty())
    }

    /// Looks for all of them in one scan a dataset, which believes no statistics. What cannot be read is left
    /// out, and makes the erasures unclear that need it.
    ///
    /// # Errors
    /// The engine as a whole failed, or it was asked to stop.
    pub(in crate::reconcile) fn look(
        &self,
        engine: &Engine,
        inventory: &Inventory,
        stop: &Stop,
        events: &mut dyn Events,
    ) -> Result<Looked, PassError> {
        let mut inventory = inventory.clone();
        // As if nothing had been done: what would be erased today has not been, or has come back.
        let (view, nothing, nobody) = (LedgerView::default(), BTreeMap::new(), BTreeSet::new());
        let situation = Situation {
            catalog: &self.catalog,
            requests: &self.requests,
            ledger: &view,
            fingerprints: &nothing,
            waiting: &nobody,
            now: self.now,
        };
        let blocks = to_search(situation, &triage(situation))
            .into_iter()
            .filter_map(|open| {
                let request = self.requests.get(open.block.request)?;
                let user = request.users.get(open.block.user)?;
                Some(SearchBlock {
                    block: open.block,
                    request,
                    user,
                    remembered: Vec::new(),
                    grants: Grants::default(),
                })
            })
            .collect();
        let mut planter = Planter::new(engine, &self.catalog);
        let trust = Trust::Nothing(&mut planter);
        let lake = Lake { engine, catalog: &self.catalog, inventory: &inventory, stop };
        let searched = search(lake, blocks, trust, events)?;
        let canaries = planter.canaries;
        for (dataset, problems) in searched.unreadable {
            note(&mut inventory, &dataset, problems);
        }
        let mut all = BTreeMap::new();
        for found in apart(searched.found) {
            let (draft, counts) = loop {
                let blocks = blocking(&self.catalog, &inventory, situation.now);
                let evidence = Evidence { inventory: &inventory, blocks: &blocks, found: &found };
                let mut draft = draft(situation, evidence);
                draft.erase.iter_mut().for_each(|work| keep_judged(work, &inventory));
                match measure(engine, &draft.erase, stop, events)? {
                    Ok(counts) => break (draft, counts),
                    Err(unmeasured) => {
                        for Unmeasured { dataset, problem, .. } in unmeasured {
                            note(&mut inventory, &dataset, vec![problem]);
                        }
                    }
                }
            };
            all.extend(today(&draft, &counts, &found));
        }
        let problems = |files: &DatasetFiles| {
            let name = files.dataset.clone();
            files.problems.clone().into_iter().map(move |problem| (name.clone(), problem))
        };
        let unreadable = inventory.datasets.values().flat_map(problems).collect();
        Ok(Looked { today: all, canaries, unreadable })
    }
}

/// Adds what turned out unreadable to what is known of a dataset.
fn note(inventory: &mut Inventory, dataset: &Name, problems: Vec<FileProblem>) {
    if let Some(files) = inventory.datasets.get_mut(dataset) {
        files.problems.extend(problems);
    }
}

/// The blocks in groups within which no two share a row: of two deletes that reach a cell only the first
/// counts it, and each erasure is to be judged as if it were alone.
fn apart(blocks: Vec<BlockFound>) -> Vec<Vec<BlockFound>> {
    let mut groups: Vec<Vec<BlockFound>> = Vec::new();
    let mut taken: Vec<HashSet<(usize, RowKey)>> = Vec::new();
    for block in blocks {
        let datasets = block.datasets.iter();
        let rows: HashSet<(usize, RowKey)> = datasets
            .flat_map(|found| found.rows.iter().map(|row| (found.dataset, row.at)))
            .collect();
        match groups.iter_mut().zip(&mut taken).find(|(_, taken)| taken.is_disjoint(&rows)) {
            Some((group, taken)) => {
                taken.extend(rows);
                group.push(block);
            }
            None => {
                groups.push(vec![block]);
                taken.push(rows);
            }
        }
    }
    groups
}

/// What the task of each of these blocks would erase.
fn today(
    draft: &Draft,
    counts: &[FileCounts],
    blocks: &[BlockFound],
) -> impl Iterator<Item = (TaskId, Today)> {
    let blocks: BTreeSet<BlockRef> = blocks.iter().map(|found| found.block).collect();
    let mut found: Vec<BTreeMap<&Name, Sums>> = vec![BTreeMap::new(); draft.tasks.len()];
    for (work, counts) in draft.erase.iter().zip(counts) {
        for task in counts.tasks.iter().filter(|task| task.rows_erased > 0) {
            let Some(datasets) = found.get_mut(task.task as usize) else { continue };
            let sums = datasets.entry(&work.dataset).or_default();
            sums.rows += task.rows_erased;
            for (leaf, cells) in work.leaves.iter().zip(&task.cells).filter(|(_, n)| **n > 0) {
                if !matches!(leaf.mask, Mask::Retain { .. }) {
                    let method = leaf.mask.method().as_str();
                    *sums.fields.entry((leaf.path.to_string(), method)).or_default() += cells;
                }
            }
        }
    }
    let tasks = draft.tasks.iter().zip(found);
    tasks.filter(move |(task, _)| task.block.is_some_and(|block| blocks.contains(&block))).map(
        |(task, found)| {
            let datasets = found.into_iter().map(|(dataset, sums)| sums.of(dataset)).collect();
            let judged = task.runs && task.standing.phase == Phase::Submitted;
            let why = || task.standing.message.clone();
            let unclear =
                (!judged).then(|| why().unwrap_or_else(|| task.standing.phase.to_string()));
            (task.id.clone(), Today { datasets, unclear })
        },
    )
}

#[derive(Debug, Clone, Default)]
struct Sums {
    rows: u64,
    fields: BTreeMap<(String, &'static str), u64>,
}

impl Sums {
    fn of(self, dataset: &Name) -> TodayDataset {
        let fields = self.fields.into_iter().map(|((path, method), cells)| FieldCount {
            path,
            method: method.to_owned(),
            cells,
        });
        TodayDataset { dataset: dataset.clone(), rows: self.rows, fields: fields.collect() }
    }
}

/// The request with the wanted deletes and nothing else; of these only such whose identities are known, or
/// known to be nowhere: the others can no longer be checked.
fn narrowed(mut request: Request, wanted: &dyn Fn(&TaskId) -> bool) -> Request {
    let name = request.name.clone();
    request.users.retain_mut(|block| {
        // Also of a block that no longer asks for it: what is done is done.
        block.actions = BTreeSet::from([Action::Delete]);
        block.accept_conflicts = true;
        let id = TaskId {
            request: name.clone(),
            key: Some(block.key.clone()),
            action: Some(Action::Delete),
        };
        let known = block.veiled.iter().flat_map(VeiledTerm::veils).all(Veil::is_looked_up);
        block.rejected.is_none() && known && wanted(&id)
    });
    (request.suspend, request.withdrawn) = (false, false);
    request
}

/// Leaves out what cannot be told from data: whether a number, binary or HMAC is a replacement.
fn keep_judged(work: &mut FileWork, inventory: &Inventory) {
    let files = inventory.datasets.get(&work.dataset);
    work.leaves.retain(|leaf| shows(leaf, files));
}

/// The deletes that the ledger has as done.
pub(in crate::reconcile) fn completed(view: &LedgerView) -> Vec<TaskId> {
    let done = view
        .tasks
        .iter()
        .filter(|(id, task)| id.action == Some(Action::Delete) && task.phase == Phase::Complete);
    done.map(|(id, _)| id.clone()).collect()
}
