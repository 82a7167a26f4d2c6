//! Looks at everything and plans: what `plan` shows and `apply` carries out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, arrange, has_errors};
use crate::engine::Engine;
use crate::manifest::Loaded;
use crate::model::{
    Action, Expansion, Identity, Name, Phase, Position, Reason, Request, Sensitive, TaskId,
};
use crate::plan::{
    BlockFound, BlockRef, Comparison, DatasetBlocks, DatasetFound, Draft, Evidence, FileCounts,
    Inventory, OpenBlock, Plan, PlanInputs, PlannedTask, Purpose, SearchBlock, Situation,
    TaskChange, blocking, draft, finish, grants, guard_draft, guard_plan, task_id, to_search,
    triage,
};
use crate::store::{DeploymentKey, Seen, State, TaskKeyName, scope, term};

use super::digests::resolved;
use super::drift::{Drift, drift};
use super::gather::{
    Texts, accept_emptied, engine, fingerprints, inventory, layout_diagnostics, recall, reserved,
    state_dir,
};
use super::grounds::Grounds;
use super::measure::Unmeasured;
use super::search::{Lake, Trust, search};
use super::settled::leave_out;
use super::{Event, Events, InputFiles, PassError, Tries, Verdict, Workspace};

/// How often a pass looks again where files change under it (RULES.md: `Conflict`).
const LOOKS: usize = 3;

/// What `plan` gives.
#[derive(Debug)]
pub struct PlanReport {
    /// What is wrong with policies and requests.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan; `None` where the policies are invalid.
    pub plan: Option<Plan>,
    /// How the command should end.
    pub verdict: Verdict,
    /// When it was made: tells what is overdue.
    pub now: Timestamp,
    /// The directory of the requests, as it was given.
    pub requests: String,
    /// Where the requests and their blocks (by key) stand.
    pub positions: BTreeMap<(Name, Option<String>), Position>,
    /// What of it the base has not; only with a base.
    pub comparison: Option<Comparison>,
    /// Finished erasures of which the policies would erase more today.
    pub drift: Vec<Drift>,
    /// The files that the plan rests on.
    pub files: InputFiles,
    /// Why there is no plan though the policies are valid: the datasets overlap.
    pub failure: Option<PassError>,
}

impl PlanReport {
    /// Whether `apply` would do anything.
    pub fn has_changes(&self) -> bool {
        self.plan.as_ref().is_some_and(Plan::has_changes)
    }

    /// The tasks to show, in the plan's order: all of them, or, with a base, those that it has not or has
    /// otherwise.
    pub fn shown_tasks(&self) -> impl Iterator<Item = (&PlannedTask, Option<&TaskChange>)> {
        let tasks = self.plan.iter().flat_map(|plan| &plan.tasks);
        tasks.filter_map(|task| match &self.comparison {
            None => Some((task, None)),
            Some(comparison) => Some((task, Some(comparison.tasks.get(&task_id(task))?))),
        })
    }

    /// Whether the task is past its due date and not done.
    pub fn is_overdue(&self, task: &PlannedTask) -> bool {
        is_overdue(task, self.now)
    }

    /// Where the task's block stands, or its request; `None` where the file is gone.
    pub fn position(&self, task: &PlannedTask) -> Option<&Position> {
        let of = |key: &Option<String>| self.positions.get(&(task.request.clone(), key.clone()));
        of(&task.key).or_else(|| of(&None))
    }
}

/// Plans, and writes nothing.
///
/// # Errors
/// Something could not be read, or the ledger is damaged.
pub fn plan(workspace: &Workspace, events: &mut dyn Events) -> Result<PlanReport, PassError> {
    Ok(plan_texts(workspace, &Texts::read(workspace)?, events)?.report)
}

/// A report, and the requests that it is about.
pub(super) struct Planned {
    pub(super) report: PlanReport,
    pub(super) requests: Vec<Request>,
}

