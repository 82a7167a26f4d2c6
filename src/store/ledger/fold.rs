//! Records → [`LedgerView`]: what a task's newest state is, and the history of exports and deletions
//! (RULES.md sections 4 and 6). The fold is mechanical: it decides nothing, and accepts any order.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::Record;
use super::commit::Commit;
use crate::model::{Action, Phase, Reason, Regulation, TaskId};
use crate::plan::{
    CountedFile, Erased, FileErase, HistoryEntry, HistoryStatus, LedgerView, PackageRecord,
    SettledFile, TaskCounts, TaskRef, TaskState,
};

/// The view, with what makes each record cheap to add.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fold {
    view: LedgerView,
    /// Index into the history of each task's newest line.
    lines: HashMap<TaskId, usize>,
    /// Index into the history of the line whose package lies at a location.
    ready: BTreeMap<String, usize>,
}

/// How a task stands after a record.
struct Standing<'a> {
    phase: Phase,
    reason: Option<Reason>,
    message: Option<&'a str>,
}

/// What `TaskSubmitted` and `TaskRejected` say of a request.
struct Dates<'a> {
    regulation: Option<&'a str>,
    received: Timestamp,
    due: Timestamp,
}

impl Fold {
    pub(super) const fn view(&self) -> &LedgerView {
        &self.view
    }

    /// Adds a commit.
    pub(super) fn apply(&mut self, commit: &Commit) {
        self.view.seq = commit.seq;
        self.view.latest = self.view.latest.max(Some(commit.time));
        if commit.records.iter().any(|record| !record.is_look()) {
            self.view.basis = commit.seq;
        }
        for record in &commit.records {
            self.apply_record(record, commit.time);
        }
    }

    fn apply_record(&mut self, record: &Record, time: Timestamp) {
        match record {
            Record::RequestSeen { request, digest, at } => {
                self.view.request_digests.insert(request.clone(), digest.clone());
                self.view.requests.entry(request.clone()).or_insert(*at);
            }
            Record::DatasetSeen { dataset, .. } => {
                self.view.emptied.remove(dataset);
                self.view.datasets.insert(dataset.clone());
            }
            Record::HoldSeen { hold } => {
                self.view.holds.insert(hold.clone());
            }
            Record::TaskSubmitted { task, fingerprint, regulation, received_at, due } => {
                let regulation = regulation.as_deref();
                let dates = Dates { regulation, received: *received_at, due: *due };
                self.submitted(task, fingerprint, &dates);
            }
            Record::TaskRejected { task, fingerprint, regulation, received_at, due, .. } => {
                let regulation = regulation.as_deref();
                let dates = Dates { regulation, received: *received_at, due: *due };
                self.submitted(task, fingerprint.as_deref().unwrap_or_default(), &dates);
                self.interrupted(&TaskId::from(task));
                self.moved(task, record, time);
            }
            Record::TaskStarted { task, package, .. } => {
                self.started(task, package.as_deref(), time)
            }
            Record::TaskCleanupPending { task, .. } => self.moved(task, record, time),
            Record::TaskCancelled { task, .. } => {
                self.moved(task, record, time);
                self.view.interrupted.remove(&TaskId::from(task));
            }
            Record::TaskBlocked { task, counts, sources, .. } => {
                self.moved(task, record, time);
                self.found(task, counts, sources);
            }
            Record::TaskFailed { task, counts, sources, failure, .. } => {
                self.moved(task, record, time);
                self.found(task, counts, sources);
                if let Some(state) = self.view.tasks.get_mut(&TaskId::from(task)) {
                    state.failure.clone_from(failure);
                }
            }
            Record::TaskCompleted {
                task,
                counts,
                sources,
                left_out,
                package,
                verified,
                rules,
                earlier,
                ..
            } => {
                self.moved(task, record, time);
                self.found(task, counts, sources);
                self.finished(&TaskId::from(task), earlier);
                if let Some(state) = self.view.tasks.get_mut(&TaskId::from(task)) {
                    state.left_out.clone_from(left_out);
                    state.verified = *verified;
                    state.rules.clone_from(rules);
                }
                if let Some(package) = package {
                    self.published(task, package);
                }
            }
            Record::Viewed { .. } | Record::Published { .. } => {}
            Record::PackageExpired { package, .. } => self.expired(package),
            Record::EraseIntent(file) => {
                self.view.unsettled.insert(file.file.clone(), file.clone());
            }
            Record::EraseDone { file, before, .. } => {
                if let Some(erased) = self.take_unsettled(file, before) {
                    if erased.empties {
                        self.view.emptied.insert(erased.dataset.clone());
                    }
                    self.add_erased(&erased);
                    self.settled(erased);
                }
            }
            Record::EraseAbandoned { file, before, .. } => {
                self.take_unsettled(file, before);
            }
            Record::RejectionLifted { task } => self.lifted(&TaskId::from(task)),
            Record::KeysDestroyed { .. } => {}
        }
    }

