#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use parquet::file::metadata::{
    ColumnChunkMetaDataBuilder, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
    ParquetMetaDataWriter,
};
use parquet::file::properties::WriterProperties;

use crate::engine::testing::{Lake, dataset, id_field, namespace, problems, with_bytes};
use crate::model::LeafType;

use super::Reserved;

fn shown(files: &crate::plan::DatasetFiles) -> Vec<&str> {
    files.files.iter().map(|file| file.shown.as_str()).collect()
}

fn only(problems: &[String], expected: &str) {
    assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
}

#[test]
fn a_directory_means_visible_parquet_files_at_any_depth() {
    let lake = Lake::new();
    for name in
        ["a.parquet", "b/c.parq", "b/d/e.pq", ".x/f.parquet", "_tmp/g.parquet", "_h.parquet"]
    {
        lake.ids(&format!("lake/{name}"), &[Some("1")]);
    }
    fs::write(lake.path("lake/README.md"), "no data").unwrap();
    fs::write(lake.path("lake/_SUCCESS"), "").unwrap();
    fs::write(lake.path("lake/.amparo-staged.parquet"), "").unwrap();
    let files = lake.files("lake/");
    assert_eq!(shown(&files), ["lake/a.parquet", "lake/b/c.parq", "lake/b/d/e.pq"]);
    assert_eq!(files.rows(), 3);
    assert_eq!(files.files[0].row_groups.len(), 1);
    assert!(files.files[0].row_groups[0].chunk_bytes[0] > 0);
    assert_eq!(files.digest.len(), 64);
}

#[test]
fn files_globs_and_urls_mean_what_they_name() {
    let lake = Lake::new();
    lake.ids("lake/x#1 %20.data", &[Some("1")]);
    lake.ids("lake/2026-01/a.parquet", &[Some("1")]);
    lake.ids("lake/2026-02/b.parquet", &[Some("1")]);
    assert_eq!(shown(&lake.files("lake/x#1 %20.data")), ["lake/x#1 %20.data"]);
    assert_eq!(shown(&lake.files("lake/2026-*/*.parquet")).len(), 2);
    assert_eq!(shown(&lake.files("lake/**/b.*")), ["lake/2026-02/b.parquet"]);
    assert_eq!(shown(&lake.files("lake/2026-0[1]")), ["lake/2026-01/a.parquet"]);
    let url = format!("file://{}/lake/2026-01", lake.dir.path().display());
    assert_eq!(shown(&lake.files(&url)), ["lake/2026-01/a.parquet"]);
    only(&lake.problems("s3://bucket/lake"), "s3://bucket/lake: is on an object store");
}

#[test]
fn the_digest_notices_every_change() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("1")]);
    let before = lake.files("lake").digest;
    assert_eq!(lake.files("lake").digest, before);
    lake.ids("lake/b.parquet", &[Some("2")]);
    let added = lake.files("lake").digest;
    assert_ne!(added, before);
    lake.ids("lake/b.parquet", &[Some("3")]);
    assert_ne!(lake.files("lake").digest, added);
}

#[test]
fn a_location_without_files_is_a_problem_unless_it_may_be_empty() {
    let lake = Lake::new();
    fs::create_dir(lake.path("lake")).unwrap();
    only(&lake.problems("lake"), "lake: holds no Parquet file");
    only(&lake.problems("nowhere"), "nowhere: does not exist");
    only(&lake.problems("lake/*.parquet"), "holds no Parquet file");
    for location in ["lake", "nowhere", "lake/*.parquet"] {
        let mut dataset = dataset("lake", location);
        dataset.may_be_empty = true;
        assert_eq!(problems(&lake.inventory(&dataset)), [""; 0]);
    }
}

