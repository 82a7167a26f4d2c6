//! The files of `examples/`, parsed, held to what they promise, and their commands run.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::shell::{Checkout, repository, texts, yaml};
use super::xml::parse;

#[test]
fn github_takes_no_more_rights_than_it_needs() {
    let [workflow] = &yaml("examples/github/amparo.yml")[..] else { panic!("one document") };
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let jobs = workflow["jobs"].as_object().unwrap();
    let rights: BTreeMap<&str, String> =
        jobs.iter().map(|(name, job)| (name.as_str(), job["permissions"].to_string())).collect();
    let read = "{\"contents\":\"read\"}".to_owned();
    assert_eq!(rights["check"], read);
    assert_eq!(rights["plan"], read);
    assert_eq!(rights["apply"], read);
    assert_eq!(rights["comment"], "{\"pull-requests\":\"write\"}");
    for (name, job) in jobs {
        for step in job["steps"].as_array().unwrap() {
            if let Some(uses) = step["uses"].as_str() {
                let (_, pin) = uses.split_once('@').unwrap();
                assert!(pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit()), "{uses}");
                if uses.contains("checkout") {
                    assert_eq!(step["with"]["persist-credentials"], false, "{name}");
                }
            }
            // What others write reaches scripts by variables, never as part of them.
            assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{name}");
        }
    }
    assert_eq!(jobs["apply"]["concurrency"]["cancel-in-progress"], false);
    // Every pin says which release it is.
    for line in repository("examples/github/amparo.yml").lines().filter(|l| l.contains("uses:")) {
        assert!(line.contains(" # v"), "{line}");
    }
}

/// The script of a step, by its name.
fn step(workflow: &Value, job: &str, name: &str) -> String {
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    step["run"].as_str().unwrap().to_owned()
}

#[test]
fn github_runs() {
    let [workflow] = &yaml("examples/github/amparo.yml")[..] else { panic!("one document") };
    let mut checkout = Checkout::new();
    let summary = checkout.env.path("summary.md");
    checkout.set("GITHUB_ACTIONS", "true");
    checkout.set("GITHUB_WORKSPACE", checkout.work().to_str().unwrap());
    checkout.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    checkout.succeeds(&step(workflow, "check", "Check policies and requests"));

    // The branch brings a request that the base has not.
    checkout.succeeds(
        "mkdir .base && cp -r policies requests .base/ && rm .base/requests/2026-11-acme.yaml",
    );
    checkout.succeeds(&step(workflow, "plan", "Plan what the branch adds or changes"));
    let plan = std::fs::read_to_string(checkout.work().join("plan.md")).unwrap();
    assert!(plan.starts_with("<!-- amparo:plan -->\n"), "{plan}");
    assert!(plan.contains("| new | `2026-11-acme/"), "{plan}");
    let summary = || std::fs::read_to_string(&summary).unwrap();
    assert!(summary().contains("## amparo check") && summary().contains("## amparo plan"));

    // The comment: written where there is none, replaced where there is.
    let job = &workflow["jobs"]["comment"]["steps"][1];
    let names: Vec<&String> = job["env"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["GH_TOKEN", "REPOSITORY", "NUMBER"]);
    checkout.set("GH_TOKEN", "token");
    checkout.set("REPOSITORY", "acme/privacy");
    checkout.set("NUMBER", "7");
    // A stand-in for GitHub: it keeps comments in a file, and understands what the script asks.
    checkout.stand_in(
        "gh",
        r#"printf '%s ' "$@" >> "$HOME/calls"; echo >> "$HOME/calls"
case "$*" in
  *--paginate*) jq -r "${@: -1}" "$HOME/comments" ;;
  *) for last; do :; done; for a; do case $a in body=@*) cp "${a#body=@}" "$HOME/written" ;; esac; done ;;