    fn submitted(&mut self, task: &TaskRef, fingerprint: &str, dates: &Dates<'_>) {
        let id = TaskId::from(task);
        let regulation = dates.regulation.map(Regulation::new);
        if let Some(state) = self.view.tasks.get_mut(&id)
            && state.fingerprint == fingerprint
            && !matches!(state.phase, Phase::Rejected | Phase::Cancelled)
        {
            state.regulation = regulation;
            (state.received_at, state.due) = (dates.received, dates.due);
            if let Some(line) = self.line(task)
                && line.status == HistoryStatus::InProgress
            {
                line.requested_at = dates.received;
            }
            return;
        }
        self.interrupted(&id);
        // What the task was before is over; a package of it stays in `packages` until it expires.
        let state = TaskState {
            regulation,
            ..TaskState::submitted(fingerprint, dates.received, dates.due)
        };
        begins_anew(&mut self.view, &id);
        self.view.tasks.insert(id, state);
        self.open_line(task, dates.received);
    }

    /// A delete that was begun and is not finished becomes another, or is rejected as it is.
    fn interrupted(&mut self, id: &TaskId) {
        if let Some(before) = self.view.tasks.get(id)
            && id.action == Some(Action::Delete)
            && self.view.is_begun(id, before)
        {
            let prints = self.view.interrupted.entry(id.clone()).or_default();
            prints.insert(before.fingerprint.clone());
        }
    }

    /// What was begun under these fingerprints, and under the present one, is done.
    fn finished(&mut self, id: &TaskId, earlier: &[String]) {
        let now = self.view.tasks.get(id).map(|task| &task.fingerprint);
        if let Some(prints) = self.view.interrupted.get_mut(id) {
            prints.retain(|print| !earlier.contains(print) && Some(print) != now);
            if prints.is_empty() {
                self.view.interrupted.remove(id);
            }
        }
    }

    /// A request or block that was too broken to have tasks of its own has them now.
    fn lifted(&mut self, id: &TaskId) {
        if self.view.tasks.get(id).is_some_and(|state| state.phase == Phase::Rejected) {
            self.view.tasks.remove(id);
        }
    }

    fn started(&mut self, task: &TaskRef, package: Option<&str>, time: Timestamp) {
        let id = TaskId::from(task);
        if self.view.tasks.get(&id).is_some_and(|state| state.phase.is_final()) {
            begins_anew(&mut self.view, &id);
        }
        let Some(state) = self.view.tasks.get_mut(&id) else { return };
        if state.phase.is_final() {
            // A standing erasure acts again: its counts begin anew.
            (state.counts, state.erased) = (TaskCounts::default(), Erased::default());
            (state.failure, state.verified) = (None, None);
            (state.started_at, state.finished_at) = (None, None);
        }
        (state.phase, state.reason, state.message) = (Phase::Processing, None, None);
        state.started_at.get_or_insert(time);
        let received = state.received_at;
        if let Some(location) = package {
            self.view.intended_packages.insert(location.to_owned(), id);
        }
        self.open_line(task, received);
    }

    /// The task stands where the record says, and so does its line of the history.
    fn moved(&mut self, task: &TaskRef, record: &Record, time: Timestamp) {
        let Some(standing) = standing(record) else { return };
        let Some(state) = self.view.tasks.get_mut(&TaskId::from(task)) else { return };
        (state.phase, state.reason) = (standing.phase, standing.reason);
        state.message = standing.message.map(str::to_owned);
        state.finished_at = standing.phase.is_final().then_some(time);
        state.failure = None;
        let status = match standing.phase {
            Phase::Complete => HistoryStatus::Done,
            Phase::Failed | Phase::Rejected | Phase::Cancelled => HistoryStatus::Failed,
            Phase::Submitted | Phase::Processing | Phase::Blocked => return,
        };
        if let Some(line) = self.line(task) {
            (line.status, line.handled_at) = (status, Some(time));
        }
    }

    fn found(&mut self, task: &TaskRef, counts: &TaskCounts, sources: &[String]) {
        if let Some(state) = self.view.tasks.get_mut(&TaskId::from(task)) {
            state.counts = counts.clone();
            state.sources = sources.to_vec();
        }
        if let Some(line) = self.line(task) {
            line.sources = sources.to_vec();
        }
    }

