//! What a task would do, as digests that a person can approve, and whether somebody has.
//!
//! Guarantees: pure; the same effect has the same id in every pass, whatever files the task does not touch.
//! No identity is in it: what the task is comes from its keyed fingerprint, paths are as they are shown.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::model::{Action, EffectId, Name, Phase, Reason, TaskId, hex};

use super::{DraftTask, FileWork, Mask, PlannedTask, Situation, TaskIndex};

/// What approvals let a block do beyond what every block may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// Go beyond the safety limits.
    pub limits: bool,
    /// Reach rows that name somebody else.
    pub conflicts: bool,
}

/// An effect that somebody has approved, and the Approval's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The effect.
    pub effect: EffectId,
    /// `metadata.name` of the Approval.
    pub by: Name,
}

/// What approvals grant a block: those that name one of its tasks as it is now.
pub fn grants(situation: Situation<'_>, request: &Name, key: &str) -> Grants {
    let mut grants = Grants::default();
    let prints = [Action::Access, Action::Delete].map(|action| {
        let id =
            TaskId { request: request.clone(), key: Some(key.to_owned()), action: Some(action) };
        situation.fingerprints.get(&id).map(|print| of_task(print))
    });
    let approvals = &situation.catalog.approvals;
    for approval in approvals.iter().filter(|a| a.request == *request && a.key == key) {
        if prints.iter().flatten().any(|print| approval.effect.is_of(print)) {
            grants.limits |= approval.lift_limits;
            grants.conflicts |= approval.accept_conflicts;
        }
    }
    grants
}

/// The effects of a delete that have been approved; `None` where it needs no approval.
pub(super) fn approved(situation: Situation<'_>, id: &TaskId) -> Option<Vec<Approved>> {
    let needed = situation.catalog.settings.approval_required && id.action == Some(Action::Delete);
    needed.then(|| {
        let approvals = situation.catalog.approvals.iter();
        approvals
            .filter(|a| a.request == id.request && Some(&a.key) == id.key.as_ref())
            .map(|a| Approved { effect: a.effect.clone(), by: a.name.clone() })
            .collect()
    })
}

/// The part of an effect that says what the task is.
fn of_task(fingerprint: &str) -> String {
    digest("task", &fingerprint)
}

/// Gives a planned task its effect, and blocks it where that needs an approval and has none.
pub(super) fn judge<'a>(
    index: TaskIndex,
    task: &DraftTask,
    planned: &mut PlannedTask,
    works: impl Iterator<Item = &'a FileWork>,
) {
    let erases = planned.datasets.iter().any(|dataset| dataset.rows_erased > 0);
    let stopped = matches!(planned.reason, Some(Reason::LimitExceeded | Reason::IdentityConflict));
    let erasure = task.id.action == Some(Action::Delete) && task.runs && erases;
    if !erasure && !stopped {
        return;
    }
    let effect = task.fingerprint.as_deref().map(|print| effect(index, print, planned, works));
    planned.effect_id = effect.as_ref().map(ToString::to_string);
    let Some(approved) = task.approved.as_ref().filter(|_| erasure) else { return };
    if effect.as_ref().is_some_and(|effect| approved.iter().any(|a| a.effect == *effect)) {
        return;
    }
    planned.phase = Phase::Blocked;
    planned.reason = Some(Reason::NeedsApproval);
    planned.message = Some(message(effect.as_ref(), approved));
}

fn message(effect: Option<&EffectId>, approved: &[Approved]) -> String {
    let Some(effect) = effect else {
        return "it needs an Approval, and what it would do can only be named with the deployment \
                key, which the first `amparo apply` makes"
            .to_owned();
    };
    // The nearest: the one of which the least has changed.
    let nearest = approved.iter().min_by_key(|a| effect.changed(&a.effect).len());
    match nearest {
        None => format!("nobody has approved what it would do; its effectId is {effect}"),
        Some(nearest) => format!(
            "what it would do is no longer what {} approved: {} changed; its effectId is now {effect}",
            nearest.by,
            list(&effect.changed(&nearest.effect)),
        ),
    }
}

fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn effect<'a>(
    index: TaskIndex,
    fingerprint: &str,
    planned: &PlannedTask,
    works: impl Iterator<Item = &'a FileWork>,
) -> EffectId {
    let mut methods: BTreeSet<(&Name, String, Option<&Mask>)> = BTreeSet::new();
    for work in works {
        let mine = |cells: &[super::CellWork]| cells.iter().any(|cell| cell.task == index);
        if work.removed.iter().any(|(_, task)| *task == index) {
            methods.insert((&work.dataset, "*".to_owned(), None));
        }
        for leaf in work.leaves.iter().filter(|leaf| mine(&leaf.cells)) {
            methods.insert((&work.dataset, leaf.path.to_string(), Some(&leaf.mask)));
        }
    }
    let retained: Vec<(&Name, &str, &str)> = planned
        .datasets
        .iter()
        .flat_map(|d| d.retained.iter().map(|r| (&d.dataset, r.path.as_str(), r.why.as_str())))
        .collect();
    let erases = planned.datasets.iter().any(|dataset| dataset.rows_erased > 0);
    let mut files = Vec::new();
    let mut counts = Vec::new();
    for dataset in &planned.datasets {
        let fields: Vec<(&str, &str, u64)> = dataset
            .fields
            .iter()
            .map(|field| (field.path.as_str(), field.method.as_str(), field.cells))
            .collect();
        if dataset.person_rows + dataset.device_rows > 0 {
            counts.push((&dataset.dataset, [dataset.person_rows, dataset.device_rows], fields));
        }
        for file in dataset.files.iter().filter(|file| !erases || file.rows_erased > 0) {
            files.push((&dataset.dataset, file.path.as_str(), file.rows_erased, file.cells_erased));
        }
    }
    let names: Vec<(&Name, &str)> = files.iter().map(|file| (file.0, file.1)).collect();
    EffectId::new([
        &digest("task", &fingerprint),
        &digest("policies", &(methods, retained)),
        &digest("files", &names),
        &digest("counts", &(counts, files)),
    ])
}

/// SHA-256 over the JSON of a part, in hex.
fn digest(what: &str, part: &impl serde::Serialize) -> String {
    // Plain values of names and numbers always have a JSON form.
    let bytes = serde_json::to_vec(&(what, part)).unwrap_or_default();
    hex(&Sha256::digest(&bytes))
}