#[test]
fn files_that_hold_nothing_or_lead_elsewhere_are_named() {
    let lake = Lake::new();
    lake.ids("lake/good.parquet", &[Some("1")]);
    lake.ids("elsewhere/far.parquet", &[Some("1")]);
    fs::write(lake.path("lake/zero.parquet"), "").unwrap();
    symlink("gone.parquet", lake.path("lake/dead.parquet")).unwrap();
    symlink("../elsewhere/far.parquet", lake.path("lake/out.parquet")).unwrap();
    symlink("../elsewhere", lake.path("lake/outer")).unwrap();
    fs::copy(lake.path("lake/good.parquet"), lake.path("lake/other.bin")).unwrap();
    fs::copy(lake.path("lake/good.parquet"), lake.path("lake/LOUD.PARQUET")).unwrap();
    lake.ids("lake/linked.parquet", &[Some("1")]);
    fs::hard_link(lake.path("lake/linked.parquet"), lake.path("elsewhere/twin")).unwrap();
    let found = lake.problems("lake");
    let expected = [
        "lake/LOUD.PARQUET: holds Parquet under another ending",
        "lake/dead.parquet: is a dead link",
        "lake/linked.parquet: has a second hard link",
        "lake/other.bin: holds Parquet under another ending",
        "lake/out.parquet: is a link that leads out",
        "lake/outer: is a link that leads out",
        "lake/zero.parquet: is empty",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn the_location_itself_may_be_a_link_and_links_inside_count_once() {
    let lake = Lake::new();
    lake.ids("real/a.parquet", &[Some("1")]);
    lake.ids("real/deep/b.parquet", &[Some("1")]);
    symlink("real", lake.path("lake")).unwrap();
    symlink("a.parquet", lake.path("real/again.parquet")).unwrap();
    symlink("..", lake.path("real/deep/up")).unwrap();
    let files = lake.files("lake");
    assert_eq!(files.files.len(), 2);
    assert_eq!(files.files[0].path, fs::canonicalize(lake.path("real/a.parquet")).unwrap());
}

#[test]
fn names_that_are_no_text_are_problems_without_breaking_the_rest() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("1")]);
    let odd = lake.path("lake").join(std::ffi::OsStr::from_bytes(b"\xff.parquet"));
    fs::copy(lake.path("lake/a.parquet"), odd).unwrap();
    let files = lake.inventory(&dataset("lake", "lake"));
    assert_eq!(files.files.len(), 1);
    only(&problems(&files), "name that is not text");
}

#[test]
fn broken_and_encrypted_footers_are_named() {
    let lake = Lake::new();
    fs::create_dir(lake.path("lake")).unwrap();
    fs::write(lake.path("lake/short.parquet"), "PAR1").unwrap();
    fs::write(lake.path("lake/text.parquet"), "this is no Parquet file at all").unwrap();
    let cut = lake.ids("lake/cut.parquet", &[Some("1")]);
    with_bytes(&cut, |bytes| bytes.truncate(bytes.len() - 20));
    let secret = lake.ids("lake/secret.parquet", &[Some("1")]);
    with_bytes(&secret, |bytes| {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(b"PARE");
    });
    let long = lake.ids("lake/long.parquet", &[Some("1")]);
    with_bytes(&long, |bytes| {
        let end = bytes.len();
        bytes[end - 8..end - 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
    });
    let found = lake.problems("lake");
    let expected = [
        "cut.parquet: is not a Parquet file, or was cut off",
        "long.parquet: has a footer longer than the file",
        "secret.parquet: is encrypted",
        "short.parquet: is too short",
        "text.parquet: is not a Parquet file",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}");
    }
}

/// Writes a file again with a changed footer.
fn with_footer(path: &Path, change: impl FnOnce(ParquetMetaDataBuilder) -> ParquetMetaData) {
    let bytes = fs::read(path).unwrap();
    let footer = ParquetMetaDataReader::new();
    let metadata = footer.parse_and_finish(&fs::File::open(path).unwrap()).unwrap();
    let length = u32::from_le_bytes(*bytes[bytes.len() - 8..].first_chunk::<4>().unwrap()) as usize;
    let mut out = bytes[..bytes.len() - 8 - length].to_vec();
    let changed = change(metadata.into_builder());
    ParquetMetaDataWriter::new(&mut out, &changed).finish().unwrap();
    fs::write(path, out).unwrap();
}

