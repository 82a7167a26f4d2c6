//! What goes into the ledger before anything is done: who asked for what, where each task stands, and
//! what is about to begin. A state that the ledger knows already is not written again, so that a pass
//! with nothing new writes nothing.

use std::collections::BTreeSet;

use crate::model::{Action, Phase, Reason, TaskId};
use crate::plan::{DraftTask, LedgerView, PlannedTask, TaskCounts, TaskRef, TaskState};
use crate::store::{DeploymentKey, Exports, Record};

use super::grounds::Grounds;
use super::pass::{Outlook, Pass};

/// The task as records name it.
pub(super) fn task_ref(id: &TaskId) -> TaskRef {
    TaskRef { request: id.request.clone(), key: id.key.clone(), action: id.action }
}

/// Data sources in which a task found something, sorted.
pub(super) fn sources(task: &DraftTask) -> Vec<String> {
    let mut sources: Vec<String> = task
        .datasets
        .iter()
        .filter(|dataset| dataset.person_rows + dataset.device_rows > 0)
        .map(|dataset| dataset.source.clone())
        .collect();
    sources.sort();
    sources.dedup();
    sources
}

/// What was searched and found for a task; what was erased is for the erasure to add.
pub(super) fn counts(task: &DraftTask) -> TaskCounts {
    let sum = |of: fn(&crate::plan::DraftDataset) -> u64| task.datasets.iter().map(of).sum::<u64>();
    TaskCounts {
        person_rows: Some(sum(|d| d.person_rows)),
        device_rows: Some(sum(|d| d.device_rows)),
        datasets_searched: Some(task.datasets.len() as u64),
        files_searched: Some(sum(|d| d.files_searched)),
        rows_searched: Some(sum(|d| d.rows_searched)),
        ..TaskCounts::default()
    }
}

/// Rows that a planned task changes.
pub(super) fn rows_erased(task: &PlannedTask) -> u64 {
    task.datasets.iter().map(|dataset| dataset.rows_erased).sum()
}

/// The records of intent, in the order in which the fold wants them.
pub(super) fn intents(
    pass: &Pass<'_>,
    outlook: &Outlook,
    view: &LedgerView,
    key: &DeploymentKey,
    exports: &Exports,
) -> Vec<Record> {
    let mut records = Vec::new();
    let catalog = &pass.loaded.catalog;
    for dataset in &catalog.datasets {
        let files = outlook.inventory.datasets.get(&dataset.name);
        let filled = files.is_some_and(|files| !files.files.is_empty());
        let refilled = filled && view.emptied.contains(&dataset.name);
        if view.datasets.contains(&dataset.name) && !refilled {
            continue;
        }
        let digest = files.map(|files| files.digest.clone());
        records.push(Record::DatasetSeen { dataset: dataset.name.clone(), digest });
    }
    for hold in catalog.holds.iter().filter(|hold| !view.holds.contains(&hold.name)) {
        records.push(Record::HoldSeen { hold: hold.name.clone() });
    }
    for request in &pass.loaded.requests {
        let digest = pass.texts.request_digest(request, key);
        if view.request_digests.get(&request.name) != Some(&digest) {
            let request = request.name.clone();
            records.push(Record::RequestSeen { request, digest, at: pass.now });
        }
    }
    records.extend(lifted(view, &outlook.draft.tasks));
    for (task, planned) in outlook.draft.tasks.iter().zip(&outlook.plan.tasks) {
        let known = view.tasks.get(&task.id);
        let step = Step { task, planned, known, grounds: &outlook.grounds };
        step.records(exports, &mut records);
    }
    records
}

/// Rejections of requests and blocks that could not have tasks of their own, and now have them.
fn lifted(view: &LedgerView, tasks: &[DraftTask]) -> Vec<Record> {
    // An orphaned task says nothing of the file.
    let said: BTreeSet<&TaskId> =
        tasks.iter().filter(|task| task.block.is_some()).map(|task| &task.id).collect();
    let is_over = |id: &TaskId| {
        let of_it = |now: &TaskId| {
            now.request == id.request && (id.key.is_none() || now.key == id.key) && now != id
        };
        id.action.is_none() && said.iter().any(|now| of_it(now))
    };
    view.tasks
        .iter()
        .filter(|(id, known)| known.phase == Phase::Rejected && is_over(id))
        .map(|(id, _)| Record::RejectionLifted { task: task_ref(id) })
        .collect()
}

