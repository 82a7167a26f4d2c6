//! Every format of `check` and `plan`, recorded, held against its schema, and told from its input alone.

use serde_json::Value;

use super::scene::{HOSTILE, fill, scene};
use super::schema::{assert_junit, assert_sarif};
use crate::support::{Env, Run, text};

/// Sizes of Parquet files may change with its writer.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({filters => vec![
        (r"\d+(\.\d)? k?B of \d+(\.\d)? k?B", "<size> of <size>"),
        (r"\| \d+(\.\d)? k?B \|", "| <size> |"),
        (r"[0-9a-f]{64}", "<sha256>"),
    ]}, { insta::assert_snapshot!(name, text) });
}

fn both(env: &Env, args: &[&str]) -> [(&'static str, Run); 2] {
    let run = |command: &str| env.run(&[&[command], args].concat());
    [("check", run("check")), ("plan", run("plan"))]
}

#[test]
fn markdown() {
    for (command, run) in both(&scene(), &["-o", "markdown"]) {
        assert_eq!(run.code, 3, "{}", run.stderr);
        snapshot(&format!("{command}_markdown"), &run.stdout);
        inert_markdown(&run.stdout);
        assert_eq!(run.stdout.lines().next(), Some(format!("<!-- amparo:{command} -->").as_str()));
    }
}

/// Nothing of the hostile texts is more than text.
#[track_caller]
pub(crate) fn inert_markdown(text: &str) {
    for forbidden in
        ["<img", "<b>", "`x`", "@team", "[l](", "http://", "https://", "www.e", "\u{1b}", "\r"]
    {
        assert!(!text.contains(forbidden), "{forbidden:?} in\n{text}");
    }
    for line in text.lines() {
        let start = line.trim_start();
        assert!(!start.starts_with("::") && !start.starts_with('/'), "{line}");
        // Every row of a table has as many cells as its head.
        if let Some(row) = line.strip_prefix("| ") {
            assert!(row.ends_with(" |"), "{line}");
        }
    }
    let mut columns = 0;
    for line in text.lines() {
        let bars = line.matches('|').count();
        match (line.starts_with('|'), columns) {
            (true, 0) => columns = bars,
            (true, expected) => assert_eq!(bars, expected, "{line}"),
            (false, _) => {
                assert_eq!(bars, 0, "{line}");
                columns = 0;
            }
        }
    }
}

#[test]
fn sarif() {
    for (command, run) in both(&scene(), &["-o", "sarif"]) {
        assert_eq!(run.code, 3, "{}", run.stderr);
        let log = assert_sarif(&run.stdout);
        snapshot(&format!("{command}_sarif"), &run.stdout);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(!results.is_empty());
        let mut prints = std::collections::BTreeSet::new();
        for result in results {
            let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            assert_eq!(place["uriBaseId"], "%SRCROOT%");
            let uri = place["uri"].as_str().unwrap();
            assert!(!uri.starts_with(['/', '.']) && !uri.contains(':'), "{uri}");
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(!rule["help"]["text"].as_str().unwrap().is_empty(), "{rule}");
            assert!(prints.insert(result["partialFingerprints"]["amparoFinding/v1"].to_string()));
        }
    }
}

#[test]
fn fingerprints_survive_moved_lines() {
    let prints = |env: &Env| -> Vec<Value> {
        let log = assert_sarif(&env.run(&["check", "-o", "sarif"]).stdout);
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    let env = scene();
    let before = prints(&env);
    let path = env.path("requests/subjectrequest-r.yaml");
    let moved = format!("# one\n# two\n{}", std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, moved).unwrap();
    assert_eq!(before, prints(&env));
}

#[test]
fn junit() {
    for (command, run) in both(&scene(), &["-o", "junit"]) {
        assert_eq!(run.code, 3, "{}", run.stderr);
        let report = assert_junit(&run.stdout);
        snapshot(&format!("{command}_junit"), &run.stdout);
        let cases = report.find_all("testcase");
        let failed = report.find_all("failure").len().to_string();
        assert_eq!(report.attribute("failures"), Some(failed.as_str()));
        assert_eq!(report.attribute("tests"), Some(cases.len().to_string().as_str()));
        if command == "check" {
            let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
            assert!(names.contains(&"policies/dataset-orders.yaml"), "{names:?}");
        }
    }
}

#[test]
fn code_quality() {
    let env = scene();
    for command in ["check", "plan"] {
        env.run(&[command, "--ci", "gitlab", "--report", "gl-code-quality-report.json"]).exits(3);
        let text = std::fs::read_to_string(env.path("gl-code-quality-report.json")).unwrap();
        snapshot(&format!("{command}_code_quality"), &text);
        let list: Value = serde_json::from_str(&text).unwrap();
        let mut prints = std::collections::BTreeSet::new();
        for finding in list.as_array().unwrap() {
            assert!(prints.insert(finding["fingerprint"].as_str().unwrap().to_owned()));
            let severity = finding["severity"].as_str().unwrap();
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
            let path = finding["location"]["path"].as_str().unwrap();
            assert!(!path.starts_with(['/', '.']), "{path}");
            assert!(finding["location"]["lines"]["begin"].as_u64().unwrap() > 0);
            assert!(finding["description"].is_string() && finding["check_name"].is_string());
        }
    }
}

#[test]
fn annotations() {
    for (command, run) in both(&scene(), &["--ci", "github", "-o", "json"]) {
        assert_eq!(run.code, 3);
        snapshot(&format!("{command}_annotations"), &run.stderr);
        for line in run.stderr.lines() {
            let level =
                line.strip_prefix("::").and_then(|l| l.split(' ').next()).unwrap_or_default();
            assert!(["error", "warning", "notice"].contains(&level), "{line:?}");
        }
        // The document is the same one, and none of its lines is a command.
        assert!(!run.stdout.contains("##["), "{}", run.stdout);
        if command == "plan" {
            let keys: Vec<Value> =
                run.json()["tasks"].as_array().unwrap().iter().map(|t| t["key"].clone()).collect();
            assert!(keys.contains(&Value::from(HOSTILE)), "{keys:?}");
        }
    }
}

#[test]
fn people_see_no_control_characters() {
    let env = scene();
    for args in [
        &["plan"][..],
        &["check"],
        &["apply", "--auto-approve"],
        &["status"],
        &["history"],
        &["verify"],
    ] {
        let run = env.run(args);
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains(['\u{1b}', '\r']), "{args:?}: {text:?}");
            assert!(
                text.lines().all(|line| !line.trim_start().starts_with("::")),
                "{args:?}: {text}"
            );
        }
    }
}

