//! Links, cookies, and their bounds (RULES.md section 3).

use crate::model::{Expansion, Reason, Request};
use crate::plan::testing::{World, field, request};
use crate::plan::{BlockFound, RowKey};

/// `customers`, `orders` and `order-items`, chained by surrogate keys, and `devices` beside them.
pub(super) fn shop() -> World {
    let mut world = World::default();
    for name in ["customer-id", "order-id"] {
        world.namespace(name).expansion = Expansion::Always;
    }
    world.namespace("cookie").expansion = Expansion::Cookie;
    world.dataset(
        "customers",
        vec![
            field("email", "email", "I1 ID-PERSON"),
            field("customer", "customer-id", "I2 ID-PERSON"),
            field("cookie", "cookie", "I2 ID-DEVICE"),
        ],
    );
    world.flat("customers", "email customer cookie", &["ann 1 c1", "bob 2 c1", "cy 3 c3"]);
    world.dataset(
        "orders",
        vec![
            field("customer", "customer-id", "I2 ID-PERSON"),
            field("order", "order-id", "I2 ID-PERSON"),
            field("email", "email", "I1 ID-PERSON"),
        ],
    );
    world.flat("orders", "customer order email", &["1 11 -", "1 12 ann", "2 21 -", "3 31 -"]);
    world.dataset("order-items", vec![field("order", "order-id", "I2 ID-PERSON")]);
    world.flat("order-items", "order", &["11", "12", "12", "21", "31"]);
    world.dataset(
        "devices",
        vec![
            field("cookie", "cookie", "I2 ID-DEVICE"),
            field("customer", "customer-id", "I2 ID-DEVICE"),
        ],
    );
    world.flat("devices", "cookie customer", &["c1 2", "c3 3", "c3 1"]);
    world
}

pub(super) fn ask(world: &World, namespace: &str, value: &str) -> Request {
    request("r", vec![world.user("k", vec![world.one(namespace, value)])])
}

/// The rows of a dataset that a block found, by position.
pub(super) fn rows(world: &World, found: &BlockFound, name: &str) -> Vec<u64> {
    let of = |d: usize| world.catalog.datasets[d].name.as_str() == name;
    let datasets = found.datasets.iter().filter(|d| of(d.dataset));
    datasets.flat_map(|d| &d.rows).map(|row| row.at.row).collect()
}

pub(super) fn added(found: &BlockFound) -> Vec<String> {
    let shown = |id: &crate::model::Identity| format!("{}={}", id.namespace, id.canonical.expose());
    found.added.iter().map(shown).collect()
}

pub(super) fn reason(found: &BlockFound) -> Option<Reason> {
    found.stop.as_ref().map(|(reason, _)| *reason)
}

#[test]
fn links_lead_from_dataset_to_dataset() {
    let world = shop();
    let found = world.search(&[ask(&world, "email", "Ann")]).remove(0);
    assert_eq!(rows(&world, &found, "customers"), [0]);
    assert_eq!(rows(&world, &found, "orders"), [0, 1]);
    assert_eq!(rows(&world, &found, "order-items"), [0, 1, 2]);
    assert_eq!(rows(&world, &found, "devices"), [2]);
    assert_eq!(added(&found), ["customer-id=1", "order-id=11", "order-id=12"]);
    assert_eq!(found.stop, None);
    let counts = found.identities.iter().map(|c| (c.namespace.as_str(), c.given, c.expanded));
    let expected = [("customer-id", 0, 1), ("email", 1, 0), ("order-id", 0, 2)];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
}

#[test]
fn a_round_past_the_bound_stops_the_block() {
    let mut world = shop();
    world.catalog.settings.limits.max_hops = 2;
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!((found.stop, found.added.len()), (None, 3));
    world.catalog.settings.limits.max_hops = 1;
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!(reason(&found), Some(Reason::LimitExceeded));
    assert!(found.stop.unwrap().1.contains("maxHops"));
    assert_eq!(added(&BlockFound { stop: None, ..found }), ["customer-id=1", "order-id=12"]);
}

#[test]
fn too_many_identities_stop_the_block() {
    let mut world = shop();
    world.catalog.settings.limits.max_expanded_ids = 3;
    assert_eq!(world.search(&[ask(&world, "email", "ann")])[0].stop, None);
    world.catalog.settings.limits.max_expanded_ids = 2;
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!(reason(&found), Some(Reason::LimitExceeded));
    assert!(!found.stop.unwrap().1.contains("ann"));
}

