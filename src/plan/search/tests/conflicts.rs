//! Linked rows that name somebody else (RULES.md section 3).

use crate::model::{Expansion, LeafType, Reason};
use crate::plan::BlockFound;
use crate::plan::testing::{World, field, group, int, leaf, request, text};

use super::expansion::{ask, reason, rows, shop};

/// Ann's customer number stands in an order that names Bob.
fn muddle() -> World {
    let mut world = shop();
    world.flat(
        "orders",
        "customer order email",
        &["1 11 bob", "1 12 Ann", "1 13 unknown", "1 14 -", "2 21 cy"],
    );
    world
}

#[test]
fn another_value_of_a_given_namespace_is_a_conflict() {
    let mut world = muddle();
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!((found.conflicts, reason(&found)), (1, Some(Reason::IdentityConflict)));
    let message = found.stop.unwrap().1;
    assert!(message.contains("email") && !message.contains("bob") && !message.contains("ann"));
    world.catalog.settings.limits.max_conflicts = 1;
    assert_eq!(world.search(&[ask(&world, "email", "ann")])[0].stop, None);
}

#[test]
fn a_person_who_has_looked_may_accept_them() {
    let world = muddle();
    let mut request = ask(&world, "email", "ann");
    request.users[0].accept_conflicts = true;
    let found = world.search(&[request]).remove(0);
    assert_eq!((found.conflicts, found.stop.clone()), (1, None));
    assert_eq!(rows(&world, &found, "orders"), [0, 1, 2, 3]);
}

#[test]
fn only_rows_that_a_link_reaches_conflict() {
    let mut world = muddle();
    // The row matches by itself, no link leads to it, and the other person in it is no conflict.
    world.flat("customers", "email customer cookie", &["ann - c1"]);
    world.flat("orders", "customer order email", &["- - ann"]);
    let user = world.user("k", vec![world.one("email", "ann"), world.one("email", "ANNE")]);
    let found = world.search(&[request("r", vec![user])]).remove(0);
    assert_eq!((found.conflicts, found.stop), (0, None));
}

#[test]
fn a_conflict_counts_once_a_row_and_compares_in_the_columns_type() {
    let mut world = World::default();
    world.namespace("order-id").expansion = Expansion::Always;
    let number = LeafType::Decimal { precision: 9, scale: 2 };
    let fields = vec![field("crm", "crm", "I2 ID-PERSON"), field("o", "order-id", "I2 ID-PERSON")];
    world.dataset("a", fields.clone());
    let leaves = vec![leaf("crm", number), leaf("o", LeafType::Text)];
    let decimal = |digits: &str| {
        crate::plan::testing::Value::Of(crate::model::Key::Decimal(digits.to_owned()))
    };
    let row = |crm: &str, order| group([("crm", decimal(crm)), ("o", text(order))]);
    world.rows("a", leaves, vec![row("1250", "x"), row("1250", "y"), row("1300", "x")]);
    world.dataset("b", fields);
    let leaves =
        vec![leaf("crm", LeafType::Int { bits: 32, signed: true }), leaf("o", LeafType::Text)];
    let row = |crm, order| group([("crm", int(crm)), ("o", text(order))]);
    world.rows("b", leaves, vec![row(13, "x"), row(12, "y")]);
    let found = world.search(&[ask(&world, "crm", "12.5")]).remove(0);
    assert_eq!(found.conflicts, 3, "one in `a`, two in `b`");
    assert_eq!(rows(&world, &found, "a"), [0, 1, 2]);
}

#[test]
fn several_fields_of_one_subject_are_no_conflict() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    let policy = world.dataset(
        "people",
        vec![
            field("email", "email", "I1 ID-PERSON"),
            field("backup", "email", "I1 ID-PERSON"),
            field("id", "id", "I2 ID-PERSON"),
        ],
    );
    policy.same_subject = true;
    world.flat("people", "email backup id", &["ann anne 1", "bob bobby 1"]);
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!(found.conflicts, 1, "the row that does not name Ann at all");
    world.catalog.datasets[0].same_subject = false;
    assert_eq!(world.search(&[ask(&world, "email", "ann")])[0].conflicts, 2);
}

#[test]
fn what_an_unfinished_delete_left_names_nobody() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    let email = field("email", "email", "I1 ID-PERSON DEL-PERSON");
    let erase = |method| {
        Some(crate::model::EraseRule {
            method,
            suffix: None,
            value: None,
            key: Some("k".to_owned()),
        })
    };
    let id = field("id", "id", "I2 ID-PERSON");
    let email = crate::model::Field { erase: erase(crate::model::EraseMethod::Hmac), ..email };
    world.dataset("people", vec![email, id]);
    let file = std::path::PathBuf::from("k");
    let key = crate::model::KeySource::File(file);
    world.catalog.settings.keys.insert("k".to_owned(), key);
    world.flat("people", "email id", &["ann 1", "ann 1"]);
    let requests = [ask(&world, "email", "ann")];
    let first: BlockFound = world.search(&requests).remove(0);
    assert_eq!((first.conflicts, first.added.len()), (0, 1));
    world.flat("people", "email id", &["9f86d0 1", "ann 1"]);
    let resumed = world.drive(&requests, |_| first.added.clone()).found.remove(0);
    assert_eq!((resumed.conflicts, rows(&world, &resumed, "people")), (0, vec![0, 1]));
    // Where no delete is under way it is somebody's.
    assert_eq!(world.search(&requests)[0].conflicts, 1);
}
