//! A plan and a check as a pull-request comment: stable, without times of day, so that two runs over
//! the same input give the same bytes.

use std::fmt::Write as _;

use crate::diagnostic::Severity;
use crate::model::{Action, Phase};
use crate::plan::PlannedTask;
use crate::reconcile::{CheckReport, PlanReport};

use super::plan::{day, found, is_open, task_name, totals_line};
use super::style::{bytes, count};

/// Text that cannot become markup in a Markdown table.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A table; cells are escaped.
pub fn table_markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), " --- |".repeat(header.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// The plan as a comment.
pub fn plan_markdown(report: &PlanReport) -> String {
    let mut text = String::from("## amparo plan\n\n");
    let Some(plan) = &report.plan else {
        text.push_str("**No plan:** the policies are invalid.\n\n");
        text.push_str(&diagnostics_table(&report.diagnostics));
        return text;
    };
    let _ = writeln!(text, "**{}**\n", escape(&totals_line(&plan.totals)));
    let open: Vec<&PlannedTask> = plan.tasks.iter().filter(|t| is_open(t)).collect();
    if open.is_empty() {
        text.push_str("Nothing to do.\n");
    } else {
        let rows: Vec<Vec<String>> = open.iter().map(|t| task_row(t)).collect();
        text.push_str(&table_markdown(
            &[
                "task",
                "action",
                "state",
                "due",
                "person rows",
                "device rows",
                "erased rows",
                "re-encoded",
            ],
            &rows,
        ));
        for task in &open {
            text.push_str(&details(task));
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "\n> {}", escape(note));
    }
    if !report.diagnostics.is_empty() {
        text.push('\n');
        text.push_str(&diagnostics_table(&report.diagnostics));
    }
    text
}

fn task_row(task: &PlannedTask) -> Vec<String> {
    let sum = |of: fn(&crate::plan::TaskDataset) -> u64| task.datasets.iter().map(of).sum::<u64>();
    let state = match (task.phase, task.reason) {
        (Phase::Submitted, None) => "to do".to_owned(),
        (phase, Some(reason)) => format!("{phase}: {reason}"),
        (phase, None) => phase.to_string(),
    };
    vec![
        task_name(task),
        task.action.map_or_else(String::new, |a| a.to_string()),
        state,
        task.due.map(day).unwrap_or_default(),
        count(sum(|d| d.person_rows)),
        count(sum(|d| d.device_rows)),
        count(sum(|d| d.rows_erased)),
        bytes(sum(|d| d.bytes_touched)),
    ]
}

fn details(task: &PlannedTask) -> String {
    let mut rows = Vec::new();
    for dataset in task.datasets.iter().filter(|d| found(d)) {
        let name = dataset.dataset.to_string();
        if task.action == Some(Action::Access) {
            let all = dataset.person_rows + dataset.device_rows;
            rows.push(vec![
                name.clone(),
                "*".to_owned(),
                "export".to_owned(),
                format!("{} rows", count(all)),
            ]);
        }
        for field in &dataset.fields {
            rows.push(vec![
                name.clone(),
                field.path.clone(),
                field.method.clone(),
                format!("{} cells", count(field.cells)),
            ]);
        }
        for kept in &dataset.retained {
            let unit = if kept.path == "*" { "rows" } else { "cells" };
            rows.push(vec![
                name.clone(),
                kept.path.clone(),
                format!("kept: {}", kept.why),
                format!("{} {unit}", count(kept.cells)),
            ]);
        }
    }
    if rows.is_empty() && task.message.is_none() {
        return String::new();
    }
    let mut text = format!(
        "\n<details><summary>{} {}</summary>\n\n",
        escape(&task_name(task)),
        task.action.map_or("", Action::as_str)
    );
    if let Some(message) = &task.message {
        let _ = writeln!(text, "{}\n", escape(message));
    }
    if !rows.is_empty() {
        text.push_str(&table_markdown(&["dataset", "field", "what", "how much"], &rows));
    }
    text.push_str("\n</details>\n");
    text
}

/// The check as a comment.
pub fn check_markdown(report: &CheckReport) -> String {
    let verdict = if report.valid { "valid" } else { "**invalid**" };
    let mut text = format!("## amparo check\n\nPolicies and requests are {verdict}.\n");
    if !report.diagnostics.is_empty() {
        text.push('\n');
        text.push_str(&diagnostics_table(&report.diagnostics));
    }
    text
}

fn diagnostics_table(diagnostics: &[crate::diagnostic::Diagnostic]) -> String {
    let rows: Vec<Vec<String>> = diagnostics
        .iter()
        .map(|d| {
            let severity = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            vec![
                severity.to_owned(),
                d.code.id.to_owned(),
                format!("{}:{}:{}", d.position.file, d.position.line, d.position.column),
                d.message.clone(),
                d.help.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table_markdown(&["severity", "code", "where", "what", "help"], &rows)
}
