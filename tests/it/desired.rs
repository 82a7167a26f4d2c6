//! Requests are desired state: what an edit opens again, and what it does not.

use std::fs;

use serde_json::Value;

use crate::support::{Env, WHO, task, text};

const FILE: &str = "requests/subjectrequest-r.yaml";

fn env() -> Env {
    let env = Env::new();
    env.parquet("lake/e/1.parquet", vec![("who", text(&["p", "q", "s"]))]);
    env.table("e", "lake/e/", &[WHO]);
    request(&env, "", "");
    env
}

/// Two blocks, of which the first is asked for and erased; `with` are keys of the spec, `a` of block A.
fn request(env: &Env, with: &str, a: &str) {
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], {with} users: [
    {{key: A, action: [access, delete], userIDs: [{{namespace: who, value: p}}] {a}}},
    {{key: B, action: [access], userIDs: [{{namespace: who, value: q}}]}}]}}"
        ),
    );
}

fn commits(env: &Env) -> usize {
    env.files("state/ledger").len()
}

fn status(env: &Env, key: &str, action: &str) -> Value {
    task(&env.run(&["status", "-o", "json"]).exits(0).json(), key, action).clone()
}

#[test]
fn an_edit_opens_again_what_it_changed_and_nothing_else() {
    let env = env();
    env.apply().exits(0);
    let finished = status(&env, "A", "delete")["finishedAt"].clone();
    let text = fs::read_to_string(env.path(FILE)).unwrap();
    env.write(FILE, &text.replace("value: q", "value: s"));
    let plan = env.plan().exits(0).json();
    let phase = |key: &str, action: &str| task(&plan, key, action)["phase"].clone();
    assert_eq!(phase("A", "access"), "Complete");
    assert_eq!(phase("A", "delete"), "Complete");
    assert_eq!(phase("B", "access"), "Submitted");
    env.run(&["--now", "2026-11-23T09:00:00Z", "apply", "--auto-approve"]).exits(0);
    assert_eq!(status(&env, "A", "delete")["finishedAt"], finished);
    assert_eq!(status(&env, "B", "access")["finishedAt"], "2026-11-23T09:00:00Z");
}

#[test]
fn dates_suspension_and_spelling_open_nothing() {
    let env = env();
    env.apply().exits(0);
    for with in [
        "suspend: true,",
        "withdrawn: true,",
        "extension: {until: 2027-01-20, reason: x},",
        "priority: high,",
    ] {
        request(&env, with, "");
        let report = env.apply().exits(0).json();
        for task in report["tasks"].as_array().unwrap() {
            assert_eq!(task["phase"], "Complete", "{with}: {task:#}");
        }
    }
}

#[test]
fn a_finished_request_that_is_added_again_does_nothing() {
    let env = env();
    env.apply().exits(0);
    let text = fs::read(env.path(FILE)).unwrap();
    fs::remove_file(env.path(FILE)).unwrap();
    env.apply().exits(0);
    let before = commits(&env);
    fs::write(env.path(FILE), text).unwrap();
    let plan = env.run(&["plan", "--detailed-exitcode"]).exits(0);
    assert!(plan.stdout.contains("already settled"), "{}", plan.stdout);
    env.apply().exits(0);
    assert_eq!(commits(&env), before);
}

#[test]
fn an_unfinished_request_is_orphaned_without_its_file_and_resumes_with_it() {
    let env = env();
    env.document("policies", "Hold", "h", "  {datasets: [e], reason: lawsuit}");
    env.apply().exits(0);
    let text = fs::read(env.path(FILE)).unwrap();
    fs::remove_file(env.path(FILE)).unwrap();
    let report = env.apply().exits(4).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "Orphaned");
    let orphan = status(&env, "A", "delete");
    assert!(orphan["help"].as_str().unwrap().contains("withdrawn"), "{orphan:#}");
    let before = commits(&env);
    env.apply().exits(4);
    assert_eq!(commits(&env), before, "an orphan is told of once");
    // Nothing is destroyed for it, though nothing holds it any more.
    env.document("policies", "Hold", "h", "  {datasets: [e], until: 2026-11-01, reason: lawsuit}");
    let lake = env.files("lake");
    env.apply().exits(4);
    assert!(lake == env.files("lake"));
    fs::write(env.path(FILE), text).unwrap();
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "Erased");
}

#[test]
fn a_withdrawal_cancels_what_is_not_done_for_good() {
    let env = env();
    request(&env, "suspend: true,", "");
    env.apply().exits(0);
    request(&env, "withdrawn: true,", "");
    let report = env.apply().exits(0).json();
    for key in [("A", "access"), ("A", "delete"), ("B", "access")] {
        assert_eq!(task(&report, key.0, key.1)["phase"], "Cancelled");
    }
    let before = commits(&env);
    env.apply().exits(0);
    assert_eq!(commits(&env), before);
    // Taking the word back opens nothing: what is to be done after all is another request.
    request(&env, "", "");
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["phase"], "Cancelled");
    let text = fs::read_to_string(env.path(FILE)).unwrap();
    env.write(FILE, &text.replace("value: p", "value: s"));
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "Erased");
}

#[test]
fn a_standing_erasure_reaches_what_arrives_later_and_rests_otherwise() {
    let env = env();
    request(&env, "", ", standing: true");
    env.apply().exits(0);
    let before = commits(&env);
    env.apply().exits(0);
    assert_eq!(commits(&env), before, "a standing erasure with nothing new writes nothing");
    env.parquet("lake/e/2.parquet", vec![("who", text(&["p", "z"]))]);
    env.run(&["verify"]).exits(1);
    let plan = env.plan().exits(0).json();
    assert_eq!(plan["totals"]["rowsErased"], 1);
    env.apply().exits(0);
    assert!(env.rows("lake/e/2.parquet")[0][0].as_deref().unwrap().starts_with("Privacy-"));
    env.run(&["verify"]).exits(0);
    // Where it cannot look it says so.
    fs::write(env.path("lake/e/0.parquet"), "no Parquet").unwrap();
    let plan = env.plan().exits(5).json();
    let unread = task(&plan, "A", "delete");
    assert_eq!(unread["phase"], "Failed");
    assert!(unread["message"].as_str().unwrap().contains("lake/e/0.parquet"), "{unread:#}");
    fs::remove_file(env.path("lake/e/0.parquet")).unwrap();
    // Suspended it rests, and what arrived is reported.
    request(&env, "suspend: true,", ", standing: true");
    env.parquet("lake/e/3.parquet", vec![("who", text(&["p"]))]);
    let lake = env.files("lake");
    env.apply().exits(0);
    assert!(lake == env.files("lake"));
    env.run(&["verify"]).exits(1);
}
