//! Typed values, placeholders, `ValueFormat`, and scopes (RULES.md sections 2 and 3).

use std::collections::BTreeSet;

use crate::model::{
    Environment, Expansion, Key, Leaf, LeafType, Name, Product, Reason, Sensitive, TimeUnit,
};
use crate::plan::testing::{
    TableFile, Value, World, field, group, int, leaf, list, path, request, text,
};
use crate::plan::{BlockRef, FileProblem, Search, SearchBlock, Step};

use super::expansion::{added, ask, reason, rows};

const INT64: LeafType = LeafType::Int { bits: 64, signed: true };

#[test]
fn a_link_crosses_column_types() {
    let of = |key| Value::Of(key);
    let moment = Key::Timestamp(1_600_000_000_000_000_000);
    let uuid = Key::Bytes((0_u8..16).collect());
    let cases = [
        (INT64, int(7), LeafType::Text, text("7")),
        (LeafType::Text, text("7"), INT64, int(7)),
        (LeafType::Text, text("A-B"), LeafType::Binary, of(Key::Bytes(b"a-b".to_vec()))),
        (
            LeafType::Binary,
            of(Key::Bytes(b"\xff\x01".to_vec())),
            LeafType::FixedBinary(2),
            of(Key::Bytes(b"\xff\x01".to_vec())),
        ),
        (
            LeafType::Uuid,
            of(uuid.clone()),
            LeafType::Text,
            text("00010203-0405-0607-0809-0A0B0C0D0E0F"),
        ),
        (LeafType::Text, text("00010203-0405-0607-0809-0A0B0C0D0E0F"), LeafType::Uuid, of(uuid)),
        (
            LeafType::Timestamp(TimeUnit::Millisecond),
            of(moment.clone()),
            LeafType::Timestamp(TimeUnit::Nanosecond),
            of(moment),
        ),
        (LeafType::Date, of(Key::Date(3711)), LeafType::Text, text("1980-02-29")),
        (
            LeafType::Decimal { precision: 9, scale: 2 },
            of(Key::Decimal("150".to_owned())),
            LeafType::Decimal { precision: 9, scale: 3 },
            of(Key::Decimal("1500".to_owned())),
        ),
    ];
    for (from, value, to, other) in cases {
        let mut world = World::default();
        world.namespace("id").expansion = Expansion::Always;
        let shown = format!("{from:?} {to:?}");
        let id = field("id", "id", "I2 ID-PERSON");
        world.dataset("a", vec![field("email", "email", "I1 ID-PERSON"), id.clone()]);
        let leaves = vec![leaf("email", LeafType::Text), leaf("id", from)];
        world.rows("a", leaves, vec![group([("email", text("ann")), ("id", value)])]);
        world.dataset("b", vec![id]);
        world.rows("b", vec![leaf("id", to)], vec![group([("id", other)])]);
        let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
        assert_eq!(rows(&world, &found, "b"), [0], "{shown}");
        assert_eq!(rows(&world, &found, "a"), [0], "{shown}");
    }
}

#[test]
fn placeholders_lead_nowhere() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    world.namespace("id").ignore = BTreeSet::from(["guest".to_owned()]);
    world.catalog.settings.pseudonym_prefix = "Gone-".to_owned();
    world.dataset(
        "a",
        vec![field("email", "email", "I1 ID-PERSON"), field("ids", "id", "I2 ID-PERSON")],
    );
    let leaves =
        vec![leaf("email", LeafType::Text), Leaf { lists: vec![1], ..leaf("ids", LeafType::Text) }];
    let erased =
        ["Gone-", "GDPR-", "Privacy-"].map(|p| format!("{p}{}", "0123456789ABCDEF".repeat(2)));
    let ids = [
        "",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "NULL",
        "None",
        "unknown",
        "N/A",
        "-",
        "Guest",
        "real",
    ];
    let ids =
        ids.into_iter().map(text).chain(erased.iter().map(|id| text(id))).chain([Value::Null]);
    world.rows("a", leaves, vec![group([("email", text("ann")), ("ids", list(ids))])]);
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!(added(&found), ["id=real"]);
    let given = world.search(&[ask(&world, "id", "GUEST")]).remove(0);
    assert_eq!(reason(&given), Some(Reason::ValueFormat));
}

