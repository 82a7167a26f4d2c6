//! Keyed digests in place of identities: retired requests stay the same, and new ones are found by them.

use serde_json::json;

use crate::sealing::{EMAIL, env, read, request, with_key};
use crate::support::{Env, task, text};

const PLAIN: &str = "  sealing: {recipients: [KEY]}";

fn digests(text: &str) -> Vec<String> {
    text.match_indices("hmac-sha256:").map(|(at, _)| text[at..at + 76].to_owned()).collect()
}

/// Puts a person's row back into the lake.
fn they_come_back(env: &Env, email: &str) {
    env.parquet(
        "lake/e.parquet",
        vec![
            ("email", text(&[email, "x@example.com"])),
            ("number", crate::support::numbers(&[1, 2])),
            ("cell", text(&["new", "y"])),
        ],
    );
}

#[test]
fn a_retired_request_is_still_the_same_task() {
    for seal_first in [false, true] {
        let env = env(PLAIN);
        request(&env);
        if seal_first {
            env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
        }
        let early = with_key(&env, &["retire", "r"]).exits(4);
        assert!(early.stderr.contains("A access is not done"), "{}", early.stderr);
        with_key(&env, &["apply", "--auto-approve"]).exits(0);
        if seal_first {
            let without = env.run(&["retire", "r"]).exits(4);
            assert!(without.stderr.contains("no key at hand opens"), "{}", without.stderr);
        }
        let before = read(&env, "requests/r.yaml");
        let done = env.run(&["status", "-o", "json"]).exits(0).json()["tasks"].clone();
        let commits = env.files("state/ledger").len();
        let retired = with_key(&env, &["retire", "r"]).exits(0);
        assert!(retired.stdout.contains("Git keeps"), "{}", retired.stdout);
        let after = read(&env, "requests/r.yaml");
        let found = digests(&after);
        assert_eq!(found.len(), 3);
        // Nobody's name is left; equal identities have equal digests; all around them is what it was.
        assert!(
            !after.contains(EMAIL) && !after.contains("4711004711") && !after.contains("sealed:")
        );
        assert_eq!(found[0], found[1]);
        assert!(after.contains("   # as they wrote it") && after.contains("# who wants what"));
        assert_eq!(before.lines().count(), after.lines().count());
        assert_eq!(with_key(&env, &["retire", "r"]).exits(0).stdout.matches("already").count(), 1);

        env.run(&["check"]).exits(0);
        for _ in 0..2 {
            let applied = env.apply().exits(0).json();
            assert_eq!(applied["totals"]["exports"], 0);
            assert_eq!(applied["totals"]["erasures"], 0);
        }
        assert_eq!(env.run(&["status", "-o", "json"]).exits(0).json()["tasks"], done);
        assert_eq!(env.files("state/ledger").len(), commits + 1);
        // The erasure is still checked, by digest.
        let verify = env.run(&["verify", "-o", "json"]).exits(0).json();
        assert_eq!(verify["erasures"][0]["rowsFound"], 0);
        they_come_back(&env, "PLANTED.person@example.com");
        let verify = env.run(&["verify", "-o", "json"]).exits(1).json();
        assert_eq!(verify["erasures"][0]["rowsFound"], 1);
    }
}

#[test]
fn what_cannot_be_retired_is_left_as_it_is() {
    let env = env(PLAIN);
    env.request(
        "standing",
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: S, action: [delete], standing: true, userIDs: [{{namespace: email, value: {EMAIL}}}]}}]}}"),
    );
    env.apply().exits(0);
    let before = read(&env, "requests/subjectrequest-standing.yaml");
    let run = env.run(&["retire", "standing"]).exits(4);
    assert!(run.stderr.contains("still in force"), "{}", run.stderr);
    assert_eq!(read(&env, "requests/subjectrequest-standing.yaml"), before);
    // Another person under the same key is another task, and that one is not done.
    env.write(
        "requests/subjectrequest-standing.yaml",
        &before.replace(EMAIL, "x@example.com").replace("standing: true, ", ""),
    );
    let run = env.run(&["retire", "standing"]).exits(4);
    assert!(run.stderr.contains("S delete is not done"), "{}", run.stderr);
    std::fs::remove_dir_all(env.path("state/keys")).unwrap();
    env.run(&["retire", "standing"]).exits(4);
}

