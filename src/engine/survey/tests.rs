#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, Int64Array, ListBuilder, StringArray, StringBuilder,
    StringDictionaryBuilder,
};
use arrow::datatypes::Int32Type;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::choose;
use crate::engine::testing::{Lake, leaf_index, with_bytes};
use crate::plan::DatasetFiles;
use crate::plan::coverage::{Survey, SurveyLeaf, Tally};

fn survey(lake: &Lake, files: &DatasetFiles, path: &str) -> Survey {
    let leaf = SurveyLeaf { leaf: leaf_index(files, path), hint: None, sampled: true };
    lake.engine.survey(files, &[leaf])
}

/// The tally of a column in which everything can be read.
fn tally(lake: &Lake, files: &DatasetFiles, path: &str) -> Tally {
    let survey = survey(lake, files, path);
    assert_eq!(survey.problems, Vec::<String>::new());
    survey.tallies[&leaf_index(files, path)].clone()
}

fn expected<'a>(values: impl IntoIterator<Item = &'a str>) -> Tally {
    let mut tally = Tally::new(None);
    values.into_iter().for_each(|value| tally.add(value));
    tally
}

fn groups_of(rows: usize) -> Option<WriterProperties> {
    Some(
        WriterProperties::builder()
            .set_max_row_group_row_count(Some(rows))
            .set_data_page_row_count_limit(16)
            .set_write_batch_size(16)
            .set_dictionary_enabled(false)
            .build(),
    )
}

#[test]
fn every_type_that_can_hold_them_is_looked_at() {
    let lake = Lake::new();
    let mails = ["a@b.de", "c@d.de", "e@f.de"];
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    mails.iter().for_each(|mail| dictionary.append_value(mail));
    let mut list = ListBuilder::new(StringBuilder::new());
    list.values().append_value(mails[0]);
    list.values().append_value(mails[1]);
    list.append(true);
    list.append(false);
    list.values().append_value(mails[2]);
    list.append(true);
    let bytes: Vec<&[u8]> = vec![mails[0].as_bytes(), b"\xff\xfe", mails[2].as_bytes()];
    let columns: [(&str, ArrayRef); 6] = [
        ("text", Arc::new(StringArray::from(mails.to_vec()))),
        ("dictionary", Arc::new(dictionary.finish())),
        ("list", Arc::new(list.finish())),
        ("binary", Arc::new(BinaryArray::from(bytes))),
        (
            "number",
            Arc::new(Int64Array::from(vec![4_111_111_111_111_111, 5, 5_555_555_555_554_444])),
        ),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![4_111_111_111_111_111, 5, 6])
                    .with_precision_and_scale(20, 0)
                    .unwrap(),
            ),
        ),
    ];
    lake.write("a.parquet", columns, None);
    let files = lake.files("a.parquet");
    for path in ["text", "dictionary", "list"] {
        assert_eq!(tally(&lake, &files, path), expected(mails), "{path}");
    }
    assert_eq!(tally(&lake, &files, "binary"), expected([mails[0], "?", mails[2]]));
    let cards = ["4111111111111111", "5", "5555555555554444"];
    assert_eq!(tally(&lake, &files, "number"), expected(cards));
    assert_eq!(tally(&lake, &files, "decimal"), expected([cards[0], "5", "6"]));
}

#[test]
fn nulls_and_blanks_are_no_values() {
    let lake = Lake::new();
    lake.ids("a.parquet", &[Some("a@b.de"), None, Some(""), Some("  ")]);
    assert_eq!(tally(&lake, &lake.files("a.parquet"), "id").values(), 1);
}

#[test]
fn partition_values_are_looked_at_once_each() {
    let lake = Lake::new();
    for (number, mail) in ["a@b.de", "a@b.de", "c@d.de"].iter().enumerate() {
        lake.ids(&format!("d/mail={mail}/{number}.parquet"), &[Some("x")]);
    }
    assert_eq!(tally(&lake, &lake.files("d"), "mail"), expected(["a@b.de", "c@d.de"]));
}

