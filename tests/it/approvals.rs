//! Approvals: with `approval: required` a delete runs only where somebody has named exactly what it would
//! do, and the same documents lift a limit or accept conflicts for one block.

use serde_json::Value;

use crate::support::{Env, task, text};

/// One dataset of which a delete touches one of two files.
fn env(settings: &str) -> Env {
    let env = Env::new();
    env.parquet("lake/e/a.parquet", vec![("who", text(&["p", "q"])), ("note", text(&["x", "y"]))]);
    env.parquet("lake/e/b.parquet", vec![("who", text(&["r", "s"])), ("note", text(&["z", "w"]))]);
    dataset(&env, "DEL-PERSON");
    env.document("policies", "Settings", "default", settings);
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [access, delete], userIDs: [{namespace: who, value: p}]}]}");
    env
}

fn dataset(env: &Env, note: &str) {
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: lake/e/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: note, labels: [I2, {note}, ACC-ALL], erase: {{method: \"null\"}}}}"
        ),
    );
}

fn approve(env: &Env, effect: &str, more: &str) {
    let spec = format!("  {{request: r, key: A, effectId: {effect}{more}}}");
    env.document("approvals", "Approval", "a", &spec);
}

/// The delete task of the plan.
fn planned(env: &Env, code: i32) -> Value {
    task(&env.run(&["plan", "-o", "json"]).exits(code).json(), "A", "delete").clone()
}

fn effect(env: &Env) -> String {
    planned(env, 4)["effectId"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_erased_before_somebody_has_named_what_would_be() {
    let env = env("  {approval: required}");
    let before = env.files("lake");
    let first = env.run(&["apply", "--auto-approve", "-o", "json"]).exits(4).json();
    assert_eq!(task(&first, "A", "access")["phase"], "Complete");
    let delete = task(&first, "A", "delete");
    assert_eq!((&delete["phase"], &delete["reason"]), (&"Blocked".into(), &"NeedsApproval".into()));
    assert_eq!(delete["datasets"][0]["rowsErased"], 0);
    assert_eq!(env.files("lake"), before);

    let delete = planned(&env, 4);
    let id = delete["effectId"].as_str().unwrap();
    assert!(delete["message"].as_str().unwrap().contains(id), "{delete:#}");
    assert_eq!(delete["datasets"][0]["rowsErased"], 1, "what it would do is shown");
    approve(&env, id, "");
    assert_eq!(planned(&env, 0)["phase"], "Submitted");
    let done = env.run(&["apply", "--auto-approve", "-o", "json"]).exits(0).json();
    assert_eq!(task(&done, "A", "delete")["reason"], "Erased");
    assert_ne!(env.files("lake"), before);
    let ledger: String = env
        .files("state/ledger")
        .into_values()
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect();
    assert!(ledger.contains("\"approval\":\"a\""), "{ledger}");
    env.run(&["apply", "--auto-approve"]).exits(0);
    env.run(&["verify"]).exits(0);
}

#[test]
fn files_that_it_does_not_touch_move_nothing_and_others_are_named() {
    let env = env("  {approval: required}");
    env.run(&["apply", "--auto-approve"]).exits(4);
    let id = effect(&env);
    approve(&env, &id, "");
    env.parquet("lake/e/c.parquet", vec![("who", text(&["q"])), ("note", text(&["v"]))]);
    env.parquet("lake/e/b.parquet", vec![("who", text(&["s"])), ("note", text(&["w"]))]);
    assert_eq!(planned(&env, 0)["effectId"], id.as_str());

    // A file that is written anew, and holds as much of the subject, is the same to whoever approved.
    env.parquet(
        "lake/e/a.parquet",
        vec![("who", text(&["q", "p", "t"])), ("note", text(&["y", "x", "t"]))],
    );
    assert_eq!(planned(&env, 0)["effectId"], id.as_str());

    env.parquet("lake/e/c.parquet", vec![("who", text(&["p"])), ("note", text(&["v"]))]);
    let message = planned(&env, 4)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("a approved: the files and the counts changed"), "{message}");
    let before = env.files("lake");
    env.run(&["apply", "--auto-approve"]).exits(4);
    assert_eq!(env.files("lake"), before);

    std::fs::remove_file(env.path("lake/e/c.parquet")).unwrap();
    dataset(&env, "DEL-DEVICE");
    let message = planned(&env, 4)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("the policies and the counts changed"), "{message}");
    dataset(&env, "DEL-PERSON");
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [access, delete], userIDs: [{namespace: who, value: q}]}]}");
    let message = planned(&env, 4)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("the request"), "{message}");
}

