#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::model::{Action, DeleteMethod, LeafType, Name, Request};
use crate::plan::measuring::{pass, pass_with};
use crate::plan::testing::{TableFile, World, field, group, leaf, request, text};
use crate::plan::{LedgerView, PlanInputs, moved};

/// Two files of three rows; `a@x` is in two rows of the first, and shares one with `b@x`'s device.
fn world() -> World {
    let mut world = World::default();
    world.dataset(
        "events",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL"),
            field("dev", "dev", "I2 ID-DEVICE DEL-DEVICE DEL-PERSON ACC-ALL"),
            field("note", "", "I2 DEL-PERSON ACC-ALL"),
        ],
    );
    let leaves = || vec!["email", "dev", "note"].into_iter().map(|at| leaf(at, LeafType::Text));
    let row = |email, dev, note: &str| {
        let mut fields = vec![("email", text(email)), ("dev", text(dev))];
        if note != "-" {
            fields.push(("note", text(note)));
        }
        group(fields)
    };
    let file = |rows| TableFile { rows, partitions: Vec::new() };
    world.files(
        "events",
        leaves().collect(),
        vec![
            file(vec![row("a@x", "1", "n"), row("a@x", "2", "-"), row("c@x", "3", "n")]),
            file(vec![row("b@x", "1", "n"), row("c@x", "3", "n")]),
        ],
    );
    world
}

fn delete(world: &World, key: &str, namespace: &str, value: &str) -> crate::model::UserBlock {
    let mut user = world.user(key, vec![world.one(namespace, value)]);
    user.actions = [Action::Delete].into();
    user
}

#[test]
fn counts_are_exact_per_task_file_and_field() {
    let world = world();
    let users = vec![delete(&world, "k1", "email", "a@x"), delete(&world, "k2", "dev", "1")];
    let plan = pass(&world, &[request("r", users)]).plan;
    let [first, second] = &plan.tasks[..] else { panic!("two tasks") };
    let first = &first.datasets[0];
    assert_eq!((first.person_rows, first.device_rows, first.rows_erased), (2, 0, 2));
    assert_eq!((first.files_touched, first.row_groups_touched, first.bytes_touched), (1, 1, 30));
    let fields: Vec<_> = first.fields.iter().map(|f| (f.path.as_str(), f.cells)).collect();
    assert_eq!(fields, [("dev", 2), ("email", 2), ("note", 1)]);
    assert_eq!(first.files.len(), 1);
    assert_eq!((first.files[0].rows, first.files[0].cells_erased), (2, 5));
    // The second matches a row whose cell the first erases, and one of its own.
    let second = &second.datasets[0];
    assert_eq!((second.device_rows, second.rows_erased), (2, 1));
    let files: Vec<_> = second.files.iter().map(|f| (f.rows, f.rows_erased)).collect();
    assert_eq!(files, [(1, 0), (1, 1)]);
    let totals = &plan.totals;
    assert_eq!((totals.rows_erased, totals.cells_erased), (3, 6));
    assert_eq!((totals.files_touched, totals.bytes_touched, totals.bytes_total), (2, 40, 500));
    assert_eq!((totals.erasures, totals.exports, totals.blocked), (2, 0, 0));
}

#[test]
fn removed_rows_count_as_rows_and_not_as_cells() {
    let world = world();
    let users = vec![delete(&world, "k", "email", "a@x")];
    let purge = Request { delete_method: DeleteMethod::Purge, ..request("r", users) };
    let plan = pass(&world, &[purge]).plan;
    let dataset = &plan.tasks[0].datasets[0];
    assert_eq!((dataset.rows_erased, plan.totals.cells_erased), (2, 0));
    let fields: Vec<_> =
        dataset.fields.iter().map(|f| (f.path.as_str(), f.method.as_str(), f.cells)).collect();
    assert_eq!(fields, [("*", "row", 2)]);
}

#[test]
fn the_plan_id_moves_with_inputs_and_tasks_and_not_with_the_clock() {
    let world = world();
    let of = |value: &str, seq: u64| {
        let requests = [request("r", vec![delete(&world, "k", "email", value)])];
        let ledger = LedgerView { seq, ..LedgerView::default() };
        pass_with(&world, &requests, &ledger, &std::collections::BTreeMap::new()).plan
    };
    let id = of("a@x", 1).plan_id;
    assert!(id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(id, of("a@x", 1).plan_id);
    assert_ne!(id, of("a@x", 2).plan_id);
    assert_ne!(id, of("b@x", 1).plan_id);
    // Without `receivedAt` the due date rests on the clock; the id does not.
    let requests = [request("r", vec![delete(&world, "k", "email", "a@x")])];
    let mut seen = LedgerView { seq: 1, ..LedgerView::default() };
    let long_ago = "2026-01-01T00:00:00Z".parse().unwrap();
    seen.requests.insert(Name::new("r").unwrap(), long_ago);
    let older = pass_with(&world, &requests, &seen, &std::collections::BTreeMap::new()).plan;
    assert_ne!(older.tasks[0].due, of("a@x", 1).tasks[0].due);
    assert_eq!(older.plan_id, id);
}

#[test]
fn a_plan_survives_being_saved() {
    let world = world();
    let requests = [request("r", vec![delete(&world, "k", "email", "a@x")])];
    let plan = pass(&world, &requests).plan;
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("a@x"));
    let saved = serde_json::from_str::<crate::plan::Plan>(&text).unwrap();
    assert_eq!(saved, plan);
    assert!(saved.has_own_id());
    let mut edited = saved.clone();
    edited.totals.rows_erased += 1;
    assert!(!edited.has_own_id());
    let mut edited = saved;
    edited.tasks.clear();
    assert!(!edited.has_own_id());
}

#[test]
fn what_moved_is_said() {
    let world = world();
    let saved = PlanInputs::new("p".to_owned(), Some("r".to_owned()), &world.inventory, 3);
    assert!(moved(&saved, &saved).is_empty());
    let mut now = saved.clone();
    now.policies = "q".to_owned();
    now.requests = Some("s".to_owned());
    now.ledger = 4;
    now.datasets[0].digest = "other".to_owned();
    now.datasets[0].rows += 1;
    assert_eq!(
        moved(&saved, &now),
        [
            "the policies have changed",
            "the requests have changed",
            "dataset events has changed: 5 rows, now 6",
            "the ledger is at entry 4, the plan was made at entry 3",
        ]
    );
    now = saved.clone();
    now.datasets.clear();
    assert_eq!(moved(&saved, &now), ["dataset events is gone"]);
    assert_eq!(moved(&now, &saved), ["dataset events is new"]);
    now = PlanInputs { requests: None, ..saved.clone() };
    assert_eq!(moved(&now, &saved).len(), 1, "a plan made without the key fits nothing");
    assert_eq!(moved(&saved, &now).len(), 1);
}
