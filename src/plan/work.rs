//! What is to be done, as plain values: whoever carries it out needs nothing else.

use std::path::PathBuf;

use crate::model::{Environment, FieldPath, Name, Product};

use super::{Element, FileStamp, RowKey};

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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// The matched elements go.
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
    /// Leaves to mask. A removed row is in no mask.
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
