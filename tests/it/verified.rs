//! `verify` where something keeps it from looking: it says so, of what it concerns, and never passes.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Env, text};

/// Erasures of `x` in e and f (request r), and of `y` in f alone (request s).
fn env() -> Env {
    let env = Env::new();
    for name in ["e", "f"] {
        file(&env, &format!("lake/{name}/a.parquet"), &["x", "y", "z"]);
        dataset(&env, name, name, LABELS);
    }
    file(&env, "lake/e/b.parquet", &["q", "x"]);
    request(&env, "r", "x", "e, f");
    request(&env, "s", "y", "f");
    env.apply().exits(0);
    env
}

const LABELS: &str = ", namespace: who, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]";
const REQUEST: &str = "requests/subjectrequest-r.yaml";

fn file(env: &Env, path: &str, who: &[&str]) {
    env.parquet(path, vec![("who", text(who))]);
}

fn dataset(env: &Env, name: &str, product: &str, labels: &str) {
    let spec = format!(
        "  product: {product}
  location: lake/{name}/
  format: parquet
  fields: [{{path: who{labels}}}]"
    );
    env.dataset(name, &spec);
}

fn request(env: &Env, name: &str, value: &str, include: &str) {
    block(
        env,
        name,
        &format!("action: [delete], userIDs: [{{namespace: who, value: {value}}}]"),
        include,
    );
}

fn block(env: &Env, name: &str, block: &str, include: &str) {
    env.request(
        name,
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [{include}], users: [{{key: A, {block}}}]}}"),
    );
}

fn namespace(env: &Env, spec: &str) {
    env.document("policies", "Namespace", "who", &format!("  {{namespace: who, {spec}}}"));
}

fn verify(env: &Env, code: i32) -> Value {
    let report = env.run(&["verify", "-o", "json"]).exits(code).json();
    assert_eq!(report["ok"], code == 0, "{report:#}");
    assert_eq!(report["ledger"]["intact"], true, "{report:#}");
    report
}

/// The erasure of a request.
#[track_caller]
fn erasure<'a>(report: &'a Value, request: &str) -> &'a Value {
    let all = report["erasures"].as_array().unwrap();
    all.iter().find(|erasure| erasure["request"] == request).unwrap()
}

/// The erasure of r cannot be told, for this reason; that of s holds.
#[track_caller]
fn unclear(env: &Env, why: &str) {
    let report = verify(env, 1);
    let found = erasure(&report, "r");
    assert!(found["rowsFound"].is_null(), "{report:#}");
    assert!(found["message"].as_str().unwrap().contains(why), "{why}: {report:#}");
    assert_eq!(report["unchecked"], 0, "{report:#}");
    let human = env.run(&["verify"]).exits(1).stdout;
    assert!(human.contains("cannot be told") && human.contains(why), "{human}");
    assert!(!human.contains("counted apart"), "{human}");
}

#[test]
fn an_erasure_of_which_nobody_can_tell_whom_it_was_about_does_not_pass() {
    for come_back in [false, true] {
        let again = || {
            let env = env();
            if come_back {
                file(&env, "lake/e/c.parquet", &["x"]);
            }
            env
        };
        let env = again();
        namespace(&env, "format: '^[0-9]+$'");
        unclear(&env, "a value is not formatted correctly");
        namespace(&env, "ignore: [x]");
        unclear(&env, "a value is not formatted correctly");
        fs::remove_file(env.path("policies/namespace-who.yaml")).unwrap();

        request(&env, "r", "'null'", "e, f");
        unclear(&env, "a value is not formatted correctly");
        request(&env, "r", "other", "e, f");
        unclear(&env, "have changed since it was completed");
        request(&env, "r", "x", "e");
        unclear(&env, "have changed since it was completed");
        env.request("r", "  {regulation: gdpr, nonsense: 1}");
        unclear(&env, "the request is not valid today");
        // A file of which nothing can be read may hold any request.
        env.write(REQUEST, "a: [");
        unclear(&env, "subjectrequest-r.yaml, which is not valid");
        fs::remove_file(env.path(REQUEST)).unwrap();
        env.write("requests/many.yaml", "a: [");
        unclear(&env, "many.yaml, which is not valid");

        env.write(
            "requests/many.yaml",
            "{apiVersion: amparo/v1, kind: SubjectRequest, metadata: {nam: r}, spec: {}}",
        );
        unclear(&env, "many.yaml, which is not valid");
        // One that says whose it is hides nobody's.
        env.request("another", "  {regulation: gdpr, nonsense: 1}");
        fs::remove_file(env.path("requests/many.yaml")).unwrap();
        assert_eq!(verify(&env, 0)["unchecked"], 1);
        fs::remove_file(env.path("requests/subjectrequest-another.yaml")).unwrap();

        // As it was: it is looked at again.
        request(&env, "r", "x", "e, f");
        let report = verify(&env, i32::from(come_back));
        assert_eq!(erasure(&report, "r")["rowsFound"], u64::from(come_back));
        // Also where the block does not ask for it any more.
        block(&env, "r", "action: [access], userIDs: [{namespace: who, value: x}]", "e, f");
        let report = verify(&env, i32::from(come_back));
        assert_eq!(erasure(&report, "r")["rowsFound"], u64::from(come_back));
    }
}

