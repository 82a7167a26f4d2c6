//! A disk that is full, and a directory that cannot be written: nothing is lost, nothing is left lying about,
//! other datasets go on, and the next pass finishes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Env, NOW, task, text};

/// Dataset `large`, whose file does not fit where a small one does, and dataset `small`.
fn env() -> Env {
    let env = Env::new();
    let names: Vec<String> = (0..3000_u32).map(|row| format!("p{}", row % 500)).collect();
    let cells: Vec<String> =
        (0..3000_u32).map(|row| format!("{:x}", row.wrapping_mul(2_654_435_761))).collect();
    let column = |v: &Vec<String>| text(&v.iter().map(String::as_str).collect::<Vec<_>>());
    env.parquet("lake/large/a.parquet", vec![("who", column(&names)), ("cell", column(&cells))]);
    env.parquet(
        "lake/small/a.parquet",
        vec![("who", text(&["p7", "q"])), ("cell", text(&["1", "2"]))],
    );
    for name in ["large", "small"] {
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: lake/{name}/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: cell, labels: [I2, DEL-PERSON, ACC-ALL], erase: {{method: empty}}}}"
            ),
        );
    }
    let user = |name: &str| {
        format!(
            "{{key: {name}, action: [delete], userIDs: [{{namespace: who, value: p7}}], only: {{datasets: [{name}]}}}}"
        )
    };
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [large, small], users: [{}, {}]}}",
            user("large"),
            user("small")
        ),
    );
    env
}

fn lake(env: &Env) -> BTreeMap<PathBuf, Vec<u8>> {
    env.files("lake")
}

/// The large dataset's delete failed for want of room; all else is as it has to be.
#[track_caller]
fn fails_alone(env: &Env, output: &Output, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(5), "{report:#}");
    let failed = task(&report, "large", "delete");
    assert_eq!((&failed["phase"], &failed["reason"]), (&"Failed".into(), &"Storage".into()));
    assert!(failed["message"].as_str().unwrap().contains("lake/large/a.parquet"), "{failed}");
    assert_eq!(task(&report, "small", "delete")["phase"], "Complete", "{report:#}");
    let after = lake(env);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "litter");
    let large = env.path("lake/large/a.parquet");
    assert_eq!(before[&large], after[&large]);
}

/// With room again, the pass goes on where it stopped.
#[track_caller]
fn goes_on(env: &Env) {
    let later = ["--now", "2026-11-23T09:00:00Z", "apply", "--auto-approve", "-o", "json"];
    let report = env.run(&later).exits(0).json();
    assert_eq!(task(&report, "large", "delete")["phase"], "Complete", "{report:#}");
    let rows = env.rows("lake/large/a.parquet");
    assert_eq!(rows.len(), 3000);
    for (at, row) in rows.iter().enumerate() {
        let erased = row[0].as_deref().unwrap().starts_with("Privacy-");
        assert_eq!(erased, at % 500 == 7, "row {at}");
    }
    env.run(&["--now", "2026-11-23T09:00:00Z", "verify"]).exits(0);
}

/// No file may grow beyond eight kilobytes.
#[test]
fn a_file_that_cannot_grow_is_left_as_it_was() {
    let env = env();
    let before = lake(&env);
    assert!(before[&env.path("lake/large/a.parquet")].len() > 20_000);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_amparo"))
        .arg("-C")
        .arg(env.root())
        .args(["--now", NOW, "apply", "--auto-approve", "-o", "json"])
        .output()
        .unwrap();
    fails_alone(&env, &output, &before);
    goes_on(&env);
}

/// Whether a file system can be mounted, in a namespace of its own.
pub(crate) fn may_mount() -> bool {
    let mount = ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    Command::new("unshare").args(mount).output().is_ok_and(|output| output.status.success())
}

/// A file system of its own for one dataset, with room for its file and not for a second. Where the system lets
/// nobody mount one, the test above stands for it.
#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    if !may_mount() {
        println!("no file system can be mounted here");
        return;
    }
    let env = env();
    let script = r#"
set -eu
cp lake/large/a.parquet original
mount -t tmpfs -o size=48k tmpfs lake/large
cp original lake/large/a.parquet
"$@" > full.json || echo $? > full.code
ls -A lake/large > full.files
cmp original lake/large/a.parquet
mount -o remount,size=10m lake/large
shift 4
"$AMPARO" -C . --now 2026-11-23T09:00:00Z "$@" > room.json
ls -A lake/large > room.files
cp lake/large/a.parquet erased.parquet
"#;
    let binary = env!("CARGO_BIN_EXE_amparo");
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh", binary, "-C", ".", &format!("--now={NOW}")])
        .args(["apply", "--auto-approve", "-o", "json"])
        .env("AMPARO", binary)
        .current_dir(env.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(env.path(name)).unwrap();
    let report: Value = serde_json::from_str(&read("full.json")).unwrap();
    let failed = task(&report, "large", "delete");
    assert_eq!((&failed["phase"], &failed["reason"]), (&"Failed".into(), &"Storage".into()));
    assert_eq!(task(&report, "small", "delete")["phase"], "Complete", "{report:#}");
    assert_eq!((read("full.code").trim(), read("full.files").trim()), ("5", "a.parquet"));
    let report: Value = serde_json::from_str(&read("room.json")).unwrap();
    assert_eq!(task(&report, "large", "delete")["phase"], "Complete", "{report:#}");
    assert_eq!(read("room.files").trim(), "a.parquet");
    let rows = env.rows("erased.parquet");
    assert_eq!(rows.len(), 3000);
    assert!(rows[7][0].as_deref().unwrap().starts_with("Privacy-"));
}

pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

pub(crate) fn hand_over(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in path.is_dir().then(|| fs::read_dir(path).unwrap()).into_iter().flatten() {
        hand_over(&entry.unwrap().path());
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_left_as_it_was() {
    let env = env();
    let binary = env.path("amparo");
    fs::copy(env!("CARGO_BIN_EXE_amparo"), &binary).unwrap();
    fs::set_permissions(env.root(), PermissionsExt::from_mode(0o755)).unwrap();
    if is_root() {
        hand_over(env.root());
    }
    let large = env.path("lake/large");
    fs::set_permissions(&large, PermissionsExt::from_mode(0o555)).unwrap();
    let before = lake(&env);
    let mut command = Command::new(&binary);
    command.arg("-C").arg(env.root()).args(["--now", NOW, "apply", "--auto-approve", "-o", "json"]);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    fails_alone(&env, &output, &before);
    fs::set_permissions(&large, PermissionsExt::from_mode(0o755)).unwrap();
    goes_on(&env);
}
