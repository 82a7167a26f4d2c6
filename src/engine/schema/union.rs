//! The leaves of a dataset: the union over its files.

use std::collections::{HashMap, HashSet};

use crate::model::{FieldPath, Leaf, LeafType};

use super::{FileLeaf, widen};

/// Grows file by file. Columns may be reordered, added and missing.
#[derive(Debug, Default)]
pub(crate) struct Union {
    leaves: Vec<Leaf>,
    index: HashMap<FieldPath, usize>,
    groups: HashSet<FieldPath>,
}

impl Union {
    /// Takes in the leaves of a file.
    ///
    /// # Errors
    /// A fragment for each column that is of another kind than in the files before; the union then
    /// keeps what it had.
    pub(crate) fn add(&mut self, file: &[FileLeaf]) -> Vec<String> {
        let mut conflicts = Vec::new();
        for leaf in file {
            if let Err(conflict) = self.add_leaf(leaf) {
                conflicts.push(conflict);
            }
        }
        conflicts
    }

    fn add_leaf(&mut self, leaf: &FileLeaf) -> Result<(), String> {
        if let Some(&at) = self.index.get(&leaf.path) {
            return self.merge(at, leaf);
        }
        let above = ancestors(&leaf.path);
        if self.groups.contains(&leaf.path)
            || above.iter().any(|group| self.index.contains_key(group))
        {
            return Err(format!(
                "column `{}` is a group of columns in one file and a single column in another",
                leaf.path
            ));
        }
        self.groups.extend(above);
        self.index.insert(leaf.path.clone(), self.leaves.len());
        self.leaves.push(Leaf {
            path: leaf.path.clone(),
            kind: leaf.kind.clone(),
            lists: leaf.lists.clone(),
            nullable: leaf.nullable,
            partition: false,
        });
        Ok(())
    }

    fn merge(&mut self, at: usize, leaf: &FileLeaf) -> Result<(), String> {
        let Some(known) = self.leaves.get_mut(at) else { return Ok(()) };
        if known.lists != leaf.lists {
            return Err(format!(
                "column `{}` is repeated in one file and not, or not in the same way, in another",
                leaf.path
            ));
        }
        let kind = widen(&known.kind, &leaf.kind).ok_or_else(|| {
            format!(
                "column `{}` is {} here and {} in the files before",
                leaf.path,
                leaf.kind.describe(),
                known.kind.describe()
            )
        })?;
        known.kind = kind;
        known.nullable &= leaf.nullable;
        Ok(())
    }

    /// The union, partition columns last; a partition column takes the place of a file's column of its
    /// name, since the directory says what the row has.
    pub(crate) fn finish(self, partitions: &[String]) -> Vec<Leaf> {
        let named: Vec<FieldPath> =
            partitions.iter().filter_map(|name| FieldPath::new([name.as_str()])).collect();
        let mut leaves: Vec<Leaf> =
            self.leaves.into_iter().filter(|leaf| !named.contains(&leaf.path)).collect();
        leaves.extend(named.into_iter().map(|path| Leaf {
            path,
            kind: LeafType::Text,
            lists: Vec::new(),
            nullable: true,
            partition: true,
        }));
        leaves
    }
}

/// The groups above a leaf.
fn ancestors(path: &FieldPath) -> Vec<FieldPath> {
    (1..path.parts().len())
        .filter_map(|length| FieldPath::new(path.parts().iter().take(length).cloned()))
        .collect()
}
