//! Each task's phase after the search, and the work of those that run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Action, DeleteMethod, Environment, Limits, Name, Phase, Reason, Request, TaskId, UserBlock,
};
use crate::plan::{
    BlockFound, BlockRef, Cause, DatasetFound, FailureKind, FileProblem, LedgerView, Resolved,
    TaskIndex, TaskState, effect, grants,
};

use super::erase::{Deletion, Eraser, Outlook};
use super::holds::Holds;
use super::triage::{TriagedTask, dates, gone_policies, triage};
use super::veiled::unread;
use super::{
    Draft, DraftDataset, DraftTask, Evidence, Situation, Standing, Triage, access, limits, needs,
};

/// Decides every task of a pass.
pub fn draft(situation: Situation<'_>, evidence: Evidence<'_>) -> Draft {
    let holds = Holds::new(situation, evidence);
    let resolved: Vec<Option<Resolved<'_>>> = situation
        .catalog
        .datasets
        .iter()
        .map(|dataset| {
            let files = evidence.inventory.datasets.get(&dataset.name)?;
            Some(Resolved::new(dataset, files))
        })
        .collect();
    let erasers: Vec<Option<Eraser<'_>>> = resolved
        .iter()
        .enumerate()
        .map(|(index, resolved)| {
            let settings = &situation.catalog.settings;
            resolved.as_ref().map(|resolved| Eraser::new(resolved, index, &holds, settings))
        })
        .collect();
    let found = evidence.found.iter().map(|found| (found.block, found)).collect();
    let drafting = Drafting {
        situation,
        evidence,
        resolved: &resolved,
        erasers: &erasers,
        holds: &holds,
        found,
    };
    drafting.all()
}

struct Drafting<'a> {
    situation: Situation<'a>,
    evidence: Evidence<'a>,
    resolved: &'a [Option<Resolved<'a>>],
    erasers: &'a [Option<Eraser<'a>>],
    holds: &'a Holds<'a>,
    found: BTreeMap<BlockRef, &'a BlockFound>,
}

/// A block with its request, and what was found for it.
#[derive(Clone, Copy)]
struct Searched<'a> {
    request: &'a Request,
    block: &'a UserBlock,
    found: &'a BlockFound,
}

/// What makes tasks fail that need a dataset.
struct Fault {
    /// Index into the catalog.
    dataset: usize,
    /// Nothing can be done in the dataset; else only some of its files are at fault.
    whole: bool,
    standing: Standing,
}

impl<'a> Drafting<'a> {
    fn all(&self) -> Draft {
        let mut draft =
            Draft { tasks: Vec::new(), access: Vec::new(), erase: Vec::new(), notes: self.notes() };
        let mut deletions: BTreeMap<usize, Vec<Deletion<'a>>> = BTreeMap::new();
        // The access task of a block stands right before its delete.
        let mut access_waits: Option<(BlockRef, Standing)> = None;
        for (index, triaged) in (0..TaskIndex::MAX).zip(triage(self.situation)) {
            let action = triaged.id.action;
            let waits = access_waits.take_if(|(block, _)| Some(*block) == triaged.block);
            let task = self.task(triaged, waits.map(|(_, standing)| standing));
            if let (Some(block), true, Some(found)) =
                (task.block, task.runs, task.block.and_then(|block| self.found.get(&block)))
            {
                match action {
                    Some(Action::Access) if task.rows() > 0 => {
                        draft.access.push(self.package(index, block, found));
                    }
                    Some(Action::Delete) => self.collect(index, block, found, &mut deletions),
                    _ => {}
                }
            }
            if action == Some(Action::Access) && !task.runs && !task.standing.phase.is_final() {
                access_waits = task.block.map(|block| (block, task.standing.clone()));
            }
            draft.notes.extend(self.overlooked(&task));
            draft.tasks.push(task);
        }
        for (dataset, deletions) in deletions {
            if let Some(Some(eraser)) = self.erasers.get(dataset) {
                draft.erase.extend(eraser.work(&deletions));
            }
        }
        draft.erase.sort_by(|a, b| (&a.dataset, &a.path).cmp(&(&b.dataset, &b.path)));
        draft
    }

