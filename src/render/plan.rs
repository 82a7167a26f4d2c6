//! A plan for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::{Action, Phase};
use crate::plan::{Plan, PlannedTask, TaskChange, TaskDataset, Totals};
use crate::reconcile::{Drift, PlanReport};

use super::escape::printable;
use super::style::{bytes, count, plural};
use super::verify::fields;
use super::{Style, against, diagnostics_json, document};

/// The plan as a person reads it.
pub fn plan_human(plan: &Plan, style: Style) -> String {
    let mut text = String::new();
    let (open, settled): (Vec<_>, Vec<_>) = plan.tasks.iter().partition(|task| is_open(task));
    for task in &open {
        text.push_str(&task_human(task, style));
    }
    if !settled.is_empty() {
        let done = settled.iter().filter(|t| t.phase == Phase::Complete).count() as u64;
        let line = format!(
            "{} already settled ({} complete)",
            plural(settled.len() as u64, "task", "tasks"),
            count(done)
        );
        let _ = writeln!(text, "{}\n", style.dim(&line));
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{} {}", style.dim("note:"), printable(note));
    }
    let _ = writeln!(text, "{} {}", style.bold("Plan:"), totals_line(&plan.totals));
    text
}

/// Finished erasures that the policies would no longer leave as they are.
fn drift_human(drift: &[Drift], style: Style) -> String {
    if drift.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "{} finished erasures are not what the policies say today; only `standing: true` is carried out:\n",
        style.warn("drift:")
    );
    for erasure in drift {
        let key = erasure.key.as_deref().unwrap_or_default();
        let name = printable(&format!("{}/{key}", erasure.request));
        for found in &erasure.datasets {
            let rows = plural(found.rows, "row", "rows");
            let fields = fields(&found.fields);
            let _ = writeln!(text, "  {}  {}  {rows}  {fields}", style.bold(&name), found.dataset);
        }
    }
    text.push('\n');
    text
}

