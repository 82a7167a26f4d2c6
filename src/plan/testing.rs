//! For tests of this layer: small worlds, and a naive engine that answers a search by brute force.
//!
//! ```text
//! let mut world = World::default();
//! world.dataset("events", vec![field("email", "email", "I1 ID-PERSON DEL-PERSON ACC-ALL")]);
//! world.rows("events", vec![leaf("email", LeafType::Text)], vec![group([("email", text("a@x"))])]);
//! let user = world.user("k1", vec![world.one("email", "a@x")]);
//! let found = world.search(&[request("r", vec![user])]);
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{
    Action, Catalog, Dataset, DeleteDefaults, DeleteMethod, Environment, EraseMode, Field,
    FieldPath, Identity, IdentityTerm, Key, Label, Labels, Leaf, LeafType, Name, Namespace,
    NamespaceName, Only, Position, Product, Request, Sensitive, Unlabelled, UserBlock,
    canonical_bytes,
};

use super::{
    BlockFound, BlockRef, DataFile, DatasetFiles, Element, FileStamp, Grants, Hit, IdentityId,
    Inventory, Probe, RowGroup, RowKey, RowValue, Search, SearchBlock, Step, ValuesWanted,
};

/// For a pass in which no failed task waits.
pub(crate) static NO_TASK: BTreeSet<crate::model::TaskId> = BTreeSet::new();

/// A nested value. A map is a list of groups of `key` and `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Of(Key),
    List(Vec<Value>),
    Group(Vec<(String, Value)>),
}

pub(crate) fn text(value: &str) -> Value {
    Value::Of(Key::Text(value.to_owned()))
}

pub(crate) fn int(value: i128) -> Value {
    Value::Of(Key::Int(value))
}

pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

pub(crate) fn group<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Group(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The values of a leaf in a row (nulls left out), with their list indices.
pub(crate) fn leaf_values(row: &Value, leaf: &Leaf) -> Vec<(Element, Key)> {
    fn walk(
        value: &Value,
        leaf: &Leaf,
        (names, lists): (usize, usize),
        indices: &mut Vec<u32>,
        out: &mut Vec<(Element, Key)>,
    ) {
        if leaf.lists.get(lists) == Some(&names) {
            let Value::List(items) = value else { return };
            for (index, item) in (0..).zip(items) {
                indices.push(index);
                walk(item, leaf, (names, lists + 1), indices, out);
                indices.pop();
            }
            return;
        }
        match (leaf.path.parts().get(names), value) {
            (Some(name), Value::Group(fields)) => {
                for (_, child) in fields.iter().filter(|(field, _)| field == name) {
                    walk(child, leaf, (names + 1, lists), indices, out);
                }
            }
            (None, Value::Of(key)) => out.push((indices.as_slice().into(), key.clone())),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(row, leaf, (0, 0), &mut Vec::new(), &mut out);
    out
}

pub(crate) fn path(text: &str) -> FieldPath {
    FieldPath::dotted(text).unwrap()
}

/// A leaf outside lists.
pub(crate) fn leaf(at: &str, kind: LeafType) -> Leaf {
    Leaf { path: path(at), kind, lists: Vec::new(), nullable: true, partition: false }
}

/// A leaf in lists; see [`Leaf::lists`].
pub(crate) fn leaf_in(at: &str, kind: LeafType, lists: &[usize]) -> Leaf {
    Leaf { lists: lists.to_vec(), ..leaf(at, kind) }
}

pub(crate) fn labels(text: &str) -> Labels {
    text.split_whitespace().map(|label| Label::parse(label).unwrap()).collect()
}

/// A field; without a namespace where that is empty.
pub(crate) fn field(at: &str, namespace: &str, with: &str) -> Field {
    Field {
        path: path(at),
        labels: labels(with),
        namespace: NamespaceName::new(namespace),
        pii: false,
        selectable: false,
        party: None,
        all_elements: false,
        erase: None,
        reason: None,
        position: Position::default(),
    }
}

/// A policy of product `analytics`, its source its own name, for production.
pub(crate) fn dataset(name: &str, fields: Vec<Field>) -> Dataset {
    Dataset {
        name: Name::new(name).unwrap(),
        product: Product::new("analytics").unwrap(),
        source: name.to_owned(),
        environment: Environment::Production,
        location: format!("lake/{name}/"),
        timestamp: None,
        hit_id: None,
        erase: EraseMode::Fields,
        delete_defaults: DeleteDefaults::default(),
        unlabelled: Unlabelled::Allow,
        may_be_empty: false,
        same_subject: false,
        fields,
        position: Position::default(),
    }
}

/// A request that does not expand and anonymises.
pub(crate) fn request(name: &str, users: Vec<UserBlock>) -> Request {
    Request {
        name: Name::new(name).unwrap(),
        named: true,
        regulation: None,
        received_at: None,
        extension: None,
        expand_ids: false,
        delete_method: DeleteMethod::Anonymize,
        include: None,
        suspend: false,
        withdrawn: false,
        users,
        rejected: None,
        position: Position::default(),
    }
}

/// One file of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableFile {
    pub(crate) rows: Vec<Value>,
    /// Values of partition leaves by their path.
    pub(crate) partitions: Vec<(String, Option<String>)>,
}

/// Policies and data.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) inventory: Inventory,
    /// The rows, file by file.
    pub(crate) tables: BTreeMap<Name, Vec<TableFile>>,
}

/// A search that was driven to its end, and what it asked on the way.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) found: Vec<BlockFound>,
    pub(crate) probes: Vec<Vec<(usize, Probe)>>,
    pub(crate) values: Vec<Vec<ValuesWanted>>,
}

