//! Finished erasures against today's data and today's policies: `verify`, and drift in `plan`.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Int64Array, ListBuilder,
    StringArray, StringBuilder, TimestampMicrosecondArray, UInt16Array,
};
use arrow::datatypes::Int32Type;
use serde_json::{Value, json};

use crate::support::{Env, task, text};

fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e/1.parquet",
        vec![("who", text(&["p", "q"])), ("tel", text(&["1", "2"])), ("note", text(&["x", "y"]))],
    );
    env.parquet(
        "lake/e/2.parquet",
        vec![("who", text(&["q", "r"])), ("tel", text(&["2", "3"])), ("note", text(&["y", "z"]))],
    );
    policy(&env, "");
    request(&env, "");
    env
}

/// `who` is kept, so that the rows of an erased subject can still be found.
fn policy(env: &Env, note: &str) {
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: lake/e/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, ACC-ALL], reason: key}}
    - {{path: tel, labels: [I1, DEL-PERSON, ACC-ALL]}}
    - {{path: note, labels: [ACC-ALL]{note}}}"
        ),
    );
}

fn request(env: &Env, standing: &str) {
    env.request(
        "r",
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: A, action: [delete], userIDs: [{{namespace: who, value: p}}]{standing}}}]}}"),
    );
}

fn verify(env: &Env, code: i32) -> Value {
    env.run(&["verify", "-o", "json"]).exits(code).json()
}

#[test]
fn a_field_labelled_after_completion_is_drift_until_a_standing_block_carries_it_out() {
    let env = env();
    env.apply().exits(0);
    assert_eq!(env.plan().exits(0).json()["drift"], json!([]));
    let report = verify(&env, 0);
    assert_eq!(report["erasures"][0]["rowsFound"], 0);

    policy(&env, ", pii: true");
    let found = json!([{"dataset": "e", "rows": 1,
        "fields": [{"path": "note", "method": "pseudonym", "cells": 1}]}]);
    let plan = env.plan().exits(0).json();
    assert_eq!(plan["drift"], json!([{"request": "r", "key": "A", "datasets": found}]));
    assert_eq!(task(&plan, "A", "delete")["phase"], "Complete", "what is done stays done");
    assert_eq!(plan["totals"]["rowsErased"], 0);
    let report = verify(&env, 1);
    assert_eq!((&report["ok"], &report["erasures"][0]["rowsFound"]), (&false.into(), &1.into()));
    assert_eq!(report["erasures"][0]["datasets"], found);
    insta::assert_snapshot!("drift_in_plan", env.run(&["plan"]).transcript());
    let shown = env.run(&["verify"]).exits(1);
    let head = report["ledger"]["head"].as_str().unwrap();
    insta::assert_snapshot!("drift_in_verify", shown.transcript().replace(head, "HEAD"));

    let lake = env.files("lake");
    env.apply().exits(0);
    assert!(lake == env.files("lake"), "drift is shown, not carried out");

    request(&env, ", standing: true");
    let plan = env.plan().exits(0).json();
    assert_eq!((&plan["drift"], &plan["totals"]["rowsErased"]), (&json!([]), &1.into()));
    env.apply().exits(0);
    verify(&env, 0);
    request(&env, "");
    assert_eq!(env.plan().exits(0).json()["drift"], json!([]));
}

#[test]
fn a_policy_that_changed_in_nothing_that_erases_is_no_drift() {
    let env = env();
    env.apply().exits(0);
    // New data of the subject is for `verify` to report, and no drift of the policies.
    env.parquet(
        "lake/e/3.parquet",
        vec![("who", text(&["p"])), ("tel", text(&["9"])), ("note", text(&["n"]))],
    );
    env.document("policies", "Settings", "default", "  {exportRetention: 7d}");
    assert_eq!(env.plan().exits(0).json()["drift"], json!([]));
    assert_eq!(verify(&env, 1)["erasures"][0]["rowsFound"], 1);
}

#[test]
fn a_hold_does_not_hide_from_verify_what_came_back() {
    let env = env();
    env.apply().exits(0);
    env.parquet(
        "lake/e/3.parquet",
        vec![("who", text(&["p"])), ("tel", text(&["9"])), ("note", text(&["n"]))],
    );
    env.document("policies", "Hold", "h", "  {datasets: [e], reason: lawsuit}");
    assert_eq!(verify(&env, 1)["erasures"][0]["rowsFound"], 1);
}

