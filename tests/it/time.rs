//! What time does: due dates, expiry, holds that lapse, clocks that go back.

use serde_json::Value;

use crate::support::{Env, Run, WHO, task, text};

fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![("who", text(&["p", "p", "q"])), ("name", text(&["Ann", "", "Bob"]))],
    );
    env.table("e", "lake/e.parquet", &[WHO, "path: name, labels: [I1, DEL-PERSON, ACC-ALL]"]);
    env
}

/// A request of one block with these actions; `with` are keys of the spec.
fn request(env: &Env, actions: &str, with: &str) {
    env.request(
        "r",
        &format!("  {{include: [e], {with} users: [{{key: A, action: [{actions}], userIDs: [{{namespace: who, value: p}}]}}]}}"),
    );
}

fn at(env: &Env, now: &str, args: &[&str]) -> Run {
    let now = format!("{now}Z");
    env.run(&[&["--now", &now], args, &["-o", "json"]].concat())
}

fn apply(env: &Env, now: &str) -> Run {
    at(env, now, &["apply", "--auto-approve"])
}

fn status(env: &Env, now: &str, action: &str) -> Value {
    task(&at(env, now, &["status"]).exits(0).json(), "A", action).clone()
}

#[test]
fn each_regulation_has_its_due_date_and_settings_override_it() {
    let env = env();
    env.document("policies", "Settings", "default", "  {deadlines: {ccpa: 10d, nzpa_nzl: 5wd}}");
    for (regulation, due) in [
        ("gdpr", "2027-02-28"),
        ("lgpd_bra", "2027-02-15"),
        ("pdpa_tha", "2027-03-02"),
        ("hipaa_usa", "2027-03-02"),
        ("vcdpa_va_usa", "2027-03-17"),
        ("ccpa", "2027-02-10"),
        // 31 January 2027 is a Sunday.
        ("nzpa_nzl", "2027-02-05"),
        ("moon", "2027-03-02"),
    ] {
        let with = format!("regulation: {regulation}, receivedAt: 2027-01-31, suspend: true,");
        request(&env, "access", &with);
        apply(&env, "2027-01-31T09:00:00").exits(0);
        let status = status(&env, "2027-01-31T09:00:00", "access");
        assert!(status["due"].as_str().unwrap().starts_with(due), "{regulation}: {status:#}");
    }
}

#[test]
fn overdue_is_4_until_an_extension_moves_the_date() {
    let env = env();
    request(&env, "access", "regulation: gdpr, receivedAt: 2026-11-20, suspend: true,");
    apply(&env, "2026-12-20T00:00:00").exits(0);
    assert_eq!(status(&env, "2026-12-20T00:00:00", "access")["overdue"], false);
    let late = status(&env, "2026-12-20T00:00:01", "access");
    assert_eq!(late["overdue"], true);
    assert!(late["help"].as_str().unwrap().contains("suspend"), "{late:#}");
    at(&env, "2026-12-20T00:00:01", &["plan"]).exits(4);
    apply(&env, "2026-12-20T00:00:01").exits(4);
    request(
        &env,
        "access",
        "regulation: gdpr, receivedAt: 2026-11-20, suspend: true, extension: {until: 2027-02-20, reason: complex},",
    );
    apply(&env, "2026-12-20T00:00:01").exits(0);
    let moved = status(&env, "2026-12-20T00:00:01", "access");
    assert_eq!((&moved["overdue"], &moved["due"]), (&false.into(), &"2027-02-20T00:00:00Z".into()));
    // Done is never overdue.
    request(&env, "access", "regulation: gdpr, receivedAt: 2026-11-20,");
    apply(&env, "2027-03-01T00:00:00").exits(0);
    assert_eq!(status(&env, "2028-01-01T00:00:00", "access")["overdue"], false);
}

#[test]
fn a_package_is_deleted_by_the_first_pass_at_its_expiry() {
    let env = env();
    request(&env, "access", "regulation: gdpr, receivedAt: 2026-11-20,");
    apply(&env, "2026-11-22T09:00:00").exits(0);
    let zip = env.path("exports/r/A.zip");
    let history = |now: &str| at(&env, now, &["history"]).exits(0).json()["entries"][0].clone();
    assert_eq!(history("2026-11-22T09:00:00")["status"], "Ready");
    apply(&env, "2026-12-06T08:59:59").exits(0);
    assert!(zip.exists());
    apply(&env, "2026-12-06T09:00:00").exits(0);
    assert!(!zip.exists(), "it is really gone");
    let expired = history("2026-12-06T09:00:00");
    assert_eq!(
        (&expired["status"], &expired["expiresAt"]),
        (&"Expired".into(), &"2026-12-06T09:00:00Z".into())
    );
    let status = status(&env, "2026-12-06T09:00:00", "access");
    assert_eq!((&status["phase"], &status["package"]), (&"Complete".into(), &Value::Null));
    let before = env.files("state/ledger");
    apply(&env, "2026-12-07T09:00:00").exits(0);
    assert!(before == env.files("state/ledger"), "gone once is gone");
    at(&env, "2026-12-07T09:00:00", &["verify"]).exits(0);
}

