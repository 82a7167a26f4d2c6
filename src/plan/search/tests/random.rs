//! Small random worlds and blocks, dense with coincidences: few values, many fields that hold them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    CookieExpansion, Environment, Expansion, Field, IdentityTerm, Leaf, LeafType, Name, Normalize,
    Only, Product, Request, Sensitive, UserBlock,
};
use crate::plan::RowKey;
use crate::plan::testing::{
    TableFile, Value, World, field, int, leaf_in, list, path, request, text,
};

/// xorshift64*: enough for tests, and the same everywhere.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// Name, expansion, and whether its columns are integers sometimes.
const NAMESPACES: [(&str, Expansion, bool); 7] = [
    ("email", Expansion::Never, false),
    ("crm", Expansion::Never, true),
    ("customer", Expansion::Always, true),
    ("order", Expansion::Always, true),
    ("cookie", Expansion::Cookie, false),
    ("device", Expansion::Cookie, true),
    ("last-name", Expansion::Never, false),
];

const PLACEHOLDERS: [&str; 4] = ["", "Unknown", "0", "Privacy-0123456789ABCDEF0123456789ABCDEF"];

/// Where fields can lie, and how many names lead to each list above.
const PLACES: [(&str, &[usize]); 4] = [("", &[]), ("a.", &[1]), ("a.b.", &[1, 2]), ("c.", &[1])];

pub(super) fn world(dice: &mut Dice, size: u64) -> World {
    let mut world = World::default();
    for (name, expansion, _) in NAMESPACES {
        world.namespace(name).expansion = expansion;
    }
    world.namespace("crm").normalize = vec![Normalize::Trim];
    world.namespace("email").case_sensitive = dice.one_in(2);
    world.namespace("last-name").ignore = BTreeSet::from(["v3".to_owned()]);
    let settings = &mut world.catalog.settings;
    if dice.one_in(2) {
        settings.cookie_expansion = CookieExpansion::Fixpoint;
    }
    settings.limits.max_hops = u32::try_from(dice.pick(&[0, 1, 2, 8, 8, 8])).unwrap();
    settings.limits.max_conflicts = dice.below(3);
    settings.limits.max_expanded_ids = dice.pick(&[1, 3, 1000, 1000, 1000]);
    for index in 0..=dice.below(3) {
        dataset(dice, &mut world, &format!("d{index}"), size);
    }
    if dice.one_in(2) {
        dataset(dice, &mut world, "test", size);
        let policy = world.catalog.datasets.last_mut().unwrap();
        policy.environment = Environment::Test;
        for field in &mut policy.fields {
            let qa = field.namespace.as_ref().map(|name| format!("qa-{name}"));
            field.namespace = qa.and_then(|name| crate::model::NamespaceName::new(&name));
        }
    }
    world
}

fn dataset(dice: &mut Dice, world: &mut World, name: &str, size: u64) {
    let mut fields: Vec<Field> = Vec::new();
    let mut leaves: Vec<Leaf> = Vec::new();
    for index in 0..3 + dice.below(5) {
        let (namespace, _, numeric) = dice.pick(&NAMESPACES);
        let (prefix, lists) = if dice.one_in(2) { PLACES[0] } else { dice.pick(&PLACES) };
        let kind = match dice.below(3) {
            0 if numeric => LeafType::Int { bits: 64, signed: true },
            _ => LeafType::Text,
        };
        let at = format!("{prefix}f{index}");
        let label = if dice.one_in(3) { "I2 ID-DEVICE" } else { "I2 ID-PERSON" };
        let party = match dice.below(8) {
            0 => Some("from".to_owned()),
            1 => Some("to".to_owned()),
            _ => None,
        };
        let all_elements = dice.one_in(6);
        fields.push(Field { party, all_elements, ..field(&at, namespace, label) });
        leaves.push(leaf_in(&at, kind, lists));
    }
    if dice.one_in(2) {
        let selectable = !dice.one_in(5);
        fields.push(Field { selectable, ..field("s", "", "ACC-ALL") });
        leaves.push(leaf_in("s", LeafType::Text, &[]));
    }
    let mut files = Vec::new();
    for _ in 0..=dice.below(2) {
        let rows = (0..dice.below(2 * size + 1)).map(|_| row(dice, &leaves)).collect();
        files.push(TableFile { rows, partitions: Vec::new() });
    }
    let policy = world.dataset(name, fields);
    policy.same_subject = dice.one_in(3);
    policy.source = dice.pick(&["s1", "s2"]).to_owned();
    policy.product = Product::new(dice.pick(&["p1", "p2"])).unwrap();
    world.files(name, leaves, files);
}

