//! The policy of one dataset (RULES.md section 1, CONTRACT.md section 1).

use super::{
    EraseMethod, EraseRule, FieldPath, Label, Labels, Name, NamespaceName, Position, Product,
};

/// Where a dataset belongs: `qa-` namespaces reach test datasets only, others production only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Real people.
    #[default]
    Production,
    /// Rehearsals, reached by `qa-` namespaces only.
    Test,
}

/// What a delete does to a matched row of the dataset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EraseMode {
    /// Erases the labelled fields.
    #[default]
    Fields,
    /// Removes the row.
    Rows,
}

/// Whether columns that the policy does not mention are a warning or an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unlabelled {
    /// A warning.
    #[default]
    Allow,
    /// An error: every column must be mentioned.
    Deny,
}

/// Methods for fields without an `erase:` of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteDefaults {
    /// For strings.
    pub strings: EraseMethod,
    /// For everything else.
    pub others: EraseMethod,
}

impl Default for DeleteDefaults {
    fn default() -> Self {
        Self { strings: EraseMethod::Pseudonym, others: EraseMethod::Null }
    }
}

/// One Parquet table and what its columns mean.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// `metadata.name`.
    pub name: Name,
    /// Directory in the package; what a request's `include` names.
    pub product: Product,
    /// Data source shown in the history; the dataset's name where the policy has none.
    pub source: String,
    /// Production or test.
    pub environment: Environment,
    /// File, directory, glob or URL, as the policy writes it.
    pub location: String,
    /// The event time of a row.
    pub timestamp: Option<FieldPath>,
    /// The id by which replicated rows are recognised.
    pub hit_id: Option<FieldPath>,
    /// Fields or rows.
    pub erase: EraseMode,
    /// Methods where a field names none.
    pub delete_defaults: DeleteDefaults,
    /// What columns without a policy are.
    pub unlabelled: Unlabelled,
    /// A location without files is no error.
    pub may_be_empty: bool,
    /// Several ID fields of one namespace mean one and the same person.
    pub same_subject: bool,
    /// In the order of the policy.
    pub fields: Vec<Field>,
    /// Where the document starts.
    pub position: Position,
}

impl Dataset {
    /// The ID fields, with their index in [`Dataset::fields`].
    pub fn id_fields(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.fields.iter().enumerate().filter(|(_, field)| field.labels.is_id())
    }

    /// Whether the values of a partition column tell of a person: paths are shown without them, and a
    /// file that is left without rows goes (RULES.md section 5).
    pub fn hides_partition(&self, column: &str) -> bool {
        let Some(path) = FieldPath::new([column]) else { return false };
        self.fields.iter().any(|field| field.path == path && (field.labels.is_id() || field.pii))
    }
}

/// One `fields:` entry. Its path may name a group: it then labels every leaf below, except leaves
/// that a longer path names.
#[derive(Debug, Clone)]
pub struct Field {
    /// Leaf or group.
    pub path: FieldPath,
    /// The labels.
    pub labels: Labels,
    /// The namespace of an ID field.
    pub namespace: Option<NamespaceName>,
    /// Personal data for viewing and anonymisation.
    pub pii: bool,
    /// May be named in `only.where` and `find --by`.
    pub selectable: bool,
    /// Whose field it is in a row that holds two people.
    pub party: Option<String>,
    /// `elements: all`: the restriction to matched elements is lifted.
    pub all_elements: bool,
    /// The method, where the policy names one.
    pub erase: Option<EraseRule>,
    /// Why the field is as it is; silences lints.
    pub reason: Option<String>,
    /// Where the entry starts.
    pub position: Position,
}

impl Field {
    /// Whether the field is an `ID-PERSON` field.
    pub const fn is_person_id(&self) -> bool {
        self.labels.has(Label::IdPerson)
    }

    /// Whether a delete may erase the field: a `DEL-*` label or `pii`.
    pub const fn is_erasable(&self) -> bool {
        self.pii || self.labels.is_erasable()
    }
}
