//! Carries erasures out, file by file: stage and prove, record the intent, swap, record the outcome.
//!
//! Guarantees: a task's key, and what its expansion found, are durable before the first of its cells is
//! replaced; every swap stands in the ledger before it happens; what was measured for the plan is what
//! is done, or the pass stops.
//! Crash behaviour: [`super::recover`] settles what lies between intent and outcome, and the next pass
//! finds what is left with the same keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::engine::erase::{self, EraseError, EraseOptions};
use crate::model::{Action, Identity, Name, Reason, Sensitive, TaskId};
use crate::plan::{
    Cause, EraseKeys, FailureKind, FileCounts, FileErase, FileEraseTask, FileTaskCounts, FileWork,
    Mask, SettledCells, TaskIndex,
};
use crate::store::{OpenState, Record, Remembered, TaskKey, TaskKeyName, hmac_key, in_parallel};

use super::carry_out::{Intended, Ready, carry_out};
use super::counted::{Counted, counted};
use super::pass::{Outlook, Pass, named};
use super::record::task_ref;
use super::recover::deployment_key;
use super::{Event, Events, Measured, PassError, settled};

/// Files staged at a time: their new versions lie beside the old ones until they are swapped.
const BATCH: usize = 64;

/// What an erasure came to for one task.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Erasure {
    pub(super) rows: u64,
    pub(super) cells: u64,
    pub(super) files: u64,
    /// Whether it was proved; `None`: nothing changed.
    pub(super) proved: Option<bool>,
    pub(super) seconds: f64,
}

impl Erasure {
    /// Adds a later round.
    pub(super) fn add(&mut self, more: Self) {
        self.rows += more.rows;
        self.cells += more.cells;
        self.files += more.files;
        self.seconds += more.seconds;
        self.proved = more.proved.or(self.proved);
    }
}

/// How a task failed.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) reason: Reason,
    /// For people.
    pub(super) message: String,
    pub(super) cause: Cause,
}

/// What a round of erasure came to.
#[derive(Default)]
pub(super) struct Round {
    /// What changed, by task.
    pub(super) done: BTreeMap<TaskId, Erasure>,
    /// Tasks that failed, and why.
    pub(super) failed: BTreeMap<TaskId, Failed>,
    /// Tasks of which a file was changed by another writer meanwhile.
    pub(super) moved: BTreeSet<TaskId>,
}

/// Erases what the outlook planned, but for the tasks in `waiting`.
///
/// # Errors
/// The ledger or the keys cannot be written, or an invariant is broken; problems of files are outcomes.
pub(super) fn erase(
    pass: &Pass<'_>,
    outlook: &Outlook,
    state: &mut OpenState,
    waiting: &BTreeSet<TaskIndex>,
    events: &mut dyn Events,
) -> Result<Round, PassError> {
    let mut round = Round::default();
    let (hmac, keyless) = hmac_keys(pass, outlook, &mut round);
    let waiting = &waiting.union(&keyless).copied().collect();
    let planned: Vec<(FileWork, Option<&FileCounts>)> = outlook
        .draft
        .erase
        .iter()
        .zip(&outlook.counts)
        .filter(|(_, counts)| counts.tasks.iter().any(|task| task.rows_erased > 0))
        .filter_map(|(work, counts)| {
            let whole = !touches(work, waiting);
            let work = if whole { work.clone() } else { without(work, waiting) };
            let idle = work.removed.is_empty() && work.leaves.is_empty();
            (!idle).then_some((work, whole.then_some(counts)))
        })
        .collect();
    if planned.is_empty() {
        return Ok(round);
    }
    let tasks = task_keys(pass, outlook, &planned, state)?;
    let keys = EraseKeys { tasks, hmac };
    events.event(Event::Stage { name: "erasing", steps: planned.len() as u64 });
    let mut erasing = Erasing { pass, outlook, keys: &keys, emptied: BTreeSet::new() };
    erasing.emptied = erasing.emptied(&planned);
    for batch in planned.chunks(BATCH) {
        erasing.batch(batch, state, &mut round, events)?;
        pass.workspace.stop.check()?;
    }
    Ok(round)
}

/// Whether any of the tasks has a cell or row in the file.
fn touches(work: &FileWork, tasks: &BTreeSet<TaskIndex>) -> bool {
    work.removed.iter().any(|(_, task)| tasks.contains(task))
        || work.leaves.iter().flat_map(|leaf| &leaf.cells).any(|cell| tasks.contains(&cell.task))
}