#[test]
fn the_other_commands_have_markdown() {
    let env = scene();
    env.parquet("lake/broken/empty.parquet", vec![("who", text(&["bob"]))]);
    let mut told = String::new();
    for args in [
        &["apply", "--auto-approve"][..],
        &["status"],
        &["status", "--as", "drp"],
        &["history"],
        &["verify"],
        &["find", "login=ann"],
    ] {
        let run = env.run(&[args, &["-o", "markdown"]].concat());
        inert_markdown(&run.stdout);
        assert_eq!(
            run.stdout.lines().next(),
            Some(format!("<!-- amparo:{} -->", args[0]).as_str())
        );
        told.push_str(&format!("$ amparo {} -o markdown\n{}\n", args.join(" "), run.stdout));
        for format in ["sarif", "junit"] {
            env.run(&[args, &["-o", format]].concat()).exits(64);
        }
    }
    snapshot("others_markdown", &told);
}

#[test]
fn same_input_same_bytes() {
    let (one, other) = (Env::new(), Env::new());
    fill(&one, false);
    fill(&other, true);
    for format in ["human", "markdown", "sarif", "junit"] {
        let runs = both(&one, &["-o", format]).into_iter().zip(both(&other, &["-o", format]));
        for ((command, run), (_, again)) in runs {
            assert_eq!(run.stdout, again.stdout, "{command} -o {format}");
            let root = one.root().to_str().unwrap();
            assert!(!run.stdout.contains(root), "{command} -o {format} names {root}");
        }
    }
}
