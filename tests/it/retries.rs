//! Failures: each task fails alone, `status` says what failed and how often, and nothing is written twice.

use std::fs;

use amparo::model::{Phase, Reason};
use amparo::reconcile::{self, ApplyReport, Approval, Clock, Silent, Tries, Verdict, Workspace};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::support::amparo_arrow::{ArrowWriter, RecordBatch};
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

/// The names that are left in a file.
fn left(env: &Env, file: &str) -> Vec<String> {
    let names = env.rows(file).into_iter().filter_map(|row| row.into_iter().next().flatten());
    names.filter(|name| !name.starts_with("Privacy-")).collect()
}

#[test]
fn one_corrupt_file_fails_a_delete_after_everything_else_was_done() {
    let env = env();
    delete(&env);
    let plan = env.plan().exits(5).json();
    let planned = task(&plan, "A", "delete");
    assert_eq!(
        (&planned["phase"], &planned["reason"]),
        (&"Failed".into(), &"PartiallyCompleted".into())
    );
    assert_eq!(plan["totals"]["rowsErased"], 2);
    let report = apply(&env, "2026-11-22T09:00:00Z").exits(5).json();
    let failed = task(&report, "A", "delete");
    assert_eq!(
        (&failed["phase"], &failed["reason"]),
        (&"Failed".into(), &"PartiallyCompleted".into())
    );
    assert!(failed["message"].as_str().unwrap().contains("lake/e/b.parquet"), "{failed:#}");
    assert_eq!(left(&env, "lake/e/a.parquet"), ["q"]);
    assert_eq!(left(&env, "lake/f/a.parquet"), ["q"]);
    assert_eq!(status(&env, "2026-11-22T09:00:00Z")["counts"]["rowsErased"], 2);

    // Nothing is left to erase, and it is not complete.
    let lake = env.files("lake");
    let again = apply(&env, "2026-11-22T09:01:00Z").exits(5).json();
    assert_eq!(task(&again, "A", "delete")["reason"], "PartiallyCompleted");
    assert!(lake == env.files("lake"));

    env.parquet("lake/e/b.parquet", vec![("who", text(&["p", "r"]))]);
    apply(&env, "2026-11-22T09:02:00Z").exits(0);
    let done = status(&env, "2026-11-22T09:02:00Z");
    assert_eq!((&done["reason"], &done["counts"]["rowsErased"]), (&"Erased".into(), &3.into()));
    assert_eq!(left(&env, "lake/e/b.parquet"), ["r"]);
    // One person in one field: one pseudonym, though weeks may lie between.
    let name = |file: &str| env.rows(file)[0][0].clone();
    assert_eq!(name("lake/e/a.parquet"), name("lake/e/b.parquet"));
}

#[test]
fn a_file_that_breaks_while_it_is_read_fails_a_delete_after_the_others() {
    let env = env();
    delete(&env);
    // A whole footer over damaged pages: only the search finds out.
    let mut bytes = fs::read(env.path("lake/e/a.parquet")).unwrap();
    bytes[4..24].fill(0xff);
    fs::write(env.path("lake/e/b.parquet"), bytes).unwrap();
    let report = apply(&env, "2026-11-22T09:00:00Z").exits(5).json();
    let failed = task(&report, "A", "delete");
    assert_eq!(failed["reason"], "PartiallyCompleted", "{failed:#}");
    assert!(failed["message"].as_str().unwrap().contains("lake/e/b.parquet"), "{failed:#}");
    assert_eq!(left(&env, "lake/e/a.parquet"), ["q"]);
    let first = status(&env, "2026-11-22T09:00:00Z");
    // The same file again is the same failure, and another file another one.
    apply(&env, "2026-11-22T11:00:00Z").exits(5);
    assert_eq!(status(&env, "2026-11-22T11:00:00Z")["attempts"], 2);
    let mut bytes = fs::read(env.path("lake/f/a.parquet")).unwrap();
    bytes[4..24].fill(0xff);
    fs::write(env.path("lake/e/b.parquet"), bytes).unwrap();
    apply(&env, "2026-11-22T11:01:00Z").exits(5);
    let other = status(&env, "2026-11-22T11:01:00Z");
    assert_eq!((&other["attempts"], &other["message"]), (&1.into(), &first["message"]));
}

