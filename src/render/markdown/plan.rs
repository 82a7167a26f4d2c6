//! A plan as a comment: what is exported, erased and retained, and why; what stands still comes first.

use std::fmt::Write as _;

use crate::model::{Action, Phase};
use crate::plan::{Comparison, PlannedTask, TaskChange, TaskDataset, TaskFile};
use crate::reconcile::PlanReport;
use crate::render::escape::{clip, code, html_code, markdown};
use crate::render::finding::{self, Finding, Standing, standing};
use crate::render::plan::{day, found, is_open, task_name, totals_line};
use crate::render::style::{bytes, count, plural};
use crate::render::{Places, against};

use super::others::place;
use super::page::Page;
use super::{MESSAGE, findings, head, message, row, some, table};

/// Files of one dataset that are listed.
const FILES: usize = 20;

/// The least room in which details are worth a try.
const LEAST: usize = 300;

/// The comment, of at most `limit` characters: a row a task, then the details of as many as fit.
pub fn plan_markdown(report: &PlanReport, places: &Places, limit: usize) -> String {
    let mut page = Page::new("plan", limit);
    let diagnostics: Vec<Finding> = finding::of_plan(report, places)
        .into_iter()
        .filter(|finding| !finding.rule.id.starts_with("task/"))
        .collect();
    let Some(plan) = &report.plan else {
        page.push("**No plan:** the policies are invalid.\n\n");
        let room = page.room();
        findings(&mut page, &diagnostics, room);
        return page.finish();
    };
    let _ = page.try_push(&format!("**{}**\n", markdown(&totals_line(&plan.totals))));
    if let Some(comparison) = &report.comparison {
        compared(&mut page, comparison, places);
    }
    let tasks = ordered(report);
    let settled = if report.comparison.is_some() { 0 } else { plan.tasks.len() - tasks.len() };
    if tasks.is_empty() {
        page.push("\nNothing to do.\n");
    } else {
        page.push("\n");
        overview(&mut page, report, &tasks, limit / 2);
    }
    if settled > 0 {
        let settled = plural(settled as u64, "task is", "tasks are");
        page.push(&format!("\n{settled} settled already.\n"));
    }
    for (done, note) in plan.notes.iter().enumerate() {
        if !page.try_push(&format!("\n> {}\n", message(note))) {
            page.more((plan.notes.len() - done) as u64, "notes");
            break;
        }
    }
    for drift in &report.drift {
        let name = code(&format!("{}/{}", drift.request, drift.key.as_deref().unwrap_or_default()));
        let places = drift.datasets.iter().map(place).collect::<Vec<_>>().join("; ");
        let line = format!("\n> drift: the policies would erase more of {name} today: {places}\n");
        let _ = page.try_push(&line);
    }
    if !diagnostics.is_empty() {
        page.push("\n");
        let most = page.room() / 3;
        findings(&mut page, &diagnostics, most);
    }
    let mut left_out = 0;
    for (task, change) in &tasks {
        let shown = !has_details(task, *change)
            || page.room() >= LEAST && page.try_push(&details(task, *change, page.room()));
        left_out += u64::from(!shown);
    }
    page.more(left_out, "tasks with details, which `amparo plan` shows");
    page.finish()
}

type Shown<'a> = (&'a PlannedTask, Option<&'a TaskChange>);

/// The tasks that a reader must think about: broken ones, then those that wait, then the plan's order.
fn ordered(report: &PlanReport) -> Vec<Shown<'_>> {
    let mut tasks: Vec<Shown<'_>> =
        report.shown_tasks().filter(|(task, change)| change.is_some() || is_open(task)).collect();
    tasks.sort_by_key(|(task, _)| standing(task, report.is_overdue(task)));
    tasks
}

fn compared(page: &mut Page, comparison: &Comparison, places: &Places) {
    let _ = page.try_push(&format!("\n{}\n", markdown(&against::line(comparison))));
    let policies = comparison
        .policies
        .iter()
        .map(|(file, what)| vec![code(&clip(&places.show(file), MESSAGE)), (*what).to_owned()]);
    let removed = comparison
        .removed
        .iter()
        .map(|id| vec![code(&clip(&id.to_string(), MESSAGE)), "task removed".to_owned()]);
    let total = comparison.policies.len() + comparison.removed.len();
    if total > 0 {
        page.push("\n");
        let most = page.room() / 6;
        table(page, &["also", "what"], (policies.chain(removed), total), "changes", most);
    }
    for note in &comparison.notes {
        let _ = page.try_push(&format!("\n> {}\n", message(note)));
    }
}

