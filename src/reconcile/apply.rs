//! Carries a plan out: intent, packages, erasure, outcome.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, has_errors};
use crate::model::{Action, Catalog, Phase, Reason, TaskId};
use crate::plan::{Cause, LedgerView, Plan, PlanInputs, PlannedTask, TaskIndex, Totals, moved};
use crate::store::{Exports, OpenState, Record, Seen, State};

use super::digests::resolved;
use super::erase::{Failed, erase};
use super::export::export;
use super::gather::{Texts, engine, open_state, recall};
use super::ledger_now::LedgerNow;
use super::outcome::{Outcome, Outcomes};
use super::pass::{Outlook, Pass, verdict};
use super::record::{intents, task_ref};
use super::recover::{deployment_key, destroy_finished_keys, recover};
use super::watch::next_wake;
use super::{Event, Events, InputFiles, PassError, SavedPlan, Verdict, Workspace};

/// How often a pass erases before what keeps moving is given up (RULES.md section 6, `Conflict`).
const ROUNDS: usize = 3;

/// Who says that the plan may be carried out.
pub enum Approval<'a> {
    /// Nobody needs to be asked.
    Given,
    /// A saved plan: exactly that, or nothing.
    Saved(Box<SavedPlan>),
    /// A person, shown the plan.
    Ask(Box<dyn FnMut(&Plan) -> bool + 'a>),
}

/// What a pass did.
#[derive(Debug)]
pub struct ApplyReport {
    /// What is wrong with policies and requests.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan that was carried out.
    pub plan_id: Option<String>,
    /// What it rested on.
    pub inputs: Option<PlanInputs>,
    /// The tasks as they are now.
    pub tasks: Vec<AppliedTask>,
    /// Sums, as measured.
    pub totals: Totals,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Number and SHA-256 of the newest ledger commit: keep it elsewhere.
    pub head: Option<(u64, String)>,
    /// Whether the ledger was told anything.
    pub recorded: bool,
    /// The next instant at which time alone gives a pass something to do or to say.
    pub wake: Option<Timestamp>,
    /// The ledger as the pass left it; `None` where it was not opened.
    pub ledger: Option<LedgerNow>,
    /// How the command should end.
    pub verdict: Verdict,
}

impl ApplyReport {
    /// Of a pass that did nothing, for the policies are invalid.
    pub(super) fn invalid(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            diagnostics,
            plan_id: None,
            inputs: None,
            tasks: Vec::new(),
            totals: Totals::default(),
            notes: vec!["the policies are invalid: nothing was done".to_owned()],
            head: None,
            recorded: false,
            wake: None,
            ledger: None,
            verdict: Verdict::Invalid,
        }
    }
}

/// One task after the pass.
#[derive(Debug, Clone)]
pub struct AppliedTask {
    /// As planned, with the phase that it has now.
    pub task: PlannedTask,
    /// Its package.
    pub package: Option<String>,
    /// Whether the outcome was read again and proved; `None`: there was nothing to prove.
    pub verified: Option<bool>,
    /// How long it took, alone or its share of work done together.
    pub seconds: f64,
    /// Whether this pass did or decided something for it.
    pub touched: bool,
}

/// One pass: looks, plans, asks, does, records.
///
/// # Errors
/// The pass could not be carried through; what was recorded before is done.
pub fn apply(
    workspace: &Workspace,
    approval: Approval<'_>,
    events: &mut dyn Events,
) -> Result<ApplyReport, PassError> {
    apply_texts(workspace, &Texts::read(workspace)?, approval, events)
}

