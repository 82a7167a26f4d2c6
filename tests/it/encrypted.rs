//! Packages that only their recipients can read.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::sealing::{PLANTED, env, request};
use crate::support::{Env, task, text, until};

const ENCRYPT: &str = "  packageEncryption: {recipients: [KEY]}";

/// The entries of an opened package.
fn entries(path: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|i| {
            let mut entry = archive.by_index(i).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

/// No file below is a ZIP, whatever its name.
fn nothing_plain(env: &Env, folder: &str) {
    for (path, bytes) in env.files(folder) {
        assert!(!bytes.starts_with(b"PK"), "{} is plain", path.display());
        assert!(!path.to_string_lossy().ends_with(".zip"), "{}", path.display());
    }
}

#[test]
fn packages_are_encrypted_and_opened() {
    let env = env(ENCRYPT);
    request(&env);
    let applied = env.apply().exits(0).json();
    let task_a = task(&applied, "A", "access");
    assert_eq!(task_a["package"], "exports/r/A.zip.age");
    assert_eq!(task_a["verified"], true);
    nothing_plain(&env, "exports");
    nothing_plain(&env, "state");
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    assert_eq!(task(&status, "A", "access")["package"], "exports/r/A.zip.age");
    // Whoever verifies needs no key; a changed byte is seen.
    let verify = env.run(&["verify", "-o", "json"]).exits(0).json();
    assert_eq!(verify["packages"][0]["package"], "exports/r/A.zip.age");
    assert_eq!(verify["packages"][0]["intact"], true);

    env.run(&["open", "exports/r/A.zip.age"]).exits(64);
    env.run(&["keygen", "--out", "other.txt"]).exits(0);
    let stranger = env.run(&["open", "exports/r/A.zip.age", "--identity", "other.txt"]).exits(1);
    assert!(
        stranger.stderr.contains("not encrypted to any of the keys given"),
        "{}",
        stranger.stderr
    );
    let opened =
        env.run(&["open", "exports/r/A.zip.age", "--identity", "key.txt", "--out", "a.zip"]);
    assert_eq!(opened.exits(0).stdout, "a.zip\n");
    let entries = entries(&env.path("a.zip"));
    assert!(entries["profile.json"].contains(PLANTED[0]));
    assert!(entries["e/person.csv"].contains(PLANTED[2]));
    // It is never written over anything.
    env.run(&["open", "exports/r/A.zip.age", "--identity", "key.txt", "--out", "a.zip"]).exits(1);

    let path = env.path("exports/r/A.zip.age");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    env.run(&["verify"]).exits(1);
    let broken = env
        .run(&["open", "exports/r/A.zip.age", "--identity", "key.txt", "--out", "b.zip"])
        .exits(1);
    assert!(broken.stderr.contains("changed or cut short"), "{}", broken.stderr);
    assert!(!env.path("b.zip").exists());

    let later =
        env.run(&["--now", "2026-12-20T00:00:00Z", "apply", "--auto-approve", "-o", "json"]);
    later.exits(0);
    assert!(env.files("exports").is_empty(), "an expired package is still there");
}

#[test]
fn recipients_that_cannot_be_used_stop_everything() {
    let env = env(ENCRYPT);
    request(&env);
    for bad in [
        "  packageEncryption: {}",
        "  packageEncryption: {recipients: []}",
        "  packageEncryption: {recipients: [age1nobody]}",
    ] {
        env.document("policies", "Settings", "default", bad);
        env.run(&["check"]).exits(3);
        env.run(&["apply", "--auto-approve"]).exits(3);
        assert!(!env.path("exports").exists() && !env.path("state").exists());
    }
}

#[test]
fn a_package_of_yesterday_s_kind_goes_when_the_new_one_is_there() {
    let env = env("  exportRetention: 14d");
    request(&env);
    let text = std::fs::read_to_string(env.path("requests/r.yaml")).unwrap();
    let text = text.replace("[access, delete]", "[access]");
    env.write("requests/r.yaml", &text);
    env.apply().exits(0);
    assert!(env.path("exports/r/A.zip").exists());
    let recipient = env.run(&["keygen", "--out", "new.txt"]).exits(0).stdout;
    let settings = format!("  packageEncryption: {{recipients: [{}]}}", recipient.trim());
    env.document("policies", "Settings", "default", &settings);
    // Encrypting from now on does not touch what is there; asking again does.
    env.apply().exits(0);
    assert!(env.path("exports/r/A.zip").exists());
    env.write(
        "requests/r.yaml",
        &text.replace("  include: [e]", "  include: [e]\n  expandIds: true"),
    );
    env.apply().exits(0);
    nothing_plain(&env, "exports");
    env.run(&["verify"]).exits(0);
}

#[test]
fn a_killed_pass_leaves_nothing_plain() {
    // Where it is killed: as soon as such a file is there.
    let moments = [
        ("state/scratch", ".zip.partial"),
        ("state/scratch", ".zip"),
        ("state/scratch", ".tmp"),
        ("state/scratch", ".zip.age"),
        ("exports", ".age"),
        ("exports", ".tmp"),
    ];
    for (folder, ending) in moments {
        let env = env(ENCRYPT);
        let many: Vec<String> = (0..8_000).map(|i| format!("{} {i}", PLANTED[2])).collect();
        let emails = vec![PLANTED[0]; many.len()];
        env.parquet(
            "lake/e.parquet",
            vec![
                ("email", text(&emails)),
                ("number", crate::support::numbers(&vec![1; many.len()])),
                ("cell", text(&many.iter().map(String::as_str).collect::<Vec<_>>())),
            ],
        );
        let settings = std::fs::read_to_string(env.path("policies/settings-default.yaml")).unwrap();
        env.write(
            "policies/settings-default.yaml",
            &format!("{settings}  limits: {{maxFractionErased: 1}}\n"),
        );
        request(&env);
        let mut child = env.start(&["apply", "--auto-approve"]);
        let there =
            || env.files(folder).keys().any(|path| path.to_string_lossy().ends_with(ending));
        // A pass that is over before the moment is seen is as good: then nothing is to be finished.
        until("the moment comes", || there() || child.try_wait().unwrap().is_some());
        let _ = child.kill();
        child.wait().unwrap();
        nothing_plain(&env, "exports");

        env.apply().exits(0);
        nothing_plain(&env, "exports");
        nothing_plain(&env, "state");
        env.run(&["verify"]).exits(0);
        for key in ["A", "B"] {
            let package = format!("exports/r/{key}.zip.age");
            let out = format!("{key}.zip");
            if key == "A" {
                env.run(&["open", &package, "--identity", "key.txt", "--out", &out]).exits(0);
                let csv = &entries(&env.path(&out))["e/person.csv"];
                assert_eq!(csv.lines().count(), 8_001, "access came after erasure");
            }
        }
    }
}
