//! Files that hold one column in different types: methods are held against each file's own, before
//! anything is written, and only deletes that reach a misfit fail.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array};

use crate::support::{Env, block, task, text};

/// `a` holds `n` in 64 bits, `b` in 32, `c` lacks it; in each lives a person of its name.
fn env(rule: &str) -> Env {
    let env = Env::new();
    let long: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let short: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
    env.parquet("lake/a.parquet", vec![("who", text(&["ann", "x"])), ("n", long)]);
    env.parquet("lake/b.parquet", vec![("who", text(&["bob", "x"])), ("n", short)]);
    env.parquet("lake/c.parquet", vec![("who", text(&["cyd", "x"]))]);
    policy(&env, rule);
    let users: Vec<String> = ["ann", "bob", "cyd"]
        .iter()
        .map(|who| {
            format!("{{key: {who}-key, action: [access, delete], userIDs: [{{namespace: who, value: {who}}}]}}")
        })
        .collect();
    env.request(
        "r",
        &format!(
            "  {{regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{}]}}",
            users.join(", ")
        ),
    );
    env
}

fn policy(env: &Env, rule: &str) {
    env.dataset(
        "e",
        &format!(
            "  product: e
  location: lake/
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: n, labels: [I2, DEL-PERSON, ACC-ALL], erase: {rule}}}"
        ),
    );
}

fn misfit_is_found_and_fails_alone(rule: &str, why: &str) {
    let env = env(rule);
    let checked = env.run(&["check", "--data", "-o", "json"]).exits(3).json();
    let messages: Vec<&str> = checked["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| d["severity"] == "error")
        .map(|d| d["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages, [format!("n: {why}, in 1 of 2 files, such as lake/b.parquet")]);
    let before = env.files("lake");
    let plan = env.plan().json();
    let bob = task(&plan, "bob-key", "delete");
    assert_eq!(bob["phase"], "Failed", "{bob}");
    assert_eq!(bob["message"], format!("dataset e: n: {why}, in lake/b.parquet"), "{bob}");
    assert_eq!(env.files("lake"), before);

    let report = env.apply().exits(5).json();
    for who in ["ann-key", "cyd-key"] {
        assert_eq!(task(&report, who, "delete")["phase"], "Complete", "{report:#}");
    }
    let bob = task(&report, "bob-key", "delete");
    assert_eq!(bob["phase"], "Failed", "{bob}");
    assert_eq!(task(&report, "bob-key", "access")["phase"], "Complete", "{report:#}");
    let after = env.files("lake");
    let changed = |name: &str| before[&env.path(name)] != after[&env.path(name)];
    assert!(changed("lake/a.parquet") && changed("lake/c.parquet"));
    assert!(!changed("lake/b.parquet"), "something was written of a delete that fails");
    assert_eq!(after.len(), 3);

    // The policy names what all files can take: the delete goes on.
    policy(&env, "{method: empty}");
    env.run(&["check", "--data"]).exits(0);
    let report =
        env.run(&["--now", "2026-12-01T09:00:00Z", "apply", "--auto-approve", "-o", "json"]);
    assert_eq!(task(&report.exits(0).json(), "bob-key", "delete")["phase"], "Complete");
}

#[test]
fn a_pseudonym_needs_64_bits_in_every_file_that_is_reached() {
    misfit_is_found_and_fails_alone(
        "{method: pseudonym}",
        "pseudonym cannot be applied to a int32 column",
    );
}

#[test]
fn a_constant_must_fit_the_narrowest_file_that_is_reached() {
    misfit_is_found_and_fails_alone(
        "{method: constant, value: \"3000000000\"}",
        "the constant is not of the column's type, int32",
    );
}

/// The width of a float stands in the file alone: planning measures the file itself.
#[test]
fn a_constant_that_a_narrow_float_cannot_hold_is_refused_before_anything_is_written() {
    let env = Env::new();
    let wide: ArrayRef = Arc::new(Float64Array::from(vec![7.0, 8.0]));
    let narrow: ArrayRef = Arc::new(arrow::array::Float32Array::from(vec![7.0, 8.0]));
    env.parquet("lake/a.parquet", vec![("who", text(&["ann", "x"])), ("n", wide)]);
    env.parquet("lake/b.parquet", vec![("who", text(&["bob", "x"])), ("n", narrow)]);
    policy(&env, "{method: constant, value: \"1e300\"}");
    env.ask("r", "e", &[block("A", "delete", "who", "ann"), block("B", "delete", "who", "bob")]);
    let before = env.files("lake");
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "A", "delete")["phase"], "Complete", "{report:#}");
    let failed = task(&report, "B", "delete");
    assert_eq!(failed["phase"], "Failed", "{failed}");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("lake/b.parquet") && message.contains("`n`"), "{message}");
    let after = env.files("lake");
    assert_eq!(before[&env.path("lake/b.parquet")], after[&env.path("lake/b.parquet")]);
}

/// Required in one file: null is impossible there, and possible elsewhere.
#[test]
fn null_needs_a_nullable_column_in_every_file_that_is_reached() {
    let env = env("{method: \"null\"}");
    let schema = Arc::new(arrow::datatypes::Schema::new(vec![
        arrow::datatypes::Field::new("who", arrow::datatypes::DataType::Utf8, true),
        arrow::datatypes::Field::new("n", arrow::datatypes::DataType::Int64, false),
    ]));
    let n: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let batch = crate::support::amparo_arrow::RecordBatch::try_new(
        Arc::clone(&schema),
        vec![text(&["bob", "x"]), n],
    )
    .unwrap();
    let file = std::fs::File::create(env.path("lake/b.parquet")).unwrap();
    let mut writer =
        crate::support::amparo_arrow::ArrowWriter::try_new(file, schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let checked = env.run(&["check", "--data"]).exits(3);
    let wanted = "the column is required, in 1 of 2 files, such as lake/b.parquet";
    assert!(checked.stderr.contains(wanted) || checked.stdout.contains(wanted));
    let report = env.apply().exits(5).json();
    assert_eq!(task(&report, "ann-key", "delete")["phase"], "Complete", "{report:#}");
    assert_eq!(task(&report, "bob-key", "delete")["phase"], "Failed", "{report:#}");
}
