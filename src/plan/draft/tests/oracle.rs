//! Random small lakes against a naive per-cell reading of the rules: for every value of every row, is
//! some match of the row allowed to erase (or show) it?

use proptest::prelude::*;

use crate::model::{
    Action, DeleteMethod, Hold, HoldScope, Key, LeafType, Name, Position, Reason, UserBlock,
};
use crate::plan::measuring::{Cell, pass};
use crate::plan::testing::{
    Value, World, field, group, leaf, leaf_in, leaf_values, list, path, request, text,
};
use crate::plan::{Element, Reach};

const PERSON: &str = "person";
const DEVICE: &str = "device";

/// The shape of the lake: a person, a device, a plain field; a list of structs with the same three; in
/// each of those a list of structs again.
const LEAVES: [(&str, &[usize]); 9] = [
    ("p", &[]),
    ("d", &[]),
    ("v", &[]),
    ("g.p", &[1]),
    ("g.d", &[1]),
    ("g.v", &[1]),
    ("g.h.p", &[1, 2]),
    ("g.h.d", &[1, 2]),
    ("g.h.v", &[1, 2]),
];

/// What is random of one field.
#[derive(Debug, Clone)]
struct Shape {
    del_person: bool,
    del_device: bool,
    pii: bool,
    acc: u8,
    all: bool,
    party: Option<u8>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let flag = any::<bool>;
    (flag(), flag(), prop::bool::weighted(0.2), 0_u8..3, prop::bool::weighted(0.2), 0_u8..6)
        .prop_map(|(del_person, del_device, pii, acc, all, party)| Shape {
            del_person,
            del_device,
            pii,
            acc,
            all,
            party: (party < 2).then_some(party),
        })
}

fn value() -> impl Strategy<Value = Value> {
    (0_u8..4).prop_map(|n| if n == 3 { Value::Null } else { text(["a", "b", "c"][usize::from(n)]) })
}

fn inner() -> impl Strategy<Value = Value> {
    (value(), value(), value()).prop_map(|(p, d, v)| group([("p", p), ("d", d), ("v", v)]))
}

fn outer() -> impl Strategy<Value = Value> {
    (value(), value(), value(), prop::collection::vec(inner(), 0..3))
        .prop_map(|(p, d, v, h)| group([("p", p), ("d", d), ("v", v), ("h", list(h))]))
}

fn row() -> impl Strategy<Value = Value> {
    (value(), value(), value(), prop::collection::vec(outer(), 0..3))
        .prop_map(|(p, d, v, g)| group([("p", p), ("d", d), ("v", v), ("g", list(g))]))
}

fn world(shapes: &[Shape], rows: Vec<Value>) -> World {
    let mut world = World::default();
    let fields = LEAVES.iter().zip(shapes).map(|((at, _), shape)| {
        let mut labels = match at.rsplit('.').next() {
            Some("p") => "I1 ID-PERSON".to_owned(),
            Some("d") => "I2 ID-DEVICE".to_owned(),
            _ => "I2".to_owned(),
        };
        for (wanted, label) in [
            (shape.del_person, " DEL-PERSON"),
            (shape.del_device, " DEL-DEVICE"),
            (shape.acc == 1, " ACC-ALL"),
            (shape.acc == 2, " ACC-PERSON"),
        ] {
            if wanted {
                labels.push_str(label);
            }
        }
        let namespace = match at.rsplit('.').next() {
            Some("p") => PERSON,
            Some("d") => DEVICE,
            _ => "",
        };
        let mut field = field(at, namespace, &labels);
        field.pii = shape.pii;
        field.all_elements = shape.all;
        field.party = shape.party.map(|party| format!("party-{party}"));
        field
    });
    world.dataset("lake", fields.collect()).same_subject = true;
    let leaves = LEAVES
        .iter()
        .map(|(at, lists)| {
            if lists.is_empty() {
                leaf(at, LeafType::Text)
            } else {
                leaf_in(at, LeafType::Text, lists)
            }
        })
        .collect();
    world.rows("lake", leaves, rows);
    world
}

