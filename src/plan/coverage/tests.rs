#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use crate::model::{Expansion, Field, Ignored, LeafType, Name, Position, Reason};
use crate::plan::testing::{World, field, group, leaf, path, request};
use crate::plan::{Inventory, Resolved};

use super::*;

fn tally(column: &str, values: &[&str]) -> Tally {
    let mut tally = Tally::new(names::hint(&Name::new("t").unwrap(), &path(column)));
    values.iter().for_each(|value| tally.add(value));
    tally
}

/// A dataset `t` with these fields and leaves; fields stand from line 10 on.
fn world(fields: Vec<Field>, leaves: &[(&str, LeafType)]) -> World {
    let mut world = World::default();
    let mut all = fields;
    for (line, field) in (10..).zip(&mut all) {
        field.position = Position { file: "p.yaml".to_owned(), line, column: 5 };
    }
    world.dataset("t", all).position = Position { file: "p.yaml".to_owned(), line: 1, column: 1 };
    let leaves = leaves.iter().map(|(at, kind)| leaf(at, kind.clone())).collect();
    world.rows("t", leaves, vec![group([])]);
    world
}

/// What the lint says of columns with these values.
fn found(world: &World, values: &[(&str, &[&str])]) -> Vec<String> {
    let dataset = &world.catalog.datasets[0];
    let resolved = Resolved::new(dataset, &world.inventory.datasets[&dataset.name]);
    let mut survey = Survey::default();
    for leaf in to_survey(&resolved) {
        let at = resolved.leaf(leaf.leaf).unwrap().leaf.path.to_string();
        let mut tally = Tally::new(leaf.hint);
        let column = values.iter().find(|(path, _)| *path == at).map_or(&[][..], |(_, v)| v);
        column.iter().filter(|_| leaf.sampled).for_each(|value| tally.add(value));
        survey.tallies.insert(leaf.leaf, tally);
    }
    let surveys = BTreeMap::from([(dataset.name.clone(), survey)]);
    personal(&world.catalog, &world.inventory, &surveys)
        .into_iter()
        .map(|d| {
            assert_eq!(d.severity, Severity::Warning);
            for (_, column) in values {
                for value in column.iter().filter(|value| value.len() > 3) {
                    assert!(!format!("{d:?}").contains(value), "{d:?}");
                }
            }
            format!("{} {}: {}", d.code.id, d.position.line, d.message)
        })
        .collect()
}

const MAILS: [&str; 3] = ["ada@mail.example", "ben@mail.example", "eva@mail.example"];

#[test]
fn values_that_look_personal_are_counted() {
    let world =
        world(vec![field("note", "", "")], &[("note", LeafType::Text), ("x", LeafType::Text)]);
    let mixed: Vec<&str> = MAILS.into_iter().chain(["hello", "", " "]).collect();
    assert_eq!(
        found(&world, &[("note", &mixed), ("x", &["a", "b"])]),
        [
            "AMP0618 10: note carries no label, and looks personal: 3 of 4 sampled values look like e-mail addresses"
        ]
    );
    // A column that the policy does not mention is reported at the dataset.
    assert_eq!(
        found(&world, &[("x", &MAILS[..1])]),
        [
            "AMP0618 1: x carries no label, and looks personal: the one sampled value looks like an e-mail address"
        ]
    );
}

#[test]
fn names_tell_without_values() {
    let columns = [
        ("email", LeafType::Text),
        ("phone", LeafType::Float),
        ("birth_date", LeafType::Date),
        ("passport", LeafType::Text),
        ("has_phone", LeafType::Bool),
        ("email_id", LeafType::Text),
    ];
    let world = world(Vec::new(), &columns);
    assert_eq!(
        found(
            &world,
            &[("email", &["0a1b", "0c1d"]), ("passport", &["C01X"]), ("email_id", &["7", "8"])]
        ),
        [
            "AMP0618 1: email carries no label, and looks personal: its name says an e-mail address, and 0 of 2 sampled values look like e-mail addresses",
            "AMP0618 1: phone carries no label, and looks personal: its name says a phone number",
            "AMP0618 1: birth_date carries no label, and looks personal: its name says a date of birth",
            "AMP0618 1: passport carries no label, and looks personal: its name says a national identifier",
        ]
    );
}

#[test]
fn values_say_more_than_a_name() {
    let world = world(Vec::new(), &[("phone", LeafType::Text), ("name", LeafType::Text)]);
    assert_eq!(
        found(&world, &[("phone", &MAILS), ("name", &["Blue", "red", "17"])]),
        [
            "AMP0618 1: phone carries no label, and looks personal: 3 of 3 sampled values look like e-mail addresses"
        ]
    );
    assert_eq!(
        found(&world, &[("phone", &["5550123", "5550124"]), ("name", &["Ada", "Ben", "n/a"])]),
        [
            "AMP0618 1: phone carries no label, and looks personal: its name says a phone number, and 2 of 2 sampled values look like phone numbers",
            "AMP0618 1: name carries no label, and looks personal: its name says a person's name, and 2 of 3 sampled values look like names of people",
        ]
    );
}

