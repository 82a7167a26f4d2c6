//! What today's policies would erase of finished erasures: it is shown, and carried out for `standing`
//! blocks only (RULES.md section 5).

use crate::model::{Name, Request, TaskId};
use crate::plan::{Inventory, LedgerView, TaskState, erasure_rules};
use crate::store::DeploymentKey;

use super::gather::fingerprints;
use super::pass::Pass;
use super::verify::{Recheck, Today, TodayDataset, completed};
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
        completed.contains(id) && same && other(state) && !is_standing(requests, id)
    };
    let recheck = Recheck::new(&pass.loaded.catalog, requests, pass.now, &wanted);
    if recheck.is_idle() {
        return Ok((Vec::new(), Vec::new()));
    }
    let today = match recheck.look(pass.engine, inventory, &pass.workspace.stop, events) {
        Ok((today, _)) => today,
        Err(PassError::Unverifiable { dataset, what }) => {
            let note = format!(
                "the policies have changed since erasures were completed; what they would erase now \
                 cannot be told: dataset {dataset}: {what}"
            );
            return Ok((Vec::new(), vec![note]));
        }
        Err(error) => return Err(error),
    };
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for (id, today) in today {
        match today {
            Today::Found(datasets) if datasets.is_empty() => {}
            Today::Found(datasets) => {
                all.push(Drift { request: id.request, key: id.key, datasets });
            }
            Today::Unclear(why) => {
                notes
                    .push(format!("{id}: what the policies would erase now cannot be told: {why}"));
            }
        }
    }
    Ok((all, notes))
}

/// Whether the erasure is kept in force by the pass itself.
fn is_standing(requests: &[Request], id: &TaskId) -> bool {
    requests
        .iter()
        .filter(|request| request.name == id.request && !request.suspend && !request.withdrawn)
        .flat_map(|request| &request.users)
        .any(|block| block.standing && Some(&block.key) == id.key.as_ref())
}