/// What of a plan the base has not, or has otherwise; without a base the whole plan.
pub fn plan_report_human(report: &PlanReport, style: Style) -> String {
    let (Some(plan), Some(comparison)) = (&report.plan, &report.comparison) else {
        let plan = report.plan.as_ref().map(|plan| plan_human(plan, style)).unwrap_or_default();
        return drift_human(&report.drift, style) + &plan;
    };
    let mut text = drift_human(&report.drift, style);
    for (task, change) in report.shown_tasks() {
        let shown = task_human(task, style);
        let (first, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
        let lines = match change {
            Some(TaskChange::Changed(lines)) => lines.as_slice(),
            _ => &[],
        };
        let word = if lines.is_empty() { "new" } else { "changed" };
        let _ = writeln!(text, "{first}  {}", style.bold(word));
        for line in lines {
            let _ = writeln!(text, "    {} {}", style.bold("*"), printable(line));
        }
        text.push_str(rest);
    }
    for id in &comparison.removed {
        let _ = writeln!(text, "{} {} removed\n", style.bad("x"), printable(&id.to_string()));
    }
    for (file, what) in &comparison.policies {
        let _ = writeln!(text, "file {}: {what}", printable(file));
    }
    for note in plan.notes.iter().chain(&comparison.notes) {
        let _ = writeln!(text, "{} {}", style.dim("note:"), printable(note));
    }
    let _ = writeln!(text, "{}", against::line(comparison));
    let _ = writeln!(text, "{} {}", style.bold("Plan:"), totals_line(&plan.totals));
    text
}

/// Whether a reader still has to think about the task.
pub(super) fn is_open(task: &PlannedTask) -> bool {
    !matches!(task.phase, Phase::Complete | Phase::Cancelled)
}

/// `3 exports, 2 erasures (…), 1 blocked`.
pub(super) fn totals_line(totals: &Totals) -> String {
    let mut line = format!(
        "{}, {}",
        plural(totals.exports, "export", "exports"),
        plural(totals.erasures, "erasure", "erasures")
    );
    if totals.erasures > 0 {
        let _ = write!(
            line,
            " ({}, {} in {}; {} of {} re-encoded)",
            plural(totals.rows_erased, "row", "rows"),
            plural(totals.cells_erased, "cell", "cells"),
            plural(totals.files_touched, "file", "files"),
            bytes(totals.bytes_touched),
            bytes(totals.bytes_total),
        );
    }
    if totals.blocked > 0 {
        let _ = write!(line, ", {} blocked", count(totals.blocked));
    }
    line
}

/// `request/key`.
pub(super) fn task_name(task: &PlannedTask) -> String {
    match &task.key {
        Some(key) => format!("{}/{}", task.request, printable(key)),
        None => task.request.to_string(),
    }
}

/// What the task does, with the sign that terraform's users know.
fn sign(task: &PlannedTask, style: Style) -> String {
    match (task.phase, task.action) {
        (Phase::Rejected | Phase::Failed, _) => style.bad("!"),
        (Phase::Blocked, _) => style.warn("#"),
        (_, Some(Action::Access)) => style.good("+"),
        (_, Some(Action::Delete)) => style.warn("-"),
        (_, None) => " ".to_owned(),
    }
}

fn task_human(task: &PlannedTask, style: Style) -> String {
    let mut text = String::new();
    let action = task.action.map_or("", Action::as_str);
    let _ = write!(text, "{} {} {action}", sign(task, style), style.bold(&task_name(task)));
    if task.phase != Phase::Submitted {
        let _ = write!(text, "  {}", task.phase);
        if let Some(reason) = task.reason {
            let _ = write!(text, " ({reason})");
        }
    }
    if let Some(due) = task.due {
        let _ = write!(text, "  {}", style.dim(&format!("due {}", day(due))));
    }
    text.push('\n');
    if let Some(message) = &task.message {
        let _ = writeln!(text, "    {}", printable(message));
    }
    let identities: Vec<String> = task
        .identities
        .iter()
        .map(|i| match i.expanded {
            0 => format!("{} {}", count(i.given), i.namespace),
            added => format!("{} {} (+{} by expansion)", count(i.given), i.namespace, count(added)),
        })
        .collect();
    if !identities.is_empty() {
        let _ =
            writeln!(text, "    {}", style.dim(&format!("identities: {}", identities.join(", "))));
    }
    for dataset in task.datasets.iter().filter(|d| found(d)) {
        text.push_str(&dataset_human(dataset, task.action, style));
    }
    let empty: Vec<&str> =
        task.datasets.iter().filter(|d| !found(d)).map(|d| d.dataset.as_str()).collect();
    if !empty.is_empty() {
        let _ = writeln!(text, "    {}", style.dim(&format!("nothing in {}", empty.join(", "))));
    }
    text.push('\n');
    text
}

/// Whether anything of the subject is in the dataset.
pub(super) fn found(dataset: &TaskDataset) -> bool {
    dataset.person_rows + dataset.device_rows > 0
}

fn dataset_human(dataset: &TaskDataset, action: Option<Action>, style: Style) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "    {}  {}, {} in {}",
        dataset.dataset,
        plural(dataset.person_rows, "person row", "person rows"),
        plural(dataset.device_rows, "device row", "device rows"),
        plural(dataset.files.len() as u64, "file", "files"),
    );
    if action != Some(Action::Delete) {
        return text;
    }
    for field in &dataset.fields {
        let _ = writeln!(
            text,
            "      {} {}  {}  {}",
            style.warn("~"),
            printable(&field.path),
            field.method,
            plural(field.cells, "cell", "cells")
        );
    }
    for kept in &dataset.retained {
        let what = if kept.path == "*" {
            plural(kept.cells, "row", "rows")
        } else {
            plural(kept.cells, "cell", "cells")
        };
        let _ = writeln!(
            text,
            "      = {}  kept  {what}  {}",
            printable(&kept.path),
            style.dim(&printable(&kept.why))
        );
    }
    if dataset.files_touched > 0 {
        let line = format!(
            "rewrites {} in {} ({})",
            plural(dataset.row_groups_touched, "row group", "row groups"),
            plural(dataset.files_touched, "file", "files"),
            bytes(dataset.bytes_touched)
        );
        let _ = writeln!(text, "      {}", style.dim(&line));
    }
    text
}

/// The calendar day, UTC.
pub(super) fn day(instant: jiff::Timestamp) -> String {
    instant.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// The document of `plan`.
pub fn plan_json(report: &PlanReport) -> String {
    let mut body = match report.plan.as_ref().map(serde_json::to_value) {
        Some(Ok(Value::Object(keys))) => Value::Object(keys),
        _ => {
            json!({ "planId": null, "inputs": null, "tasks": [], "totals": Totals::default(), "notes": [] })
        }
    };
    if let Value::Object(keys) = &mut body {
        if let Some(comparison) = &report.comparison {
            keys.insert("tasks".to_owned(), report.shown_tasks().map(task_json).collect());
            keys.insert("base".to_owned(), against::json(comparison));
        }
        keys.insert("diagnostics".to_owned(), diagnostics_json(&report.diagnostics));
        keys.insert("drift".to_owned(), json!(report.drift));
    }
    document("plan", &body)
}

fn task_json((task, change): (&PlannedTask, Option<&TaskChange>)) -> Value {
    let mut value = serde_json::to_value(task).unwrap_or_default();
    if let (Value::Object(keys), Some(change)) = (&mut value, change) {
        keys.extend(against::task_json(change));
    }
    value
}
