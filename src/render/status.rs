//! `status` and `history`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::TaskId;
use crate::plan::HistoryEntry;
use crate::reconcile::{StatusReport, StatusTask};

use super::escape::printable;
use super::plan::day;
use super::style::plural;
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

pub(super) fn phase(task: &StatusTask, vocabulary: Vocabulary) -> (String, Option<String>) {
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
                printable(task.task.key.as_deref().unwrap_or_default()),
                task.task.action.map_or_else(String::new, |a| a.to_string()),
                phase,
                reason.unwrap_or_default(),
                if task.overdue { style.bad(&format!("{due} overdue")) } else { due },
                printable(
                    task.package.as_ref().or(task.message.as_ref()).map_or("", String::as_str),
                ),
            ]
        })
        .collect();
    let mut text = table(&["REQUEST", "KEY", "ACTION", "PHASE", "REASON", "DUE", ""], rows, &[]);
    for task in &report.tasks {
        text.push_str(&trouble(task, style));
    }
    text
}

/// How often a task has failed and when it is tried again, and what a person can do.
fn trouble(task: &StatusTask, style: Style) -> String {
    let mut text = String::new();
    if task.failure.is_none() && task.help.is_none() {
        return text;
    }
    let _ = write!(text, "\n{}", style.bold(&printable(&TaskId::from(&task.task).to_string())));
    if let Some(failure) = &task.failure {
        let _ = write!(
            text,
            ": failed {}, since {}; `watch` tries again by {}",
            plural(u64::from(failure.attempts), "time", "times"),
            minute(failure.first_failed_at),
            minute(failure.next_try_at),
        );
    }
    text.push('\n');
    if let Some(help) = task.help {
        let _ = writeln!(text, "  {help}");
    }
    text
}

/// The minute, UTC.
pub(super) fn minute(instant: jiff::Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M UTC").to_string()
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
                "attempts": task.failure.as_ref().map(|failure| failure.attempts),
                "firstFailedAt": task.failure.as_ref().map(|failure| failure.first_failed_at),
                "nextTryAt": task.failure.as_ref().map(|failure| failure.next_try_at),
                "help": task.help,
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
                printable(entry.task.key.as_deref().unwrap_or_default()),
                entry.task.action.map_or_else(String::new, |a| a.to_string()),
                printable(&entry.sources.join(", ")),
                day(entry.requested_at),
                entry.handled_at.map(day).unwrap_or_default(),
                format!("{:?}", entry.status),
                printable(entry.package.as_deref().unwrap_or_default()),
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
