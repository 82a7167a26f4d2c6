//! Holds: what must be kept from erasure, and until when (RULES.md section 5).

use jiff::civil::Date;

use super::{FieldPath, Name, Position};

/// What a hold covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldScope {
    /// Whole rows of these datasets, or, with fields, those fields and the ID fields of the datasets.
    Datasets {
        /// The datasets.
        datasets: Vec<Name>,
        /// Empty: the whole rows.
        fields: Vec<FieldPath>,
    },
    /// Whole rows of every dataset, for these requests; with keys, for these blocks of them only.
    Requests {
        /// The requests.
        requests: Vec<Name>,
        /// Empty: every block.
        keys: Vec<String>,
    },
}

/// A hold.
#[derive(Debug, Clone)]
pub struct Hold {
    /// `metadata.name`.
    pub name: Name,
    /// What it covers.
    pub scope: HoldScope,
    /// The first day, in UTC, on which it holds no more; `None`: until it is removed.
    pub until: Option<Date>,
    /// Why.
    pub reason: String,
    /// Where the document starts.
    pub position: Position,
}

impl Hold {
    /// Whether it still holds on that day (UTC).
    pub fn in_force(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today < until)
    }
}
