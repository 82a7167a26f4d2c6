//! The command line itself: help, usage, and everything that needs no data. Standard output, standard
//! error and status together.

use crate::support::{Env, WHO, block, text};

#[test]
fn wrong_flags_exit_64() {
    let env = Env::new();
    for args in [
        &["plan", "--nope"][..],
        &["frobnicate"],
        &[],
        &["find"],
        &["plan", "-o", "xml"],
        &["plan", "--memory", "1"],
    ] {
        assert_eq!(env.run(args).code, 64, "{args:?}");
    }
    for args in [&["--help"][..], &["plan", "--help"], &["--version"]] {
        env.run(args).exits(0);
    }
}

#[test]
fn help_is_as_recorded() {
    let env = Env::new();
    let mut whole = env.run(&["--help"]).transcript();
    for command in [
        "check",
        "plan",
        "apply",
        "watch",
        "status",
        "history",
        "verify",
        "find",
        "link",
        "demo",
        "init",
        "schema",
        "explain",
        "completions",
        "man",
    ] {
        whole.push_str(&format!(
            "\n$ amparo {command} -h\n{}",
            env.run(&[command, "-h"]).transcript()
        ));
    }
    insta::assert_snapshot!("help", whole);
}

#[test]
fn flags_can_be_environment_variables() {
    let env = Env::new();
    std::fs::rename(env.path("policies"), env.path("p")).unwrap();
    env.write(
        "p/settings.yaml",
        "apiVersion: amparo/v1\nkind: Settings\nmetadata: {name: default}\nspec: {}\n",
    );
    env.run(&["check"]).exits(1);
    env.run_with(&["check"], &[("AMPARO_POLICIES", "p")], "").exits(0);
    let json = env
        .run_with(&["check"], &[("AMPARO_POLICIES", "p"), ("AMPARO_OUTPUT", "json")], "")
        .exits(0)
        .json();
    assert_eq!(
        (json["formatVersion"].as_str(), json["command"].as_str()),
        (Some("1.0"), Some("check"))
    );
    assert_eq!(json["valid"], true);
    for (value, lines) in [("1", 0), ("yes", 0), ("0", 1), ("false", 1)] {
        let said = env
            .run_with(&["check"], &[("AMPARO_POLICIES", "p"), ("AMPARO_QUIET", value)], "")
            .exits(0);
        assert_eq!(
            said.stderr.lines().count().min(1),
            lines,
            "AMPARO_QUIET={value}: {}",
            said.stderr
        );
    }
}

#[test]
fn every_code_can_be_explained() {
    let env = Env::new();
    let list = env.run(&["explain"]).exits(0);
    assert!(list.stdout.lines().count() > 50);
    for line in list.stdout.lines().step_by(7) {
        let code = line.split(' ').next().unwrap();
        let text = env.run(&["explain", code]).exits(0).stdout;
        assert!(text.starts_with(code) && text.lines().count() > 2, "{text}");
    }
    env.run(&["explain", "AMP9999"]).exits(64);
}

#[test]
fn schemas_completions_and_manual_are_printed() {
    let env = Env::new();
    for kind in env.run(&["schema"]).exits(0).stdout.lines() {
        let schema = env.run(&["schema", kind]).exits(0).json();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{kind}");
    }
    env.run(&["schema", "Nope"]).exits(64);
    for shell in ["bash", "zsh", "fish"] {
        assert!(env.run(&["completions", shell]).exits(0).stdout.contains("amparo"));
    }
    assert!(env.run(&["man"]).exits(0).stdout.contains(".TH amparo"));
}

#[test]
fn init_makes_something_that_checks() {
    let env = Env::new();
    env.run(&["init", "new"]).exits(0);
    env.run(&["-C", "new", "check"]);
    let again = env.run(&["init", "new"]).exits(0);
    assert!(again.stderr.contains("kept"), "{}", again.stderr);
    let root = env.path("new");
    let run = env.run(&[
        "--policies",
        root.join("policies").to_str().unwrap(),
        "--requests",
        root.join("requests").to_str().unwrap(),
        "check",
        "--data",
    ]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn the_demo_runs_and_is_the_same_every_time() {
    let env = Env::new();
    let first = env.run(&["demo", "d"]);
    assert!(matches!(first.code, 0 | 5), "{}{}", first.stdout, first.stderr);
    let package = env.files("d/exports");
    assert!(!package.is_empty());
    let second = env.run(&["demo", "d"]);
    assert_eq!(second.code, first.code);
    assert!(package == env.files("d/exports"), "two demos wrote different packages");
    env.write("mine/file", "");
    env.run(&["demo", "mine"]).exits(64);
}

#[test]
fn a_head_that_is_none_is_wrong_usage() {
    Env::new().run(&["verify", "--head", "nonsense"]).exits(64);
}

#[test]
fn find_breaks_down_by_data_source() {
    let env = Env::new();
    for (name, source) in [("a", "eu"), ("b", "us")] {
        env.parquet(&format!("lake/{name}.parquet"), vec![("who", text(&["p", "q", "p"]))]);
        env.dataset(
            name,
            &format!(
                "  product: e
  source: {source}
  location: lake/{name}.parquet
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}"
            ),
        );
    }
    let found = env.run(&["find", "who=p", "--by", "source", "-o", "json"]).exits(0).json();
    let by: Vec<_> = found["datasets"].as_array().unwrap().iter().map(|d| &d["by"][0]).collect();
    assert_eq!((&by[0]["values"]["source"], &by[0]["rows"]), (&"eu".into(), &2.into()));
    assert_eq!((&by[1]["values"]["source"], &by[1]["rows"]), (&"us".into(), &2.into()));
}

#[test]
fn find_without_an_identity_is_wrong_usage() {
    Env::new().run_with(&["find", "-"], &[], "\n").exits(64);
}

#[test]
fn scratch_may_be_an_empty_directory() {
    let env = Env::new();
    env.parquet("lake/e.parquet", vec![("who", text(&["ann", "bob"]))]);
    env.table("e", "lake/e.parquet", &[WHO]);
    env.ask("r", "e", &[block("A", "access, delete", "who", "ann")]);
    std::fs::create_dir(env.path("scratch")).unwrap();
    env.run(&["--scratch", "scratch", "plan"]).exits(0);
    assert!(env.files("scratch").is_empty());
    for _ in 0..2 {
        env.run(&["--scratch", "scratch", "apply", "--auto-approve"]).exits(0);
    }
}
