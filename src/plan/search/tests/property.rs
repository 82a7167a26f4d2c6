//! Random worlds: the search finds for every block exactly what the rules say, and asks for nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::model::{Identity, Reason, Request};
use crate::plan::testing::{Driven, World};
use crate::plan::{BlockFound, BlockRef, FoundHit};

use super::oracle::{Id, Verdict, oracle};
use super::random::{Dice, requests, world};

fn id(identity: &Identity) -> Id {
    (identity.namespace.clone(), identity.canonical.expose().clone())
}

fn verdict(found: &BlockFound) -> Verdict {
    let mut rows = BTreeMap::new();
    for dataset in &found.datasets {
        for row in &dataset.rows {
            let range = row.hits.start as usize..row.hits.end as usize;
            let hits: BTreeSet<FoundHit> = dataset.hits[range].iter().cloned().collect();
            assert_eq!(hits.len(), row.hits.len(), "a hit stands there once");
            assert_eq!(row.person, hits.iter().any(|hit| hit.person));
            assert_eq!(row.device, hits.iter().any(|hit| !hit.person));
            assert!(rows.insert((dataset.dataset, row.at), hits).is_none());
        }
        assert!(dataset.rows.is_sorted_by_key(|row| row.at));
    }
    Verdict {
        rows,
        added: found.added.iter().map(id).collect(),
        conflicts: found.conflicts,
        stop: found.stop.as_ref().map(|(reason, _)| *reason),
        searched: found.datasets.iter().map(|dataset| dataset.dataset).collect(),
    }
}

fn counts_agree(world: &World, request: &Request, found: &BlockFound) {
    let user = &request.users[found.block.user];
    let given: BTreeSet<Id> =
        user.identities.iter().flat_map(|term| term.parts()).map(id).collect();
    for count in &found.identities {
        let name = crate::model::NamespaceName::new(&count.namespace).unwrap();
        let of = |ids: &BTreeSet<Id>| ids.iter().filter(|id| id.0 == name).count() as u64;
        assert_eq!(count.given, of(&given));
        assert_eq!(count.expanded, of(&found.added.iter().map(id).collect()));
    }
    let listed = found.datasets.iter().map(|d| &world.catalog.datasets[d.dataset].name);
    let mut listed: Vec<_> = listed.chain(&found.left_out).collect();
    listed.sort();
    let environment = &world.catalog.datasets;
    let qa = user.is_qa();
    let all =
        environment.iter().filter(|d| qa == (d.environment == crate::model::Environment::Test));
    assert_eq!(listed, all.map(|d| &d.name).collect::<Vec<_>>());
}

fn nothing_twice(driven: &Driven) {
    let mut probed = BTreeSet::new();
    for (dataset, probe) in driven.probes.iter().flatten() {
        assert!(probe.alone.iter().all(|id| probed.insert((*dataset, *id))));
        assert!(probe.leaves.iter().all(|leaf| leaf.keys.is_sorted() && !leaf.keys.is_empty()));
    }
    let mut read = BTreeSet::new();
    for wanted in driven.values.iter().flatten() {
        assert!(!wanted.rows.is_empty() && wanted.rows.is_sorted() && wanted.leaves.is_sorted());
        for row in &wanted.rows {
            assert!(wanted.leaves.iter().all(|leaf| read.insert((wanted.dataset, *row, *leaf))));
        }
    }
}

/// What occurred in the worlds that were tried: a generator that stopped making something would
/// make the property say less than it claims.
#[derive(Debug, Default)]
struct Seen {
    rows: u64,
    added: u64,
    conflicts: u64,
    stops: BTreeMap<Option<Reason>, u64>,
    nested: u64,
    left_out: u64,
    composites: u64,
}

fn check(seed: u64, size: u64, seen: &mut Seen) {
    let mut dice = Dice(seed | 1);
    let world = world(&mut dice, size);
    let requests = requests(&mut dice, &world);
    let driven = world.drive(&requests, |_| Vec::new());
    nothing_twice(&driven);
    // A later pass remembers what this one added.
    let memory: BTreeMap<BlockRef, Vec<Identity>> =
        driven.found.iter().map(|found| (found.block, found.added.clone())).collect();
    let again = world.drive(&requests, |block| memory[&block].clone());
    for (found, resumed) in driven.found.iter().zip(&again.found) {
        let request = &requests[found.block.request];
        let user = &request.users[found.block.user];
        let expected = oracle(&world, request, user, &BTreeSet::new());
        assert_eq!(verdict(found), expected, "seed {seed} size {size} {:?}", found.block);
        counts_agree(&world, request, found);
        let remembered = found.added.iter().map(id).collect();
        let expected = oracle(&world, request, user, &remembered);
        assert_eq!(verdict(resumed), expected, "resumed: seed {seed} size {size}");
        if found.stop.is_none() {
            assert_eq!(found.datasets, resumed.datasets, "resumed: seed {seed} size {size}");
        }
        seen.rows += found.datasets.iter().map(|d| d.rows.len() as u64).sum::<u64>();
        seen.added += found.added.len() as u64;
        seen.conflicts += found.conflicts;
        *seen.stops.entry(found.stop.as_ref().map(|(reason, _)| *reason)).or_default() += 1;
        let hits = || found.datasets.iter().flat_map(|d| &d.hits);
        seen.nested += hits().filter(|hit| hit.element.len() > 1).count() as u64;
        seen.left_out += found.left_out.len() as u64;
        let one = user.identities.iter().all(|term| term.parts().len() > 1);
        seen.composites += u64::from(one && hits().count() > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_the_rules_say(seed in any::<u64>(), size in 0_u64..7) {
        check(seed, size, &mut Seen::default());
    }
}

#[test]
fn random_worlds_hold_what_the_rules_speak_of() {
    let mut seen = Seen::default();
    for seed in 1..400 {
        check(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15), 5, &mut seen);
    }
    let stops = [
        None,
        Some(Reason::LimitExceeded),
        Some(Reason::IdentityConflict),
        Some(Reason::ValueFormat),
    ];
    assert!(stops.iter().all(|stop| seen.stops.get(stop).is_some_and(|n| *n > 10)), "{seen:?}");
    let each = [seen.rows, seen.added, seen.conflicts, seen.nested, seen.left_out, seen.composites];
    assert!(each.iter().all(|n| *n > 10), "{seen:?}");
}
