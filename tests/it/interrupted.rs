//! Deletes that were begun and whose requests are edited before they are done: what their expansion found
//! is not lost with the row that led to it (RULES.md section 5).

use serde_json::Value;

use crate::support::{Env, task, text};

pub(crate) const LAPSED: &str = "2026-12-01T00:00:00Z";

/// A customer whose row leads to an order; orders are held.
pub(crate) fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/c.parquet",
        vec![("email", text(&["a@x", "b@x"])), ("cid", text(&["L1", "L2"]))],
    );
    env.parquet(
        "lake/o.parquet",
        vec![("cid", text(&["L1", "L9"])), ("address", text(&["Street 1", "Road 2"]))],
    );
    for (name, fields) in [("c", "email, namespace: email"), ("o", "address")] {
        let labels = if name == "c" { "I1, ID-PERSON" } else { "I1" };
        env.dataset(
            name,
            &format!(
                "  product: p
  location: lake/{name}.parquet
  format: parquet
  fields:
    - {{path: {fields}, labels: [{labels}, DEL-PERSON, ACC-ALL]}}
    - {{path: cid, namespace: cid, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    env.document("policies", "Namespace", "cid", "  {namespace: cid, expansion: always}");
    env.document("policies", "Hold", "h", "  {datasets: [o], until: 2026-12-01, reason: lawsuit}");
    env
}

pub(crate) fn request(env: &Env, with: &str, ids: &[&str]) {
    let ids: Vec<String> =
        ids.iter().map(|id| format!("{{namespace: email, value: {id}}}")).collect();
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, {with} users: [{{key: A, action: [delete], userIDs: [{}]}}]}}",
            ids.join(", ")
        ),
    );
}

pub(crate) fn apply(env: &Env, now: &str) -> Value {
    env.run(&["--now", now, "apply", "--auto-approve", "-o", "json"]).json()
}

pub(crate) fn stands(report: &Value) -> (String, String) {
    let task = task(report, "A", "delete");
    let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
    (text("phase"), text("reason"))
}

pub(crate) fn keys(env: &Env) -> usize {
    let secret = |path: &&std::path::PathBuf| path.extension().is_some();
    env.files("state/keys").keys().filter(secret).count()
}

/// The first row of a column; empty where the row is gone or the value null.
pub(crate) fn first(env: &Env, name: &str, column: usize) -> String {
    let rows = env.rows(&format!("lake/{name}.parquet"));
    rows.first().and_then(|row| row[column].clone()).unwrap_or_default()
}

/// Whether the order that only the customer's row leads to is still there.
fn order_is_there(env: &Env) -> bool {
    first(env, "o", 1) == "Street 1"
}

#[test]
fn an_edited_delete_goes_on_with_what_it_had_found() {
    for (with, ids) in [
        ("", &["a@x", "a2@x"][..]),
        ("include: [p, q],", &["a@x"]),
        ("expandIds: true,", &["a@x"]),
        ("deleteMethod: purge,", &["a@x"]),
    ] {
        let env = env();
        request(&env, "include: [p],", &["a@x"]);
        let held = ("Blocked".to_owned(), "Held".to_owned());
        assert_eq!(stands(&apply(&env, "2026-11-22T00:00:00Z")), held);
        assert_ne!(first(&env, "c", 0), "a@x");
        request(&env, with, ids);
        assert_eq!(stands(&apply(&env, "2026-11-25T00:00:00Z")), held, "{with} {ids:?}");
        let done = apply(&env, LAPSED);
        assert_eq!(stands(&done).0, "Complete", "{with} {ids:?}");
        assert!(!order_is_there(&env), "{with} {ids:?}");
        assert_eq!(keys(&env), 0, "{with} {ids:?}");
    }
}

