//! After a killed pass: finishes or undoes what it left in the datasets, and settles the ledger with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::erase;
use crate::model::TaskId;
use crate::plan::{FileErase, Inventory, LedgerView};
use crate::store::{DeploymentKey, OpenState, Record, TaskKeyName};

use super::pass::Pass;
use super::{Event, Events, PassError};

/// Clears leftovers; whether files have changed, so that the inventory must be made again.
///
/// # Errors
/// A leftover could not be dealt with.
pub(super) fn recover(
    pass: &Pass<'_>,
    inventory: &Inventory,
    state: &mut OpenState,
    events: &mut dyn Events,
) -> Result<bool, PassError> {
    let mut changed = false;
    for directory in directories(inventory).into_iter().filter(|d| has_leftovers(d)) {
        let found = erase::recover(&directory, &directory.display().to_string())?;
        changed = true;
        for unclear in &found.unclear {
            let text = format!(
                "{} was left by a killed pass and cannot be understood: look at it",
                unclear.display()
            );
            events.event(Event::Notice { text });
        }
    }
    destroy_finished_keys(state)?;
    if state.state().view().unsettled.is_empty() {
        return Ok(changed);
    }
    let inventory = if changed { pass.inventory()? } else { inventory.clone() };
    let key = deployment_key(state)?;
    let records: Vec<Record> = state
        .state()
        .view()
        .unsettled
        .values()
        .map(|file| settle(file, &inventory, &key))
        .collect();
    state.append(records, pass.now)?;
    Ok(changed)
}

/// The deployment key of an opened state, which always has one.
pub(super) fn deployment_key(state: &OpenState) -> Result<DeploymentKey, PassError> {
    let key = state.state().deployment_key().cloned();
    key.ok_or_else(|| PassError::Bug("a state without a deployment key".to_owned()))
}

/// The keyed digest by which the ledger names a file.
pub(super) fn file_digest(key: &DeploymentKey, path: &Path) -> String {
    key.file(path)
}

/// What became of an erasure that was begun: the file says it by its footer.
fn settle(file: &FileErase, inventory: &Inventory, key: &DeploymentKey) -> Record {
    let now = inventory.datasets.get(&file.dataset).and_then(|files| {
        files.files.iter().find(|known| file_digest(key, &known.path) == file.file)
    });
    let done = match (&file.after, now) {
        (Some(after), Some(now)) => now.stamp.footer == *after,
        (None, None) => true,
        _ => false,
    };
    let (dataset, digest, before) = (file.dataset.clone(), file.file.clone(), file.before.clone());
    if done {
        Record::EraseDone { dataset, file: digest, before }
    } else {
        Record::EraseAbandoned { dataset, file: digest, before }
    }
}

/// The directories in which data files lie, or lay.
fn directories(inventory: &Inventory) -> BTreeSet<PathBuf> {
    inventory
        .datasets
        .values()
        .flat_map(|files| {
            files.files.iter().filter_map(|file| file.path.parent().map(Path::to_owned))
        })
        .collect()
}

fn has_leftovers(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(".amparo-"))
    })
}

/// Destroys the keys of tasks that are done: a crash may have come between the outcome and this.
pub(super) fn destroy_finished_keys(state: &OpenState) -> Result<usize, PassError> {
    let keep = unfinished(state.state().view());
    Ok(state.state().keys().destroy_all_but(&keep)?)
}

/// The key names of tasks that are not done.
fn unfinished(view: &LedgerView) -> BTreeSet<TaskKeyName> {
    let open = view.tasks.iter().filter(|(_, task)| !task.phase.is_final());
    open.map(|(id, task): (&TaskId, _)| TaskKeyName::of(id, &task.fingerprint)).collect()
}