#[test]
fn a_value_that_fits_no_column_is_rejected_where_the_data_says_so() {
    let mut world = World::default();
    let id = field("id", "crm", "I2 ID-PERSON");
    for (name, kind) in [("a", INT64), ("b", LeafType::Date)] {
        world.dataset(name, vec![id.clone()]);
        world.rows(name, vec![leaf("id", kind)], Vec::new());
    }
    let ask = |world: &World, value| {
        let found = world.search(&[ask(world, "crm", value)]).remove(0);
        found.stop
    };
    let (reason, message) = ask(&world, "ACME-1").unwrap();
    assert_eq!(reason, Reason::ValueFormat);
    assert!(message.contains("crm") && message.contains("int64") && !message.contains("ACME"));
    for fits in ["12", "2020-01-01"] {
        assert_eq!(ask(&world, fits), None);
    }
    // A file that could not be read may have had a column that it fits.
    let b = Name::new("b").unwrap();
    let files = world.inventory.datasets.get_mut(&b).unwrap();
    let problem = FileProblem::of_dataset("b", "torn");
    files.problems.push(problem);
    files.leaves.clear();
    assert_eq!(ask(&world, "ACME-1"), None);
    world.inventory.datasets.remove(&b);
    assert_eq!(ask(&world, "ACME-1"), None);
    // A dataset without files says nothing, and a namespace that nobody carries matches nothing.
    world.rows("b", Vec::new(), Vec::new());
    assert!(ask(&world, "ACME-1").is_some());
    world.catalog.datasets.clear();
    assert_eq!(ask(&world, "ACME-1"), None);
}

#[test]
fn a_part_of_a_composite_must_fit_too() {
    let mut world = World::default();
    let fields = vec![field("id", "crm", "I2 ID-PERSON"), field("n", "name", "I2 ID-PERSON")];
    world.dataset("a", fields);
    world.rows("a", vec![leaf("id", INT64), leaf("n", LeafType::Text)], Vec::new());
    let identity = world.all_of(&[("name", "doe"), ("crm", "x")]);
    let found = world.search(&[request("r", vec![world.user("k", vec![identity])])]).remove(0);
    assert_eq!(reason(&found), Some(Reason::ValueFormat));
}

#[test]
fn a_rehearsal_reaches_test_datasets_only() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    world.dataset(
        "live",
        vec![field("e", "email", "I1 ID-PERSON"), field("i", "id", "I2 ID-PERSON")],
    );
    world.flat("live", "e i", &["ann 1"]);
    let test = world.dataset(
        "trial",
        vec![field("e", "qa-email", "I1 ID-PERSON"), field("i", "QA-id", "I2 ID-PERSON")],
    );
    test.environment = Environment::Test;
    world.flat("trial", "e i", &["ann 1", "bob 1"]);
    let live = world.search(&[ask(&world, "email", "ann")]).remove(0);
    assert_eq!((rows(&world, &live, "live"), rows(&world, &live, "trial")), (vec![0], vec![]));
    assert_eq!(live.datasets.len(), 1);
    let trial = world.search(&[ask(&world, "qa-email", "ann")]).remove(0);
    assert_eq!((rows(&world, &trial, "live"), rows(&world, &trial, "trial")), (vec![], vec![0, 1]));
    assert_eq!(added(&trial), ["QA-id=1"], "qa-id expands as id does");
    assert!(live.left_out.is_empty() && trial.left_out.is_empty());
}

