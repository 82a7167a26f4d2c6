//! RULES.md section 7: access columns and rows, and which cells a delete replaces.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, Expansion, IdentityTerm, Key, Request};
use crate::plan::measuring::{Pass, pass};
use crate::plan::testing::{World, field, leaf_values, request};

const COLUMNS: [&str; 5] = ["MyProp1", "VisitorID", "MyEvar1", "MyEvar2", "MyEvar3"];

fn world() -> World {
    let mut world = World::default();
    world.namespace("cookie").expansion = Expansion::Cookie;
    world.dataset(
        "suite",
        vec![
            field("MyProp1", "user", "I2 ID-PERSON DEL-PERSON ACC-PERSON"),
            field("VisitorID", "cookie", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
            field("MyEvar1", "", "I2 DEL-PERSON ACC-PERSON"),
            field("MyEvar2", "", "I2 DEL-DEVICE DEL-PERSON ACC-ALL"),
            field("MyEvar3", "xyz", "I2 ID-DEVICE DEL-DEVICE ACC-ALL"),
        ],
    );
    world.flat(
        "suite",
        &COLUMNS.join(" "),
        &[
            "Mary 77 A M X",
            "Mary 88 B N Y",
            "Mary 99 C O Z",
            "John 77 D P W",
            "John 88 E N U",
            "John 44 F Q V",
            "John 55 G R X",
            "Alice 66 A N Z",
        ],
    );
    world
}

fn run(world: &World, ids: &[(&str, &str)], expand: bool, action: Action) -> Pass {
    let terms: Vec<IdentityTerm> = ids.iter().map(|(ns, value)| world.one(ns, value)).collect();
    let mut user = world.user("k", terms);
    user.actions = BTreeSet::from([action]);
    let request = Request { expand_ids: expand, ..request("r", vec![user]) };
    pass(world, &[request])
}

/// The unique values of each column of the person or device file; absent columns are absent.
fn shown(world: &World, pass: &Pass, person: bool) -> BTreeMap<String, BTreeSet<String>> {
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for dataset in pass.draft.access.iter().flat_map(|work| &work.datasets) {
        let leaves = &world.inventory.datasets[&dataset.dataset].leaves;
        for row in dataset.rows.iter().filter(|row| row.person == person) {
            assert!(row.narrowed.is_empty());
            let values =
                &world.tables[&dataset.dataset][0].rows[usize::try_from(row.at.row).unwrap()];
            for column in dataset.columns.iter().filter(|column| person || column.device) {
                let leaf = &leaves[usize::from(column.leaf)];
                let entry = columns.entry(leaf.path.to_string()).or_default();
                for (_, value) in leaf_values(values, leaf) {
                    let Key::Text(text) = value else { panic!("only text") };
                    entry.insert(text);
                }
            }
        }
    }
    columns
}

/// `expected` as in the rules: one entry a column, `-` for an absent one.
fn assert_shown(pass: &Pass, world: &World, person: bool, expected: [&str; 5]) {
    let expected: BTreeMap<String, BTreeSet<String>> = COLUMNS
        .iter()
        .zip(expected)
        .filter(|(_, values)| *values != "-")
        .map(|(column, values)| {
            ((*column).to_owned(), values.split(' ').map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(shown(world, pass, person), expected);
}

#[test]
fn access_shows_what_the_rules_show() {
    let world = world();
    let access = |ids: &[(&str, &str)], expand| run(&world, ids, expand, Action::Access);
    let mary = ["Mary", "77 88 99", "A B C", "M N O", "X Y Z"];
    for expand in [false, true] {
        let pass = access(&[("cookie", "77")], expand);
        assert_shown(&pass, &world, false, ["-", "77", "-", "M P", "X W"]);
        assert!(shown(&world, &pass, true).is_empty());
    }
    let pass = access(&[("user", "Mary")], false);
    assert_shown(&pass, &world, true, mary);
    assert!(shown(&world, &pass, false).is_empty());
    let pass = access(&[("user", "Mary")], true);
    assert_shown(&pass, &world, true, mary);
    assert_shown(&pass, &world, false, ["-", "77 88", "-", "N P", "U W"]);
    let pass = access(&[("user", "Mary"), ("cookie", "66")], true);
    assert_shown(&pass, &world, true, mary);
    assert_shown(&pass, &world, false, ["-", "66 77 88", "-", "N P", "U W Z"]);
    let pass = access(&[("xyz", "X")], false);
    assert_shown(&pass, &world, false, ["-", "55 77", "-", "M R", "X"]);
    let pass = access(&[("xyz", "X")], true);
    assert_shown(&pass, &world, false, ["-", "55 77", "-", "M P R", "W X"]);
}

/// The erased columns, as initials of `COLUMNS` positions, by row (from 1).
fn erased(pass: &Pass) -> BTreeMap<u64, Vec<usize>> {
    let mut rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (_, _, row, path, _) in pass.erasure.cells.keys() {
        let column = COLUMNS.iter().position(|column| column == path).unwrap();
        rows.entry(row + 1).or_default().push(column);
    }
    rows.values_mut().for_each(|columns| columns.sort_unstable());
    rows
}

#[test]
fn deletes_replace_what_the_rules_replace() {
    let world = world();
    let delete = |ids: &[(&str, &str)], expand| erased(&run(&world, ids, expand, Action::Delete));
    let rows = |rows: &[(u64, &[usize])]| -> BTreeMap<u64, Vec<usize>> {
        rows.iter().map(|(row, columns)| (*row, columns.to_vec())).collect()
    };
    for expand in [false, true] {
        let expected = rows(&[(1, &[1, 3, 4]), (4, &[1, 3, 4])]);
        assert_eq!(delete(&[("cookie", "77")], expand), expected);
    }
    let expected = rows(&[(1, &[0, 2, 3]), (2, &[0, 2, 3]), (3, &[0, 2, 3])]);
    assert_eq!(delete(&[("user", "Mary")], false), expected);
    let all: &[usize] = &[0, 1, 2, 3, 4];
    let expected = rows(&[(1, all), (2, all), (3, all), (4, &[1, 3, 4]), (5, &[1, 3, 4])]);
    assert_eq!(delete(&[("user", "Mary")], true), expected);
}

#[test]
fn the_plan_counts_what_is_erased() {
    let pass = run(&world(), &[("user", "Mary")], true, Action::Delete);
    let dataset = &pass.plan.tasks[0].datasets[0];
    assert_eq!((dataset.person_rows, dataset.device_rows, dataset.rows_erased), (3, 2, 5));
    let fields: Vec<(&str, &str, u64)> = dataset
        .fields
        .iter()
        .map(|field| (field.path.as_str(), field.method.as_str(), field.cells))
        .collect();
    let expected = [
        ("MyEvar1", "pseudonym", 3),
        ("MyEvar2", "pseudonym", 5),
        ("MyEvar3", "pseudonym", 5),
        ("MyProp1", "pseudonym", 3),
        ("VisitorID", "pseudonym", 5),
    ];
    assert_eq!(fields, expected);
    assert_eq!(pass.plan.totals.cells_erased, 21);
    assert_eq!(pass.plan.totals.bytes_touched, 50);
}

#[test]
fn the_same_pass_makes_the_same_plan() {
    let world = world();
    let plan = |ids: &[(&str, &str)]| run(&world, ids, true, Action::Delete).plan;
    assert_eq!(plan(&[("user", "Mary")]), plan(&[("user", "Mary")]));
    assert_ne!(plan(&[("user", "Mary")]).plan_id, plan(&[("user", "John")]).plan_id);
    let text = serde_json::to_string(&plan(&[("user", "Mary")])).unwrap();
    assert!(!text.contains("Mary"), "a plan holds no identity");
}
