//! Records → [`LedgerView`]: what a task's newest state is, and the history of exports and deletions
//! (RULES.md sections 4 and 6). The fold is mechanical: it decides nothing, and accepts any order.

use jiff::Timestamp;

use super::Record;
use super::commit::Commit;
use crate::model::{Phase, Reason, Regulation, TaskId};
use crate::plan::{
    Erased, FileErase, HistoryEntry, HistoryStatus, LedgerView, PackageRecord, TaskCounts, TaskRef,
    TaskState,
};

/// Adds a commit to the view.
pub(super) fn apply(view: &mut LedgerView, commit: &Commit) {
    view.seq = commit.seq;
    for record in &commit.records {
        apply_record(view, record, commit.time);
    }
}

fn apply_record(view: &mut LedgerView, record: &Record, time: Timestamp) {
    match record {
        Record::RequestSeen { request, digest, at } => {
            view.request_digests.insert(request.clone(), digest.clone());
            view.requests.entry(request.clone()).or_insert(*at);
        }
        Record::DatasetSeen { dataset, .. } => {
            view.datasets.insert(dataset.clone());
        }
        Record::HoldSeen { hold } => {
            view.holds.insert(hold.clone());
        }
        Record::TaskSubmitted { task, fingerprint, regulation, received_at, due } => {
            let dates =
                Dates { regulation: regulation.as_deref(), received: *received_at, due: *due };
            submitted(view, task, fingerprint, &dates);
        }
        Record::TaskRejected {
            task,
            fingerprint,
            regulation,
            received_at,
            due,
            reason,
            message,
        } => {
            let dates =
                Dates { regulation: regulation.as_deref(), received: *received_at, due: *due };
            submitted(view, task, fingerprint.as_deref().unwrap_or_default(), &dates);
            ended(view, task, Phase::Rejected, *reason, message.as_deref(), time);
        }
        Record::TaskStarted { task, package } => started(view, task, package.as_deref(), time),
        Record::TaskBlocked { task, reason, message, counts, sources } => {
            moved(view, task, Phase::Blocked, Some(*reason), message.as_deref(), time);
            found(view, task, counts, sources);
        }
        Record::TaskCleanupPending { task, message } => {
            let reason = Some(Reason::CleanupPending);
            moved(view, task, Phase::Processing, reason, message.as_deref(), time);
        }
        Record::TaskFailed { task, reason, message, counts, sources } => {
            moved(view, task, Phase::Failed, Some(*reason), message.as_deref(), time);
            found(view, task, counts, sources);
            if let Some(state) = view.tasks.get_mut(&TaskId::from(task)) {
                state.failures = state.failures.saturating_add(1);
            }
            close(view, task, HistoryStatus::Failed, time);
        }
        Record::TaskCompleted { task, reason, counts, sources, left_out, package, verified } => {
            ended(view, task, Phase::Complete, *reason, None, time);
            found(view, task, counts, sources);
            if let Some(state) = view.tasks.get_mut(&TaskId::from(task)) {
                state.left_out.clone_from(left_out);
                state.verified = *verified;
            }
            if let Some(package) = package {
                published(view, task, package);
            }
        }
        Record::TaskCancelled { task, reason, message } => {
            ended(view, task, Phase::Cancelled, *reason, message.as_deref(), time);
        }
        Record::PackageExpired { package, .. } => expired(view, package),
        Record::EraseIntent(file) => {
            view.unsettled.insert(file.file.clone(), file.clone());
        }
        Record::EraseDone { file, before, .. } => {
            if let Some(erased) = take_unsettled(view, file, before) {
                add_erased(view, &erased);
            }
        }
        Record::EraseAbandoned { file, before, .. } => {
            take_unsettled(view, file, before);
        }
        Record::KeysDestroyed { .. } => {}
    }
}

struct Dates<'a> {
    regulation: Option<&'a str>,
    received: Timestamp,
    due: Timestamp,
}

fn submitted(view: &mut LedgerView, task: &TaskRef, fingerprint: &str, dates: &Dates<'_>) {
    supersede_rejections(view, task);
    let id = TaskId::from(task);
    let regulation = dates.regulation.map(Regulation::new);
    if let Some(state) = view.tasks.get_mut(&id)
        && state.fingerprint == fingerprint
        && !matches!(state.phase, Phase::Rejected | Phase::Cancelled)
    {
        (state.regulation, state.received_at, state.due) = (regulation, dates.received, dates.due);
        if let Some(entry) = open_entry(view, task) {
            entry.requested_at = dates.received;
        }
        return;
    }
    // What the task was before is over; a package of it stays in `packages` until it expires.
    let state = TaskState {
        fingerprint: fingerprint.to_owned(),
        phase: Phase::Submitted,
        reason: None,
        message: None,
        regulation,
        received_at: dates.received,
        due: dates.due,
        started_at: None,
        finished_at: None,
        package: None,
        counts: TaskCounts::default(),
        erased: Erased::default(),
        failures: 0,
        sources: Vec::new(),
        left_out: Vec::new(),
        verified: None,
    };
    view.tasks.insert(id, state);
    reopen_entry(view, task, dates.received);
}

/// A request or block that was too broken to have tasks of their own has them now.
fn supersede_rejections(view: &mut LedgerView, task: &TaskRef) {
    let mut broader = vec![];
    if task.key.is_some() {
        broader.push(TaskId { request: task.request.clone(), key: None, action: None });
        if task.action.is_some() {
            let key = task.key.clone();
            broader.push(TaskId { request: task.request.clone(), key, action: None });
        }
    }
    for id in broader {
        if view.tasks.get(&id).is_some_and(|state| state.phase == Phase::Rejected) {
            view.tasks.remove(&id);
        }
    }
}

