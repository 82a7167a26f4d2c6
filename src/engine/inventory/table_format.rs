//! Delta, Hudi and Iceberg tables: rewriting their files would corrupt them, so they are refused.

use std::fs;
use std::path::Path;

/// Which table format a directory is the root of, if any.
pub(in crate::engine) fn of_directory(directory: &Path) -> Option<&'static str> {
    if directory.join("_delta_log").is_dir() {
        return Some("a Delta table");
    }
    if directory.join(".hoodie").is_dir() {
        return Some("a Hudi table");
    }
    let metadata = fs::read_dir(directory.join("metadata")).ok()?;
    metadata
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().ends_with(".metadata.json"))
        .then_some("an Iceberg table")
}
