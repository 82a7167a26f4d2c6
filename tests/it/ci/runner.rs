//! How `--ci` is decided, where reports go, and what GitHub's runner is given to read.

use super::scene::scene;
use super::schema::{assert_junit, assert_sarif};

#[test]
fn the_system_is_found_by_its_variables() {
    let env = scene();
    let annotated = |args: &[&str], variables: &[(&str, &str)]| {
        env.run_with(&[&["check"], args].concat(), variables, "").stderr.contains("\n::error ")
    };
    assert!(!annotated(&[], &[]));
    assert!(annotated(&[], &[("GITHUB_ACTIONS", "true")]));
    assert!(annotated(&["--ci", "github"], &[]));
    assert!(annotated(&[], &[("AMPARO_CI", "github")]));
    assert!(!annotated(&["--ci", "none"], &[("GITHUB_ACTIONS", "true")]));
    assert!(!annotated(&[], &[("GITHUB_ACTIONS", "false")]));
    assert!(!annotated(&[], &[("GITLAB_CI", "true")]));
    env.run(&["check", "--ci", "jenkins"]).exits(64);
}

#[test]
fn quiet_annotates_errors_only() {
    let run = scene().run(&["plan", "--ci", "github", "-q"]);
    let starts = |level: &str| run.stderr.lines().any(|line| line.starts_with(level));
    assert!(starts("::error "), "{}", run.stderr);
    assert!(!starts("::notice") && !starts("::warning"), "{}", run.stderr);
}

#[test]
fn paths_are_relative_to_the_checkout() {
    let env = scene();
    let (above, here) = (env.root().parent().unwrap(), env.root().file_name().unwrap());
    let (above, here) = (above.to_str().unwrap(), here.to_str().unwrap());
    let policies = env.path("policies").to_str().unwrap().to_owned();
    for (system, workspace) in
        [("GITHUB_ACTIONS", "GITHUB_WORKSPACE"), ("GITLAB_CI", "CI_PROJECT_DIR")]
    {
        let variables = [(system, "true"), (workspace, above)];
        let args = ["--policies", &policies, "check", "-o", "sarif"];
        let run = env.run_with(&args, &variables, "").exits(3);
        let mut folders: Vec<String> = assert_sarif(&run.stdout)["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
            .map(|uri| uri.as_str().unwrap().rsplit_once('/').unwrap().0.to_owned())
            .collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders, [format!("{here}/policies"), format!("{here}/requests")]);
        if system == "GITHUB_ACTIONS" {
            assert!(run.stderr.contains(&format!("file={here}/requests/")), "{}", run.stderr);
        }
    }
}

#[test]
fn one_run_writes_every_report() {
    let env = scene();
    let mut args = vec!["plan"];
    for report in ["out.md", "out.sarif", "junit=report.txt", "json=plan.json", "quality.json"] {
        args.extend(["--report", report]);
    }
    let run = env.run(&args).exits(3);
    let read = |name: &str| std::fs::read_to_string(env.path(name)).unwrap();
    assert_eq!(read("out.md"), env.run(&["plan", "-o", "markdown"]).stdout);
    assert_eq!(read("plan.json"), env.run(&["plan", "-o", "json"]).stdout);
    assert!(run.stdout.contains("Plan: "), "{}", run.stdout);
    assert_sarif(&read("out.sarif"));
    assert_junit(&read("report.txt"));
    assert!(read("quality.json").starts_with('['));
    let left: Vec<_> = std::fs::read_dir(env.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    env.run(&["plan", "--report", "plan"]).exits(64);
    env.run(&["plan", "--report", "nowhere/plan.md"]).exits(1);
}

#[test]
fn nothing_but_annotations_commands_the_runner() {
    let env = scene();
    let summary = env.path("summary.md").to_str().unwrap().to_owned();
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.as_str())];
    for format in ["human", "json", "markdown"] {
        for command in [
            &["check"][..],
            &["plan", "-vv"],
            &["plan", "-vv", "--log-format", "json"],
            &["apply", "--auto-approve"],
            &["status"],
            &["history"],
            &["verify"],
            &["find", "::add-mask::x"],
            &["find", "login=ann", "--by", "::error::x ##[error]y"],
            &["-C", "##[error]x", "check"],
        ] {
            let run = env.run_with(&[command, &["-o", format]].concat(), &variables, "");
            for line in run.stdout.lines().chain(run.stderr.lines()) {
                let start = line.trim_start();
                let ours = ["::error file=", "::warning file=", "::notice "];
                if start.starts_with("::") {
                    assert!(ours.iter().any(|own| start.starts_with(own)), "{command:?}: {line}");
                } else {
                    assert!(!line.contains("##["), "{command:?} -o {format}: {line}");
                }
            }
            if format == "json" && run.code != 64 && run.code != 1 {
                run.json();
            }
        }
    }
}
