//! What in the data stands between a dataset and the tasks that need it.

/// What stands between a dataset and the tasks that need it, as a text for people; `None`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetBlocks {
    /// The dataset cannot be searched for what the policy says: every task that searches it fails
    /// with `DataUnreadable`.
    pub search: Option<String>,
    /// A file cannot be used, and others can: every task that searches the dataset fails with
    /// `DataUnreadable`, a delete once it has erased in the others.
    pub files: Option<String>,
    /// What the policy wants shown cannot be: access tasks that find rows in it fail.
    pub access: Option<String>,
    /// What the policy wants erased or kept cannot be told: delete tasks that find rows in it fail.
    /// Leaves that cannot take their method are not in here: they fail the deletes that reach them.
    pub erase: Option<String>,
}
