//! `-o json` where policies or layout are at fault, or data cannot be read: one document that says so.

use std::fs;

use serde_json::json;

use crate::support::{Env, text};

fn env() -> Env {
    let env = Env::new();
    for name in ["e", "f"] {
        env.parquet(&format!("lake/{name}/a.parquet"), vec![("who", text(&["x", "y"]))]);
        dataset(&env, name, name);
    }
    env.request("r", "  {regulation: gdpr, receivedAt: 2026-11-20, include: [p], users: [{key: A, action: [access], userIDs: [{namespace: who, value: x}]}]}");
    env
}

fn dataset(env: &Env, name: &str, place: &str) {
    env.dataset(
        name,
        &format!(
            "  product: p
  location: lake/{place}/
  format: parquet
  fields: [{{path: who, namespace: who, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}]"
        ),
    );
}

#[test]
fn datasets_that_overlap_are_said_in_the_document() {
    let env = env();
    dataset(&env, "g", "e");
    let commands = [&["plan"][..], &["find", "who=x"]];
    for command in commands {
        let run = env.run(&[command, &["-o", "json"]].concat()).exits(3);
        let document = run.json();
        let found = document["diagnostics"].as_array().unwrap();
        assert_eq!(found.len(), 2, "{document:#}");
        assert_eq!(
            (&found[0]["code"], &found[0]["severity"]),
            (&"AMP0601".into(), &"error".into())
        );
        assert!(found[0]["message"].as_str().unwrap().contains("belongs to the dataset"));
        assert!(found[0]["file"].as_str().unwrap().contains("dataset-"), "{document:#}");
        assert!(run.stderr.contains("the datasets overlap"), "{}", run.stderr);
        // A person is told where, and is shown no empty table.
        let human = env.run(command).exits(3);
        assert!(human.stderr.contains("AMP0601") && human.stderr.contains("the datasets overlap"));
        assert_eq!(human.stdout, "");
    }
    let plan = env.plan().exits(3).json();
    assert_eq!((&plan["planId"], &plan["tasks"]), (&json!(null), &json!([])));
    assert_eq!(env.run(&["find", "who=x", "-o", "json"]).exits(3).json()["datasets"], json!([]));
    // Other forms of the plan say it too.
    for format in ["sarif", "junit", "markdown"] {
        let shown = env.run(&["plan", "-o", format]).exits(3).stdout;
        assert!(shown.contains("belongs to the dataset"), "{format}: {shown}");
    }
    // Nor is a place of our own to lie in a dataset.
    let env = self::env();
    let run = env.run(&["--exports", "lake/e/out", "plan", "-o", "json"]).exits(3);
    assert!(run.json()["diagnostics"].to_string().contains("exports directory"), "{}", run.stdout);
}

#[test]
fn a_base_whose_datasets_overlap_counts_as_having_nothing() {
    let env = env();
    env.write("base/policies/dataset-g.yaml", "");
    for file in ["dataset-e.yaml", "dataset-f.yaml"] {
        let policies = env.path("policies");
        fs::copy(policies.join(file), env.path("base/policies").join(file)).unwrap();
    }
    let text = fs::read_to_string(env.path("policies/dataset-e.yaml")).unwrap();
    env.write("base/policies/dataset-g.yaml", &text.replace("{name: e}", "{name: g}"));
    let plan = env.run(&["plan", "--base", "base", "-o", "json"]).exits(0).json();
    let notes = plan["base"]["notes"].to_string() + &plan["notes"].to_string();
    assert!(notes.contains("the base cannot be planned (the datasets overlap"), "{plan:#}");
}

#[test]
fn policies_that_are_invalid_are_said_in_the_document_of_find() {
    let env = env();
    env.write("policies/broken.yaml", "kind: [");
    let run = env.run(&["find", "who=x", "-o", "json"]).exits(3);
    let document = run.json();
    assert!(document["diagnostics"].to_string().contains("broken.yaml"), "{document:#}");
    assert_eq!(document["datasets"], json!([]));
    let human = env.run(&["find", "who=x"]).exits(3);
    assert!(human.stderr.contains("broken.yaml") && human.stderr.contains("policies are invalid"));
    assert_eq!(human.stdout, "");
}

#[test]
fn find_shows_the_rest_where_something_cannot_be_read() {
    let env = env();
    // Pages that cannot be read under a footer that can: only the search sees it.
    let mut torn = fs::read(env.path("lake/e/a.parquet")).unwrap();
    torn[4..40].fill(0xff);
    fs::write(env.path("lake/e/torn.parquet"), torn).unwrap();
    for by in [&[][..], &["--by", "source"]] {
        let run = env.run(&[&["find", "who=x", "-o", "json"], by].concat()).exits(5).json();
        assert_eq!(run["datasets"][0]["rows"], 1, "{run:#}");
        let problems = run["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "{run:#}");
        assert!(problems[0].as_str().unwrap().contains("lake/e/torn.parquet"), "{run:#}");
    }
    fs::remove_file(env.path("lake/e/torn.parquet")).unwrap();
    fs::write(env.path("lake/e/b.parquet"), b"PAR1xxxxxxPAR1").unwrap();
    let run = env.run(&["find", "who=x", "-o", "json"]).exits(5);
    let problems = run.json()["problems"].to_string();
    assert!(problems.contains("e: lake/e/b.parquet: "), "{problems}");
    let human = env.run(&["find", "who=x"]).exits(5);
    for name in ["e", "f"] {
        let row = human.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), [name, "1", "1"]);
    }
    assert!(human.stderr.contains("lake/e/b.parquet"), "{}", human.stderr);
}
