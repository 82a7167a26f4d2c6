//! How the tasks of a pass ended, and what the ledger is told of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, Phase, Reason, TaskId};
use crate::plan::{Cause, DraftTask, Erased, LedgerView, PackageRecord, TaskCounts, TaskIndex};
use crate::store::Record;

use super::erase::{Erasure, Failed, Round};
use super::export::Exported;
use super::pass::Outlook;
use super::record::{counts, rows_erased, sources, task_ref};

/// How one task ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) phase: Phase,
    pub(super) reason: Option<Reason>,
    pub(super) message: Option<String>,
    pub(super) counts: TaskCounts,
    pub(super) package: Option<PackageRecord>,
    pub(super) verified: Option<bool>,
    pub(super) seconds: f64,
    /// Whether this pass destroyed or published something for it.
    pub(super) acted: bool,
    /// What it failed on.
    pub(super) cause: Option<Cause>,
}

/// The outcomes of a pass, and which of them the ledger has yet to be told.
pub(super) struct Outcomes<'a> {
    outlook: &'a Outlook,
    /// The states before the pass.
    before: LedgerView,
    /// What the ledger has as erased by now, for tasks of this pass.
    erased: BTreeMap<TaskId, Erased>,
    by_task: BTreeMap<TaskIndex, Outcome>,
    untold: BTreeSet<TaskIndex>,
}

impl<'a> Outcomes<'a> {
    /// With what is settled without any work: nothing found, or nothing left to change.
    pub(super) fn new(outlook: &'a Outlook, view: &LedgerView) -> Self {
        let mut all = Self {
            outlook,
            before: view.clone(),
            erased: BTreeMap::new(),
            by_task: BTreeMap::new(),
            untold: BTreeSet::new(),
        };
        for (index, (task, planned)) in
            (0..TaskIndex::MAX).zip(outlook.draft.tasks.iter().zip(&outlook.plan.tasks))
        {
            if !task.runs {
                continue;
            }
            let nothing = match task.id.action {
                Some(Action::Access) => task.rows() == 0,
                _ => rows_erased(planned) == 0,
            };
            if nothing {
                all.ended(index, Erasure::default());
            }
        }
        all
    }

    pub(super) fn get(&self, index: TaskIndex) -> Option<&Outcome> {
        self.by_task.get(&index)
    }

    /// An access task has its package, or failed.
    pub(super) fn exported(&mut self, index: TaskIndex, exported: Exported, seconds: f64) {
        let Some(task) = self.outlook.draft.tasks.get(index as usize) else { return };
        let counts = counts(task);
        let outcome = match exported {
            Exported::Package { record, verified } => Outcome {
                phase: Phase::Complete,
                reason: Some(Reason::Exported),
                message: None,
                counts,
                package: Some(record),
                verified: Some(verified),
                seconds,
                acted: true,
                cause: None,
            },
            Exported::Failed(Failed { reason, message, cause }) => Outcome {
                phase: Phase::Failed,
                reason: Some(reason),
                message: Some(message),
                counts,
                package: None,
                verified: None,
                seconds,
                acted: false,
                cause: Some(cause),
            },
        };
        self.set(index, outcome);
    }

    /// A delete (or a task without work) has come to the end that the draft foresaw.
    pub(super) fn ended(&mut self, index: TaskIndex, erasure: Erasure) {
        let at = index as usize;
        let (Some(task), Some(planned)) =
            (self.outlook.draft.tasks.get(at), self.outlook.plan.tasks.get(at))
        else {
            return;
        };
        if planned.phase == Phase::Failed {
            // All has been done that what it failed on does not hinder.
            let done = erasure.files > 0 || self.has_erased(task);
            let reason = if done { Reason::PartiallyCompleted } else { Reason::DataUnreadable };
            let message = planned.message.clone().unwrap_or_default();
            let cause = task.standing.cause.clone().unwrap_or_else(Cause::transient);
            return self.failed(index, Failed { reason, message, cause }, erasure);
        }
        let counts = self.counted(task);
        let earlier = self.earlier(task).files > 0;
        let held = planned.reason == Some(Reason::Held);
        let outcome = Outcome {
            phase: if held { Phase::Blocked } else { Phase::Complete },
            reason: if held { Some(Reason::Held) } else { task.outcome },
            message: if held { planned.message.clone() } else { None },
            counts,
            package: None,
            verified: erasure.proved.or(earlier.then_some(true)),
            seconds: erasure.seconds,
            acted: erasure.files > 0,
            cause: None,
        };
        self.set(index, outcome);
    }

    /// The deletes have come to their end: done, failed in part, or waiting for their package.
    /// `view` knows the files that were erased from.
    pub(super) fn erased(
        &mut self,
        round: &Round,
        waiting: &BTreeSet<TaskIndex>,
        view: &LedgerView,
    ) {
        let sums =
            round.done.keys().filter_map(|id| Some((id.clone(), view.tasks.get(id)?.erased)));
        self.erased = sums.collect();
        for (index, task) in (0..TaskIndex::MAX).zip(&self.outlook.draft.tasks) {
            let open = task.runs && task.id.action == Some(Action::Delete);
            if !open || waiting.contains(&index) || self.by_task.contains_key(&index) {
                continue;
            }
            let erasure = round.done.get(&task.id).copied().unwrap_or_default();
            match round.failed.get(&task.id) {
                None => self.ended(index, erasure),
                Some(failed) => {
                    let mut failed = failed.clone();
                    if erasure.files > 0 || self.has_erased(task) {
                        failed.reason = Reason::PartiallyCompleted;
                    }
                    self.failed(index, failed, erasure);
                }
            }
        }
    }

