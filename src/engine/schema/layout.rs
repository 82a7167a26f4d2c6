//! The leaves of one file: logical paths without list levels, in column order.

use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::schema::types::Type;

use crate::model::{FieldPath, LeafType};

use super::leaf_type;

/// One leaf column of a file. Its index in the list that [`layout`] makes is its column index in the
/// file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileLeaf {
    /// Logical path.
    pub(crate) path: FieldPath,
    /// What the file says it holds.
    pub(crate) kind: LeafType,
    /// As in [`crate::model::Leaf::lists`].
    pub(crate) lists: Vec<usize>,
    /// For each of `lists`, the definition level from which on the list has an element.
    pub(crate) element_levels: Vec<i16>,
    /// Whether the leaf itself is optional.
    pub(crate) nullable: bool,
}

/// Deeper schemas are refused: a footer can nest groups until the stack ends.
const DEEPEST: usize = 100;

/// The leaves of a schema, one for each column.
///
/// # Errors
/// A fragment that says what the schema has that cannot be named: a column without a name, two columns
/// of one path, or too many levels.
pub(crate) fn layout(root: &Type) -> Result<Vec<FileLeaf>, String> {
    let mut walk = Walk::default();
    for field in root.get_fields() {
        walk.field(field)?;
    }
    let mut seen = std::collections::HashSet::with_capacity(walk.leaves.len());
    for leaf in &walk.leaves {
        if !seen.insert(&leaf.path) {
            return Err(format!("has two columns called `{}`", leaf.path));
        }
    }
    Ok(walk.leaves)
}

#[derive(Default)]
struct Walk {
    names: Vec<String>,
    lists: Vec<usize>,
    element_levels: Vec<i16>,
    /// Definition level of where the walk is.
    level: i16,
    leaves: Vec<FileLeaf>,
    depth: usize,
}

impl Walk {
    /// A field with its own name.
    fn field(&mut self, node: &Type) -> Result<(), String> {
        self.named(node.name(), |walk| walk.node(node))
    }

    /// A node whose name is dealt with, its repetition not.
    fn node(&mut self, node: &Type) -> Result<(), String> {
        match repetition(node) {
            Repetition::REPEATED => self.listed(|walk| walk.content(node)),
            Repetition::OPTIONAL => {
                self.level += 1;
                let outcome = self.content(node);
                self.level -= 1;
                outcome
            }
            Repetition::REQUIRED => self.content(node),
        }
    }

    fn named(
        &mut self,
        name: &str,
        inner: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.names.push(name.to_owned());
        let outcome = inner(self);
        self.names.pop();
        outcome
    }

    /// What a node holds, its name and own repetition being dealt with.
    fn content(&mut self, node: &Type) -> Result<(), String> {
        if node.is_primitive() {
            return self.leaf(node);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("nests its columns too deeply".to_owned());
        }
        match (annotation(node), node.get_fields()) {
            (Some(Annotation::List), [inner]) if repetition(inner) == Repetition::REPEATED => {
                self.listed(|walk| walk.element(node.name(), inner))?;
            }
            (Some(Annotation::Map), [entry])
                if repetition(entry) == Repetition::REPEATED && entry.is_group() =>
            {
                self.listed(|walk| walk.entry(entry))?;
            }
            (_, fields) => {
                for field in fields {
                    self.field(field)?;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn listed(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.level += 1;
        self.lists.push(self.names.len());
        self.element_levels.push(self.level);
        let outcome = inner(self);
        self.element_levels.pop();
        self.lists.pop();
        self.level -= 1;
        outcome
    }

    /// The repeated child of a list: the three-level form, or one of the older two-level forms
    /// (Parquet's LogicalTypes, "Backward-compatibility rules").
    fn element(&mut self, list: &str, inner: &Type) -> Result<(), String> {
        if inner.is_primitive() {
            return self.leaf(inner);
        }
        match inner.get_fields() {
            [only] if !is_old_struct(list, inner, only) => self.node(only),
            _ => self.content(inner),
        }
    }

    /// The key and the value of a map, under these names whatever the file calls them.
    fn entry(&mut self, entry: &Type) -> Result<(), String> {
        for (at, field) in entry.get_fields().iter().enumerate() {
            let name = match at {
                0 => "key",
                1 => "value",
                _ => field.name(),
            };
            self.named(name, |walk| walk.node(field))?;
        }
        Ok(())
    }

    fn leaf(&mut self, node: &Type) -> Result<(), String> {
        let path = FieldPath::new(self.names.iter().cloned())
            .ok_or_else(|| "has a column without a name".to_owned())?;
        self.leaves.push(FileLeaf {
            path,
            kind: leaf_type(node),
            lists: self.lists.clone(),
            element_levels: self.element_levels.clone(),
            nullable: repetition(node) == Repetition::OPTIONAL,
        });
        Ok(())
    }
}

/// Whether the one-field group below a list is a struct of that field (written by old Avro and Thrift
/// writers) and not the wrapper of the three-level form.
fn is_old_struct(list: &str, group: &Type, only: &Type) -> bool {
    annotation(group).is_none()
        && repetition(only) != Repetition::REPEATED
        && (group.name() == "array" || group.name() == format!("{list}_tuple"))
}

enum Annotation {
    List,
    Map,
}

fn annotation(group: &Type) -> Option<Annotation> {
    let info = group.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::List), _) | (_, ConvertedType::LIST) => Some(Annotation::List),
        (Some(LogicalType::Map), _) | (_, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => {
            Some(Annotation::Map)
        }
        _ => None,
    }
}

fn repetition(node: &Type) -> Repetition {
    let info = node.get_basic_info();
    if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED }
}
