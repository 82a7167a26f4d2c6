#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Canaries, Pick, Planted, put};
use crate::model::{Key, LeafType, Name, Namespace, NamespaceName, Sensitive};
use crate::plan::testing::{World, field, group, leaf, text};
use crate::plan::{DatasetFiles, Hit, IdentityId, Probe, ProbeLeaf, RowKey};

fn world() -> World {
    let mut world = World::default();
    world.dataset("e", vec![field("mail", "mail", "I1 ID-PERSON DEL-PERSON")]);
    let rows = vec![group([("mail", text("a"))]), group([("mail", text("b"))])];
    world.rows("e", vec![leaf("mail", LeafType::Text), leaf("tel", LeafType::Text)], rows);
    world
}

fn files(world: &World) -> &DatasetFiles {
    &world.inventory.datasets[&Name::new("e").unwrap()]
}

fn probe() -> Probe {
    let namespace = Namespace::built_in(&NamespaceName::new("mail").unwrap());
    let leaf = |leaf, key: &str, id| ProbeLeaf {
        leaf,
        namespace: namespace.clone(),
        keys: vec![(Key::Text(key.to_owned()), IdentityId(id))],
    };
    Probe {
        leaves: vec![leaf(0, "sought", 3), leaf(1, "sought", 3)],
        all_of: vec![vec![IdentityId(5), IdentityId(6)]],
        alone: vec![IdentityId(3)],
    }
}

fn hit(row: u64, identity: u32) -> Hit {
    let at = RowKey { file: 0, row };
    Hit { at, leaf: 0, identity: IdentityId(identity), element: Box::default() }
}

fn planted(probe: &mut Probe) -> Planted {
    let at = RowKey { file: 0, row: 1 };
    let pick = Pick { leaf: 0, at, key: Sensitive::new(Key::Text("b".to_owned())) };
    put(files(&world()), probe, vec![pick])
}

#[test]
fn a_canary_is_an_identity_of_its_own_in_the_same_probe() {
    let mut probe = probe();
    let planted = planted(&mut probe);
    let keys: Vec<_> = probe.leaves[0].keys.iter().map(|(_, id)| id.0).collect();
    assert_eq!(keys, [7, 3], "by key, under a number that nobody has");
    assert!(probe.leaves[0].keys.is_sorted() && probe.alone == [IdentityId(3), IdentityId(7)]);
    assert_eq!(planted.without, ["tel"], "a field without a value has no canary");
}

#[test]
fn a_search_that_misses_what_is_there_is_seen() {
    let name = Name::new("e").unwrap();
    for (hits, found, left) in [
        (vec![hit(0, 3), hit(1, 7)], 1, 1),
        (vec![hit(0, 3)], 0, 1),
        (vec![], 0, 0),
        // Found in another row: the rows that it names are not those of the values.
        (vec![hit(0, 7)], 0, 0),
    ] {
        let mut hits = hits;
        let harvest = planted(&mut probe()).harvest(&name, &mut hits);
        assert_eq!((harvest.expected, harvest.found, hits.len()), (1, found, left));
        assert!(hits.iter().all(|hit| hit.identity.0 < 7), "a canary is nobody's match");
        let mut all = Canaries::default();
        all.add(harvest);
        assert_eq!(all.sing(), found == 1);
    }
}