    /// That a standing erasure that is done could not look everywhere: it stays done.
    fn overlooked(&self, task: &DraftTask) -> Option<String> {
        let done = task.standing.phase == Phase::Complete && task.id.action == Some(Action::Delete);
        let at = task.block.filter(|_| done && !task.datasets.is_empty())?;
        let (request, block) = self.block(at)?;
        let found = self.found.get(&at)?;
        let fault = self.faults(Searched { request, block, found }).into_iter().next()?;
        let why = fault.standing.message.unwrap_or_default();
        Some(format!("{}/{} is not kept in force everywhere: {why}", request.name, block.key))
    }

    fn block(&self, at: BlockRef) -> Option<(&'a Request, &'a UserBlock)> {
        let request = self.situation.requests.get(at.request)?;
        Some((request, request.users.get(at.user)?))
    }

    fn package(
        &self,
        task: TaskIndex,
        at: BlockRef,
        found: &BlockFound,
    ) -> crate::plan::AccessWork {
        let is_qa = self.block(at).is_some_and(|(_, block)| block.is_qa());
        let environment = if is_qa { Environment::Test } else { Environment::Production };
        access::work(task, environment, found, |dataset| {
            self.resolved.get(dataset).and_then(Option::as_ref)
        })
    }

    fn collect(
        &self,
        task: TaskIndex,
        at: BlockRef,
        found: &'a BlockFound,
        deletions: &mut BTreeMap<usize, Vec<Deletion<'a>>>,
    ) {
        let purge =
            self.block(at).is_some_and(|(request, _)| request.delete_method == DeleteMethod::Purge);
        for found in found.datasets.iter().filter(|found| !found.rows.is_empty()) {
            if self.fault(found.dataset).is_some_and(|fault| fault.whole) {
                continue;
            }
            deletions.entry(found.dataset).or_default().push(Deletion { task, purge, found });
        }
    }

    fn task(&self, triaged: TriagedTask, access_waits: Option<Standing>) -> DraftTask {
        let request = triaged
            .block
            .and_then(|block| self.situation.requests.get(block.request))
            .or_else(|| self.situation.requests.iter().find(|r| r.name == triaged.id.request));
        let known = self.situation.ledger.tasks.get(&triaged.id);
        let (received_at, due) = match (request, known) {
            (Some(request), _) => dates(self.situation, request),
            (None, Some(state)) => (state.received_at, state.due),
            (None, None) => (self.situation.now, self.situation.now),
        };
        let mut task = DraftTask {
            fingerprint: self.situation.fingerprints.get(&triaged.id).cloned(),
            approved: effect::approved(self.situation, &triaged.id),
            regulation: request.and_then(|request| request.regulation.clone()),
            id: triaged.id,
            block: triaged.block,
            standing: Standing::submitted(),
            runs: false,
            outcome: None,
            received_at,
            due,
            identities: Vec::new(),
            datasets: Vec::new(),
            left_out: Vec::new(),
        };
        let in_force = match triaged.triage {
            Triage::Settled(standing) => {
                task.standing = standing;
                return task;
            }
            Triage::InForce(standing) => Some(standing),
            Triage::Open => None,
        };
        let searched = triaged.block.and_then(|at| {
            let (request, block) = self.block(at)?;
            Some(Searched { request, block, found: self.found.get(&at)? })
        });
        let Some(searched) = searched else {
            // Never to be read as "no match".
            task.standing = Standing::unreadable("the block was not searched", Cause::transient());
            return task;
        };
        self.describe(&mut task, searched.found);
        // What cannot be read may hold something new: then nobody can say that it is in force.
        let rests = || searched.found.stop.is_none() && self.faults(searched).is_empty();
        if let Some(standing) = in_force.filter(|_| task.rows() == 0 && rests()) {
            task.standing = standing;
            return task;
        }
        match task.id.action {
            Some(Action::Access) => self.decide_access(&mut task, searched),
            _ => self.decide_delete(&mut task, searched, known, access_waits),
        }
        task
    }

