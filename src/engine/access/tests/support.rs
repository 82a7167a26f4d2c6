//! A lake in memory, tasks over it, and packages read back.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use jiff::Timestamp;

use crate::engine::EngineError;
use crate::engine::access::{
    AccessError, AccessTask, PackageReport, RowSource, Workspace, compile,
};
use crate::engine::fetch::FetchedBatch;
use crate::model::{
    Catalog, Dataset, DeleteDefaults, Environment, EraseMode, Field, FieldPath, Identity,
    IdentityTerm, Labels, Leaf, LeafType, Name, NamespaceName, Position, Product, Regulation,
    Sensitive, TimeUnit, Unlabelled,
};
use crate::plan::{
    AccessColumn, AccessDataset, AccessRow, AccessWork, DatasetFiles, Inventory, Reach, RowKey,
};

pub(super) const TS: LeafType = LeafType::Timestamp(TimeUnit::Microsecond);

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn path(text: &str) -> FieldPath {
    FieldPath::dotted(text).unwrap()
}

pub(super) fn leaf(path_text: &str, kind: LeafType, lists: &[usize]) -> Leaf {
    let path = path(path_text);
    Leaf { path, kind, lists: lists.to_vec(), nullable: true, partition: false }
}

pub(super) fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(super) fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Microseconds.
pub(super) fn instants(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

/// A row of a task: file, position, person or device, narrowed columns.
pub(super) type Owned = (u32, u64, bool, Vec<(u16, Reach)>);

/// A dataset of the test lake.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) product: &'static str,
    pub(super) leaves: Vec<Leaf>,
    /// For each file the array of each leaf.
    pub(super) files: Vec<Vec<ArrayRef>>,
    /// Leaf indices.
    pub(super) timestamp: Option<u16>,
    pub(super) hit_id: Option<u16>,
    /// (leaf, `ACC-ALL`), in the policy's order.
    pub(super) fields: Vec<(u16, bool)>,
}

impl Table {
    /// A table of one file whose leaves are all `ACC-ALL` fields.
    pub(super) fn new(name: &'static str, columns: Vec<(Leaf, ArrayRef)>) -> Self {
        let (leaves, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let fields = (0..leaves.len()).map(|leaf| (leaf as u16, true)).collect();
        let (files, timestamp, hit_id) = (vec![arrays], None, None);
        Self { name, product: "analytics", leaves, files, timestamp, hit_id, fields }
    }

    fn policy(&self) -> Dataset {
        let leaf_path = |leaf: u16| self.leaves[usize::from(leaf)].path.clone();
        Dataset {
            name: name(self.name),
            product: Product::new(self.product).unwrap(),
            source: format!("{} source", self.name),
            environment: Environment::Production,
            location: String::new(),
            timestamp: self.timestamp.map(leaf_path),
            hit_id: self.hit_id.map(leaf_path),
            erase: EraseMode::Fields,
            delete_defaults: DeleteDefaults::default(),
            unlabelled: Unlabelled::Allow,
            may_be_empty: false,
            same_subject: false,
            fields: self
                .fields
                .iter()
                .map(|(leaf, _)| Field {
                    path: leaf_path(*leaf),
                    labels: Labels::default(),
                    namespace: None,
                    pii: false,
                    selectable: false,
                    party: None,
                    all_elements: false,
                    erase: None,
                    reason: None,
                    position: Position::default(),
                })
                .collect(),
            position: Position::default(),
        }
    }

    /// The part of a task in this table: its rows.
    pub(super) fn part(&self, rows: Vec<Owned>) -> AccessDataset {
        let unlisted = self.timestamp.filter(|ts| self.fields.iter().all(|(leaf, _)| leaf != ts));
        let columns = unlisted.map(|leaf| (leaf, true)).into_iter().chain(self.fields.clone());
        AccessDataset {
            dataset: name(self.name),
            product: Product::new(self.product).unwrap(),
            source: format!("{} source", self.name),
            timestamp: self.timestamp,
            hit_id: self.hit_id,
            columns: columns.map(|(leaf, device)| AccessColumn { leaf, device }).collect(),
            rows: rows
                .into_iter()
                .map(|(file, row, person, narrowed)| AccessRow {
                    at: RowKey { file, row },
                    person,
                    narrowed,
                })
                .collect(),
        }
    }

    /// Every row of its first file, as person rows.
    pub(super) fn all(&self) -> AccessDataset {
        let rows = self.files[0].first().map_or(0, |array| array.len());
        self.part((0..rows as u64).map(|row| (0, row, true, Vec::new())).collect())
    }
}

/// The lake: it hands rows over in batches of `batch` rows, backwards if so wanted.
pub(super) struct Lake {
    pub(super) tables: Vec<Table>,
    pub(super) batch: usize,
    pub(super) backwards: bool,
    /// A dataset that cannot be read.
    pub(super) broken: Option<&'static str>,
    /// A dataset of which the last batch never comes.
    pub(super) short: Option<&'static str>,
    pub(super) fetches: usize,
}

impl Lake {
    pub(super) fn new(tables: Vec<Table>) -> Self {
        Self { tables, batch: 1000, backwards: false, broken: None, short: None, fetches: 0 }
    }

    pub(super) fn catalog(&self) -> Catalog {
        let mut datasets: Vec<Dataset> = self.tables.iter().map(Table::policy).collect();
        datasets.sort_by(|a, b| a.name.cmp(&b.name));
        Catalog { datasets, ..Catalog::default() }
    }

