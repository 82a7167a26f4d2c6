//! The real process killed at any moment: nothing is lost, and the next pass finishes the work.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{Env, WHO, block, text};

pub(crate) const FILES: usize = 6;
pub(crate) const ROWS: usize = 4_000;

pub(crate) fn lake() -> Env {
    let env = Env::new();
    for file in 0..FILES {
        let who: Vec<String> = (0..ROWS).map(|row| format!("p{}", row % 50)).collect();
        let cell: Vec<String> = (0..ROWS).map(|row| format!("cell-{file}-{row}")).collect();
        let refs = |v: &Vec<String>| text(&v.iter().map(String::as_str).collect::<Vec<_>>());
        env.parquet(
            &format!("lake/e/part-{file}.parquet"),
            vec![("who", refs(&who)), ("cell", refs(&cell))],
        );
    }
    env.table(
        "e",
        "lake/e/",
        &[WHO, "path: cell, labels: [I2, DEL-PERSON, ACC-ALL], erase: {method: empty}"],
    );
    env.ask("r", "e", &[block("A", "access, delete", "who", "p7")]);
    env
}

#[test]
fn a_killed_pass_is_finished_by_the_next() {
    for round in 0..12_u64 {
        let env = lake();
        let mut child = env.start(&["apply", "--auto-approve"]);
        // Where it dies depends on the machine; every place must do.
        std::thread::sleep(Duration::from_millis(round * 25));
        child.kill().unwrap();
        child.wait().unwrap();

        env.apply().exits(0);
        let mut pseudonyms = BTreeSet::new();
        for file in 0..FILES {
            let rows = env.rows(&format!("lake/e/part-{file}.parquet"));
            assert_eq!(rows.len(), ROWS, "round {round}: rows are lost");
            for (index, row) in rows.iter().enumerate() {
                let (who, cell) = (row[0].clone().unwrap(), row[1].clone().unwrap());
                if index % 50 == 7 {
                    assert!(
                        who.starts_with("Privacy-") && cell.is_empty(),
                        "round {round}: not erased"
                    );
                    pseudonyms.insert(who);
                } else {
                    assert_eq!(
                        (who, cell),
                        (format!("p{}", index % 50), format!("cell-{file}-{index}"))
                    );
                }
            }
        }
        assert_eq!(pseudonyms.len(), 1, "round {round}: one value, one replacement");
        let left = env.files("lake");
        assert_eq!(
            left.len(),
            FILES,
            "round {round}: something is left in the lake: {:?}",
            left.keys()
        );
        env.run(&["verify"]).exits(0);
        assert!(
            env.package("r", "A")["e/person.csv"].contains("cell-0-7"),
            "access came before erasure"
        );
        assert!(env.files("state/keys").keys().all(|path| path.ends_with("deployment")));
    }
}

#[test]
fn two_passes_at_once_are_one_after_the_other() {
    let env = lake();
    let start = || env.start(&["apply", "--auto-approve"]);
    let mut passes = [start(), start(), start()];
    for pass in &mut passes {
        assert_eq!(pass.wait().unwrap().code(), Some(0));
    }
    env.run(&["verify"]).exits(0);
    let rows = env.rows("lake/e/part-0.parquet");
    assert_eq!(rows.len(), ROWS);
    assert!(rows[7][0].as_deref().unwrap().starts_with("Privacy-"));
}
