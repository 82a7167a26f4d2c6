//! The daemon killed at any moment: nothing is lost, and the next one finishes the work.

use std::collections::{BTreeMap, BTreeSet};

use super::{Daemon, below, complete, staged, wants};
use crate::crashes::{FILES, ROWS, lake};
use crate::support::{Env, until};

/// Something that happens in a pass, at which the process is killed.
type Moment = fn(&Env) -> bool;

fn exists(env: &Env, folder: &str, part: &str) -> bool {
    below(env, folder).iter().any(|path| path.to_string_lossy().contains(part))
}

/// Whether a text stands in some file.
fn stands(env: &Env, folder: &str, part: &str) -> bool {
    let mut all = below(env, folder).into_iter().filter_map(|path| std::fs::read(path).ok());
    all.any(|bytes| bytes.windows(part.len()).any(|window| window == part.as_bytes()))
}

const MOMENTS: [Moment; 6] = [
    |env| exists(env, "state/keys", ".key"),
    |env| exists(env, "lake", ".amparo-"),
    |env| exists(env, "state/scratch", "package"),
    |env| exists(env, "lake", ".amparo-") && exists(env, "state/keys", ".key"),
    |env| stands(env, "state/ledger", "EraseIntent"),
    |env| stands(env, "state/ledger", "EraseDone"),
];

#[test]
fn a_daemon_that_is_killed_again_and_again_loses_nothing() {
    let env = lake();
    let mut people = vec![7];
    for (round, moment) in (10..).zip(MOMENTS.iter().cycle().take(2 * MOMENTS.len())) {
        // Each round has something new to erase, and what the killed ones left.
        wants(&env, &format!("r{round}"), &format!("p{round}"), "access, delete");
        people.push(round);
        let daemon = Daemon::start(&env, &[]);
        let mut looks = 0;
        until("the moment comes", || {
            looks += 1;
            moment(&env) || (looks % 100 == 0 && complete(&env, &format!("r{round}"), "delete"))
        });
        daemon.kill();
    }
    let daemon = Daemon::start(&env, &[]);
    until("all is done", || {
        people.iter().all(|p| *p == 7 || complete(&env, &format!("r{p}"), "delete"))
    });
    assert_eq!(daemon.terminate(), 143);

    let mut pseudonyms: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for file in 0..FILES {
        let rows = env.rows(&format!("lake/e/part-{file}.parquet"));
        assert_eq!(rows.len(), ROWS, "rows are lost");
        for (index, row) in rows.into_iter().enumerate() {
            let (person, row) =
                (index % 50, row.into_iter().map(Option::unwrap).collect::<Vec<_>>());
            if people.contains(&person) {
                assert!(row[0].starts_with("Privacy-") && row[1].is_empty(), "{person}: {row:?}");
                pseudonyms.entry(person).or_default().insert(row[0].clone());
            } else {
                assert_eq!(row, [format!("p{person}"), format!("cell-{file}-{index}")]);
            }
        }
    }
    for (person, all) in pseudonyms {
        assert_eq!(all.len(), 1, "one value, one replacement: p{person}");
    }
    assert_eq!(staged(&env), [""; 0]);
    assert_eq!(env.files("lake").len(), FILES);
    assert!(env.files("state/keys").keys().all(|path| path.ends_with("deployment")));
    env.run(&["verify"]).exits(0);
    for person in &people[1..] {
        let package = env.package(&format!("r{person}"), "A");
        assert!(package["e/person.csv"].contains(&format!("cell-0-{person}")), "p{person}");
    }
}