#[test]
fn an_erasure_whose_request_is_gone_counts_apart() {
    for gone in ["the request is gone", "the request no longer has the block"] {
        let env = env();
        file(&env, "lake/e/c.parquet", &["x"]);
        if gone.ends_with("block") {
            env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, include: [e, f], users: [{key: B, action: [access], userIDs: [{namespace: who, value: z}]}]}");
        } else {
            fs::remove_file(env.path(REQUEST)).unwrap();
        }
        let report = verify(&env, 0);
        assert!(erasure(&report, "r")["rowsFound"].is_null(), "{report:#}");
        assert_eq!(erasure(&report, "r")["message"], gone);
        assert_eq!(
            (&report["unchecked"], &erasure(&report, "s")["rowsFound"]),
            (&1.into(), &0.into())
        );
        let human = env.run(&["verify"]).exits(0).stdout;
        assert!(human.contains(&format!("no longer checked: {gone}")), "{human}");
        assert!(human.contains("1 erasure counted apart"), "{human}");
    }
}

#[test]
fn a_dataset_that_left_the_policies_is_no_longer_checked_unless_it_is_retired() {
    let env = env();
    fs::remove_file(env.path("policies/dataset-e.yaml")).unwrap();
    file(&env, "lake/e/c.parquet", &["x"]);
    unclear(&env, "dataset e is gone from the policies");
    // That of s, which never was to look there, stays what it was.
    assert!(erasure(&verify(&env, 1), "s")["message"].is_null());
    // What is known of the other datasets is still said.
    file(&env, "lake/f/c.parquet", &["x"]);
    let report = verify(&env, 1);
    let found = erasure(&report, "r");
    assert_eq!((&found["rowsFound"], &found["datasets"][0]["dataset"]), (&1.into(), &"f".into()));
    assert!(found["message"].as_str().unwrap().contains("dataset e is gone"), "{report:#}");
    let human = env.run(&["verify"]).exits(1).stdout;
    assert!(human.contains("1 row found; not all of it can be told: dataset e is gone"), "{human}");
    fs::remove_file(env.path("lake/f/c.parquet")).unwrap();
    env.document("policies", "Settings", "default", "  {retired: [e]}");
    assert_eq!(erasure(&verify(&env, 0), "r")["rowsFound"], 0);
}

#[test]
fn a_dataset_in_which_it_erased_and_that_nothing_leads_to_any_more_is_said() {
    let env = env();
    file(&env, "lake/e/c.parquet", &["x"]);
    dataset(&env, "e", "e", "");
    unclear(&env, "no field of it is labelled with a namespace that leads there");
    dataset(&env, "e", "e", ", namespace: other, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]");
    unclear(&env, "no field of it is labelled with a namespace that leads there");
    dataset(&env, "e", "e", ", namespace: who, labels: [I2, ID-PERSON, ACC-ALL], reason: kept");
    unclear(&env, "no field of it is labelled to be erased");
    dataset(&env, "e", "elsewhere", LABELS);
    unclear(&env, "its product, source or environment is another");
    dataset(&env, "e", "e", LABELS);
    assert_eq!(erasure(&verify(&env, 1), "r")["rowsFound"], 1);
}

