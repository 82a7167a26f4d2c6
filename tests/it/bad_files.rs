//! Files that are broken, locked or lie, beside a good file and a good dataset: the error names the file,
//! nothing of it is written, and whatever does not need it goes on.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::{
    ColumnChunkMetaDataBuilder, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
    ParquetMetaDataWriter,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use serde_json::Value;

use crate::support::{Env, task, text};

/// The writer of the lies adds numbers up.
const MOST: i64 = i64::MAX - (1 << 20);
const BAD: &str = "lake/e/b.parquet";

/// Dataset `e` of two files that both hold `p`, and dataset `other`, which does too.
fn env() -> Env {
    let env = Env::new();
    for name in ["lake/e/a.parquet", BAD, "lake/other.parquet"] {
        people(&env.path(name));
    }
    for (name, location) in [("e", "lake/e/"), ("other", "lake/other.parquet")] {
        env.dataset(
            name,
            &format!(
                "  product: {name}
  location: {location}
  format: parquet
  fields:
    - {{path: who, namespace: who, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}
    - {{path: cell, labels: [I2, DEL-PERSON, ACC-ALL], erase: {{method: empty}}}}"
            ),
        );
    }
    env.request(
        "r",
        "  {regulation: gdpr, receivedAt: 2026-11-20, include: [e, other], users: [
    {key: both, action: [delete], userIDs: [{namespace: who, value: p3}]},
    {key: shown, action: [access], userIDs: [{namespace: who, value: p4}]},
    {key: one, action: [access, delete], userIDs: [{namespace: who, value: p5}], only: {datasets: [other]}}]}",
    );
    env
}

