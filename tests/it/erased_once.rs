//! What is erased stays as it was erased, and what names a person goes with the rows (RULES.md section 5).

use std::fs;
use std::path::Path;

use amparo_columns::integers;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Env, numbers, task, text};

mod amparo_columns {
    use arrow::array::{Array, Int64Array};
    use arrow::record_batch::RecordBatch;

    /// The values of a column of integers.
    pub(crate) fn integers(batches: &[RecordBatch], column: &str) -> Vec<i64> {
        let arrays = batches.iter().map(|batch| batch.column_by_name(column).unwrap());
        let arrays = arrays.map(|array| array.as_any().downcast_ref::<Int64Array>().unwrap());
        arrays.flat_map(|array| (0..array.len()).map(|row| array.value(row))).collect()
    }
}

fn read(env: &Env, file: &str, column: &str) -> Vec<i64> {
    let file = fs::File::open(env.path(file)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    integers(&reader.map(Result::unwrap).collect::<Vec<_>>(), column)
}

/// Two files, in which `p` has a number that is replaced by another.
fn numbered(who: &str) -> Env {
    let env = Env::new();
    for file in ["lake/e/1.parquet", "lake/e/2.parquet"] {
        env.parquet(
            file,
            vec![
                ("who", text(&["p", "q"])),
                ("phone", numbers(&[491701, 491702])),
                ("note", numbers(&[1, 2])),
            ],
        );
    }
    let spec = format!(
        "  product: e
  location: lake/e
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [{who}]}}
    - {{path: phone, labels: [I1, DEL-PERSON, ACC-ALL], erase: {{method: pseudonym}}}}
    - {{path: note, labels: [I2, DEL-PERSON, ACC-ALL], erase: {{method: empty}}}}"
    );
    env.dataset("e", &spec);
    env
}

fn delete(env: &Env, extra: &str) {
    env.request(
        "r",
        &format!("  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{{key: A, action: [delete], {extra} userIDs: [{{namespace: who, value: p}}]}}]}}"),
    );
}

fn commits(env: &Env) -> usize {
    env.files("state/ledger").len()
}

#[test]
fn a_held_task_does_not_erase_its_own_pseudonyms_again() {
    let env = numbered("I1, ID-PERSON, DEL-PERSON, ACC-ALL");
    delete(&env, "");
    env.document(
        "policies",
        "Hold",
        "tax",
        "  {datasets: [e], fields: [note], until: 2026-12-01, reason: tax}",
    );
    env.apply().exits(0);
    let phone = read(&env, "lake/e/1.parquet", "phone");
    assert!(phone[0] >= 1 << 62 && phone[1] == 491702);
    let before = commits(&env);
    env.apply().exits(0);
    assert_eq!(commits(&env), before, "a pass with nothing to do records nothing");
    // Another writer's file is erased like the others, by the same key.
    env.parquet(
        "lake/e/3.parquet",
        vec![("who", text(&["p"])), ("phone", numbers(&[491701])), ("note", numbers(&[1]))],
    );
    env.apply().exits(0);
    assert_eq!(read(&env, "lake/e/3.parquet", "phone"), phone[..1]);
    env.document(
        "policies",
        "Hold",
        "tax",
        "  {datasets: [e], fields: [note], until: 2026-11-22, reason: tax}",
    );
    let done = env.apply();
    assert_eq!(task(&done.exits(0).json(), "A", "delete")["phase"], "Complete");
    for file in ["lake/e/1.parquet", "lake/e/2.parquet"] {
        assert_eq!(read(&env, file, "phone"), phone);
        assert_eq!(read(&env, file, "note"), [0, 2]);
    }
    let status = env.run(&["status", "-o", "json"]).exits(0).json();
    let counts = &task(&status, "A", "delete")["counts"];
    assert_eq!(counts["cellsErased"], 9, "three files of three cells, over all passes: {counts}");
    // The rows lost a phone number under the hold and the rest after it: each is one row all the same.
    assert_eq!(counts["rowsErased"], 3, "{counts}");
}

