//! A packager that anyone can check by reading, against the real one on random lakes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use proptest::prelude::*;
use regex::Regex;

use super::support::*;
use crate::model::LeafType::{Int, Text};
use crate::plan::{AccessDataset, Reach};

const DATASETS: [(&str, &str); 3] = [("app", "Web"), ("shop", "store"), ("site", "WEB")];
const COLUMNS: [&str; 5] = ["ts", "hit", "name", "n", "tags"];

/// A row of the lake, and what task 0 and task 1 make of it: not theirs, person, or device; for
/// theirs, the one tag that they see, where they do not see all.
#[derive(Debug, Clone)]
struct Row {
    ts: Option<i64>,
    hit: Option<u8>,
    name: Option<String>,
    n: Option<i64>,
    tags: Option<Vec<Option<String>>>,
    owners: [Option<(bool, Option<u32>)>; 2],
}

/// A dataset: its files, whether its policy lists `ts`, and which of the other columns it shows and to whom.
#[derive(Debug, Clone)]
struct Set {
    files: Vec<Vec<Row>>,
    lists_ts: bool,
    has_hit_id: bool,
    shown: Vec<(u16, bool)>,
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![Just(String::new()), "[=+@,\"\n<&'a-c0-9\\-]{0,4}", "\\PC{0,5}"];
    let owner = prop::option::weighted(0.7, (any::<bool>(), prop::option::weighted(0.3, 0..3_u32)));
    (
        prop::option::of((-3..3_i64).prop_map(|half| half * 43_200_000_000)),
        prop::option::of(0..6_u8),
        prop::option::of(text.clone()),
        prop::option::of(-2..3_i64),
        prop::option::of(prop::collection::vec(prop::option::of(text), 0..4)),
        [owner.clone(), owner],
    )
        .prop_map(|(ts, hit, name, n, tags, owners)| Row { ts, hit, name, n, tags, owners })
}

fn set() -> impl Strategy<Value = Set> {
    let rows = prop::collection::vec(prop::collection::vec(row(), 0..8), 1..3);
    let shown = prop::collection::vec(any::<(bool, bool)>(), 4);
    (rows, any::<bool>(), any::<bool>(), shown, any::<u8>()).prop_map(
        |(files, lists_ts, has_hit_id, shown, turn)| {
            let mut order: Vec<u16> = (1..5).collect();
            order.rotate_left(usize::from(turn % 4));
            let mut shown: Vec<(u16, bool)> = order
                .into_iter()
                .zip(shown)
                .filter_map(|(leaf, (shown, device))| shown.then_some((leaf, device)))
                .collect();
            if lists_ts {
                shown.insert(shown.len() / 2, (0, true));
            }
            Set { files, lists_ts, has_hit_id, shown }
        },
    )
}

fn arrays(rows: &[Row]) -> Vec<ArrayRef> {
    let hits: Vec<Option<String>> = rows.iter().map(|r| r.hit.map(|h| format!("h{h}"))).collect();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match &row.tags {
            Some(items) => tags.append_value(items.iter().map(Option::as_deref)),
            None => tags.append_null(),
        }
    }
    vec![
        instants(&rows.iter().map(|row| row.ts).collect::<Vec<_>>()),
        texts(&hits.iter().map(Option::as_deref).collect::<Vec<_>>()),
        texts(&rows.iter().map(|row| row.name.as_deref()).collect::<Vec<_>>()),
        ints(&rows.iter().map(|row| row.n).collect::<Vec<_>>()),
        Arc::new(tags.finish()),
    ]
}

fn table((set, (name, product)): (&Set, (&'static str, &'static str))) -> Table {
    let kinds = [
        (TS, vec![]),
        (Text, vec![]),
        (Text, vec![]),
        (Int { bits: 64, signed: true }, vec![]),
        (Text, vec![1]),
    ];
    Table {
        name,
        product,
        leaves: COLUMNS.iter().zip(kinds).map(|(c, (kind, lists))| leaf(c, kind, &lists)).collect(),
        files: set.files.iter().map(|rows| arrays(rows)).collect(),
        timestamp: Some(0),
        hit_id: set.has_hit_id.then_some(1),
        fields: set.shown.clone(),
    }
}

fn part(table: &Table, set: &Set, task: usize) -> AccessDataset {
    let mut part = table.part(Vec::new());
    let tags = part.columns.iter().position(|column| column.leaf == 4);
    for (file, rows) in set.files.iter().enumerate() {
        for (position, row) in rows.iter().enumerate() {
            let Some((person, only)) = row.owners[task] else { continue };
            let narrowed = only
                .zip(tags)
                .map(|(index, column)| (column as u16, Reach::Within(vec![Box::from([index])])));
            let at = (file as u32, position as u64, person, Vec::from_iter(narrowed));
            part.rows.extend(table.part(vec![at]).rows);
        }
    }
    part
}

