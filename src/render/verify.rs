//! Whether everything still holds.

use std::fmt::Write as _;

use serde_json::Value;

use crate::plan::FieldCount;
use crate::reconcile::{Canaries, ErasureState, VerifyReport};

use super::escape::printable;
use super::style::plural;
use super::{Style, diagnostics_json, document, table};

/// The report as a person reads it.
pub fn verify_human(report: &VerifyReport, style: Style) -> String {
    let mut text = String::new();
    let ledger = &report.ledger;
    let state = if ledger.intact { style.good("intact") } else { style.bad("NOT intact") };
    let head = ledger.head.as_deref().unwrap_or("none");
    let _ = writeln!(
        text,
        "ledger: {state}, {}, head {head}",
        plural(ledger.entries, "entry", "entries")
    );
    for problem in &report.problems {
        let _ = writeln!(text, "  {} {}", style.bad("!"), printable(problem));
    }
    if let Some(erasures) = &report.erasures {
        let rows: Vec<_> = erasures
            .iter()
            .map(|e| {
                let rows = |n| style.bad(&plural(n, "row found", "rows found"));
                let found = match (e.rows_found, e.message.as_deref().map(printable)) {
                    (_, Some(why)) if e.apart => format!("no longer checked: {why}"),
                    (Some(n), Some(why)) => format!(
                        "{}; {}",
                        rows(n),
                        style.bad(&format!("not all of it can be told: {why}"))
                    ),
                    (None, why) => {
                        style.bad(&format!("cannot be told: {}", why.unwrap_or_default()))
                    }
                    (Some(0), None) => style.good("gone"),
                    (Some(n), None) => rows(n),
                };
                vec![e.request.to_string(), printable(e.key.as_deref().unwrap_or_default()), found]
            })
            .collect();
        if !rows.is_empty() {
            text.push('\n');
            text.push_str(&table(&["ERASURE", "KEY", "TODAY"], rows, &[]));
        }
        text.push_str(&places(erasures, style));
        if let Some(unchecked) = report.unchecked.filter(|unchecked| *unchecked > 0) {
            let what = plural(unchecked, "erasure", "erasures");
            let _ =
                writeln!(text, "\n{what} counted apart: nobody here can look for them any more");
        }
    }
    if let Some(canaries) = &report.canaries {
        text.push_str(&canaries_human(canaries, style));
    }
    if let Some(packages) = &report.packages {
        let rows: Vec<_> = packages
            .iter()
            .map(|p| {
                let state =
                    if p.intact { style.good("intact") } else { style.bad("missing or altered") };
                vec![printable(&p.package), state]
            })
            .collect();
        if !rows.is_empty() {
            text.push('\n');
            text.push_str(&table(&["PACKAGE", "TODAY"], rows, &[]));
        }
    }
    let _ = writeln!(
        text,
        "{}",
        if report.ok { style.good("ok") } else { style.bad("something does not hold") }
    );
    text
}

/// Where what was found lies.
fn places(erasures: &[ErasureState], style: Style) -> String {
    let mut rows = Vec::new();
    for erasure in erasures {
        for dataset in &erasure.datasets {
            rows.push(vec![
                erasure.request.to_string(),
                printable(erasure.key.as_deref().unwrap_or_default()),
                dataset.dataset.to_string(),
                style.bad(&plural(dataset.rows, "row", "rows")),
                fields(&dataset.fields),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = ["ERASURE", "KEY", "DATASET", "NOT ERASED", "FIELDS"];
    format!(
        "\n{}It came later, or the policies have changed: `standing: true` keeps an erasure in force, \
         a new request erases once more.\n",
        table(&head, rows, &[])
    )
}

/// `email 3 cells, ip 1 cell`.
pub(super) fn fields(fields: &[FieldCount]) -> String {
    let cells = |field: &FieldCount| {
        format!("{} {}", printable(&field.path), plural(field.cells, "cell", "cells"))
    };
    fields.iter().map(cells).collect::<Vec<_>>().join(", ")
}

/// Whether the search found what it had to find.
fn canaries_human(canaries: &Canaries, style: Style) -> String {
    let found = format!("{} of {}", canaries.found, canaries.expected);
    let found = if canaries.sing() { style.good(&found) } else { style.bad(&found) };
    let mut text = format!("\ncanaries: {found} values that are there were found\n");
    for dataset in canaries.datasets.iter().filter(|dataset| !dataset.without.is_empty()) {
        let fields = printable(&dataset.without.join(", "));
        let _ = writeln!(
            text,
            "  dataset {}: no value to look for in {fields}: nothing shows that the search sees there",
            dataset.dataset
        );
    }
    text
}

/// The document of `verify`.
pub fn verify_json(report: &VerifyReport) -> String {
    let mut body = serde_json::to_value(report).unwrap_or_default();
    if let Value::Object(keys) = &mut body {
        keys.insert("diagnostics".to_owned(), diagnostics_json(&report.diagnostics));
    }
    document("verify", &body)
}
