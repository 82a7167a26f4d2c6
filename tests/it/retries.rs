//! Failures: each task fails alone, `status` says what failed and how often, and nothing is written twice.

use std::fs;

use serde_json::Value;

use crate::support::{Env, task, text};

/// A lake of two datasets, of which the first holds a truncated file beside a good one.
fn env() -> Env {
    let env = Env::new();
    env.parquet("lake/e/a.parquet", vec![("who", text(&["p", "q"]))]);
    env.parquet("lake/f/a.parquet", vec![("who", text(&["p", "q"]))]);
    for name in ["e", "f"] {
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: lake/{name}/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    let good = fs::read(env.path("lake/e/a.parquet")).unwrap();
    fs::write(env.path("lake/e/b.parquet"), &good[..good.len() / 2]).unwrap();
    env
}

fn delete(env: &Env) {
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [delete], userIDs: [{namespace: who, value: p}]}]}");
}

fn apply(env: &Env, now: &str) -> crate::support::Run {
    env.run(&["--now", now, "apply", "--auto-approve", "-o", "json"])
}

fn status(env: &Env, now: &str) -> Value {
    let status = env.run(&["--now", now, "status", "-o", "json"]).exits(0).json();
    task(&status, "A", "delete").clone()
}

#[test]
fn status_says_what_failed_how_often_since_when_and_what_to_do() {
    let env = env();
    delete(&env);
    apply(&env, "2026-11-22T09:00:00Z").exits(5);
    let first = status(&env, "2026-11-22T09:00:00Z");
    assert_eq!((&first["attempts"], &first["phase"]), (&1.into(), &"Failed".into()));
    assert_eq!(first["firstFailedAt"], "2026-11-22T09:00:00Z");
    assert!(first["message"].as_str().unwrap().contains("lake/e/b.parquet"), "{first:#}");
    assert!(first["help"].as_str().unwrap().contains("replace"), "{first:#}");
    let next = first["nextTryAt"].as_str().unwrap();
    assert!(("2026-11-22T09:45:00Z"..="2026-11-22T10:00:00Z").contains(&next), "{next}");

    // Again before its time: it is tried, and there is nothing to say.
    let before = env.files("state/ledger");
    apply(&env, "2026-11-22T09:10:00Z").exits(5);
    assert!(before == env.files("state/ledger"), "a pass with nothing new wrote something");

    // At its time it counts.
    apply(&env, "2026-11-22T10:00:00Z").exits(5);
    let second = status(&env, "2026-11-22T10:00:00Z");
    assert_eq!(second["attempts"], 2);
    assert_eq!(second["firstFailedAt"], "2026-11-22T09:00:00Z");
    let next = second["nextTryAt"].as_str().unwrap();
    assert!(("2026-11-22T11:30:00Z"..="2026-11-22T12:00:00Z").contains(&next), "{next}");

    // Another fault is another failure; mending it is the end of it.
    fs::write(env.path("lake/e/b.parquet"), "").unwrap();
    apply(&env, "2026-11-22T10:01:00Z").exits(5);
    assert_eq!(status(&env, "2026-11-22T10:01:00Z")["attempts"], 1);
    fs::remove_file(env.path("lake/e/b.parquet")).unwrap();
    apply(&env, "2026-11-22T10:02:00Z").exits(0);
    let done = status(&env, "2026-11-22T10:02:00Z");
    assert_eq!(done["reason"], "Erased");
    for key in ["attempts", "firstFailedAt", "nextTryAt", "help"] {
        assert!(done[key].is_null(), "{key}: {done:#}");
    }
}

#[test]
fn a_person_reads_of_a_failure() {
    let env = env();
    delete(&env);
    apply(&env, "2026-11-22T09:00:00Z").exits(5);
    insta::assert_snapshot!(env.run(&["status"]).transcript());
}