    fn published(&mut self, task: &TaskRef, package: &PackageRecord) {
        let id = TaskId::from(task);
        // It took the place of what lay there before.
        self.expired(&package.location);
        self.view.packages.insert(package.location.clone(), (id.clone(), package.clone()));
        if let Some(state) = self.view.tasks.get_mut(&id) {
            state.package = Some(package.clone());
        }
        if let Some(line) = self.line(task) {
            line.status = HistoryStatus::Ready;
            line.package = Some(package.location.clone());
            line.expires_at = Some(package.expires_at);
        }
        if let Some(line) = self.lines.get(&id) {
            self.ready.insert(package.location.clone(), *line);
        }
    }

    /// Whatever lay at that location is gone.
    fn expired(&mut self, location: &str) {
        self.view.intended_packages.remove(location);
        if let Some((id, _)) = self.view.packages.remove(location)
            && let Some(state) = self.view.tasks.get_mut(&id)
            && let Some(package) = &mut state.package
            && package.location == location
        {
            package.expired = true;
        }
        if let Some(line) = self.ready.remove(location)
            && let Some(line) = self.view.history.get_mut(line)
            && line.status == HistoryStatus::Ready
        {
            line.status = HistoryStatus::Expired;
        }
    }

    fn take_unsettled(&mut self, file: &str, before: &str) -> Option<FileErase> {
        self.view.unsettled.get(file).filter(|intent| intent.before == before)?;
        self.view.unsettled.remove(file)
    }

    fn add_erased(&mut self, file: &FileErase) {
        for part in &file.tasks {
            if let Some(state) = self.view.tasks.get_mut(&TaskId::from(&part.task)) {
                let sum = &mut state.erased;
                let new = part.rows_erased.saturating_sub(part.rows_again);
                sum.rows = sum.rows.saturating_add(new);
                sum.cells = sum.cells.saturating_add(part.cells_erased);
                sum.files = sum.files.saturating_add(1);
                if !state.erased_in.contains(&file.dataset) {
                    state.erased_in.insert(file.dataset.clone());
                }
            }
        }
    }

    /// What the file holds now is what this erasure made of it.
    fn settled(&mut self, erased: FileErase) {
        let FileErase { file, after, settled: cells, counted: tasks, .. } = erased;
        match after.clone() {
            Some(footer) if !tasks.is_empty() => {
                self.view.counted.insert(file.clone(), CountedFile { footer, tasks });
            }
            _ => {
                self.view.counted.remove(&file);
            }
        }
        match after {
            Some(footer) if !cells.is_empty() => {
                self.view.settled.insert(file, SettledFile { footer, cells });
            }
            _ => {
                self.view.settled.remove(&file);
            }
        }
    }

    /// A line for a task that is open (again): its newest one if that has not ended well, else a new one.
    fn open_line(&mut self, task: &TaskRef, requested_at: Timestamp) {
        // A request or block that is too broken to have an action is no export and no deletion.
        if task.action.is_none() {
            return;
        }
        if let Some(line) = self.line(task)
            && matches!(line.status, HistoryStatus::InProgress | HistoryStatus::Failed)
        {
            (line.status, line.handled_at) = (HistoryStatus::InProgress, None);
            line.requested_at = requested_at;
            return;
        }
        self.lines.insert(TaskId::from(task), self.view.history.len());
        self.view.history.push(HistoryEntry {
            task: task.clone(),
            sources: Vec::new(),
            requested_at,
            handled_at: None,
            status: HistoryStatus::InProgress,
            package: None,
            expires_at: None,
        });
    }

    /// The newest line of a task.
    fn line(&mut self, task: &TaskRef) -> Option<&mut HistoryEntry> {
        self.view.history.get_mut(*self.lines.get(&TaskId::from(task))?)
    }
}

/// What has been counted for a task counts no more.
fn begins_anew(view: &mut LedgerView, id: &TaskId) {
    view.counted.retain(|_, file| {
        file.tasks.retain(|part| TaskId::from(&part.task) != *id);
        !file.tasks.is_empty()
    });
}

/// What a record says of where its task stands.
fn standing(record: &Record) -> Option<Standing<'_>> {
    let (phase, reason, message) = match record {
        Record::TaskBlocked { reason, message, .. } => {
            (Phase::Blocked, *reason, message.as_deref())
        }
        Record::TaskCleanupPending { message, .. } => {
            (Phase::Processing, Reason::CleanupPending, message.as_deref())
        }
        Record::TaskRejected { reason, message, .. } => {
            (Phase::Rejected, *reason, message.as_deref())
        }
        Record::TaskFailed { reason, message, .. } => (Phase::Failed, *reason, message.as_deref()),
        Record::TaskCancelled { reason, message, .. } => {
            (Phase::Cancelled, *reason, message.as_deref())
        }
        Record::TaskCompleted { reason, .. } => (Phase::Complete, *reason, None),
        _ => return None,
    };
    Some(Standing { phase, reason: Some(reason), message })
}