    /// What the search found, as counts.
    fn describe(&self, task: &mut DraftTask, found: &BlockFound) {
        task.identities.clone_from(&found.identities);
        task.left_out.clone_from(&found.left_out);
        let datasets = found.datasets.iter().filter_map(|found| {
            let resolved = self.resolved.get(found.dataset)?.as_ref()?;
            let mut files: BTreeMap<u32, u64> = BTreeMap::new();
            for row in &found.rows {
                *files.entry(row.at.file).or_default() += 1;
            }
            let person_rows = count(found.rows.iter().filter(|row| row.person).count());
            Some(DraftDataset {
                dataset: resolved.dataset.name.clone(),
                product: resolved.dataset.product.as_str().to_owned(),
                source: resolved.dataset.source.clone(),
                person_rows,
                device_rows: count(found.rows.len()) - person_rows,
                files,
                files_searched: count(resolved.files.files.len()),
                rows_searched: resolved.files.rows(),
                held_rows: BTreeMap::new(),
                held_leaves: Vec::new(),
            })
        });
        task.datasets = datasets.collect();
        task.datasets.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    }

    fn decide_access(&self, task: &mut DraftTask, searched: Searched<'_>) {
        let limits = &self.limits(searched);
        let fault = || self.faults(searched).into_iter().next().map(|fault| fault.standing);
        let refusal = halted(searched).or_else(fault);
        let refusal = refusal.or_else(|| limits::rows(limits, task.rows())).or_else(|| {
            task.datasets.iter().find_map(|dataset| {
                let rows = dataset.person_rows + dataset.device_rows;
                limits::fraction(limits, &dataset.dataset, rows, dataset.rows_searched)
            })
        });
        let refusal = refusal.or_else(|| {
            let blocks = |dataset: &&DraftDataset| dataset.person_rows + dataset.device_rows > 0;
            task.datasets.iter().filter(blocks).find_map(|dataset| {
                let block = self.evidence.blocks.get(&dataset.dataset)?;
                Some(unfit(&dataset.dataset, block.access.as_ref()?))
            })
        });
        match refusal {
            Some(standing) => task.standing = standing,
            None => run(task, Reason::Exported, false),
        }
    }

    fn decide_delete(
        &self,
        task: &mut DraftTask,
        searched: Searched<'_>,
        known: Option<&TaskState>,
        access_waits: Option<Standing>,
    ) {
        let limits = &self.limits(searched);
        let refusal = halted(searched).or_else(|| limits::rows(limits, task.rows()));
        if let Some(standing) = refusal {
            task.standing = standing;
            return;
        }
        let faults = self.faults(searched);
        let mut outlooks = self.outlooks(searched);
        outlooks.retain(|(found, _)| !hindered(&faults, found.dataset));
        let refusal = outlooks.iter().find_map(|(found, outlook)| {
            let resolved = self.resolved.get(found.dataset)?.as_ref()?;
            let name = &resolved.dataset.name;
            let block = self.evidence.blocks.get(name).filter(|_| !found.rows.is_empty());
            let blocked = block.and_then(|block| block.erase.as_ref());
            blocked
                .or(outlook.fault.as_ref())
                .map(|text| unfit(name, text))
                .or_else(|| limits::fraction(limits, name, outlook.rows, resolved.files.rows()))
        });
        if let Some(standing) = refusal {
            task.standing = standing;
            return;
        }
        if let Some(mut standing) = access_waits {
            let why = standing.message.unwrap_or_default();
            standing.message =
                Some(format!("nothing is erased before the access task is done: {why}"));
            task.standing = standing;
            return;
        }
        for (found, outlook) in &outlooks {
            let name = self.resolved.get(found.dataset).and_then(Option::as_ref);
            let slot = name.and_then(|resolved| {
                task.datasets.iter_mut().find(|d| d.dataset == resolved.dataset.name)
            });
            if let Some(dataset) = slot {
                dataset.held_rows.clone_from(&outlook.held_rows);
                dataset.held_leaves = outlook.held_leaves.clone().into_iter().collect();
            }
        }
        let narrowed = !task.left_out.is_empty() || !searched.block.only.r#where.is_empty();
        let outcome = if narrowed { Reason::ErasedNarrowed } else { Reason::Erased };
        // What was erased before a crash is found no more, and was a match all the same.
        let fingerprint = task.fingerprint.as_deref();
        let begun = self.situation.ledger.interrupted.get(&task.id);
        let resumed = fingerprint.is_some_and(|now| begun.is_some_and(|all| all.contains(now)));
        let erased_before = resumed || known.is_some_and(|known| known.has_erased(fingerprint));
        let unusable = outlooks.iter().find_map(|(found, outlook)| {
            let dataset = self.resolved.get(found.dataset)?.as_ref()?.dataset;
            Some(unusable(&dataset.name, outlook.unusable.as_ref()?))
        });
        let fault = faults.into_iter().next().map(|fault| fault.standing).or(unusable);
        if let Some(mut standing) = fault {
            // Whatever it does not hinder is done first.
            let rest = outlooks.iter().any(|(_, outlook)| outlook.rows > 0);
            task.runs = (rest || erased_before) && self.holds.unknown().is_none();
            task.outcome = task.runs.then_some(outcome);
            if erased_before {
                standing.reason = Some(Reason::PartiallyCompleted);
            }
            task.standing = standing;
            return;
        }
        if let Some(why) = self.holds.unknown().filter(|_| task.rows() > 0) {
            task.standing = Standing::new(Phase::Blocked, Reason::Held, why);
            return;
        }
        run(task, outcome, erased_before);
        if task.is_held() {
            let whys: BTreeSet<&str> = task
                .datasets
                .iter()
                .flat_map(|dataset| {
                    let leaves = dataset.held_leaves.iter().map(|(_, why)| why.as_str());
                    dataset.held_rows.keys().map(String::as_str).chain(leaves)
                })
                .collect();
            let message = whys.into_iter().collect::<Vec<_>>().join("; ");
            task.standing = Standing::new(Phase::Blocked, Reason::Held, message);
        }
    }