/// Changes the first column of the first row group.
fn with_column(
    change: impl FnOnce(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
) -> impl FnOnce(ParquetMetaDataBuilder) -> ParquetMetaData {
    |mut footer| {
        let group = footer.take_row_groups().remove(0);
        let mut group = group.into_builder();
        let column = group.take_columns().remove(0).into_builder();
        let group = group.add_column_metadata(change(column).build().unwrap()).build().unwrap();
        footer.add_row_group(group).build()
    }
}

#[test]
fn footers_that_lie_are_named_before_anything_trusts_them() {
    let lake = Lake::new();
    let file = |name: &str| lake.ids(&format!("lake/{name}.parquet"), &[Some("1"), Some("2")]);
    let negative = |c: ColumnChunkMetaDataBuilder| c.set_dictionary_page_offset(Some(-7));
    with_footer(&file("a"), with_column(negative));
    with_footer(&file("b"), with_column(|c| c.set_total_compressed_size(-1)));
    with_footer(&file("c"), with_column(|c| c.set_total_compressed_size(1 << 40)));
    with_footer(&file("d"), with_column(|c| c.set_num_values(3)));
    with_footer(&file("e"), with_column(|c| c.set_dictionary_page_offset(Some(2))));
    let rows = |rows| {
        move |mut footer: ParquetMetaDataBuilder| {
            let group = footer.take_row_groups().remove(0).into_builder();
            footer.add_row_group(group.set_num_rows(rows).build().unwrap()).build()
        }
    };
    with_footer(&file("f"), rows(-2));
    with_footer(&file("g"), rows(1 << 40));
    let found = lake.problems("lake");
    let expected = [
        "position",
        "position",
        "position",
        "number of values",
        "position",
        "number of rows",
        "number of rows",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains("has a footer that lies") && found.contains(expected), "{found}");
    }
}

#[test]
fn a_dictionary_page_at_zero_means_none() {
    let lake = Lake::new();
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let path = lake.write("lake/a.parquet", [("id", column)], Some(properties));
    with_footer(&path, with_column(|c| c.set_dictionary_page_offset(Some(0))));
    let files = lake.files("lake");
    assert_eq!(lake.find(&files, "id", &namespace(true), &["x"]).len(), 1);
}

#[test]
fn encrypted_columns_under_a_plain_footer_are_named() {
    let lake = Lake::new();
    let path = lake.ids("lake/a.parquet", &[Some("1")]);
    with_bytes(&path, |bytes| {
        let end = bytes.len() - 8;
        let length = u32::from_le_bytes(*bytes[end..].first_chunk::<4>().unwrap()) + 5;
        bytes.truncate(end - 1);
        // Field 8, a union whose first member is an empty struct; then the end of the footer.
        bytes.extend_from_slice(&[0x0c, 16, 0x1c, 0, 0, 0]);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(b"PAR1");
    });
    only(&lake.problems("lake"), "has encrypted columns");
}

#[test]
fn directories_that_cannot_be_listed_are_named() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("1")]);
    fs::create_dir(lake.path("lake/closed")).unwrap();
    let closed = lake.path("lake/closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let found = lake.problems("lake");
    let readable = fs::read_dir(&closed).is_ok(); // root may list everything
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if readable {
        assert_eq!(found, [""; 0]);
    } else {
        only(&found, "lake/closed: cannot be listed");
    }
}

#[test]
fn table_formats_are_refused_from_inside_and_outside() {
    for (marker, name) in [
        ("_delta_log/0.json", "a Delta table"),
        (".hoodie/hoodie.properties", "a Hudi table"),
        ("metadata/v1.metadata.json", "an Iceberg table"),
    ] {
        let lake = Lake::new();
        lake.ids("lake/table/part/a.parquet", &[Some("1")]);
        lake.create(&format!("lake/table/{marker}"));
        for location in
            ["lake", "lake/table", "lake/table/part", "lake/table/part/a.parquet", "lake/*/part"]
        {
            let found = lake.problems(location);
            assert!(found.iter().any(|problem| problem.contains(name)), "{location}: {found:?}");
        }
    }
}