/// A match by brute force: which leaf, where, and whether as a person.
struct Match {
    leaf: usize,
    element: Element,
    person: bool,
}

fn matches(world: &World, row: &Value, person: &str, device: &str) -> Vec<Match> {
    let leaves = &world.inventory.datasets[&world.catalog.datasets[0].name].leaves;
    let mut found = Vec::new();
    for (index, leaf) in leaves.iter().enumerate() {
        let name = leaf.path.parts().last().unwrap().as_str();
        let wanted = match name {
            "p" => person,
            "d" => device,
            _ => continue,
        };
        for (element, value) in leaf_values(row, leaf) {
            if value == Key::Text(wanted.to_owned()) {
                found.push(Match { leaf: index, element, person: name == "p" });
            }
        }
    }
    found
}

/// Whether a match lets an element of another leaf be touched, written from the rules: they lie in the
/// same elements of every list that both lie in, or the target takes all elements, and they are of one
/// party.
fn touches(shapes: &[Shape], matched: &Match, target: usize, element: &[u32]) -> bool {
    let (from, to) = (&shapes[matched.leaf], &shapes[target]);
    let strangers = matches!((from.party, to.party), (Some(a), Some(b)) if a != b);
    // In this lake the lists of one leaf are always a beginning of the other's.
    let levels = LEAVES[matched.leaf].1.len().min(LEAVES[target].1.len());
    !strangers && (to.all || matched.element[..levels] == element[..levels])
}