/// The work without these tasks.
fn without(work: &FileWork, tasks: &BTreeSet<TaskIndex>) -> FileWork {
    let mut work = work.clone();
    work.removed.retain(|(_, task)| !tasks.contains(task));
    for leaf in &mut work.leaves {
        leaf.cells.retain(|cell| !tasks.contains(&cell.task));
    }
    work.leaves.retain(|leaf| !leaf.cells.is_empty());
    work
}

/// The keys of `hmac` methods. Tasks that need one which cannot be had fail, and nothing of them is
/// erased.
fn hmac_keys(
    pass: &Pass<'_>,
    outlook: &Outlook,
    round: &mut Round,
) -> (BTreeMap<String, Sensitive<Vec<u8>>>, BTreeSet<TaskIndex>) {
    let (mut keys, mut keyless) = (BTreeMap::new(), BTreeSet::new());
    let mut missing: BTreeMap<&str, String> = BTreeMap::new();
    for leaf in outlook.draft.erase.iter().flat_map(|work| &work.leaves) {
        let Mask::Hmac { key } = &leaf.mask else { continue };
        if !keys.contains_key(key) && !missing.contains_key(key.as_str()) {
            let source = pass.loaded.catalog.settings.keys.get(key);
            match source.map(|source| hmac_key(source, ".".as_ref())) {
                Some(Ok(secret)) => drop(keys.insert(key.clone(), secret)),
                Some(Err(error)) => drop(missing.insert(key, super::error::chain(&error))),
                None => drop(missing.insert(key, format!("Settings name no key {key}"))),
            }
        }
        let Some(why) = missing.get(key.as_str()) else { continue };
        for cell in &leaf.cells {
            if let Some(task) = outlook.draft.tasks.get(cell.task as usize) {
                keyless.insert(cell.task);
                round.failed.entry(task.id.clone()).or_insert_with(|| Failed {
                    reason: Reason::Storage,
                    message: why.clone(),
                    cause: Cause { kind: FailureKind::Configuration, dataset: None, file: None },
                });
            }
        }
    }
    (keys, keyless)
}

/// Each task's key, made now where it has none.
fn task_keys(
    pass: &Pass<'_>,
    outlook: &Outlook,
    planned: &[(FileWork, Option<&FileCounts>)],
    state: &OpenState,
) -> Result<BTreeMap<TaskIndex, Sensitive<[u8; 32]>>, PassError> {
    let store = state.state().keys();
    let mut keys = BTreeMap::new();
    let tasks: BTreeSet<TaskIndex> = planned.iter().flat_map(|(work, _)| tasks_of(work)).collect();
    let mut missing = Vec::new();
    for index in tasks {
        let Some(task) = outlook.draft.tasks.get(index as usize) else { continue };
        let print = task.fingerprint.clone().unwrap_or_default();
        let name = TaskKeyName::of(&task.id, &print);
        let found: Vec<Identity> = outlook
            .found
            .iter()
            .find(|found| Some(found.block) == task.block)
            .map(|found| found.added.clone())
            .unwrap_or_default();
        let (given, scope) = task.block.map(|block| named(pass, block)).unwrap_or_default();
        match store.load(&name)? {
            Some(mut key) => {
                let new: Vec<Identity> =
                    found.into_iter().filter(|identity| !key.found.contains(identity)).collect();
                if !new.is_empty() {
                    key.found.extend(new);
                    store.remember(&name, &key)?;
                }
                keys.insert(index, key.pseudonyms);
            }
            None => missing.push((index, (name, Remembered { found, given, scope }))),
        }
    }
    let (indices, wanted): (Vec<TaskIndex>, Vec<_>) = missing.into_iter().unzip();
    for (index, TaskKey { pseudonyms, .. }) in indices.into_iter().zip(store.create(&wanted)?) {
        keys.insert(index, pseudonyms);
    }
    Ok(keys)
}

fn tasks_of(work: &FileWork) -> BTreeSet<TaskIndex> {
    let rows = work.removed.iter().map(|(_, task)| *task);
    rows.chain(work.leaves.iter().flat_map(|leaf| &leaf.cells).map(|cell| cell.task)).collect()
}

/// What was planned is what was measured while the files were written.
fn agree(
    batch: &[(FileWork, Option<&FileCounts>)],
    staged: &[(Result<Option<Ready>, EraseError>, f64)],
) -> Result<(), PassError> {
    let differs = |planned: &FileCounts, (result, _): &(Result<Option<Ready>, EraseError>, f64)| matches!(result, Ok(Some(step)) if step.counts() != planned);
    let mut pairs = batch.iter().zip(staged);
    match pairs
        .find(|((_, planned), staged)| planned.is_some_and(|planned| differs(planned, staged)))
    {
        None => Ok(()),
        Some(((work, _), _)) => Err(PassError::Bug(format!(
            "the rewrite of {} would change something else than was planned",
            work.shown
        ))),
    }
}

