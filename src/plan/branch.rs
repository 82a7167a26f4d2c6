//! What a branch adds or changes: its plan and requests beside those of the base that it will be merged into.
//! Pure; the result names namespaces, fields and counts, never an identity or a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Only, Request, TaskId, UserBlock};

use super::{Plan, PlannedTask, TaskDataset};

/// One of the two sides.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its plan; `None` where its policies are invalid.
    pub plan: Option<&'a Plan>,
    /// Its requests.
    pub requests: &'a [Request],
}

/// How a task differs from the base's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskChange {
    /// The base has no such task.
    New,
    /// What changed, one line each.
    Changed(Vec<String>),
}

/// A branch beside its base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The tasks of the branch that are new or changed.
    pub tasks: BTreeMap<TaskId, TaskChange>,
    /// Tasks that only the base has.
    pub removed: Vec<TaskId>,
    /// Tasks that are the same on both sides.
    pub untouched: u64,
    /// Files of policies and approvals that differ, each with `added`, `changed` or `removed`.
    pub policies: BTreeMap<String, &'static str>,
    /// Warnings and notes that the base has, too, and that are not shown again.
    pub known_diagnostics: u64,
    /// Why the comparison is not what it could be.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Tasks that the base does not have.
    pub fn new_tasks(&self) -> u64 {
        self.tasks.values().filter(|change| **change == TaskChange::New).count() as u64
    }

    /// Tasks that differ.
    pub fn changed_tasks(&self) -> u64 {
        self.tasks.len() as u64 - self.new_tasks()
    }
}

/// Compares the tasks of both sides.
pub fn compare(base: Side<'_>, head: Side<'_>) -> Comparison {
    let (old, new) = (tasks(base.plan), tasks(head.plan));
    let mut result = Comparison::default();
    for (id, task) in &new {
        let Some(before) = old.get(id) else {
            result.tasks.insert(id.clone(), TaskChange::New);
            continue;
        };
        let mut changes = request_changes(block(base, id), block(head, id));
        task_changes(&mut changes, before, task);
        if changes.is_empty() {
            result.untouched += 1;
        } else {
            result.tasks.insert(id.clone(), TaskChange::Changed(changes));
        }
    }
    result.removed = old.into_keys().filter(|id| !new.contains_key(id)).collect();
    result
}

/// The task's identity in the ledger.
pub fn task_id(task: &PlannedTask) -> TaskId {
    TaskId { request: task.request.clone(), key: task.key.clone(), action: task.action }
}

fn tasks(plan: Option<&Plan>) -> BTreeMap<TaskId, &PlannedTask> {
    plan.iter().flat_map(|plan| &plan.tasks).map(|task| (task_id(task), task)).collect()
}

fn block<'a>(side: Side<'a>, id: &TaskId) -> Option<(&'a Request, &'a UserBlock)> {
    let request = side.requests.iter().find(|request| request.name == id.request)?;
    let block = request.users.iter().find(|block| Some(&block.key) == id.key.as_ref())?;
    Some((request, block))
}

/// What the request says otherwise.
fn request_changes(
    base: Option<(&Request, &UserBlock)>,
    head: Option<(&Request, &UserBlock)>,
) -> Vec<String> {
    let (Some((old, was)), Some((new, is))) = (base, head) else { return Vec::new() };
    let mut lines = identity_changes(was, is);
    let mut flag = |name: &str, was: bool, is: bool| {
        if was != is {
            lines.push(format!("{name}: {was}, now {is}"));
        }
    };
    flag("expandIds", old.expand_ids, new.expand_ids);
    flag("suspend", old.suspend, new.suspend);
    flag("withdrawn", old.withdrawn, new.withdrawn);
    flag("standing", was.standing, is.standing);
    flag("acceptConflicts", was.accept_conflicts, is.accept_conflicts);
    if old.delete_method != new.delete_method {
        let word = |request: &Request| format!("{:?}", request.delete_method).to_lowercase();
        lines.push(format!("deleteMethod: {}, now {}", word(old), word(new)));
    }
    let products = |request: &Request| {
        request.include.as_ref().map(|set| set.iter().map(|p| p.as_str().to_owned()).collect())
    };
    set_change(&mut lines, "include", products(old), products(new));
    only_changes(&mut lines, &was.only, &is.only);
    lines
}

/// Identities that came and went, by namespace; a composite one by the namespaces of its parts.
fn identity_changes(was: &UserBlock, is: &UserBlock) -> Vec<String> {
    let (was, is) = (terms(was), terms(is));
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, _) in is.difference(&was) {
        counts.entry(name).or_default().0 += 1;
    }
    for (name, _) in was.difference(&is) {
        counts.entry(name).or_default().1 += 1;
    }
    counts
        .into_iter()
        .map(|(name, (added, removed))| match (added, removed) {
            (added, 0) => format!("identities: {added} {name} added"),
            (0, removed) => format!("identities: {removed} {name} removed"),
            (added, removed) => format!("identities: {added} {name} added, {removed} removed"),
        })
        .collect()
}

