//! Identities that are safe to commit: sealed with age, opened by whoever has the key, bound to their place.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Env, Run, block, numbers, task, text};

pub(crate) const EMAIL: &str = "planted.person@example.com";
pub(crate) const PLANTED: [&str; 3] = [EMAIL, "4711004711", "planted-cell-value"];

/// A lake, a key, and Settings that seal to it.
pub(crate) fn env(settings: &str) -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![
            ("email", text(&[EMAIL, "x@example.com", "Planted.Person@Example.com"])),
            ("number", numbers(&[4_711_004_711, 2, 3])),
            ("cell", text(&[PLANTED[2], "y", "z"])),
        ],
    );
    env.table(
        "e",
        "lake/e.parquet",
        &[
            "path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: number, namespace: number, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: cell, labels: [I2, DEL-PERSON, ACC-ALL]",
        ],
    );
    let key = env.run(&["keygen", "--out", "key.txt"]).exits(0);
    env.document(
        "policies",
        "Settings",
        "default",
        &format!("{settings}\n").replace("KEY", key.stdout.trim()),
    );
    env
}

/// A request of two blocks: an e-mail address, and a number with it.
pub(crate) fn request(env: &Env) {
    env.write(
        "requests/r.yaml",
        &format!(
            "# who wants what
apiVersion: amparo/v1
kind: SubjectRequest
metadata: {{name: r}}   # the case
spec:
  regulation: gdpr
  receivedAt: 2026-11-20
  include: [e]
  users:
    - key: A
      action: [access, delete]
      userIDs:
        - {{namespace: email, value: \"{EMAIL}\"}}   # as they wrote it
    - key: B
      action: [access]
      userIDs:
        - allOf:
            - {{namespace: email, value: {EMAIL}}}
            - namespace: number
              value: 4711004711
"
        ),
    );
}

const SEAL: &str = "  sealing: {recipients: [KEY], required: true}";

pub(crate) fn with_key(env: &Env, args: &[&str]) -> Run {
    env.run_with(args, &[("AMPARO_IDENTITY", "key.txt")], "")
}

pub(crate) fn read(env: &Env, name: &str) -> String {
    std::fs::read_to_string(env.path(name)).unwrap()
}

/// The sealed scalars of a file, in order.
fn sealed(text: &str) -> Vec<String> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && !"+/=:".contains(c);
    text.match_indices("sealed:age:")
        .map(|(at, _)| text[at..].split(ends).next().unwrap().to_owned())
        .collect()
}

fn seal(env: &Env, identity: &str, request: &str) -> String {
    let run = env.run_with(&["seal", "-", "--request", request], &[], identity).exits(0);
    run.stdout.trim().to_owned()
}

#[test]
fn a_request_is_sealed_in_place_and_stays_the_same() {
    let env = env(SEAL);
    request(&env);
    let before = read(&env, "requests/r.yaml");
    let check = env.run(&["check"]).exits(3);
    assert!(check.stderr.contains("AMP0421"), "{}", check.stderr);
    assert!(check.stderr.contains("`amparo seal --in-place requests/r.yaml`"), "{}", check.stderr);
    // The command can be copied, whatever the file is called.
    let odd = "requests/it's $(touch x).yaml";
    env.write(odd, &before.replace("{name: r}", "{name: odd}"));
    let said = env.run(&["check"]).exits(3).stderr;
    let word = r"'requests/it'\''s $(touch x).yaml'";
    assert!(said.contains(&format!("`amparo seal --in-place {word}`")), "{said}");
    std::fs::remove_file(env.path(odd)).unwrap();
    env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    let after = read(&env, "requests/r.yaml");
    let scalars = sealed(&after);
    assert_eq!(scalars.len(), 3);
    // All but the three scalars is what it was, the quotes and comments too.
    let mut restored = after.clone();
    for (scalar, plain) in scalars.iter().zip([EMAIL, EMAIL, "4711004711"]) {
        restored = restored.replacen(scalar, plain, 1);
    }
    assert_eq!(restored, before);
    env.run(&["check"]).exits(0);
    let again = env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    assert_eq!(read(&env, "requests/r.yaml"), after, "{}", again.stdout);

    let applied = with_key(&env, &["apply", "--auto-approve", "-o", "json"]).exits(0).json();
    assert_eq!(task(&applied, "A", "delete")["reason"], "Erased");
    assert_eq!(task(&applied, "B", "access")["reason"], "Exported");
    assert!(env.package("r", "A")["profile.json"].contains(EMAIL));
    assert!(env.package("r", "B")["profile.json"].contains("4711004711"));
    with_key(&env, &["verify"]).exits(0);
}

#[test]
fn sealing_opens_no_task_again() {
    let env = env("  sealing: {recipients: [KEY]}");
    request(&env);
    env.apply().exits(0);
    let status =
        |env: &Env| with_key(env, &["status", "-o", "json"]).exits(0).json()["tasks"].clone();
    let (done, commits) = (status(&env), env.files("state/ledger").len());
    env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    for applied in [
        env.apply().exits(0).json(),
        with_key(&env, &["apply", "--auto-approve", "-o", "json"]).exits(0).json(),
    ] {
        assert_eq!(applied["totals"]["exports"], 0);
        assert_eq!(applied["totals"]["erasures"], 0);
    }
    assert_eq!(status(&env), done);
    // One commit says that the file is another one; nothing else happened.
    assert_eq!(env.files("state/ledger").len(), commits + 1);
    // Done is done, also where a stricter rule comes later.
    request(&env);
    let strict = read(&env, "policies/settings-default.yaml").replace("]}", "], required: true}");
    env.write("policies/settings-default.yaml", &strict);
    env.run(&["check"]).exits(3);
    let plan = env.plan().json();
    assert_eq!(task(&plan, "A", "delete")["phase"], "Complete");
}

#[test]
fn without_the_key_the_blocks_fail_and_the_others_go_on() {
    let env = env("  sealing: {recipients: [KEY]}");
    request(&env);
    env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    env.ask("plain", "e", &[block("C", "access", "email", "x@example.com")]);
    let check = env.run(&["check"]).exits(0);
    assert!(check.stderr.contains("note[AMP0426]: 3 values are sealed"), "{}", check.stderr);
    insta::assert_snapshot!("without_key_plan", env.run(&["plan"]).transcript());
    for _ in 0..2 {
        let applied = env.apply().exits(5).json();
        for (key, action) in [("A", "access"), ("A", "delete"), ("B", "access")] {
            let task = task(&applied, key, action);
            assert_eq!((&task["phase"], &task["reason"]), (&"Failed".into(), &"Sealed".into()));
            assert!(task["message"].as_str().unwrap().contains("--identity"));
        }
        assert_eq!(task(&applied, "C", "access")["reason"], "Exported");
    }
    assert_eq!(env.rows_of_text("lake/e.parquet", "email")[0], EMAIL);
    // With another key it is the same, and `check` says why.
    env.run(&["keygen", "--out", "other.txt"]).exits(0);
    let other = env.run(&["check", "--identity", "other.txt"]).exits(0);
    assert!(other.stderr.contains("3 sealed values are not for the key"), "{}", other.stderr);
    env.run(&["apply", "--auto-approve", "--identity", "other.txt"]).exits(5);
    // Once the key is there, nothing waits for a next try.
    let applied = with_key(&env, &["apply", "--auto-approve", "-o", "json"]).exits(0).json();
    assert_eq!(task(&applied, "A", "delete")["reason"], "Erased");
    // Without it nobody can check any more what was erased.
    let verify = env.run(&["verify", "-o", "json"]).exits(0).json();
    assert!(verify["erasures"][0]["rowsFound"].is_null(), "{verify:#}");
    let verify = with_key(&env, &["verify", "-o", "json"]).exits(0).json();
    assert_eq!(verify["erasures"][0]["rowsFound"], 0);
}

#[test]
fn keys_that_are_none_stop_the_command() {
    let env = env(SEAL);
    request(&env);
    env.write("empty.txt", "# nothing\n").write("wrong.txt", &format!("{EMAIL}\n"));
    let mut transcript = String::new();
    for name in ["gone.txt", "empty.txt", "wrong.txt"] {
        for command in ["check", "plan"] {
            let run = env.run(&[command, "--identity", name]).exits(1);
            transcript.push_str(&run.transcript());
        }
    }
    for args in [
        &["keygen", "--out", "key.txt"][..],
        &["open", "requests/r.yaml"],
        &["open", "nothing.zip.age"],
        &["open", "nothing.zip.age", "--identity", "key.txt"],
        &["open", "requests/r.yaml", "--out", "x", "--identity", "key.txt"],
        &["seal", "email=a@b.c"],
        &["seal", "email=a@b.c", "--request", "Not A Name"],
        &["seal", "a@b.c", "--request", "r"],
        &["seal", "nope nope@=a", "--request", "r"],
        &["retire", "r"],
        &["retire", "gone"],
        &["-o", "sarif", "keygen", "--out", "unwritten.txt"],
    ] {
        let run = env.run(args);
        transcript.push_str(&format!("$ amparo {}\n{}", args.join(" "), run.transcript()));
    }
    assert!(!env.path("unwritten.txt").exists());
    insta::assert_snapshot!("wrong_keys_and_arguments", transcript);
}

#[test]
fn a_moved_value_is_seen() {
    let env = env(SEAL);
    request(&env);
    env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0);
    let stranger = sealed(&read(&env, "requests/r.yaml"))[0].clone();
    for (name, value) in [
        ("moved", stranger.as_str()),
        ("other-namespace", &seal(&env, &format!("number={}", PLANTED[1]), "other-namespace")),
        ("own", &seal(&env, "email=x@example.com", "own")),
    ] {
        env.request(
            name,
            &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: {name}, action: [delete], userIDs: [{{namespace: EMAIL, value: \"{value}\"}}]}}]}}"),
        );
    }
    // Without the key nobody sees it, and nobody acts on it.
    env.run(&["check"]).exits(0);
    let check = with_key(&env, &["check"]).exits(3);
    assert_eq!(check.stderr.matches("error[AMP0424]").count(), 2, "{}", check.stderr);
    let plan = with_key(&env, &["plan", "-o", "json"]).exits(3).json();
    for name in ["moved", "other-namespace"] {
        assert_eq!(task(&plan, name, "delete")["phase"], "Rejected");
    }
    assert_eq!(task(&plan, "own", "delete")["totals"], serde_json::Value::Null);
    assert_eq!(task(&plan, "own", "delete")["phase"], "Submitted");
}

#[test]
fn adobe_requests_are_sealed_for_their_file() {
    let env = env(SEAL);
    let text = format!(
        "{{\r\n\t\"users\": [ {{ \"key\": \"A\", \"action\": [\"access\"], \"userIDs\": [\r\n\t\t{{\"namespace\":\"email\",\"type\":\"standard\",\"value\":\"{EMAIL}\"}},\r\n\t\t{{ \"namespace\": \"number\", \"value\" : 4711004711 }}\r\n\t] }} ],\r\n\t\"include\": [\"e\"], \"regulation\": \"gdpr\"\r\n}}"
    );
    env.write("requests/Acme 1.json", &text);
    env.run(&["seal", "--in-place", "requests/Acme 1.json"]).exits(0);
    let after = read(&env, "requests/Acme 1.json");
    let scalars = sealed(&after);
    let restored = after.replace(&scalars[0], EMAIL);
    assert_eq!(restored.replace(&format!("\"{}\"", scalars[1]), "4711004711"), text);
    let plan = with_key(&env, &["plan", "-o", "json"]).exits(0).json();
    assert_eq!(task(&plan, "A", "access")["identities"].as_array().unwrap().len(), 2);
    std::fs::rename(env.path("requests/Acme 1.json"), env.path("requests/b.json")).unwrap();
    let check = with_key(&env, &["check"]).exits(3);
    assert!(check.stderr.contains("sealed for another request"), "{}", check.stderr);
}

#[test]
fn what_is_wrong_is_not_sealed() {
    let env = env(SEAL);
    env.document("policies", "Namespace", "email", "  {namespace: email, format: '^[^@]+@[^@]+$'}");
    env.request(
        "r",
        "  {regulation: gdpr, include: [e], users: [{key: A, action: [access], userIDs: [{namespace: email, value: planted-other}, {namespace: email, value: a@b.c}]}]}",
    );
    let file = "requests/subjectrequest-r.yaml";
    let before = read(&env, file);
    let run = env.run(&["seal", "--in-place", file, "requests/gone.yaml"]);
    assert_eq!((run.code, read(&env, file)), (1, before));
    assert!(run.stderr.contains("AMP0412") && !run.stderr.contains("planted"), "{}", run.stderr);
    let run = env.run_with(&["seal", "email=-", "--request", "r"], &[], "planted-other\n");
    assert_eq!(run.code, 64);
    assert!(!run.stderr.contains("planted"), "{}", run.stderr);
}

#[test]
fn nothing_that_these_commands_say_holds_an_identity() {
    let env = env(SEAL);
    request(&env);
    let clean = |run: &Run, what: &str| {
        let said = format!("{}{}", run.stdout, run.stderr).to_lowercase();
        for planted in PLANTED {
            assert!(!said.contains(planted), "{what} shows {planted}:\n{said}");
        }
    };
    let identity = format!("email={EMAIL}\nnumber={}\n", PLANTED[1]);
    for verbosity in ["-q", "-vv"] {
        for format in ["human", "json", "markdown"] {
            for args in [
                &["seal", "-", "--request", "r"][..],
                &["seal", "-", "--request", EMAIL],
                &["seal", EMAIL, "--request", "r"],
                &["seal", "number=4711004711", "--request", "r", "--policies", "nowhere"],
                &["seal", "--in-place", "lake/e.parquet"],
                &["retire", "r"],
                &["retire", EMAIL],
                &["check"],
                &["plan"],
                &["open", "requests/r.yaml", "--out", "opened", "--identity", "key.txt"],
                &["check", "--identity", "requests/r.yaml"],
            ] {
                let mut all = vec!["-o", format, verbosity];
                all.extend_from_slice(args);
                let run = env.run_with(&all, &[], &identity);
                clean(&run, &format!("{all:?}"));
            }
        }
    }
    clean(&env.run(&["seal", "--in-place", "requests/r.yaml"]).exits(0), "seal --in-place");
    let text = read(&env, "requests/r.yaml");
    for broken in [text.replacen("sealed:age:Y", "sealed:age:Z", 1), text.replace("=", "")] {
        env.write("requests/r.yaml", &broken);
        for args in [&["check"][..], &["plan"], &["seal", "--in-place", "requests/r.yaml"]] {
            clean(&with_key(&env, args), &format!("{args:?} of a broken file"));
        }
    }
}

/// The `age` tool and its key maker; `None`, said aloud, where they are not installed.
fn age() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .find(|folder| folder.join("age").is_file() && folder.join("age-keygen").is_file());
    if found.is_none() {
        println!("skipped: no age on this machine");
    }
    found
}

fn tool(folder: &Path, name: &str, args: &[&str], stdin: &[u8], env: &Env) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new(folder.join(name))
        .args(args)
        .current_dir(env.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} {args:?}");
    output.stdout
}