/// The rows of the sample, told by what each holds.
#[test]
fn the_sample_is_spread_bounded_and_the_same_every_time() {
    let lake = Lake::new();
    let names: Vec<String> = (0..12_000).map(|row| format!("mail{row}@example.com")).collect();
    for file in 0..3 {
        let column: Vec<&str> = names[file * 4000..][..4000].iter().map(String::as_str).collect();
        let column: ArrayRef = Arc::new(StringArray::from(column));
        lake.write(&format!("d/{file}.parquet"), [("id", column)], groups_of(500));
    }
    let files = lake.files("d");
    let chosen = choose::groups(&files);
    assert_eq!(chosen.len(), choose::GROUPS);
    assert_eq!((chosen[0].file, chosen[0].group), (0, 0));
    assert_eq!((chosen[7].file, chosen[7].group), (2, 7));
    let rows: u64 = chosen.iter().map(|group| group.runs().len() as u64).sum();
    assert_eq!(rows, choose::ROWS);
    let first = tally(&lake, &files, "id");
    assert_eq!((first.values(), tally(&lake, &files, "id")), (choose::ROWS, first));
}

/// Everything that is not in the sample's row groups is overwritten: nobody notices. One page of the
/// sample is: that is said, and the rest still counts.
#[test]
fn only_the_sample_is_read_and_damage_in_it_is_said() {
    let lake = Lake::new();
    let ids: Vec<String> = (0..6_000).map(|row| format!("mail{row}@example.com")).collect();
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(&ids));
    let path = lake.write("a.parquet", [("id", column)], groups_of(200));
    let chunks: Vec<(usize, usize)> = {
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let groups = reader.metadata().row_groups().iter();
        groups
            .map(|group| {
                let (start, length) = group.column(0).byte_range();
                (usize::try_from(start).unwrap(), usize::try_from(length).unwrap())
            })
            .collect()
    };
    assert_eq!(chunks.len(), 30);
    let read: Vec<usize> =
        choose::groups(&lake.files("a.parquet")).iter().map(|group| group.group).collect();
    with_bytes(&path, |bytes| {
        for (group, (start, length)) in chunks.iter().enumerate() {
            if !read.contains(&group) {
                bytes[*start..start + length].fill(0xff);
            }
        }
    });
    let files = lake.files("a.parquet");
    assert_eq!(tally(&lake, &files, "id").values(), choose::ROWS);
    with_bytes(&path, |bytes| bytes[chunks[0].0..][..chunks[0].1].fill(0xff));
    let files = lake.files("a.parquet");
    let survey = survey(&lake, &files, "id");
    assert_eq!(survey.problems, ["a.parquet: column `id` of row group 0 does not decode"]);
    assert_eq!(survey.tallies[&0].values(), choose::ROWS * 7 / 8);
}

#[test]
fn a_file_that_is_gone_or_another_by_now_is_said() {
    let lake = Lake::new();
    let path = lake.ids("a.parquet", &[Some("a@b.de")]);
    let files = lake.files("a.parquet");
    std::fs::remove_file(path).unwrap();
    let survey = survey(&lake, &files, "id");
    assert_eq!(survey.problems, ["a.parquet changed while it was read"]);
    assert_eq!(survey.tallies[&0].values(), 0);
}

#[test]
fn long_lists_do_not_make_the_sample_long() {
    let lake = Lake::new();
    let mut list = ListBuilder::new(StringBuilder::new());
    for _ in 0..500 {
        (0..1000).for_each(|_| list.values().append_value("a@b.de"));
        list.append(true);
    }
    let column: ArrayRef = Arc::new(list.finish());
    lake.write("a.parquet", [("list", column)], None);
    let values = tally(&lake, &lake.files("a.parquet"), "list").values();
    assert!((choose::ROWS..=32_000).contains(&values), "{values}");
}