#[test]
fn a_hold_lapses_and_its_erasure_resumes() {
    let env = env();
    env.document(
        "policies",
        "Hold",
        "h",
        "  {datasets: [e], fields: [who], until: 2026-12-01, reason: tax}",
    );
    request(&env, "delete", "regulation: gdpr, receivedAt: 2026-11-20,");
    apply(&env, "2026-11-22T09:00:00").exits(0);
    let held = status(&env, "2026-11-22T09:00:00", "delete");
    assert_eq!((&held["phase"], &held["reason"]), (&"Blocked".into(), &"Held".into()));
    assert!(held["help"].as_str().unwrap().contains("lapses"), "{held:#}");
    assert_eq!(env.rows("lake/e.parquet")[0][0].as_deref(), Some("p"));
    let lake = env.files("lake");
    apply(&env, "2026-11-30T23:59:59").exits(0);
    assert!(lake == env.files("lake"));
    apply(&env, "2026-12-01T00:00:00").exits(0);
    let done = status(&env, "2026-12-01T00:00:00", "delete");
    assert_eq!(done["reason"], "Erased");
    let (first, second) =
        (env.rows("lake/e.parquet")[0].clone(), env.rows("lake/e.parquet")[1].clone());
    assert_ne!(first[0].as_deref(), Some("p"));
    assert_eq!(first[0], second[0], "one person, one pseudonym");
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let env = env();
    env.document(
        "policies",
        "Hold",
        "h",
        "  {datasets: [e], fields: [name], until: 2026-12-01, reason: tax}",
    );
    request(&env, "access, delete", "regulation: gdpr,");
    apply(&env, "2026-11-25T09:00:00").exits(0);
    let (seen, due) = {
        let held = status(&env, "2026-11-25T09:00:00", "delete");
        (held["receivedAt"].clone(), held["due"].clone())
    };
    // The package expires, then the clock goes back by weeks: nothing comes back, nothing moves.
    apply(&env, "2026-12-09T09:00:00").exits(0);
    let done = status(&env, "2026-12-09T09:00:00", "delete");
    assert_eq!(done["reason"], "Erased");
    let back = "2026-11-20T09:00:00";
    let (ledger, lake) = (env.files("state/ledger"), env.files("lake"));
    let run = apply(&env, back).exits(0);
    assert!(run.stderr.contains("clock"), "{}", run.stderr);
    assert!(ledger == env.files("state/ledger") && lake == env.files("lake"));
    assert!(!env.path("exports/r/A.zip").exists());
    let history = at(&env, back, &["history"]).exits(0).json();
    assert_eq!(history["entries"][0]["status"], "Expired");
    let same = status(&env, back, "delete");
    assert_eq!((&same["receivedAt"], &same["due"]), (&seen, &due), "first seen stays first seen");
    assert_eq!((&same["phase"], &same["finishedAt"]), (&"Complete".into(), &done["finishedAt"]));
    at(&env, back, &["verify"]).exits(0);
    // New work is done all the same, and its times are those of the clock.
    env.request("s", "  {regulation: gdpr, include: [e], users: [{key: B, action: [access], userIDs: [{namespace: who, value: q}]}]}");
    apply(&env, back).exits(0);
    let new = at(&env, back, &["status", "s"]).exits(0).json();
    assert_eq!(task(&new, "B", "access")["receivedAt"], "2026-11-20T09:00:00Z");
    assert_eq!(task(&new, "B", "access")["expiresAt"], "2026-12-04T09:00:00Z");
    // Forward again it expires by its own time.
    apply(&env, "2026-12-09T09:00:00").exits(0);
    assert!(!env.path("exports/s/B.zip").exists());
    at(&env, "2026-12-09T09:00:00", &["verify"]).exits(0);
}

#[test]
fn a_hold_that_lapsed_holds_again_where_the_clock_was_wrong() {
    let env = env();
    env.document("policies", "Hold", "h", "  {datasets: [e], until: 2026-12-01, reason: tax}");
    // A pass of a machine that believes it is 2099 sees no request yet; the clock is then put right.
    apply(&env, "2099-01-01T00:00:00").exits(0);
    request(&env, "delete", "regulation: gdpr, receivedAt: 2026-11-20,");
    let lake = env.files("lake");
    apply(&env, "2026-11-22T09:00:00").exits(0);
    assert_eq!(status(&env, "2026-11-22T09:00:00", "delete")["reason"], "Held");
    assert!(lake == env.files("lake"), "what must be kept is kept by the clock as it is now");
}

#[test]
fn a_lapsed_hold_may_speak_of_what_is_no_longer_there() {
    let env = env();
    request(&env, "delete", "regulation: gdpr, receivedAt: 2026-11-20,");
    for scope in ["datasets: [e], fields: [gone]", "datasets: [gone]"] {
        env.document(
            "policies",
            "Hold",
            "h",
            &format!("  {{{scope}, until: 2026-12-01, reason: tax}}"),
        );
        at(&env, "2026-11-30T09:00:00", &["check"]).exits(3);
        apply(&env, "2026-11-30T09:00:00").exits(3);
        let check = at(&env, "2026-12-01T09:00:00", &["check"]).exits(0).json();
        let severities: Vec<&str> = check["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|diagnostic| diagnostic["severity"].as_str().unwrap())
            .collect();
        assert!(severities.contains(&"warning"), "{check:#}");
        at(&env, "2026-12-01T09:00:00", &["plan"]).exits(0);
    }
}
