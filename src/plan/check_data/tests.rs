#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::Timestamp;
use jiff::civil::date;

use crate::diagnostic::Severity;
use crate::model::{
    EraseMethod, EraseMode, EraseRule, Field, Hold, HoldScope, Leaf, LeafType, Name, Position,
    TimeUnit, Unlabelled,
};
use crate::plan::testing::{World, field, group, leaf, leaf_in, path};
use crate::plan::{FileProblem, LeafForm, OwnLeaf};

use super::{blocking, check_data};

/// The day is 1970-01-01.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const PERSON: &str = "I1 ID-PERSON DEL-PERSON ACC-ALL";

/// A dataset `t` with an e-mail address, and these fields and leaves beside it.
fn world(fields: Vec<Field>, leaves: Vec<Leaf>) -> World {
    let mut world = World::default();
    let mut all = vec![field("email", "email", PERSON)];
    all.extend(fields);
    for (line, field) in (10..).zip(&mut all) {
        field.position = Position { file: "p.yaml".to_owned(), line, column: 5 };
    }
    world.dataset("t", all).position = Position { file: "p.yaml".to_owned(), line: 1, column: 1 };
    let mut columns = vec![leaf("email", LeafType::Text)];
    columns.extend(leaves);
    world.rows("t", columns, vec![group([])]);
    world
}

/// `CODE severity line: message`.
fn found(world: &World) -> Vec<String> {
    check_data(&world.catalog, &world.inventory, NOW)
        .into_iter()
        .map(|d| {
            let severity = if d.severity == Severity::Error { "error" } else { "warning" };
            format!("{} {severity} {}: {}", d.code.id, d.position.line, d.message)
        })
        .collect()
}

fn erased(at: &str, method: EraseMethod) -> Field {
    with(at, EraseRule { method, suffix: None, value: None, key: None })
}

fn with(at: &str, rule: EraseRule) -> Field {
    Field { erase: Some(rule), ..field(at, "", "I2 DEL-PERSON ACC-ALL") }
}

fn constant(at: &str, value: &str) -> Field {
    let value = Some(value.to_owned());
    with(at, EraseRule { method: EraseMethod::Constant, suffix: None, value, key: None })
}

fn name() -> Name {
    Name::new("t").unwrap()
}

#[test]
fn a_policy_that_fits_its_data_is_silent() {
    let world = world(vec![field("note", "", "")], vec![leaf("note", LeafType::Text)]);
    assert_eq!(found(&world), Vec::<String>::new());
    assert!(blocking(&world.catalog, &world.inventory, NOW).is_empty());
}

#[test]
fn labels_on_fields_that_the_data_lacks_are_errors_and_fail_who_needs_them() {
    let world = world(
        vec![
            field("Phone", "", "I1 DEL-PERSON"),
            field("crm", "crm", "I2 ID-PERSON"),
            field("x", "", ""),
        ],
        vec![leaf("phone", LeafType::Text)],
    );
    assert_eq!(
        found(&world),
        [
            "AMP0603 warning 1: the policy does not mention the column phone",
            "AMP0602 error 11: the data has no field Phone",
            "AMP0602 error 12: the data has no field crm",
            "AMP0602 warning 13: the data has no field x",
        ]
    );
    let diagnostics = check_data(&world.catalog, &world.inventory, NOW);
    assert_eq!(diagnostics[1].help.as_deref(), Some("did you mean phone?"));
    let blocks = &blocking(&world.catalog, &world.inventory, NOW)[&name()];
    assert!(blocks.search.as_ref().unwrap().contains("crm"));
    assert!(blocks.erase.as_ref().unwrap().contains("Phone"));
    assert_eq!(blocks.access, None);
}

#[test]
fn columns_without_a_policy_are_warned_of_or_denied() {
    let leaves = || vec![leaf("extra", LeafType::Text), leaf("ts", LeafType::Date)];
    let mut world = world(Vec::new(), leaves());
    world.catalog.datasets[0].timestamp = Some(path("ts"));
    assert_eq!(found(&world), ["AMP0603 warning 1: the policy does not mention the column extra"]);
    world.catalog.datasets[0].unlabelled = Unlabelled::Deny;
    assert_eq!(found(&world), ["AMP0603 error 1: the policy does not mention the column extra"]);
    let blocks = &blocking(&world.catalog, &world.inventory, NOW)[&name()];
    assert!(blocks.erase.is_some() && blocks.access.is_some() && blocks.search.is_none());
}

