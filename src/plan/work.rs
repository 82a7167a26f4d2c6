//! What is to be done, as plain values: whoever carries it out needs nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{Environment, FieldPath, Name, Product, Sensitive};

use super::{Element, FileStamp, RowKey, Runs};

/// Which elements of a leaf in one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Every one, and the value itself where the leaf lies in no list.
    All,
    /// Those whose list indices start with one of these prefixes; sorted, none a prefix of another.
    Within(Vec<Element>),
}

impl Reach {
    /// Whether it reaches an element with these list indices.
    pub fn covers(&self, element: &[u32]) -> bool {
        match self {
            Self::All => true,
            Self::Within(prefixes) => prefixes.iter().any(|prefix| element.starts_with(prefix)),
        }
    }
}

/// How a leaf is erased: an [`crate::model::EraseRule`] with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Mask {
    /// Strings: prefix, 32 upper-case hex digits, suffix. 64-bit integers: from 2^62 up. Binary: bytes
    /// of the same length.
    Pseudonym {
        /// Strings only.
        prefix: String,
        /// Strings only.
        suffix: String,
    },
    /// A random value of AAID's form.
    AaidPseudonym,
    /// Null.
    Null,
    /// Empty string or zero.
    Empty,
    /// Query and fragment go.
    StripUrl,
    /// 2 decimals, the day, or the month.
    Coarsen,
    /// A constant, as text that was checked to be of the leaf's type.
    Constant(String),
    /// HMAC-SHA256 in hex under the named key.
    Hmac {
        /// Name of the key in Settings.
        key: String,
    },
    /// The matched elements of the leaf's innermost list go, from every leaf below that list, so that
    /// siblings (the other fields of a struct, the key of a map's value) stay aligned. The planner
    /// names the labelled leaf alone; what it removes is in no other mask's count.
    RemoveElement,
    /// Kept and counted.
    Retain {
        /// Why, for the plan: the policy's reason, or the hold's name and reason.
        why: String,
    },
}

/// The erasure of one file. Rows are positions in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWork {
    /// The dataset.
    pub dataset: Name,
    /// Absolute path.
    pub path: PathBuf,
    /// To show in messages.
    pub shown: String,
    /// What it must still be.
    pub stamp: FileStamp,
    /// Rows to remove and the task that removes each, sorted by row.
    pub removed: Vec<(u64, TaskIndex)>,
    /// Leaves to mask. A removed row is in no mask. One path may stand here several times: once with
    /// what is written, and in [`Mask::Retain`] entries, which only count.
    pub leaves: Vec<LeafWork>,
}

/// Position of a task in the pass's list of tasks.
pub type TaskIndex = u32;

/// The erasure of one leaf of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafWork {
    /// The leaf's logical path.
    pub path: FieldPath,
    /// What is written.
    pub mask: Mask,
    /// The cells, sorted by row, then by task; the first task that reaches an element erases it.
    pub cells: Vec<CellWork>,
}

/// The erasure of one leaf in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellWork {
    /// Position in the file.
    pub row: u64,
    /// Whose erasure it is: it says which pseudonym key applies.
    pub task: TaskIndex,
    /// Which elements.
    pub reach: Reach,
}

/// The package of one access task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessWork {
    /// Position of the task in the pass's list of tasks.
    pub task: TaskIndex,
    /// Production or test.
    pub environment: Environment,
    /// By dataset name.
    pub datasets: Vec<AccessDataset>,
}

/// The rows of one dataset in a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDataset {
    /// The dataset.
    pub dataset: Name,
    /// Its product.
    pub product: Product,
    /// Its data source.
    pub source: String,
    /// Leaf index of the timestamp.
    pub timestamp: Option<u16>,
    /// Leaf index of the hit id.
    pub hit_id: Option<u16>,
    /// Eligible leaves in the order of the columns: the policy's order (a group's leaves in schema
    /// order); the timestamp first where it is not listed as a field.
    pub columns: Vec<AccessColumn>,
    /// The rows, sorted by [`RowKey`].
    pub rows: Vec<AccessRow>,
}

/// An eligible leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessColumn {
    /// Leaf index.
    pub leaf: u16,
    /// In device files too (`ACC-ALL`), or in person files only.
    pub device: bool,
}

/// A row of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRow {
    /// Where it is.
    pub at: RowKey,
    /// Person row, else device row.
    pub person: bool,
    /// Columns (by index into [`AccessDataset::columns`]) that are not shown in full: which elements
    /// are. An empty `Within` hides the cell. Absent columns are shown in full.
    pub narrowed: Vec<(u16, Reach)>,
}

/// Secrets that an erasure needs. `Debug` shows none of them.
#[derive(Debug, Clone, Default)]
pub struct EraseKeys {
    /// The pseudonym key of each task, 32 random bytes, destroyed when the task completes.
    pub tasks: BTreeMap<TaskIndex, Sensitive<[u8; 32]>>,
    /// The keys of `hmac` methods, by their name in Settings.
    pub hmac: BTreeMap<String, Sensitive<Vec<u8>>>,
}

/// What an erasure changes in one file: measured without writing for the plan, and again by the
/// rewrite itself. The two must agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileCounts {
    /// Sorted by task; tasks that change and retain nothing are left out.
    pub tasks: Vec<FileTaskCounts>,
    /// Row groups with a rewritten chunk.
    pub row_groups: u64,
    /// Compressed bytes, before, of the rewritten chunks.
    pub bytes: u64,
    /// The rewritten chunks: (row group, leaf path) sorted; every leaf of the group where rows go.
    pub chunks: Vec<(u32, String)>,
}

/// What one task changes in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileTaskCounts {
    /// The task.
    pub task: TaskIndex,
    /// Rows in which a non-null value changes, or that go.
    pub rows_erased: u64,
    /// Those rows.
    pub rows: Runs,
    /// Rows that go.
    pub rows_removed: u64,
    /// For each entry of [`FileWork::leaves`]: non-null values that change (for
    /// [`Mask::Retain`]: that are kept).
    pub cells: Vec<u64>,
    /// Row groups in which this task causes a rewritten chunk.
    pub row_groups: u64,
    /// Compressed bytes, before, of the chunks that this task causes to be rewritten.
    pub bytes: u64,
}
