//! What can go wrong in the engine.

use std::path::PathBuf;

/// A failure of the engine. No variant holds a cell value or the text of a foreign error that could
/// quote one: paths are as shown to users, and what is wrong is said in our own words.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine itself could not be set up.
    #[error("cannot start the query engine: {0}")]
    Start(&'static str),
    /// A file of a dataset cannot be read, or does not hold what its footer says.
    #[error("cannot read {shown}: {what}")]
    Unreadable {
        /// The file, as shown to users.
        shown: String,
        /// What is wrong.
        what: String,
    },
    /// A file is no longer the one that was inventoried.
    #[error("{shown} changed while it was read")]
    Changed {
        /// The file, as shown to users.
        shown: String,
    },
    /// An I/O error outside the datasets.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried: `create`, `write`, …
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Memory or spill space ran out.
    #[error("not enough memory or scratch space: {0}")]
    Resources(&'static str),
    /// An invariant of ours does not hold.
    #[error("internal error: {0}")]
    Bug(&'static str),
}