#[test]
fn access_is_given_whole_or_not_at_all() {
    let env = env();
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [access, delete], userIDs: [{namespace: who, value: p}]}]}");
    let lake = env.files("lake");
    let report = env.apply().exits(5).json();
    for action in ["access", "delete"] {
        let failed = task(&report, "A", action);
        assert_eq!(failed["reason"], "DataUnreadable", "{failed:#}");
    }
    assert!(env.files("exports").is_empty());
    assert!(lake == env.files("lake"), "nothing is erased before the package is there");
}

#[test]
fn a_file_that_can_be_read_and_not_be_erased_from_fails_the_delete_alone() {
    let env = env();
    let array = text(&["p", "q"]);
    let batch = RecordBatch::try_from_iter_with_nullable([("who", array, true)]).unwrap();
    let pairs = vec![KeyValue::new("owner".to_owned(), "p".to_owned())];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let file = fs::File::create(env.path("lake/e/b.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [access, delete], userIDs: [{namespace: who, value: p}]}]}");
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "A", "access")["reason"], "Exported");
    let failed = task(&report, "A", "delete");
    assert_eq!(failed["reason"], "PartiallyCompleted", "{failed:#}");
    assert!(failed["message"].as_str().unwrap().contains("owner"), "{failed:#}");
    assert_eq!(left(&env, "lake/e/a.parquet"), ["q"]);
    assert_eq!(left(&env, "lake/e/b.parquet"), ["p", "q"]);
}

#[test]
fn a_person_reads_of_a_failure() {
    let env = env();
    delete(&env);
    apply(&env, "2026-11-22T09:00:00Z").exits(5);
    insta::assert_snapshot!(env.run(&["status"]).transcript());
}

/// A pass of the daemon, at a time of its own.
fn daemon(env: &Env, now: &str) -> ApplyReport {
    let place = |name: &str| env.path(name).to_string_lossy().into_owned();
    let workspace = Workspace {
        policies: env.path("policies"),
        requests: env.path("requests"),
        approvals: env.path("approvals"),
        state: Some(place("state")),
        exports: Some(place("exports")),
        scratch: None,
        identity: None,
        lock_wait: std::time::Duration::from_secs(60),
        clock: Clock::Fixed(now.parse().unwrap()),
        tries: Tries::Due,
        memory: 64 << 20,
        jobs: 2,
        stop: Default::default(),
    };
    reconcile::apply(&workspace, Approval::Given, &mut Silent).unwrap()
}

/// As [`env`], with locations that do not depend on the working directory.
fn daemon_env() -> Env {
    let env = env();
    for name in ["e", "f"] {
        let file = format!("policies/dataset-{name}.yaml");
        let policy = fs::read_to_string(env.path(&file)).unwrap();
        let location = env.path(format!("lake/{name}/"));
        env.write(&file, &policy.replace(&format!("lake/{name}/"), location.to_str().unwrap()));
    }
    delete(&env);
    env
}

/// Whether the pass looked for the task's rows.
fn searched(report: &ApplyReport) -> bool {
    report.tasks.iter().any(|done| !done.task.datasets.is_empty())
}

fn commits(env: &Env) -> usize {
    env.files("state/ledger").len()
}

