//! Safety limits, due dates, narrowing.

use crate::model::{Action, Extension, Only, Phase, Product, Reason, Regulation, Request};
use crate::plan::measuring::pass;
use crate::plan::testing::{World, field, request};

fn world(rows: usize, matched: usize, labels: &str) -> World {
    let mut world = World::default();
    world.dataset("events", vec![field("email", "email", labels)]);
    let all: Vec<&str> = (0..rows).map(|row| if row < matched { "a@x" } else { "b@x" }).collect();
    world.flat("events", "email", &all);
    world
}

const BOTH: &str = "I1 ID-PERSON DEL-PERSON ACC-ALL";

fn both(world: &World) -> Request {
    request("r", vec![world.user("k", vec![world.one("email", "a@x")])])
}

fn reasons(world: &World, request: Request) -> Vec<(Phase, Option<Reason>)> {
    let tasks = pass(world, &[request]).plan.tasks;
    tasks.into_iter().map(|task| (task.phase, task.reason)).collect()
}

const BLOCKED: (Phase, Option<Reason>) = (Phase::Blocked, Some(Reason::LimitExceeded));
const RUNS: (Phase, Option<Reason>) = (Phase::Submitted, None);

#[test]
fn the_fraction_counts_beyond_ten_thousand_rows() {
    for (rows, matched, expected) in
        [(10_000, 9_000, RUNS), (10_001, 1_000, RUNS), (10_001, 1_001, BLOCKED)]
    {
        let world = world(rows, matched, BOTH);
        assert_eq!(reasons(&world, both(&world)), [expected, expected], "{rows} {matched}");
    }
}

#[test]
fn a_delete_that_touches_little_of_what_it_matches_is_not_held_against_the_fraction() {
    let world = world(10_001, 5_000, "I1 ID-PERSON ACC-ALL");
    let mut request = both(&world);
    request.users[0].actions = [Action::Delete].into();
    assert_eq!(reasons(&world, request), [RUNS]);
}

#[test]
fn nothing_is_erased_before_the_access_of_the_block_is_done() {
    let world = world(10_001, 5_000, "I1 ID-PERSON ACC-ALL");
    // The access is blocked by its fraction; the delete alone would not be.
    assert_eq!(reasons(&world, both(&world)), [BLOCKED, BLOCKED]);
}

#[test]
fn rows_per_user_are_limited() {
    let mut world = world(20, 10, BOTH);
    world.catalog.settings.limits.max_rows_per_user = 10;
    assert_eq!(reasons(&world, both(&world)), [RUNS, RUNS]);
    world.catalog.settings.limits.max_rows_per_user = 9;
    assert_eq!(reasons(&world, both(&world)), [BLOCKED, BLOCKED]);
    let pass = pass(&world, &[both(&world)]);
    assert!(pass.draft.access.is_empty() && pass.draft.erase.is_empty());
    assert_eq!(pass.plan.tasks[0].datasets[0].person_rows, 10, "what was found is still shown");
}

#[test]
fn no_match_is_announced_and_is_no_export() {
    let world = world(5, 0, BOTH);
    let no_match = (Phase::Submitted, Some(Reason::NoMatch));
    assert_eq!(reasons(&world, both(&world)), [no_match, no_match]);
    let pass = pass(&world, &[both(&world)]);
    assert_eq!((pass.plan.totals.exports, pass.plan.totals.erasures), (0, 0));
    assert_eq!(pass.draft.tasks[1].outcome, Some(Reason::NoMatch));
    let dataset = &pass.plan.tasks[0].datasets[0];
    assert_eq!((dataset.files_searched, dataset.rows_searched), (1, 5));
    assert!(pass.plan.has_changes());
}

#[test]
fn a_narrowed_delete_ends_as_narrowed() {
    let mut world = world(5, 2, BOTH);
    world.dataset("visits", vec![field("email", "email", BOTH)]);
    world.flat("visits", "email", &["a@x"]);
    let mut request = both(&world);
    let name = world.catalog.datasets[0].name.clone();
    request.users[0].only = Only { datasets: Some([name].into()), ..Only::default() };
    let narrowed = pass(&world, &[request]);
    assert_eq!(narrowed.draft.tasks[1].outcome, Some(Reason::ErasedNarrowed));
    assert_eq!(narrowed.draft.tasks[1].left_out.len(), 1);
    let mut request = both(&world);
    request.include = Some([Product::new("ANALYTICS").unwrap()].into());
    let whole = pass(&world, &[request]);
    assert_eq!(whole.draft.tasks[1].outcome, Some(Reason::Erased), "nothing was left out");
}

#[test]
fn due_dates_follow_the_regulation_and_the_extension() {
    let world = world(1, 1, BOTH);
    let due = |change: &dyn Fn(&mut Request)| {
        let mut request = both(&world);
        request.received_at = Some("2026-01-31T00:00:00Z".parse().unwrap());
        change(&mut request);
        pass(&world, &[request]).plan.tasks[0].due.unwrap().to_string()
    };
    assert_eq!(due(&|_| {}), "2026-03-02T00:00:00Z");
    assert_eq!(due(&|r| r.regulation = Some(Regulation::new("gdpr"))), "2026-02-28T00:00:00Z");
    assert_eq!(due(&|r| r.received_at = None), "2026-12-22T12:00:00Z");
    let until = |r: &mut Request| {
        let until = "2026-06-01".parse().unwrap();
        r.extension = Some(Extension { until, reason: "complex".to_owned() });
    };
    assert_eq!(due(&until), "2026-06-01T00:00:00Z");
}