#[test]
fn methods_are_held_against_the_table_of_types() {
    use EraseMethod as M;
    let int = |bits| LeafType::Int { bits, signed: true };
    let types = [
        (LeafType::Text, vec![M::Pseudonym, M::Null, M::Empty, M::StripUrl, M::Constant, M::Hmac]),
        (int(64), vec![M::Pseudonym, M::Null, M::Empty, M::Constant]),
        (int(32), vec![M::Null, M::Empty, M::Constant]),
        (LeafType::Decimal { precision: 9, scale: 2 }, vec![M::Null, M::Empty, M::Constant]),
        (LeafType::Float, vec![M::Null, M::Empty, M::Constant, M::Coarsen]),
        (LeafType::Date, vec![M::Null, M::Coarsen, M::Constant]),
        (LeafType::Timestamp(TimeUnit::Second), vec![M::Null, M::Coarsen, M::Constant]),
        (LeafType::Uuid, vec![M::Pseudonym, M::Null, M::Empty]),
        (LeafType::Binary, vec![M::Pseudonym, M::Null, M::Empty]),
        (LeafType::FixedBinary(8), vec![M::Pseudonym, M::Null, M::Empty]),
        (LeafType::Bool, vec![M::Null, M::Constant]),
        (LeafType::Other("time of day".to_owned()), vec![M::Null]),
    ];
    for (kind, taken) in types {
        for method in EraseMethod::ALL {
            let possible = taken.contains(&method) || method == M::Keep;
            let world = world(vec![erased("v", method)], vec![leaf("v", kind.clone())]);
            let faults = found(&world);
            let unfit = faults.iter().any(|fault| fault.starts_with("AMP0604"));
            let in_list = faults.iter().any(|fault| fault.starts_with("AMP0610"));
            assert_eq!(unfit, !possible && method != M::RemoveElement, "{method} on {kind:?}");
            assert_eq!(in_list, method == M::RemoveElement, "{method} on {kind:?}");
        }
    }
}

#[test]
fn null_needs_a_nullable_leaf() {
    let required = |at: &str, kind| Leaf { nullable: false, ..leaf(at, kind) };
    let int = LeafType::Int { bits: 32, signed: true };
    let mut world = world(
        vec![
            erased("named", EraseMethod::Null),
            field("default", "", "I2 DEL-PERSON ACC-ALL"),
            field("text", "", "I2 DEL-PERSON ACC-ALL"),
        ],
        vec![
            required("named", LeafType::Text),
            required("default", int),
            required("text", LeafType::Text),
        ],
    );
    assert_eq!(
        found(&world),
        [
            "AMP0605 error 11: named: null cannot be written: the column is required",
            "AMP0606 error 12: default: the default method is null, and the column is required",
        ]
    );
    // Where rows go, no default is ever applied.
    world.catalog.datasets[0].erase = EraseMode::Rows;
    assert_eq!(found(&world).len(), 1);
}

#[test]
fn constants_are_of_the_columns_type_and_never_shown() {
    let uint = LeafType::Int { bits: 8, signed: false };
    let decimal = LeafType::Decimal { precision: 4, scale: 2 };
    let millis = LeafType::Timestamp(TimeUnit::Millisecond);
    for (kind, good, bad) in [
        (uint, "255", "256"),
        (decimal, "12.50", "12.555"),
        (LeafType::Date, "2026-02-28", "2026-02-30"),
        (millis.clone(), "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.0001Z"),
        (LeafType::Timestamp(TimeUnit::Nanosecond), "2200-01-01", "2900-01-01"),
        (LeafType::Float, "1.5", "one"),
        (LeafType::Bool, "false", "nein"),
    ] {
        let of = |value| found(&world(vec![constant("v", value)], vec![leaf("v", kind.clone())]));
        assert_eq!(of(good), Vec::<String>::new(), "{kind:?}");
        let faults = of(bad);
        assert!(faults[0].starts_with("AMP0607 error 11: v: the constant"), "{faults:?}");
        assert!(!faults[0].contains(bad));
    }
}

#[test]
fn id_fields_must_be_of_a_type_that_identifies() {
    for kind in [LeafType::Float, LeafType::Bool] {
        let world = world(vec![field("v", "n", "I2 ID-DEVICE")], vec![leaf("v", kind)]);
        assert!(found(&world)[0].starts_with("AMP0608 error 11"));
        assert!(blocking(&world.catalog, &world.inventory, NOW)[&name()].search.is_some());
    }
}

