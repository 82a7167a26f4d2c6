//! The real binary on files of every writer (`tests/fixtures`): it finds, shows, erases, and verifies.

use std::fs;
use std::path::Path;

use crate::support::Env;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// The fixtures of `zoo`, each a dataset of its own, which hold the same people.
fn lake() -> (Env, Vec<String>) {
    let env = Env::new();
    let mut names = Vec::new();
    for entry in fs::read_dir(Path::new(FIXTURES).join("zoo")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "parquet") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        fs::create_dir_all(env.path("lake")).unwrap();
        fs::copy(&path, env.path(format!("lake/{name}.parquet"))).unwrap();
        let dataset = name.replace('.', "-");
        env.dataset(
            &dataset,
            &format!(
                "  product: zoo
  location: lake/{name}.parquet
  format: parquet
  fields:
    - {{path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: id, labels: [ACC-ALL]}}"
            ),
        );
        names.push(dataset);
    }
    names.sort();
    assert!(names.len() >= 30);
    (env, names)
}

fn request(env: &Env, extra: &str) {
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [zoo], {extra}users: [{{key: A, action: [access, delete], userIDs: [{{namespace: email, value: user33@mail.example}}]}}]}}"
        ),
    );
}

#[test]
fn a_subject_is_found_shown_and_erased_in_files_of_every_writer() {
    for purge in [false, true] {
        let (env, names) = lake();
        request(&env, if purge { "deleteMethod: purge, " } else { "" });
        let report = env.apply().exits(0).json();
        for task in report["tasks"].as_array().unwrap() {
            assert_eq!(task["phase"], "Complete", "{task}");
            let datasets = task["datasets"].as_array().unwrap();
            let found: Vec<&str> =
                datasets.iter().map(|d| d["dataset"].as_str().unwrap()).collect();
            assert_eq!(found, names);
            for dataset in datasets {
                assert_eq!(dataset["personRows"], 1, "{dataset}");
                if task["action"] == "delete" {
                    assert_eq!(dataset["rowsErased"], 1, "{dataset}");
                }
            }
        }
        let shown = &env.package("r", "A")["zoo/person.csv"];
        assert_eq!(shown.lines().count(), names.len() + 1);
        assert_eq!(shown.matches("user33@mail.example").count(), names.len());
        assert_eq!(shown.matches("1033").count(), names.len());
        env.run(&["verify"]).exits(0);
        let left = env.run(&["find", "email=user33@mail.example", "-o", "json"]).exits(0).json();
        let rows = left["datasets"].as_array().unwrap().iter().map(|d| d["rows"].as_u64().unwrap());
        assert_eq!(rows.sum::<u64>(), 0, "{left}");
        let other = env.run(&["find", "email=user34@mail.example", "-o", "json"]).exits(0).json();
        let rows =
            other["datasets"].as_array().unwrap().iter().map(|d| d["rows"].as_u64().unwrap());
        assert_eq!(rows.sum::<u64>(), names.len() as u64, "{other}");
    }
}

/// Files that Impala wrote: text without annotation, INT96, no statistics.
#[test]
fn a_subject_is_erased_in_files_of_impala() {
    let env = Env::new();
    fs::create_dir_all(env.path("lake")).unwrap();
    for name in ["alltypes_plain", "alltypes_plain.snappy", "alltypes_dictionary"] {
        let name = format!("{name}.parquet");
        fs::copy(
            Path::new(FIXTURES).join("parquet-testing").join(&name),
            env.path("lake").join(&name),
        )
        .unwrap();
    }
    env.dataset(
        "t",
        "  product: t
  location: lake/
  format: parquet
  timestamp: timestamp_col
  fields:
    - {path: id, namespace: row, labels: [I2, ID-PERSON, ACC-ALL], reason: \"a key\"}
    - {path: string_col, labels: [I1, DEL-PERSON, ACC-ALL]}
    - {path: date_string_col, labels: [I1, DEL-PERSON, ACC-ALL], erase: {method: empty}}
    - {path: timestamp_col, labels: [I1, DEL-PERSON, ACC-ALL], erase: {method: coarsen}}
    - {path: double_col, labels: [I1, DEL-PERSON, ACC-ALL], erase: {method: coarsen}}
    - {path: bigint_col, pii: true}",
    );
    env.request(
        "r",
        "  {regulation: gdpr, receivedAt: 2026-11-20, include: [t], users: [{key: A, action: [access, delete], userIDs: [{namespace: row, value: \"5\"}]}]}",
    );
    let report = env.apply().exits(0).json();
    let delete =
        report["tasks"].as_array().unwrap().iter().find(|t| t["action"] == "delete").unwrap();
    assert_eq!(delete["phase"], "Complete", "{delete}");
    assert_eq!(delete["datasets"][0]["personRows"], 1);
    assert!(env.package("r", "A")["t/person.csv"].contains("2009-03-01 00:01:00"));
}

/// What a Spark job leaves: the file's checksum goes with the old bytes, and so do the summaries.
#[test]
fn the_neighbours_of_a_spark_jobs_files_go_with_what_they_speak_of() {
    let env = Env::new();
    let original = Path::new(FIXTURES).join("spark-output");
    fs::create_dir_all(env.path("lake")).unwrap();
    for entry in fs::read_dir(original).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, env.path("lake").join(path.file_name().unwrap())).unwrap();
    }
    env.table(
        "zoo",
        "lake/",
        &["path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]"],
    );
    request(&env, "");
    let before = env.files("lake");
    env.apply().exits(0);
    let after = env.files("lake");
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let changed: Vec<String> = after
        .iter()
        .filter(|(path, now)| before[*path] != **now)
        .map(|(path, _)| name(path))
        .collect();
    let [changed] = changed.as_slice() else { panic!("{changed:?}") };
    let mut gone: Vec<String> =
        before.keys().filter(|path| !after.contains_key(*path)).map(|path| name(path)).collect();
    gone.sort();
    let mut wanted: Vec<String> =
        ["._common_metadata.crc", "._metadata.crc", "_common_metadata", "_metadata"]
            .map(str::to_owned)
            .into();
    wanted.push(format!(".{changed}.crc"));
    wanted.sort();
    assert_eq!(gone, wanted);
}