fn row(dice: &mut Dice, leaves: &[Leaf]) -> Value {
    let mut top = level(dice, leaves, &[]);
    for name in ["a", "c"] {
        let items = (0..dice.below(3)).map(|_| {
            let mut item = level(dice, leaves, &[name]);
            let inner = (0..dice.below(3)).map(|_| Value::Group(level(dice, leaves, &[name, "b"])));
            let inner = list(inner.collect::<Vec<_>>());
            item.push(("b".to_owned(), inner));
            Value::Group(item)
        });
        top.push((name.to_owned(), list(items.collect::<Vec<_>>())));
    }
    Value::Group(top)
}

fn level(dice: &mut Dice, leaves: &[Leaf], above: &[&str]) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    for leaf in leaves {
        let parts = leaf.path.parts();
        if parts.len() == above.len() + 1 && parts.iter().zip(above).all(|(a, b)| a == b) {
            let value = if dice.one_in(6) { Value::Null } else { cell(dice, &leaf.kind) };
            fields.push((parts[above.len()].clone(), value));
        }
    }
    fields
}

fn cell(dice: &mut Dice, kind: &LeafType) -> Value {
    let number = 1 + dice.below(5);
    match kind {
        LeafType::Text if dice.one_in(12) => text(dice.pick(&PLACEHOLDERS)),
        LeafType::Text => text(&spelt(dice, number)),
        _ => int(i128::from(number)),
    }
}

fn spelt(dice: &mut Dice, number: u64) -> String {
    match dice.below(32) {
        0 => format!("0{number}"),
        1 => format!("v{number}"),
        2 => format!("V{number}"),
        3 => format!(" {number}"),
        _ => number.to_string(),
    }
}

pub(super) fn requests(dice: &mut Dice, world: &World) -> Vec<Request> {
    (0..2)
        .map(|index| {
            let users = (0..1 + dice.below(3)).map(|user| block(dice, world, user)).collect();
            let mut request = request(&format!("r{index}"), users);
            request.expand_ids = !dice.one_in(3);
            if dice.one_in(4) {
                request.include = Some(BTreeSet::from([Product::new("P1").unwrap()]));
            }
            request
        })
        .collect()
}

fn block(dice: &mut Dice, world: &World, index: u64) -> UserBlock {
    let mut terms = Vec::new();
    let qa = if dice.one_in(8) { "qa-" } else { "" };
    for _ in 0..1 + dice.below(2) {
        let row = some_row(dice, world, qa);
        let composite = dice.one_in(3);
        let parts = (0..if composite { 2 + dice.below(2) } else { 1 }).map(|_| {
            let (name, value) = if row.is_empty() || dice.one_in(5) {
                let number = 1 + dice.below(6);
                let value = if dice.one_in(20) { "none".to_owned() } else { spelt(dice, number) };
                (format!("{qa}{}", dice.pick(&NAMESPACES).0), value)
            } else {
                row[usize::try_from(dice.below(row.len() as u64)).unwrap()].clone()
            };
            world.identity(&name, &value)
        });
        let parts: Vec<_> = parts.collect();
        terms.push(match parts.as_slice() {
            [one] => IdentityTerm::One(one.clone()),
            _ => IdentityTerm::AllOf(parts),
        });
    }
    let mut user = world.user(&format!("k{index}"), terms);
    user.accept_conflicts = dice.one_in(3);
    user.only = only(dice);
    user
}

/// The identities of a row of a dataset whose namespaces have the prefix; none where it is empty.
fn some_row(dice: &mut Dice, world: &World, qa: &str) -> Vec<(String, String)> {
    let dataset = usize::try_from(dice.below(world.catalog.datasets.len() as u64)).unwrap();
    let policy = &world.catalog.datasets[dataset];
    let leaves = &world.inventory.datasets[&policy.name].leaves;
    let mut rows: BTreeMap<RowKey, Vec<(String, String)>> = BTreeMap::new();
    for (index, (field, leaf)) in (0..).zip(policy.fields.iter().zip(leaves)) {
        let Some(name) = field.namespace.as_ref().map(ToString::to_string) else { continue };
        for (at, values) in world.column(dataset, index) {
            let texts = values.iter().map(|(_, value)| (name.clone(), leaf.kind.text(value)));
            let usable = texts.filter(|(name, text)| {
                !PLACEHOLDERS.contains(&text.as_str()) && name.starts_with("qa-") != qa.is_empty()
            });
            rows.entry(at).or_default().extend(usable);
        }
    }
    let at = dice.below(rows.len().max(1) as u64);
    rows.into_values().nth(usize::try_from(at).unwrap()).unwrap_or_default()
}

fn only(dice: &mut Dice) -> Only {
    let mut only = Only::default();
    match dice.below(8) {
        0 => only.datasets = Some(["d0", "d2"].map(|name| Name::new(name).unwrap()).into()),
        1 => only.sources = Some(BTreeSet::from(["s1".to_owned()])),
        2 => {
            let value = Sensitive::new((1 + dice.below(5)).to_string());
            only.r#where = BTreeMap::from([(path("s"), value)]);
        }
        _ => {}
    }
    only
}
