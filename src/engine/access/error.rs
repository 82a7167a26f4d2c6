//! What can go wrong while packages are made.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::EngineError;
use crate::model::{FieldPath, Name};

/// A failure of one package, or, where [`super::compile`] itself returns it, of all. No variant holds
/// a cell value. One failure can be several tasks' (a dataset that cannot be read): hence `Clone`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccessError {
    /// Scratch space failed: nothing can be compiled.
    #[error("cannot {doing} scratch space in {}", path.display())]
    Scratch {
        /// `create`, `write` or `read`.
        doing: &'static str,
        /// The scratch directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The package's file failed.
    #[error("cannot {doing} package {}", path.display())]
    Package {
        /// `create`, `write`, `sync`, `read` or `rename`.
        doing: &'static str,
        /// The package.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// A dataset's rows cannot be read.
    #[error("cannot fetch the rows of dataset {dataset}")]
    Fetch {
        /// The dataset.
        dataset: Name,
        /// Why.
        #[source]
        source: Arc<EngineError>,
    },
    /// Rows that the plan found were not there when they were fetched: nothing may be left out.
    #[error("dataset {dataset}: {missing} of {wanted} rows were not found again")]
    RowsMissing {
        /// The dataset.
        dataset: Name,
        /// Rows that did not come.
        missing: usize,
        /// Rows that were asked for.
        wanted: usize,
    },
    /// A column's type has no form in a package.
    #[error("dataset {dataset}: field {field} has a type that a package cannot show: {kind}")]
    Unsupported {
        /// The dataset.
        dataset: Name,
        /// The field.
        field: FieldPath,
        /// Its type.
        kind: String,
    },
    /// A task without a row: it gets no package (RULES.md section 4).
    #[error("nothing was found, so there is nothing to pack")]
    Nothing,
    /// An invariant of ours does not hold.
    #[error("internal error: {0}")]
    Bug(&'static str),
}

impl AccessError {
    /// Maps an I/O error of scratch space.
    pub(super) fn scratch(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Scratch { doing, path, source: Arc::new(source) }
    }

    /// Maps an I/O error of a package.
    pub(super) fn package(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Package { doing, path, source: Arc::new(source) }
    }

    /// Whether every package suffers from it.
    pub(super) const fn stops_all(&self) -> bool {
        matches!(self, Self::Scratch { .. })
    }
}