#[test]
fn partition_columns_cannot_be_erased_unless_rows_go() {
    let country = Leaf { partition: true, ..leaf("country", LeafType::Text) };
    let mut world = world(vec![field("country", "", "I2 DEL-PERSON ACC-ALL")], vec![country]);
    assert!(found(&world)[0].starts_with("AMP0609 error 11"));
    world.catalog.datasets[0].fields[1] = Field { pii: true, ..field("country", "", "") };
    assert!(found(&world)[0].starts_with("AMP0609 error"));
    world.catalog.datasets[0].erase = EraseMode::Rows;
    assert_eq!(found(&world), Vec::<String>::new());
    world.catalog.datasets[0].erase = EraseMode::Fields;
    world.catalog.datasets[0].fields[1] = field("country", "", "ACC-ALL");
    assert_eq!(found(&world), Vec::<String>::new());
}

#[test]
fn remove_element_warns_of_what_goes_along() {
    let world = world(
        vec![erased("items.sku", EraseMethod::RemoveElement), field("items.price", "", "ACC-ALL")],
        vec![
            leaf_in("items.sku", LeafType::Text, &[1]),
            leaf_in("items.price", LeafType::Float, &[1]),
        ],
    );
    assert_eq!(
        found(&world),
        ["AMP0611 warning 11: removing an element of items.sku removes items.price too"]
    );
}

#[test]
fn timestamps_and_hit_ids_must_be_there_and_fit() {
    let mut world = world(
        vec![field("tags", "", ""), field("score", "", "")],
        vec![leaf_in("tags", LeafType::Date, &[1]), leaf("score", LeafType::Float)],
    );
    let mut with = |time: &str, hit: &str| {
        world.catalog.datasets[0].timestamp = Some(path(time));
        world.catalog.datasets[0].hit_id = Some(path(hit));
        assert!(blocking(&world.catalog, &world.inventory, NOW)[&name()].access.is_some());
        found(&world)
    };
    assert_eq!(
        with("gone", "lost"),
        [
            "AMP0612 error 1: timestamp: the data has no column gone",
            "AMP0613 error 1: hitId: the data has no column lost",
        ]
    );
    assert_eq!(
        with("tags", "score"),
        [
            "AMP0612 error 1: timestamp: tags lies in a list or map, and must have one value a row",
            "AMP0613 error 1: hitId: score is a float column, not a value that can be compared",
        ]
    );
    assert!(with("email", "email")[0].contains("email is a string column, not a timestamp"));
}

#[test]
fn a_hold_must_find_its_fields_in_one_of_its_datasets() {
    let mut world = world(vec![field("total", "", "")], vec![leaf("total", LeafType::Float)]);
    world.dataset("u", vec![field("email", "email", PERSON)]);
    world.rows("u", vec![leaf("email", LeafType::Text)], vec![group([])]);
    let hold = |fields: &[&str]| Hold {
        name: Name::new("h").unwrap(),
        scope: HoldScope::Datasets {
            datasets: vec![Name::new("u").unwrap(), name()],
            fields: fields.iter().map(|at| path(at)).collect(),
        },
        until: None,
        reason: "tax".to_owned(),
        position: Position { file: "h.yaml".to_owned(), line: 3, column: 1 },
    };
    world.catalog.holds = vec![hold(&["total"])];
    assert_eq!(found(&world), Vec::<String>::new());
    world.catalog.holds = vec![hold(&["totl"])];
    assert_eq!(found(&world), ["AMP0614 error 3: hold h: the data has no field totl"]);
    let blocks = blocking(&world.catalog, &world.inventory, NOW);
    assert!(blocks.len() == 2 && blocks.values().all(|block| block.erase.is_some()));
    // What has lapsed keeps nothing, and stops nothing.
    world.catalog.holds[0].until = Some(date(1970, 1, 1));
    assert_eq!(found(&world), Vec::<String>::new());
    assert!(blocking(&world.catalog, &world.inventory, NOW).is_empty());
}

#[test]
fn problems_of_files_are_errors_that_name_them() {
    let mut world = world(Vec::new(), Vec::new());
    let files = world.inventory.datasets.get_mut(&name()).unwrap();
    let shown = "lake/t/x.parquet";
    files.problems = vec![FileProblem::of_file(shown.into(), shown, "the file is empty")];
    assert_eq!(found(&world), ["AMP0601 error 1: lake/t/x.parquet: the file is empty"]);
    let blocks = &blocking(&world.catalog, &world.inventory, NOW)[&name()];
    assert_eq!(blocks.search, None, "the other files can be used");
    assert!(blocks.files.as_ref().unwrap().contains("x.parquet"));
    let files = world.inventory.datasets.get_mut(&name()).unwrap();
    files.problems = vec![FileProblem::of_dataset("lake/t", "cannot be listed")];
    let blocks = &blocking(&world.catalog, &world.inventory, NOW)[&name()];
    assert!(blocks.search.as_ref().unwrap().contains("lake/t") && blocks.files.is_none());
    world.inventory.datasets.clear();
    assert_eq!(found(&world), ["AMP0601 error 1: the location was not read"]);
}

