//! What a masked copy holds, and what keeps one from being made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};

use super::{FIELDS, PLANTED, clean, column, env, ledger, me, nested, write};
use crate::support::text;

/// A copy's masked strings are stars, its other masked values null, and the rest is the original.
#[track_caller]
fn masked_as_marketing(original: &RecordBatch, copy: &RecordBatch) {
    assert_eq!(original.schema(), copy.schema());
    assert_eq!(original.num_rows(), copy.num_rows());
    let stars =
        |array: &ArrayRef| array.as_string::<i32>().iter().flatten().all(|value| value == "*****");
    for name in ["email", "note"] {
        let (was, is) =
            (original.column_by_name(name).unwrap(), copy.column_by_name(name).unwrap());
        assert!(stars(is) && was.nulls() == is.nulls(), "{name}");
    }
    for name in ["attrs", "account", "total"] {
        assert_eq!(original.column_by_name(name), copy.column_by_name(name), "{name}");
    }
    let (was, is) = (&original["profile"], &copy["profile"]);
    assert!(stars(is.as_struct().column_by_name("name").unwrap()));
    for name in ["city", "plan"] {
        assert_eq!(was.as_struct().column_by_name(name), is.as_struct().column_by_name(name));
    }
    let (was, is) = (original["items"].as_list::<i32>(), copy["items"].as_list::<i32>());
    assert_eq!(was.offsets(), is.offsets());
    let (was, is) = (was.values().as_struct(), is.values().as_struct());
    assert_eq!(was.column_by_name("sku"), is.column_by_name("sku"));
    assert!(stars(is.column_by_name("recipient").unwrap()));
}

fn batches(path: &Path) -> RecordBatch {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let all: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&all[0].schema(), &all).unwrap()
}

fn many(batch: &RecordBatch, times: usize) -> RecordBatch {
    arrow::compute::concat_batches(&batch.schema(), &vec![batch.clone(); times]).unwrap()
}

#[test]
fn a_published_copy_keeps_all_but_what_may_not_be_seen() {
    let env = env();
    fs::remove_file(env.path("lake/orders/a.parquet")).unwrap();
    let data = many(&nested(), 400);
    let plain = WriterProperties::builder().set_dictionary_enabled(false);
    let files = [
        ("a.parquet", None),
        (
            "deep/b.parquet",
            Some(
                WriterProperties::builder()
                    .set_max_row_group_row_count(Some(500))
                    .set_data_page_row_count_limit(100)
                    .set_write_batch_size(50)
                    .set_bloom_filter_enabled(true)
                    .set_statistics_enabled(EnabledStatistics::Page)
                    .set_compression(Compression::SNAPPY)
                    .build(),
            ),
        ),
        (
            "c.parquet",
            Some(
                plain
                    .set_compression(Compression::ZSTD(Default::default()))
                    .set_writer_version(parquet::file::properties::WriterVersion::PARQUET_2_0)
                    .build(),
            ),
        ),
    ];
    for (name, properties) in &files {
        write(&env.path("lake/orders").join(name), &data, properties.clone());
    }
    let before = env.files("lake");
    let args = ["publish", "orders", "--role", "marketing", "--out", "copy", "--actor", "tester"];
    let report = env.run(&[&args[..], &["-o", "json"]].concat()).exits(0).json();
    assert_eq!((&report["files"], &report["rows"]), (&json!(3), &json!(3600)));
    assert_eq!(
        report["masked"],
        json!([
            {"path": "email", "with": "stars"},
            {"path": "profile.name", "with": "stars"},
            {"path": "items.recipient", "with": "stars"},
            {"path": "note", "with": "stars"},
        ])
    );
    assert_eq!(env.files("lake"), before);
    let names = |folder: &str| -> BTreeSet<_> {
        let root = env.path(folder);
        env.files(folder).into_keys().map(|p| p.strip_prefix(&root).unwrap().to_owned()).collect()
    };
    assert_eq!(names("copy"), names("lake/orders"));
    let hidden = [PLANTED[0], PLANTED[1], PLANTED[2], PLANTED[3]];
    for (name, _) in &files {
        let (was, is) = (env.path("lake/orders").join(name), env.path("copy").join(name));
        masked_as_marketing(&data, &batches(&is));
        same_layout(&was, &is, &["email", "profile.name", "items.list.element.recipient", "note"]);
        // Compressed pages are decoded by the reader above; whatever lies open is looked at as it is.
        let bytes = fs::read(&is).unwrap();
        let shown = String::from_utf8_lossy(&bytes);
        assert!(hidden.iter().all(|value| !shown.contains(value)), "{name}");
    }
    let published = ledger(&env).pop().unwrap();
    assert_eq!(
        published,
        json!({"event": "Published", "actor": "tester", "user": me(), "role": "marketing",
               "dataset": "orders", "files": 3, "rows": 3600})
    );
    // Never over something.
    let taken = env.run(&args).exits(64);
    assert!(taken.stderr.contains("--out is taken"), "{}", taken.stderr);
    assert_eq!(names("copy"), names("lake/orders"));
    // A copy of a copy is the copy.
    let policy = FIELDS.replace("lake/orders/", "copy/");
    fs::remove_file(env.path("policies/dataset-orders.yaml")).unwrap();
    env.dataset("copied", &policy);
    env.run(&["publish", "copied", "--role", "marketing", "--out", "again"]).exits(0);
    for (name, _) in &files {
        assert_eq!(batches(&env.path("again").join(name)), batches(&env.path("copy").join(name)));
    }
}

