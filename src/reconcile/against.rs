//! `plan --base DIR`: a branch's plan beside the plan that its base would make of the same data and state.
//! Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::source::SourceFile;
use crate::plan::{Side, compare};

use super::gather::Texts;
use super::pass::{Planned, plan_texts};
use super::sources::{self, Sources};
use super::{Events, PassError, PlanReport, Workspace};

/// Where the other checkout has its files.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its root.
    pub root: PathBuf,
    /// Its policies.
    pub policies: PathBuf,
    /// Its requests.
    pub requests: PathBuf,
    /// Its approvals; `None` where they lie outside the checkout: then they are the same on both sides.
    pub approvals: Option<PathBuf>,
}

/// Plans, and says what of it the base has not, or has otherwise. Verdict and plan are those of
/// [`super::plan`]; warnings and drift that the base has, too, are left out.
///
/// # Errors
/// As [`super::plan`]; [`PassError::Sources`] where the base's root is no directory.
pub fn plan_against(
    workspace: &Workspace,
    base: &Base,
    events: &mut dyn Events,
) -> Result<PlanReport, PassError> {
    std::fs::read_dir(&base.root).map_err(|source| PassError::Sources {
        what: "base",
        path: base.root.clone(),
        source,
    })?;
    let texts = Texts::read(workspace)?;
    let Planned { mut report, requests } = plan_texts(workspace, &texts, events)?;
    let mut notes = Vec::new();
    let before = base_texts(workspace, base, &texts, &mut notes);
    let guarded = before.as_ref().map(Texts::guarded).unwrap_or_default();
    let there = Workspace {
        policies: base.policies.clone(),
        requests: base.requests.clone(),
        approvals: base.approvals.clone().unwrap_or_else(|| workspace.approvals.clone()),
        ..workspace.clone()
    };
    let planned = before.and_then(|before| match whole(plan_texts(&there, &before, events)) {
        Ok(planned) => Some(planned),
        Err(error) => {
            notes.push(format!("the base cannot be planned ({error}): everything counts as new"));
            None
        }
    });
    if planned.as_ref().is_some_and(|planned| planned.report.plan.is_none()) {
        notes.push("the base's policies are invalid: everything counts as new".to_owned());
    }
    let mut comparison = compare(
        Side {
            plan: planned.as_ref().and_then(|planned| planned.report.plan.as_ref()),
            requests: planned.as_ref().map_or(&[], |planned| &planned.requests),
        },
        Side { plan: report.plan.as_ref(), requests: &requests },
    );
    if let Some(planned) = planned {
        let known = planned.report;
        comparison.known_diagnostics = leave_out_known(&mut report.diagnostics, &known.diagnostics);
        report.drift.retain(|drift| !known.drift.contains(drift));
    }
    comparison.policies = policy_changes(&guarded, &texts.guarded());
    comparison.notes = notes;
    report.comparison = Some(comparison);
    Ok(report)
}

/// A base without a plan, though its policies are valid, is one that cannot be planned.
fn whole(planned: Result<Planned, PassError>) -> Result<Planned, PassError> {
    let mut planned = planned?;
    match planned.report.failure.take() {
        None => Ok(planned),
        Some(failure) => Err(failure),
    }
}

/// The base's files, under the names that they have here; `None` where it has no policies.
fn base_texts(
    workspace: &Workspace,
    base: &Base,
    head: &Texts,
    notes: &mut Vec<String>,
) -> Option<Texts> {
    let policies = match sources::read(&base.policies, "policies") {
        Ok(found) => renamed(found, &base.policies, &workspace.policies),
        Err(_) => {
            notes.push(
                "the base has no policies that can be read: everything counts as new".to_owned(),
            );
            return None;
        }
    };
    let requests = match sources::read(&base.requests, "requests") {
        Ok(found) => renamed(found, &base.requests, &workspace.requests),
        Err(_) => {
            notes.push("the base has no requests that can be read".to_owned());
            Sources::default()
        }
    };
    let approvals = match &base.approvals {
        None => Sources { files: head.approvals.clone(), ..Sources::default() },
        Some(folder) => match sources::read_if_there(folder, "approvals") {
            Ok(found) => renamed(found, folder, &workspace.approvals),
            Err(_) => {
                notes.push("the base has no approvals that can be read".to_owned());
                Sources::default()
            }
        },
    };
    Some(Texts::of(policies, requests, approvals, head.keys.clone()))
}

fn renamed(found: Sources, from: &Path, to: &Path) -> Sources {
    let rename = |path: String| match Path::new(&path).strip_prefix(from) {
        Ok(rest) => to.join(rest).to_string_lossy().into_owned(),
        Err(_) => path,
    };
    let files = found.files.into_iter();
    Sources {
        files: files.map(|f| SourceFile { path: rename(f.path), bytes: f.bytes }).collect(),
        special: found.special.into_iter().map(rename).collect(),
    }
}

/// Removes warnings and notes that the base has, too; how many.
fn leave_out_known(diagnostics: &mut Vec<Diagnostic>, known: &[Diagnostic]) -> u64 {
    let what =
        |d: &Diagnostic| (d.code.id, d.position.file.clone(), d.message.clone(), d.source.clone());
    let known: BTreeSet<_> = known.iter().map(what).collect();
    let before = diagnostics.len();
    diagnostics.retain(|d| d.severity == Severity::Error || !known.contains(&what(d)));
    (before - diagnostics.len()) as u64
}

fn policy_changes(was: &[SourceFile], is: &[SourceFile]) -> BTreeMap<String, &'static str> {
    let by_path = |files: &[SourceFile]| -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|file| (file.path.clone(), file.bytes.clone())).collect()
    };
    let (was, is) = (by_path(was), by_path(is));
    let mut changes = BTreeMap::new();
    for (path, bytes) in &is {
        match was.get(path) {
            None => changes.insert(path.clone(), "added"),
            Some(before) if before != bytes => changes.insert(path.clone(), "changed"),
            Some(_) => None,
        };
    }
    for path in was.keys().filter(|path| !is.contains_key(*path)) {
        changes.insert(path.clone(), "removed");
    }
    changes
}