/// The identities of a block: the namespaces of their parts, and the parts.
fn terms(block: &UserBlock) -> BTreeSet<(String, BTreeSet<(&str, &str)>)> {
    block
        .identities
        .iter()
        .map(|identity| {
            let parts = identity.parts();
            let names: Vec<&str> = parts.iter().map(|p| p.namespace.folded()).collect();
            let values =
                parts.iter().map(|p| (p.namespace.folded(), p.canonical.expose().as_str()));
            (names.join(" + "), values.collect())
        })
        .collect()
}

fn only_changes(lines: &mut Vec<String>, was: &Only, is: &Only) {
    let datasets = |only: &Only| {
        only.datasets.as_ref().map(|set| set.iter().map(ToString::to_string).collect())
    };
    set_change(lines, "only.datasets", datasets(was), datasets(is));
    set_change(lines, "only.sources", was.sources.clone(), is.sources.clone());
    let fields: BTreeSet<_> = was.r#where.keys().chain(is.r#where.keys()).collect();
    for field in fields {
        match (was.r#where.get(field), is.r#where.get(field)) {
            (None, Some(_)) => lines.push(format!("only.where {field}: added")),
            (Some(_), None) => lines.push(format!("only.where {field}: removed")),
            (was, is) if was != is => lines.push(format!("only.where {field}: another value")),
            _ => {}
        }
    }
}

fn set_change(
    lines: &mut Vec<String>,
    name: &str,
    was: Option<BTreeSet<String>>,
    is: Option<BTreeSet<String>>,
) {
    if was != is {
        let show = |set: Option<BTreeSet<String>>| {
            set.map_or("all".to_owned(), |set| set.into_iter().collect::<Vec<_>>().join(", "))
        };
        lines.push(format!("{name}: {}, now {}", show(was), show(is)));
    }
}

/// What the plan does otherwise: also where only a policy, a limit or a hold has changed.
fn task_changes(lines: &mut Vec<String>, was: &PlannedTask, is: &PlannedTask) {
    let state = |task: &PlannedTask| match task.reason {
        Some(reason) => format!("{} ({reason})", task.phase),
        None => task.phase.to_string(),
    };
    changed(lines, "state", &state(was), &state(is));
    if was.due != is.due {
        let day = |task: &PlannedTask| {
            task.due.map_or("none".to_owned(), |due| {
                due.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
            })
        };
        changed(lines, "due", &day(was), &day(is));
    }
    let expanded = |task: &PlannedTask| -> BTreeMap<String, u64> {
        let counts = task.identities.iter().map(|i| (i.namespace.to_lowercase(), i.expanded));
        counts.filter(|(_, expanded)| *expanded > 0).collect()
    };
    counts(lines, "identities by expansion", expanded(was), expanded(is), None);
    let datasets = |task: &PlannedTask| -> BTreeMap<String, TaskDataset> {
        task.datasets.iter().map(|d| (d.dataset.to_string(), d.clone())).collect()
    };
    let (old, new) = (datasets(was), datasets(is));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, Some(_)) => lines.push(format!("{name}: searched now")),
            (Some(_), None) => lines.push(format!("{name}: searched no more")),
            (Some(old), Some(new)) => dataset_changes(lines, name, old, new),
            (None, None) => {}
        }
    }
    if lines.is_empty() && was.message != is.message {
        lines.push("message".to_owned());
    }
}

fn dataset_changes(lines: &mut Vec<String>, name: &str, was: &TaskDataset, is: &TaskDataset) {
    let rows = |d: &TaskDataset| -> BTreeMap<String, u64> {
        [
            ("person rows", d.person_rows),
            ("device rows", d.device_rows),
            ("rows erased", d.rows_erased),
            ("files rewritten", d.files_touched),
        ]
        .map(|(what, n)| (what.to_owned(), n))
        .into()
    };
    counts(lines, name, rows(was), rows(is), None);
    let cells = |d: &TaskDataset| -> BTreeMap<String, u64> {
        d.fields.iter().map(|f| (format!("{} by {}", f.path, f.method), f.cells)).collect()
    };
    counts(lines, &format!("{name} erases"), cells(was), cells(is), Some(("cell", "cells")));
    let kept = |d: &TaskDataset| -> BTreeMap<String, u64> {
        d.retained
            .iter()
            .map(|kept| (format!("{} ({})", kept.path, kept.why), kept.cells))
            .collect()
    };
    counts(lines, &format!("{name} keeps"), kept(was), kept(is), None);
}

fn changed(lines: &mut Vec<String>, what: &str, was: &str, is: &str) {
    if was != is {
        lines.push(format!("{what}: {was}, now {is}"));
    }
}

fn counts(
    lines: &mut Vec<String>,
    what: &str,
    was: BTreeMap<String, u64>,
    is: BTreeMap<String, u64>,
    unit: Option<(&str, &str)>,
) {
    let show = |n: u64| match unit {
        None => n.to_string(),
        Some((one, many)) => format!("{n} {}", if n == 1 { one } else { many }),
    };
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for name in names {
        let change = match (was.get(name), is.get(name)) {
            (Some(old), Some(new)) if old != new => format!("{old}, now {}", show(*new)),
            (None, Some(new)) => format!("{}: new", show(*new)),
            (Some(old), None) => format!("{}: no more", show(*old)),
            _ => continue,
        };
        lines.push(format!("{what}: {name}, {change}"));
    }
}
