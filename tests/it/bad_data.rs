//! Missing or broken data never reads as "no match": CONTRACT.md section 1.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Env, Run, task, text};

fn env() -> Env {
    let env = Env::new();
    env.parquet("lake/e/a.parquet", vec![("who", text(&["p", "q"]))]);
    env.parquet("lake/other.parquet", vec![("who", text(&["p"]))]);
    for (name, location) in [("e", "lake/e/"), ("other", "lake/other.parquet")] {
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: {location}
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    env.request(
        "r",
        "  {regulation: gdpr, receivedAt: 2026-11-20, users: [
    {key: both, action: [access], userIDs: [{namespace: who, value: p}]},
    {key: one, action: [access], userIDs: [{namespace: who, value: p}], only: {datasets: [other]}}]}",
    );
    env
}

/// The task that needs the broken dataset fails by name; the other one is done.
fn fails_alone(env: &Env, named: &str) -> Run {
    let run = env.apply().exits(5);
    let report = run.json();
    let failed = task(&report, "both", "access");
    assert_eq!(failed["phase"], "Failed", "{report:#}");
    assert!(
        failed["message"].as_str().unwrap_or_default().contains(named),
        "{named} is not named: {failed:#}"
    );
    assert_eq!(task(&report, "one", "access")["reason"], "Exported");
    run
}

#[test]
fn a_truncated_file_fails_its_tasks_by_name() {
    let env = env();
    let bytes = fs::read(env.path("lake/e/a.parquet")).unwrap();
    fs::write(env.path("lake/e/b.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    fails_alone(&env, "b.parquet");
}

#[test]
fn zero_bytes_dead_links_and_foreign_endings_are_errors() {
    for name in ["zero.parquet", "dead.parquet", "hidden.bak", "outside.parquet", "hard.parquet"] {
        let env = env();
        let path = env.path(format!("lake/e/{name}"));
        match name {
            "zero.parquet" => fs::write(&path, b"").unwrap(),
            "dead.parquet" => symlink("nowhere", &path).unwrap(),
            "hidden.bak" => drop(fs::copy(env.path("lake/other.parquet"), &path).unwrap()),
            "outside.parquet" => symlink(env.path("lake/other.parquet"), &path).unwrap(),
            _ => {
                let elsewhere = env.path("backup.parquet");
                fs::copy(env.path("lake/other.parquet"), &elsewhere).unwrap();
                fs::hard_link(elsewhere, &path).unwrap();
            }
        }
        if name == "outside.parquet" {
            // The link also makes one file belong to two datasets: nothing can be done at all.
            assert_ne!(env.apply().code, 0);
        } else {
            fails_alone(&env, name);
        }
        env.run(&["check", "--data"]).exits(3);
    }
}

#[test]
fn an_empty_location_fails_unless_it_may_be_empty() {
    let env = env();
    fs::remove_file(env.path("lake/e/a.parquet")).unwrap();
    fails_alone(&env, "e");
    let policy = fs::read_to_string(env.path("policies/dataset-e.yaml")).unwrap();
    env.write(
        "policies/dataset-e.yaml",
        &policy.replace("  format:", "  mayBeEmpty: true\n  format:"),
    );
    env.apply().exits(0);
}

#[test]
fn table_formats_are_refused() {
    for inside in [
        "_delta_log/00000000000000000000.json",
        ".hoodie/hoodie.properties",
        "metadata/v1.metadata.json",
    ] {
        let env = env();
        env.write(&format!("lake/e/{inside}"), "{}");
        env.run(&["check", "--data"]).exits(3);
        assert_ne!(env.apply().code, 0, "{inside}");
    }
}

#[test]
fn one_file_in_two_datasets_stops_the_pass() {
    let env = env();
    env.write(
        "policies/again.yaml",
        &fs::read_to_string(env.path("policies/dataset-other.yaml"))
            .unwrap()
            .replace("{name: other}", "{name: again}"),
    );
    env.run(&["check", "--data"]).exits(3);
    assert_ne!(env.apply().code, 0);
    assert!(env.files("exports").is_empty());
}

#[test]
fn state_inside_a_dataset_is_refused() {
    let env = env();
    env.document("policies", "Settings", "default", "  {state: lake/e/state}");
    env.run(&["check", "--data"]).exits(3);
    assert_ne!(env.apply().code, 0);
}

#[test]
fn files_of_one_dataset_may_differ_in_schema() {
    let env = env();
    env.parquet("lake/e/b.parquet", vec![("extra", text(&["1"])), ("who", text(&["P"]))]);
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "both", "access")["datasets"][0]["personRows"], 2);
}
