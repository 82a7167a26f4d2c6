//! `status` and `history`: what the ledger says.

use jiff::Timestamp;

use crate::model::{Phase, Reason};
use crate::plan::{Failure, HistoryEntry, LedgerView, TaskCounts, TaskRef};

use super::advice::advice;
use super::gather::read_ledger;
use super::{PassError, Workspace};

/// The tasks that the ledger knows, by request, key and action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// The tasks.
    pub tasks: Vec<StatusTask>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusTask {
    /// Which.
    pub task: TaskRef,
    /// Phase.
    pub phase: Phase,
    /// Reason.
    pub reason: Option<Reason>,
    /// For people.
    pub message: Option<String>,
    /// When the request was received.
    pub received_at: Timestamp,
    /// When it must be done.
    pub due: Option<Timestamp>,
    /// It is past its due date and not done.
    pub overdue: bool,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// Its package.
    pub package: Option<String>,
    /// Until when the package is kept.
    pub expires_at: Option<Timestamp>,
    /// What was found and done.
    pub counts: TaskCounts,
    /// How often it has failed, since when, and when it is tried again, where it has.
    pub failure: Option<Failure>,
    /// What a person can do, where something needs to be done.
    pub help: Option<&'static str>,
}

/// The tasks of the ledger; of one request or block (`REQUEST` or `REQUEST/KEY`) where one is named.
///
/// # Errors
/// The state cannot be read, or the ledger is damaged.
pub fn status(workspace: &Workspace, wanted: Option<&str>) -> Result<StatusReport, PassError> {
    let view = read_ledger(workspace)?;
    let now = workspace.clock.now();
    let named = |request: &str, key: Option<&str>| {
        wanted.is_none_or(|wanted| match wanted.split_once('/') {
            None => request == wanted,
            Some((name, block)) => request == name && key == Some(block),
        })
    };
    let mut tasks = status_of(&view, now);
    tasks.retain(|task| named(task.task.request.as_str(), task.task.key.as_deref()));
    Ok(StatusReport { tasks })
}

/// All tasks of a ledger, by request, key and action.
pub(super) fn status_of(view: &LedgerView, now: Timestamp) -> Vec<StatusTask> {
    view.tasks
        .iter()
        .map(|(id, state)| (id, state, !state.phase.is_final() && state.due < now))
        .map(|(id, state, overdue)| StatusTask {
            task: TaskRef { request: id.request.clone(), key: id.key.clone(), action: id.action },
            phase: state.phase,
            reason: state.reason,
            message: state.message.clone(),
            received_at: state.received_at,
            due: Some(state.due),
            overdue,
            started_at: state.started_at,
            finished_at: state.finished_at,
            package: state.package.as_ref().filter(|p| !p.expired).map(|p| p.location.clone()),
            expires_at: state.package.as_ref().map(|p| p.expires_at),
            counts: state.counts.clone(),
            failure: state.failure.clone().filter(|_| state.phase == Phase::Failed),
            help: advice(state, overdue),
        })
        .collect()
}

/// Exports and deletions, oldest first.
///
/// # Errors
/// The state cannot be read, or the ledger is damaged.
pub fn history(workspace: &Workspace) -> Result<Vec<HistoryEntry>, PassError> {
    Ok(read_ledger(workspace)?.history)
}
