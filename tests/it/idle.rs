//! Passes that find nothing new: what they read and write.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::{Env, task, text};

const FILES: usize = 80;

const SPEC: &str = "  product: web
  location: lake/
  format: parquet
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: page, labels: [ACC-ALL]}";

const REQUEST: &str = "  regulation: gdpr
  receivedAt: 2026-11-01
  include: [web]
  users:
    - key: k1
      action: [delete]
      userIDs: [{namespace: email, value: user7@mail.example}]";

/// A lake of which one file holds the subject of a delete that is held.
fn lake() -> Env {
    let env = Env::new();
    env.dataset("events", SPEC).request("acme", REQUEST);
    let hold = "  requests: [acme]\n  until: 2099-01-01\n  reason: a lawsuit";
    env.document("policies", "Hold", "keep", hold);
    for file in 0..FILES {
        write(&env, file, &format!("user{file}@mail.example"));
    }
    env
}

fn write(env: &Env, file: usize, email: &str) {
    env.parquet(&name(file), vec![("email", text(&[email])), ("page", text(&["/"]))]);
}

fn name(file: usize) -> String {
    format!("lake/{file:02}.parquet")
}

/// Waits until no file is so young that it could change once more without showing it.
fn settle(env: &Env) {
    let newest = fs::read_dir(env.path("lake")).unwrap().map(|entry| {
        let meta = entry.unwrap().metadata().unwrap();
        Duration::new(meta.ctime() as u64, meta.ctime_nsec() as u32)
    });
    let settled = SystemTime::UNIX_EPOCH + newest.max().unwrap() + Duration::from_secs(2);
    while SystemTime::now() <= settled {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many files a plan opens for their footers, and in search of identities, by the log.
fn read(env: &Env) -> [u64; 2] {
    let run = env.run(&["plan", "-vv"]).exits(0);
    ["opened=", "read="].map(|field| {
        let word = run.stderr.split_whitespace().find_map(|word| word.strip_prefix(field));
        word.unwrap().parse().unwrap()
    })
}

fn written(env: &Env) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = env.files("state");
    files.extend(env.files("lake"));
    // It names whoever held it last.
    files.remove(&env.path("state/lock"));
    files
}

#[test]
fn an_idle_pass_searches_no_file_twice_and_writes_nothing() {
    let env = lake();
    env.apply().exits(0);
    settle(&env);
    let before = written(&env);
    assert_eq!(read(&env), [80, 80]);
    assert!(written(&env) == before, "a plan writes nothing");
    env.apply().exits(0);
    let seen = fs::read(env.path("state/seen/events")).unwrap();
    assert_eq!(fs::metadata(env.path("state/seen/events")).unwrap().mode() & 0o777, 0o600);
    let footers = fs::read(env.path("state/seen/_footers")).unwrap();
    for kept in [seen, footers] {
        assert!(!kept.windows(5).any(|bytes| bytes == b"user7" || bytes == b"lake/"));
    }

    let before = written(&env);
    assert_eq!(read(&env), [0, 1], "the file that holds the subject");
    let plan = env.plan().exits(0).stdout;
    env.apply().exits(0);
    assert!(written(&env) == before, "an idle pass writes nothing");

    // Another writer sets size and modification time back on purpose.
    let path = env.path(name(20));
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"PAR1", 0).unwrap();
    file.set_modified(modified).unwrap();
    assert_eq!(read(&env), [1, 2]);
    write(&env, 30, "user7@mail.example");
    write(&env, FILES, "user8@mail.example");
    assert_eq!(read(&env), [3, 4]);
    let run = env.plan().exits(0).json();
    assert_eq!(task(&run, "k1", "delete")["datasets"][0]["personRows"], 2);
    write(&env, 30, "user30@mail.example");
    fs::remove_file(env.path(name(FILES))).unwrap();

    // A memory that is damaged or gone changes no plan.
    let tasks =
        |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["tasks"].clone();
    for name in ["state/seen/events", "state/seen/_footers"] {
        let whole = fs::read(env.path(name)).unwrap();
        fs::write(env.path(name), &whole[..whole.len() - 1]).unwrap();
    }
    assert_eq!(read(&env), [80, 80]);
    assert_eq!(tasks(&env.plan().exits(0).stdout), tasks(&plan));
    env.run(&["verify"]).exits(0);
    fs::remove_dir_all(env.path("state/seen")).unwrap();
    assert_eq!(tasks(&env.plan().exits(0).stdout), tasks(&plan));
    settle(&env);
    env.apply().exits(0);
    assert_eq!(read(&env), [0, 1], "it is made again");
}
