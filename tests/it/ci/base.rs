//! `plan --base DIR`: what a branch adds or changes.

use std::fs;

use serde_json::Value;

use super::schema::{assert_junit, assert_sarif};
use crate::support::{Env, task, text};

const POLICY: &str = "  product: e
  location: lake/e.parquet
  format: parquet
  fields:
    - {path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: mail, namespace: mail, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: note, labels: [I2, DEL-PERSON, ACC-ALL]}";

fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![
            ("who", text(&["ann", "ann", "bob", "cid"])),
            ("mail", text(&["planted-a", "planted-b", "planted-c", "planted-d"])),
            ("note", text(&["1", "2", "3", "4"])),
        ],
    );
    env.dataset("e", POLICY);
    request(&env, "same", "K-1", "delete", "[{namespace: who, value: cid}]", "");
    request(&env, "identity", "K-2", "delete", "[{namespace: mail, value: planted-a}]", "");
    request(&env, "narrow", "K-3", "access", "[{namespace: who, value: ann}]", "");
    request(&env, "gone", "K-4", "access", "[{namespace: who, value: bob}]", "");
    env
}

fn request(env: &Env, name: &str, key: &str, action: &str, ids: &str, more: &str) {
    env.request(
        name,
        &format!(
            "  regulation: gdpr\n  receivedAt: 2026-11-20\n  include: [e]\n  users:\n    - {{key: {key}, action: [{action}], userIDs: {ids}{more}}}"
        ),
    );
}