    /// The limits of a block: none where an approval lifts them.
    fn limits(&self, searched: Searched<'_>) -> Limits {
        let grants = grants(self.situation, &searched.request.name, &searched.block.key);
        let limits = &self.situation.catalog.settings.limits;
        if grants.limits { limits.lifted() } else { limits.clone() }
    }

    /// Faults of the datasets that a block needs, by dataset; no access may be given with one, and no
    /// delete is complete.
    fn faults(&self, searched: Searched<'_>) -> Vec<Fault> {
        let within: BTreeSet<usize> =
            searched.found.datasets.iter().map(|found| found.dataset).collect();
        let catalog = self.situation.catalog;
        let needed = needs::reachable(catalog, searched.request, searched.block, &within);
        needed.into_iter().filter_map(|index| self.fault(index)).collect()
    }

    fn fault(&self, dataset: usize) -> Option<Fault> {
        let name = &self.situation.catalog.datasets.get(dataset)?.name;
        let files = self.evidence.inventory.datasets.get(name);
        let blocks = self.evidence.blocks.get(name);
        let whole = blocks.and_then(|blocks| blocks.search.as_deref());
        let text = match (whole.or_else(|| blocks?.files.as_deref()), files) {
            (Some(text), _) => text.to_owned(),
            (None, Some(_)) => return None,
            (None, None) => format!("dataset {name}: the location was not read"),
        };
        // Faults of files come first: where the text is of none, it is the policy that does not fit.
        let problems = files.map_or(&[][..], |files| &files.problems);
        let problem = problems.iter().find(|problem| text.ends_with(&problem.what));
        let standing = match problem {
            Some(problem) => {
                let file = Some(problem.shown.clone());
                let cause = Cause { file, ..Cause::of(FailureKind::Data, name) };
                Standing::unreadable(text, cause)
            }
            None => unfit(name, &text),
        };
        Some(Fault { dataset, whole: whole.is_some() || files.is_none(), standing })
    }