fn started(view: &mut LedgerView, task: &TaskRef, package: Option<&str>, time: Timestamp) {
    let id = TaskId::from(task);
    let Some(state) = view.tasks.get_mut(&id) else { return };
    let again = state.phase.is_final();
    if again {
        // A standing erasure, or a cancelled task taken up again: its counts begin anew.
        (state.counts, state.erased, state.failures) =
            (TaskCounts::default(), Erased::default(), 0);
        (state.verified, state.finished_at, state.started_at) = (None, None, None);
    }
    (state.phase, state.reason, state.message) = (Phase::Processing, None, None);
    state.started_at.get_or_insert(time);
    let received = state.received_at;
    if let Some(location) = package {
        view.intended_packages.insert(location.to_owned(), id);
    }
    reopen_entry(view, task, received);
}

fn moved(
    view: &mut LedgerView,
    task: &TaskRef,
    phase: Phase,
    reason: Option<Reason>,
    message: Option<&str>,
    time: Timestamp,
) {
    if let Some(state) = view.tasks.get_mut(&TaskId::from(task)) {
        (state.phase, state.reason) = (phase, reason);
        state.message = message.map(str::to_owned);
        state.finished_at = phase.is_final().then_some(time);
    }
}

fn ended(
    view: &mut LedgerView,
    task: &TaskRef,
    phase: Phase,
    reason: Reason,
    message: Option<&str>,
    time: Timestamp,
) {
    moved(view, task, phase, Some(reason), message, time);
    let status = match phase {
        Phase::Complete => HistoryStatus::Done,
        _ => HistoryStatus::Failed,
    };
    close(view, task, status, time);
}

fn found(view: &mut LedgerView, task: &TaskRef, counts: &TaskCounts, sources: &[String]) {
    if let Some(state) = view.tasks.get_mut(&TaskId::from(task)) {
        state.counts = counts.clone();
        state.sources = sources.to_vec();
    }
    if let Some(entry) = newest_entry(view, task) {
        entry.sources = sources.to_vec();
    }
}

fn published(view: &mut LedgerView, task: &TaskRef, package: &PackageRecord) {
    let id = TaskId::from(task);
    // It took the place of what lay there before.
    expired(view, &package.location);
    view.intended_packages.remove(&package.location);
    view.packages.insert(package.location.clone(), (id.clone(), package.clone()));
    if let Some(state) = view.tasks.get_mut(&id) {
        state.package = Some(package.clone());
    }
    if let Some(entry) = newest_entry(view, task) {
        entry.status = HistoryStatus::Ready;
        entry.package = Some(package.location.clone());
        entry.expires_at = Some(package.expires_at);
    }
}

/// Whatever lay at that location is gone.
fn expired(view: &mut LedgerView, location: &str) {
    view.intended_packages.remove(location);
    if view.packages.remove(location).is_none() {
        return;
    }
    let packages = view.tasks.values_mut().filter_map(|state| state.package.as_mut());
    for package in packages.filter(|package| package.location == location) {
        package.expired = true;
    }
    let there = |entry: &&mut HistoryEntry| {
        entry.status == HistoryStatus::Ready && entry.package.as_deref() == Some(location)
    };
    for entry in view.history.iter_mut().filter(there) {
        entry.status = HistoryStatus::Expired;
    }
}

fn take_unsettled(view: &mut LedgerView, file: &str, before: &str) -> Option<FileErase> {
    view.unsettled.get(file).filter(|intent| intent.before == before)?;
    view.unsettled.remove(file)
}

fn add_erased(view: &mut LedgerView, file: &FileErase) {
    for part in &file.tasks {
        if let Some(state) = view.tasks.get_mut(&TaskId::from(&part.task)) {
            let sum = &mut state.erased;
            sum.rows = sum.rows.saturating_add(part.rows_erased);
            sum.cells = sum.cells.saturating_add(part.cells_erased);
            sum.files = sum.files.saturating_add(1);
        }
    }
}

/// A history line for a task that is open (again): its own one if that has not ended well, else a new one.
fn reopen_entry(view: &mut LedgerView, task: &TaskRef, requested_at: Timestamp) {
    // A request or block that is too broken to have an action is no export and no deletion.
    if task.action.is_none() {
        return;
    }
    if let Some(entry) = newest_entry(view, task)
        && matches!(entry.status, HistoryStatus::InProgress | HistoryStatus::Failed)
    {
        (entry.status, entry.handled_at) = (HistoryStatus::InProgress, None);
        entry.requested_at = requested_at;
        return;
    }
    view.history.push(HistoryEntry {
        task: task.clone(),
        sources: Vec::new(),
        requested_at,
        handled_at: None,
        status: HistoryStatus::InProgress,
        package: None,
        expires_at: None,
    });
}

fn newest_entry<'a>(view: &'a mut LedgerView, task: &TaskRef) -> Option<&'a mut HistoryEntry> {
    view.history.iter_mut().rev().find(|entry| entry.task == *task)
}

fn open_entry<'a>(view: &'a mut LedgerView, task: &TaskRef) -> Option<&'a mut HistoryEntry> {
    newest_entry(view, task).filter(|entry| entry.status == HistoryStatus::InProgress)
}

fn close(view: &mut LedgerView, task: &TaskRef, status: HistoryStatus, time: Timestamp) {
    if let Some(entry) = newest_entry(view, task) {
        (entry.status, entry.handled_at) = (status, Some(time));
    }
}
