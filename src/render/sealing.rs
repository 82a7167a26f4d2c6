//! Keys, sealed files, retired requests, opened packages.

use std::path::Path;

use serde_json::{Value, json};

use crate::model::{Name, NamespaceName};
use crate::reconcile::{RetireReport, SealReport};

use super::escape::printable;
use super::style::plural;
use super::{diagnostics_json, document};

/// The document of `keygen`.
pub fn keygen_json(recipient: &str, file: &Path) -> String {
    document("keygen", &json!({ "recipient": recipient, "file": file.display().to_string() }))
}

/// The document of `seal` for values.
pub fn seal_values_json<'a>(
    request: &Name,
    sealed: impl Iterator<Item = (&'a NamespaceName, &'a String)>,
) -> String {
    let sealed: Vec<Value> = sealed
        .map(|(namespace, value)| json!({ "namespace": namespace.to_string(), "value": value }))
        .collect();
    document("seal", &json!({ "request": request, "sealed": sealed }))
}

/// A line a file.
pub fn seal_files_human(reports: &[SealReport]) -> String {
    let line = |report: &SealReport| {
        let file = printable(&report.file.display().to_string());
        if !report.diagnostics.is_empty() {
            return format!("{file}: not sealed: mend it first\n");
        }
        let identities = plural(report.sealed, "identity", "identities");
        let before = match report.before {
            0 => String::new(),
            before => format!(" ({before} before)"),
        };
        format!("{file}: sealed {identities}{before}\n")
    };
    reports.iter().map(line).collect()
}

/// The document of `seal --in-place`.
pub fn seal_files_json(reports: &[SealReport]) -> String {
    let files: Vec<Value> = reports
        .iter()
        .map(|report| {
            json!({
                "file": report.file.display().to_string(),
                "sealed": report.sealed,
                "before": report.before,
                "diagnostics": diagnostics_json(&report.diagnostics),
            })
        })
        .collect();
    document("seal", &json!({ "files": files }))
}

/// What was retired, and what that does not reach.
pub fn retire_human(report: &RetireReport) -> String {
    let file = printable(&report.file.display().to_string());
    if report.retired == 0 {
        return format!("{}: every identity in {file} is a digest already\n", report.request);
    }
    format!(
        "{}: replaced {} by digests in {file}\nGit keeps what was committed before: see docs/sealing.md.\n",
        report.request,
        plural(report.retired, "identity", "identities"),
    )
}

/// The document of `retire`.
pub fn retire_json(report: &RetireReport) -> String {
    document(
        "retire",
        &json!({
            "request": report.request,
            "file": report.file.display().to_string(),
            "retired": report.retired,
            "before": report.before,
        }),
    )
}

/// The document of `open`.
pub fn open_json(package: &Path, file: &Path) -> String {
    let (package, file) = (package.display().to_string(), file.display().to_string());
    document("open", &json!({ "package": package, "file": file }))
}
