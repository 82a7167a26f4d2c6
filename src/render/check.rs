//! What `check` found.

use serde_json::json;

use crate::reconcile::CheckReport;

use super::{Style, diagnostics_json, document, plural};

/// The line that ends a check; the diagnostics go to standard error by themselves.
pub fn check_human(report: &CheckReport, style: Style) -> String {
    let what = format!(
        "{}, {}, {}",
        plural(report.datasets, "dataset", "datasets"),
        plural(report.requests, "request", "requests"),
        plural(report.blocks, "user block", "user blocks"),
    );
    if report.valid {
        format!("{} {what}\n", style.good("valid:"))
    } else {
        format!("{} {what}\n", style.bad("invalid:"))
    }
}

/// The document of `check`.
pub fn check_json(report: &CheckReport) -> String {
    document(
        "check",
        &json!({ "diagnostics": diagnostics_json(&report.diagnostics), "valid": report.valid }),
    )
}
