//! What the other commands print, as Markdown.

use std::iter::Cloned;
use std::slice::Iter;

use crate::plan::{Failure, HistoryEntry};
use crate::reconcile::{ApplyReport, FindReport, StatusReport, TodayDataset, VerifyReport};
use crate::render::Vocabulary;
use crate::render::escape::{code, markdown};
use crate::render::plan::{day, found, task_name, totals_line};
use crate::render::status::{minute, phase};
use crate::render::style::{count, plural};
use crate::render::verify::fields;

use super::page::Page;
use super::{COMMENT_LIMIT, message, table};

/// A page with one table, or a line that says that there is nothing.
fn listed(command: &str, columns: &[&str], rows: &[Vec<String>], none: &str) -> String {
    let mut page = Page::new(command, COMMENT_LIMIT);
    if rows.is_empty() {
        page.push(none);
    }
    let room = page.room();
    table(&mut page, columns, listing(rows), "lines", room);
    page.finish()
}

/// Rows that are all made already.
fn listing(rows: &[Vec<String>]) -> (Cloned<Iter<'_, Vec<String>>>, usize) {
    (rows.iter().cloned(), rows.len())
}

fn optional(text: Option<&str>) -> String {
    text.map(code).unwrap_or_default()
}

/// What a pass did.
pub fn apply_markdown(report: &ApplyReport) -> String {
    let mut page = Page::new("apply", COMMENT_LIMIT);
    if report.plan_id.is_some() {
        page.push(&format!("**{}**\n\n", markdown(&totals_line(&report.totals))));
    }
    let rows: Vec<Vec<String>> = report
        .tasks
        .iter()
        .filter(|done| done.touched)
        .map(|done| {
            let task = &done.task;
            let rows: u64 = task
                .datasets
                .iter()
                .filter(|d| found(d))
                .map(|d| d.person_rows + d.device_rows)
                .sum();
            let reason = task.reason.map(|r| format!(": {r}")).unwrap_or_default();
            let package = done.package.as_deref().map(code);
            vec![
                code(&task_name(task)),
                task.action.map_or_else(String::new, |a| a.to_string()),
                format!("{}{reason}", task.phase),
                count(rows),
                package.or_else(|| task.message.as_deref().map(message)).unwrap_or_default(),
            ]
        })
        .collect();
    if rows.is_empty() && report.plan_id.is_some() {
        page.push("Nothing to do: every task is settled.\n");
    }
    let most = page.room() / 2;
    table(
        &mut page,
        &["task", "action", "state", ">found rows", "package or message"],
        listing(&rows),
        "tasks",
        most,
    );
    for note in &report.notes {
        let _ = page.try_push(&format!("\n> {}\n", message(note)));
    }
    if let Some((seq, digest)) = &report.head {
        page.push(&format!("\nLedger head: `{seq}:{digest}`\n"));
    }
    page.finish()
}

/// A line a task.
pub fn status_markdown(report: &StatusReport, vocabulary: Vocabulary) -> String {
    let rows: Vec<Vec<String>> = report
        .tasks
        .iter()
        .map(|task| {
            let (phase, reason) = phase(task, vocabulary);
            let due = task.due.map(day).unwrap_or_default();
            let package = task.package.as_deref().map(code);
            vec![
                code(task.task.request.as_str()),
                optional(task.task.key.as_deref()),
                task.task.action.map_or_else(String::new, |a| a.to_string()),
                markdown(&phase),
                markdown(&reason.unwrap_or_default()),
                if task.overdue { format!("**{due} overdue**") } else { due },
                package.or_else(|| task.message.as_deref().map(message)).unwrap_or_default()
                    + &task.failure.as_ref().map(attempts).unwrap_or_default()
                    + &task.help.map(|help| format!("<br>{}", message(help))).unwrap_or_default(),
            ]
        })
        .collect();
    listed(
        "status",
        &["request", "key", "action", "phase", "reason", "due", "package or message"],
        &rows,
        "No tasks: the ledger has seen no request.\n",
    )
}

/// How often a task has failed, and when the daemon tries again.
fn attempts(failure: &Failure) -> String {
    format!(
        "<br>failed {}, since {}; `watch` tries again by {}",
        plural(u64::from(failure.attempts), "time", "times"),
        minute(failure.first_failed_at),
        minute(failure.next_try_at),
    )
}