#[test]
fn a_standing_erasure_rests_where_nothing_is_new() {
    let env = numbered("I1, ID-PERSON, ACC-ALL");
    delete(&env, "standing: true,");
    env.apply().exits(0);
    let (phone, before) = (read(&env, "lake/e/1.parquet", "phone"), commits(&env));
    env.apply().exits(0);
    assert_eq!(read(&env, "lake/e/1.parquet", "phone"), phone);
    assert_eq!(commits(&env), before);
    env.parquet(
        "lake/e/2.parquet",
        vec![("who", text(&["p"])), ("phone", numbers(&[491701])), ("note", numbers(&[1]))],
    );
    env.apply().exits(0);
    assert!(read(&env, "lake/e/2.parquet", "phone")[0] >= 1 << 62);
    assert_eq!(read(&env, "lake/e/1.parquet", "phone"), phone);
}

#[test]
fn a_partition_that_names_a_person_goes_with_its_rows() {
    purged("lake/e");
    purged("lake/e/*/day=?/*.parquet");
}

fn purged(location: &str) {
    let env = Env::new();
    for file in ["who=p/day=1/x.parquet", "who=p/day=2/x.parquet", "who=q/day=1/x.parquet"] {
        env.parquet(&format!("lake/e/{file}"), vec![("total", numbers(&[1, 2]))]);
    }
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: '{location}'
  format: parquet
  erase: rows
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, ACC-ALL]}}
    - {{path: total, labels: [ACC-ALL]}}"
        ),
    );
    // What jobs leave to say that they are done does not keep the partition's name.
    for mark in ["who=p/_SUCCESS", "who=p/day=1/_SUCCESS", "who=q/day=1/_SUCCESS"] {
        env.write(&format!("lake/e/{mark}"), "");
    }
    env.write("lake/e/who=p/day=1/._SUCCESS.crc", "crc\0\0\0\0\0");
    delete(&env, "");
    let done = env.apply().exits(0);
    assert!(!done.stdout.contains("who=p") && !done.stderr.contains("who=p"));
    let dataset: Value = task(&done.json(), "A", "delete")["datasets"][0].clone();
    assert_eq!(
        (dataset["rowsErased"].as_u64(), dataset["filesTouched"].as_u64()),
        (Some(4), Some(2))
    );
    let left: Vec<_> =
        fs::read_dir(env.path("lake/e")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["who=q"], "{location}");
    assert!(env.path("lake/e/who=q/day=1/_SUCCESS").exists());
    env.run(&["verify", "-o", "json"]).exits(0);
}

#[test]
fn summaries_above_a_file_go_with_its_first_rewrite() {
    let env = numbered("I1, ID-PERSON, DEL-PERSON, ACC-ALL");
    env.parquet(
        "lake/e/year=1/x.parquet",
        vec![("who", text(&["p"])), ("phone", numbers(&[1])), ("note", numbers(&[1]))],
    );
    env.write("lake/e/_metadata", "statistics of all files");
    for file in ["lake/e/1.parquet", "lake/e/2.parquet"] {
        fs::remove_file(env.path(file)).unwrap();
    }
    delete(&env, "");
    env.apply().exits(0);
    assert!(!Path::new(&env.path("lake/e/_metadata")).exists());
}

#[test]
fn a_dataset_that_a_purge_emptied_may_be_empty_until_it_is_filled_again() {
    let env = Env::new();
    env.parquet("lake/e/who=p/x.parquet", vec![("total", numbers(&[1, 2]))]);
    env.dataset(
        "e",
        "  product: e
  location: lake/e
  format: parquet
  erase: rows
  fields:
    - {path: who, namespace: who, labels: [I1, ID-PERSON, ACC-ALL]}
    - {path: total, labels: [ACC-ALL]}",
    );
    delete(&env, "");
    env.apply().exits(0);
    assert_eq!(fs::read_dir(env.path("lake/e")).unwrap().count(), 0);
    // Our own deletion is evidence enough that nothing is there.
    env.run(&["verify"]).exits(0);
    env.run(&["check", "--data"]).exits(0);
    let other = "  {regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{key: B, action: [access], userIDs: [{namespace: who, value: z}]}]}";
    env.request("other", other);
    let report = env.apply().exits(0).json();
    assert_eq!(task(&report, "B", "access")["reason"], "NoMatch");
    // Once there was data again, an empty place is a fault again.
    env.parquet("lake/e/who=q/x.parquet", vec![("total", numbers(&[1]))]);
    env.apply().exits(0);
    fs::remove_dir_all(env.path("lake/e/who=q")).unwrap();
    env.request("other", &other.replace("value: z", "value: y"));
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "B", "access")["reason"], "DataUnreadable");
}