impl World {
    /// Adds a policy (see [`dataset`]) for further changes.
    pub(crate) fn dataset(&mut self, name: &str, fields: Vec<Field>) -> &mut Dataset {
        let policy = dataset(name, fields);
        let at = self.catalog.datasets.partition_point(|known| known.name < policy.name);
        self.catalog.datasets.insert(at, policy);
        &mut self.catalog.datasets[at]
    }

    /// Adds a namespace with the rules of an undefined one, for further changes.
    pub(crate) fn namespace(&mut self, name: &str) -> &mut Namespace {
        let name = NamespaceName::new(name).unwrap();
        let rules = Namespace::built_in(&name);
        self.catalog.namespaces.entry(name).or_insert(rules)
    }

    /// Gives a dataset one file of these rows.
    pub(crate) fn rows(&mut self, name: &str, leaves: Vec<Leaf>, rows: Vec<Value>) {
        self.files(name, leaves, vec![TableFile { rows, partitions: Vec::new() }]);
    }

    /// Gives a dataset one file of flat text rows: `columns` and cells separated by white space, `-` for
    /// null.
    pub(crate) fn flat(&mut self, name: &str, columns: &str, rows: &[&str]) {
        let leaves = columns.split_whitespace().map(|at| leaf(at, LeafType::Text)).collect();
        let cell = |cell| if cell == "-" { Value::Null } else { text(cell) };
        let rows = rows
            .iter()
            .map(|row| group(columns.split_whitespace().zip(row.split_whitespace().map(cell))));
        self.rows(name, leaves, rows.collect());
    }

    /// Gives a dataset its files, of one row group each.
    pub(crate) fn files(&mut self, name: &str, leaves: Vec<Leaf>, files: Vec<TableFile>) {
        let dataset = Name::new(name).unwrap();
        let listed = files.iter().enumerate().map(|(index, file)| {
            let rows = u64::try_from(file.rows.len()).unwrap();
            let shown = format!("lake/{name}/{index}.parquet");
            DataFile {
                path: PathBuf::from("/").join(&shown),
                shown,
                size: 100 * rows,
                stamp: FileStamp {
                    size: 100 * rows,
                    modified: 0,
                    inode: u64::try_from(index).unwrap(),
                    footer: "f".repeat(64),
                },
                trace: Default::default(),
                rows,
                row_groups: vec![RowGroup { rows, chunk_bytes: vec![10; leaves.len()] }],
                partitions: file.partitions.clone(),
                own: Arc::default(),
            }
        });
        let listed = DatasetFiles {
            dataset: dataset.clone(),
            roots: Vec::new(),
            base: None,
            files: listed.collect(),
            leaves,
            digest: "d".repeat(64),
            problems: Vec::new(),
        };
        self.inventory.datasets.insert(dataset.clone(), listed);
        self.tables.insert(dataset, files);
    }

    /// An identity as the request reader makes it.
    pub(crate) fn identity(&self, namespace: &str, value: &str) -> Identity {
        let namespace = NamespaceName::new(namespace).unwrap();
        let canonical = self.catalog.namespace(&namespace).canonical(value);
        Identity {
            namespace,
            given: Sensitive::new(value.to_owned()),
            canonical: Sensitive::new(canonical),
        }
    }

    pub(crate) fn one(&self, namespace: &str, value: &str) -> IdentityTerm {
        IdentityTerm::One(self.identity(namespace, value))
    }

    pub(crate) fn all_of(&self, parts: &[(&str, &str)]) -> IdentityTerm {
        let part = |(namespace, value): &(&str, &str)| self.identity(namespace, value);
        IdentityTerm::AllOf(parts.iter().map(part).collect())
    }

    /// A block with both actions.
    pub(crate) fn user(&self, key: &str, identities: Vec<IdentityTerm>) -> UserBlock {
        UserBlock {
            key: key.to_owned(),
            actions: BTreeSet::from([Action::Access, Action::Delete]),
            identities,
            veiled: Vec::new(),
            only: Only::default(),
            standing: false,
            accept_conflicts: false,
            rejected: None,
            position: Position::default(),
        }
    }

    /// What a search finds for every block of the requests, in order.
    pub(crate) fn search(&self, requests: &[Request]) -> Vec<BlockFound> {
        self.drive(requests, |_| Vec::new()).found
    }

