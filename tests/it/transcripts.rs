//! What a person sees: standard output, standard error and exit status of a small story, together.

use crate::support::{Env, text};

fn story() -> Env {
    let env = Env::new();
    env.parquet(
        "lake/visits.parquet",
        vec![
            ("who", text(&["ann", "ann", "bob", ""])),
            ("cookie", text(&["c1", "c2", "c2", "c3"])),
            ("page", text(&["https://x.example/a?u=1", "/b", "/c", "/d"])),
            ("os", text(&["ios", "linux", "ios", ""])),
        ],
    );
    env.dataset(
        "visits",
        "  product: web
  location: lake/visits.parquet
  format: parquet
  fields:
    - {path: who, namespace: login, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: cookie, namespace: web-cookie, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}
    - {path: page, labels: [I2, DEL-PERSON, ACC-ALL], erase: {method: strip-url}}
    - {path: os, labels: [ACC-ALL], selectable: true}",
    );
    env.document(
        "policies",
        "Namespace",
        "web-cookie",
        "  {namespace: web-cookie, expansion: cookie}",
    );
    env.request(
        "r",
        "  regulation: gdpr
  receivedAt: 2026-11-20
  include: [web]
  expandIds: true
  users:
    - {key: CASE-1, action: [access, delete], userIDs: [{namespace: login, value: Ann}]}
    - {key: CASE-2, action: [delete], userIDs: [{namespace: login, value: nobody-known}]}",
    );
    env
}

fn tell(env: &Env, commands: &[&[&str]]) -> String {
    commands
        .iter()
        .map(|args| format!("$ amparo {}\n{}\n", args.join(" "), env.run(args).transcript()))
        .collect()
}

/// Digests and random names differ from run to run.
fn snapshot(name: &str, told: &str) {
    insta::with_settings!({filters => vec![
        (r"[0-9a-f]{64}", "<sha256>"),
        (r"\(\d+(\.\d)? k?B\)", "(<size>)"),
        (r"\d+(\.\d)? k?B of \d+(\.\d)? k?B", "<size> of <size>"),
    ]}, { insta::assert_snapshot!(name, told) });
}

#[test]
fn a_request_from_check_to_verify() {
    let told = tell(
        &story(),
        &[
            &["check", "--data"],
            &["plan"],
            &["plan", "-o", "markdown"],
            &["find", "login=ann", "--by", "os"],
            &["apply", "--auto-approve"],
            &["status"],
            &["status", "--as", "drp"],
            &["history"],
            &["verify"],
            &["plan"],
            &["apply", "--auto-approve"],
        ],
    );
    snapshot("story", &told);
}

#[test]
fn mistakes() {
    let env = story();
    let policy = std::fs::read_to_string(env.path("policies/dataset-visits.yaml")).unwrap();
    env.write("policies/dataset-visits.yaml", &policy.replace("ACC-PERSON]", "ACC-PERSONS]"));
    let mut told =
        tell(&env, &[&["check"], &["plan"], &["apply", "--auto-approve"], &["find", "login=ann"]]);
    env.write("policies/dataset-visits.yaml", &policy);
    env.write("requests/broken.json", "{\"users\": [{\"key\": \"K\" \"action\": [\"access\"],}]}");
    told.push_str(&tell(
        &env,
        &[
            &["check"],
            &["plan", "--detailed-exit"],
            &["apply"],
            &["apply", "nothing-there.json"],
            &["status", "nobody"],
            &["find", "login"],
            &["find", "no dataset=x"],
            &["find", "login=ann", "--by", "page"],
            &["verify", "--head", "x"],
            &["explain", "nope"],
            &["schema", "nope"],
        ],
    ));
    snapshot("mistakes", &told);
}
