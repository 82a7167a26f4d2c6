//! Requests as files: what is rejected, what goes on, and what the ledger makes of it.

use std::fs;

use crate::support::{Env, WHO, task, text};

fn env() -> Env {
    let env = Env::new();
    env.parquet("lake/e.parquet", vec![("who", text(&["p", "q"])), ("qa", text(&["", ""]))]);
    env.table("e", "lake/e.parquet", &[WHO, "path: qa, labels: []"]);
    env
}

const GOOD: &str = "  {regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{key: A, action: [access], userIDs: [{namespace: who, value: p}]}]}";

#[test]
fn one_invalid_request_does_not_stop_the_others() {
    let env = env();
    env.request("good", GOOD);
    env.write(
        "requests/broken.yaml",
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: broken}\nspec: {users: 7}\n",
    );
    env.run(&["check"]).exits(3);
    env.plan().exits(3);
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "A", "access")["reason"], "Exported");
    let rejected =
        report["tasks"].as_array().unwrap().iter().find(|t| t["request"] == "broken").unwrap();
    assert_eq!(rejected["phase"], "Rejected");
}

#[test]
fn an_invalid_request_under_the_name_of_a_valid_one_is_not_passed_over() {
    let env = env();
    env.request("good", GOOD);
    env.write(
        "requests/broken.yaml",
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: good}\nspec: {users: 7}\n",
    );
    env.run(&["check"]).exits(3);
    env.plan().exits(3);
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "A", "access")["reason"], "Exported");
    env.apply().exits(5);
}

#[test]
fn an_invalid_policy_stops_everything_before_anything_is_written() {
    let env = env();
    env.request("good", GOOD);
    env.write("policies/notes.txt", "a hold that is not read would destroy data\n");
    env.apply().exits(3);
    assert!(env.files("state").is_empty() && env.files("exports").is_empty());
}

#[test]
fn nothing_valid_left_exits_3() {
    let env = env();
    env.write("requests/broken.json", "{\"users\": [,]}");
    env.apply().exits(3);
}

#[test]
fn withdrawn_and_suspended_requests_act_without_reopening() {
    let env = env();
    env.request("good", &GOOD.replace("{regulation", "{suspend: true, regulation"));
    let report = env.apply().exits(0).json();
    let held = task(&report, "A", "access");
    assert_eq!(
        (held["phase"].as_str(), held["reason"].as_str()),
        (Some("Blocked"), Some("Suspended"))
    );
    env.request("good", GOOD);
    env.apply().exits(0);
    env.request("good", &GOOD.replace("{regulation", "{withdrawn: true, regulation"));
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "access")["phase"], "Complete", "what is done stays done");
}

#[test]
fn a_removed_request_is_orphaned() {
    let env = env();
    env.request("good", &GOOD.replace("{regulation", "{suspend: true, regulation"));
    env.apply().exits(0);
    std::fs::remove_file(env.path("requests/subjectrequest-good.yaml")).unwrap();
    let plan = env.plan().exits(4).json();
    let gone = task(&plan, "A", "access");
    assert_eq!(
        (gone["phase"].as_str(), gone["reason"].as_str()),
        (Some("Blocked"), Some("Orphaned"))
    );
}

#[test]
fn a_saved_plan_is_applied_exactly_or_not_at_all() {
    let env = env();
    env.request("good", GOOD);
    // The deployment key comes with the first pass: without it a plan cannot be applied.
    env.request("first", &GOOD.replace("key: A", "key: Z"));
    env.apply().exits(0);
    env.request("second", &GOOD.replace("key: A", "key: B"));
    env.run(&["plan", "--out", "saved.json"]).exits(0);
    env.parquet(
        "lake/e.parquet",
        vec![("who", text(&["p", "q", "r"])), ("qa", text(&["", "", ""]))],
    );
    let stale = env.run(&["apply", "saved.json"]).exits(6);
    assert!(stale.stderr.contains('e'), "{}", stale.stderr);
    env.run(&["plan", "--out", "saved.json"]).exits(0);
    let plan = fs::read_to_string(env.path("saved.json")).unwrap();
    env.write("edited.json", &plan.replace("\"exports\": 1", "\"exports\": 0"));
    let edited = env.run(&["apply", "edited.json"]).exits(6);
    assert!(edited.stderr.contains("the plan itself was edited"), "{}", edited.stderr);
    env.run(&["apply", "saved.json"]).exits(0);
    env.package("second", "B");
    // Once more it is stale: the ledger has moved on.
    let stale = env.run(&["apply", "saved.json"]).exits(6);
    assert!(stale.stderr.contains("the ledger is at entry"), "{}", stale.stderr);
}

