//! What a reader of CI results is told of, whatever the format: diagnostics, and tasks that stand still.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Action, Phase, Position, Reason, TaskId};
use crate::plan::PlannedTask;
use crate::reconcile::{CheckReport, Drift, PlanReport};
use crate::store::sha256;

use super::Places;
use super::escape::printable;
use super::plan::task_name;
use super::style::plural;

/// One thing to tell.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    /// Relative to the repository's root.
    pub(super) file: String,
    /// From 1; 0: the whole file.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) length: usize,
    /// The source line as it may be shown.
    pub(super) source: Option<String>,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Hex SHA-256 over what of it stays the same when lines move.
    pub(super) fingerprint: String,
}

/// The kind of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) explanation: String,
}

/// The findings of `check`, worst first, then by place.
pub(super) fn of_check(report: &CheckReport, places: &Places) -> Vec<Finding> {
    arranged(report.diagnostics.iter().map(|d| of_diagnostic(d, places)).collect())
}

/// The findings of `plan`: its diagnostics, and the tasks that failed or wait.
pub(super) fn of_plan(report: &PlanReport, places: &Places) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        report.diagnostics.iter().map(|d| of_diagnostic(d, places)).collect();
    findings.extend(report.shown_tasks().filter_map(|(task, _)| of_task(task, report, places)));
    findings.extend(report.drift.iter().map(|drift| of_drift(drift, report, places)));
    arranged(findings)
}

/// A finished erasure that today's policies would carry further.
fn of_drift(drift: &Drift, report: &PlanReport, places: &Places) -> Finding {
    let block = (drift.request.clone(), drift.key.clone());
    let nowhere = Position { file: report.requests.clone(), ..Position::default() };
    let position = report.positions.get(&block).unwrap_or(&nowhere);
    let name = TaskId { request: block.0, key: block.1, action: Some(Action::Delete) };
    let where_found: Vec<String> = drift
        .datasets
        .iter()
        .map(|found| format!("{} {}", found.dataset, plural(found.rows, "row", "rows")))
        .collect();
    Finding {
        rule: Rule {
            id: "task/Drift".to_owned(),
            title: "Drift".to_owned(),
            explanation: "The erasure is finished, and the policies have changed since: they would erase more today. \
                          Only a block with `standing: true` is carried out again by itself."
                .to_owned(),
        },
        severity: Severity::Note,
        file: places.show(&position.file),
        line: position.line,
        column: position.column,
        length: 0,
        source: None,
        message: printable(&format!(
            "{name}: complete, and the policies would erase more today: {}",
            where_found.join(", ")
        )),
        help: None,
        fingerprint: String::new(),
    }
}

fn arranged(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.severity, f.file.clone(), f.line, f.column);
        key(a).cmp(&key(b)).then_with(|| (&a.rule, &a.message).cmp(&(&b.rule, &b.message)))
    });
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &mut findings {
        let parts = [
            finding.rule.id.as_str(),
            &finding.file,
            &finding.message,
            finding.source.as_deref().unwrap_or_default().trim(),
        ];
        let what = parts.join("\0");
        let nth = seen.entry(what.clone()).or_default();
        finding.fingerprint = sha256(format!("{what}\0{nth}").as_bytes());
        *nth += 1;
    }
    findings
}

