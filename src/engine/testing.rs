//! Small lakes for the engine's tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::data_type::DataType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

use crate::model::{
    Dataset, EraseMode, Field, Label, Labels, Leaf, Name, Namespace, NamespaceName, Position,
    Product,
};
use crate::plan::{DatasetFiles, Hit, IdentityId, Probe, ProbeLeaf, RowKey};

use super::{Engine, EngineError, EngineOptions, ProbeOptions, Reserved};

/// A directory that goes away, and an engine that works in it.
pub(crate) struct Lake {
    pub(crate) dir: TempDir,
    pub(crate) engine: Engine,
}

impl Lake {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions {
            scratch: dir.path().join("scratch"),
            memory: 64 << 20,
            jobs: 2,
            working_dir: dir.path().to_owned(),
        })
        .unwrap();
        Self { dir, engine }
    }

    pub(crate) fn path(&self, inner: &str) -> PathBuf {
        self.dir.path().join(inner)
    }

    /// A file of one text column `id`.
    pub(crate) fn ids(&self, inner: &str, ids: &[Option<&str>]) -> PathBuf {
        let column: ArrayRef = Arc::new(StringArray::from(ids.to_vec()));
        self.write(inner, [("id", column)], None)
    }

    pub(crate) fn write<'a>(
        &self,
        inner: &str,
        columns: impl IntoIterator<Item = (&'a str, ArrayRef)>,
        properties: Option<WriterProperties>,
    ) -> PathBuf {
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let file = self.create(inner);
        let mut writer = ArrowWriter::try_new(file, batch.schema(), properties).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.path(inner)
    }

    pub(crate) fn create(&self, inner: &str) -> File {
        let path = self.path(inner);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap()
    }

    /// A file of one column of a Parquet schema, with its values and levels.
    pub(crate) fn column<T: DataType>(
        &self,
        inner: &str,
        message: &str,
        values: &[T::T],
        definitions: Option<&[i16]>,
        repetitions: Option<&[i16]>,
    ) -> PathBuf {
        let schema = Arc::new(parse_message_type(message).unwrap());
        let mut writer =
            SerializedFileWriter::new(self.create(inner), schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, definitions, repetitions).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        self.path(inner)
    }

    pub(crate) fn inventory(&self, dataset: &Dataset) -> DatasetFiles {
        self.inventory_beside(dataset, &[])
    }

    pub(crate) fn inventory_beside(
        &self,
        dataset: &Dataset,
        reserved: &[Reserved],
    ) -> DatasetFiles {
        let mut inventory = self.engine.inventory(&[dataset], reserved);
        inventory.datasets.remove(&dataset.name).unwrap()
    }

    /// The files of a location that has no problem.
    pub(crate) fn files(&self, location: &str) -> DatasetFiles {
        let files = self.inventory(&dataset("lake", location));
        assert_eq!(files.problems, []);
        files
    }

    /// What is wrong with a location, as `PATH: WHAT`.
    pub(crate) fn problems(&self, location: &str) -> Vec<String> {
        problems(&self.inventory(&dataset("lake", location)))
    }

    /// Where values of a leaf are found: (row, element, number of the value).
    pub(crate) fn find(
        &self,
        files: &DatasetFiles,
        path: &str,
        namespace: &Namespace,
        values: &[&str],
    ) -> Vec<(RowKey, Vec<u32>, u32)> {
        let hits = self.try_find(files, path, namespace, values).unwrap();
        hits.into_iter().map(|hit| (hit.at, hit.element.to_vec(), hit.identity.0)).collect()
    }

    /// As [`Lake::find`], with and without pruning, which must agree, and so must the counts.
    pub(crate) fn try_find(
        &self,
        files: &DatasetFiles,
        path: &str,
        namespace: &Namespace,
        values: &[&str],
    ) -> Result<Vec<Hit>, EngineError> {
        let probe = probe(files, path, namespace, values);
        let hits = self.engine.probe(files, &probe, ProbeOptions::default())?;
        let all = ProbeOptions { prune: false, candidates: None };
        assert_eq!(self.engine.probe(files, &probe, all)?, hits);
        let counts = self.engine.count_rows(files, &probe, ProbeOptions::default())?;
        let mut rows: Vec<RowKey> = hits.iter().map(|hit| hit.at).collect();
        rows.dedup();
        for (file, count) in counts.iter().enumerate() {
            let expected = rows.iter().filter(|row| row.file as usize == file).count();
            assert_eq!(*count, expected as u64);
        }
        Ok(hits)
    }
}

/// The problems as `PATH: WHAT`.
pub(crate) fn problems(files: &DatasetFiles) -> Vec<String> {
    files.problems.iter().map(|problem| format!("{}: {}", problem.shown, problem.what)).collect()
}

/// A dataset without fields.
pub(crate) fn dataset(name: &str, location: &str) -> Dataset {
    Dataset {
        name: Name::new(name).unwrap(),
        product: Product::new("product").unwrap(),
        source: name.to_owned(),
        environment: Default::default(),
        location: location.to_owned(),
        timestamp: None,
        hit_id: None,
        erase: EraseMode::Fields,
        delete_defaults: Default::default(),
        unlabelled: Default::default(),
        may_be_empty: false,
        same_subject: false,
        fields: Vec::new(),
        position: Position::default(),
    }
}

/// A field that identifies persons.
pub(crate) fn id_field(path: &str) -> Field {
    Field {
        path: crate::model::FieldPath::dotted(path).unwrap(),
        labels: [Label::I2, Label::IdPerson].into_iter().collect::<Labels>(),
        namespace: NamespaceName::new("id"),
        pii: false,
        selectable: false,
        party: None,
        all_elements: false,
        erase: None,
        reason: None,
        position: Position::default(),
    }
}

/// A namespace that compares without case, or exactly.
pub(crate) fn namespace(exact: bool) -> Namespace {
    let mut namespace = Namespace::built_in(&NamespaceName::new("id").unwrap());
    namespace.case_sensitive = exact;
    namespace
}

/// The index of a leaf.
pub(crate) fn leaf_index(files: &DatasetFiles, path: &str) -> u16 {
    let found = files.leaves.iter().position(|leaf| leaf.path.to_string() == path);
    u16::try_from(found.expect("a leaf of that path")).unwrap()
}

/// The leaf of a path.
pub(crate) fn leaf<'a>(files: &'a DatasetFiles, path: &str) -> &'a Leaf {
    &files.leaves[usize::from(leaf_index(files, path))]
}

/// The search for these values in one leaf; each is an identity, by its number.
pub(crate) fn probe(
    files: &DatasetFiles,
    path: &str,
    namespace: &Namespace,
    values: &[&str],
) -> Probe {
    let kind = &leaf(files, path).kind;
    let mut keys: Vec<_> = values
        .iter()
        .zip(0..)
        .filter_map(|(value, number)| Some((kind.key(namespace, value)?, IdentityId(number))))
        .collect();
    keys.sort();
    Probe {
        leaves: vec![ProbeLeaf {
            leaf: leaf_index(files, path),
            namespace: namespace.clone(),
            keys,
        }],
        all_of: Vec::new(),
        alone: (0..values.len() as u32).map(IdentityId).collect(),
    }
}

/// Copies a file with one change to its bytes.
pub(crate) fn with_bytes(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}
