//! Elements, parties, methods, and who erases a cell that two deletes reach.

use crate::model::{
    Action, DeleteMethod, EraseMethod, EraseMode, EraseRule, LeafType, Phase, Reason, Request,
    UserBlock,
};
use crate::plan::measuring::{Pass, pass};
use crate::plan::testing::{World, field, group, leaf, leaf_in, list, request, text};
use crate::plan::{Mask, Reach};

fn rule(method: EraseMethod) -> Option<EraseRule> {
    Some(EraseRule { method, suffix: None, value: None, key: None })
}

fn only(mut user: UserBlock, action: Action) -> UserBlock {
    user.actions = [action].into();
    user
}

/// Erased cells as `field[element] row: task method`.
fn cells(pass: &Pass) -> Vec<String> {
    let cells = pass.erasure.cells.iter();
    cells
        .map(|((_, _, row, path, element), (task, method))| {
            let at = if element.is_empty() { String::new() } else { format!("{element:?}") };
            format!("{path}{at} {row}: {task} {method}")
        })
        .collect()
}

/// A row of an order: its customer, and passengers with an email each.
fn trips() -> World {
    let mut world = World::default();
    world.dataset(
        "trips",
        vec![
            field("booker", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL"),
            field("seats.email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL"),
            field("seats.name", "", "I1 DEL-PERSON ACC-ALL"),
            field("note", "", "I1 DEL-PERSON ACC-ALL"),
        ],
    );
    world.catalog.datasets[0].same_subject = true;
    let leaves = vec![
        leaf("booker", LeafType::Text),
        leaf_in("seats.email", LeafType::Text, &[1]),
        leaf_in("seats.name", LeafType::Text, &[1]),
        leaf("note", LeafType::Text),
    ];
    let seat = |email, name| group([("email", text(email)), ("name", text(name))]);
    let rows = vec![
        group([
            ("booker", text("a@x")),
            ("seats", list([seat("b@x", "Bob"), seat("c@x", "Cid")])),
            ("note", text("n")),
        ]),
        group([
            ("booker", text("b@x")),
            ("seats", list([seat("c@x", "Cid")])),
            ("note", text("n")),
        ]),
    ];
    world.rows("trips", leaves, rows);
    world
}

fn delete_of(world: &World, email: &str) -> Request {
    let user = only(world.user("k", vec![world.one("email", email)]), Action::Delete);
    request("r", vec![user])
}

#[test]
fn a_match_in_a_list_reaches_its_element_and_the_rest_of_the_row() {
    let world = trips();
    assert_eq!(
        cells(&pass(&world, &[delete_of(&world, "c@x")])),
        [
            "booker 0: 0 pseudonym",
            "note 0: 0 pseudonym",
            "seats.email[1] 0: 0 pseudonym",
            "seats.name[1] 0: 0 pseudonym",
            "booker 1: 0 pseudonym",
            "note 1: 0 pseudonym",
            "seats.email[0] 1: 0 pseudonym",
            "seats.name[0] 1: 0 pseudonym",
        ]
    );
}

#[test]
fn a_match_outside_the_list_makes_all_elements_the_subjects() {
    let world = trips();
    let erased = cells(&pass(&world, &[delete_of(&world, "a@x")]));
    assert_eq!(erased.iter().filter(|cell| cell.contains("seats")).count(), 4);
}

#[test]
fn elements_all_lifts_the_restriction() {
    let mut world = trips();
    world.catalog.datasets[0].fields[2].all_elements = true;
    let erased = cells(&pass(&world, &[delete_of(&world, "c@x")]));
    assert!(erased.contains(&"seats.name[0] 0: 0 pseudonym".to_owned()));
    assert!(!erased.contains(&"seats.email[0] 0: 0 pseudonym".to_owned()));
}

#[test]
fn access_shows_the_matched_elements_only() {
    let world = trips();
    let user = only(world.user("k", vec![world.one("email", "c@x")]), Action::Access);
    let pass = pass(&world, &[request("r", vec![user])]);
    let rows = &pass.draft.access[0].datasets[0].rows;
    let within = |index: u32| Reach::Within(vec![Box::from([index])]);
    assert_eq!(rows[0].narrowed, [(1, within(1)), (2, within(1))]);
    assert_eq!(rows[1].narrowed, [(1, within(0)), (2, within(0))]);
}

#[test]
fn remove_element_takes_siblings_unless_a_hold_keeps_one() {
    let mut world = trips();
    world.catalog.datasets[0].fields[1].erase = rule(EraseMethod::RemoveElement);
    let erased = cells(&pass(&world, &[delete_of(&world, "c@x")]));
    assert!(erased.contains(&"seats.name[1] 0: 0 remove-element".to_owned()));
    world.catalog.holds = vec![crate::model::Hold {
        name: crate::model::Name::new("h").unwrap(),
        scope: crate::model::HoldScope::Datasets {
            datasets: vec![world.catalog.datasets[0].name.clone()],
            fields: vec![crate::plan::testing::path("seats.name")],
        },
        until: None,
        reason: "audit".to_owned(),
        position: crate::model::Position::default(),
    }];
    let erased = cells(&pass(&world, &[delete_of(&world, "c@x")]));
    assert_eq!(erased, ["note 0: 0 pseudonym", "note 1: 0 pseudonym"]);
}

#[test]
fn a_match_of_one_party_leaves_the_other_alone() {
    let mut world = World::default();
    let party = |at: &str, namespace: &str, labels: &str, party: &str| {
        let mut field = field(at, namespace, labels);
        field.party = Some(party.to_owned());
        field
    };
    world.dataset(
        "transfers",
        vec![
            party("payer", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL", "payer"),
            party("payer_name", "", "I1 DEL-PERSON ACC-PERSON", "payer"),
            party("payee", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL", "payee"),
            party("payee_name", "", "I1 DEL-PERSON ACC-PERSON", "payee"),
            field("purpose", "", "I2 DEL-PERSON ACC-ALL"),
        ],
    );
    world.flat(
        "transfers",
        "payer payer_name payee payee_name purpose",
        &["a@x Ann b@x Bob rent", "b@x Bob a@x Ann gift"],
    );
    assert_eq!(
        cells(&pass(&world, &[delete_of(&world, "a@x")])),
        [
            "payer 0: 0 pseudonym",
            "payer_name 0: 0 pseudonym",
            "purpose 0: 0 pseudonym",
            "payee 1: 0 pseudonym",
            "payee_name 1: 0 pseudonym",
            "purpose 1: 0 pseudonym",
        ]
    );
    let user = only(world.user("k", vec![world.one("email", "a@x")]), Action::Access);
    let shown = pass(&world, &[request("r", vec![user])]);
    let rows = &shown.draft.access[0].datasets[0].rows;
    let hidden = || Reach::Within(Vec::new());
    assert_eq!(rows[0].narrowed, [(2, hidden()), (3, hidden())]);
    assert_eq!(rows[1].narrowed, [(0, hidden()), (1, hidden())]);
}

#[test]
fn of_two_deletes_the_first_by_name_erases_a_cell() {
    let world = trips();
    let named = |name: &str, email: &str| Request {
        name: crate::model::Name::new(name).unwrap(),
        ..delete_of(&world, email)
    };
    // Listed out of order: the request's name decides.
    let pass = pass(&world, &[named("z", "b@x"), named("m", "c@x")]);
    let erased = cells(&pass);
    assert!(erased.contains(&"note 0: 0 pseudonym".to_owned()));
    assert!(erased.contains(&"seats.email[0] 0: 1 pseudonym".to_owned()));
    assert!(erased.contains(&"seats.email[1] 0: 0 pseudonym".to_owned()));
    let names: Vec<_> = pass.plan.tasks.iter().map(|task| task.request.as_str()).collect();
    assert_eq!(names, ["m", "z"]);
    assert_eq!(pass.plan.totals.erasures, 2);
}

#[test]
fn a_purge_removes_rows_whatever_their_labels() {
    let world = trips();
    let purge = Request { delete_method: DeleteMethod::Purge, ..delete_of(&world, "b@x") };
    let other = Request { name: crate::model::Name::new("a").unwrap(), ..delete_of(&world, "c@x") };
    let pass = pass(&world, &[purge, other]);
    let rows: Vec<(u64, u32)> =
        pass.erasure.rows.iter().map(|((_, _, row), task)| (*row, *task)).collect();
    assert_eq!(rows, [(0, 1), (1, 1)]);
    assert!(pass.erasure.cells.is_empty(), "a removed row is in no mask");
    let fields = &pass.plan.tasks[1].datasets[0].fields;
    assert_eq!(
        (fields[0].path.as_str(), fields[0].method.as_str(), fields[0].cells),
        ("*", "row", 2)
    );
}

#[test]
fn rows_on_the_dataset_holds_for_anonymize_too() {
    let mut world = trips();
    world.catalog.datasets[0].erase = EraseMode::Rows;
    let pass = pass(&world, &[delete_of(&world, "c@x")]);
    assert_eq!(pass.erasure.rows.len(), 2);
}

#[test]
fn keep_is_shown_as_kept_and_does_not_block() {
    let mut world = trips();
    world.catalog.datasets[0].fields[3].erase = rule(EraseMethod::Keep);
    world.catalog.datasets[0].fields[3].reason = Some("needed for billing".to_owned());
    let pass = pass(&world, &[delete_of(&world, "c@x")]);
    let task = &pass.plan.tasks[0];
    assert_eq!((task.phase, task.reason), (Phase::Submitted, None));
    let kept = &task.datasets[0].retained;
    assert_eq!((kept[0].path.as_str(), kept[0].cells), ("note", 2));
    assert_eq!(kept[0].why, "needed for billing");
    assert!(cells(&pass).iter().all(|cell| !cell.starts_with("note")));
}

#[test]
fn pii_is_erased_by_any_match_and_shown_by_none() {
    let mut world = World::default();
    world.dataset("events", vec![field("dev", "dev", "I2 ID-DEVICE"), field("phone", "", "")]);
    world.catalog.datasets[0].fields[1].pii = true;
    world.flat("events", "dev phone", &["d1 123", "d2 456"]);
    let user = world.user("k", vec![world.one("dev", "d1")]);
    let pass = pass(&world, &[request("r", vec![user])]);
    assert_eq!(cells(&pass), ["phone 0: 1 pseudonym"]);
    assert!(pass.draft.access[0].datasets[0].columns.is_empty());
}

#[test]
fn a_field_that_cannot_be_erased_fails_the_deletes_that_need_it() {
    let mut world = World::default();
    let mut score = field("score", "", "I2 DEL-PERSON");
    score.erase = rule(EraseMethod::Pseudonym);
    world.dataset(
        "events",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON"),
            field("dev", "dev", "I2 ID-DEVICE DEL-DEVICE"),
            score,
        ],
    );
    let leaves = vec![
        leaf("email", LeafType::Text),
        leaf("dev", LeafType::Text),
        leaf("score", LeafType::Float),
    ];
    world.rows("events", leaves, vec![group([("email", text("a@x")), ("dev", text("d"))])]);
    let user = |key: &str, namespace: &str, value: &str| {
        only(world.user(key, vec![world.one(namespace, value)]), Action::Delete)
    };
    let users = vec![user("k1", "email", "a@x"), user("k2", "dev", "d")];
    let pass = pass(&world, &[request("r", users)]);
    let task = &pass.plan.tasks[0];
    assert_eq!((task.phase, task.reason), (Phase::Failed, Some(Reason::DataUnreadable)));
    assert!(task.message.as_ref().unwrap().contains("score"));
    // A device match does not reach the field: that delete runs.
    assert_eq!(pass.plan.tasks[1].phase, Phase::Submitted);
    assert_eq!(cells(&pass), ["dev 0: 1 pseudonym"]);
}

#[test]
fn a_purge_needs_no_method() {
    let mut world = trips();
    world.catalog.datasets[0].fields[3].erase = rule(EraseMethod::Coarsen);
    let purge = Request { delete_method: DeleteMethod::Purge, ..delete_of(&world, "c@x") };
    assert_eq!(pass(&world, &[purge]).plan.tasks[0].phase, Phase::Submitted);
    let anonymize = delete_of(&world, "c@x");
    assert_eq!(pass(&world, &[anonymize]).plan.tasks[0].phase, Phase::Failed);
}

#[test]
fn a_group_labels_its_leaves_except_those_that_a_longer_path_names() {
    let mut world = World::default();
    let mut kept = field("props.os", "", "");
    kept.selectable = true;
    world.dataset(
        "events",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON"),
            field("props", "", "I2 DEL-PERSON ACC-ALL"),
            kept,
        ],
    );
    let leaves = vec![
        leaf("email", LeafType::Text),
        leaf("props.ip", LeafType::Text),
        leaf("props.os", LeafType::Text),
        leaf("props.size", LeafType::Int { bits: 32, signed: true }),
    ];
    let props =
        group([("ip", text("1")), ("os", text("2")), ("size", crate::plan::testing::int(3))]);
    world.rows("events", leaves, vec![group([("email", text("a@x")), ("props", props)])]);
    let pass = pass(&world, &[delete_of(&world, "a@x")]);
    assert_eq!(
        cells(&pass),
        ["email 0: 0 pseudonym", "props.ip 0: 0 pseudonym", "props.size 0: 0 null"]
    );
    let masks: Vec<&Mask> = pass.draft.erase[0].leaves.iter().map(|leaf| &leaf.mask).collect();
    assert!(masks.contains(&&Mask::Null));
}
