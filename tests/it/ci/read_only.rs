//! `plan` and `check` write nothing: everything read-only, no state at all, and nobody's rights.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::scene::scene;
use crate::support::{CI_VARIABLES, Env, NOW};

const NOBODY: u32 = 65_534;

/// Every path below, with what a write to it would change.
fn state(path: &Path, found: &mut Vec<(String, i64, i64, u64)>) {
    let meta = std::fs::metadata(path).unwrap();
    found.push((path.display().to_string(), meta.mtime(), meta.mtime_nsec(), meta.len()));
    if meta.is_dir() {
        let mut below: Vec<_> =
            std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
        below.sort();
        below.iter().for_each(|path| state(path, found));
    }
}

fn chmod(path: &Path, folders: u32, files: u32) {
    let is_dir = path.is_dir();
    if is_dir {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(path).unwrap() {
            chmod(&entry.unwrap().path(), folders, files);
        }
    }
    let mode = if is_dir { folders } else { files };
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Runs the binary without any right to write: where tests run as root, as nobody.
fn run(env: &Env, binary: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary);
    command.arg("-C").arg(env.root()).args(["--now", NOW]).args(args);
    for name in CI_VARIABLES {
        command.env_remove(name);
    }
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The binary where nobody can reach it.
fn binary(env: &Env) -> std::path::PathBuf {
    let copy = env.path("amparo");
    std::fs::copy(env!("CARGO_BIN_EXE_amparo"), &copy).unwrap();
    copy
}

#[test]
fn without_state_and_without_rights() {
    let env = scene();
    let expected = env.run(&["plan", "-o", "markdown"]).exits(3).stdout;
    assert!(!env.path("state").exists(), "plan made a state");
    let binary = binary(&env);
    chmod(env.root(), 0o555, 0o555);
    let mut before = Vec::new();
    state(env.root(), &mut before);
    for args in
        [&["plan", "-o", "markdown"][..], &["plan"], &["check", "--data"], &["plan", "--base", "."]]
    {
        let (code, stdout, stderr) = run(&env, &binary, args);
        assert_eq!(code, 3, "{args:?}\n{stdout}\n{stderr}");
        if args == ["plan", "-o", "markdown"] {
            assert_eq!(stdout, expected);
        }
    }
    let mut after = Vec::new();
    state(env.root(), &mut after);
    chmod(env.root(), 0o755, 0o644);
    assert_eq!(before, after);
}

#[test]
fn with_a_state_whose_keys_are_closed() {
    let env = scene();
    let applied = env.apply();
    assert_eq!(applied.code, 5, "{}", applied.stderr);
    let binary = binary(&env);
    let expected = env.run(&["plan", "-o", "markdown"]).stdout;
    chmod(env.root(), 0o555, 0o444);
    std::fs::set_permissions(&binary, PermissionsExt::from_mode(0o555)).unwrap();
    // Only its owner reads it, and only root could be both.
    std::fs::set_permissions(env.path("state/keys/deployment"), PermissionsExt::from_mode(0o0))
        .unwrap();
    let (code, stdout, stderr) = run(&env, &binary, &["plan", "-o", "markdown"]);
    chmod(env.root(), 0o755, 0o644);
    assert_eq!((code, stdout), (3, expected), "{stderr}");
}
