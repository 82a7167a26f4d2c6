//! No planted identity appears in any output except the package.

use crate::support::{Env, text};

const PLANTED: [&str; 4] =
    ["planted.person@example.com", "planted-cell-value", "PLANTED-KEY-4711", "planted-other"];

fn env() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/e.parquet",
        vec![
            ("email", text(&[PLANTED[0], "x@example.com"])),
            ("cell", text(&[PLANTED[1], "y"])),
            ("number", text(&[PLANTED[2], PLANTED[3]])),
        ],
    );
    env.dataset(
        "e",
        "  product: e
  location: lake/e.parquet
  format: parquet
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: cell, labels: [I2, DEL-PERSON, ACC-ALL]}
    - {path: number, namespace: number, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}",
    );
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [
    {{key: A, action: [access, delete], userIDs: [{{namespace: email, value: {}}}, {{namespace: number, value: {}}}]}},
    {{key: B, action: [explode], userIDs: [{{namespace: nope, value: {}}}]}}]}}",
            PLANTED[0], PLANTED[2], PLANTED[3]
        ),
    );
    env
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for planted in PLANTED {
        assert!(!text.contains(&planted.to_lowercase()), "{what} holds a planted value:\n{text}");
    }
}

#[test]
fn no_output_but_the_package_holds_an_identity() {
    let env = env();
    let stdin = format!("email={}\n", PLANTED[0]);
    for format in ["human", "json", "markdown"] {
        for command in [
            &["check"][..],
            &["check", "--data"],
            &["plan"],
            &["apply", "--auto-approve"],
            &["status"],
            &["history"],
            &["verify"],
            &["verify", "--ledger"],
            &["find", "-"],
            &["link", "r/A"],
            &["plan", "--out", "saved.json"],
        ] {
            for verbosity in ["-q", "-vv"] {
                let mut args = vec!["-o", format, verbosity];
                args.extend_from_slice(command);
                let run = env.run_with(&args, &[], &stdin);
                clean(&format!("{args:?} stdout"), run.stdout.as_bytes());
                clean(&format!("{args:?} stderr"), run.stderr.as_bytes());
            }
        }
    }
    let package = env.package("r", "A");
    assert!(package["profile.json"].contains(PLANTED[0]));
    for (path, bytes) in env.files("state") {
        clean(&path.display().to_string(), &bytes);
    }
    clean("the saved plan", &std::fs::read(env.path("saved.json")).unwrap());
}

#[test]
fn a_broken_request_is_shown_without_its_words() {
    let env = env();
    for (name, broken) in [
        (
            "a.yaml",
            format!(
                "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: a}}\nspec: {{users: [{{key: {}, userIDs: [",
                PLANTED[0]
            ),
        ),
        (
            "b.json",
            format!("{{\"users\": [{{\"key\": \"{}\", \"{}\": 1,, }}]}}", PLANTED[2], PLANTED[1]),
        ),
        (
            "c.yaml",
            format!(
                "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: \"{}\"}}\nspec: {{{}: 1}}\n",
                PLANTED[0], PLANTED[1]
            ),
        ),
    ] {
        env.write(&format!("requests/{name}"), &broken);
    }
    for format in ["human", "json", "markdown"] {
        let run = env.run(&["-o", format, "check"]);
        assert_eq!(run.code, 3);
        clean("check stdout", run.stdout.as_bytes());
        clean("check stderr", run.stderr.as_bytes());
    }
}

#[test]
fn arguments_are_not_repeated() {
    let env = env();
    for args in [
        &["find", PLANTED[0]][..],
        &["find", "nope nope=planted-other"],
        &["find", "email=planted.person@example.com", "--by", "cell"],
    ] {
        let run = env.run(args);
        clean(&format!("{args:?}"), run.stdout.as_bytes());
        clean(&format!("{args:?}"), run.stderr.as_bytes());
    }
}
