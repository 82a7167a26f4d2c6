//! What the simulation has found, as the shortest stories that show it.

use std::fs;

use crate::support::{Env, WHO, task, text};

/// Two datasets of one namespace, `e` with a field that may narrow a block.
fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e/1.parquet",
        vec![
            ("who", text(&["p", "q"])),
            ("dev", text(&["d", "d"])),
            ("region", text(&["eu", "us"])),
        ],
    );
    env.parquet("lake/f/1.parquet", vec![("who", text(&["p", "q"]))]);
    env.table(
        "e",
        "lake/e",
        &[
            "path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, DEL-DEVICE, ACC-ALL]",
            "path: dev, namespace: dev, labels: [I2, ID-DEVICE, ACC-ALL]",
            "path: region, labels: [ACC-ALL], selectable: true",
        ],
    );
    env.table("f", "lake/f", &[WHO]);
    env
}

fn delete(env: &Env, name: &str, id: (&str, &str), more: &str, of_block: &str) {
    let (namespace, value) = id;
    env.request(
        name,
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, {more} users: [{{key: A, action: [delete], {of_block} userIDs: [{{namespace: {namespace}, value: {value}}}]}}]}}"),
    );
}

fn corrupt(env: &Env) {
    env.write("lake/f/2.parquet", "this is no Parquet");
}

#[test]
fn each_erasure_is_verified_as_if_it_were_alone() {
    let env = env();
    delete(&env, "r1", ("who", "p"), "", "");
    delete(&env, "r2", ("dev", "d"), "", "");
    env.apply().exits(0);
    env.parquet(
        "lake/e/2.parquet",
        vec![("who", text(&["p"])), ("dev", text(&["d"])), ("region", text(&["eu"]))],
    );
    let report = env.run(&["verify", "-o", "json"]).exits(1).json();
    for erasure in report["erasures"].as_array().unwrap() {
        assert_eq!(erasure["rowsFound"], 1, "{erasure}");
    }
}

#[test]
fn a_hold_that_came_later_hides_nothing_from_verify() {
    let env = env();
    delete(&env, "r", ("who", "p"), "", "");
    env.apply().exits(0);
    env.parquet("lake/f/2.parquet", vec![("who", text(&["p"]))]);
    env.document("policies", "Hold", "h", "  {datasets: [f], reason: court}");
    let report = env.run(&["verify", "-o", "json"]).exits(1).json();
    assert_eq!(report["erasures"][0]["rowsFound"], 1);
}

#[test]
fn a_standing_erasure_is_not_in_force_where_data_cannot_be_read() {
    let env = env();
    delete(&env, "r", ("who", "p"), "", "standing: true,");
    env.apply().exits(0);
    corrupt(&env);
    // The date that the ledger had is that of its completion; now there is something to wait for again.
    delete(
        &env,
        "r",
        ("who", "p"),
        "extension: {until: 2027-02-01, reason: many},",
        "standing: true,",
    );
    let report = env.apply().exits(5).json();
    let failed = task(&report, "A", "delete").clone();
    assert_eq!(
        (&failed["phase"], &failed["reason"]),
        (&"Failed".into(), &"PartiallyCompleted".into())
    );
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(task(&status, "A", "delete")["due"], "2027-02-01T00:00:00Z");
    let before = env.files("state/ledger");
    env.apply().exits(5);
    assert_eq!(env.files("state/ledger"), before, "nothing is new");
    fs::remove_file(env.path("lake/f/2.parquet")).unwrap();
    let report = env.apply().exits(0).json();
    let done = task(&report, "A", "delete");
    assert_eq!((&done["phase"], &done["reason"]), (&"Complete".into(), &"Erased".into()));
}

#[test]
fn data_that_cannot_be_narrowed_so_hinders_nobody_who_narrows() {
    let env = env();
    corrupt(&env);
    delete(&env, "r", ("who", "p"), "", "only: {where: {region: eu}},");
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "ErasedNarrowed");
    assert!(env.rows("lake/e/1.parquet")[0][0].as_deref().unwrap().starts_with("Privacy-"));
    assert_eq!(env.rows("lake/f/1.parquet")[0][0].as_deref(), Some("p"));
}

#[test]
fn what_an_earlier_form_of_a_request_erased_is_no_match_of_the_new_one() {
    let env = env();
    env.document("policies", "Hold", "h", "  {datasets: [f], reason: court}");
    delete(&env, "r", ("who", "p"), "", "");
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "Held");
    delete(&env, "r", ("who", "nobody"), "", "");
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "A", "delete")["reason"], "NoMatch");
}

