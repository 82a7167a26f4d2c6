//! The guard must see what a planner could do wrong: each test breaks a sound draft in one way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use crate::model::{
    Action, EraseMethod, EraseRule, Hold, HoldScope, LeafType, Name, Phase, Position, Reason,
    Request,
};
use crate::plan::measuring::{NOON, erase};
use crate::plan::testing::NO_TASK;
use crate::plan::testing::{World, field, group, leaf, leaf_in, list, path, request, text};
use crate::plan::{
    BlockFound, CellWork, Draft, Evidence, LeafWork, LedgerView, Mask, PlanInputs, Reach,
    Situation, draft, finish,
};

use super::{guard_draft, guard_plan};

fn world() -> World {
    let mut world = World::default();
    world.dataset(
        "events",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-PERSON"),
            field("dev", "dev", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
            field("note", "", "I2 ACC-ALL"),
            field("tags", "tag", "I2 ID-PERSON DEL-PERSON ACC-ALL"),
        ],
    );
    let leaves = vec![
        leaf("email", LeafType::Text),
        leaf("dev", LeafType::Text),
        leaf("note", LeafType::Text),
        leaf_in("tags", LeafType::Text, &[1]),
    ];
    let row = |email, dev| {
        let tags = list([text("t1"), text("t2")]);
        group([("email", text(email)), ("dev", text(dev)), ("note", text("n")), ("tags", tags)])
    };
    world.rows("events", leaves, vec![row("a@x", "1"), row("b@x", "1"), row("c@x", "2")]);
    world
}

fn requests(world: &World) -> Vec<Request> {
    let user = |key: &str, namespace: &str, value: &str| {
        world.user(key, vec![world.one(namespace, value)])
    };
    let users =
        vec![user("person", "email", "a@x"), user("device", "dev", "1"), user("tag", "tag", "t1")];
    vec![request("r", users)]
}

/// Drafts, lets `change` break the draft, and asks the guard.
fn judge(world: &World, change: impl FnOnce(&mut Draft)) -> Result<(), String> {
    judge_all(world, requests(world), |_, draft| change(draft))
}

fn judge_all(
    world: &World,
    requests: Vec<Request>,
    change: impl FnOnce(&mut Vec<BlockFound>, &mut Draft),
) -> Result<(), String> {
    let (ledger, prints, blocks) = (LedgerView::default(), BTreeMap::new(), BTreeMap::new());
    let situation = Situation {
        catalog: &world.catalog,
        requests: &requests,
        ledger: &ledger,
        fingerprints: &prints,
        waiting: &NO_TASK,
        now: NOON.parse().unwrap(),
    };
    let mut found = world.search(&requests);
    let evidence = Evidence { inventory: &world.inventory, blocks: &blocks, found: &found };
    let mut drafted = draft(situation, evidence);
    change(&mut found, &mut drafted);
    let evidence = Evidence { inventory: &world.inventory, blocks: &blocks, found: &found };
    guard_draft(situation, evidence, &drafted).map_err(|broken| broken.to_string())
}

fn assert_broken(result: Result<(), String>, says: &str) {
    let message = result.expect_err(says);
    assert!(message.contains(says), "{message}");
}

fn leaf_work<'a>(draft: &'a mut Draft, at: &str) -> &'a mut LeafWork {
    draft.erase[0].leaves.iter_mut().find(|leaf| leaf.path == path(at)).unwrap()
}

fn cell(row: u64, task: u32) -> CellWork {
    CellWork { row, task, reach: Reach::All }
}

#[test]
fn a_sound_draft_passes() {
    assert_eq!(judge(&world(), |_| {}), Ok(()));
}

#[test]
fn a_row_that_was_not_matched_must_not_be_touched() {
    let broken = judge(&world(), |draft| leaf_work(draft, "email").cells.push(cell(2, 1)));
    assert_broken(broken, "out of order");
    let broken = judge(&world(), |draft| leaf_work(draft, "email").cells = vec![cell(2, 1)]);
    assert_broken(broken, "did not match");
    let broken = judge(&world(), |draft| draft.erase[0].removed.push((0, 1)));
    assert_broken(broken, "is no purge");
}