#[test]
fn an_empty_location_says_nothing_of_fields() {
    let mut world = world(vec![field("gone", "", "I1 DEL-PERSON")], Vec::new());
    let files = world.inventory.datasets.get_mut(&name()).unwrap();
    files.files.clear();
    files.leaves.clear();
    assert_eq!(found(&world), Vec::<String>::new());
}

#[test]
fn elements_all_outside_lists_is_warned_of() {
    let all = |at| Field { all_elements: true, ..field(at, "", "") };
    let world = world(
        vec![all("note"), all("tags")],
        vec![leaf("note", LeafType::Text), leaf_in("tags", LeafType::Text, &[1])],
    );
    let outside = "AMP0615 warning 11: note lies in no list or map: elements has no effect";
    assert_eq!(found(&world), [outside]);
}

/// Three files: of 64 bits and nullable, narrower, required; the narrow one lies in the middle.
#[test]
fn methods_are_held_against_the_type_of_every_file() {
    let long = LeafType::Int { bits: 64, signed: true };
    let form = |bits, nullable| LeafForm { kind: LeafType::Int { bits, signed: true }, nullable };
    let mixed = |fields: Vec<Field>| {
        let mut world =
            world(Vec::new(), vec![Leaf { nullable: false, ..leaf("n", long.clone()) }]);
        for field in fields {
            world.catalog.datasets[0].fields.push(field);
        }
        let files = &mut world.inventory.datasets.get_mut(&name()).unwrap().files;
        let forms = [Some(form(64, true)), Some(form(32, false)), Some(form(64, false)), None];
        *files = forms
            .into_iter()
            .zip(0..)
            .map(|(form, at)| {
                let mut file = files[0].clone();
                file.shown = format!("lake/t/{at}.parquet");
                file.own = [OwnLeaf { leaf: 1, form }].into();
                file
            })
            .collect();
        world
    };
    assert_eq!(
        found(&mixed(vec![erased("n", EraseMethod::Pseudonym)])),
        [
            "AMP0604 error 0: n: pseudonym cannot be applied to a int32 column, in 1 of 3 files, such as lake/t/1.parquet"
        ]
    );
    assert_eq!(
        found(&mixed(vec![erased("n", EraseMethod::Null)])),
        [
            "AMP0605 error 0: n: null cannot be written: the column is required, in 2 of 3 files, such as lake/t/1.parquet"
        ]
    );
    assert_eq!(
        found(&mixed(vec![constant("n", "3000000000")])),
        [
            "AMP0607 error 0: n: the constant is not of the column's type, int32, in 1 of 3 files, such as lake/t/1.parquet"
        ]
    );
    assert_eq!(found(&mixed(vec![constant("n", "-3")])), Vec::<String>::new());
    assert_eq!(found(&mixed(vec![erased("n", EraseMethod::Empty)])), Vec::<String>::new());
    let everywhere = [
        "AMP0604 error 0: n: coarsen cannot be applied to a int64 column, in 2 of 3 files, such as lake/t/0.parquet",
        "AMP0604 error 0: n: coarsen cannot be applied to a int32 column, in 1 of 3 files, such as lake/t/1.parquet",
    ];
    let mut all = found(&mixed(vec![erased("n", EraseMethod::Coarsen)]));
    all.sort();
    let mut wanted = everywhere.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(all, wanted);
}

#[test]
fn what_verify_could_not_judge_is_said() {
    let mut world = World::default();
    world.dataset("t", vec![field("crm", "crm", PERSON)]);
    world.rows("t", vec![leaf("crm", LeafType::Int { bits: 64, signed: true })], vec![group([])]);
    world.catalog.datasets[0].fields[0].erase = erased("crm", EraseMethod::Pseudonym).erase;
    assert!(found(&world)[0].starts_with("AMP0616 warning"));
    world.catalog.datasets[0].fields[0].erase = None;
    assert_eq!(found(&world), Vec::<String>::new(), "null can be told");
}