    fn outlooks(&self, searched: Searched<'a>) -> Vec<(&'a DatasetFound, Outlook)> {
        let purge = searched.request.delete_method == DeleteMethod::Purge;
        let outlook = |found: &'a DatasetFound| {
            let eraser = self.erasers.get(found.dataset)?.as_ref()?;
            Some((found, eraser.outlook(Deletion { task: 0, purge, found })))
        };
        searched.found.datasets.iter().filter_map(outlook).collect()
    }

    /// Standing erasures that are done, and cannot be kept in force: nobody here knows for whom.
    fn out_of_force(&self) -> impl Iterator<Item = String> {
        let Situation { requests, ledger, .. } = self.situation;
        let done = |request: &Request, block: &UserBlock| {
            let id = TaskId {
                request: request.name.clone(),
                key: Some(block.key.clone()),
                action: Some(Action::Delete),
            };
            ledger.tasks.get(&id).is_some_and(|task| task.phase == Phase::Complete)
        };
        requests.iter().flat_map(move |request| {
            let blocks = request.users.iter().filter(move |block| {
                block.standing && block.rejected.is_none() && done(request, block)
            });
            blocks.filter_map(|block| {
                let why = unread(block)?;
                Some(format!("{}/{} is not kept in force: {why}", request.name, block.key))
            })
        })
    }

    /// Deletes that were begun for what their requests said then, and that what these say now has not
    /// finished: somebody may be erased in part.
    fn interrupted(&self) -> impl Iterator<Item = String> {
        let Situation { ledger, .. } = self.situation;
        let done = |id: &TaskId| ledger.tasks.get(id).is_some_and(|task| task.phase.is_final());
        ledger.interrupted.keys().filter(move |id| done(id)).map(|id| {
            let key = id.key.as_deref().unwrap_or_default();
            format!(
                "{}/{key}: an erasure was begun for the identities that the block named before, and was \
                 not finished; what it had found is kept until the block names them again",
                id.request
            )
        })
    }

    fn notes(&self) -> Vec<String> {
        let gone = gone_policies(self.situation).into_iter().map(|what| {
            format!("{what} is gone from the policies: no delete runs until it is back or retired")
        });
        let ledger: &LedgerView = self.situation.ledger;
        let settings = &self.situation.catalog.settings;
        let retired = settings
            .retired
            .iter()
            .filter(|name| ledger.datasets.contains(name) || ledger.holds.contains(name))
            .map(|name| format!("{name} is retired: what it held is neither searched nor kept"));
        gone.chain(retired).chain(self.out_of_force()).chain(self.interrupted()).collect()
    }
}

/// Why nothing of a block may be done, whatever the data is like: what the search says.
fn halted(searched: Searched<'_>) -> Option<Standing> {
    let (reason, message) = searched.found.stop.as_ref()?;
    let phase = match reason {
        Reason::ValueFormat => Phase::Rejected,
        Reason::DataUnreadable | Reason::Storage => Phase::Failed,
        _ => Phase::Blocked,
    };
    let cause = Cause { kind: FailureKind::Configuration, dataset: None, file: None };
    let cause = (phase == Phase::Failed).then_some(cause);
    Some(Standing { cause, ..Standing::new(phase, *reason, message) })
}

/// Whether nothing can be done in a dataset.
fn hindered(faults: &[Fault], dataset: usize) -> bool {
    faults.iter().any(|fault| fault.whole && fault.dataset == dataset)
}

/// A file in which nothing can be erased.
fn unusable(dataset: &Name, problem: &FileProblem) -> Standing {
    let FileProblem { shown, what, .. } = problem;
    let cause = Cause { file: Some(shown.clone()), ..Cause::of(FailureKind::Data, dataset) };
    Standing::unreadable(format!("dataset {dataset}: {shown}: {what}"), cause)
}

/// The task will run, and end with `outcome` or, where nothing was found, with `NoMatch`.
fn run(task: &mut DraftTask, outcome: Reason, erased_before: bool) {
    task.runs = true;
    if task.rows() > 0 || erased_before {
        task.outcome = Some(outcome);
    } else {
        let message = "nothing matches: it will be complete as NoMatch".to_owned();
        task.outcome = Some(Reason::NoMatch);
        task.standing = Standing::new(Phase::Submitted, Reason::NoMatch, message);
    }
}

/// Data that is not as the policy of its dataset wants it.
fn unfit(dataset: &Name, what: &str) -> Standing {
    Standing::unreadable(what, Cause::of(FailureKind::Configuration, dataset))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