#[test]
fn only_and_include_leave_datasets_out() {
    let mut world = World::default();
    for (name, product, source) in [("a", "Web", "eu"), ("b", "web", "us"), ("c", "crm", "eu")] {
        let policy = world.dataset(name, vec![field("e", "email", "I1 ID-PERSON")]);
        policy.product = Product::new(product).unwrap();
        policy.source = source.to_owned();
        world.flat(name, "e", &["ann"]);
    }
    let base = ask(&world, "email", "ann");
    let searched = |request| {
        let found = world.search(&[request]).remove(0);
        let names = found.datasets.iter().map(|d| world.catalog.datasets[d.dataset].name.as_str());
        assert!(found.datasets.iter().all(|d| d.rows.len() == 1));
        (names.collect::<String>(), found.left_out.iter().map(Name::as_str).collect::<String>())
    };
    let pair = |searched: &str, left_out: &str| (searched.to_owned(), left_out.to_owned());
    assert_eq!(searched(base.clone()), pair("abc", ""));
    let mut include = base.clone();
    include.include = Some(BTreeSet::from([Product::new("WEB").unwrap()]));
    assert_eq!(searched(include.clone()), pair("ab", "c"));
    include.users[0].only.sources = Some(BTreeSet::from(["eu".to_owned()]));
    assert_eq!(searched(include), pair("a", "bc"));
    let mut only = base;
    only.users[0].only.datasets = Some(BTreeSet::from([Name::new("c").unwrap()]));
    assert_eq!(searched(only), pair("c", "ab"));
}

#[test]
fn only_where_compares_in_the_columns_own_type() {
    let mut world = World::default();
    let selectable = |at| crate::model::Field { selectable: true, ..field(at, "", "ACC-ALL") };
    let fields = vec![
        field("e", "email", "I1 ID-PERSON"),
        selectable("os"),
        selectable("n"),
        selectable("day"),
        field("hidden", "", "ACC-ALL"),
    ];
    world.dataset("a", fields);
    let partition = Leaf { partition: true, ..leaf("day", LeafType::Date) };
    let leaves = vec![
        leaf("e", LeafType::Text),
        leaf("os", LeafType::Text),
        leaf("n", INT64),
        leaf("hidden", LeafType::Text),
        partition,
    ];
    let row =
        |os, n| group([("e", text("ann")), ("os", text(os)), ("n", int(n)), ("hidden", text("h"))]);
    let file = |day: &str| TableFile {
        rows: vec![row("iOS 17", 1), row("ios 17", 2), row("iOS 17", 2)],
        partitions: vec![("day".to_owned(), Some(day.to_owned()))],
    };
    world.files("a", leaves, vec![file("2020-01-01"), file("2020-01-02")]);
    let narrowed = |narrowing: &[(&str, &str)]| {
        let mut request = ask(&world, "email", "ann");
        request.users[0].only.r#where = narrowing
            .iter()
            .map(|(at, value)| (path(at), Sensitive::new((*value).to_owned())))
            .collect();
        let found = world.search(&[request]).remove(0);
        let rows = found.datasets.iter().flat_map(|d| &d.rows);
        rows.map(|row| (row.at.file, row.at.row)).collect::<Vec<_>>()
    };
    assert_eq!(narrowed(&[("os", "iOS 17")]), [(0, 0), (0, 2), (1, 0), (1, 2)]);
    assert_eq!(narrowed(&[("os", "iOS 17"), ("n", "02")]), [(0, 2), (1, 2)]);
    assert_eq!(narrowed(&[("day", "2020-01-02"), ("n", "1")]), [(1, 0)]);
    assert_eq!(narrowed(&[("n", "two")]), [(0, 0); 0]);
    assert_eq!(narrowed(&[("hidden", "h")]), [(0, 0); 0], "not selectable");
    assert_eq!(narrowed(&[("absent", "h")]), [(0, 0); 0]);
}