/// A new request that gives its identities by the digests of a retired one.
fn by_digest(env: &Env, key: &str, namespace: &str, digest: &str, more: &str) {
    env.request(
        &key.to_lowercase(),
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: {key}, action: [access, delete], {more}userIDs: [{{namespace: {namespace}, digest: '{digest}'}}]}}]}}"),
    );
}

#[test]
fn digests_are_looked_up_in_texts_and_integers() {
    let env = env(PLAIN);
    request(&env);
    env.apply().exits(0);
    env.run(&["retire", "r"]).exits(0);
    let found = digests(&read(&env, "requests/r.yaml"));
    env.parquet(
        "lake/e.parquet",
        vec![
            ("email", text(&["q@example.com", "Planted.PERSON@example.com", "x@example.com"])),
            ("number", crate::support::numbers(&[4_711_004_711, 1, 2])),
            ("cell", text(&["by number", "by mail", "y"])),
        ],
    );
    by_digest(&env, "D", "number", &found[2], "");
    let applied = env.apply().exits(0).json();
    assert_eq!(task(&applied, "D", "delete")["reason"], "Erased");
    assert_eq!(task(&applied, "D", "delete")["datasets"][0]["personRows"], 1);
    assert!(env.package("d", "D")["e/person.csv"].contains("by number"));
    // What is gone is found no more, and the task stays done.
    let again = env.apply().exits(0).json();
    assert_eq!(task(&again, "D", "delete")["phase"], "Complete");
    // Another identity is another task.
    by_digest(&env, "D", "email", &found[0], "");
    let applied = env.apply().exits(0).json();
    assert_eq!(task(&applied, "D", "delete")["datasets"][0]["personRows"], 1);
    assert!(env.package("d", "D")["e/person.csv"].contains("by mail"));
    let cells = env.rows_of_text("lake/e.parquet", "cell");
    assert_eq!(cells[2], "y");
    assert!(cells[..2].iter().all(|cell| cell.starts_with("Privacy-")), "{cells:?}");
    // One that nobody has is a match of nothing, after a search.
    by_digest(&env, "D", "email", &format!("hmac-sha256:{}", "0".repeat(64)), "");
    let applied = env.apply().exits(0).json();
    assert_eq!(task(&applied, "D", "access")["reason"], "NoMatch");
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(task(&status, "D", "access")["counts"]["rowsSearched"], 3);
    // Without the deployment key nobody can look it up.
    by_digest(&env, "F", "email", &found[0], "standing: true, ");
    std::fs::rename(env.path("state/keys/deployment"), env.path("deployment")).unwrap();
    let plan = env.plan().exits(5).json();
    assert_eq!(task(&plan, "F", "delete")["reason"], "Sealed");
    std::fs::rename(env.path("deployment"), env.path("state/keys/deployment")).unwrap();
    // A standing one is looked up in every pass.
    env.apply().exits(0);
    they_come_back(&env, EMAIL);
    let applied = env.apply().exits(0).json();
    assert_eq!(task(&applied, "F", "delete")["reason"], "Erased");
    assert_eq!(env.rows_of_text("lake/e.parquet", "email")[1], "x@example.com");
    assert!(env.rows_of_text("lake/e.parquet", "email")[0].starts_with("Privacy-"));
}

