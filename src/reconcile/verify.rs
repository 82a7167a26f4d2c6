//! `verify`: the ledger's chain, packages against their digests, erasures against today's data.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::engine::ProbeOptions;
use crate::manifest::Loaded;
use crate::model::{Action, Catalog, Limits, Name, Phase, Request, TaskId, Veil, VeiledTerm};
use crate::plan::{
    Evidence, FileProblem, FileWork, Inventory, LedgerView, SearchBlock, Situation, blocking,
    draft, to_search, triage,
};
use crate::store::{Exports, Head, State};

use super::gather::{Texts, engine, fingerprints, reserved, settings_of, state_dir};
use super::measure::Unmeasured;
use super::search::{Lake, search};
use super::settled::shows;
use super::{Events, PassError, Workspace};

/// Whether everything still holds.
#[derive(Debug, Serialize)]
pub struct VerifyReport {
    /// The chain.
    pub ledger: LedgerState,
    /// What is wrong with the ledger, in words.
    pub problems: Vec<String>,
    /// Completed erasures; `None` where only the ledger was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasures: Option<Vec<ErasureState>>,
    /// Packages; `None` where only the ledger was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<Vec<PackageState>>,
    /// Nothing is wrong.
    pub ok: bool,
}

/// The ledger.
#[derive(Debug, Serialize)]
pub struct LedgerState {
    /// Commits.
    pub entries: u64,
    /// `N:SHA256` of the newest.
    pub head: Option<String>,
    /// The chain holds.
    pub intact: bool,
}

/// One completed erasure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureState {
    /// The request.
    pub request: Name,
    /// The block.
    pub key: Option<String>,
    /// Rows that match today and in which some cell is not in erased form; `None` where the request is
    /// gone, or its identities are sealed and no key opens them, so that nobody can look.
    pub rows_found: Option<u64>,
}

/// One package.
#[derive(Debug, Serialize)]
pub struct PackageState {
    /// Where.
    pub package: String,
    /// It is there and is what was recorded.
    pub intact: bool,
}

/// Verifies; with `ledger_only`, the chain alone. `head` is one that was kept elsewhere.
///
/// # Errors
/// Something could not be read.
pub fn verify(
    workspace: &Workspace,
    ledger_only: bool,
    head: Option<&Head>,
    events: &mut dyn Events,
) -> Result<VerifyReport, PassError> {
    let catalog = settings_of(workspace);
    let state_dir = state_dir(workspace, &catalog)?;
    let chain = state_dir.verify_ledger(head)?;
    let ledger = LedgerState {
        entries: chain.entries,
        head: chain.head.as_ref().map(ToString::to_string),
        intact: chain.intact,
    };
    let mut report = VerifyReport {
        ok: ledger.intact,
        ledger,
        problems: chain.problems,
        erasures: None,
        packages: None,
    };
    if ledger_only || !report.ledger.intact {
        return Ok(report);
    }
    let state = state_dir.read()?;
    let exports = Exports::open(workspace.exports(&catalog.settings), ".".as_ref())?;
    let mut packages = Vec::new();
    for (location, (_, package)) in &state.view().packages {
        let intact =
            exports.content(location)?.is_some_and(|content| content.sha256 == package.sha256);
        packages.push(PackageState { package: location.clone(), intact });
    }
    let erasures = Erasures::new(workspace, &state)?.check(events)?;
    report.ok = packages.iter().all(|package| package.intact)
        && erasures.iter().all(|erasure| erasure.rows_found.unwrap_or(0) == 0);
    report.packages = Some(packages);
    report.erasures = Some(erasures);
    Ok(report)
}

/// The completed erasures, and the requests that say whom to look for.
struct Erasures<'a> {
    workspace: &'a Workspace,
    completed: Vec<TaskId>,
    catalog: Catalog,
    requests: Vec<Request>,
}

impl<'a> Erasures<'a> {
    fn new(workspace: &'a Workspace, state: &State) -> Result<Self, PassError> {
        let completed: Vec<TaskId> = state
            .view()
            .tasks
            .iter()
            .filter(|(id, task)| id.action == Some(Action::Delete) && task.phase == Phase::Complete)
            .map(|(id, _)| id.clone())
            .collect();
        let Loaded { mut catalog, catalog_valid, requests, .. } =
            Texts::read(workspace)?.load(workspace.clock.now());
        if !catalog_valid {
            return Err(PassError::InvalidPolicies);
        }
        // Whoever looks whether data is gone must not be stopped by what keeps it from going.
        catalog.settings.limits = Limits {
            max_conflicts: u64::MAX,
            max_rows_per_user: u64::MAX,
            max_expanded_ids: u64::MAX,
            max_fraction_erased: 1.0,
            ..catalog.settings.limits.clone()
        };
        let prints = fingerprints(&requests, state.deployment_key());
        let still = |id: &TaskId| {
            let known = state.view().tasks.get(id).map(|task| &task.fingerprint);
            completed.contains(id) && prints.get(id).is_none_or(|now| Some(now) == known)
        };
        let requests =
            requests.into_iter().map(|request| only_completed(request, &still)).collect();
        Ok(Self { workspace, completed, catalog, requests })
    }

