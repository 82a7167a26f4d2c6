//! `manifest.json`: what the package says of itself (RULES.md section 4).

use serde::Serialize;

use super::archive::{Archive, Entry};
use super::layout::Layout;
use super::{AccessError, AccessTask, DatasetCounts};

/// The version of the package's form; raised when a reader would have to change.
const FORMAT_VERSION: &str = "1.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    format_version: &'static str,
    tool_version: &'static str,
    request: &'a str,
    key: &'a str,
    action: &'static str,
    regulation: Option<&'a str>,
    received_at: String,
    compiled_at: String,
    expires_at: String,
    entries: Vec<Entry>,
    datasets: Vec<Dataset<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dataset<'a> {
    dataset: &'a str,
    person_rows: u64,
    device_rows: u64,
    duplicates_removed: u64,
}

/// The datasets in which something was found, by name.
pub(super) fn counts(layout: &Layout) -> impl Iterator<Item = &DatasetCounts> {
    let counts = layout.datasets.iter().map(|part| &part.counts);
    counts.filter(|c| c.person_rows + c.device_rows + c.duplicates_removed > 0)
}

/// Writes the manifest, which lists every entry but itself: so it comes last.
pub(super) fn write(
    archive: &mut Archive,
    task: &AccessTask<'_>,
    layout: &Layout,
) -> Result<(), AccessError> {
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        request: task.request.as_str(),
        key: task.key,
        action: "access",
        regulation: task.regulation.map(crate::model::Regulation::as_str),
        received_at: task.received_at.to_string(),
        compiled_at: task.compiled_at.to_string(),
        expires_at: task.expires_at.to_string(),
        entries: archive.entries.clone(),
        datasets: counts(layout)
            .map(|counts| Dataset {
                dataset: counts.dataset.as_str(),
                person_rows: counts.person_rows,
                device_rows: counts.device_rows,
                duplicates_removed: counts.duplicates_removed,
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|_| AccessError::Bug("the manifest cannot be written as JSON"))?;
    archive.entry("manifest.json", 0, |out| {
        out.buffer.push_str(&text);
        out.buffer.push('\n');
        Ok(())
    })
}