#[test]
fn hive_partitions_become_columns_and_identifying_ones_are_masked() {
    let lake = Lake::new();
    lake.ids("lake/day=2026-01-01/user=a%40b.c/x.parquet", &[Some("1")]);
    lake.ids("lake/day=2026-01-02/user=__HIVE_DEFAULT_PARTITION__/x.parquet", &[Some("2")]);
    let mut dataset = dataset("lake", "lake");
    dataset.fields.push(id_field("user"));
    let files = lake.inventory(&dataset);
    assert_eq!(problems(&files), [""; 0]);
    assert_eq!(
        shown(&files),
        ["lake/day=2026-01-01/user=***/x.parquet", "lake/day=2026-01-02/user=***/x.parquet"]
    );
    let user = ("user".to_owned(), Some("a@b.c".to_owned()));
    assert_eq!(files.files[0].partitions[1], user);
    assert_eq!(files.files[1].partitions[1].1, None);
    let leaves: Vec<String> = files.leaves.iter().map(|leaf| leaf.path.to_string()).collect();
    assert_eq!(leaves, ["id", "day", "user"]);
    assert!(files.leaves[2].partition && files.leaves[2].kind == LeafType::Text);
    // A problem of such a file does not show the value either.
    fs::write(lake.path("lake/day=2026-01-01/user=a%40b.c/bad.parquet"), "").unwrap();
    only(&problems(&lake.inventory(&dataset)), "user=***/bad.parquet: is empty");
}

#[test]
fn inconsistent_partitions_are_named() {
    let lake = Lake::new();
    lake.ids("lake/day=1/a.parquet", &[Some("1")]);
    lake.ids("lake/day=2/a.parquet", &[Some("1")]);
    lake.ids("lake/stray.parquet", &[Some("1")]);
    only(
        &lake.problems("lake"),
        "lake/stray.parquet: lies in partitions (none) where other files have (day)",
    );
    let lake = Lake::new();
    lake.ids("lake/day=1/day=2/a.parquet", &[Some("1")]);
    only(&lake.problems("lake"), "two partitions of the column `day`");
}

#[test]
fn a_real_conflict_of_types_names_the_file() {
    let lake = Lake::new();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    lake.write("lake/a.parquet", [("id", text)], None);
    lake.write("lake/b.parquet", [("id", number)], None);
    only(&lake.problems("lake"), "lake/b.parquet: column `id` is int64 here and string");
}

#[test]
fn a_file_in_two_datasets_is_a_problem_of_both() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("1")]);
    symlink("lake", lake.path("alias")).unwrap();
    let (one, two) = (dataset("one", "lake"), dataset("two", "alias/a.parquet"));
    let inventory = lake.engine.inventory(&[&one, &two], &[]);
    only(&problems(&inventory.datasets[&one.name]), "belongs to the dataset `two` too");
    only(&problems(&inventory.datasets[&two.name]), "belongs to the dataset `one` too");
}

#[test]
fn places_of_amparo_must_lie_outside() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("1")]);
    lake.ids("state/b.parquet", &[Some("1")]);
    symlink("lake", lake.path("alias")).unwrap();
    let reserved = |path: &str| Reserved { what: "the state directory", path: PathBuf::from(path) };
    let problems_of = |location: &str, path: &str| {
        problems(&lake.inventory_beside(&dataset("lake", location), &[reserved(path)]))
    };
    assert_eq!(problems_of("lake", "state"), [""; 0]);
    assert_eq!(problems_of("lake", "lake2"), [""; 0]);
    for inside in ["lake", "lake/state", "alias/new/state", "lake/.state"] {
        only(&problems_of("lake", inside), "the state directory and the dataset `lake` overlap");
    }
    only(&problems_of("state/b.parquet", "state"), "overlap");
}

#[test]
fn shared_columns_without_a_name_or_twice_are_named() {
    let lake = Lake::new();
    let message = "message m { required int32 a; required int32 a; }";
    lake.column::<parquet::data_type::Int32Type>(
        "lake/ok.parquet",
        "message m { required int32 b; }",
        &[1],
        None,
        None,
    );
    let schema = parquet::schema::parser::parse_message_type(message).unwrap();
    let writer = parquet::file::writer::SerializedFileWriter::new(
        lake.create("lake/twice.parquet"),
        Arc::new(schema),
        Arc::default(),
    );
    writer.unwrap().close().unwrap();
    only(&lake.problems("lake"), "lake/twice.parquet: has two columns called `a`");
}

#[test]
fn a_thousand_small_files() {
    let lake = Lake::new();
    let first = lake.ids("lake/0.parquet", &[Some("1")]);
    for number in 1..1000 {
        fs::copy(&first, lake.path(&format!("lake/{number}.parquet"))).unwrap();
    }
    let files = lake.files("lake");
    assert_eq!(files.rows(), 1000);
}