/// One task on its way from what the ledger knows to what the pass decided.
struct Step<'a> {
    task: &'a DraftTask,
    planned: &'a PlannedTask,
    known: Option<&'a TaskState>,
    grounds: &'a Grounds,
}

impl Step<'_> {
    fn records(&self, exports: &Exports, records: &mut Vec<Record>) {
        let task = self.task;
        let (phase, reason) = (self.planned.phase, self.planned.reason);
        let at = task_ref(&task.id);
        let message = self.planned.message.clone();
        if phase == Phase::Rejected {
            if !self.stands(phase, reason) {
                records.push(Record::TaskRejected {
                    task: at,
                    fingerprint: task.fingerprint.clone(),
                    regulation: task.regulation.as_ref().map(ToString::to_string),
                    received_at: task.received_at,
                    due: task.due,
                    reason: reason.unwrap_or(Reason::Invalid),
                    message,
                });
            }
            return;
        }
        if self.submits() {
            records.push(Record::TaskSubmitted {
                task: at.clone(),
                fingerprint: task.fingerprint.clone().unwrap_or_default(),
                regulation: task.regulation.as_ref().map(ToString::to_string),
                received_at: task.received_at,
                due: task.due,
            });
        }
        match phase {
            // A held delete that runs ends as `Blocked` by its outcome.
            _ if task.runs && !self.planned.needs_approval() => {
                let rows = task.rows() > 0;
                let package = task
                    .id
                    .key
                    .as_deref()
                    .filter(|_| rows && task.id.action == Some(Action::Access));
                let begins = package.is_some() || rows_erased(self.planned) > 0;
                if begins {
                    let package = package.map(|key| exports.location(&task.id.request, key));
                    let effect = self.planned.effect_id.as_ref();
                    let approved = task.approved.iter().flatten();
                    let approval = approved
                        .filter(|approved| effect == Some(&approved.effect.to_string()))
                        .map(|approved| approved.by.clone())
                        .next();
                    records.push(Record::TaskStarted { task: at, package, approval });
                }
            }
            Phase::Blocked if !self.stands(phase, reason) => records.push(Record::TaskBlocked {
                task: at,
                reason: reason.unwrap_or(Reason::NeedsApproval),
                message,
                counts: counts(task),
                sources: sources(task),
            }),
            Phase::Failed => {
                // Without a cause it was not tried in this pass.
                let Some(cause) = &task.standing.cause else { return };
                let fingerprint = task.fingerprint.as_ref();
                let failure = self.grounds.failure(&task.id, cause, self.known, fingerprint);
                if !self.stands(phase, reason) || self.grounds.is_news(&failure, self.known) {
                    records.push(Record::TaskFailed {
                        task: at,
                        reason: reason.unwrap_or(Reason::DataUnreadable),
                        message,
                        counts: counts(task),
                        sources: sources(task),
                        failure: Some(failure),
                    });
                }
            }
            Phase::Cancelled if !self.stands(phase, reason) => {
                records.push(Record::TaskCancelled {
                    task: at,
                    reason: Reason::Withdrawn,
                    message,
                });
            }
            _ => {}
        }
    }

    /// Whether the ledger knows the task as just that.
    fn stands(&self, phase: Phase, reason: Option<Reason>) -> bool {
        self.known.is_some_and(|known| {
            known.phase == phase && known.reason == reason && known.message == self.planned.message
        }) && !self.is_other()
    }

    /// Whether the request now says something else than when the ledger last saw it.
    fn is_other(&self) -> bool {
        match (&self.task.fingerprint, self.known) {
            (Some(now), Some(known)) => *now != known.fingerprint,
            _ => false,
        }
    }

    /// Whether the task is new, another one than before, open again, or due at another time.
    fn submits(&self) -> bool {
        // An orphaned task has nothing new to say of itself.
        if self.task.block.is_none() {
            return false;
        }
        let Some(known) = self.known else { return true };
        let reopened = matches!(known.phase, Phase::Rejected | Phase::Cancelled)
            && self.planned.phase != known.phase;
        let dates = known.due != self.task.due
            || known.received_at != self.task.received_at
            || known.regulation != self.task.regulation;
        let rests = known.phase.is_final() && self.planned.phase.is_final();
        self.is_other() || reopened || (dates && !rests)
    }
}
