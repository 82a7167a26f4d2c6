//! Deletes as they are planned: holds, limits, order, methods (RULES.md sections 5 and 6).

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use serde_json::Value;

use crate::support::{Env, numbers, task, text};

fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![
            ("who", text(&["p", "p", "q", ""])),
            ("name", text(&["Ann", "", "Bob", "Cyd"])),
            ("total", numbers(&[1, 2, 3, 4])),
        ],
    );
    policy(&env, "");
    env
}

fn policy(env: &Env, extra: &str) {
    policy_at(env, "lake/e.parquet", extra);
}

fn policy_at(env: &Env, location: &str, extra: &str) {
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: {location}
  format: parquet
{extra}
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: name, labels: [I1, DEL-PERSON, ACC-ALL]}}
    - {{path: total, labels: [I2, DEL-PERSON, ACC-ALL], erase: {{method: keep}}, reason: \"books\"}}"
        ),
    );
}

fn delete(env: &Env, extra: &str) {
    env.request(
        "r",
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], {extra} users: [{{key: A, action: [delete], userIDs: [{{namespace: who, value: p}}]}}]}}"),
    );
}

fn cells(dataset: &Value, path: &str) -> u64 {
    dataset["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["path"] == path)
        .map_or(0, |f| f["cells"].as_u64().unwrap())
}

#[test]
fn cells_are_counted_and_kept_ones_are_shown() {
    let env = env();
    delete(&env, "");
    let plan = env.plan().exits(0).json();
    let dataset = &task(&plan, "A", "delete")["datasets"][0];
    assert_eq!((cells(dataset, "who"), cells(dataset, "name"), cells(dataset, "total")), (2, 1, 0));
    assert_eq!(dataset["rowsErased"], 2);
    assert_eq!(dataset["retained"][0]["path"], "total");
    assert_eq!(dataset["retained"][0]["cells"], 2);
    assert_eq!(
        (dataset["filesTouched"].as_u64(), dataset["rowGroupsTouched"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(plan["totals"]["cellsErased"], 3);
}

#[test]
fn a_hold_on_the_dataset_keeps_the_rows_and_blocks_the_task() {
    let env = env();
    delete(&env, "");
    env.document(
        "policies",
        "Hold",
        "lawsuit",
        "  {datasets: [e], until: 2026-12-01, reason: lawsuit}",
    );
    let plan = env.plan().exits(0).json();
    let held = task(&plan, "A", "delete");
    assert_eq!((held["phase"].as_str(), held["reason"].as_str()), (Some("Blocked"), Some("Held")));
    assert_eq!(held["datasets"][0]["rowsErased"], 0);
    assert!(held["datasets"][0]["retained"][0]["why"].as_str().unwrap().contains("lawsuit"));
    env.document(
        "policies",
        "Hold",
        "lawsuit",
        "  {datasets: [e], until: 2026-11-22, reason: lawsuit}",
    );
    let plan = env.plan().exits(0).json();
    assert_ne!(
        task(&plan, "A", "delete")["reason"],
        "Held",
        "`until` is the first day on which it holds no more"
    );
}

#[test]
fn a_hold_on_a_field_keeps_it_and_the_id_fields() {
    let env = env();
    delete(&env, "");
    env.document("policies", "Hold", "tax", "  {datasets: [e], fields: [total], reason: tax}");
    let plan = env.plan().exits(0).json();
    let dataset = &task(&plan, "A", "delete")["datasets"][0];
    assert_eq!((cells(dataset, "who"), cells(dataset, "name")), (0, 1));
    let kept: Vec<_> = dataset["retained"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["path"].as_str().unwrap())
        .collect();
    assert!(kept.contains(&"who") && kept.contains(&"total"), "{kept:?}");
}

#[test]
fn purge_removes_whole_rows() {
    for (request, dataset) in [("deleteMethod: purge,", ""), ("", "  erase: rows")] {
        let env = env();
        policy(&env, dataset);
        delete(&env, request);
        let plan = env.plan().exits(0).json();
        assert_eq!(task(&plan, "A", "delete")["datasets"][0]["rowsErased"], 2);
    }
}

#[test]
fn too_large_a_share_of_a_dataset_blocks() {
    let env = env();
    let many: Vec<&str> = (0..10_001).map(|i| if i % 5 == 0 { "p" } else { "q" }).collect();
    env.parquet(
        "lake/e.parquet",
        vec![("who", text(&many)), ("name", text(&many)), ("total", numbers(&vec![1; many.len()]))],
    );
    delete(&env, "");
    let plan = env.plan().exits(4).json();
    assert_eq!(task(&plan, "A", "delete")["reason"], "LimitExceeded");
    env.document("policies", "Settings", "default", "  {limits: {maxFractionErased: 0.5}}");
    env.plan().exits(0);
    env.document(
        "policies",
        "Settings",
        "default",
        "  {limits: {maxRowsPerUser: 100, maxFractionErased: 0.5}}",
    );
    env.plan().exits(4);
}

#[test]
fn a_dataset_or_hold_that_vanished_blocks_deletes() {
    let env = env();
    delete(&env, "suspend: true,");
    env.document("policies", "Hold", "tax", "  {datasets: [e], reason: tax}");
    env.apply().exits(0);
    delete(&env, "");
    std::fs::remove_file(env.path("policies/hold-tax.yaml")).unwrap();
    let plan = env.plan().json();
    assert_eq!(task(&plan, "A", "delete")["phase"], "Blocked");
    env.document("policies", "Settings", "default", "  {retired: [tax]}");
    let plan = env.plan().exits(0).json();
    assert_ne!(task(&plan, "A", "delete")["phase"], "Blocked");
}

#[test]
fn a_file_in_which_a_column_holds_only_nulls_is_erased_with_the_others() {
    let env = env();
    let nulls = || Arc::new(NullArray::new(2)) as ArrayRef;
    fs::remove_file(env.path("lake/e.parquet")).unwrap();
    env.parquet(
        "lake/e/1.parquet",
        vec![("who", text(&["p", "q"])), ("name", text(&["A", "B"])), ("total", numbers(&[1, 2]))],
    );
    env.parquet(
        "lake/e/2.parquet",
        vec![("who", text(&["p", "q"])), ("name", nulls()), ("total", nulls())],
    );
    env.parquet(
        "lake/e/3.parquet",
        vec![("who", nulls()), ("name", text(&["C", "D"])), ("total", nulls())],
    );
    policy_at(&env, "lake/e", "");
    delete(&env, "");
    let report = env.apply().exits(0).json();
    let erased = task(&report, "A", "delete");
    assert_eq!(erased["reason"], "Erased");
    let dataset = &erased["datasets"][0];
    assert_eq!((cells(dataset, "who"), cells(dataset, "name")), (2, 1));
}

#[test]
fn an_identity_column_without_any_value_matches_nobody() {
    let env = env();
    let nulls = || Arc::new(NullArray::new(1)) as ArrayRef;
    env.parquet(
        "lake/e.parquet",
        vec![("who", nulls()), ("name", text(&["C"])), ("total", nulls())],
    );
    delete(&env, "");
    env.run(&["check", "--data"]).exits(0);
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "NoMatch");
}

#[test]
fn a_missing_hmac_key_fails_the_tasks_that_need_it_alone() {
    let env = env();
    env.document(
        "policies",
        "Settings",
        "default",
        "  {keys: {join: {env: AMPARO_TEST_JOIN_KEY}}}",
    );
    env.table("e", "lake/e.parquet", &["path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL], erase: {method: hmac, key: join}", "path: name, labels: [I1, DEL-PERSON, ACC-ALL]", "path: total, labels: [ACC-ALL]"]);
    delete(&env, "");
    let before = env.files("lake");
    let report = env.apply().exits(5).json();
    let failed = task(&report, "A", "delete");
    assert_eq!(failed["phase"], "Failed");
    assert!(failed["message"].as_str().unwrap().contains("AMPARO_TEST_JOIN_KEY"));
    assert!(before == env.files("lake"), "something was erased");
    let key = [("AMPARO_TEST_JOIN_KEY", "0123456789abcdef0123456789abcdef")];
    let report = env.run_with(&["apply", "--auto-approve", "-o", "json"], &key, "").exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "Erased");
}
