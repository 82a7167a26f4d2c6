//! RULES.md section 7, and the vector of section 3 where one hop and the fixpoint differ.

use crate::model::{CookieExpansion, Expansion, IdentityTerm};
use crate::plan::testing::{World, field, request};

/// The published table; `aaid` stands for AAID, whose format the published values do not have.
fn world() -> World {
    let mut world = World::default();
    world.namespace("aaid-short").expansion = Expansion::Cookie;
    world.dataset(
        "hits",
        vec![
            field("MyProp1", "user", "I2 ID-PERSON DEL-PERSON ACC-PERSON"),
            field("VisitorId", "aaid-short", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
            field("MyEvar1", "", "I2 DEL-PERSON ACC-PERSON"),
            field("MyEvar2", "", "I2 DEL-DEVICE DEL-PERSON ACC-ALL"),
            field("MyEvar3", "xyz", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
        ],
    );
    world.flat(
        "hits",
        "MyProp1 VisitorId MyEvar1 MyEvar2 MyEvar3",
        &[
            "Mary 77 A M X",
            "Mary 88 B N Y",
            "Mary 99 C O Z",
            "John 77 D P W",
            "John 88 E N U",
            "John 44 F Q V",
            "John 55 G R X",
            "Alice 66 A N Z",
        ],
    );
    world
}

/// Rows (from 1) that are person rows, and rows that are device rows only.
fn rows(world: &World, identities: Vec<IdentityTerm>, expand: bool) -> (Vec<u64>, Vec<u64>) {
    let mut request = request("r", vec![world.user("k", identities)]);
    request.expand_ids = expand;
    let found = world.search(&[request]);
    let rows = &found[0].datasets[0].rows;
    let of = |person| rows.iter().filter(|r| r.person == person).map(|r| r.at.row + 1).collect();
    (of(true), of(false))
}

#[test]
fn the_published_example_finds_the_published_rows() {
    let world = world();
    let one = |name, value| world.one(name, value);
    for expand in [false, true] {
        let found = rows(&world, vec![one("aaid-short", "77")], expand);
        assert_eq!(found, (vec![], vec![1, 4]), "expandIds {expand}");
    }
    assert_eq!(rows(&world, vec![one("user", "Mary")], false), (vec![1, 2, 3], vec![]));
    assert_eq!(rows(&world, vec![one("user", "Mary")], true), (vec![1, 2, 3], vec![4, 5]));
    let both = vec![one("user", "Mary"), one("aaid-short", "66")];
    assert_eq!(rows(&world, both, true), (vec![1, 2, 3], vec![4, 5, 8]));
    assert_eq!(rows(&world, vec![one("xyz", "X")], false), (vec![], vec![1, 7]));
    assert_eq!(rows(&world, vec![one("xyz", "X")], true), (vec![], vec![1, 4, 7]));
}

#[test]
fn a_person_row_can_be_a_device_row_too() {
    let world = world();
    let identities = vec![world.one("user", "Mary")];
    let mut request = request("r", vec![world.user("k", identities)]);
    request.expand_ids = true;
    let found = world.search(&[request]);
    let rows = &found[0].datasets[0].rows;
    assert!(rows[..3].iter().all(|row| row.person && row.device && row.hits.len() == 2));
    assert!(rows[3..].iter().all(|row| !row.person && row.device && row.hits.len() == 1));
    assert_eq!(found[0].added.len(), 3);
}

#[test]
fn one_hop_and_the_fixpoint_differ() {
    let mut world = World::default();
    for name in ["a", "e"] {
        world.namespace(name).expansion = Expansion::Cookie;
    }
    world.dataset(
        "hits",
        vec![field("a", "a", "I2 ID-DEVICE ACC-ALL"), field("e", "e", "I2 ID-DEVICE ACC-ALL")],
    );
    world.flat("hits", "a e", &["A1 E1", "A2 E1", "A2 E2", "A3 E2"]);
    let added = |world: &World| {
        let mut request = request("r", vec![world.user("k", vec![world.one("a", "A1")])]);
        request.expand_ids = true;
        let found = world.search(&[request]).remove(0);
        let added = found.added.iter().map(|id| id.canonical.expose().clone()).collect::<Vec<_>>();
        (added, found.datasets[0].rows.len())
    };
    assert_eq!(added(&world), (vec!["e1".to_owned()], 2));
    world.catalog.settings.cookie_expansion = CookieExpansion::Fixpoint;
    let all = ["a2", "a3", "e1", "e2"].map(str::to_owned).to_vec();
    assert_eq!(added(&world), (all, 4));
}