    /// The deletes that this pass completed.
    pub(super) fn erasures_complete(&self) -> impl Iterator<Item = &TaskId> {
        self.by_task
            .iter()
            .filter(|(_, outcome)| outcome.phase == Phase::Complete)
            .filter_map(|(index, _)| self.outlook.draft.tasks.get(*index as usize))
            .filter(|task| task.id.action == Some(Action::Delete) && task.rows() > 0)
            .map(|task| &task.id)
    }

    fn failed(&mut self, index: TaskIndex, failed: Failed, erasure: Erasure) {
        let Some(task) = self.outlook.draft.tasks.get(index as usize) else { return };
        let counts = self.counted(task);
        let outcome = Outcome {
            phase: Phase::Failed,
            reason: Some(failed.reason),
            message: Some(failed.message),
            counts,
            package: None,
            verified: None,
            seconds: erasure.seconds,
            acted: erasure.files > 0,
            cause: Some(failed.cause),
        };
        self.set(index, outcome);
    }

    /// Whether earlier passes have erased something for the task.
    fn has_erased(&self, task: &DraftTask) -> bool {
        let known = self.before.tasks.get(&task.id);
        known.is_some_and(|known| known.has_erased(task.fingerprint.as_deref()))
    }

    /// What earlier passes have erased for a task that is not done: each file was proved then.
    fn earlier(&self, task: &DraftTask) -> Erased {
        let known = self.before.tasks.get(&task.id).filter(|known| !known.phase.is_final());
        let same = known.filter(|known| task.fingerprint.as_ref() == Some(&known.fingerprint));
        same.map(|known| known.erased).unwrap_or_default()
    }

    /// The counts of a task, with what all its passes have erased.
    fn counted(&self, task: &DraftTask) -> TaskCounts {
        let mut counts = counts(task);
        if task.id.action == Some(Action::Delete) {
            let all = self.erased.get(&task.id).copied();
            let all = all.unwrap_or_else(|| self.earlier(task));
            counts.rows_erased = Some(all.rows);
            counts.cells_erased = Some(all.cells);
            counts.files_touched = Some(all.files);
        }
        counts
    }

    fn set(&mut self, index: TaskIndex, outcome: Outcome) {
        self.by_task.insert(index, outcome);
        self.untold.insert(index);
    }

    /// Deletes whose block's package could not be made in this pass.
    pub(super) fn waiting_deletes(&self) -> BTreeSet<TaskIndex> {
        let tasks = &self.outlook.draft.tasks;
        let failed: Vec<_> = self
            .by_task
            .iter()
            .filter(|(_, outcome)| outcome.phase == Phase::Failed)
            .filter_map(|(index, _)| tasks.get(*index as usize))
            .filter(|task| task.id.action == Some(Action::Access))
            .filter_map(|task| task.block)
            .collect();
        (0..TaskIndex::MAX)
            .zip(tasks)
            .filter(|(_, task)| task.id.action == Some(Action::Delete))
            .filter(|(_, task)| task.block.is_some_and(|block| failed.contains(&block)))
            .map(|(index, _)| index)
            .collect()
    }

    /// What the ledger has yet to be told. A state that it knows already is not told again.
    pub(super) fn records(&mut self) -> Vec<Record> {
        let untold = std::mem::take(&mut self.untold);
        untold.into_iter().filter_map(|index| self.record(index)).collect()
    }

    fn record(&self, index: TaskIndex) -> Option<Record> {
        let task = self.outlook.draft.tasks.get(index as usize)?;
        let outcome = self.by_task.get(&index)?;
        let at = task_ref(&task.id);
        let (counts, sources) = (outcome.counts.clone(), sources(task));
        let message = outcome.message.clone();
        let known = self.before.tasks.get(&task.id);
        let stands = known.is_some_and(|known| {
            task.fingerprint.as_ref() == Some(&known.fingerprint)
                && known.phase == outcome.phase
                && known.reason == outcome.reason
                && known.message == message
        });
        let grounds = &self.outlook.grounds;
        let fingerprint = task.fingerprint.as_ref();
        let failure = outcome.cause.as_ref();
        let failure = failure.map(|cause| grounds.failure(&task.id, cause, known, fingerprint));
        let news = failure.as_ref().is_some_and(|failure| grounds.is_news(failure, known));
        if stands && !outcome.acted && !news {
            return None;
        }
        let reason = outcome.reason.unwrap_or(Reason::Erased);
        Some(match outcome.phase {
            Phase::Blocked => Record::TaskBlocked { task: at, reason, message, counts, sources },
            Phase::Failed => {
                Record::TaskFailed { task: at, reason, message, counts, sources, failure }
            }
            _ => Record::TaskCompleted {
                task: at,
                reason,
                counts,
                sources,
                left_out: task.left_out.clone(),
                package: outcome.package.clone(),
                verified: outcome.verified,
                rules: (task.id.action == Some(Action::Delete)).then(|| grounds.rules().to_owned()),
                earlier: self
                    .outlook
                    .earlier
                    .get(&task.id)
                    .into_iter()
                    .flatten()
                    .filter_map(|begun| begun.finished(&task.left_out))
                    .collect(),
            },
        })
    }
}
