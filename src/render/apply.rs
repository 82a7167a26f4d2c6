//! What a pass did.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::Phase;
use crate::reconcile::ApplyReport;

use super::escape::printable;
use super::plan::{found, task_name, totals_line};
use super::style::plural;
use super::{Style, diagnostics_json, document, table};

/// The report as a person reads it.
pub fn apply_human(report: &ApplyReport, style: Style) -> String {
    if report.plan_id.is_none() {
        return report.notes.iter().map(|note| format!("{}\n", printable(note))).collect();
    }
    let mut rows = Vec::new();
    for done in report.tasks.iter().filter(|t| t.touched) {
        let task = &done.task;
        let reason = task.reason.map(|r| format!(" ({r})")).unwrap_or_default();
        let state = format!("{}{reason}", task.phase);
        let state = match task.phase {
            Phase::Complete => style.good(&state),
            Phase::Failed | Phase::Rejected => style.bad(&state),
            _ => style.warn(&state),
        };
        let rows_found: u64 =
            task.datasets.iter().filter(|d| found(d)).map(|d| d.person_rows + d.device_rows).sum();
        rows.push(vec![
            task_name(task),
            task.action.map_or_else(String::new, |a| a.to_string()),
            state,
            plural(rows_found, "row", "rows"),
            printable(done.package.as_ref().or(task.message.as_ref()).map_or("", String::as_str)),
        ]);
    }
    let mut text = String::new();
    if rows.is_empty() {
        text.push_str("Nothing to do: every task is settled.\n");
    } else {
        text.push_str(&table(&["TASK", "ACTION", "STATE", "FOUND", ""], rows, &[3]));
    }
    text.push('\n');
    for note in &report.notes {
        let _ = writeln!(text, "{} {}", style.dim("note:"), printable(note));
    }
    let _ = writeln!(text, "{} {}", style.bold("Applied:"), totals_line(&report.totals));
    if let Some(head) = &report.head {
        let _ = writeln!(text, "Ledger head: {}:{}", head.0, head.1);
    }
    text
}

/// The document of `apply`.
pub fn apply_json(report: &ApplyReport) -> String {
    let tasks: Vec<Value> = report
        .tasks
        .iter()
        .map(|done| {
            let mut task = serde_json::to_value(&done.task).unwrap_or_default();
            if let Value::Object(keys) = &mut task {
                keys.insert("package".to_owned(), json!(done.package));
                keys.insert("verified".to_owned(), json!(done.verified));
                keys.insert("seconds".to_owned(), json!(done.seconds));
            }
            task
        })
        .collect();
    document(
        "apply",
        &json!({
            "planId": report.plan_id,
            "inputs": report.inputs,
            "tasks": tasks,
            "totals": report.totals,
            "notes": report.notes,
            "head": report.head.as_ref().map(|(seq, digest)| json!({ "seq": seq, "sha256": digest })),
            "diagnostics": diagnostics_json(&report.diagnostics),
        }),
    )
}