/// Plans what these files say.
///
/// # Errors
/// As [`plan`].
pub(super) fn plan_texts(
    workspace: &Workspace,
    texts: &Texts,
    events: &mut dyn Events,
) -> Result<Planned, PassError> {
    let now = workspace.clock.now();
    let loaded = texts.load(now);
    let mut report = PlanReport {
        diagnostics: loaded.diagnostics.clone(),
        plan: None,
        verdict: Verdict::Invalid,
        now,
        requests: workspace.requests.to_string_lossy().into_owned(),
        positions: positions(&loaded.requests),
        comparison: None,
        drift: Vec::new(),
        files: InputFiles::default(),
        failure: None,
    };
    if loaded.catalog_valid {
        match plan_loaded(workspace, texts, &loaded, &mut report, events) {
            Err(PassError::Layout { faults }) => {
                report.diagnostics.extend(layout_diagnostics(texts, &loaded.catalog, &faults));
                arrange(&mut report.diagnostics);
                report.failure = Some(PassError::Layout { faults });
            }
            planned => planned?,
        }
    }
    Ok(Planned { report, requests: loaded.requests })
}

fn plan_loaded(
    workspace: &Workspace,
    texts: &Texts,
    loaded: &Loaded,
    report: &mut PlanReport,
    events: &mut dyn Events,
) -> Result<(), PassError> {
    let now = report.now;
    let state = state_dir(workspace, &loaded.catalog)?.read()?;
    let engine = engine(workspace, &loaded.catalog)?;
    recall(workspace, &loaded.catalog, &engine)?;
    let pass = Pass { workspace, texts, loaded, engine: &engine, now };
    let inventory = pass.inventory()?;
    let resolved = resolved(&pass, &state, &inventory, events)?;
    let pass = Pass { loaded: resolved.as_ref().unwrap_or(loaded), ..pass };
    let mut seen = state.seen();
    let outlook = pass.look(&state, inventory, seen.as_mut(), events)?;
    report.verdict = verdict(&outlook.plan, now, Verdict::Invalid).and(invalid(loaded));
    let key = state.deployment_key();
    let (drift, notes) = drift(&pass, state.view(), key, &outlook.inventory, events)?;
    report.drift = drift;
    report.files = InputFiles::of(texts, &outlook.inventory, key);
    let mut plan = outlook.plan;
    plan.notes.extend(notes);
    report.plan = Some(plan);
    Ok(())
}

fn positions(requests: &[Request]) -> BTreeMap<(Name, Option<String>), Position> {
    let mut all = BTreeMap::new();
    for request in requests {
        all.insert((request.name.clone(), None), request.position.clone());
        for block in &request.users {
            all.insert((request.name.clone(), Some(block.key.clone())), block.position.clone());
        }
    }
    all
}

/// What a pass rests on besides state and files.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) texts: &'a Texts,
    pub(super) loaded: &'a Loaded,
    pub(super) engine: &'a Engine,
    pub(super) now: Timestamp,
}

/// The files, what in them hinders tasks, and whether any changed while it was looked at.
struct Data {
    inventory: Inventory,
    blocks: BTreeMap<Name, DatasetBlocks>,
    moved: bool,
}

/// What a pass sees and means to do.
pub(super) struct Outlook {
    pub(super) inventory: Inventory,
    pub(super) found: Vec<BlockFound>,
    pub(super) draft: Draft,
    pub(super) counts: Vec<FileCounts>,
    pub(super) plan: Plan,
    pub(super) grounds: Grounds,
    pub(super) earlier: Earlier,
}