#[test]
fn what_cannot_be_read_keeps_nobody_from_the_rest() {
    let unreadable = |env: &Env, what: &str| {
        unclear(env, what);
        let report = verify(env, 1);
        assert_eq!(
            erasure(&report, "s"),
            &json!({"request": "s", "key": "A", "rowsFound": 0, "datasets": []})
        );
        assert_eq!(report["canaries"]["expected"], report["canaries"]["found"], "{report:#}");
        let problem = report["problems"][0].as_str().unwrap();
        assert!(problem.contains("dataset e") && problem.contains(what), "{report:#}");
    };
    let env = env();
    let path = env.path("lake/e/b.parquet");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, b"PAR1xxxxxxPAR1").unwrap();
    unreadable(&env, "lake/e/b.parquet");
    // Rows in the files that can be read are found all the same.
    file(&env, "lake/e/c.parquet", &["x"]);
    let report = verify(&env, 1);
    assert_eq!(erasure(&report, "r")["rowsFound"], 1, "{report:#}");
    assert!(erasure(&report, "r")["message"].as_str().unwrap().contains("lake/e/b.parquet"));
    fs::remove_file(env.path("lake/e/c.parquet")).unwrap();
    // A footer that can be read, over pages that cannot.
    let mut torn = whole.clone();
    torn[4..40].fill(0xff);
    fs::write(&path, torn).unwrap();
    unreadable(&env, "lake/e/b.parquet");
    fs::remove_dir_all(env.path("lake/e")).unwrap();
    unreadable(&env, "lake/e");
    // Two datasets of one place stop every pass, and so do they here.
    let env = self::env();
    dataset(&env, "g", "g", LABELS);
    let policy = env.path("policies/dataset-g.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replace("lake/g/", "lake/e/")).unwrap();
    unreadable(&env, "belongs to the dataset `g` too");
}

#[test]
fn policies_that_are_invalid_keep_nobody_from_ledger_and_packages() {
    let env = env();
    block(&env, "t", "action: [access], userIDs: [{namespace: who, value: z}]", "f");
    env.apply().exits(0);
    env.write("policies/broken.yaml", "kind: [");
    let run = env.run(&["verify", "-o", "json"]).exits(3);
    let report = run.json();
    assert_eq!((&report["ok"], &report["ledger"]["intact"]), (&false.into(), &true.into()));
    assert_eq!(report["packages"], json!([{"package": "exports/t/A.zip", "intact": true}]));
    assert!(report["diagnostics"][0]["file"].as_str().unwrap().contains("broken.yaml"));
    for name in ["r", "s"] {
        let found = erasure(&report, name);
        assert!(found["rowsFound"].is_null(), "{report:#}");
        assert!(found["message"].as_str().unwrap().contains("policies are invalid"), "{report:#}");
    }
    assert!(run.stderr.contains("the policies are invalid"), "{}", run.stderr);
    let human = env.run(&["verify"]).exits(3);
    assert!(human.stdout.contains("exports/t/A.zip") && human.stdout.contains("intact"));
    assert!(human.stderr.contains("broken.yaml"), "{}", human.stderr);
    // What is worse counts.
    fs::write(env.path("exports/t/A.zip"), "another").unwrap();
    env.run(&["verify", "-o", "json"]).exits(1);
    fs::remove_file(env.path("exports/t/A.zip")).unwrap();
    fs::create_dir(env.path("exports/t/A.zip")).unwrap();
    let report = env.run(&["verify", "-o", "json"]).exits(1).json();
    assert_eq!(report["packages"][0]["intact"], false, "{report:#}");
    // A directory that cannot be read at all.
    let env = self::env();
    fs::rename(env.path("requests"), env.path("moved")).unwrap();
    let report = verify(&env, 1);
    assert!(erasure(&report, "r")["message"].as_str().unwrap().contains("cannot read requests"));
}