#[test]
fn a_shared_device_opens_nobodys_file() {
    let world = shop();
    let mut request = ask(&world, "cookie", "c1");
    for expand in [false, true] {
        request.expand_ids = expand;
        let found = world.search(std::slice::from_ref(&request)).remove(0);
        assert_eq!(added(&found), [""; 0], "device matches feed no links");
        assert_eq!(rows(&world, &found, "customers"), [0, 1]);
        assert_eq!(rows(&world, &found, "orders"), [0; 0]);
    }
    // Bob's row shares Ann's cookie: it is reached, as a device row, and adds nothing.
    let mut request = ask(&world, "email", "ann");
    request.expand_ids = true;
    let found = world.search(&[request]).remove(0);
    let customers = &found.datasets[0].rows;
    assert!(customers.iter().map(|row| row.person).eq([true, false, false]));
    // The link from `customers` reaches `devices` (row 2), and step 1 takes the cookie that it holds.
    let links = ["cookie=c1", "cookie=c3", "customer-id=1", "order-id=11", "order-id=12"];
    assert_eq!(added(&found), links);
    assert_eq!(rows(&world, &found, "devices"), [0, 1, 2]);
    assert_eq!(rows(&world, &found, "order-items"), [0, 1, 2]);
}

#[test]
fn a_device_labelled_link_matches_as_a_device() {
    let world = shop();
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    let devices = found.datasets.iter().find(|d| d.rows.len() == 1 && d.hits.len() == 1).unwrap();
    assert!(devices.rows[0].device && !devices.rows[0].person);
}

#[test]
fn what_was_remembered_is_found_again_and_does_not_creep() {
    let mut world = World::default();
    world.namespace("customer-id").expansion = Expansion::Always;
    world.namespace("cookie").expansion = Expansion::Cookie;
    let cookies = ["a", "b"].map(|at| field(at, "cookie", "I2 ID-DEVICE"));
    world.dataset("hits", cookies.to_vec());
    world.flat("hits", "a b", &["c1 c2", "c2 c3", "c3 c4"]);
    world.dataset(
        "customers",
        vec![
            field("email", "email", "I1 ID-PERSON DEL-PERSON"),
            field("customer", "customer-id", "I2 ID-PERSON"),
        ],
    );
    world.flat("customers", "email customer", &["ann 1"]);
    world.dataset("orders", vec![field("customer", "customer-id", "I2 ID-PERSON")]);
    world.flat("orders", "customer", &["1", "2"]);
    let user = world.user("k", vec![world.one("email", "ann"), world.one("cookie", "c1")]);
    let mut requests = [request("r", vec![user])];
    requests[0].expand_ids = true;
    let first = world.search(&requests).remove(0);
    assert_eq!(added(&first), ["cookie=c2", "customer-id=1"]);
    // The row that linked Ann to her orders is erased by now, and so is her first hit.
    world.flat("customers", "email customer", &["Privacy-00 1"]);
    world.flat("hits", "a b", &["x c2", "c2 c3", "c3 c4"]);
    let again = world.drive(&requests, |_| first.added.clone()).found.remove(0);
    assert_eq!(rows(&world, &again, "orders"), [0]);
    assert_eq!(rows(&world, &again, "hits"), [0, 1]);
    assert_eq!(added(&again), ["cookie=c2", "customer-id=1"]);
}

#[test]
fn rows_outside_only_where_neither_match_nor_expand() {
    let mut world = shop();
    let customers = world.catalog.datasets.iter_mut().find(|d| d.name.as_str() == "customers");
    customers.unwrap().fields[2].selectable = true;
    let mut request = ask(&world, "email", "ann");
    let field = crate::plan::testing::path("cookie");
    request.users[0].only.r#where = [(field, crate::model::Sensitive::new("c3".to_owned()))].into();
    let found = world.search(&[request]).remove(0);
    assert!(found.datasets.iter().all(|d| d.rows.is_empty()));
    assert_eq!(added(&found), [""; 0]);
    assert_eq!(rows(&world, &found, "customers"), [0; 0]);
    let left_out: Vec<&str> = found.left_out.iter().map(|name| name.as_str()).collect();
    assert_eq!(left_out, ["devices", "order-items", "orders"], "no field of only.where");
}

#[test]
fn one_probe_serves_all_blocks_and_later_rounds_ask_only_what_is_new() {
    let world = shop();
    let users =
        ["ann", "bob", "cy", "nobody"].map(|name| world.user(name, vec![world.one("email", name)]));
    let driven = world.drive(&[request("r", users.to_vec())], |_| Vec::new());
    let asked: Vec<Vec<(&str, usize)>> = driven
        .probes
        .iter()
        .map(|round| {
            let name = |d: usize| world.catalog.datasets[d].name.as_str();
            round.iter().map(|(d, probe)| (name(*d), probe.alone.len())).collect()
        })
        .collect();
    let expected: [&[(&str, usize)]; 3] = [
        &[("customers", 4), ("orders", 4)],
        &[("customers", 3), ("devices", 3), ("order-items", 1), ("orders", 4)],
        &[("order-items", 3), ("orders", 3)],
    ];
    assert_eq!(asked, expected);
    // Of the first hits: the link in `customers`, and the two in the order that names Ann.
    let row = |row| RowKey { file: 0, row };
    let first: Vec<_> =
        driven.values[0].iter().map(|v| (v.rows.clone(), v.leaves.clone())).collect();
    assert_eq!(first, [(vec![row(0), row(1), row(2)], vec![1]), (vec![row(1)], vec![0, 1])]);
}
