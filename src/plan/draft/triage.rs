//! Which tasks there are, which of them are settled without a look at the data, and which blocks must
//! be searched (RULES.md section 6).

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::model::{Action, Name, Phase, Reason, Request, TaskId, UserBlock};
use crate::plan::{BlockRef, Cause, FailureKind, LedgerView, TaskState};

use super::holds::held_blocks;
use super::veiled::unread;
use super::{Situation, Standing};

/// A task before the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriagedTask {
    /// Which.
    pub id: TaskId,
    /// Its block; `None` for a request that was rejected as a whole and for an orphaned task.
    pub block: Option<BlockRef>,
    /// Settled or open.
    pub triage: Triage,
}

/// Whether a task needs the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Triage {
    /// Nothing is to be searched for it.
    Settled(Standing),
    /// It is to be done, as far as can be told before the search.
    Open,
    /// It has been completed, and its block is `standing`: data that arrived later is to be erased.
    InForce(Standing),
}

/// A block to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenBlock {
    /// The block.
    pub block: BlockRef,
    /// What for.
    pub purpose: Purpose,
}

/// What a block is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Tasks of it are open.
    Tasks,
    /// To keep a completed erasure in force: rows whose cells are all in erased form do not count, and
    /// whoever searches puts them at rest (RULES.md section 5, `standing`).
    Standing,
    /// None of its tasks is to be done, and a hold on its request keeps its rows from the deletes of
    /// others.
    Hold,
}

/// Every task of the pass: by request name, then position in the file, access before delete; orphaned
/// tasks last, by name.
pub fn triage(situation: Situation<'_>) -> Vec<TriagedTask> {
    let mut order: Vec<usize> = (0..situation.requests.len()).collect();
    order.sort_by_key(|index| (&situation.requests[*index].name, *index));
    let gone = gone_policies(situation);
    let mut tasks = Tasks { situation, gone, seen: BTreeSet::new(), list: Vec::new() };
    for index in order {
        tasks.request(index, &situation.requests[index]);
    }
    tasks.orphans();
    tasks.list
}

/// The blocks that must be searched, in the order of [`BlockRef`]: those with something to do, and, where
/// something may be erased, those whose rows a hold keeps.
pub fn to_search(situation: Situation<'_>, tasks: &[TriagedTask]) -> Vec<OpenBlock> {
    let mut blocks: BTreeMap<BlockRef, Purpose> = BTreeMap::new();
    let mut deletes = false;
    for task in tasks {
        let purpose = match task.triage {
            Triage::Settled(_) => continue,
            Triage::Open => Purpose::Tasks,
            Triage::InForce(_) => Purpose::Standing,
        };
        deletes |= task.id.action == Some(Action::Delete);
        if let Some(block) = task.block {
            let entry = blocks.entry(block).or_insert(purpose);
            *entry = purpose.min(*entry);
        }
    }
    if deletes {
        for (block, _) in held_blocks(situation).filter(|(_, block)| unread(block).is_none()) {
            blocks.entry(block).or_insert(Purpose::Hold);
        }
    }
    blocks.into_iter().map(|(block, purpose)| OpenBlock { block, purpose }).collect()
}

/// Datasets and holds that the ledger knows, and that are gone from the policies without being let go:
/// a policy that cannot be found must never mean "nothing to erase" or "nothing to keep".
pub(super) fn gone_policies(situation: Situation<'_>) -> Vec<String> {
    let catalog = situation.catalog;
    let datasets: BTreeSet<&Name> = catalog.datasets.iter().map(|dataset| &dataset.name).collect();
    let holds: BTreeSet<&Name> = catalog.holds.iter().map(|hold| &hold.name).collect();
    let lost = |name: &&Name, known: &BTreeSet<&Name>| {
        !known.contains(name) && !catalog.settings.retired.contains(*name)
    };
    let ledger: &LedgerView = situation.ledger;
    let datasets =
        ledger.datasets.iter().filter(|name| lost(name, &datasets)).map(|n| format!("dataset {n}"));
    let holds = ledger.holds.iter().filter(|name| lost(name, &holds)).map(|n| format!("hold {n}"));
    datasets.chain(holds).collect()
}

struct Tasks<'a> {
    situation: Situation<'a>,
    gone: Vec<String>,
    seen: BTreeSet<TaskId>,
    list: Vec<TriagedTask>,
}