#[test]
fn versions_are_no_addresses() {
    let columns = [("app_version", LeafType::Text), ("peer", LeafType::Text)];
    let world = world(Vec::new(), &columns);
    let numbers = ["10.2.0.1", "10.2.0.7"];
    assert_eq!(
        found(&world, &[("app_version", &numbers), ("peer", &numbers)]),
        [
            "AMP0618 1: peer carries no label, and looks personal: 2 of 2 sampled values look like IP addresses"
        ]
    );
}

#[test]
fn labels_pii_and_reasons_cover_a_column_and_an_empty_entry_does_not() {
    let with = |at: &str, change: fn(&mut Field)| {
        let mut field = field(at, "", "");
        change(&mut field);
        field
    };
    let fields = vec![
        field("a", "", "ACC-ALL"),
        with("b", |field| field.pii = true),
        with("c", |field| field.reason = Some("test data".to_owned())),
        with("d", |field| field.selectable = true),
        with("g", |field| field.reason = Some("a group".to_owned())),
        field("g.f", "", ""),
    ];
    let columns = ["a", "b", "c", "d", "g.e", "g.f"].map(|at| (at, LeafType::Text));
    let world = world(fields, &columns);
    let values = ["a", "b", "c", "d", "g.e", "g.f"].map(|at| (at, &MAILS[..]));
    let lines: Vec<String> = found(&world, &values)
        .iter()
        .map(|d| d.split(" carries").next().unwrap().to_owned())
        .collect();
    assert_eq!(lines, ["AMP0618 13: d", "AMP0618 15: g.f"]);
}

#[test]
fn too_few_values_or_a_small_share_are_chance() {
    let column = |values: &[&str]| tally("x", values).by_values(|_| true);
    assert_eq!(column(&["4111111111111111"]), None);
    assert_eq!(column(&["4111111111111111"; 2]), Some((Likeness::Card, 2)));
    let mut many = vec!["17"; 97];
    many.extend(MAILS);
    assert_eq!(column(&many), None);
    many.truncate(60);
    many.extend(MAILS);
    assert_eq!(column(&many), None);
    assert_eq!(column(&[&many[30..], &MAILS].concat()), Some((Likeness::Email, 6)));
    assert_eq!(column(&[]), None);
    let long = format!("{}@example.com", "a".repeat(4096));
    assert_eq!((tally("x", &[&long]).values(), column(&[&long])), (1, None));
}

#[test]
fn tallies_of_parts_add_up_to_that_of_the_whole() {
    let values = ["a@b.de", "203.0.113.7", "+49 30 5550123", "x", ""];
    let mut parts = tally("phone", &values[..2]);
    parts.merge(&tally("phone", &values[2..]));
    assert_eq!(parts, tally("phone", &values));
    assert_eq!((parts.values(), parts.as_named()), (4, 1));
}

#[test]
fn what_could_not_be_sampled_is_said() {
    let world = world(Vec::new(), &[("x", LeafType::Text)]);
    let name = world.catalog.datasets[0].name.clone();
    let survey =
        Survey { problems: vec!["lake/a.parquet: is broken".to_owned()], ..Survey::default() };
    let diagnostics = personal(&world.catalog, &world.inventory, &BTreeMap::from([(name, survey)]));
    let messages: Vec<_> = diagnostics.iter().map(|d| (d.code.id, d.message.as_str())).collect();
    assert_eq!(messages, [("AMP0619", "values could not be looked at: lake/a.parquet: is broken")]);
    assert!(personal(&world.catalog, &Inventory::default(), &BTreeMap::new()).is_empty());
}