#[test]
fn the_daemon_leaves_a_failure_alone_until_its_time_has_come() {
    let env = daemon_env();
    assert!(searched(&daemon(&env, "2026-11-22T09:00:00Z")));
    let before = commits(&env);
    let waits = daemon(&env, "2026-11-22T09:30:00Z");
    assert!(!searched(&waits) && waits.verdict == Verdict::Partial, "{:?}", waits.verdict);
    let task = &waits.tasks[0].task;
    assert_eq!((task.phase, task.reason), (Phase::Failed, Some(Reason::PartiallyCompleted)));
    assert_eq!(commits(&env), before, "waiting is nothing to write about");
    assert!(searched(&daemon(&env, "2026-11-22T10:00:00Z")), "an hour is the first wait's bound");
    assert_eq!(commits(&env), before + 1);
    assert!(!searched(&daemon(&env, "2026-11-22T11:00:00Z")), "the second wait is longer");
}

#[test]
fn a_week_of_passes_over_one_corrupt_file_writes_a_handful_of_commits() {
    let env = daemon_env();
    let start: jiff::Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
    let mut tries = 0;
    for quarter in 0..(7 * 24 * 2) {
        let now = start + jiff::SignedDuration::from_mins(30 * quarter);
        tries += usize::from(searched(&daemon(&env, &now.to_string())));
    }
    // Doubled from an hour to six, of which the daemon sees every half: 4 + 7 * 24 / 4.5 at most.
    assert!((20..=42).contains(&tries), "{tries} tries");
    assert!(commits(&env) <= tries + 4, "{} commits for {tries} tries", commits(&env));
}

#[test]
fn a_change_of_what_it_failed_on_opens_a_failed_task_at_once() {
    type Change = (&'static str, fn(&Env), bool);
    let changes: [Change; 5] = [
        (
            "another dataset",
            |env| {
                env.parquet("lake/f/b.parquet", vec![("who", text(&["z"]))]);
            },
            false,
        ),
        (
            "another file",
            |env| {
                env.parquet("lake/e/c.parquet", vec![("who", text(&["z"]))]);
            },
            false,
        ),
        ("the file", |env| fs::remove_file(env.path("lake/e/b.parquet")).unwrap(), true),
        (
            "the policies",
            |env| {
                env.document("policies", "Settings", "default", "  {exportRetention: 7d}");
            },
            true,
        ),
        (
            "the request",
            |env| {
                let file = "requests/subjectrequest-r.yaml";
                let text = fs::read_to_string(env.path(file)).unwrap();
                env.write(file, &text.replace("value: p", "value: q"));
            },
            true,
        ),
    ];
    for (what, change, opens) in changes {
        let env = daemon_env();
        daemon(&env, "2026-11-22T09:00:00Z");
        change(&env);
        assert_eq!(searched(&daemon(&env, "2026-11-22T09:05:00Z")), opens, "{what}");
    }
}

#[test]
fn a_key_that_comes_back_opens_the_tasks_that_lacked_it() {
    let env = daemon_env();
    fs::remove_file(env.path("lake/e/b.parquet")).unwrap();
    let key = env.path("join.key");
    let settings = format!("  {{keys: {{join: {{file: {}}}}}}}", key.display());
    env.document("policies", "Settings", "default", &settings);
    let file = "policies/dataset-e.yaml";
    let policy = fs::read_to_string(env.path(file)).unwrap();
    let hmac = "ACC-ALL], erase: {method: hmac, key: join}}";
    env.write(file, &policy.replace("ACC-ALL]}", hmac));
    let report = daemon(&env, "2026-11-22T09:00:00Z");
    assert_eq!(report.tasks[0].task.phase, Phase::Failed);
    let failed = status(&env, "2026-11-22T09:00:00Z");
    assert!(failed["help"].as_str().unwrap().contains("key"), "{failed:#}");
    let before = commits(&env);
    daemon(&env, "2026-11-22T09:05:00Z");
    assert_eq!(commits(&env), before);
    fs::write(key, "0123456789abcdef0123456789abcdef").unwrap();
    let report = daemon(&env, "2026-11-22T09:10:00Z");
    assert_eq!(report.tasks[0].task.reason, Some(Reason::Erased));
}