#[test]
fn a_label_must_allow_it() {
    let add = |draft: &mut Draft, at: &str, cells| {
        draft.erase[0].leaves.push(LeafWork { path: path(at), mask: Mask::Null, cells });
    };
    let broken = judge(&world(), |draft| add(draft, "note", vec![cell(0, 1)]));
    assert_broken(broken, "no label lets note");
    // The person's delete must not touch what only a device match erases.
    let broken = judge(&world(), |draft| leaf_work(draft, "dev").cells = vec![cell(0, 1)]);
    assert_broken(broken, "must not");
    let broken = judge(&world(), |draft| add(draft, "email", vec![cell(0, 1)]));
    assert_broken(broken, "two masks");
}

#[test]
fn elements_of_others_must_not_be_touched() {
    let broken = judge(&world(), |draft| {
        let cells = &mut leaf_work(draft, "tags").cells;
        cells.retain(|cell| cell.task == 5);
        cells[0].reach = Reach::All;
    });
    assert_broken(broken, "others'");
    let broken = judge(&world(), |draft| {
        let cells = &mut leaf_work(draft, "tags").cells;
        cells.retain(|cell| cell.task == 5);
        cells[0].reach = Reach::Within(vec![Box::from([1])]);
    });
    assert_broken(broken, "others'");
}

#[test]
fn tasks_that_do_not_run_have_no_work() {
    for (phase, reason) in [
        (Phase::Rejected, Some(Reason::Invalid)),
        (Phase::Blocked, Some(Reason::LimitExceeded)),
        (Phase::Complete, Some(Reason::Erased)),
    ] {
        let broken = judge(&world(), |draft| {
            let task = &mut draft.tasks[1];
            (task.standing.phase, task.standing.reason) = (phase, reason);
        });
        assert_broken(broken, "is not submitted");
        let broken = judge(&world(), |draft| {
            let task = &mut draft.tasks[1];
            (task.runs, task.outcome) = (false, None);
            (task.standing.phase, task.standing.reason) = (phase, reason);
        });
        assert_broken(broken, "must not run");
    }
    let broken = judge(&world(), |draft| leaf_work(draft, "email").cells = vec![cell(0, 0)]);
    assert_broken(broken, "must not run");
    let world = world();
    let mut suspended = requests(&world);
    let broken = judge_all(&world, suspended.clone(), |_, _| {});
    assert_eq!(broken, Ok(()));
    suspended[0].suspend = true;
    let broken = judge_all(&world, suspended, |_, draft| {
        let task = &mut draft.tasks[1];
        task.runs = true;
        task.outcome = Some(Reason::Erased);
        task.standing = crate::plan::Standing {
            phase: Phase::Submitted,
            reason: None,
            message: None,
            cause: None,
        };
        draft.erase.push(crate::plan::FileWork {
            dataset: Name::new("events").unwrap(),
            path: "/lake/events/0.parquet".into(),
            shown: "lake/events/0.parquet".to_owned(),
            stamp: world.inventory.datasets.values().next().unwrap().files[0].stamp.clone(),
            removed: Vec::new(),
            leaves: vec![LeafWork {
                path: path("email"),
                mask: Mask::Null,
                cells: vec![cell(0, 1)],
            }],
        });
    });
    assert_broken(broken, "must not run");
}