/// The paths of fields that no request can reach.
fn dark(world: &World, asked: &[&str], expands: bool) -> Vec<String> {
    let users =
        asked.iter().map(|namespace| world.user("k", vec![world.one(namespace, "v")])).collect();
    let mut one = request("r", users);
    one.expand_ids = expands;
    unreached(&world.catalog, &[one], &world.inventory)
        .into_iter()
        .map(|d| {
            assert_eq!((d.code.id, d.severity), ("AMP0620", Severity::Warning));
            let message = d.message.strip_prefix("no request can reach ").unwrap();
            message.split(':').next().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn id_fields_that_no_request_can_reach() {
    const PERSON: &str = "I1 ID-PERSON DEL-PERSON ACC-ALL";
    const DEVICE: &str = "I2 ID-DEVICE DEL-DEVICE ACC-ALL";
    let mut world = World::default();
    world.dataset(
        "customers",
        vec![
            field("mail", "email", PERSON),
            field("key", "customer", PERSON),
            field("old", "emial", PERSON),
        ],
    );
    world.dataset(
        "orders",
        vec![field("customer", "customer", PERSON), field("shop", "cookie", DEVICE)],
    );
    let unknown = ["key", "old", "customer", "shop"];
    assert_eq!(dark(&world, &["email"], true), unknown);
    assert_eq!(dark(&world, &["EMAIL", "customer"], true), ["old", "shop"]);
    // Without requests nothing can be said; those of another environment tell nothing either.
    assert!(dark(&world, &[], true).is_empty() && dark(&world, &["qa-email"], true).is_empty());
    let users = vec![world.user("k", vec![world.one("email", "v")])];
    let mut rejected = request("r", users);
    rejected.rejected = Some(Reason::Invalid);
    assert!(unreached(&world.catalog, &[rejected], &world.inventory).is_empty());
    // A reason silences; a misspelt name is helped with.
    world.catalog.datasets[0].fields[2].reason = Some("history".to_owned());
    assert_eq!(dark(&world, &["email"], true), ["key", "customer", "shop"]);
    world.catalog.datasets[0].fields[2].reason = None;
    let one = request("r", vec![world.user("k", vec![world.one("email", "v")])]);
    let found = unreached(&world.catalog, &[one], &world.inventory);
    assert_eq!(found[1].help.as_deref(), Some("did you mean `email`?"));
    // A definition is enough where the dataset is reached, and not where nothing of it is.
    world.namespace("customer");
    assert_eq!(dark(&world, &["email"], true), ["old", "customer", "shop"]);
    // Links lead on from persons; cookies where a request expands them.
    world.namespace("customer").expansion = Expansion::Always;
    world.namespace("cookie").expansion = Expansion::Cookie;
    assert_eq!(dark(&world, &["email"], true), ["old"]);
    world.dataset("logs", vec![field("visitor", "cookie", DEVICE)]);
    assert_eq!(dark(&world, &["email"], true), ["old"]);
    assert_eq!(dark(&world, &["email"], false), ["old", "visitor"]);
}

#[test]
fn columns_that_cannot_hold_their_namespace() {
    const DEVICE: &str = "I2 ID-DEVICE DEL-DEVICE ACC-ALL";
    let int = LeafType::Int { bits: 64, signed: true };
    let decimal = LeafType::Decimal { precision: 38, scale: 0 };
    let fields = [
        ("a", "AAID"),
        ("e", "ECID"),
        ("d", "ECID"),
        ("t", "AAID"),
        ("v", "visitorId"),
        ("c", "crm"),
    ]
    .map(|(at, namespace)| field(at, namespace, DEVICE));
    let columns = [
        ("a", int.clone()),
        ("e", int.clone()),
        ("d", decimal),
        ("t", LeafType::Text),
        ("v", LeafType::FixedBinary(4)),
        ("c", int),
    ];
    let mut world = world(fields.to_vec(), &columns);
    let found = |world: &World| -> Vec<String> {
        unreached(&world.catalog, &[], &world.inventory).into_iter().map(|d| d.message).collect()
    };
    assert_eq!(
        found(&world),
        [
            "no request can reach a: no AAID fits the type int64",
            "no request can reach e: no ECID fits the type int64",
        ]
    );
    for field in &mut world.catalog.datasets[0].fields {
        field.reason = Some("history".to_owned());
    }
    assert!(found(&world).is_empty());
}

#[test]
fn what_a_root_holds_is_told_in_counts() {
    let place = |shown: &str, what| Uncovered { shown: shown.to_owned(), what };
    let look = RootLook {
        uncovered: vec![
            place("lake/a", UncoveredKind::Directory(1200)),
            place("lake/b", UncoveredKind::Table("a Delta table")),
            place("lake/c", UncoveredKind::Beside(2, "lake/c/x.parquet".to_owned())),
            place("lake/d.parquet", UncoveredKind::File),
        ],
        problems: vec![("lake/e".to_owned(), "cannot be listed: permission denied".to_owned())],
        idle: vec![1],
    };
    let ignored = ["lake/x", "lake/y"].map(|location| Ignored {
        location: location.to_owned(),
        reason: "r".to_owned(),
        position: Position { file: "s.yaml".to_owned(), line: 7, column: 9 },
    });
    let found: Vec<_> = uncovered(&look, &ignored)
        .into_iter()
        .map(|d| format!("{} {} {}: {}", d.code.id, d.position.file, d.position.line, d.message))
        .collect();
    assert_eq!(
        found,
        [
            "AMP0621 lake/a 0: no dataset covers the 1,200 Parquet files in lake/a",
            "AMP0621 lake/b 0: no dataset covers lake/b, a Delta table",
            "AMP0621 lake/c 0: no dataset covers 2 of the Parquet files in lake/c, such as lake/c/x.parquet",
            "AMP0621 lake/d.parquet 0: no dataset covers lake/d.parquet",
            "AMP0622 lake/e 0: lake/e cannot be listed: permission denied",
            "AMP0623 s.yaml 7: lake/y is ignored, and not there",
        ]
    );
}

#[test]
fn numbers_are_grouped() {
    let numbers = [0, 7, 999, 1000, 12_345, 1_234_567].map(grouped);
    assert_eq!(numbers, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
}
