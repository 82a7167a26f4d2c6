//! Holds: what they keep, for how long, and what goes on meanwhile (RULES.md section 5).

use crate::model::{
    Action, DeleteMethod, EraseMode, Hold, HoldScope, Name, NamespaceName, Part, Phase, Position,
    Reason, Request, TaskId, Veil, VeiledTerm,
};
use crate::plan::measuring::{NOON, Pass, pass, pass_with};
use crate::plan::testing::{World, field, path, request};
use crate::plan::{LedgerView, TaskState};

fn world() -> World {
    let mut world = World::default();
    world.dataset(
        "orders",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL"),
            field("address", "", "I1 DEL-PERSON ACC-ALL"),
            field("total", "", "I2 DEL-PERSON ACC-ALL"),
        ],
    );
    world.flat("orders", "email address total", &["a@x Street 10", "b@x Road 20", "a@x Lane -"]);
    world.dataset("visits", vec![field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL")]);
    world.flat("visits", "email", &["a@x", "b@x"]);
    world
}

fn hold(name: &str, scope: HoldScope) -> Hold {
    Hold {
        name: Name::new(name).unwrap(),
        scope,
        until: Some("2026-11-23".parse().unwrap()),
        reason: "tax records".to_owned(),
        position: Position::default(),
    }
}

fn on(datasets: &[&str], fields: &[&str]) -> HoldScope {
    HoldScope::Datasets {
        datasets: datasets.iter().map(|name| Name::new(name).unwrap()).collect(),
        fields: fields.iter().map(|at| path(at)).collect(),
    }
}

fn on_requests(requests: &[&str], keys: &[&str]) -> HoldScope {
    HoldScope::Requests {
        requests: requests.iter().map(|name| Name::new(name).unwrap()).collect(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn delete(world: &World, name: &str, email: &str) -> Request {
    let mut user = world.user("k", vec![world.one("email", email)]);
    user.actions = [crate::model::Action::Delete].into();
    request(name, vec![user])
}

fn task(request: &str) -> TaskId {
    let (request, key) = (Name::new(request).unwrap(), Some("k".to_owned()));
    TaskId { request, key, action: Some(Action::Delete) }
}

/// Erased cells as `dataset.field row`, sorted.
fn cells(pass: &Pass) -> Vec<String> {
    let keys = pass.erasure.cells.keys();
    keys.map(|(dataset, _, row, path, _)| format!("{dataset}.{path} {row}")).collect()
}

fn retained(pass: &Pass, task: usize) -> Vec<(String, u64, String)> {
    let datasets = pass.plan.tasks[task].datasets.iter();
    datasets
        .flat_map(|dataset| &dataset.retained)
        .map(|kept| (kept.path.clone(), kept.cells, kept.why.clone()))
        .collect()
}

fn why(name: &str) -> String {
    format!("hold {name}: tax records")
}

#[test]
fn a_hold_on_a_dataset_keeps_its_rows_and_nothing_else() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on(&["orders"], &[]))];
    let pass = pass(&world, &[delete(&world, "r", "a@x")]);
    assert_eq!(cells(&pass), ["visits.email 0"]);
    assert_eq!(retained(&pass, 0), [("*".to_owned(), 2, why("h"))]);
    let task = &pass.plan.tasks[0];
    assert_eq!((task.phase, task.reason), (Phase::Blocked, Some(Reason::Held)));
    assert!(task.message.as_ref().unwrap().contains("tax records"));
    assert!(pass.draft.tasks[0].runs, "the rest goes on");
    assert_eq!(pass.plan.totals.blocked, 1);
}

#[test]
fn a_hold_on_fields_keeps_those_and_the_id_fields() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on(&["orders"], &["total"]))];
    let pass = pass(&world, &[delete(&world, "r", "a@x")]);
    assert_eq!(cells(&pass), ["orders.address 0", "orders.address 2", "visits.email 0"]);
    let kept = [("email".to_owned(), 2, why("h")), ("total".to_owned(), 1, why("h"))];
    assert_eq!(retained(&pass, 0), kept);
    assert_eq!(pass.plan.tasks[0].reason, Some(Reason::Held));
}

#[test]
fn a_purge_of_held_rows_waits() {
    for purge_by_dataset in [false, true] {
        let mut world = world();
        world.catalog.holds = vec![hold("h", on(&["orders"], &["total"]))];
        let mut request = delete(&world, "r", "a@x");
        if purge_by_dataset {
            world.catalog.datasets[0].erase = EraseMode::Rows;
        } else {
            request.delete_method = DeleteMethod::Purge;
        }
        let pass = pass(&world, &[request]);
        assert!(pass.erasure.rows.keys().all(|(dataset, _, _)| dataset == "visits"));
        assert_eq!(retained(&pass, 0), [("*".to_owned(), 2, why("h"))]);
    }
}

#[test]
fn a_hold_ends_on_its_first_free_day() {
    let mut world = world();
    let until = |day: &str| Hold {
        until: Some(day.parse().unwrap()),
        ..hold("h", on(&["orders", "visits"], &[]))
    };
    world.catalog.holds = vec![until("2026-11-22")];
    let done = pass(&world, &[delete(&world, "r", "a@x")]);
    assert_eq!(done.plan.tasks[0].phase, Phase::Submitted);
    assert_eq!(cells(&done).len(), 6);
    world.catalog.holds = vec![until("2026-11-23")];
    assert!(cells(&pass(&world, &[delete(&world, "r", "a@x")])).is_empty());
}