    /// Drives a search to its end; `remembered` says what a block's expansion found earlier.
    pub(crate) fn drive(
        &self,
        requests: &[Request],
        remembered: impl Fn(BlockRef) -> Vec<Identity>,
    ) -> Driven {
        let mut blocks = Vec::new();
        for (at, request) in requests.iter().enumerate() {
            for (position, user) in request.users.iter().enumerate() {
                let block = BlockRef { request: at, user: position };
                blocks.push(SearchBlock {
                    block,
                    request,
                    user,
                    remembered: remembered(block),
                    grants: Grants::default(),
                });
            }
        }
        let mut search = Search::new(&self.catalog, &self.inventory, blocks);
        let (mut probes, mut values) = (Vec::new(), Vec::new());
        loop {
            match search.step() {
                Step::Probe(asked) => {
                    for (dataset, probe) in &asked {
                        // In pieces and out of order, as partitions of a scan bring them.
                        for piece in self.answer_probe(*dataset, probe).chunks(3).rev() {
                            search.supply_hits(*dataset, piece.to_vec());
                        }
                    }
                    probes.push(asked);
                }
                Step::Values(asked) => {
                    for wanted in &asked {
                        for piece in self.answer_values(wanted).chunks(3).rev() {
                            search.supply_values(wanted.dataset, piece.to_vec());
                        }
                    }
                    values.push(asked);
                }
                Step::Done => return Driven { found: search.finish(), probes, values },
            }
        }
    }

    /// The rows of a dataset by its index in the catalog, with the values of one leaf each.
    pub(crate) fn column(&self, dataset: usize, index: u16) -> Vec<(RowKey, Vec<(Element, Key)>)> {
        let name = &self.catalog.datasets[dataset].name;
        let leaf = &self.inventory.datasets[name].leaves[usize::from(index)];
        let mut column = Vec::new();
        for (file, table) in (0..).zip(&self.tables[name]) {
            for (row, value) in (0..).zip(&table.rows) {
                let values = if leaf.partition {
                    let at = leaf.path.to_string();
                    let value = table.partitions.iter().find(|(name, _)| *name == at);
                    let value = value.and_then(|(_, value)| value.clone());
                    value.map(|value| (Element::default(), Key::Text(value))).into_iter().collect()
                } else {
                    leaf_values(value, leaf)
                };
                column.push((RowKey { file, row }, values));
            }
        }
        column
    }

    /// The hits of a probe, by looking at every value.
    pub(crate) fn answer_probe(&self, dataset: usize, probe: &Probe) -> Vec<Hit> {
        let leaves = &self.inventory.datasets[&self.catalog.datasets[dataset].name].leaves;
        let mut hits = Vec::new();
        for sought in &probe.leaves {
            let leaf = &leaves[usize::from(sought.leaf)];
            for (at, values) in self.column(dataset, sought.leaf) {
                for (element, value) in values {
                    let value = comparable(leaf, &sought.namespace, &value);
                    let whose = sought.keys.iter().filter(|(key, _)| Some(key) == value.as_ref());
                    hits.extend(whose.map(|(_, identity)| Hit {
                        at,
                        leaf: sought.leaf,
                        identity: *identity,
                        element: element.clone(),
                    }));
                }
            }
        }
        let mut held: BTreeMap<RowKey, BTreeSet<IdentityId>> = BTreeMap::new();
        for hit in &hits {
            held.entry(hit.at).or_default().insert(hit.identity);
        }
        hits.retain(|hit| {
            probe.alone.contains(&hit.identity)
                || probe.all_of.iter().any(|parts| {
                    parts.contains(&hit.identity)
                        && parts.iter().all(|part| held[&hit.at].contains(part))
                })
        });
        hits
    }

    /// The values of rows.
    pub(crate) fn answer_values(&self, wanted: &ValuesWanted) -> Vec<RowValue> {
        let mut answer = Vec::new();
        for leaf in &wanted.leaves {
            for (at, values) in self.column(wanted.dataset, *leaf) {
                if wanted.rows.contains(&at) {
                    answer.extend(values.into_iter().map(|(element, value)| RowValue {
                        at,
                        leaf: *leaf,
                        element,
                        value: Sensitive::new(value),
                    }));
                }
            }
        }
        answer
    }
}

/// A value of a column in the form in which probes hold their keys.
pub(crate) fn comparable(leaf: &Leaf, namespace: &Namespace, value: &Key) -> Option<Key> {
    match (&leaf.kind, value) {
        (kind, Key::Text(text)) if leaf.partition => kind.key(namespace, text),
        (_, Key::Text(text)) => Some(Key::Text(namespace.canonical(text))),
        (LeafType::Binary | LeafType::FixedBinary(_), Key::Bytes(bytes)) => {
            Some(Key::Bytes(canonical_bytes(namespace, bytes)))
        }
        (_, other) => Some(other.clone()),
    }
}
