//! An independent check of a finished draft and plan, written against the rules and not against the
//! planner: what is about to be destroyed must be justified cell by cell. A violation is a bug, never a
//! user's mistake.

mod access;
mod counts;
mod erase;
mod facts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use crate::model::{Action, Phase, Reason};

use super::{Draft, Evidence, Situation};

pub use counts::guard_plan;

/// A broken invariant: a bug in the planner. The text holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken invariant in the plan: {what}")]
pub struct Broken {
    what: String,
}

impl Broken {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken::new(what())) }
}

/// Checks a draft: nothing outside the matched rows is touched, nothing that a hold keeps, nothing for a
/// task that does not run, nothing that no label allows, and no cell twice.
///
/// # Errors
/// [`Broken`], with the first violation.
pub fn guard_draft(
    situation: Situation<'_>,
    evidence: Evidence<'_>,
    draft: &Draft,
) -> Result<(), Broken> {
    tasks(draft)?;
    let facts = facts::Facts::new(situation, evidence, draft)?;
    let mut files = HashSet::new();
    for work in &draft.erase {
        ensure(files.insert(&work.path), || format!("{} is erased twice", work.shown))?;
        erase::file(&facts, work)?;
    }
    draft.access.iter().try_for_each(|work| access::package(&facts, work))
}

/// Each task is there once, and runs only in a phase in which tasks run.
fn tasks(draft: &Draft) -> Result<(), Broken> {
    let mut seen = BTreeSet::new();
    for task in &draft.tasks {
        let id = &task.id;
        ensure(seen.insert(id), || format!("{id} is there twice"))?;
        let may_run = match (task.standing.phase, task.standing.reason) {
            (Phase::Submitted, None | Some(Reason::NoMatch)) => true,
            (Phase::Blocked, Some(Reason::Held))
            // What a fault of some data does not hinder is done before the task fails.
            | (Phase::Failed, Some(Reason::DataUnreadable | Reason::PartiallyCompleted)) => {
                id.action == Some(Action::Delete)
            }
            _ => false,
        };
        ensure(!task.runs || may_run, || format!("{id} runs and is not submitted"))?;
        ensure(task.runs == task.outcome.is_some(), || format!("{id} has no outcome"))?;
    }
    Ok(())
}
