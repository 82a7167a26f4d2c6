//! Secret keys that were pasted where they do not belong: no output repeats them.

use crate::support::Env;

/// A new key and its recipient.
fn new_key() -> (String, String) {
    let env = Env::new();
    let recipient = env.run(&["keygen", "--out", "key.txt"]).exits(0).stdout.trim().to_owned();
    let file = std::fs::read_to_string(env.path("key.txt")).unwrap();
    let key = file.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    (key.to_owned(), recipient)
}

#[track_caller]
fn nowhere_in(key: &str, what: &str, text: &str) {
    // A part from the middle of it, so that a key that is cut is seen, too.
    let shown = text.to_ascii_uppercase().contains(&key[30..50]);
    assert!(!shown, "{what} shows a secret key:\n{text}");
}

const SECRET: &str = "c2VjcmV0LWtleS1vZi10aGUtY29udHJvbGxlcg==";

#[test]
fn a_key_in_settings_is_not_shown() {
    let env = Env::new();
    let (key, recipient) = &new_key();
    let lower = key.to_lowercase();
    for settings in [
        format!("  sealing: {{recipients: [{key}], required: true, nonsense: 1}}"),
        format!("  sealing: {{recipients: [{recipient}, {lower}]}}"),
        format!("  packageEncryption:\n    recipients:\n      - {recipient}\n      - '{key}'"),
        format!("  packageEncryption: {{recipients: [{key}}}"),
        format!("  sealing: {key}\n  approval: {key}\n  exportRetention: {key}\n  {key}: 1"),
        format!("  keys: {{{key}: {{env: A}}, a: {{env: {key}}}, b: {{file: 's3://{key}'}}}}"),
        format!("  retired: [{key}]\n  deadlines: {{{key}: {key}}}"),
    ] {
        env.document("policies", "Settings", "default", &settings);
        for args in [
            &["check"][..],
            &["check", "-o", "json"],
            &["check", "-o", "markdown"],
            &["check", "-o", "sarif"],
            &["check", "-o", "junit"],
            &["check", "--ci", "github"],
            &["check", "--ci", "gitlab", "--report", "report.json"],
            &["plan", "-vv"],
            &["apply", "--auto-approve", "-vv"],
        ] {
            let run = env.run(args).exits(3);
            let what = format!("{args:?} on\n{settings}\n");
            nowhere_in(key, &what, &(run.stdout + &run.stderr));
        }
        let report = std::fs::read_to_string(env.path("report.json")).unwrap();
        nowhere_in(key, "the report", &report);
    }
}

#[test]
fn a_raw_key_in_the_place_of_its_variable_is_not_shown() {
    let env = Env::new();
    for settings in [
        format!("  keys: {{crm: {{env: '{SECRET}'}}, other: {{env: '-', file: x}}}}"),
        format!("  keys: {{'{SECRET}': {{env: OK}}}}"),
        format!("  sealing: {{recipients: ['{SECRET}'], nonsense: true}}"),
    ] {
        env.document("policies", "Settings", "default", &settings);
        for format in ["human", "json", "markdown", "sarif", "junit"] {
            let run = env.run(&["check", "-o", format]).exits(3);
            let text = run.stdout + &run.stderr;
            assert!(!text.contains(&SECRET[8..20]), "{format} of {settings}:\n{text}");
        }
    }
    // What stands beside it is shown, and the mark is where it was.
    let run = env.run(&["check"]).exits(3);
    assert!(
        run.stderr.contains("'], nonsense: true}") || run.stderr.contains("], nonsense: true}"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_key_in_the_place_of_its_file_is_not_shown() {
    let env = crate::sealing::env("  sealing: {recipients: [KEY]}");
    crate::sealing::request(&env);
    let (key, _) = &new_key();
    for args in [
        &["check"][..],
        &["plan"],
        &["apply", "--auto-approve", "-vv"],
        &["verify"],
        &["retire", "r"],
        &["open", "exports/r/A.zip.age"],
        &["plan", "--help"],
        &["--help"],
    ] {
        let variable = env.run_with(args, &[("AMPARO_IDENTITY", key)], "");
        let help = args.last() == Some(&"--help");
        assert_eq!(variable.code == 0, help, "{args:?}: {}", variable.stderr);
        nowhere_in(key, &format!("{args:?}"), &(variable.stdout + &variable.stderr));
        if !help {
            let run = env.run(&[args, &["--identity", key]].concat());
            assert!(
                run.stderr.contains("a key, not the name of a file"),
                "{args:?}: {}",
                run.stderr
            );
            nowhere_in(key, &format!("{args:?}"), &(run.stdout + &run.stderr));
        }
    }
    let run = env.run(&["retire", key]);
    nowhere_in(key, "retire", &run.stderr);
    let run = env.run(&["open", key, "--out", "x"]);
    nowhere_in(key, "open", &run.stderr);
}
