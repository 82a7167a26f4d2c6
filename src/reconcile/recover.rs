//! After a killed pass: finishes or undoes what it left in the datasets, and settles the ledger with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::engine::erase::{self, Recovered};
use crate::model::Name;
use crate::plan::{FileErase, FileProblem, Inventory, LedgerView};
use crate::store::{DeploymentKey, OpenState, Record, TaskKeyName};

use super::pass::Pass;
use super::{Event, Events, PassError};

/// Clears leftovers, and gives the files as they are then. A dataset that cannot be cleared has that
/// as a problem: its tasks fail, and others go on.
///
/// # Errors
/// The ledger or the keys cannot be written.
pub(super) fn recover(
    pass: &Pass<'_>,
    mut inventory: Inventory,
    state: &mut OpenState,
    events: &mut dyn Events,
) -> Result<Inventory, PassError> {
    let (mut changed, mut stuck) = (false, BTreeMap::new());
    for (dataset, directory) in directories(&inventory, state.state().view()) {
        // The path may name a person.
        let shown = format!("dataset {dataset}");
        match erase::recover(&directory, &shown) {
            Ok(found) => {
                changed |= found != Recovered::default();
                for unclear in &found.unclear {
                    let name = unclear.file_name().unwrap_or_default().to_string_lossy();
                    let text = format!(
                        "{shown}: {name} was left by a killed pass and cannot be understood: look at it"
                    );
                    events.event(Event::Notice { text });
                }
            }
            Err(error) => {
                stuck.insert(dataset, super::error::chain(&error));
            }
        }
    }
    destroy_finished_keys(state)?;
    // A deletion that was cut off after its file may have left directories.
    let unsettled = &state.state().view().unsettled;
    let deleted = unsettled.values().filter(|file| file.after.is_none());
    for dataset in deleted.map(|file| &file.dataset).collect::<BTreeSet<_>>() {
        let files = inventory.datasets.get(dataset);
        for root in files.into_iter().flat_map(|files| files.roots.iter().chain(&files.base)) {
            match erase::prune(root, &format!("dataset {dataset}")) {
                Ok(pruned) => changed |= pruned,
                Err(error) => {
                    stuck.insert(dataset.clone(), super::error::chain(&error));
                }
            }
        }
    }
    if changed {
        inventory = pass.inventory()?;
    }
    let key = deployment_key(state)?;
    let footers = footers(unsettled.values(), &inventory, &key);
    // Of a dataset whose policy is gone nobody can look: it is settled when it is back.
    let seen = |file: &&FileErase| inventory.datasets.contains_key(&file.dataset);
    let records: Vec<Record> = unsettled
        .values()
        .filter(|file| !stuck.contains_key(&file.dataset))
        .filter(seen)
        .map(|file| settle(file, &footers))
        .collect();
    for (dataset, what) in stuck {
        if let Some(files) = inventory.datasets.get_mut(&dataset) {
            let shown = format!("dataset {dataset}");
            files.problems.push(FileProblem::of_dataset(shown, what));
        }
    }
    if !records.is_empty() {
        state.append(records, pass.now)?;
    }
    Ok(inventory)
}

/// The deployment key of an opened state, which always has one.
pub(super) fn deployment_key(state: &OpenState) -> Result<DeploymentKey, PassError> {
    let key = state.state().deployment_key().cloned();
    key.ok_or_else(|| PassError::Bug("a state without a deployment key".to_owned()))
}

/// The digests of the footers of all files of a dataset, by the digests of their paths.
type Footers<'a> = BTreeMap<&'a Name, HashMap<String, String>>;

/// The footers of the datasets that these files belong to.
fn footers<'a>(
    unsettled: impl Iterator<Item = &'a FileErase>,
    inventory: &Inventory,
    key: &DeploymentKey,
) -> Footers<'a> {
    let mut all = Footers::new();
    for file in unsettled {
        all.entry(&file.dataset).or_insert_with(|| {
            let files = inventory.datasets.get(&file.dataset);
            let files = files.into_iter().flat_map(|files| &files.files);
            files.map(|file| (key.file(&file.path), key.footer(&file.stamp.footer))).collect()
        });
    }
    all
}

/// What became of an erasure that was begun: the file says it by its footer.
fn settle(file: &FileErase, footers: &Footers<'_>) -> Record {
    let now = footers.get(&file.dataset).and_then(|footers| footers.get(&file.file));
    let done = match (&file.after, now) {
        (Some(after), Some(now)) => now == after,
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

/// The directories in which something may have been left: those that belong to a dataset whole, and
/// where there is something, those of files that a location names.
fn directories(inventory: &Inventory, view: &LedgerView) -> BTreeSet<(Name, PathBuf)> {
    let mut all = BTreeSet::new();
    // Of a file that was to be deleted the directory may hold nothing else that a glob names.
    let deletion = |dataset: &Name| {
        view.unsettled.values().any(|file| file.dataset == *dataset && file.after.is_none())
    };
    for (dataset, files) in &inventory.datasets {
        let base = files.base.clone().filter(|_| deletion(dataset));
        all.extend(base.map(|base| (dataset.clone(), base)));
        let inside = |directory: &Path| files.roots.iter().any(|root| directory.starts_with(root));
        let named = files.files.iter().filter_map(|file| file.path.parent());
        let named = named.filter(|directory| !inside(directory) && has_leftovers(directory));
        let roots = files.roots.iter().map(PathBuf::as_path);
        all.extend(roots.chain(named).map(|directory| (dataset.clone(), directory.to_owned())));
    }
    all
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

/// The key names of tasks that are not done, in the form that they have now or had when they were begun.
fn unfinished(view: &LedgerView) -> BTreeSet<TaskKeyName> {
    let open = view.tasks.iter().filter(|(_, task)| !task.phase.is_final());
    let open = open.map(|(id, task)| TaskKeyName::of(id, &task.fingerprint));
    let interrupted = view
        .interrupted
        .iter()
        .flat_map(|(id, prints)| prints.iter().map(move |print| TaskKeyName::of(id, print)));
    open.chain(interrupted).collect()
}
