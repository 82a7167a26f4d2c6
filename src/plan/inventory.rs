//! What lies on disk, as far as planning needs it: files, footers, leaves. Made by the engine.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{Leaf, LeafType, Name};

/// Every dataset that a pass looks at.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// When its making began, nanoseconds since 1970 by the machine's own clock.
    pub looked: i128,
    /// By dataset.
    pub datasets: BTreeMap<Name, DatasetFiles>,
}

/// The files of one dataset.
#[derive(Debug, Clone)]
pub struct DatasetFiles {
    /// The dataset.
    pub dataset: Name,
    /// Directories that belong to the dataset whole: absolute, links resolved. None where the location names
    /// files.
    pub roots: Vec<PathBuf>,
    /// Where a glob begins: everything that it names lies below.
    pub base: Option<PathBuf>,
    /// Readable files, sorted by path; their index is what [`super::RowKey::file`] means.
    pub files: Vec<DataFile>,
    /// The union of the files' leaves, in the order in which they first appear, partition columns last.
    /// Their index is what [`super::Hit::leaf`] means.
    pub leaves: Vec<Leaf>,
    /// SHA-256, in hex, over names, sizes, versions and footers of all files.
    pub digest: String,
    /// Whatever makes the dataset or a file of it unusable. Not empty: tasks that need the dataset fail
    /// with `DataUnreadable`, once a delete has done what the problems do not hinder; it never counts as
    /// "no match".
    pub problems: Vec<FileProblem>,
}

impl DatasetFiles {
    /// Rows in all readable files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// A leaf as one file holds it: in the file's own type, and nullable where it is so there. `None` where
    /// the file lacks it.
    pub fn leaf_in(&self, file: &DataFile, leaf: u16) -> Option<Cow<'_, Leaf>> {
        let known = self.leaves.get(usize::from(leaf))?;
        match file.own.binary_search_by_key(&leaf, |own| own.leaf) {
            Err(_) => Some(Cow::Borrowed(known)),
            Ok(at) => {
                let form = file.own.get(at)?.form.as_ref()?;
                let (kind, nullable) = (form.kind.clone(), form.nullable);
                Some(Cow::Owned(Leaf { kind, nullable, ..known.clone() }))
            }
        }
    }

    /// Bytes of all readable files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// A file, or the location itself, that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileProblem {
    /// The path to show; partition values of ID and `pii` columns are `***`.
    pub shown: String,
    /// What is wrong: a lower-case fragment, without cell values.
    pub what: String,
    /// It stops every pass before anything is written (overlapping datasets, a place of our own inside
    /// one), rather than failing the tasks that need the dataset.
    pub stops_pass: bool,
    /// What cannot be done because of it.
    pub hinders: Hindrance,
}

/// How far a problem reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hindrance {
    /// The whole dataset cannot be used.
    #[default]
    Dataset,
    /// The same, because its location holds no file: it is right where we ourselves deleted the last one.
    Empty,
    /// One file cannot be used; the dataset's others can.
    File(PathBuf),
    /// One file cannot be erased from; it can be read.
    Erasing(PathBuf),
}

impl FileProblem {
    /// A problem of a whole dataset.
    pub fn of_dataset(shown: impl Into<String>, what: impl Into<String>) -> Self {
        let (shown, what) = (shown.into(), what.into());
        Self { shown, what, stops_pass: false, hinders: Hindrance::Dataset }
    }

    /// A problem of one file alone.
    pub fn of_file(path: PathBuf, shown: impl Into<String>, what: impl Into<String>) -> Self {
        Self { hinders: Hindrance::File(path), ..Self::of_dataset(shown, what) }
    }

    /// A file that can be read, and not be erased from.
    pub fn of_erasing(path: PathBuf, shown: impl Into<String>, what: impl Into<String>) -> Self {
        Self { hinders: Hindrance::Erasing(path), ..Self::of_dataset(shown, what) }
    }
}

/// What a file was when it was looked at: a later difference means that another writer came.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified: i128,
    /// Inode.
    pub inode: u64,
    /// SHA-256, in hex, of the footer's bytes (metadata, length and magic).
    pub footer: String,
}

/// What the file system says of a file besides its [`FileStamp`]: nobody can set these at will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileTrace {
    /// Device.
    pub device: u64,
    /// When content or attributes last changed (`ctime`), nanoseconds since 1970.
    pub changed: i128,
}

/// One Parquet file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Absolute.
    pub path: PathBuf,
    /// To show, relative to the working directory where it lies below it; partition values of ID and
    /// `pii` columns are `***`.
    pub shown: String,
    /// Bytes.
    pub size: u64,
    /// For detecting other writers.
    pub stamp: FileStamp,
    /// Where it was found: with the stamp, what a memory of the file's content is held against.
    pub trace: FileTrace,
    /// Rows.
    pub rows: u64,
    /// In file order.
    pub row_groups: Vec<RowGroup>,
    /// Hive partition columns of the path, outermost first, percent-decoded; `None` is the null partition.
    pub partitions: Vec<(String, Option<String>)>,
    /// Leaves that this file does not hold as [`DatasetFiles::leaves`] says, by index; files of one schema
    /// share the list.
    pub own: Arc<[OwnLeaf]>,
}

/// How one file holds a leaf that others hold otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnLeaf {
    /// Index into [`DatasetFiles::leaves`].
    pub leaf: u16,
    /// `None` where the file lacks it.
    pub form: Option<LeafForm>,
}

/// Type and nullability of a leaf in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafForm {
    /// The file's own type, before widening.
    pub kind: LeafType,
    /// Whether the leaf itself may be null in the file.
    pub nullable: bool,
}

/// One row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows.
    pub rows: u64,
    /// Compressed bytes of each column chunk, by index into [`DatasetFiles::leaves`]; 0 where the file
    /// lacks the leaf.
    pub chunk_bytes: Vec<u64>,
}
