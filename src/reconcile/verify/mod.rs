//! `verify`: the ledger's chain, packages against their digests, erasures against today's data.

mod canary;
mod recheck;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::Loaded;
use crate::model::{Name, TaskId};
use crate::plan::BlockRef;
use crate::store::{Exports, Head, State};

use super::digests::{Lookup, with_digests};
use super::gather::{
    Texts, accept_emptied, engine, fingerprints, reserved, settings_of, state_dir,
};
use super::{Events, PassError, Workspace};

pub use canary::Canaries;
pub(super) use canary::Planter;
pub use recheck::TodayDataset;
pub(super) use recheck::{Recheck, Today, completed};

/// Whether everything still holds.
#[derive(Debug, Serialize)]
pub struct VerifyReport {
    /// The chain.
    pub ledger: LedgerState,
    /// What is wrong with the ledger, or with this look at the data, in words.
    pub problems: Vec<String>,
    /// Completed erasures; `None` where only the ledger was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasures: Option<Vec<ErasureState>>,
    /// What the search for them had to find; `None` where there was no search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canaries: Option<Canaries>,
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
    /// Rows that match today and in which some cell is not in erased form; `None` where the request is gone,
    /// or its identities are sealed and no key opens them, so that nobody can look, or where
    /// [`Self::message`] says why it cannot be told.
    pub rows_found: Option<u64>,
    /// Why it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where those rows are.
    pub datasets: Vec<TodayDataset>,
    /// Whether it is known to be gone, or cannot be known, since its request is.
    #[serde(skip)]
    pub holds: bool,
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
        canaries: None,
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
    report.ok &= packages.iter().all(|package| package.intact);
    report.packages = Some(packages);
    erasures(workspace, &state, &mut report, events)?;
    Ok(report)
}

/// Looks at every completed erasure again.
fn erasures(
    workspace: &Workspace,
    state: &State,
    report: &mut VerifyReport,
    events: &mut dyn Events,
) -> Result<(), PassError> {
    let now = workspace.clock.now();
    let Loaded { catalog, catalog_valid, mut requests, .. } = Texts::read(workspace)?.load(now);
    if !catalog_valid {
        return Err(PassError::InvalidPolicies);
    }
    let view = state.view();
    let completed = completed(view);
    let prints = fingerprints(&requests, state.deployment_key());
    let still = |id: &TaskId| {
        let known = view.tasks.get(id).map(|task| &task.fingerprint);
        completed.contains(id) && prints.get(id).is_none_or(|now| Some(now) == known)
    };
    let digests: BTreeSet<BlockRef> =
        requests.iter().enumerate().flat_map(|(at, request)| with_digests(request, at)).collect();
    let mut recheck = Recheck::new(&catalog, &requests, now, &still);
    let mut today = BTreeMap::new();
    if !recheck.is_idle() || !digests.is_empty() {
        let engine = engine(workspace, &catalog)?;
        let datasets: Vec<_> = catalog.datasets.iter().collect();
        let mut inventory = engine.inventory(&datasets, &reserved(workspace, &catalog));
        accept_emptied(&mut inventory, view);
        if let Some(key) = state.deployment_key().filter(|_| !digests.is_empty()) {
            let inventory = &inventory;
            let lookup = Lookup { engine: &engine, catalog: &catalog, inventory, key };
            lookup.all(&mut requests, &digests, events);
            recheck = Recheck::new(&catalog, &requests, now, &still);
        }
        if !recheck.is_idle() {
            let (found, canaries) = recheck.look(&engine, &inventory, &workspace.stop, events)?;
            today = found;
            report.problems.extend(silence(&canaries));
            report.ok &= canaries.sing();
            if !canaries.sing() {
                // What such a search did not find says nothing.
                let why = "the search missed values that are in the data".to_owned();
                today.values_mut().for_each(|today| *today = Today::Unclear(why.clone()));
            }
            report.canaries = Some(canaries);
        }
    }
    let erasures: Vec<ErasureState> =
        completed.into_iter().map(|id| erasure(&id, today.remove(&id))).collect();
    report.ok &= erasures.iter().all(|erasure| erasure.holds);
    report.erasures = Some(erasures);
    Ok(())
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

fn erasure(id: &TaskId, today: Option<Today>) -> ErasureState {
    let (rows_found, message, datasets) = match today {
        None => (None, None, Vec::new()),
        Some(Today::Unclear(why)) => (None, Some(why), Vec::new()),
        Some(Today::Found(datasets)) => {
            (Some(datasets.iter().map(|dataset| dataset.rows).sum()), None, datasets)
        }
    };
    ErasureState {
        request: id.request.clone(),
        key: id.key.clone(),
        rows_found,
        holds: rows_found.unwrap_or(0) == 0 && message.is_none(),
        message,
        datasets,
    }
}
