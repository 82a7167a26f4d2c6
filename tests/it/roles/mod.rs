//! Roles: who sees what of a subject, what a masked copy holds, and what the ledger says of both.

mod publish;
mod stopped;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, ListArray, MapBuilder, RecordBatch, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::support::{Env, Run, block, text};

/// Values that only a role that may see everything is shown.
const PLANTED: [&str; 6] = [
    "planted.mary@example.com",
    "planted-mary-smith",
    "planted-other-person",
    "planted-unmentioned",
    "planted-map-value",
    "7700123",
];

/// The user who runs the tests, as the system says.
fn me() -> String {
    let output = Command::new("id").args(["-r", "-u", "-n"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn column<A: Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

fn group(fields: Vec<(&str, ArrayRef)>) -> StructArray {
    let fields: Vec<(Arc<Field>, ArrayRef)> = fields
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
        .collect();
    StructArray::from(fields)
}

/// Three rows of nested data; the first two are Mary's.
fn nested() -> RecordBatch {
    let profile = group(vec![
        ("name", text(&[PLANTED[1], PLANTED[1], "planted-other"])),
        ("city", text(&["Lisbon", "Porto", "Rome"])),
        ("plan", text(&["gold", "gold", "basic"])),
    ]);
    let items = group(vec![
        ("sku", text(&["A-1", "A-2", "B-1", "C-1"])),
        ("recipient", text(&[PLANTED[2], PLANTED[2], PLANTED[2], "planted-third"])),
    ]);
    let field = Arc::new(Field::new("element", items.data_type().clone(), true));
    let offsets = OffsetBuffer::new(vec![0, 2, 3, 4].into());
    let items = ListArray::new(field, offsets, Arc::new(items), None);
    let mut attrs = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in [&["tier", "color"][..], &["tier"], &[]] {
        for key in row {
            attrs.keys().append_value(key);
            attrs.values().append_value(PLANTED[4]);
        }
        attrs.append(true).unwrap();
    }
    RecordBatch::try_from_iter_with_nullable(vec![
        ("email", text(&[PLANTED[0], PLANTED[0], "planted.bob@example.com"]), true),
        ("profile", column(profile), true),
        ("items", column(items), true),
        ("attrs", column(attrs.finish()), true),
        ("account", column(Int64Array::from(vec![Some(7_700_123), None, Some(5)])), true),
        ("total", column(Int64Array::from(vec![10, 20, 30])), true),
        ("note", text(&[PLANTED[3], PLANTED[3], "planted-unmentioned-too"]), true),
    ])
    .unwrap()
}

const FIELDS: &str = "  product: shop
  location: lake/orders/
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: profile.name, pii: true, labels: [ACC-ALL]}
    - {path: profile.city, labels: [S2, ACC-ALL]}
    - {path: profile.plan, labels: [ACC-ALL]}
    - {path: items.sku, labels: [ACC-ALL]}
    - {path: items.recipient, labels: [I1, DEL-PERSON, ACC-PERSON]}
    - {path: attrs.key, labels: [ACC-ALL]}
    - {path: attrs.value, labels: [I2, DEL-PERSON, ACC-ALL]}
    - {path: account, labels: [I2, DEL-PERSON, ACC-ALL]}
    - {path: total, labels: [ACC-ALL]}";

fn write(path: &Path, batch: &RecordBatch, properties: Option<WriterProperties>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn env() -> Env {
    let env = Env::new();
    write(&env.path("lake/orders/a.parquet"), &nested(), None);
    env.dataset("orders", FIELDS);
    let me = me();
    env.document("policies", "Role", "analyst", "  personalData: false");
    env.document(
        "policies",
        "Role",
        "marketing",
        &format!("  {{personalData: [S2, I2], members: {{users: [{me}]}}}}"),
    );
    env.document(
        "policies",
        "Role",
        "privacy-officer",
        &format!("  {{personalData: true, members: {{users: [{me}]}}}}"),
    );
    env.document(
        "policies",
        "Role",
        "elsewhere",
        "  {personalData: true, members: {users: [no-such-user]}}",
    );
    env
}

const SUBJECT: &str = "email=planted.mary@example.com";

fn view(env: &Env, args: &[&str]) -> Run {
    let args = [&["view", "-", "--actor", "tester"], args].concat();
    env.run_with(&args, &[], SUBJECT)
}

/// The records of the ledger, oldest first.
fn ledger(env: &Env) -> Vec<Value> {
    let mut files: Vec<_> = env.files("state/ledger").into_iter().collect();
    files.sort();
    let commits = files.iter().map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap());
    commits.flat_map(|commit| commit["records"].as_array().unwrap().clone()).collect()
}

#[track_caller]
fn clean(what: &str, bytes: &[u8], but: &[&str]) {
    let shown = String::from_utf8_lossy(bytes);
    for planted in PLANTED.iter().filter(|planted| !but.contains(planted)) {
        assert!(!shown.contains(planted), "{what} holds a planted value:\n{shown}");
    }
}

#[test]
fn a_subject_under_three_roles() {
    let env = env();
    for role in ["analyst", "marketing", "privacy-officer"] {
        insta::assert_snapshot!(format!("view_{role}"), view(&env, &["--role", role]).transcript());
    }
    // The most restricted role is the default.
    assert_eq!(view(&env, &[]).exits(0).stdout, view(&env, &["--role", "analyst"]).exits(0).stdout);
}

#[test]
fn json_says_what_is_hidden_leaf_by_leaf() {
    let env = env();
    let report = view(&env, &["--role", "marketing", "-o", "json"]).exits(0).json();
    assert_eq!(report["role"], json!({"name": "marketing", "refused": false}));
    let orders = &report["datasets"][0];
    assert_eq!(
        (&orders["dataset"], &orders["rows"], &orders["more"]),
        (&json!("orders"), &json!(2), &json!(0))
    );
    assert_eq!(orders["hidden"], json!(["email", "profile.name", "items.recipient", "note"]));
    assert_eq!(
        orders["records"],
        json!([
            {"email": "*****", "profile.name": "*****", "profile.city": "Lisbon", "profile.plan": "gold",
             "items.sku": ["A-1", "A-2"], "items.recipient": "*****", "attrs.key": ["tier", "color"],
             "attrs.value": [PLANTED[4], PLANTED[4]], "account": 7_700_123, "total": 10, "note": "*****"},
            {"email": "*****", "profile.name": "*****", "profile.city": "Porto", "profile.plan": "gold",
             "items.sku": ["B-1"], "items.recipient": "*****", "attrs.key": ["tier"],
             "attrs.value": [PLANTED[4]], "account": null, "total": 20, "note": "*****"},
        ])
    );
    let all = view(&env, &["--role", "privacy-officer", "-o", "json"]).exits(0).json();
    assert_eq!(
        all["datasets"][0]["records"][0]["items.recipient"],
        json!([PLANTED[2], PLANTED[2]])
    );
    assert_eq!(all["datasets"][0]["hidden"], json!([]));
    // A hidden null and a hidden value look the same.
    let none = view(&env, &["-o", "json"]).exits(0).json();
    let records = none["datasets"][0]["records"].as_array().unwrap();
    assert!(records.iter().all(|record| record["account"] == "*****"));
}

#[test]
fn whoever_is_no_member_sees_the_least() {
    let env = env();
    let refused = view(&env, &["--role", "elsewhere"]).exits(0);
    assert_eq!(refused.stdout, view(&env, &["--role", "analyst"]).stdout);
    assert!(refused.stderr.contains(&format!("{} is no member of the role elsewhere", me())));
    // Environment variables do not make somebody a member.
    let args = ["view", "-", "--role", "elsewhere"];
    let liar = [("USER", "no-such-user"), ("LOGNAME", "no-such-user")];
    assert_eq!(env.run_with(&args, &liar, SUBJECT).exits(0).stdout, refused.stdout);
    // Without any role, all that is personal is hidden.
    let bare = Env::new();
    write(&bare.path("lake/orders/a.parquet"), &nested(), None);
    bare.dataset("orders", FIELDS);
    let hidden = view(&bare, &[]).exits(0);
    assert_eq!(hidden.stdout, refused.stdout);
    view(&bare, &["--role", "analyst"]).exits(64);
    clean("the view", hidden.stdout.as_bytes(), &[]);
}

#[test]
fn looking_is_recorded_before_it_is_shown_and_without_values() {
    let env = env();
    view(&env, &["--role", "privacy-officer"]).exits(0);
    view(&env, &["--role", "elsewhere"]).exits(0);
    let records = ledger(&env);
    assert_eq!(records.len(), 2);
    let first = &records[0];
    assert_eq!(first["event"], "Viewed");
    assert_eq!((&first["actor"], &first["user"]), (&json!("tester"), &json!(me())));
    assert_eq!(first["role"], "privacy-officer");
    assert_eq!(records[1]["role"], "analyst");
    assert_eq!(first["datasets"], json!([{"dataset": "orders", "rows": 2}]));
    let digest = first["subjects"][0].as_str().unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(first["subjects"], records[1]["subjects"]);
    for (path, bytes) in env.files("state") {
        clean(&path.display().to_string(), &bytes, &[]);
    }
    env.run(&["history"]).exits(0);
    env.run(&["verify", "--ledger"]).exits(0);

    // A ledger that cannot be written: nothing is shown.
    let newest = env.path("state/ledger/00000000000000000001.json");
    let mut damaged = fs::read(&newest).unwrap();
    damaged.retain(|byte| *byte != b'2');
    fs::write(&newest, damaged).unwrap();
    let blind = view(&env, &["--role", "privacy-officer"]).exits(1);
    assert_eq!(blind.stdout, "");
    let args = ["publish", "orders", "--role", "analyst", "--out", "copy"];
    env.run(&args).exits(1);
    assert!(!env.path("copy").exists());
}

#[test]
fn a_look_does_not_make_a_saved_plan_stale() {
    let env = env();
    env.ask("r", "shop", &[block("A", "access", "email", "planted.mary@example.com")]);
    view(&env, &[]).exits(0);
    env.run(&["plan", "--out", "saved.json"]).exits(0);
    view(&env, &[]).exits(0);
    env.run(&["apply", "saved.json"]).exits(0);
}

#[test]
fn only_so_much_is_shown_and_terminals_are_safe() {
    let env = env();
    let emails = vec![PLANTED[0]; 30];
    let notes = vec!["a\u{1b}[2Jb"; 30];
    env.parquet("lake/many/m.parquet", vec![("email", text(&emails)), ("note", text(&notes))]);
    env.dataset(
        "many",
        "  product: shop
  location: lake/many/
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: note, labels: [ACC-ALL]}",
    );
    let shown = view(&env, &["--limit", "3"]).exits(0);
    assert!(shown.stdout.contains("(27 more: --limit shows more)"), "{}", shown.stdout);
    assert!(!shown.stdout.contains('\u{1b}'));
    let json = view(&env, &["--limit", "3", "-o", "json"]).exits(0).json();
    assert_eq!(json["datasets"][0]["records"].as_array().unwrap().len(), 3);
    assert_eq!(json["datasets"][0]["more"], 27);
}

#[test]
fn of_a_list_only_the_subjects_own_elements_are_shown() {
    let env = Env::new();
    let people = group(vec![
        ("email", text(&["mary@x.org", "bob@x.org", "mary@x.org"])),
        ("seat", text(&["1A", "planted-seat-of-bob", "2C"])),
    ]);
    let field = Arc::new(Field::new("element", people.data_type().clone(), true));
    let people =
        ListArray::new(field, OffsetBuffer::new(vec![0, 3].into()), Arc::new(people), None);
    env.parquet("lake/t.parquet", vec![("people", column(people))]);
    env.table(
        "trips",
        "lake/t.parquet",
        &[
            "path: people.email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]",
            "path: people.seat, labels: [ACC-ALL]",
        ],
    );
    let shown = env.run(&["view", "email=mary@x.org", "-o", "json"]).exits(0).json();
    let record = &shown["datasets"][0]["records"][0];
    assert_eq!(record, &json!({"people.email": "*****", "people.seat": ["1A", "2C"]}));
}

#[test]
fn qa_namespaces_see_test_data_only() {
    let env = env();
    env.run(&["view", "qa-email=a@x.org", "email=a@x.org"]).exits(64);
    let nothing = env.run(&["view", "qa-email=a@x.org", "-o", "json"]).exits(0).json();
    assert_eq!(nothing["datasets"], json!([]));
}

#[test]
fn what_cannot_be_is_refused_without_repeating_it() {
    let env = env();
    for args in [
        &["view", SUBJECT, "--role", "nobody"][..],
        &["view", SUBJECT, "--role", "planted-mary-smith!"],
        &["view", "email=not\u{1}", "--actor", "\u{7}"],
        &["view", SUBJECT, "-o", "sarif"],
        &["view", "planted-mary-smith"],
        &["publish", "planted-mary-smith", "--role", "analyst", "--out", "copy"],
        &["publish", "orders", "--role", "nobody", "--out", "copy"],
        &["publish", "orders", "--out", "copy"],
        &["publish", "orders", "--role", "analyst", "--out", "lake/orders/copy"],
        &["publish", "orders", "--role", "analyst", "--out", "lake"],
        &["publish", "orders", "--role", "analyst", "--out", "state"],
        &["publish", "orders", "--role", "analyst", "--out", "exports/copy"],
        &["publish", "orders", "--role", "analyst", "--out", "policies/copy"],
    ] {
        fs::create_dir_all(env.path("exports")).unwrap();
        let run = env.run(args);
        assert!(run.code == 64, "{args:?}: {} {}", run.code, run.stderr);
        clean(&format!("{args:?}"), run.stderr.as_bytes(), &[]);
        assert_eq!(run.stdout, "");
    }
    assert!(ledger(&env).is_empty());
}