impl Tasks<'_> {
    fn push(&mut self, id: TaskId, block: Option<BlockRef>, triage: Triage) {
        // A second task of the same name is a duplicate that the manifest has reported: the first counts.
        if self.seen.insert(id.clone()) {
            self.list.push(TriagedTask { id, block, triage });
        }
    }

    fn request(&mut self, index: usize, request: &Request) {
        if let Some(reason) = request.rejected {
            let id = TaskId { request: request.name.clone(), key: None, action: None };
            self.push(id, None, Triage::Settled(rejected(reason)));
            return;
        }
        for (user, block) in request.users.iter().enumerate() {
            let at = BlockRef { request: index, user };
            let id = |action| TaskId {
                request: request.name.clone(),
                key: Some(block.key.clone()),
                action,
            };
            if let (Some(reason), true) = (block.rejected, block.actions.is_empty()) {
                self.push(id(None), Some(at), Triage::Settled(rejected(reason)));
            }
            let judged: Vec<(TaskId, Triage)> = block
                .actions
                .iter()
                .map(|action| {
                    let id = id(Some(*action));
                    let triage = self.judge(request, block, *action, &id);
                    (id, triage)
                })
                .collect();
            // The tasks of a block are tried together: an erasure waits for its package anyway.
            let mut open = judged.iter().filter(|(_, triage)| *triage == Triage::Open);
            let waits = open.all(|(id, _)| self.waiting(id).is_some());
            for (id, triage) in judged {
                let waiting = self.waiting(&id).filter(|_| waits && triage == Triage::Open);
                let triage = waiting.map_or(triage, Triage::Settled);
                self.push(id, Some(at), triage);
            }
        }
    }

    fn judge(&self, request: &Request, block: &UserBlock, action: Action, id: &TaskId) -> Triage {
        if let Some(reason) = block.rejected {
            // A value that cannot be read is in no fingerprint: with it the task is not what it was.
            let done = self.done(id).filter(|_| reason != Reason::ValueFormat);
            return Triage::Settled(done.unwrap_or_else(|| rejected(reason)));
        }
        let stopped = request.withdrawn || request.suspend;
        if let Some(state) = self.situation.ledger.tasks.get(id).filter(|s| self.same(id, s)) {
            let standing = known(state);
            let in_force = action == Action::Delete && block.standing && !stopped;
            match state.phase {
                Phase::Complete if in_force && self.gone.is_empty() && unread(block).is_none() => {
                    return Triage::InForce(standing);
                }
                Phase::Complete | Phase::Cancelled => return Triage::Settled(standing),
                // What was rejected and is valid now is open: its own form, the policies or the data
                // have changed, and nothing has been done for it.
                _ => {}
            }
        }
        if request.withdrawn {
            let message = "the request is withdrawn";
            return Triage::Settled(Standing::new(Phase::Cancelled, Reason::Withdrawn, message));
        }
        if request.suspend {
            let message = "the request says suspend: true";
            return Triage::Settled(Standing::new(Phase::Blocked, Reason::Suspended, message));
        }
        if action == Action::Delete && !self.gone.is_empty() {
            let message = format!(
                "{} was known to earlier passes and is gone from the policies: bring it back, or \
                 name it under retired in Settings",
                self.gone.join(", ")
            );
            return Triage::Settled(Standing::new(Phase::Blocked, Reason::NeedsApproval, message));
        }
        match unread(block) {
            Some(message) => {
                let cause = Cause { kind: FailureKind::Configuration, dataset: None, file: None };
                let standing = Standing::new(Phase::Failed, Reason::Sealed, message);
                Triage::Settled(Standing { cause: Some(cause), ..standing })
            }
            None => Triage::Open,
        }
    }

    /// Where a task stands that is done and surely the same: stricter rules of today do not undo it.
    fn done(&self, id: &TaskId) -> Option<Standing> {
        let state = self.situation.ledger.tasks.get(id)?;
        let done = matches!(state.phase, Phase::Complete | Phase::Cancelled)
            && self.situation.fingerprints.get(id) == Some(&state.fingerprint);
        done.then(|| known(state))
    }

    /// Where a failed task stands that waits for its next try.
    fn waiting(&self, id: &TaskId) -> Option<Standing> {
        let Situation { ledger, waiting, .. } = self.situation;
        // One that was sealed and is open to the search now has its key: nothing is left to wait for.
        let failed = |s: &&TaskState| s.phase == Phase::Failed && s.reason != Some(Reason::Sealed);
        let state = ledger.tasks.get(id).filter(failed)?;
        (waiting.contains(id) && self.same(id, state)).then(|| known(state))
    }

    /// Whether a task is what the ledger knows. Without the deployment key nobody can tell: what is
    /// done is then taken as done.
    fn same(&self, id: &TaskId, state: &TaskState) -> bool {
        self.situation.fingerprints.get(id).is_none_or(|now| *now == state.fingerprint)
    }

    fn orphans(&mut self) {
        let rejected: BTreeSet<&Name> = self
            .situation
            .requests
            .iter()
            .filter(|request| request.rejected.is_some())
            .map(|request| &request.name)
            .collect();
        for (id, state) in &self.situation.ledger.tasks {
            let triage = match () {
                _ if state.phase.is_final() || self.seen.contains(id) => continue,
                // The file is there and says nothing valid: its tasks, begun perhaps, wait until it does.
                _ if rejected.contains(&id.request) => Standing::new(
                    Phase::Blocked,
                    Reason::Orphaned,
                    "the request is no longer valid; nothing more is done for it until it is mended",
                ),
                _ => Standing::new(
                    Phase::Blocked,
                    Reason::Orphaned,
                    "the request or its block is gone; nothing more is done for it: bring it back, \
                     or commit it with withdrawn: true",
                ),
            };
            self.push(id.clone(), None, Triage::Settled(triage));
        }
    }
}

/// Where the ledger has a task.
fn known(state: &TaskState) -> Standing {
    Standing {
        phase: state.phase,
        reason: state.reason,
        message: state.message.clone(),
        cause: None,
    }
}

fn rejected(reason: Reason) -> Standing {
    let message = match reason {
        Reason::ValueFormat => "value not formatted correctly",
        Reason::UnknownAction => "an action other than access and delete",
        _ => "not a valid request: `amparo check` says why",
    };
    Standing::new(Phase::Rejected, reason, message)
}

/// When a request was received, and when its tasks must be done.
pub(super) fn dates(
    situation: Situation<'_>,
    request: &Request,
) -> (jiff::Timestamp, jiff::Timestamp) {
    let first_seen = situation.ledger.requests.get(&request.name).copied();
    let received = request.received_at.or(first_seen).unwrap_or(situation.now);
    let by_law = situation.catalog.settings.deadline(request.regulation.as_ref()).after(received);
    let due = match &request.extension {
        None => by_law,
        Some(extension) => {
            extension.until.to_zoned(TimeZone::UTC).map_or(by_law, |zoned| zoned.timestamp())
        }
    };
    (received, due)
}
