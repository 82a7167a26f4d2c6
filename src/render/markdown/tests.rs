//! Comments of plans that are larger than any comment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use super::page::units;
use super::plan_markdown;
use crate::model::{Action, Name, Phase, Reason, TaskId};
use crate::plan::{
    Comparison, FieldCount, Plan, PlanInputs, PlannedTask, Retained, TaskChange, TaskDataset,
    TaskFile, Totals,
};
use crate::reconcile::{PlanReport, Verdict};
use crate::render::Places;

/// As long as its kind may be, of signs that swell when they are escaped.
fn long(n: usize) -> String {
    format!("{n}{}", "<@|`#".repeat(50))
}

fn dataset(n: usize) -> TaskDataset {
    TaskDataset {
        dataset: Name::new(&format!("dataset-{n}")).unwrap(),
        product: "p".to_owned(),
        source: "s".to_owned(),
        person_rows: 3,
        device_rows: 1,
        rows_erased: 4,
        files: (0..40)
            .map(|n| TaskFile {
                path: long(n),
                rows: 1,
                rows_erased: 1,
                cells_erased: 1,
                row_groups_touched: 1,
                bytes_touched: 1,
            })
            .collect(),
        files_searched: 300,
        rows_searched: 10,
        files_touched: 300,
        row_groups_touched: 300,
        bytes_touched: 300,
        fields: (0..40)
            .map(|n| FieldCount { path: long(n), method: "pseudonym".to_owned(), cells: 2 })
            .collect(),
        retained: (0..40).map(|n| Retained { path: long(n), cells: 1, why: long(n) }).collect(),
    }
}

fn report(tasks: usize, datasets: usize, compared: bool) -> PlanReport {
    let task = |n: usize| PlannedTask {
        request: Name::new("r").unwrap(),
        key: Some(long(n)),
        action: Some(Action::Delete),
        phase: if n % 7 == 3 { Phase::Failed } else { Phase::Submitted },
        reason: (n % 7 == 3).then_some(Reason::DataUnreadable),
        message: Some(long(n).repeat(20)),
        fingerprint: None,
        effect_id: None,
        due: None,
        identities: Vec::new(),
        datasets: (0..datasets).map(dataset).collect(),
    };
    let tasks: Vec<PlannedTask> = (0..tasks).map(task).collect();
    let lines: Vec<String> = (0..200).map(long).collect();
    let changes = tasks.iter().map(|task| {
        let id =
            TaskId { request: task.request.clone(), key: task.key.clone(), action: task.action };
        (id, TaskChange::Changed(lines.clone()))
    });
    let comparison = compared.then(|| Comparison {
        tasks: changes.collect(),
        policies: (0..500).map(|n| (long(n), "added")).collect(),
        notes: (0..500).map(long).collect(),
        ..Comparison::default()
    });
    PlanReport {
        diagnostics: Vec::new(),
        plan: Some(Plan {
            plan_id: String::new(),
            inputs: PlanInputs {
                policies: String::new(),
                requests: None,
                datasets: Vec::new(),
                ledger: 0,
            },
            tasks,
            totals: Totals::default(),
            notes: (0..500).map(long).collect(),
        }),
        verdict: Verdict::Done,
        now: "2026-11-22T09:00:00Z".parse().unwrap(),
        requests: "requests".to_owned(),
        files: Default::default(),
        failure: None,
        positions: BTreeMap::new(),
        comparison,
        drift: Vec::new(),
    }
}

#[test]
fn no_comment_is_longer_than_it_may_be() {
    let places = Places::new("/w".into(), Vec::new());
    for compared in [false, true] {
        for (tasks, datasets) in [(1, 1), (1, 5), (20, 1), (300, 0)] {
            let report = report(tasks, datasets, compared);
            for limit in [65_536, 20_000, 8_000] {
                let text = plan_markdown(&report, &places, limit);
                let used = units(&text);
                assert!(used <= limit, "{used} of {limit}: {tasks} tasks, {datasets} datasets");
                assert!(text.contains("…and "), "{text}");
                assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
            }
        }
    }
}

#[test]
fn failed_tasks_come_first() {
    let places = Places::new("/w".into(), Vec::new());
    let text = plan_markdown(&report(40, 0, false), &places, 65_536);
    let states: Vec<bool> = text
        .lines()
        .filter(|line| line.starts_with("| <code>r/"))
        .map(|line| line.contains("**Failed: DataUnreadable**"))
        .collect();
    let failed = states.iter().filter(|failed| **failed).count();
    assert_eq!(failed, 6);
    assert!(states[..failed].iter().all(|failed| *failed), "{states:?}");
}