/// As [`apply`], on policies and requests that have been read.
pub(super) fn apply_texts(
    workspace: &Workspace,
    texts: &Texts,
    approval: Approval<'_>,
    events: &mut dyn Events,
) -> Result<ApplyReport, PassError> {
    let now = workspace.clock.now();
    let loaded = texts.load(now);
    if !loaded.catalog_valid {
        return Ok(ApplyReport::invalid(loaded.diagnostics));
    }
    let engine = engine(workspace, &loaded.catalog)?;
    recall(workspace, &loaded.catalog, &engine)?;
    let pass = Pass { workspace, texts, loaded: &loaded, engine: &engine, now };
    keep_apart(workspace, &loaded.catalog)?;
    // Before the state is opened, which would make its directory: it must not lie in a dataset.
    let inventory = pass.inventory()?;
    let mut state = open_state(workspace, &loaded.catalog, events)?;
    // Before the first search, which may spill into it.
    let scratch = state.scratch(workspace.scratch.as_deref())?;
    let before = state.state().view().seq;
    for warning in state.state().warnings() {
        events.event(Event::Notice { text: warning.to_string() });
    }
    clock_went_back(state.state().view(), now, events);
    let settings = &loaded.catalog.settings;
    let exports = Exports::open(workspace.exports(settings), ".".as_ref())?
        .encrypting(&settings.package_recipients);
    clear_unpublished(&pass, &mut state, &exports)?;
    let inventory = recover(&pass, inventory, &mut state, events)?;
    let resolved = resolved(&pass, state.state(), &inventory, events)?;
    let pass = Pass { loaded: resolved.as_ref().unwrap_or(&loaded), ..pass };
    let mut seen = state.state().seen();
    let outlook = pass.look(state.state(), inventory, seen.as_mut(), events)?;
    approve(approval, &outlook, texts, state.state())?;
    let (state, seen) = (&mut state, &mut seen);
    let (outlook, exports, scratch) = (&outlook, &exports, scratch.path());
    Applying { pass, outlook, state, seen, exports, scratch, before }
        .all(events, &loaded.diagnostics)
}

/// Says so where the ledger has been written later than now. Nothing is undone by it: what is done stays
/// done, and times are those of the clock; but holds hold again that a clock ahead of time let lapse.
fn clock_went_back(view: &LedgerView, now: Timestamp, events: &mut dyn Events) {
    if let Some(latest) = view.latest.filter(|latest| *latest > now) {
        let text = format!(
            "the clock says {now}, and the ledger was last written at {latest}: if the clock is wrong, \
             so are due dates, holds and expiries"
        );
        events.event(Event::Notice { text });
    }
}

/// Refuses exports inside the state: a package must never land among the ledger's
/// files.
fn keep_apart(workspace: &Workspace, catalog: &Catalog) -> Result<(), PassError> {
    let place = |text: &str| {
        crate::store::directory(text, ".".as_ref())
            .map(|path| std::path::absolute(&path).unwrap_or(path))
    };
    let state = place(workspace.state(&catalog.settings))?;
    let exports = place(workspace.exports(&catalog.settings))?;
    if exports.starts_with(&state) {
        return Err(PassError::Places);
    }
    Ok(())
}