/// A line an export or deletion.
pub fn history_markdown(entries: &[HistoryEntry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                code(entry.task.request.as_str()),
                optional(entry.task.key.as_deref()),
                entry.task.action.map_or_else(String::new, |a| a.to_string()),
                markdown(&entry.sources.join(", ")),
                day(entry.requested_at),
                entry.handled_at.map(day).unwrap_or_default(),
                format!("{:?}", entry.status),
                optional(entry.package.as_deref()),
                entry.expires_at.map(day).unwrap_or_default(),
            ]
        })
        .collect();
    listed(
        "history",
        &[
            "request",
            "key",
            "action",
            "sources",
            "requested",
            "handled",
            "status",
            "package",
            "expires",
        ],
        &rows,
        "No exports and no deletions yet.\n",
    )
}

/// Whether everything still holds: what does not comes first.
pub fn verify_markdown(report: &VerifyReport) -> String {
    let mut page = Page::new("verify", COMMENT_LIMIT);
    page.push(if report.ok { "Everything holds.\n\n" } else { "**Something does not hold.**\n\n" });
    let ledger = &report.ledger;
    let intact = if ledger.intact { "intact" } else { "**not intact**" };
    let head = ledger.head.as_deref().map_or_else(|| "none".to_owned(), code);
    page.push(&format!(
        "Ledger: {intact}, {}, head {head}\n",
        plural(ledger.entries, "entry", "entries")
    ));
    for problem in &report.problems {
        let _ = page.try_push(&format!("- {}\n", message(problem)));
    }
    let mut erasures: Vec<_> = report.erasures.iter().flatten().collect();
    erasures.sort_by_key(|erasure| match erasure.rows_found {
        _ if erasure.apart => 2,
        Some(0) => 3,
        None => 1,
        Some(_) => 0,
    });
    let rows: Vec<Vec<String>> = erasures
        .iter()
        .map(|erasure| {
            let places = || erasure.datasets.iter().map(place).collect::<Vec<_>>().join("; ");
            let rows = |n| format!("**{} found**: {}", plural(n, "row", "rows"), places());
            let today = match (erasure.rows_found, erasure.message.as_deref().map(message)) {
                (_, Some(why)) if erasure.apart => format!("no longer checked: {why}"),
                (Some(n), Some(why)) => {
                    format!("{}; **not all of it can be told:** {why}", rows(n))
                }
                (None, why) => format!("**cannot be told:** {}", why.unwrap_or_default()),
                (Some(0), None) => "gone".to_owned(),
                (Some(n), None) => rows(n),
            };
            vec![code(erasure.request.as_str()), optional(erasure.key.as_deref()), today]
        })
        .collect();
    page.push("\n");
    let most = page.room() / 2;
    table(&mut page, &["erasure", "key", "today"], listing(&rows), "erasures", most);
    if let Some(canaries) = &report.canaries {
        let (found, expected) = (canaries.found, canaries.expected);
        let line = format!("\nCanaries: {found} of {expected} values that are there were found.\n");
        let _ = page.try_push(&line);
    }
    let mut packages: Vec<_> = report.packages.iter().flatten().collect();
    packages.sort_by_key(|package| package.intact);
    let rows: Vec<Vec<String>> = packages
        .iter()
        .map(|package| {
            let today = if package.intact { "intact" } else { "**missing or altered**" };
            vec![code(&package.package), today.to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        page.push("\n");
    }
    let most = page.room();
    table(&mut page, &["package", "today"], listing(&rows), "packages", most);
    page.finish()
}

/// A dataset and what in it is not erased.
pub(super) fn place(found: &TodayDataset) -> String {
    let (dataset, rows) = (code(found.dataset.as_str()), plural(found.rows, "row", "rows"));
    match fields(&found.fields) {
        none if none.is_empty() => format!("{dataset} {rows}"),
        fields => format!("{dataset} {rows} ({})", markdown(&fields)),
    }
}

/// Where a subject appears.
pub fn find_markdown(report: &FindReport) -> String {
    if report.by.is_empty() {
        let rows: Vec<Vec<String>> = report
            .datasets
            .iter()
            .map(|d| vec![code(d.dataset.as_str()), count(d.files), count(d.rows)])
            .collect();
        return listed("find", &["dataset", ">files", ">rows"], &rows, "No datasets.\n");
    }
    let fields: Vec<String> = report.by.iter().map(|field| code(field)).collect();
    let mut columns = vec!["dataset", ">rows"];
    columns.extend(fields.iter().map(String::as_str));
    let rows: Vec<Vec<String>> = report
        .datasets
        .iter()
        .flat_map(|d| {
            d.by.iter().map(|part| {
                let mut cells = vec![code(d.dataset.as_str()), count(part.rows)];
                let value = |v: &Option<String>| v.as_deref().map_or("(none)".to_owned(), markdown);
                cells.extend(part.values.iter().map(value));
                cells
            })
        })
        .collect();
    listed("find", &columns, &rows, "Nothing found.\n")
}
