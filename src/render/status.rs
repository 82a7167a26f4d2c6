//! `status` and `history`.

use serde_json::{Value, json};

use crate::plan::HistoryEntry;
use crate::reconcile::{StatusReport, StatusTask};

use super::plan::day;
use super::{Style, document, table};

/// Whose words the phases are shown in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vocabulary {
    /// Ours.
    #[default]
    Amparo,
    /// Adobe Privacy Service.
    Adobe,
    /// OpenDSR.
    OpenDsr,
    /// Data Rights Protocol.
    Drp,
}

fn phase(task: &StatusTask, vocabulary: Vocabulary) -> (String, Option<String>) {
    let reason = task.reason.map(|r| r.to_string());
    match vocabulary {
        Vocabulary::Amparo => (task.phase.to_string(), reason),
        Vocabulary::Adobe => (task.phase.adobe().to_owned(), reason),
        Vocabulary::OpenDsr => (task.phase.opendsr().to_owned(), reason),
        Vocabulary::Drp => {
            let (status, why) = task.phase.drp(task.reason);
            (status.to_owned(), why.map(str::to_owned))
        }
    }
}

/// A line a task.
pub fn status_human(report: &StatusReport, vocabulary: Vocabulary, style: Style) -> String {
    if report.tasks.is_empty() {
        return "No tasks: the ledger has seen no request.\n".to_owned();
    }
    let rows = report
        .tasks
        .iter()
        .map(|task| {
            let (phase, reason) = phase(task, vocabulary);
            let due = task.due.map(day).unwrap_or_default();
            vec![
                task.task.request.to_string(),
                task.task.key.clone().unwrap_or_default(),
                task.task.action.map_or_else(String::new, |a| a.to_string()),
                phase,
                reason.unwrap_or_default(),
                if task.overdue { style.bad(&format!("{due} overdue")) } else { due },
                task.package.clone().or_else(|| task.message.clone()).unwrap_or_default(),
            ]
        })
        .collect();
    table(&["REQUEST", "KEY", "ACTION", "PHASE", "REASON", "DUE", ""], rows, &[])
}

/// The document of `status`.
pub fn status_json(report: &StatusReport, vocabulary: Vocabulary) -> String {
    let tasks: Vec<Value> = report
        .tasks
        .iter()
        .map(|task| {
            let (phase, reason) = phase(task, vocabulary);
            json!({
                "request": task.task.request,
                "key": task.task.key,
                "action": task.task.action,
                "phase": phase,
                "reason": reason,
                "message": task.message,
                "receivedAt": task.received_at,
                "due": task.due,
                "overdue": task.overdue,
                "startedAt": task.started_at,
                "finishedAt": task.finished_at,
                "package": task.package,
                "expiresAt": task.expires_at,
                "counts": task.counts,
            })
        })
        .collect();
    document("status", &json!({ "tasks": tasks }))
}

/// A line an export or deletion.
pub fn history_human(entries: &[HistoryEntry]) -> String {
    if entries.is_empty() {
        return "No exports and no deletions yet.\n".to_owned();
    }
    let rows = entries
        .iter()
        .map(|entry| {
            vec![
                entry.task.request.to_string(),
                entry.task.key.clone().unwrap_or_default(),
                entry.task.action.map_or_else(String::new, |a| a.to_string()),
                entry.sources.join(", "),
                day(entry.requested_at),
                entry.handled_at.map(day).unwrap_or_default(),
                format!("{:?}", entry.status),
                entry.package.clone().unwrap_or_default(),
                entry.expires_at.map(day).unwrap_or_default(),
            ]
        })
        .collect();
    table(
        &[
            "REQUEST",
            "KEY",
            "ACTION",
            "SOURCES",
            "REQUESTED",
            "HANDLED",
            "STATUS",
            "PACKAGE",
            "EXPIRES",
        ],
        rows,
        &[],
    )
}

/// The document of `history`.
pub fn history_json(entries: &[HistoryEntry]) -> String {
    document("history", &json!({ "entries": entries }))
}
