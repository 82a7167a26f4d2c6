//! A branch beside its base, in words and as JSON.

use serde_json::{Value, json};

use crate::plan::{Comparison, TaskChange};

use super::style::{count, plural};

/// `Against the base: 1 task new, 2 changed, 0 removed; 14 tasks untouched.`
pub(super) fn line(comparison: &Comparison) -> String {
    let mut text = format!(
        "Against the base: {} new, {} changed, {} removed; {} untouched",
        plural(comparison.new_tasks(), "task", "tasks"),
        count(comparison.changed_tasks()),
        count(comparison.removed.len() as u64),
        plural(comparison.untouched, "task", "tasks"),
    );
    if comparison.known_diagnostics > 0 {
        let known = plural(comparison.known_diagnostics, "warning or note", "warnings or notes");
        text.push_str(&format!("; {known} that the base has too"));
    }
    text.push_str(". The totals are those of the whole plan.");
    text
}

/// The keys of a task that say how it differs.
pub(super) fn task_json(change: &TaskChange) -> [(String, Value); 2] {
    let (word, lines) = match change {
        TaskChange::New => ("new", &[][..]),
        TaskChange::Changed(lines) => ("changed", lines.as_slice()),
    };
    [("change".to_owned(), json!(word)), ("changes".to_owned(), json!(lines))]
}

/// The key `base` of the document.
pub(super) fn json(comparison: &Comparison) -> Value {
    let removed: Vec<Value> = comparison
        .removed
        .iter()
        .map(|id| json!({ "request": id.request, "key": id.key, "action": id.action }))
        .collect();
    let policies: Vec<Value> = comparison
        .policies
        .iter()
        .map(|(file, change)| json!({ "file": file, "change": change }))
        .collect();
    json!({
        "new": comparison.new_tasks(),
        "changed": comparison.changed_tasks(),
        "removed": removed,
        "untouched": comparison.untouched,
        "policies": policies,
        "knownDiagnostics": comparison.known_diagnostics,
        "notes": comparison.notes,
    })
}