esac"#,
    );
    let comment = step(workflow, "comment", "Write the comment, or replace the one before");
    let calls = |checkout: &Checkout, comments: &str| {
        checkout.env.write("comments", comments).write("calls", "");
        checkout.succeeds(&comment);
        assert_eq!(std::fs::read_to_string(checkout.env.path("written")).unwrap(), plan);
        std::fs::read_to_string(checkout.env.path("calls"))
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .to_owned()
    };
    if Command::new("jq").arg("--version").output().is_ok() {
        let other = r#"{"id": 1, "user": {"login": "eve"}, "body": "<!-- amparo:plan -->\nmine"}"#;
        let created = calls(&checkout, &format!("[{other}]"));
        assert!(
            created.contains("--method POST repos/acme/privacy/issues/7/comments "),
            "{created}"
        );
        let ours = r#"{"id": 2, "user": {"login": "github-actions[bot]"}, "body": "<!-- amparo:plan -->\nold"}"#;
        let replaced = calls(&checkout, &format!("[{other}, {ours}]"));
        assert!(
            replaced.contains("--method PATCH repos/acme/privacy/issues/comments/2 "),
            "{replaced}"
        );
    } else {
        println!("jq is not here: the comment's script was not run");
    }

    checkout.succeeds(&step(workflow, "apply", "Apply"));
    assert!(summary().contains("## amparo apply"), "{}", summary());
    checkout.succeeds(&step(workflow, "apply", "Look whether the ledger is intact"));
}

#[test]
fn gitlab_runs() {
    let [file] = &yaml("examples/gitlab/gitlab-ci.yml")[..] else { panic!("one document") };
    let script = |job: &str, key: &str| texts(&file[job][key]).join("\n");
    let mut checkout = Checkout::new();
    checkout.set("GITLAB_CI", "true");
    checkout.set("CI_PROJECT_DIR", checkout.work().to_str().unwrap());
    checkout.succeeds(&script("amparo-check", "script"));
    let read = |name: &str| std::fs::read_to_string(checkout.work().join(name)).unwrap();
    let reports = &file["amparo-check"]["artifacts"]["reports"];
    let quality: Value =
        serde_json::from_str(&read(reports["codequality"].as_str().unwrap())).unwrap();
    assert!(quality.is_array());
    parse(&read(reports["junit"].as_str().unwrap()));

    // A repository whose target branch lacks a request.
    checkout.succeeds(
        "git init --quiet --initial-branch main . && git config user.name t && git config user.email t@localhost &&
         git add policies && git commit --quiet -m base && git clone --quiet --bare . ../origin.git &&
         git remote add origin ../origin.git && git add requests && git commit --quiet -m branch",
    );
    let mut checkout = checkout;
    checkout.set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
    // Twice: a runner keeps its checkout.
    checkout.succeeds(&script("amparo-plan", "script"));
    checkout.succeeds(&script("amparo-plan", "script"));
    let plan = std::fs::read_to_string(checkout.work().join("plan.md")).unwrap();
    assert!(plan.contains("| new | `2026-11-acme/"), "{plan}");

    if Command::new("jq").arg("--version").output().is_ok() {
        for (name, value) in [
            ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
            ("CI_PROJECT_ID", "12"),
            ("CI_MERGE_REQUEST_IID", "3"),
            ("AMPARO_TOKEN", "token"),
        ] {
            checkout.set(name, value);
        }
        checkout.stand_in(
            "curl",
            r#"for last; do :; done; printf '%s ' "$@" >> "$HOME/calls"; echo >> "$HOME/calls"
case "$last" in *per_page*) cat "$HOME/notes" ;; esac"#,
        );
        for (notes, expected) in [
            ("[]", "--request POST"),
            (r#"[{"id": 5, "body": "x"}]"#, "--request POST"),
            (
                r#"[{"id": 5, "body": "x"}, {"id": 6, "body": "<!-- amparo:plan -->\nold"}]"#,
                "--request PUT",
            ),
        ] {
            checkout.env.write("notes", notes).write("calls", "");
            checkout.succeeds(&script("amparo-comment", "script"));
            let calls = std::fs::read_to_string(checkout.env.path("calls")).unwrap();
            let last = calls.lines().last().unwrap();
            let notes = "https://gitlab.example.com/api/v4/projects/12/merge_requests/3/notes";
            let at =
                if expected.ends_with("PUT") { format!("{notes}/6 ") } else { format!("{notes} ") };
            assert!(last.contains(expected) && last.ends_with(&at), "{last}");
            assert!(last.contains("body@plan.md"), "{last}");
        }
    } else {
        println!("jq is not here: the comment's script was not run");
    }
    checkout.succeeds(&script("amparo-apply", "script"));
    checkout.succeeds(&script("amparo-apply", "after_script"));
    assert_eq!(file["amparo-apply"]["resource_group"], "amparo");
}

