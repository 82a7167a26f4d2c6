//! What has moved between two plans: why a saved plan no longer fits (exit code 6 says it).

use std::collections::BTreeMap;

use crate::model::Name;

use super::{DatasetInput, PlanInputs};

/// What differs, in words, one line each; empty: nothing has moved.
pub fn moved(saved: &PlanInputs, now: &PlanInputs) -> Vec<String> {
    let mut lines = Vec::new();
    if saved.policies != now.policies {
        lines.push("the policies have changed".to_owned());
    }
    match (&saved.requests, &now.requests) {
        (Some(saved), Some(now)) if saved == now => {}
        (Some(_), Some(_)) => lines.push("the requests have changed".to_owned()),
        (None, _) => lines.push(
            "the plan was made without the deployment key, so nobody can tell whether the requests \
             have changed"
                .to_owned(),
        ),
        (Some(_), None) => lines.push(
            "the deployment key is gone, so nobody can tell whether the requests have changed"
                .to_owned(),
        ),
    }
    datasets(&mut lines, saved, now);
    if saved.ledger != now.ledger {
        lines.push(format!(
            "the ledger is at entry {}, the plan was made at entry {}",
            now.ledger, saved.ledger
        ));
    }
    lines
}

fn datasets(lines: &mut Vec<String>, saved: &PlanInputs, now: &PlanInputs) {
    let by_name = |inputs: &'_ PlanInputs| -> BTreeMap<Name, DatasetInput> {
        inputs.datasets.iter().map(|input| (input.dataset.clone(), input.clone())).collect()
    };
    let (saved, now) = (by_name(saved), by_name(now));
    for (name, old) in &saved {
        match now.get(name) {
            None => lines.push(format!("dataset {name} is gone")),
            Some(new) if new.digest != old.digest => {
                lines.push(format!("dataset {name} has changed{}", sizes(old, new)));
            }
            Some(_) => {}
        }
    }
    for name in now.keys().filter(|name| !saved.contains_key(*name)) {
        lines.push(format!("dataset {name} is new"));
    }
}

/// What the change looks like from outside; nothing where files were rewritten in place.
fn sizes(old: &DatasetInput, new: &DatasetInput) -> String {
    let changes: Vec<String> = [
        ("files", old.files, new.files),
        ("rows", old.rows, new.rows),
        ("bytes", old.bytes, new.bytes),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(what, old, new)| format!("{old} {what}, now {new}"))
    .collect();
    if changes.is_empty() { String::new() } else { format!(": {}", changes.join("; ")) }
}