#[test]
fn digests_that_cannot_be_looked_up_fail_their_blocks() {
    let env = env(PLAIN);
    request(&env);
    env.apply().exits(0);
    env.run(&["retire", "r"]).exits(0);
    let found = digests(&read(&env, "requests/r.yaml"));
    by_digest(&env, "D", "email", &found[0], "");
    // In bytes one value has several spellings: a miss would prove nothing.
    env.binary("lake/b.parquet", "mail", &[b"0x41", b"b"]);
    env.dataset(
        "b",
        "  product: e
  location: lake/b.parquet
  format: parquet
  fields:
    - {path: mail, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}",
    );
    let applied = env.apply().exits(5).json();
    let failed = task(&applied, "D", "delete");
    assert_eq!((&failed["phase"], &failed["reason"]), (&"Failed".into(), &"Sealed".into()));
    assert!(failed["message"].as_str().unwrap().contains("mail in b is a binary"), "{failed:#}");
    // Whether the erasure of the retired request still holds cannot be told, and `verify` says why.
    let verify = env.run(&["verify", "-o", "json"]).exits(1).json();
    assert!(verify["erasures"][0]["rowsFound"].is_null(), "{verify:#}");
    let why = verify["erasures"][0]["message"].as_str().unwrap();
    assert!(why.contains("mail in b is a binary"), "{verify:#}");
    std::fs::write(env.path("lake/b.parquet"), b"PAR1 torn").unwrap();
    let applied = env.apply().exits(5).json();
    assert_eq!(task(&applied, "D", "delete")["reason"], "Sealed");
    assert!(
        task(&applied, "D", "delete")["message"]
            .as_str()
            .unwrap()
            .contains("cannot be read as a whole")
    );
    std::fs::remove_file(env.path("lake/b.parquet")).unwrap();
    std::fs::remove_file(env.path("policies/dataset-b.yaml")).unwrap();
    let settings = read(&env, "policies/settings-default.yaml");
    env.write("policies/settings-default.yaml", &format!("{settings}  retired: [b]\n"));
    let applied = env.apply().exits(0).json();
    assert_eq!(task(&applied, "D", "delete")["phase"], "Complete");
}

/// After it was retired, a request's policies come to say that something else goes, too.
#[test]
fn what_changed_policies_would_erase_is_shown_of_retired_requests() {
    let with_note = |env: &Env, note: &str| {
        env.dataset(
            "e",
            &format!(
                "  product: e
  location: lake/e.parquet
  fields:
    - {{path: email, namespace: email, labels: [I1, ID-PERSON, ACC-ALL], reason: key}}
    - {{path: number, namespace: number, labels: [I2, ID-PERSON, ACC-ALL], reason: key}}
    - {{path: cell, labels: [I2, ACC-ALL{note}], reason: r}}"
            ),
        );
    };
    for (digest_only, namespace) in [(false, "email"), (true, "email"), (true, "number")] {
        let env = env(PLAIN);
        with_note(&env, "");
        let value = if namespace == "email" { EMAIL } else { "4711004711" };
        env.request(
            "r",
            &format!(
                "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [
    {{key: A, action: [delete], userIDs: [{{namespace: {namespace}, value: '{value}'}}]}}]}}"
            ),
        );
        env.apply().exits(0);
        if digest_only {
            env.run(&["retire", "r"]).exits(0);
        }
        assert_eq!(env.plan().exits(0).json()["drift"], json!([]), "the rules are the same");
        with_note(&env, ", DEL-PERSON");
        let plan = env.plan().exits(0).json();
        let rows = if namespace == "email" { 2 } else { 1 };
        assert_eq!(
            plan["drift"],
            json!([{"request": "r", "key": "A", "datasets": [{"dataset": "e", "rows": rows,
                "fields": [{"path": "cell", "method": "pseudonym", "cells": rows}]}]}]),
            "{namespace} by digest: {digest_only}"
        );
        assert_eq!(plan["notes"], json!([]));
        for format in ["human", "markdown", "json"] {
            let shown = env.run(&["plan", "-o", format]).exits(0).stdout;
            assert!(!shown.contains(value), "{shown}");
        }
    }
}

/// What cannot be looked at is counted.
#[test]
fn erasures_whose_identities_are_sealed_are_counted_where_policies_changed() {
    let env = env(PLAIN);
    request(&env);
    env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    with_key(&env, &["apply", "--auto-approve"]).exits(0);
    let policy = read(&env, "policies/dataset-e.yaml");
    env.write("policies/dataset-e.yaml", &policy.replace("path: cell,", "path: cell, pii: true,"));
    let notes = env.plan().json()["notes"].to_string();
    assert!(notes.contains("not looked for in 1 of them"), "{notes}");
    let notes = with_key(&env, &["plan", "-o", "json"]).exits(0).json()["notes"].to_string();
    assert!(!notes.contains("not looked for"), "{notes}");
}