#[test]
fn an_erasure_that_cannot_be_judged_does_not_hold() {
    let env = env();
    env.apply().exits(0);
    let file = "policies/dataset-e.yaml";
    let text = fs::read_to_string(env.path(file)).unwrap();
    env.write(
        file,
        &text.replace(
            "{path: tel, labels: [I1, DEL-PERSON, ACC-ALL]}",
            "{path: tel, labels: [I1, DEL-PERSON, ACC-ALL], erase: {method: coarsen}}",
        ),
    );
    let report = verify(&env, 1);
    let erasure = &report["erasures"][0];
    assert!(erasure["rowsFound"].is_null(), "{report:#}");
    assert!(erasure["message"].as_str().unwrap().contains("coarsen"), "{report:#}");
}

#[test]
fn the_search_is_held_against_values_that_are_there() {
    let env = env();
    env.apply().exits(0);
    let report = verify(&env, 0);
    assert_eq!(
        report["canaries"],
        json!({"expected": 2, "found": 2,
            "datasets": [{"dataset": "e", "expected": 2, "found": 2, "without": []}]}),
    );
    // Where all are erased there is nobody to look for, and it says so.
    let env = self::env();
    let file = "policies/dataset-e.yaml";
    let text = fs::read_to_string(env.path(file)).unwrap();
    env.write(file, &text.replace("ID-PERSON, ACC-ALL]", "ID-PERSON, DEL-PERSON, ACC-ALL]"));
    fs::remove_file(env.path("lake/e/2.parquet")).unwrap();
    env.parquet(
        "lake/e/1.parquet",
        vec![
            ("who", crate::support::text(&["p", "p"])),
            ("tel", crate::support::text(&["1", "2"])),
            ("note", crate::support::text(&["x", "y"])),
        ],
    );
    env.apply().exits(0);
    let report = verify(&env, 0);
    assert_eq!(report["canaries"]["datasets"][0]["without"], json!(["who"]));
    let shown = env.run(&["verify"]).exits(0).stdout;
    assert!(shown.contains("no value to look for in who"), "{shown}");
}

#[test]
fn canaries_are_found_in_columns_of_every_type() {
    let who = |name: &'static str, value: &'static str, array: ArrayRef| (name, value, array);
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in [&["p", "x"][..], &[], &["Quinn ", "y"]] {
        row.iter().for_each(|tag| tags.values().append_value(tag));
        tags.append(true);
    }
    let columns = [
        who(
            "text",
            "P@x.example",
            Arc::new(StringArray::from(vec![Some("p@x.example"), None, Some("Q@x.example")])),
        ),
        who("number", "7", Arc::new(Int64Array::from(vec![7, -8, 9]))),
        who("small", "7", Arc::new(UInt16Array::from(vec![Some(7), None, Some(65_535)]))),
        who(
            "decimal",
            "1.5",
            Arc::new(
                Decimal128Array::from(vec![150, -2_50, 3_33])
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        who("date", "1980-02-29", Arc::new(Date32Array::from(vec![3_711, -1, 20_000]))),
        who(
            "time",
            "1970-01-01T00:00:01Z",
            Arc::new(TimestampMicrosecondArray::from(vec![1_000_000, -5, 1_700_000_000_123_456])),
        ),
        who(
            "bytes",
            "p",
            Arc::new(BinaryArray::from(vec![&b"p"[..], &[0xff, 0x00, 0x7f], b"Text"])),
        ),
        who("tags", "p", Arc::new(tags.finish())),
        who(
            "word",
            "p",
            Arc::new(vec!["p", "w", "W"].into_iter().collect::<DictionaryArray<Int32Type>>()),
        ),
    ];
    let env = Env::new();
    let fields: Vec<String> = columns
        .iter()
        .map(|(name, ..)| {
            format!("    - {{path: {name}, namespace: ns-{name}, labels: [I2, ID-PERSON, ACC-ALL], reason: kept}}")
        })
        .collect();
    let ids: Vec<String> = columns
        .iter()
        .map(|(name, value, _)| format!("{{namespace: ns-{name}, value: \"{value}\"}}"))
        .collect();
    env.parquet(
        "lake/e.parquet",
        columns.into_iter().map(|(name, _, array)| (name, array)).collect(),
    );
    env.dataset(
        "e",
        &format!(
            "  product: e\n  location: lake/e.parquet\n  format: parquet\n  fields:\n{}",
            fields.join("\n")
        ),
    );
    env.request("r", &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: A, action: [delete], userIDs: [{}]}}]}}", ids.join(", ")));
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["datasets"][0]["personRows"], 1);
    let canaries = verify(&env, 0)["canaries"].clone();
    assert_eq!((&canaries["expected"], &canaries["found"]), (&9.into(), &9.into()), "{canaries:#}");
}
