//! Pipes, sockets and devices where files should be: named, and never waited for.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Env, NOW, task, text};

/// Far longer than any pass here takes: a pass that waits for a pipe's other end waits for ever.
const DEADLINE: Duration = Duration::from_secs(120);

fn env() -> Env {
    let env = Env::new();
    for name in ["e", "f"] {
        env.parquet(&format!("lake/{name}/1.parquet"), vec![("who", text(&["p", "q"]))]);
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: lake/{name}/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    request(&env, "r", "");
    env
}

fn request(env: &Env, name: &str, only: &str) {
    env.request(
        name,
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e, f], users: [{{key: A, action: [delete], {only} userIDs: [{{namespace: who, value: p}}]}}]}}"),
    );
}

fn mkfifo(env: &Env, name: &str) {
    assert!(Command::new("mkfifo").arg(env.path(name)).status().unwrap().success());
}

/// Runs the binary, which must end by itself; what it printed.
fn run(env: &Env, args: &[&str], code: i32) -> (Value, String) {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_amparo"))
        .arg("-C")
        .arg(env.root())
        .args(["--now", NOW, "-o", "json"])
        .args(args)
        .env("NO_COLOR", "1")
        .timeout(DEADLINE)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "\n--- stdout\n{out}\n--- stderr\n{err}");
    (serde_json::from_str(&out).unwrap_or_default(), out + &err)
}

fn apply(env: &Env, code: i32) -> (Value, String) {
    run(env, &["apply", "--auto-approve"], code)
}

/// The files of which a check says that they are no regular ones.
fn not_regular(env: &Env) -> Vec<String> {
    let (report, _) = run(env, &["check"], 3);
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let mut found: Vec<String> = diagnostics
        .iter()
        .filter(|d| d["code"] == "AMP0025" && d["severity"] == "error")
        .map(|d| d["file"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found.iter().map(|f| f.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn a_pipe_among_policies_stops_every_pass() {
    let env = env();
    mkfifo(&env, "policies/hold.yaml");
    assert_eq!(not_regular(&env), ["hold.yaml"]);
    let before = env.files("lake");
    let (_, said) = apply(&env, 3);
    assert!(said.contains("hold.yaml") && said.contains("not a regular file"), "{said}");
    run(&env, &["plan"], 3);
    assert_eq!(env.files("lake"), before);
    assert!(!env.path("state").exists(), "something was written");
    std::fs::remove_file(env.path("policies/hold.yaml")).unwrap();
    // Another ending is an error by itself.
    mkfifo(&env, "policies/pipe");
    let (_, said) = apply(&env, 3);
    assert!(said.contains("AMP0006"), "{said}");
}

#[test]
fn a_pipe_a_socket_or_a_device_among_requests_stops_no_other() {
    let env = env();
    mkfifo(&env, "requests/pipe.yaml");
    symlink("/dev/zero", env.path("requests/device.json")).unwrap();
    let _listener = UnixListener::bind(env.path("requests/socket.yml")).unwrap();
    mkfifo(&env, "requests/note");
    assert_eq!(not_regular(&env), ["device.json", "pipe.yaml", "socket.yml"]);
    let (report, said) = apply(&env, 5);
    for name in ["device.json", "pipe.yaml", "socket.yml"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert_eq!(task(&report, "A", "delete")["phase"], "Complete");
    assert!(env.rows("lake/e/1.parquet")[0][0].as_deref().unwrap().starts_with("Privacy-"));
    let before = env.files("state/ledger");
    apply(&env, 5);
    assert_eq!(env.files("state/ledger"), before, "nothing is new");
}

#[test]
fn a_request_of_which_a_pipe_takes_the_place_is_orphaned() {
    let env = env();
    env.document("policies", "Hold", "h", "  {datasets: [f], reason: court}");
    apply(&env, 0);
    let file = env.path("requests/subjectrequest-r.yaml");
    std::fs::remove_file(&file).unwrap();
    mkfifo(&env, "requests/subjectrequest-r.yaml");
    let (report, _) = apply(&env, 5);
    assert_eq!(task(&report, "A", "delete")["reason"], "Orphaned");
}

#[test]
fn a_pipe_among_approvals_approves_nothing() {
    let env = env();
    std::fs::create_dir(env.path("approvals")).unwrap();
    mkfifo(&env, "approvals/a.yaml");
    assert_eq!(not_regular(&env), ["a.yaml"]);
    let (report, _) = apply(&env, 5);
    assert_eq!(task(&report, "A", "delete")["phase"], "Complete");
}

#[test]
fn a_pipe_among_data_fails_the_tasks_that_need_it() {
    let env = env();
    request(&env, "other", "only: {datasets: [e]},");
    mkfifo(&env, "lake/f/2.parquet");
    mkfifo(&env, "lake/f/other");
    let _listener = UnixListener::bind(env.path("lake/f/3.parquet")).unwrap();
    let (report, _) = apply(&env, 5);
    let tasks = report["tasks"].as_array().unwrap();
    let of = |request: &str| tasks.iter().find(|task| task["request"] == request).unwrap();
    assert_eq!(of("other")["phase"], "Complete");
    assert_eq!(of("r")["phase"], "Failed");
    let message = of("r")["message"].as_str().unwrap();
    assert!(message.contains("2.parquet") && message.contains("not a regular file"), "{message}");
    run(&env, &["check", "--data"], 3);
    run(&env, &["find", "who=q"], 5);
}
