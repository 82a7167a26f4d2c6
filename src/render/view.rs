//! A subject's records, and masked copies of datasets.

use serde_json::{Map, Value, json};

use crate::engine::access::SeenCell;
use crate::model::{Granted, STARS};
use crate::reconcile::{PublishReport, Verdict, ViewReport, ViewedDataset};

use super::escape::printable;
use super::style::{bytes, count, plural};
use super::{document, table};

/// A table a dataset.
pub fn view_human(report: &ViewReport) -> String {
    let mut text = String::new();
    for dataset in &report.datasets {
        text.push_str(&format!("{}: {}\n", dataset.dataset, plural(dataset.rows, "row", "rows")));
        let names: Vec<String> =
            dataset.columns.iter().map(|column| printable(&column.path.to_string())).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = dataset.records.iter().map(|cells| cells.iter().map(cell_text).collect());
        text.push_str(&table(&names, rows.collect(), &[]));
        if let Some(more) = more(dataset) {
            text.push_str(&format!("({} more: --limit shows more)\n", count(more)));
        }
        text.push('\n');
    }
    if report.datasets.is_empty() {
        text.push_str("No records.\n");
    }
    text
}

/// Rows that are not shown.
pub(super) fn more(dataset: &ViewedDataset) -> Option<u64> {
    dataset.rows.checked_sub(dataset.records.len() as u64).filter(|more| *more > 0)
}

/// A cell on one line; stars where it may not be seen.
pub(super) fn cell_text(cell: &Option<SeenCell>) -> String {
    match cell {
        Some(cell) => printable(cell.text.expose()),
        None => STARS.to_owned(),
    }
}

fn cell_json(cell: &Option<SeenCell>) -> Value {
    match cell {
        // Ours is well-formed.
        Some(cell) => serde_json::from_str(cell.json.expose()).unwrap_or(Value::Null),
        None => json!(STARS),
    }
}

fn role(granted: &Granted) -> Value {
    json!({ "name": granted.role, "refused": granted.refused })
}

/// The document of `view`: of each dataset the columns, the hidden ones among them, and the records by path.
pub fn view_json(report: &ViewReport) -> String {
    let datasets: Vec<Value> = report
        .datasets
        .iter()
        .map(|dataset| {
            let records = dataset.records.iter().map(|cells| {
                let columns = dataset.columns.iter().map(|column| column.path.to_string());
                Value::Object(columns.zip(cells.iter().map(cell_json)).collect::<Map<_, _>>())
            });
            let hidden = dataset.columns.iter().filter(|column| column.hidden);
            json!({
                "dataset": dataset.dataset,
                "rows": dataset.rows,
                "more": more(dataset).unwrap_or(0),
                "hidden": hidden.map(|column| column.path.to_string()).collect::<Vec<_>>(),
                "records": records.collect::<Vec<_>>(),
            })
        })
        .collect();
    let partial = report.verdict != Verdict::Done;
    document(
        "view",
        &json!({
            "role": role(&report.granted),
            "actor": report.actor,
            "partial": partial,
            "datasets": datasets,
        }),
    )
}

/// What was published, in a few lines.
pub fn publish_human(report: &PublishReport) -> String {
    let mut text = format!(
        "published {} to {}: {}, {}\n{} copied as they were, {} encoded again\n",
        report.dataset,
        printable(&report.out.display().to_string()),
        plural(report.files, "file", "files"),
        plural(report.rows, "row", "rows"),
        bytes(report.bytes_copied),
        bytes(report.bytes_reencoded),
    );
    if report.masked.is_empty() {
        text.push_str("no column is masked\n");
    } else {
        let rows =
            report.masked.iter().map(|(path, with)| vec![printable(path), (*with).to_owned()]);
        text.push_str(&table(&["MASKED COLUMN", "HOLDS"], rows.collect(), &[]));
    }
    text
}

/// The document of `publish`.
pub fn publish_json(report: &PublishReport) -> String {
    let masked: Vec<Value> =
        report.masked.iter().map(|(path, with)| json!({ "path": path, "with": with })).collect();
    document(
        "publish",
        &json!({
            "dataset": report.dataset,
            "role": role(&report.granted),
            "actor": report.actor,
            "out": report.out.display().to_string(),
            "files": report.files,
            "rows": report.rows,
            "bytesCopied": report.bytes_copied,
            "bytesReencoded": report.bytes_reencoded,
            "masked": masked,
        }),
    )
}