/// Copies policies and requests to `base/`.
fn fork(env: &Env) {
    for folder in ["policies", "requests"] {
        let to = env.path("base").join(folder);
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(env.path(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn changes(document: &Value) -> Vec<(String, String, Vec<String>)> {
    let lines = |task: &Value| {
        task["changes"].as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()).collect()
    };
    document["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            let text = |key: &str| task[key].as_str().unwrap().to_owned();
            (text("request"), text("change"), lines(task))
        })
        .collect()
}

fn compared(env: &Env) -> Value {
    let run = env.run(&["plan", "--base", "base", "-o", "json"]);
    assert_eq!(run.code, env.run(&["plan", "-o", "json"]).code, "{}", run.stderr);
    run.json()
}

#[test]
fn an_untouched_branch_changes_nothing() {
    let env = env();
    fork(&env);
    let json = compared(&env);
    assert!(changes(&json).is_empty(), "{json:#}");
    assert_eq!(json["base"]["untouched"], 4);
    assert_eq!(json["totals"], env.plan().json()["totals"]);
}

#[test]
fn requests_that_come_change_and_go() {
    let env = env();
    fork(&env);
    request(&env, "identity", "K-2", "delete", "[{namespace: mail, value: planted-b}]", "");
    request(
        &env,
        "narrow",
        "K-3",
        "access",
        "[{namespace: who, value: ann}, {namespace: mail, value: planted-c}]",
        ", only: {datasets: [e]}",
    );
    request(&env, "new", "K-5", "delete", "[{namespace: who, value: bob}]", "");
    fs::remove_file(env.path("requests/subjectrequest-gone.yaml")).unwrap();
    let json = compared(&env);
    let owned = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        changes(&json),
        [
            (
                "identity".to_owned(),
                "changed".to_owned(),
                owned(&["identities: 1 mail added, 1 removed"])
            ),
            (
                "narrow".to_owned(),
                "changed".to_owned(),
                owned(&[
                    "identities: 1 mail added",
                    "only.datasets: all, now e",
                    "e: person rows, 2, now 3"
                ])
            ),
            ("new".to_owned(), "new".to_owned(), Vec::new()),
        ]
    );
    assert_eq!(json["base"]["removed"][0]["request"], "gone");
    assert_eq!(json["base"]["untouched"], 1);
    assert_eq!(json["base"]["policies"], Value::Array(Vec::new()));

    let mut told = String::new();
    for format in ["human", "markdown"] {
        let run = env.run(&["plan", "--base", "base", "-o", format]).exits(0);
        assert!(!run.stdout.contains("planted"), "{}", run.stdout);
        told.push_str(&format!("$ amparo plan --base base -o {format}\n{}\n", run.stdout));
    }
    insta::with_settings!({filters => vec![
        (r"\d+(\.\d)? k?B", "<size>"),
    ]}, { insta::assert_snapshot!("base", told) });
    assert_sarif(&env.run(&["plan", "--base", "base", "-o", "sarif"]).stdout);
    let report = assert_junit(&env.run(&["plan", "--base", "base", "-o", "junit"]).stdout);
    assert_eq!(report.find_all("testcase").len(), 3);
}

#[test]
fn a_policy_changes_the_tasks_that_it_governs() {
    let env = env();
    fork(&env);
    env.dataset(
        "e",
        &POLICY.replace(
            "ACC-ALL]}\n    - {path: note",
            "ACC-ALL], erase: {method: empty}}\n    - {path: note",
        ),
    );
    let json = compared(&env);
    let tasks = changes(&json);
    assert_eq!(tasks.len(), 2, "{json:#}");
    for (request, change, lines) in tasks {
        assert!(request == "same" || request == "identity");
        assert_eq!(change, "changed");
        let text = lines.join("\n");
        assert_eq!(
            text,
            "e erases: mail by empty, 1 cell: new\ne erases: mail by pseudonym, 1 cell: no more"
        );
    }

    env.document(
        "policies",
        "Hold",
        "tax",
        "  {datasets: [e], fields: [note], reason: \"tax records\"}",
    );
    let json = compared(&env);
    let (_, _, lines) = changes(&json).remove(0);
    let text = lines.join("\n");
    assert!(text.starts_with("state: Submitted, now Blocked (Held)\n"), "{text}");
    assert!(text.contains("e keeps: note (hold tax: tax records), 1: new"), "{text}");
    assert_eq!(
        json["base"]["policies"],
        serde_json::json!([
            {"file": "policies/dataset-e.yaml", "change": "changed"},
            {"file": "policies/hold-tax.yaml", "change": "added"},
        ])
    );
}

#[test]
fn known_warnings_are_counted_and_errors_shown() {
    let env = env();
    request(&env, "warned", "K-6", "access", "[{namespace: nobody-carries, value: x}]", "");
    env.write("requests/broken.json", "{");
    fork(&env);
    let json = compared(&env);
    assert_eq!(json["base"]["knownDiagnostics"], 1, "{json:#}");
    let left = json["diagnostics"].as_array().unwrap();
    assert!(!left.is_empty() && left.iter().all(|d| d["severity"] == "error"), "{left:?}");
}

#[test]
fn a_base_that_cannot_be_planned_makes_everything_new() {
    let env = env();
    fork(&env);
    env.write("base/policies/dataset-e.yaml", "nonsense: [");
    let json = compared(&env);
    assert_eq!(json["base"]["new"], 4);
    assert!(json["base"]["notes"][0].as_str().unwrap().contains("invalid"), "{json:#}");
    fs::remove_dir_all(env.path("base/policies")).unwrap();
    assert_eq!(compared(&env)["base"]["new"], 4);
    fs::create_dir_all(env.path("base/policies")).unwrap();
    fs::copy(env.path("policies/dataset-e.yaml"), env.path("base/policies/dataset-e.yaml"))
        .unwrap();
    fs::remove_dir_all(env.path("base/requests")).unwrap();
    let json = compared(&env);
    assert_eq!(
        (&json["base"]["new"], &json["base"]["policies"]),
        (&4.into(), &Value::Array(Vec::new()))
    );
    env.run(&["plan", "--base", "nowhere"]).exits(1);
    env.run(&["plan", "--base", "base", "--requests", "../requests"]).exits(64);
}

#[test]
fn the_ledger_counts_for_both_sides() {
    let env = env();
    env.apply().exits(0);
    fork(&env);
    request(&env, "new", "K-5", "access", "[{namespace: who, value: bob}]", "");
    let json = compared(&env);
    assert_eq!(changes(&json).len(), 1, "{json:#}");
    assert_eq!(json["base"]["untouched"], 4);
    // A saved plan is the whole one.
    env.run(&["plan", "--base", "base", "--out", "plan.json"]).exits(0);
    env.run(&["apply", "plan.json"]).exits(0);
}

#[test]
fn an_approval_changes_its_task() {
    let env = env();
    env.document("policies", "Settings", "default", "  {approval: required}");
    // The key, without which nothing can be approved, is made by the first pass.
    env.apply().exits(4);
    fork(&env);
    let waiting = env.plan().exits(4).json();
    let effect = task(&waiting, "K-1", "delete")["effectId"].as_str().unwrap();
    env.document(
        "approvals",
        "Approval",
        "a",
        &format!("  {{request: same, key: K-1, effectId: {effect}}}"),
    );
    let json = compared(&env);
    let lines = changes(&json);
    assert_eq!(lines.len(), 1, "{json:#}");
    assert!(lines[0].2[0].starts_with("state: Blocked (NeedsApproval), now "), "{lines:?}");
    assert_eq!(
        json["base"]["policies"],
        serde_json::json!([{"file": "approvals/approval-a.yaml", "change": "added"}])
    );
}