#[test]
fn partition_columns_identify() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    world
        .dataset("a", vec![field("e", "email", "I1 ID-PERSON"), field("id", "id", "I2 ID-PERSON")]);
    let leaves = vec![leaf("e", LeafType::Text), Leaf { partition: true, ..leaf("id", INT64) }];
    let file = |id: &str, e| TableFile {
        rows: vec![group([("e", text(e))])],
        partitions: vec![("id".to_owned(), Some(id.to_owned()))],
    };
    world.files("a", leaves, vec![file("1", "ann"), file("2", "bob"), file("01", "-")]);
    let found = world.search(&[ask(&world, "email", "ann")]).remove(0);
    let files: Vec<u32> = found.datasets[0].rows.iter().map(|row| row.at.file).collect();
    assert_eq!(files, [0, 2]);
}

#[test]
fn unreadable_data_stays_in_the_scope_where_the_policy_lets_it_be_narrowed_so() {
    let mut world = World::default();
    let selectable = crate::model::Field { selectable: true, ..field("os", "", "ACC-ALL") };
    world.dataset("a", vec![field("e", "email", "I1 ID-PERSON"), selectable]);
    world.dataset("b", vec![field("e", "email", "I1 ID-PERSON")]);
    let mut request = ask(&world, "email", "ann");
    request.users[0].only.r#where = [(path("os"), Sensitive::new("x".to_owned()))].into();
    let found = world.search(std::slice::from_ref(&request)).remove(0);
    assert_eq!((found.datasets.len(), found.left_out.len()), (1, 1));
    world.flat("a", "e", &["ann"]);
    let found = world.search(&[request]).remove(0);
    assert_eq!((found.datasets.len(), found.left_out.len()), (0, 2));
}

#[test]
fn rejected_blocks_find_nothing() {
    let mut world = World::default();
    world.dataset("a", vec![field("e", "email", "I1 ID-PERSON")]);
    world.flat("a", "e", &["ann"]);
    let mut rejected = ask(&world, "email", "ann");
    rejected.users[0].rejected = Some(Reason::ValueFormat);
    let found = world.search(&[rejected, ask(&world, "email", "ann")]);
    assert_eq!((rows(&world, &found[0], "a"), found[0].stop.clone()), (vec![], None));
    assert_eq!(rows(&world, &found[1], "a"), [0]);
}

#[test]
fn no_value_shows_in_debug_output() {
    let mut world = World::default();
    world.namespace("id").expansion = Expansion::Always;
    let selectable = crate::model::Field { selectable: true, ..field("os", "", "ACC-ALL") };
    let fields =
        vec![field("e", "email", "I1 ID-PERSON"), field("i", "id", "I2 ID-PERSON"), selectable];
    world.dataset("a", fields);
    world.flat("a", "e i os", &["secret-ann secret-id secret-os"]);
    let mut request = ask(&world, "email", "secret-ann");
    request.users[0].only.r#where = [(path("os"), Sensitive::new("secret-os".to_owned()))].into();
    let block = SearchBlock {
        block: BlockRef { request: 0, user: 0 },
        request: &request,
        user: &request.users[0],
        remembered: vec![world.identity("id", "secret-old")],
        grants: Default::default(),
    };
    let mut shown = format!("{block:?}");
    let mut search = Search::new(&world.catalog, &world.inventory, vec![block]);
    loop {
        let step = search.step();
        shown += &format!("{step:?} {search:?}");
        match step {
            Step::Probe(asked) => {
                for (dataset, probe) in asked {
                    let hits = world.answer_probe(dataset, &probe);
                    shown += &format!("{hits:?}");
                    search.supply_hits(dataset, hits);
                }
            }
            Step::Values(asked) => {
                for wanted in asked {
                    let values = world.answer_values(&wanted);
                    shown += &format!("{values:?}");
                    search.supply_values(wanted.dataset, values);
                }
            }
            Step::Done => break,
        }
    }
    let found = search.finish();
    assert_eq!((found[0].added.len(), rows(&world, &found[0], "a")), (2, vec![0]));
    shown += &format!("{found:?}");
    assert!(!shown.contains("secret"), "{shown}");
}