#[test]
fn a_mistake_that_is_taken_back_loses_nothing() {
    for mistake in ["nobody@x", "null"] {
        let env = env();
        request(&env, "", &["a@x"]);
        apply(&env, "2026-11-22T00:00:00Z");
        request(&env, "", &[mistake]);
        let meanwhile = stands(&apply(&env, "2026-11-23T00:00:00Z")).0;
        assert_eq!(meanwhile, if mistake == "null" { "Rejected" } else { "Complete" });
        request(&env, "", &["a@x"]);
        assert_eq!(stands(&apply(&env, "2026-11-24T00:00:00Z")).1, "Held", "{mistake}");
        assert_eq!(stands(&apply(&env, LAPSED)).0, "Complete", "{mistake}");
        assert!(!order_is_there(&env), "{mistake}");
        assert_eq!(keys(&env), 0, "{mistake}");
    }
}

#[test]
fn a_request_for_somebody_else_takes_over_nothing() {
    let env = env();
    request(&env, "", &["a@x"]);
    apply(&env, "2026-11-22T00:00:00Z");
    request(&env, "", &["b@x"]);
    apply(&env, LAPSED);
    assert!(order_is_there(&env));
    // Withdrawn, there is nothing left to remember.
    request(&env, "", &["a@x"]);
    env.document("policies", "Hold", "h", "  {datasets: [o], reason: lawsuit}");
    assert_eq!(stands(&apply(&env, LAPSED)).1, "Held");
    request(&env, "withdrawn: true,", &["a@x"]);
    assert_eq!(stands(&apply(&env, LAPSED)).0, "Cancelled");
    assert_eq!(keys(&env), 0);
}

#[test]
fn mistakes_may_come_again_and_be_of_any_kind() {
    let passes = |forms: &[(&str, &[&str])]| {
        let env = env();
        for (day, (with, ids)) in (22..).zip(forms) {
            request(&env, with, ids);
            apply(&env, &format!("2026-11-{day}T00:00:00Z"));
        }
        assert_eq!(stands(&apply(&env, "2026-11-29T00:00:00Z")).1, "Held", "{forms:?}");
        assert_eq!(stands(&apply(&env, LAPSED)), ("Complete".to_owned(), "Erased".to_owned()));
        assert!(!order_is_there(&env), "{forms:?}");
        assert_eq!(keys(&env), 0, "{forms:?}");
    };
    let (right, wrong, both) = (&["a@x"][..], &["nobody@x"][..], &["a@x", "a2@x"][..]);
    passes(&[("", right), ("", wrong), ("", right), ("", wrong), ("", right)]);
    passes(&[("", right), ("", both), ("", right), ("", both)]);
    passes(&[("", right), ("include: [q],", right), ("", right)]);
    passes(&[("", right), ("", &["null"]), ("", &["none"]), ("", right)]);
}

#[test]
fn a_hold_on_a_request_that_is_broken_or_gone_lets_nothing_go() {
    let env = env();
    env.document("policies", "Hold", "h", "  {requests: [r], until: 2026-12-01, reason: lawsuit}");
    request(&env, "", &["a@x"]);
    apply(&env, "2026-11-22T00:00:00Z");
    env.request(
        "other",
        "  {regulation: gdpr, receivedAt: 2026-11-20, users: [{key: B, action: [delete], userIDs: [{namespace: cid, value: L1}]}]}",
    );
    let other = |day: u8| {
        let now = format!("2026-11-{day}T00:00:00Z");
        let report = env.run(&["--now", &now, "apply", "--auto-approve", "-o", "json"]).json();
        task(&report, "B", "delete")["reason"].clone()
    };
    assert_eq!(other(23), "Held");
    request(&env, "", &["null"]);
    assert_eq!(other(24), "Held");
    env.request("r", "  {regulation: [}");
    assert_eq!(other(25), "Held");
    std::fs::remove_file(env.path("requests/subjectrequest-r.yaml")).unwrap();
    assert_eq!(other(26), "Held");
    assert!(order_is_there(&env));
    assert_eq!(first(&env, "c", 0), "a@x");
}