#[test]
fn the_age_tool_opens_what_amparo_seals_and_the_other_way_round() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let Some(folder) = age() else { return };
    let env = env(SEAL);
    // A key of age's own is as good as one of amparo's.
    tool(&folder, "age-keygen", &["-o", "age.txt"], b"", &env);
    let theirs =
        String::from_utf8(tool(&folder, "age-keygen", &["-y", "age.txt"], b"", &env)).unwrap();
    let ours =
        String::from_utf8(tool(&folder, "age-keygen", &["-y", "key.txt"], b"", &env)).unwrap();
    let settings = read(&env, "policies/settings-default.yaml");
    let both = format!("{}, {}", ours.trim(), theirs.trim());
    env.write("policies/settings-default.yaml", &settings.replace(ours.trim(), &both));

    let value = seal(&env, &format!("email={EMAIL}"), "r");
    let file = STANDARD.decode(value.strip_prefix("sealed:age:").unwrap()).unwrap();
    for key in ["age.txt", "key.txt"] {
        let plain = tool(&folder, "age", &["-d", "-i", key], &file, &env);
        let document: serde_json::Value = serde_json::from_slice(&plain).unwrap();
        let expected =
            serde_json::json!({"v": 1, "namespace": "email", "request": "r", "value": EMAIL});
        assert_eq!(document, expected);
        assert_eq!(plain.len() % 64, 0, "lengths tell of the value");
    }
    let plain =
        format!("{{\"v\":1,\"namespace\":\"email\",\"request\":\"r\",\"value\":\"{EMAIL}\"}}\n");
    let args = ["-r", ours.trim(), "-r", theirs.trim()];
    let made = tool(&folder, "age", &args, plain.as_bytes(), &env);
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: A, action: [access], userIDs: [{{namespace: email, value: sealed:age:{}}}]}}]}}",
            STANDARD.encode(made)
        ),
    );
    for key in ["age.txt", "key.txt"] {
        let check = env.run(&["check", "--identity", key]).exits(0);
        assert!(!check.stderr.contains("AMP042"), "{}", check.stderr);
    }
    let plan = env.run(&["plan", "-o", "json", "--identity", "age.txt"]).exits(0).json();
    assert_eq!(task(&plan, "A", "access")["datasets"][0]["personRows"], 2);
}
