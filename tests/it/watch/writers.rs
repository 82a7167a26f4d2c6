//! Many writers on one state: they take turns, and say so.

use std::fs::{File, OpenOptions};

use super::{Daemon, complete, small, staged, wants};
use crate::crashes::{FILES, ROWS, lake};
use crate::support::{Env, until};

/// Holds the lock of the state as another process would.
fn hold(env: &Env) -> File {
    std::fs::create_dir_all(env.path("state")).unwrap();
    let path = env.path("state/lock");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(path).unwrap();
    file.lock().unwrap();
    let holder = r#"{"pid":4162,"machine":"0","host":"elsewhere","since":"2026-11-22T08:00:00Z"}"#;
    std::fs::write(env.path("state/lock"), holder).unwrap();
    file
}

#[test]
fn who_loses_says_who_won_and_since_when() {
    let env = small();
    wants(&env, "one", "p1", "access");
    let held = hold(&env);
    let run = env.run(&["--lock-wait", "1s", "apply", "--auto-approve"]).exits(6);
    let holder = "process 4162 on elsewhere, since 2026-11-22T08:00:00Z";
    let waits = format!("another pass holds the state ({holder}): waiting up to 1 s\n");
    assert!(run.stderr.contains(&waits), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("({holder}); waited 1 s")), "{}", run.stderr);

    // A daemon waits, gives up, and tries again at its next turn.
    let daemon = Daemon::start(&env, &["--lock-wait", "1s"]);
    until("it gives up", || daemon.err.with("pass failed: another pass holds") == 1);
    assert!(!env.path("exports/one").exists());
    drop(held);
    wants(&env, "two", "p2", "access");
    until("it goes on", || complete(&env, "one", "access") && complete(&env, "two", "access"));
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn a_signal_ends_the_wait_for_another() {
    let env = small();
    let held = hold(&env);
    let daemon = Daemon::start(&env, &["--lock-wait", "1h"]);
    until("it waits", || daemon.err.with("another pass holds the state") == 1);
    assert_eq!(daemon.terminate(), 143);
    drop(held);
}

#[test]
fn two_daemons_and_an_apply_share_a_state() {
    let env = lake();
    let daemons = [Daemon::start(&env, &[]), Daemon::start(&env, &[])];
    let mut others: Vec<_> = (0..3)
        .map(|person| {
            wants(&env, &format!("r{person}"), &format!("p{person}"), "access, delete");
            env.start(&["apply", "--auto-approve"])
        })
        .collect();
    for other in &mut others {
        assert_eq!(other.wait().unwrap().code(), Some(0));
    }
    for person in 3..6 {
        wants(&env, &format!("r{person}"), &format!("p{person}"), "access, delete");
    }
    until("all is done", || (0..6).all(|person| complete(&env, &format!("r{person}"), "delete")));
    for daemon in daemons {
        assert_eq!(daemon.terminate(), 143);
    }
    assert_eq!(staged(&env), [""; 0]);
    env.run(&["verify"]).exits(0);
    for file in 0..FILES {
        let rows = env.rows(&format!("lake/e/part-{file}.parquet"));
        assert_eq!(rows.len(), ROWS);
        for (index, row) in rows.iter().enumerate() {
            let erased = matches!(index % 50, 0..=5 | 7);
            assert_eq!(row[0].as_deref().unwrap().starts_with("Privacy-"), erased, "row {index}");
        }
    }
}
