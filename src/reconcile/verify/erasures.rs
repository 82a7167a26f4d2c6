//! Every completed erasure of the ledger, held against the requests, the policies and the data of today.
//!
//! Guarantees: an erasure that could not be looked at everywhere never reads as gone; one that cannot be looked
//! at does not keep the others from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Severity;
use crate::manifest::Loaded;
use crate::model::TaskId;
use crate::plan::{BlockRef, LedgerView};
use crate::store::State;

use super::super::digests::{Lookup, with_digests};
use super::super::gather::{Texts, accept_emptied, engine, reserved};
use super::super::{Events, PassError, Workspace};
use super::canary::Canaries;
use super::recheck::{Looked, Recheck, Today, completed};
use super::unreached::unreached;
use super::whom::{Requests, Whom};
use super::{ErasureState, VerifyReport};

/// What is known of an erasure before the data is looked at: where it cannot be checked, or why not at all.
enum Outlook {
    Known(Vec<String>),
    Apart(String),
    Unclear(String),
}

/// Looks at every completed erasure again.
///
/// # Errors
/// None of them can be looked at.
pub(super) fn erasures(
    workspace: &Workspace,
    state: &State,
    report: &mut VerifyReport,
    events: &mut dyn Events,
) -> Result<(), PassError> {
    let now = workspace.clock.now();
    let texts = Texts::read(workspace)?;
    let Loaded { catalog, catalog_valid, mut requests, diagnostics, .. } = texts.load(now);
    if !catalog_valid {
        let errors = diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
        report.diagnostics = errors.collect();
        return Err(PassError::InvalidPolicies);
    }
    let view = state.view();
    let key = state.deployment_key();
    let engine = engine(workspace, &catalog)?;
    let inventory = || {
        let datasets: Vec<_> = catalog.datasets.iter().collect();
        let mut inventory = engine.inventory(&datasets, &reserved(workspace, &catalog));
        accept_emptied(&mut inventory, view);
        inventory
    };
    let digests: BTreeSet<BlockRef> =
        requests.iter().enumerate().flat_map(|(at, request)| with_digests(request, at)).collect();
    let mut known = None;
    if let Some(key) = key.filter(|_| !digests.is_empty()) {
        let inventory = known.insert(inventory());
        let lookup = Lookup { engine: &engine, catalog: &catalog, inventory, key };
        lookup.all(&mut requests, &digests, events);
    }
    let outlooks: BTreeMap<TaskId, Outlook> = {
        let requests = Requests::new(&requests, &texts, key);
        let outlook = |id: &TaskId| {
            let state = view.tasks.get(id)?;
            Some(match requests.whom(id, state) {
                Whom::Known(request, block) => {
                    Outlook::Known(unreached(&catalog, view, state, (request, block)))
                }
                Whom::Apart(why) => Outlook::Apart(why),
                Whom::Unclear(why) => Outlook::Unclear(why),
            })
        };
        completed(view).into_iter().filter_map(|id| Some((id.clone(), outlook(&id)?))).collect()
    };
    let wanted = |id: &TaskId| matches!(outlooks.get(id), Some(Outlook::Known(_)));
    let recheck = Recheck::new(&catalog, &requests, now, &wanted);
    let mut today = BTreeMap::new();
    if !recheck.is_idle() {
        let inventory = known.unwrap_or_else(inventory);
        let looked = recheck.look(&engine, &inventory, &workspace.stop, events)?;
        today = seen(looked, report);
    }
    let states = outlooks.into_iter().map(|(id, outlook)| match outlook {
        Outlook::Apart(why) => ErasureState::apart(&id, why),
        Outlook::Unclear(why) => ErasureState::unclear(&id, why),
        Outlook::Known(whys) => match today.remove(&id) {
            Some(found) => ErasureState::found(&id, found, whys),
            None => ErasureState::unclear(&id, "it was not looked at".to_owned()),
        },
    });
    report.take(states.collect());
    Ok(())
}

/// Takes what the look says of itself into the report.
fn seen(looked: Looked, report: &mut VerifyReport) -> BTreeMap<TaskId, Today> {
    let Looked { mut today, canaries, unreadable } = looked;
    report.ok &= unreadable.is_empty() && canaries.sing();
    report.problems.extend(unreadable.into_iter().map(|(dataset, problem)| {
        format!("cannot verify dataset {dataset}: {}: {}", problem.shown, problem.what)
    }));
    report.problems.extend(silence(&canaries));
    if !canaries.sing() {
        // What such a search did not find says nothing.
        let why = "the search missed values that are in the data";
        today.values_mut().for_each(|today| today.unclear = Some(why.to_owned()));
    }
    report.canaries = Some(canaries);
    today
}

/// Which datasets' canaries were not all found, in words.
fn silence(canaries: &Canaries) -> impl Iterator<Item = String> {
    canaries.datasets.iter().filter(|dataset| dataset.found != dataset.expected).map(|dataset| {
        format!(
            "the search of dataset {} found {} of {} values that are there: what it did not find \
             may be there too; please report it",
            dataset.dataset, dataset.found, dataset.expected
        )
    })
}

impl ErasureState {
    fn found(id: &TaskId, today: Today, mut whys: Vec<String>) -> Self {
        whys.splice(0..0, today.unclear);
        let message = (!whys.is_empty()).then(|| whys.join("; "));
        let rows: u64 = today.datasets.iter().map(|dataset| dataset.rows).sum();
        Self {
            request: id.request.clone(),
            key: id.key.clone(),
            rows_found: (rows > 0 || message.is_none()).then_some(rows),
            message,
            datasets: today.datasets,
            apart: false,
        }
    }

    fn unclear(id: &TaskId, why: String) -> Self {
        Self::found(id, Today { unclear: Some(why), ..Today::default() }, Vec::new())
    }

    fn apart(id: &TaskId, why: String) -> Self {
        Self { apart: true, ..Self::unclear(id, why) }
    }

    /// Whether nothing of it is known to be there, and whoever could look has.
    fn holds(&self) -> bool {
        self.apart || self.rows_found == Some(0) && self.message.is_none()
    }
}

impl VerifyReport {
    fn take(&mut self, erasures: Vec<ErasureState>) {
        self.ok &= erasures.iter().all(ErasureState::holds);
        self.unchecked = Some(erasures.iter().filter(|erasure| erasure.apart).count() as u64);
        self.erasures = Some(erasures);
    }

    /// No erasure can be looked at.
    pub(super) fn none_checked(&mut self, view: &LedgerView, why: &str) {
        let unclear = |id| ErasureState::unclear(&id, why.to_owned());
        self.take(completed(view).into_iter().map(unclear).collect());
    }
}