#[test]
fn pre_commit_refuses_what_is_wrong() {
    let [hooks] = &yaml(".pre-commit-hooks.yaml")[..] else { panic!("one document") };
    let hooks = hooks.as_array().unwrap();
    let checkout = Checkout::new();
    for hook in hooks {
        assert_eq!((&hook["language"], &hook["pass_filenames"]), (&"system".into(), &false.into()));
        let files = regex::Regex::new(hook["files"].as_str().unwrap()).unwrap();
        assert!(files.is_match("policies/x.yaml") && !files.is_match("src/policies/x.rs"));
        checkout.succeeds(hook["entry"].as_str().unwrap());
    }
    checkout.env.write("work/requests/broken.json", "{");
    assert_eq!(checkout.run(hooks[0]["entry"].as_str().unwrap()).status.code(), Some(3));
    let [config] = &yaml("examples/pre-commit/pre-commit-config.yaml")[..] else { panic!() };
    let used = &config["repos"][0]["hooks"][0]["id"];
    assert!(hooks.iter().any(|hook| hook["id"] == *used), "{used}");
}

/// The keys of a unit, by section.
fn unit(path: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut section = None;
    for line in
        repository(path).lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(name) => section = Some(name.to_owned()),
            None => {
                let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{path}: {line}"));
                let section = section.clone().unwrap_or_else(|| panic!("{path}: {line}"));
                sections.entry(section).or_default().push((key.to_owned(), value.to_owned()));
            }
        }
    }
    sections
}

#[test]
fn systemd_units_are_hardened_and_verified() {
    for name in ["amparo-apply.service", "amparo-watch.service"] {
        let unit = unit(&format!("examples/systemd/{name}"));
        let service: BTreeMap<_, _> = unit["Service"].iter().cloned().collect();
        for (key, value) in [
            ("User", "amparo"),
            ("ProtectSystem", "strict"),
            ("ReadWritePaths", "/srv/lake"),
            ("NoNewPrivileges", "yes"),
            ("CapabilityBoundingSet", ""),
            ("StateDirectoryMode", "0700"),
        ] {
            assert_eq!(service[key], value, "{name}: {key}");
        }
    }
    let timer = unit("examples/systemd/amparo-apply.timer");
    assert!(timer["Timer"].contains(&("Persistent".to_owned(), "true".to_owned())));

    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is not here: the units were only parsed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["amparo-apply.service", "amparo-apply.timer", "amparo-watch.service"] {
        let text = repository(&format!("examples/systemd/{name}"));
        let text = text.replace("/usr/local/bin/amparo", env!("CARGO_BIN_EXE_amparo"));
        std::fs::write(folder.path().join(name), text).unwrap();
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(folder.path().join(name))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains("amparo-"), "{name}: {said}");
    }
}

/// The arguments of `ExecStart=`, without the program.
fn exec(name: &str) -> Vec<String> {
    let unit = unit(&format!("examples/systemd/{name}"));
    let (_, line) = unit["Service"].iter().find(|(key, _)| key == "ExecStart").unwrap();
    line.split(' ').skip(1).map(str::to_owned).collect()
}

#[test]
fn services_and_containers_start_what_there_is() {
    let mut checkout = Checkout::new();
    let [cron] = &yaml("examples/kubernetes/cronjob.yaml")[..] else { panic!("one document") };
    let cron = &cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let daemon =
        &yaml("examples/kubernetes/daemon.yaml")[0]["spec"]["template"]["spec"]["containers"][0];
    // One pass each, with the state where the examples have it, below the checkout.
    for (args, variables) in [
        (exec("amparo-apply.service"), environment("amparo-apply.service")),
        (texts(&cron["args"]), pairs(&cron["env"])),
    ] {
        for (name, value) in variables {
            let below = value.strip_prefix('/').map(|path| checkout.env.path(path));
            checkout.set(&name, &below.map_or(value, |path| path.to_str().unwrap().to_owned()));
        }
        checkout.succeeds(&format!("amparo {}", args.join(" ")));
    }
    assert!(checkout.env.path("var/lib/amparo/state/ledger").is_dir());
    assert!(checkout.env.path("state/exports").is_dir());
    // The daemon's flags are known: usage errors come before the help.
    for args in [exec("amparo-watch.service"), texts(&daemon["args"])] {
        let help = checkout.succeeds(&format!("amparo {} --help", args.join(" ")));
        assert!(help.contains("Usage: amparo watch"), "{help}");
    }
}