/// Two row groups of 20 rows, with everything that a footer can lie about.
fn people(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let names: Vec<String> = (0..40).map(|row| format!("p{}", row % 10)).collect();
    let cells: Vec<String> = (0..40).map(|row| format!("cell-{row}")).collect();
    let refs = |v: &Vec<String>| text(&v.iter().map(String::as_str).collect::<Vec<_>>());
    let batch = arrow::record_batch::RecordBatch::try_from_iter_with_nullable(vec![
        ("who", refs(&names), true),
        ("cell", refs(&cells), true),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(20))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_max_ndv(10)
        .build();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Neither lost nor changed, and no litter.
fn check(env: &Env, what: &str, report: &Value, code: i32) {
    let failed = task(report, "both", "delete");
    assert_eq!(failed["phase"], "Failed", "{what}");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(message.contains("b.parquet"), "{what}: the file is not named: {message}");
    for action in ["access", "delete"] {
        assert_eq!(task(report, "one", action)["phase"], "Complete", "{what}: {report:#}");
    }
    assert_eq!(code, 5, "{what}");
    let names: Vec<String> = env
        .files("lake")
        .keys()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["a.parquet", "b.parquet", "other.parquet"], "{what}");
}

/// The pass that meets a bad file.
fn fails_alone(env: &Env, what: &str) {
    let before = fs::read(env.path(BAD)).unwrap();
    let plan = env.plan();
    assert_eq!(fs::read(env.path(BAD)).unwrap(), before, "{what}: planning wrote");
    assert!([0, 5].contains(&plan.code), "{what}: {}", plan.stderr);
    let run = env.apply();
    check(env, what, &run.json(), run.code);
    assert_eq!(fs::read(env.path(BAD)).unwrap(), before, "{what}: the file was written");
    assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
}

#[test]
fn cut_off_files_fail_their_tasks_alone() {
    for part in [0, 1, 4, 8, 11, 12, 200, 1000] {
        let env = env();
        let bytes = fs::read(env.path(BAD)).unwrap();
        fs::write(env.path(BAD), &bytes[..part]).unwrap();
        fails_alone(&env, &format!("cut at {part}"));
        fs::write(env.path(BAD), &bytes[part.max(1)..]).unwrap();
        let before = fs::read(env.path(BAD)).unwrap();
        env.run(&["--now", "2026-12-10T00:00:00Z", "apply", "--auto-approve"]).exits(5);
        assert_eq!(fs::read(env.path(BAD)).unwrap(), before, "the first {part} bytes are missing");
    }
}

#[test]
fn encrypted_files_fail_their_tasks_alone() {
    for name in ["encrypted-footer", "encrypted-column"] {
        let env = env();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile");
        fs::copy(fixtures.join(format!("{name}.parquet")), env.path(BAD)).unwrap();
        fails_alone(&env, name);
        let plan = env.run(&["--now", "2026-12-10T00:00:00Z", "plan", "-o", "json"]).json();
        let message = task(&plan, "both", "delete")["message"].as_str().unwrap().to_owned();
        assert!(message.contains("encrypted"), "{message}");
    }
}

/// Writes the footer of a file anew.
fn lie(path: &Path, change: impl FnOnce(ParquetMetaData) -> ParquetMetaData) {
    let bytes = bytes::Bytes::from(fs::read(path).unwrap());
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
    reader.try_parse(&bytes).unwrap();
    let metadata = change(reader.finish().unwrap());
    let tail = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize;
    let mut lying = bytes[..tail - footer].to_vec();
    ParquetMetaDataWriter::new(&mut lying, &metadata).finish().unwrap();
    fs::write(path, lying).unwrap();
}

/// Changes the number of rows that the footer gives for the whole file: the writer above adds them up.
fn with_rows(path: &Path, rows: i64) {
    let bytes = fs::read(path).unwrap();
    let tail = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize;
    let (body, footer) = bytes[..tail].split_at(tail - footer);
    // Field 3, 40 rows as a zigzag number; field 4, a list.
    let at = footer.windows(3).position(|part| part == [0x16, 80, 0x19]).unwrap();
    let mut number = ((rows << 1) ^ (rows >> 63)).cast_unsigned();
    let mut written = Vec::new();
    while number > 0x7f {
        written.push(number as u8 | 0x80);
        number >>= 7;
    }
    written.push(number as u8);
    let footer = [&footer[..=at], &written, &footer[at + 2..]].concat();
    let length = (footer.len() as u32).to_le_bytes();
    fs::write(path, [body, &footer, &length, b"PAR1"].concat()).unwrap();
}

/// Lies about a column of the second row group, or about the rows of the group.
fn with_group(
    metadata: ParquetMetaData,
    rows: Option<i64>,
    column: usize,
    change: impl Fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
) -> ParquetMetaData {
    let mut builder = metadata.into_builder();
    let mut groups = builder.take_row_groups();
    let group = groups.pop().unwrap();
    let rows = rows.unwrap_or(group.num_rows());
    let mut group = group.into_builder().set_num_rows(rows);
    for (at, chunk) in group.take_columns().into_iter().enumerate() {
        let chunk = match at == column {
            true => change(chunk.into_builder()).build().unwrap(),
            false => chunk,
        };
        group = group.add_column_metadata(chunk);
    }
    groups.push(group.build().unwrap());
    builder.set_row_groups(groups).build()
}

#[test]
fn footers_that_lie_about_rows_fail_their_tasks_alone() {
    for rows in [0, 39, 41, -1, i64::MAX, i64::MIN] {
        let env = env();
        with_rows(&env.path(BAD), rows);
        fails_alone(&env, &format!("{rows} rows in the file"));
    }
    for rows in [0, 19, 21, -20, MOST, i64::MIN] {
        let env = env();
        lie(&env.path(BAD), |metadata| with_group(metadata, Some(rows), 0, |chunk| chunk));
        fails_alone(&env, &format!("{rows} rows in a row group"));
    }
}

#[test]
fn footers_that_lie_about_columns_fail_their_tasks_alone() {
    type Lie = (&'static str, fn(ColumnChunkMetaDataBuilder, i64) -> ColumnChunkMetaDataBuilder);
    let far = [-1, i64::MIN, 0, 3, 1 << 40, MOST];
    let lies: [(Lie, &[i64]); 9] = [
        (("data offset", ColumnChunkMetaDataBuilder::set_data_page_offset), &far),
        (
            ("dictionary offset", |chunk, at| chunk.set_dictionary_page_offset(Some(at))),
            &[-1, i64::MIN, 3, 4, 1 << 40, i64::MAX],
        ),
        (("compressed size", ColumnChunkMetaDataBuilder::set_total_compressed_size), &far),
        (("values", ColumnChunkMetaDataBuilder::set_num_values), &[-1, 0, 19, 21, i64::MAX]),
        (("offset index", |chunk, at| chunk.set_offset_index_offset(Some(at))), &far),
        (
            ("offset index length", |chunk, n| chunk.set_offset_index_length(Some(n as i32))),
            &[-1, 1, i32::MAX as i64],
        ),
        (("column index", |chunk, at| chunk.set_column_index_offset(Some(at))), &far),
        (
            ("column index length", |chunk, n| chunk.set_column_index_length(Some(n as i32))),
            &[-1, 1, i32::MAX as i64],
        ),
        (("bloom filter", |chunk, at| chunk.set_bloom_filter_offset(Some(at))), &far),
    ];
    for ((what, lie_about), values) in lies {
        for (at, value) in values.iter().enumerate() {
            let env = env();
            lie(&env.path(BAD), |metadata| {
                with_group(metadata, None, at % 2, |chunk| lie_about(chunk, *value))
            });
            fails_alone(&env, &format!("{what} {value} of column {}", at % 2));
        }
    }
    let env = env();
    lie(&env.path(BAD), |metadata| {
        with_group(metadata, None, 1, |chunk| chunk.set_file_path("elsewhere.parquet".to_owned()))
    });
    fails_alone(&env, "a column in another file");
}

/// Both row groups claim the same bytes.
#[test]
fn chunks_that_overlap_fail_their_tasks_alone() {
    let env = env();
    lie(&env.path(BAD), |metadata| {
        let mut builder = metadata.into_builder();
        let groups = builder.take_row_groups();
        builder.set_row_groups(vec![groups[0].clone(), groups[0].clone()]).build()
    });
    fails_alone(&env, "overlapping chunks");
}

/// Old writers say 0 where there is no dictionary: that is no lie, and the file is erased.
#[test]
fn a_dictionary_at_zero_is_none() {
    let env = env();
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let cells = text(&["p3", "x"]);
    let batch = arrow::record_batch::RecordBatch::try_from_iter_with_nullable(vec![
        ("who", Arc::clone(&cells), true),
        ("cell", cells, true),
    ])
    .unwrap();
    let file = fs::File::create(env.path(BAD)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let dictionary = |at: Option<i64>| {
        lie(&env.path(BAD), |metadata| {
            with_group(metadata, None, 0, |chunk| chunk.set_dictionary_page_offset(at))
        });
    };
    dictionary(Some(0));
    env.apply().exits(0);
    // The tests' reader is not so lenient.
    dictionary(None);
    let rows = env.rows(BAD);
    assert!(rows[0][0].as_deref().unwrap().starts_with("Privacy-"));
    assert_eq!(rows[0][1].as_deref(), Some(""));
    assert_eq!(rows[1], [Some("x".to_owned()), Some("x".to_owned())]);
}

/// No row groups, a row group without rows, no columns: nothing to find, and nothing wrong.
#[test]
fn files_without_rows_are_no_matter() {
    let env = env();
    let schema = |text: &str| Arc::new(parquet::schema::parser::parse_message_type(text).unwrap());
    let two = "message m { optional binary who (UTF8); optional binary cell (UTF8); }";
    for (name, message, groups) in [
        ("none", two, &[][..]),
        ("empty", two, &[0]),
        ("bare", "message m { }", &[]),
        ("mixed", two, &[0, 2]),
    ] {
        let file = fs::File::create(env.path(format!("lake/e/{name}.parquet"))).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema(message), Arc::default()).unwrap();
        for rows in groups {
            let values: Vec<ByteArray> = vec!["p3".into(), "x".into()];
            let mut group = writer.next_row_group().unwrap();
            while let Some(mut column) = group.next_column().unwrap() {
                let levels = vec![1; *rows];
                let values = &values[..*rows];
                column.typed::<ByteArrayType>().write_batch(values, Some(&levels), None).unwrap();
                column.close().unwrap();
            }
            group.close().unwrap();
        }
        writer.close().unwrap();
    }
    let before = env.files("lake");
    env.run(&["check", "--data"]).exits(0);
    let report = env.apply().exits(0).json();
    let delete = task(&report, "both", "delete");
    assert_eq!(delete["phase"], "Complete", "{delete:#}");
    assert_eq!(delete["datasets"][0]["personRows"], 9);
    assert_eq!(delete["datasets"][0]["filesSearched"], 6);
    for (path, now) in env.files("lake") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            before[&path] == now,
            ["none", "empty", "bare"].contains(&name.as_str()),
            "{name}"
        );
    }
    env.run(&["verify"]).exits(0);
}