impl Pass<'_> {
    /// The files of all datasets.
    ///
    /// # Errors
    /// [`PassError::Layout`] where datasets overlap each other or our own places.
    pub(super) fn inventory(&self) -> Result<Inventory, PassError> {
        let catalog = &self.loaded.catalog;
        let datasets: Vec<_> = catalog.datasets.iter().collect();
        inventory(self.engine, &datasets, &reserved(self.workspace, catalog))
    }

    /// Searches, drafts, measures and plans; looks again where files change meanwhile.
    pub(super) fn look(
        &self,
        state: &State,
        mut inventory: Inventory,
        mut seen: Option<&mut Seen>,
        events: &mut dyn Events,
    ) -> Result<Outlook, PassError> {
        for left in (0..LOOKS).rev() {
            let (outlook, moved) = self.look_once(state, inventory, seen.as_deref_mut(), events)?;
            if !moved || left == 0 {
                return Ok(outlook);
            }
            events
                .event(Event::Notice { text: "files changed meanwhile: looking again".to_owned() });
            self.engine.forget();
            inventory = self.inventory()?;
        }
        Err(PassError::Bug("a pass that never looks".to_owned()))
    }

    fn look_once(
        &self,
        state: &State,
        mut inventory: Inventory,
        seen: Option<&mut Seen>,
        events: &mut dyn Events,
    ) -> Result<(Outlook, bool), PassError> {
        let key = state.deployment_key();
        let fingerprints = fingerprints(&self.loaded.requests, key);
        accept_emptied(&mut inventory, state.view());
        let grounds = Grounds::new(self, key, &inventory);
        let waiting = match self.workspace.tries {
            Tries::All => BTreeSet::new(),
            Tries::Due => grounds.waiting(state.view()),
        };
        let situation = Situation {
            catalog: &self.loaded.catalog,
            requests: &self.loaded.requests,
            ledger: state.view(),
            fingerprints: &fingerprints,
            waiting: &waiting,
            now: self.now,
        };
        let open = to_search(situation, &triage(situation));
        let Recalled { blocks, earlier, lost } = self.search_blocks(state, &open, situation)?;
        let mut searched = search(
            Lake {
                engine: self.engine,
                catalog: situation.catalog,
                inventory: &inventory,
                stop: &self.workspace.stop,
            },
            blocks,
            Trust::Earlier(seen),
            events,
        )?;
        for found in &mut searched.found {
            let why = lost.get(&found.block).cloned();
            found.stop = why.map(|why| (Reason::Storage, why)).or_else(|| found.stop.take());
        }
        for (name, problems) in searched.unreadable {
            if let Some(files) = inventory.datasets.get_mut(&name) {
                files.problems.extend(problems);
            }
        }
        let blocks = blocking(situation.catalog, &inventory, self.now);
        let mut data = Data { inventory, blocks, moved: searched.moved };
        let mut found = searched.found;
        let (mut drafted, mut counts) = self.measured(situation, key, &mut data, &found, events)?;
        if settle_standing(&open, &drafted, &counts, &mut found) {
            (drafted, counts) = self.measured(situation, key, &mut data, &found, events)?;
        }
        let Data { inventory, blocks, moved } = data;
        let evidence = Evidence { inventory: &inventory, blocks: &blocks, found: &found };
        guard_draft(situation, evidence, &drafted)
            .map_err(|broken| PassError::Bug(broken.to_string()))?;
        let inputs = PlanInputs::new(
            self.loaded.policies_digest.clone(),
            self.texts.requests_digest(key),
            &inventory,
            state.view().basis,
        );
        let plan = finish(&drafted, &counts, &inventory, inputs)
            .map_err(|broken| PassError::Bug(broken.to_string()))?;
        guard_plan(&plan, &drafted).map_err(|broken| PassError::Bug(broken.to_string()))?;
        Ok((Outlook { inventory, found, draft: drafted, counts, plan, grounds, earlier }, moved))
    }

    /// Drafts and measures, leaving out files that cannot be measured: nothing can be erased in them.
    fn measured(
        &self,
        situation: Situation<'_>,
        key: Option<&DeploymentKey>,
        data: &mut Data,
        found: &[BlockFound],
        events: &mut dyn Events,
    ) -> Result<(Draft, Vec<FileCounts>), PassError> {
        loop {
            let Data { inventory, blocks, moved } = &mut *data;
            let mut drafted = draft(situation, Evidence { inventory, blocks, found });
            if let Some(key) = key {
                leave_out(&mut drafted, inventory, situation.ledger, key);
            }
            let stop = &self.workspace.stop;
            events.event(Event::Stage { name: "measuring", steps: drafted.erase.len() as u64 });
            match super::measure::measure(self.engine, &drafted.erase, stop, events)? {
                Ok(counts) => return Ok((drafted, counts)),
                Err(unreadable) => {
                    for Unmeasured { dataset, problem, changed } in unreadable {
                        *moved |= changed;
                        if let Some(files) = inventory.datasets.get_mut(&dataset) {
                            files.problems.push(problem);
                        }
                    }
                    *blocks = blocking(situation.catalog, inventory, self.now);
                }
            }
        }
    }

    /// The blocks with what their unfinished deletes remember, also from before their requests became what
    /// they are; and for each delete the fingerprints that it had then.
    fn search_blocks(
        &self,
        state: &State,
        open: &[OpenBlock],
        situation: Situation<'_>,
    ) -> Result<Recalled<'_>, PassError> {
        let mut blocks = Vec::with_capacity(open.len());
        let (mut all_earlier, mut all_lost) = (Earlier::new(), BTreeMap::new());
        for open in open {
            let Some(request) = self.loaded.requests.get(open.block.request) else { continue };
            let Some(user) = request.users.get(open.block.user) else { continue };
            let id = TaskId {
                request: request.name.clone(),
                key: Some(user.key.clone()),
                action: Some(Action::Delete),
            };
            let remembered = match situation.fingerprints.get(&id) {
                Some(print) => state.keys().load(&TaskKeyName::of(&id, print))?,
                None => None,
            };
            let mut remembered = remembered.map(|key| key.found).unwrap_or_default();
            let now = situation.fingerprints.get(&id);
            let (found, earlier) = self.earlier(state, (&id, now), open.block, request)?;
            remembered.extend(found);
            if let Some(lost) = lost_key(state, &id, now)? {
                all_lost.insert(open.block, lost);
            }
            if !earlier.is_empty() {
                all_earlier.insert(id, earlier);
            }
            let grants = grants(situation, &request.name, &user.key);
            blocks.push(SearchBlock { block: open.block, request, user, remembered, grants });
        }
        Ok(Recalled { blocks, earlier: all_earlier, lost: all_lost })
    }

    /// What a delete had found before its request was edited, as far as the request still asks for it: all
    /// that it named then it names now, and cookies are found by expansion only where it wants that.
    fn earlier(
        &self,
        state: &State,
        (id, now): (&TaskId, Option<&String>),
        block: BlockRef,
        request: &Request,
    ) -> Result<(Vec<Identity>, Vec<Begun>), PassError> {
        let (mut found, mut begun) = (Vec::new(), Vec::new());
        // Without the deployment key nobody knows what is begun, and who has none may not read the others.
        let Some(now) = now else { return Ok((found, begun)) };
        let (given, scope) = named(self, block);
        let user = request.users.get(block.user);
        let everywhere = user.is_some_and(|user| user.only.r#where.is_empty());
        for print in state.view().begun_as(id).filter(|print| *print != now) {
            let Some(key) = state.keys().load(&TaskKeyName::of(id, print))? else {
                // It was cut off before anything was erased.
                begun.push(Begun { print: print.clone(), alike: true, everywhere });
                continue;
            };
            if key.given.is_empty() || !key.given.iter().all(|term| given.contains(term)) {
                continue;
            }
            let expansion =
                |identity: &Identity| self.loaded.catalog.namespace(&identity.namespace).expansion;
            let known = key.found.len() + found.len();
            found.extend(key.found.into_iter().filter(|identity| match expansion(identity) {
                Expansion::Always => true,
                Expansion::Cookie => request.expand_ids,
                Expansion::Never => false,
            }));
            // What it leaves alone is not finished by it.
            if found.len() == known {
                begun.push(Begun { print: print.clone(), alike: key.scope == scope, everywhere });
            }
        }
        Ok((found, begun))
    }
}