/// Schema, row groups, codecs, encodings, metadata; and every other column byte for byte.
#[track_caller]
fn same_layout(was: &Path, is: &Path, masked: &[&str]) {
    let open = |path: &Path| SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let (old, new) = (open(was), open(is));
    let (old, new) = (old.metadata(), new.metadata());
    assert_eq!(old.file_metadata().schema(), new.file_metadata().schema());
    assert_eq!(old.file_metadata().key_value_metadata(), new.file_metadata().key_value_metadata());
    assert_eq!(old.num_row_groups(), new.num_row_groups());
    let (was, is) = (fs::read(was).unwrap(), fs::read(is).unwrap());
    for (old, new) in old.row_groups().iter().zip(new.row_groups()) {
        assert_eq!(old.num_rows(), new.num_rows());
        for (old, new) in old.columns().iter().zip(new.columns()) {
            assert_eq!(old.compression(), new.compression());
            assert_eq!(old.bloom_filter_offset().is_some(), new.bloom_filter_offset().is_some());
            assert_eq!(old.column_index_offset().is_some(), new.column_index_offset().is_some());
            let path = old.column_path().string();
            if masked.contains(&path.as_str()) {
                let bounds =
                    new.statistics().and_then(|s| s.min_bytes_opt().zip(s.max_bytes_opt()));
                assert!(
                    bounds.is_none_or(|(min, max)| min == b"*****" && max == b"*****"),
                    "{path}"
                );
                continue;
            }
            let range = |chunk: &parquet::file::metadata::ColumnChunkMetaData| {
                let (start, length) = chunk.byte_range();
                start as usize..(start + length) as usize
            };
            assert_eq!(was[range(old)], is[range(new)], "{path}");
        }
    }
}

#[test]
fn other_readers_agree() {
    let Ok(python) = std::env::var("AMPARO_TEST_PYTHON") else { return };
    let env = env();
    env.run(&["publish", "orders", "--role", "analyst", "--out", "copy"]).exits(0);
    let script = "import sys, json, pyarrow.parquet as q
t = q.read_table(sys.argv[1]).to_pylist()
print(json.dumps([[r['email'], r['profile']['name'], r['account'], r['note'], r['total'], [i['sku'] for i in r['items']]] for r in t]))";
    let output =
        Command::new(python).args(["-c", script]).arg(env.path("copy/a.parquet")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stars = "*****";
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap(),
        json!([
            [stars, stars, null, stars, 10, ["A-1", "A-2"]],
            [stars, stars, null, stars, 20, ["B-1"]],
            [stars, stars, null, stars, 30, ["C-1"]],
        ])
    );
}

#[test]
fn what_is_not_text_becomes_null() {
    let env = env();
    env.run(&["publish", "orders", "--role", "analyst", "--out", "copy"]).exits(0);
    let copy = batches(&env.path("copy/a.parquet"));
    assert_eq!(copy["account"].null_count(), 3);
    assert_eq!(copy["total"].as_primitive::<Int64Type>().values(), &[10, 20, 30]);
    for (path, bytes) in env.files("copy") {
        clean(&path.display().to_string(), &bytes, &[]);
    }
    // The number of the account, as it would lie in a page.
    let raw = 7_700_123_i64.to_le_bytes();
    let bytes = fs::read(env.path("copy/a.parquet")).unwrap();
    assert!(bytes.windows(8).all(|window| window != raw));
}

