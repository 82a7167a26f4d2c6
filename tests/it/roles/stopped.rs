//! A copy that is stopped on its way: killed, told to end, without room or rights, or sent where it cannot be.
//! The original is as it was, and nothing half-made bears the copy's name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{ledger, me};
use crate::crashes::{FILES, ROWS};
use crate::no_space::{NOBODY, hand_over, is_root, may_mount};
use crate::support::{Env, NOW, until};

const PUBLISH: [&str; 6] = ["publish", "e", "--role", "analyst", "--jobs", "1"];

fn lake() -> Env {
    let env = crate::crashes::lake();
    env.document("policies", "Role", "analyst", "  personalData: false");
    fs::create_dir(env.path("copies")).unwrap();
    env
}

fn to(out: &str) -> Vec<&str> {
    [&PUBLISH[..], &["--out", out]].concat()
}

/// Files of a copy in the making.
fn made(env: &Env) -> usize {
    let folders = fs::read_dir(env.path("copies")).into_iter().flatten().flatten();
    let staged =
        folders.filter(|entry| entry.file_name().to_string_lossy().starts_with(".amparo-publish-"));
    staged.flat_map(|entry| fs::read_dir(entry.path()).into_iter().flatten()).count()
}

/// What lies beside the copies.
fn names(env: &Env) -> Vec<String> {
    let entries = fs::read_dir(env.path("copies")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Every file is there, and holds stars where it has to.
#[track_caller]
fn is_whole(env: &Env, copy: &str) {
    assert_eq!(env.files(copy).len(), FILES, "{copy} is not whole");
    for file in 0..FILES {
        let rows = env.rows(&format!("{copy}/part-{file}.parquet"));
        assert_eq!(rows.len(), ROWS);
        assert!(rows.iter().flatten().all(|cell| cell.as_deref() == Some("*****")));
    }
}

/// Whatever happened, the original is as it was, and the next copy is made and clears what was left.
#[track_caller]
fn goes_on(env: &Env, before: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(env.files("lake") == *before, "the original changed");
    if env.path("copies/one").exists() {
        is_whole(env, "copies/one");
    }
    env.run(&to("copies/next")).exits(0);
    is_whole(env, "copies/next");
    assert!(names(env).iter().all(|name| !name.starts_with('.')), "litter: {:?}", names(env));
    env.run(&["verify", "--ledger"]).exits(0);
    assert!(env.files("lake") == *before, "the original changed");
}

fn published(env: &Env) -> usize {
    ledger(env).iter().filter(|record| record["event"] == "Published").count()
}

#[test]
fn a_killed_copy_is_not_there_and_the_next_one_clears_what_it_left() {
    let mut halfway = 0;
    for files in 0..=FILES {
        let env = lake();
        let before = env.files("lake");
        let mut child = env.start(&to("copies/one"));
        until("it has made so many files", || {
            made(&env) >= files || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        halfway += usize::from(made(&env) > 0 && !env.path("copies/one").exists());
        goes_on(&env, &before);
    }
    assert!(halfway > 0, "it was never caught at work");
}

/// Holds the lock of the state: a copy is made whole, and waits to be recorded.
fn waiting(env: &Env) -> (File, Child) {
    env.run(&["status"]).exits(0);
    fs::create_dir_all(env.path("state")).unwrap();
    let lock = File::create(env.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let said = env.path("said");
    let child = env
        .command(&to("copies/one"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&said).unwrap())
        .spawn()
        .unwrap();
    fs::write(
        env.path("state/lock"),
        r#"{"pid":1,"machine":"0","host":"h","since":"2026-11-22T08:00:00Z"}"#,
    )
    .unwrap();
    until("it waits", || {
        fs::read_to_string(&said).unwrap().contains("another pass holds the state")
    });
    assert_eq!(made(env), FILES);
    (lock, child)
}

#[test]
fn a_copy_is_not_seen_before_it_is_recorded() {
    let env = lake();
    let before = env.files("lake");
    let (lock, mut child) = waiting(&env);
    assert!(!env.path("copies/one").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lock);
    assert!(!env.path("copies/one").exists());
    assert_eq!(published(&env), 0);
    goes_on(&env, &before);
    assert_eq!(published(&env), 1);
}

#[test]
fn one_that_is_told_to_end_leaves_nothing() {
    let env = lake();
    let (lock, mut child) = waiting(&env);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(lock);
    assert_eq!((names(&env), published(&env)), (vec![], 0));

    let mut at_work = 0;
    for round in 0..20 {
        let env = lake();
        let before = env.files("lake");
        let mut child = env.start(&to("copies/one"));
        let files = 1 + round % (FILES - 1);
        until("it works", || made(&env) >= files || child.try_wait().unwrap().is_some());
        let _ = kill_process(Pid::from_child(&child), Signal::INT);
        let code = child.wait().unwrap().code();
        if env.path("copies/one").exists() {
            assert!(matches!(code, Some(0 | 130)), "{code:?}");
            assert_eq!(names(&env), ["one"]);
        } else {
            assert_eq!((code, names(&env)), (Some(130), vec![]));
            at_work += 1;
        }
        goes_on(&env, &before);
        if at_work == 2 {
            return;
        }
    }
    panic!("it was never caught at work");
}

#[test]
fn two_at_once_do_not_take_each_other_s_place() {
    let env = lake();
    let before = env.files("lake");
    let mut same = [env.start(&to("copies/one")), env.start(&to("copies/one"))];
    let mut other = env.start(&to("copies/two"));
    let mut codes: Vec<i32> = same.iter_mut().map(|c| c.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    // Taken from the start, or in the meantime.
    assert!(codes == [0, 6] || codes == [0, 64], "{codes:?}");
    assert_eq!(other.wait().unwrap().code(), Some(0));
    is_whole(&env, "copies/two");
    goes_on(&env, &before);
}

#[test]
fn places_where_no_copy_can_be_are_refused() {
    let env = lake();
    env.parquet("lake/other/o.parquet", vec![("who", crate::support::text(&["p1"]))]);
    env.parquet("globbed/a/o.parquet", vec![("who", crate::support::text(&["p1"]))]);
    for (name, location) in [("other", "lake/other/"), ("globbed", "globbed/*/*.parquet")] {
        let fields = "[{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}]";
        env.dataset(name, &format!("  product: e\n  location: {location}\n  fields: {fields}"));
    }
    env.write("copies/full/mine", "mine").write("copies/file", "mine");
    fs::create_dir(env.path("copies/empty")).unwrap();
    symlink("nowhere", env.path("copies/dangling")).unwrap();
    symlink(env.path("copies/empty"), env.path("copies/linked")).unwrap();
    symlink(env.path("lake/e"), env.path("copies/into")).unwrap();
    let before = env.files(".");
    for out in [
        "lake/e/copy",
        "lake/e",
        "lake/other/copy",
        "lake",
        "globbed/copy",
        "globbed/a/copy",
        "copies/into/copy",
        "copies/full",
        "copies/file",
        "copies/file/below",
        "copies/dangling",
        "copies/linked",
        "copies/not/there",
        "policies/copy",
        "approvals/copy",
        "requests/copy",
        "state/copy",
        "exports/copy",
        ".",
        "..",
        "copies/empty/..",
        "",
        "/",
    ] {
        let run = env.run(&to(out)).exits(64);
        assert_eq!(run.stdout, "", "{out}");
        assert!(run.stderr.contains("--out"), "{out}: {}", run.stderr);
    }
    assert!(env.files(".") == before, "something was written");
    env.run(&to("copies/empty")).exits(0);
    is_whole(&env, "copies/empty");
}

#[test]
fn a_mount_point_is_refused_and_a_directory_in_it_is_not() {
    if !may_mount() {
        println!("no file system can be mounted here");
        return;
    }
    let env = lake();
    let script = "mount -t tmpfs tmpfs copies && exec \"$@\"";
    for (out, code) in [("copies", 64), ("copies/one", 0)] {
        let output = Command::new("unshare")
            .args(["-rm", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_amparo"), "--now", NOW])
            .args(to(out))
            .current_dir(env.root())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(code == 0 || said.contains("--out is a file system of its own"), "{said}");
    }
    assert_eq!(published(&env), 1);
}

/// It failed, says so without a value, and left nothing.
#[track_caller]
fn fails_cleanly(env: &Env, output: &Output, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty() && said.contains("error: cannot "), "{said}");
    assert!(!said.contains("cell-"), "{said}");
    assert_eq!((names(env), published(env)), (vec![], 0), "{said}");
    goes_on(env, before);
}

#[test]
fn a_disk_without_room_leaves_nothing() {
    let env = lake();
    // What may be seen is copied, and too large for the eight kilobytes that a file may have.
    let role = format!("  {{personalData: [I2], members: {{users: [{}]}}}}", me());
    env.document("policies", "Role", "marketing", &role);
    let before = env.files("lake");
    assert!(before.values().all(|bytes| bytes.len() > 20_000));
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_amparo"))
        .arg("-C")
        .arg(env.root())
        .args(["--now", NOW, "publish", "e", "--role", "marketing", "--out", "copies/one"])
        .output()
        .unwrap();
    fails_cleanly(&env, &output, &before);
}

#[test]
fn a_directory_that_cannot_be_written_leaves_nothing() {
    let env = lake();
    let before = env.files("lake");
    let binary = env.path("amparo");
    fs::copy(env!("CARGO_BIN_EXE_amparo"), &binary).unwrap();
    mode(env.root(), 0o755);
    if is_root() {
        hand_over(env.root());
    }
    mode(&env.path("copies"), 0o555);
    let mut command = Command::new(&binary);
    command.arg("-C").arg(env.root()).args(["--now", NOW]).args(to("copies/one"));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    mode(&env.path("copies"), 0o755);
    fails_cleanly(&env, &output, &before);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
