//! Where a subject appears.

use serde_json::{Value, json};

use crate::reconcile::FindReport;

use super::escape::printable;
use super::style::count;
use super::{diagnostics_json, document, table};

/// A line a dataset, or a line a combination of the fields asked for.
pub fn find_human(report: &FindReport) -> String {
    if report.by.is_empty() {
        let rows = report
            .datasets
            .iter()
            .map(|d| vec![d.dataset.to_string(), count(d.files), count(d.rows)])
            .collect();
        return table(&["DATASET", "FILES", "ROWS"], rows, &[1, 2]);
    }
    let mut header: Vec<&str> = vec!["DATASET", "ROWS"];
    header.extend(report.by.iter().map(String::as_str));
    let rows = report
        .datasets
        .iter()
        .flat_map(|d| {
            d.by.iter().map(|part| {
                let mut row = vec![d.dataset.to_string(), count(part.rows)];
                row.extend(part.values.iter().map(|v| printable(v.as_deref().unwrap_or("(none)"))));
                row
            })
        })
        .collect();
    table(&header, rows, &[1])
}

/// The document of `find`.
pub fn find_json(report: &FindReport) -> String {
    let datasets: Vec<Value> = report
        .datasets
        .iter()
        .map(|d| {
            let mut value = json!({ "dataset": d.dataset, "files": d.files, "rows": d.rows });
            if !report.by.is_empty()
                && let Value::Object(keys) = &mut value
            {
                let by: Vec<Value> =
                    d.by.iter()
                        .map(|part| {
                            let values: serde_json::Map<String, Value> = report
                                .by
                                .iter()
                                .cloned()
                                .zip(part.values.iter().map(|v| json!(v)))
                                .collect();
                            json!({ "values": values, "rows": part.rows })
                        })
                        .collect();
                keys.insert("by".to_owned(), Value::Array(by));
            }
            value
        })
        .collect();
    document(
        "find",
        &json!({
            "datasets": datasets,
            "problems": report.problems,
            "diagnostics": diagnostics_json(&report.diagnostics),
        }),
    )
}