/// One row of a task, with where it came from.
#[derive(Clone)]
struct Found<'a> {
    set: usize,
    file: usize,
    position: usize,
    person: bool,
    only: Option<u32>,
    row: &'a Row,
}

/// The rows of a product in a task, without copies, in the order of the files.
fn naive_rows<'a>(sets: &'a [Set], product: &[usize], task: usize) -> Vec<Found<'a>> {
    let mut rows = Vec::new();
    for &set in product {
        for (file, content) in sets[set].files.iter().enumerate() {
            for (position, row) in content.iter().enumerate() {
                if let Some((person, only)) = row.owners[task] {
                    rows.push(Found { set, file, position, person, only, row });
                }
            }
        }
    }
    rows.sort_by_key(|f| (!f.person, f.set, f.file, f.position));
    let mut seen = BTreeSet::new();
    rows.retain(|f| match f.row.hit.filter(|_| sets[f.set].has_hit_id) {
        Some(hit) => seen.insert(hit),
        None => true,
    });
    rows.sort_by_key(|f| (!f.person, f.row.ts.is_none(), f.row.ts, f.set, f.file, f.position));
    rows
}

fn stamp(ts: i64, format: &str) -> String {
    let time = jiff::Timestamp::from_microsecond(ts).unwrap();
    time.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
}

fn tags_of<'a>(found: &Found<'a>) -> Option<Vec<&'a Option<String>>> {
    let visible =
        |(index, tag)| found.only.is_none_or(|only| only as usize == index).then_some(tag);
    found.row.tags.as_ref().map(|tags| tags.iter().enumerate().filter_map(visible).collect())
}

/// A cell's text in CSV, and its values in the summary.
fn naive_cell(found: &Found<'_>, column: u16) -> (Option<String>, Vec<String>) {
    let row = found.row;
    let (text, counted) = match column {
        0 => (
            row.ts.map(|ts| stamp(ts, "%Y-%m-%d %H:%M:%S")),
            row.ts.map(|ts| stamp(ts, "%Y-%m-%d")).into_iter().collect(),
        ),
        4 => {
            let tags = tags_of(found);
            let counted = tags.iter().flatten().filter_map(|tag| (*tag).clone()).collect();
            (tags.map(|tags| serde_json::to_string(&tags).unwrap()), counted)
        }
        _ => {
            let text = match column {
                1 => row.hit.map(|hit| format!("h{hit}")),
                2 => row.name.clone(),
                _ => row.n.map(|n| n.to_string()),
            };
            (text.clone(), text.into_iter().collect())
        }
    };
    (text, counted)
}