/// The blocks to search, with what unfinished deletes remember.
struct Recalled<'a> {
    blocks: Vec<SearchBlock<'a>>,
    earlier: Earlier,
    /// Blocks whose delete has lost its key, and what it had found with it.
    lost: BTreeMap<BlockRef, String>,
}

/// Why nobody can tell any more what a delete had found: its key is gone, and what was sealed with it is there.
/// Before anything was erased that is what a crash leaves, and nothing is lost by it.
fn lost_key(state: &State, id: &TaskId, now: Option<&String>) -> Result<Option<String>, PassError> {
    // Who has not the deployment key may not look at the others.
    let Some(now) = now else { return Ok(None) };
    let view = state.view();
    for print in view.begun_as(id) {
        let task = view.tasks.get(id).filter(|task| task.fingerprint == *print);
        if task.is_some_and(|task| task.erased.rows == 0 && now == print) {
            continue;
        }
        if let Some(what) = state.keys().without_key(&TaskKeyName::of(id, print))? {
            return Ok(Some(format!(
                "{what}: what the unfinished delete had found cannot be read without it; put it back, or remove \
                 what was sealed with it to go on without"
            )));
        }
    }
    Ok(None)
}

/// What a block names, and where it is to be erased, as its delete remembers it.
pub(super) fn named(
    pass: &Pass<'_>,
    block: BlockRef,
) -> (Vec<Sensitive<String>>, Sensitive<String>) {
    let request = pass.loaded.requests.get(block.request);
    let user = request.and_then(|request| Some((request, request.users.get(block.user)?)));
    user.map(|(request, user)| (user.identities.iter().map(term).collect(), scope(request, user)))
        .unwrap_or_default()
}