fn block(world: &World, key: &str, person: &str, device: &str, action: Action) -> UserBlock {
    let mut user = world.user(key, vec![world.one(PERSON, person), world.one(DEVICE, device)]);
    user.actions = [action].into();
    user
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn deletes_erase_exactly_what_the_rules_allow(
        shapes in prop::collection::vec(shape(), 9),
        rows in prop::collection::vec(row(), 1..5),
    ) {
        let world = world(&shapes, rows.clone());
        let subjects = [("a", "b"), ("c", "a")];
        let users = subjects.iter().enumerate().map(|(index, (person, device))| {
            block(&world, &index.to_string(), person, device, Action::Delete)
        });
        let pass = pass(&world, &[request("r", users.collect())]);
        let leaves = &world.inventory.datasets[&world.catalog.datasets[0].name].leaves;
        let mut expected: Vec<(Cell, u32)> = Vec::new();
        for (at, row) in (0_u64..).zip(&rows) {
            for (target, leaf) in leaves.iter().enumerate() {
                for (element, _) in leaf_values(row, leaf) {
                    let shape = &shapes[target];
                    let first = (0_u32..).zip(&subjects).find(|(_, (person, device))| {
                        matches(&world, row, person, device).iter().any(|matched| {
                            let label = if matched.person { shape.del_person } else { shape.del_device };
                            (shape.pii || label) && touches(&shapes, matched, target, &element)
                        })
                    });
                    if let Some((task, _)) = first {
                        let path = leaf.path.to_string();
                        expected.push((("lake".to_owned(), 0, at, path, element), task));
                    }
                }
            }
        }
        expected.sort();
        let erased: Vec<(Cell, u32)> =
            pass.erasure.cells.into_iter().map(|(cell, (task, _))| (cell, task)).collect();
        prop_assert_eq!(erased, expected);
        let cells = pass.plan.totals.cells_erased;
        let counted: u64 = pass.plan.tasks.iter().flat_map(|task| &task.datasets)
            .flat_map(|dataset| &dataset.fields).map(|field| field.cells).sum();
        prop_assert_eq!(cells, counted);
    }

    #[test]
    fn holds_keep_exactly_what_they_name_and_the_id_fields(
        shapes in prop::collection::vec(shape(), 9),
        rows in prop::collection::vec(row(), 1..5),
        held in prop::collection::btree_set(0_usize..9, 1..3),
        purge in any::<bool>(),
    ) {
        let mut world = world(&shapes, rows);
        let users = vec![
            block(&world, "1", "a", "b", Action::Delete),
            block(&world, "2", "c", "a", Action::Delete),
        ];
        let mut request = request("r", users);
        if purge {
            request.delete_method = DeleteMethod::Purge;
        }
        let free = pass(&world, std::slice::from_ref(&request));
        world.catalog.holds = vec![Hold {
            name: Name::new("h").unwrap(),
            scope: HoldScope::Datasets {
                datasets: vec![Name::new("lake").unwrap()],
                fields: held.iter().map(|index| path(LEAVES[*index].0)).collect(),
            },
            until: None,
            reason: "court".to_owned(),
            position: Position::default(),
        }];
        let bound = pass(&world, &[request]);
        if purge {
            prop_assert!(bound.erasure.rows.is_empty());
            let waiting: u64 = bound.plan.tasks.iter().flat_map(|task| &task.datasets)
                .flat_map(|dataset| &dataset.retained).map(|retained| retained.cells).sum();
            prop_assert!(waiting >= u64::try_from(free.erasure.rows.len()).unwrap());
        } else {
            let is_held = |at: &str| {
                at.ends_with('p') || at.ends_with('d') || held.iter().any(|i| LEAVES[*i].0 == at)
            };
            let (kept, erased): (Vec<_>, Vec<_>) =
                free.erasure.cells.into_iter().partition(|(cell, _)| is_held(&cell.3));
            prop_assert_eq!(bound.erasure.cells.into_iter().collect::<Vec<_>>(), erased);
            for (cell, (task, _)) in kept {
                prop_assert!(bound.erasure.kept.contains(&(cell, task)));
            }
            for task in &bound.plan.tasks {
                let retains = task.datasets.iter().any(|dataset| !dataset.retained.is_empty());
                prop_assert_eq!(task.reason == Some(Reason::Held), retains);
            }
        }
    }

    #[test]
    fn packages_show_exactly_what_the_rules_allow(
        shapes in prop::collection::vec(shape(), 9),
        rows in prop::collection::vec(row(), 1..5),
    ) {
        let world = world(&shapes, rows.clone());
        let user = block(&world, "k", "a", "b", Action::Access);
        let pass = pass(&world, &[request("r", vec![user])]);
        let leaves = &world.inventory.datasets[&world.catalog.datasets[0].name].leaves;
        let shown = pass.draft.access.first().map(|work| &work.datasets[0]);
        for (at, row) in (0_u64..).zip(&rows) {
            let matched = matches(&world, row, "a", "b");
            let person = matched.iter().any(|matched| matched.person);
            let drafted = shown.and_then(|shown| shown.rows.iter().find(|row| row.at.row == at));
            prop_assert_eq!(drafted.map(|row| row.person), (!matched.is_empty()).then_some(person));
            for (target, leaf) in leaves.iter().enumerate() {
                let shape = &shapes[target];
                for (element, _) in leaf_values(row, leaf) {
                    let expected = matched.iter().any(|matched| {
                        (shape.acc == 1 || (shape.acc == 2 && matched.person))
                            && touches(&shapes, matched, target, &element)
                    });
                    let visible = shown.zip(drafted).is_some_and(|(shown, drafted)| {
                        let columns = (0_u16..).zip(&shown.columns);
                        let mut columns = columns
                            .filter(|(_, column)| usize::from(column.leaf) == target)
                            .filter(|(_, column)| drafted.person || column.device);
                        columns.any(|(index, _)| {
                            let narrowed = drafted.narrowed.iter().find(|(at, _)| *at == index);
                            narrowed.is_none_or(|(_, reach): &(u16, Reach)| reach.covers(&element))
                        })
                    });
                    prop_assert_eq!(visible, expected, "{} of row {}", leaf.path, at);
                }
            }
        }
    }
}
