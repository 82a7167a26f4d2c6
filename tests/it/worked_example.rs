//! RULES.md section 7: Adobe's published labelling example, access and delete, with both flags.

use std::collections::BTreeSet;

use crate::support::{Env, csv, header, task, text};

const FIELDS: [&str; 5] = ["MyProp1", "VisitorID", "MyEvar1", "MyEvar2", "MyEvar3"];

const ROWS: [[&str; 5]; 8] = [
    ["Mary", "77", "A", "M", "X"],
    ["Mary", "88", "B", "N", "Y"],
    ["Mary", "99", "C", "O", "Z"],
    ["John", "77", "D", "P", "W"],
    ["John", "88", "E", "N", "U"],
    ["John", "44", "F", "Q", "V"],
    ["John", "55", "G", "R", "X"],
    ["Alice", "66", "A", "N", "Z"],
];

fn lake() -> Env {
    let env = Env::new();
    let columns =
        FIELDS.iter().enumerate().map(|(i, name)| (*name, text(&ROWS.map(|row| row[i])))).collect();
    env.parquet("lake/suite/part-0.parquet", columns);
    env.document("policies", "Namespace", "visitor", "  {namespace: visitor, expansion: cookie}");
    env.dataset(
        "suite",
        "  product: analytics
  location: lake/suite/
  format: parquet
  fields:
    - {path: MyProp1, namespace: user, labels: [I2, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: VisitorID, namespace: visitor, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}
    - {path: MyEvar1, labels: [I2, DEL-PERSON, ACC-PERSON]}
    - {path: MyEvar2, labels: [I2, DEL-DEVICE, DEL-PERSON, ACC-ALL]}
    - {path: MyEvar3, namespace: xyz, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}",
    );
    // A dataset of eight rows: the share of it that one subject touches says nothing.
    env
}

fn request(env: &Env, ids: &[(&str, &str)], expand: bool, action: &str) {
    let identities: String = ids
        .iter()
        .map(|(n, v)| format!("        - {{namespace: {n}, value: \"{v}\"}}\n"))
        .collect();
    env.request(
        "example",
        &format!(
            "  regulation: gdpr
  receivedAt: 2026-11-20
  include: [analytics]
  expandIds: {expand}
  users:
    - key: CASE
      action: [{action}]
      userIDs:
{identities}"
        ),
    );
}

/// The unique values of each column of a file; `None` where the column is absent.
type Unique = Vec<Option<BTreeSet<String>>>;

/// Identities of a request, the flags to try, and the touched rows with their cells.
type Deletion = (Vec<(&'static str, &'static str)>, Vec<bool>, Vec<(usize, &'static str)>);

/// Identities, the flags to try, and the person and device files.
type Access =
    (&'static [(&'static str, &'static str)], &'static [bool], &'static str, &'static str);

fn unique(file: Option<&String>) -> Option<Unique> {
    let file = file?;
    let names = header(file);
    let rows = csv(file);
    Some(
        FIELDS
            .iter()
            .map(|field| {
                names
                    .iter()
                    .any(|n| n == field)
                    .then(|| rows.iter().map(|r| r[*field].clone()).collect())
            })
            .collect(),
    )
}

/// `Mary | 77, 88 | – | …`: what a file of the published table shows; empty where there is no file.
fn expected(line: &str) -> Option<Unique> {
    (!line.is_empty()).then(|| {
        line.split('|')
            .map(str::trim)
            .map(|cell| (cell != "–").then(|| cell.split(", ").map(str::to_owned).collect()))
            .collect()
    })
}

#[test]
fn access_shows_what_the_published_table_shows() {
    let mary = "Mary | 77, 88, 99 | A, B, C | M, N, O | X, Y, Z";
    let table: [Access; 7] = [
        (&[("visitor", "77")], &[false, true], "", "– | 77 | – | M, P | X, W"),
        (&[("user", "Mary")], &[false], mary, ""),
        (&[("user", "Mary")], &[true], mary, "– | 77, 88 | – | N, P | U, W"),
        (
            &[("user", "Mary"), ("visitor", "66")],
            &[true],
            mary,
            "– | 66, 77, 88 | – | N, P | U, W, Z",
        ),
        (&[("xyz", "X")], &[false], "", "– | 55, 77 | – | M, R | X"),
        (&[("xyz", "X")], &[true], "", "– | 55, 77 | – | M, P, R | W, X"),
        (&[("USER", "mary")], &[false], mary, ""),
    ];
    for (ids, flags, person, device) in table {
        for expand in flags {
            let env = lake();
            request(&env, ids, *expand, "access");
            env.apply().exits(0);
            let package = env.package("example", "CASE");
            let shown = |name: &str| unique(package.get(&format!("analytics/{name}.csv")));
            assert_eq!(shown("person"), expected(person), "{ids:?} {expand} person");
            assert_eq!(shown("device"), expected(device), "{ids:?} {expand} device");
        }
    }
}

/// Which cells of which rows a delete touches, as the published table has them.
fn delete_table() -> Vec<Deletion> {
    vec![
        (
            vec![("visitor", "77")],
            vec![false, true],
            vec![(1, "Mary v1 A e1 z1"), (4, "John v1 D e2 z2")],
        ),
        (
            vec![("user", "Mary")],
            vec![false],
            vec![(1, "p1 77 a1 e1 X"), (2, "p1 88 a2 e2 Y"), (3, "p1 99 a3 e3 Z")],
        ),
        (
            vec![("user", "Mary")],
            vec![true],
            vec![
                (1, "p1 v1 a1 e1 z1"),
                (2, "p1 v2 a2 e2 z2"),
                (3, "p1 v3 a3 e3 z3"),
                (4, "John v1 D e4 z4"),
                (5, "John v2 E e2 z5"),
            ],
        ),
    ]
}

#[test]
fn a_delete_is_planned_cell_by_cell_as_published() {
    for (ids, flags, rows) in delete_table() {
        for expand in flags {
            let env = lake();
            request(&env, &ids, expand, "delete");
            let plan = env.plan().exits(0).json();
            let dataset = &task(&plan, "CASE", "delete")["datasets"][0];
            for (i, field) in FIELDS.iter().enumerate() {
                let changed = rows
                    .iter()
                    .filter(|(row, cells)| cells.split(' ').nth(i) != Some(ROWS[row - 1][i]))
                    .count();
                let planned = dataset["fields"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|f| f["path"] == *field)
                    .map_or(0, |f| f["cells"].as_u64().unwrap());
                assert_eq!(planned, changed as u64, "{ids:?} {expand} {field}");
            }
            assert_eq!(dataset["rowsErased"], rows.len() as u64);
        }
    }
}

#[test]
fn a_delete_is_carried_out_as_published() {
    for (ids, flags, rows) in delete_table() {
        for expand in flags {
            let env = lake();
            request(&env, &ids, expand, "delete");
            let report = env.apply().exits(0).json();
            let done = task(&report, "CASE", "delete");
            assert_eq!(
                (done["reason"].as_str(), &done["verified"]),
                (Some("Erased"), &true.into())
            );
            let now = env.rows("lake/suite/part-0.parquet");
            let pattern: std::collections::BTreeMap<usize, &str> = rows.iter().copied().collect();
            // Equal names of the table are equal replacements, of one field; different ones are different.
            let mut replaced = std::collections::BTreeMap::new();
            for (index, (row, before)) in now.iter().zip(ROWS).enumerate() {
                let expected: Vec<&str> = match pattern.get(&(index + 1)) {
                    Some(cells) => cells.split(' ').collect(),
                    None => before.to_vec(),
                };
                for (field, cell) in row.iter().enumerate() {
                    let cell = cell.as_deref().unwrap();
                    if expected[field] == before[field] {
                        assert_eq!(
                            cell,
                            before[field],
                            "{ids:?} row {} {}",
                            index + 1,
                            FIELDS[field]
                        );
                    } else {
                        assert!(cell.starts_with("Privacy-") && cell.len() == 40, "{cell}");
                        let first = replaced
                            .entry((field, expected[field]))
                            .or_insert_with(|| cell.to_owned());
                        assert_eq!(first, cell, "{ids:?} {}", expected[field]);
                    }
                }
            }
            let distinct: BTreeSet<&String> = replaced.values().collect();
            assert_eq!(distinct.len(), replaced.len(), "two names share a replacement");
            env.run(&["verify"]).exits(0);
            assert!(env.files("state/keys").keys().all(|path| path.ends_with("deployment")));
        }
    }
}
