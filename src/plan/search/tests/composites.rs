//! Composite identities, lists and parties (RULES.md section 2).

use crate::model::{Expansion, Field, LeafType};
use crate::plan::testing::{Value, World, field, group, leaf, leaf_in, list, request, text};
use crate::plan::{BlockFound, FoundHit};

use super::expansion::{added, ask, rows};

fn doe(world: &World) -> BlockFound {
    let identity = world.all_of(&[("last-name", "Doe"), ("birth-date", "1980-02-29")]);
    world.search(&[request("r", vec![world.user("k", vec![identity])])]).remove(0)
}

fn people(name: &str, birth: &str) -> World {
    let mut world = World::default();
    let fields = vec![field("name", "last-name", name), field("birth", "birth-date", birth)];
    world.dataset("people", fields);
    world.flat(
        "people",
        "name birth",
        &["Doe 1980-02-29", "Doe 1981-01-01", "Roe 1980-02-29", "doe 1980-02-29", "Doe -"],
    );
    world
}

#[test]
fn all_parts_must_be_in_one_row() {
    let world = people("I2 ID-PERSON", "I2 ID-PERSON");
    let found = doe(&world);
    assert_eq!(rows(&world, &found, "people"), [0, 3]);
    assert!(found.datasets[0].rows.iter().all(|row| row.person && !row.device));
    assert_eq!(found.identities.iter().map(|c| c.given).sum::<u64>(), 2);
    let world = people("I2 ID-PERSON", "I2 ID-DEVICE");
    let found = doe(&world);
    assert!(found.datasets[0].rows.iter().all(|row| !row.person && row.device));
}

#[test]
fn a_dataset_that_lacks_a_part_has_no_match() {
    let mut world = people("I2 ID-PERSON", "I2 ID-PERSON");
    world.dataset("names", vec![field("name", "last-name", "I2 ID-PERSON")]);
    world.flat("names", "name", &["Doe"]);
    assert_eq!(rows(&world, &doe(&world), "names"), [0; 0]);
}

#[test]
fn a_part_matches_by_itself_for_the_block_that_says_so() {
    let world = people("I2 ID-PERSON", "I2 ID-PERSON");
    let parts = [("last-name", "Doe"), ("birth-date", "1980-02-29")];
    let both = world.user("both", vec![world.all_of(&parts)]);
    let name = world.user("name", vec![world.one("last-name", "doe")]);
    let found = world.search(&[request("r", vec![both, name])]);
    assert_eq!(rows(&world, &found[0], "people"), [0, 3]);
    assert_eq!(rows(&world, &found[1], "people"), [0, 1, 3, 4]);
}

fn guest(name: &str, birth: &str) -> Value {
    group([("name", text(name)), ("birth", text(birth))])
}

#[test]
fn parts_in_one_list_must_agree_on_the_element() {
    let mut world = World::default();
    let fields = vec![
        field("guests.name", "last-name", "I2 ID-PERSON"),
        field("guests.birth", "birth-date", "I2 ID-PERSON"),
    ];
    world.dataset("bookings", fields);
    let leaves = ["guests.name", "guests.birth"].map(|at| leaf_in(at, LeafType::Text, &[1]));
    let booking = |guests: Vec<Value>| group([("guests", list(guests))]);
    world.rows(
        "bookings",
        leaves.to_vec(),
        vec![
            booking(vec![guest("Roe", "1980-02-29"), guest("Doe", "1980-02-29")]),
            booking(vec![guest("Doe", "1981-01-01"), guest("Roe", "1980-02-29")]),
        ],
    );
    let found = doe(&world);
    assert_eq!(rows(&world, &found, "bookings"), [0]);
    let hit = |leaf| FoundHit { leaf, element: [1].into(), person: true };
    assert_eq!(found.datasets[0].hits, [hit(0), hit(1)]);
}

#[test]
fn a_part_outside_the_list_does_not_open_the_other_elements() {
    let mut world = World::default();
    let fields = vec![
        field("name", "last-name", "I2 ID-PERSON"),
        field("guests.birth", "birth-date", "I2 ID-PERSON"),
    ];
    world.dataset("bookings", fields);
    let leaves = vec![leaf("name", LeafType::Text), leaf_in("guests.birth", LeafType::Text, &[1])];
    let guests = list(["1981-01-01", "1980-02-29"].map(|birth| guest("", birth)));
    world.rows("bookings", leaves, vec![group([("name", text("Doe")), ("guests", guests)])]);
    let found = doe(&world);
    let expected = FoundHit { leaf: 1, element: [1].into(), person: true };
    assert_eq!(found.datasets[0].hits, [expected]);
}

fn transfers() -> World {
    let mut world = World::default();
    world.namespace("account").expansion = Expansion::Always;
    let party = |party: &str, field: Field| Field { party: Some(party.to_owned()), ..field };
    world.dataset(
        "transfers",
        vec![
            party("from", field("from_name", "last-name", "I2 ID-PERSON")),
            party("from", field("from_account", "account", "I2 ID-PERSON")),
            party("to", field("to_birth", "birth-date", "I2 ID-PERSON")),
            party("to", field("to_account", "account", "I2 ID-PERSON")),
        ],
    );
    world.flat(
        "transfers",
        "from_name from_account to_birth to_account",
        &["Doe a1 1980-02-29 a2", "Roe a2 1990-01-01 a3"],
    );
    world
}

#[test]
fn parts_of_two_people_do_not_combine() {
    let world = transfers();
    assert_eq!(rows(&world, &doe(&world), "transfers"), [0; 0]);
}

#[test]
fn a_link_follows_the_party_that_matched() {
    let world = transfers();
    let found = world.search(&[ask(&world, "last-name", "doe")]).remove(0);
    assert_eq!(added(&found), ["account=a1"]);
    assert_eq!(rows(&world, &found, "transfers"), [0]);
    // To follow the receiver is to follow the next transfer's sender, and so on.
    let found = world.search(&[ask(&world, "birth-date", "1980-02-29")]).remove(0);
    assert_eq!(added(&found), ["account=a2"]);
    assert_eq!(rows(&world, &found, "transfers"), [0, 1]);
}

#[test]
fn a_link_follows_the_element_that_matched() {
    let mut world = World::default();
    world.namespace("account").expansion = Expansion::Always;
    let mut fields = vec![
        field("owner", "email", "I1 ID-PERSON"),
        field("members.email", "email", "I1 ID-PERSON"),
        field("members.cards.number", "account", "I2 ID-PERSON"),
    ];
    world.dataset("clubs", fields.clone());
    let leaves = vec![
        leaf("owner", LeafType::Text),
        leaf_in("members.email", LeafType::Text, &[1]),
        leaf_in("members.cards.number", LeafType::Text, &[1, 2]),
    ];
    let member = |email, cards: &[&str]| {
        let cards = list(cards.iter().map(|number| group([("number", text(number))])));
        group([("email", text(email)), ("cards", cards)])
    };
    let members = list([member("ann", &["1", "2"]), member("bob", &["3"]), member("cy", &[])]);
    let row = group([("owner", text("cy")), ("members", members)]);
    world.rows("clubs", leaves, vec![row]);
    let links = |world: &World, who| added(&world.search(&[ask(world, "email", who)])[0]);
    assert_eq!(links(&world, "bob"), ["account=3"]);
    assert_eq!(links(&world, "ann"), ["account=1", "account=2"]);
    assert_eq!(links(&world, "cy").len(), 3, "a match outside the list reaches every element");
    fields[2].all_elements = true;
    world.catalog.datasets[0].fields = fields;
    assert_eq!(links(&world, "bob").len(), 3, "elements: all");
}