struct Erasing<'a> {
    pass: &'a Pass<'a>,
    outlook: &'a Outlook,
    keys: &'a EraseKeys,
    /// Datasets of which every file is to be deleted.
    emptied: BTreeSet<Name>,
}

impl Erasing<'_> {
    fn batch(
        &self,
        batch: &[(FileWork, Option<&FileCounts>)],
        state: &mut OpenState,
        round: &mut Round,
        events: &mut dyn Events,
    ) -> Result<(), PassError> {
        // One more than there are processors: one always waits for the disk.
        let jobs = self.pass.engine.jobs() + 1;
        let key = deployment_key(state)?;
        let stop = &self.pass.workspace.stop;
        let mut staged = in_parallel(jobs, batch, |(work, planned)| {
            let started = Instant::now();
            let step = match planned {
                _ if stop.asked().is_some() => Ok(None),
                Some(counts) if self.goes(work) => Ok(Some(Ready::Remove((*counts).clone()))),
                _ => Ready::staged(erase::stage(work, self.keys, stop)).map(Some),
            };
            (step, started.elapsed().as_secs_f64())
        });
        agree(batch, &staged).or_else(|bug| {
            // Nothing of it may stay beside the files.
            for step in staged.iter_mut().filter_map(|(result, _)| result.as_mut().ok()?.take()) {
                step.discard()?;
            }
            Err(bug)
        })?;
        let mut ready = Vec::new();
        let mut intents = Vec::new();
        for ((work, _), (result, seconds)) in batch.iter().zip(staged) {
            match result {
                Err(error) => self.fail(work, &error, round),
                Ok(None | Some(Ready::Stay(_))) => {}
                Ok(Some(step)) => {
                    let digest = key.file(&work.path);
                    let view = state.state().view();
                    let settled = settled::after(
                        work,
                        &self.outlook.draft,
                        &self.outlook.inventory,
                        view,
                        &key,
                    );
                    let counted = counted(work, step.counts(), self.outlook, view, &key)?;
                    let before = key.footer(&work.stamp.footer);
                    let after = step.after().map(|footer| key.footer(footer));
                    let marks = (digest.clone(), before.clone(), after);
                    intents.push(Record::EraseIntent(
                        self.intent(work, marks, &step, settled, counted),
                    ));
                    ready.push(Intended { work, digest, before, step, seconds });
                }
            }
        }
        if intents.is_empty() {
            return Ok(());
        }
        state.append(intents, self.pass.now)?;
        let mut settled = Vec::with_capacity(ready.len());
        let options = |work: &FileWork| EraseOptions { root: self.root(work) };
        let outcomes = carry_out(&ready, jobs, options);
        for (Intended { work, digest, before, seconds, .. }, (outcome, more)) in
            ready.into_iter().zip(outcomes)
        {
            let dataset = work.dataset.clone();
            match outcome {
                Ok(done) => {
                    let (rows_erased, cells_erased) =
                        self.count(work, &done.counts, seconds + more, round);
                    events.event(Event::Erased(Measured {
                        rows_erased,
                        cells_erased,
                        bytes_copied: done.bytes_copied,
                        bytes_reencoded: done.bytes_reencoded,
                    }));
                    for summary in &done.summaries {
                        let name = summary.file_name().unwrap_or_default().to_string_lossy();
                        let text = format!(
                            "dataset {dataset}: removed {name}: it held statistics of the files that \
                             were rewritten"
                        );
                        events.event(Event::Notice { text });
                    }
                    settled.push(Record::EraseDone { dataset, file: digest, before });
                }
                Err(error) => {
                    // What an I/O error left half done stays unsettled: the next pass looks.
                    if matches!(error, EraseError::Changed { .. }) {
                        settled.push(Record::EraseAbandoned { dataset, file: digest, before });
                    }
                    self.fail(work, &error, round);
                }
            }
            events.event(Event::Step { what: format!("erased in {}", work.shown) });
        }
        state.append(settled, self.pass.now)?;
        Ok(())
    }

    /// The datasets of which every file is to be deleted.
    fn emptied(&self, planned: &[(FileWork, Option<&FileCounts>)]) -> BTreeSet<Name> {
        let mut going: BTreeMap<&Name, usize> = BTreeMap::new();
        for (work, _) in planned.iter().filter(|(work, whole)| whole.is_some() && self.goes(work)) {
            *going.entry(&work.dataset).or_default() += 1;
        }
        let all = |name: &Name| self.outlook.inventory.datasets.get(name).map(|d| d.files.len());
        let going = going.into_iter().filter(|(name, files)| all(name) == Some(*files));
        going.map(|(name, _)| name.clone()).collect()
    }

    /// Whether the file is to be deleted: all its rows go, and its path names a person.
    fn goes(&self, work: &FileWork) -> bool {
        let policy = self.pass.loaded.catalog.dataset(&work.dataset);
        let files = self.outlook.inventory.datasets.get(&work.dataset);
        let file = files.and_then(|files| files.files.iter().find(|file| file.path == work.path));
        let Some((policy, file)) = policy.zip(file) else { return false };
        work.removed.len() as u64 == file.rows
            && file.partitions.iter().any(|(column, _)| policy.hides_partition(column))
    }

    /// The dataset's directory in which the file lies, or its own.
    fn root(&self, work: &FileWork) -> Option<PathBuf> {
        let files = self.outlook.inventory.datasets.get(&work.dataset);
        let roots = files.map_or(&[][..], |files| &files.roots);
        let around = roots.iter().filter(|root| work.path.starts_with(root));
        let root = around.min_by_key(|root| root.as_os_str().len()).map(PathBuf::as_path);
        let base = files.and_then(|files| files.base.as_deref());
        root.or(base).or_else(|| work.path.parent()).map(Path::to_owned)
    }

    fn intent(
        &self,
        work: &FileWork,
        (file, before, after): (String, String, Option<String>),
        step: &Ready,
        settled: Vec<SettledCells>,
        counted: Counted,
    ) -> FileErase {
        let tasks = step
            .counts()
            .tasks
            .iter()
            .filter(|task| task.rows_erased > 0)
            .filter_map(|task| {
                let id = &self.outlook.draft.tasks.get(task.task as usize)?.id;
                Some(FileEraseTask {
                    task: task_ref(id),
                    rows_erased: task.rows_erased,
                    cells_erased: cells(work, task),
                    rows_again: counted.again.get(&task.task).copied().unwrap_or(0),
                })
            })
            .collect();
        FileErase {
            dataset: work.dataset.clone(),
            path: work.shown.clone(),
            file,
            before,
            empties: after.is_none() && self.emptied.contains(&work.dataset),
            tasks,
            after,
            settled,
            counted: counted.after,
        }
    }

    /// Adds a file to the sums; gives the rows and cells of it that changed.
    fn count(
        &self,
        work: &FileWork,
        counts: &FileCounts,
        seconds: f64,
        round: &mut Round,
    ) -> (u64, u64) {
        let mut all = (0, 0);
        let changed: Vec<&FileTaskCounts> =
            counts.tasks.iter().filter(|task| task.rows_erased > 0).collect();
        let share = seconds / changed.len().max(1) as f64;
        for task in changed {
            let Some(draft) = self.outlook.draft.tasks.get(task.task as usize) else { continue };
            let sum = round.done.entry(draft.id.clone()).or_default();
            sum.rows += task.rows_erased;
            sum.cells += cells(work, task);
            sum.files += 1;
            sum.seconds += share;
            sum.proved = Some(true);
            all = (all.0 + task.rows_erased, all.1 + cells(work, task));
        }
        all
    }

    fn fail(&self, work: &FileWork, error: &EraseError, round: &mut Round) {
        let failed = match error {
            EraseError::Changed { .. } => None,
            EraseError::Io { .. } => Some((Reason::Storage, Cause::transient())),
            _ => {
                let file = Some(work.shown.clone());
                let cause = Cause { file, ..Cause::of(FailureKind::Data, &work.dataset) };
                Some((Reason::DataUnreadable, cause))
            }
        };
        for index in tasks_of(work) {
            let Some(task) = self.outlook.draft.tasks.get(index as usize) else { continue };
            if task.id.action != Some(Action::Delete) {
                continue;
            }
            match &failed {
                None => {
                    round.moved.insert(task.id.clone());
                }
                Some((reason, cause)) => {
                    round.failed.entry(task.id.clone()).or_insert_with(|| Failed {
                        reason: *reason,
                        message: super::error::chain(error),
                        cause: cause.clone(),
                    });
                }
            }
        }
    }
}

/// Cells that a task changes in a file; retained ones are none.
fn cells(work: &FileWork, task: &FileTaskCounts) -> u64 {
    work.leaves
        .iter()
        .zip(&task.cells)
        .filter(|(leaf, _)| !matches!(leaf.mask, Mask::Retain { .. }))
        .map(|(_, cells)| cells)
        .sum()
}