fn overview(page: &mut Page, report: &PlanReport, tasks: &[Shown<'_>], most: usize) {
    let compared = report.comparison.is_some();
    let mut columns = vec![
        "task",
        "action",
        "state",
        "due",
        ">exported rows",
        ">erased rows",
        ">files",
        ">re-encoded",
    ];
    if compared {
        columns.insert(0, "change");
    }
    let rows = tasks.iter().map(|(task, change)| {
        let mut cells = task_row(task, report.is_overdue(task));
        if compared {
            let change = if *change == Some(&TaskChange::New) { "new" } else { "changed" };
            cells.insert(0, change.to_owned());
        }
        cells
    });
    table(page, &columns, (rows, tasks.len()), "tasks", most);
}

fn task_row(task: &PlannedTask, overdue: bool) -> Vec<String> {
    let sum = |of: fn(&TaskDataset) -> u64| task.datasets.iter().map(of).sum::<u64>();
    let matched = sum(|d| d.person_rows + d.device_rows);
    let (exported, erased) = match task.action {
        Some(Action::Access) => (matched, 0),
        _ => (0, sum(|d| d.rows_erased)),
    };
    let files = match task.action {
        Some(Action::Access) => task.datasets.iter().map(|d| d.files.len() as u64).sum(),
        _ => sum(|d| d.files_touched),
    };
    let touched = sum(|d| d.bytes_touched);
    let due = task.due.map(day).unwrap_or_default();
    vec![
        code(&task_name(task)),
        task.action.map_or_else(String::new, |a| a.to_string()),
        state(task, overdue),
        if overdue { format!("**{due} overdue**") } else { due },
        some(exported),
        some(erased),
        some(files),
        if touched == 0 { String::new() } else { bytes(touched) },
    ]
}

fn state(task: &PlannedTask, overdue: bool) -> String {
    let text = match (task.phase, task.reason) {
        (Phase::Submitted, None) => "to do".to_owned(),
        (Phase::Submitted, Some(reason)) => reason.to_string(),
        (phase, Some(reason)) => format!("{phase}: {reason}"),
        (phase, None) => phase.to_string(),
    };
    if standing(task, overdue) <= Standing::Waits { format!("**{text}**") } else { text }
}

/// Whether there is more to say of a task than the overview does.
fn has_details(task: &PlannedTask, change: Option<&TaskChange>) -> bool {
    let changed = matches!(change, Some(TaskChange::Changed(lines)) if !lines.is_empty());
    task.message.is_some() || changed || task.datasets.iter().any(found)
}

/// What a task does, dataset by dataset.
fn details(task: &PlannedTask, change: Option<&TaskChange>, room: usize) -> String {
    let mut body = String::new();
    if let Some(text) = &task.message {
        let _ = writeln!(body, "> {}\n", message(text));
    }
    if let Some(TaskChange::Changed(lines)) = change {
        change_list(&mut body, lines, room / 4);
    }
    let identities: Vec<String> = task.identities.iter().map(identity).collect();
    if !identities.is_empty() {
        let _ = writeln!(body, "Identities: {}.\n", identities.join(", "));
    }
    let found_in = || task.datasets.iter().filter(|d| found(d));
    let fields = found_in().flat_map(|d| field_rows(task, d));
    part(&mut body, &["dataset", "field", "what", ">how much"], fields, "rows", room / 2);
    let delete = task.action == Some(Action::Delete);
    let touched =
        found_in().filter(|_| delete).flat_map(|d| &d.files).filter(|f| f.rows_erased > 0);
    let left = touched.clone().count().saturating_sub(FILES);
    let columns = ["file", ">rows", ">rows erased", ">cells", ">re-encoded"];
    part(&mut body, &columns, touched.take(FILES).map(file_row), "files", room / 3);
    if left > 0 {
        let _ = writeln!(body, "…and {} more files.\n", count(left as u64));
    }
    let empty: Vec<String> =
        task.datasets.iter().filter(|d| !found(d)).map(|d| code(d.dataset.as_str())).collect();
    if !empty.is_empty() {
        let _ = writeln!(body, "Nothing in {}.\n", empty.join(", "));
    }
    let action = task.action.map(|action| format!(" {action}")).unwrap_or_default();
    format!(
        "\n<details><summary>{}{action}{}</summary>\n\n{body}</details>\n",
        html_code(&task_name(task)),
        summary(task),
    )
}

fn change_list(body: &mut String, lines: &[String], room: usize) {
    for (done, line) in lines.iter().enumerate() {
        let line = format!("- {}\n", message(line));
        if body.len() + line.len() > room {
            let _ = writeln!(body, "- …and {} more", count((lines.len() - done) as u64));
            break;
        }
        body.push_str(&line);
    }
    body.push('\n');
}

/// `: 3 rows, 6 cells in 1 file`.
fn summary(task: &PlannedTask) -> String {
    let sum = |of: fn(&TaskDataset) -> u64| task.datasets.iter().map(of).sum::<u64>();
    let matched = sum(|d| d.person_rows + d.device_rows);
    match task.action {
        _ if matched == 0 => String::new(),
        Some(Action::Access) => format!(": {} exported", plural(matched, "row", "rows")),
        _ if sum(|d| d.rows_erased) == 0 => {
            format!(": {}", plural(matched, "row matches", "rows match"))
        }
        _ => {
            let cells: u64 = task
                .datasets
                .iter()
                .flat_map(|d| &d.fields)
                .filter(|f| f.method != "row")
                .map(|f| f.cells)
                .sum();
            format!(
                ": {} and {} erased in {}",
                plural(sum(|d| d.rows_erased), "row", "rows"),
                plural(cells, "cell", "cells"),
                plural(sum(|d| d.files_touched), "file", "files")
            )
        }
    }
}

fn identity(identity: &crate::plan::IdentityCount) -> String {
    let name = code(&identity.namespace);
    match identity.expanded {
        0 => format!("{} {name}", count(identity.given)),
        added => format!("{} {name} (+{} by expansion)", count(identity.given), count(added)),
    }
}

fn field_rows(task: &PlannedTask, dataset: &TaskDataset) -> Vec<Vec<String>> {
    let name = code(dataset.dataset.as_str());
    let mut rows = Vec::new();
    if task.action == Some(Action::Access) {
        rows.push(vec![
            name,
            "all that may be shown".to_owned(),
            "exported".to_owned(),
            format!(
                "{}, {}",
                plural(dataset.person_rows, "person row", "person rows"),
                plural(dataset.device_rows, "device row", "device rows")
            ),
        ]);
        return rows;
    }
    for field in &dataset.fields {
        let (what, unit) = match field.method.as_str() {
            "row" => ("rows removed".to_owned(), plural(field.cells, "row", "rows")),
            method => (format!("erased: {}", code(method)), plural(field.cells, "cell", "cells")),
        };
        rows.push(vec![name.clone(), code(&field.path), what, unit]);
    }
    for kept in &dataset.retained {
        let unit = if kept.path == "*" { ("row", "rows") } else { ("cell", "cells") };
        rows.push(vec![
            name.clone(),
            code(&kept.path),
            format!("**kept**: {}", message(&kept.why)),
            plural(kept.cells, unit.0, unit.1),
        ]);
    }
    rows
}

fn file_row(file: &TaskFile) -> Vec<String> {
    vec![
        code(&clip(&file.path, MESSAGE)),
        count(file.rows),
        count(file.rows_erased),
        count(file.cells_erased),
        bytes(file.bytes_touched),
    ]
}

/// A table within the details: as many rows as there is room for.
fn part(
    body: &mut String,
    columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    what: &str,
    room: usize,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    body.push_str(&head(columns));
    let end = body.len() + room;
    while let Some(cells) = rows.next() {
        let line = row(&cells);
        if body.len() + line.len() > end {
            let left = 1 + rows.count();
            let _ = write!(body, "\n…and {} more {what}.\n", count(left as u64));
            break;
        }
        body.push_str(&line);
    }
    body.push('\n');
}
