//! A key of an unfinished delete that is lost, while what was sealed with it is still there.

use std::fs;
use std::path::PathBuf;

use crate::interrupted::{LAPSED, apply, env, first, keys, request, stands};
use crate::support::{Env, task};

fn secret(env: &Env, ending: &str) -> PathBuf {
    let files = env.files("state/keys");
    let mut found = files.into_keys().filter(|path| path.extension().is_some_and(|e| e == ending));
    found.next().unwrap()
}

#[test]
fn a_delete_that_lost_its_key_fails_and_says_what_is_missing() {
    for edited in [false, true] {
        let env = env();
        request(&env, "", &["a@x"]);
        assert_eq!(stands(&apply(&env, crate::support::NOW)), ("Blocked".into(), "Held".into()));
        let key = secret(&env, "key");
        let bytes = fs::read(&key).unwrap();
        fs::remove_file(&key).unwrap();
        if edited {
            request(&env, "", &["a@x", "other@x"]);
        }
        let name = key.file_name().unwrap().to_str().unwrap();
        for _ in 0..2 {
            for command in [&["plan"][..], &["apply", "--auto-approve"]] {
                let mut args = vec!["--now", LAPSED, "-o", "json"];
                args.extend(command);
                let report = env.run(&args).exits(5).json();
                assert_eq!(stands(&report), ("Failed".into(), "Storage".into()), "{report:#}");
                let message = task(&report, "A", "delete")["message"].as_str().unwrap().to_owned();
                assert!(message.contains(name) && message.contains("is missing"), "{message}");
                assert!(!message.contains("a@x"), "{message}");
            }
        }
        assert_eq!(first(&env, "o", 1), "Street 1", "nothing is done for it");
        assert_eq!(keys(&env), 1, "what was sealed is kept");
        // With the key it goes on where it was.
        fs::write(&key, bytes).unwrap();
        assert_eq!(stands(&apply(&env, LAPSED)), ("Complete".into(), "Erased".into()));
        assert_ne!(first(&env, "o", 1), "Street 1");
        assert_eq!(keys(&env), 0);
    }
}

#[test]
fn a_person_can_let_a_delete_go_on_without_its_key() {
    let env = env();
    request(&env, "", &["a@x"]);
    apply(&env, crate::support::NOW);
    fs::remove_file(secret(&env, "key")).unwrap();
    fs::remove_file(secret(&env, "found")).unwrap();
    assert_eq!(stands(&apply(&env, LAPSED)), ("Complete".into(), "Erased".into()));
}