/// Deletes packages that a killed pass published and did not record, and what it left half copied.
fn clear_unpublished(
    pass: &Pass<'_>,
    state: &mut OpenState,
    exports: &Exports,
) -> Result<(), PassError> {
    let view = state.state().view();
    let known = view.packages.keys().chain(view.intended_packages.keys());
    exports.sweep(known.map(String::as_str))?;
    let mut records = Vec::new();
    for (location, id) in
        view.intended_packages.iter().filter(|(l, _)| !view.packages.contains_key(*l))
    {
        if exports.delete(location)? {
            records.push(Record::PackageExpired { task: task_ref(id), package: location.clone() });
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    Ok(state.append(records, pass.now)?)
}

fn approve(
    approval: Approval<'_>,
    outlook: &Outlook,
    texts: &Texts,
    state: &State,
) -> Result<(), PassError> {
    let plan = &outlook.plan;
    match approval {
        Approval::Given => Ok(()),
        Approval::Ask(mut ask) => {
            if !plan.has_changes() || ask(plan) {
                Ok(())
            } else {
                Err(PassError::NotApproved)
            }
        }
        Approval::Saved(saved) => {
            let mut lines = moved(&saved.plan.inputs, &plan.inputs);
            // Without the deployment key the plan does not say what its files were.
            if !lines.is_empty() && saved.plan.inputs.requests.is_some() {
                let now = InputFiles::of(texts, &outlook.inventory, state.deployment_key());
                lines.extend(saved.files.moved(&now));
            }
            if !saved.plan.has_own_id() {
                lines.push("the plan itself was edited after `amparo plan` wrote it".to_owned());
            }
            if lines.is_empty() && saved.plan.plan_id != plan.plan_id {
                lines.push("time has passed: what is to be done is no longer the same".to_owned());
            }
            if lines.is_empty() { Ok(()) } else { Err(PassError::Stale { moved: lines }) }
        }
    }
}

struct Applying<'a> {
    pass: Pass<'a>,
    outlook: &'a Outlook,
    state: &'a mut OpenState,
    seen: &'a mut Option<Seen>,
    exports: &'a Exports,
    scratch: &'a Path,
    /// Number of the newest ledger entry when the pass began.
    before: u64,
}

impl Applying<'_> {
    fn all(
        mut self,
        events: &mut dyn Events,
        diagnostics: &[Diagnostic],
    ) -> Result<ApplyReport, PassError> {
        let started = Instant::now();
        let stop = &self.pass.workspace.stop;
        stop.check()?;
        let key = deployment_key(self.state)?;
        let intents =
            intents(&self.pass, self.outlook, self.state.state().view(), &key, self.exports);
        self.append(intents)?;

        let (exported, compiling) =
            export(&self.pass, self.outlook, self.exports, self.scratch, events)?;
        let mut outcomes = Outcomes::new(self.outlook, self.state.state().view());
        let share = compiling / exported.len().max(1) as f64;
        for (task, exported) in exported {
            outcomes.exported(task, exported, share);
        }
        // A delete whose block also asks for access waits for that package to be durable.
        let waiting = outcomes.waiting_deletes();
        let records = outcomes.records();
        self.append(records)?;
        stop.check()?;
        self.erase(&waiting, &mut outcomes, events)?;
        let records = outcomes.records();
        self.append(records)?;
        self.destroy_keys(&outcomes)?;
        self.expire()?;
        self.keep_seen(events);
        tracing::info!(seconds = started.elapsed().as_secs_f64(), "applied");
        self.report(outcomes, diagnostics)
    }

    /// Erases, and plans again what other writers moved meanwhile; what keeps moving fails with
    /// `Conflict`.
    fn erase(
        &mut self,
        waiting: &BTreeSet<TaskIndex>,
        outcomes: &mut Outcomes<'_>,
        events: &mut dyn Events,
    ) -> Result<(), PassError> {
        let waiting = &(waiting | &unapproved(&self.outlook.plan));
        let mut all = erase(&self.pass, self.outlook, self.state, waiting, events)?;
        for _ in 1..ROUNDS {
            if all.moved.is_empty() {
                break;
            }
            events.event(Event::Notice {
                text: "files changed meanwhile: planning again".to_owned(),
            });
            self.pass.engine.forget();
            let inventory = self.pass.inventory()?;
            let again =
                self.pass.look(self.state.state(), inventory, self.seen.as_mut(), events)?;
            let others: BTreeSet<TaskIndex> = (0..TaskIndex::MAX)
                .zip(&again.draft.tasks)
                .filter(|(_, task)| !all.moved.contains(&task.id))
                .map(|(index, _)| index)
                .collect();
            let others = &others | &unapproved(&again.plan);
            let round = erase(&self.pass, &again, self.state, &others, events)?;
            all.failed.extend(round.failed);
            for (id, more) in round.done {
                all.done.entry(id).or_default().add(more);
            }
            all.moved = round.moved;
        }
        for id in std::mem::take(&mut all.moved) {
            let text = "other writers kept changing the files; it is tried again in the next pass";
            all.failed.entry(id).or_insert_with(|| Failed {
                reason: Reason::Conflict,
                message: text.to_owned(),
                cause: Cause::transient(),
            });
        }
        outcomes.erased(&all, waiting, self.state.state().view());
        Ok(())
    }

    /// The keys of finished tasks go, and the ledger says so.
    fn destroy_keys(&mut self, outcomes: &Outcomes<'_>) -> Result<(), PassError> {
        if destroy_finished_keys(self.state)? == 0 {
            return Ok(());
        }
        let records =
            outcomes.erasures_complete().map(|id| Record::KeysDestroyed { task: task_ref(id) });
        let records = records.collect();
        self.append(records)
    }

    fn append(&mut self, records: Vec<Record>) -> Result<(), PassError> {
        if records.is_empty() {
            return Ok(());
        }
        Ok(self.state.append(records, self.pass.now)?)
    }

    /// Keeps what was seen, for the next pass. It is a memory only: the pass is no worse without it.
    fn keep_seen(&mut self, events: &mut dyn Events) {
        let Some(seen) = self.seen.as_mut() else { return };
        let datasets = self.pass.loaded.catalog.datasets.iter().map(|dataset| &dataset.name);
        let mut kept = self.state.keep(seen, datasets);
        if let (Ok(()), Some(key)) = (&kept, self.state.state().deployment_key())
            && let Some(footers) = self.pass.engine.worth_keeping(key)
        {
            kept = self.state.keep_footers(key, &footers);
        }
        if let Err(error) = kept {
            let text = format!(
                "what this pass has seen cannot be kept, and the next searches again: {}",
                super::error::chain(&error)
            );
            events.event(Event::Notice { text });
        }
    }

    /// Whether a package is the plain one of a task that has an encrypted one now, or the other way round.
    fn is_replaced(&self, location: &str, task: &TaskId) -> bool {
        let task = self.state.state().view().tasks.get(task);
        let now = task.and_then(|task| task.package.as_ref()).map(|package| &*package.location);
        now.filter(|now| *now != location).is_some_and(|now| {
            now.strip_suffix(".age").unwrap_or(now)
                == location.strip_suffix(".age").unwrap_or(location)
        })
    }

    /// Deletes packages whose time has come, or whose place another has taken; each is gone from the disk before
    /// anyone records it.
    fn expire(&mut self) -> Result<(), PassError> {
        let due: Vec<_> = self
            .state
            .state()
            .view()
            .packages
            .iter()
            .filter(|(location, (id, package))| {
                package.expires_at <= self.pass.now || self.is_replaced(location, id)
            })
            .map(|(location, (id, _))| (location.clone(), id.clone()))
            .collect();
        let mut records = Vec::with_capacity(due.len());
        for (location, id) in due {
            self.exports.delete(&location)?;
            records.push(Record::PackageExpired { task: task_ref(&id), package: location });
        }
        self.append(records)
    }

    fn report(
        &self,
        outcomes: Outcomes<'_>,
        diagnostics: &[Diagnostic],
    ) -> Result<ApplyReport, PassError> {
        let view = self.state.state().view();
        let mut plan = self.outlook.plan.clone();
        let mut tasks = Vec::with_capacity(plan.tasks.len());
        for (index, planned) in (0..TaskIndex::MAX).zip(&mut plan.tasks) {
            let outcome = outcomes.get(index);
            if let Some(Outcome { phase, reason, message, .. }) = outcome {
                (planned.phase, planned.reason, planned.message) =
                    (*phase, *reason, message.clone());
            }
            let id = self.outlook.draft.tasks.get(index as usize).map(|task| &task.id);
            if planned.needs_approval() {
                // Shown in the plan, and not done.
                planned.without_erasure();
            }
            let known = id.and_then(|id| view.tasks.get(id));
            let package = known.and_then(|state| state.package.as_ref()).filter(|p| !p.expired);
            tasks.push(AppliedTask {
                task: planned.clone(),
                package: package.map(|package| package.location.clone()),
                verified: outcome.and_then(|outcome| outcome.verified),
                seconds: outcome.map_or(0.0, |outcome| outcome.seconds),
                touched: outcome.is_some() || !planned.phase.is_final(),
            });
        }
        let rejected = self.rejected(&plan);
        let mut verdict = verdict(&plan, self.pass.now, rejected);
        if undone(&plan) {
            verdict = verdict.and(Verdict::Partial);
        }
        if has_errors(diagnostics) {
            // A request whose name another, valid one has is no task of the plan, and counts all the same.
            verdict = verdict.and(rejected);
        }
        let catalog = &self.pass.loaded.catalog;
        Ok(ApplyReport {
            diagnostics: diagnostics.to_vec(),
            plan_id: Some(plan.plan_id),
            inputs: Some(plan.inputs),
            tasks,
            totals: plan.totals,
            notes: plan.notes,
            head: self.state.state().head().map(|head| (head.seq, head.sha256.clone())),
            recorded: view.seq != self.before,
            wake: next_wake(self.pass.now, view, &self.pass.loaded.catalog),
            ledger: Some(LedgerNow::of(self.state.state(), self.pass.workspace, catalog)?),
            verdict,
        })
    }

    /// 3 where nothing valid is left, else 5.
    fn rejected(&self, plan: &Plan) -> Verdict {
        let valid = plan.tasks.iter().any(|task| task.phase != Phase::Rejected);
        if valid { Verdict::Partial } else { Verdict::Invalid }
    }
}

/// Tasks that wait for somebody to approve what they would do.
fn unapproved(plan: &Plan) -> BTreeSet<TaskIndex> {
    let tasks = (0..TaskIndex::MAX).zip(&plan.tasks);
    tasks.filter(|(_, task)| task.needs_approval()).map(|(index, _)| index).collect()
}

/// Whether something that should have been done is still to do.
fn undone(plan: &Plan) -> bool {
    plan.tasks
        .iter()
        .any(|task| task.phase == Phase::Submitted && task.action == Some(Action::Delete))
}