fn environment(name: &str) -> Vec<(String, String)> {
    let unit = unit(&format!("examples/systemd/{name}"));
    let set = unit["Service"].iter().filter(|(key, _)| key == "Environment");
    set.map(|(_, pair)| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn pairs(env: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    env.as_array().unwrap().iter().map(|pair| (text(&pair["name"]), text(&pair["value"]))).collect()
}

#[test]
fn kubernetes_runs_without_rights() {
    let cron = yaml("examples/kubernetes/cronjob.yaml").remove(0);
    let daemon = yaml("examples/kubernetes/daemon.yaml").remove(0);
    assert_eq!(cron["spec"]["concurrencyPolicy"], "Forbid");
    assert_eq!(
        (&daemon["spec"]["replicas"], &daemon["spec"]["strategy"]["type"]),
        (&1.into(), &"Recreate".into())
    );
    assert_eq!(
        daemon["spec"]["selector"]["matchLabels"],
        daemon["spec"]["template"]["metadata"]["labels"]
    );
    for pod in [
        &cron["spec"]["jobTemplate"]["spec"]["template"]["spec"],
        &daemon["spec"]["template"]["spec"],
    ] {
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["automountServiceAccountToken"], false);
        let container = &pod["containers"][0];
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]));
        // Every mount has its volume, and every place that is written has a mount.
        let volumes: Vec<&Value> =
            pod["volumes"].as_array().unwrap().iter().map(|v| &v["name"]).collect();
        let mounts = container["volumeMounts"].as_array().unwrap();
        assert!(mounts.iter().all(|mount| volumes.contains(&&mount["name"])));
        for (name, path) in
            pairs(&container["env"]).iter().filter(|(_, value)| value.starts_with('/'))
        {
            let writable = |mount: &&Value| {
                path.starts_with(mount["mountPath"].as_str().unwrap()) && mount["readOnly"] != true
            };
            assert!(mounts.iter().any(|mount| writable(&mount)), "{name}={path}");
        }
    }
    let container = &daemon["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 9464);
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
}

#[test]
fn the_image_holds_what_the_program_needs() {
    let text = repository("examples/docker/Dockerfile");
    let lines: Vec<&str> =
        text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut copied = Vec::new();
    for line in lines.iter().filter(|l| l.starts_with("COPY ") && !l.contains("--from=")) {
        let mut words: Vec<&str> = line.split(' ').skip(1).collect();
        words.pop();
        assert!(words.iter().all(|word| root.join(word).exists()), "{line}");
        copied.extend(words);
    }
    // What the sources include at compile time is there.
    for needed in ["src", "templates", "policies", "requests", "Cargo.toml", "Cargo.lock"] {
        assert!(copied.contains(&needed), "{needed}");
    }
    let last = |key: &str| {
        let found = lines.iter().rev().find_map(|line| line.strip_prefix(key));
        found.unwrap_or_else(|| panic!("no {key}")).trim().to_owned()
    };
    let user: u32 = last("USER ").split(':').next().unwrap().parse().unwrap();
    assert_ne!(user, 0);
    assert_eq!(last("ENTRYPOINT "), "[\"/usr/local/bin/amparo\"]");
    assert!(last("FROM ").starts_with("gcr.io/distroless/cc-"));
    // `cc` images hold glibc and libgcc, and no other library.
    let linked = Command::new("ldd").arg(env!("CARGO_BIN_EXE_amparo")).output().unwrap();
    for line in String::from_utf8(linked.stdout).unwrap().lines() {
        let name = line
            .trim()
            .split([' ', '/'])
            .find(|word| word.contains(".so"))
            .unwrap_or_else(|| line.rsplit('/').next().unwrap());
        let held = [
            "linux-vdso",
            "libgcc_s",
            "libm.",
            "libc.",
            "libdl.",
            "libpthread.",
            "librt.",
            "ld-linux",
        ];
        assert!(held.iter().any(|known| line.contains(known)), "{name} is not in the image");
    }
}
