//! Every command in every format: a sound document, or a refusal (exit 64) before anything is done.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ci::inert_markdown;
use crate::sealing::{env, request};
use crate::support::{Env, WHO, block, text};

const FORMATS: [&str; 5] = ["human", "json", "markdown", "sarif", "junit"];
/// Of commands that report on the state of things in a repository.
const ALL: &[&str] = &FORMATS;
const REPORT: &[&str] = &["human", "json", "markdown"];
const DATA: &[&str] = &["human", "json"];
const TEXT: &[&str] = &["human"];

/// A command as it is run, and the formats that it has. `OUT` is another word in each run.
type Case = (&'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (&["check"], ALL),
    (&["check", "--data"], ALL),
    (&["plan"], ALL),
    (&["plan", "--base", "."], ALL),
    (&["apply", "--auto-approve"], REPORT),
    (&["watch"], DATA),
    (&["status"], REPORT),
    (&["status", "r/A", "--as", "opendsr"], REPORT),
    (&["history"], REPORT),
    (&["verify"], REPORT),
    (&["verify", "--ledger"], REPORT),
    (&["find", "number=2"], REPORT),
    (&["view", "number=2"], REPORT),
    (&["publish", "e", "--role", "analyst", "--out", "copies/OUT"], REPORT),
    (&["link", "r/A"], DATA),
    (&["keygen", "--out", "OUT.txt"], DATA),
    (&["seal", "number=2", "--request", "q"], DATA),
    (&["seal", "--in-place", "requests/q.yaml"], DATA),
    (&["retire", "r"], DATA),
    (&["open", "exports/r/A.zip.age", "--out", "OUT.zip"], DATA),
    (&["demo", "demo-OUT"], TEXT),
    (&["init", "new-OUT"], DATA),
    (&["schema"], DATA),
    (&["schema", "Dataset"], DATA),
    (&["explain"], DATA),
    (&["explain", "AMP0101"], DATA),
    (&["completions", "bash"], TEXT),
    (&["man"], TEXT),
];

/// A finished request with an encrypted package, and another that is not sealed yet.
fn scene() -> Env {
    let env = env("  sealing: {recipients: [KEY]}\n  packageEncryption: {recipients: [KEY]}");
    env.document("policies", "Role", "analyst", "  personalData: false");
    request(&env);
    env.apply().exits(0);
    env.ask("q", "e", &[block("A", "access", "number", "3")]);
    std::fs::rename(env.path("requests/subjectrequest-q.yaml"), env.path("requests/q.yaml"))
        .unwrap();
    std::fs::create_dir(env.path("copies")).unwrap();
    env
}

fn run(env: &Env, args: &[&str], format: &str) -> crate::support::Run {
    let args: Vec<String> = args.iter().map(|arg| arg.replace("OUT", format)).collect();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    args.extend(["--identity", "key.txt", "-o", format]);
    env.run(&args)
}

#[test]
fn no_command_is_forgotten() {
    let help = Env::new().run(&["--help"]).exits(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let listed: BTreeSet<&str> = commands
        .lines()
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let cases: BTreeSet<&str> = CASES.iter().map(|(args, _)| args[0]).chain(["help"]).collect();
    assert_eq!(listed, cases);
}

#[test]
fn what_a_command_has_no_form_for_is_refused_before_anything_is_done() {
    let env = scene();
    let before = env.files(".");
    for (args, known) in CASES {
        for format in FORMATS.iter().filter(|format| !known.contains(format)) {
            let refused = run(&env, args, format).exits(64);
            assert_eq!(refused.stdout, "", "{args:?} -o {format}");
            let says = format!("error: `{}` has no output `{format}`\nhelp: use -o human", args[0]);
            assert!(refused.stderr.starts_with(&says), "{args:?}: {}", refused.stderr);
        }
    }
    assert!(env.files(".") == before, "a refused command wrote something");
}

#[test]
fn every_document_has_its_envelope() {
    let env = scene();
    for (args, _) in
        CASES.iter().filter(|(args, known)| known.contains(&"json") && args[0] != "watch")
    {
        let run = run(&env, args, "json");
        assert!(matches!(run.code, 0 | 5), "{args:?}: {}", run.stderr);
        let document = run.json();
        assert_eq!(document["formatVersion"], "1.0", "{args:?}");
        assert_eq!(document["toolVersion"], env!("CARGO_PKG_VERSION"), "{args:?}");
        assert_eq!(document["command"], args[0], "{args:?}");
        assert!(run.stdout.ends_with("}\n"), "{args:?}: one document and nothing else");
    }
    let schema = run(&env, &["schema", "Hold"], "json").json();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["title"], "Hold");
    let init = run(&env, &["init", "new-again"], "json").json();
    assert!(init["files"].as_array().unwrap().iter().all(|file| file["written"] == true));
    let init = run(&env, &["init", "new-again"], "json").json();
    assert!(init["files"].as_array().unwrap().iter().all(|file| file["written"] == false));
    let code = run(&env, &["explain", "amp0101"], "json").json();
    let [code] = &code["codes"].as_array().unwrap()[..] else { panic!("one code: {code}") };
    assert!(code["code"] == "AMP0101" && code["explanation"].as_str().unwrap().len() > 20);
}