    pub(super) fn inventory(&self) -> Inventory {
        let files = |table: &Table| DatasetFiles {
            dataset: name(table.name),
            roots: Vec::new(),
            base: None,
            files: Vec::new(),
            leaves: table.leaves.clone(),
            digest: String::new(),
            problems: Vec::new(),
        };
        let datasets = self.tables.iter().map(|table| (name(table.name), files(table))).collect();
        Inventory { datasets, ..Inventory::default() }
    }
}

impl RowSource for Lake {
    fn fetch(
        &mut self,
        dataset: &Name,
        leaves: &[u16],
        rows: &[RowKey],
        each: &mut dyn FnMut(FetchedBatch) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        self.fetches += 1;
        if self.broken.is_some_and(|broken| broken == dataset.as_str()) {
            return Err(EngineError::Changed { shown: "events/part-0.parquet".to_owned() });
        }
        assert!(rows.is_sorted() && leaves.is_sorted());
        let table = self.tables.iter().find(|table| table.name == dataset.as_str()).unwrap();
        let mut batches = Vec::new();
        for (file, columns) in table.files.iter().enumerate() {
            let mine: Vec<u64> =
                rows.iter().filter(|row| row.file as usize == file).map(|row| row.row).collect();
            for rows in mine.chunks(self.batch) {
                let indices = UInt64Array::from(rows.to_vec());
                let take = |leaf: &u16| {
                    let column = &columns[usize::from(*leaf)];
                    (*leaf, arrow::compute::take(column, &indices, None).unwrap())
                };
                let columns = leaves.iter().map(take).collect();
                batches.push(FetchedBatch { file: file as u32, rows: rows.to_vec(), columns });
            }
        }
        if self.backwards {
            batches.reverse();
        }
        if self.short.is_some_and(|short| short == dataset.as_str()) {
            batches.pop();
        }
        for batch in batches {
            if each(batch).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A package read back: its entries by path.
pub(super) type Entries = BTreeMap<String, String>;

pub(super) fn read(path: &std::path::Path) -> Entries {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut entries = Entries::new();
    for entry in names {
        let mut text = String::new();
        zip.by_name(&entry).unwrap().read_to_string(&mut text).unwrap();
        entries.insert(entry, text);
    }
    entries
}

pub(super) fn identity(namespace: &str, value: &str) -> Identity {
    Identity {
        namespace: NamespaceName::new(namespace).unwrap(),
        given: Sensitive::new(value.to_owned()),
        canonical: Sensitive::new(value.to_lowercase()),
    }
}

/// The results of tasks whose datasets are `works`.
pub(super) fn results(
    lake: &mut Lake,
    works: Vec<Vec<AccessDataset>>,
    dir: &std::path::Path,
    memory: usize,
) -> Result<Vec<Result<PackageReport, AccessError>>, AccessError> {
    let works: Vec<AccessWork> = works
        .into_iter()
        .enumerate()
        .map(|(task, datasets)| AccessWork {
            task: task as u32,
            environment: Environment::Production,
            datasets,
        })
        .collect();
    let (request, regulation) = (name("2026-11-acme"), Regulation::new("GDPR"));
    let identities = [
        IdentityTerm::One(identity("email address", "John@Mail.com")),
        IdentityTerm::AllOf(vec![identity("last-name", "Doe"), identity("city", "Ulm")]),
    ];
    let tasks: Vec<AccessTask<'_>> = works
        .iter()
        .enumerate()
        .map(|(index, work)| AccessTask {
            work,
            request: &request,
            key: "GDPR-1236",
            regulation: Some(&regulation),
            received_at: "2026-11-20T00:00:00Z".parse::<Timestamp>().unwrap(),
            compiled_at: "2026-11-21T14:05:09Z".parse().unwrap(),
            expires_at: "2026-12-05T14:05:09Z".parse().unwrap(),
            identities: &identities,
            out: dir.join(format!("{index}.zip")),
        })
        .collect();
    let space = Workspace { scratch: dir.to_owned(), memory };
    let (catalog, inventory) = (lake.catalog(), lake.inventory());
    compile(&tasks, &catalog, &inventory, lake, &space)
}

/// The package of one task.
pub(super) fn package(lake: &mut Lake, work: Vec<AccessDataset>) -> (PackageReport, Entries) {
    let dir = tempfile::tempdir().unwrap();
    let report = results(lake, vec![work], dir.path(), 64 << 20).unwrap().remove(0).unwrap();
    let entries = read(&report.path);
    (report, entries)
}

/// The package of all rows of one table.
pub(super) fn package_of(table: Table) -> Entries {
    let work = vec![table.all()];
    package(&mut Lake::new(vec![table]), work).1
}

/// Field → [(value, count)] of a summary page, unescaped, read without an HTML parser.
pub(super) fn summary(page: &str) -> Vec<(String, Vec<(String, u64)>)> {
    page.split("<section data-field=\"")
        .skip(1)
        .map(|section| {
            let (path, rest) = section.split_once('"').unwrap();
            let body = rest.split_once("</section>").unwrap().0;
            let rows = body.split("<tr><td>").skip(1).map(|row| {
                let (value, rest) = row.split_once("</td><td>").unwrap();
                (unescape(value), rest.split_once("</td></tr>").unwrap().0.parse().unwrap())
            });
            (unescape(path), rows.collect())
        })
        .collect()
}

fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#13;", "\r"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