#[test]
fn a_hold_on_a_request_keeps_its_rows_from_every_delete() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on_requests(&["held"], &[]))];
    let requests = [
        delete(&world, "held", "a@x"),
        delete(&world, "other", "b@x"),
        delete(&world, "third", "a@x"),
    ];
    let pass = pass(&world, &requests);
    assert_eq!(
        cells(&pass),
        ["orders.address 1", "orders.email 1", "orders.total 1", "visits.email 1"]
    );
    let reasons: Vec<_> = pass.plan.tasks.iter().map(|task| task.reason).collect();
    assert_eq!(reasons, [Some(Reason::Held), None, Some(Reason::Held)]);
}

#[test]
fn a_hold_keeps_the_rows_of_a_request_that_is_stopped_or_done() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on_requests(&["held"], &[]))];
    let kept = |held: Request, ledger: &LedgerView| {
        let requests = [held, delete(&world, "other", "a@x"), delete(&world, "third", "b@x")];
        let prints = ["held", "other", "third"].map(|name| (task(name), "f".to_owned()));
        let pass = pass_with(&world, &requests, ledger, &prints.into());
        let only_the_third = cells(&pass).iter().all(|cell| cell.ends_with('1'));
        let other = pass.plan.tasks.iter().find(|task| task.request.as_str() == "other").unwrap();
        (only_the_third, cells(&pass).len(), other.reason)
    };
    let held = || delete(&world, "held", "a@x");
    let expected = (true, 4, Some(Reason::Held));
    let nothing = LedgerView::default();
    assert_eq!(kept(Request { suspend: true, ..held() }, &nothing), expected);
    assert_eq!(kept(Request { withdrawn: true, ..held() }, &nothing), expected);
    let mut done = LedgerView::default();
    let submitted = TaskState::submitted("f", NOON.parse().unwrap(), NOON.parse().unwrap());
    let state = TaskState { phase: Phase::Complete, reason: Some(Reason::Erased), ..submitted };
    done.tasks.insert(task("held"), state);
    assert_eq!(kept(held(), &done), expected);
    let mut standing = held();
    standing.users[0].standing = true;
    assert_eq!(kept(standing, &done), expected);
}

#[test]
fn where_a_held_request_cannot_be_read_nothing_is_erased() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on_requests(&["held"], &[]))];
    let mut held = delete(&world, "held", "a@x");
    let veil = Part::Veiled { namespace: NamespaceName::new("email").unwrap(), veil: Veil::Sealed };
    held.users[0].veiled = vec![VeiledTerm(vec![veil])];
    let others = || [delete(&world, "other", "a@x"), delete(&world, "third", "nobody@x")];
    let [other, third] = others();
    let pass = pass(&world, &[held, other, third]);
    assert!(cells(&pass).is_empty());
    let phases: Vec<_> = pass.plan.tasks.iter().map(|task| (task.phase, task.reason)).collect();
    let expected = [
        (Phase::Failed, Some(Reason::Sealed)),
        (Phase::Blocked, Some(Reason::Held)),
        (Phase::Submitted, Some(Reason::NoMatch)),
    ];
    assert_eq!(phases, expected);
    assert!(pass.plan.tasks[1].message.as_ref().unwrap().contains("held/k"));
}

#[test]
fn a_hold_on_keys_holds_only_those_blocks() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on_requests(&["r"], &["k1"]))];
    let mut request = delete(&world, "r", "a@x");
    request.users[0].key = "k1".to_owned();
    request.users.push(world.user("k2", vec![world.one("email", "b@x")]));
    let pass = pass(&world, &[request]);
    let phases: Vec<_> = pass.plan.tasks.iter().map(|task| task.phase).collect();
    // The access of the second block stands before its delete.
    assert_eq!(phases, [Phase::Blocked, Phase::Submitted, Phase::Submitted]);
    assert!(cells(&pass).iter().all(|cell| cell.ends_with('1')));
}

#[test]
fn access_is_never_held() {
    let mut world = world();
    world.catalog.holds = vec![hold("h", on(&["orders", "visits"], &[]))];
    let user = world.user("k", vec![world.one("email", "a@x")]);
    let pass = pass(&world, &[request("r", vec![user])]);
    assert_eq!(pass.plan.tasks[0].phase, Phase::Submitted);
    assert_eq!(pass.draft.access[0].datasets[0].rows.len(), 2);
}

#[test]
fn a_hold_that_keeps_only_nulls_does_not_stand_in_the_way() {
    let mut world = world();
    // The ID field is not erased, so that only `total` could be kept.
    world.catalog.datasets[0].fields[0] = field("email", "email", "I1 ID-PERSON ACC-ALL");
    world.flat("orders", "email address total", &["a@x Street -"]);
    world.catalog.holds = vec![hold("h", on(&["orders"], &["total"]))];
    let pass = pass(&world, &[delete(&world, "r", "a@x")]);
    let task = &pass.plan.tasks[0];
    assert_eq!((task.phase, task.reason), (Phase::Submitted, None));
    assert_eq!(cells(&pass), ["orders.address 0", "visits.email 0"]);
}