#[test]
fn a_request_that_says_something_valid_again_is_not_rejected() {
    let env = env();
    let states = || {
        let status = env.run(&["status", "-o", "json"]).json();
        let tasks = status["tasks"].as_array().unwrap().iter();
        let words = |task: &serde_json::Value| {
            ["key", "action", "phase"].map(|key| task[key].as_str().unwrap_or("-").to_owned())
        };
        tasks.map(|task| words(task).join(" ")).collect::<Vec<_>>()
    };
    let broken = |code| {
        env.request("r", "  {users: 7}");
        env.apply().exits(code);
        assert_eq!(states()[0], "- - Rejected");
    };
    delete(&env, "r", ("who", "p"), "", "");
    env.apply().exits(0);
    broken(3);
    delete(&env, "r", ("who", "p"), "", "");
    env.apply().exits(0);
    assert_eq!(states(), ["A delete Complete"]);
    let ledger = env.files("state/ledger");
    env.apply().exits(0);
    assert_eq!(env.files("state/ledger"), ledger, "it is said once");
    // One that has nothing to say of itself besides: it was withdrawn before, and still is.
    delete(&env, "r", ("who", "q"), "withdrawn: true,", "");
    env.apply().exits(0);
    broken(3);
    delete(&env, "r", ("who", "q"), "withdrawn: true,", "");
    env.apply().exits(0);
    assert_eq!(states(), ["A delete Cancelled"]);
    // One that is held, which waits while nothing valid is said.
    env.document("policies", "Hold", "h", "  {datasets: [e], reason: court}");
    delete(&env, "r", ("dev", "d"), "", "");
    env.apply().exits(0);
    broken(5);
    assert_eq!(states(), ["- - Rejected", "A delete Blocked"]);
    delete(&env, "r", ("dev", "d"), "", "");
    env.apply().exits(0);
    assert_eq!(states(), ["A delete Blocked"]);
}

#[test]
fn a_conflict_that_an_erasure_of_the_same_pass_ends_blocks_that_pass_only() {
    let env = Env::new();
    env.document("policies", "Namespace", "customer", "  {namespace: customer, expansion: always}");
    env.parquet(
        "lake/c/1.parquet",
        vec![("mail", text(&["a", "b"])), ("customer", text(&["1", "1"]))],
    );
    env.table(
        "c",
        "lake/c/",
        &[
            "path: mail, namespace: mail, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: customer, namespace: customer, labels: [I2, ID-PERSON, ACC-ALL]",
        ],
    );
    let request = |name: &str, value: &str, more: &str| {
        env.request(
            name,
            &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [c], users: [{{key: K, action: [delete], {more} userIDs: [{{namespace: mail, value: {value}}}]}}]}}"),
        );
    };
    let of = |report: &serde_json::Value, name: &str| {
        let tasks = report["tasks"].as_array().unwrap();
        tasks.iter().find(|task| task["request"] == name).unwrap().clone()
    };
    request("r1", "b", "");
    let report = env.apply().exits(4).json();
    assert_eq!(of(&report, "r1")["reason"], "IdentityConflict");
    // Somebody has looked at the other request: what it erases is what the conflict was about.
    request("r2", "a", "acceptConflicts: true,");
    let report = env.apply().exits(4).json();
    assert_eq!(of(&report, "r1")["reason"], "IdentityConflict");
    assert_eq!(of(&report, "r2")["reason"], "Erased");
    let report = env.apply().exits(0).json();
    assert_eq!(of(&report, "r1")["phase"], "Complete");
    let ledger = env.files("state/ledger");
    env.apply().exits(0);
    assert_eq!(env.files("state/ledger"), ledger, "it has come to rest");
}

#[test]
fn a_value_of_a_wrong_form_rejects_a_block_that_was_done_without_it() {
    let env = env();
    env.document("policies", "Namespace", "who", "  {namespace: who, format: '^[a-z]$'}");
    let ids = |more: &str| {
        env.request(
            "r",
            &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, users: [{{key: A, action: [delete], userIDs: [{{namespace: who, value: p}}{more}]}}]}}"),
        );
    };
    ids("");
    env.apply().exits(0);
    ids(", {namespace: who, value: '77'}");
    let report = env.apply().exits(3).json();
    let rejected = task(&report, "A", "delete");
    assert_eq!(
        (&rejected["phase"], &rejected["reason"]),
        (&"Rejected".into(), &"ValueFormat".into())
    );
    let ledger = env.files("state/ledger");
    env.apply().exits(3);
    assert_eq!(env.files("state/ledger"), ledger, "it is said once");
}
