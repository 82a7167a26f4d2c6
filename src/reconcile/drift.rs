//! What today's policies would erase of finished erasures: it is shown, and carried out for `standing`
//! blocks only (RULES.md section 5).

use std::collections::BTreeSet;

use crate::model::{Action, Name, Request, TaskId, UserBlock, Veil, VeiledTerm};
use crate::plan::{BlockRef, Inventory, LedgerView, TaskState, erasure_rules};
use crate::store::DeploymentKey;

use super::digests::{Lookup, with_digests};
use super::gather::fingerprints;
use super::pass::Pass;
use super::verify::{Looked, Recheck, Today, TodayDataset, completed};
use super::{Events, PassError};

/// A finished erasure that is no longer what the policies want.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// The request.
    pub request: Name,
    /// The block.
    pub key: Option<String>,
    /// What would be erased today, by dataset.
    pub datasets: Vec<TodayDataset>,
}

/// The finished erasures that have drifted, and notes on what cannot be told. Only those are looked at
/// that were completed under other rules than today's: with the same rules there is nothing to scan for.
///
/// # Errors
/// The engine as a whole failed.
pub(super) fn drift(
    pass: &Pass<'_>,
    view: &LedgerView,
    key: Option<&DeploymentKey>,
    inventory: &Inventory,
    events: &mut dyn Events,
) -> Result<(Vec<Drift>, Vec<String>), PassError> {
    let rules = erasure_rules(&pass.loaded.catalog);
    let requests = &pass.loaded.requests;
    let prints = fingerprints(requests, key);
    let completed = completed(view);
    let other = |state: &TaskState| state.rules.as_ref() != Some(&rules);
    let wanted = |id: &TaskId| {
        let Some(state) = view.tasks.get(id) else { return false };
        let same = prints.get(id).is_none_or(|now| *now == state.fingerprint);
        completed.contains(id) && same && other(state) && is_left_alone(requests, id)
    };
    let catalog = &pass.loaded.catalog;
    let requests = match key {
        Some(key) => &looked_up(pass, requests, inventory, key, &wanted, events),
        None => requests,
    };
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    notes.extend(unknown(requests, &wanted));
    let recheck = Recheck::new(catalog, requests, pass.now, &wanted);
    if recheck.is_idle() {
        return Ok((all, notes));
    }
    let Looked { today, unreadable, .. } =
        recheck.look(pass.engine, inventory, &pass.workspace.stop, events)?;
    if let Some((dataset, problem)) = unreadable.first() {
        notes.push(format!(
            "the policies have changed since erasures were completed; what they would erase now \
             cannot be told: dataset {dataset}: {}: {}",
            problem.shown, problem.what
        ));
        return Ok((all, notes));
    }
    for (id, Today { datasets, unclear }) in today {
        if let Some(why) = unclear {
            notes.push(format!("{id}: what the policies would erase now cannot be told: {why}"));
        } else if !datasets.is_empty() {
            all.push(Drift { request: id.request, key: id.key, datasets });
        }
    }
    Ok((all, notes))
}

/// The requests, with the digests of the wanted erasures looked up: of retired requests nothing else is left.
fn looked_up(
    pass: &Pass<'_>,
    requests: &[Request],
    inventory: &Inventory,
    key: &DeploymentKey,
    wanted: &dyn Fn(&TaskId) -> bool,
    events: &mut dyn Events,
) -> Vec<Request> {
    let of_interest = |block: &BlockRef| {
        let request = requests.get(block.request);
        let user = request.and_then(|request| request.users.get(block.user));
        request.zip(user).is_some_and(|(request, user)| wanted(&delete(request, user)))
    };
    let all = requests.iter().enumerate().flat_map(|(at, request)| with_digests(request, at));
    let blocks: BTreeSet<BlockRef> = all.filter(of_interest).collect();
    let mut requests = requests.to_vec();
    if !blocks.is_empty() {
        let (engine, catalog) = (pass.engine, &pass.loaded.catalog);
        Lookup { engine, catalog, inventory, key }.all(&mut requests, &blocks, events);
    }
    requests
}

/// How many of the wanted erasures cannot be looked at, for want of the identities.
fn unknown(requests: &[Request], wanted: &dyn Fn(&TaskId) -> bool) -> Option<String> {
    let veiled =
        |user: &UserBlock| !user.veiled.iter().flat_map(VeiledTerm::veils).all(Veil::is_looked_up);
    let users = requests.iter().flat_map(|request| request.users.iter().map(move |u| (request, u)));
    let n = users.filter(|(request, user)| veiled(user) && wanted(&delete(request, user))).count();
    (n > 0).then(|| {
        format!(
            "the policies have changed since erasures were completed; what they would erase now is not looked \
             for in {n} of them, whose identities are sealed, or given by digests that cannot be looked up"
        )
    })
}

/// The delete task of a block.
fn delete(request: &Request, user: &UserBlock) -> TaskId {
    let (request, key) = (request.name.clone(), Some(user.key.clone()));
    TaskId { request, key, action: Some(Action::Delete) }
}

/// Whether the request still asks for the erasure, and does not have it kept in force by the pass itself.
fn is_left_alone(requests: &[Request], id: &TaskId) -> bool {
    requests.iter().filter(|request| request.name == id.request).any(|request| {
        let rests = request.suspend || request.withdrawn;
        let mut users = request.users.iter().filter(|block| Some(&block.key) == id.key.as_ref());
        users.any(|block| block.actions.contains(&Action::Delete) && (rests || !block.standing))
    })
}
