//! Which tasks there are and where they stand, given what the ledger knows (RULES.md section 6).

use std::collections::BTreeMap;

use crate::model::{
    Action, Hold, HoldScope, IdentityTerm, Name, Phase, Position, Reason, Request, TaskId,
};
use crate::plan::measuring::{NOON, pass, pass_with};
use crate::plan::testing::NO_TASK;
use crate::plan::testing::{World, field, request};
use crate::plan::{
    BlockRef, DatasetBlocks, Erased, Evidence, LedgerView, Purpose, Situation, TaskState, draft,
    guard_draft, to_search, triage,
};

fn world() -> World {
    let mut world = World::default();
    world.dataset("events", vec![field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL")]);
    world.flat("events", "email", &["a@x", "b@x"]);
    world
}

fn both(world: &World) -> Request {
    request("r", vec![world.user("k", vec![world.one("email", "a@x")])])
}

fn id(action: Action) -> TaskId {
    TaskId { request: Name::new("r").unwrap(), key: Some("k".to_owned()), action: Some(action) }
}

fn state(phase: Phase, reason: Option<Reason>) -> TaskState {
    let (received, due) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
    let state = TaskState::submitted("f", received.parse().unwrap(), due.parse().unwrap());
    TaskState { phase, reason, ..state }
}

fn ledger(delete: Phase, reason: Option<Reason>) -> LedgerView {
    let mut ledger = LedgerView { seq: 7, ..LedgerView::default() };
    ledger.tasks.insert(id(Action::Access), state(Phase::Complete, Some(Reason::Exported)));
    ledger.tasks.insert(id(Action::Delete), state(delete, reason));
    ledger
}

fn prints(print: &str) -> BTreeMap<TaskId, String> {
    [Action::Access, Action::Delete].into_iter().map(|a| (id(a), print.to_owned())).collect()
}

type State = (Phase, Option<Reason>);

fn states(world: &World, request: Request, ledger: &LedgerView, print: &str) -> Vec<State> {
    let pass = pass_with(world, &[request], ledger, &prints(print));
    pass.plan.tasks.iter().map(|task| (task.phase, task.reason)).collect()
}

const DONE: State = (Phase::Complete, Some(Reason::Exported));
const ERASED: State = (Phase::Complete, Some(Reason::Erased));
const RUNS: State = (Phase::Submitted, None);

#[test]
fn what_is_done_stays_done_until_its_fingerprint_changes() {
    let world = world();
    let ledger = ledger(Phase::Complete, Some(Reason::Erased));
    assert_eq!(states(&world, both(&world), &ledger, "f"), [DONE, ERASED]);
    assert_eq!(states(&world, both(&world), &ledger, "g"), [RUNS, RUNS]);
    let unknown = pass_with(&world, &[both(&world)], &ledger, &BTreeMap::new()).plan;
    assert_eq!(unknown.tasks[1].phase, Phase::Complete, "without the key nobody can tell");
}

#[test]
fn unfinished_tasks_go_on_and_rejected_ones_are_looked_at_again() {
    let world = world();
    for (phase, reason) in [
        (Phase::Submitted, None),
        (Phase::Processing, None),
        (Phase::Blocked, Some(Reason::Held)),
        (Phase::Blocked, Some(Reason::Suspended)),
        (Phase::Blocked, Some(Reason::Orphaned)),
        (Phase::Failed, Some(Reason::DataUnreadable)),
        (Phase::Rejected, Some(Reason::ValueFormat)),
    ] {
        let ledger = ledger(phase, reason);
        assert_eq!(states(&world, both(&world), &ledger, "f"), [DONE, RUNS], "{phase} {reason:?}");
    }
}

#[test]
fn withdrawn_cancels_what_is_not_done() {
    let world = world();
    let withdrawn = || Request { withdrawn: true, ..both(&world) };
    let cancelled = (Phase::Cancelled, Some(Reason::Withdrawn));
    let begun = ledger(Phase::Processing, None);
    assert_eq!(states(&world, withdrawn(), &begun, "f"), [DONE, cancelled]);
    let done = ledger(Phase::Complete, Some(Reason::Erased));
    assert_eq!(states(&world, withdrawn(), &done, "f"), [DONE, ERASED]);
    // Only a change of what the task is opens it again.
    let gone = ledger(Phase::Cancelled, Some(Reason::Withdrawn));
    assert_eq!(states(&world, both(&world), &gone, "f"), [DONE, cancelled]);
    assert_eq!(states(&world, both(&world), &gone, "g"), [RUNS, RUNS]);
}

#[test]
fn suspend_stops_a_request_where_it_is() {
    let world = world();
    let request = Request { suspend: true, ..both(&world) };
    let suspended = (Phase::Blocked, Some(Reason::Suspended));
    let begun = ledger(Phase::Processing, None);
    assert_eq!(states(&world, request, &begun, "f"), [DONE, suspended]);
}

#[test]
fn a_request_that_is_gone_leaves_orphans() {
    let world = world();
    let begun = ledger(Phase::Processing, None);
    let plan = pass_with(&world, &[], &begun, &BTreeMap::new()).plan;
    let states: Vec<State> = plan.tasks.iter().map(|task| (task.phase, task.reason)).collect();
    assert_eq!(states, [(Phase::Blocked, Some(Reason::Orphaned))], "what is done is no orphan");
    assert_eq!(plan.tasks[0].due.unwrap().to_string(), "2026-12-01T00:00:00Z");
    let mut access_only = both(&world);
    access_only.users[0].actions = [Action::Access].into();
    let plan = pass_with(&world, &[access_only], &begun, &prints("f")).plan;
    assert_eq!(plan.tasks[1].reason, Some(Reason::Orphaned), "an action that is gone too");
}

#[test]
fn rejected_requests_and_blocks_do_nothing() {
    let world = world();
    let rejected = Request { rejected: Some(Reason::Invalid), ..both(&world) };
    let plan = pass(&world, &[rejected]).plan;
    assert_eq!((plan.tasks.len(), plan.tasks[0].phase), (1, Phase::Rejected));
    assert_eq!((&plan.tasks[0].key, plan.tasks[0].action), (&None, None));
    let mut mixed = both(&world);
    let mut bad = world.user("bad", vec![world.one("email", "b@x")]);
    bad.rejected = Some(Reason::ValueFormat);
    mixed.users.push(bad);
    let pass = pass(&world, &[mixed]);
    let states: Vec<State> = pass.plan.tasks.iter().map(|task| (task.phase, task.reason)).collect();
    let bad = (Phase::Rejected, Some(Reason::ValueFormat));
    assert_eq!(states, [RUNS, RUNS, bad, bad]);
    assert_eq!(pass.erasure.cells.len(), 1);
}

#[test]
fn policies_that_are_gone_block_deletes_until_they_are_retired() {
    let mut world = world();
    let mut ledger = LedgerView::default();
    ledger.datasets.insert(Name::new("old").unwrap());
    ledger.holds.insert(Name::new("litigation").unwrap());
    let blocked = (Phase::Blocked, Some(Reason::NeedsApproval));
    assert_eq!(states(&world, both(&world), &ledger, "f"), [RUNS, blocked]);
    let plan = pass_with(&world, &[both(&world)], &ledger, &prints("f")).plan;
    let message = plan.tasks[1].message.as_ref().unwrap();
    assert!(message.contains("dataset old") && message.contains("hold litigation"));
    world.catalog.settings.retired.insert(Name::new("old").unwrap());
    assert_eq!(states(&world, both(&world), &ledger, "f"), [RUNS, blocked]);
    world.catalog.holds.push(Hold {
        name: Name::new("litigation").unwrap(),
        scope: HoldScope::Datasets { datasets: Vec::new(), fields: Vec::new() },
        until: None,
        reason: "x".to_owned(),
        position: Position::default(),
    });
    assert_eq!(states(&world, both(&world), &ledger, "f"), [RUNS, RUNS]);
}

#[test]
fn a_standing_block_is_searched_again_and_erases_what_came_later() {
    let world = world();
    let mut request = both(&world);
    request.users[0].standing = true;
    let ledger = ledger(Phase::Complete, Some(Reason::Erased));
    let prints = prints("f");
    let requests = [request];
    let situation = Situation {
        catalog: &world.catalog,
        requests: &requests,
        ledger: &ledger,
        fingerprints: &prints,
        waiting: &NO_TASK,
        now: NOON.parse().unwrap(),
    };
    let open = to_search(situation, &triage(situation));
    assert_eq!((open.len(), open[0].purpose), (1, Purpose::Standing));
    let mut found = world.search(&requests);
    let blocks = BTreeMap::new();
    let decide = |found: &[_]| {
        let evidence = Evidence { inventory: &world.inventory, blocks: &blocks, found };
        let drafted = draft(situation, evidence);
        guard_draft(situation, evidence, &drafted).unwrap();
        drafted
    };
    let arrived = decide(&found);
    assert_eq!(arrived.tasks[1].standing.phase, Phase::Submitted);
    assert_eq!(arrived.erase.len(), 1);
    // Whoever searches leaves out rows whose cells are all in erased form.
    found[0].datasets[0].rows.clear();
    let quiet = decide(&found);
    assert_eq!(quiet.tasks[1].standing.phase, Phase::Complete);
    assert!(quiet.erase.is_empty() && !quiet.tasks[1].runs);
}

#[test]
fn an_interrupted_delete_that_finds_nothing_more_is_erased_and_not_no_match() {
    let mut world = world();
    world.flat("events", "email", &["b@x"]);
    let mut ledger = ledger(Phase::Processing, None);
    ledger.tasks.get_mut(&id(Action::Delete)).unwrap().erased =
        Erased { rows: 1, cells: 1, files: 1 };
    let pass = pass_with(&world, &[both(&world)], &ledger, &prints("f"));
    assert_eq!(pass.draft.tasks[1].outcome, Some(Reason::Erased));
    assert_eq!(pass.plan.tasks[1].reason, None);
}

fn decide(
    world: &World,
    requests: &[Request],
    blocks: &BTreeMap<Name, DatasetBlocks>,
    stop: Option<(Reason, String)>,
) -> Vec<State> {
    let (ledger, prints) = (LedgerView::default(), BTreeMap::new());
    let situation = Situation {
        catalog: &world.catalog,
        requests,
        ledger: &ledger,
        fingerprints: &prints,
        waiting: &NO_TASK,
        now: NOON.parse().unwrap(),
    };
    let mut found = world.search(requests);
    if let Some(first) = found.first_mut().filter(|_| stop.is_some()) {
        first.stop = stop;
    }
    let evidence = Evidence { inventory: &world.inventory, blocks, found: &found };
    let drafted = draft(situation, evidence);
    guard_draft(situation, evidence, &drafted).unwrap();
    drafted.tasks.iter().map(|task| (task.standing.phase, task.standing.reason)).collect()
}

#[test]
fn what_stops_the_search_stops_both_tasks() {
    let world = world();
    let requests = [both(&world)];
    for (reason, phase) in [
        (Reason::LimitExceeded, Phase::Blocked),
        (Reason::IdentityConflict, Phase::Blocked),
        (Reason::ValueFormat, Phase::Rejected),
        (Reason::DataUnreadable, Phase::Failed),
    ] {
        let stop = Some((reason, "why".to_owned()));
        let expected = (phase, Some(reason));
        assert_eq!(decide(&world, &requests, &BTreeMap::new(), stop), [expected, expected]);
    }
}

#[test]
fn faults_of_the_data_fail_the_tasks_that_need_it() {
    let mut world = world();
    world.dataset("other", vec![field("phone", "phone", "I1 ID-PERSON DEL-PERSON ACC-ALL")]);
    world.flat("other", "phone", &["1"]);
    let fails = (Phase::Failed, Some(Reason::DataUnreadable));
    let fault = |name: &str, make: fn(Option<String>) -> DatasetBlocks| {
        BTreeMap::from([(Name::new(name).unwrap(), make(Some("broken".to_owned())))])
    };
    let search = |text| DatasetBlocks { search: text, ..DatasetBlocks::default() };
    let access = |text| DatasetBlocks { access: text, ..DatasetBlocks::default() };
    let erase = |text| DatasetBlocks { erase: text, ..DatasetBlocks::default() };
    let of = |blocks: BTreeMap<Name, DatasetBlocks>| decide(&world, &[both(&world)], &blocks, None);
    assert_eq!(of(fault("events", search)), [fails, fails]);
    assert_eq!(of(fault("other", search)), [RUNS, RUNS], "the block cannot reach it");
    assert_eq!(of(fault("events", access)), [fails, fails], "the delete waits for the access");
    assert_eq!(of(fault("events", erase)), [RUNS, fails]);
    assert_eq!(of(fault("other", erase)), [RUNS, RUNS]);
}

#[test]
fn a_failed_task_that_waits_is_not_searched_unless_the_block_has_other_work() {
    let world = world();
    let requests = [both(&world)];
    let mut ledger = ledger(Phase::Failed, Some(Reason::Storage));
    let judge = |ledger: &LedgerView, prints: &BTreeMap<TaskId, String>, waiting: &[Action]| {
        let waiting = waiting.iter().map(|action| id(*action)).collect();
        let situation = Situation {
            catalog: &world.catalog,
            requests: &requests,
            ledger,
            fingerprints: prints,
            waiting: &waiting,
            now: NOON.parse().unwrap(),
        };
        to_search(situation, &triage(situation)).len()
    };
    let same = prints("f");
    assert_eq!(judge(&ledger, &same, &[]), 1, "its time has come");
    assert_eq!(judge(&ledger, &same, &[Action::Delete]), 0, "it waits");
    assert_eq!(judge(&ledger, &prints("g"), &[Action::Delete]), 1, "it is another task now");
    ledger.tasks.insert(id(Action::Access), state(Phase::Failed, Some(Reason::Storage)));
    assert_eq!(judge(&ledger, &same, &[Action::Delete]), 1, "the package is tried, so both are");
    assert_eq!(judge(&ledger, &same, &[Action::Delete, Action::Access]), 0, "both wait");
    ledger.tasks.remove(&id(Action::Access));
    assert_eq!(judge(&ledger, &same, &[Action::Delete]), 1, "the other task is new");
}

#[test]
fn an_unsearched_block_is_no_match_for_nobody() {
    let world = world();
    let requests = [both(&world)];
    let (ledger, prints, blocks) = (LedgerView::default(), BTreeMap::new(), BTreeMap::new());
    let situation = Situation {
        catalog: &world.catalog,
        requests: &requests,
        ledger: &ledger,
        fingerprints: &prints,
        waiting: &NO_TASK,
        now: NOON.parse().unwrap(),
    };
    let evidence = Evidence { inventory: &world.inventory, blocks: &blocks, found: &[] };
    assert!(draft(situation, evidence).tasks.iter().all(|t| t.standing.phase == Phase::Failed));
    assert_eq!(to_search(situation, &triage(situation))[0].block, BlockRef { request: 0, user: 0 });
}

#[test]
fn tasks_stand_in_order_and_duplicates_count_once() {
    let world = world();
    let user = |key: &str| world.user(key, vec![IdentityTerm::One(world.identity("email", "a@x"))]);
    let requests =
        [request("z", vec![user("1")]), request("a", vec![user("2"), user("1"), user("2")])];
    let plan = pass(&world, &requests).plan;
    let order: Vec<String> = plan
        .tasks
        .iter()
        .map(|task| {
            let (key, action) = (task.key.as_ref().unwrap(), task.action.unwrap());
            format!("{}/{key} {action}", task.request)
        })
        .collect();
    let expected =
        ["a/2 access", "a/2 delete", "a/1 access", "a/1 delete", "z/1 access", "z/1 delete"];
    assert_eq!(order, expected);
}
