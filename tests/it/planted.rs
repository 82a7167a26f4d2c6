//! No planted identity appears in any output except the package: of every command, in every format, at every
//! verbosity, in reports, annotations and summaries, whatever is broken.

use crate::support::{Env, text, until};

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
    env.table(
        "e",
        "lake/e.parquet",
        &[
            "path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: cell, labels: [I2, DEL-PERSON, ACC-ALL]",
            "path: number, namespace: number, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]",
        ],
    );
    env.document("policies", "Role", "outsider", "  personalData: false");
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

/// Every verbosity, and the other form of log lines.
const VERBOSITIES: [&[&str]; 5] =
    [&["-q"], &[], &["-v"], &["-vv"], &["-vv", "--log-format", "json"]];

/// The commands that look or act, in an order in which there is always something to say.
const COMMANDS: [&[&str]; 17] = [
    &["check"],
    &["check", "--data", "--report", "reports/check.sarif", "--report", "reports/check.xml"],
    &["plan"],
    &["plan", "--out", "saved.json"],
    &["plan", "--base", "base", "--report", "reports/plan.md", "--report", "json=reports/plan.txt"],
    &[
        "plan",
        "--report",
        "reports/plan.sarif",
        "--report",
        "reports/plan.xml",
        "--report",
        "reports/q.json",
    ],
    &["apply", "--auto-approve"],
    &["status"],
    &["status", "--as", "drp"],
    &["history"],
    &["verify"],
    &["verify", "--ledger"],
    &["find", "-"],
    &["find", "-", "--by", "source"],
    &["view", "-"],
    &["publish", "e", "--role", "outsider", "--out", "copied"],
    &["link", "r/A"],
];

/// Runs everything in one format, before and after the work was done; GitHub reads along.
fn sweep(format: &str) {
    let env = env();
    env.write(
        "base/requests/r.yaml",
        &format!(
            "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: r}}\nspec: {{include: [e], users: [
    {{key: A, action: [delete], userIDs: [{{namespace: number, value: {}}}]}}]}}\n",
            PLANTED[3]
        ),
    );
    let policy = std::fs::read_to_string(env.path("policies/dataset-e.yaml")).unwrap();
    env.write("base/policies/dataset-e.yaml", &policy).write("reports/keep", "");
    let stdin = format!("email={}\n", PLANTED[0]);
    let summary = env.path("summary.md").to_str().unwrap().to_owned();
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.as_str())];
    for verbosity in VERBOSITIES {
        for command in COMMANDS {
            let args = [&["-o", format], verbosity, command].concat();
            let run = env.run_with(&args, &github, &stdin);
            clean(&format!("{args:?} stdout"), run.stdout.as_bytes());
            clean(&format!("{args:?} stderr"), run.stderr.as_bytes());
            assert!(run.code != 70 && run.code != 101, "{args:?}: {}", run.stderr);
        }
    }
    assert_eq!(env.files("reports").len(), 8, "{:?}", env.files("reports").keys());
    for folder in ["reports", "state", "copied"] {
        for (path, bytes) in env.files(folder) {
            clean(&path.display().to_string(), &bytes);
        }
    }
    clean("the summary", &std::fs::read(&summary).unwrap());
    clean("the saved plan", &std::fs::read(env.path("saved.json")).unwrap());
    if ["human", "json", "markdown"].contains(&format) {
        assert!(env.package("r", "A")["profile.json"].contains(PLANTED[0]));
    }
}

#[test]
fn no_output_for_people_holds_an_identity() {
    sweep("human");
}

#[test]
fn no_json_holds_an_identity() {
    sweep("json");
}

#[test]
fn no_markdown_holds_an_identity() {
    sweep("markdown");
}

#[test]
fn no_sarif_holds_an_identity() {
    sweep("sarif");
}

#[test]
fn no_junit_holds_an_identity() {
    sweep("junit");
}

#[test]
fn the_daemon_says_no_identity() {
    for verbosity in VERBOSITIES {
        let env = env();
        let (out, err) = (env.path("out"), env.path("err"));
        let file = |path| std::fs::File::create(path).unwrap();
        let mut daemon = env
            .command(&["watch"])
            .args(verbosity)
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .unwrap();
        let erased =
            || env.rows("lake/e.parquet").iter().all(|row| row[0].as_deref() != Some(PLANTED[0]));
        let recorded = || {
            let ledger = env.files("state/ledger");
            ledger.values().any(|commit| String::from_utf8_lossy(commit).contains("KeysDestroyed"))
        };
        until("a pass has ended", || {
            assert!(daemon.try_wait().unwrap().is_none(), "it ended");
            erased() && recorded()
        });
        let pid = rustix::process::Pid::from_child(&daemon);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        daemon.wait().unwrap();
        for path in [out, err] {
            clean(
                &format!("{} of watch {verbosity:?}", path.display()),
                &std::fs::read(&path).unwrap(),
            );
        }
    }
}

#[test]
fn damaged_data_is_reported_without_its_values() {
    let env = env();
    let whole = std::fs::read(env.path("lake/e.parquet")).unwrap();
    let stdin = format!("email={}\n", PLANTED[0]);
    let planted = |at: &usize| PLANTED.iter().any(|text| whole[*at..].starts_with(text.as_bytes()));
    let places: Vec<usize> = (0..whole.len()).filter(planted).collect();
    assert!(!places.is_empty(), "the values stand in the file as they are");
    let mut damages: Vec<Vec<u8>> = Vec::new();
    for at in places {
        // Broken UTF-8 in a value; a length that leads past the page.
        let mut bytes = whole.clone();
        bytes[at] = 0xff;
        damages.push(bytes);
        let mut bytes = whole.clone();
        bytes[at - 4..at].copy_from_slice(&u32::MAX.to_le_bytes());
        damages.push(bytes);
    }
    damages.push(whole[..whole.len() / 2].to_vec());
    damages.push([&whole[..whole.len() - 20], b"PAR1PAR1".as_slice()].concat());
    for (n, damaged) in damages.iter().enumerate() {
        std::fs::write(env.path("lake/e.parquet"), damaged).unwrap();
        for command in [
            &["check", "--data"][..],
            &["plan"],
            &["apply", "--auto-approve"],
            &["find", "-"],
            &["verify"],
        ] {
            for format in ["human", "json"] {
                let args = [&["-vv", "-o", format], command].concat();
                let run = env.run_with(&args, &[], &stdin);
                clean(&format!("damage {n}: {args:?} stdout"), run.stdout.as_bytes());
                clean(&format!("damage {n}: {args:?} stderr"), run.stderr.as_bytes());
                assert!(run.code != 70 && run.code != 101, "damage {n}: {args:?}: {}", run.stderr);
            }
        }
    }
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
    for format in ["human", "json", "markdown", "sarif", "junit"] {
        for command in ["check", "plan"] {
            for verbosity in VERBOSITIES {
                let args = [&["-o", format, command, "--ci", "github"], verbosity].concat();
                let run = env.run(&args);
                assert_eq!(run.code, 3, "{args:?}: {}", run.stderr);
                clean(&format!("{args:?} stdout"), run.stdout.as_bytes());
                clean(&format!("{args:?} stderr"), run.stderr.as_bytes());
            }
        }
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
