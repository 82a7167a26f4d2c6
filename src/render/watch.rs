//! What the daemon says of a pass: one line, with counts and without identities.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::Phase;
use crate::reconcile::{PassEnd, chain};

use super::json::line;
use super::plan::totals_line;

/// A pass that did something, in a line for people.
pub fn pass_human(end: &PassEnd<'_>) -> String {
    let Ok(report) = end.outcome else { return String::new() };
    let mut text = format!("{} pass {}: {}", end.at, end.number, totals_line(&report.totals));
    for (phase, count) in phases(end) {
        if matches!(phase, Phase::Failed | Phase::Rejected) {
            text.push_str(&format!(", {count} {}", phase.to_string().to_lowercase()));
        }
    }
    if let Some((seq, digest)) = &report.head {
        text.push_str(&format!("; ledger head {seq}:{digest}"));
    }
    text.push('\n');
    text
}

/// A pass in a line of JSON: one that did something, or one that failed.
pub fn pass_json(end: &PassEnd<'_>) -> String {
    let mut body = json!({
        "event": if end.outcome.is_ok() { "pass" } else { "failed" },
        "pass": end.number,
        "at": end.at,
        "seconds": end.seconds,
    });
    let more = match end.outcome {
        Ok(report) => json!({
            "tasks": phases(end)
                .into_iter()
                .map(|(phase, count)| (phase.to_string(), json!(count)))
                .collect::<serde_json::Map<String, Value>>(),
            "totals": report.totals,
            "head": report.head.as_ref().map(|(seq, digest)| json!({ "seq": seq, "sha256": digest })),
            "next": report.wake,
        }),
        Err(error) => json!({ "error": chain(error) }),
    };
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    line("watch", &body)
}

/// How many tasks there are in each phase.
fn phases(end: &PassEnd<'_>) -> BTreeMap<Phase, u64> {
    let mut phases = BTreeMap::new();
    for task in end.outcome.iter().flat_map(|report| &report.tasks) {
        *phases.entry(task.task.phase).or_default() += 1;
    }
    phases
}