#[test]
fn held_cells_and_rows_must_not_be_touched() {
    for (scope, says) in [(vec![], "where it must not"), (vec![path("note")], "a hold keeps email")]
    {
        let mut world = world();
        // Drafted without the hold, guarded with it.
        let hold = Hold {
            name: Name::new("h").unwrap(),
            scope: HoldScope::Datasets {
                datasets: vec![Name::new("events").unwrap()],
                fields: scope,
            },
            until: None,
            reason: "x".to_owned(),
            position: Position::default(),
        };
        let requests = requests(&world);
        let mut sound = None;
        judge_all(&world, requests.clone(), |_, draft| sound = Some(draft.clone())).unwrap();
        world.catalog.holds = vec![hold];
        let broken = judge_all(&world, requests, |_, draft| *draft = sound.unwrap());
        assert_broken(broken, says);
    }
}

#[test]
fn kept_fields_must_not_be_masked() {
    let mut world = world();
    let requests = requests(&world);
    let mut sound = None;
    judge_all(&world, requests.clone(), |_, draft| sound = Some(draft.clone())).unwrap();
    let keep = EraseRule { method: EraseMethod::Keep, suffix: None, value: None, key: None };
    world.catalog.datasets[0].fields[0].erase = Some(keep);
    let broken = judge_all(&world, requests, |_, draft| *draft = sound.unwrap());
    assert_broken(broken, "must not be masked");
}

#[test]
fn packages_hold_only_the_subjects_rows_and_what_labels_allow() {
    let broken = judge(&world(), |draft| draft.access[0].datasets[0].rows[0].at.row = 2);
    assert_broken(broken, "not the subject's");
    let broken = judge(&world(), |draft| draft.access[0].datasets[0].rows[0].person = false);
    assert_broken(broken, "not the subject's");
    let broken = judge(&world(), |draft| {
        let column = draft.access[1].datasets[0].columns.iter_mut().find(|c| c.leaf == 0).unwrap();
        column.device = true;
    });
    assert_broken(broken, "shows email");
    let broken = judge(&world(), |draft| draft.access[0].task = 1);
    assert_broken(broken, "must not run");
}

#[test]
fn the_search_must_keep_its_promises() {
    let world = world();
    let broken = judge_all(&world, requests(&world), |found, _| {
        found[0].datasets[0].rows[0].person = false;
    });
    assert_broken(broken, "does not say what matched");
    let broken = judge_all(&world, requests(&world), |found, _| {
        found[2].datasets[0].hits[0].element = Box::default();
    });
    assert_broken(broken, "no place in its lists");
    let broken = judge_all(&world, requests(&world), |found, _| {
        found[1].datasets[0].rows.reverse();
    });
    assert_broken(broken, "out of order");
}

#[test]
fn counts_of_a_plan_must_add_up() {
    let world = world();
    let requests = requests(&world);
    let mut sound = None;
    judge_all(&world, requests, |_, draft| sound = Some(draft.clone())).unwrap();
    let draft = sound.unwrap();
    let (_, counts) = erase(&world, &draft);
    let inputs = PlanInputs::new(String::new(), None, &world.inventory, 0);
    let plan = finish(&draft, &counts, &world.inventory, inputs.clone()).unwrap();
    assert_eq!(guard_plan(&plan, &draft), Ok(()));
    assert!(finish(&draft, &[], &world.inventory, inputs).is_err(), "a file was not measured");
    let broken = |change: &dyn Fn(&mut crate::plan::Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        guard_plan(&plan, &draft).is_err()
    };
    assert!(broken(&|plan| plan.totals.rows_erased += 1));
    assert!(broken(&|plan| plan.totals.cells_erased -= 1));
    assert!(broken(&|plan| plan.totals.blocked += 1));
    assert!(broken(&|plan| plan.tasks[1].datasets[0].fields[0].cells += 1));
    assert!(broken(&|plan| plan.tasks[1].datasets[0].rows_erased += 1));
    assert!(broken(&|plan| plan.tasks[1].datasets[0].person_rows += 1));
    assert!(broken(&|plan| plan.tasks[0].datasets[0].files[0].rows_erased = 1));
    assert!(broken(&|plan| plan.tasks.truncate(1)));
    assert_eq!(draft.tasks[1].id.action, Some(Action::Delete));
}