/// A form under which a delete was begun and not finished, and that it goes on with.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    print: String,
    /// It was narrowed to the same then.
    alike: bool,
    /// It is not narrowed to some rows of a dataset now.
    everywhere: bool,
}

impl Begun {
    /// The fingerprint, where a delete that left out these datasets finishes it.
    pub(super) fn finished(&self, left_out: &[Name]) -> Option<String> {
        let whole = self.everywhere && left_out.is_empty();
        (whole || self.alike).then(|| self.print.clone())
    }
}

/// By delete.
pub(super) type Earlier = BTreeMap<TaskId, Vec<Begun>>;

/// Puts the rows of standing blocks in which nothing would change at rest: they are in erased form.
/// Whether there were any.
fn settle_standing(
    open: &[OpenBlock],
    draft: &Draft,
    counts: &[FileCounts],
    found: &mut [BlockFound],
) -> bool {
    let mut settled = false;
    for open in open.iter().filter(|open| open.purpose == Purpose::Standing) {
        let tasks: Vec<usize> = draft
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| task.block == Some(open.block))
            .map(|(index, _)| index)
            .collect();
        let changes = counts
            .iter()
            .flat_map(|file| &file.tasks)
            .any(|task| tasks.contains(&(task.task as usize)) && task.rows_erased > 0);
        for block in found.iter_mut().filter(|found| found.block == open.block && !changes) {
            for dataset in block.datasets.iter_mut().filter(|found| !found.rows.is_empty()) {
                settled = true;
                let empty = DatasetFound { dataset: dataset.dataset, ..DatasetFound::default() };
                block.at_rest.push(std::mem::replace(dataset, empty));
            }
        }
    }
    settled
}

/// Whether some request is invalid: one whose name another, valid one has is no task of the plan, and
/// counts all the same.
fn invalid(loaded: &Loaded) -> Verdict {
    if has_errors(&loaded.diagnostics) { Verdict::Invalid } else { Verdict::Done }
}

fn is_overdue(task: &PlannedTask, now: Timestamp) -> bool {
    !task.phase.is_final() && task.due.is_some_and(|due| due < now)
}

/// How a plan or report ends: `rejected` is what a rejected task means for the command at hand.
pub(super) fn verdict(plan: &Plan, now: Timestamp, rejected: Verdict) -> Verdict {
    plan.tasks
        .iter()
        .map(|task| {
            let overdue = is_overdue(task, now);
            let by_phase = match (task.phase, task.reason) {
                (Phase::Rejected, _) => rejected,
                (Phase::Failed, _) => Verdict::Partial,
                (
                    Phase::Blocked,
                    Some(
                        Reason::LimitExceeded
                        | Reason::IdentityConflict
                        | Reason::NeedsApproval
                        | Reason::Orphaned,
                    ),
                ) => Verdict::Blocked,
                _ => Verdict::Done,
            };
            if overdue { by_phase.and(Verdict::Blocked) } else { by_phase }
        })
        .fold(Verdict::Done, Verdict::and)
}