#[test]
fn an_approval_lifts_a_limit_for_its_block_alone_and_needs_a_reason() {
    let env = env("  {limits: {maxRowsPerUser: 0}}");
    env.request("s", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: B, action: [delete], userIDs: [{namespace: who, value: q}]}]}");
    env.run(&["apply", "--auto-approve"]).exits(4);
    let delete = planned(&env, 4);
    assert_eq!(delete["reason"], "LimitExceeded");
    let id = delete["effectId"].as_str().unwrap();
    approve(&env, id, ", liftLimits: true");
    let refused = env.run(&["check"]).exits(3);
    assert!(refused.stderr.contains("AMP0902"), "{}", refused.stderr);
    approve(&env, id, ", liftLimits: true, reason: a test account");
    let done = env.run(&["apply", "--auto-approve", "-o", "json"]).exits(4).json();
    assert_eq!(task(&done, "A", "delete")["reason"], "Erased");
    assert_eq!(task(&done, "B", "delete")["reason"], "LimitExceeded");
}

#[test]
fn an_approval_of_another_task_lifts_nothing() {
    let env = env("  {limits: {maxRowsPerUser: 0}}");
    env.run(&["apply", "--auto-approve"]).exits(4);
    let id = effect(&env);
    approve(&env, &id, ", liftLimits: true, reason: a test account");
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: A, action: [access, delete], userIDs: [{namespace: who, value: q}]}]}");
    assert_eq!(planned(&env, 4)["reason"], "LimitExceeded");
}

#[test]
fn an_approval_accepts_conflicts() {
    let env = Env::new();
    env.parquet("lake/c/a.parquet", vec![("mail", text(&["p"])), ("id", text(&["1"]))]);
    env.parquet("lake/o/a.parquet", vec![("mail", text(&["q"])), ("id", text(&["1"]))]);
    for name in ["c", "o"] {
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: lake/{name}/
  format: parquet
  fields:
    - {{path: mail, namespace: mail, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: id, namespace: customer, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    env.document("policies", "Namespace", "customer", "  {namespace: customer, expansion: always}");
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, expandIds: true, users: [{key: A, action: [delete], userIDs: [{namespace: mail, value: p}]}]}");
    env.run(&["apply", "--auto-approve"]).exits(4);
    let delete = planned(&env, 4);
    assert_eq!(delete["reason"], "IdentityConflict", "{delete:#}");
    approve(
        &env,
        delete["effectId"].as_str().unwrap(),
        ", acceptConflicts: true, reason: one household",
    );
    let done = env.run(&["apply", "--auto-approve", "-o", "json"]).exits(0).json();
    assert_eq!(task(&done, "A", "delete")["reason"], "Erased");
}

#[test]
fn what_cannot_be_read_approves_nothing() {
    let env = env("  {approval: required}");
    env.run(&["apply", "--auto-approve"]).exits(4);
    let id = effect(&env);
    approve(&env, "0123", "");
    let wrong = env.run(&["check"]).exits(3);
    assert!(wrong.stderr.contains("AMP0901"), "{}", wrong.stderr);
    env.write("approvals/approval-a.yaml", &format!("apiVersion: amparo/v1\nkind: Approval\nmetadata: {{name: a}}\nspec: {{request: r, key: A, effectId: {id}\n"));
    let before = env.files("lake");
    env.run(&["check"]).exits(3);
    env.run(&["apply", "--auto-approve"]).exits(5);
    assert_eq!(env.files("lake"), before);
}