fn of_diagnostic(diagnostic: &Diagnostic, places: &Places) -> Finding {
    Finding {
        rule: Rule {
            id: diagnostic.code.id.to_owned(),
            title: diagnostic.code.title.to_owned(),
            explanation: diagnostic.code.explanation.trim().to_owned(),
        },
        severity: diagnostic.severity,
        file: places.show(&diagnostic.position.file),
        line: diagnostic.position.line,
        column: diagnostic.position.column,
        length: diagnostic.length,
        source: diagnostic.source.clone(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        fingerprint: String::new(),
    }
}

/// What is worth telling of a task; `None` where it will run or is settled. A rejected one has a diagnostic.
fn of_task(task: &PlannedTask, report: &PlanReport, places: &Places) -> Option<Finding> {
    let overdue = report.is_overdue(task);
    let severity = match standing(task, overdue) {
        Standing::Broken | Standing::Waits => Severity::Error,
        Standing::Rests => Severity::Note,
        Standing::Goes => return None,
    };
    if task.phase == Phase::Rejected {
        return None;
    }
    let (id, explanation) = match task.reason {
        _ if overdue => ("task/Overdue".to_owned(), OVERDUE),
        Some(reason) => (format!("task/{reason}"), explanation(reason)),
        None => (format!("task/{}", task.phase), ""),
    };
    let reason = task.reason.map(|r| format!(" ({r})")).unwrap_or_default();
    let action = task.action.map(|a| format!(" {a}")).unwrap_or_default();
    let late = if overdue { ", overdue" } else { "" };
    let message = format!("{}{action}: {}{reason}{late}", task_name(task), task.phase);
    let nowhere = Position { file: report.requests.clone(), ..Position::default() };
    let position = report.position(task).unwrap_or(&nowhere);
    Some(Finding {
        rule: Rule {
            title: id.trim_start_matches("task/").to_owned(),
            id,
            explanation: explanation.to_owned(),
        },
        severity,
        file: places.show(&position.file),
        line: position.line,
        column: position.column,
        length: 0,
        source: None,
        message,
        help: task.message.clone(),
        fingerprint: String::new(),
    })
}

/// How a task stands, for one who must decide what to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Failed or rejected.
    Broken,
    /// Waits for a person, or is overdue.
    Waits,
    /// Held or suspended, as planned.
    Rests,
    /// Will run, or is settled.
    Goes,
}

/// How the task stands.
pub(super) fn standing(task: &PlannedTask, overdue: bool) -> Standing {
    match (task.phase, task.reason) {
        (Phase::Failed | Phase::Rejected, _) => Standing::Broken,
        _ if overdue => Standing::Waits,
        (Phase::Blocked, Some(Reason::Held | Reason::Suspended)) => Standing::Rests,
        (Phase::Blocked, _) => Standing::Waits,
        _ => Standing::Goes,
    }
}

const OVERDUE: &str = "The task is past its due date and not done. `extension: {until, reason}` on the request \
                       moves the date.";

const fn explanation(reason: Reason) -> &'static str {
    match reason {
        Reason::Held => {
            "A hold keeps data from erasure. The task resumes by itself when the hold lapses."
        }
        Reason::Suspended => "The request says `suspend: true`. The task resumes when that goes.",
        Reason::NeedsApproval => {
            "A person must agree: commit an Approval that names the effectId in the message. If a Dataset or Hold is gone from the policies, bring \
             it back, or name it under `retired` in Settings."
        }
        Reason::LimitExceeded => {
            "The task goes beyond a safety limit. Is the identity too broad? Narrow the block by `only`, or raise \
             the limit in Settings."
        }
        Reason::IdentityConflict => {
            "Linked rows name somebody else. Look with `amparo find`, then set `acceptConflicts: true`, or correct \
             the data."
        }
        Reason::Orphaned => {
            "The request's file is gone before its tasks were done. Bring it back, or commit it with \
             `withdrawn: true`."
        }
        Reason::DataUnreadable => {
            "Data that the task needs cannot be read. The message names the file or field; mend it and run again."
        }
        Reason::Conflict => "Other writers kept changing the files. Run again when they rest.",
        Reason::PartiallyCompleted => {
            "Some datasets are done, some failed. Running again finishes the rest."
        }
        Reason::Storage => "A file could not be read or written. Running again converges.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn diagnostic(line: usize, message: &str) -> Diagnostic {
        Diagnostic {
            code: Code { id: "AMP0001", title: "title", explanation: "why" },
            severity: Severity::Error,
            position: Position { file: "requests/r.yaml".to_owned(), line, column: 3 },
            length: 2,
            source: Some("  key: ***".to_owned()),
            message: message.to_owned(),
            help: None,
        }
    }

    fn prints(diagnostics: &[Diagnostic]) -> Vec<String> {
        let places = Places::new("/w".into(), Vec::new());
        arranged(diagnostics.iter().map(|d| of_diagnostic(d, &places)).collect())
            .into_iter()
            .map(|finding| finding.fingerprint)
            .collect()
    }

    #[test]
    fn a_fingerprint_survives_moved_lines_and_tells_equal_ones_apart() {
        let before = prints(&[diagnostic(4, "a"), diagnostic(9, "a"), diagnostic(9, "b")]);
        let after = prints(&[diagnostic(5, "a"), diagnostic(12, "a"), diagnostic(14, "b")]);
        assert_eq!(before, after);
        assert!(before.iter().all(|print| print.len() == 64));
        let distinct: std::collections::BTreeSet<_> = before.iter().collect();
        assert_eq!(distinct.len(), 3);
    }
}