#[test]
fn every_page_is_one_and_has_its_marker() {
    let env = scene();
    for (args, _) in CASES.iter().filter(|(_, known)| known.contains(&"markdown")) {
        let run = run(&env, args, "markdown");
        assert!(matches!(run.code, 0 | 5), "{args:?}: {}", run.stderr);
        assert!(
            run.stdout
                .starts_with(&format!("<!-- amparo:{} -->\n## amparo {}\n", args[0], args[0])),
            "{args:?}: {}",
            run.stdout
        );
        inert_markdown(&run.stdout);
    }
}

/// Values, columns and a file name that are Markdown, HTML, commands of a runner, or more than a line.
#[test]
fn records_and_copies_are_text_in_a_page() {
    let env = Env::new();
    let hostile = "|x|`y`\n## <img src=x> @team [l](https://e.example) \u{1b}[31m www.e.example";
    env.parquet(
        "lake/e.parquet",
        vec![
            ("who", text(&["ann", "ann", "bob"])),
            ("note|<b>`x`", text(&[hostile, "", "planted-other"])),
            ("secret|col", text(&["planted-secret", "planted-secret", "x"])),
        ],
    );
    env.table(
        "e",
        "lake/e.parquet",
        &[
            WHO,
            "path: ['note|<b>`x`'], labels: [ACC-ALL]",
            "path: ['secret|col'], labels: [I1, DEL-PERSON, ACC-ALL]",
        ],
    );
    env.document("policies", "Role", "analyst", "  personalData: false");
    let mut told = String::new();
    for args in [
        &["view", "who=ann"][..],
        &["view", "who=ann", "--role", "analyst", "--limit", "1"],
        &["view", "who=nobody"],
        &["publish", "e", "--role", "analyst", "--out", "copy|<b>`x`"],
    ] {
        let run = env.run(&[args, &["-o", "markdown"]].concat()).exits(0);
        inert_markdown(&run.stdout);
        assert!(!run.stdout.contains("planted"), "{}", run.stdout);
        told.push_str(&format!("$ amparo {}\n{}\n", args.join(" "), run.stdout));
    }
    insta::with_settings!({filters => vec![(r"\d+(\.\d)? k?B", "<size>"), (r"\d+(\.\d)? KiB", "<size>")]},
        { insta::assert_snapshot!("records_markdown", told) });
}

/// More than a page holds: what is left out is counted.
#[test]
fn a_page_of_records_ends_where_a_comment_does() {
    let env = Env::new();
    let long = "<".repeat(2_000);
    let values: Vec<&str> = (0..150).map(|_| long.as_str()).collect();
    env.parquet("lake/e.parquet", vec![("who", text(&["ann"; 150])), ("cell", text(&values))]);
    env.table("e", "lake/e.parquet", &[WHO, "path: cell, labels: [ACC-ALL]"]);
    let page = env.run(&["view", "who=ann", "-o", "markdown"]).exits(0).stdout;
    assert!(page.len() < 65_536 && page.contains("…and 1"), "{} bytes", page.len());
    inert_markdown(&page);
    let all = env.run(&["view", "who=ann", "-o", "json"]).exits(0).json();
    assert_eq!(all["datasets"][0]["records"].as_array().map(Vec::len), Some(150));
    assert!(all["datasets"][0]["records"].as_array().unwrap().iter().all(Value::is_object));
}
