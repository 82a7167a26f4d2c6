//! Whether everything still holds.

use std::fmt::Write as _;

use crate::reconcile::VerifyReport;

use super::escape::printable;
use super::style::plural;
use super::{Style, document, table};

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
                let found = match e.rows_found {
                    None => "cannot be checked: the request is gone".to_owned(),
                    Some(0) => style.good("gone"),
                    Some(n) => style.bad(&plural(n, "row found", "rows found")),
                };
                vec![e.request.to_string(), printable(e.key.as_deref().unwrap_or_default()), found]
            })
            .collect();
        if !rows.is_empty() {
            text.push('\n');
            text.push_str(&table(&["ERASURE", "KEY", "TODAY"], rows, &[]));
        }
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

/// The document of `verify`.
pub fn verify_json(report: &VerifyReport) -> String {
    document("verify", report)
}