#[test]
fn a_plan_made_without_the_deployment_key_names_no_file_as_moved() {
    let env = env();
    env.request("good", GOOD);
    env.run(&["plan", "--out", "saved.json"]).exits(0);
    let stale = env.run(&["apply", "saved.json"]).exits(6);
    assert!(stale.stderr.contains("without the deployment key"), "{}", stale.stderr);
    assert!(
        !stale.stderr.contains(".yaml") && !stale.stderr.contains(".parquet"),
        "{}",
        stale.stderr
    );
}

#[test]
fn a_stale_plan_names_every_input_that_moved() {
    let env = env();
    env.request("good", &GOOD.replace("key: A", "key: Z"));
    env.apply().exits(0);
    let old = fs::read_to_string(env.path("requests/subjectrequest-good.yaml")).unwrap();
    env.request("next", &GOOD.replace("key: A", "key: B"));
    env.run(&["plan", "--out", "saved.json"]).exits(0);
    assert!(!fs::read_to_string(env.path("saved.json")).unwrap().contains("value: p"));
    env.document("policies", "Hold", "h", "  {datasets: [e], reason: lawsuit}");
    env.write("requests/subjectrequest-good.yaml", &format!("{old}# looked at\n"));
    fs::remove_file(env.path("requests/subjectrequest-next.yaml")).unwrap();
    env.parquet("lake/e.parquet", vec![("who", text(&["p"])), ("qa", text(&[""]))]);
    let stale = env.run(&["apply", "saved.json"]).exits(6);
    for line in [
        "policies/hold-h.yaml is new",
        "requests/subjectrequest-good.yaml has changed",
        "requests/subjectrequest-next.yaml is gone",
        "dataset e: lake/e.parquet has changed",
    ] {
        assert!(stale.stderr.contains(line), "{line}: {}", stale.stderr);
    }
    assert!(!stale.stderr.contains("dataset-e.yaml"), "{}", stale.stderr);
}

#[test]
fn without_a_terminal_apply_wants_to_be_told() {
    let env = env();
    env.request("good", GOOD);
    env.run(&["apply"]).exits(64);
    assert!(env.files("exports").is_empty());
}

#[test]
fn detailed_exit_code_tells_changes_from_none() {
    let env = env();
    env.request("good", GOOD);
    env.run(&["plan", "--detailed-exitcode"]).exits(2);
    env.run(&["plan"]).exits(0);
    env.apply().exits(0);
    env.run(&["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn overdue_tasks_ask_for_a_person() {
    let env = env();
    env.request(
        "late",
        &GOOD
            .replace("{regulation", "{suspend: true, regulation")
            .replace("2026-11-20", "2026-01-20"),
    );
    env.plan().exits(4);
    env.apply().exits(4);
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(task(&status, "A", "access")["overdue"], true);
}

#[test]
fn a_masked_line_is_shown_with_the_column_of_the_file() {
    let env = env();
    env.write(
        "requests/a.yaml",
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: a}\nspec:\n  regulation: gdpr\n  include: [e]\n  users:\n    - {key: a-rather-long-key, action: [acces], userIDs: [{namespace: who, value: p}]}\n",
    );
    let found = env.run(&["check", "-o", "json"]).exits(3).json();
    let fault = &found["diagnostics"][0];
    assert_eq!((&fault["line"], &fault["column"]), (&8.into(), &41.into()));
    let shown = env.run(&["check"]).exits(3).stderr;
    assert!(shown.contains("requests/a.yaml:8:41\n") && shown.contains("key: ***,"), "{shown}");
}