#[test]
fn what_cannot_be_masked_is_refused_before_anything_is_written() {
    let env = env();
    let required = Schema::new(vec![
        Field::new("email", DataType::Utf8, false),
        Field::new("account", DataType::Int64, false),
    ]);
    let columns: Vec<ArrayRef> =
        vec![text(&["a@x.org"]), column(Int64Array::from(vec![7_700_123]))];
    let batch = RecordBatch::try_new(Arc::new(required), columns).unwrap();
    write(&env.path("lake/r/r.parquet"), &batch, None);
    let fields = "  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: account, labels: [I2, DEL-PERSON, ACC-ALL], erase: {method: empty}}";
    env.dataset("r", &format!("  product: shop\n  location: lake/r/\n{fields}"));
    env.parquet("lake/p/who=mary/p.parquet", vec![("email", text(&["a@x.org"]))]);
    env.dataset(
        "p",
        "  product: shop
  location: lake/p/
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}
    - {path: who, namespace: who, labels: [I1, ID-PERSON, ACC-ALL]}",
    );
    env.parquet("lake/b/b.parquet", vec![("email", text(&["a@x.org"]))]);
    env.write("lake/b/broken.parquet", "PAR1 this is none");
    env.dataset(
        "b",
        "  product: shop
  location: lake/b/
  fields:
    - {path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}",
    );
    for (dataset, why) in [("r", "required"), ("p", "partition"), ("b", "broken.parquet")] {
        let args = ["publish", dataset, "--role", "analyst", "--out", "copy"];
        let run = env.run(&args).exits(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        assert!(!run.stderr.contains("mary"), "{}", run.stderr);
        assert!(!env.path("copy").exists());
    }
    let leftover = fs::read_dir(env.root()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with(".amparo")
    });
    assert_eq!(leftover.count(), 0);
    assert!(ledger(&env).is_empty());
    // Whoever may see the columns gets the copy.
    env.run(&["publish", "r", "--role", "marketing", "--out", "copy"]).exits(0);
    assert_eq!(batches(&env.path("copy/r.parquet"))["email"].as_string::<i32>().value(0), "*****");
    env.run(&["publish", "p", "--role", "privacy-officer", "--out", "whole"]).exits(0);
    assert!(env.path("whole/who=mary/p.parquet").exists());
}

#[test]
fn columns_that_no_policy_mentions_are_masked_unless_the_role_says_otherwise() {
    let env = env();
    let role =
        format!("  {{personalData: false, unlabelled: show, members: {{users: [{}]}}}}", me());
    env.document("policies", "Role", "open", &role);
    let original = nested();
    for (role, shown) in [("analyst", false), ("open", true)] {
        env.run(&["publish", "orders", "--role", role, "--out", role]).exits(0);
        let copy = batches(&env.path(role).join("a.parquet"));
        assert_eq!(copy.column_by_name("note") == original.column_by_name("note"), shown, "{role}");
        assert!(copy["email"].as_string::<i32>().iter().all(|cell| cell == Some("*****")));
        let bytes = fs::read(env.path(role).join("a.parquet")).unwrap();
        clean(role, &bytes, if shown { &PLANTED[3..4] } else { &[] });
    }
}

#[test]
fn a_value_in_the_files_metadata_is_not_passed_on() {
    let env = env();
    let batch = nested();
    let told = [("owner".to_owned(), format!("see {}", PLANTED[0]))].into();
    let schema = Arc::new(Schema::new_with_metadata(batch.schema().fields().clone(), told));
    let batch = batch.with_schema(schema).unwrap();
    write(&env.path("lake/orders/a.parquet"), &batch, None);
    let run = env.run(&["publish", "orders", "--role", "analyst", "--out", "copy"]).exits(1);
    assert!(run.stderr.contains("metadata"), "{}", run.stderr);
    clean("stderr", run.stderr.as_bytes(), &[]);
    assert!(!env.path("copy").exists());
    let strings = |array: &ArrayRef| array.as_any().is::<StringArray>();
    assert!(strings(&batch["email"]));
}
