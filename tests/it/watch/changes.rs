//! What makes the daemon look, and what does not.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Daemon, complete, small, wants};
use crate::support::{Env, asked, block, text, until};

/// A request as text.
fn document(name: &str, person: &str) -> String {
    let spec = asked("e", &[block("A", "access", "who", person)]);
    format!(
        "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: {name}}}\nspec:\n{spec}\n"
    )
}

fn has_package(env: &Env, request: &str) -> bool {
    env.path(format!("exports/{request}/A.zip")).exists()
}

#[test]
fn a_request_that_appears_is_answered_and_one_that_is_renamed_over_is_read_again() {
    let env = small();
    let daemon = Daemon::start(&env, &[]);
    daemon.ended(1);
    assert!(!env.path("exports").join("one").exists());
    // As an editor saves, or a careful script: beside, then over.
    env.write("requests/.one.yaml.swp", "not yaml: [");
    env.write("requests/.one.yaml.tmp", &document("one", "p1"));
    fs::rename(env.path("requests/.one.yaml.tmp"), env.path("requests/one.yaml")).unwrap();
    until("a package", || has_package(&env, "one"));
    env.write("requests/.one.yaml.tmp", &document("two", "p2"));
    fs::rename(env.path("requests/.one.yaml.tmp"), env.path("requests/one.yaml")).unwrap();
    until("another package", || has_package(&env, "two"));
    // A directory that is new, and files in it.
    env.write("requests/2026/11/three.yaml", &document("three", "p3"));
    until("a third package", || has_package(&env, "three"));
    env.write("requests/2026/11/four.yaml", &document("four", "p3"));
    until("a fourth package", || has_package(&env, "four"));
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn a_swap_of_links_as_config_maps_make_it() {
    let env = small();
    fs::remove_dir(env.path("requests")).unwrap();
    env.write("requests/..v1/one.yaml", &document("one", "p1"));
    symlink("..v1", env.path("requests/..data")).unwrap();
    symlink("..data/one.yaml", env.path("requests/one.yaml")).unwrap();
    let daemon = Daemon::start(&env, &[]);
    until("a package", || has_package(&env, "one"));
    for (version, old, person) in [("v2", "v1", "p2"), ("v3", "v2", "p3")] {
        env.write(&format!("requests/..{version}/one.yaml"), &document(version, person));
        symlink(format!("..{version}"), env.path("requests/..data_tmp")).unwrap();
        fs::rename(env.path("requests/..data_tmp"), env.path("requests/..data")).unwrap();
        fs::remove_dir_all(env.path(format!("requests/..{old}"))).unwrap();
        until("a package after the swap", || has_package(&env, version));
    }
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn a_swap_of_the_directory_as_git_sync_makes_it() {
    let env = small();
    env.write("git/.worktrees/v1/requests/one.yaml", &document("one", "p1"));
    symlink(".worktrees/v1", env.path("git/current")).unwrap();
    fs::remove_dir(env.path("requests")).unwrap();
    symlink("git/current/requests", env.path("requests")).unwrap();
    let daemon = Daemon::start(&env, &[]);
    until("a package", || has_package(&env, "one"));
    for (version, old, person) in [("v2", "v1", "p2"), ("v3", "v2", "p3")] {
        let file = format!("git/.worktrees/{version}/requests/one.yaml");
        env.write(&file, &document(version, person));
        symlink(format!(".worktrees/{version}"), env.path("git/tmp-link")).unwrap();
        fs::rename(env.path("git/tmp-link"), env.path("git/current")).unwrap();
        fs::remove_dir_all(env.path(format!("git/.worktrees/{old}"))).unwrap();
        until("a package after the swap", || has_package(&env, version));
    }
    // And the new place is watched as the old one was.
    env.write("git/.worktrees/v3/requests/more.yaml", &document("more", "p1"));
    until("a package of the new worktree", || has_package(&env, "more"));
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn directories_may_be_missing_vanish_and_come_back() {
    let env = small();
    fs::rename(env.path("requests"), env.path("elsewhere")).unwrap();
    let daemon = Daemon::start(&env, &[]);
    until("it says so", || daemon.err.with("cannot read requests") == 1);
    assert!(!env.path("state").exists(), "nothing is done without requests");
    env.write("elsewhere/one.yaml", &document("one", "p1"));
    fs::rename(env.path("elsewhere"), env.path("requests")).unwrap();
    until("a package", || has_package(&env, "one"));
    for (round, person) in [("two", "p2"), ("three", "p3")] {
        let failures = daemon.err.with("pass failed");
        fs::rename(env.path("requests"), env.path("elsewhere")).unwrap();
        until("it fails", || daemon.err.with("pass failed") > failures);
        env.write(&format!("elsewhere/{round}.yaml"), &document(round, person));
        fs::rename(env.path("elsewhere"), env.path("requests")).unwrap();
        until("it is back", || has_package(&env, round));
    }
    until("it says so", || daemon.err.with("passes succeed again") == 3);
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn invalid_policies_stop_everything_until_they_are_valid() {
    let env = small();
    let policy = fs::read_to_string(env.path("policies/dataset-e.yaml")).unwrap();
    env.write("policies/dataset-e.yaml", &policy.replace("DEL-PERSON", "DEL-NOBODY"));
    wants(&env, "one", "p1", "delete");
    let before = env.files("lake");
    let daemon = Daemon::start(&env, &[]);
    until("it says so", || daemon.err.with("the policies are invalid") == 1);
    // Another request changes nothing, and is no reason to say it again.
    wants(&env, "two", "p2", "delete");
    until("it looks again", || daemon.passes() == 2);
    assert_eq!(env.files("lake"), before);
    assert!(!env.path("state").exists());
    env.write("policies/dataset-e.yaml", &policy);
    until("erased", || complete(&env, "one", "delete") && complete(&env, "two", "delete"));
    assert_eq!(daemon.err.with("the policies are invalid"), 1);
    assert_ne!(env.files("lake"), before);
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn data_is_watched_if_asked_for_and_its_own_swaps_do_not_go_round() {
    let env = small();
    let standing = block("A", "delete", "who", "p1").replace("key: A", "key: A, standing: true");
    env.ask("one", "e", &[standing]);
    let daemon = Daemon::start(&env, &["--watch-data"]);
    until("erased", || complete(&env, "one", "delete"));
    // The swap is a change of the data: one more pass looks, finds nothing, and that is it.
    let who = |file: &str| env.rows(file).into_iter().map(|row| row[0].clone().unwrap());
    env.parquet("lake/e/.b.tmp", vec![("who", text(&["p9", "p1"]))]);
    let passes = daemon.passes();
    assert!(passes <= 2, "{passes}");
    fs::rename(env.path("lake/e/.b.tmp"), env.path("lake/e/b.parquet")).unwrap();
    until("erased in the new file", || who("lake/e/b.parquet").all(|who| who != "p1"));
    // Each erasure is followed by one idle pass at most, also if that comes late.
    wants(&env, "two", "p9", "access");
    until("a package", || has_package(&env, "two"));
    daemon.ended(daemon.passes());
    let passes = daemon.passes();
    assert!((3..=6).contains(&passes), "{passes} passes: {:#?}", daemon.err.all());
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn it_can_poll() {
    let env = small();
    let daemon = Daemon::start(&env, &["--poll", "1s"]);
    daemon.ended(1);
    wants(&env, "one", "p1", "access");
    until("a package", || has_package(&env, "one"));
    assert_eq!(daemon.terminate(), 143);
    for wrong in [&["watch", "--interval", "0s"][..], &["watch", "--poll", "0"], &["watch", "x"]] {
        env.run(wrong).exits(64);
    }
}