fn naive_csv_cell(text: Option<&str>) -> String {
    let Some(text) = text else { return String::new() };
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$").unwrap());
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && !(text.is_ascii() && NUMBER.is_match(text) && !text.ends_with('\n'));
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// The expected CSV files and summaries of a task, by path without ending.
type Expected = BTreeMap<String, (String, Vec<(String, Vec<(String, u64)>)>)>;

fn naive(sets: &[Set], task: usize) -> Expected {
    let mut expected = Expected::new();
    for (directory, members) in [("Web", vec![0, 2]), ("store", vec![1])] {
        let members: Vec<usize> = members.into_iter().filter(|set| *set < sets.len()).collect();
        let has_rows =
            |set: usize| sets[set].files.iter().flatten().any(|row| row.owners[task].is_some());
        // The name is that of the first dataset of the work; ours are all in it.
        let rows = naive_rows(sets, &members, task);
        for person in [true, false] {
            let rows: Vec<&Found<'_>> = rows.iter().filter(|f| f.person == person).collect();
            if rows.is_empty() {
                continue;
            }
            let present: Vec<usize> = members
                .iter()
                .copied()
                .filter(|set| has_rows(*set) && rows.iter().any(|f| f.set == *set))
                .collect();
            let mut columns: Vec<u16> = Vec::new();
            if present.iter().any(|set| !sets[*set].lists_ts) {
                columns.push(0);
            }
            for &set in &present {
                for &(leaf, device) in &sets[set].shown {
                    if (person || device) && !columns.contains(&leaf) {
                        columns.push(leaf);
                    }
                }
            }
            let shows = |set: usize, leaf: u16| {
                let listed = sets[set].shown.iter().any(|(l, d)| *l == leaf && (person || *d));
                listed || (leaf == 0 && !sets[set].lists_ts)
            };
            let mut csv = String::from("_dataset");
            columns.iter().for_each(|leaf| csv += &format!(",{}", COLUMNS[usize::from(*leaf)]));
            csv.push('\n');
            let mut counts: Vec<BTreeMap<String, u64>> = vec![BTreeMap::new(); columns.len()];
            for found in &rows {
                csv += DATASETS[found.set].0;
                for (leaf, counts) in columns.iter().zip(&mut counts) {
                    csv.push(',');
                    if shows(found.set, *leaf) {
                        let (text, counted) = naive_cell(found, *leaf);
                        csv += &naive_csv_cell(text.as_deref());
                        counted.into_iter().for_each(|v| *counts.entry(v).or_default() += 1);
                    }
                }
                csv.push('\n');
            }
            let page = columns.iter().zip(counts).map(|(leaf, counts)| {
                let mut values: Vec<(String, u64)> = counts.into_iter().collect();
                values.sort_by_key(|(value, count)| (u64::MAX - count, value.clone()));
                (COLUMNS[usize::from(*leaf)].to_owned(), values)
            });
            let kind = if person { "person" } else { "device" };
            expected.insert(format!("{directory}/{kind}"), (csv, page.collect()));
        }
    }
    expected
}

/// The rows of `profile.json`, per dataset and kind, against the naive order and cells.
fn check_profile(text: &str, sets: &[Set], task: usize) {
    let profile: serde_json::Value = serde_json::from_str(text).unwrap();
    let datasets = profile["datasets"].as_array().unwrap();
    let mut listed = 0;
    for (set, content) in sets.iter().enumerate() {
        let members = if DATASETS[set].1 == "store" { vec![1] } else { vec![0, 2] };
        let members: Vec<usize> = members.into_iter().filter(|set| *set < sets.len()).collect();
        let rows: Vec<_> =
            naive_rows(sets, &members, task).into_iter().filter(|f| f.set == set).collect();
        let found = datasets.iter().find(|d| d["dataset"] == DATASETS[set].0);
        assert_eq!(found.is_some(), !rows.is_empty());
        let Some(found) = found else { continue };
        listed += 1;
        for (kind, person) in [("person", true), ("device", false)] {
            let expected: Vec<serde_json::Value> = rows
                .iter()
                .filter(|f| f.person == person)
                .map(|f| {
                    let unlisted = (!content.lists_ts).then_some((0, true));
                    let shown = unlisted.into_iter().chain(content.shown.clone());
                    let cells = shown.filter(|(_, device)| person || *device).map(|(leaf, _)| {
                        let value = match leaf {
                            0 => f.row.ts.map(|ts| stamp(ts, "%Y-%m-%dT%H:%M:%SZ")).into(),
                            1 => f.row.hit.map(|hit| format!("h{hit}")).into(),
                            2 => f.row.name.clone().into(),
                            3 => f.row.n.into(),
                            _ => serde_json::to_value(tags_of(f)).unwrap(),
                        };
                        (COLUMNS[usize::from(leaf)].to_owned(), value)
                    });
                    serde_json::Value::Object(cells.collect())
                })
                .collect();
            assert_eq!(found[kind], serde_json::Value::Array(expected));
        }
    }
    assert_eq!(listed, datasets.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn packages_are_what_a_naive_packager_makes(
        sets in prop::collection::vec(set(), 1..=3),
        batch in 1..5_usize,
        backwards in any::<bool>(),
        memory in prop_oneof![Just(0_usize), Just(600), Just(64 << 20)],
    ) {
        let tables: Vec<Table> = sets.iter().zip(DATASETS).map(table).collect();
        let works: Vec<Vec<AccessDataset>> = (0..2)
            .map(|task| tables.iter().zip(&sets).map(|(t, s)| part(t, s, task)).collect())
            .collect();
        let mut lake = Lake { batch, backwards, ..Lake::new(tables) };
        let dir = tempfile::tempdir().unwrap();
        let results = results(&mut lake, works, dir.path(), memory).unwrap();
        for (task, result) in results.iter().enumerate() {
            let expected = naive(&sets, task);
            let Ok(report) = result else {
                prop_assert!(expected.is_empty());
                continue;
            };
            let entries = read(&report.path);
            prop_assert_eq!(entries.len(), expected.len() * 2 + 3);
            for (path, (csv, page)) in &expected {
                prop_assert_eq!(&entries[&format!("{path}.csv")], csv);
                prop_assert_eq!(&summary(&entries[&format!("{path}.html")]), page);
            }
            check_profile(&entries["profile.json"], &sets, task);
        }
    }
}