    fn check(&self, events: &mut dyn Events) -> Result<Vec<ErasureState>, PassError> {
        let mut rows: BTreeMap<TaskId, u64> = BTreeMap::new();
        if self.requests.iter().any(|request| !request.users.is_empty()) {
            rows = self.rows(events)?;
        }
        Ok(self
            .completed
            .iter()
            .map(|id| ErasureState {
                request: id.request.clone(),
                key: id.key.clone(),
                rows_found: rows.get(id).copied(),
            })
            .collect())
    }

    /// Rows by erasure, from one unpruned scan a dataset.
    fn rows(&self, events: &mut dyn Events) -> Result<BTreeMap<TaskId, u64>, PassError> {
        let engine = engine(self.workspace, &self.catalog)?;
        let datasets: Vec<_> = self.catalog.datasets.iter().collect();
        let inventory = engine.inventory(&datasets, &reserved(self.workspace, &self.catalog));
        if let Some((files, problem)) =
            inventory.datasets.values().find_map(|files| Some((files, files.problems.first()?)))
        {
            return Err(PassError::Unverifiable {
                dataset: files.dataset.clone(),
                what: format!("{}: {}", problem.shown, problem.what),
            });
        }
        // As if nothing had been done: what would be erased today has not been, or has come back.
        let view = LedgerView::default();
        let nothing = BTreeMap::new();
        let situation = Situation {
            catalog: &self.catalog,
            requests: &self.requests,
            ledger: &view,
            fingerprints: &nothing,
            waiting: &BTreeSet::new(),
            now: self.workspace.clock.now(),
        };
        let blocks = to_search(&triage(situation))
            .into_iter()
            .filter_map(|open| {
                let request = self.requests.get(open.block.request)?;
                let user = request.users.get(open.block.user)?;
                Some(SearchBlock { block: open.block, request, user, remembered: Vec::new() })
            })
            .collect();
        let stop = &self.workspace.stop;
        let options = ProbeOptions { prune: false, ..ProbeOptions::default() };
        let lake =
            Lake { engine: &engine, catalog: &self.catalog, inventory: &inventory, options, stop };
        let searched = search(lake, blocks, None, events)?;
        let unreadable = searched.unreadable.into_iter().find_map(|(dataset, problems)| {
            let FileProblem { shown, what, .. } = problems.into_iter().next()?;
            Some(PassError::Unverifiable { dataset, what: format!("{shown}: {what}") })
        });
        if let Some(error) = unreadable {
            return Err(error);
        }
        let evidence = Evidence {
            inventory: &inventory,
            blocks: &blocking(&self.catalog, &inventory, situation.now),
            found: &searched.found,
        };
        let mut draft = draft(situation, evidence);
        draft.erase.iter_mut().for_each(|work| keep_judged(work, &inventory));
        let counts = match super::measure::measure(&engine, &draft.erase, stop, events)? {
            Ok(counts) => counts,
            Err(unreadable) => {
                let Some(Unmeasured { dataset, problem, .. }) = unreadable.into_iter().next()
                else {
                    return Err(PassError::Bug("no file failed".to_owned()));
                };
                let what = format!("{}: {}", problem.shown, problem.what);
                return Err(PassError::Unverifiable { dataset, what });
            }
        };
        let mut rows: BTreeMap<TaskId, u64> =
            draft.tasks.iter().map(|task| (task.id.clone(), 0)).collect();
        for task in counts.iter().flat_map(|file| &file.tasks) {
            if let Some(found) =
                draft.tasks.get(task.task as usize).and_then(|t| rows.get_mut(&t.id))
            {
                *found += task.rows_erased;
            }
        }
        Ok(rows)
    }
}

/// The request with its completed deletes and nothing else; of these only such whose identities are known, or
/// known to be nowhere: the others can no longer be checked.
fn only_completed(mut request: Request, still: &dyn Fn(&TaskId) -> bool) -> Request {
    let name = request.name.clone();
    request.users.retain_mut(|block| {
        block.actions.retain(|action| *action == Action::Delete);
        block.accept_conflicts = true;
        let id = TaskId {
            request: name.clone(),
            key: Some(block.key.clone()),
            action: Some(Action::Delete),
        };
        let known = block.veiled.iter().flat_map(VeiledTerm::veils).all(Veil::is_looked_up);
        block.rejected.is_none() && !block.actions.is_empty() && known && still(&id)
    });
    (request.suspend, request.withdrawn) = (false, false);
    request
}

/// Leaves out what cannot be told from data: whether a number, binary or HMAC is a replacement.
fn keep_judged(work: &mut FileWork, inventory: &Inventory) {
    let files = inventory.datasets.get(&work.dataset);
    work.leaves.retain(|leaf| shows(leaf, files));
}
